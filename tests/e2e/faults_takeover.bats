#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Taking over what an older version attached, killed or failing at any of its system calls: see fault_each_call.bash.

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
	needs_layout 3
	fault_each_call --tries tenth --older "$TOOLS/portcullis-layout-3" before after swap eth0 "${AFTER[@]}"
}
