#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Ports that a site opens beside its profiles: by an option and by the site file, to anyone and to groups.
#
#	client 192.0.2.2, 192.0.2.3 --- eth0 host
#	       2001:db8::2, 2001:db8::3

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.3/24 2001:db8::3/64
	for port in 22 587 8443; do
		in_background host socat "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" SYSTEM:'echo hello'
		until_true 5 listening host $port
	done
	SITE=$DIR/site.yaml
	export SITE
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host
}

# reaches ADDRESS4 ADDRESS6 PORT: the client connects from these addresses, over both families.
reaches()
{
	on client socat -u OPEN:/dev/null "TCP:192.0.2.1:$3,bind=$1,connect-timeout=8" &&
		on client socat -u OPEN:/dev/null "TCP:[2001:db8::1]:$3,bind=[$2],connect-timeout=8"
}

reaches_not()
{
	run on client socat -u OPEN:/dev/null "TCP:192.0.2.1:$3,bind=$1,connect-timeout=0.4"
	[[ $output == *'timed out'* ]] || fail "IPv4 from $1: $output" || return 1
	run on client socat -u OPEN:/dev/null "TCP:[2001:db8::1]:$3,bind=[$2],connect-timeout=0.4"
	[[ $output == *'timed out'* ]] || fail "IPv6 from $2: $output"
}

inside_group='192.0.2.3 2001:db8::3'
outside_group='192.0.2.2 2001:db8::2'

# shellcheck disable=SC2086 # two addresses
@test "--open: to anyone, and to a group alone; over swaps to other profiles; counters and views name it" {
	exits 0 pc attach eth0 -p ssh --open 587/tcp --open 8443/tcp=mgmt --group mgmt=192.0.2.3,2001:db8::3
	says 'eth0: native, enforce, ssh: 3 open in'
	reaches $outside_group 587
	reaches $inside_group 587
	reaches $inside_group 8443
	reaches_not $outside_group 8443
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0].ports[] | select(.port == 8443) | .services == ["site:8443-tcp"] and .pass.packets > 0 and .drop.packets > 0'
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].recipe.overrides.open == ["587/tcp", "8443/tcp=mgmt"] and .interfaces[0].profiles == ["ssh"]'
	exits 0 pc counters eth0
	says 'site:8443-tcp'
	exits 0 pc status eth0
	says '587/tcp, 8443/tcp=mgmt'
	output=$(pc show --iface eth0 --json)
	json_is '[.profiles[] | select(.name == "site") | .included, (.services[] | .name, .open, .from[])] ==
		[false, "587-tcp", true, "8443-tcp", true, "mgmt"]'

	# With other profiles the ports stay open, and nothing is lost on the way back.
	exits 0 pc swap eth0 -p xeams --force
	says_not '587/tcp' ignored
	reaches $outside_group 587
	reaches $inside_group 8443
	reaches_not $outside_group 8443
	reaches_not $outside_group 22

	# Restricted, disabled, and opened again.
	exits 0 pc swap eth0 --from site:587-tcp=mgmt
	says 'changes 587/tcp from anyone to mgmt (site:587-tcp)'
	reaches_not $outside_group 587
	reaches $inside_group 587
	exits 0 pc swap eth0 --disable site:587-tcp
	says 'closes  587/tcp from mgmt (site:587-tcp)'
	reaches_not $inside_group 587
	exits 0 pc swap eth0 --open 587/tcp
	says 'opens   587/tcp from anyone (site:587-tcp)'
	reaches $outside_group 587
	exits 0 pc swap eth0 --from site:8443-tcp=anyone
	says 'changes 8443/tcp from mgmt to anyone (site:8443-tcp)'
	reaches $outside_group 8443
}

@test "--open: ranges and both protocols; UDP inside and outside of its group" {
	udp_serve served host 60005
	udp_serve served6 host 60006 --address 2001:db8::1
	pc attach eth0 -p ssh --open 60000-60009/udp=mgmt --open 5060/tcp+udp --group mgmt=192.0.2.2
	asked 'answered 20' client 192.0.2.1 60005
	asked nothing client 2001:db8::1 60006 --timeout 0.5
	exits 0 pc show --iface eth0
	says '60000-60009-udp' '5060-tcp' '5060-udp'
	pc swap eth0 --group mgmt=2001:db8::2,2001:db8::3
	asked 'answered 20' client 2001:db8::1 60006
	asked nothing client 192.0.2.1 60005 --timeout 0.5
}

# shellcheck disable=SC2086
@test "--no-OPTION takes back what an earlier option gave, and nothing else" {
	pc attach eth0 -p ssh,xeams --open 587/tcp --open 8443/tcp=mgmt --enable xeams:imap --disable xeams:smtp \
		--set ssh:ssh=2222/tcp --from ssh:ssh=mgmt --group mgmt=192.0.2.3,2001:db8::3 --force
	exits 0 pc swap eth0 --no-open 587/tcp
	says 'closes  587/tcp from anyone (site:587-tcp)'
	reaches_not $outside_group 587
	reaches $inside_group 8443
	exits 1 pc swap eth0 --no-open 587/tcp
	says "--no-open: '587/tcp' was not given; these were: 8443/tcp"
	exits 0 pc swap eth0 --no-set ssh:ssh --no-enable xeams:imap --no-disable xeams:smtp
	says 'closes  143/tcp' 'opens   25/tcp' 'opens   22/tcp from mgmt (ssh:ssh)'
	reaches $inside_group 22
	reaches_not $outside_group 22
	exits 0 pc swap eth0 --no-from ssh:ssh
	says 'changes 22/tcp from mgmt to anyone (ssh:ssh)'
	reaches $outside_group 22
	exits 1 pc swap eth0 --no-group mgmt
	says "no such group 'mgmt'"
	exits 0 pc swap eth0 --no-group mgmt --open 8443/tcp=office --group office=192.0.2.2,2001:db8::2
	reaches $outside_group 8443
	reaches_not $inside_group 8443
	same "$(generation host eth0)" 5
	exits 1 pc swap eth0 --no-from ssh:ssh
	exits 1 pc swap eth0 --open 1/tcp --open 1/tcp=office
	says "are about the same; give one of them"
	same "$(generation host eth0)" 5
	exits 2 pc attach eth0 -p ssh --no-open 1/tcp
}

# shellcheck disable=SC2086
@test "the site file opens ports, with a comment that show prints; errors and management warnings name them" {
	cat > "$SITE" <<-END
		groups: {mgmt: [192.0.2.3, '2001:db8::3']}
		interfaces:
		  eth0:
		    profiles: xeams
		    open: {587/tcp: {comment: CHG-1234}, 8443/tcp: mgmt, 22/tcp: anyone}
	END
	exits 0 pc apply --site "$SITE"
	says '22/tcp is open to anyone by site:22-tcp'
	reaches $outside_group 587
	reaches $inside_group 8443
	reaches_not $outside_group 8443
	exits 0 pc show --iface eth0
	says '587-tcp: CHG-1234'
	exits 0 pc apply --site "$SITE"
	says 'eth0: is as the site file says'
	sed -i 's/8443.tcp: mgmt/8443\/tcp: anyone/; s/, 22.tcp: anyone//' "$SITE"
	exits 0 pc apply --site "$SITE" --force
	says 'changes 8443/tcp from mgmt to anyone (site:8443-tcp)' 'closes  22/tcp from anyone (site:22-tcp)'
	reaches $outside_group 8443
	reaches_not $inside_group 22
}

@test "a port that no service has: each message names --open, a profile cannot be named site, a group not anyone" {
	exits 1 pc show xeams --set xeams:smtp=2525/tcp
	says 'is fixed by the vendor' '--open PORT/PROTO'
	exits 1 pc show ssh --set ssh:mosh=60000-60099/udp
	says "ssh has no service 'mosh'" '--open PORT/PROTO'
	exits 1 pc show ssh --from site:587-tcp=trusted
	says '--open PORT/PROTO'
	exits 1 pc show ssh --group anyone=192.0.2.0/24
	says 'the group anyone is built in'
	mkdir -p "$DIR/own"
	printf 'profile: site\nservices: [{name: a, in: 1/tcp}]\n' > "$DIR/own/site.yaml"
	exits 1 pc show site --catalog "$DIR/own"
	says "site.yaml:1:10: the name 'site' is reserved for the ports that --open opens"
	exits 1 pc show site
	says "'site' is the name of the ports that --open opens"
}
