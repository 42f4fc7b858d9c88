# SPDX-License-Identifier: GPL-2.0
# What the tests of killed commands and failing system calls share: two interfaces, two profiles, and
# `fault_each_call`.

load helper

faults_start()
{
	sandbox_start
	host_add host
	far_host client eth0 192.0.2 2001:db8:1
	far_host other eth1 198.51.100 2001:db8:2
	mkdir -p "$DIR/profiles"
	fault_profile before 7002 7102 > "$DIR/profiles/before.yaml"
	fault_profile after 7003 7103 > "$DIR/profiles/after.yaml"
	fault_site eth0 eth1 > "$DIR/both.yaml"
	fault_site eth0 > "$DIR/one.yaml"
	fault_site "'nic*'" > "$DIR/neither.yaml"
}

# fault_site INTERFACE...: writes a site file that brings them into the state `after`.
fault_site()
{
	cat <<-END
		groups:
		  trusted: [192.0.2.3, 198.51.100.3, '2001:db8:1::3', '2001:db8:2::3']
		interfaces:
	END
	printf '  %s: {profiles: after, outbound: enforce}\n' "$@"
}

# What brings an interface into the state `after`.
setup()
{
	AFTER=(-p after --outbound enforce --catalog "$DIR/profiles"
		--group trusted=192.0.2.3,198.51.100.3,2001:db8:1::3,2001:db8:2::3)
}

# far_host NAME INTERFACE PREFIX4 PREFIX6: a neighbour of two addresses behind an interface of `host`.
far_host()
{
	host_add "$1"
	link_add host "$2" "$1" eth0
	address_add host "$2" "$3.1/24" "$4::1/64"
	address_add "$1" eth0 "$3.2/24" "$3.3/24" "$4::2/64" "$4::3/64"
}

# fault_profile NAME IN OUT: a profile with these ports in addition to those that both have.
fault_profile()
{
	cat <<-END
		profile: $1
		title: One side of a swap
		services:
		  - {name: both, in: 7001/udp, out: 7101/udp}
		  - {name: own, in: $2/udp, out: $3/udp}
		  - {name: restricted, in: 7004/udp, from: trusted}
		  - {name: restricted-out, out: 7104/udp, to: trusted}
	END
}

# fault_each_call [OPTION]... OLD NEW COMMAND...: see fault_each_call.bash --help.
fault_each_call()
{
	by_script fault_each_call.bash "$@"
}
