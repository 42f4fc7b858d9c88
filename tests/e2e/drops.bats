#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `drops`: what was dropped lately, by real packets. The sender sends nothing but what a test tells it.

load helper
load traffic

setup_file()
{
	sandbox_start
	host_add host
	host_add_silent sender
	link_add host eth0 sender eth0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	# A second interface for outgoing packets.
	host_add peer
	link_add host eth2 peer eth0
	address_add host eth2 203.0.113.1/24 2001:db8:3::1/64
	address_add peer eth0 203.0.113.2/24 2001:db8:3::2/64
	tiny_catalog
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

attach_eth0()
{
	attach_tiny host eth0 "$@"
}

# knocks SOURCE PORT/PROTO [TIMES]: sends SYNs or datagrams of 60 bytes.
knocks()
{
	local i destination=192.0.2.1 size=60

	[[ $1 != *:* ]] || { destination=2001:db8::1; size=80; }
	for ((i = 0; i < ${3:-1}; i++)); do
		echo "${2#*/} $1 $destination 4000 ${2%/*} $size"
	done | send_flows > "$DIR/knocks"
}

# drops_of FILTER ARGUMENTS...: jq -c with this filter on the JSON.
drops_of()
{
	local filter=$1

	shift
	pc drops --json "$@" | jq -c "$filter"
}

# Each row has these keys, of these types, and no other.
valid()
{
	jq -e '(keys - ["drops_left_out"]) == ["drops", "forgotten", "sampled", "since", "version"] and .version == 1
		and (.sampled | type) == "boolean" and (.forgotten | type) == "number"
		and all(.drops[];
			(keys - ["type", "code", "destination"]) == ["direction", "drop", "first", "interface", "last",
				"machine", "port", "ports", "protocol", "reason", "sampled", "services", "source",
				"sources", "would_drop"]
			and .machine == null and (.interface | test("^eth[02]$"))
			and (.direction == "in" or (.direction == "out" and .source == null and has("destination")))
			and all(.first, .last; test("^20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-9:]{8}Z$")) and .first <= .last
			and all(.drop, .would_drop; keys == ["bytes", "packets"] and .packets >= 0)
			and .drop.packets + .would_drop.packets > 0
			and (.services | type) == "array" and (.sources | type) == "number")' "$1" > /dev/null ||
		fail "not valid: $(head -c 3000 "$1")"
}

kernel_memory()
{
	pc status eth0 --json | jq -e '.interfaces[0].memory'
}

@test "three knocks are found after a flood of three million forged packets" {
	local i

	attach_eth0
	for i in 1 2 3; do
		knocks 198.51.100.7 993/tcp
		sleep 1.1
	done
	output=$(pc drops --json)
	json_is '.sampled == false and .forgotten == 0'
	memory=$(kernel_memory)
	sent=$(echo 'tcp 0.0.0.0/0 192.0.2.1 4000 1-65535 60' | send_flows -t 60 -n 3000000 | cut -d ' ' -f 1)
	[ "$sent" -ge 3000000 ] || fail "only $sent packets in a minute"
	# The table does not grow, and `status` counts its memory.
	same "$memory" "$(kernel_memory)" 'kernel memory'
	table=$(inside bpftool -j map show pinned "$(pins)/drops" | jq .bytes_memlock)
	[ "$table" -gt 1000000 ] && [ "$table" -lt 2000000 ] && [ "$memory" -gt "$table" ] || fail "$table bytes of $memory"
	output=$(pc drops --json --source 198.51.100.7)
	json_is '.sampled and .drops[0].drop == {packets: 3, bytes: 180} and .drops[0].first < .drops[0].last'
	json_is '(.drops | length) == 1 and .drops[0].sampled == false and .drops[0].port == 993'
	exits 0 pc drops --source 198.51.100.7
	says '198.51.100.7' '993/tcp' 'unlisted' ' 3 '
	same 1 "$(grep -c 198.51.100 <<< "$output")" 'lines of the source'
	# The flood is a line or two, marked as an estimate.
	exits 0 pc drops
	says ' sources ' 'unlisted  ~' 'in a flood only a sample'
	[ "${#lines[@]}" -le 9 ] || fail "a flood fills the screen: $output"
	exits 0 pc status eth0
	says 'drops      recorded since' 'of a flood, a sample'
	pc drops --json > "$DIR/drops.json"
	valid "$DIR/drops.json"
	# After the flood each drop is recorded again.
	knocks 198.51.100.8 25/tcp 5
	same '[5,false]' "$(drops_of '[.drops[0].drop.packets, .drops[0].sampled]' --source 198.51.100.8)" 'after the flood'
}

@test "a scan from a /24 is one line, one from a /64 too, one of a host's ports too; none hides from --source" {
	attach_eth0
	for i in {1..40}; do
		echo "tcp 198.51.100.$i 192.0.2.1 4000 $((i * 10))-$((i * 10 + 1)) 60"
		echo "udp 2001:db8:5::$i 2001:db8::1 4000 161 80"
	done | send_flows > "$DIR/scan"
	echo 'tcp 203.0.113.77 192.0.2.1 4000 6000-6039 60' | send_flows > "$DIR/scan"
	knocks 203.0.113.9 25/tcp 3
	exits 0 pc drops
	same 1 "$(grep -c '198\.51\.100\.' <<< "$output")" 'lines of the /24'
	same 1 "$(grep -c '2001:db8:5:' <<< "$output")" 'lines of the /64'
	same 1 "$(grep -c '203\.0\.113\.' <<< "$output")" "lines of the neighbours"
	says '198.51.100.0/24: 40 sources' '80 ports' '2001:db8:5::/64: 40 sources' '161/udp'
	exits 0 pc drops --source 198.51.100.0/24
	same 80 "$(grep -c '198\.51\.100\.' <<< "$output")" 'lines with --source'
	exits 0 pc drops --source 203.0.113.9
	says '25/tcp'
	same 161 "$(drops_of '.drops | length')" 'entries in JSON'
}

@test "a burst is exact: 400 packets to 40 ports of one source" {
	attach_eth0
	for i in {1..10}; do
		echo 'udp 198.51.100.7 192.0.2.1 4000 7001-7040 60'
	done | send_flows > "$DIR/burst"
	same '[40,400,24000,false,0]' "$(drops_of \
		'[(.drops | length), ([.drops[].drop.packets] | add), ([.drops[].drop.bytes] | add), .sampled, .forgotten]')" burst
	same '[10]' "$(drops_of '[.drops[].drop.packets] | unique')" 'of each port'
}

@test "a scan pushes out entries of its own prefix; since when all is there is told of each source" {
	local began others=0 i

	attach_eth0
	began=$(drops_of .since)
	sleep 1.1
	for i in 1 251 501 751; do
		echo "tcp 198.51.100.7 192.0.2.1 4000 $i-$((i + 249)) 60" | send_flows > "$DIR/scan"
		sleep 0.3
	done
	output=$(pc drops --json --source 198.51.100.7)
	json_is '.sampled == false and .forgotten > 0 and (.drops | length) + .forgotten == 1000 and .since > $began' \
		--argjson began "$began"
	exits 0 pc drops
	says 'complete since' 'were replaced by newer ones'
	# In 3 of 100 cases another prefix shares buckets with that one.
	for i in {1..10}; do
		[ "$(drops_of .since --source "10.$i.0.1")" != "$began" ] || others=$((others + 1))
	done
	[ $others -ge 7 ] || fail "only $others of 10 other sources are complete"
	exits 0 pc status eth0
	says 'were replaced by newer ones'
}

@test "--by source, prefix, port, reason: sums, most packets first; --top" {
	attach_eth0
	knocks 198.51.100.7 25/tcp 1
	knocks 198.51.100.7 80/tcp 2
	knocks 198.51.100.8 25/tcp 4
	knocks 203.0.113.9 25/udp 8
	pc drops --json --by source > "$DIR/drops.json"
	valid "$DIR/drops.json"
	same '[["203.0.113.9",8,25,1],["198.51.100.8",4,25,1],["198.51.100.7",3,null,2]]' \
		"$(drops_of '[.drops[] | [.source, .drop.packets, .port, .ports]]' --by source)"
	same '[["203.0.113.0/24",8,1],["198.51.100.0/24",7,2]]' \
		"$(drops_of '[.drops[] | [.source, .drop.packets, .sources]]' --by prefix)"
	same '[[25,"udp",8,1],[25,"tcp",5,2],[80,"tcp",2,1]]' \
		"$(drops_of '[.drops[] | [.port, .protocol, .drop.packets, .sources]]' --by port)"
	same '[["unlisted",15,3,3,null,null]]' \
		"$(drops_of '[.drops[] | [.reason, .drop.packets, .sources, .ports, .source, .port]]' --by reason)"
	same '[1,2]' "$(drops_of '[(.drops | length), .drops_left_out]' --by source --top 1)"
	exits 0 pc drops --by source --top 1
	says '203.0.113.9' '... and 2 more lines'
	says_not '198.51.100'
}

@test "--source, --port, --reason choose; the services of a port are named" {
	attach_eth0 --from tiny:listed=office --group office=10.0.0.0/8
	knocks 198.51.100.7 5000/tcp 3
	knocks 198.51.100.7 5001/tcp 1
	knocks 2001:db8:7::7 5000/udp 2
	same '[["198.51.100.7",5000,"source",["tiny:listed"]],["2001:db8:7::7",5000,"source",["tiny:listed"]]]' \
		"$(drops_of '[.drops[] | [.source, .port, .reason, .services]] | sort' --reason source)"
	same '[["198.51.100.7",5000]]' "$(drops_of '[.drops[] | [.source, .port]]' --port 5000/tcp)"
	same '[["unlisted",[]]]' "$(drops_of '[.drops[] | [.reason, .services]]' --source 198.51.100.0/24 --reason unlisted,icmp)"
	same '[2]' "$(drops_of '[.drops[].drop.packets]' --source 2001:db8:7::/48)"
	same '[]' "$(drops_of '.drops' --source 198.51.100.7 --port 5000/udp)"
	exits 0 pc drops --port 5000/tcp
	says 'source (tiny:listed)'
	exits 0 pc drops --source 192.0.2.200
	says 'no recorded drop is like that' 'what passes is shown by: portcullis monitor --all --source 192.0.2.200/32'
	exits 0 pc drops --port 5002/udp --source 2001:db8:7::/48
	says 'portcullis monitor --all --source 2001:db8:7::/48 --port 5002/udp'
	exits 0 pc drops --reason malformed
	says_not 'what passes'
	exits 2 pc drops --reason denid
	says '--reason must be one of malformed, banned, denied, fragment'
	exits 2 pc drops --port 25
	says "'25' has no protocol"
	exits 2 pc drops --source 198.51.100.7/24
	says 'write 198.51.100.0/24'
}

@test "--since: so long ago, a clock, a time; later ones alone" {
	local then

	attach_eth0
	knocks 198.51.100.7 25/tcp
	sleep 3.2 # seconds are rounded down twice
	then=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	knocks 198.51.100.8 25/tcp
	same '["198.51.100.8","198.51.100.7"]' "$(drops_of '[.drops[].source]')" 'the latest first'
	same '["198.51.100.8"]' "$(drops_of '[.drops[].source]' --since "$then")"
	same '["198.51.100.8"]' "$(drops_of '[.drops[].source]' --since 1s)"
	same '["198.51.100.8","198.51.100.7"]' "$(drops_of '[.drops[].source]' --since 1m)"
	same 2 "$(drops_of '.drops | length' --since "$(date +%H:%M -d '1 minute ago')")"
	exits 2 pc drops --since 2999-01-01T00:00:00Z
	says 'must be a time that has passed'
	exits 2 pc drops --since lately
	says '18:00'
}

@test "observed and enforced are one row with both; both counts are shown" {
	attach_eth0 --observe
	knocks 198.51.100.7 25/tcp 2
	exits 0 pc drops
	says 'WOULD DROP'
	says_not 'DROPPED'
	pc swap eth0 --enforce > /dev/null
	knocks 198.51.100.7 25/tcp 3
	same '[{"packets":3,"bytes":180},{"packets":2,"bytes":120}]' "$(drops_of '.drops[] | [.drop, .would_drop]')"
	exits 0 pc drops
	says 'DROPPED' 'WOULD DROP'
	pc drops --json > "$DIR/drops.json"
	valid "$DIR/drops.json"
}

@test "what this host may not send, with its destination" {
	as host attach eth2 -p tiny --catalog "$TINY" --outbound enforce > /dev/null
	on host /usr/bin/python3 -c '
import socket
for family, address in (socket.AF_INET, "203.0.113.2"), (socket.AF_INET6, "2001:db8:3::2"):
    for i in range(2):
        try:
            socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (address, 9999))
        except OSError:
            pass
'
	same '[["2001:db8:3::2",9999,null,2],["203.0.113.2",9999,null,2]]' "$(drops_of \
		'[.drops[] | select(.direction == "out" and .reason == "outbound") | [.destination, .port, .source, .drop.packets]] | sort')"
	pc drops --json > "$DIR/drops.json"
	valid "$DIR/drops.json"
	exits 0 pc drops
	says 'to 203.0.113.2' 'to 2001:db8:3::2' 'outbound'
	same '[2]' "$(drops_of '[.drops[].drop.packets]' --source 203.0.113.2)"
}

@test "ICMP with type and code; protocols, fragments and broken headers without a port" {
	local mac

	attach_eth0
	mac=$(mac_of host eth0)
	frames sender eth0 "$mac" 'frames = [
		e/IP(src="198.51.100.1", dst="192.0.2.1")/ICMP(type=13, code=0),
		e/IPv6(src="2001:db8:7::7", dst="2001:db8::1", nh=58)/b"\x8b\x01\x00\x00\x00\x00\x00\x00",
		e/IP(src="198.51.100.2", dst="192.0.2.1", proto=47)/b"xxxxxxxx",
		e/IP(src="198.51.100.3", dst="192.0.2.1", proto=17, frag=100)/b"xxxxxxxx",
		e/IP(src="198.51.100.4", dst="192.0.2.1", proto=6)/b"xxxx",
		e/IP(src="198.51.100.5", dst="192.0.2.1", ihl=4)/UDP(dport=9)]' > "$DIR/frames"
	pc drops --json > "$DIR/drops.json"
	valid "$DIR/drops.json"
	same '["icmp",13,0,null]' "$(drops_of '.drops[] | [.reason, .type, .code, .port]' --source 198.51.100.1)"
	same '["icmpv6",139,1]' "$(drops_of '.drops[] | [.protocol, .type, .code]' --source 2001:db8:7::7)"
	same '["protocol","gre",null]' "$(drops_of '.drops[] | [.reason, .protocol, .port]' --source 198.51.100.2)"
	same '["fragment","udp",null]' "$(drops_of '.drops[] | [.reason, .protocol, .port]' --source 198.51.100.3)"
	same '["malformed","tcp",null]' "$(drops_of '.drops[] | [.reason, .protocol, .port]' --source 198.51.100.4)"
	same 2 "$(drops_of '[.drops[] | .drop.packets] | add' --reason malformed)"
	exits 0 pc drops
	says 'icmp 13/0' 'icmpv6 139/1' 'gre'
}

@test "--clear forgets all, for root alone; counters go on" {
	local began

	attach_eth0
	knocks 198.51.100.7 25/tcp 3
	began=$(drops_of .since)
	sleep 1.1
	exits 1 on host setpriv --reuid 12345 --regid 12345 --clear-groups --bounding-set=-all --inh-caps=-all "$PORTCULLIS" drops --clear
	same 1 "$(drops_of '.drops | length')" 'left'
	exits 2 pc drops --clear --source 198.51.100.7
	says '--clear forgets all'
	exits 2 pc drops --clear --watch 1
	exits 0 pc drops --clear
	says 'eth0: cleared the recorded drops'
	same '[]' "$(drops_of .drops)" 'after --clear'
	[[ $(drops_of .since) > $began ]] || fail "still recorded since $began"
	same '3 180' "$(port_count drop tcp 25)" 'counters'
	knocks 198.51.100.7 25/tcp 2
	same 2 "$(drops_of '.drops[0].drop.packets')" 'after --clear'
	# The address is nowhere in the map.
	knocks 198.51.100.77 25/tcp
	output=$(pc drops --clear --json)
	json_is '.drops == []'
	! inside bpftool map dump pinned "$(inside find "$PINS" -name drops | head -n 1)" | grep -q 'c6 33 64 4d' || fail 'it is still there'
}

@test "--watch prints again; on a terminal as much as there is room for" {
	local i

	attach_eth0
	knocks 198.51.100.7 25/tcp
	run on host timeout 2.5 "$PORTCULLIS" drops --watch 1
	[ "$(grep -c 198.51.100.7 <<< "$output")" -ge 2 ] || fail "$output"
	run on host timeout 2.5 "$PORTCULLIS" drops --watch 1 --json --top 1
	[ "$(jq -s length <<< "$output")" -ge 2 ] || fail "$output"
	for i in {1..30}; do
		echo "tcp 10.$i.0.1 192.0.2.1 4000 25 60"
	done | send_flows > "$DIR/many"
	inside bash -c "nsenter --net=/run/netns/host -- timeout 1.5 script -qc 'stty rows 12 cols 100; $PORTCULLIS drops --watch 5' /dev/null < /dev/null > $DIR/screen" || true
	[ "$(wc -l < "$DIR/screen")" -le 12 ] || fail "$(cat "$DIR/screen")"
	grep -q '10\.' "$DIR/screen" && grep -q 'more lines' "$DIR/screen" || fail "$(cat "$DIR/screen")"
}

@test "swap and takeover keep what was recorded; detach ends it" {
	on host "$TOOLS/portcullis-layout-4" attach eth0 -p tiny --mode native --catalog "$TINY" > /dev/null
	knocks 198.51.100.7 25/tcp 2
	pc swap eth0 --open 8443/tcp --catalog "$TINY" > /dev/null
	knocks 198.51.100.7 25/tcp 1
	same '[3]' "$(drops_of '[.drops[].drop.packets]')" 'after the swap'
	as host takeover > /dev/null
	knocks 198.51.100.7 25/tcp 1
	same '[4]' "$(drops_of '[.drops[].drop.packets]')" 'after the takeover'
	pc detach eth0 > /dev/null
	same '[null,[]]' "$(drops_of '[.since, .drops]')" 'after detach'
	exits 0 pc drops
	says 'attached to no interface'
	attach_eth0
	same '[]' "$(drops_of .drops)" 'attached again'
}

@test "read and cleared in a flood" {
	local began

	attach_eth0
	knocks 203.0.113.9 25/tcp
	echo 'udp 198.51.100.0/26 192.0.2.1 4000 1-65535 60' > "$DIR/flood"
	send_flows -t 5 < "$DIR/flood" > "$DIR/flood.sent" 3>&- &
	sleep 1.5
	pc drops --json > "$DIR/drops.json"
	valid "$DIR/drops.json"
	same '[["203.0.113.9",1]]' "$(jq -c '[.drops[] | select(.source == "203.0.113.9") | [.source, .drop.packets]]' "$DIR/drops.json")"
	# Seconds are those of the clock since boot. `since` is the last time when an entry was replaced, and may be
	# later.
	began=$(date -u -d '1 second ago' '+"%FT%TZ"')
	pc drops --clear > /dev/null
	sleep 1.1
	pc drops --json > "$DIR/drops.json"
	valid "$DIR/drops.json"
	same '[]' "$(jq -c --argjson began "$began" '[.drops[] | select(.source == "203.0.113.9" or .first < $began)]' "$DIR/drops.json")" \
		"from before $began, of $(jq -c '[.since, (.drops | length)]' "$DIR/drops.json")"
	[ "$(jq '.drops | length' "$DIR/drops.json")" -gt 9 ] || fail "the flood is hardly seen: $(cat "$DIR/drops.json")"
	wait %1
}

@test "each interface its own; one may be named" {
	attach_eth0
	as host attach eth2 -p tiny --catalog "$TINY" > /dev/null
	knocks 198.51.100.7 25/tcp
	connects peer 203.0.113.1 26 || true
	exits 0 pc drops eth2
	says '26/tcp'
	says_not '198.51.100.7'
	says_not 'IFACE'
	exits 0 pc drops
	says 'IFACE' 'eth0 ' 'eth2 '
	same '["eth0","eth2"]' "$(drops_of '[.drops[].interface] | unique')"
	exits 1 pc drops eth9
	says 'eth9'
}
