#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A gateway with one filter in front of three products and a second tenant: each machine has its own list.
#
#	core 192.0.2.10 --+
#	ol   192.0.2.20 --+-- switch -- eth1 192.0.2.1, gateway, eth0 198.51.100.1 -- outside 198.51.100.2
#	sm   192.0.2.30 --+             2001:db8:5::1           2001:db8:b::1                 2001:db8:b::2
#	two  192.0.2.40 --+

load helper
load traffic

MACHINES=(core ol sm two)

setup_file()
{
	local number name

	sandbox_start
	host_add gateway
	host_add outside
	host_add switch
	link_add gateway eth0 outside eth0
	link_add gateway eth1 switch uplink
	on switch ip link add br0 type bridge
	on switch ip link set br0 up
	on switch ip link set uplink master br0
	for number in 0 1 2 3; do
		name=${MACHINES[number]}
		host_add "$name"
		link_add "$name" eth0 switch "$name"
		on switch ip link set "$name" master br0
		address_add "$name" eth0 192.0.2.$((number + 1))0/24 2001:db8:5::$((number + 1))0/64
		on "$name" ip route add default via 192.0.2.1
		on "$name" ip -6 route add default via 2001:db8:5::1
	done
	address_add gateway eth1 192.0.2.1/24 2001:db8:5::1/64
	address_add gateway eth0 198.51.100.1/24 2001:db8:b::1/64
	# Clients of the first tenant, of the second, servers, administrators, and other hosts.
	address_add outside eth0 198.51.100.2/24 198.51.100.50/24 198.51.100.60/24 198.51.100.70/24 198.51.100.80/24 \
		2001:db8:b::2/64 2001:db8:b::50/64 2001:db8:b::60/64 2001:db8:b::70/64 2001:db8:b::80/64
	for number in 50 60 70 80; do # an unbound socket sends from ::2
		on outside ip address change 2001:db8:b::$number/64 dev eth0 preferred_lft 0
	done
	on outside ip route add 192.0.2.0/24 via 198.51.100.1
	on outside ip -6 route add 2001:db8:5::/64 via 2001:db8:b::1
	forwarding 1
	site > "$DIR/site.yaml"
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all gateway
	on gateway nft flush ruleset
	forwarding 1
}

forwarding()
{
	on gateway sh -c "cd /proc/sys/net; echo $1 > ipv4/ip_forward; echo $1 > ipv6/conf/all/forwarding"
}

site()
{
	cat <<-'END'
		groups:
		  mgmt: [198.51.100.50, 2001:db8:b::50]
		  exchange: []
		  cuic: []
		  ccx: []
		  contact-expert-clients: [198.51.100.60, 2001:db8:b::60]
		  contact-expert-servers: [198.51.100.70, 2001:db8:b::70]
		interfaces:
		  eth0:
		    profiles: [ssh]
		    from: {ssh:ssh: mgmt}
		    machines:
		      core: {address: [192.0.2.10, 2001:db8:5::10], profiles: contact-expert-core, open: {3389/tcp: mgmt}}
		      ol: {address: [192.0.2.20, 2001:db8:5::20], profiles: [ol-connect], open: {3389/tcp: mgmt}}
		      sm: {address: [192.0.2.30, 2001:db8:5::30], profiles: [socialminer], open: {22/tcp: mgmt}}
		      two:
		        address: [192.0.2.40, 2001:db8:5::40]
		        profiles: contact-expert-core
		        groups: {contact-expert-clients: [198.51.100.80, 2001:db8:b::80]}
	END
}

applied()
{
	exits 0 as gateway apply --site "$DIR/site.yaml" "$@"
	as gateway show --iface eth0 --json > "$DIR/show"
}

python()
{
	on "$1" /usr/bin/python3 "$ROOT/tests/e2e/machines.py" "${@:2}"
}

serve_all()
{
	local name

	for name in "${MACHINES[@]}"; do
		start "serve_$name" "$name" /usr/bin/python3 "$ROOT/tests/e2e/machines.py" serve "$DIR/show" "$name"
		until_true 20 grep -q ready "$DIR/serve_$name.log"
	done
}

@test "each machine answers on its own ports alone, from inside and outside its groups, TCP and UDP, IPv4 and IPv6" {
	applied
	serve_all
	exits 0 python outside probe "$DIR/show" 192.0.2.10,192.0.2.20,192.0.2.30,192.0.2.40 198.51.100.{2,50,60,70,80}
	echo "$output" | sed 's/^/  /' >&3
	exits 0 python outside probe "$DIR/show" 2001:db8:5::10,2001:db8:5::20,2001:db8:5::30,2001:db8:5::40 \
		2001:db8:b::{2,50,60,70,80}
}

@test "sweep: all 65,536 ports of each machine, TCP and UDP, IPv4 and IPv6, from each kind of source" {
	applied
	forwarding 0 # packets that pass go no further, and get no answer
	python outside flows "$DIR/show" > "$DIR/flows"
	on outside "$TOOLS/send" eth0 "$(mac_of gateway eth0)" < "$DIR/flows" > "$DIR/sent"
	as gateway counters eth0 --json > "$DIR/counters"
	exits 0 python outside judge "$DIR/show" "$DIR/counters"
	echo "$output" | sed 's/^/  /' >&3
}

@test "a fourth machine by a line and apply --confirm: no packet of the others is lost, their counters go on" {
	applied
	start sink core socat -u TCP-LISTEN:9999,fork,reuseaddr "CREATE:$DIR/sunk"
	until_true 20 listening core 9999
	# 60 a second in all, which is below the limit of echo requests.
	for at in 10 20 30; do
		start "ping_$at" outside ping -n -i 0.05 -c 160 "192.0.2.$at"
	done
	exits 0 on outside socat -u "OPEN:/etc/passwd" TCP:192.0.2.10:9999,bind=198.51.100.60,connect-timeout=8
	one=$(core_count 9999)
	[ "${one%% *}" -gt 2 ] || fail "counted $one"
	sed 's/^      two:/      four: {address: 192.0.2.44, profiles: ssh}\n      two:/' "$DIR/site.yaml" > "$DIR/more.yaml"
	exits 0 as gateway apply --site "$DIR/more.yaml" --confirm 60
	says 'machine four'
	two=$(core_count 9999)
	[ "${two%% *}" -ge "${one%% *}" ] || fail "counted $one, then $two"
	exits 0 as gateway confirm eth0 --site "$DIR/more.yaml"
	exits 0 on outside socat -u "OPEN:/etc/passwd" TCP:192.0.2.10:9999,bind=198.51.100.60,connect-timeout=8
	three=$(core_count 9999)
	[ "${three%% *}" -gt "${two%% *}" ] || fail "counted $two, then $three"
	for at in 10 20 30; do
		until_logged "ping_$at" '160 packets transmitted'
		grep -q '160 received' "$DIR/ping_$at.log" || fail "$(cat "$DIR/ping_$at.log")"
	done
	output=$(as gateway history --json)
	[[ $output == *'four'* ]] || fail "no record of it: $output"
}

core_count()
{
	as gateway counters eth0 --json | jq -r --argjson port "$1" \
		'[.interfaces[0].ports[] | select(.machine == "core" and .port == $port)][0].pass | "\(.packets) \(.bytes)"'
}

@test "swap --machine changes one, --no-machine removes it; the views name it" {
	applied
	serve_all
	exits 0 as gateway swap eth0 --machine core --open 21000/tcp --machine ol --observe
	says 'opens   core: 21000/tcp from anyone'
	connects outside 192.0.2.10 21000
	unanswered outside 192.0.2.30 21000
	connects outside 192.0.2.20 21000 # observed
	output=$(as gateway status eth0 --json)
	json_is '.interfaces[0].machines | map(.name) == ["core", "ol", "sm", "two"] and .[1].policy == "observe"'
	output=$(as gateway counters eth0 --json)
	json_is '[.interfaces[0].ports[] | select(.machine == "core" and .port == 21000)][0] | .pass.packets > 0 and .services == ["site:21000-tcp"]'
	json_is '[.interfaces[0].ports[] | select(.machine == "ol" and .port == null and .direction == "in")][0].would_drop.packets > 0'
	exits 0 as gateway counters eth0
	says 'eth0: machine core' '21000/tcp'
	exits 0 as gateway show --iface eth0
	says 'machine sm: 192.0.2.30/32, 2001:db8:5::30/128'
	output=$(as gateway metrics eth0)
	[[ $output == *'portcullis_packets_total{interface="eth0",machine="core",direction="in",service="site:21000-tcp",port="21000",protocol="tcp",verdict="pass"}'* ]] || fail "$output"
	exits 0 as gateway export site
	echo "$output" > "$DIR/exported.yaml"
	exits 0 as gateway apply --dry-run --exit-code --site "$DIR/exported.yaml"
	exits 0 as gateway swap eth0 --no-machine core --force
	says 'removes machine core'
	unanswered outside 192.0.2.10 21000
	exits 1 as gateway swap eth0 --no-machine core
	says "'core' was not given; these were: ol, sm, two"
	exits 1 as gateway swap eth0 --machine cor
	exits 2 as gateway swap eth0 --machine ol --forward
	exits 2 as gateway attach eth1 --machine ol=192.0.2.20 -p ssh
	says "the interface's own -p PROFILE, before --machine, is missing: portcullis attach IFACE... -p PROFILE[,PROFILE] --machine NAME=PREFIX -p PROFILE"
	# With several interfaces, an error names the one that has no such machine.
	exits 0 as gateway attach eth1 -p ssh --force
	exits 1 as gateway swap --machine ol --open 7/tcp
	says "eth1: --machine: there is no machine 'ol'"
	exits 1 as gateway swap --no-machine ol
	says "eth1: --no-machine: 'ol' was not given before, nor any other value of this option"
	exits 0 as gateway detach eth1
	exits 1 as gateway swap eth0 --machine self=198.51.100.1 -p ssh
	says 'is an address of this host'
}

ended()
{
	! signal "$1" 0 2> /dev/null
}

@test "explain and monitor: the machine, its services, and what opens the port there" {
	applied
	output=$(as gateway explain eth0 198.51.100.2 3389/tcp --machine core --json)
	json_is '.verdicts[0] | .machine == "core" and .verdict == "drop" and .destination == "192.0.2.10" and .fix == "portcullis grant mgmt 198.51.100.2 --for 8h"'
	fix=$(jq -r '.verdicts[0].fix' <<< "$output")
	exits 0 as gateway ${fix#portcullis } # shellcheck disable=SC2086
	output=$(as gateway explain eth0 198.51.100.2 3389/tcp --machine core --json)
	json_is '.verdicts[0] | .verdict == "pass" and (.services | length) > 0'
	output=$(as gateway explain eth0 198.51.100.2 4446/tcp --machine core --json)
	json_is '.verdicts[0] | .verdict == "drop" and (.fix | contains("--machine core --open 4446/tcp"))'
	output=$(as gateway explain eth0 198.51.100.60 9999/tcp --local 192.0.2.40 --json)
	json_is '.verdicts[0] | .machine == "two" and .verdict == "drop" and .rule == "source"'
	output=$(as gateway explain eth0 198.51.100.80 9999/tcp --local 192.0.2.40 --json)
	json_is '.verdicts[0] | .machine == "two" and .verdict == "pass"'
	output=$(as gateway explain eth0 198.51.100.50 22/tcp --json)
	json_is '.verdicts[0] | .machine == null and .verdict == "pass"'
	exits 1 as gateway explain eth0 198.51.100.2 3389/tcp --machine nosuch
	says "explain: eth0: there is no machine 'nosuch'"
	# The grant's group is the one in the site file's line.
	output=$(as gateway explain eth0 198.51.100.2 9999/tcp --machine core --json)
	json_is '.verdicts[0] | (.fix | contains("grant contact-expert-clients")) and (.site_line | startswith("machines: {core: {groups: {contact-expert-clients: "))'
	exits 0 as gateway explain eth0 198.51.100.60 9999/tcp --machine core
	says 'eth0: machine core: 198.51.100.60:50000 -> 192.0.2.10:9999/tcp syn'
	# For a wider prefix, the machine's first address is taken; --local must be an address of the machine.
	exits 0 as gateway swap eth0 --machine wide=192.0.2.0/27,2001:db8:5::/64 -p socialminer --open 23/tcp
	output=$(as gateway explain eth0 2001:db8:b::2 23/tcp --machine wide --json)
	json_is '.verdicts[0] | .machine == "wide" and .verdict == "pass"'
	exits 1 as gateway explain eth0 198.51.100.2 23/tcp --machine wide --local 192.0.2.10
	says "--local 192.0.2.10 is an address of machine 'core', not of 'wide'"
	exits 1 as gateway explain eth0 198.51.100.2 23/tcp --machine wide --local 203.0.113.1
	says "--local 203.0.113.1 is not an address of machine 'wide'"
	# Without an interface, the filter that has the machine answers.
	exits 0 as gateway attach eth1 -p ssh --force
	output=$(as gateway explain 198.51.100.2 23/tcp --machine wide --json)
	json_is '.verdicts | map([.interface, .machine, .verdict]) == [["eth0", "wide", "pass"]]'
	exits 0 as gateway detach eth1
	exits 0 as gateway swap eth0 --no-machine wide --force
	start monitor gateway "$PORTCULLIS" monitor eth0 --json --count 1 --port 4444/tcp
	until_logged monitor 'listening at'
	unanswered outside 192.0.2.30 4444
	until_logged monitor '"machine": *"sm"'
	output=$(as gateway drops eth0 --json --port 4444/tcp)
	json_is '[.drops[] | select(.source == "198.51.100.2")] | length == 1 and .[0].machine == "sm" and .[0].reason == "unlisted"'
	unanswered outside 192.0.2.40 9999
	output=$(as gateway drops eth0 --json --port 9999/tcp)
	json_is '[.drops[] | select(.machine == "two")] | length == 1 and .[0].services == ["contact-expert-core:naming-service"]'
	exits 0 as gateway drops eth0
	says 'MACHINE' 'sm'
	# A capture's packets for a machine are reported with the machine, and the fix opens nothing at the interface
	# itself.
	start capture gateway "$PORTCULLIS" monitor eth0 --write "$DIR/capture" --count 1 --port 4445/tcp
	until_logged capture 'listening at'
	unanswered outside 192.0.2.30 4445
	until_true 20 ended capture
	output=$(as gateway replay "$DIR/capture" eth0 --local 192.0.2.0/24 --json)
	json_is '.drops | map([.machine, .port, .reason]) == [["sm", 4445, "unlisted"]]'
	json_is '.fixes == []'
	json_is '.ports | map([.machine, .port, .services, .drop.packets]) == [["sm", null, [], 1]]'
	# By the live filter, and by that of the site file, whose tallies have other numbers.
	start passed gateway "$PORTCULLIS" monitor eth0 --write "$DIR/passed" --all --count 1 --port 80/tcp
	until_logged passed 'listening at'
	connects outside 192.0.2.30 80 || true # there is no listener
	until_true 20 ended passed
	for from in eth0 "eth0 --site $DIR/site.yaml"; do
		# shellcheck disable=SC2086
		output=$(as gateway replay "$DIR/passed" $from --local 192.0.2.0/24 --json)
		json_is '.ports | map([.machine, .direction, .port, .services, .pass.packets]) == [["sm", "in", 80, ["socialminer:http"], 1]]'
	done
	exits 0 as gateway replay "$DIR/passed" eth0 --local 192.0.2.0/24
	says 'eth0: machine sm'
	exits 0 as gateway swap eth0 --no-machine two --force
	output=$(as gateway drops eth0 --json --port 9999/tcp)
	json_is '[.drops[] | select(.machine == "?")] | length == 1 and .[0].services == []'
}

@test "audit: groups that admit nobody and rows that counted nothing, of each machine; the evidence has them all" {
	applied
	serve_all
	connects outside 192.0.2.30 80
	output=$(as gateway audit eth0 --json)
	json_is '[.findings[] | select(.kind == "empty-group" and .group == "cuic")] | length == 1 and .[0].machine == "sm"'
	json_is '[.findings[] | select(.kind == "unused" and .machine == "core") | .services[0]] | index("contact-expert-core:naming-service") != null'
	json_is '[.findings[] | select(.kind == "unused" and .machine == "sm") | .services[0]] | index("site:22-tcp") != null'
	json_is '[.findings[] | select(.kind == "unused" and .machine == "sm") | .services[0]] | index("socialminer:http") == null'
	output=$(as gateway audit eth0 --report --json)
	json_is '.interfaces[0].machines | map(.name) == ["core", "ol", "sm", "two"]'
	json_is '[.interfaces[0].machines[] | select(.name == "core") | .exceptions[].text] == ["open 3389/tcp=mgmt"]'
	json_is '[.interfaces[0].machines[] | select(.name == "two") | .groups["contact-expert-clients"]] == [["198.51.100.80/32", "2001:db8:b::80/128"]]'
	exits 0 as gateway audit eth0 --report
	says 'machine sm: 192.0.2.30/32' 'exception open 22/tcp=mgmt'
}

@test "guard: RDP through the gateway from the administrators' group stops a change that closes it" {
	on gateway nft 'table inet t { chain c { type filter hook forward priority 0; ct state new counter; }; }'
	applied
	serve_all
	exits 0 as gateway swap eth0 --machine core --open 3389/tcp=mgmt
	stop serve_core
	start rdp_server core socat TCP-LISTEN:3389,fork,reuseaddr "SYSTEM:sleep 60"
	until_true 20 listening core 3389
	start rdp_client outside socat "EXEC:sleep 60" TCP:192.0.2.10:3389,bind=198.51.100.50
	sleep 1
	exits 1 as gateway swap eth0 --machine core --no-open 3389/tcp
	says 'session through this host to 3389/tcp of machine core (from 198.51.100.50)'
	# A ban does not cut it off either, neither of the address alone nor of its network.
	exits 1 as gateway ban 198.51.100.50
	says '198.51.100.50/32' 'an administrator of a machine behind this host'
	exits 0 as gateway ban --force 198.51.100.0/24
	output=$(as gateway explain eth0 198.51.100.50 3389/tcp --machine core --json)
	json_is '.verdicts[0].verdict == "pass"'
	output=$(as gateway explain eth0 198.51.100.70 3389/tcp --machine core --json)
	json_is '.verdicts[0].rule == "banned"'
	exits 0 as gateway unban --all
	exits 0 as gateway ban --force 198.51.100.50
	exits 0 as gateway unban --all
	exits 0 as gateway swap eth0 --machine core --no-open 3389/tcp --confirm 30
	on gateway nft flush ruleset
}

@test "fragments, large datagrams and path MTU through the gateway" {
	applied
	serve_all
	exits 0 as gateway swap eth0 --machine ol --open 21000/udp
	for address in 192.0.2.20 2001:db8:5::20; do
		[[ $address != *:* ]] || address="[$address]"
		exits 0 on outside sh -c "head -c 4000 /dev/zero | timeout 5 socat -b 8000 -t 2 - UDP:$address:21000 | wc -c"
		says 4003
	done
	# Answers to the machine's own questions to the outside come in, fragments too.
	udp_serve answers outside 7777
	for address in 198.51.100.2 2001:db8:b::2; do
		asked 'answered 20' sm $address 7777 --connected
		asked 'answered 5000' sm $address 7777 --answer 5000
		output=$(as gateway flows eth0 --json)
		json_is "[.flows[] | select(.remote == \"$address\" and .remote_port == 7777)] | length > 0 and all(.machine == \"sm\")"
		exits 0 on sm ping -n -c 1 -W 8 $address
	done
}

@test "what a host behind this one begins that is no machine is answered with --forward alone" {
	local address

	applied
	udp_serve answers outside 7777
	talk_listen far outside 7000
	address_add core eth0 192.0.2.99/24 2001:db8:5::99/64
	on core ip address change 2001:db8:5::99/64 dev eth0 preferred_lft 0 # an unbound socket sends from ::10
	for address in 198.51.100.2 2001:db8:b::2; do
		asked 'answered 20' core $address 7777
		connects core $address 7000
		exits 1 from_other $address
		exits 0 on core ping -n -c 1 -W 8 $address
		exits 1 on core ping -n -c 1 -W 0.5 -I "$(other_of $address)" $address
	done
	output=$(as gateway status eth0 --json)
	json_is '.interfaces[0].forward == false'
	exits 0 as gateway swap eth0 --forward
	for address in 198.51.100.2 2001:db8:b::2; do
		exits 0 from_other $address
		exits 0 on core ping -n -c 1 -W 8 -I "$(other_of $address)" $address
	done
	output=$(as gateway status eth0 --json)
	json_is '.interfaces[0].forward == true'
	exits 0 as gateway swap eth0 --no-forward
	says 'replies to connections that hosts other than the machines open are dropped; --forward admits them'
	on core sh -c 'ip address del 192.0.2.99/24 dev eth0; ip address del 2001:db8:5::99/64 dev eth0'
}

other_of()
{
	[[ $1 == *:* ]] && echo 2001:db8:5::99 || echo 192.0.2.99
}

# from_other ADDRESS: a TCP connection from an address that no machine has.
from_other()
{
	local from to=$1

	from=$(other_of "$1")
	[[ $1 != *:* ]] || { from="[$from]"; to="[$1]"; }
	on core socat -u OPEN:/dev/null "TCP:$to:7000,bind=$from,connect-timeout=0.5"
}

# ftp_server NAME HOST ADDRESS: runs vsftpd, with a file for anyone, and data connections to 50021 to 50024.
ftp_server()
{
	mkdir -p "$DIR/ftp" "$DIR/empty"
	seq 1 200000 > "$DIR/ftp/numbers"
	cat > "$DIR/$1.conf" <<-END
		listen=$([[ $3 == *:* ]] && echo NO || echo YES)
		listen_ipv6=$([[ $3 == *:* ]] && echo YES || echo NO)
		anonymous_enable=YES
		local_enable=NO
		no_anon_password=YES
		anon_root=$DIR/ftp
		pasv_min_port=50021
		pasv_max_port=50024
		background=NO
		seccomp_sandbox=NO
		secure_chroot_dir=$DIR/empty
	END
	start "$1" "$2" vsftpd "$DIR/$1.conf"
	until_true 20 listening "$2" 21
}

fetches()
{
	exits 0 on "$1" curl -sS --connect-timeout 8 -m 20 "${@:3}" -o "$DIR/fetched" "$2"
	cmp "$DIR/ftp/numbers" "$DIR/fetched"
}

@test "FTP both ways: a machine fetches from outside, and is fetched from where its ports are listed" {
	applied
	ftp_server server outside ::
	fetches ol ftp://198.51.100.2/numbers
	fetches ol 'ftp://[2001:db8:b::2]/numbers'
	unanswered outside 192.0.2.20 50021 # no unrequested packet comes back in
	# Active FTP: the server connects to a port that no service lists.
	exits 28 on ol curl -sS -m 3 --ftp-port - -o "$DIR/fetched" ftp://198.51.100.2/numbers
	stop server
	ftp_server behind ol 0.0.0.0
	exits 28 on outside curl -sS --connect-timeout 2 -o "$DIR/fetched" ftp://192.0.2.20/numbers
	exits 0 as gateway swap eth0 --machine ol --open 21/tcp --open 50021-50024/tcp
	fetches outside ftp://192.0.2.20/numbers
}

@test "path MTU errors to a machine, IPv4 and IPv6" {
	applied
	on outside ip link add small0 type veth peer name small1
	on outside sh -c 'ip link set small0 mtu 1300 up; ip link set small1 up; echo 1 > /proc/sys/net/ipv4/ip_forward
		echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
	on outside sh -c 'ip route add 203.0.113.0/24 dev small0; ip route add 2001:db8:c::/64 dev small0'
	on gateway sh -c 'ip route add 203.0.113.0/24 via 198.51.100.2; ip route add 2001:db8:c::/64 via 2001:db8:b::2'
	exits 1 on sm ping -n -c 1 -W 1 -s 1400 -M 'do' 203.0.113.7
	says 'mtu = 1300'
	exits 1 on sm ping -n -c 1 -W 1 -s 1400 -M 'do' 2001:db8:c::7
	says 'mtu=1300'
	on outside sh -c 'ip link del small0; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding'
	on gateway sh -c 'ip route del 203.0.113.0/24; ip route del 2001:db8:c::/64'
}

@test "groups of an interface and of a machine hide those of the file; groups names them" {
	applied
	output=$(as gateway groups --json --site "$DIR/site.yaml")
	json_is '.groups | map(.name) | index("eth0:two:contact-expert-clients") != null'
	json_is '[.groups[] | select(.name == "eth0:two:contact-expert-clients")][0].members | map(.prefix) == ["198.51.100.80/32", "2001:db8:b::80/128"]'
}

# many COUNT KEYS: writes a site file with so many machines; N in the keys is a machine's number.
many()
{
	printf 'interfaces:\n  eth0:\n    profiles: ssh\n    machines:\n'
	for ((i = 1; i <= $1; i++)); do
		echo "      m$i: {profiles: ssh, ${2//N/$i}}"
	done
}

@test "check tells of what apply would have no room for, and where" {
	many 65 'address: 10.0.0.N, open: {10N/tcp: anyone}' > "$DIR/many.yaml"
	exits 1 as gateway check --site "$DIR/many.yaml"
	says 'many.yaml:2:3: the machines behind this host have 65 different recipes; the limit is 64' 'the first one beyond it is m65'
	exits 1 as gateway apply --dry-run --site "$DIR/many.yaml"
	says 'many.yaml:2:3: the machines behind this host have 65 different recipes; the limit is 64' 'the first one beyond it is m65'
	many 9 'address: 2001:db8:N::/5N' > "$DIR/many.yaml"
	exits 1 as gateway check --site "$DIR/many.yaml"
	says 'many.yaml:2:3: the machines behind this host have 9 different lengths of IPv6 prefixes; the limit is 8'
	many 64 'address: 10.0.0.N, open: {10N/tcp: anyone}' > "$DIR/many.yaml"
	exits 0 as gateway check --site "$DIR/many.yaml"
	says 'no errors'
}

@test "at boot, a group with an error holds up the interface whose machine needs it, as it does its own profiles" {
	sed 's/^  contact-expert-clients: .*/  contact-expert-clients: 198.51.100.600/' "$DIR/site.yaml" > "$DIR/wrong.yaml"
	exits 1 as gateway apply --boot --site "$DIR/wrong.yaml"
	says "eth0: needs the group 'contact-expert-clients', and the groups of the site file have an error"
	# The groups that a machine's words name.
	sed 's/^  mgmt: .*/  mgmt: 198.51.100.500/; /^    from:/d; / ol: /d; / sm: /d; / two:$/,$d' "$DIR/site.yaml" > "$DIR/wrong.yaml"
	exits 1 as gateway apply --boot --site "$DIR/wrong.yaml"
	says "eth0: needs the group 'mgmt', and the groups of the site file have an error"
	# A machine with a group of its own does not use the file's.
	sed 's/^  contact-expert-clients: .*/  contact-expert-clients: 198.51.100.600/; / core: /d' "$DIR/site.yaml" > "$DIR/wrong.yaml"
	exits 4 as gateway apply --boot --site "$DIR/wrong.yaml"
	says "'198.51.100.600' is not a valid IPv4 or IPv6 prefix"
	output=$(as gateway explain eth0 198.51.100.80 9999/tcp --machine two --json)
	json_is '.verdicts[0].verdict == "pass"'
}

@test "one-to-one NAT: the address outside is the machine's; a shared address by DNAT is a union at the interface" {
	applied
	serve_all
	address_add outside eth0 198.51.100.90/24
	on gateway nft -f - <<-'END'
		table ip nat {
			chain in {
				type nat hook prerouting priority dstnat
				ip daddr 198.51.100.111 dnat to 192.0.2.30
				ip daddr 198.51.100.1 tcp dport 9340 dnat to 192.0.2.20
			}
		}
	END
	address_add gateway eth1 198.51.100.111/32
	exits 1 as gateway swap eth0 --machine nat=198.51.100.111 -p socialminer
	says 'is an address of this host'
	on gateway ip address del 198.51.100.111/32 dev eth1
	on outside ip route add 198.51.100.111 via 198.51.100.1
	exits 0 as gateway swap eth0 --machine nat=198.51.100.111 -p socialminer
	connects outside 198.51.100.111 80
	unanswered outside 198.51.100.111 9340
	unanswered outside 198.51.100.1 9340
	# Machines on the network of the interface, as portcullis(8) says.
	on outside ip route del 198.51.100.111
	unanswered outside 198.51.100.111 80
	on gateway ip route add 198.51.100.111 dev eth1
	on gateway ip neighbour add proxy 198.51.100.111 dev eth0
	connects outside 198.51.100.111 80
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines" and (.message | contains("198.51.100.111")))] == []'
	on gateway ip neighbour del proxy 198.51.100.111 dev eth0
	on gateway ip route del 198.51.100.111
	exits 0 as gateway swap eth0 -p ssh,ol-connect
	connects outside 198.51.100.1 9340
	on gateway nft flush ruleset
}

@test "portcullis-site(5): the gateway is applied as it stands there" {
	awk '/^```/ { inside = !inside; if (inside) count++; next } inside && count == 2' "$ROOT/docs/portcullis-site.5.scd" > "$DIR/manual.yaml"
	grep -q '^      tenant-2:' "$DIR/manual.yaml"
	exits 0 as gateway apply --site "$DIR/manual.yaml" --confirm 60
	says_not 'are closed'
	exits 0 as gateway confirm eth0 --site "$DIR/manual.yaml" --force
	output=$(as gateway explain eth0 10.50.0.7 9999/tcp --machine tenant-2 --json)
	json_is '.verdicts[0] | .verdict == "pass" and .machine == "tenant-2"'
	output=$(as gateway explain eth0 10.50.0.7 9999/tcp --machine ce-core --json)
	json_is '.verdicts[0] | .verdict == "drop" and .rule == "source"'
	output=$(as gateway explain eth0 10.99.0.1 3389/tcp --machine ce-core --json)
	json_is '.verdicts[0].verdict == "pass"'
	output=$(as gateway explain eth0 10.50.0.7 6/tcp --machine ol --json)
	json_is '.verdicts[0].verdict == "would-drop"'
}

@test "doctor: ports published by DNAT that nothing lists, and a machine that this host has no way to" {
	applied
	on gateway nft -f - <<-'END'
		table ip docker {
			chain in {
				type nat hook prerouting priority dstnat
				fib daddr type local tcp dport 8080 counter dnat to 172.17.0.2:80
				fib daddr type local udp dport 5353 counter dnat to 172.17.0.2
				fib daddr type local tcp dport { 8443, 9000-9010 } dnat to 172.17.0.3
				meta l4proto { tcp, udp } th dport 6000-6001 dnat to 172.17.0.3
				dnat to tcp dport map { 7000 : 172.17.0.4, 7001 : 172.17.0.5 }
				dnat to ip daddr . udp dport map { 198.51.100.1 . 7002 : 172.17.0.4 . 80 }
				tcp dport != { 1, 2 } tcp sport 99 accept
			}
		}
	END
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "published") | .fix | ltrimstr("portcullis swap eth0 --open ")] | sort == ["5353/udp", "6000-6001/tcp", "6000-6001/udp", "7000/tcp", "7001/tcp", "7002/udp", "8080/tcp", "8443/tcp", "9000-9010/tcp"]'
	exits 0 as gateway swap eth0 --open 8080/tcp --open 9000-9010/tcp
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "published")] | length == 7'
	on gateway nft flush ruleset
	# A port published on a loopback address, or for packets that come in elsewhere, does not count as closed here.
	on gateway nft -f - <<-'END'
		table inet docker {
			chain in {
				type nat hook prerouting priority dstnat
				ip daddr 127.0.0.1 tcp dport 8080 dnat ip to 172.17.0.2:80
				ip daddr 127.0.0.0/8 tcp dport 8081 dnat ip to 172.17.0.2:80
				ip6 daddr ::1 tcp dport 8082 dnat ip6 to [2001:db8:5::10]:80
				iifname "eth1" tcp dport 8083 dnat ip to 172.17.0.2:80
				iif "eth1" tcp dport 8084 dnat ip to 172.17.0.2:80
				iifname "gone" tcp dport 8085 dnat ip to 172.17.0.2:80
				iifname "eth0" tcp dport 8086 dnat ip to 172.17.0.2:80
				iif "eth0" tcp dport 8087 dnat ip to 172.17.0.2:80
				iifname != "docker0" tcp dport 8088 dnat ip to 172.17.0.2:80
				iifname "eth*" tcp dport 8089 dnat ip to 172.17.0.2:80
			}
		}
	END
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "published") | .fix | ltrimstr("portcullis swap eth0 --open ")] | sort == ["8086/tcp", "8087/tcp", "8088/tcp", "8089/tcp"]'
	output=$(as gateway audit eth0 --json)
	json_is '[.findings[] | select(.kind == "published") | .port] | sort == [8086, 8087, 8088, 8089]'
	on gateway nft flush ruleset
	if on gateway sh -c 'command -v iptables-nft' > /dev/null; then
		on gateway iptables-nft -t nat -A PREROUTING -p tcp --dport 8081 -j DNAT --to-destination 172.17.0.2:80
		output=$(as gateway doctor eth0 --json) || true
		json_is '[.checks[] | select(.check == "published") | .fix] == ["portcullis swap eth0 --open 8081/tcp"]'
		on gateway nft flush ruleset
	fi
	exits 0 as gateway swap eth0 --machine lost=203.0.113.77 -p ssh --machine back=198.51.100.99 -p ssh
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines") | .message] | length == 2 and (.[0] | contains("no route to 203.0.113.77")) and (.[1] | contains("198.51.100.99"))'
	# A network behind this host of which no machine has an address.
	on gateway ip route add 10.77.0.0/16 via 192.0.2.99 dev eth1
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines" and (.message | contains("10.77.0.0/16 (eth1)"))) | .fix] == ["portcullis swap eth0 --machine NAME=10.77.0.0/16 -p PROFILE"]'
	on gateway ip route del 10.77.0.0/16
	# An address of this host, within a machine's prefix, that is added after the filter.
	exits 0 as gateway swap eth0 --no-machine lost --no-machine back --machine wide=203.0.113.0/24 -p ssh
	says_not 'an address of this host'
	address_add gateway eth1 203.0.113.5/32
	exits 1 as gateway doctor eth0
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines" and .state == "problem") | .fix] == ["portcullis swap eth0"]'
	exits 0 as gateway swap eth0
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines" and .state == "problem")] == []'
	on gateway ip address del 203.0.113.5/32 dev eth1
}

@test "an address of this host inside a machine's prefix is this host's, at boot before the interface has it" {
	sed 's/^      two:/      wide: {address: [203.0.113.0\/24, 2001:db8:7::\/64], profiles: socialminer}\n      two:/' "$DIR/site.yaml" > "$DIR/wide.yaml"
	address_add gateway eth1 203.0.113.5/32 2001:db8:7::5/128
	exits 0 as gateway apply --site "$DIR/wide.yaml"
	host_decides 22
	# Another network namespace keeps its own addresses.
	exits 0 as outside attach eth0 -p ssh --machine other=203.0.113.200 -p ssh --force
	detach_all outside gateway
	on gateway sh -c 'ip address del 203.0.113.5/32 dev eth1; ip address del 2001:db8:7::5/128 dev eth1'
	exits 0 as gateway apply --boot --site "$DIR/wide.yaml"
	host_decides 22
	address_add gateway eth1 203.0.113.5/32 2001:db8:7::5/128
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines" and .state == "problem")] == []'
	# An address that was not known before, as at a first boot: a reload makes it this host's, although the file is
	# the same.
	address_add gateway eth1 203.0.113.6/32
	output=$(as gateway explain eth0 198.51.100.50 22/tcp --local 203.0.113.6 --json)
	json_is '.verdicts[0].verdict == "drop"'
	exits 0 as gateway apply --reload --site "$DIR/wide.yaml"
	output=$(as gateway explain eth0 198.51.100.50 22/tcp --local 203.0.113.6 --json)
	json_is '.verdicts[0].verdict == "pass"'
	on gateway sh -c 'for one in 203.0.113.5/32 203.0.113.6/32 2001:db8:7::5/128; do ip address del $one dev eth1; done'
}

@test "broadcast and anycast of a network of this host are this host's, inside a machine's prefix" {
	wide='wide: {address: [192.0.2.0\/24, 2001:db8:5::\/64], profiles: ssh, open: {5555\/udp: anyone}}'
	sed "s/^      two:/      $wide\n      two:/" "$DIR/site.yaml" > "$DIR/wide.yaml"
	exits 0 as gateway apply --site "$DIR/wide.yaml"
	start taken gateway socat -u UDP6-RECVFROM:5555,ipv6only=0,fork OPEN:"$DIR/taken",creat,append
	start behind core socat -u UDP6-RECVFROM:5555,ipv6only=0,fork OPEN:"$DIR/behind",creat,append
	until_true 20 test -n "$(on gateway ss -Huln 'sport = :5555')"
	until_true 20 test -n "$(on core ss -Huln 'sport = :5555')"
	for address in 192.0.2.1 192.0.2.255 '[2001:db8:5::1]' '[2001:db8:5::]'; do
		echo "$address" | on outside socat -u - "UDP:$address:5555,broadcast"
	done
	output=$(as gateway drops eth0 --json --port 5555/udp)
	json_is '[.drops[] | select(.machine == null) | .drop.packets] | add == 4'
	[ ! -s "$DIR/taken" ] || fail "this host was reached: $(cat "$DIR/taken")"
	# An address of the prefix that belongs to another host is open; without a filter this host accepts all four.
	exits 0 as gateway swap eth0 --no-machine core --force
	echo machine | on outside socat -u - UDP:192.0.2.10:5555
	until_true 8 grep -q machine "$DIR/behind"
	detach_all gateway
	for address in 192.0.2.255 '[2001:db8:5::]'; do
		echo "$address" | on outside socat -u - "UDP:$address:5555,broadcast"
	done
	until_true 8 grep -qF '2001:db8:5::' "$DIR/taken"
	until_true 8 grep -qF '192.0.2.255' "$DIR/taken"
	exits 1 as gateway attach eth0 -p ssh --machine all=192.0.2.255 -p ssh
	says 'is the broadcast address of a network of this host'
	exits 1 as gateway attach eth0 -p ssh --machine all=2001:db8:5:: -p ssh
	says 'is the anycast address of a network of this host'
	exits 0 as gateway attach eth0 -p ssh --machine all=2001:db8:5::/64 -p ssh
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines" and (.message | contains("no route")))] == []'
}

@test "an address that this host gets, and that a machine has alone, is this host's from the next change on" {
	exits 0 as gateway attach eth0 -p ssh --group mgmt=198.51.100.50 --from ssh:ssh=mgmt --machine nat=198.51.100.111 -p ssh --open 23/tcp
	address_add gateway eth1 198.51.100.111/32
	exits 1 as gateway doctor eth0
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines" and .state == "problem") | .fix] == ["portcullis swap eth0"]'
	exits 0 as gateway swap eth0
	says '198.51.100.111/32 is an address of this host'
	start telnet gateway socat TCP-LISTEN:23,fork,reuseaddr SYSTEM:true
	until_true 20 listening gateway 23
	on outside ip route add 198.51.100.111 via 198.51.100.1
	unanswered outside 198.51.100.111 23
	on outside ip route del 198.51.100.111
	output=$(as gateway explain eth0 198.51.100.70 22/tcp --local 198.51.100.111 --json)
	json_is '.verdicts[0] | .machine == null and .rule == "source" and .fix == "portcullis grant mgmt 198.51.100.70 --for 8h"'
	output=$(as gateway doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "machines") | .message] | any(contains("takes packets to 198.51.100.111/32 itself"))'
	on gateway ip address del 198.51.100.111/32 dev eth1
}

# host_decides PORT: administrators can log in at this host's address within the prefix; its neighbour is the machine's.
host_decides()
{
	output=$(as gateway explain eth0 198.51.100.50 "$1/tcp" --local 203.0.113.5 --json)
	json_is '.verdicts[0].verdict == "pass" and .verdicts[0].services == ["ssh:ssh"]'
	output=$(as gateway explain eth0 2001:db8:b::50 "$1/tcp" --local 2001:db8:7::5 --json)
	json_is '.verdicts[0].verdict == "pass" and .verdicts[0].services == ["ssh:ssh"]'
	output=$(as gateway explain eth0 198.51.100.50 "$1/tcp" --local 203.0.113.7 --json)
	json_is '.verdicts[0] | .verdict == "drop" and .machine == "wide"'
}

@test "a machine on the network of the interface itself, as behind a one-armed gateway, is refused with the reason" {
	on gateway ping -n -c 1 -W 8 198.51.100.2 > "$DIR/ping"
	exits 1 as gateway attach eth0 -p ssh --machine arm=198.51.100.2 -p ssh
	says 'machine arm: 198.51.100.2/32 is a neighbour on eth0 itself'
	on gateway ip route add 203.0.113.0/24 via 198.51.100.2
	exits 1 as gateway attach eth0 -p ssh --machine arm=203.0.113.0/25 -p ssh
	says 'machine arm: 203.0.113.0/25 is behind a router on eth0 itself'
	sed 's/^      two:/      arm: {address: 203.0.113.9, profiles: ssh}\n      two:/' "$DIR/site.yaml" > "$DIR/arm.yaml"
	exits 1 as gateway apply --site "$DIR/arm.yaml"
	says 'arm.yaml:' 'is behind a router on eth0 itself'
	exits 0 as gateway apply --boot --site "$DIR/arm.yaml"
	exits 0 as gateway swap eth0 --force --machine arm=203.0.113.0/25 -p ssh
	on gateway ip route del 203.0.113.0/24
}

@test "containers: a published port is closed until it is listed; what containers ask is answered" {
	on core ip route add 172.17.0.0/24 via 192.0.2.1
	on gateway nft -f - <<-'END'
		table ip docker {
			chain in {
				type nat hook prerouting priority dstnat
				fib daddr type local tcp dport 8080 dnat to 192.0.2.10:80
			}
			chain out {
				type nat hook postrouting priority srcnat
				ip saddr 192.0.2.0/24 oifname "eth0" masquerade
			}
		}
	END
	start web core socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:true
	until_true 20 listening core 80
	udp_serve answers outside 7777
	exits 0 as gateway attach eth0 -p ssh
	unanswered outside 198.51.100.1 8080
	asked nothing core 198.51.100.2 7777 --timeout 0.4
	exits 0 as gateway swap eth0 --open 8080/tcp --forward
	connects outside 198.51.100.1 8080
	asked 'answered 5000' core 198.51.100.2 7777 --answer 5000
	on gateway nft flush ruleset
}

@test "a host of virtual machines: the filter at the bridge's port tells them apart" {
	on gateway sh -c 'ip link add br0 type bridge && ip link set br0 up && ip link set eth0 master br0 && ip link set eth1 master br0'
	on gateway ip address del 198.51.100.1/24 dev eth0
	on gateway ip address add 198.51.100.1/24 dev br0
	address_add sm eth0 198.51.100.130/24
	exits 0 as gateway attach eth0 -p ssh --machine sm=198.51.100.130 -p socialminer
	start web sm socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:true
	start other sm socat TCP-LISTEN:8080,fork,reuseaddr SYSTEM:true
	until_true 20 listening sm 80
	connects outside 198.51.100.130 80
	unanswered outside 198.51.100.130 8080
	unanswered outside 198.51.100.1 80
	on sm ip address del 198.51.100.130/24 dev eth0
	on gateway ip link del br0
	on gateway sh -c 'ip link set eth0 nomaster; ip link set eth1 nomaster; ip address add 198.51.100.1/24 dev eth0' || true
}

@test "export nftables: the rules in place of the filter admit to each machine what it admits" {
	applied
	serve_all
	as gateway export nftables > "$DIR/rules"
	detach_all gateway
	on gateway nft -f "$DIR/rules"
	exits 0 python outside probe "$DIR/show" 192.0.2.10,192.0.2.20,192.0.2.30,192.0.2.40 198.51.100.{2,50,60,80}
	exits 0 python outside probe "$DIR/show" 2001:db8:5::40 2001:db8:b::{60,80}
}
