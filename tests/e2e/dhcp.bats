#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# DHCP leases and their renewal, router advertisements and neighbour discovery, from a cold start: real dnsmasq
# beyond the filter, real udhcpc and dhclient behind it.

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

setup()
{
	host_add host
	host_add server
	link_add host eth0 server eth0
	# dhclient makes the IAID from the last four bytes of the MAC, and cannot read a lease file whose IAID is text
	# with a backslash.
	on host ip link set eth0 down
	on host ip link set eth0 address 02:00:00:00:00:01 up
	address_add server eth0 192.0.2.2/24 2001:db8::2/64
	address_add server lo 203.0.113.7/32 2001:db8:3::7/128
	until_true 5 link_local_usable server
	until_true 5 link_local_usable host
}

link_local_usable()
{
	[ -n "$(on "$1" ip -6 -oneline address show dev eth0 scope link -tentative)" ]
}

teardown()
{
	stop_all
	detach_all host
	host_del host
	host_del server
	rm -f "$DIR"/leases*
}

# serve OPTION...: runs dnsmasq on `server`; its log is serving.log.
serve()
{
	start serving server dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --port=0 \
		--user=root --interface=eth0 --bind-interfaces --no-ping --log-dhcp --log-facility=- \
		--pid-file= --dhcp-leasefile="$DIR/leases.server" "$@"
	until_logged serving 'started'
}

# The client's script sets only an address and a route, and leaves the machine's files alone.
lease_script()
{
	cat > "$DIR/lease-script" <<-'END'
		#!/bin/sh
		# udhcpc passes the reason as an argument, dhclient in $reason.
		case ${1:-$reason} in
		bound|renew)
			ip address replace "$ip/$mask" dev "$interface"
			ip route replace default via "$router" ;;
		deconfig)
			ip address flush dev "$interface" scope global ;;
		BOUND6|RENEW6|REBIND6)
			ip address replace "$new_ip6_address/64" dev "$interface" ;;
		esac
		echo "lease: ${1:-$reason} ${ip:-$new_ip6_address}"
		exit 0
	END
	chmod 755 "$DIR/lease-script"
}

# dhcpv4 [OPTION]...: gets a lease and renews it while the filter is attached with these options.
dhcpv4()
{
	lease_script
	serve --dhcp-range=192.0.2.100,192.0.2.150,2m --dhcp-option=option:router,192.0.2.2
	as host attach eth0 -p tiny-host --mode native --catalog "$TINY" "$@"
	start leasing host udhcpc -f -i eth0 -s "$DIR/lease-script" -t 5 -T 1
	until_logged leasing '^lease: bound 192\.0\.2\.1[0-5][0-9]' 10
	until_logged serving 'DHCPACK\(eth0\) 192\.0\.2\.1'
	signal leasing USR1
	until_logged leasing '^lease: renew 192\.0\.2\.1' 10
	# udhcpc sometimes asks twice when it is told to hurry.
	[ "$(grep -c 'DHCPACK(eth0)' "$DIR/serving.log")" -ge 2 ] || fail 'the renewal was not acknowledged'
	# The leased address works.
	exits 0 on host ping -n -c 1 -W 8 203.0.113.7
	stop leasing
}

# dhcpv6 [OPTION]...
dhcpv6()
{
	lease_script
	serve --dhcp-range=2001:db8::100,2001:db8::1ff,64,2m
	as host attach eth0 -p tiny-host --mode native --catalog "$TINY" "$@"
	lease_v6
	until_logged leasing '^lease: BOUND6 2001:db8::1' 10
	exits 0 on host ping -n -c 1 -W 8 2001:db8::2
	stop leasing
	# Makes two thirds of the lease have passed, so that the client renews it at once.
	renewable_now "$DIR/leases.v6"
	lease_v6
	until_logged leasing '^lease: (RENEW6|REBIND6) 2001:db8::1' 15
	grep -qE 'DHCP(RENEW|REBIND)' "$DIR/serving.log"
	stop leasing
}

lease_v6()
{
	start leasing host dhclient -6 -d -cf /dev/null -lf "$DIR/leases.v6" -pf "$DIR/leases.pid" \
		-sf "$DIR/lease-script" eth0
}

# renewable_now FILE
renewable_now()
{
	sed -i -E "s/(starts) [0-9]+;/\1 $(($(date +%s) - 80));/" "$1"
}

@test "without what every host needs there is no lease: what follows is the profile's doing" {
	lease_script
	serve --dhcp-range=192.0.2.100,192.0.2.150,2m --dhcp-range=2001:db8::100,2001:db8::1ff,64,2m
	attach_tiny host eth0
	exits 1 on host timeout 10 udhcpc -f -n -q -i eth0 -s "$DIR/lease-script" -t 3 -T 1
	grep -q 'DHCPOFFER(eth0)' "$DIR/serving.log"
	lease_v6
	until_logged serving 'DHCPADVERTISE' 5
	sleep 1
	run ! grep BOUND6 "$DIR/leasing.log"
}

@test "DHCPv4: udhcpc gets a lease and renews it" {
	dhcpv4
}

@test "DHCPv4: udhcpc gets a lease and renews it under outbound enforcement" {
	dhcpv4 --outbound enforce
}

@test "DHCPv6: dhclient gets a lease and renews it" {
	dhcpv6
}

@test "DHCPv6: dhclient gets a lease and renews it under outbound enforcement" {
	dhcpv6 --outbound enforce
}

# banned_and_booted PREFIX...: bans these and reboots, so that the bans are kept, but nothing about the network is
# known.
banned_and_booted()
{
	printf 'interfaces:\n  eth0: {profiles: tiny-host}\n' > "$DIR/site.yaml"
	lease_script
	serve --dhcp-range=192.0.2.100,192.0.2.150,2m --dhcp-range=2001:db8::100,2001:db8::1ff,64,2m --dhcp-option=option:router,192.0.2.2
	exits 0 as host ban --force "$@"
	exits 0 as host apply --boot --as eth0 --site "$DIR/site.yaml" --catalog "$TINY" -- eth0
}

@test "a first lease after a boot under bans of everything, and a host that answers as a DHCP server" {
	banned_and_booted 0.0.0.0/0 ::/0
	start leasing host udhcpc -f -i eth0 -s "$DIR/lease-script" -t 5 -T 1
	until_logged leasing '^lease: bound 192\.0\.2\.1[0-5][0-9]' 10
	stop leasing
	lease_v6
	until_logged leasing '^lease: BOUND6 2001:db8::1' 10
	stop leasing
	# The server's other packets do not pass, nor packets of its own address to or from other ports.
	exits 1 on host ping -n -c 1 -W 0.4 192.0.2.2
	[ "$(reason host eth0 banned)" -gt 0 ] || fail 'nothing is dropped as banned'
	exits 0 as host explain eth0 192.0.2.2 68/udp --source-port 67 --json
	json_is '.verdicts[0] | .verdict == "pass" and .services == ["host:dhcpv4-client"]'
	exits 0 as host explain eth0 192.0.2.2 68/udp --source-port 66 --json
	json_is '.verdicts[0].rule == "banned"'
	exits 0 as host explain eth0 192.0.2.77 67/udp --source-port 68 --json
	json_is '.verdicts[0].rule == "unlisted"'
	# If the server itself is banned, its packets are dropped.
	exits 0 as host ban --force 192.0.2.2
	exits 0 as host explain eth0 192.0.2.2 68/udp --source-port 67 --json
	json_is '.verdicts[0].rule == "banned"'
	# Queries of multicast groups from neighbours pass, unless the neighbour itself is banned.
	exits 0 as host explain eth0 fe80::9 --icmp 130 --json
	json_is '.verdicts[0].verdict == "pass"'
	exits 0 as host ban --force fe80::9
	exits 0 as host explain eth0 fe80::9 --icmp 130 --json
	json_is '.verdicts[0].rule == "banned"'
	exits 0 as host ban --force fe80::/10
	exits 1 as host unban fe80::/10
	exits 0 as host explain eth0 fe80::8 --icmp 130 --json
	json_is '.verdicts[0].verdict == "pass"'
	inside sh -c 'rm -f /run/portcullis/bans-*'
}

# slaac [OPTION]...: sets the interface up with the filter on it.
slaac()
{
	talk_listen far server 7000
	udp_serve answers server 7777
	serve --enable-ra --dhcp-range=::,constructor:eth0,ra-only,64,2m
	on host ip link set eth0 down
	on host sh -c 'cd /proc/sys/net/ipv6/conf/eth0
		echo 2 > accept_ra; echo 1 > autoconf; echo 1 > accept_dad; echo 3 > router_solicitations'
	on host ip neigh flush all
	as host attach eth0 -p tiny --mode native --catalog "$TINY" "$@"
	on host ip link set eth0 up
	until_true 15 has_global_address
	until_true 15 has_default_route
}

has_global_address()
{
	[ -n "$(on host ip -6 -oneline address show dev eth0 scope global dynamic -tentative)" ]
}

has_default_route()
{
	[ -n "$(on host ip -6 route show default proto ra)" ]
}

@test "router advertisements: address, default route and TCP from a cold start" {
	slaac
	talk_connect near host 2001:db8:3::7 7000
	speaks_to near far
	speaks_to far near
	asked 'answered 5000' host 2001:db8::2 7777 --answer 5000
	# Neighbours are resolved again, from both sides.
	on host ip neigh flush all
	speaks_to near far
	on server ip neigh flush all
	speaks_to far near
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
}

@test "router advertisements: address and default route under outbound enforcement" {
	slaac --outbound enforce
	exits 0 on host ping -n -c 1 -W 2 2001:db8:3::7
	# The profile does not list it as outgoing.
	exits 1 on host socat -u OPEN:/dev/null 'TCP:[2001:db8:3::7]:7000,connect-timeout=0.7'
	[ "$(reason host eth0 outbound)" -gt 0 ] || fail 'no drop is counted as outbound'
}
