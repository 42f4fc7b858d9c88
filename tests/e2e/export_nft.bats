#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `export nftables`: loaded for real, it admits exactly what the filter does. Every flow of the sweep of all ports (all_ports.py) is
# sent to a host with the filter, and to one with the rules instead; another table notes what comes through.

load helper
load traffic

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
	# Nothing is sent back, and no address is unreachable, because only incoming packets count.
	on host sh -c 'for rp in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $rp; done'
	on host ip route add default dev eth0
	on host ip -6 route add default dev eth0
	cat > "$DIR/seen.nft" <<-'END'
		table inet seen
		delete table inet seen
		table inet seen {
			set ipv4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 2000000; }
			set ipv6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 2000000; }
			chain input {
				type filter hook input priority 100; policy accept;
				iifname "eth0" meta l4proto { tcp, udp } meta nfproto ipv4 add @ipv4 { ip saddr . meta l4proto . th dport } drop
				iifname "eth0" meta l4proto { tcp, udp } meta nfproto ipv6 add @ipv6 { ip6 saddr . meta l4proto . th dport } drop
			}
			chain output {
				type filter hook output priority 100; policy accept;
				oifname "eth0" drop
			}
		}
	END
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	on host nft flush ruleset
	stop_all
	detach_all host
}

# seen FLOWS: sends them, and prints those that came through.
seen()
{
	on host nft -f "$DIR/seen.nft"
	send_flows < "$1" > /dev/null
	on host nft -j list table inet seen | jq -c '[.nftables[].set | select(.) | .elem // [] | .[] | .concat // .elem.val.concat] | sort | .[]'
	on host nft delete table inet seen
}

# loaded: loads the exported rules, and removes the filter.
loaded()
{
	pc export nftables > "$DIR/rules"
	detach_all host
	on host nft -c -f "$DIR/rules" || fail "$(cat "$DIR/rules")" || return
	on host nft -f "$DIR/rules"
}

# sweep OPTIONS...; of fewer ports if $edges
edges=
sweep()
{
	pc attach eth0 "$@"
	pc show --iface eth0 --json > "$DIR/shown"
	pc status eth0 --json | jq '.interfaces[0].recipe.groups' > "$DIR/groups"
	jq --slurpfile groups "$DIR/groups" '. + {groups: $groups[0]}' "$DIR/shown" > "$DIR/show"
	# shellcheck disable=SC2086
	/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" flows "$DIR/show" $edges > "$DIR/flows"
	seen "$DIR/flows" > "$DIR/by-filter"
	loaded
	seen "$DIR/flows" > "$DIR/by-rules"
	on host nft delete table inet portcullis
	cmp "$DIR/by-filter" "$DIR/by-rules" || fail "$*: $(diff "$DIR/by-filter" "$DIR/by-rules" | head -20)" || return
	echo "  $*: $(wc -l < "$DIR/flows") flows, $(wc -l < "$DIR/by-rules") came through" | cut -c1-150 >&3
}

# plain_and_full PROFILE: sweeps without options, and with all features, groups and local services.
plain_and_full()
{
	local more

	sweep -p "$1"
	pc show "$1" --json > "$DIR/all"
	mapfile -t more < <(/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" options "$DIR/all")
	[ ${#more[@]} = 0 ] || [ -z "${more[0]}" ] || sweep -p "$1" "${more[@]}"
}

# One of each kind: wide ranges and groups, both protocols and features, local services, source ports.
KINDS='contact-expert-core communigate-pro xeams host'

@test "export nftables: profiles of each kind, all ports, both families, inside and outside each group" {
	for profile in $KINDS; do
		plain_and_full "$profile"
	done
}

@test "export nftables: every other shipped profile with all that it has, several together, at the edges of their ports" {
	edges=edges
	# shellcheck disable=SC2046
	pc show $(pc profiles --json | jq -r '.profiles[].name' | grep -vxF "${KINDS// /$'\n'}") --json > "$DIR/all"
	for profile in $(/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" together "$DIR/all"); do
		# shellcheck disable=SC2086
		pc show ${profile//,/ } --json > "$DIR/some"
		mapfile -t more < <(/usr/bin/python3 "$ROOT/tests/e2e/all_ports.py" options "$DIR/some")
		sweep -p "$profile" "${more[@]}"
	done
}

@test "real connections: open and closed ports, what this host asks, two filters, observe, outbound enforcement" {
	printf 'profile: asks\nservices:\n  - {name: dns, out: 53/udp}\n  - {name: echo, in: 7/tcp+udp, out: 7/tcp}\n' > "$DIR/asks.yaml"
	for port in 7 22 25; do
		start "server$port" host socat "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" SYSTEM:'echo hello'
		start "far$port" client socat "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" SYSTEM:'echo hello'
		until_true 5 listening host $port
		until_true 5 listening client $port
	done
	pc attach eth0 -p ssh --observe
	pc attach eth1 -p asks --catalog "$DIR" --outbound enforce
	loaded
	for address in 203.0.113.1 2001:db8:ffff::1; do
		connects client $address 7 || fail "$address: the open port does not answer"
		unanswered client $address 22
		unanswered client $address 25
	done
	for address in 203.0.113.9 2001:db8:ffff::9; do
		connects host $address 7 || fail "$address: the listed outgoing port does not answer"
		CONNECT_TIMEOUT=1 connects host $address 25 && fail "$address: an outgoing port that is not listed"
		on host ping -c1 -W2 $address > /dev/null || fail "$address: no ping"
		on client ping -c1 -W2 "${address/%9/1}" > /dev/null || fail "$address: no ping from outside"
	done
	# eth0 is observed: nothing is dropped, and it is counted.
	printf 'tcp 198.18.0.1 192.0.2.1 4000 3300-3301 60\n' > "$DIR/flows"
	same '["198.18.0.1","tcp",3300]
["198.18.0.1","tcp",3301]' "$(seen "$DIR/flows")" 'what came through eth0'
	on host nft -j list chain inet portcullis if1-drop | jq -e '[.nftables[].rule.expr // [] | .[].counter | select(.) | .packets] == [2]'
}

@test "a second load replaces the first" {
	start server host /usr/bin/python3 "$BATS_TEST_DIRNAME/tcp_load.py" serve 25
	until_true 5 listening host 25
	pc attach eth1 -p xeams
	loaded
	connects client 203.0.113.1 25
	pc attach eth1 -p ssh
	loaded
	unanswered client 203.0.113.1 25
	same 1 "$(on host nft list tables | grep -c portcullis)" tables
}

@test "export says what it can print" {
	exits 2 pc export iptables
	says 'portcullis export site, or nftables'
	exits 2 pc export
}
