#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `grant`, `revoke`, and `groups` of grants, by real traffic: whom they let in, until when, and what keeps them.

load helper
load who_may

setup_file()
{
	who_may_start
	cat > "$TINY/tiny.yaml" <<-END
		profile: tiny
		title: A port for two groups
		services:
		  - name: agents
		    in: 5000/tcp+udp
		    from: [home, office]
		  - name: phones
		    out: 5060/udp
		    to: [home]
	END
	start datagrams host socat UDP4-RECVFROM:5000,fork EXEC:cat
	until_true 10 eval '[ -n "$(on host ss -Huln sport = :5000)" ]'
}

teardown_file()
{
	who_may_end
}

teardown()
{
	who_may_forget
}

attach_groups()
{
	attach_tiny host "${1:-eth0}" --group home=10.0.0.0/8 --group office=10.1.0.0/16 "${@:2}"
}

# answered FROM SOURCE-PORT: whether a datagram from there gets an answer.
answered()
{
	[ "$(echo x | on client timeout 2 socat -t 0.5 - "UDP4:192.0.2.1:5000,bind=$1:$2,reuseaddr" 2> /dev/null)" = x ]
}

# fixed: runs the fix of the explanation in $output, as a shell would.
fixed()
{
	local fix

	fix=$(jq -er '.verdicts[0].fix' <<< "$output") || fail "no fix: $output"
	on host env PATH="$(dirname "$PORTCULLIS"):$PATH" sh -c "$fix" > "$DIR/fix" 2>&1 || fail "$fix: $(cat "$DIR/fix")"
}

@test "what explain proposes is done as it says: a grant, unban, and a machine's limit" {
	attach_groups eth0 --forward --machine 'm=192.0.2.64/28' -p tiny --open 6000/tcp --limit 'site:6000-tcp={rate: 1/h, burst: 2}'
	exits 0 pc explain eth0 192.0.2.7 5000/tcp --json
	fixed
	asks 192.0.2.7
	pc ban 192.0.2.7 --list jail
	vain 192.0.2.7
	exits 0 pc explain eth0 192.0.2.7 5000/tcp --json
	fixed
	asks 192.0.2.7
	on client ip route add 192.0.2.64/28 via 192.0.2.1
	on client timeout 20 /usr/bin/python3 "$BATS_TEST_DIRNAME/limits.py" forge 192.0.2.65 6000 192.0.2.7 9
	on client ip route del 192.0.2.64/28
	exits 0 pc explain eth0 192.0.2.7 6000/tcp --machine m --json
	json_is '.verdicts[0] | .rule == "limit" and .machine == "m" and .fix == "portcullis swap eth0 --machine m --no-limit site:6000-tcp"'
	fixed
	exits 0 pc explain eth0 192.0.2.7 6000/tcp --machine m --json
	json_is '.verdicts[0].verdict == "pass"'
}

@test "a granted source gets in at once, its neighbour does not; groups and explain tell of it; revoke ends it, not what lives" {
	attach_groups
	vain 192.0.2.7
	exits 0 pc explain eth0 192.0.2.7 5000/tcp --json
	json_is '.verdicts[0] | .rule == "source" and .fix == "portcullis grant home 192.0.2.7 --for 8h"'
	exits 0 pc grant home 192.0.2.7 --for 1h --comment 'Ann at home'
	says '192.0.2.7/32: in group home until ' 'opens tiny:agents'
	asks 192.0.2.7
	vain 192.0.2.2
	exits 0 pc groups home --json
	json_is '.groups[0] | (.services | index("tiny:agents")) and (.members | length) == 2 and (.members[1] |
		.prefix == "192.0.2.7/32" and .origin == "grant" and .by == "root" and .comment == "Ann at home" and
		(.until | fromdate) - now > 3500 and (.until | fromdate) - (.since | fromdate) == 3600)'
	exits 0 pc groups home
	says '192.0.2.7/32  grant' 'Ann at home'
	exits 0 pc explain eth0 192.0.2.7 5000/tcp --json
	json_is '.verdicts[0] | .verdict == "pass" and .rule == "service" and .services == ["tiny:agents"] and
		.admitted_by[0].group == "home" and .comment == "Ann at home" and (.until | fromdate) - now > 3500 and
		(.why | contains("granted until"))'
	exits 0 pc counters --json
	json_is '[.. | objects | select(.port? == 5000) | .pass.packets? // .in.pass.packets? // 0] | add > 3'
	# Live connections continue.
	start talk client bash -c "socat -T 9 'SYSTEM:while sleep 0.1; do echo x; done!!OPEN:$DIR/heard,creat,append' TCP:192.0.2.1:5000,bind=192.0.2.7"
	until_true 8 test -s "$DIR/heard"
	exits 0 pc revoke home 192.0.2.7
	says '192.0.2.7/32: no longer granted into group home'
	vain 192.0.2.7
	local before
	before=$(wc -c < "$DIR/heard")
	until_true 5 bash -c "[ \$(wc -c < '$DIR/heard') -gt $((before + 6)) ]"
	stop talk
	same 1 "$(members home '.groups[0].members | length')"
	exits 0 pc revoke home 192.0.2.7
	says 'is not granted into group home'
}

@test "IPv6, prefixes, a file; a wider grant and a lasting member stay, named" {
	attach_groups
	vain 2001:db8::7 2001:db8::1
	exits 0 pc grant office 2001:db8::7 198.51.100.0/24
	says '2001:db8::7/128: in group office without an end' '198.51.100.0/24'
	asks 2001:db8::7 2001:db8::1
	vain 2001:db8::2 2001:db8::1
	asks 198.51.100.7
	exits 1 pc revoke office 198.51.100.7
	says 'still in group office: 198.51.100.0/24 is granted'
	asks 198.51.100.7
	printf '# agents\n192.0.2.7\n198.51.100.0/24\n' > "$DIR/agents"
	exits 0 pc grant home "@$DIR/agents" --until 23:59
	asks 192.0.2.7
	exits 0 pc revoke office 198.51.100.0/24
	asks 198.51.100.7
	exits 0 pc revoke home "@$DIR/agents"
	vain 198.51.100.7
	vain 192.0.2.7
	exits 0 pc grant home 10.1.2.3
	exits 0 pc revoke home 10.1.2.3
	says 'still in group home: it has 10.0.0.0/8 (option)'
}

@test "it ends on time with every command gone, also inside a wider grant; UDP that lives goes on" {
	local began took

	attach_groups
	! answered 192.0.2.7 41000 || fail 'a datagram is answered without a grant'
	pc grant home 192.0.2.7 --for 4
	pc grant home 192.0.2.0/24 --for 2
	began=$(date +%s%N)
	asks 192.0.2.7
	asks 192.0.2.2
	answered 192.0.2.7 41000
	until_true 8 kept_out 192.0.2.2
	took=$((($(date +%s%N) - began) / 1000000))
	((took > 900 && took < 3300)) || fail "2 s took $took ms"
	asks 192.0.2.7
	answered 192.0.2.7 41000
	until_true 8 kept_out 192.0.2.7
	took=$((($(date +%s%N) - began) / 1000000))
	((took > 2900 && took < 5300)) || fail "4 s took $took ms"
	# The live flow of datagrams continues; a new one is not admitted.
	answered 192.0.2.7 41000
	! answered 192.0.2.7 41001 || fail 'a new datagram is answered after the end'
	same 1 "$(members home '.groups[0].members | length')"
}

@test "kept: over swap, a deadline that falls back, detach of one of two, no filter at all, another boot" {
	attach_groups
	attach_groups eth1
	exits 0 pc grant home 192.0.2.7 203.0.113.2 --for 1h
	pc swap eth0 --group office=10.2.0.0/16
	asks 192.0.2.7
	pc swap eth0 --group office=10.3.0.0/16 --confirm 60
	asks 192.0.2.7
	pc rollback eth0
	asks 192.0.2.7
	peer_asks
	pc detach eth1
	asks 192.0.2.7
	pc detach --all
	exits 0 pc revoke home 203.0.113.2
	attach_groups
	asks 192.0.2.7
	same '["10.0.0.0/8","192.0.2.7/32"]' "$(members home '[.groups[0].members[].prefix]')"
	pc detach --all
	# shellcheck disable=SC2016
	inside sh -c 'sed -i "1s/ [^ ]*$/ 11111111-2222-3333-4444-555555555555/" /run/portcullis/grants-*'
	attach_groups
	asks 192.0.2.7
	same '[true]' "$(members home '[.groups[0].members[1] | (.until | fromdate) - now | . > 3400 and . < 3605]')"
}

@test "outbound enforce: a group of remote hosts has granted members, too; a grant answers UDP" {
	attach_groups eth0 --outbound enforce
	pc grant home 192.0.2.7 --for 1h
	answered 192.0.2.7 42000
	asks 192.0.2.7
	exits 0 pc explain eth0 192.0.2.7 5060/udp --out --json
	json_is '.verdicts[0] | .verdict == "pass"'
	exits 0 pc explain eth0 192.0.2.2 5060/udp --out --json
	json_is '.verdicts[0] | .verdict == "drop"'
}

@test "two who grant and revoke at once lose nothing; words that are wrong are refused with the fix" {
	local i

	attach_groups
	for i in {1..8}; do
		pc grant home "198.51.100.$i" 192.0.2.7 > "$DIR/at-once.$i" 2>&1 &
	done
	wait
	same 10 "$(members home '.groups[0].members | length')"
	for i in {1..8}; do
		pc revoke home "198.51.100.$i" > "$DIR/at-once.$i" 2>&1 &
	done
	wait
	same '["10.0.0.0/8","192.0.2.7/32"]' "$(members home '[.groups[0].members[].prefix]')"
	exits 2 pc grant home
	says 'portcullis grant GROUP PREFIX'
	exits 2 pc grant home 192.0.2.7/24
	says 'host bits'
	exits 2 pc grant home 192.0.2.7 --for 1h --until 18:00
	exits 1 pc grant hom 192.0.2.7
	says "did you mean 'home'?"
	exits 1 pc grant travellers-abroad 192.0.2.7
	says 'groups: {travellers-abroad: []}'
	exits 1 pc grant link-local 192.0.2.7
	says 'is built in'
	exits 0 pc grant home 192.0.2.2 --for 1h --json
	json_is '.changed and .errors == [] and (.grants[0] | .group == "home" and .prefix == "192.0.2.2/32" and .services == ["tiny:agents","tiny:phones"])'
	exits 0 pc revoke home 192.0.2.2 --json
	json_is '.changed and .revoked[0].prefix == "192.0.2.2/32"'
}

@test "a group of one machine alone takes no grants; one that it has from the interface does" {
	attach_groups eth0 --forward --machine 'm=192.0.2.64/28' -p tiny --group office=10.9.0.0/16 --open 7/tcp=own --group own=10.9.0.1
	exits 1 pc grant eth0:m:office 192.0.2.7
	says 'takes no grants'
	exits 1 pc grant own 192.0.2.7
	says 'grant: eth0:m:own is a group of one machine alone, which takes no grants'
	exits 0 pc grant office 192.0.2.7
	exits 0 pc explain eth0 192.0.2.7 5000/tcp --machine m --json
	json_is '.verdicts[0] | .verdict == "drop" and .fix == "portcullis grant home 192.0.2.7 --for 8h"'
	exits 0 pc grant home 192.0.2.7
	exits 0 pc explain eth0 192.0.2.7 5000/tcp --machine m --json
	json_is '.verdicts[0] | .verdict == "pass"'
}

@test "what a grant lets in is not over the limit of another service of the port; --no-limit is offered for that one alone" {
	local i

	attach_groups eth0 --open 5000/tcp --limit site:5000-tcp=5/h
	for i in {1..5}; do
		asks 192.0.2.7
	done
	vain 192.0.2.7
	exits 0 pc explain eth0 192.0.2.7 5000/tcp --json
	json_is '.verdicts[0] | .rule == "limit" and .services == ["site:5000-tcp"] and .fix == "portcullis swap eth0 --no-limit site:5000-tcp"'
	exits 0 pc grant home 192.0.2.7
	asks 192.0.2.7
	exits 0 pc explain eth0 192.0.2.7 5000/tcp --json
	json_is '.verdicts[0] | .verdict == "pass" and (.services | index("tiny:agents"))'
	exits 0 pc revoke home 192.0.2.7
	vain 192.0.2.7
	exits 0 pc swap eth0 --no-limit site:5000-tcp
	asks 192.0.2.7
}

# begins FROM WANTED...: makes connections from that source, one after the other, each of which must succeed (1) or fail
# (0).
begins()
{
	local from=$1 wanted

	shift
	for wanted; do
		if ((wanted)); then asks "$from"; else vain "$from"; fi
	done
}

@test "a grant into a group that a limit exempts lifts this limit for its source until it ends, and no other limit" {
	attach_tiny host eth0 --group home=192.0.2.0/24 --group office=10.7.0.0/16 --group carrier=10.9.0.0/16 --group others=10.8.0.0/16 \
		--limit 'tiny:agents={rate: 1/h, burst: 2, except: [others, carrier]}' \
		--open 5000/tcp=office --limit 'site:5000-tcp={rate: 1/h, burst: 2, except: [others]}'
	begins 192.0.2.2 1 1 0
	begins 192.0.2.7 1 1 0
	exits 0 pc grant carrier 192.0.2.2 --for 4
	begins 192.0.2.2 1 1 1
	begins 192.0.2.7 0
	exits 0 pc explain eth0 192.0.2.2 5000/tcp --json
	json_is '.verdicts[0] | .verdict == "pass"'
	# A service that does not admit the source.
	exits 0 pc swap eth0 --limit 'tiny:agents={rate: 1/h, burst: 2}' --limit 'site:5000-tcp={rate: 1/h, burst: 2, except: [carrier]}'
	begins 192.0.2.2 0
	exits 0 pc swap eth0 --limit 'tiny:agents={rate: 1/h, burst: 2, except: [carrier]}'
	until_true 8 eval '! ASK_SECONDS=0.5 asks 192.0.2.2'
	begins 192.0.2.2 0
	exits 0 pc grant carrier 192.0.2.0/24
	begins 192.0.2.2 1
	begins 192.0.2.7 1
	exits 1 pc revoke carrier 192.0.2.7 --json
	json_is '.errors == [{message: "revoke: 192.0.2.7/32: still in group carrier: 192.0.2.0/24 is granted", fix: "portcullis revoke carrier 192.0.2.0/24"}]'
	exits 0 pc revoke carrier 192.0.2.0/24
	begins 192.0.2.7 0
}
