#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Interfaces whose frames have no Ethernet header (here tun; the kinds share a parser by link type), and those that
# cannot be filtered.

load helper
load traffic

setup_file()
{
	sandbox_start
	tiny_catalog
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host
	host_del host
	! inside test -e /run/netns/client || host_del client
}

# Two hosts, each with a tun interface, and a cable between these.
tun_hosts()
{
	[ -c /dev/net/tun ] || skip 'no /dev/net/tun'
	host_add host
	host_add client
	start relay host /usr/bin/python3 "$BATS_TEST_DIRNAME/tun_relay.py" host tun0 client tun0
	until_logged relay '^ready'
	on host ip link set tun0 up
	on client ip link set tun0 up
	address_add host tun0 192.0.2.1/24 2001:db8::1/64
	address_add client tun0 192.0.2.2/24 2001:db8::2/64
	until_true 5 on host ping -n -c 1 -W 1 192.0.2.2 > /dev/null
	until_true 5 on host ping -n -c 1 -W 1 2001:db8::2 > /dev/null
}

others()
{
	as host counters tun0 --json | jq ".interfaces[0].other.$1.packets"
}

@test "tun: listed ports are open, others shut, and replies and ICMP errors pass" {
	tun_hosts
	as host attach tun0 -p tiny --catalog "$TINY"
	talk_listen open host 5000
	talk_listen shut host 7001
	udp_serve mute host 7001
	talk_listen far client 7000
	udp_serve answers client 7777
	for address in 192.0.2.1 2001:db8::1; do
		connects client $address 5000
		unanswered client $address 7001
		asked nothing client $address 7001 --timeout 0.4
		exits 0 on client ping -n -c 1 -W 8 $address
	done
	for address in 192.0.2.2 2001:db8::2; do
		talk_connect near host $address 7000
		speaks_to near far
		speaks_to far near
		stop near
		asked 'answered 5000' host $address 7777 --answer 5000
		asked ECONNREFUSED host $address 7778 --connected
		exits 0 on host ping -n -c 1 -W 8 $address
	done
	same 0 "$(grep -c got "$DIR/mute.log")" 'datagrams to an unlisted port'
	same 0 "$(others non_ip)" 'packets that are not IP'
	same 0 "$(reason host tun0 malformed)" 'malformed packets'
}

@test "tun: fragments of a listed port pass, and of an unlisted one none" {
	tun_hosts
	as host attach tun0 -p tiny --catalog "$TINY"
	udp_serve open host 5000
	udp_serve mute host 7001
	for address in 192.0.2.1 2001:db8::1; do
		asked 'answered 5000' client $address 5000 --answer 5000
		asked nothing client $address 7001 --size 5000 --timeout 0.4
	done
	same 0 "$(grep -c got "$DIR/mute.log")" 'datagrams to an unlisted port'
}

@test "tun: outbound rows are enforced" {
	tun_hosts
	as host attach tun0 -p tiny --catalog "$TINY" --outbound enforce
	talk_listen far client 7000
	for address in 192.0.2.2 2001:db8::2; do
		unanswered host $address 7000
	done
	[ "$(reason host tun0 outbound)" -gt 0 ]
}

@test "tun: an interface made again as a tap gets another program" {
	tun_hosts
	as host attach tun0 -p tiny --catalog "$TINY"
	stop relay
	until_true 5 inside sh -c '! nsenter --net=/run/netns/host ip link show tun0' 2> /dev/null
	on host ip link add tun0 type veth peer name tun0 netns /run/netns/client
	on host ip link set tun0 up
	on client ip link set tun0 up
	address_add host tun0 192.0.2.1/24
	address_add client tun0 192.0.2.2/24
	exits 1 as host swap tun0 -p tiny --catalog "$TINY"
	as host attach tun0 -p tiny --catalog "$TINY"
	talk_listen open host 5000
	talk_listen shut host 7001
	connects client 192.0.2.1 5000
	unanswered client 192.0.2.1 7001
}

@test "tun: a version that let everything pass is taken over only if no session is lost" {
	needs_layout 3
	OLDER=$TOOLS/portcullis-layout-3
	tun_hosts
	on host "$OLDER" attach tun0 -p tiny --catalog "$TINY"
	start ssh host /usr/bin/python3 "$BATS_TEST_DIRNAME/tcp.py" listen :: 22
	until_logged ssh '^ready'
	talk_connect admin client 192.0.2.1 22
	exits 1 as host swap tun0 --catalog "$TINY"
	says 'its frames have no Ethernet header' 'from now on it is filtered'
	speaks_to admin ssh
	exits 0 as host swap tun0 --catalog "$TINY" --force
	says 'taken over'
	udp_serve mute host 7001
	asked nothing client 192.0.2.1 7001 --timeout 0.4
}

@test "lo: attach warns" {
	host_add host
	exits 0 as host attach lo -p tiny --catalog "$TINY"
	says "lo: carries this host's traffic to itself"
}

# refused INTERFACE TEXT...: attach, its dry run and apply fail with these texts; nothing is attached.
refused()
{
	local interface=$1

	shift
	exits 1 as host attach "$interface" -p tiny --catalog "$TINY"
	says "$interface: cannot be filtered: " "$@"
	exits 1 as host attach "$interface" -p tiny --catalog "$TINY" --dry-run
	says "$interface: cannot be filtered: " "$@"
	printf 'interfaces:\n  %s:\n    profiles: [tiny]\n' "$interface" > "$DIR/refused.yaml"
	exits 1 as host apply --site "$DIR/refused.yaml" --catalog "$TINY"
	says "$interface: cannot be filtered: " "$@"
	exits 1 as host doctor "$interface"
	says 'cannot be filtered: ' "$@"
	exits 1 as host status "$interface"
}

@test "ifb: attach, apply and doctor refuse it" {
	host_add host
	on host ip link add ifb7 type ifb || skip 'no ifb in this kernel'
	refused ifb7 'do not pass the XDP hook of this kind (ifb)' 'attach to the interface whose packets are redirected'
}

@test "VRF: attach, apply and doctor refuse it and name its members" {
	host_add host
	on host ip link add vrf7 type vrf table 10 || skip 'no VRF in this kernel'
	on host ip link add eth7 type veth peer name eth8
	on host ip link set eth7 master vrf7
	refused vrf7 'this kind (vrf)' 'attach to its members instead: eth7'
}

@test "ipvlan in mode l3s: attach, apply and doctor refuse it and name the interface below" {
	host_add host
	on host ip link add eth7 type veth peer name eth8
	on host ip link add link eth7 name ipvl7 type ipvlan mode l3s || skip 'no ipvlan in this kernel'
	refused ipvl7 'mode l3s' 'or attach to eth7'
}

@test "packets that tc redirects to an interface skip its filter: doctor tells" {
	two_hosts
	on client ip neigh replace 192.0.2.1 lladdr "$(mac_of host eth0)" dev eth0
	on host ip neigh replace 192.0.2.2 lladdr "$(mac_of client eth0)" dev eth0
	udp_serve answers host 7001
	on host ip link add eth7 type veth peer name eth8
	on host ip link set eth7 up
	on host ip link set eth8 up
	address_add host eth7 203.0.113.1/30 # without one, rp_filter drops everything that comes in by it
	exits 0 as host doctor eth7
	says_not 'tc redirects'
	on host tc qdisc add dev eth0 clsact
	on host tc filter add dev eth0 ingress u32 match u32 0 0 action mirred ingress redirect dev eth7 ||
		skip 'no mirred in this kernel'
	for mode in generic native; do
		as host attach eth7 -p tiny --catalog "$TINY" --mode $mode
		asked 'answered 20' client 192.0.2.1 7001
		exits 0 as host doctor eth7
		says 'tc redirects or mirrors packets to it' 'attach to the interface by which they come in'
		as host detach eth7
	done
	exits 0 as host doctor eth0
	says_not 'tc redirects'
	on host tc filter del dev eth0 ingress
	until_true 5 tells_no_redirect # the kernel removes the action a moment later
}

tells_no_redirect()
{
	! as host doctor eth7 | grep -q 'tc redirects'
}

@test "IPsec: attach and doctor say what is not filtered, where it is in use" {
	two_hosts
	exits 0 attach_tiny host eth0
	says_not 'IPsec'
	exits 0 as host doctor
	says_not 'IPsec'
	as host detach eth0
	# A state that waits for its keys: without keys, the types of IPsec need not be in the kernel.
	on host ip xfrm state allocspi src 192.0.2.2 dst 192.0.2.1 proto esp mode tunnel > /dev/null || skip 'no IPsec in this kernel'
	exits 0 attach_tiny host eth0
	says 'IPsec is in use: native mode filters ESP and not the packets inside it'
	exits 0 as host doctor
	says 'IPsec is in use'
	exits 0 as host swap eth0 -p tiny-host --catalog "$TINY"
	says_not 'IPsec'
}
