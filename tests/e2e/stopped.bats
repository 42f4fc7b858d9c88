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

# stopped SIGNAL GROUP: scripts/kernels gets it while its guest boots; GROUP is - for the whole process group, as from
# a terminal, or empty for the script alone.
stopped()
{
	local script

	[ -s "${XDG_CACHE_HOME:-$HOME/.cache}/portcullis/kernels/6.1/release" ] ||
		skip 'no kernel is kept: scripts/kernels 6.1 fetches it'
	mkdir "$DIR/files"
	inside setsid env --default-signal=INT TMPDIR="$DIR/files" bash -c 'echo $$ > "$1"; exec "$0" 6.1' \
		"$ROOT/scripts/kernels" "$DIR/pid" > "$DIR/log" 2>&1 < /dev/null 3>&- &
	script=$!
	until_true 60 guest_runs
	inside bash -c 'kill -s "$0" -- "$1"' "$1" "$2$(cat "$DIR/pid")" # kill(1) takes -11 for a signal
	status=0
	wait $script || status=$?
	! guest_runs || fail "the guest goes on after SIG$1"
	same '' "$(ls -A "$DIR/files")" "files left after SIG$1"
	rmdir "$DIR/files"
}

@test "scripts/kernels: Ctrl-C ends the guest, exit 130, and leaves no file" {
	stopped INT -
	same 130 $status "exit: $(cat "$DIR/log")"
}

@test "scripts/kernels: SIGTERM to the script alone ends the guest, exit 143, and leaves no file" {
	stopped TERM ''
	same 143 $status "exit: $(cat "$DIR/log")"
}
