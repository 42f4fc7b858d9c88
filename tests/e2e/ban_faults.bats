#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `ban @FILE`, `grant GROUP @FILE` and their like, killed or failing at each call by which they change anything: all of it, or nothing.

load helper
load who_may

setup_file()
{
	local i

	who_may_start 10.9.0.1/32 10.9.0.25/32 10.9.0.50/32
	stop_all
	on host ip route add 10.9.0.0/24 dev eth0
	for i in {1..50}; do echo "10.9.0.$i"; done > "$DIR/fifty"
	printf 'profile: agents\ntitle: A port for two groups\nservices:\n  - {name: agents, in: 5000/udp, from: [home, office]}\n' \
		> "$TINY/agents.yaml"
}

teardown_file()
{
	who_may_end
}

teardown()
{
	who_may_forget
}

# fault_each KIND OLD NEW COMMAND...: see fault_each_admission.bash.
fault_each()
{
	by_script fault_each_admission.bash "$@"
}

attach_open()
{
	attach_tiny host eth0
	attach_tiny host eth1
	pc ban --list stays 198.51.100.7
}

attach_groups()
{
	as host attach eth0 -p agents --mode native --catalog "$TINY" --group home=203.0.113.128/25 --group office=203.0.113.64/26
	attach_tiny host eth1
	pc grant office 198.51.100.7
}

@test "ban @FILE: into the table that is there" {
	attach_open
	fault_each ban 0 1 ban --list k "@$DIR/fifty"
}

@test "ban --replace @FILE: by a new table" {
	attach_open
	fault_each ban 0 1 ban --list k --replace "@$DIR/fifty"
}

@test "unban @FILE" {
	attach_open
	fault_each ban 1 0 unban --list k "@$DIR/fifty"
}

@test "unban --list NAME --all: by a new table" {
	attach_open
	fault_each ban 1 0 unban --list k --all
}

@test "grant @FILE" {
	attach_groups
	fault_each grant 0 1 grant home "@$DIR/fifty"
}

@test "revoke @FILE" {
	attach_groups
	fault_each grant 1 0 revoke home "@$DIR/fifty"
}

# halfway COMMAND...: runs it so that its last update of a map fails, and after that the file cannot be shortened. A
# similar change is in the file before it.
halfway()
{
	local at

	at=$(on host strace -f -qq -e trace=bpf "$PORTCULLIS" "$@" 203.0.113.8 2>&1 | grep -n BPF_MAP_UPDATE_ELEM | tail -n 1 | cut -d : -f 1)
	exits 1 on host strace -f -qq -o "$DIR/trace" -e trace=bpf,ftruncate -e inject=ftruncate:error=EIO -e "inject=bpf:error=EPERM:when=$at+" \
		"$PORTCULLIS" "$@" 203.0.113.9
	grep -q 'BPF_MAP_UPDATE_ELEM.*INJECTED' "$DIR/trace"
	says 'has this change (Input/output error), and the next'
	says_not 'nothing was changed'
}

@test "what can neither be put in place nor be cut off the file: that is what is said, and the next command puts it in force" {
	attach_groups
	halfway grant home
	same 1 "$(members home '[.groups[0].members[] | select(.origin == "grant")] | length')"
	exits 0 pc revoke home 203.0.113.77
	same '["203.0.113.8/32","203.0.113.9/32"]' "$(members home '[.groups[0].members[] | select(.origin == "grant").prefix]')"
	pc ban --list k 203.0.113.7
	halfway ban --list k --replace
	exits 0 pc explain eth0 203.0.113.9 5000/udp --json
	json_is '.verdicts[0].rule == "service"'
	pc unban 203.0.113.77
	exits 0 pc explain eth0 203.0.113.9 5000/udp --json
	json_is '.verdicts[0].rule == "banned"'
}
