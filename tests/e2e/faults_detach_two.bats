#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# detach of two interfaces, killed or failing at any of its system calls: see fault_each_call.bash.

load faults

setup_file()
{
	faults_start
}

teardown_file()
{
	sandbox_end
}

@test "detach of two interfaces" {
	fault_each_call --tries tenth --also bpf:MAP_DELETE_ELEM before,before none,none detach eth0 eth1
}
