#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `deny` and `never-ban` of the site file, by real traffic: what is dropped, what passes in it, what is told of it.

load helper
load who_may

setup_file()
{
	who_may_start 198.51.100.8/32
}

teardown_file()
{
	who_may_end
}

teardown()
{
	who_may_forget
}

# apply_site LINE...: applies a site file with these top-level lines, and tiny at eth0 and eth1.
apply_site()
{
	{
		printf '%s\n' 'groups:' '  bad: [198.51.100.0/24, "2001:db8::6:0/112"]' '  friends: [198.51.100.8, 192.0.2.0/24]' "$@"
		printf '%s\n' 'interfaces:' '  eth0: {profiles: tiny}' '  eth1: {profiles: tiny}'
	} > "$DIR/site.yaml"
	as host apply --site "$DIR/site.yaml" --catalog "$TINY" "${OPTIONS[@]}"
}

session_stands()
{
	on host ss -Htn state established dst 198.51.100.7:40000 | grep -q .
}

@test "deny: nothing comes in from its members, also on a connection that lives; every view says why; without deny it comes in again" {
	OPTIONS=()
	apply_site
	asks 198.51.100.7
	start talk client bash -c "socat -T 20 'SYSTEM:while sleep 0.1; do echo x; done!!OPEN:$DIR/heard,creat,append' TCP:192.0.2.1:5000,bind=198.51.100.7"
	until_true 8 test -s "$DIR/heard"
	exits 0 apply_site 'deny: [bad]'
	says 'changes deny from no group to bad'
	vain 198.51.100.7
	asks 192.0.2.2
	vain 198.51.100.8
	local before
	before=$(wc -c < "$DIR/heard")
	sleep 1
	same "$before" "$(wc -c < "$DIR/heard")" 'bytes of the live connection'
	stop talk
	exits 0 pc explain eth0 198.51.100.7 5000/tcp --json
	json_is '.verdicts[0] | .verdict == "drop" and .rule == "denied" and .reason == "denied" and .fix == null and
		.why == "its source is in bad (198.51.100.0/24), a group of deny"'
	exits 0 pc drops --json --reason denied
	json_is '.drops[0].source == "198.51.100.7" and .drops[0].reason == "denied"'
	(($(reason host eth0 denied | cut -d ' ' -f 1) > 2)) || fail 'denied is not counted'
	exits 0 pc explain eth0 198.51.100.7 5000/tcp --site "$DIR/site.yaml" --catalog "$TINY" --json
	json_is '.verdicts[0].rule == "denied"'
	exits 0 pc ban 192.0.2.7
	exits 0 pc unban --all
	vain 198.51.100.7
	asks 192.0.2.7
	exits 1 pc grant bad 192.0.2.7
	says 'is a group of deny'
	exits 0 pc export site
	says 'deny: [bad]'
	exits 0 apply_site
	asks 198.51.100.7
	exits 0 pc explain eth0 198.51.100.7 5000/tcp
	says passes
}

@test "deny over IPv6, both interfaces, swap, and a deadline that falls back; neighbours stay neighbours" {
	OPTIONS=()
	address_add client eth0 2001:db8::6:7/64
	apply_site 'deny: bad'
	vain 2001:db8::6:7 2001:db8::1
	asks 2001:db8::7 2001:db8::1
	on host ip neigh flush dev eth0
	on client ping -6 -c 1 -W 1 -I 2001:db8::6:7 2001:db8::1 > /dev/null 2>&1 || true
	on host ping -c 1 -W 1 2001:db8::6:7 > /dev/null || true
	until_true 5 on host sh -c 'ip neigh show 2001:db8::6:7 dev eth0 | grep -Eq "REACHABLE|STALE|DELAY|PROBE"'
	pc swap eth0 --open 6000/tcp
	vain 198.51.100.7
	OPTIONS=(--confirm 4)
	apply_site
	asks 198.51.100.7
	until_true 8 kept_out 198.51.100.7
	OPTIONS=()
}

@test "never-ban: its members pass in wider bans and in deny, and cannot be banned" {
	OPTIONS=()
	apply_site 'deny: [bad]' 'never-ban: [friends]'
	exits 0 pc groups --json
	json_is '.groups | map({(.name): [.deny, .never_ban]}) | add == {"bad": [true, false], "friends": [false, true]}'
	exits 0 pc groups bad friends
	says 'bad opens nothing; deny' 'friends opens nothing; never-ban'
	vain 198.51.100.7
	asks 198.51.100.8
	exits 1 pc ban 198.51.100.8
	says '198.51.100.8/32: 198.51.100.8/32 is in a group of never-ban' 'nothing was banned'
	exits 1 pc ban 192.0.2.7
	exits 0 pc ban 192.0.2.7 --force
	says '1 of 1 is in a group of never-ban'
	asks 192.0.2.7
	exits 0 pc ban 192.0.0.0/16 --force
	asks 192.0.2.7
	# Removed from never-ban: both the ban and `deny` are in force.
	exits 0 apply_site 'deny: [bad]'
	vain 192.0.2.7
	vain 198.51.100.8
	# In never-ban again.
	exits 0 apply_site 'never-ban: friends'
	asks 192.0.2.7
	asks 198.51.100.8
}

@test "a deny that cuts off the session of the administrator is refused, and nothing is attached" {
	OPTIONS=()
	in_background client socat TCP:192.0.2.1:5000,bind=198.51.100.7:40000 EXEC:'sleep 60'
	until_true 5 session_stands
	SSH_CONNECTION='198.51.100.7 40000 192.0.2.1 5000' exits 1 apply_site 'deny: [bad]'
	says 'eth0: ' '198.51.100.7' '5000/tcp' '--force'
	[ -z "$(attached host eth0)" ] || fail 'it is attached'
	SSH_CONNECTION='198.51.100.7 40000 192.0.2.1 5000' exits 0 apply_site
}

@test "wrong words are named at their place" {
	OPTIONS=()
	exits 1 apply_site 'deny: [bda]'
	says "site.yaml:" "the group 'bda' is not defined"
	exits 1 apply_site 'deny: [bad]' 'never-ban: [bad]'
	says 'is in deny and in never-ban'
	exits 1 apply_site 'never-ban: link-local'
	says 'is built in'
}

@test "export nftables denies what the filter denies" {
	OPTIONS=()
	apply_site 'deny: [bad]' 'never-ban: [friends]'
	pc export nftables > "$DIR/rules.nft"
	pc detach --all
	on host nft -f "$DIR/rules.nft"
	vain 198.51.100.7
	asks 198.51.100.8
	asks 192.0.2.7
	on host nft delete table inet portcullis
}

@test "a grant into a group of never-ban: its source passes bans and deny until the grant ends, and cannot be banned meanwhile" {
	OPTIONS=()
	apply_site 'deny: [bad]' 'never-ban: [friends]'
	exits 0 pc grant friends 198.51.100.7 --for 6
	exits 0 pc grant friends 2001:db8::7
	exits 1 pc ban 198.51.100.7
	says '198.51.100.7/32: 198.51.100.7/32 is granted into a group of never-ban' 'nothing was banned' 'revoke the grant'
	exits 0 pc ban 198.51.100.7 2001:db8::/64 --force
	asks 198.51.100.7
	asks 2001:db8::7 2001:db8::1
	# The same for a frame that is noted before grants are looked up.
	exits 0 on client ping -n -c 1 -W 1 -I 198.51.100.7 192.0.2.1
	exits 0 on client ping -n -c 1 -W 1 -I 2001:db8::7 2001:db8::1
	[ "$(pc counters eth0 --json | jq '.interfaces[0].total.pass.bytes')" -lt 5000 ] || fail 'the length of a frame is lost'
	vain 2001:db8::2 2001:db8::1
	same '[0]' "$(bans_of '[.bans[] | select(.prefix == "198.51.100.7/32").drop.packets]')" # packets that pass do not count as drops of the ban
	pc swap eth0 --open 6000/tcp
	asks 198.51.100.7
	until_true 10 kept_out 198.51.100.7
	asks 2001:db8::7 2001:db8::1
	exits 0 pc revoke friends 2001:db8::7
	vain 2001:db8::7 2001:db8::1
	pc unban --all
	vain 198.51.100.7 # denied
	exits 0 pc unban 198.51.100.7
	says '198.51.100.7/32: is not banned' '198.51.100.7/32: is denied: 198.51.100.0/24 is in a group of deny in the site file'
}
