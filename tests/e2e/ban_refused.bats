#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Whom `ban` does not cut off without --force: the caller, other administrators, gateways, name servers, DHCP servers, this
# host. By a real sshd, a real lease and real neighbours; and what goes on inside a wider ban.

load helper
load who_may
load servers

setup_file()
{
	sandbox_start
	two_hosts
	tiny_catalog
	# The hosts behind the filter: a gateway, a DHCP server, a name server, administrators; and hosts that are
	# reached through the gateway.
	address_add client eth0 192.0.2.3/24 192.0.2.4/24 192.0.2.5/24 192.0.2.6/24 192.0.2.7/24 2001:db8::3/64
	address_add client lo 198.51.100.1/32 2001:db8:3::1/128
	echo 'nameserver 192.0.2.4' > "$DIR/resolv.conf"
	inside mount --bind "$DIR/resolv.conf" /etc/resolv.conf
	on host ip route add 198.51.100.0/24 via 192.0.2.3
	on host ip route add 2001:db8:3::/64 via 2001:db8::3
	start_sshd host -p 22
	start server host socat TCP6-LISTEN:5000,fork,reuseaddr,ipv6only=0 EXEC:cat
	until_true 10 listening host 22
	until_true 10 listening host 5000
	as host attach eth0 -p tiny-host,ssh --mode native --catalog "$TINY" --catalog "$CATALOG"
}

teardown_file()
{
	stop_all
	sandbox_end
}

teardown()
{
	stop login
	pc unban --all > /dev/null
}

# by_ssh FROM COMMAND: runs it in an administrator's SSH session from that address.
by_ssh()
{
	on client timeout 4 ssh -F "$DIR/ssh/config" -b "$1" 192.0.2.1 "$2"
}

# refused PREFIX WHAT: the ban is refused, and the message names the protected host.
refused()
{
	exits 1 pc ban "$1"
	says "$2" 'ban: refused, nothing was banned; --force bans it all the same'
	same_bans '[]'
}

# A gateway passes within a wider ban, and so does what it routes.
routed()
{
	on host ping -n -c 1 -W 2 "$1" > /dev/null || fail "$1 is not reached by the gateway"
}

@test "the caller's own session, by SSH: refused, also behind su and for a prefix; --force bans it, and the session is dead" {
	exits 1 by_ssh 192.0.2.5 "$PORTCULLIS ban 198.51.100.9 192.0.2.5"
	says '192.0.2.5/32: has 192.0.2.5: your own session' 'nothing was banned; --force'
	exits 1 by_ssh 192.0.2.5 "su - -c '$PORTCULLIS ban 192.0.2.0/24'"
	says '192.0.2.0/24: has 192.0.2.5: your own session'
	same_bans '[]'
	# Another host's address does not count as the caller's.
	exits 0 by_ssh 192.0.2.5 "$PORTCULLIS ban 192.0.2.7"
	same_bans '["192.0.2.7/32 manual"]'
	run by_ssh 192.0.2.5 "$PORTCULLIS ban --force 192.0.2.5 < /dev/null; cat" < <(until banned '["192.0.2.5/32 manual","192.0.2.7/32 manual"]'; do :; done; echo alive)
	same 124 "$status" 'the exit of a session that hears nothing'
	[[ $output != *alive* ]] || fail 'the session lives on'
	same_bans '["192.0.2.5/32 manual","192.0.2.7/32 manual"]'
	exits 255 by_ssh 192.0.2.5 true
	exits 0 by_ssh 192.0.2.6 true
}

@test "another administrator, who is logged in: refused; inside a wider ban by force the login goes on; by force it is cut off" {
	# shellcheck disable=SC2016
	start login client ssh -F "$DIR/ssh/config" -b 192.0.2.6 192.0.2.1 'echo logged in; while sleep 0.1; do echo on; done'
	until_logged login 'logged in'
	refused 192.0.2.6 '192.0.2.6/32: has 192.0.2.6: a connected administrator'
	exits 0 pc ban --force 192.0.2.0/24
	login_goes_on
	by_ssh 192.0.2.6 true
	exits 255 by_ssh 192.0.2.7 true
	exits 0 pc ban --force 192.0.2.6
	exits 255 by_ssh 192.0.2.6 true
	# A host whose own ban is lifted passes within the wider ban again.
	exits 1 pc unban 192.0.2.6
	says '192.0.2.6/32: no longer banned by list manual' '192.0.2.6/32: still banned: list manual has 192.0.2.0/24'
	by_ssh 192.0.2.6 true
}

login_goes_on()
{
	local before

	before=$(wc -l < "$DIR/login.log")
	until_true 5 eval "[ \$(wc -l < '$DIR/login.log') -gt $before ]"
}

@test "a next hop, a name server, an own address, a neighbour's link-local one: refused, each named; by force it is in force" {
	refused 192.0.2.3 '192.0.2.3/32: has 192.0.2.3: a gateway of this host'
	refused 2001:db8::3 '2001:db8::3/128: has 2001:db8::3: a gateway of this host'
	refused 192.0.2.4 '192.0.2.4/32: has 192.0.2.4: a name server of this host'
	refused 192.0.2.1 '192.0.2.1/32: has 192.0.2.1: an address of this host'
	refused fe80::3 'fe80::3/128: is link-local'
	refused 192.0.2.0/29 'a name server of this host'
	on host ping -n -c 1 -W 1 192.0.2.4 > /dev/null
	exits 0 pc ban --force 192.0.2.4
	exits 1 on host ping -n -c 1 -W 0.3 192.0.2.4
	exits 0 pc ban --force 192.0.2.3
	# Packets that the gateway routes have other sources.
	routed 198.51.100.1
}

@test "what passes inside a wider ban passes after every other command, too: unban of others, a killed one, a table made anew" {
	local prefix

	for prefix in 192.0.2.0/24 2001:db8::/48; do
		exits 0 pc ban --force $prefix
	done
	gateways_pass
	exits 0 pc ban --list other 198.51.100.9
	exits 0 pc unban --list other --all
	gateways_pass
	exits 0 pc ban --list other --replace 198.51.100.9 198.51.100.10
	gateways_pass
	exits 0 pc unban --list other --park
	exits 0 pc ban --list other --resume
	gateways_pass
	# The state after a command that was killed between writing the file and the table.
	printf 'left over' | inside sh -c 'cat >> /run/portcullis/bans-*'
	exits 0 pc ban --list other 198.51.100.11
	gateways_pass
	pc swap eth0 --open 6000/tcp
	gateways_pass
	# The host is banned itself, and unbanned again.
	for prefix in 192.0.2.3 2001:db8::3; do
		exits 0 pc ban --force $prefix
		exits 1 on host ping -n -c 1 -W 0.3 $prefix
		exits 1 pc unban $prefix
	done
	gateways_pass
}

# Gateways and name servers get through; other hosts do not.
gateways_pass()
{
	local address

	for address in 192.0.2.3 192.0.2.4 2001:db8::3; do
		on host ping -n -c 1 -W 2 $address > /dev/null || fail "$address is cut off"
	done
	for address in 192.0.2.7 2001:db8::2; do
		! on host ping -n -c 1 -W 0.2 $address > /dev/null || fail "$address gets through"
	done
}

# of_another_boot: makes the kept hosts those of an earlier boot.
of_another_boot()
{
	inside sh -c 'sed -i "1s/[0-9a-f-]\{36\}$/11111111-2222-3333-4444-555555555555/" /run/portcullis/bans-* /run/portcullis/neighbours-*'
}

@test "after a boot, before the network is up: gateways and name servers of before pass inside a wider ban; a ban has them as they are then" {
	exits 0 pc ban --force 192.0.2.0/24 2001:db8::/48
	gateways_pass
	pc detach eth0
	of_another_boot
	on host ip route del 198.51.100.0/24
	on host ip route del 2001:db8:3::/64
	: > "$DIR/resolv.conf"
	as host attach eth0 -p tiny-host,ssh --mode native --catalog "$TINY" --catalog "$CATALOG"
	gateways_pass
	# Without a gateway the network is not up yet, so the kept hosts are not replaced.
	exits 0 pc ban --list other --replace 198.51.100.9
	exits 0 pc ban --list other --replace 198.51.100.10
	gateways_pass
	on host ip route add 198.51.100.0/24 via 192.0.2.3
	exits 0 pc ban --list other --replace 198.51.100.9
	exits 0 pc ban --list other --replace 198.51.100.10
	on host ping -n -c 1 -W 2 192.0.2.3 > /dev/null
	! on host ping -n -c 1 -W 0.2 192.0.2.4 > /dev/null || fail 'a name server of before gets through'
	on host ip route add 2001:db8:3::/64 via 2001:db8::3
	echo 'nameserver 192.0.2.4' > "$DIR/resolv.conf"
	exits 0 pc ban --list other --replace 198.51.100.9
	gateways_pass
}

# kept_administrators ADDRESS...: exactly these are kept for the next boot.
kept_administrators()
{
	same "$(printf '%s\n' "$@")" "$(inside sh -c 'cut -d " " -f 1 /run/portcullis/administrators-* 2> /dev/null')"
}

# only_admin_passes: the administrator of the earlier login gets through, the two strangers do not.
only_admin_passes()
{
	exits 0 by_ssh 192.0.2.6 true
	exits 255 by_ssh 192.0.2.5 true
	exits 255 by_ssh 192.0.2.7 true
}

@test "after a boot an administrator who was logged in when a wider ban came logs in; one who only connected does not" {
	# shellcheck disable=SC2016
	start login client ssh -F "$DIR/ssh/config" -b 192.0.2.6 192.0.2.1 'echo logged in; while sleep 0.1; do echo on; done'
	until_logged login 'logged in'
	# A session counts only after the handshake, and only at a server that asks for a password.
	start knock client socat -u TCP4:192.0.2.1:22,bind=192.0.2.7 -
	until_logged knock '^SSH-'
	start talk client socat -u TCP4:192.0.2.1:5000,bind=192.0.2.5 -
	until_true 5 eval '[ "$(on host ss -Htn state established sport = :5000 dst 192.0.2.5 | wc -l)" = 1 ]'
	exits 0 pc ban --force 192.0.2.0/24
	kept_administrators 192.0.2.6
	stop login
	stop knock
	stop talk
	pc detach eth0
	of_another_boot
	as host attach eth0 -p tiny-host,ssh --mode native --catalog "$TINY" --catalog "$CATALOG"
	only_admin_passes
	# In a new table, made without a login.
	exits 0 pc ban --list other --replace 198.51.100.9
	only_admin_passes
	# A ban of exactly this address keeps it on the list if the ban ends, and removes it if the ban has no end.
	exits 0 pc ban 192.0.2.6 --for 1h
	exits 255 by_ssh 192.0.2.6 true
	kept_administrators 192.0.2.6
	exits 0 pc ban 192.0.2.6
	kept_administrators
	exits 1 pc unban 192.0.2.6
	exits 0 pc ban --list other --replace 198.51.100.10
	exits 255 by_ssh 192.0.2.6 true
}

@test "administrators are kept for a wider ban also if its list is parked, if there is no filter, and for deny; none without one" {
	# shellcheck disable=SC2016
	start login client ssh -F "$DIR/ssh/config" -b 192.0.2.6 192.0.2.1 'echo logged in; while sleep 0.1; do echo on; done'
	until_logged login 'logged in'
	exits 0 pc ban --force 192.0.2.6 --for 1h
	kept_administrators
	exits 0 pc unban --all
	exits 0 pc ban --force --list wide 192.0.2.0/24
	kept_administrators 192.0.2.6
	exits 0 pc unban --list wide --park
	kept_administrators 192.0.2.6
	exits 0 pc ban --list wide --resume
	kept_administrators 192.0.2.6
	exits 0 pc unban --all
	kept_administrators
	pc detach eth0
	exits 0 pc ban --force 192.0.2.0/24
	kept_administrators 192.0.2.6
	as host attach eth0 -p tiny-host,ssh --mode native --catalog "$TINY" --catalog "$CATALOG"
	login_goes_on
	exits 0 pc unban --all
	kept_administrators
	printf '%s\n' 'groups: {bad: 192.0.2.0/24}' 'deny: [bad]' 'interfaces: {eth0: {profiles: [tiny-host, ssh]}}' > "$DIR/site.yaml"
	exits 0 as host apply --force --site "$DIR/site.yaml" --catalog "$TINY" --catalog "$CATALOG"
	kept_administrators 192.0.2.6
	login_goes_on
	pc swap eth0 -p tiny-host,ssh --force --catalog "$TINY" --catalog "$CATALOG"
	sed -i /^deny/d "$DIR/site.yaml"
	exits 0 as host apply --force --site "$DIR/site.yaml" --catalog "$TINY" --catalog "$CATALOG"
	kept_administrators
}

@test "a gateway and a name server that are banned themselves for a time, before or inside a wider ban, pass when that ends" {
	local address

	exits 0 pc ban --force 192.0.2.4 --for 4
	exits 0 pc ban --force 192.0.2.0/24 2001:db8::/48
	exits 0 pc ban --force 192.0.2.3 --for 3
	exits 0 pc ban --force 192.0.2.3 --for 4
	# The list with the later end is unbanned.
	exits 0 pc ban --force 2001:db8::3 --for 4
	exits 0 pc ban --force --list other 2001:db8::3
	exits 0 pc unban --list other 2001:db8::3
	for address in 192.0.2.3 192.0.2.4 2001:db8::3; do
		! on host ping -n -c 1 -W 0.2 $address > /dev/null || fail "$address gets through"
	done
	same 5 "$(pc status --json | jq '[.. | .bans? | numbers][0]')"
	for address in 192.0.2.3 192.0.2.4 2001:db8::3; do
		until_true 8 on host ping -n -c 1 -W 0.2 $address
	done
	gateways_pass
	# In a new table.
	exits 0 pc ban --force 192.0.2.3 192.0.2.4 2001:db8::3 --for 2
	exits 0 pc ban --list other --replace 198.51.100.9
	! on host ping -n -c 1 -W 0.2 192.0.2.3 > /dev/null || fail '192.0.2.3 gets through'
	for address in 192.0.2.3 192.0.2.4 2001:db8::3; do
		until_true 8 on host ping -n -c 1 -W 0.2 $address
	done
	gateways_pass
}

# lease: dhclient asks for a lease, and gets one.
lease()
{
	: > "$DIR/lease.log"
	start lease host dhclient -d -cf /dev/null -lf /var/lib/dhcp/dhclient.eth0.leases -pf "$DIR/lease.pid" -sf "$DIR/lease-script" eth0
	until_logged lease '^lease: 192\.0\.2\.1[0-9][0-9] by 192\.0\.2\.2'
	stop lease
}

@test "the DHCP server of a lease: refused; inside a wider ban by force a lease is had again; banned itself it is not heard" {
	# shellcheck disable=SC2016
	printf '#!/bin/sh\n[ -z "$new_ip_address" ] || echo "lease: $new_ip_address by $new_dhcp_server_identifier"\n' > "$DIR/lease-script"
	chmod 755 "$DIR/lease-script"
	inside mkdir -p /var/lib/dhcp
	start serving client dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --port=0 --user=root \
		--interface=eth0 --bind-interfaces --no-ping --log-dhcp --log-facility=- --pid-file= \
		--dhcp-leasefile="$DIR/leases.server" --dhcp-range=192.0.2.100,192.0.2.150,2m --dhcp-option=option:router
	until_logged serving started
	exits 0 pc ban 192.0.2.2
	exits 0 pc unban 192.0.2.2
	lease
	refused 192.0.2.2 '192.0.2.2/32: has 192.0.2.2: a DHCP server of this host'
	exits 0 pc ban --force 192.0.2.0/24
	lease
	exits 0 pc ban --force 192.0.2.2
	start lease host dhclient -d -1 -cf /dev/null -lf /var/lib/dhcp/dhclient.eth0.leases -pf "$DIR/lease.pid" -sf "$DIR/lease-script" eth0
	until_true 5 eval '[ $(grep -c "DHCPACK(eth0)" "$DIR/serving.log") -ge 3 ]'
	! grep '^lease: 1' "$DIR/lease.log" || fail 'the banned server is heard'
	stop lease
	pc unban --all
	# Another client, which stores the server's message as received.
	inside rm -r /var/lib/dhcp
	inside mkdir -p -m 755 /var/lib/dhcpcd
	exits 0 pc ban 192.0.2.2
	exits 0 pc unban 192.0.2.2
	start lease host dhcpcd -4 -B -f /dev/null -c /bin/true --noarp eth0
	until_true 10 inside test -s /var/lib/dhcpcd/eth0.lease || fail "$(cat "$DIR/lease.log")"
	refused 192.0.2.2 '192.0.2.2/32: has 192.0.2.2: a DHCP server of this host'
	stop lease
	stop serving
}

# lease6: dhclient asks for a lease by DHCPv6, and gets one.
lease6()
{
	: > "$DIR/lease.log"
	inside rm -f /var/lib/dhcp/dhclient6.leases
	start lease host dhclient -6 -d -cf /dev/null -lf /var/lib/dhcp/dhclient6.leases -pf "$DIR/lease.pid" -sf "$DIR/lease-script" eth0
}

@test "DHCPv6: by force inside a wider ban of the server's prefix a lease is had; the server's link-local address is refused, by force it is not heard" {
	local server heard

	# shellcheck disable=SC2016
	printf '#!/bin/sh\n[ -z "$new_ip6_address" ] || echo "lease: $new_ip6_address"\n' > "$DIR/lease-script"
	chmod 755 "$DIR/lease-script"
	inside mkdir -p /var/lib/dhcp
	server=$(on client ip -6 -json address show dev eth0 scope link | jq -r '.[].addr_info[] | .local // empty')
	start serving client dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --port=0 --user=root \
		--interface=eth0 --bind-interfaces --log-dhcp --log-facility=- --pid-file= \
		--dhcp-leasefile="$DIR/leases6.server" --dhcp-range=2001:db8::100,2001:db8::1ff,64,2m
	until_logged serving started
	exits 0 pc ban --force 2001:db8::/48
	lease6
	until_logged lease '^lease: 2001:db8::1'
	stop lease
	refused_link_local "$server"
	exits 0 pc ban --force "$server"
	heard=$(grep -c 'DHCPADVERTISE(eth0)' "$DIR/serving.log")
	lease6
	until_true 8 eval "[ \"\$(grep -c 'DHCPADVERTISE(eth0)' '$DIR/serving.log')\" -ge $((heard + 2)) ]"
	! grep '^lease: 2' "$DIR/lease.log" || fail 'the banned server is heard'
	stop lease
	stop serving
}

refused_link_local()
{
	exits 1 pc ban "$1"
	says "$1/128: is link-local" 'ban: refused, nothing was banned'
}
