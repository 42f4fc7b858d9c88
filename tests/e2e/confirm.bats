#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# --force: a server listens on 22/tcp, which only the profile ssh opens.
# --confirm: past its deadline the program itself falls back, both ways, without any process.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	tiny_catalog
	for port in 22 25 5000; do
		in_background host socat "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" SYSTEM:'echo hello'
	done
	for port in 22 25 5000; do
		until_true 5 listening host $port
	done
	in_background client socat TCP-LISTEN:7000,fork,reuseaddr SYSTEM:'echo hello'
	until_true 5 listening client 7000
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# connects_soon HOST ADDRESS PORT: a connection is made within half a minute, because a deadline passes.
connects_soon()
{
	CONNECT_TIMEOUT=1 until_true 30 connects "$@"
}

is_reverted()
{
	[ "$(pc status eth0 --json | jq -r '.interfaces[0].confirm.state')" = reverted ]
}

confirm_of()
{
	pc status "${1:-eth0}" --json | jq -c '.interfaces[0].confirm | if . then [.state, .fallback] else . end'
}

@test "swap --confirm: the new profile judges, then the old one again, while no process of ours runs" {
	pc attach eth0 -p ssh
	exits 0 pc swap eth0 -p xeams --confirm 60
	says 'not confirmed yet: in 60 s' 'From a new connection run: portcullis confirm eth0'
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
	same '["waiting",1]' "$(confirm_of)"
	exits 0 pc status eth0
	says 'confirm' 's left, then generation 1 is active again'
	pc detach eth0
	pc attach eth0 -p ssh
	pc swap eth0 -p xeams --confirm 2
	# From here on only packets are sent, and no command is run.
	connects_soon client 192.0.2.1 22
	connects client 2001:db8::1 22
	unanswered client 192.0.2.1 25
	exits 0 pc status eth0
	says 'eth0: native, enforce, ssh' 'reverted' 'not confirmed in time; generation 1 is active again'
	same '["reverted",1]' "$(confirm_of)"
	same '["ssh"]' "$(pc status eth0 --json | jq -c '.interfaces[0].profiles')"
}

@test "confirm in time makes it final: nothing falls back, nothing of the old one is left" {
	pc attach eth0 -p ssh
	pc swap eth0 -p xeams --confirm 8
	exits 0 pc confirm eth0
	says 'eth0: confirmed; generation 2 is final'
	same null "$(confirm_of)"
	sleep 8.2
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
	same 1 "$(inside find "$PINS" -name 'generation-*' | wc -l)" 'generations'
	exits 0 pc confirm eth0
	says 'nothing to confirm'
	exits 0 pc confirm
	says 'nothing to confirm'
}

@test "confirm past the deadline: exit 1, and it says what judges, also after a command has cleared away" {
	pc attach eth0 -p ssh
	pc swap eth0 -p xeams --confirm 1
	sleep 1.1
	exits 1 pc confirm
	says 'eth0: too late' 'generation 1 is active again'
	connects client 192.0.2.1 22
	exits 1 pc confirm eth0
	says 'too late'
	same '["reverted",1]' "$(confirm_of)"
	same 1 "$(inside find "$PINS" -name 'generation-*' | wc -l)" 'generations'
	connects client 192.0.2.1 22
	# A new change replaces the note about the reverted one.
	exits 0 pc swap eth0 -p xeams --force
	same null "$(confirm_of)"
}

@test "attach --confirm: past the deadline everything passes and is counted; the next command detaches" {
	exits 0 pc attach eth0 -p ssh --confirm 60
	says 's everything passes again'
	unanswered client 192.0.2.1 25
	same '["waiting",null]' "$(confirm_of)"
	same 1 "$(generation host eth0)" generation
	pc detach eth0
	exits 0 pc attach eth0 -p ssh --confirm 1
	connects_soon client 192.0.2.1 25
	connects client 192.0.2.1 22
	exits 0 pc status eth0
	says 'not confirmed in time; everything passes again'
	[ "$(pc counters eth0 --json | jq '.interfaces[0].total.would_drop.packets')" -gt 0 ] || fail 'nothing was counted'
	exits 0 pc attach eth0 -p ssh --confirm 1
	says 'eth0: the attach was not confirmed in time: detached'
	sleep 1.1
	exits 1 pc confirm eth0
	says 'everything passes; attach again'
	exits 0 pc attach eth0 -p ssh --confirm 60
	unanswered client 192.0.2.1 25
	exits 0 pc confirm
	same 1 "$(generation host eth0)" generation
	unanswered client 192.0.2.1 25
}

@test "the egress side falls back too" {
	pc attach eth0 -p tiny --catalog "$TINY" --force
	connects host 192.0.2.2 7000
	pc swap eth0 --outbound enforce --catalog "$TINY" --confirm 5
	unanswered host 192.0.2.2 7000
	connects_soon host 192.0.2.2 7000
}

@test "a swap while one waits keeps its fallback; without --confirm also its deadline" {
	pc attach eth0 -p ssh
	pc swap eth0 -p xeams --confirm 60
	exits 0 pc swap eth0 -p tiny --catalog "$TINY"
	says 'not confirmed yet'
	connects client 192.0.2.1 5000
	same '["waiting",1]' "$(confirm_of)"
	exits 0 pc swap eth0 -p xeams --confirm 6
	same '["waiting",1]' "$(confirm_of)"
	connects client 192.0.2.1 25
	connects_soon client 192.0.2.1 22
	unanswered client 192.0.2.1 25
	unanswered client 192.0.2.1 5000
}

@test "a swap without --confirm while one waits: past the deadline of that one, what was before it judges" {
	pc attach eth0 -p ssh
	pc swap eth0 -p xeams --confirm 3
	exits 0 pc swap eth0 -p tiny --catalog "$TINY"
	connects client 192.0.2.1 5000
	sleep 3.1
	connects client 192.0.2.1 22
	unanswered client 192.0.2.1 5000
}

@test "groups: the fallback keeps its prefixes while others come and go" {
	local tries

	pc attach eth0 -p ssh --from ssh:ssh=a --group a=192.0.2.2
	pc swap eth0 --group a=203.0.113.0/24 --confirm 60
	unanswered client 192.0.2.1 22
	for tries in 1 2 3 4 5; do
		pc swap eth0 --group "a=203.0.113.$tries" --confirm 5
	done
	unanswered client 192.0.2.1 22
	connects_soon client 192.0.2.1 22
}

@test "groups: a large one that the fallback shares with what was swapped away is still the fallback's" {
	local i

	echo 192.0.2.2 > "$DIR/large"
	for ((i = 0; i <= 5000; i++)); do
		echo "10.$((i / 256)).$((i % 256)).0/24"
	done >> "$DIR/large"
	pc attach eth0 -p ssh --from ssh:ssh=a --group "a=@$DIR/large"
	pc swap eth0 --confirm 4
	pc swap eth0 --group a=203.0.113.0/24
	unanswered client 192.0.2.1 22
	connects_soon client 192.0.2.1 22
}

@test "the loader killed, and every pin gone: the deadline holds all the same" {
	pc attach eth0 -p ssh
	pc swap eth0 -p xeams --confirm 6
	inside mount -t tmpfs none /sys/fs/bpf
	connects client 192.0.2.1 25
	connects_soon client 192.0.2.1 22
	unanswered client 192.0.2.1 25
	inside umount /sys/fs/bpf
}

@test "any changing command puts what is fallen back to in its place for good" {
	pc attach eth0 -p ssh
	pc swap eth0 -p xeams --confirm 1
	sleep 1.1
	# The kernel refuses it: the next command tries again.
	exits 1 on host "$TOOLS/faults" -e EPERM@bpf:MAP_UPDATE_ELEM:1 "$PORTCULLIS" detach lo
	says 'cannot restore the active generation: Operation not permitted'
	connects client 192.0.2.1 22
	exits 0 pc detach lo
	says 'eth0: the swap was not confirmed in time: generation 1 is active again'
	connects client 192.0.2.1 22
	same 1 "$(inside find "$PINS" -name 'generation-*' | wc -l)" 'generations'
}

@test "confirm stops for nobody but the caller: a connection of another keeps no filter off" {
	in_background host socat TCP-LISTEN:23,reuseaddr,fork EXEC:cat
	until_true 5 listening host 23
	in_background client timeout 30 socat TCP:192.0.2.1:23 PIPE
	until_true 5 eval '[ -n "$(on host ss -Htn state established "sport = :23")" ]'
	exits 0 pc attach eth0 -p ssh --confirm 30
	says '1 to 23/tcp at eth0'
	same '["waiting",null]' "$(confirm_of)"
	exits 0 pc confirm
	says_not 'session' 'connection'
	same null "$(confirm_of)"
	unanswered client 192.0.2.1 23
}

@test "--confirm takes a time of 1 to 86400 seconds" {
	for seconds in 0 86401 -1 25h 1w x; do
		exits 2 pc attach eth0 -p ssh --confirm "$seconds"
		says '1 to 86400'
	done
	same '' "$(attached host eth0)" 'program'
}

@test "confirm: an interface without a filter, and none at all" {
	exits 1 pc confirm eth0
	says 'no filter of portcullis is attached'
	exits 1 pc confirm nosuch0
	says 'no such interface'
}

@test "a deadline that passes while live traffic comes: no packet is judged by both" {
	local load

	pc attach eth0 -p tiny --catalog "$TINY" --force
	pc swap eth0 -p tiny-host --catalog "$TINY" --confirm 1
	on client bash -c 'end=$((SECONDS + 3)) last=$((SECONDS + 60)) bad=0 good=0
		while [ $SECONDS -lt $end ] || [ $good -le 100 -a $SECONDS -lt $last ]; do
			read -r -t 2 words < /dev/tcp/192.0.2.1/5000 && good=$((good + 1)) || bad=$((bad + 1))
		done
		echo "$good $bad"' > "$DIR/load" 2> /dev/null
	load=$(cat "$DIR/load")
	[ "${load#* }" = 0 ] && [ "${load% *}" -gt 100 ] || fail "good and bad connections: $load"
	is_reverted
}
