#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `ban`, `unban`, `bans`, by real traffic: what comes in, until when, what is refused, what is kept.

load helper
load who_may

setup_file()
{
	who_may_start
}

teardown_file()
{
	who_may_end
}

teardown()
{
	on host ip route del default 2> /dev/null || true
	who_may_forget
}

# The drops for reason `banned` equal the drops of the bans.
drops_agree()
{
	[ "$(bans_of '.bans[0].drop.packets')" = "$(reason host eth0 banned | cut -d ' ' -f 1)" ]
}

@test "a banned source gets nothing in, also on a connection that lives; its neighbour does; unban lets it in" {
	attach_tiny host eth0
	asks 192.0.2.2 192.0.2.1
	start talk client bash -c 'exec 3<> /dev/tcp/192.0.2.1/5000; while sleep 0.1; do echo x >&3; read -r -t 1 -u 3 && echo heard; done'
	until_true 8 grep -q heard "$DIR/talk.log"
	exits 0 pc ban 192.0.2.2 --comment 'brute force'
	says '192.0.2.2/32: banned without an end (list manual)'
	vain 192.0.2.2 192.0.2.1
	local before
	before=$(wc -l < "$DIR/talk.log")
	sleep 1
	same "$before" "$(wc -l < "$DIR/talk.log")" 'lines of the live connection'
	asks 192.0.2.7 192.0.2.1
	stop talk
	exits 0 pc bans --json
	json_is '(keys == ["bans", "version"]) and .version == 1 and (.bans | length) == 1 and (.bans[0] |
		keys == ["by", "comment", "drop", "list", "prefix", "since", "until", "would_drop"] and .prefix == "192.0.2.2/32"
		and .list == "manual" and .until == null and .comment == "brute force" and .by == "root"
		and .drop.packets > 1 and .drop.bytes > 60 and .would_drop == {packets: 0, bytes: 0}
		and (.since | test("^20..-..-..T..:..:..Z$")))'
	until_true 8 drops_agree # meanwhile the connection that stalls sends again
	exits 0 pc drops --json --reason banned
	json_is '.drops[0].source == "192.0.2.2" and .drops[0].reason == "banned"'
	exits 0 pc unban 192.0.2.2
	says '192.0.2.2/32: no longer banned by list manual'
	asks 192.0.2.2 192.0.2.1
	exits 0 pc unban 192.0.2.2
	says '192.0.2.2/32: is not banned'
}

@test "IPv6, prefixes, a file, stdin; bad lines are named, and nothing is banned then" {
	attach_tiny host eth0
	asks 2001:db8::2 2001:db8::1
	exits 0 pc ban 2001:db8::2 198.51.100.0/24
	vain 2001:db8::2 2001:db8::1
	vain 198.51.100.7 192.0.2.1
	asks 2001:db8::7 2001:db8::1
	pc unban --all
	asks 2001:db8::2 2001:db8::1
	printf '# list\n192.0.2.2\n\n2001:db8::/112 # not all\n' > "$DIR/list"
	exits 0 pc ban --list feed "@$DIR/list" --force
	same '["192.0.2.2/32","2001:db8::/112"]' "$(bans_of '[.bans[].prefix]')"
	vain 192.0.2.2 192.0.2.1
	printf '192.0.2.7\nnonsense\n192.0.2.1/24\n' > "$DIR/bad"
	exits 1 pc ban "@$DIR/bad"
	says "$DIR/bad:2:1" "$DIR/bad:3:1"
	asks 192.0.2.7 192.0.2.1
	# shellcheck disable=SC2016
	exits 0 on host sh -c 'echo 192.0.2.7 | "$0" ban -' "$PORTCULLIS"
	vain 192.0.2.7 192.0.2.1
	exits 1 pc ban "@$DIR/none"
}

@test "a ban ends on time with every command gone; the end is exact to a second" {
	local began took

	attach_tiny host eth0
	began=$(date +%s%N)
	pc ban 192.0.2.2 --for 3
	vain 192.0.2.2 192.0.2.1
	until_true 8 on client ping -c 1 -W 0.2 -I 192.0.2.2 192.0.2.1
	took=$((($(date +%s%N) - began) / 1000000))
	((took > 1900 && took < 4300)) || fail "3 s took $took ms"
	same '[]' "$(bans_of .bans)"
}

@test "lists: banned while any has it, the later end wins in one, unban --list takes one out" {
	attach_tiny host eth0
	pc ban --list a 192.0.2.2 --for 1h
	exits 0 pc ban --list a 192.0.2.2 --for 60 --json
	# The end that `ban` prints is the end that holds.
	json_is '.bans == [$bans[].bans[] | .drop.packets = 0 | .drop.bytes = 0]' --slurpfile bans <(pc bans --json)
	same '[true]' "$(bans_of '[.bans[] | (.until | fromdate) - now > 3000]')"
	exits 0 pc ban --list c 192.0.2.2 198.51.100.{1..25} --for 60
	exits 0 pc ban --list c 192.0.2.2
	exits 0 pc ban --list c 192.0.2.2 198.51.100.{1..25} --for 60
	says '26 prefixes: banned until' '1 of them: banned for longer by list c already'
	exits 0 pc ban --list c 192.0.2.2 --for 60
	says '192.0.2.2/32: banned without an end (list c)'
	pc unban --list c --all
	pc ban --list b 192.0.2.2
	exits 0 pc unban --list a 192.0.2.2
	says 'no longer banned by list a' 'still banned: list b'
	vain 192.0.2.2 192.0.2.1
	exits 0 pc unban --list a 192.0.2.2
	says 'is not banned by list a'
	exits 0 pc unban --list b 192.0.2.2
	asks 192.0.2.2 192.0.2.1
	# A wider ban covers the prefix.
	pc ban 198.51.100.0/24
	exits 1 pc unban 198.51.100.7
	says '198.51.100.7/32: still banned: list manual has 198.51.100.0/24'
	vain 198.51.100.7 192.0.2.1
	pc ban 198.51.100.7
	# Another list has the prefix: it is named, and the given list has lifted its own ban.
	pc ban --list a 198.51.100.7
	exits 0 pc unban --list a 198.51.100.7
	says '198.51.100.7/32: no longer banned by list a' '198.51.100.7/32: still banned: list manual has 198.51.100.0/24'
	exits 0 pc unban --list a 198.51.100.7
	says '198.51.100.7/32: is not banned by list a' '198.51.100.7/32: still banned: list manual has 198.51.100.0/24'
	exits 1 pc unban 198.51.100.9 --json
	json_is '.errors[0] | (.message | startswith("unban: 198.51.100.9/32: still banned: list manual has 198.51.100.0/24"))
		and .fix == "portcullis unban --list manual 198.51.100.0/24"'
	exits 1 pc unban 198.51.100.{100..130}
	says '198.51.100.119/32: still banned: list manual has 198.51.100.0/24' 'and 11 more are still banned'
	exits 0 pc unban 198.51.0.0/16
	says '198.51.0.0/16: is not banned' '198.51.0.0/16: inside it, still banned: list manual has 198.51.100.0/24, and 1 more'
	exits 0 pc unban 198.51.100.7 198.51.100.0/24
	says_not 'still banned'
	# Without --list the prefix is unbanned in every list, and each is named.
	pc ban --list a 192.0.2.2
	pc ban --list b 192.0.2.2
	exits 0 pc unban 192.0.2.2
	says 'by list a' 'by list b'
	asks 192.0.2.2 192.0.2.1
	# One list is emptied, the other stays.
	pc ban --list a 192.0.2.2
	pc ban --list b 192.0.2.7
	exits 0 pc unban --list a --all
	asks 192.0.2.2 192.0.2.1
	vain 192.0.2.7 192.0.2.1
}

@test "--replace: the list becomes exactly this, others stay" {
	attach_tiny host eth0
	pc ban --list feed 192.0.2.2 192.0.2.9
	pc ban --list other 198.51.100.7
	exits 0 pc ban --list feed --replace 192.0.2.7 192.0.2.9
	asks 192.0.2.2 192.0.2.1
	vain 192.0.2.7 192.0.2.1
	vain 198.51.100.7 192.0.2.1
	same '["192.0.2.7/32 feed","192.0.2.9/32 feed","198.51.100.7/32 other"]' "$(bans_of '[.bans[] | .prefix + " " + .list]')"
}

@test "refused without --force: own address, gateway, name server, link-local, wide; nothing is banned then" {
	attach_tiny host eth0
	on host ip route add default via 192.0.2.2
	exits 1 pc ban 192.0.2.7 192.0.2.2
	says '192.0.2.2/32: has 192.0.2.2: a gateway of this host' 'nothing was banned'
	exits 1 pc ban 192.0.2.1
	says 'an address of this host'
	exits 1 pc ban 169.254.7.7
	says 'is link-local'
	exits 1 pc ban fe80::7
	exits 1 pc ban 198.51.0.0/23
	says 'is wider than /24'
	exits 1 pc ban 2001:db8:6::/47
	says 'is wider than /48'
	same '[]' "$(bans_of .bans)"
	asks 192.0.2.7 192.0.2.1
	# A wide prefix, with --force: the gateway passes within it, its neighbour does not.
	exits 0 pc ban 192.0.2.0/24 --force
	vain 192.0.2.7 192.0.2.1
	asks 192.0.2.2 192.0.2.1
	# The gateway itself, with --force.
	exits 0 pc ban 192.0.2.2 --force
	vain 192.0.2.2 192.0.2.1
	# A banned router is still a neighbour.
	pc unban --all
	pc ban 2001:db8::2 --force
	on host ip neigh flush dev eth0
	on client ip neigh flush dev eth0
	vain 2001:db8::2 2001:db8::1
	on host ping -c 1 -W 1 2001:db8::2 || true
	until_true 5 on host sh -c 'ip neigh show 2001:db8::2 dev eth0 | grep -Eq "REACHABLE|STALE|DELAY|PROBE"'
}

@test "words that are wrong are refused with the fix" {
	exits 2 pc ban
	says 'the prefix is missing'
	exits 2 pc ban 192.0.2.2 --for 1h --until 18:00
	says 'either --for or --until'
	exits 2 pc ban 192.0.2.2 --until 2001-01-01T00:00:00Z
	says 'has passed already'
	exits 2 pc ban 192.0.2.2 --until later
	says 'must be a time like 18:00'
	exits 2 pc ban 192.0.2.2 --list '-a b'
	says '--list must be'
	exits 2 pc ban 192.0.2.3/24
	says 'host bits'
	exits 2 pc unban
	exits 2 pc unban 192.0.2.2 --all
	exits 2 pc bans 192.0.2.2
	exits 2 pc bans --list 'a b'
	says '--list must be'
}

@test "under observe nothing is dropped, ban says so, and it is counted as would-drop" {
	attach_tiny host eth0 --observe
	exits 0 pc ban 192.0.2.2
	says 'eth0: is under observe: nothing is dropped'
	asks 192.0.2.2 192.0.2.1
	exits 0 pc bans --json
	json_is '.bans[0].would_drop.packets > 0 and .bans[0].drop.packets == 0'
	# A machine behind this host may have another policy.
	exits 0 pc swap eth0 --force --forward --machine m=192.0.2.64/28 -p tiny --enforce --catalog "$TINY"
	exits 0 pc ban 192.0.2.2
	says 'eth0: is under observe, except machines behind it (m): nothing else is dropped there'
	exits 0 pc swap eth0 --force --enforce
	exits 0 pc swap eth0 --force --machine m --observe
	exits 0 pc ban 192.0.2.2
	says 'eth0: machines behind it (m) are under observe: nothing is dropped for them'
}

@test "kept: over swap, detach of one of two, without a filter, for the next attach" {
	attach_tiny host eth0
	attach_tiny host eth1
	pc ban 192.0.2.2 203.0.113.2
	pc swap eth0 -p tiny --catalog "$TINY" --open 6000/tcp
	vain 192.0.2.2 192.0.2.1
	peer_vain
	pc detach eth1
	vain 192.0.2.2 192.0.2.1
	attach_tiny host eth1
	peer_vain
	pc detach --all
	asks 192.0.2.2 192.0.2.1
	exits 0 pc ban 192.0.2.7
	says 'no interface has a filter'
	attach_tiny host eth0
	vain 192.0.2.2 192.0.2.1
	vain 192.0.2.7 192.0.2.1
	pc detach --all
	pc unban 192.0.2.2
	attach_tiny host eth0
	asks 192.0.2.2 192.0.2.1
	vain 192.0.2.7 192.0.2.1
}

@test "another boot's file: ends are what was left, and it is this boot's then" {
	pc ban 192.0.2.2 --for 1h
	# shellcheck disable=SC2016
	inside sh -c 'sed -i "1s/ [^ ]*$/ 11111111-2222-3333-4444-555555555555/" /run/portcullis/bans-*'
	attach_tiny host eth0
	vain 192.0.2.2 192.0.2.1
	same '[true]' "$(bans_of '[.bans[] | (.until | fromdate) - now | . > 3400 and . < 3605]')"
	inside sh -c 'grep -q "$(cat /proc/sys/kernel/random/boot_id)" /run/portcullis/bans-*'
}

@test "8 commands at once lose nothing" {
	local i

	attach_tiny host eth0
	for i in {1..8}; do
		pc ban --list "l$i" "198.51.100.$i" "192.0.2.2" > "$DIR/at-once.$i" 2>&1 &
	done
	wait
	same 16 "$(bans_of '.bans | length')"
	for i in {1..8}; do
		pc unban --list "l$i" 192.0.2.2 > "$DIR/at-once.$i" 2>&1 &
	done
	wait
	same 8 "$(bans_of '.bans | length')"
	asks 192.0.2.2 192.0.2.1
	vain 198.51.100.7 192.0.2.1
}

# rounds LIST: bans and unbans the address five times, and checks each time, by the output alone, whether its own list
# has it.
rounds()
{
	# shellcheck disable=SC2016
	on host bash -c 'set -u
		has() { "$0" bans --json 2> /dev/null | jq -e --arg list "$1" "any(.bans[]; .list == \$list)" > /dev/null; }
		for round in 1 2 3 4 5; do
			"$0" ban --list "$1" 192.0.2.2 --for 1h > /dev/null 2>&1 && has "$1" || echo "round $round: $1 has no ban"
			[ "$round:$2" != 5:stays ] || break
			"$0" unban --list "$1" 192.0.2.2 > /dev/null 2>&1 && ! has "$1" || echo "round $round: $1 has a ban"
		done' "$PORTCULLIS" "$@"
}

@test "8 who ban and unban one address at once, jails and administrators: none lifts another's, and it never gets in meanwhile" {
	local i jobs=()

	attach_tiny host eth0
	attach_tiny host eth1
	pc ban 192.0.2.2
	start pings client ping -n -i 0.01 -I 192.0.2.2 192.0.2.1
	for i in {1..8}; do
		rounds "fail2ban-jail$i" "$( ((i % 2)) && echo stays || echo goes)" > "$DIR/rounds.$i" 2>&1 &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	signal pings INT
	until_logged pings 'packets transmitted'
	grep -q ' 0 received' "$DIR/pings.log" || fail "it gets in: $(tail -n 3 "$DIR/pings.log")"
	same '' "$(cat "$DIR"/rounds.*)" 'what was wrong'
	same_bans '["192.0.2.2/32 fail2ban-jail1","192.0.2.2/32 fail2ban-jail3","192.0.2.2/32 fail2ban-jail5","192.0.2.2/32 fail2ban-jail7","192.0.2.2/32 manual"]'
	pc unban --list manual 192.0.2.2
	for i in 1 3 5; do
		pc unban --list fail2ban-jail$i 192.0.2.2
	done
	vain 192.0.2.2
	pc unban --list fail2ban-jail7 192.0.2.2
	asks 192.0.2.2
}

@test "100,000 from a file are in force within 2 s; the table full: a clear error, nothing half done" {
	local began took

	attach_tiny host eth0
	/usr/bin/python3 -c 'for i in range(100000): print(f"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}")' > "$DIR/many"
	echo 192.0.2.2 >> "$DIR/many"
	began=$(date +%s%N)
	pc ban --list many "@$DIR/many" --for 1h
	took=$((($(date +%s%N) - began) / 1000000))
	echo "# 100,001 bans: $took ms" >&3
	vain 192.0.2.2 192.0.2.1
	same 100001 "$(bans_of '.bans | length')"
	/usr/bin/python3 -c 'for i in range(1048576): print(f"11.{i >> 16}.{(i >> 8) & 255}.{i & 255}")' > "$DIR/full"
	exits 1 pc ban --list full "@$DIR/full"
	says 'the table of bans is full' 'nothing was banned'
	same 100001 "$(bans_of '.bans | length')"
	exits 0 pc unban --list many --all
	asks 192.0.2.2 192.0.2.1
}

# at_time OFFSET COMMAND...: runs it with a wall clock that is set off by so much; the kernel's own clocks are
# unchanged.
at_time()
{
	on host env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f "$1" "$PORTCULLIS" "${@:2}"
}

@test "the wall clock is set, forwards and back: no ban and no grant ends or is prolonged by it, whatever commands run meanwhile" {
	local began offset left took

	attach_tiny host eth0 --group home=10.0.0.0/8 --from tiny:listed=home
	pc grant home 192.0.2.2 --for 5
	pc grant home 192.0.2.7
	pc ban 192.0.2.7 --for 5
	began=$(date +%s%N)
	for offset in +2d -2d; do
		exits 0 at_time $offset ban --list other 198.51.100.9
		exits 0 at_time $offset ban --list other --replace 198.51.100.10
		exits 0 at_time $offset grant home 198.51.100.9
		exits 0 at_time $offset revoke home 198.51.100.9
		exits 0 at_time $offset bans --json
		# The end is shown by the wall clock as it is then set.
		left=$(($(date +%s) ${offset/d/ * 86400}))
		json_is '[.bans[] | select(.list == "manual").until | fromdate - $now | . >= 0 and . < 7] == [true]' --argjson now "$left"
		exits 0 at_time $offset unban --list other --all
	done
	took=$((($(date +%s%N) - began) / 1000000))
	# Unless the five seconds have passed by then.
	((took > 4000)) || { ASK_SECONDS=1 asks 192.0.2.2 && kept_out 192.0.2.7; } ||
		(($(date +%s%N) - began > 4900000000)) || fail 'a ban or a grant ended early'
	until_true 8 kept_out 192.0.2.2
	until_true 8 asks 192.0.2.7
	took=$((($(date +%s%N) - began) / 1000000))
	((took > 3900 && took < 8000)) || fail "5 s took $took ms"
	same_bans '[]'
}
