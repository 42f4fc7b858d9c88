#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kills `ban @FILE` and its like, or lets a call fail, at each system call by which they change the kernel or the file of bans, and
# looks by packets at what is in force. For ban_faults.bats: runs on the filtered host, and needs PORTCULLIS, TOOLS and DIR.
#
#   fault_each_ban.bash OLD NEW COMMAND...
#
#   OLD, NEW   whether the list `k`, the addresses of $DIR/fifty, is banned before the command, and after it: 0 or 1
#
# 198.51.100.7 is banned all the time, by another list. At once after a fault all of the list is in force, or nothing of it; after an
# error, exit 1 and a message, it is as before. The next command makes file and kernel agree.
set -u
# shellcheck source=tests/e2e/fault_points.bash
. "${BASH_SOURCE%/*}/fault_points.bash"

old=$1 new=$2
shift 2
command=("$@")
tried=0 failures=0 turn=0
cat > "$DIR/flows" <<-END_FLOWS
	client 10.9.0.1 host 192.0.2.1 5000
	client 10.9.0.25 host 192.0.2.1 5000
	client 10.9.0.50 host 192.0.2.1 5000
	client 198.51.100.7 host 192.0.2.1 5000
	client 192.0.2.7 host 192.0.2.1 5000 !
END_FLOWS
coproc PROBE { exec "$TOOLS/probe" "$DIR/flows"; }

# Sets `now` to 1: the list is in force, 0: it is not, or to what passes.
look()
{
	echo look >&"${PROBE[1]}"
	read -r -t 20 now <&"${PROBE[0]}" || { echo 'no answer from probe'; exit 1; }
	case $now in
	00001) now=1 ;;
	11101) now=0 ;;
	esac
}

# bring STATE
bring()
{
	local words=(unban --list k --all)

	[ "$1" = 0 ] || words=(ban --list k "@$DIR/fifty")
	"$PORTCULLIS" "${words[@]}" > "$DIR/next" 2>&1 || trouble "portcullis ${words[*]}: $(cat "$DIR/next")"
}

trouble()
{
	failures=$((failures + 1))
	echo "$fault: $*"
	sed 's/^/    > /' "$DIR/out"
}

# listed: how many bans the file has of `k` and of the list that stays.
listed()
{
	"$PORTCULLIS" bans --json | jq -r '"\([.bans[] | select(.list == "k")] | length) \([.bans[] | select(.list == "stays")] | length)"'
}

# fault_at OPTION...: of faults.
fault_at()
{
	local code k stays

	fault="${*: -2}" tried=$((tried + 1))
	"$TOOLS/faults" "$@" "$PORTCULLIS" "${command[@]}" > "$DIR/out" 2>&1
	code=$?
	look
	case $code:$now in
	137:[01] | 98:[01]) ;;
	1:"$old") grep -q '^portcullis: ' "$DIR/out" || trouble 'exit 1 without a message' ;;
	0:"$new") ;;
	*) trouble "exit $code, in force: $now" ;;
	esac
	"$PORTCULLIS" ban --list next 203.0.113.77 > "$DIR/next" 2>&1 || trouble "the next command: $(cat "$DIR/next")"
	[ $code != 1 ] || [ "$now" = "$old" ] || trouble 'exit 1, and it is made'
	look
	read -r k stays <<< "$(listed)"
	[ "$stays" = 1 ] || trouble 'the ban before is lost'
	[ "$k" = $((50 * now)) ] || trouble "in force: $now, in the file: $k"
	[ $code != 1 ] || [ "$now" = "$old" ] || trouble 'exit 1, and the next command makes it'
	bring "$old"
}

# fault_each ERROR,... [OPTION...]: of faults.
fault_each()
{
	local errors point before=''

	IFS=, read -ra errors <<< "$1"
	shift
	"$TOOLS/faults" "$@" -l "$DIR/points" "$PORTCULLIS" "${command[@]}" > "$DIR/out" 2>&1 || trouble 'without a fault'
	bring "$old"
	while read -r point _; do
		# The slots of the table before are freed one by one.
		[[ ! $point =~ ^bpf:MAP_DELETE_ELEM:([0-9]+)$ ]] || ((BASH_REMATCH[1] < 3 || BASH_REMATCH[1] % 40 == 0)) || continue
		leaves_nothing "$before" || fault_at "$@" -k "$point"
		before=$point turn=$((turn + 1))
		# What only opens and asks fails alike, whichever it is.
		! leaves_nothing "$point" || [[ $point == bpf:MAP_CREATE:* ]] || [ $((turn % 8)) = 0 ] || continue
		fault_at "$@" -e "${errors[turn % ${#errors[@]}]}@$point"
	done < "$DIR/points"
}

fault='at first'
bring "$old"
look
[ "$now" = "$old" ] || trouble "in force: $now"
fault_each ENOMEM,EPERM
fault_each ENOSPC,EIO -w /run/portcullis
echo "${command[*]}: $tried points, $failures failures, $SECONDS s"
[ $failures = 0 ] && [ $tried -gt 15 ]
