#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# scripts/demo: it holds what it says, and leaves nothing behind, whenever it is stopped.

load helper

setup_file()
{
	sandbox_start
}

teardown_file()
{
	sandbox_end
}

# Lists what is left in the sandbox: namespaces, interfaces, pins, processes, folders.
leftovers()
{
	inside ip netns list
	inside ip -oneline link show type veth 2> /dev/null | grep portcullis-demo || true
	pins
	inside ps -eo pid,args --no-headers | awk '$1 != 1 && !/ps -eo pid,args|sleep 3600$/'
	find /tmp -maxdepth 1 -name "portcullis-demo.*" -newer "$DIR/ready"
}

@test "the demo runs through, every expectation holds, nothing is left" {
	SECONDS=0
	exits 0 inside env -u BUILD "$ROOT/scripts/demo" < /dev/null
	[ $SECONDS -lt 60 ] || fail "took $SECONDS s"
	says 'yes: mail arrives' 'yes: the database does not answer' 'yes: port 25 never stopped' \
		'yes: FTP is closed' 'xeams:smtp' 'All as it should be'
	says_not 'NO:'
	if command -v fail2ban-server > /dev/null && command -v dovecot > /dev/null; then
		says 'yes: the attacker is cut off at the driver' 'jail dovecot' 'yes: others still log in' 'yes: after unban the next packet comes in'
	else
		says 'Left out: fail2ban and dovecot-imapd are not installed.'
	fi
	same '' "$(inside sh -c 'ls /run/portcullis/bans-* 2> /dev/null')" 'files of bans'
	[ "$(wc -l <<< "$output")" -lt 110 ] || fail "long: $output"
	until_true 5 nothing_left || fail "left: $(cat "$DIR/leftovers")"
}

# interrupted SIGNAL TEXT: sends the demo a signal after it has printed the text.
interrupted()
{
	local i demo

	: > "$DIR/demo.log" # from the previous run
	# Without --default-signal the demo would inherit SIGINT as ignored, because it runs in the background.
	inside setsid env -u BUILD --default-signal=INT bash -c 'echo $$ > "$1"; exec "$0"' \
		"$ROOT/scripts/demo" "$DIR/demo.pid" > "$DIR/demo.log" 2>&1 < /dev/null 3>&- &
	demo=$!
	until_true 30 grep -q "$2" "$DIR/demo.log"
	# Signals every process of the group, as the terminal does.
	inside bash -c 'kill -s "$0" -- "$1"' "$1" "-$(cat "$DIR/demo.pid")" # kill(1) takes -11 for a signal
	status=0
	wait $demo || status=$?
	until_true 5 nothing_left || fail "left after SIG$1 at '$2': $(cat "$DIR/leftovers")"
}

# interrupted_at COMMAND: sends Ctrl-C before that command of the demo, counted from the moment when it has a folder.
# Fails if the demo has already started its servers.
interrupted_at()
{
	inside setsid env -u BUILD --default-signal=INT BASH_ENV="$ROOT/tests/e2e/interrupt.bash" INTERRUPT_AT="$1" \
		"$ROOT/scripts/demo" > "$DIR/demo.log" 2>&1 < /dev/null 3>&- &
	status=0
	wait $! || status=$?
	until_true 5 nothing_left || fail "left after Ctrl-C at command $1: $(cat "$DIR/leftovers" "$DIR/demo.log")"
	same 130 $status "exit after command $1: $(cat "$DIR/demo.log")"
}

# A killed process stays a process until its parent has waited for it.
nothing_left()
{
	leftovers > "$DIR/leftovers"
	[ ! -s "$DIR/leftovers" ]
}

@test "Ctrl-C at any point of the demo: exit 130, no namespace, interface, pin, process or file is left" {
	for text in '1. Two hosts' 'before, anybody' '2. Only what' 'mail arrives' '3. Another product' \
		'port 25 never stopped' '4. What was' 'are started' 'cut off at the driver'; do
		interrupted INT "$text"
		same 130 $status "exit after '$text': $(cat "$DIR/demo.log")"
	done
}

@test "Ctrl-C before any command that makes the hosts and starts the servers: nothing is left" {
	local at=0

	: > "$DIR/demo.log"

	while ! grep -q 'before, anybody' "$DIR/demo.log"; do
		at=$((at + 1))
		interrupted_at $at
	done
	[ $at -gt 40 ] || fail "only $at commands"
}

@test "SIGTERM in the middle: exit 143, nothing left" {
	interrupted TERM '3. Another product'
	same 143 $status 'exit'
}

@test "the demo says that it needs root" {
	exits 1 inside setpriv --reuid 65534 --regid 65534 --clear-groups "$ROOT/scripts/demo"
	says 'needs root'
}
