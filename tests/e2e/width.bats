#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What is printed fits the terminal: real ones of 80 and 200 columns; and a pipe gets whole lines.

load helper

setup_file()
{
	DIR=$(mktemp -d /tmp/portcullis-e2e.XXXXXX)
	export DIR
}

teardown_file()
{
	rm -rf "${DIR:-/nonexistent}"
}

# terminal COLUMNS COMMAND...: runs it on a terminal of 24 rows.
terminal()
{
	local columns=$1

	shift
	/usr/bin/python3 "$ROOT/tests/e2e/terminal.py" 24 "$columns" 20 "$@"
}

# The columns of the longest line of $output, without escape sequences.
longest()
{
	/usr/bin/python3 -c '
import re, sys, unicodedata
def wide(text):
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
print(max(wide(re.sub("\x1b\\[[0-9;]*[A-Za-z]", "", line)) for line in sys.stdin.read().split("\n")))' <<< "$output"
}

# fits COLUMNS
fits()
{
	local is

	is=$(longest)
	[ "$is" -le "$1" ] || fail "$is columns, not $1:
$output"
}

# words: $output as words, without regard to line breaks.
words()
{
	tr -s ' \n' '  ' <<< "$output"
}

# The commands in help, each after its group.
grouped()
{
	"$PORTCULLIS" help | awk '/^[A-Z][a-z]+( may)?$/ { group = $0 } /^$/ { blank = 1; next }
		/^  [a-z]/ && group != "" { print group ": " $1 } /^  help/ { exit }'
}

@test "help: six groups at most, a line a command, 80 columns" {
	local group word
	local -A all=([Start]='suggest profiles show check' [Change]='apply attach swap confirm rollback detach'
		[Look]='status counters drops monitor top explain flows' ['Who may']='ban unban bans grant revoke groups'
		[Verify]='audit doctor history' [Tools]='export metrics replay takeover')

	exits 0 terminal 80 "$PORTCULLIS" --help
	fits 80
	says $'\nStart\n  suggest ' $'\nChange\n  apply ' $'\nLook\n  status ' $'\nVerify\n' $'\nTools\n'
	# Each command is in its group; and each command that can be completed has a line, in the same order.
	while IFS=: read -r group word; do
		[[ " ${all[$group]} " == *" ${word# } "* ]] || fail "${word# } is not of the group $group"
	done < <(grouped | grep -v ': help$')
	same "$("$PORTCULLIS" complete '' | cut -f 1)" "$(sed -n 's/^  \([a-z]*\) .*/\1/p' <<< "$output" | tr -d '\r')" 'commands'
	with=$output
	exits 0 "$PORTCULLIS" help
	same "$with" "$output" 'help in a pipe'
	exits 0 "$PORTCULLIS" help --help
	same "$with" "$output" 'help --help'
}

@test "help COMMAND is COMMAND --help, and both fit 80, 50 and 200 columns with the same words" {
	for command in $(grouped | sed 's/.*: //' | grep -v '^help$'); do
		exits 0 "$PORTCULLIS" "$command" --help
		fits 80
		usual=$(words)
		for columns in 50 80 200; do
			exits 0 terminal $columns "$PORTCULLIS" help "$command"
			fits $columns
			same "$usual" "$(words)" "help $command at $columns columns"
		done
	done
	# A wide terminal is used.
	exits 0 terminal 200 "$PORTCULLIS" attach --help
	[ "$(longest)" -gt 90 ] || fail "$output"
	COLUMNS=200 run "$PORTCULLIS" attach --help
	[ "$(longest)" -gt 90 ] || fail "COLUMNS=200: $output"
}

@test "help WORD: each reason that counters has, each why_closed; others are named with the nearest" {
	for word in malformed banned denied fragment icmp source protocol unlisted outbound disabled no-ports dynamic feature local group; do
		exits 0 terminal 80 "$PORTCULLIS" help $word
		fits 80
		says "$word: "
		[ "${#lines[@]}" -ge 2 ] || fail "no explanation of $word: $output"
	done
	exits 2 "$PORTCULLIS" help unlsted
	says "'unlsted'" "did you mean 'unlisted'?"
	exits 2 "$PORTCULLIS" help swp
	says "did you mean 'swap'?"
	exits 2 "$PORTCULLIS" help nothing-like-it
	says 'portcullis --help'
	exits 2 "$PORTCULLIS" help swap attach
	says 'takes one word'
}

@test "-V is --version" {
	exits 0 "$PORTCULLIS" --version
	version=$output
	exits 0 "$PORTCULLIS" -V
	same "$version" "$output"
}

@test "check: of a line that is too long, the part with the error, and the caret below it" {
	printf 'profile: long\nservices:\n  - {name: web, title: "%s", in: 99999/tcp}\n' "$(printf 'x%.0s' {1..150})" > "$DIR/long.yaml"
	exits 1 terminal 80 "$PORTCULLIS" check "$DIR/long.yaml"
	fits 80
	source=$(grep -n '99999/tcp' <<< "$output" | cut -d: -f1)
	caret=$(sed -n "$((source + 1))p" <<< "$output")
	line=$(sed -n "${source}p" <<< "$output")
	before=${line%%99999/tcp*}
	same "${#before}" "$(($(expr index "$caret" ^) - 1))" 'place of the caret'
	# In a pipe the line is not wrapped.
	exits 1 "$PORTCULLIS" check "$DIR/long.yaml"
	says "  - {name: web, title: \"xxx"
}
