# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the guests' scripts share. Every result is a line "ok - NAME" or "not ok - NAME" or "skip - NAME: REASON"; "# TEXT"
# explains the result before it. The last line, "# the end", says that the script came to its end.

errors=/tmp/command

note()
{
	sed 's/^/# /'
}

# check NAME COMMAND...: shows the command's output if it fails.
check()
{
	name=$1
	shift
	if "$@" > $errors 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		note < $errors
	fi
}

# listens INTERFACE FILE: waits until a `monitor` there, whose stderr is the file, is ready.
listens()
{
	for _ in $(seq 100); do
		! grep -q "listening at $1" "$2" || return 0
		sleep 0.1
	done
	echo "not ok - $1: monitor listens"
	note < "$2"
}

# same NAME EXPECTED ACTUAL
same()
{
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "# expected $2, found $3"
	fi
}
