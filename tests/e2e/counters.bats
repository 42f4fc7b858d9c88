#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Counters are exact to the packet and the byte. The sender sends nothing but what a test tells it.

load helper

setup_file()
{
	sandbox_start
	host_add host
	host_add_silent sender
	link_add host eth0 sender eth0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	on sender ip link set eth0 mtu 3000
	on host ip link set eth0 mtu 3000
	# The host that sends answers.
	host_add peer
	link_add host eth2 peer eth0
	address_add host eth2 203.0.113.1/24 2001:db8:3::1/64
	address_add peer eth0 203.0.113.2/24 2001:db8:3::2/64
	mkdir -p "$DIR/asks"
	printf '%s\n' 'profile: asks' 'services:' '  - {name: dns, out: 53/udp}' \
		'  - {name: sip, in: 5060/udp, out: 5060/udp}' '  - {name: web, out: 80/tcp}' > "$DIR/asks/asks.yaml"
	on peer timeout 300 /usr/bin/python3 -c "$ANSWERER" < /dev/null > "$DIR/answerer.log" 2>&1 3>&- &
	disown
	until_true 5 grep -q ready "$DIR/answerer.log"
}

# Echoes datagrams on UDP ports 53, 54 and 5060.
ANSWERER='
import select, socket
sockets = []
for port in (53, 54, 5060):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("::", port))
    sockets.append(s)
print("ready", flush=True)
while True:
    for s in select.select(sockets, [], [])[0]:
        data, peer = s.recvfrom(65535)
        s.sendto(data, peer)
'

# asks LOCAL-PORT ADDRESS PORT...: sends a datagram of 30 bytes from one unconnected socket to each port; prints the
# number of answers.
asks()
{
	on host /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::", int(sys.argv[1])))
s.settimeout(0.5)
answers = 0
for port in sys.argv[3:]:
    try:
        s.sendto(b"x" * 30, (sys.argv[2], int(port)))
        s.recvfrom(100)
        answers += 1
    except OSError:
        pass
print(answers)
' "$@"
}

attach_asks()
{
	pc attach eth2 -p asks --catalog "$DIR/asks" "$@"
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# The number of frames that the host's end of the cable has received.
received()
{
	on host ip -json -statistics link show dev eth0 | jq '.[0].stats64.rx.packets'
}

# total VERDICT: "packets bytes" of the only interface.
total()
{
	pc counters eth0 --json | jq -r --arg verdict "$1" '.interfaces[0].total[$verdict] | "\(.packets) \(.bytes)"'
}

# reason NAME [VERDICT]
reason()
{
	pc counters eth0 --json | jq -r --arg name "$1" --arg verdict "${2:-drop}" \
		'.interfaces[0].reasons[$name][$verdict] | "\(.packets) \(.bytes)"'
}

# repeated TIMES FLOW
repeated()
{
	local i

	for ((i = 0; i < $1; i++)); do
		echo "$2"
	done
}

# scapy STATEMENTS...: sends the list `frames` that they make, unchanged. Prints "packets bytes".
scapy()
{
	on sender /usr/bin/python3 -c '
import logging, sys
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
e = Ether(src="02:00:00:00:00:02", dst=sys.argv[1])
exec(sys.argv[2])
frames = [bytes(frame) for frame in frames]
s = conf.L2socket(iface="eth0")
for frame in frames:
    s.send(frame)
print(len(frames), sum(map(len, frames)))
' "$(mac_of host eth0)" "$*"
}

@test "nothing is counted where nothing is sent" {
	pc attach eth0 -p communigate-pro
	sleep 0.5
	same '0 0' "$(total pass)" 'passed'
	same '0 0' "$(total drop)" 'dropped'
}

@test "listed, unlisted and restricted ports, TCP and UDP, IPv4 and IPv6: each in its own cell" {
	pc attach eth0 -p communigate-pro --group trusted=192.0.2.0/28,2001:db8:1::/48
	sent=$({
		repeated 17 'tcp 198.51.100.9 192.0.2.1 40000 25 60'
		repeated 5 'tcp 198.51.100.9 192.0.2.1 40000 25 1514'
		repeated 11 'tcp 2001:db8:2::9 2001:db8::1 40000 25 74'
		repeated 7 'tcp 198.51.100.9 192.0.2.1 40000 3306 61'
		repeated 3 'tcp 2001:db8:2::9 2001:db8::1 40000 3306 99'
		repeated 4 'udp 192.0.2.3 192.0.2.1 40000 69 100'
		repeated 6 'udp 198.51.100.9 192.0.2.1 40000 69 101'
		repeated 8 'udp 2001:db8:1::7 2001:db8::1 40000 69 102'
		repeated 9 'udp 2001:db8:2::7 2001:db8::1 40000 69 103'
		repeated 2 'udp 198.51.100.9 192.0.2.1 40000 53 70'
		repeated 13 'udp 198.51.100.9 192.0.2.1 40000 60042 3014'
		repeated 1 'udp 198.51.100.9 192.0.2.1 0 0 60'
		repeated 1 'tcp 198.51.100.9 192.0.2.1 65535 65535 60'
	} | send_flows | added)
	output=$(pc counters eth0 --json)
	json_is 'def of($proto; $port): [.interfaces[0].ports[] | select(.protocol == $proto and .port == $port)][0] |
			[.pass.packets, .pass.bytes, .drop.packets, .drop.bytes, .would_drop.packets];
		of("tcp"; 25) == [33, 17 * 60 + 5 * 1514 + 11 * 74, 0, 0, 0] and
		of("tcp"; 3306) == [0, 0, 10, 7 * 61 + 3 * 99, 0] and
		of("udp"; 69) == [12, 4 * 100 + 8 * 102, 15, 6 * 101 + 9 * 103, 0] and
		of("udp"; 53) == [0, 0, 2, 140, 0] and
		of("udp"; 60042) == [13, 13 * 3014, 0, 0, 0] and
		of("udp"; 0) == [0, 0, 1, 60, 0] and of("tcp"; 65535) == [0, 0, 1, 60, 0]'
	json_is '(.interfaces[0].ports | length) == 7'
	json_is '.interfaces[0].ports[] | select(.port == 69) | .services == ["communigate-pro:tftp"]'
	# A packet to a closed service's port is unlisted, and the service is named.
	json_is '.interfaces[0].ports[] | select(.port == 53 or .port == 3306) | .services == []'
	json_is '.interfaces[0].reasons | .source.drop == {"packets": 15, "bytes": (6 * 101 + 9 * 103)} and
		.unlisted.drop.packets == 14 and .malformed.drop.packets == 0'
	json_is '.interfaces[0].total | "\(.pass.packets + .drop.packets) \(.pass.bytes + .drop.bytes)" == $sent' --arg sent "$sent"
}

@test "every packet that the interface received is in the total: 400,000 at full speed" {
	pc attach eth0 -p communigate-pro
	before=$(received)
	sent=$(send_flows <<-END | added
		tcp 198.51.100.9 192.0.2.1 40000 0-65535 60
		udp 198.51.100.9 192.0.2.1 40000 0-65535 60
		tcp 2001:db8:2::9 2001:db8::1 40000 0-65535 90
		udp 2001:db8:2::9 2001:db8::1 40000 0-65535 1400
		tcp 198.51.100.9 192.0.2.1 40000 1-65535 1514
		udp 198.51.100.9 192.0.2.1 40000 1-65535 61
	END
	)
	after=$(received)
	read -r packets bytes <<< "$(total pass)"
	read -r dropped dropped_bytes <<< "$(total drop)"
	same "$sent" "$((packets + dropped)) $((bytes + dropped_bytes))" 'passed and dropped'
	same "${sent% *}" $((after - before)) 'what the interface received'
}

@test "a VLAN's frames, with one tag and two, are judged by what is in them and counted whole" {
	pc attach eth0 -p ssh
	send_flows > "$DIR/sent" <<-END
		tcp 198.51.100.9 192.0.2.1 40000 22 60 5
		tcp 198.51.100.9 192.0.2.1 40000 22 64 5,6
		tcp 2001:db8::9 2001:db8::1 40000 22 100 4095
		tcp 198.51.100.9 192.0.2.1 40000 23 70 5
		udp 2001:db8::9 2001:db8::1 40000 23 90 5,6
		udp 2001:db8::9 2001:db8::1 40000 23 90 5,6,7
	END
	same '3 224' "$(port_count pass tcp 22)" '22/tcp passed'
	same '1 70' "$(port_count drop tcp 23)" '23/tcp dropped'
	same '1 90' "$(port_count drop udp 23)" '23/udp dropped'
	same '1 90' "$(reason malformed)" 'three tags'
	same '3 224' "$(total pass)" 'passed'
	same '3 250' "$(total drop)" 'dropped'
}

@test "the source port of a DHCP server decides, and the link-local group" {
	pc attach eth0 -p host
	send_flows > "$DIR/sent" <<-END
		udp 192.0.2.9 192.0.2.1 67 68 300
		udp 192.0.2.9 192.0.2.1 68 68 301
		udp fe80::9 2001:db8::1 547 546 200
		udp 2001:db8::9 2001:db8::1 547 546 201
		tcp 192.0.2.9 192.0.2.1 67 68 60
	END
	same '1 300' "$(port_count pass udp 68)" '68/udp passed'
	same '1 301' "$(port_count drop udp 68)" '68/udp dropped'
	same '1 200' "$(port_count pass udp 546)" '546/udp passed'
	same '1 201' "$(port_count drop udp 546)" '546/udp dropped'
	same '2 502' "$(reason source)" 'source'
	same '1 60' "$(reason unlisted)" 'unlisted'
}

@test "each reason counts its packets: malformed, fragment, icmp, protocol; what passes besides is apart" {
	pc attach eth0 -p communigate-pro
	sent=$(scapy 'frames = [e / IP(src="192.0.2.9", dst="192.0.2.1", len=200) / UDP() / (b"x" * 8),
		bytes(e)[:12] + b"\x08\x00" + b"\x45" * 10]')
	same '2 74' "$sent" 'sent'
	same "$sent" "$(reason malformed)" 'malformed'
	sent=$(scapy 'frames = ([e / IP(src="192.0.2.9", dst="192.0.2.1", id=7, frag=100, proto=17) / (b"x" * 64)] * 3 +
		[e / IPv6(src="2001:db8::9", dst="2001:db8::1") / IPv6ExtHdrFragment(offset=100, nh=17) / (b"x" * 64)] * 2)')
	same "$sent" "$(reason fragment)" 'fragment'
	sent=$(scapy 'frames = ([e / IP(src="192.0.2.9", dst="192.0.2.1") / ICMP(type=t) for t in (5, 9, 13, 17)] +
		[e / IPv6(src="fe80::9", dst="2001:db8::1", hlim=255) / ICMPv6ND_Redirect()])')
	same "$sent" "$(reason icmp)" 'icmp'
	sent=$(scapy 'frames = [e / IP(src="192.0.2.9", dst="192.0.2.1", proto=p) / (b"x" * 40) for p in (47, 50, 132)]')
	same "$sent" "$(reason protocol)" 'protocol'
	dropped=$(total drop)
	sent=$(scapy 'frames = ([e / IP(src="192.0.2.9", dst="192.0.2.1") / ICMP(type=8)] * 4 +
		[e / ARP(psrc="192.0.2.9", pdst="192.0.2.1")] * 5)')
	same "$sent" "$(total pass)" 'passed'
	same "$dropped" "$(total drop)" 'dropped'
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0].ports == []'
}

@test "a protocol that the profile names passes" {
	mkdir -p "$DIR/protocols"
	printf 'profile: vpn\nprotocols: [esp, 47]\n' > "$DIR/protocols/vpn.yaml"
	pc attach eth0 -p vpn --catalog "$DIR/protocols"
	sent=$(scapy 'frames = [e / IP(src="192.0.2.9", dst="192.0.2.1", proto=p) / (b"x" * 40) for p in (47, 50)]')
	same "$sent" "$(total pass)" 'passed'
	sent=$(scapy 'frames = [e / IP(src="192.0.2.9", dst="192.0.2.1", proto=p) / (b"x" * 40) for p in (51, 132)]')
	same "$sent" "$(reason protocol)" 'protocol'
}

@test "observe: nothing is dropped, the same is counted as would-drop, under port and reason" {
	pc attach eth0 -p communigate-pro --observe --group trusted=192.0.2.0/28
	sent=$(send_flows <<-END | added
		tcp 198.51.100.9 192.0.2.1 40000 25 60
		tcp 198.51.100.9 192.0.2.1 40000 3000-3009 60
		udp 198.51.100.9 192.0.2.1 40000 69 80
	END
	)
	same '12 740' "$sent" 'sent'
	same '0 0' "$(total drop)" 'dropped'
	same '1 60' "$(total pass)" 'passed'
	same '11 680' "$(total would_drop)" 'would be dropped'
	same '1 80' "$(port_count would_drop udp 69)" '69/udp'
	same '1 60' "$(port_count would_drop tcp 3004)" '3004/tcp'
	same '1 80' "$(reason source would_drop)" 'source'
	same '10 600' "$(reason unlisted would_drop)" 'unlisted'
	sent=$(scapy 'frames = [e / IP(src="192.0.2.9", dst="192.0.2.1", proto=50) / (b"x" * 40)]')
	same "$sent" "$(reason protocol would_drop)" 'protocol'
	pc swap eth0 --enforce
	send_flows <<< 'tcp 198.51.100.9 192.0.2.1 40000 3004 60' > "$DIR/sent"
	same '1 60' "$(port_count drop tcp 3004)" '3004/tcp'
	same '1 60' "$(port_count would_drop tcp 3004)" '3004/tcp'
}

@test "observe: the packets do arrive" {
	in_background host timeout 20 socat -u UDP4-RECVFROM:9999,fork,reuseaddr "OPEN:$DIR/arrived,creat,append"
	until_true 5 on host sh -c 'ss -Huln sport = :9999 | grep -q .'
	pc attach eth0 -p ssh
	scapy 'frames = [e / IP(src="192.0.2.9", dst="192.0.2.1") / UDP(sport=1, dport=9999) / b"enforced\n"]'
	pc swap eth0 --observe
	scapy 'frames = [e / IP(src="192.0.2.9", dst="192.0.2.1") / UDP(sport=1, dport=9999) / b"observed\n"]'
	until_true 5 inside grep -q observed "$DIR/arrived"
	same observed "$(cat "$DIR/arrived")" 'what arrived'
}

@test "counters go on over a swap, under the new names; since stays, generation counts" {
	pc attach eth0 -p ssh
	since=$(pc counters eth0 --json | jq -r '.interfaces[0].since')
	send_flows > "$DIR/sent" <<-END
		tcp 198.51.100.9 192.0.2.1 40000 22 60
		tcp 198.51.100.9 192.0.2.1 40000 25 60
	END
	sleep 1.1
	pc swap eth0 -p xeams
	send_flows > "$DIR/sent" <<-END
		tcp 198.51.100.9 192.0.2.1 40000 22 60
		tcp 198.51.100.9 192.0.2.1 40000 25 60
	END
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0] | .since == $since and .generation == 2' --arg since "$since"
	json_is '.interfaces[0].ports[] | select(.port == 25) | .services == ["xeams:smtp"] and
		.pass.packets == 1 and .drop.packets == 1'
	json_is '.interfaces[0].ports[] | select(.port == 22) | .services == [] and
		.pass.packets == 1 and .drop.packets == 1'
	json_is '.interfaces[0].total | .pass == {"packets": 2, "bytes": 120} and .drop == {"packets": 2, "bytes": 120}'
	output=$(pc status eth0 --json)
	json_is '.interfaces[0] | .attached_at == $since and .total.pass.packets == 2' --arg since "$since"
	# After a new attach, counting starts from 0.
	pc detach eth0
	pc attach eth0 -p xeams
	same '0 0' "$(total pass)" 'passed after a new attach'
}

@test "--all adds the listed ports that counted nothing, and no others" {
	pc attach eth0 -p ssh,xeams
	send_flows > "$DIR/sent" <<< 'tcp 198.51.100.9 192.0.2.1 40000 5000 60'
	output=$(pc counters eth0 --json)
	json_is '[.interfaces[0].ports[].port] == [5000]'
	output=$(pc counters eth0 --all --json)
	json_is '[.interfaces[0].ports[] | select(.direction == "in") | "\(.port)/\(.protocol)"] | sort ==
		["22/tcp", "25/tcp", "5000/tcp", "546/udp", "68/udp"]'
}

@test "generic mode counts the same frames" {
	pc attach eth0 -p communigate-pro --mode generic
	sent=$(send_flows <<-END | added
		tcp 198.51.100.9 192.0.2.1 40000 25 60
		udp 198.51.100.9 192.0.2.1 40000 3000-3999 200
		udp 2001:db8:2::9 2001:db8::1 40000 5060 1514
	END
	)
	read -r packets bytes <<< "$(total pass)"
	read -r dropped dropped_bytes <<< "$(total drop)"
	same "$sent" "$((packets + dropped)) $((bytes + dropped_bytes))" 'passed and dropped'
	same '1000 200000' "$dropped $dropped_bytes" 'dropped'
}

@test "each interface counts its own" {
	link_add host eth1 sender eth1
	on sender ip link set eth1 up
	pc attach eth0 eth1 -p ssh
	send_flows > "$DIR/sent" <<< 'tcp 198.51.100.9 192.0.2.1 40000 1-100 60'
	on sender "$TOOLS/send" eth1 "$(mac_of host eth1)" > "$DIR/sent" <<< 'udp 198.51.100.9 192.0.2.1 40000 1-50 60'
	output=$(pc counters --json)
	json_is '[.interfaces[] | [.name, .total.drop.packets + .total.pass.packets]] == [["eth0", 100], ["eth1", 50]]'
	pc detach eth1
	on host ip link del eth1
}

# --- outgoing packets ---

@test "outbound: each listed remote port counts what is sent there and its replies; others are replies only" {
	attach_asks
	same 5 "$(asks 40000 ::ffff:203.0.113.2 53 53 54 53 54)" 'answers'
	same 1 "$(asks 40001 2001:db8:3::2 53)" 'answers over IPv6'
	output=$(pc counters eth2 --json)
	json_is '[.interfaces[0].ports[] | select(.direction == "out")] ==
		[{"direction": "out", "protocol": "udp", "port": 53, "services": ["asks:dns"],
		"pass": {"packets": 8, "bytes": (6 * 72 + 2 * 92)}, "drop": {"packets": 0, "bytes": 0},
		"would_drop": {"packets": 0, "bytes": 0}, "machine": null}]'
	json_is '.interfaces[0] | .replies == {"packets": 6, "bytes": (5 * 72 + 92)} and .outbound_total.pass.packets >= 6 and
		.outbound_total.drop.packets == 0 and .reasons.outbound.drop.packets == 0'
	exits 0 pc counters eth2
	says 'out  53/udp  asks:dns' 'also passed: 6 replies' 'all sent: passed'
	output=$(pc counters eth2 --all --json)
	json_is '[.interfaces[0].ports[] | select(.direction == "out") | "\(.port)/\(.protocol)"] ==
		["80/tcp", "53/udp", "5060/udp"]'
}

@test "outbound enforce: packets that no rule admits are dropped by its remote port, and is in no inbound total" {
	attach_asks --outbound enforce
	same 1 "$(asks 40000 ::ffff:203.0.113.2 53 54 54 6000)" 'answers'
	output=$(pc counters eth2 --json)
	json_is 'def of($port): [.interfaces[0].ports[] | select(.direction == "out" and .port == $port)][0] |
			[.services, .pass.packets, .drop.packets, .drop.bytes, .would_drop.packets];
		of(53) == [["asks:dns"], 2, 0, 0, 0] and of(54) == [[], 0, 2, 144, 0] and of(6000) == [[], 0, 1, 72, 0]'
	json_is '.interfaces[0] | .reasons.outbound.drop == {"packets": 3, "bytes": 216} and
		.outbound_total.drop == {"packets": 3, "bytes": 216} and .total.drop.packets == 0'
	exits 0 pc counters eth2
	says 'out  54/udp    unlisted' 'outbound        3' ', dropped 3 (216 B)'
	exits 0 pc status eth2
	says 'outbound   enforce' 'sent       passed' ', dropped 3 (216 B)'
	# Under observe it goes out, counts as would-drop, and its answer comes in.
	pc swap eth2 --observe
	same 1 "$(asks 40000 ::ffff:203.0.113.2 54)" 'answers'
	output=$(pc counters eth2 --json)
	json_is '.interfaces[0] | .outbound_total.would_drop == {"packets": 1, "bytes": 72} and
		([.ports[] | select(.direction == "out" and .port == 54)][0] | .would_drop.packets == 1 and .drop.packets == 2)'
}

@test "--watch gives rates of outbound ports too" {
	attach_asks
	asks 40000 ::ffff:203.0.113.2 53 > "$DIR/asked"
	run timeout 1.5 nsenter --target "$SANDBOX" --mount --pid -- nsenter --net=/run/netns/host -- "$PORTCULLIS" counters eth2 --watch 1
	says 'RATE'
	[[ ${lines[*]} == *'out  53/udp  asks:dns'*'/s'* ]] || fail "no rate: $output"
}

# --- flows ---

@test "flows: what was learned, over IPv4 and IPv6, sorted, with its state" {
	attach_asks
	asks 40000 ::ffff:203.0.113.2 54 53 6000 > "$DIR/asked"
	asks 40001 2001:db8:3::2 53 > "$DIR/asked"
	on host ping -q -c 1 -W 1 -e 4711 203.0.113.2 > "$DIR/ping"
	output=$(pc flows --json)
	json_is '.version == 1 and .size == 65536 and .used == 5 and (.flows | length) == 5'
	json_is '[.flows[] | [.interface, .protocol, .local, .local_port // .identifier, .remote, .remote_port, .state]] ==
		[["eth2", "icmp", "203.0.113.1", 4711, "203.0.113.2", null, "replied"],
		["eth2", "udp", "203.0.113.1", 40000, "203.0.113.2", 53, "replied"],
		["eth2", "udp", "203.0.113.1", 40000, "203.0.113.2", 54, "replied"],
		["eth2", "udp", "203.0.113.1", 40000, "203.0.113.2", 6000, "sent"],
		["eth2", "udp", "2001:db8:3::1", 40001, "2001:db8:3::2", 53, "replied"]]'
	json_is '[.flows[] | .idle + .expires] == [30, 30, 30, 30, 30] and ([.flows[].idle] | max) < 10'
	exits 0 pc flows
	says 'IFACE' 'udp        203.0.113.1:40000      203.0.113.2:53      replied' 'icmp 4711  203.0.113.1  ' \
		'[2001:db8:3::1]:40001' '5 of 65536 flows in use'
	output=$(pc status eth2 --json)
	json_is '.interfaces[0] | (.flows | [.used, .size]) == [5, 65536] and .outbound == "track" and .forward == false and
		.echo_limit == 100 and (.egress == "tcx" or .egress == "clsact")'
	exits 0 pc status eth2
	says 'flows      5 of 65536 in use' 'outbound   track'
	says_not 'missing'
}

@test "flows: one map a namespace is listed once; an interface's are those learned at its egress" {
	attach_asks --flows 1000
	pc attach eth0 -p ssh
	asks 40000 ::ffff:203.0.113.2 53 54 > "$DIR/asked"
	output=$(pc flows --json)
	json_is '.size == 1000 and .used == 2 and (.flows | length) == 2'
	output=$(pc flows eth2 eth0 --json)
	json_is '.size == 1000 and .used == 2 and (.flows | length) == 2'
	output=$(pc flows eth0 --json)
	json_is '.size == 1000 and .used == 2 and .flows == []'
	exits 0 pc flows eth0
	says '2 of 1000 flows in use (all interfaces): 0 of 500 connections, 0 of 250 streams, 2 of 250 not assured'
	output=$(pc status --json)
	json_is '[.interfaces[].flows | [.used, .size, .connections.size, .streams.size, .rest.size]] ==
		[[2, 1000, 500, 250, 250], [2, 1000, 500, 250, 250]]'
	pc detach eth2
	exits 1 pc flows eth2
	says 'eth2'
}

@test "flows without any filter: none, and no error; an interface that is not there is one" {
	output=$(pc flows --json)
	json_is '[.version, .size, .used, .rest.size, .flows] == [1, 0, 0, 0, []]'
	exits 0 pc flows
	says 'attached to no interface'
	exits 1 pc flows nosuch
	says 'portcullis: nosuch'
}

@test "what a listed service answers is not learned" {
	attach_asks
	on peer /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(20):
    s.sendto(b"x", ("203.0.113.1", 5060))
' &
	on host timeout 5 /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5060))
data, peer = s.recvfrom(100)
s.sendto(data, peer)
' &
	wait
	output=$(pc flows --json)
	json_is '.flows == []'
}

@test "5,000 flows are listed, in text too, without a heading in between" {
	attach_asks
	on host /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 41000))
for port in range(10000, 15000):
    while True:
        try:
            s.sendto(b"x", ("203.0.113.2", port))
            break
        except ConnectionRefusedError:
            pass
'
	output=$(pc flows --json)
	json_is '.used == 5000 and ([.flows[].remote_port] == [range(10000; 15000)])'
	exits 0 pc flows
	same 5002 "${#lines[@]}" 'lines'
}
