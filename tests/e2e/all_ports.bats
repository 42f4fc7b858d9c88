#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# All 65,536 TCP and UDP ports, IPv4 and IPv6, from inside and outside every group: exactly those that
# `show` says are open let a packet pass, for every shipped profile. See all_ports.py.

load helper

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
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# sweep OPTIONS...: attaches with these options, sends to every port (with $edges only to those at the edges), and
# compares.
edges=
sweep()
{
	exits 0 pc attach eth0 "$@"
	pc show --iface eth0 --json > "$DIR/shown"
	pc status eth0 --json | jq '.interfaces[0].recipe.groups' > "$DIR/groups"
	jq --slurpfile groups "$DIR/groups" '. + {groups: $groups[0]}' "$DIR/shown" > "$DIR/show"
	# shellcheck disable=SC2086
	/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" flows "$DIR/show" $edges | send_flows > "$DIR/sent"
	pc counters eth0 --json > "$DIR/counters"
	# shellcheck disable=SC2086
	exits 0 /usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" judge "$DIR/show" "$DIR/sent" "$DIR/counters" $edges
	echo "  $*: $output" | cut -c1-150 >&3
	pc detach eth0 > /dev/null
}

# plain_and_full PROFILE[,PROFILE]: sweeps with all features, groups and local services; if there are any, also without
# them, at the edges of the ports only.
plain_and_full()
{
	local more

	# shellcheck disable=SC2086
	pc show ${1//,/ } --json > "$DIR/all"
	mapfile -t more < <(/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" options "$DIR/all")
	if [ ${#more[@]} = 0 ] || [ -z "${more[0]}" ]; then
		sweep -p "$1"
		return
	fi
	edges=edges
	sweep -p "$1"
	edges=
	sweep -p "$1" "${more[@]}"
}

# The profiles that have no sweep of their own in this file.
unswept()
{
	pc profiles --json | jq -r '.profiles[].name' |
		grep -vxF "$(sed -n 's/^	plain_and_full \([a-z][a-z-]*\)$/\1/p' "$BATS_TEST_FILENAME")"
}

# tests/unit/vendor_rows.py finds a wrong port in one of these; here the filter must accept each profile, and admit what
# it lists.
@test "sweep: every other shipped profile as it comes; several with all that they have, at the edges of their ports" {
	edges=edges
	[ -n "$(unswept)" ] || fail 'none is left'
	for profile in $(unswept); do
		exits 0 pc attach eth0 -p "$profile"
		pc detach eth0 > /dev/null
	done
	# shellcheck disable=SC2046
	pc show $(unswept) --json > "$DIR/all"
	for profile in $(/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" together "$DIR/all"); do
		# shellcheck disable=SC2086
		pc show ${profile//,/ } --json > "$DIR/some"
		mapfile -t more < <(/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" options "$DIR/some")
		sweep -p "$profile" "${more[@]}"
	done
}

@test "sweep: asterisk" {
	plain_and_full asterisk
}

@test "sweep: communigate-pro" {
	plain_and_full communigate-pro
}

@test "sweep: communigate-pro-cluster" {
	plain_and_full communigate-pro-cluster
}

@test "sweep: contact-expert-agent" {
	plain_and_full contact-expert-agent
}

@test "sweep: contact-expert-core" {
	plain_and_full contact-expert-core
}

@test "sweep: dovecot" {
	plain_and_full dovecot
}

@test "sweep: host" {
	plain_and_full host
}

@test "sweep: ident" {
	plain_and_full ident
}

@test "sweep: ol-connect" {
	plain_and_full ol-connect
}

@test "sweep: postfix" {
	plain_and_full postfix
}

@test "sweep: socialminer" {
	plain_and_full socialminer
}

@test "sweep: ssh" {
	plain_and_full ssh
}

@test "sweep: xeams" {
	plain_and_full xeams
}

@test "sweep: several profiles together, whose restrictions do not narrow each other" {
	sweep -p communigate-pro,communigate-pro-cluster,xeams --enable imap \
		--group cluster=198.18.1.0/24,2001:db8:1::/48 --group dns-servers=198.18.2.0/24,2001:db8:2::/48 \
		--group trusted=198.18.3.0/24,2001:db8:3::/48
}

@test "the judge of the sweep finds a port that should be open, one that should not, and a wrong group" {
	pc show ssh --json > "$DIR/show"
	pc attach eth0 -p ssh
	/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" flows "$DIR/show" | send_flows > "$DIR/sent"
	pc counters eth0 --json > "$DIR/counters"
	exits 0 /usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" judge "$DIR/show" "$DIR/sent" "$DIR/counters"
	pc show ssh --set ssh:ssh=23/tcp --json > "$DIR/other"
	exits 1 /usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" judge "$DIR/other" "$DIR/sent" "$DIR/counters"
	says '22/tcp: passed' '23/tcp: passed' '4 wrong'
	pc show ssh --from ssh:ssh=link-local --json > "$DIR/other"
	exits 1 /usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" judge "$DIR/other" "$DIR/sent" "$DIR/counters"
	says '22/tcp: passed'
	sed -i '1s/ .*/ 1/' "$DIR/sent"
	exits 1 /usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" judge "$DIR/show" "$DIR/sent" "$DIR/counters"
	says 'total: '
}

@test "a sample with real listeners: what the sweep calls open answers, what it calls closed does not" {
	in_background host /usr/bin/python3 "$ROOT/tests/e2e/tcp_load.py" serve 24 25 26 993 994 60000 60099 60100 65535
	until_true 10 listening host 65535
	pc attach eth1 -p communigate-pro
	for address in 203.0.113.1 2001:db8:ffff::1; do
		for port in 25 993 60000 60099; do
			connects client $address $port || fail "$port does not answer"
		done
		for port in 24 26 994 60100 65535; do
			unanswered client $address $port
		done
	done
}
