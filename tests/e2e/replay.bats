#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `replay`: what it makes of a capture is what the live filter made of the same packets; real sessions under each shipped
# profile; captures of each kind, also broken ones; and what a live filter has stays as it is.

load helper
load servers
load replay

setup_file()
{
	sandbox_start
	two_hosts
	on host ethtool -K eth0 tso off gso off gro off > /dev/null
	on client ethtool -K eth0 tso off gso off gro off > /dev/null
	MAC=$(mac_of host eth0)
	export MAC
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_capture
	detach_all host
}

# Frames for every rule; `s`: a source port that no earlier frame had.
frames()
{
	# shellcheck disable=SC2016
	on client /usr/bin/python3 "$ROOT/tests/e2e/frames.py" eth0 "$MAC" '
you, six = "192.0.2.1", "2001:db8::1"
ip, ip6 = IP(src="192.0.2.2", dst=you), IPv6(src="2001:db8::2", dst=six)
def both(layer): return [e / ip / layer, e / ip6 / layer]
frames = []
for flags in ("S", "A", "SA", "R", "FA", "PA", "S"):
    for port in (22, 25, 993, 8080):
        frames += both(TCP(sport=40000 + port, dport=port, flags=flags))
for port in (53, 123, 161, 5060, 33434):
    frames += both(UDP(sport=41000, dport=port) / (b"x" * 40))
frames += [e / ip / ICMP(type=t) / (b"y" * 20) for t in (0, 3, 5, 8, 11, 13, 17)]
frames += [e / ip6 / ICMPv6EchoRequest(id=7), e / ip6 / ICMPv6EchoReply(id=7), e / ip6 / ICMPv6DestUnreach() / (b"z" * 60)]
quoted = lambda port, proto: IP(src=you, dst="192.0.2.2") / proto(sport=port, dport=40000)
for port in (22, 25, 5060):
    frames += [e / ip / ICMP(type=3, code=3) / quoted(port, TCP), e / ip / ICMP(type=3, code=1) / quoted(port, UDP),
               e / ip / ICMP(type=3, code=4, nexthopmtu=1400) / quoted(port, UDP)]
for proto in (2, 47, 50, 89, 132):
    frames.append(e / IP(src="192.0.2.2", dst=you, proto=proto) / (b"q" * 30))
for port in (22, 993):
    frames += fragment(IP(src="192.0.2.2", dst=you, id=port) / UDP(sport=42000, dport=port) / (b"f" * 3000), 1200)
    frames += fragment6(IPv6(src="2001:db8::2", dst=six) / IPv6ExtHdrFragment(id=port) / UDP(sport=42000, dport=port) / (b"f" * 3000), 1200)
frames = [f if f.haslayer(Ether) else e / f for f in frames]
frames += [e / IP(src="192.0.2.2", dst=you, id=9, flags=1, frag=0) / ICMP() / (b"p" * 800), e / IP(src="192.0.2.2", dst=you, id=9, frag=101, proto=1) / (b"p" * 80)]
frames += [e / IP(src="192.0.2.2", dst=you, len=900) / TCP(dport=22), e / IP(src="192.0.2.2", dst=you, ihl=4) / TCP(dport=22)]
frames += [e / ip6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP(sport=43000, dport=p, flags="S") for p in (22, 993)]
frames += [e / Dot1Q(vlan=5) / ip / TCP(sport=43001, dport=p, flags="S") for p in (22, 993)]
frames += [Ether(src=e.src, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="192.0.2.2", pdst=you), Ether(src=e.src, dst=e.dst, type=0x88cc) / (b"l" * 30)]
frames += [e / IP(src=f"198.51.100.{i}", dst=you) / TCP(sport=44000, dport=25, flags="S") for i in range(1, 30)]
'
}

# What the host itself asks: TCP, UDP, echo, and UDP that gets no answer.
asks()
{
	on host socat -u OPEN:/dev/null TCP:192.0.2.2:7001,connect-timeout=3 || true
	on host socat -t 1 - UDP:192.0.2.2:7002 <<< question > /dev/null
	on host socat -t 1 - 'UDP6:[2001:db8::2]:7002' <<< question > /dev/null
	on host ping -c 2 -i 0.2 -W 1 192.0.2.2 > /dev/null
	on host ping -6 -c 1 -W 1 2001:db8::2 > /dev/null
	on host socat -u - UDP:192.0.2.2:7003 <<< unanswered
}

@test "frames of every kind, and the host's own questions: each counter is that of the live filter" {
	in_background client socat TCP-LISTEN:7001,fork,reuseaddr SYSTEM:'echo hello'
	in_background client socat UDP6-RECVFROM:7002,ipv6only=0,fork SYSTEM:'echo answer'
	in_background host socat TCP6-LISTEN:22,fork,reuseaddr,ipv6only=0 SYSTEM:'echo ssh'
	until_true 5 listening host 22
	until_true 5 listening client 7001
	pc attach eth0 -p ssh --open 5060/udp --open 25/tcp=partners --group partners=198.51.100.16/28 > /dev/null
	until_silent
	start_capture "$DIR/live.pcapng"
	pc counters eth0 --clear > /dev/null
	asks
	sent=$(frames)
	[ "$sent" -ge 140 ] || fail "only $sent frames"
	asks
	stop_capture
	agrees "$DIR/live.pcapng"
	run pc replay "$DIR/live.pcapng" eth0 --json
	json_is '.packets > 190 and .left_out.cut == 0 and .replies.packets > 4'
	json_is '[.reasons | to_entries[] | select(.value.drop.packets > 0).key] | sort == ["fragment", "icmp", "malformed", "protocol", "source", "unlisted"]'
	json_is '[.drops[].drop.packets] | add == $all' --argjson all "$(jq '[.reasons[].drop.packets] | add' <<< "$output")"
	json_is '.fixes | any(test("portcullis swap eth0 .*--open 993/tcp"))'
}

# Real sessions of a host without a filter: swaks, curl, dig and sipp come in, and the host itself asks.
sessions()
{
	# shellcheck source=scripts/postfix.bash
	. "$ROOT/scripts/postfix.bash"
	postfix_config "$DIR/postfix"
	export -f postfix_run
	in_background host bash -c 'postfix_run "$0"' "$DIR/postfix"
	start_nginx host page
	in_background host dnsmasq -k -C /dev/null -p 53 --no-resolv --no-hosts --address=/example.com/192.0.2.1 --pid-file="$DIR/dnsmasq.pid"
	in_background client dnsmasq -k -C /dev/null -p 53 --no-resolv --no-hosts --address=/example.org/192.0.2.2 --pid-file="$DIR/dnsmasq2.pid"
	mkdir -p "$DIR/web"
	echo hello > "$DIR/web/index.html"
	in_background client /usr/bin/python3 -m http.server -d "$DIR/web" 7080
	until_true 15 listening host 25
	until_true 5 listening host 80
	until_true 5 listening host 53
	until_true 5 listening client 7080
	on host sipp -sn uas -i 192.0.2.1 -p 5060 -bg > /dev/null 2>&1 < /dev/null || true
	start_capture "$DIR/session.pcapng"
	on client swaks --server 192.0.2.1 --from a@example.org --to b@example.com --timeout 10 > "$DIR/swaks" 2>&1 || cat "$DIR/swaks" >&2
	on client curl -sm 10 http://192.0.2.1/ > "$DIR/curl"
	on client dig +tries=1 +time=5 @192.0.2.1 www.example.com > "$DIR/dig"
	on client sipp -sn uac 192.0.2.1:5060 -i 192.0.2.2 -m 3 -r 10 -d 100 -timeout 10 -nostdin > "$DIR/sipp" 2>&1 < /dev/null || true
	on host curl -sm 5 http://192.0.2.2:7080/ > "$DIR/curl2"
	on host dig +tries=1 +time=5 @192.0.2.2 www.example.org > "$DIR/dig2"
	stop_capture
	on host pkill -x sipp || true
	grep -q 'Queued mail\|queued as\|250' "$DIR/swaks" || fail "swaks: $(cat "$DIR/swaks")"
	same page "$(cat "$DIR/curl")"
	same hello "$(cat "$DIR/curl2")"
	grep -q 192.0.2.1 "$DIR/dig" && grep -q 192.0.2.2 "$DIR/dig2" || fail "dig: $(cat "$DIR/dig" "$DIR/dig2")"
}

@test "sessions of a host without a filter (swaks, curl, dig, SIP), under each shipped profile" {
	local profile port opened dropped passed
	sessions
	[ -z "$(attached host eth0)" ] || fail 'a filter is attached'
	for profile in "$CATALOG"/*.yaml; do
		profile=$(basename "$profile" .yaml)
		output=$(pc replay "$DIR/session.pcapng" -p "$profile" --catalog "$CATALOG" --local 192.0.2.1 --json 2> /dev/null) ||
			fail "$profile: $output"
		json_is '.packets > 30 and .left_out.cut == 0'
		# The host's questions are answered under each profile.
		json_is '.replies.packets >= 6'
		opened=$(pc show "$profile" --json | jq -r '[.profiles[].services[] | select(.open and .direction != "out" and (.from | length) == 0 and
			(.from_ports | length) == 0).ports[]] | .[]')
		for port in 25/tcp 80/tcp 53/udp 5060/udp; do
			dropped=$(jq --arg port "$port" '[.drops[] | select("\(.port)/\(.protocol)" == $port).drop.packets] | add // 0' <<< "$output")
			passed=$(jq --arg port "$port" '[.ports[] | select(.direction == "in" and "\(.port)/\(.protocol)" == $port).pass.packets] | add // 0' <<< "$output")
			if /usr/bin/python3 - "$port" $opened <<-'END'
				import sys
				number, protocol = sys.argv[1].split("/")
				for port in sys.argv[2:]:
				    numbers, its = port.split("/")
				    first, _, last = numbers.partition("-")
				    if its == protocol and int(first) <= int(number) <= int(last or first):
				        sys.exit(0)
				sys.exit(1)
			END
			then
				[ "$dropped" = 0 ] && [ "$passed" -gt 0 ] || fail "$profile opens $port: $passed passed, $dropped dropped"
			else
				[ "$dropped" -gt 0 ] && [ "$passed" = 0 ] || fail "$profile does not open $port: $passed passed, $dropped dropped"
			fi
		done
		json_is '[.drops[] | select(.protocol == "tcp" or .protocol == "udp") | .port] - [25, 80, 53, 5060] == []'
	done
}

# A capture with 40 packets of three flows, as libpcap writes it.
small()
{
	/usr/bin/python3 - "$1" <<-'END'
		import logging, sys
		logging.getLogger("scapy").setLevel(logging.ERROR)
		from scapy.all import Ether, IP, TCP, UDP, wrpcap
		you, me, frames = "192.0.2.1", "198.51.100.7", []
		here, there = "02:00:00:00:00:01", "02:00:00:00:00:02"
		for i in range(10):
		    frames += [Ether(src=there, dst=here) / IP(src=me, dst=you) / TCP(sport=40000 + i, dport=25, flags="S"),
		               Ether(src=there, dst=here) / IP(src=me, dst=you) / TCP(sport=41000 + i, dport=993, flags="S"),
		               Ether(src=here, dst=there) / IP(src=you, dst=me) / UDP(sport=42000 + i, dport=53) / b"q",
		               Ether(src=there, dst=here) / IP(src=me, dst=you) / UDP(sport=53, dport=42000 + i) / (b"a" * 900)]
		for i, frame in enumerate(frames):
		    frame.time = 1700000000 + i / 10
		wrpcap(sys.argv[1], frames)
	END
}

# decides FILE [OPTION]...: the replay has the numbers of `small`.
decides()
{
	run pc replay "$@" -p ssh --open 25/tcp --catalog "$CATALOG" --local 192.0.2.1 --json
	[ "$status" = 0 ] || fail "$*: exit $status: $output"
	json_is '.packets == 40 and .replies.packets == 10 and .reasons.unlisted.drop.packets == 10 and .outbound_total.pass.packets == 10'
	json_is '.first == "2023-11-14T22:13:20Z" and .ports[0] == {direction: "in", protocol: "tcp", port: 25, services: ["site:25-tcp"],
		pass: {packets: 10, bytes: $bytes}, drop: {packets: 0, bytes: 0}, would_drop: {packets: 0, bytes: 0}, machine: null}' --argjson bytes "${BYTES:-540}"
}

@test "each kind of capture gives the same: pcap, pcapng, stdin, nanoseconds, raw IP, cooked, cut" {
	small "$DIR/small.pcap"
	decides "$DIR/small.pcap"
	inside editcap -F pcapng "$DIR/small.pcap" "$DIR/small.pcapng"
	decides "$DIR/small.pcapng"
	inside editcap -F nsecpcap "$DIR/small.pcap" "$DIR/nano.pcap"
	decides "$DIR/nano.pcap"
	inside editcap -F pcap -s 60 "$DIR/small.pcap" "$DIR/cut.pcap"
	decides "$DIR/cut.pcap"
	json_is '.replies.bytes == 9420'
	inside editcap -F pcap -C 14 -L -T rawip "$DIR/small.pcap" "$DIR/raw.pcap"
	decides "$DIR/raw.pcap"
	/usr/bin/python3 - "$DIR" <<-'END'
		import struct, sys
		raw = open(sys.argv[1] + "/raw.pcap", "rb").read()
		for name, link, header in (("sll", 113, lambda out: struct.pack(">HHH8sH", 4 if out else 0, 1, 6, b"\2" * 8, 0x800)),
		                           ("sll2", 276, lambda out: struct.pack(">HHIHBB8s", 0x800, 0, 2, 1, 4 if out else 0, 6, b"\2" * 8))):
		    with open(f"{sys.argv[1]}/{name}.pcap", "wb") as file:
		        file.write(raw[:20] + struct.pack("<I", link))
		        at = 24
		        while at < len(raw):
		            seconds, fraction, captured, length = struct.unpack_from("<IIII", raw, at)
		            packet = raw[at + 16:at + 16 + captured]
		            start = header(packet[12:16] == b"\xc0\0\2\1")
		            file.write(struct.pack("<IIII", seconds, fraction, captured + len(start), length + len(start)) + start + packet)
		            at += 16 + captured
	END
	decides "$DIR/sll.pcap"
	decides "$DIR/sll2.pcap"
	run bash -c "nsenter --target $SANDBOX --mount --pid -- nsenter --net=/run/netns/host -- $PORTCULLIS replay - -p ssh --open 25/tcp --catalog $CATALOG --local 192.0.2.1 --json < $DIR/small.pcap"
	json_is '.packets == 40'
}

@test "broken, cut off and foreign captures: what is wrong, and what was before it" {
	small "$DIR/small.pcap"
	head -c 1000 "$DIR/small.pcap" > "$DIR/short.pcap"
	exits 1 pc replay "$DIR/short.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1
	says 'is broken or cut off after' 'packets: truncated' '993/tcp'
	: > "$DIR/empty.pcap"
	exits 1 pc replay "$DIR/empty.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1
	says "$DIR/empty.pcap: cannot be read as a capture"
	head -c 4000 /dev/urandom | tr '\0\n' '  ' | sed 's/^/text/' > "$DIR/text.pcap"
	exits 1 pc replay "$DIR/text.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1
	says 'is not a capture: neither pcap nor pcapng'
	{ head -c 20 "$DIR/small.pcap"; printf '\x7f\0\0\0'; tail -c +25 "$DIR/small.pcap"; } > "$DIR/radio.pcap"
	exits 1 pc replay "$DIR/radio.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1
	says 'its link type is 127, which replay does not know; it reads Ethernet, raw IP, Linux cooked 1 and 2'
	exits 1 pc replay "$DIR/small.pcap" -p ssh --catalog "$CATALOG" --local 203.0.113.1
	says 'no packet in it is from or to 203.0.113.1' '--local 1'
	exits 1 pc replay "$DIR/none.pcap" -p ssh --catalog "$CATALOG"
	says "$DIR/none.pcap: No such file or directory"
	exits 1 pc replay /proc -p ssh --catalog "$CATALOG"
	exits 2 pc replay
	says 'give the capture: portcullis replay FILE'
	exits 1 pc replay "$DIR/small.pcap"
	says 'has a filter'
	exits 1 pc replay "$DIR/small.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1/24
	says '--local' '192.0.2.0/24'
	exits 1 pc replay "$DIR/small.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1 portt 25
	says "'portt 25' is neither an interface of this network namespace nor a filter"
	# An impossible length in the middle of the file: libpcap must not be misled.
	/usr/bin/python3 - "$DIR" <<-'END'
		import struct, sys
		raw = bytearray(open(sys.argv[1] + "/small.pcap", "rb").read())
		struct.pack_into("<I", raw, 24 + 16 + 54 + 8, 0xfffffff0)
		open(sys.argv[1] + "/hurt.pcap", "wb").write(raw)
	END
	exits 1 pc replay "$DIR/hurt.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1
	says 'is broken or cut off after 1 packet'
}

# Whether one of the two processes has no capabilities, and only a few open files.
reader_is_bare()
{
	local pid

	for pid in $(inside pgrep -f '[r]eplay.*fifo'); do
		inside awk '$1 == "CapEff:" || $1 == "CapPrm:" { printf "%s ", $2 }' "/proc/$pid/status"
		inside ls "/proc/$pid/fd" | tr '\n' ' '
		echo
	done > "$DIR/processes"
	[ "$(wc -l < "$DIR/processes")" = 2 ] && grep -qx '0000000000000000 0000000000000000 0 1 2 3 4 ' "$DIR/processes"
}

@test "a live filter stays as it is: counters, drops and flows; the reader has no privilege and no other file" {
	local before
	small "$DIR/small.pcap"
	pc attach eth0 -p ssh > /dev/null
	before=$(pc counters eth0 --json | jq -S '.interfaces[0] | {ports, reasons, other, total}'; pc drops --json | jq -S .drops; pc flows --json | jq -S .flows)
	mkfifo "$DIR/fifo"
	on host bash -c "exec '$PORTCULLIS' replay '$DIR/fifo' eth0 --local 192.0.2.1 --json > '$DIR/report'" &
	exec 8> "$DIR/fifo"
	head -c 2000 "$DIR/small.pcap" >&8
	until_true 8 reader_is_bare || fail "it has capabilities or files: $(cat "$DIR/processes")"
	tail -c +2001 "$DIR/small.pcap" >&8
	exec 8>&-
	wait $!
	output=$(cat "$DIR/report")
	json_is '.packets == 40 and .reasons.unlisted.drop.packets == 20'
	same "$before" "$(pc counters eth0 --json | jq -S '.interfaces[0] | {ports, reasons, other, total}'; pc drops --json | jq -S .drops; pc flows --json | jq -S .flows)"
}

@test "--list, --write, FILTER, --exit-code, --site; the command that opens it does" {
	small "$DIR/small.pcap"
	exits 3 pc replay "$DIR/small.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1 --list --exit-code tcp port 993
	says 'drop unlisted 198.51.100.7:41000 -> 192.0.2.1:993/tcp syn' '10 packets' 'portcullis attach IFACE -p ssh --open 993/tcp'
	says_not '25/tcp'
	exits 0 pc replay "$DIR/small.pcap" -p ssh --open 25/tcp --open 993/tcp --catalog "$CATALOG" --local 192.0.2.1 --exit-code
	exits 0 pc replay "$DIR/small.pcap" -p ssh --catalog "$CATALOG" --local 192.0.2.1 --write "$DIR/out.pcapng" --all
	same 40 "$(inside tshark -r "$DIR/out.pcapng" 2> /dev/null | wc -l)"
	same 20 "$(inside tshark -r "$DIR/out.pcapng" -Y 'frame.comment contains "unlisted"' 2> /dev/null | wc -l)"
	# The written file is a capture again, and gives the same result.
	run pc replay "$DIR/out.pcapng" -p ssh --catalog "$CATALOG" --local 192.0.2.1 --json
	json_is '.packets == 40 and .reasons.unlisted.drop.packets == 20'
	cat > "$DIR/site.yaml" <<-END
		interfaces:
		  mail7: {profiles: [ssh], open: [25/tcp]}
	END
	run pc replay "$DIR/small.pcap" mail7 --site "$DIR/site.yaml" --catalog "$CATALOG" --local 192.0.2.1 --json
	json_is '.packets == 40 and .reasons.unlisted.drop.packets == 10 and (.fixes | length == 1)'
	json_is '.fixes[0] | test("open: ?\\[?.*993/tcp")'
	pc attach eth0 -p ssh > /dev/null
	run pc replay "$DIR/small.pcap" eth0 --local 192.0.2.1 --json
	while read -r fix; do
		on host bash -c "portcullis() { '$PORTCULLIS' \"\$@\" --catalog '$CATALOG'; }; $fix" > /dev/null
	done < <(jq -r '.fixes[]' <<< "$output")
	exits 0 pc replay "$DIR/small.pcap" eth0 --local 192.0.2.1 --exit-code
}

@test "gigabytes: the memory does not grow" {
	local size peak=()
	small "$DIR/small.pcap"
	for size in 20000 200000; do # times 38 packets
		tail -c +25 "$DIR/small.pcap" > "$DIR/body"
		for _ in {1..100}; do cat "$DIR/body"; done > "$DIR/body100"
		peak+=("$(on host /usr/bin/python3 - "$PORTCULLIS" "$CATALOG" "$DIR" $((size / 100)) <<-'END'
			import resource, subprocess, sys
			program, catalog, folder, times = sys.argv[1:]
			reader = subprocess.Popen([program, "replay", "-", "-p", "ssh", "--catalog", catalog, "--local", "192.0.2.1", "--json"],
			                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
			reader.stdin.write(open(folder + "/small.pcap", "rb").read(24))
			body = open(folder + "/body100", "rb").read()
			for _ in range(int(times)):
			    reader.stdin.write(body)
			reader.stdin.close()
			assert reader.wait() == 0
			print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
		END
		)")
	done
	[ "${peak[1]}" -lt $((peak[0] + 4096)) ] || fail "memory grows: ${peak[*]} KiB"
}
