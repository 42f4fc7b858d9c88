#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The filter outlives its command: pins, namespaces, renamed and deleted interfaces, locks, killed commands.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	host_add other
	link_add host eth1 other eth0
	address_add host eth1 198.51.100.1/24
	address_add other eth0 198.51.100.2/24
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host other
}

# The active profiles of each interface of `host`, by the kernel's recipes.
profiles_of()
{
	pc status --json | jq -c '[.interfaces[] | .profiles[]]'
}

# What each folder of pins has wrongly: more than one generation, or no link.
debris()
{
	local folder

	for folder in $(pins); do
		inside test -e "$folder/link" || echo "$folder: no link"
		[ "$(inside find "$folder" -name 'generation-*' | wc -l)" = 1 ] || echo "$folder: generations"
		[ "$(inside find "$folder" -name 'recipe-*' | wc -l)" = 1 ] || echo "$folder: recipes"
	done
}

@test "bpffs that is not mounted is mounted by attach, and by no command that only reads" {
	run ! inside mountpoint -q /sys/fs/bpf
	exits 0 pc status
	exits 1 pc counters eth0
	exits 0 pc detach eth0
	run ! inside mountpoint -q /sys/fs/bpf
	exits 0 pc attach eth0 -p ssh
	inside mountpoint -q /sys/fs/bpf
	same bpf "$(inside findmnt -no FSTYPE /sys/fs/bpf)" 'kind of file system'
	same '700 0' "$(inside stat -c '%a %u' /sys/fs/bpf | sed 's/^1//')" 'mode and owner of bpffs'
	same 3 "$(inside findmnt -no OPTIONS /sys/fs/bpf | tr , '\n' | grep -cxE 'nosuid|nodev|noexec')" 'options of the mount'
	same 700 "$(inside stat -c %a "$PINS")" 'mode of the pins'
	unanswered client 192.0.2.1 80
}

# beyond MOUNTS COMMAND...: runs it in a process and mount namespace of its own, as in a container: without bpffs, and
# without processes outside.
beyond()
{
	local kind=$1

	shift
	inside nsenter --net=/run/netns/host -- unshare --mount --pid --fork --mount-proc --propagation private "$kind" \
		sh -c 'while mountpoint -q /sys/fs/bpf; do umount /sys/fs/bpf || exit 9; done; exec "$@"' - "$@"
}

@test "bpffs that cannot be mounted: who may is told; where it can, nobody else may look in" {
	inside umount /sys/fs/bpf || true
	exits 1 beyond --ipc setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$PORTCULLIS" attach eth0 -p ssh
	says '/sys/fs/bpf: cannot mount bpffs: Operation not permitted' 'mount -t bpf -o mode=0700 bpf /sys/fs/bpf'
	same '' "$(attached host eth0)" 'program'
	exits 0 beyond --ipc sh -c "$PORTCULLIS attach eth0 -p ssh && stat -c 'is %a %u' /sys/fs/bpf"
	says 'is 1700 0'
	on host ip link set dev eth0 xdp off 2> /dev/null || true
	# Root of a user namespace has all capabilities, but they do not count on the host.
	exits 1 beyond --map-root-user "$PORTCULLIS" attach eth0 -p ssh
	says 'attach: needs root of the host' 'user namespace'
	exits 1 beyond --map-root-user "$PORTCULLIS" status
	says 'status: needs root of the host'
	exits 1 beyond --map-root-user "$PORTCULLIS" doctor --catalog "$CATALOG" --json
	json_is 'any(.checks[]; .check == "privilege" and .state == "problem" and (.message | contains("user namespace")))'
	run ! inside mountpoint -q /sys/fs/bpf
}

@test "status and counters work after the command that attached has ended, and after a rename" {
	pc attach eth0 -p ssh
	unanswered client 192.0.2.1 80
	on host ip link set eth0 down
	on host ip link set eth0 name lan7
	on host ip link set lan7 up
	exits 1 pc status eth0
	says 'no such interface'
	output=$(pc status lan7 --json)
	json_is '.interfaces[0] | .name == "lan7" and .profiles == ["ssh"] and .total.drop.packets >= 1'
	output=$(pc counters --json)
	json_is '.interfaces[0].name == "lan7" and ([.interfaces[0].ports[] | select(.port == 80)] | length) == 1'
	exits 0 pc swap lan7 -p xeams
	unanswered client 192.0.2.1 80
	exits 0 pc detach lan7
	on host ip link set lan7 down
	on host ip link set lan7 name eth0
	on host ip link set eth0 up
	on host ip address add 2001:db8::1/64 dev eth0 2> /dev/null || true
}

@test "a deleted interface leaves no debris: the next command collects its pins" {
	link_add host eth8 other eth8
	link_add host eth9 other eth9
	pc attach eth8 eth9 -p xeams
	same 2 "$(pins | wc -l)" 'folders of pins'
	on host ip link del eth8
	output=$(pc status --json)
	json_is '[.interfaces[].name] == ["eth9"]'
	exits 0 pc attach eth0 -p ssh
	same 2 "$(pins | wc -l)" 'folders of pins'
	on host ip link del eth9
	exits 0 pc swap eth0 -p xeams
	same 1 "$(pins | wc -l)" 'folders of pins'
	exits 0 pc detach eth0
	same '' "$(pins)" 'pins'
}

@test "a deleted namespace leaves no debris either" {
	host_add short
	link_add short eth0 other eth7
	as short attach eth0 -p ssh
	host_del short
	pc attach eth0 -p ssh
	until_true 5 on other sh -c '! ip link show dev eth7 2> /dev/null'
	pc swap eth0
	same 1 "$(pins | wc -l)" 'folders of pins'
}

@test "the same interface name in two namespaces is kept apart" {
	pc attach eth0 -p ssh
	exits 1 as other status eth0
	says 'eth0' 'no filter'
	exits 0 as other attach eth0 -p xeams
	output=$(as other status --json)
	json_is '[.interfaces[] | [.name, .profiles[0]]] == [["eth0", "xeams"]]'
	output=$(pc status --json)
	json_is '[.interfaces[] | [.name, .profiles[0]]] == [["eth0", "ssh"]]'
	exits 0 as other swap eth0 -p host
	same '["ssh"]' "$(profiles_of)" 'profiles of the first'
	exits 0 as other detach eth0
	same '["ssh"]' "$(profiles_of)" 'profiles of the first'
	unanswered client 192.0.2.1 80
	connects other 198.51.100.1 25 || same 1 $? 'refused'
}

@test "an interface that moves to another namespace keeps its filter, and is found there" {
	link_add host eth8 other eth8
	pc attach eth8 -p ssh
	on host ip link set eth8 netns /run/netns/client
	same '[]' "$(profiles_of)" 'profiles left'
	output=$(as client status --json)
	json_is '[.interfaces[] | [.name, .profiles[0]]] == [["eth8", "ssh"]]'
	exits 0 as client swap eth8 -p xeams
	exits 0 as client detach eth8
	on client ip link del eth8
	same '' "$(pins)" 'pins'
}

@test "a filter somebody took off with ip link is not reported, and its interface can be attached again" {
	pc attach eth0 -p ssh
	run on host ip link set dev eth0 xdp off
	if [ "$status" = 0 ]; then
		exits 1 pc status eth0
	fi
	# The kernel keeps a program as long as a link holds it.
	[ -n "$(attached host eth0)" ] || pc attach eth0 -p ssh
	exits 0 pc status eth0
}

@test "two swaps at once, many times: each is whole, none is lost" {
	local pids=() i pid

	pc attach eth0 -p ssh
	for i in {1..10}; do
		pc swap eth0 -p xeams > "$DIR/swap.$i" 2>&1 3>&- &
		pids+=($!)
		pc swap eth0 -p ssh > "$DIR/swap.$i.b" 2>&1 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || { cat "$DIR"/swap.*; fail "a swap failed: exit $?"; }
	done
	same 21 "$(generation host eth0)" 'generation'
	same '' "$(debris)" 'debris'
}

@test "two attaches at once: one is done, the other says that portcullis is attached" {
	local one two

	as host attach eth0 -p ssh > "$DIR/one" 2>&1 3>&- &
	one=$!
	as host attach eth0 -p xeams > "$DIR/two" 2>&1 3>&- &
	two=$!
	codes=0
	wait $one || codes=$((codes + $?))
	wait $two || codes=$((codes + $?))
	same 1 $codes 'sum of the exit codes'
	grep -hq 'already attached' "$DIR/one" "$DIR/two"
	same 1 "$(pins | wc -l)" 'folders of pins'
	same '' "$(debris)" 'debris'
}

@test "a command that finds the lock held says that it waits, and waits" {
	pc attach eth0 -p ssh
	inside flock "$PINS" sleep 1 3>&- &
	sleep 0.3
	exits 0 pc swap eth0 -p xeams
	says 'another portcullis command' 'waiting'
	wait
	same '["xeams"]' "$(profiles_of)" 'profiles'
	# Commands that only read do not wait for the lock.
	inside flock "$PINS" sleep 2 3>&- &
	sleep 0.3
	SECONDS=0
	exits 0 pc status
	exits 0 pc counters eth0
	[ $SECONDS -lt 2 ] || fail 'status waited for the lock'
	wait
}

# killed_when_switched INTERFACES: kills a swap of these after all use the new profile, and before anything old is
# removed. The next command removes it, and prints nothing about it.
killed_when_switched()
{
	# shellcheck disable=SC2086
	pc attach $1 -p ssh
	# shellcheck disable=SC2086
	pc swap $1 -p ssh
	# shellcheck disable=SC2086
	exits 137 on host "$TOOLS/faults" -k unlink:1 "$PORTCULLIS" swap $1 -p xeams --catalog "$CATALOG"
	[ -n "$(debris)" ] || fail 'nothing was left'
	exits 0 pc detach lo
	says_not 'undid' 'completed'
	same '' "$(debris)" 'what is left'
	for name in $1; do
		same 3 "$(generation host "$name")" "generation of $name"
		same '["xeams"]' "$(pc status "$name" --json | jq -c '.interfaces[0].profiles')" "profiles of $name"
	done
}

@test "a swap killed once it has switched: the new profile judges, and what it replaced is cleared away in silence" {
	killed_when_switched eth0
}

@test "so does one of two interfaces that had been swapped together before" {
	killed_when_switched 'eth0 eth1'
}

@test "out of file descriptors: an error, and no filter is lost" {
	local limit

	pc attach eth0 eth1 -p ssh
	for limit in {5..40}; do
		run inside nsenter --net=/run/netns/host prlimit --nofile="$limit" "$PORTCULLIS" \
			swap eth0 eth1 -p xeams --catalog "$CATALOG"
		now=$(profiles_of)
		case $status,$now in
		'0,["xeams","xeams"]')
			pc swap eth0 eth1 -p ssh > /dev/null ;;
		*,'["ssh","ssh"]')
			[ "$status" != 0 ] || fail "limit $limit: exit 0 without a swap" ;;
		*)
			fail "limit $limit: exit $status, profiles $now: $output" ;;
		esac
		same '' "$(debris)" "debris of limit $limit"
	done
}

@test "each look-up is in one map that the verifier knows, and is put in line" {
	local program

	exits 0 pc attach eth0 -p ssh
	for program in program egress; do
		inside bpftool prog dump xlated pinned "$(pins)/$program" > "$BATS_TEST_TMPDIR/$program"
		# The calls into which the kernel turns a look-up of a hash table.
		grep -q 'call __htab_map_lookup_elem' "$BATS_TEST_TMPDIR/$program"
		run ! grep 'call bpf_map_lookup_elem' "$BATS_TEST_TMPDIR/$program"
	done
}

@test "swap without an interface and detach --all: every filter of the network namespace, of no other one" {
	exits 1 pc swap -p ssh
	says 'no interface of this network namespace has a filter' 'portcullis attach IFACE -p PROFILE'
	pc attach eth0 -p ssh
	pc attach eth1 -p xeams
	as other attach eth0 -p ssh
	exits 0 pc swap --open 587/tcp
	says 'eth0: enforce, ssh: 2 open in' 'eth1: enforce, xeams: 4 open in' 'opens   587/tcp from anyone (site:587-tcp)'
	same '[["587/tcp"],["587/tcp"]]' "$(pc status --json | jq -c '[.interfaces[].recipe.overrides.open]')"
	same 1 "$(generation other eth0)" 'generation of the other network namespace'
	# All interfaces change, or none.
	exits 1 pc swap --no-enable imap
	exits 1 pc swap --disable ssh:ssh
	says 'no chosen profile is named'
	same '2 2' "$(generation host eth0) $(generation host eth1)"

	exits 2 pc detach
	says 'detach --all'
	exits 2 pc detach eth0 --all
	exits 0 pc detach --all
	says 'eth0: detached; everything passes' 'eth1: detached; everything passes'
	same '[]' "$(profiles_of)"
	same 1 "$(generation other eth0)"
	exits 0 pc detach --all
	says 'no interface of this network namespace has a filter'
}
