#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `ban @FILE` and its like, killed or failing at each call by which they change anything: all of it, or nothing.

load helper
load who_may

setup_file()
{
	local i

	who_may_start 10.9.0.1/32 10.9.0.25/32 10.9.0.50/32
	stop_all
	on host ip route add 10.9.0.0/24 dev eth0
	for i in {1..50}; do echo "10.9.0.$i"; done > "$DIR/fifty"
	attach_tiny host eth0
	attach_tiny host eth1
	pc ban --list stays 198.51.100.7
}

teardown_file()
{
	who_may_end
}

# fault_each_ban OLD NEW COMMAND...: see fault_each_ban.bash.
fault_each_ban()
{
	by_script fault_each_ban.bash "$@"
}

@test "ban @FILE: into the table that is there" {
	fault_each_ban 0 1 ban --list k "@$DIR/fifty"
}

@test "ban --replace @FILE: by a new table" {
	fault_each_ban 0 1 ban --list k --replace "@$DIR/fifty"
}

@test "unban @FILE" {
	fault_each_ban 1 0 unban --list k "@$DIR/fifty"
}

@test "unban --list NAME --all: by a new table" {
	fault_each_ban 1 0 unban --list k --all
}
