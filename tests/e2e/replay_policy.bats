#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `replay` of bans, denied groups, grants and limits: it has the numbers of a live filter that has them, by reason and by source;
# time is the capture's; and the commands that it names lift what it says.

load helper
load replay

setup_file()
{
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.7/24 192.0.2.66/24 192.0.2.77/24
	on host ethtool -K eth0 tso off gso off gro off > /dev/null
	on client ethtool -K eth0 tso off gso off gro off > /dev/null
	# Otherwise answers to forged SYNs would be sent again after the capture has ended, and before the counters are
	# read.
	on host sysctl -qw net.ipv4.tcp_synack_retries=0
	MAC=$(mac_of host eth0)
	export MAC
	in_background host socat TCP6-LISTEN:25,fork,reuseaddr,ipv6only=0 SYSTEM:'sleep 0.05; echo mail'
	until_true 5 listening host 25
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_capture
	pc unban --all > /dev/null
	detach_all host
	inside sh -c 'rm -f /run/portcullis/bans-* /run/portcullis/grants-*'
}

# site [LINE]...: writes a site file for eth0 with limits of 25/tcp and 5060/udp, half a token a second, and `deny`.
site()
{
	printf '%s\n' 'groups: {bad: [203.0.113.0/24, "2001:db8:bad::/48"], partners: [198.51.100.16/28]}' 'deny: [bad]' 'interfaces:' '  eth0:' \
		'    profiles: [ssh]' '    open: {25/tcp: anyone, 5060/udp: anyone, 993/tcp: partners}' \
		'    limits: {"site:25-tcp": {rate: 30/m, burst: 5}, "site:5060-udp": {rate: 30/m, burst: 5}}' "$@" > "$DIR/site.yaml"
}

# connects_from ADDRESS COUNT: makes connections to 25/tcp, as many as the filter admits; this side completes them.
connects_from()
{
	local i

	for ((i = 0; i < $2; i++)); do
		on client socat -u TCP:192.0.2.1:25,bind="$1",connect-timeout=0.2 /dev/null 2> /dev/null || true
	done
}

# trunk COUNT: the host asks from its limited port, one datagram after the other, and each gets two answers.
trunk()
{
	on host /usr/bin/python3 - "$1" <<-'END'
		import socket, sys
		one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		one.bind(("192.0.2.1", 5060))
		one.settimeout(2)
		for i in range(int(sys.argv[1])):
		    one.sendto(b"question", ("192.0.2.2", 7002))
		    for _ in range(2):
		        one.recv(100)
	END
}

# knocks FIRST_PORT: packets of sources that are banned, denied, granted, or over their limits; forged SYNs in their
# names; and fragments.
knocks()
{
	on client /usr/bin/python3 "$ROOT/tests/e2e/frames.py" eth0 "$MAC" '
you, six = "192.0.2.1", "2001:db8::1"
frames = []
for source in ("198.51.100.7", "198.51.100.33", "198.51.100.34", "198.51.100.9", "203.0.113.5", "198.51.100.17", "192.0.2.44", "192.0.2.77"):
    ip = IP(src=source, dst=you)
    frames += [e / ip / TCP(sport=s + i, dport=port, flags=flags) for i in range(8) for port in (25, 993, 8080) for flags in ("S",)]
    frames += [e / ip / UDP(sport=s + i, dport=5060) / (b"x" * i) for i in range(9)] + [e / ip / ICMP(type=8, seq=s)]
    frames += [e / ip / TCP(sport=s + 99, dport=25, flags="A"), e / ip / UDP(sport=53, dport=s) / b"late"]
    frames += fragment(IP(src=source, dst=you, id=s) / UDP(sport=s, dport=5060) / (b"f" * 3000), 1200)
for source in ("2001:db8:bad::5", "2001:db8:7::7", "2001:db8:8::8"):
    ip = IPv6(src=source, dst=six)
    frames += [e / ip / TCP(sport=s + i, dport=25, flags="S") for i in range(9)] + [e / ip / UDP(sport=s, dport=5060) / b"y"]
    frames += [e / ip / ICMPv6EchoRequest(id=s), e / IPv6(src=source, dst=six, hlim=255) / ICMPv6ND_NS(tgt=six)]
frames = [f if f.haslayer(Ether) else e / f for f in frames]
' "s=$1"
}

@test "bans, denied groups, grants, limits: each counter and each source is that of the live filter" {
	local live replayed begun
	in_background client socat UDP4-RECVFROM:7002,fork SYSTEM:'echo answer; sleep 0.1; echo again'
	until_true 5 on client sh -c '[ -n "$(ss -Hauln "sport = :7002")" ]'
	site
	pc apply --site "$DIR/site.yaml" > /dev/null
	pc ban 198.51.100.7 198.51.100.32/28 2001:db8:7::/48 > /dev/null
	pc ban 198.51.100.9 --for 1s > /dev/null
	pc grant partners 192.0.2.44 --for 1h > /dev/null
	until_silent
	start_capture "$DIR/policy.pcapng"
	pc counters eth0 --clear > /dev/null
	begun=$EPOCHREALTIME
	connects_from 192.0.2.66 14
	connects_from 192.0.2.7 1
	trunk 6
	knocks 40000 > /dev/null
	# A token and a half later.
	sleep "$(bc <<< "t = $begun + 3 - $EPOCHREALTIME; if (t > 0) t else 0")"
	knocks 41000 > /dev/null
	connects_from 192.0.2.77 1
	trunk 4
	until_silent
	stop_capture
	agrees "$DIR/policy.pcapng"
	run pc replay "$DIR/policy.pcapng" eth0 --json
	json_is '.reasons | .banned.drop.packets > 100 and .denied.drop.packets > 80 and .limit.drop.packets > 60 and .source.drop.packets > 20'
	replayed=$(jq -S '[.drops[] | select(.reason == "banned" or .reason == "denied" or .reason == "limit") | [.reason, .source]] | unique' <<< "$output")
	live=$(pc drops eth0 --json | jq -S '[.drops[] | select(.reason == "banned" or .reason == "denied" or .reason == "limit") | [.reason, .source]] | unique')
	same "$live" "$replayed"
	json_is '[.drops[] | select(.reason == "banned").source] | unique == ["198.51.100.33", "198.51.100.34", "198.51.100.7", "2001:db8:7::7"]'
	json_is '[.drops[] | select(.reason == "denied").source] | unique == ["2001:db8:bad::5", "203.0.113.5"]'
	json_is '[.drops[] | select(.reason == "limit").source] | unique | contains(["192.0.2.66", "192.0.2.44"]) and all(. != "192.0.2.2")'
	json_is '.fixes | contains(["portcullis unban 198.51.100.7/32", "portcullis unban 198.51.100.32/28", "portcullis unban 2001:db8:7::/48"])'
	json_is '.fixes | any(. == "portcullis swap eth0 --no-limit site:25-tcp") and any(. == "portcullis swap eth0 --no-limit site:5060-udp")'
}

# made FILE START STATEMENTS: writes a capture of the host 192.0.2.1 with the list `frames` of [seconds after START,
# layers], START in seconds since 1970.
made()
{
	/usr/bin/python3 - "$@" <<-'END'
		import logging, sys
		logging.getLogger("scapy").setLevel(logging.ERROR)
		from scapy.all import *
		you = "192.0.2.1"
		def syn(source, port, sport=40000): return IP(src=source, dst=you) / TCP(sport=sport, dport=port, flags="S")
		exec(sys.argv[3])
		packets = []
		for at, layers in frames:
		    packet = Ether(src="02:00:00:00:00:02", dst="02:00:00:00:00:01") / layers
		    packet.time = int(sys.argv[2]) + at
		    packets.append(packet)
		wrpcap(sys.argv[1], packets)
	END
}

# dropped JQ: a jq filter on the JSON report.
dropped()
{
	jq -c "[.reasons | to_entries[] | select(.value.drop.packets > 0) | {(.key): .value.drop.packets}] | add" <<< "$output"
}

@test "limits fill again by the capture's clock; completed connections count, and forged SYNs do not cut them off" {
	local options=(-p ssh --open 25/tcp --limit 'site:25-tcp={rate: 1/s, burst: 3}' --local 192.0.2.1 --json)
	# A SYN each tenth of a second for two seconds: the three of the burst pass, and one in each of the two seconds.
	made "$DIR/syns.pcap" 1700000000 'frames = [(i / 10, syn("198.51.100.7", 25, 40000 + i)) for i in range(21)]'
	run pc replay "$DIR/syns.pcap" "${options[@]}"
	same '{"limit":16}' "$(dropped)"
	json_is '[.drops[] | [.source, .port, .reason, .drop.packets]] == [["198.51.100.7", 25, "limit", 16]]'
	json_is '[.ports[] | select(.port == 25) | [.pass.packets, .drop.packets]] == [[5, 16]] and .fixes == []'
	# The same with an hour in between: none is over the limit.
	made "$DIR/hours.pcap" 1700000000 'frames = [(i * 3600, syn("198.51.100.7", 25, 40000 + i)) for i in range(21)]'
	run pc replay "$DIR/hours.pcap" "${options[@]}"
	same null "$(dropped)"
	# A source with a completed connection; then ten SYNs a second in its name, and one of its own, repeated until
	# it passes.
	made "$DIR/real.pcap" 1700000000 '
me = "198.51.100.7"
def to(flags, sport): return IP(src=you, dst=me) / TCP(sport=25, dport=sport, flags=flags)
frames = [(0, syn(me, 25)), (0.01, to("SA", 40000)), (0.02, IP(src=me, dst=you) / TCP(sport=40000, dport=25, flags="A")), (0.03, to("PA", 40000))]
frames += [(1 + i / 10, syn(me, 25, 41000 + i)) for i in range(20)] + [(3.05, syn(me, 25, 50000)), (3.06, to("SA", 50000)), (3.07, to("PA", 50000))]'
	run pc replay "$DIR/real.pcap" "${options[@]}"
	same null "$(dropped)"
	json_is '.left_out.unsent == 0 and .outbound_total.pass.packets == 4'
	# Without the connection the SYNs are limited, and a repeated SYN gets an answer once it passes.
	made "$DIR/forged.pcap" 1700000000 '
me = "198.51.100.7"
frames = [(i / 10, syn(me, 25, 41000 + i)) for i in range(20)] + [(2.55, syn(me, 25, 50000)), (3.05, syn(me, 25, 50000))]
frames += [(3.06, IP(src=you, dst=me) / TCP(sport=25, dport=50000, flags="SA"))]'
	run pc replay "$DIR/forged.pcap" "${options[@]}"
	json_is '.reasons.limit.drop.packets == 16 and .left_out.unsent == 0 and .outbound_total.pass.packets == 1'
	# Without a listener and a filter, each SYN was answered by a reset; with the filter, SYNs over the limit would
	# get none.
	made "$DIR/closed.pcap" 1700000000 '
me = "198.51.100.7"
def reset(sport): return IP(src=you, dst=me) / TCP(sport=25, dport=sport, flags="RA")
frames = [f for i in range(10) for f in ((i / 100, syn(me, 25, 41000 + i % 4)), (i / 100 + 0.001, reset(41000 + i % 4)))]'
	run pc replay "$DIR/closed.pcap" "${options[@]}"
	json_is '.reasons.limit.drop.packets == 7 and .left_out.unsent == 7 and .outbound_total.pass.packets == 3'
}

@test "a ban that has ended is over; one that ends, ends by the capture's clock; unban lifts what was dropped" {
	local frames='frames = [(at, syn(source, 22, 40000 + at)) for at in range(0, 4000, 100) for source in ("198.51.100.7", "198.51.100.40", "198.51.100.9")]'
	pc attach eth0 -p ssh > /dev/null
	pc ban 198.51.100.9 --for 1s > /dev/null
	until_true 5 on host sh -c "[ \$('$PORTCULLIS' bans --json | tr -d ' \n' | grep -c '\"198.51.100.9/32\"') = 0 ]"
	pc ban 198.51.100.7 --for 1050s > /dev/null
	pc ban 198.51.100.32/27 198.51.100.40 > /dev/null
	made "$DIR/ends.pcap" "$(date +%s)" "$frames"
	run pc replay "$DIR/ends.pcap" eth0 --local 192.0.2.1 --json
	same '{"banned":51}' "$(dropped)"
	json_is '[.drops[] | [.source, .drop.packets]] | sort == [["198.51.100.40", 40], ["198.51.100.7", 11]]'
	json_is '.fixes == ["portcullis unban 198.51.100.40/32 198.51.100.32/27", "portcullis unban 198.51.100.7/32"]'
	# Last week they were not banned, but the filter would drop them.
	made "$DIR/week.pcap" "$(($(date +%s) - 604800))" "$frames"
	run pc replay "$DIR/week.pcap" eth0 --local 192.0.2.1 --json
	same '{"banned":80}' "$(dropped)"
	run pc replay "$DIR/week.pcap" eth0 --local 192.0.2.1
	says 'banned' 'portcullis unban 198.51.100.7'
	run pc replay "$DIR/week.pcap" eth0 --local 192.0.2.1 --json
	while read -r fix; do
		on host bash -c "portcullis() { '$PORTCULLIS' \"\$@\"; }; $fix" < /dev/null > "$DIR/fix" 2>&1 || fail "$fix: $(cat "$DIR/fix")"
	done < <(jq -r '.fixes[]' <<< "$output")
	exits 0 pc replay "$DIR/week.pcap" eth0 --local 192.0.2.1 --exit-code
}

@test "--site and -p: groups of deny and limits count, and bans and grants of this host where the interface is named" {
	local frames='frames = [(i, syn(source, port, 40000 + i)) for source in ("198.51.100.7", "203.0.113.9", "192.0.2.44") for i, port in enumerate((25,) * 8 + (993,))]'
	site '  eth9:' '    profiles: [ssh]' '    open: 25/tcp'
	pc ban 198.51.100.7 > /dev/null
	made "$DIR/plans.pcap" 1700000000 "$frames"
	run pc replay "$DIR/plans.pcap" -p ssh --open 25/tcp --local 192.0.2.1 --json
	same '{"unlisted":3}' "$(dropped)"
	run pc replay "$DIR/plans.pcap" eth0 -p ssh --open 25/tcp --local 192.0.2.1 --json
	same '{"unlisted":2,"banned":9}' "$(dropped | jq -c '{unlisted, banned}')"
	json_is '.fixes | any(. == "portcullis unban 198.51.100.7/32")'
	# eth9 does not exist here, so the bans of this host do not apply to it.
	run pc replay "$DIR/plans.pcap" eth9 --site "$DIR/site.yaml" --local 192.0.2.1 --json
	same '{"denied":9,"unlisted":2}' "$(dropped | jq -c '{denied, unlisted}')"
	json_is '.reasons.banned.drop.packets == 0 and .reasons.limit.drop.packets == 0'
	run pc replay "$DIR/plans.pcap" eth0 --site "$DIR/site.yaml" --local 192.0.2.1 --json
	json_is '.reasons | .banned.drop.packets == 9 and .denied.drop.packets == 9 and .source.drop.packets == 1 and .limit.drop.packets == 0'
	pc apply --site "$DIR/site.yaml" eth0 > /dev/null
	pc grant partners 192.0.2.44 > /dev/null
	run pc replay "$DIR/plans.pcap" eth0 --site "$DIR/site.yaml" --local 192.0.2.1 --json
	json_is '.reasons | .banned.drop.packets == 9 and .denied.drop.packets == 9 and .source.drop.packets == 0'
	made "$DIR/fast.pcap" 1700000000 'frames = [(i / 100, syn("192.0.2.44", 25, 40000 + i)) for i in range(9)]'
	run pc replay "$DIR/fast.pcap" eth0 --local 192.0.2.1 --json
	same '{"limit":4}' "$(dropped)"
	json_is '.fixes == ["portcullis swap eth0 --no-limit site:25-tcp"]'
	# A replay uses up nothing of the live filter's limits.
	run pc replay "$DIR/fast.pcap" eth0 --local 192.0.2.1 --json
	same '{"limit":4}' "$(dropped)"
	exits 0 pc explain eth0 192.0.2.44 25/tcp
	says passes
}
