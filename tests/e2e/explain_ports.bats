#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `explain` against real packets through the live filter: all 65,536 ports of TCP and UDP, IPv4 and IPv6, from inside and
# outside of each group, SYN and not, with connections and flows that live. See explain_ports.py.

load helper
load programs

setup_file()
{
	sandbox_start
	host_add host
	host_add_silent sender
	host_add client
	link_add host eth0 sender eth0
	link_add host eth1 client eth0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	address_add host eth1 203.0.113.1/24 2001:db8:ffff::1/64
	address_add client eth0 203.0.113.9/24 2001:db8:ffff::9/64
	on client ip route add 192.0.2.0/24 via 203.0.113.1
	on client ip route add 2001:db8::/64 via 2001:db8:ffff::1
	on host ip neigh replace 192.0.2.77 lladdr "$(mac_of sender eth0)" dev eth0 nud permanent
	on host ip neigh replace 2001:db8::77 lladdr "$(mac_of sender eth0)" dev eth0 nud permanent
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

established()
{
	[ "$(on host ss -Htn state established 'dport = :40000' | wc -l)" = 2 ]
}

connected_udp()
{
	[ "$(on host ss -Hun state established 'dport = :40000' | wc -l)" = 2 ]
}

# The live connections: a TCP connection and a connected UDP socket with the client, of each family, and flows of
# unconnected sockets.
live_begins()
{
	in_background host socat -u TCP6-LISTEN:7001,fork,ipv6only=0 OPEN:/dev/null
	until_true 5 listening host 7001
	in_background client socat -u EXEC:'sleep 900' TCP:192.0.2.1:7001,bind=203.0.113.9:40000
	in_background client socat -u EXEC:'sleep 900' 'TCP:[2001:db8::1]:7001,bind=[2001:db8:ffff::9]:40000'
	until_true 5 established
	in_background host socat -u EXEC:'sleep 900' UDP:203.0.113.9:40000,bind=192.0.2.1:7002
	in_background host socat -u EXEC:'sleep 900' 'UDP:[2001:db8:ffff::9]:40000,bind=[2001:db8::1]:7003'
	until_true 5 connected_udp
}

# Sends from unconnected sockets through the filter's interface, repeatedly, so that no flow ends.
flows_begin()
{
	# shellcheck disable=SC2016
	in_background host bash -c 'for _ in {1..150}; do
		echo x | socat -u STDIN UDP-SENDTO:192.0.2.77:40000,bind=192.0.2.1:7004
		echo x | socat -u STDIN "UDP-SENDTO:[2001:db8::77]:40000,bind=[2001:db8::1]:7005"
		sleep 4
	done'
	until_true 5 flows_are 2
}

flows_are()
{
	[ "$(pc flows --json | jq .used)" = "$1" ]
}

# compare KIND GROUP...: asks explain, sends, and compares.
compare()
{
	pc counters eth0 --clear > /dev/null
	/usr/bin/python3 "$ROOT/tests/e2e/explain_ports.py" flows "$@" > "$DIR/flows"
	on host "$TOOLS/explain_all" eth0 < "$DIR/flows" > "$DIR/explained"
	[ "$(pc counters eth0 --json | jq '.interfaces[0].total | [.[].packets] | add')" -lt 20 ] ||
		fail 'questions were counted'
	send_flows < "$DIR/flows" > "$DIR/sent"
	pc counters eth0 --json > "$DIR/counters"
	exits 0 /usr/bin/python3 "$ROOT/tests/e2e/explain_ports.py" judge "$1" "$DIR/counters" "$DIR/explained" "${@:2}"
	echo "  $output" | head -1 >&3
}

@test "all ports: under observe would be dropped what enforce drops" {
	pc attach eth0 -p ssh --observe --force
	/usr/bin/python3 "$ROOT/tests/e2e/explain_ports.py" flows begin > "$DIR/flows"
	on host "$TOOLS/explain_all" eth0 < "$DIR/flows" > "$DIR/observed"
	pc swap eth0 --enforce --force
	on host "$TOOLS/explain_all" eth0 < "$DIR/flows" > "$DIR/enforced"
	cmp "$DIR/observed" "$DIR/enforced"
}

@test "all ports, from inside and outside of each group, with connections and flows that live" {
	live_begins
	pc attach eth0 -p communigate-pro,xeams --enable imap --group trusted=198.18.1.0/24,2001:db8:1::/48 --force
	flows_begin
	compare begin trusted
	compare live trusted
	# Live connections are found: six ports of the four kinds.
	[ "$(jq '.interfaces[0].replies.packets' "$DIR/counters")" = 6 ] || fail "$(jq .interfaces[0].replies "$DIR/counters")"
}
