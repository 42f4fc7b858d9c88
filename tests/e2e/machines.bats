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
	# Clients of the first tenant, of the second, servers, administrators, and the rest of the world.
	address_add outside eth0 198.51.100.2/24 198.51.100.50/24 198.51.100.60/24 198.51.100.70/24 198.51.100.80/24 \
		2001:db8:b::2/64 2001:db8:b::50/64 2001:db8:b::60/64 2001:db8:b::70/64 2001:db8:b::80/64
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
	for number in 1 2 3 4; do
		exits 0 python outside probe "$DIR/show" 192.0.2.${number}0 198.51.100.{2,50,60,70,80}
		echo "$output" | sed 's/^/  /' >&3
		exits 0 python outside probe "$DIR/show" 2001:db8:5::${number}0 2001:db8:b::{2,50,60,70,80}
	done
}

@test "sweep: all 65,536 ports of each machine, TCP and UDP, IPv4 and IPv6, from each kind of source" {
	applied
	forwarding 0 # what passes goes no further: nothing answers
	on outside true
	python outside flows "$DIR/show" > "$DIR/flows"
	on outside "$TOOLS/send" eth0 "$(mac_of gateway eth0)" < "$DIR/flows" > "$DIR/sent"
	as gateway counters eth0 --json > "$DIR/counters"
	exits 0 python outside judge "$DIR/show" "$DIR/counters"
	echo "$output" | sed 's/^/  /' >&3
}
