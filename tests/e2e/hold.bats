#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# An interface that udev announces takes nothing in from before its filter is compiled and loaded: `apply --boot --as`
# holds it. The lock is taken by the tests to stop the command when it holds, and has done nothing else yet.

load helper
# shellcheck source=tests/e2e/fault_points.bash
load fault_points
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	tiny_catalog
	SITE=$DIR/site.yaml
	export SITE
	pc attach eth0 -p ssh # makes the folder that is locked
	inside mkdir -p /run/portcullis/boot /run/udev/data
	on host bash -c 'for port in 5000 6000; do socat -u "UDP4-RECVFROM:$port,fork" "SYSTEM:echo >> $0/got-$port" & done' "$DIR" < /dev/null > /dev/null 2>&1 3>&- &
	disown
}

teardown_file()
{
	sandbox_end
}

setup()
{
	echo 'interfaces: {eth0: {profiles: ssh}, new0: {profiles: tiny}, new1: {profiles: tiny, observe: true}}' > "$SITE"
	# Interfaces that exist when the unit starts at boot are not new.
	boots eth0
	rm -f "$DIR"/got-*
}

teardown()
{
	stop_all
	inside rm -rf /run/udev/data
	inside mkdir /run/udev/data
	for interface in new0 new1; do
		! attached host $interface | grep -q . || pc detach $interface || true
		on host ip link del $interface 2> /dev/null || true
	done
}

# boots INTERFACE: `apply --boot` as the unit runs it, on this host, which lacks some interfaces of the file.
boots()
{
	inside rm -f /run/portcullis/boot/interfaces
	pc apply --boot --site "$SITE" --catalog "$TINY" 2> /dev/null || [ $? = 4 ]
	inside test -s /run/portcullis/boot/interfaces
}

# comes NAME [KIND]: makes an interface and sets it up; with a cable, `client` is behind it.
comes()
{
	case ${2:-veth} in
	veth)
		on host ip link add "$1" type veth peer name "$1" netns /run/netns/client
		on client ip link set "$1" up
		on client ip address replace 198.51.100.2/24 dev "$1"
		;;
	*) on host ip link add "$1" type "$2" ;;
	esac
	on host ip address add 198.51.100.1/24 dev "$1"
	on host ip link set "$1" up
}

# locked SECONDS: holds the lock for so long, or until `stop lock`.
locked()
{
	start lock host bash -c 'mkdir -p "$1/lock"; exec flock -F "$1" flock -F "$1/lock" sleep "$0"' "$1" "$PINS"
	until_true 5 lock_held
}

lock_held()
{
	! inside flock --nonblock "$PINS/lock" true && ! inside flock --nonblock "$PINS" true
}

# announced NAME: runs the command of udev's rule in the background.
announced()
{
	start "udev-$1" host "$PORTCULLIS" apply --boot --site "$SITE" --catalog "$TINY" --as="$1" -- "$1"
}

# waits NAME: the command waits for the lock, so it has held the interface if it ever will.
waits()
{
	until_logged "udev-$1" 'another portcullis command is running'
}

# ends NAME: waits until the command has ended.
ends()
{
	until_true 20 not_running "$(cat "$DIR/running/udev-$1.pid")"
	rm "$DIR/running/udev-$1.pid"
}

not_running()
{
	! inside kill -0 "$1" 2> /dev/null
}

# program INTERFACE: the name of the XDP program there.
program()
{
	local id

	id=$(attached host "$1")
	[ -z "$id" ] || inside bpftool prog show id "$id" --json 2> /dev/null | jq -r .name
}

program_is()
{
	[ "$(program "$1")" = "$2" ]
}

is_held()
{
	program_is "$1" portcullis_hold
}

# datagrams: sends to both ports of `host`, about every millisecond, until the test ends.
datagrams()
{
	start datagrams client /usr/bin/python3 -c 'if 1:
		import socket, time
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		while True:
			for port in (5000, 6000):
				s.sendto(b"x", ("198.51.100.1", port))
			time.sleep(0.001)'
}

got()
{
	cat "$DIR/got-$1" 2> /dev/null | wc -l
}

# Datagrams that were on their way to socat have arrived.
is_read()
{
	local before

	before=$(got "$1")
	sleep 0.5
	[ "$(got "$1")" = "$before" ]
}

got_more()
{
	[ "$(got "$1")" -gt "$2" ]
}

@test "held before anything is loaded; then the filter takes over, and nothing passes in between" {
	local before

	comes new0
	datagrams
	until_true 10 got_more 6000 5
	locked 60
	announced new0
	until_true 10 is_held new0
	until_true 10 is_read 6000
	before=$(got 6000)
	sleep 1
	same "$before" "$(got 6000)" 'datagrams to a port that is not listed, while it is held'
	before=$(got 5000)
	sleep 0.5
	same "$before" "$(got 5000)" 'datagrams to one that is listed'
	before=$(got 6000)
	stop lock
	until_true 20 got_more 5000 "$before"
	ends new0
	same "$before" "$(got 6000)" 'datagrams to a port that is not listed, from the hold to the filter'
	output=$(pc status new0)
	says 'new0: native, enforce, tiny'
	same '' "$(grep -v 'another portcullis command' "$DIR/udev-new0.log" | grep -i -E 'error|refused')"
}

@test "never where the file observes, or does not name it, or what was confirmed last observes" {
	comes new1
	locked 60
	announced new1
	waits new1
	same '' "$(program new1)"
	stop lock
	ends new1
	output=$(pc status new1)
	says 'new1: native, observe, tiny'
	comes new0
	exits 0 on host "$TOOLS/faults" -l "$DIR/points" "$PORTCULLIS" apply --boot --site "$SITE" --catalog "$TINY" --as=other0 -- new0
	! grep -E 'PROG_LOAD|LINK_CREATE' "$DIR/points" || fail 'loaded or linked'
	same '' "$(program new0)"
}

@test "never one that was there at boot, or that udev knows, or where that cannot be told" {
	local index

	comes new0
	index=$(on host ip -json link show dev new0 | jq '.[0].ifindex')
	locked 60
	inside touch "/run/udev/data/n$index"
	announced new0
	waits new0
	same '' "$(program new0)" 'the program where udev knows it'
	stop udev-new0
	inside rm "/run/udev/data/n$index"
	inside sh -c "echo $index > /run/portcullis/boot/interfaces"
	announced new0
	waits new0
	same '' "$(program new0)" 'the program where it was there at boot'
	stop udev-new0
	inside rm /run/portcullis/boot/interfaces
	announced new0
	waits new0
	same '' "$(program new0)" 'the program where nothing was noted'
	stop udev-new0
	inside sh -c "echo $((index - 1)) > /run/portcullis/boot/interfaces"
	inside rm -r /run/udev/data
	announced new0
	waits new0
	same '' "$(program new0)" 'the program without udev'
	stop udev-new0
	inside mkdir /run/udev/data
	announced new0
	waits new0
	same portcullis_hold "$(program new0)"
}

@test "a command that is killed, or fails, lets go" {
	comes new0
	locked 60
	announced new0
	until_true 10 is_held new0
	stop udev-new0
	until_true 10 program_is new0 ''
	stop lock
	echo 'interfaces: {eth0: {profiles: ssh}, new0: {profiles: nothing}}' > "$SITE"
	exits 1 pc apply --boot --site "$SITE" --catalog "$TINY" --as=new0 -- new0
	until_true 10 program_is new0 ''
	same '' "$(on host ip -json link show dev new0 | jq -r '.[0].xdp // empty')"
}

@test "in generic mode where the driver has no other, and the warning says why" {
	comes new0 bridge
	locked 60
	announced new0
	until_true 10 is_held new0
	says_generic
	stop lock
	ends new0
	output=$(pc status new0)
	says 'new0: generic, enforce, tiny'
	says_generic
	output=$(< "$DIR/udev-new0.log")
	says 'new0: native XDP refused: ' '; attached in generic mode, which is slower'
	pc detach new0
	on host ip link del new0
	echo 'interfaces: {eth0: {profiles: ssh}, new0: {profiles: tiny, mode: native}}' > "$SITE"
	comes new0 bridge
	locked 60
	announced new0
	waits new0
	same '' "$(program new0)" 'the program where native mode is wanted'
	stop lock
	ends new0
	output=$(< "$DIR/udev-new0.log")
	says 'new0: native XDP refused: '
}

says_generic()
{
	on host ip -json link show dev new0 | jq -e '.[0].xdp.mode == 2' > /dev/null || fail 'not in generic mode'
}

@test "another command that is faster takes the hold over" {
	comes new0
	locked 60
	announced new0
	until_true 10 is_held new0
	signal udev-new0 STOP
	stop lock
	output=$(on host "$PORTCULLIS" doctor new0 || true)
	says 'another portcullis command is attaching a filter'
	exits 0 pc attach new0 -p ssh
	same '' "$(grep portcullis_hold <<< "$(program new0)")"
	output=$(pc status new0)
	says 'new0: native, enforce, ssh'
	signal udev-new0 CONT
	ends new0
	output=$(pc status new0)
	says 'new0: native, enforce, tiny'
	same '["new0"]' "$(pc status new0 --json | jq -c '[.interfaces[].name]')"
}

@test "somebody else's program stays, and nothing is held" {
	comes new0
	on host ip link set new0 xdp object "$TOOLS/foreign.bpf.o" section xdp
	locked 60
	announced new0
	waits new0
	not_held=$(program new0)
	[ "$not_held" != portcullis_hold ] && [ -n "$not_held" ]
	stop lock
	ends new0
	same "$not_held" "$(program new0)"
	output=$(< "$DIR/udev-new0.log")
	says 'new0: another XDP program is attached'
	on host ip link set new0 xdp off
}

@test "where the link cannot be updated, the filter is attached all the same" {
	comes new0
	exits 0 on host "$TOOLS/faults" -e EPERM@bpf:LINK_UPDATE:1 "$PORTCULLIS" apply --boot --site "$SITE" --catalog "$TINY" --as=new0 -- new0
	says_not 'tried by itself'
	output=$(pc status new0)
	says 'new0: native, enforce, tiny'
}

@test "killed at any call: the interface is open, or has its filter" {
	local point count=0 wrong=0

	comes new0
	on host "$TOOLS/faults" -l "$DIR/points" "$PORTCULLIS" apply --boot --site "$SITE" --catalog "$TINY" --as=new0 -- new0 > /dev/null
	same 1 "$(grep -c 'bpf:LINK_UPDATE' "$DIR/points")" 'updates of the link'
	pc detach new0
	# All calls from the hold on after which something is left; of equal calls in a row, one of four.
	sed '1,/bpf:LINK_CREATE:1\b/d' "$DIR/points" | while read -r point _; do leaves_nothing "$point" || echo "$point"; done |
		awk -F: '{ call = $1 == "bpf" ? $2 : $1; row = call == last ? row + 1 : 0; last = call } row % 4 == 0' > "$DIR/some"
	while read -r point; do
		on host "$TOOLS/faults" -k "$point" "$PORTCULLIS" apply --boot --site "$SITE" --catalog "$TINY" --as=new0 -- new0 > "$DIR/killed.log" 2>&1 < /dev/null || true
		count=$((count + 1))
		for _ in {1..100}; do
			is_held new0 || break
			sleep 0.02
		done
		! is_held new0 || { echo "held for ever after $point"; wrong=1; }
		# The next command succeeds, whatever was left.
		pc apply --boot --site "$SITE" --catalog "$TINY" eth0 new0 > "$DIR/next.log" 2>&1 < /dev/null || { echo "after $point:"; cat "$DIR/next.log"; wrong=1; }
		pc status new0 < /dev/null | grep -q '^new0: native, enforce, tiny' || { echo "no filter after $point"; wrong=1; }
		pc detach new0 > /dev/null < /dev/null
	done < "$DIR/some"
	echo "# killed at $count points" >&3
	[ "$count" -gt 20 ]
	same 0 "$wrong"
}
