#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Strangers make this host send, so that it would learn flows of their choice: by packets that it sends back, by
# answers out of another interface, by half-open connections. And what looks alike and is this host's own.

load helper
load traffic

setup_file()
{
	sandbox_start
	tiny_catalog
	cat > "$TINY/sip.yaml" <<-YAML
		profile: sip
		title: One port, UDP
		services:
		  - name: sip
		    in: 5060/udp
	YAML
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	local name

	stop_all
	detach_all host
	for name in host client guest; do
		! inside test -e "/run/netns/$name" || host_del "$name"
	done
}

attach_sip()
{
	as host attach "$1" -p sip --mode native --catalog "$TINY" "${@:2}"
}

# Addresses are not checked against the routes.
no_rp_filter()
{
	# shellcheck disable=SC2016
	on "$1" sh -c 'for one in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $one; done'
}

forwarding()
{
	on "$1" sh -c 'cd /proc/sys/net; echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding'
	no_rp_filter "$1"
}

# reflects LOCAL [INTERFACE]: `client` makes `host` send a datagram from port 161 of LOCAL to port 5060 of `client`, as
# an answer. Nothing is learned from it, and its answer is dropped.
reflects()
{
	local local=$1 remote=192.0.2.2 layer=IP before

	[[ $local != *:* ]] || { remote=2001:db8::2; layer=IPv6; }
	udp_serve sink client 5060 --mute
	frames client eth0 "$(mac_of host "${2:-eth0}")" \
		"frames = [e / $layer(src=local, dst=remote) / UDP(sport=161, dport=5060) / b'x']" \
		"local=$local" "remote=$remote"
	until_logged sink got
	stop sink
	same '' "$(flow_states host udp 5060)" "flows to port 5060"
	before=$(reason host eth0 unlisted)
	asked nothing client "$local" 161 --source-port 5060 --timeout 0.4
	same $((before + 1)) "$(reason host eth0 unlisted)" 'dropped'
}

# Makes the usual two hosts, and `guest` behind a second interface of `host`; with `$1`, the first interface is under a
# bridge.
gateway()
{
	local outer=eth0

	host_add host
	host_add client
	host_add guest
	link_add host eth0 client eth0
	link_add host eth1 guest eth0
	if [ "${1:-}" = bridge ]; then
		outer=br0
		on host ip link add br0 type bridge
		on host ip link set br0 up
		on host ip link set eth0 master br0
	fi
	address_add host $outer 192.0.2.1/24 2001:db8::1/64
	address_add host eth1 10.0.0.1/24 2001:db8:a::1/64
	address_add guest eth0 10.0.0.2/24 2001:db8:a::2/64
	address_add client eth0 192.0.2.2/24 2001:db8::2/64
	on guest ip route add default via 10.0.0.1
	on guest ip -6 route add default via 2001:db8:a::1
	on client ip route add 10.0.0.0/8 via 192.0.2.1
	on client ip -6 route add 2001:db8:a::/64 via 2001:db8::1
	forwarding host
	no_rp_filter client
	for address in 192.0.2.2 2001:db8::2; do
		until_true 5 on guest ping -n -c 1 -W 1 $address > /dev/null
	done
}

@test "a packet with this host's source that is routed back to where it came from teaches nothing" {
	two_hosts
	forwarding host
	udp_serve agent host 161
	exits 0 on host ping -n -c 1 -W 8 2001:db8::2
	attach_sip eth0
	reflects 2001:db8::1
	same 0 "$(grep -c got "$DIR/agent.log")" 'datagrams to an unlisted port'
}

@test "with --forward, nor does one with a guest's source" {
	gateway
	udp_serve agent guest 161
	attach_sip eth0 --forward
	reflects 10.0.0.2
	reflects 2001:db8:a::2
	same 0 "$(grep -c got "$DIR/agent.log")" 'datagrams to an unlisted port'
	udp_serve answers client 7777
	asked 'answered 20' guest 192.0.2.2 7777
	asked 'answered 20' guest 2001:db8::2 7777
}

@test "bridge: nor if the filter is on a port, and the bridge routes it back" {
	gateway bridge
	udp_serve agent guest 161
	attach_sip eth0 --forward
	reflects 10.0.0.2
	reflects 2001:db8:a::2
	same 0 "$(grep -c got "$DIR/agent.log")" 'datagrams to an unlisted port'
	udp_serve answers client 7777
	asked 'answered 20' guest 192.0.2.2 7777
	asked 'answered 20' guest 2001:db8::2 7777
}

# Moves the addresses of FROM, of `host`, to TO above it.
readdress()
{
	on host ip address flush dev "$1"
	on host ip link set "$2" up
	address_add host "$2" 192.0.2.1/24 2001:db8::1/64
	no_rp_filter host
	until_true 5 on host ping -n -c 1 -W 1 192.0.2.2 > /dev/null
	until_true 5 on host ping -n -c 1 -W 1 2001:db8::2 > /dev/null
}

@test "macvlan on a bridge: nor by what is above the bridge, put there since the attach, after a swap" {
	gateway
	udp_serve agent guest 161
	attach_sip eth0 --forward
	on host ip link add br0 type bridge
	on host ip link set eth0 master br0
	readdress eth0 br0
	as host swap eth0 --catalog "$TINY"
	reflects 10.0.0.2
	reflects 2001:db8:a::2
	on host ip link add link br0 name mac0 type macvlan mode bridge
	readdress br0 mac0
	as host swap eth0 --catalog "$TINY"
	reflects 10.0.0.2 mac0
	reflects 2001:db8:a::2 mac0
	same 0 "$(grep -c got "$DIR/agent.log")" 'datagrams to an unlisted port'
}

@test "more interfaces above it than are remembered: a warning, with --forward only" {
	local i

	two_hosts
	for i in {1..9}; do
		on host ip link add link eth0 name "mac$i" type macvlan mode bridge
	done
	exits 0 attach_sip eth0
	says_not 'interfaces above it'
	exits 0 as host swap eth0 --forward --catalog "$TINY"
	says 'eth0: has 9 interfaces above it'
	on host ip link del mac9
	exits 0 as host swap eth0 --catalog "$TINY"
	says_not 'interfaces above it'
}

# --- answers out of another interface ---

# answered_out_of_eth1 PACKETS
answered_out_of_eth1()
{
	[ "$(as host counters eth1 --json | jq '.interfaces[0].outbound_total.pass.packets')" -ge "$1" ]
}

@test "a flood to a listed port, with sources behind another interface, teaches nothing there" {
	gateway
	on host ip route add 10.77.0.0/16 via 10.0.0.2
	udp_serve service host 5060
	udp_serve answers guest 7777
	attach_sip eth0
	attach_tiny host eth1
	frames client eth0 "$(mac_of host eth0)" \
		'one = bytes(e / IP(src="10.77.0.0", dst="192.0.2.1") / UDP(sport=9999, dport=5060, chksum=0) / b"x")
frames = [Ether(one[:26] + bytes([10, 77, i >> 8, i & 255]) + one[30:]) for i in range(3000)]
for frame in frames: del frame[IP].chksum'
	until_true 5 answered_out_of_eth1 2900
	same 0 "$(flows_used host)" 'flows'
	asked 'answered 20' host 10.0.0.2 7777
	asked 'answered 20' host 10.0.0.2 7777 --source-port 40777
	stop service
	asked 'answered 20' host 10.0.0.2 7777 --source-port 5060
}

# --- this host's own packets whose addresses or sockets differ from the packet's ---

# own_is_served IPV4 IPV6: TCP and both kinds of UDP, begun by `host`.
own_is_served()
{
	local address

	for address in "$1" "$2"; do
		talk_connect near host "$address" 7000
		speaks_to near far
		speaks_to far near
		stop near
		asked 'answered 5000' host "$address" 7777 --answer 5000
		asked 'answered 5000' host "$address" 7777 --answer 5000 --connected
	done
}

@test "this host's traffic gets its answers behind address translation, of destinations and of sources" {
	two_hosts
	talk_listen far client 7000
	udp_serve answers client 7777
	# IPv6 addresses that differ in their first or in their last word from those that replace them.
	address_add host lo 10.9.9.1/32 2011:db8::1/128
	on host ip route add 203.0.113.5 dev eth0
	on host ip -6 route add 2011:db8::2 dev eth0
	on host nft -f - <<-'NFT'
		table inet nat {
			chain out {
				type nat hook output priority -100
				ip daddr 203.0.113.5 dnat ip to 192.0.2.2
				ip6 daddr { 2011:db8::2, 2001:db8::5 } dnat ip6 to 2001:db8::2
			}
			chain post {
				type nat hook postrouting priority srcnat
				oifname "eth0" ip saddr 10.9.9.1 masquerade
				oifname "eth0" ip6 saddr { 2011:db8::1, 2001:db8::9 } masquerade
			}
		}
	NFT
	attach_tiny host eth0
	own_is_served 203.0.113.5 2011:db8::2
	asked 'answered 5000' host 2001:db8::5 7777 --answer 5000 --connected
	# Now from the second address.
	on host ip route add 192.0.2.2 dev eth0 src 10.9.9.1
	on host ip -6 route add 2001:db8::2 dev eth0 src 2011:db8::1
	own_is_served 192.0.2.2 2001:db8::2
	own_is_served 203.0.113.5 2011:db8::2
	address_add host lo 2001:db8::9/128
	on host ip -6 route replace 2001:db8::2 dev eth0 src 2001:db8::9
	asked 'answered 5000' host 2001:db8::2 7777 --answer 5000 --connected
	udp_serve mute host 7001
	asked nothing client 192.0.2.1 7001 --timeout 0.4
	unanswered client 192.0.2.1 7000
}

# speak_on: both ends of each talk that `lives` made speak, this host's last.
speak_on()
{
	local name

	for name in "$@"; do
		speaks_to "far-$name" "near-$name"
		speaks_to "near-$name" "far-$name"
	done
}

# Quiet connections of `host` whose packets have other addresses or ports than its sockets.
@test "translated connections that end here live over an attach and a swap, whoever speaks first, with --forward or not" {
	local option

	two_hosts
	address_add host lo 10.9.9.1/32 2001:db8:9::1/128
	on host ip route add 203.0.113.5 dev eth0
	on host ip -6 route add 2001:db8:5::5 dev eth0
	on client ip route add 203.0.113.80 via 192.0.2.1
	on client ip -6 route add 2001:db8:80::80 via 2001:db8::1
	on host nft -f - <<-'NFT'
		table inet nat {
			chain in {
				type nat hook prerouting priority -100
				tcp dport 5000 redirect to :7001
				ip daddr 203.0.113.80 tcp dport 5000 dnat ip to 192.0.2.1:7001
				ip6 daddr 2001:db8:80::80 tcp dport 5000 dnat ip6 to [2001:db8::1]:7001
			}
			chain out {
				type nat hook output priority -100
				ip daddr 203.0.113.5 dnat ip to 192.0.2.2
				ip6 daddr 2001:db8:5::5 dnat ip6 to 2001:db8::2
			}
			chain post {
				type nat hook postrouting priority srcnat
				oifname "eth0" ip saddr 10.9.9.1 masquerade
				oifname "eth0" ip6 saddr 2001:db8:9::1 masquerade
			}
		}
	NFT
	for option in '' --forward; do
		talk_listen far-dnat4 client 7000
		talk_connect near-dnat4 host 203.0.113.5 7000
		talk_listen far-dnat6 client 7002
		talk_connect near-dnat6 host 2001:db8:5::5 7002
		on host ip route add 192.0.2.2 dev eth0 src 10.9.9.1
		on host ip -6 route add 2001:db8::2 dev eth0 src 2001:db8:9::1
		talk_listen far-snat4 client 7003
		talk_connect near-snat4 host 192.0.2.2 7003
		talk_listen far-snat6 client 7004
		talk_connect near-snat6 host 2001:db8::2 7004
		on host ip route del 192.0.2.2 dev eth0 src 10.9.9.1
		on host ip -6 route del 2001:db8::2 dev eth0 src 2001:db8:9::1
		talk_listen server host 7001
		talk_connect redirect4 client 192.0.2.1 5000
		talk_connect redirect6 client 2001:db8::1 5000
		talk_connect virtual4 client 203.0.113.80 5000
		talk_connect virtual6 client 2001:db8:80::80 5000
		# shellcheck disable=SC2086
		attach_tiny host eth0 $option
		speak_on dnat4 dnat6 snat4 snat6
		as host swap eth0 -p sip --catalog "$TINY"
		for name in redirect4 redirect6 virtual4 virtual6; do
			speaks_to $name server
		done
		speaks_to server redirect4
		speak_on dnat4 dnat6 snat4 snat6
		unanswered client 192.0.2.1 5000
		stop_all
		as host detach eth0
	done
}

@test "UDP that this host began is known from conntrack at the attach: the peer speaks first" {
	local address

	two_hosts
	on host nft -f - <<-'NFT'
		table inet t {
			chain i {
				type filter hook input priority 0
				ct state invalid drop
			}
		}
	NFT
	for address in 192.0.2.2 2001:db8::2; do
		udp_serve slow client 7777 --delay 3
		start asking host /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" ask $address 7777 --announce
		until_logged asking sent
		attach_tiny host eth0
		until_logged asking 'answered 20'
		stop slow
		as host detach eth0
	done
	udp_serve mute host 7001 --mute
	asked nothing client 192.0.2.1 7001 --source-port 7070 --timeout 0.2
	attach_tiny host eth0
	same 0 "$(as host flows --json | jq '[.flows[] | select(.local_port == 7001)] | length')" 'begun by the peer'
}

@test "macvlan: a guest in another network namespace is served with --forward" {
	two_hosts
	host_add guest
	on host ip link add link eth0 name mac0 type macvlan mode bridge
	on host ip link set mac0 netns guest
	on guest ip link set mac0 up
	address_add guest mac0 192.0.2.3/24 2001:db8::3/64
	talk_listen far client 7000
	udp_serve answers client 7777
	attach_tiny host eth0 --forward
	for address in 192.0.2.2 2001:db8::2; do
		talk_connect near guest $address 7000
		speaks_to near far
		speaks_to far near
		stop near
		asked 'answered 5000' guest $address 7777 --answer 5000
		asked 'answered 5000' guest $address 7777 --answer 5000 --connected
	done
	udp_serve mute guest 7001
	talk_listen shut guest 7001
	asked nothing client 192.0.2.3 7001 --timeout 0.4
	unanswered client 192.0.2.3 7001
	same 0 "$(grep -c got "$DIR/mute.log")" 'datagrams to an unlisted port'
}

# raw_syn PORT [SOCKET]: prints the flags of the answer to a crafted SYN; scapy sends it by a packet socket, or by
# SOCKET.
raw_syn()
{
	on host timeout 20 /usr/bin/python3 -c 'import logging, sys
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
if sys.argv[2:]:
    conf.L3socket = globals()[sys.argv[2]]
answer = sr1(IP(dst="192.0.2.2") / TCP(sport=int(sys.argv[1]), dport=7000, flags="S"), timeout=2, verbose=0)
print(answer[TCP].flags if answer else "nothing")' "$@"
}

@test "a crafted SYN gets its SYN-ACK, from a raw and from a packet socket" {
	two_hosts
	talk_listen far client 7000
	attach_tiny host eth0
	same SA "$(raw_syn 33334 L3RawSocket)" 'answer'
	same SA "$(raw_syn 33335)" 'answer'
}

# --- half-open connections ---

half_open()
{
	[ "$(on host ss -Htn state syn-recv "sport = :$1" | wc -l)" -ge 90 ]
}

# half_open_on DEVICE: an attach and a swap do not take a half-open connection of a socket on it for a live one.
half_open_on()
{
	on host ip route add 203.0.113.0/24 via 192.0.2.2
	no_rp_filter host
	talk_listen server host 7001 --device "$1"
	talk_connect live client 192.0.2.1 7001
	frames client eth0 "$(mac_of host eth0)" \
		'frames = [e / IP(src=f"203.0.113.{i}", dst="192.0.2.1") / TCP(sport=9999, dport=7001, flags="S")
for i in range(1, 101)]'
	until_true 5 half_open 7001
	attach_tiny host eth0
	half_open 7001 || fail 'they are gone'
	same 0 "$(as host flows --json | jq '[.flows[] | select(.remote | startswith("203.0.113."))] | length')" 'flows'
	as host swap eth0 -p tiny-host --catalog "$TINY"
	same 0 "$(as host flows --json | jq '[.flows[] | select(.remote | startswith("203.0.113."))] | length')" 'flows'
	speaks_to live server
	speaks_to server live
}

@test "half-open connections are not seeded, and live ones are: a socket that is bound to the interface" {
	two_hosts
	half_open_on eth0
	same established "$(as host flows --json | jq -r '.flows[0].state')" 'the live one'
}

@test "bridge: half-open connections are not seeded: a socket that is bound to the bridge" {
	host_add host
	host_add client
	link_add host eth0 client eth0
	on host ip link add br0 type bridge
	on host ip link set br0 up
	on host ip link set eth0 master br0
	address_add host br0 192.0.2.1/24 2001:db8::1/64
	address_add client eth0 192.0.2.2/24 2001:db8::2/64
	until_true 5 on host ping -n -c 1 -W 1 192.0.2.2 > /dev/null
	half_open_on br0
}
