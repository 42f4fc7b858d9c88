#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# apply, killed or failing at any of its system calls: see fault_each_call.bash.

load faults

setup_file()
{
	faults_start
}

teardown_file()
{
	sandbox_end
}

@test "apply: attach and swap" {
	fault_each_call --tries tenth none,before after,after apply --site "$DIR/both.yaml" --catalog "$DIR/profiles"
}

@test "apply --confirm: swap of both" {
	fault_each_call --tries tenth before,before after+,after+ apply --site "$DIR/both.yaml" --catalog "$DIR/profiles" --confirm 60
}

@test "apply: swap and detach" {
	fault_each_call --tries third before,before after,none apply --site "$DIR/one.yaml" --catalog "$DIR/profiles"
}

@test "apply: detach of both, and one fails" {
	fault_each_call --tries none --also bpf:MAP_DELETE_ELEM before,before none,none apply --site "$DIR/neither.yaml" --catalog "$DIR/profiles"
}
