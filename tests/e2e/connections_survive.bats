#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Connections that live when the filter is attached, swapped or detached live on, and end as they should;
# new ones to the same ports do not get in. sshd is locked out of on purpose, hence --force.

load helper
load programs
load servers

setup_file()
{
	sandbox_start
	two_hosts
	profile closed <<-END
		services:
		  - name: nothing-here
		    in: 9999/tcp
	END
	profile open <<-END
		services:
		  - name: echo
		    in: 7000/tcp
	END
	start_sshd host
	until_true 10 listening host 22
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host
	on client nft flush ruleset
}

# login ADDRESS: opens an SSH shell on the host, which runs commands of `typed`.
login()
{
	mkfifo "$DIR/typed" "$DIR/shown"
	# shellcheck disable=SC2016
	start login client bash -c 'exec ssh -T -F "$0/ssh/config" "$1" bash < "$0/typed" > "$0/shown"' "$DIR" "$1"
	exec 8> "$DIR/typed" 9< "$DIR/shown"
	rm "$DIR/typed" "$DIR/shown"
}

# typed COMMAND: runs it in that shell; prints its output, and returns its exit status.
typed()
{
	local line

	echo "$1 2>&1; echo the end \$?" >&8
	while read -r -t 8 -u 9 line; do
		[[ $line != 'the end '* ]] || return "${line#the end }"
		echo "$line"
	done
	fail "no answer to: $1; $(cat "$DIR/login.log")"
}

# ssh_once ADDRESS: makes one more SSH connection.
ssh_once()
{
	on client timeout 10 ssh -F "$DIR/ssh/config" "$1" echo got in
}

# states HOST PORT: the states of the TCP sockets with this port on either side, without listeners.
states()
{
	on "$1" ss -Htan "sport = :$2 or dport = :$2" | awk '$1 != "LISTEN" { print $1 }' | sort | xargs
}

states_are()
{
	[ "$(states "$1" "$2")" = "$3" ]
}

# over HOST PORT: every connection is closed, or in time-wait.
over()
{
	[[ $(states "$1" "$2") =~ ^(TIME-WAIT ?)*$ ]]
}

# slow_server HOST PORT: an echo server that closes 1.5 s after the other side has.
slow_server()
{
	start "slow-$1" "$1" socat -t 15 "TCP6-LISTEN:$2,ipv6only=0,fork,reuseaddr" SYSTEM:'cat; sleep 4'
	until_true 20 listening "$1" "$2"
}

# lose HOOK MATCH: drops these packets at the client, until `nft flush ruleset`.
lose()
{
	on client nft "table inet loss { chain loss { type filter hook $1 priority 0; $2 drop; }; }"
}

hold_all()
{
	hold in client 192.0.2.1 7000
	hold in6 client 2001:db8::1 7000
	hold out host 192.0.2.2 7001
	hold out6 host 2001:db8::2 7001
	hold mapped host ::ffff:192.0.2.2 7001 # IPv4 on an IPv6 socket
}

all_echo()
{
	local name

	for name in in in6 out out6 mapped; do
		echoes $name "$1 $name" || return
	done
}

nothing_gets_in()
{
	unanswered client 192.0.2.1 7000 && unanswered client 2001:db8::1 7000
}

@test "quiet connections, in and out, live on over attach, swap and detach" {
	echo_server host 7000
	echo_server client 7001
	hold_all
	attach --force -p closed
	same native "$(pc status eth0 --json | jq -r '.interfaces[0].mode')" mode
	sleep 1
	all_echo attached
	nothing_gets_in
	swap --force -p open
	connects client 192.0.2.1 7000
	all_echo opened
	swap --force -p closed
	all_echo 'closed again'
	nothing_gets_in
	pc detach eth0
	all_echo detached
	attach --force -p closed
	all_echo 'attached again'
	[ "$(pc counters eth0 --json | jq '.interfaces[0].replies.packets')" -ge 6 ] || fail 'not counted as replies'
}

@test "a connection in through a port that the new profile closes lives on; new ones do not get in" {
	echo_server host 7000
	attach --force -p open
	hold in client 192.0.2.1 7000
	hold in6 client 2001:db8::1 7000
	swap --force -p closed
	sleep 2
	echoes in 'after the port closed'
	echoes in6 'after the port closed'
	nothing_gets_in
	same finished "$(tell in finish)" 'end of the connection'
	nothing_gets_in
	swap --force -p open
	connects client 192.0.2.1 7000
}

@test "busy connections, in and out, go on without a break over attach, swaps and detach" {
	local busy=()

	echo_server host 7000
	echo_server client 7001
	hold_all
	for name in in in6 out out6 mapped; do
		tell $name 'busy 6' > "$DIR/busy.$name" 3>&- &
		busy+=($!)
	done
	sleep 0.5
	attach --force -p closed
	sleep 0.5
	for name in open closed open closed; do
		swap --force -p $name
	done
	pc detach eth0
	attach --force -p open
	swap --force -p closed
	wait "${busy[@]}"
	for name in in in6 out out6 mapped; do
		read -r rounds longest < "$DIR/busy.$name"
		[[ $rounds == [0-9]* ]] || fail "$name: $rounds $longest"
		[ "$rounds" -gt 100 ] && [ "$longest" -lt 1500 ] || fail "$name: $rounds lines, one took $longest ms"
	done
	all_echo afterwards
	nothing_gets_in
}

@test "connections live on in generic mode, too" {
	echo_server host 7000
	echo_server client 7001
	hold_all
	attach --force -p closed --mode generic
	all_echo attached
	nothing_gets_in
}

@test "a connection whose handshake is under way when the filter comes is completed" {
	echo_server host 7014
	lose output 'tcp flags & (syn | ack) == ack'
	hold late client 192.0.2.1 7014
	same SYN-RECV "$(states host 7014)" 'state on the host'
	attach --force -p closed
	on client nft flush ruleset
	echoes late 'made it'
	unanswered client 192.0.2.1 7014
}

@test "an SSH session attaches a profile without 22/tcp and goes on; a second one does not get in" {
	exits 0 ssh_once 192.0.2.1
	same 'got in' "$output"
	login 192.0.2.1
	same hello "$(typed 'echo hello')"
	typed "$PORTCULLIS attach eth0 --force -p closed --catalog $DIR/catalog"
	same 'still here' "$(typed 'echo still here')"
	exits 255 ssh_once 192.0.2.1
	says 'timed out'
	exits 255 ssh_once 2001:db8::1
	[ "$(typed 'printf "%0100000d\n" 7' | wc -c)" -gt 100000 ] || fail 'a long output is cut'
	sleep 2
	output=$(typed "$PORTCULLIS status eth0")
	says closed
	exits 255 ssh_once 192.0.2.1
	typed "$PORTCULLIS swap eth0 --force -p ssh --catalog $CATALOG"
	exits 0 ssh_once 192.0.2.1
	typed "$PORTCULLIS swap eth0 --force -p closed --catalog $DIR/catalog"
	exits 255 ssh_once 192.0.2.1
	typed "$PORTCULLIS detach eth0"
	exits 0 ssh_once '2001:db8::1'
	exec 8>&-
	until_true 20 over client 22
	until_true 20 over host 22
	exec 9<&-
}

@test "a connection that the far side closes ends on both sides" {
	echo_server host 7010
	hold in client 192.0.2.1 7010
	hold in6 client 2001:db8::1 7010
	attach --force -p closed
	same finished "$(tell in finish)" 'in, closed by the far side'
	same finished "$(tell in6 finish)" 'in, closed by the far side'
	until_true 20 states_are host 7010 ''
	same 'TIME-WAIT TIME-WAIT' "$(states client 7010)" 'states on the far side'
	unanswered client 192.0.2.1 7010
}

@test "a connection that this host closes ends on both sides, also when the far side takes its time" {
	echo_server client 7011
	slow_server client 7012
	hold quick host 192.0.2.2 7011
	hold quick6 host 2001:db8::2 7011
	hold slow host 192.0.2.2 7012
	hold slow6 host 2001:db8::2 7012
	attach --force -p closed
	same finished "$(tell quick finish)"
	same finished "$(tell quick6 finish)"
	until_true 20 states_are client 7011 ''
	same 'TIME-WAIT TIME-WAIT' "$(states host 7011)" 'states on the host'
	same closed "$(tell slow close)"
	same closed "$(tell slow6 close)"
	until_true 20 states_are client 7012 'CLOSE-WAIT CLOSE-WAIT'
	until_true 20 states_are client 7012 ''
	until_true 20 states_are host 7012 'TIME-WAIT TIME-WAIT'
}

@test "a FIN that comes again, since its ACK was lost, is answered from time-wait" {
	slow_server client 7013
	hold slow host 192.0.2.2 7013
	attach --force -p closed
	same closed "$(tell slow close)"
	until_true 20 states_are client 7013 CLOSE-WAIT
	lose input 'tcp dport 7013'
	until_true 20 states_are client 7013 LAST-ACK
	same TIME-WAIT "$(states host 7013)" 'state on the host'
	on client nft flush ruleset
	until_true 20 states_are client 7013 ''
}

@test "a FIN that comes again is answered under --outbound enforce, too" {
	slow_server client 7015
	hold slow host 192.0.2.2 7015
	hold slow6 host 2001:db8::2 7015
	attach --force -p closed --outbound enforce
	echoes slow 'lives on'
	same closed "$(tell slow close)"
	same closed "$(tell slow6 close)"
	until_true 20 states_are client 7015 'CLOSE-WAIT CLOSE-WAIT'
	lose input 'tcp dport 7015'
	until_true 20 states_are client 7015 'LAST-ACK LAST-ACK'
	on client nft flush ruleset
	until_true 20 states_are client 7015 ''
}

@test "a connection in time-wait lets no new one in by its ports" {
	start short host socat TCP-LISTEN:7004,fork,reuseaddr EXEC:true
	until_true 20 listening host 7004
	again=TCP:192.0.2.1:7004,bind=192.0.2.2:5004,reuseaddr,connect-timeout=0.6
	on client timeout 5 socat -u "$again" STDOUT
	same TIME-WAIT "$(states host 7004)" 'state on the host'
	attach --force -p closed
	run on client timeout 5 socat -u "$again" STDOUT
	says 'timed out'
	pc detach eth0
	exits 0 on client timeout 5 socat -u "$again" STDOUT
}

@test "a stuck sender's retransmissions get through: bulk data goes on after a break" {
	slow_server client 7002
	hold out host 192.0.2.2 7002
	attach --force -p closed
	on client ip link set eth0 down
	tell out 'echo after the break' > "$DIR/break" 3>&- &
	sleep 1
	swap --force -p open
	on client ip link set eth0 up
	wait $!
	same 'after the break' "$(cat "$DIR/break")"
}
