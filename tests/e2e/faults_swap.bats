#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# swap and confirm, killed or failing at any of its system calls: see fault_each_call.bash.

load faults

setup_file()
{
	faults_start
}

teardown_file()
{
	sandbox_end
}

@test "swap" {
	hurt -e sixths before after swap eth0 "${AFTER[@]}"
}

@test "swap --confirm" {
	hurt -s -c -e turns before after+ swap eth0 "${AFTER[@]}" --confirm 60
}

@test "swap while one waits to be confirmed" {
	hurt -s -c -e turns before+ after+ swap eth0 "${AFTER[@]}"
}

@test "confirm" {
	hurt -c -e sixths after+ after confirm eth0
}
