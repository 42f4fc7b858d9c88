#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `monitor`: packets as they are dropped, by real packets of a silent sender. What a listener does to itself (killed, stopped,
# a full disk, a reader that goes) costs the others nothing.

load helper

setup_file()
{
	sandbox_start
	host_add host
	host_add_silent sender
	link_add host eth0 sender eth0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	host_add_silent other
	link_add host eth1 other eth0
	address_add host eth1 198.18.0.1/24
	mkdir -p "$DIR/catalog"
	cat > "$DIR/catalog/mail.yaml" <<-END
		profile: mail
		services:
		  - {name: smtp, in: 25/tcp}
		  - {name: admin, in: 8000/tcp, from: office}
		  - {name: imap, in: 143/tcp, feature: imap}
		  - {name: dns, out: 53/udp}
	END
	sed 's/imap, in: 143/imap, in: 144/; s/profile: mail/profile: post/' "$DIR/catalog/mail.yaml" > "$DIR/catalog/post.yaml"
}

teardown_file()
{
	sandbox_end
}

setup()
{
	rm -f "$DIR"/*.{out,err,pid,code,pcapng}
	pc attach eth0 -p mail --catalog "$DIR/catalog" --group office=192.0.2.128/25 > /dev/null
}

teardown()
{
	local pid

	for pid in "$DIR"/*.pid; do
		[ ! -e "$pid" ] || inside kill -KILL "$(cat "$pid")" 2> /dev/null || true
	done
	detach_all host
}

# listen NAME ARGUMENT...: runs `monitor` in the background, and waits until it listens. It writes NAME.out and .err;
# .pid and .code are its.
listen()
{
	local name=$1

	shift
	on host bash -c 'name=$1; shift; "$@" > "$name.out" 2> "$name.err" & echo $! > "$name.pid"; wait $!; echo $? > "$name.code"' \
		listener "$DIR/$name" "$PORTCULLIS" monitor "$@" < /dev/null > /dev/null 2>&1 &
	disown
	until_true 10 grep -q -s 'listening at' "$DIR/$name.err" || { cat "$DIR/$name.err" >&2; return 1; }
}

signal()
{
	inside kill "-$2" "$(cat "$DIR/$1.pid")"
}

# ended NAME CODE: waits until it ends with this code.
ended()
{
	until_true 10 test -s "$DIR/$1.code" && same "$2" "$(cat "$DIR/$1.code")" "exit of $1: $(cat "$DIR/$1.err")"
}

stop()
{
	signal "$1" INT
	ended "$1" 0
}

# lines NAME N: it has printed at least so many lines.
lines()
{
	until_true 5 eval "[ \$(wc -l < '$DIR/$1.out') -ge $2 ]"
}

# sends FLOW...: see send.c.
sends()
{
	printf '%s\n' "$@" | send_flows > /dev/null
}

UNLISTED='tcp 198.51.100.7 192.0.2.1 4000 993 60'
LISTED='tcp 198.51.100.7 192.0.2.1 4000 25 60'
REFUSED='tcp 198.51.100.7 192.0.2.1 4000 8000 60'

@test "drops, as text and as JSON, each with its reason" {
	listen text
	listen json --json eth0
	sends "$LISTED" "$UNLISTED" "$REFUSED" 'tcp 198.51.100.7 192.0.2.1 4000 143 60' 'udp 2001:db8::7 2001:db8::1 9 9 100'
	lines text 4
	lines json 4
	stop text
	stop json
	output=$(cat "$DIR/text.out")
	says ' drop unlisted 198.51.100.7:4000 -> 192.0.2.1:993/tcp syn' \
		' drop source 198.51.100.7:4000 -> 192.0.2.1:8000/tcp syn; not admitted by mail:admin' \
		' drop unlisted 198.51.100.7:4000 -> 192.0.2.1:143/tcp syn; mail:imap is closed: feature' \
		' drop unlisted [2001:db8::7]:9 -> [2001:db8::1]:9/udp'
	says_not ':25/tcp'
	grep -q '^4 packets, 0 lost' "$DIR/text.err"
	output=$(jq -s . "$DIR/json.out")
	json_is 'length == 4 and all(.version == 1 and .interface == "eth0" and .machine == null and .direction == "in" and
		.verdict == "drop")'
	json_is '.[0] | .rule == "unlisted" and .reason == "unlisted" and .protocol == "tcp" and .source == "198.51.100.7" and
		.source_port == 4000 and .destination == "192.0.2.1" and .destination_port == 993 and .flags == ["syn"] and
		.length == 60 and .services == [] and .closed == []'
	json_is '.[1] | .rule == "source" and .services == ["mail:admin"]'
	json_is '.[2].closed == [{service: "mail:imap", why_closed: "feature"}]'
	json_is '.[3] | .source == "2001:db8::7" and .protocol == "udp" and .length == 100'
	json_is 'all(.time | test("^20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-9:]{8}\\.[0-9]{6}Z$"))'
	# The event has just happened.
	json_is '(.[0].time[:19] + "Z" | fromdate) as $time | $time > now - 60 and $time < now + 2'
}

@test "--all: passed packets too, sent ones as well; each option narrows" {
	listen all --json --all
	listen port --json --port 993/tcp
	listen source --json --source 198.51.100.0/24 --reason source
	listen reason --json --reason source,malformed
	listen six --json --source 2001:db8::/32
	listen filter --json dst port 993 or dst port 25
	listen both --json eth0 --all tcp and port 25
	sends "$LISTED" "$UNLISTED" "$REFUSED" 'udp 2001:db8::7 2001:db8::1 9 9 100' 'tcp 203.0.113.5 192.0.2.1 1 8000 60' \
		'tcp 192.0.2.130 192.0.2.1 1 8000 60'
	lines all 6
	for name in all port source reason six filter both; do stop $name; done
	output=$(jq -c '[.verdict, .rule, .services]' "$DIR/all.out" | sort | uniq -c)
	says '1 ["pass","service",["mail:smtp"]]' '1 ["pass","service",["mail:admin"]]' '2 ["drop","source",["mail:admin"]]' \
		'2 ["drop","unlisted",[]]'
	same '993' "$(jq .destination_port "$DIR/port.out")"
	same '198.51.100.7 8000' "$(jq -r '"\(.source) \(.destination_port)"' "$DIR/source.out")"
	same '8000 8000' "$(jq .destination_port "$DIR/reason.out" | xargs)"
	same '2001:db8::7' "$(jq -r .source "$DIR/six.out")"
	same '993' "$(jq .destination_port "$DIR/filter.out")"
	same 'pass' "$(jq -r .verdict "$DIR/both.out")"
}

@test "FILTER sees what is in a VLAN; an error names both readings" {
	listen vlan --json port 993
	sends "${UNLISTED% 60} 64 7" "${UNLISTED% 60} 68 8,9"
	sends "$REFUSED"
	lines vlan 2
	stop vlan
	same '993 993' "$(jq .destination_port "$DIR/vlan.out" | xargs)"
	exits 1 pc monitor prot
	says "monitor: 'prot' is neither an interface of this network namespace nor a filter: syntax error; there are lo, eth0, eth1" 'pcap-filter(7)'
	exits 1 pc monitor eth0 port 993 and
	says "'port 993 and' is neither an interface of this network namespace nor a filter: syntax error"
	exits 1 pc monitor eth0 port 99999
	says "is neither an interface of this network namespace nor a filter:" 'illegal port'
	exits 1 pc monitor eth1
	says 'monitor: eth1: no filter of portcullis is attached'
	exits 2 pc monitor --rate many
	exits 2 pc monitor --json --write -
}

@test "--write: pcapng that tshark reads, with verdicts, reasons and services" {
	listen file --write "$DIR/a.pcapng" --all eth0
	sends "$LISTED" "$UNLISTED" "$REFUSED" 'tcp 198.51.100.7 192.0.2.1 4000 143 1514'
	# The host may send a report of its multicast groups, too.
	until_true 20 eval "[ \$(tshark -r '$DIR/a.pcapng' 2> /dev/null | wc -l) -ge 4 ]"
	stop file
	[ ! -s "$DIR/file.out" ]
	same 600 "$(stat -c %a "$DIR/a.pcapng")"
	output=$(tshark -r "$DIR/a.pcapng" -T fields -e frame.interface_name -e frame.verdict.ebpf_xdp -e frame.len -e frame.comment -e tcp.dstport)
	says $'eth0\t2\t60\tservice; mail:smtp\t25' $'eth0\t1\t60\tunlisted\t993' \
		$'eth0\t1\t60\tsource; not admitted by mail:admin\t8000' \
		$'eth0\t1\t1514\tunlisted; mail:imap is closed: feature\t143'
	same '' "$(tshark -r "$DIR/a.pcapng" -Y '_ws.malformed || _ws.expert.severity == error' 2> /dev/null)"
	# To a pipe lines come at once; escape sequences only go to a terminal.
	listen pipe --write - 'port 993'
	sends "$UNLISTED"
	lines pipe 1
	signal pipe TERM
	ended pipe 0
	same 993 "$(tshark -r "$DIR/pipe.out" -T fields -e tcp.dstport)"
	exits 1 on host script -qec "$PORTCULLIS monitor --write -" /dev/null
	says 'not for a terminal'
}

# The slots of eth0's filter with a lease, and whether the program's flag for listeners is set.
leased()
{
	inside bpftool -j map lookup pinned "$(pins)/listeners" key 0 0 0 0 | jq -c --argjson now "$(cut -d. -f1 /proc/uptime)" '
		[.value | range(0; 8) as $slot | .[$slot * 64:$slot * 64 + 4] | map(ltrimstr("0x") | explode |
			reduce .[] as $c (0; . * 16 + (if $c > 96 then $c - 87 else $c - 48 end))) |
			.[0] + 256 * .[1] + 65536 * .[2] + 16777216 * .[3] | select(. > $now)] | length'
}

told()
{
	inside bpftool -j map lookup pinned "$(pins)/filter" key 0 0 0 0 | jq -r '.value[1]'
}

@test "eight listen at once; the ninth is told who they are" {
	local i pids
	for i in {1..8}; do
		listen "n$i" --json
	done
	same 8 "$(leased)"
	sends "$UNLISTED"
	for i in {1..8}; do
		lines "n$i" 1
	done
	exits 1 pc monitor
	says 'eth0: 8 commands listen already' 'end one of these processes: '
	for i in {1..8}; do
		says "$(inside cat "$DIR/n$i.pid")"
	done
	stop n3
	listen again --json
	sends "$UNLISTED"
	lines again 1
	lines n8 2
	same 1 "$(wc -l < "$DIR/n3.out")"
}

@test "one that is killed is forgotten: its lease ends, the flag goes by itself, the slot is free" {
	listen killed
	same 1 "$(leased)"
	same 0x01 "$(told)"
	signal killed KILL
	ended killed 137
	until_true 6 eval '[ "$(leased)" = 0 ]'
	sends "$UNLISTED"
	same 0x00 "$(told)"
	# A listener that ends gives its slot back at once.
	listen ends
	stop ends
	same 0 "$(leased)"
	sends "$UNLISTED"
	same 0x00 "$(told)"
}

@test "one that is stopped loses its lease, and the others nothing" {
	listen stopped --json
	listen other --json
	signal stopped STOP
	sends "$UNLISTED"
	until_true 8 eval '[ "$(leased)" = 1 ]'
	sends "$REFUSED" "$UNLISTED"
	lines other 3
	# Another listener takes its slot.
	listen third --json
	sends "$REFUSED"
	lines third 1
	signal stopped CONT
	until_true 5 grep -q 'eth0: no packets were shown for [0-9]* s, because the command was stopped' "$DIR/stopped.err"
	sends "$LISTED" "$UNLISTED"
	lines stopped 2
	lines third 2
	stop stopped
	stop third
	stop other
	# The events in its buffer before, and the later ones.
	same '993 993' "$(jq .destination_port "$DIR/stopped.out" | xargs)"
	same '8000 993' "$(jq .destination_port "$DIR/third.out" | xargs)"
	same '993 8000 993 8000 993' "$(jq .destination_port "$DIR/other.out" | xargs)"
}

@test "one that is stopped, and finds no slot free after that, counts what it lost and not what others did" {
	local i

	listen first --json --rate 1
	sends 'udp 198.51.100.9 192.0.2.1 9 1000-1099 60'
	listen stopped --json
	signal stopped STOP
	until_true 8 eval '[ "$(leased)" = 1 ]'
	for i in {1..7}; do
		listen "one$i" --json
	done
	signal stopped CONT
	ended stopped 1
	grep -q '8 commands listen already' "$DIR/stopped.err"
	grep -qx '0 packets, 0 lost' "$DIR/stopped.err" || fail "$(cat "$DIR/stopped.err")"
	same '' "$(cat "$DIR/stopped.out")" 'lost, as JSON'
}

@test "a full disk: it says so, and the file ends with a whole packet" {
	inside mkdir -p "$DIR/small"
	inside mount -t tmpfs -o size=300k tmpfs "$DIR/small"
	listen full --write "$DIR/small/a.pcapng" --rate 0
	local flows=() i
	for i in {1..8}; do flows+=("udp 198.51.100.$i 192.0.2.1 9 1000-1063 1514"); done
	sends "${flows[@]}"
	ended full 1
	grep -q 'small/a.pcapng: cannot write: No space left on device' "$DIR/full.err"
	run inside tshark -r "$DIR/small/a.pcapng" -T fields -e frame.number
	[ "$status" = 0 ]
	says_not 'cut short'
	[ "$(inside stat -c %s "$DIR/small/a.pcapng")" -gt 200000 ]
	inside umount "$DIR/small"
}

@test "a reader that goes ends it without a word; --count ends it by itself" {
	sleep 0.5 | on host bash -c '"$1" monitor --json 2> "$2"; echo ${PIPESTATUS[0]} > "$3"' x "$PORTCULLIS" "$DIR/gone.err" "$DIR/gone.code" | true
	until_true 5 test -s "$DIR/gone.code"
	same 141 "$(cat "$DIR/gone.code")"
	same 1 "$(wc -l < "$DIR/gone.err")" "lines on stderr: $(cat "$DIR/gone.err")"
	listen two --json --count 2
	sends "$UNLISTED" "$REFUSED" "$UNLISTED" "$REFUSED"
	ended two 0
	same 2 "$(wc -l < "$DIR/two.out")"
}

@test "--source finds one rare packet in a flood; what is lost is counted" {
	local sent shown lost
	listen rare --json --source 198.51.100.7
	listen flood --json --rate 100
	listen seen --json --reason unlisted
	timeout 20 true
	(sleep 1; sends "$REFUSED") &
	sent=$(printf '%s\n' 'udp 203.0.113.1 192.0.2.1 53 1-60000 60' | send_flows -t 3 | added)
	wait $!
	until_true 5 grep -q 8000 "$DIR/rare.out"
	stop rare
	stop flood
	stop seen
	same 1 "$(wc -l < "$DIR/rare.out")"
	echo "# sent $sent: $(tail -1 "$DIR/flood.err")" >&3
	shown=$(jq -s '[.[] | select(.verdict)] | length' "$DIR/flood.out")
	lost=$(jq -s '[.[] | .lost // 0] | add' "$DIR/flood.out")
	# The packet from 198.51.100.7 may be shown or lost.
	same $((${sent% *} + 1)) $((shown + lost)) 'shown and lost'
	[ "$shown" -le 1200 ]
	output=$(jq -s '[.[] | select(has("lost"))]' "$DIR/flood.out")
	json_is 'length > 0 and all(.version == 1 and .interface == "eth0" and .lost == .over + .full and .over > 0)'
}

@test "sent packets that --outbound enforce drops" {
	local name
	pc detach eth0 > /dev/null
	pc attach eth0 -p mail --catalog "$DIR/catalog" --outbound enforce > /dev/null
	on host ip neighbour replace 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0
	listen out --json
	listen port --json --port 54/udp
	listen source --json --source 192.0.2.9 --all udp dst port 53
	listen file --write "$DIR/out.pcapng"
	on host bash -c 'echo > /dev/udp/192.0.2.9/53; echo > /dev/udp/192.0.2.9/54' || true
	lines out 1
	lines source 1
	for name in out port source file; do stop $name; done
	output=$(cat "$DIR/out.out")
	json_is '.direction == "out" and .verdict == "drop" and .rule == "outbound" and .reason == "outbound" and .source == "192.0.2.1" and
		.destination == "192.0.2.9" and .destination_port == 54 and .services == [] and .closed == []'
	same 54 "$(jq .destination_port "$DIR/port.out")"
	output=$(cat "$DIR/source.out")
	json_is '.destination_port == 53 and .verdict == "pass" and .services == ["mail:dns"]'
	output=$(tshark -r "$DIR/out.pcapng" -T fields -e frame.packet_flags_direction -e frame.verdict.ebpf_tc -e udp.dstport -e frame.comment 2> /dev/null)
	same $'0x00000002\t2\t54\toutbound' "$output"
}

@test "observe: would-drops" {
	pc swap eth0 --observe > /dev/null
	listen would --json
	listen file --write "$DIR/would.pcapng"
	sends "$UNLISTED"
	lines would 1
	stop would
	stop file
	same 'would-drop unlisted' "$(jq -r '"\(.verdict) \(.reason)"' "$DIR/would.out")"
	same $'2\twould-drop unlisted' "$(tshark -r "$DIR/would.pcapng" -T fields -e frame.verdict.ebpf_xdp -e frame.comment 2> /dev/null)"
}

@test "a swap loses nothing and explains by the new services; detach, deletion and takeover end one interface" {
	local i
	pc attach eth1 -p mail --catalog "$DIR/catalog" > /dev/null
	host_add_silent third
	link_add host gone third eth0
	pc attach gone -p mail --catalog "$DIR/catalog" > /dev/null
	listen all --json
	grep -q 'listening at eth0, eth1, gone' "$DIR/all.err"
	for i in {1..5}; do
		sends "tcp 198.51.100.$i 192.0.2.1 1 144 60"
		pc swap eth0 -p post --catalog "$DIR/catalog" > /dev/null
		sends "tcp 198.51.100.$i 192.0.2.1 2 144 60"
		sleep 0.1
		pc swap eth0 -p mail --catalog "$DIR/catalog" > /dev/null
		sleep 0.1
	done
	lines all 10
	same 10 "$(jq -s 'length' "$DIR/all.out")"
	same '' "$(jq -c 'select(.closed != (if .source_port == 1 then [] else [{service: "post:imap", why_closed: "feature"}] end))' "$DIR/all.out")"
	pc detach eth0 > /dev/null
	until_true 5 grep -q 'eth0: its filter was detached' "$DIR/all.err"
	same '' "$(attached host eth0)" 'a filter that a listener holds'
	on host ip link del gone
	until_true 5 grep -q 'gone: the interface was deleted' "$DIR/all.err"
	# The other listeners continue.
	printf '%s\n' 'tcp 198.51.100.7 198.18.0.1 4000 993 60' | on other "$TOOLS/send" eth0 "$(mac_of host eth1)" > /dev/null
	lines all 11
	same 'eth1' "$(tail -1 "$DIR/all.out" | jq -r .interface)"
	pc detach eth1 > /dev/null
	until_true 5 grep -q 'eth1: its filter was detached' "$DIR/all.err"
	ended all 1
	exits 1 pc monitor
	says 'portcullis is attached to no interface'
	host_del third
}

@test "without the binary: rm -r of the pins opens the interface, also while a command listens" {
	listen holds
	inside rm -r "$PINS"
	until_true 5 eval '[ -z "$(attached host eth0)" ]'
	until_true 5 grep -q 'eth0: its filter was detached' "$DIR/holds.err"
	ended holds 1
}

@test "a takeover by another version: it says so" {
	pc detach eth0 > /dev/null
	on host "$TOOLS/portcullis-layout-4" attach eth0 -p mail --catalog "$DIR/catalog" > /dev/null
	listen taken --json
	sends "$UNLISTED"
	lines taken 1
	pc takeover eth0 > /dev/null
	until_true 5 grep -q 'eth0: another filter is attached now' "$DIR/taken.err"
	ended taken 1
}

@test "an interface whose frames begin with IP" {
	[ -c /dev/net/tun ] || skip 'no /dev/net/tun'
	host_add far
	in_background host timeout 60 /usr/bin/python3 "$BATS_TEST_DIRNAME/tun_relay.py" host tun0 far tun0
	until_true 5 grep -q ready "$DIR/background.log"
	on host ip link set tun0 up
	on far ip link set tun0 up
	address_add host tun0 203.0.113.1/24
	address_add far tun0 203.0.113.2/24
	pc attach tun0 -p mail --catalog "$DIR/catalog" > /dev/null
	listen raw --json tun0 udp and dst port 9
	listen both --write "$DIR/raw.pcapng" ip
	on far bash -c 'echo > /dev/udp/203.0.113.1/9; echo > /dev/udp/203.0.113.1/10'
	sends "$UNLISTED"
	lines raw 1
	exits 1 pc monitor tun0 ether proto 8
	says 'is neither an interface of this network namespace nor a filter'
	until_true 20 eval "[ \$(tshark -r '$DIR/raw.pcapng' 2> /dev/null | wc -l) -ge 3 ]"
	stop raw
	stop both
	same 'tun0 9' "$(jq -r '"\(.interface) \(.destination_port)"' "$DIR/raw.out")"
	output=$(tshark -r "$DIR/raw.pcapng" -T fields -e frame.interface_name -e ip.src -e udp.dstport -e tcp.dstport 2> /dev/null | sort)
	same $'eth0\t198.51.100.7\t\t993\ntun0\t203.0.113.2\t10\t\ntun0\t203.0.113.2\t9\t' "$output"
	pc detach tun0 > /dev/null
	host_del far
}

@test "behind sudo --write has the rights of the user who called it, and the file is his" {
	mkdir -m 700 "$DIR/his" "$DIR/roots"
	chown 12345 "$DIR/his"
	export SUDO_UID=12345 SUDO_GID=12345
	listen his --write "$DIR/his/a.pcapng" --count 1
	sends "$UNLISTED"
	ended his 0
	same '12345 600' "$(stat -c '%u %a' "$DIR/his/a.pcapng")"
	exits 1 pc monitor --write "$DIR/roots/a.pcapng"
	says "$DIR/roots/a.pcapng: cannot write: Permission denied"
	# After an error of the command the existing file is unchanged, and no new file is made.
	exits 1 pc monitor --write "$DIR/his/a.pcapng" prot
	[ -s "$DIR/his/a.pcapng" ]
	exits 1 pc monitor --write "$DIR/his/b.pcapng" prot
	[ ! -e "$DIR/his/b.pcapng" ]
	unset SUDO_UID SUDO_GID
	exits 1 pc monitor --write "$DIR/roots" eth0
	says "$DIR/roots: cannot write: Is a directory"
}

@test "root alone, and no more rights than it needs while it reads what strangers sent" {
	exits 1 on host setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" monitor
	says 'monitor: needs root'
	listen bare
	exits 0 inside cat "/proc/$(cat "$DIR/bare.pid")/status"
	[[ $output =~ CapPrm:.0000004000000000.*CapEff:.0000004000000000.*CapBnd:.0000000000000000 ]] || fail "$output"
	stop bare
}
