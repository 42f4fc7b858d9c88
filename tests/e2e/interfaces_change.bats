#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Interfaces come and go: deleted and made again, renamed, moved, down and up, also while a command is at work.
# What status and counters say afterwards is true, and nothing is left over.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	host_add other
	cc -O2 -D_GNU_SOURCE -shared -fPIC -o "$DIR/no_tcx.so" "$ROOT/tests/e2e/no_tcx.c" -ldl
	printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$DIR/no_tcx.so" "$PORTCULLIS" > "$DIR/old"
	chmod +x "$DIR/old"
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host client other
	for interface in eth7 eth8 eth9 lan8 br0 bond0; do
		for host in host client; do
			on $host ip link del $interface 2> /dev/null || true
		done
	done
	! inside test -e /run/netns/short || host_del short
}

# old COMMAND...: runs portcullis on `host` as on a kernel without tcx.
old()
{
	case $1 in
	attach|swap) set -- "$@" --catalog "$CATALOG" ;;
	esac
	on host "$DIR/old" "$@"
}

# eth8_add [OPTION]...: makes an interface of `host`, which `other` reaches as 198.51.100.1.
eth8_add()
{
	on host ip link add eth8 "$@" type veth peer name eth8 netns /run/netns/other
	on other ip link set eth8 up
	on other ip address add 198.51.100.2/24 dev eth8
	eth8_up host
}

# eth8_up HOST [NAME]: sets it up after it was made, or moved to another namespace.
eth8_up()
{
	on "$1" ip address add 198.51.100.1/24 dev "${2:-eth8}"
	on "$1" ip link set "${2:-eth8}" up
}

index_of()
{
	on host ip -json link show dev eth8 | jq '.[0].ifindex'
}

# A closed port answers, because no filter is active.
refused()
{
	run on "$1" socat -u OPEN:/dev/null "TCP:$2:$3,connect-timeout=8"
	says 'refused'
}

# told [HOST]: what status prints for each interface: name, profiles, egress hook.
told()
{
	as "${1:-host}" status --json | jq -c '[.interfaces[] | [.name, .profiles[], .egress]]'
}

# What `host` dropped at an interface.
dropped()
{
	pc status "$1" --json | jq '.interfaces[0].total.drop.packets'
}

# nothing_of INTERFACE: commands on `host` say that it has no filter, and do not name the folders of pins.
nothing_of()
{
	same '[]' "$(told)" 'interfaces with a filter'
	output=$(pc counters --json)
	json_is '.interfaces == []'
	for command in status counters flows swap; do
		exits 1 pc $command "$1"
		says "$command: $1: no filter of portcullis is attached" "portcullis attach $1"
	done
}

@test "deleted and made again under the same name: it has no filter, is free, and counts from nothing" {
	eth8_add
	pc attach eth8 -p ssh
	unanswered other 198.51.100.1 80
	on host ip link del eth8
	exits 1 pc status eth8
	says 'eth8: no such interface'
	same '[]' "$(told)" 'interfaces with a filter'
	eth8_add
	nothing_of eth8
	refused other 198.51.100.1 80
	exits 0 pc detach eth8
	says 'eth8: no filter of portcullis is attached'
	same '' "$(pins)" 'pins'

	pc attach eth8 -p xeams
	output=$(pc status eth8 --json)
	json_is '.interfaces[0] | .generation == 1 and .profiles == ["xeams"] and .total.drop.packets == 0'
	unanswered other 198.51.100.1 110
	same 1 "$(pins | wc -l)" 'folders of pins'
}

@test "made again with the same index, too; attach collects the filter of the one before" {
	local index

	eth8_add
	index=$(index_of)
	pc attach eth8 -p ssh
	on host ip link del eth8
	eth8_add index "$index"
	same "$index" "$(index_of)" index
	nothing_of eth8
	refused other 198.51.100.1 80
	exits 0 pc attach eth8 -p xeams
	same '[["eth8","xeams","tcx"]]' "$(told)" status
	same 1 "$(pins | wc -l)" 'folders of pins'
	unanswered other 198.51.100.1 80
}

@test "clsact: made again with the same index, and what somebody put there by then stays" {
	local index

	eth8_add
	index=$(index_of)
	old attach eth8 -p ssh
	same '[["eth8","ssh","clsact"]]' "$(told)" status
	on host ip link del eth8
	eth8_add index "$index"
	on host tc qdisc add dev eth8 clsact
	exits 0 pc detach eth0
	same '' "$(pins)" 'pins'
	[ -n "$(on host tc qdisc show dev eth8 clsact)" ] || fail 'a clsact of somebody else is gone'
}

@test "the far end deleted: gone as well" {
	eth8_add
	pc attach eth8 eth0 -p ssh
	on other ip link del eth8
	same '[["eth0","ssh","tcx"]]' "$(told)" status
	output=$(pc counters --json)
	json_is '[.interfaces[].name] == ["eth0"]'
	exits 0 pc swap eth0 -p xeams
	same 1 "$(pins | wc -l)" 'folders of pins'
}

@test "deleted and made again while counters --watch looks on: it says so and ends" {
	local watch

	eth8_add
	pc attach eth8 -p ssh
	pc counters eth8 --watch 1 > "$DIR/watch" 2>&1 3>&- &
	watch=$!
	until_true 20 grep -q 'eth8: generation 1' "$DIR/watch"
	on host ip link del eth8
	eth8_add
	code=0
	wait $watch || code=$?
	same 1 $code 'exit code'
	grep -q '^portcullis: counters: eth8: no filter of portcullis is attached' "$DIR/watch" || fail "$(cat "$DIR/watch")"
}

@test "two interfaces change names: each keeps its filter and its counters, and commands find them by the new names" {
	eth8_add
	link_add host eth9 other eth9
	pc attach eth8 -p ssh
	pc attach eth9 -p xeams
	unanswered other 198.51.100.1 80
	on host sh -c 'ip link set eth8 down; ip link set eth9 down
		ip link set eth8 name lan8; ip link set eth9 name eth8; ip link set lan8 name eth9
		ip link set eth8 up; ip link set eth9 up'
	output=$(pc status --json)
	json_is '[.interfaces[] | [.name, .profiles[0], .total.drop.packets > 0]] | sort ==
		[["eth8", "xeams", false], ["eth9", "ssh", true]]'
	exits 0 pc swap eth9 -p host
	unanswered other 198.51.100.1 80
	output=$(pc status --json)
	json_is '[.interfaces[] | [.name, .profiles[0]]] | sort == [["eth8", "xeams"], ["eth9", "host"]]'
	exits 0 pc detach eth9
	refused other 198.51.100.1 80
	same '[["eth8","xeams","tcx"]]' "$(told)" status
}

@test "down and up: the filter judges on with all it counted; it is attached and swapped while down" {
	local before

	eth8_add
	on host ip link set eth8 down
	pc attach eth8 -p xeams
	same '[["eth8","xeams","tcx"]]' "$(told)" 'status while down'
	pc swap eth8 -p ssh
	on host ip link set eth8 up
	until_true 20 unanswered other 198.51.100.1 80
	before=$(dropped eth8)
	[ "$before" -gt 0 ] || fail 'counted nothing'
	on host ip link set eth8 down
	exits 0 pc counters eth8
	same "$before" "$(dropped eth8)" 'dropped, while down'
	on host ip link set eth8 up
	same "$before" "$(dropped eth8)" 'dropped, up again'
	until_true 20 unanswered other 198.51.100.1 80
	[ "$(dropped eth8)" -gt "$before" ] || fail 'counted nothing more'
	same '[["eth8","ssh","tcx"]]' "$(told)" 'status'
}

@test "moved to another namespace and back: it judges, counts and learns all the time" {
	local before

	eth8_add
	pc attach eth8 -p ssh
	unanswered other 198.51.100.1 80
	before=$(dropped eth8)
	on host ip link set eth8 netns /run/netns/client
	eth8_up client
	same '[["eth8","ssh","tcx"]]' "$(told client)" 'status there'
	exits 1 pc status eth8
	says 'eth8: no such interface'
	unanswered other 198.51.100.1 80
	exits 0 on client ping -n -c 1 -W 2 198.51.100.2
	on client ip link set eth8 netns /run/netns/host
	eth8_up host
	same '[["eth8","ssh","tcx"]]' "$(told)" 'status, back'
	unanswered other 198.51.100.1 80
	exits 0 on host ping -n -c 1 -W 2 198.51.100.2
	[ "$(dropped eth8)" -gt "$((before + 1))" ] || fail 'did not count on'
	exits 0 pc swap eth8 -p xeams
	same '[["eth8","xeams","tcx"]]' "$(told)" 'status, swapped'
	exits 0 pc detach eth8
	same '' "$(pins)" 'pins'
	refused other 198.51.100.1 80
}

@test "clsact: moved to another namespace and back: it filters, and the next command restores what the move lost" {
	eth8_add
	old attach eth8 -p ssh
	on host ip link set eth8 netns /run/netns/client
	eth8_up client
	same '[["eth8","ssh","missing"]]' "$(told client)" 'status there'
	on client ip link set eth8 netns /run/netns/host
	eth8_up host
	unanswered other 198.51.100.1 80
	exits 0 old swap eth8
	says 'eth8: its egress program was missing, and is attached again'
	same '[["eth8","ssh","clsact"]]' "$(told)" 'status, restored'
	exits 0 on host ping -n -c 1 -W 2 198.51.100.2
	exits 0 pc detach eth8
	same '' "$(pins)" 'pins'
	same '' "$(on host tc qdisc show dev eth8 clsact)" 'clsact left'
}

@test "moved away, and another one made under its name: the two are kept apart, and meet again" {
	eth8_add
	pc attach eth8 -p ssh
	on host ip link set eth8 netns /run/netns/client
	link_add host eth8 other eth9
	nothing_of eth8
	exits 0 pc attach eth8 -p xeams
	same '[["eth8","xeams","tcx"]]' "$(told)" 'status here'
	same '[["eth8","ssh","tcx"]]' "$(told client)" 'status there'
	on client ip link set eth8 netns /run/netns/host name lan8
	eth8_up host lan8
	exits 0 pc swap eth8 -p host
	output=$(pc status --json)
	json_is '[.interfaces[] | [.name, .profiles[0], .egress]] | sort == [["eth8", "host", "tcx"], ["lan8", "ssh", "tcx"]]'
	exits 0 pc detach eth8 lan8
	same '' "$(pins)" 'pins'
}

@test "a namespace deleted, and another made under its name: a filter there begins anew" {
	host_add short
	link_add short eth0 other eth9
	link_add short eth1 other eth7
	as short attach eth0 eth1 -p ssh --flows 1000
	host_del short
	host_add short
	link_add short eth0 client eth9
	exits 1 as short status eth0
	says 'no filter of portcullis is attached'
	same '[]' "$(told short)" 'status'
	# With another number of flows: flows of the former filter are not taken for its own.
	exits 0 as short attach eth0 -p xeams --flows 2000
	output=$(as short status --json)
	json_is '[.interfaces[] | [.name, .profiles[0], .generation, .flows.size]] == [["eth0", "xeams", 1, 2000]]'
	until_true 5 on other sh -c '! ip link show dev eth9 2> /dev/null'
	exits 0 as short swap eth0
	same 1 "$(pins | wc -l)" 'folders of pins'
}

# --- while a command is at work ---

# stops_at CALL COMMAND...: starts portcullis on `host`, which stops after that one of its BPF calls and waits for
# go_on. False: it ended before that call.
stops_at()
{
	local call=$1

	shift
	case $1 in
	attach|swap) set -- "$@" --catalog "$CATALOG" ;;
	esac
	rm -f "$DIR/stops"
	inside timeout -k 1 30 nsenter --net=/run/netns/host strace -f -o "$DIR/stops" -e trace=bpf \
		-e "inject=bpf:signal=STOP:when=$call" "$PORTCULLIS" "$@" > "$DIR/said" 2>&1 3>&- &
	STOPPED=$!
	until_true 20 stopped_or_ended
	grep -qs 'stopped by SIGSTOP' "$DIR/stops"
}

stopped_or_ended()
{
	grep -qs 'stopped by SIGSTOP' "$DIR/stops" || ! kill -0 $STOPPED 2> /dev/null
}

# Sets `status` and `output` as `run` does. strace counts each thread's calls, so another thread may stop the command
# again.
go_on()
{
	local stopped

	stopped=$(awk '/stopped by SIGSTOP/ { print $1; exit }' "$DIR/stops")
	while kill -0 $STOPPED 2> /dev/null; do
		inside kill -CONT "$stopped" 2> /dev/null || true
		sleep 0.02
	done
	status=0
	wait $STOPPED || status=$?
	output=$(cat "$DIR/said")
}

@test "it goes while a command attaches its lost egress program again: nothing is said of it" {
	local link calls

	eth8_add
	pc attach eth8 -p ssh
	link=$(pins)/egress_link
	needs_tcx # without it netlink is used, where the command cannot be stopped
	same tcx "$(told | jq -r '.[0][2]')" 'what the egress program is attached by'
	inside bpftool link detach pinned "$link"
	inside nsenter --net=/run/netns/host strace -f -o "$DIR/calls" -e trace=bpf "$PORTCULLIS" detach lo
	same '[["eth8","ssh","tcx"]]' "$(told)" 'attached again'
	# All calls before that one.
	calls=$(grep 'bpf(' "$DIR/calls" | grep -n BPF_LINK_CREATE | tail -n 1 | cut -d: -f1)
	link=$(pins)/egress_link
	inside bpftool link detach pinned "$link"
	stops_at $((calls - 1)) detach lo || fail "it ended before: $(cat "$DIR/said")"
	on host ip link del eth8
	go_on
	same 0 "$status" 'exit'
	same 'lo: no filter of portcullis is attached' "$output" 'what it says'
}

# What happens to eth8, in turn.
happens()
{
	case $(($1 % 3)) in
	0) on host ip link del eth8 ;;
	1)
		on host ip link del eth8
		link_add host eth8 other eth8 ;;
	2) on host ip link set eth8 netns /run/netns/client ;;
	esac
}

# Changes eth8 at every EVERY-th BPF call of a command.
EVERY=${EVERY:-24}

# comes_and_goes BEFORE CHECK COMMAND...
comes_and_goes()
{
	local before=$1 check=$2 call points=0

	shift 2
	for ((call = 1; call < 400; call += EVERY)); do
		link_add host eth8 other eth8
		"$before"
		if ! stops_at $call "$@"; then
			wait $STOPPED || fail "exit $? without anything happening: $(cat "$DIR/said")"
			break
		fi
		happens $((call / EVERY))
		go_on
		echo "call $call, event $((call / EVERY % 3)): exit $status: $output" >> "$DIR/points"
		[ "$status" -le 1 ] || fail "call $call: exit $status: $output"
		[ "$status" = 0 ] || says 'portcullis: '
		"$check" || fail "after call $call, event $((call / EVERY % 3)): exit $status: $output"
		detach_all host client
		exits 0 pc detach lo
		same '' "$(pins)" "pins after call $call"
		for host in host client; do
			on $host ip link del eth8 2> /dev/null || true
		done
		points=$((points + 1))
	done
	[ $points -gt 5 ] || fail "only $points points were tried"
	echo "# ${*:1:1}: eth8 was deleted, made again or moved at $points points" >&3
}

# The active profile of eth0, empty if none.
at_eth0()
{
	pc status --json | jq -r '.interfaces[] | select(.name == "eth0").profiles[0]'
}

# eth8 of either namespace: status agrees with the kernel.
eth8_is_true()
{
	local host seen

	for host in host client; do
		seen=$(as $host status --json | jq '[.interfaces[] | select(.name == "eth8")] | length')
		if [ -n "$(attached $host eth8 2> /dev/null)" ]; then
			same 1 "$seen" "eth8 of $host in status"
		else
			same 0 "$seen" "eth8 of $host in status"
		fi
	done
}

attach_is_whole()
{
	local wanted=ssh

	eth8_is_true || return
	if [ "$status" = 1 ]; then
		wanted=
		same '' "$(attached host eth8 2> /dev/null)$(attached client eth8 2> /dev/null)" 'program at eth8' || return
	fi
	same "$wanted" "$(at_eth0)" 'profile at eth0'
}

@test "eth8 deleted, made again or moved while attach is at work on it and eth0: both or none, and nothing left" {
	comes_and_goes true attach_is_whole attach eth0 eth8 -p ssh
}

both_ssh()
{
	pc attach eth0 eth8 -p ssh
}

swap_is_whole()
{
	local wanted=xeams

	[ "$status" = 0 ] || wanted=ssh
	eth8_is_true && same "$wanted" "$(at_eth0)" 'profile at eth0'
}

@test "... while swap is at work: it is done or it is not, and says which" {
	comes_and_goes both_ssh swap_is_whole swap eth0 eth8 -p xeams
}

detach_is_whole()
{
	eth8_is_true && same '' "$(at_eth0)$(attached host eth0)" 'profile and program at eth0'
}

@test "... while detach is at work: the other one is detached all the same" {
	EVERY=8 comes_and_goes both_ssh detach_is_whole detach eth8 eth0
}

# --- bonds ---

bond_is_meant()
{
	exits 0 "$@"
	says 'eth8: is a member of bond0: what arrives at the other members is not filtered; attach to bond0'
}

@test "a member of a bond: attach says that the bond is meant, and the bond can be attached" {
	eth8_add
	on host ip link add bond0 type bond mode active-backup || skip 'no bonding in this kernel'
	on host ip link set eth8 down
	on host ip link set eth8 master bond0
	bond_is_meant pc attach eth8 -p ssh
	exits 0 pc detach eth8
	exits 0 pc attach bond0 -p ssh
	says_not 'is a member'
}

@test "a member of what says that it is a bond: attach says that the bond is meant" {
	cc -O2 -D_GNU_SOURCE -shared -fPIC -o "$DIR/fake_bond.so" "$ROOT/tests/e2e/fake_bond.c" -ldl
	printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$DIR/fake_bond.so" "$PORTCULLIS" > "$DIR/bonded"
	chmod +x "$DIR/bonded"
	eth8_add
	on host ip link add bond0 type bridge
	on host ip link set eth8 master bond0
	bond_is_meant on host "$DIR/bonded" attach eth8 -p ssh --catalog "$CATALOG"
	pc detach eth8
	exits 0 pc attach eth8 -p ssh
	says 'eth8: is a port of the bridge bond0'
}
