#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The filter sits on an interface, the addresses and the sockets on another: bridge, bond, VLAN, macvlan, VRF;
# and an answer comes in by another interface than its question left by.

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
	host_del client
	! inside test -e /run/netns/guest || host_del guest
}

# Two hosts and a cable between them. `host` has no address yet.
bare_hosts()
{
	host_add host
	host_add client
	link_add host eth0 client eth0
	address_add client eth0 192.0.2.2/24 2001:db8::2/64
}

bridge()
{
	on host ip link add br0 type bridge
	on host ip link set eth0 master br0
	finish_upper br0
}

# Gives the addresses to the device UPPER of `host`.
finish_upper()
{
	on host ip link set "$1" up
	address_add host "$1" 192.0.2.1/24 2001:db8::1/64
	until_true 5 on host ping -n -c 1 -W 1 192.0.2.2 > /dev/null
	until_true 5 on host ping -n -c 1 -W 1 2001:db8::2 > /dev/null
}

# link_local HOST INTERFACE
link_local()
{
	on "$1" ip -json -6 address show dev "$2" scope link | jq -r '[.[].addr_info[]? | .local | values][0]'
}

# Opens every kind of socket on UPPER, bound to it: TCP and UDP, connected or not, IPv4 and IPv6, link-local. If UPPER
# is not the filter's interface, the kernel's socket look-up finds none of them.
bound_sockets()
{
	local upper=$1 scope=$2 address

	talk_listen far client 7000
	udp_serve answers client 7777
	scope=$(link_local client "$scope")%$upper
	for address in 192.0.2.2 2001:db8::2 "$scope"; do
		talk_connect near host "$address" 7000 --device "$upper"
		speaks_to near far
		speaks_to far near
		stop near
		asked 'answered 5000' host "$address" 7777 --answer 5000 --device "$upper"
		asked 'answered 5000' host "$address" 7777 --answer 5000 --device "$upper" --connected
		asked ECONNREFUSED host "$address" 7778 --device "$upper" --connected
		asked ECONNREFUSED host "$address" 7778 --device "$upper" --errors
		exits 0 on host ping -n -c 1 -W 8 -I "$upper" "$address"
	done
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
}

# The same without binding, except link-local sockets, which are always bound.
plain_sockets()
{
	local address

	for address in 192.0.2.2 2001:db8::2 "$(link_local client eth0)%$1"; do
		talk_connect near host "$address" 7000
		speaks_to near far
		speaks_to far near
		stop near
		asked 'answered 5000' host "$address" 7777 --answer 5000
		asked 'answered 5000' host "$address" 7777 --answer 5000 --connected
	done
}

# Unrequested packets do not reach the sockets of UPPER; packets to listed ports do.
shut_and_open()
{
	local upper=$1 address

	talk_listen shut host 7001 --device "$upper"
	talk_listen open host 5000 --device "$upper"
	udp_serve mute host 7001
	for address in 192.0.2.1 2001:db8::1; do
		unanswered client "$address" 7001
		connects client "$address" 5000
		asked nothing client "$address" 7001 --timeout 0.4
	done
	same 0 "$(grep -c got "$DIR/mute.log")" 'datagrams to an unlisted port'
}

@test "bridge: sockets bound to it get their replies, and unlisted ports are shut" {
	bare_hosts
	bridge
	attach_tiny host eth0
	bound_sockets br0 eth0
	plain_sockets br0
	shut_and_open br0
}

@test "bridge: curl --interface br0 fetches, IPv4, IPv6 and link-local" {
	bare_hosts
	bridge
	head -c 2000000 /dev/urandom > "$DIR/file"
	start web client /usr/bin/python3 -m http.server --bind :: --directory "$DIR" 8000
	until_true 20 listening client 8000
	attach_tiny host eth0
	for address in 192.0.2.2 '[2001:db8::2]' "[$(link_local client eth0)%25br0]"; do
		on host curl -gsS --max-time 8 --interface 'if!br0' -o "$DIR/fetched" "http://$address:8000/file"
		cmp "$DIR/file" "$DIR/fetched"
		rm "$DIR/fetched"
		on host curl -gsS --max-time 8 -o "$DIR/fetched" "http://$address:8000/file"
		cmp "$DIR/file" "$DIR/fetched"
	done
}

@test "no upper device: sockets bound to the interface of the filter get their replies" {
	bare_hosts
	finish_upper eth0
	attach_tiny host eth0
	bound_sockets eth0 eth0
	plain_sockets eth0
	shut_and_open eth0
}

# talks_at_attach DEVICE: connections made before the filter, of all kinds and in both directions, survive although they
# are quiet; each is tested with this side speaking first, and with the other side speaking first.
talks_at_attach()
{
	local device=$1 number=0 address name

	talk_listen far client 7000
	talk_listen near host 7001 --device "$device"
	for address in 192.0.2.2 2001:db8::2 "$(link_local client eth0)%$device"; do
		number=$((number + 1))
		talk_connect "out$number" host "$address" 7000 --device "$device"
	done
	for address in 192.0.2.1 2001:db8::1 "$(link_local host "$device")%eth0"; do
		number=$((number + 1))
		talk_connect "in$number" client "$address" 7001
	done
	attach_tiny host eth0
	# The other side speaks first on each: its line goes to all connections that it has accepted.
	signal far USR1
	for name in out1 out2 out3; do
		until_true 8 heard_more "$name" 0 || fail "$name does not hear the far side speak first"
	done
	for name in in4 in5 in6; do
		speaks_to "$name" near
	done
	for name in out1 out2 out3; do
		speaks_to "$name" far
	done
	signal near USR1
	for name in in4 in5 in6; do
		until_true 8 heard_more "$name" 0 || fail "$name does not hear the filtered host"
	done
}

@test "bridge: quiet connections of sockets bound to it live on over an attach, whoever speaks first" {
	bare_hosts
	bridge
	talks_at_attach br0
	unanswered client 192.0.2.1 7001
	unanswered client 2001:db8::1 7001
}

@test "no upper device: quiet connections live on over an attach, link-local ones too" {
	bare_hosts
	finish_upper eth0
	talks_at_attach eth0
	unanswered client 192.0.2.1 7001
}

# A question that was sent before the attach is answered after it, if the socket is connected to the peer: that is known
# to the kernel.
udp_over_attach()
{
	udp_serve answers client 7777 --delay 1.2
	start asking host /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" ask "$1" 7777 --connected --timeout 10 \
		"${@:3}"
	until_true 20 grep -q got "$DIR/answers.log"
	attach_tiny host "$2"
	until_logged asking 'answered|nothing'
	same 'answered 20' "$(cat "$DIR/asking.log")" 'what came of it'
	detach_all host
	stop answers
}

@test "connected UDP sockets get an answer to what they asked before the attach" {
	bare_hosts
	finish_upper eth0
	udp_over_attach 192.0.2.2 eth0
	udp_over_attach 2001:db8::2 eth0
	udp_over_attach "$(link_local client eth0)%eth0" eth0
}

@test "bridge: connected UDP sockets bound to it get an answer to what they asked before the attach" {
	bare_hosts
	bridge
	udp_over_attach 192.0.2.2 eth0 --device br0
	udp_over_attach 2001:db8::2 eth0 --device br0
	udp_over_attach "$(link_local client eth0)%br0" eth0
}

@test "bridge: connections live on over a swap, and a detach and attach" {
	bare_hosts
	bridge
	attach_tiny host eth0
	talk_listen far client 7000
	talk_connect near host "$(link_local client eth0)%br0" 7000
	speaks_to near far
	as host swap eth0 -p tiny-host --catalog "$TINY"
	speaks_to far near
	as host detach eth0
	attach_tiny host eth0
	speaks_to far near
	speaks_to near far
}

# guest veth|tap: adds a guest to the bridge of `host`, by a cable like a container, or by a tap like a virtual machine.
guest()
{
	host_add guest
	link_add host guest0 guest eth0
	if [ "$1" = tap ]; then
		on host ip link set guest0 promisc on
		start relay host /usr/bin/python3 "$BATS_TEST_DIRNAME/tap_relay.py" tap0 guest0
		until_logged relay '^ready'
		on host ip link set tap0 master br0 up
	else
		on host ip link set guest0 master br0
	fi
	address_add guest eth0 192.0.2.3/24 2001:db8::3/64
	until_true 5 on guest ping -n -c 1 -W 1 2001:db8::2 > /dev/null
	until_true 5 on guest ping -n -c 1 -W 1 192.0.2.2 > /dev/null
	udp_serve answers client 7777
	talk_listen far client 7000
}

guest_is_served()
{
	for address in 192.0.2.2 2001:db8::2; do
		asked 'answered 5000' guest $address 7777 --answer 5000
		asked 'answered 5000' guest $address 7777 --answer 5000 --connected
		exits 0 on guest ping -n -c 1 -W 8 $address
		connects guest $address 7000
	done
}

guest_with_forward()
{
	bare_hosts
	bridge
	guest "$1"
	attach_tiny host eth0 --forward
	guest_is_served
	udp_serve mute guest 7001
	talk_listen shut guest 7001
	talk_listen open guest 5000
	asked nothing client 192.0.2.3 7001 --timeout 0.4
	unanswered client 192.0.2.3 7001
	connects client 192.0.2.3 5000
	host_is_served
}

guest_without_forward()
{
	bare_hosts
	bridge
	guest "$1"
	guest_is_served
	attach_tiny host eth0
	for address in 192.0.2.2 2001:db8::2; do
		asked nothing guest $address 7777 --timeout 0.4
		asked nothing guest $address 7777 --timeout 0.4 --connected
		exits 1 on guest ping -n -c 1 -W 0.5 $address
		unanswered guest $address 7000
	done
	same 0 "$(flows_used host)" 'flows'
	host_is_served
}

host_is_served()
{
	asked 'answered 20' host 192.0.2.2 7777 --device br0
	connects host 192.0.2.2 7000
}

@test "bridge: a guest on a veth is served with --forward, and reached at listed ports only" {
	guest_with_forward veth
}

@test "bridge: a guest on a veth is cut off without --forward" {
	guest_without_forward veth
}

@test "bridge: a guest on a tap is served with --forward, and reached at listed ports only" {
	[ -c /dev/net/tun ] || skip 'no /dev/net/tun'
	guest_with_forward tap
}

@test "bridge: a guest on a tap is cut off without --forward" {
	[ -c /dev/net/tun ] || skip 'no /dev/net/tun'
	guest_without_forward tap
}

@test "bond: sockets bound to it get their replies" {
	bare_hosts
	on host ip link add bond0 type bond mode active-backup || skip 'no bonding in this kernel'
	on host ip link set eth0 down
	on host ip link set eth0 master bond0
	finish_upper bond0
	attach_tiny host eth0
	bound_sockets bond0 eth0
	shut_and_open bond0
}

@test "VLAN: sockets bound to it get their replies" {
	bare_hosts
	on host ip link add link eth0 name eth0.5 type vlan id 5 || skip 'no VLAN devices in this kernel'
	on client ip link add link eth0 name eth0.5 type vlan id 5
	on client ip address flush dev eth0 scope global
	on client ip link set eth0.5 up
	address_add client eth0.5 192.0.2.2/24 2001:db8::2/64
	finish_upper eth0.5
	attach_tiny host eth0
	bound_sockets eth0.5 eth0.5
	shut_and_open eth0.5
}

@test "macvlan: sockets bound to it get their replies" {
	bare_hosts
	on host ip link add link eth0 name mv0 type macvlan mode bridge || skip 'no macvlan in this kernel'
	finish_upper mv0
	attach_tiny host eth0
	bound_sockets mv0 eth0
	shut_and_open mv0
}

@test "VRF: sockets bound to it get their replies" {
	bare_hosts
	on host ip link add vrf0 type vrf table 10 || skip 'no VRF in this kernel'
	on host ip link set vrf0 up
	on host ip link set eth0 master vrf0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	attach_tiny host eth0
	talk_listen far client 7000
	udp_serve answers client 7777
	for address in 192.0.2.2 2001:db8::2; do
		talk_connect near host $address 7000 --device vrf0
		speaks_to near far
		speaks_to far near
		stop near
		asked 'answered 5000' host $address 7777 --answer 5000 --device vrf0
	done
}

@test "an answer comes in by another interface than its question left by" {
	bare_hosts
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	link_add host eth1 client eth1
	on host sh -c 'for i in all eth0 eth1; do echo 0 > /proc/sys/net/ipv4/conf/$i/rp_filter; done'
	on client sh -c 'for i in all eth0 eth1; do echo 0 > /proc/sys/net/ipv4/conf/$i/rp_filter; done'
	on client ip route add 192.0.2.1/32 dev eth1
	on client ip -6 route add 2001:db8::1/128 via "$(link_local host eth1)" dev eth1
	udp_serve answers client 7777
	talk_listen far client 7000
	attach_tiny host eth0
	attach_tiny host eth1
	for address in 192.0.2.2 2001:db8::2; do
		asked 'answered 20' host $address 7777
		asked 'answered 6000' host $address 7777 --answer 6000
		asked 'answered 20' host $address 7777 --connected
		talk_connect near host $address 7000
		speaks_to far near
		stop near
		exits 0 on host ping -n -c 1 -W 8 $address
	done
	output=$(as host counters --json)
	json_is '[.interfaces[] | {(.name): (.replies.packets > 5)}] | add == {"eth0": false, "eth1": true}'
	# No packet that was not requested.
	udp_serve mute host 7001
	asked nothing client 192.0.2.1 7001 --timeout 0.4
}

@test "an answer that comes in by an interface attached later passes too" {
	bare_hosts
	address_add host eth0 192.0.2.1/24
	link_add host eth1 client eth1
	on host sh -c 'for i in all eth0 eth1; do echo 0 > /proc/sys/net/ipv4/conf/$i/rp_filter; done'
	on client ip route add 192.0.2.1/32 dev eth1
	udp_serve answers client 7777 --delay 1.5
	attach_tiny host eth0
	udp_ask host 192.0.2.2 7777 --timeout 10 > "$DIR/answer" 3>&- &
	sleep 0.5
	attach_tiny host eth1
	wait $!
	same 'answered 20' "$(cat "$DIR/answer")" 'answer'
}
