#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Two versions: a filter that another binary attached is taken over without a gap, or refused.
# Older layouts are real: their binaries are built from the last commit that had them. Another version of this
# layout, and a newer layout, are this binary, built to say so.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	tiny_catalog
	host_add_silent sender
	link_add host eth1 sender eth0
	for port in 22 25; do
		in_background host socat "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" SYSTEM:'echo hello'
		until_true 5 listening host $port
	done
	UNMARKED=$TOOLS/portcullis-layout-2
	OLDER=$TOOLS/portcullis-layout-3
	OTHER=$TOOLS/portcullis-layout-4
	NEWER=$TOOLS/portcullis-layout-5
	export UNMARKED OLDER OTHER NEWER
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	for interface in eth0 eth1; do
		pc detach $interface > /dev/null
	done
	inside sh -c 'rm -f /run/portcullis/bans-* /run/portcullis/grants-*'
}

# by BINARY COMMAND...: runs another version on `host`, with its own profiles.
by()
{
	local catalog=$CATALOG

	[ "$1" != "$OLDER" ] || catalog=$TOOLS/profiles-layout-3
	[ "$1" != "$UNMARKED" ] || catalog=$TOOLS/profiles-layout-2
	on host "$@" --catalog "$catalog"
}

# What the folders of pins belong to: each of our programs is pinned, and each interface has one filter.
one_folder()
{
	same 1 "$(pins | wc -l)" 'folders of pins'
}

@test "an older layout: commands that read refuse, name the way, and read nothing wrong" {
	needs_layout 3
	by "$OLDER" attach eth0 --force -p xeams
	exits 1 pc status eth0
	says 'another version' 'portcullis swap'
	exits 1 pc counters eth0
	says 'another version'
	pc attach eth1 -p ssh
	exits 1 pc status --json
	says 'another version' '"name": "eth1"'
	exits 1 pc counters
	says 'eth1'
	pc detach eth1
	exits 1 pc show --iface eth0
	exits 1 pc confirm eth0
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
	exits 0 pc detach eth0
	connects client 192.0.2.1 22
	same '' "$(pins)" 'pins'
}

@test "swap takes an older layout over: recipe, counters, flows and number go on" {
	needs_layout 3
	local before

	by "$OLDER" attach eth0 --force -p xeams --enable imap --group trusted=203.0.113.0/24
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
	start answerer client /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" serve 5301
	until_true 8 eval 'on client ss -Hlun "sport = 5301" | grep -q 5301'
	exits 0 on host /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" ask 192.0.2.2 5301
	on host socat -u - UDP-DATAGRAM:192.0.2.2:9,bind=:40000 <<< x
	before=$(on host "$OLDER" counters eth0 --json | jq -c '[.interfaces[0].ports[] | select(.port == 25)][0].pass.packets')
	[ "$before" -gt 0 ] || fail 'nothing was counted'
	exits 0 pc swap eth0 --enable pop3-server
	says 'eth0: taken over' 'enables xeams:pop3-server'
	# What was answered is assured.
	same '[[9,"sent"],[5301,"stream"]]' "$(pc flows --json | jq -c '[.flows[] | select(.protocol == "udp") | [.remote_port, .state]] | sort')" flows
	same 3 "$(generation host eth0)" 'generation'
	same "$before" "$(port_count pass tcp 25 | cut -d' ' -f1)" 'packets to port 25'
	exits 0 pc status eth0 --json
	json_is '.interfaces[0] | .recipe.features == ["imap", "pop3-server"] and .recipe.groups.trusted == ["203.0.113.0/24"] and .egress != "missing"'
	one_folder
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
}

@test "a layout that did not mark the ports of its flows: what was asked before is answered" {
	needs_layout 2
	by "$UNMARKED" attach eth0 -p xeams
	start answerer client /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" serve 5300 --delay 10
	until_true 8 eval 'on client ss -Hlun "sport = 5300" | grep -q 5300'
	start asker host /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" ask 192.0.2.2 5300 --timeout 40 --where
	until_true 8 eval 'on host "$UNMARKED" flows | grep -q 5300'
	inside test ! -e "$PINS/$(pins | xargs basename)/learned" || fail 'it marks what it learns'
	exits 0 pc swap eth0
	says 'eth0: taken over'
	same '' "$(cat "$DIR/asker.log")" 'answered before'
	until_logged asker 'answered 20 from 192.0.2.2 5300' 30
}

@test "takeover: this version's programs, the same rules; what would filter otherwise is left alone" {
	local version profiles=$DIR/own before

	version=$("$PORTCULLIS" --version | cut -d' ' -f2)
	exits 0 pc takeover
	same '' "$output" 'where nothing is attached'
	mkdir "$profiles"
	printf 'profile: mail\nservices:\n  - {name: smtp, in: 25/tcp}\n' > "$profiles/mail.yaml"
	on host "$OTHER" attach eth0 --force -p mail --catalog "$profiles"
	by "$OTHER" attach eth1 --force -p xeams
	connects client 192.0.2.1 25
	# The catalog is upgraded together with the program.
	printf 'profile: mail\nservices:\n  - {name: smtp, in: 25/tcp}\n  - {name: web, in: 80/tcp}\n' > "$profiles/mail.yaml"
	before=$(pc status eth0 --json | jq -r '.interfaces[0].attached_at')
	exits 1 pc takeover
	says 'eth0: keeps the programs of the version that attached it, because this version opens 80/tcp; to take it over: portcullis swap eth0'
	says 'eth1: taken over from portcullis 0.0.9'
	same "0.0.9 $version" "$(pc status --json | jq -r '[.interfaces[].program_version] | join(" ")')" 'versions'
	sed -i '/web/d' "$profiles/mail.yaml"
	exits 0 pc takeover eth0 eth1
	says 'eth0: taken over from portcullis 0.0.9' 'eth1: nothing to take over'
	output=$(pc status eth0 --json)
	json_is '.interfaces[0] | .program_version == $version and .attached_at == $before' --arg version "$version" --arg before "$before"
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
	by "$NEWER" swap eth1
	exits 1 pc takeover
	says 'eth1: was attached by a newer version'
	on host "$NEWER" detach eth1
	exits 1 pc takeover eth1
	says 'eth1' 'no filter of portcullis'
}

@test "the layout is ours, the version another: taken over too, and not while it waits to be confirmed" {
	by "$OTHER" attach eth0 --force -p xeams
	same 0.0.9 "$(pc status eth0 --json | jq -r '.interfaces[0].program_version')" 'version'
	by "$OTHER" swap eth0 -p ssh --confirm 30
	exits 0 pc swap eth0 --observe
	says_not 'taken over'
	same 0.0.9 "$(pc status eth0 --json | jq -r '.interfaces[0].program_version')" 'version'
	exits 0 pc confirm eth0
	exits 0 pc swap eth0 --enforce
	says 'eth0: taken over from portcullis 0.0.9'
	same "$("$PORTCULLIS" --version | cut -d' ' -f2)" "$(pc status eth0 --json | jq -r '.interfaces[0].program_version')" 'version'
	one_folder
	exits 0 pc swap eth0
	says_not 'taken over'
}

# counts: all counts, without times and generation, and without what only one of the versions has.
counts()
{
	jq -S '.interfaces[0] | .ports |= map(del(.machine, .listening)) | del(.reasons.banned, .reasons.denied, .reasons.limit) | {ports, reasons, replies, other, total, outbound_total}'
}

# burst COUNT FLOW: that many frames to eth1.
burst()
{
	local left=$1 some

	while [ "$left" -gt 0 ]; do
		some=$((left > 250 ? 250 : left))
		left=$((left - some))
		yes "$2" | head -n $some | send_flows > /dev/null
	done
}

@test "an older layout's counters: each one goes on, and again with the next swap" {
	by "$OLDER" attach eth1 --observe -p xeams --outbound enforce
	burst 600 'tcp 198.51.100.9 198.51.100.1 1000 25 60'
	burst 700 'tcp 198.51.100.9 198.51.100.1 1000 3306 60'
	burst 800 'udp 198.51.100.9 198.51.100.1 1000 53 1400'
	by "$OLDER" swap eth1 --enforce
	burst 20 'tcp 198.51.100.9 198.51.100.1 1000 25 60'
	burst 30 'tcp 198.51.100.9 198.51.100.1 1000 3306 60'
	burst 40 'udp 198.51.100.9 198.51.100.1 1000 65535 100'
	on host "$OLDER" counters eth1 --json | counts > "$DIR/before"
	[ "$(jq '[.ports[] | select(.would_drop.packets > 0 and .port == 3306 and .drop.packets == 30)] | length' "$DIR/before")" = 1 ] ||
		fail "not counted as meant: $(cat "$DIR/before")"
	exits 0 pc swap eth1
	says 'taken over'
	pc counters eth1 --json | counts > "$DIR/after"
	diff "$DIR/before" "$DIR/after" || fail 'other counters'
	exits 0 pc swap eth1 --observe
	pc counters eth1 --json | counts | diff "$DIR/before" - || fail 'other counters after a swap'
	burst 5 'tcp 198.51.100.9 198.51.100.1 1000 3306 60'
	same 30 "$(port_count drop tcp 3306 eth1 | cut -d' ' -f1)" 'dropped'
	same 705 "$(port_count would_drop tcp 3306 eth1 | cut -d' ' -f1)" 'would be dropped'
}

@test "a newer layout is refused with the way out, and nothing is touched" {
	by "$NEWER" attach eth0 --force -p xeams
	exits 1 pc swap eth0 -p ssh
	says 'eth0: was attached by a newer version' 'portcullis detach eth0'
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
	exits 0 on host "$NEWER" status eth0
	says 'xeams'
	exits 0 pc detach eth0
	same '' "$(pins)" 'pins'
}

@test "a damaged catalog: the older filter stays as it is" {
	needs_layout 3
	mkdir -p "$DIR/gone"
	cp "$TOOLS"/profiles-layout-3/*.yaml "$DIR/gone"
	sed -i 's/^profile: xeams/profile: mine/' "$DIR/gone/xeams.yaml"
	mv "$DIR/gone/xeams.yaml" "$DIR/gone/mine.yaml"
	on host "$OLDER" attach eth0 --force -p mine --catalog "$DIR/gone"
	rm "$DIR/gone/mine.yaml"
	exits 1 pc swap eth0 --observe
	says 'its settings cannot be used' 'portcullis detach eth0'
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
	one_folder
}

@test "a catalog that would lock the session out by now: nothing is taken over, but by --force" {
	local catalog=$DIR/changed session='192.0.2.2 50022 192.0.2.1 5022' before

	mkdir -p "$catalog"
	cp "$CATALOG/ssh.yaml" "$catalog/mine.yaml"
	sed -i 's/^profile: ssh/profile: mine/; s,22/tcp,5022/tcp,' "$catalog/mine.yaml"
	start server host socat TCP-LISTEN:5022,reuseaddr,fork PIPE
	until_true 5 listening host 5022
	start session client socat PIPE TCP:192.0.2.1:5022,bind=192.0.2.2:50022
	until_true 5 eval 'on host ss -Htn state established sport = :5022 | grep -q :50022'
	on host "$OTHER" attach eth0 --force -p mine --catalog "$catalog"
	before=$(attached host eth0)
	sed -i 's,5022/tcp,2222/tcp,' "$catalog/mine.yaml"
	exits 1 on host env SSH_CONNECTION="$session" "$PORTCULLIS" swap eth0 --catalog "$catalog"
	says 'its profiles have changed' 'your own session to 5022/tcp'
	same "$before" "$(attached host eth0)" 'program'
	same 0.0.9 "$(pc status eth0 --json | jq -r '.interfaces[0].program_version')" 'version'
	connects client 192.0.2.1 5022
	exits 0 on host env SSH_CONNECTION="$session" "$PORTCULLIS" swap eth0 --catalog "$catalog" --force
	says 'taken over'
	unanswered client 192.0.2.1 5022
}

# The programs at the egress hook of the only filter: the pinned one, and the one that its link runs.
egress_programs()
{
	inside bpftool -j prog show pinned "$(pins)/egress" | jq .id
	inside bpftool -j link show pinned "$(pins)/egress_link" | jq .prog_id
}

@test "killed between its two hooks: the next command puts the older program back at the one that had changed" {
	local points=$DIR/points at

	by "$OTHER" attach eth0 --force -p xeams
	needs_tcx
	on host "$TOOLS/faults" -l "$points" "$PORTCULLIS" swap eth0 --catalog "$CATALOG"
	pc detach eth0
	same 2 "$(grep -c '^bpf:LINK_UPDATE' "$points")" 'links that change their program'
	at=$(grep -o '^bpf:LINK_UPDATE:2' "$points")
	by "$OTHER" attach eth0 --force -p xeams
	exits 137 on host "$TOOLS/faults" -k "$at" "$PORTCULLIS" swap eth0 --catalog "$CATALOG"
	exits 0 pc detach lo
	says 'eth0: its egress program was missing'
	one_folder
	same 1 "$(egress_programs | uniq | wc -l)" 'egress programs'
	exits 0 pc swap eth0 -p xeams --outbound enforce
	says 'taken over'
	same 1 "$(egress_programs | uniq | wc -l)" 'egress programs after a takeover'
}

@test "the kernel refuses to replace the program: the older filter goes on, with both of its programs" {
	needs_layout 3
	needs_tcx
	local before point

	by "$OLDER" attach eth0 --force -p xeams
	before=$(pins; attached host eth0; egress_programs)
	for point in 1 2; do
		exits 1 on host "$TOOLS/faults" -e EPERM@bpf:LINK_UPDATE:$point "$PORTCULLIS" swap eth0 --catalog "$CATALOG"
		says 'eth0: cannot replace the' 'program: Operation not permitted'
		says_not 'taken over'
		same "$before" "$(pins; attached host eth0; egress_programs)" 'pins and programs'
	done
	connects client 192.0.2.1 25
	unanswered client 192.0.2.1 22
}

# limited FROM: it has begun as many as it may.
limited()
{
	pc explain eth0 "$1" 5000/tcp --json | jq -e '.verdicts[0].reason == "limit"' > /dev/null
}

admitted()
{
	pc explain eth0 "$1" 5000/tcp --json | jq -e '.verdicts[0].verdict == "pass"' > /dev/null
}

# From 192.0.2.7, repeatedly, until `nothing_came_in`.
pings_come()
{
	on client ip address replace 192.0.2.7/24 dev eth0
	start pings client ping -n -i 0.01 -I 192.0.2.7 192.0.2.1
}

nothing_came_in()
{
	signal pings INT
	until_logged pings 'packets transmitted'
	grep -q ' 0 received' "$DIR/pings.log" || fail "it gets in: $(tail -n 3 "$DIR/pings.log")"
}

@test "bans, grants and limits go on over a takeover, then over detach of the other filter; a banned source never gets in" {
	local interface before

	for interface in eth0 eth1; do
		on host "$OTHER" attach $interface --force -p tiny --catalog "$TINY" --group home=192.0.2.66 --from tiny:listed=home \
			--limit tiny:listed=3/h
	done
	on host "$OTHER" ban --list jail 192.0.2.7 --for 1h
	on host "$OTHER" grant home 192.0.2.67 --for 1h
	on client timeout 20 /usr/bin/python3 "$BATS_TEST_DIRNAME/limits.py" forge 192.0.2.1 5000 192.0.2.66 20
	limited 192.0.2.66
	pings_come
	until_true 5 eval "[ \$(pc bans --json | jq '.bans[0].drop.packets') -gt 5 ]"
	before=$(pc bans --json | jq '.bans[0].drop.packets')
	exits 0 pc takeover
	says 'eth0: taken over' 'eth1: taken over'
	[ "$(pc bans --json | jq '.bans[0].drop.packets')" -ge "$before" ] || fail 'the count is lost'
	same '192.0.2.7/32 jail true' "$(pc bans --json | jq -r '.bans[] | "\(.prefix) \(.list) \((.until | fromdate) - now > 3000)"')"
	limited 192.0.2.66
	admitted 192.0.2.67
	pc swap eth0 --open 6000/tcp
	pc detach eth1
	limited 192.0.2.66
	admitted 192.0.2.67
	pc grant home 192.0.2.68
	admitted 192.0.2.68
	exits 0 pc explain eth0 192.0.2.7 5000/tcp
	says 'banned by jail until'
	nothing_came_in
	pc unban 192.0.2.7
	pc revoke home 192.0.2.67 192.0.2.68
	on host ping -n -c 1 -W 2 -I 192.0.2.1 192.0.2.7 > /dev/null
}

over_the_limit()
{
	reason host eth0 limit | cut -d ' ' -f 1
}

# more_over_the_limit: sends more SYNs of the flood.
more_over_the_limit()
{
	local before

	before=$(over_the_limit)
	until_true 5 eval "[ \$(over_the_limit) -gt $((before + 500)) ]"
}

@test "limits by a flood during a takeover: its source is let in no more often than without one, others are let in" {
	local passed

	on host "$OTHER" attach eth0 --force -p tiny --catalog "$TINY" --limit tiny:listed=3/h
	start flood client timeout 30 /usr/bin/python3 "$BATS_TEST_DIRNAME/limits.py" forge 192.0.2.1 5000 192.0.2.66 10000000
	more_over_the_limit
	passed=$(port_count pass tcp 5000 eth0)
	[ "${passed% *}" -ge 1 ] && [ "${passed% *}" -le 5 ] || fail "let in: $passed"
	exits 0 pc takeover
	says 'eth0: taken over'
	more_over_the_limit
	same "$passed" "$(port_count pass tcp 5000 eth0)" 'packets and bytes let in'
	pc swap eth0 --open 6000/tcp
	more_over_the_limit
	stop flood
	same "$passed" "$(port_count pass tcp 5000 eth0)" 'packets and bytes let in'
	limited 192.0.2.66
	admitted 192.0.2.67
}

@test "a layout that knows no bans: ban says how to get them; what was banned and granted before is in force after the takeover" {
	needs_layout 3
	exits 0 pc ban 192.0.2.7
	by "$OLDER" attach eth0 --force -p xeams
	on client ip address replace 192.0.2.7/24 dev eth0
	exits 1 pc ban 192.0.2.8
	says 'eth0: its filter was attached by another version, which knows no bans' 'portcullis takeover'
	exits 0 on client ping -n -c 1 -W 2 -I 192.0.2.7 192.0.2.1
	exits 0 pc swap eth0
	says 'taken over'
	exits 1 on client ping -n -c 1 -W 0.3 -I 192.0.2.7 192.0.2.1
	exits 0 pc ban 192.0.2.8
	same '["192.0.2.7/32","192.0.2.8/32"]' "$(pc bans --json | jq -c '[.bans[].prefix]')"
	exits 0 pc unban --all
	exits 0 on client ping -n -c 1 -W 2 -I 192.0.2.7 192.0.2.1
}

@test "dry run: says that it would, and does not" {
	needs_layout 3
	by "$OLDER" attach eth0 --force -p xeams
	exits 1 pc swap eth0 --dry-run
	says 'would first be taken over'
	exits 0 on host "$OLDER" status eth0
}

@test "under load no packet is lost or judged by neither" {
	needs_layout 3
	local sent counted

	on host "$OLDER" attach eth1 -p tiny --catalog "$TINY"
	send_flows -t 3 > "$DIR/sent" 2>&1 <<< 'tcp 198.51.100.9 198.51.100.1 1000 3306 60' &
	sleep 1
	exits 0 pc swap eth1
	says 'taken over'
	wait $!
	sent=$(added < "$DIR/sent")
	counted=$(port_count drop tcp 3306 eth1)
	same "$sent" "$counted" 'packets and bytes'
	[ "${sent% *}" -gt 10000 ] || fail "sent only $sent"
}
