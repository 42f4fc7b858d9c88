#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kills `ban @FILE`, `grant GROUP @FILE` and their like, or lets a call fail, at each system call by which they change the kernel or the
# file that keeps them, and looks by packets at what is in force. For ban_faults.bats: runs on the filtered host, and needs PORTCULLIS,
# TOOLS and DIR.
#
#   fault_each_admission.bash KIND OLD NEW COMMAND...
#
#   KIND       ban, of the list `k`; or grant, into the group `home`
#   OLD, NEW   whether the addresses of $DIR/fifty are banned or granted before the command, and after it: 0 or 1
#
# 198.51.100.7 is banned all the time, by another list, or granted into another group. At once after a fault all of the fifty are in
# force, or none of them; after an error, exit 1 and a message, it is as before. The next command makes file and kernel agree.
set -u
# shellcheck source=tests/e2e/fault_points.bash
. "${BASH_SOURCE%/*}/fault_points.bash"

kind=$1 old=$2 new=$3
shift 3
command=("$@")
tried=0 failures=0 turn=0
if [ "$kind" = ban ]; then
	others=(198.51.100.7 192.0.2.7) made=00001 unmade=11101
	make=(ban --list k "@$DIR/fifty") unmake=(unban --list k --all) next=(ban --list next 203.0.113.77)
	view=bans
	has='[.bans[] | select(.list == "k")], [.bans[] | select(.list == "stays")] | length'
else
	others=(192.0.2.7 198.51.100.7) made=11101 unmade=00001
	make=(grant home "@$DIR/fifty") unmake=(revoke home "@$DIR/fifty") next=(grant office 203.0.113.77)
	view=groups
	has='("home", "office") as $group | [.groups[] | select(.name == $group).members[] | select(.origin == "grant")
		| select(.prefix != "203.0.113.77/32")] | length'
fi
cat > "$DIR/flows" <<-END_FLOWS
	client 10.9.0.1 host 192.0.2.1 5000
	client 10.9.0.25 host 192.0.2.1 5000
	client 10.9.0.50 host 192.0.2.1 5000
	client ${others[0]} host 192.0.2.1 5000
	client ${others[1]} host 192.0.2.1 5000 !
END_FLOWS
coproc PROBE { exec "$TOOLS/probe" "$DIR/flows"; }

# Sets `now` to 1 if the fifty are in force, to 0 if they are not, else to what passes.
look()
{
	echo look >&"${PROBE[1]}"
	read -r -t 20 now <&"${PROBE[0]}" || { echo 'no answer from probe'; exit 1; }
	case $now in
	"$made") now=1 ;;
	"$unmade") now=0 ;;
	esac
}

# bring STATE
bring()
{
	local words=("${unmake[@]}")

	[ "$1" = 0 ] || words=("${make[@]}")
	"$PORTCULLIS" "${words[@]}" > "$DIR/next" 2>&1 || trouble "portcullis ${words[*]}: $(cat "$DIR/next")"
}

trouble()
{
	failures=$((failures + 1))
	echo "$fault: $*"
	sed 's/^/    > /' "$DIR/out"
}

# listed: how many of the fifty the command lists, and how many of those that stay.
listed()
{
	"$PORTCULLIS" "$view" --json | jq "$has" | tr '\n' ' '
}

# fault_at OPTION...: runs the command with these options of faults.
fault_at()
{
	local code fifty stays

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
	"$PORTCULLIS" "${next[@]}" > "$DIR/next" 2>&1 || trouble "the next command: $(cat "$DIR/next")"
	[ $code != 1 ] || [ "$now" = "$old" ] || trouble 'exit 1, and it is made'
	look
	read -r fifty stays <<< "$(listed)"
	[ "$stays" = 1 ] || trouble 'what was there before is lost'
	[ "$fifty" = $((50 * now)) ] || trouble "in force: $now, in the file: $fifty"
	[ $code != 1 ] || [ "$now" = "$old" ] || trouble 'exit 1, and the next command makes it'
	bring "$old"
}

# fault_each ERROR,... [OPTION...]: with these options of faults.
fault_each()
{
	local errors point before=''

	IFS=, read -ra errors <<< "$1"
	shift
	"$TOOLS/faults" "$@" -l "$DIR/points" "$PORTCULLIS" "${command[@]}" > "$DIR/out" 2>&1 || trouble 'without a fault'
	bring "$old"
	while read -r point _; do
		# The slots of the former table are freed one by one.
		[[ ! $point =~ ^bpf:MAP_DELETE_ELEM:([0-9]+)$ ]] || ((BASH_REMATCH[1] < 3 || BASH_REMATCH[1] % 40 == 0)) || continue
		# The entries of a trie that is not in force yet are written one by one.
		[[ $kind != grant || ! $point =~ ^bpf:MAP_UPDATE_ELEM:([0-9]+)$ ]] || ((BASH_REMATCH[1] < 3 || BASH_REMATCH[1] > 48 || BASH_REMATCH[1] % 15 == 0)) || continue
		leaves_nothing "$before" || fault_at "$@" -k "$point"
		before=$point turn=$((turn + 1))
		# Calls that only open and read fail alike, so one of them is enough.
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
