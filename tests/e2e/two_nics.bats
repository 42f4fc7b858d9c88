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
	! on host test -e /sys/class/net/br0 || on host ip link del br0
}

# --- fragments of one datagram by two NICs: routes that hash by ports, which later fragments have not ---

# fragment_of WHICH HOST INTERFACE FAMILY ID: one half of a datagram to the listed port, by the interface of `host`.
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

# --- link-local addresses: fe80::66 of one link is another host than fe80::66 of the next ---

# asks_link_local INTERFACE: a question from port 40001 of fe80::1 to fe80::66 on that link, whose answer is not awaited.
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
