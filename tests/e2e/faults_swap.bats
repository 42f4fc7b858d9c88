#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# swap, killed or failing at any of its system calls: see hurt.bash.

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

@test "swap of two interfaces" {
	hurt before,before after,after swap eth0 eth1 "${AFTER[@]}"
}
