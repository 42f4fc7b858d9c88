#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# attach, killed or failing at any of its system calls: see fault_each_call.bash.

load faults

setup_file()
{
	faults_start
}

teardown_file()
{
	sandbox_end
}

@test "attach" {
	fault_each_call --tries sixth none after attach eth0 "${AFTER[@]}"
}

@test "attach --confirm" {
	fault_each_call --tries tenth none after+ attach eth0 "${AFTER[@]}" --confirm 60
}

@test "attach without tcx" {
	fault_each_call --tries tenth --without-tcx none after attach eth0 "${AFTER[@]}"
}
