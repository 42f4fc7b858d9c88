#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Scripts that boot guests: a signal ends them at once, with the guest and their files.

load helper

setup_file()
{
	sandbox_start
}

teardown_file()
{
	sandbox_end
}

guest_runs()
{
	inside pgrep -x qemu-system-x86 > /dev/null
}

# is_kept PATTERN COMMAND: skips the test if there is no kernel or image, which COMMAND makes.
is_kept()
{
	compgen -G "${XDG_CACHE_HOME:-$HOME/.cache}/portcullis/$1/release" > /dev/null || skip "nothing is kept: $2 makes it"
}

# stopped SIGNAL GROUP SCRIPT ARGUMENT: sends the script the signal while its guest boots. GROUP: - for the whole
# process group, as from a terminal; empty for the script alone.
stopped()
{
	local script

	mkdir "$DIR/files"
	inside setsid env --default-signal=INT TMPDIR="$DIR/files" bash -c 'echo $$ > "$1"; exec "$0" "$2"' \
		"$ROOT/scripts/$3" "$DIR/pid" "$4" > "$DIR/log" 2>&1 < /dev/null 3>&- &
	script=$!
	until_true 150 guest_runs
	inside bash -c 'kill -s "$0" -- "$1"' "$1" "$2$(cat "$DIR/pid")" # kill(1) takes -11 for a signal
	status=0
	wait $script || status=$?
	! guest_runs || fail "the guest goes on after SIG$1"
	same '' "$(ls -A "$DIR/files")" "files left after SIG$1"
	rmdir "$DIR/files"
}

@test "scripts/kernels: Ctrl-C ends the guest, exit 130, and leaves no file" {
	is_kept kernels/6.1 'scripts/kernels 6.1'
	stopped INT - kernels 6.1
	same 130 $status "exit: $(cat "$DIR/log")"
}

@test "scripts/kernels: SIGTERM to the script alone ends the guest, exit 143, and leaves no file" {
	is_kept kernels/6.1 'scripts/kernels 6.1'
	stopped TERM '' kernels 6.1
	same 143 $status "exit: $(cat "$DIR/log")"
}

@test "scripts/guest: the same" {
	is_kept 'guest/bookworm-*' scripts/guest
	stopped INT - guest ifupdown
	same 130 $status "exit: $(cat "$DIR/log")"
	stopped TERM '' guest ifupdown
	same 143 $status "exit: $(cat "$DIR/log")"
}
