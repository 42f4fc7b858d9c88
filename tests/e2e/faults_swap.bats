#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# swap, confirm or detach, killed or failing at any of its system calls: see hurt.bash.

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
	hurt before after swap eth0 "${AFTER[@]}"
}

@test "swap --confirm" {
	hurt -c -e turns before after+ swap eth0 "${AFTER[@]}" --confirm 60
}

@test "swap while one waits to be confirmed" {
	hurt -c -e turns before+ after+ swap eth0 "${AFTER[@]}"
}

@test "confirm" {
	hurt -c after+ after confirm eth0
}

@test "detach" {
	hurt before none detach eth0
}

@test "swap without tcx" {
	hurt -n -e turns before after swap eth0 "${AFTER[@]}"
}

@test "detach without tcx" {
	hurt -n before none detach eth0
}
