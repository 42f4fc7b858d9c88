# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# How a script ends: whatever ends it, its folder and the command under way go with it. Sourced by scripts.

running= # process of `attend`
stopped= # exit code of the signal that came

# work_make [COMMAND]: makes $work, a folder that is removed when the script ends; COMMAND runs before that.
work_make()
{
	before_end=${1:-:}
	# The name is known before the folder exists: mktemp could be killed after it made one and before it printed its
	# name.
	work=$(mktemp --dry-run --tmpdir -d "portcullis-$(basename "$0").XXXXXX") || exit
	end_with clean_up_work
	mkdir -m 755 "$work" || exit
}

# work_at FOLDER [COMMAND]: $work is that folder, which is kept.
work_at()
{
	mkdir -p "$1"
	work=$(realpath "$1")
	before_end=${2:-:}
	end_with clean_up
}

# Sets the traps.
end_with()
{
	# A trap runs with the variables of the function that it interrupts, where a `local work` would hide this one.
	readonly work before_end
	# shellcheck disable=SC2064
	trap "$1" EXIT
	trap 'stop 130' INT
	trap 'stop 143' TERM
	trap 'stop 129' HUP
}

stop()
{
	trap '' INT TERM HUP
	stopped=$1
	exit "$1"
}

clean_up()
{
	trap '' INT TERM HUP
	trap - EXIT
	if [ -n "$running" ]; then
		kill "$running" 2> /dev/null || true
		wait "$running" 2> /dev/null || true
	fi
	"$before_end"
}

clean_up_work()
{
	clean_up || true
	rm -rf "$work"
}

# Runs a command so that a signal need not wait for its end, and ends the command.
attend()
{
	local code=0

	"$@" &
	running=$!
	wait "$running" || code=$?
	running=
	return $code
}
