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

# Starts the binary as SSH does. The tree's binary finds its catalog by itself.
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

# login_stays HOST ADDRESS[,PORT]: opens a session that stays until `logout`.
login_stays()
{
	local port=22

	[[ $2 != *,* ]] || port=${2#*,}
	start login "$1" ssh -F "$DIR/ssh/config" -p "$port" "${2%,*}" 'echo logged in; exec sleep 50'
	until_true 10 logged login 'logged in' || fail "$(cat "$DIR/login.log")"
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
	says 'eth0: your own session to 22/tcp (from 192.0.2.2) could not be re-established' \
		'no chosen profile opens 22/tcp; to open it: -p xeams,ssh' 'attach: refused' '--confirm 60' '--force'
	nothing_attached
	# shellcheck disable=SC2046
	exits 0 ssh_to 192.0.2.1 "$(remote_pc attach eth0 $(fix))"
	exits 0 ssh_to 192.0.2.1 'echo got in'
	says 'got in'
}

@test "by IPv6, and by IPv4 on a socket of both, the session is found as well" {
	exits 1 ssh_to 2001:db8::1 "$(remote_pc attach eth0 -p xeams)"
	says 'your own session to 22/tcp (from 2001:db8::2)'
	login_stays client 192.0.2.1
	exits 1 pc attach eth0 -p xeams
	says 'eth0: 1 login to 22/tcp (from 192.0.2.2) could not be re-established'
	nothing_attached
	logout
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
	# 2222 is not watched, so only the caller's own session counts.
	exits 1 ssh_to 192.0.2.1,2222 "$attach"
	says 'your own session to 2222/tcp' 'to open it: --set ssh:ssh=22/tcp,2222/tcp'
	exits 1 ssh_to 192.0.2.1,2222 "env -i $attach; exit"
	says 'your own session to 2222/tcp'
	exits 1 ssh_to 192.0.2.1,2222 "su - -c '$attach'; exit \$?"
	says 'your own session to 2222/tcp'
	nothing_attached
	# A process without a calling user.
	login_stays client 192.0.2.1,2222
	exits 0 pc attach eth0 -p xeams,ssh
	says 'warning: open connections continue, but new ones will be refused: 1 to 2222/tcp at eth0'
	logout
}

@test "an SSH_CONNECTION that is no connection of this host counts for nothing" {
	for word in '192.0.2.9 4000 192.0.2.1 2222' 'x' '' '192.0.2.2 1 2 3 4 5'; do
		SSH_CONNECTION=$word exits 0 pc attach eth0 -p xeams,ssh
		pc detach eth0
	done
	# It is a session of another network namespace.
	SSH_CONNECTION='192.0.2.2 4000 192.0.2.1 2222' exits 0 as other attach eth0 -p xeams
	as other detach eth0
}

@test "with --observe or --force attach goes on, and says who is locked out; --confirm alone does not lock the caller out" {
	exits 0 ssh_to 192.0.2.1 "$(remote_pc attach eth0 -p xeams --observe)"
	says_not 'session'
	exits 1 ssh_to 192.0.2.1 "$(remote_pc swap eth0 --enforce)"
	says 'your own session to 22/tcp' 'swap: refused'
	same 1 "$(generation host eth0)" 'generation'
	exits 0 ssh_to 192.0.2.1 "$(remote_pc swap eth0 --enforce --force)"
	says 'warning: eth0: your own session to 22/tcp (from 192.0.2.2) could not be re-established' '-p xeams,ssh'
	unanswered client 192.0.2.1 22
	pc detach eth0
	exits 1 ssh_to 192.0.2.1 "$(remote_pc attach eth0 -p xeams --confirm 2)"
	says 'eth0: your own session to 22/tcp' 'attach: refused' '--force proceeds anyway'
	says_not 'warning'
	nothing_attached
	printf 'interfaces:\n  eth0: {profiles: xeams, confirm: 2}\n' > "$DIR/site.yaml"
	exits 1 ssh_to 192.0.2.1 "$(remote_pc apply --site "$DIR/site.yaml")"
	says 'eth0: your own session to 22/tcp' 'apply: refused'
	nothing_attached
	exits 0 ssh_to 192.0.2.1 "$(remote_pc attach eth0 -p xeams --confirm 6 --force)"
	says 'warning: eth0: your own session to 22/tcp'
	unanswered client 192.0.2.1 22
	CONNECT_TIMEOUT=1 until_true 30 connects client 192.0.2.1 22
}

@test "a login of another, and a server: with --confirm they are warnings" {
	login_stays client 192.0.2.1
	exits 0 pc attach eth0 -p xeams --confirm 60
	says 'warning: eth0: 1 login to 22/tcp (from 192.0.2.2)'
	exits 0 pc confirm eth0
	says_not 'login' 'warning'
	logout
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

@test "another login to a watched port stops it, too" {
	login_stays client 192.0.2.1
	exits 1 pc attach eth0 -p xeams
	says 'eth0: 1 login to 22/tcp (from 192.0.2.2) could not be re-established'
	# The session does not come in by this interface, and eth0 stays open.
	exits 0 pc attach eth1 -p xeams
	logout
}

@test "a server that nobody could reach any more stops it; another way in is enough" {
	exits 1 pc attach eth0 eth1 -p xeams
	says 'eth0: the server on 22/tcp would become unreachable' 'attach: refused'
	nothing_attached
	exits 0 pc attach eth0 -p xeams
	exits 1 pc attach eth1 -p xeams
	says 'eth1: the server on 22/tcp would become unreachable'
	exits 0 pc attach eth1 -p xeams,ssh
	pc detach eth0
	exits 0 pc swap eth1 -p xeams
	pc detach eth1
	on host ip link set eth1 down
	exits 1 pc attach eth0 -p xeams
	says 'eth0: the server on 22/tcp would become unreachable'
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
	says 'eth7: 1 login to 22/tcp (from 203.0.113.2) could not be re-established'
	exits 1 pc attach br0 -p xeams
	says 'br0: 1 login to 22/tcp (from 203.0.113.2)'
	exits 0 pc attach eth0 -p xeams
	logout
	exits 0 pc attach eth7 -p xeams
	exits 0 pc detach eth7 eth0
	# No administrator logs in through ports of guests alone.
	on host ip link set eth1 down
	exits 1 pc attach eth0 -p xeams
	says 'eth0: the server on 22/tcp would become unreachable'
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
	says 'eth8: 1 login to 22/tcp (from 203.0.113.2) could not be re-established'
	exits 0 pc attach eth0 -p xeams
	logout
	on host ip link del red
	host_del member
}

@test "apply stops, too, and speaks of the site file; its management list is what is watched" {
	printf 'interfaces:\n  eth0: {profiles: xeams}\n  eth1: {profiles: xeams}\n' > "$DIR/site.yaml"
	exits 1 ssh_to 192.0.2.1 "$(remote_pc apply --site "$DIR/site.yaml")"
	says 'your own session to 22/tcp' 'to open it in the site file: profiles: [xeams, ssh]' 'apply: refused'
	nothing_attached
	exits 1 pc apply --site "$DIR/site.yaml"
	says 'the server on 22/tcp would become unreachable'
	printf 'management: 2222/tcp\n' >> "$DIR/site.yaml"
	exits 1 pc apply --site "$DIR/site.yaml"
	says 'the server on 2222/tcp would become unreachable'
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

# --- strangers, and users of this host ---

# shakes_hands PORT [FIRST-WORD]: makes ten connections from the client, which send this word and nothing more.
shakes_hands()
{
	start stranger client /usr/bin/python3 -c 'if True:
		import socket, sys, time
		held = [socket.create_connection(("192.0.2.1", int(sys.argv[1]))) for _ in range(10)]
		for one in held:
			one.sendall(sys.argv[2].encode())
		time.sleep(60)' "$1" "${2:-}"
	until_true 10 sessions_are "$1" 10 || fail "$(cat "$DIR/stranger.log")"
}

@test "handshakes, and peers that have not logged in, stop nothing; their address is no fix" {
	local words

	# sshd accepts these connections, and answers those of the second kind.
	for words in '' $'SSH-2.0-x\r\n'; do
		shakes_hands 22 "$words"
		exits 0 pc attach eth0 -p xeams,ssh --from ssh:ssh=mgmt --group mgmt=10.0.0.0/8
		says 'warning: open connections continue, but new ones will be refused: 10 to 22/tcp at eth0'
		says_not '192.0.2.2' 're-established'
		pc detach eth0
		exits 0 pc attach eth0 -p xeams,ssh --from ssh:ssh=mgmt --group mgmt=10.0.0.0/8 --confirm 30
		exits 0 pc confirm
		says 'eth0: confirmed'
		says_not '192.0.2.2' 'warning'
		pc detach eth0
		end stranger
		until_true 20 sessions_are 22 0
	done
}

@test "half-open connections from forged addresses are not even counted" {
	on host sysctl -q net.ipv4.tcp_syncookies=0
	# Their addresses belong to no host, so no answer closes the connections.
	on host ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth0
	on client /usr/bin/python3 "$ROOT/tests/e2e/attack.py" eth0 "$(mac_of host eth0)" tcp 192.0.2.77 192.0.2.1 4000 22 S
	until_true 10 has_half_open
	exits 0 pc attach eth0 -p xeams,ssh --from ssh:ssh=mgmt --group mgmt=10.0.0.0/8
	has_half_open
	says_not 'connections' 're-established'
	on host sysctl -q net.ipv4.tcp_syncookies=1
}

has_half_open()
{
	[ -n "$(on host ss -Htn state syn-recv)" ]
}

@test "a user who listens on a watched port, and whoever connects to him, stops nothing" {
	start server host setpriv --reuid 1000 --clear-groups socat TCP6-LISTEN:5900,fork,reuseaddr,ipv6only=0 PIPE
	until_true 5 listening host 5900
	shakes_hands 5900
	exits 0 pc attach eth0 eth1 -p xeams,ssh
	says 'warning: open connections continue, but new ones will be refused: 10 to 5900/tcp at eth0'
	says_not '192.0.2.2' 'would become unreachable'
	pc detach eth0 eth1
	# The caller's own desktop session counts, because sudo identifies it.
	SUDO_UID=1000 exits 1 pc attach eth0 eth1 -p xeams,ssh
	says 'the server on 5900/tcp would become unreachable'
	says_not '192.0.2.2'
	nothing_attached
	# A session of root counts.
	end server
	end stranger
	start server host socat TCP6-LISTEN:5900,fork,reuseaddr,ipv6only=0 PIPE
	until_true 5 listening host 5900
	exits 1 pc attach eth0 eth1 -p xeams,ssh
	says 'the server on 5900/tcp would become unreachable'
	end server
}

@test "a server that was started by hand in a login: only who logs in there is a login" {
	printf 'management: [2200/tcp]\n' > "$DIR/site.yaml"
	on host sh -c 'echo 1000 > /proc/self/loginuid; exec "$@"' sh /usr/sbin/sshd -f "$DIR/ssh/sshd_config" \
		-p 2200 -o "PidFile $DIR/by-hand.pid" > /dev/null 2>&1
	until_true 5 listening host 2200
	shakes_hands 2200 $'SSH-2.0-x\r\n'
	exits 0 pc attach eth0 -p xeams,ssh --site "$DIR/site.yaml"
	says 'warning: open connections continue, but new ones will be refused: 10 to 2200/tcp at eth0'
	pc detach eth0
	end stranger
	until_true 20 sessions_are 2200 0
	login_stays client 192.0.2.1,2200
	exits 1 pc attach eth0 -p xeams,ssh --site "$DIR/site.yaml"
	says '1 login to 2200/tcp (from 192.0.2.2) could not be re-established'
	end login
	inside kill "$(< "$DIR/by-hand.pid")"
}

@test "another's login is told with an address only where a group admitted it; the caller's always" {
	exits 0 pc attach eth0 -p ssh --from ssh:ssh=mgmt --group mgmt=192.0.2.0/30
	login_stays client 192.0.2.1
	exits 1 pc swap eth0 --group mgmt=10.0.0.0/8
	says '1 login to 22/tcp (from 192.0.2.2)' 'to open it: --group mgmt=10.0.0.0/8,192.0.2.2/32'
	pc detach eth0
	exits 1 pc attach eth0 -p ssh --from ssh:ssh=mgmt --group mgmt=10.0.0.0/8
	says '1 login to 22/tcp (from 192.0.2.2)' 'to open it: --group mgmt=10.0.0.0/8,PREFIX'
	exits 1 ssh_to 192.0.2.1 "$(remote_pc attach eth0 -p ssh --from ssh:ssh=mgmt --group mgmt=10.0.0.0/8)"
	says 'your own session to 22/tcp' 'to open it: --group mgmt=10.0.0.0/8,192.0.2.2/32'
	logout
}

@test "confirm stops for the caller's own session, and asks about no other" {
	exits 0 pc attach eth0 -p xeams --confirm 30 --force
	on client ip address add 192.0.2.9/24 dev eth0
	exits 0 pc confirm eth0
	pc detach eth0
	# Over a session that existed before.
	exits 1 ssh_to 192.0.2.1 "$(remote_pc attach eth0 -p xeams --confirm 30 --force) && $(remote_pc confirm eth0)"
	says 'eth0: your own session to 22/tcp (from 192.0.2.2)' 'confirm: refused, nothing was confirmed'
	exits 0 pc confirm eth0 --force
}

# start_telnetd WORD...: on port 23, as inetd does it: one process holds each connection, and the login is a process
# below it. The login shell runs these words.
start_telnetd()
{
	printf '#!/bin/sh\necho 0 > /proc/self/loginuid\n%s\nsleep 50\n' "$*" > "$DIR/shell"
	chmod 755 "$DIR/shell"
	start server host socat TCP4-LISTEN:23,fork,reuseaddr EXEC:"busybox telnetd -i -l $DIR/shell",nofork
	until_true 5 listening host 23
}

@test "telnet: a login of another counts, and the caller is known by the process that holds the connection" {
	start_telnetd "touch '$DIR/in'"
	start login client socat -u TCP4:192.0.2.1:23 STDOUT
	until_true 10 test -e "$DIR/in"
	exits 1 pc attach eth0 -p xeams,ssh
	says 'eth0: 1 login to 23/tcp (from 192.0.2.2) could not be re-established'
	end login
	end server
	start_telnetd "$(remote_pc attach eth0 -p xeams,ssh --confirm 9) > '$DIR/said' 2>&1; touch '$DIR/done'"
	start login client socat -u TCP4:192.0.2.1:23 STDOUT
	until_true 20 test -e "$DIR/done"
	output=$(< "$DIR/said")
	says 'eth0: your own session to 23/tcp (from 192.0.2.2) could not be re-established' 'attach: refused'
	nothing_attached
	end login
	end server
}

@test "a caller in an old tmux is known by the account: its SSH_CONNECTION is of a session that is gone" {
	login_stays client 192.0.2.1
	SSH_CONNECTION='192.0.2.2 1 192.0.2.1 22' exits 1 on host sh -c 'echo 0 > /proc/self/loginuid; exec "$@"' sh \
		"$PORTCULLIS" attach eth0 -p xeams --catalog "$CATALOG" --confirm 9
	says 'your own session to 22/tcp (from 192.0.2.2)'
	nothing_attached
	logout
}
