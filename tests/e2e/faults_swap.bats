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
	fault_each_call --tries sixth before after swap eth0 "${AFTER[@]}"
}

@test "swap --confirm" {
	fault_each_call --tries tenth before after+ swap eth0 "${AFTER[@]}" --confirm 60
}

@test "swap while one waits to be confirmed" {
	fault_each_call --tries tenth before+ after+ swap eth0 "${AFTER[@]}"
}

@test "confirm" {
	fault_each_call --tries sixth after+ after confirm eth0
}
