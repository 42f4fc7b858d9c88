#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# detach, and kernels without tcx, killed or failing at any system call: see hurt.bash.

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
	hurt -e turns before none detach eth0
}

@test "detach of two interfaces" {
	hurt -e turns before,before none,none detach eth0 eth1
}

@test "without tcx: attach" {
	hurt -n -e turns none after attach eth0 "${AFTER[@]}"
}

@test "without tcx: swap" {
	hurt -n -e turns before after swap eth0 "${AFTER[@]}"
}

@test "without tcx: detach" {
	hurt -n -e turns before none detach eth0
}
