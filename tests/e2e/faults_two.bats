#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# attach and swap of two interfaces, killed or failing at any of its system calls: see fault_each_call.bash.

load faults

setup_file()
{
	faults_start
}

teardown_file()
{
	sandbox_end
}

@test "attach of two interfaces" {
	fault_each_call --tries tenth none,none after,after attach eth0 eth1 "${AFTER[@]}"
}

@test "swap of two interfaces" {
	fault_each_call --tries tenth before,before after,after swap eth0 eth1 "${AFTER[@]}"
}

@test "swap --confirm of two interfaces" {
	fault_each_call --tries tenth before,before after+,after+ swap eth0 eth1 "${AFTER[@]}" --confirm 60
}
