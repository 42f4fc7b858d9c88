#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The egress hook: beside others' programs, lost and restored, what a namespace shares, live sockets, what is sent in pieces.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	host_add other
	link_add host eth1 other eth0
	address_add host eth1 198.51.100.1/24
	address_add other eth0 198.51.100.2/24
	build_tools
	inside mkdir -p /run/foreign
	inside mount -t bpf bpf /run/foreign
	inside mkdir /run/foreign/maps
	inside bpftool prog load "$DIR/foreign_tc.bpf.o" /run/foreign/program pinmaps /run/foreign/maps
}

# Files that only this suite needs. `old` runs portcullis as on a kernel without tcx.
build_tools()
{
	local include

	include=/usr/include/$(cc -print-multiarch)
	cc -O2 -D_GNU_SOURCE -shared -fPIC -o "$DIR/no_tcx.so" "$ROOT/tests/e2e/no_tcx.c" -ldl
	cc -O2 -o "$DIR/tcx" "$ROOT/tests/e2e/tcx.c" -lbpf
	clang -target bpf -mcpu=v3 -O2 -g -idirafter "$include" -c -o "$DIR/foreign_tc.bpf.o" "$ROOT/tests/e2e/foreign_tc.bpf.c"
	printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$DIR/no_tcx.so" "$PORTCULLIS" > "$DIR/old"
	chmod +x "$DIR/old"
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	local interface

	stop_all
	detach_all host client other
	for interface in eth0 eth1; do
		on host tc qdisc del dev $interface clsact 2> /dev/null || true
		on host tc qdisc del dev $interface ingress 2> /dev/null || true
	done
	on host ip link del br0 2> /dev/null || true
	on host ip link del eth8 2> /dev/null || true
	inside rm -f /run/foreign/link
}

old()
{
	local PORTCULLIS=$DIR/old

	"$@"
}

# pc_env NAME=VALUE COMMAND...: portcullis with this in its environment.
pc_env()
{
	local -x "$1"

	pc "${@:2}"
}

# egress HOST INTERFACE: where status says that the egress program is.
egress()
{
	as "$1" status "$2" --json | jq -r '.interfaces[0].egress'
}

# The number of packets that the foreign program has seen.
foreign_seen()
{
	inside bpftool -j map dump pinned /run/foreign/maps/seen | jq '.[0].formatted.value'
}

# Sends a datagram from an unconnected socket to a port without a listener.
send_one()
{
	on host socat -u - "UDP-DATAGRAM:${1:-192.0.2.2}:${2:-9999},bind=:${3:-40000}" <<< x
}

# The flows to a remote UDP port that the namespace of `host` has learned.
learned()
{
	pc flows --json | jq --argjson port "${1:-9999}" '[.flows[] | select(.remote_port == $port)] | length'
}

# Our egress filters at eth0.
our_filters()
{
	on host tc filter show dev eth0 egress | grep -c 'portcullis_egre' || true
}

# Everything that tc has at eth0.
all_tc()
{
	on host tc qdisc show dev eth0
	on host tc filter show dev eth0 egress
	on host tc filter show dev eth0 ingress
}

# Whether eth0 has a clsact.
has_clsact()
{
	grep -q 'qdisc clsact' <<< "$(on host tc qdisc show dev eth0)"
}

# The id of the map of flows below the pins of the interface.
flows_map()
{
	local folder program

	program=$(attached "$1" "$2")
	for folder in $(pins); do
		if [ "$(inside bpftool -j prog show pinned "$folder/program" | jq .id)" = "$program" ]; then
			inside bpftool -j map show pinned "$folder/flows" | jq .id
		fi
	done
}

# folder of the only filter
only_pin()
{
	same 1 "$(pins | wc -l)" 'folders of pins' && pins
}

# --- beside other tools ---

@test "tcx: a foreign program that ends the chain stays, and runs after ours" {
	needs_tcx
	on host "$DIR/tcx" attach /run/foreign/program eth0 /run/foreign/link
	exits 0 pc attach eth0 -p ssh
	same tcx "$(egress host eth0)" egress
	before=$(foreign_seen)
	send_one
	same 1 "$(learned)" 'flows: ours ran'
	[ "$(foreign_seen)" -gt "$before" ] || fail 'the foreign program did not run after ours'
	exits 0 pc detach eth0
	before=$(foreign_seen)
	send_one
	[ "$(foreign_seen)" -gt "$before" ] || fail 'the foreign program is gone with ours'
}

@test "tcx: a foreign clsact and its filters are as they were" {
	needs_tcx
	on host tc qdisc add dev eth0 clsact
	on host tc filter add dev eth0 egress pref 5 protocol all bpf da object-pinned /run/foreign/program
	on host tc filter add dev eth0 ingress pref 7 protocol ip bpf da object-pinned /run/foreign/program
	was=$(all_tc)
	exits 0 pc attach eth0 -p ssh
	before=$(foreign_seen)
	send_one
	same 1 "$(learned)" 'flows'
	[ "$(foreign_seen)" -gt "$before" ] || fail 'the foreign filter did not run'
	exits 0 pc swap eth0 -p xeams
	exits 0 pc detach eth0
	same "$was" "$(all_tc)" 'qdisc and filters'
}

@test "clsact: made where there is none, and gone with the filter" {
	exits 0 old pc attach eth0 -p ssh
	same clsact "$(egress host eth0)" egress
	same 1 "$(our_filters)" 'our filters'
	send_one
	same 1 "$(learned)" 'flows'
	exits 0 old pc swap eth0 -p xeams
	same 1 "$(our_filters)" 'our filters'
	exits 0 old pc detach eth0
	same 0 "$(our_filters)" 'our filters'
	run ! has_clsact
}

@test "clsact: an empty one of somebody else stays" {
	on host tc qdisc add dev eth0 clsact
	old pc attach eth0 -p ssh
	same clsact "$(egress host eth0)" egress
	old pc detach eth0
	same 0 "$(our_filters)" 'our filters'
	has_clsact || fail 'the clsact is gone'
}

@test "clsact: ours stays if somebody has put a filter there since" {
	old pc attach eth0 -p ssh
	on host tc filter add dev eth0 ingress pref 7 protocol ip bpf da object-pinned /run/foreign/program
	old pc detach eth0
	same 0 "$(our_filters)" 'our filters'
	has_clsact || fail 'the clsact is gone'
	[ -n "$(on host tc filter show dev eth0 ingress)" ] || fail 'the filter is gone'
}

@test "clsact: foreign filters stay and run, ours comes before them and leaves alone" {
	on host tc qdisc add dev eth0 clsact
	on host tc filter add dev eth0 egress pref 10 protocol all bpf da object-pinned /run/foreign/program
	was=$(on host tc filter show dev eth0 egress)
	exits 0 old pc attach eth0 -p ssh
	says_not 'other filters run'
	on host tc filter show dev eth0 egress | grep -q 'pref 1 bpf.*portcullis_egre' || fail 'ours is not of priority 1'
	before=$(foreign_seen)
	send_one
	same 1 "$(learned)" 'flows: ours ran'
	[ "$(foreign_seen)" -gt "$before" ] || fail 'the foreign filter did not run after ours'
	exits 0 old pc detach eth0
	same "$was" "$(on host tc filter show dev eth0 egress)" filters
	on host tc filter del dev eth0 egress
	# A clsact with an ingress filter alone belongs to another tool, too.
	on host tc filter add dev eth0 ingress pref 7 protocol ip bpf da object-pinned /run/foreign/program
	exits 0 old pc attach eth0 -p ssh
	exits 0 old pc detach eth0
	[ -n "$(on host tc filter show dev eth0 ingress)" ] || fail 'the ingress filter is gone'
}

@test "clsact: somebody's filter of the first priority keeps it; a warning says what that means" {
	on host tc qdisc add dev eth0 clsact
	on host tc filter add dev eth0 egress pref 1 protocol all bpf da object-pinned /run/foreign/program
	was=$(on host tc filter show dev eth0 egress)
	exits 0 old pc attach eth0 -p ssh
	says 'eth0' 'other filters run before'
	same clsact "$(egress host eth0)" egress
	exits 0 old pc detach eth0
	same "$was" "$(on host tc filter show dev eth0 egress)" filters
}

@test "clsact: beside an old ingress qdisc there is no egress: refused, with the fix, nothing changed" {
	on host tc qdisc add dev eth0 handle ffff: ingress
	exits 1 old pc attach eth0 eth1 -p ssh
	says "portcullis: eth0: has a qdisc 'ingress'" 'tc qdisc add dev eth0 clsact' 'nothing was attached'
	same '' "$(attached host eth0)$(attached host eth1)$(pins)" 'programs and pins'
	same '' "$(on host tc filter show dev eth0 ingress)" 'filters at ingress'
	run ! grep -q clsact <<< "$(on host tc qdisc show dev eth1)"
}

@test "clsact: the kernel refuses our filter: the message says what may help, and only a clsact that was there stays" {
	local error

	for error in 'ENOENT:No such file or directory; modprobe -a sch_ingress cls_bpf may help' 'EPERM:Operation not permitted'; do
		exits 1 old pc_env "REFUSED=${error%%:*}" attach eth0 -p ssh
		grep -qxF "portcullis: eth0: cannot attach to its clsact: ${error#*:}" <<< "$output" || fail "$output"
		run ! has_clsact
	done
	exits 1 old pc_env REFUSED=ENODEV attach eth0 -p ssh
	says 'eth0: the interface is gone'
	on host tc qdisc add dev eth0 clsact
	exits 1 old pc_env REFUSED=EPERM attach eth0 -p ssh
	has_clsact || fail 'the clsact is gone'
	same '' "$(attached host eth0)$(pins)" 'programs and pins'
}

# --- lost and restored ---

@test "an egress link that somebody took off is reported missing, and attached again by the next command" {
	needs_tcx
	pc attach eth0 -p ssh
	inside "$DIR/tcx" detach "$(only_pin)/egress_link"
	same missing "$(egress host eth0)" egress
	exits 0 pc swap eth0 -p xeams
	says 'eth0: its egress program was missing' 'attached again'
	same tcx "$(egress host eth0)" egress
	send_one
	same 1 "$(learned)" flows
	exits 0 pc swap eth0 -p ssh
	says_not 'missing'
	inside "$DIR/tcx" detach "$(only_pin)/egress_link"
	exits 0 pc detach eth0
	says_not 'missing'
	same '' "$(pins)" pins
}

@test "a clsact that somebody deleted is reported missing, and attached again by the next command" {
	old pc attach eth0 -p ssh
	on host tc qdisc del dev eth0 clsact
	same missing "$(egress host eth0)" egress
	exits 0 old pc detach lo
	says 'eth0: its egress program was missing' 'attached again'
	same clsact "$(egress host eth0)" egress
	on host tc filter del dev eth0 egress
	same missing "$(egress host eth0)" egress
	exits 0 old pc swap eth0
	same clsact "$(egress host eth0)" egress
	# A filter made for another kernel's hook: this kernel has tcx, and it is used.
	on host tc qdisc del dev eth0 clsact
	exits 0 pc detach lo
	case $(egress host eth0) in tcx|clsact) ;; *) fail 'not restored' ;; esac
}

@test "an interface that moves to another namespace: tcx goes along, a lost clsact is restored there" {
	link_add host eth8 other eth8
	pc attach eth8 -p ssh
	was=$(egress host eth8)
	on host ip link set eth8 netns /run/netns/client
	on client ip link set eth8 up
	on client ip address add 203.0.113.1/24 dev eth8
	on client ip neigh add 203.0.113.2 dev eth8 lladdr 02:00:00:00:00:02
	if [ "$was" = tcx ]; then
		same tcx "$(egress client eth8)" egress
	fi
	exits 0 as client swap eth8 -p xeams
	same "$was" "$(egress client eth8)" egress
	on client socat -u - UDP-DATAGRAM:203.0.113.2:9999 <<< x
	same 1 "$(as client flows --json | jq '[.flows[] | select(.remote_port == 9999)] | length')" flows
	as client detach eth8
	on client ip link set eth8 netns /run/netns/host
	on host ip link set eth8 up
	old pc attach eth8 -p ssh
	on host ip link set eth8 netns /run/netns/client
	same missing "$(egress client eth8)" egress
	exits 0 old pc detach lo
	says_not 'missing'
	exits 0 old as client swap eth8 -p xeams
	says 'eth8: its egress program was missing'
	same clsact "$(egress client eth8)" egress
	exits 0 old as client detach eth8
	run ! grep -q clsact <<< "$(on client tc qdisc show dev eth8)"
	on client ip link del eth8
	same '' "$(pins)" pins
}

# --- maps that a namespace shares ---

@test "filters of a namespace share the map of flows, those of another have theirs" {
	pc attach eth0 -p ssh
	pc attach eth1 -p xeams
	as other attach eth0 -p ssh
	[ -n "$(flows_map host eth0)" ]
	same "$(flows_map host eth0)" "$(flows_map host eth1)" 'maps of eth0 and eth1'
	[ "$(flows_map host eth0)" != "$(flows_map other eth0)" ] || fail 'two namespaces share a map'
	send_one 192.0.2.2 9998
	same 1 "$(learned 9998)" flows
	# The map outlives the filter that made it if another filter uses it.
	map=$(flows_map host eth1)
	pc detach eth0
	same 1 "$(learned 9998)" flows
	pc attach eth0 -p ssh
	same "$map" "$(flows_map host eth0)" 'map of the one attached again'
	pc detach eth0 eth1
	pc attach eth0 eth1 -p ssh
	same "$(flows_map host eth0)" "$(flows_map host eth1)" 'maps of one command'
	[ "$(flows_map host eth0)" != "$map" ] || fail 'the old map'
}

@test "an interface that moved in with its filter does not lend the maps of the namespace that it left" {
	link_add host eth8 other eth8
	link_add client eth9 other eth9
	pc attach eth8 -p ssh
	on host ip link set eth8 netns /run/netns/client
	on client ip link set eth8 up
	as client attach eth9 -p ssh
	[ -n "$(flows_map client eth8)" ]
	[ "$(flows_map client eth8)" != "$(flows_map client eth9)" ] || fail 'two namespaces share a map'
	as client detach eth8 eth9
	on client ip link del eth8
	on client ip link del eth9
}

@test "--flows: the size of the map; another one than it has is an error that names both" {
	exits 0 pc attach eth0 -p ssh --flows 1000
	same 1000 "$(pc status eth0 --json | jq '.interfaces[0].flows.size')" size
	exits 1 pc attach eth1 -p ssh --flows 2000
	says '--flows 2000' '1000 flows' 'eth0'
	same '' "$(attached host eth1)" program
	same 1 "$(pins | wc -l)" 'folders of pins'
	exits 0 pc attach eth1 -p ssh
	same 1000 "$(pc status eth1 --json | jq '.interfaces[0].flows.size')" size
	pc detach eth1
	exits 0 pc attach eth1 -p ssh --flows 1000
	exits 0 as other attach eth0 -p ssh --flows 2000
	same 2000 "$(as other status eth0 --json | jq '.interfaces[0].flows.size')" size
	pc detach eth0 eth1
	exits 0 pc attach eth0 -p ssh
	same 65536 "$(pc status eth0 --json | jq '.interfaces[0].flows.size')" 'size by default'
}

# --- live sockets ---

# Makes the bridge br0 above eth8 of `host`, a cable to `other`. A look-up at eth8 does not find sockets bound to br0.
bridge_up()
{
	link_add host eth8 other eth8
	on host ip link add br0 type bridge
	on host ip link set br0 up
	on host ip link set eth8 master br0
	address_add host br0 203.0.113.1/24
	address_add other eth8 203.0.113.2/24
}

# link_local HOST INTERFACE: the address that the kernel gave it.
link_local()
{
	on "$1" ip -6 -json address show dev "$2" scope link | jq -r '.[0].addr_info[] | select(.scope == "link").local'
}

has_link_local()
{
	[ -n "$(link_local "$1" "$2")" ]
}

# bound_talk SERVER CLIENT: two socat addresses, for `host` and for a client that sends each line of the file `say`,
# which the server writes to `heard`.
bound_talk()
{
	: > "$DIR/say"
	: > "$DIR/heard"
	start server host socat -u "$1" "OPEN:$DIR/heard,append"
	until_true 5 listening host 7000
	start client other socat -u "FILE:$DIR/say,ignoreeof" "$2"
	says_more one
}

# The connection is alive: one more line comes through.
says_more()
{
	echo "$1" >> "$DIR/say"
	until_true 5 grep -q "$1" "$DIR/heard"
}

flows_of_eth8()
{
	pc flows eth8 --json | jq -c '[.flows[] | [.protocol, .local, .local_port, .remote, .state]]'
}

@test "a live connection of a socket bound to the bridge above outlives the attach, and is listed" {
	bridge_up
	bound_talk TCP-LISTEN:7000,so-bindtodevice=br0 TCP:203.0.113.1:7000
	exits 0 pc attach eth8 -p host
	same '[["tcp","203.0.113.1",7000,"203.0.113.2","established"]]' "$(flows_of_eth8)" flows
	says_more two
	unanswered other 203.0.113.1 7000
}

@test "so does one of an IPv6 socket with an IPv4 peer" {
	bridge_up
	bound_talk TCP6-LISTEN:7000,ipv6only=0,so-bindtodevice=br0 TCP:203.0.113.1:7000
	exits 0 pc attach eth8 -p host
	same '[["tcp","203.0.113.1",7000,"203.0.113.2","established"]]' "$(flows_of_eth8)" flows
	says_more two
}

@test "so does one between link-local addresses, whose socket the bridge's scope binds" {
	bridge_up
	until_true 5 has_link_local host br0
	until_true 5 has_link_local other eth8
	address=$(link_local host br0)
	bound_talk TCP6-LISTEN:7000 "TCP6:[$address%eth8]:7000"
	exits 0 pc attach eth8 -p host
	same "[[\"tcp\",\"$address\",7000,\"$(link_local other eth8)\",\"established\"]]" "$(flows_of_eth8)" flows
	says_more two
}

@test "so does a connected UDP socket bound to the bridge" {
	bridge_up
	: > "$DIR/heard"
	start server host socat -u UDP:203.0.113.2:7001,bind=203.0.113.1:7000,so-bindtodevice=br0 "OPEN:$DIR/heard,append"
	until_true 5 on host sh -c 'ss -Hun state established | grep -q :7000'
	exits 0 pc attach eth8 -p host
	same '[["udp","203.0.113.1",7000,"203.0.113.2","stream"]]' "$(flows_of_eth8)" flows
	on other socat -u - UDP:203.0.113.1:7000,bind=203.0.113.2:7001 <<< one
	until_true 5 grep -q one "$DIR/heard"
}

@test "one that this side has closed for sending is seeded as closing, and a swap does not make it younger" {
	local left

	bridge_up
	: > "$DIR/say"
	start server host /usr/bin/python3 -c '
import socket, struct, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"br0")
listener.bind(("", 7000))
listener.listen()
one = listener.accept()[0]
one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
one.shutdown(socket.SHUT_WR)
print("half", flush=True)
time.sleep(60)'
	until_true 5 listening host 7000
	start client other socat -u "FILE:$DIR/say,ignoreeof" TCP:203.0.113.1:7000
	until_logged server half
	exits 0 pc attach eth8 -p host
	same '[["tcp","203.0.113.1",7000,"203.0.113.2","closing"]]' "$(flows_of_eth8)" flows
	left=$(pc flows eth8 --json | jq '.flows[0].expires')
	[ "$left" -le 120 ] || fail "it is kept for $left s"
	sleep 3
	exits 0 pc swap eth8 -p host
	same '[["tcp","203.0.113.1",7000,"203.0.113.2","closing"]]' "$(flows_of_eth8)" 'flows after a swap'
	[ "$(pc flows eth8 --json | jq '.flows[0].expires')" -le $((left - 2)) ] || fail 'it was made anew'
	stop server # closed by a reset, so that there is no TIME_WAIT for the next attach to find
}

@test "a swap that closes the port of such a connection keeps it" {
	bridge_up
	pc attach eth8 -p ssh --set ssh:ssh=7000/tcp
	bound_talk TCP-LISTEN:7000,so-bindtodevice=br0 TCP:203.0.113.1:7000
	same '[]' "$(flows_of_eth8)" 'flows of a listed port'
	exits 0 pc swap eth8 --set ssh:ssh=22/tcp
	same '[["tcp","203.0.113.1",7000,"203.0.113.2","established"]]' "$(flows_of_eth8)" flows
	says_more two
}

@test "what was made while the egress program was off is known once it is attached again" {
	needs_tcx
	bridge_up
	pc attach eth8 -p ssh --set ssh:ssh=7000/tcp
	inside "$DIR/tcx" detach "$(only_pin)/egress_link"
	bound_talk TCP-LISTEN:7000,so-bindtodevice=br0 TCP:203.0.113.1:7000
	same '[]' "$(flows_of_eth8)" flows
	exits 0 pc detach lo
	says 'eth8: its egress program was missing'
	same '[["tcp","203.0.113.1",7000,"203.0.113.2","established"]]' "$(flows_of_eth8)" 'flows afterwards'
}

@test "so does a takeover whose profile opens the port no more, though the swap behind it fails" {
	local catalog=$DIR/mine at

	mkdir -p "$catalog"
	printf 'profile: mine\nservices: [{name: talk, in: 7000/tcp}]\n' > "$catalog/mine.yaml"
	bridge_up
	on host "$TOOLS/portcullis-layout-4" attach eth8 -p mine --catalog "$catalog"
	on host "$TOOLS/faults" -l "$DIR/points" "$PORTCULLIS" swap eth8 --catalog "$catalog"
	at=$(sed -n '/^rmdir:/,$s/^\(bpf:MAP_CREATE:[0-9]*\).*/\1/p' "$DIR/points" | head -n 1)
	pc detach eth8
	on host "$TOOLS/portcullis-layout-4" attach eth8 -p mine --catalog "$catalog"
	bound_talk TCP-LISTEN:7000,so-bindtodevice=br0 TCP:203.0.113.1:7000
	sed -i s/7000/7001/ "$catalog/mine.yaml"
	exits 1 on host "$TOOLS/faults" -e "EPERM@$at" "$PORTCULLIS" swap eth8 --catalog "$catalog"
	says 'taken over'
	same '[["tcp","203.0.113.1",7000,"203.0.113.2","established"]]' \
		"$(flows_of_eth8 | jq -c 'map(select(.[4] == "established"))')" flows
	says_more two
	unanswered other 203.0.113.1 7000
}

# --- packets in several buffers ---

@test "a sent packet whose headers are not in the first piece is judged by them" {
	on host ip link set dev eth0 mtu 9000
	on client ip link set dev eth0 mtu 9000
	exits 0 pc attach eth0 -p host --mode generic --outbound enforce
	# The kernel puts 14 bytes into the linear part, as the header says, and the rest into pages.
	exits 0 on host /usr/bin/python3 -c '
import socket, struct, sys
from scapy.all import Ether, IP, UDP, raw
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
sender.setsockopt(263, 15, 1) # PACKET_VNET_HDR
sender.bind(("eth0", 0))
for port in 53, 53, 54:
    frame = raw(Ether(src=sys.argv[1], dst=sys.argv[2]) / IP(src="192.0.2.1", dst="192.0.2.2") /
                UDP(sport=40000, dport=port) / (b"x" * 6000))
    try:
        sender.send(struct.pack("=BBHHHH", 0, 0, 14, 0, 0, 0) + frame)
    except OSError: # the number of packets that the program drops
        print(port)' "$(mac_of host eth0)" "$(mac_of client eth0)"
	same 54 "$output" 'ports that were not sent to'
	same '2 12084' "$(pc counters eth0 --json | jq -r '.interfaces[0].ports[] | select(.direction == "out" and .port == 53 and
		.protocol == "udp") | "\(.pass.packets) \(.pass.bytes)"')" 'sent to 53/udp'
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0].outbound_total | .pass.packets >= 2 and .drop.packets == 1'
	json_is 'any(.interfaces[0].ports[]; .direction == "out" and .port == 54 and .drop.packets == 1)'
	on host ip link set dev eth0 mtu 1500
	on client ip link set dev eth0 mtu 1500
}

@test "an XDP program that somebody took off: told, also of the egress program, and cleared away" {
	exits 0 pc attach eth0 -p ssh --outbound enforce
	inside sh -c "bpftool link detach pinned $PINS/*/link"
	exits 0 pc status
	says 'eth0: its XDP program was taken off' 'egress program is still there'
	exits 0 pc detach eth0
	exits 0 pc status
	says_not 'taken off'
}

@test "swap --no-forward says what it cuts" {
	on host sysctl -qw net.ipv4.ip_forward=1
	exits 0 pc attach eth0 -p ssh --forward
	exits 0 pc swap eth0 --no-forward
	says 'changes forward from yes to no' '--forward admits them'
	on host sysctl -qw net.ipv4.ip_forward=0
}

@test "attach --dry-run refuses the --flows that attach would" {
	exits 0 pc attach eth0 -p ssh --flows 1000
	exits 1 pc attach eth1 -p ssh --flows 2000 --dry-run
	says '--flows 2000' '1000 flows'
}
