# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# As BASH_ENV of a script: Ctrl-C before command INTERRUPT_AT, counted from when the script has $work; a command that is
# run again counts once. Every process of its group gets SIGINT, as from a terminal.

if [ -n "${INTERRUPT_AT:-}" ]; then
	interrupt_left=$INTERRUPT_AT
	declare -A interrupt_seen=()
	unset INTERRUPT_AT BASH_ENV # not for the processes that it starts

	interrupt()
	{
		local place=${BASH_SOURCE[1]}:${BASH_LINENO[0]}

		[ -n "${work:-}" ] && [ "$BASHPID" = $$ ] && [ -z "${interrupt_seen[$place]:-}" ] || return 0
		interrupt_seen[$place]=1
		interrupt_left=$((interrupt_left - 1))
		[ $interrupt_left != 0 ] || kill -s INT -- -$$
	}

	set -o functrace
	trap interrupt DEBUG
fi
