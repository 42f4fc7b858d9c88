#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# detach, and swap without tcx, killed or failing at any of its system calls: see fault_each_call.bash.

load faults

setup_file()
{
	faults_start
}

teardown_file()
{
	sandbox_end
}

@test "detach" {
	fault_each_call --tries sixth before none detach eth0
}

@test "swap without tcx" {
	fault_each_call --tries tenth --without-tcx before after swap eth0 "${AFTER[@]}"
}

@test "detach without tcx" {
	fault_each_call --tries tenth --without-tcx before none detach eth0
}
