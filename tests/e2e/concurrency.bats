#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Eight commands at once on the same interfaces, under traffic: no wrong answer, no half state, nothing left.

load helper
load programs

SECONDS_OF_STORM=${SECONDS_OF_STORM:-15}

setup_file()
{
	sandbox_start
	host_add host
	host_add client
	for number in 0 1 2 3 4 5 6; do
		link_add host eth$number client eth$number
		address_add host eth$number 10.0.$number.1/24
		address_add client eth$number 10.0.$number.2/24
	done
	# Port 5000 is open in both profiles, 5001 in one, 5002 in the other, 5003 in neither.
	for name in left right; do
		profile $name <<-END
			services:
			  - name: both
			    in: 5000/tcp
			  - name: own
			    in: $([ $name = left ] && echo 5001 || echo 5002)/tcp
		END
	done
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host client
}

# Collects the ids of programs at the hooks of `host`, repeatedly: after the storm none of them may exist.
watch_programs()
{
	start programs host sh -c 'while :; do bpftool -j net show; echo; sleep 0.1; done'
}

programs_seen()
{
	grep -oE '"(prog_)?id":[0-9]+' "$DIR/programs.log" | grep -oE '[0-9]+' | sort -u
}

programs_gone()
{
	local id

	for id in $(programs_seen); do
		! inside bpftool prog show id "$id" > /dev/null 2>&1 || return 1
	done
}

# load_on NAME ADDRESS: connections to an open and a closed port of an interface, until `loaded NAME`.
load_on()
{
	start "$1" client /usr/bin/python3 "$BATS_TEST_DIRNAME/tcp_load.py" load "$((SECONDS_OF_STORM - 2))" "$2" 5000 5003
}

# loaded NAME: prints the result of load_on.
loaded()
{
	until_logged "$1" 'failed' 30
	output=$(cat "$DIR/$1.log")
	json_is '.failed == 0 and .connections > 20 and .bytes > 0'
}

# storm PORTCULLIS SECONDS MOVER OUTCOME...: MOVER may be empty. OUTCOME: a command that must have been run, with this
# result.
storm()
{
	local portcullis=$1 seconds=$2 mover=$3 wanted run

	shift 3
	wanted=$(IFS=,; echo "$*")
	SEED=${SEED:-$RANDOM}
	on host timeout "$((seconds * 4 + 90))" /usr/bin/python3 "$BATS_TEST_DIRNAME/storm.py" "$portcullis" "$DIR/catalog" \
		"$seconds" "$SEED" "$wanted" ${mover:+"$mover"} > "$DIR/storm" || fail "storm: exit $?: $(cat "$DIR/storm")"
	output=$(cat "$DIR/storm")
	echo "# SEED=$SEED: $(jq -c .runs "$DIR/storm")" >&3
	same '[]' "$(jq -c .wrong "$DIR/storm")" 'what was wrong' || return
	for run in "$@"; do
		json_is '.runs[$run] > 0 or ($run == "reverts" and .reverts > 0)' --arg run "$run"
	done
}

# judges INTERFACE: prints the profile by which its packets are filtered; fails if there is none.
judges()
{
	local address=10.0.${1#eth}.1 own=left other=right port=5001 shut=5002

	if [ "$(pc status "$1" --json | jq -r '.interfaces[0].profiles[0]')" = right ]; then
		own=right other=left port=5002 shut=5001
	fi
	connects client "$address" $port || fail "$1: status tells $own, and $port is shut" || return
	unanswered client "$address" $shut || fail "$1: status tells $own, and $other judges"
}

# Every change of eth2 and eth3 affected both, and none was lost; those of eth5 and eth6 were made, or fell back.
kept_whole()
{
	local interface swaps done

	swaps=$(jq .swaps <<< "$output")
	done=$(jq -c .done <<< "$output")
	output=$(pc status eth2 eth3 --json)
	json_is '[.interfaces[].generation] == [$swaps + 1, $swaps + 1]' --argjson swaps "$swaps"
	json_is '.interfaces[0].profiles == .interfaces[1].profiles'
	json_is '[.interfaces[] | $done[.echo_limit | tostring] == .profiles[0]] | all' --argjson done "$done"
	sleep 2.1 # the last deadlines pass first
	output=$(pc status eth5 eth6 --json)
	json_is '[.interfaces[] | $done[.echo_limit | tostring] == .profiles[0]] | all' --argjson done "$done"
	json_is '[.interfaces[].confirm | . == null or .state == "reverted" or .seconds_left > 3000] | all'
	for interface in eth2 eth3 eth5 eth6; do
		judges $interface || return
	done
	run pc confirm # the pending change is made final
	pc detach lo   # and everything else is cleaned up
	output=$(pc status --json)
	json_is '[.interfaces[].confirm | . == null or .state == "reverted"] | all'
	for interface in eth2 eth3 eth5 eth6; do
		judges $interface || return
	done
}

nothing_left()
{
	local folder

	for folder in $(pins); do
		inside test -e "$folder/link" || fail "$folder: no link" || return
		same 1 "$(inside find "$folder" -name 'generation-*' | wc -l)" "generations in $folder" || return
		same 1 "$(inside find "$folder" -name 'recipe-*' | wc -l)" "recipes in $folder" || return
	done
	detach_all host client
	exits 0 pc detach lo
	same 'lo: no filter of portcullis is attached' "$output" 'what the last command says' || return
	same '' "$(pins)" 'pins'
	exits 0 inside flock --nonblock "$PINS" true
	same '[]' "$(on host bpftool -j net show | jq -c '[.[] | .xdp[], .tc[]]')" 'programs at hooks'
	stop programs
	[ "$(programs_seen | wc -l)" -gt 4 ] || fail "few programs were seen: $(cat "$DIR/programs.log")" || return
	until_true 5 programs_gone
	same '' "$(on host tc qdisc show | grep -w clsact)" 'clsact'
}

serve()
{
	start server host /usr/bin/python3 "$BATS_TEST_DIRNAME/tcp_load.py" serve 5000 5001 5002 5003
	until_true 5 listening host 5003
}

@test "attach, swap, apply, confirm, detach and readers, 8 at once for $SECONDS_OF_STORM seconds under traffic" {
	serve
	pc attach eth2 eth3 eth5 eth6 -p left --catalog "$DIR/catalog"
	watch_programs
	load_on loose 10.0.0.1
	load_on kept 10.0.2.1
	load_on timed 10.0.5.1
	storm "$PORTCULLIS" "$SECONDS_OF_STORM" '' 'attach '{0,1} 'swap '{0,1} 'apply 0' 'detach 0' \
		{confirm,status,counters,flows}' '{0,1} reverts
	kept_whole
	for name in kept timed; do
		loaded $name
		json_is '.closed_tries > 20 and .closed_answered == 0'
	done
	loaded loose
	nothing_left
}

@test "clsact: 8 at once" {
	cc -O2 -D_GNU_SOURCE -shared -fPIC -o "$DIR/no_tcx.so" "$ROOT/tests/e2e/no_tcx.c" -ldl
	printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$DIR/no_tcx.so" "$PORTCULLIS" > "$DIR/old"
	chmod +x "$DIR/old"
	serve
	on host "$DIR/old" attach eth2 eth3 eth5 eth6 -p left --catalog "$DIR/catalog"
	watch_programs
	storm "$DIR/old" "$((SECONDS_OF_STORM / 2))" '' 'attach '{0,1} 'swap '{0,1} 'apply 0' 'confirm 0' 'detach 0' 'status 0'
	kept_whole
	nothing_left
}

# Deletes eth4 and makes it again, renames it, moves it, or sets it down; in the end it exists and is up.
make_mover()
{
	cat > "$DIR/mover" <<-'END'
		#!/bin/bash
		case $((RANDOM % 4)) in
		0)
			ip link del eth4 &&
				ip link add eth4 type veth peer name eth4 netns /run/netns/client ;;
		1)
			ip link set eth4 down && ip link set eth4 name lan4 && sleep 0.05 &&
				ip link set lan4 name eth4 ;;
		2)
			ip link set eth4 netns /run/netns/client name back && sleep 0.05 &&
				nsenter --net=/run/netns/client ip link set back netns /run/netns/host name eth4 ;;
		3) ip link set eth4 down && sleep 0.05 ;;
		esac && ip link set eth4 up && sleep 0.2
	END
	chmod +x "$DIR/mover"
}

@test "8 at once while an interface is deleted and made again, renamed, moved and back, down and up" {
	make_mover
	serve
	pc attach eth2 eth3 eth5 eth6 -p left --catalog "$DIR/catalog"
	watch_programs
	storm "$PORTCULLIS" "$((SECONDS_OF_STORM / 2))" "$DIR/mover" 'attach 0' 'swap 0' 'apply 0' 'confirm 0' 'detach 0' 'status 0' 'mover 0'
	kept_whole
	nothing_left
}
