#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What commands that change filters answer by --json and by their exit code.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	SITE=$DIR/site.yaml
	export SITE
	mkdir "$DIR/more"
	printf '%s\n' 'profile: tiny' 'title: One port' 'services: [{name: web, title: Web, in: 7000/tcp}]' > "$DIR/more/tiny.yaml"
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# answers CODE COMMAND...: runs it with --json; stdout must have exactly one JSON object, and stderr nothing.
answers()
{
	local code=$1

	shift
	run --separate-stderr pc "$@" --json
	[ "$status" = "$code" ] || fail "exit $status, not $code: $output $stderr"
	[ -z "$stderr" ] || fail "stderr: $stderr"
	jq -e '.version == 1' <<< "$output" > /dev/null || fail "$output"
}

# has FILTER: the jq filter is true of the answer.
has()
{
	jq -e "$1" <<< "$output" > /dev/null || fail "not $1: $output"
}

@test "attach: what opens, the generation, the time to confirm; a second one is an error in the answer" {
	answers 0 attach eth0 -p ssh --confirm 1m
	has '.changed and (.dry_run | not) and .errors == []'
	has '.interfaces | length == 1'
	has '.interfaces[0] | .name == "eth0" and .action == "attach" and .opens == ["22/tcp"] and .closes == []'
	has '.interfaces[0] | .generation == 1 and .confirm > 50 and .confirm <= 60'
	has '.warnings | any(.message | test("22/tcp"))'
	answers 0 confirm eth0
	has '.changed and .interfaces == [{"name": "eth0", "action": "none", "generation": 1, "confirm": null,
		"opens": [], "closes": [], "changes": [], "groups": []}]'
	answers 0 confirm eth0
	has '.changed == false and .digest == null'
	answers 1 attach eth0 -p ssh
	has '.changed == false and .interfaces == []'
	has '.errors | length == 1 and (.[0].message | test("already attached"))'
}

@test "swap: ports that open and close, groups by prefix, settings; the dry run says the same and changes nothing" {
	pc attach eth0 -p ssh --group mgmt=192.0.2.0/24,198.51.100.7 --from ssh:ssh=mgmt
	for how in --dry-run ''; do
		# shellcheck disable=SC2086
		answers 0 swap eth0 -p tiny,ssh --catalog "$DIR/more" --group mgmt=192.0.2.0/25,198.51.100.7 --observe $how
		has ".dry_run == $([ -n "$how" ] && echo true || echo false) and .changed"
		has '.interfaces[0] | .action == "swap" and .opens == ["7000/tcp"] and .closes == []'
		has '.interfaces[0].groups == [{"name": "mgmt", "added": ["192.0.2.0/25"], "removed": ["192.0.2.0/24"]}]'
		has '.interfaces[0].changes | any(. == "the policy from enforce to observe")'
		[ "$(generation host eth0)" = "$([ -n "$how" ] && echo 1 || echo 2)" ]
	done
	answers 0 swap eth0 -p ssh --enforce
	has '.interfaces[0] | .closes == ["7000/tcp"] and .opens == []'
	answers 0 swap eth0
	has '.changed == false and .interfaces[0].action == "swap" and .interfaces[0].generation == 4'
}

@test "detach: what had no filter is no change; a missing interface is an error" {
	pc attach eth0 -p ssh
	answers 0 detach eth0
	has '.changed and .interfaces[0].action == "detach" and .interfaces[0].changes == ["everything passes"]'
	answers 0 detach eth0
	has '.changed == false and .interfaces[0].action == "none"'
	answers 1 detach eth77
	has '.changed == false and (.errors[0].message | test("eth77"))'
}

@test "apply: --dry-run --exit-code is 3 while something differs, 0 when nothing does, 1 when it fails" {
	echo 'interfaces: {eth0: {profiles: ssh}}' > "$SITE"
	exits 3 pc apply --site "$SITE" --dry-run --exit-code
	says 'would attach' '--expect'
	exits 0 pc apply --site "$SITE" --dry-run
	answers 3 apply --site "$SITE" --dry-run --exit-code
	has '.changed and .dry_run and (.digest | test("^[0-9a-f]{32}$"))'
	same '' "$(attached host eth0)" 'program at eth0'
	pc apply --site "$SITE"
	exits 0 pc apply --site "$SITE" --dry-run --exit-code
	says_not '--expect'
	answers 0 apply --site "$SITE"
	has '.changed == false and .digest == null and .interfaces[0].action == "none" and .interfaces[0].generation == 1'
	echo 'interfaces: {eth0: {profiles: nosuch}}' > "$SITE"
	answers 1 apply --site "$SITE" --dry-run --exit-code
	has '.errors | any(.message | test("nosuch"))'
	exits 2 pc apply --site "$SITE" --exit-code
	says '--exit-code goes with --dry-run'
}

@test "apply --expect: applies that difference; refuses another one, and when nothing differs" {
	local digest

	echo 'interfaces: {eth0: {profiles: ssh}}' > "$SITE"
	answers 0 apply --site "$SITE" --dry-run
	digest=$(jq -r .digest <<< "$output")
	echo 'interfaces: {eth0: {profiles: [ssh, xeams]}}' > "$SITE"
	answers 1 apply --site "$SITE" --expect "$digest"
	has '.changed == false and (.errors[0].message | test("not the expected one")) and .errors[0].fix == "portcullis apply --dry-run"'
	same '' "$(attached host eth0)" 'program at eth0'
	echo 'interfaces: {eth0: {profiles: ssh}}' > "$SITE"
	pc apply --site "$SITE" --expect "$digest"
	[ -n "$(attached host eth0)" ] || fail 'no program at eth0'
	exits 1 pc apply --site "$SITE" --expect "$digest"
	says 'nothing differs'
}

connected()
{
	on host ss -Htn state established 'sport = :22' | grep -q 192.0.2.2:40000
}

@test "an interface that could not be changed is not in the answer; the guard's refusal is an error in it" {
	pc attach eth0 -p ssh
	in_background host socat TCP-LISTEN:22,fork,reuseaddr PIPE
	until_true 5 listening host 22
	in_background client socat TCP:192.0.2.1:22,bind=192.0.2.2:40000 EXEC:'sleep 60'
	until_true 5 connected
	run --separate-stderr on host env SSH_CONNECTION='192.0.2.2 40000 192.0.2.1 22' "$PORTCULLIS" swap eth0 -p xeams --catalog "$CATALOG" --json
	[ "$status" = 1 ] && [ -z "$stderr" ]
	has '.changed == false and .interfaces == [] and (.errors | length >= 2)'
	[ "$(generation host eth0)" = 1 ]
}

@test "doctor --strict and check --json: warnings" {
	pc attach eth0 -p ssh --observe
	exits 0 pc doctor eth0
	exits 1 pc doctor eth0 --strict
	echo 'interfaces: {eth0: {profiles: contact-expert-core}}' > "$SITE"
	run --separate-stderr pc check "$SITE" --json
	has '.errors == [] and (.warnings | length > 0) and (.warnings[0] | .line == 1 and (.message | length > 0))'
}
