#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The options of attach and swap, the recipe that a swap starts from, several interfaces in one command.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	host_add other
	link_add host eth1 other eth0
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# --- the options ---

@test "--enable: bare in every chosen profile, or in one of them" {
	mkdir -p "$DIR/features"
	for name in one two; do
		printf 'profile: %s\nservices:\n  - {name: a, in: 100%d/tcp, feature: extra}\n' $name ${#name} \
			> "$DIR/features/$name.yaml"
	done
	sed -i 's/1003/1004/' "$DIR/features/two.yaml"
	exits 0 pc show one two --json --enable extra --catalog "$DIR/features"
	json_is '[.profiles[].services[].open] == [true, true]'
	exits 0 pc show one two --json --enable two:extra --catalog "$DIR/features"
	json_is '[.profiles[].services[].open] == [false, true]'
	exits 1 pc attach eth0 -p one,two --enable extr --catalog "$DIR/features"
	says "did you mean 'extra'"
}

@test "--group NAME=@FILE: a prefix a line, comments and empty lines allowed" {
	printf '# office\n192.0.2.0/24\n\n2001:db8::/32  # all of it\n198.51.100.7\n' > "$DIR/prefixes"
	pc attach eth0 -p communigate-pro --group "trusted=@$DIR/prefixes"
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].recipe.groups.trusted | sort == ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"]'
}

@test "--group NAME=-: the same from stdin, for each interface and in swap" {
	printf '192.0.2.0/24\n# office\n' > "$DIR/prefixes"
	exits 0 pc attach eth0 eth1 -p ssh --from ssh:ssh=office --group office=- < "$DIR/prefixes"
	output=$(pc status --json)
	json_is '[.interfaces[].recipe.groups.office] == [["192.0.2.0/24"], ["192.0.2.0/24"]]'
	printf '192.0.2.0/24\n192.0.2.300\n' > "$DIR/prefixes"
	exits 1 pc swap eth0 --group office=- < "$DIR/prefixes"
	says "(standard input):2:1: '192.0.2.300'"
	exits 1 pc swap eth0 --group office=- < /dev/null
	says '(standard input): contains no prefix'
}

@test "--dry-run says what would be done and changes nothing" {
	before=$(pins)
	exits 0 pc attach eth0 eth1 -p xeams --dry-run
	says 'would attach' '25/tcp'
	same '' "$(attached host eth0)$(attached host eth1)" 'programs'
	same "$before" "$(pins)" 'pins'
	pc attach eth0 -p xeams
	program=$(attached host eth0)
	exits 0 pc swap eth0 -p ssh --dry-run
	says 'would swap' 'closes  25/tcp' 'opens   22/tcp'
	same 1 "$(generation host eth0)" 'generation'
	same "$program" "$(attached host eth0)" 'program'
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].profiles == ["xeams"]'
	exits 1 pc attach eth0 -p ssh --dry-run
	says 'already attached'
	exits 1 pc attach nonesuch0 -p ssh --dry-run
}

@test "--strict makes a closed group an error" {
	exits 1 pc attach eth0 -p communigate-pro --strict
	says 'dns-servers' 'trusted'
	same '' "$(attached host eth0)" 'program'
	exits 1 pc attach eth0 -p communigate-pro --strict --group trusted=192.0.2.0/24
	says 'dns-servers'
	exits 0 pc attach eth0 -p communigate-pro --strict --group trusted=192.0.2.0/24 --group dns-servers=192.0.2.53
	exits 1 pc swap eth0 -p socialminer --strict
	same 1 "$(generation host eth0)" 'generation'
	exits 1 pc show communigate-pro --strict
}

@test "--mode native and generic insist; without it native is taken" {
	pc attach eth0 -p ssh
	output=$(pc status --json)
	json_is '.interfaces[0].mode == "native"'
	pc detach eth0
	exits 0 pc attach eth0 -p ssh --mode generic
	says 'eth0: generic'
	output=$(pc status --json)
	json_is '.interfaces[0].mode == "generic"'
	same 2 "$(on host ip -json link show dev eth0 | jq '.[0].xdp.mode')" 'mode that the kernel has'
	exits 0 pc swap eth0 -p xeams
	output=$(pc status --json)
	json_is '.interfaces[0].mode == "generic" and .interfaces[0].profiles == ["xeams"]'
	pc detach eth0
	exits 0 pc attach eth0 -p ssh --mode native
	says 'eth0: native'
}

@test "an interface without native XDP: generic, with the driver's own reason; --mode native fails clean" {
	on host ip link add br0 type bridge
	on host ip link set br0 up
	exits 1 pc attach br0 -p ssh --mode native
	says 'br0' 'native' 'supp'
	same '' "$(attached host br0)" 'program'
	same '' "$(pins)" 'pins'
	exits 0 pc attach br0 -p ssh
	says 'br0: native XDP refused' 'generic mode' 'br0: generic'
	[ -n "$(attached host br0)" ] || fail 'the kernel has no program there'
	pc detach br0
	on host ip link del br0
}

@test "attach warns of a bridge's port and of forwarding" {
	on host ip link add br0 type bridge
	on host ip link set eth1 master br0
	exits 0 pc attach eth1 -p ssh
	says 'eth1' 'bridge br0'
	on host ip link set eth1 nomaster
	pc detach eth1
	on host ip link del br0
	on host sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
	exits 0 pc attach eth1 -p ssh
	on host sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'
	says 'forwarding'
}

# --- swap ---

@test "swap starts from the recipe: policy, groups and features stay, what is given changes" {
	pc attach eth0 -p xeams --enable imap --observe --group office=192.0.2.0/24 \
		--from xeams:admin-console=office --disable xeams:dns
	exits 0 pc swap eth0 --enable pop3-server
	says 'opens   110/tcp' 'observe'
	output=$(pc status eth0 --json)
	json_is '.interfaces[0] | .policy == "observe" and .generation == 2 and
		(.recipe.features | sort) == ["imap", "pop3-server"] and .recipe.groups.office == ["192.0.2.0/24"]'
	exits 0 pc swap eth0 -p xeams,ssh --enforce
	output=$(pc status eth0 --json)
	json_is '.interfaces[0] | .policy == "enforce" and .profiles == ["xeams", "ssh"] and
		(.recipe.features | sort) == ["imap", "pop3-server"]'
	exits 0 pc swap eth0 --group office=198.51.100.0/24
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].recipe.groups.office == ["198.51.100.0/24"]'
	output=$(pc show --iface eth0 --json)
	json_is '.profiles[] | select(.name == "xeams") | .services[] | select(.name == "admin-console") |
		.open and .from == ["office"]'
}

@test "swap parks what the new profiles do not know, and says so; --fresh forgets it" {
	pc attach eth0 -p xeams --enable imap --disable xeams:dns --group office=192.0.2.0/24
	exits 0 pc swap eth0 -p ssh
	says 'imap' 'xeams:dns' 'closes  25/tcp'
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].recipe | .features == [] and .groups.office == ["192.0.2.0/24"]'
	exits 0 pc swap eth0 -p xeams
	output=$(pc show --iface eth0 --json)
	json_is '.profiles[0].services[] | select(.name == "imap") | .open'
	pc swap eth0 -p ssh
	exits 0 pc swap eth0 -p xeams --fresh
	output=$(pc show --iface eth0 --json)
	json_is '.profiles[0].services[] | select(.name == "imap") | .open | not'
}

@test "swap prints what opens and what closes, and for whom, before it switches" {
	pc attach eth0 -p ssh
	exits 0 pc swap eth0 -p communigate-pro-cluster --group cluster=192.0.2.0/28
	says 'opens   25/tcp from cluster (communigate-pro-cluster:smtp)' 'closes  22/tcp from anyone (ssh:ssh)'
	exits 0 pc swap eth0
	says 'no port opens or closes'
}

@test "swap --fresh starts from nothing but its own options" {
	pc attach eth0 -p xeams --enable imap --group office=192.0.2.0/24
	exits 0 pc swap eth0 --fresh
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].recipe | .features == [] and .groups == {} and .profiles == ["xeams"]'
}

@test "show --iface shows the live recipe, whatever the catalog says by now" {
	mkdir -p "$DIR/live"
	printf 'profile: live\nservices:\n  - {name: web, in: 80/tcp}\n' > "$DIR/live/live.yaml"
	pc attach eth0 -p live --catalog "$DIR/live"
	printf 'profile: live\nservices:\n  - {name: web, in: 81/tcp}\n' > "$DIR/live/live.yaml"
	output=$(pc show --iface eth0 --json)
	json_is '.profiles[0].services[0].ports == ["80/tcp"]'
	exits 0 pc swap eth0 --catalog "$DIR/live"
	says 'opens   81/tcp' 'closes  80/tcp'
	exits 1 pc show --iface eth1
	says 'eth1' 'no filter'
}

# --- several interfaces ---

@test "several interfaces in one command have each their own filter and counters" {
	address_add host eth1 198.51.100.1/24
	address_add other eth0 198.51.100.2/24
	exits 0 pc attach eth0 eth1 -p ssh
	says 'eth0: native, enforce, ssh' 'eth1: native, enforce, ssh'
	unanswered other 198.51.100.1 80
	output=$(pc counters --json)
	json_is '[.interfaces[].name] == ["eth0", "eth1"]'
	json_is '[.interfaces[] | [.ports[] | select(.port == 80) | .drop.packets] | length] == [0, 1]'
	exits 0 pc swap eth0 eth1 -p xeams
	output=$(pc status --json)
	json_is '[.interfaces[].profiles[]] == ["xeams", "xeams"]'
	exits 0 pc status eth1 --json
	json_is '[.interfaces[].name] == ["eth1"]'
	exits 0 pc detach eth0 eth1
	same '' "$(pins)" 'pins'
}

@test "attach: a second interface that is missing, taken or foreign leaves the first untouched" {
	exits 1 pc attach eth0 nonesuch0 -p ssh
	says 'nonesuch0' 'no such interface'
	same '' "$(attached host eth0)" 'program'
	pc attach eth1 -p xeams
	program=$(attached host eth1)
	exits 1 pc attach eth0 eth1 -p ssh
	says 'eth1' 'already attached'
	same '' "$(attached host eth0)" 'program of eth0'
	same "$program" "$(attached host eth1)" 'program of eth1'
	exits 2 pc attach eth0 eth0 -p ssh
	says 'twice'
	same '' "$(attached host eth0)" 'program of eth0'
	same 1 "$(pins | wc -l)" 'folders of pins'
}

@test "attach that fails at the second interface's hook puts the first back" {
	on host ip link add br0 type bridge
	exits 1 pc attach eth0 br0 -p ssh --mode native
	says 'nothing was attached'
	same '' "$(attached host eth0)$(attached host br0)" 'programs'
	same '' "$(pins)" 'pins'
	on host ip link del br0
}

@test "swap: a second interface without the filter leaves the first as it was" {
	pc attach eth0 -p ssh
	exits 1 pc swap eth0 eth1 -p xeams
	says 'eth1' 'no filter'
	same 1 "$(generation host eth0)" 'generation'
	exits 1 pc swap eth0 nonesuch0 -p xeams
	same 1 "$(generation host eth0)" 'generation'
}
