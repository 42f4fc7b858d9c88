#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A host with two NICs: what belongs to the host, and what to one of its links.
#
#	client 192.0.2.2 --- eth0 host eth1 --- other 198.51.100.2
#	       2001:db8::2                            2001:db8:2::2

load helper
load traffic

setup_file()
{
	sandbox_start
	tiny_catalog
	host_add host
	host_add client
	host_add other
	link_add host eth0 client eth0
	link_add host eth1 other eth0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	address_add client eth0 192.0.2.2/24 2001:db8::2/64
	address_add host eth1 198.51.100.1/24 2001:db8:2::1/64
	address_add other eth0 198.51.100.2/24 2001:db8:2::2/64
	address_add host lo 203.0.113.1/32 2001:db8:3::1/128
	# shellcheck disable=SC2016
	on host sh -c 'for one in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $one; done'
	on host ip route add 203.0.113.9 via 192.0.2.2
	on host ip -6 route add 2001:db8:9::9 via 2001:db8::2
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host
	on host ip address flush dev eth0 scope link
	on host ip address flush dev eth1 scope link
	on host ip link del br0 2> /dev/null || true
}

# --- fragments of one datagram by two NICs: routes hash by ports, which later fragments do not have ---

# fragment_of WHICH HOST INTERFACE FAMILY ID: sends one half of a datagram to the listed port, by the interface of
# `host`.
fragment_of()
{
	frames "$2" eth0 "$(mac_of host "$3")" '
payload = b"20 0 " + bytes(2400)
if family == 4:
    parts = fragment(IP(src="203.0.113.9", dst="203.0.113.1", id=id)/UDP(sport=4000, dport=5000)/payload, 1400)
else:
    whole = IPv6(src="2001:db8:9::9", dst="2001:db8:3::1")/IPv6ExtHdrFragment(id=id)/UDP(sport=4000, dport=5000)/payload
    parts = fragment6(whole, 1400)
frames = [e/part for part in (parts[:1] if which == "first" else parts[1:])]
' "which=$1" "family=$4" "id=$5" > /dev/null
}

datagrams_came()
{
	[ "$(grep -cE '^(got|wrong)' "$DIR/served.log")" -ge "$1" ]
}

@test "the first fragment by one NIC, the later ones by the other: the datagram arrives, and none without a first one" {
	udp_serve served host 5000
	attach_tiny host eth0
	attach_tiny host eth1
	fragment_of first client eth0 4 101
	fragment_of later other eth1 4 101
	until_true 5 datagrams_came 1
	fragment_of first client eth0 6 102
	fragment_of later other eth1 6 102
	until_true 5 datagrams_came 2
	same 0 "$(reason host eth1 fragment)" 'dropped fragments'
	fragment_of later other eth1 4 103
	until_true 5 reason_is host eth1 fragment 1
}

@test "fragments to a link-local address: those of another link do not belong to it" {
	local part

	address_add host eth0 fe80::1/64
	address_add host eth1 fe80::1/64
	attach_tiny host eth0
	attach_tiny host eth1
	for part in 'client first' 'other later' 'client later'; do
		frames "${part% *}" eth0 "$(mac_of host "$([ "${part% *}" = client ] && echo eth0 || echo eth1)")" '
whole = IPv6(src="fe80::66", dst="fe80::1")/IPv6ExtHdrFragment(id=7)/UDP(sport=4000, dport=5000)/bytes(2000)
parts = fragment6(whole, 1400)
frames = [e/part for part in (parts[:1] if which == "first" else parts[1:])]
' "which=${part#* }" > /dev/null
	done
	until_true 5 reason_is host eth1 fragment 1
	same 0 "$(reason host eth0 fragment)" 'dropped on the link of the first one'
}

# --- link-local addresses: fe80::66 on one link is another host than fe80::66 on the next ---

# asks_link_local INTERFACE: sends a question from port 40001 of fe80::1 to fe80::66 on that link, and does not wait for
# an answer.
asks_link_local()
{
	on host timeout 5 /usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
scope = socket.if_nametoindex(sys.argv[1])
s.bind(("fe80::1", 40001, 0, scope))
s.sendto(b"question", ("fe80::66", 7777, 0, scope))' "$1"
}

# answers_link_local HOST INTERFACE INTERFACE-OF-HOST [ADDRESS]
answers_link_local()
{
	frames "$1" "$2" "$(mac_of host "$3")" \
		'frames = [e/IPv6(src=source, dst="fe80::1")/UDP(sport=7777, dport=40001)/b"answer"]' \
		"source=${4:-fe80::66}" > /dev/null
}

replies()
{
	as host counters "$1" --json | jq '.interfaces[0].replies.packets'
}

replies_are()
{
	[ "$(replies "$1")" = "$2" ]
}

neighbour()
{
	on host ip neigh replace fe80::66 lladdr "$2" dev "$1"
}

@test "a query to fe80::66 of one link is not answered by fe80::66 of another" {
	address_add host eth0 fe80::1/64
	address_add host eth1 fe80::1/64
	neighbour eth0 "$(mac_of client eth0)"
	attach_tiny host eth0
	attach_tiny host eth1
	asks_link_local eth0
	answers_link_local other eth0 eth1
	until_true 5 reason_is host eth1 unlisted 1
	same 0 "$(replies eth1)" 'taken for an answer'
	answers_link_local client eth0 eth0
	until_true 5 replies_are eth0 1
	same 1 "$(as host flows eth0 --json | jq '.flows | length')" flows
}

@test "bridge: a query to fe80::66 is answered by whichever port it comes in" {
	on host ip link add br0 type bridge
	on host ip link set br0 up
	on host ip link set eth0 master br0
	on host ip link set eth1 master br0
	address_add host br0 fe80::1/64
	neighbour br0 "$(mac_of client eth0)"
	attach_tiny host eth0
	attach_tiny host eth1
	asks_link_local br0
	answers_link_local other eth0 br0
	until_true 5 replies_are eth1 1
	on host ip link set eth0 nomaster
	on host ip link set eth1 nomaster
}

@test "live link-local connections of a socket bound to a link are known on that link alone" {
	address_add host eth0 fe80::1/64
	address_add client eth0 fe80::2/64
	talk_listen server client 7001
	talk_connect live host fe80::2%eth0 7001
	attach_tiny host eth0
	attach_tiny host eth1
	as host swap eth0 eth1 -p tiny-host --catalog "$TINY"
	same 'eth0 ' "$(as host flows --json | jq -r '[.flows[] | select(.remote == "fe80::2") | .interface + " "] | add')" 'where it is known'
	speaks_to live server
	speaks_to server live
}

# --- questions from a port that another interface opens ---

media_catalog()
{
	cat > "$TINY/media.yaml" <<-YAML
		profile: media
		title: A range of ports, open to anyone
		services:
		  - name: media
		    in: 5060-5099/udp
	YAML
}

@test "a query by one NIC from a port that the other opens to anyone is answered, symmetric ports too" {
	media_catalog
	attach_tiny host eth1
	as host attach eth0 -p media --mode native --catalog "$TINY" > /dev/null
	udp_serve answers other 5060
	asked 'answered 20' host 198.51.100.2 5060 --source-port 5060
	asked 'answered 20' host 2001:db8:2::2 5060 --source-port 5061
	asked 'answered 20' host 198.51.100.2 5060
}

@test "so it is from a port that the fallback of a waiting swap opens" {
	media_catalog
	udp_serve answers client 5060
	as host attach eth0 -p media --mode native --catalog "$TINY" > /dev/null
	as host swap eth0 -p tiny --confirm 60 --catalog "$TINY" > /dev/null
	asked 'answered 20' host 192.0.2.2 5060 --source-port 5060
	as host confirm eth0 > /dev/null
}

# Connections of an earlier test may still be closing.
udp_flows()
{
	as host flows --json | jq '[.flows[] | select(.protocol == "udp")] | length'
}

@test "but what came in by the one NIC opens nothing on the other" {
	media_catalog
	udp_serve service host 5060
	attach_tiny host eth1
	as host attach eth0 -p media --mode native --catalog "$TINY" > /dev/null
	# With the source address of `other`, so that the service answers by eth1.
	frames client eth0 "$(mac_of host eth0)" \
		'frames = [e/IP(src="198.51.100.2", dst="192.0.2.1")/UDP(sport=7000 + i, dport=5060)/b"x" for i in range(300)]' > /dev/null
	until_true 5 datagrams_reached service 300
	same 0 "$(udp_flows)" flows
	asked nothing other 198.51.100.1 5060 --source-port 7000 --timeout 0.4
}

datagrams_reached()
{
	[ "$(grep -cE '^(got|wrong)' "$DIR/$1.log")" -ge "$2" ]
}

@test "a crowd of strangers at an observing NIC keeps nothing that this host asks from being answered" {
	udp_serve answers other 7777
	udp_serve mute host 7001 --mute
	attach_tiny host eth0 --observe
	attach_tiny host eth1
	stop mute
	frames client eth0 "$(mac_of host eth0)" \
		'frames = [e/IP(src="192.0.2.2", dst="192.0.2.1")/UDP(sport=1000 + i, dport=7001)/b"x" for i in range(2000)]' > /dev/null
	asked 'answered 20' host 198.51.100.2 7777 --source-port 7001
	asked 'answered 20' host 2001:db8:2::2 7777 --source-port 7001
}

# --- UDP that was live before the filter ---

# goes_on NAME HOST ADDRESS PORT LOCAL-PORT SECONDS: an unconnected socket that sends at this interval; it prints a line
# for each datagram that it gets.
goes_on()
{
	start "$1" "$2" /usr/bin/python3 -u -c 'import select, socket, sys, time
address, port, local, every = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", local))
due = time.time()
print("ready")
while True:
    if time.time() >= due:
        s.sendto(b"x", (address, port))
        due += every
    if select.select([s], [], [], max(0, due - time.time()))[0]:
        s.recv(100)
        print("heard %.1f" % time.time())' "${@:3}"
	until_logged "$1" '^ready'
}

# longest_silence NAME: the longest time without a datagram so far, in whole seconds.
longest_silence()
{
	{ sed -n 's/^heard //p' "$DIR/$1.log"; date +%s.%N; } | awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { print int(most) }'
}

@test "UDP that went on before attach --observe goes on after swap --enforce, whoever speaks first: a call, and a quiet one" {
	goes_on far4 client 192.0.2.1 40000 51820 0.02
	goes_on far6 client 2001:db8::1 40001 51821 0.7
	goes_on near4 host 192.0.2.2 51820 40000 0.5
	goes_on near6 host 2001:db8::2 51821 40001 3
	sleep 1.5
	attach_tiny host eth0 --observe
	sleep 7
	as host swap eth0 --enforce --catalog "$TINY" > /dev/null
	sleep 9
	(($(longest_silence near4) <= 1)) || fail "the call: $(longest_silence near4) s of silence"
	(($(longest_silence near6) <= 4)) || fail "the quiet one: $(longest_silence near6) s of silence"
	same 'stream stream' "$(as host flows --json | jq -r '[.flows[] | select(.protocol == "udp") | .state] | join(" ")')" flows
}

@test "a server that was there before attach --observe is asked by strangers: that opens nothing, late answers neither" {
	udp_serve prompt host 7001
	udp_serve late host 7002 --delay 0.6
	attach_tiny host eth0 --observe
	asked 'answered 20' client 192.0.2.1 7001 --source-port 7100 --times 5 --pause 0.5
	asked 'answered 20' client 192.0.2.1 7002 --source-port 7101
	same 0 "$(udp_flows)" flows
	as host swap eth0 --enforce --catalog "$TINY" > /dev/null
	asked nothing client 192.0.2.1 7001 --source-port 7100 --timeout 0.4
	asked nothing client 192.0.2.1 7002 --source-port 7101 --timeout 1
}

# --- other interfaces without a filter ---

@test "attach names other interfaces that have an address and no filter, once, and doctor does: no devices of guests" {
	on host ip link add link eth1 name mac7 type macvlan mode private
	on host ip link add link eth0 name mac8 type macvlan mode private
	on host ip tuntap add dev tunnel0 mode tun
	on host ip tuntap add dev tap0 mode tap
	on host ip link add br0 type bridge
	on host ip link add link eth1 name down0 type macvlan mode private
	address_add host mac7 203.0.113.17/28
	address_add host mac8 203.0.113.33/28
	address_add host tunnel0 203.0.113.49/28
	address_add host tap0 203.0.113.65/28
	address_add host br0 203.0.113.81/28
	address_add host down0 203.0.113.97/28
	for name in mac7 mac8 tunnel0 tap0 br0; do
		on host ip link set $name up
	done
	exits 0 attach_tiny host eth0
	says 'mac7, tunnel0: are up, have addresses and no filter' 'portcullis attach mac7 tunnel0 -p tiny --observe'
	[ "$(grep -c 'and no filter' <<< "$output")" = 1 ] || fail "said more than once: $output"
	run as host doctor
	says 'mac7 is up' 'tunnel0 is up' 'portcullis attach tunnel0 -p PROFILE --observe'
	says_not 'mac8 is up' 'tap0 is up' 'br0 is up' 'down0 is up' 'eth1 is up'
	exits 0 as host swap eth0 -p tiny-host --catalog "$TINY"
	says_not 'and no filter'
	exits 0 attach_tiny host eth1
	says 'tunnel0: is up, has an address'
	says_not 'mac7, '
	for name in mac7 mac8 tunnel0 tap0 down0; do
		on host ip link del $name
	done
}
