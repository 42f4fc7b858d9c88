#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The lockout guard, with a real sshd: whom attach, swap and apply stop for, and that what they say opens it does.

load helper
load programs
load servers

setup_file()
{
	sandbox_start
	two_hosts
	host_add other
	link_add host eth1 other eth0
	address_add host eth1 198.51.100.1/24
	address_add other eth0 198.51.100.2/24
	start_sshd host -p 22 -p 2222
	until_true 10 listening host 22
	until_true 10 listening host 2222
}

teardown_file()
{
	sandbox_end
}

setup()
{
	unset SSH_CONNECTION
}

teardown()
{
	stop_all
	detach_all host
	on host ip link set eth1 up
	rm -f "$DIR/site.yaml"
}

# The binary as SSH runs it. The tree's finds its catalog by itself.
remote_pc()
{
	local command=$PORTCULLIS

	[[ $PORTCULLIS == */build/portcullis ]] || set -- "$@" --catalog "$CATALOG"
	printf '%q ' "$command" "$@"
}

# ssh_to ADDRESS[,PORT] COMMAND: by SSH from the client.
ssh_to()
{
	local port=22

	[[ $1 != *,* ]] || port=${1#*,}
	on client timeout 20 ssh -F "$DIR/ssh/config" -p "$port" "${1%,*}" "$2"
}

# login_stays HOST ADDRESS[,PORT]: a session that goes on until `logout`.
login_stays()
{
	local port=22

	[[ $2 != *,* ]] || port=${2#*,}
	start login "$1" ssh -F "$DIR/ssh/config" -p "$port" "${2%,*}" sleep 50
	until_true 5 sessions_are "$port" 1 || fail "$(cat "$DIR/login.log")"
}

logout()
{
	end login
	until_true 5 sessions_are 22 0
	until_true 5 sessions_are 2222 0
}

sessions_are()
{
	[ "$(on host ss -Htn state established "sport = :$1" | wc -l)" = "$2" ]
}

nothing_attached()
{
	same '' "$(attached host eth0)" 'program at eth0'
	same '' "$(attached host eth1)" 'program at eth1'
	same '' "$(pins)" 'pins'
}

# The words behind "to open it: " in $output.
fix()
{
	sed -n 's/.*to open it: //p' <<< "$output" | head -1
}

@test "attach by SSH without 22/tcp stops, and what it says opens it: -p xeams,ssh" {
	exits 1 ssh_to 192.0.2.1 "$(remote_pc attach eth0 -p xeams)"
	says 'eth0: your own session to 22/tcp (from 192.0.2.2) could not be made again' \
		'no chosen profile opens 22/tcp; to open it: -p xeams,ssh' 'attach: stopped' '--confirm 60' '--force'
	nothing_attached
	# shellcheck disable=SC2046
	exits 0 ssh_to 192.0.2.1 "$(remote_pc attach eth0 $(fix))"
	exits 0 ssh_to 192.0.2.1 'echo got in'
	says 'got in'
}

@test "by IPv6, and by IPv4 on a socket of both, the session is found as well" {
	exits 1 ssh_to 2001:db8::1 "$(remote_pc attach eth0 -p xeams)"
	says 'your own session to 22/tcp (from 2001:db8::2)'
	echo_server host 3389
	hold rdp client 192.0.2.1 3389
	exits 1 pc attach eth0 -p xeams,ssh
	says 'eth0: 1 session to 3389/tcp (from 192.0.2.2) could not be made again'
	nothing_attached
}

@test "an IPv6 link-local session is found by its interface" {
	local address

	address=$(on host ip -json -6 address show dev eth0 scope link | jq -r '.[].addr_info[]? | .local // empty')
	exits 1 ssh_to "$address%eth0" "$(remote_pc attach eth0 -p xeams)"
	says 'your own session to 22/tcp (from fe80::'
	exits 0 ssh_to "$address%eth0" "$(remote_pc attach eth1 -p xeams --observe)"
}

@test "without SSH_CONNECTION in its own environment the session is found by its ancestors', as behind sudo and su" {
	local attach

	attach=$(remote_pc attach eth0 -p xeams,ssh)
	# 2222 is not watched: only the caller's own session counts.
	exits 1 ssh_to 192.0.2.1,2222 "$attach"
	says 'your own session to 2222/tcp' 'to open it: --set ssh:ssh=22/tcp,2222/tcp'
	exits 1 ssh_to 192.0.2.1,2222 "env -i $attach; exit"
	says 'your own session to 2222/tcp'
	exits 1 ssh_to 192.0.2.1,2222 "su - -c '$attach'; exit \$?"
	says 'your own session to 2222/tcp'
	nothing_attached
	# A process that nobody called from there.
	login_stays client 192.0.2.1,2222
	exits 0 pc attach eth0 -p xeams,ssh
	says 'warning: eth0: 1 session to 2222/tcp lives on; new ones will be refused'
	logout
}

@test "an SSH_CONNECTION that is no connection of this host counts for nothing" {
	for word in '192.0.2.9 4000 192.0.2.1 2222' 'x' '' '192.0.2.2 1 2 3 4 5'; do
		SSH_CONNECTION=$word exits 0 pc attach eth0 -p xeams,ssh
		pc detach eth0
	done
	# It is one, of another network namespace.
	SSH_CONNECTION='192.0.2.2 4000 192.0.2.1 2222' exits 0 as other attach eth0 -p xeams
	as other detach eth0
}

@test "with --observe, --force or --confirm attach goes on; the last two say who would be locked out" {
	exits 0 ssh_to 192.0.2.1 "$(remote_pc attach eth0 -p xeams --observe)"
	says_not 'session'
	exits 1 ssh_to 192.0.2.1 "$(remote_pc swap eth0 --enforce)"
	says 'your own session to 22/tcp' 'swap: stopped'
	same 1 "$(generation host eth0)" 'generation'
	exits 0 ssh_to 192.0.2.1 "$(remote_pc swap eth0 --enforce --force)"
	says 'warning: eth0: your own session to 22/tcp (from 192.0.2.2) could not be made again' '-p xeams,ssh'
	unanswered client 192.0.2.1 22
	pc detach eth0
	exits 0 ssh_to 192.0.2.1 "$(remote_pc attach eth0 -p xeams --confirm 2)"
	says 'warning: eth0: your own session to 22/tcp'
	unanswered client 192.0.2.1 22
	until_true 5 connects client 192.0.2.1 22
}

@test "swap by SSH to a profile without 22/tcp stops; the group that it names opens it" {
	exits 0 pc attach eth0 -p xeams,ssh
	exits 1 ssh_to 192.0.2.1 "$(remote_pc swap eth0 -p xeams)"
	says 'your own session to 22/tcp' 'to open it: -p xeams,ssh'
	exits 1 ssh_to 192.0.2.1 "$(remote_pc swap eth0 --from ssh:ssh=trusted --group trusted=10.0.0.0/8)"
	says 'ssh:ssh admits only trusted; to open it: --group trusted=10.0.0.0/8,192.0.2.2/32'
	# shellcheck disable=SC2046
	exits 0 ssh_to 192.0.2.1 "$(remote_pc swap eth0 --from ssh:ssh=trusted $(fix))"
	exits 0 ssh_to 192.0.2.1 'echo got in'
	exits 1 ssh_to 192.0.2.1 "$(remote_pc swap eth0 --disable ssh:ssh)"
	says 'ssh:ssh is disabled; to open it: leave out --disable ssh:ssh'
	exits 0 ssh_to 192.0.2.1 "$(remote_pc swap eth0 -p ssh)"
}

@test "somebody else's session to a watched port stops it, too" {
	login_stays client 192.0.2.1
	exits 1 pc attach eth0 -p xeams
	says 'eth0: 1 session to 22/tcp (from 192.0.2.2) could not be made again'
	# It does not come by this one, and eth0 stays open.
	exits 0 pc attach eth1 -p xeams
	logout
}

@test "a server that nobody could reach any more stops it; another way in is enough" {
	exits 1 pc attach eth0 eth1 -p xeams
	says 'eth0: nobody could reach the server on 22/tcp any more' 'attach: stopped'
	nothing_attached
	exits 0 pc attach eth0 -p xeams
	exits 1 pc attach eth1 -p xeams
	says 'eth1: nobody could reach the server on 22/tcp any more'
	exits 0 pc attach eth1 -p xeams,ssh
	pc detach eth0
	exits 0 pc swap eth1 -p xeams
	pc detach eth1
	on host ip link set eth1 down
	exits 1 pc attach eth0 -p xeams
	says 'eth0: nobody could reach the server on 22/tcp any more'
}

@test "below a bridge: its ports count, the session comes by them" {
	on host ip link add br0 type bridge
	on host ip link set br0 up
	host_add guest
	link_add host eth7 guest eth0
	on host ip link set eth7 master br0
	address_add host br0 203.0.113.1/24
	address_add guest eth0 203.0.113.2/24
	login_stays guest 203.0.113.1
	exits 1 pc attach eth7 -p xeams
	says 'eth7: 1 session to 22/tcp (from 203.0.113.2) could not be made again'
	exits 1 pc attach br0 -p xeams
	says 'br0: 1 session to 22/tcp (from 203.0.113.2)'
	exits 0 pc attach eth0 -p xeams
	logout
	exits 0 pc attach eth7 -p xeams
	exits 0 pc detach eth7 eth0
	# To the ports of guests alone no administrator comes.
	on host ip link set eth1 down
	exits 1 pc attach eth0 -p xeams
	says 'eth0: nobody could reach the server on 22/tcp any more'
	on host ip link del br0
	host_del guest
}

@test "in a VRF the session comes by its member" {
	on host ip link add red type vrf table 10 || skip 'this kernel has no VRF'
	on host ip link set red up
	host_add member
	link_add host eth8 member eth0
	on host ip link set eth8 master red
	address_add host eth8 203.0.113.1/24
	address_add member eth0 203.0.113.2/24
	on host sysctl -q net.ipv4.tcp_l3mdev_accept=1
	login_stays member 203.0.113.1
	exits 1 pc attach eth8 -p xeams
	says 'eth8: 1 session to 22/tcp (from 203.0.113.2) could not be made again'
	exits 0 pc attach eth0 -p xeams
	logout
	on host ip link del red
	host_del member
}

@test "apply stops, too, and speaks of the site file; its management list is what is watched" {
	printf 'interfaces:\n  eth0: {profiles: xeams}\n  eth1: {profiles: xeams}\n' > "$DIR/site.yaml"
	exits 1 ssh_to 192.0.2.1 "$(remote_pc apply --site "$DIR/site.yaml")"
	says 'your own session to 22/tcp' 'to open it in the site file: profiles: [xeams, ssh]' 'apply: stopped'
	nothing_attached
	exits 1 pc apply --site "$DIR/site.yaml"
	says 'nobody could reach the server on 22/tcp'
	printf 'management: 2222/tcp\n' >> "$DIR/site.yaml"
	exits 1 pc apply --site "$DIR/site.yaml"
	says 'nobody could reach the server on 2222/tcp'
	says_not ' 22/tcp'
	sed -i 's/^management: .*/management: none/' "$DIR/site.yaml"
	exits 1 ssh_to 192.0.2.1 "$(remote_pc apply --site "$DIR/site.yaml")"
	exits 0 pc apply --site "$DIR/site.yaml"
	unanswered client 192.0.2.1 22
}

@test "attach and swap watch what the site file says" {
	printf 'management: none\n' > "$DIR/site.yaml"
	exits 0 pc attach eth0 eth1 -p xeams --site "$DIR/site.yaml"
	exits 0 pc swap eth0 -p ssh
	exits 1 pc swap eth0 -p xeams
	exits 0 pc swap eth0 -p xeams --site "$DIR/site.yaml"
}
