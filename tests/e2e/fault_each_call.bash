#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A command fails, or is killed, at each of its system calls in turn, and what it leaves is looked at.
# shellcheck disable=SC2016
usage='usage: fault_each_call.bash [OPTION]... OLD NEW COMMAND...

Runs the portcullis COMMAND on `host` of faults_start (faults.bash), once for each fault: kill, or an error in place of
a system call. OLD and NEW are the states before and after the command: that of eth0 and, after a comma, of eth1.
    none      no filter
    before    the profile `before`, with its groups
    after     the profile `after`, with its groups
    before+   `before` waits to be confirmed, `after` was there before it; after+ likewise

Afterwards an interface is as in OLD or as in NEW, as what comes through it shows. After an error: all as in OLD, exit 1
and a message; or all as in NEW and exit 0. The next ordinary commands bring back OLD without help. What passes in OLD
and in NEW passes all the time, and what neither lets pass never does (unless one of them is `none`: a driver may drop
some while its hook changes).

    --tries WHICH     which faults: `none`, `tenth`, `third`, `sixth`, `each` or `all` (if not said)
              tenth   at every tenth call one fault: kill, ENOMEM, EPERM and EBUSY in turn
              third   the same, at every third call
              sixth   at each call kill, but for those behind a call that leaves nothing in the kernel; at every
                      sixth one error, too, in turn
              each    at each call kill, and one error in turn
              all     at each call kill, and each of the three errors; one in turn where libbpf only asks what the
                      kernel has
    --also REGEX      besides at each call whose name matches an error, too, in turn
    --without-tcx     as on a kernel before 6.6
    --older BINARY    `before` is the filter of this other portcullis, which COMMAND takes over. All is tried from the
                      first mkdir to the last rmdir, of the older folder; one fault at every third call before, where
                      nothing is changed yet, and at every tenth behind, where it is a swap like any other
    --help            this text

Environment:
    PORTCULLIS, TOOLS, DIR    the binary, the folder of faults, probe and wait_for_objects, and one for files
    FAULTS_ALL                if it is set, `tenth`, `third` and `sixth` are `each`
'
set -u
shopt -s nullglob
# shellcheck source=tests/e2e/fault_each_call_flows.bash
. "${BASH_SOURCE%/*}/fault_each_call_flows.bash"
# shellcheck source=tests/e2e/fault_points.bash
. "${BASH_SOURCE%/*}/fault_points.bash"

PINS=/sys/fs/bpf/portcullis
FLOWS=16
older='' # the other binary
interfaces=(eth0 eth1)
tcx=() # options of faults.c
tries=all also=
tried=0 kills=0 missed=0 nexts=0 failures=0 waiting=0 turn=0 count=0 every=3

# --- what the filters admit ---

# ask look|begin|tell: the answer of probe.c, an element of `answer` for each interface.
ask()
{
	local all i

	echo "$1" >&"${PROBE[1]}"
	read -r -t 20 all <&"${PROBE[0]}" || { echo 'no answer from probe'; exit 1; }
	answer=()
	for i in "${!interfaces[@]}"; do
		answer+=("${all:i * FLOWS:FLOWS}")
	done
}

# Sets `now` to the states of the interfaces; one that is none of the three states is shown in full.
look()
{
	local i name seen

	ask look
	now=()
	for i in "${!interfaces[@]}"; do
		seen=${answer[i]}
		for name in "${!passes[@]}"; do
			[ "${passes[$name]}" != "$seen" ] || seen=$name
		done
		now+=("$seen")
	done
	[ $waiting = 0 ] || look_who_waits
}

# Adds `+` for a pending change.
look_who_waits()
{
	local i waits

	waits=$("$PORTCULLIS" status --json | jq -r '.interfaces[] | select(.confirm != null) | .name')
	for i in "${!now[@]}"; do
		[[ " ${waits//$'\n'/ } " != *" ${interfaces[i]} "* ]] || now[i]+=+
	done
}

# A hook disappears some time after the last pin of its link.
look_when_settled()
{
	local i

	for i in {1..100}; do
		look
		[[ ${now[*]} == *1111111* ]] || break
		sleep 0.01
	done
}

# --- commands ---

pc()
{
	"$FAULTS" "${tcx[@]}" -i "$DIR/ids" "$PORTCULLIS" "$@"
}

options_of()
{
	local hosts=2

	[ "$1" = before ] || hosts=3
	options=(-p "$1" --outbound enforce --catalog "$DIR/profiles"
		--group "trusted=192.0.2.$hosts,198.51.100.$hosts,2001:db8:1::$hosts,2001:db8:2::$hosts")
}

# ordinary COMMAND...: runs a command that has to work.
ordinary()
{
	pc "$@" > "$DIR/next" 2>&1 || trouble "portcullis $*: exit $?: $(cat "$DIR/next")"
	nexts=$((nexts + 1))
}

# bring_older INTERFACE NOW: swaps and detaches the present filter first, whichever binary attached it.
bring_older()
{
	if [ "$2" != none ]; then
		options_of after
		ordinary swap "$1" "${options[@]}"
		ordinary detach "$1"
	fi
	options_of before
	PORTCULLIS=$older ordinary attach "$1" "${options[@]}"
}

# bring_to STATE INTERFACE NOW: brings the interface into the state by ordinary commands.
bring_to()
{
	local other=before

	[[ $1 != before || -z $older ]] || { bring_older "$2" "$3"; return; }
	case $1 in
	none) ordinary detach "$2"; return ;;
	*+)
		[ "$1" = after+ ] || other=after
		bring_to $other "$2" "$3"
		options_of "${1%+}"
		ordinary swap "$2" "${options[@]}" --confirm 3600
		return ;;
	esac
	options_of "$1"
	if [ "$3" = none ]; then
		ordinary attach "$2" "${options[@]}"
	elif [[ $3 == [01]* ]]; then
		ordinary detach "$2"
		ordinary attach "$2" "${options[@]}"
	else
		ordinary swap "$2" "${options[@]}"
		[ $waiting = 0 ] || ordinary confirm "$2"
	fi
}

# Brings back the state `old`, and checks what is left of the other states.
restore()
{
	local i

	for i in "${!old[@]}"; do
		bring_to "${old[i]}" "${interfaces[i]}" "${now[i]}"
	done
	look
	[ "${now[*]}" = "${old[*]}" ] || trouble "the next command leaves ${now[*]}"
	check_rest
}

# --- what is left ---

# Sets `found` to everything that is pinned; with clsact also to the interfaces that have one, and their programs.
find_pins()
{
	local pin name

	found=
	for pin in "$PINS"/* "$PINS"/*/*; do
		found+="${pin#"$PINS"/} "
	done
	[ ${#tcx[@]} != 0 ] || return 0
	found+=$(tc qdisc show | grep clsact)
	for name in "${interfaces[@]}"; do
		found+=$(tc filter show dev "$name" egress 2> /dev/null | grep -o ' id [0-9]*')
	done
}

# After an ordinary command: folders are complete, and the kernel has no more objects than at first in this state.
check_rest()
{
	local folder left generations=1

	[[ ${old[*]} != *+* ]] || generations=2
	for folder in "$PINS"/*; do
		set -- "$folder"/generation-*
		[ $# = $generations ] || trouble "generations are left in $folder: ${*##*/}"
		set -- "$folder"/recipe-*
		[ $# = $generations ] || trouble "recipes are left in $folder: ${*##*/}"
		[ -e "$folder/link" ] || trouble "$folder has no link"
	done
	if [[ ${old[*]} =~ ^none( none)*$ ]]; then
		find_pins
		[ -z "$found" ] || trouble "left: $found"
	fi
	[ -n "$rest" ] || return 0
	# A swap frees its trie only two swaps later, so there are more tries after one swap. The maps that two filters
	# share hold the BTF of the first filter, which may be gone.
	[[ ${new[*]} != *none* ]] || sed -i '/ prefixes$/d; /^btf /d' "$DIR/ids"
	left=$("$TOOLS/wait_for_objects" "$DIR/ids" "$rest") || trouble "left in the kernel, where it was $rest: $left"
	flock -n "$PINS" true || trouble 'the lock is held'
}

# Starts anew after an error.
reset()
{
	local pin

	for pin in "$PINS"/*/*; do
		rm -f "$pin"
	done
	rmdir "$PINS"/* 2> /dev/null
	tc qdisc del dev eth0 clsact 2> /dev/null
	tc qdisc del dev eth1 clsact 2> /dev/null
	: > "$DIR/ids"
	trouble=
	for _ in {1..100}; do
		look
		[[ ! ${now[*]} =~ ^none( none)*$ ]] || break
		sleep 0.02
	done
	restore
	[ -z "$trouble" ] || { echo "cannot start anew: $trouble"; exit 1; }
	find_pins
	at_first=$found
}

# Adds a finding about this point to the list of errors.
trouble()
{
	trouble+="
    $*"
}

# --- one point ---

# Which datagrams passed meanwhile.
check_trail()
{
	local i j a b may

	ask tell
	for i in "${!old[@]}"; do
		a=${old[i]%+} b=${new[i]%+}
		[[ $a != none && $b != none ]] || continue
		for ((j = 0; j < FLOWS; j++)); do
			may=${passes[$a]:j:1}
			[ "$may" = "${passes[$b]:j:1}" ] || continue
			[ "$may" = "${answer[i]:j:1}" ] || trouble "meanwhile on ${interfaces[i]}: ${answer[i]}"
		done
	done
}

# check_states: each interface is in the old or the new state; after an error all are in the same.
check_states()
{
	local i

	case $action:$code in
	kill:137|*:98)
		for i in "${!old[@]}"; do
			[ "${now[i]}" = "${old[i]}" ] || [ "${now[i]}" = "${new[i]}" ] ||
				trouble "${interfaces[i]} is ${now[i]}"
		done ;;
	E*:1)
		[ "${now[*]}" = "${old[*]}" ] || trouble "exit 1, and the interfaces are ${now[*]}"
		grep '^portcullis: ' "$DIR/out" | grep -vq '^portcullis: warning: ' || trouble 'exit 1 without a message' ;;
	E*:0)
		[ "${now[*]}" = "${new[*]}" ] || trouble "exit 0, and the interfaces are ${now[*]}" ;;
	*)
		trouble "exit $code" ;;
	esac
}

# Without BTF for the program's global functions, the kernel verifies them in every state of their callers for half a
# minute, and then refuses the program.
endless() # ERROR POINT ABOUT
{
	[[ $1 == E* && ( $2 =~ ^bpf:BTF_LOAD:[125]$ || $2 == bpf:BTF_LOAD:* && $3 == object ) ]]
}

# is_probe POINT ABOUT: with this call libbpf tests what the kernel supports; the way it fails matters little.
is_probe()
{
	[[ $1 == bpf:BTF_LOAD:* || $2 == libbpf_* || ( $1 == bpf:PROG_LOAD:* && -z $2 ) ]]
}

# fault_at ACTION POINT
fault_at()
{
	local fault=(-e "$1@$2")

	action=$1 trouble=
	[ "$1" != kill ] || fault=(-k "$2")
	tried=$((tried + 1))
	ask begin
	"$FAULTS" "${tcx[@]}" -i "$DIR/ids" "${fault[@]}" "$PORTCULLIS" "${command[@]}" > "$DIR/out" 2>&1
	code=$?
	[ "$1:$code" != kill:137 ] || kills=$((kills + 1))
	[ $code != 98 ] || missed=$((missed + 1))
	check_trail
	look_when_settled
	check_states
	find_pins
	# If nothing has changed, the next command finds nothing either.
	[[ $found == "$at_first" && ${now[*]} == "${old[*]}" ]] || restore
	find_pins
	at_first=$found
	[ -n "$trouble" ] || return 0
	failures=$((failures + 1))
	echo "$1 at $2 ($(sed -n "s|^$2 ||p" "$DIR/points")): exit $code$trouble
$(sed 's/^/    > /' "$DIR/out")"
	reset
}

# fault_in_turn POINT ABOUT: true at every so many points, each time with another action.
fault_in_turn()
{
	local actions=(kill ENOMEM EPERM EBUSY)

	[ $((count % every)) = 0 ] || return 0
	set -- "${actions[turn++ % 4]}" "$@"
	endless "$@" || fault_at "$@"
}

# --- all points ---

# The number of objects in the kernel in the state `old`, without a fault.
count_rest()
{
	local i

	for i in 1 2 3; do
		pc "${command[@]}" > "$DIR/out" 2>&1 || { echo "without a fault: exit $?: $(cat "$DIR/out")"; exit 1; }
		look
		[ "${now[*]}" = "${new[*]}" ] || { echo "without a fault: the interfaces are ${now[*]}"; exit 1; }
		rest=
		restore
	done
	sleep 0.3
	"$TOOLS/wait_for_objects" "$DIR/ids" 1000
	[[ ${new[*]} != *none* ]] || sed -i '/ prefixes$/d; /^btf /d' "$DIR/ids"
	rest=$(wc -l < "$DIR/ids")
}

wrong()
{
	printf '%s\n\n%s' "fault_each_call.bash: $*" "$usage" >&2
	exit 2
}

while [[ ${1:-} == -* ]]; do
	case $1 in
	--tries)
		[[ ${2:-} =~ ^(none|tenth|third|sixth|each|all)$ ]] || wrong "--tries: '${2:-}'"
		tries=$2
		shift ;;
	--older)
		[ -x "${2:-}" ] || wrong "--older: '${2:-}' is no program"
		older=$2
		shift ;;
	--also)
		also=${2:-}
		shift ;;
	--without-tcx) tcx=(-n) ;;
	--help) printf '%s' "$usage"; exit ;;
	*) wrong "unknown option '$1'" ;;
	esac
	shift
done
[ $# -ge 3 ] || wrong 'OLD, NEW and COMMAND are needed'
for state in ${1//,/ } ${2//,/ }; do
	[[ $state =~ ^(none|before\+?|after\+?)$ ]] || wrong "unknown state '$state'"
done
[[ $1$2 != *+* ]] || waiting=1
[[ -z ${FAULTS_ALL:-} || $tries =~ ^(all|none)$ ]] || tries=each
[ "$tries" != tenth ] || every=10
[ "$tries" != none ] || every=1000000
FAULTS=$TOOLS/faults
IFS=, read -ra old <<< "$1"
IFS=, read -ra new <<< "$2"
shift 2
interfaces=("${interfaces[@]:0:${#old[@]}}")
command=("$@")
trouble='' rest=''
: > "$DIR/ids"

flows_of client 192.0.2 2001:db8:1 > "$DIR/flows"
[ ${#old[@]} = 1 ] || flows_of other 198.51.100 2001:db8:2 >> "$DIR/flows"
coproc PROBE { exec "$TOOLS/probe" "$DIR/flows"; }
for i in 1 2 3; do
	ask look # neighbours are resolved
done
look
restore
count_rest
[ -z "$trouble" ] || { echo "without a fault: $trouble"; exit 1; }
"$FAULTS" "${tcx[@]}" -i "$DIR/ids" -l "$DIR/points" "$PORTCULLIS" "${command[@]}" > "$DIR/out" 2>&1
look
restore
find_pins
at_first=$found
last=$(grep -o '^rmdir:[0-9]*' "$DIR/points" | tail -n 1)
whole=1
[ -z "$older" ] || whole=0
while read -r point about; do
	count=$((count + 1)) # from 1, so that `none` meets no point
	[[ -z $older || $point != mkdir:1 ]] || whole=1
	[[ $tries != tenth && $tries != none ]] || whole=0
	if [[ -n $also && $point =~ $also ]]; then
		errors=(ENOMEM EPERM EBUSY)
		fault_at "${errors[turn++ % 3]}" "$point"
		[ $whole = 1 ] || continue
	elif [ $whole = 0 ]; then
		fault_in_turn "$point" "$about"
		continue
	fi
	before=${behind:-} behind=$point
	[ "$tries" != third ] || [ $((count % 3)) = 0 ] || continue
	[[ $tries =~ ^(third|sixth)$ ]] && leaves_nothing "$before" || fault_at kill "$point"
	[[ $tries != third && $tries != sixth ]] || [ $((count % 6)) = 0 ] || continue
	set -- ENOMEM EPERM EBUSY
	if [ "$tries" != all ] || is_probe "$point" "$about"; then
		set -- "${@:turn++ % 3 + 1:1}"
	fi
	for error in "$@"; do
		endless "$error" "$point" "$about" || fault_at "$error" "$point"
	done
	[[ -z $older || $point != "$last" ]] || whole=0 every=10
done < "$DIR/points"
# In the end nothing of all this is left.
old=("${old[@]/*/none}") rest=0 trouble=''
restore
[ -z "$trouble" ] || { failures=$((failures + 1)); echo "at the end: $trouble"; }
echo "${command[*]:0:3}: $(wc -l < "$DIR/points") calls, $tried points tried ($kills killed, $((tried - kills - missed)) errors, $missed not reached), $nexts next commands, $failures failures, $SECONDS s"
[ "$failures" = 0 ]
