#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Records: what a change leaves in the journal, of a journald that runs in the sandbox, and in syslog without one.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	SITE=$DIR/site.yaml
	export SITE
	[ -x /lib/systemd/systemd-journald ] && command -v journalctl > /dev/null || { export NO_JOURNAL=1; return; }
	printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitBurst=0\n' > "$DIR/journald.conf"
	inside sh -c 'mkdir -p /etc/systemd && mount -t tmpfs tmpfs /etc/systemd && cp "$0" /etc/systemd/ &&
		{ [ -s /etc/machine-id ] || exit 1; } && mkdir -p /run/systemd/journal /run/log' "$DIR/journald.conf"
	# A /dev of the sandbox's own, for /dev/log.
	inside sh -c 'mkdir "$0/dev" && mount -t tmpfs tmpfs "$0/dev" && cd "$0/dev" && cp -a /dev/null /dev/zero /dev/urandom /dev/random . &&
		ln -s /run/systemd/journal/dev-log log && mkdir shm pts' "$DIR"
	inside /lib/systemd/systemd-journald < /dev/null > "$DIR/journald.log" 2>&1 &
	until_true 5 inside test -S /run/systemd/journal/socket
}

teardown_file()
{
	sandbox_end
}

setup()
{
	[ -z "${NO_JOURNAL:-}" ] || skip 'systemd-journald is missing'
	inside journalctl --sync
	inside journalctl -q -n1 --show-cursor | sed -n 's/^-- cursor: //p' > "$DIR/cursor"
}

teardown()
{
	detach_all host
}

# journal [FILTER]: the lines since the test began, one JSON object each. With matches, this version of journalctl skips
# the first line.
journal()
{
	inside journalctl --sync
	inside journalctl -q -o json --after-cursor="$(cat "$DIR/cursor")" | jq -c "select(${1:-true})"
}

# records: prints "ACTION INTERFACE FINAL BY CLIENT COMMAND CHANGES" lines.
records()
{
	journal '.MESSAGE_ID == "a19c35a4e1b34fd0a39a1a6b5e2ac0c8"' | jq -r '[.PORTCULLIS_ACTION, .PORTCULLIS_INTERFACE,
		.PORTCULLIS_FINAL, .PORTCULLIS_BY, .PORTCULLIS_CLIENT // "-", .PORTCULLIS_CHANGES // "-"] | join(" ")'
}

# with_log HOST COMMAND...: runs it with a /dev that has /dev/log.
with_log()
{
	local host=$1

	shift
	on "$host" unshare --mount --propagation slave sh -c 'mount --rbind "$0/dev" /dev && exec "$@"' "$DIR" "$@"
}

@test "attach, swap, confirm, detach: one record each, with its fields" {
	pc attach eth0 -p ssh
	same 'attach eth0 yes root - opens 22/tcp' "$(records)"
	pc swap eth0 -p xeams --confirm 60 --force
	pc confirm eth0 --force
	pc detach eth0
	same 'attach eth0 yes root - opens 22/tcp
swap eth0 no root - closes 22/tcp; opens 25/tcp, 68/udp, 546/udp; counts out 25/tcp, out 53/tcp, out 80/tcp, out 443/tcp, out 53/udp
confirm eth0 yes root - -
detach eth0 yes root - -' "$(records)"
	output=$(journal '.PORTCULLIS_ACTION == "swap"')
	json_is '.PRIORITY == "5" and .SYSLOG_IDENTIFIER == "portcullis" and .PORTCULLIS_GENERATION == "2"'
	json_is '.PORTCULLIS_COMMAND | startswith("swap eth0 -p xeams --confirm 60 --force")'
	json_is '.MESSAGE | test("^eth0: swapped by root: closes 22/tcp; .*; to be confirmed within 60 s$")'
	# Commands that change nothing, or are refused, leave no record.
	pc attach eth0 -p ssh
	pc attach eth0 -p ssh || true
	pc swap eth0 -p xeams --dry-run --force
	same 5 "$(records | wc -l)"
}

@test "--comment is in the record of each change; a wrong one is refused" {
	local long

	pc attach eth0 -p ssh --comment 'CHG-1: für heute'
	pc swap eth0 --open 587/tcp --confirm 60 --comment CHG-2
	pc confirm eth0 --force --comment CHG-3
	pc detach eth0 --comment CHG-4
	printf 'interfaces:\n  eth0: {profiles: ssh}\n' > "$SITE"
	exits 0 pc apply --site "$SITE" --comment CHG-5
	pc detach eth0
	same 'CHG-1: für heute|CHG-2|CHG-3|CHG-4|CHG-5|-' \
		"$(journal '.MESSAGE_ID == "a19c35a4e1b34fd0a39a1a6b5e2ac0c8"' | jq -rs '[.[] | .PORTCULLIS_COMMENT // "-"] | join("|")')"
	output=$(journal '.PORTCULLIS_COMMENT == "CHG-4"')
	json_is '.MESSAGE == "eth0: detached by root; final; comment: CHG-4"'
	long=$(printf '%0200d' 0)
	exits 2 pc attach eth0 -p ssh --comment "${long}0"
	says '--comment must be one line of printable text of 1 to 200 bytes; this one has 201'
	exits 2 pc attach eth0 -p ssh --comment $'a\nPORTCULLIS_BY=b'
	exits 2 pc attach eth0 -p ssh --comment ''
	exits 0 pc attach eth0 -p ssh --comment "$long"
}

@test "apply: one record a change, at boot too; none for what is as the file says" {
	printf 'interfaces:\n  eth0: {profiles: ssh}\n' > "$SITE"
	exits 0 pc apply --boot --site "$SITE"
	exits 0 pc apply --boot --site "$SITE"
	printf 'interfaces: {}\n' > "$SITE"
	exits 0 pc apply --site "$SITE"
	same 'attach eth0 yes root - opens 22/tcp
detach eth0 yes root - -' "$(records)"
	output=$(journal '.PORTCULLIS_ACTION == "attach"')
	json_is '.PORTCULLIS_COMMAND | startswith("apply --boot --site ")'
}

@test "who: the audit login, sudo's user, a unit; and the client of the SSH session" {
	on host env SUDO_USER=$'al\nice' SSH_CONNECTION='192.0.2.2 50000 192.0.2.1 22' "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	on host env INVOCATION_ID=0123 "$PORTCULLIS" detach eth0
	same 'attach eth0 yes al?ice 192.0.2.2 opens 22/tcp
detach eth0 yes systemd - -' "$(records)"
	if inside sh -c 'echo 1 > /proc/self/loginuid' 2> /dev/null; then
		on host sh -c 'echo 1 > /proc/self/loginuid && SUDO_USER=x exec "$@"' - "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
		same 'attach eth0 yes daemon - opens 22/tcp' "$(records | tail -1)"
	else
		echo '# not tried: this kernel has no audit login' >&3
	fi
}

# admissions: prints "ACTION LIST-OR-GROUP BY CLIENT CHANGES [COMMENT]" lines, without interfaces.
admissions()
{
	journal '.PORTCULLIS_ACTION | IN("ban", "unban", "grant", "revoke")' | jq -r '[.PORTCULLIS_ACTION, .PORTCULLIS_LIST //
		.PORTCULLIS_GROUP // "-", .PORTCULLIS_BY, .PORTCULLIS_CLIENT // "-", .PORTCULLIS_CHANGES,
		"[\(.PORTCULLIS_COMMENT // "")]"] | join(" ")'
}

@test "ban, unban, grant, revoke: one record each, what is refused or changes nothing leaves none; their --json" {
	printf '%s\n' 'groups: {home: [], bad: [198.51.100.0/24]}' 'interfaces:' '  eth0: {profiles: ssh, from: {"ssh:ssh": home}}' > "$SITE"
	exits 0 pc apply --site "$SITE" --force
	exits 0 pc ban --list feed 203.0.113.7 203.0.113.8 --comment 'CHG-1: scans' --json
	json_is '.version == 1 and .changed and .interfaces == [] and .errors == [] and [.bans[] | [.prefix, .list, .until, .by, .comment]] ==
		[["203.0.113.7/32", "feed", null, "root", "CHG-1: scans"], ["203.0.113.8/32", "feed", null, "root", "CHG-1: scans"]]'
	exits 0 on host env TZ=UTC SUDO_USER=ann SSH_CONNECTION='192.0.2.2 50000 192.0.2.1 22' "$PORTCULLIS" ban 203.0.113.7 --until 2036-11-29T18:00:00Z
	exits 1 pc ban 192.0.2.1 --json
	json_is '.changed == false and (.errors | length) == 2 and (.errors[0].message | contains("an address of this host"))'
	exits 0 pc unban --list feed 203.0.113.8 --json
	json_is '.changed and [.lifted[] | [.prefix, .list, .comment]] == [["203.0.113.8/32", "feed", "CHG-1: scans"]]'
	exits 0 pc unban 203.0.113.8 --json
	json_is '.changed == false and .errors == []'
	exits 0 pc unban --all --comment CHG-2
	exits 0 pc unban --all
	exits 0 pc grant home 203.0.113.9 --comment CHG-3 --json
	json_is '.changed and (.grants[0] | .group == "home" and .prefix == "203.0.113.9/32" and .comment == "CHG-3" and .services == ["ssh:ssh"])'
	exits 1 pc grant hme 203.0.113.9
	exits 0 pc revoke home 203.0.113.9 --json
	json_is '.changed and .revoked[0].prefix == "203.0.113.9/32"'
	exits 0 pc revoke home 203.0.113.9
	same 'ban feed root - 203.0.113.7/32, 203.0.113.8/32 without an end [CHG-1: scans]
ban manual ann 192.0.2.2 203.0.113.7/32 until 2036-11-29 18:00:00 UTC []
unban feed root - 203.0.113.8/32 []
unban - root - all of them, 2 bans [CHG-2]
grant home root - 203.0.113.9/32 without an end, opens ssh:ssh [CHG-3]
revoke home root - 203.0.113.9/32 []' "$(admissions)"
	output=$(journal '.PORTCULLIS_ACTION == "ban" and .PORTCULLIS_LIST == "feed"')
	json_is '.MESSAGE_ID == "a19c35a4e1b34fd0a39a1a6b5e2ac0c8" and .PRIORITY == "5" and .SYSLOG_IDENTIFIER == "portcullis" and
		(.PORTCULLIS_COMMAND | startswith("ban --list feed ")) and (has("PORTCULLIS_INTERFACE") | not) and
		.MESSAGE == "ban by root: 203.0.113.7/32, 203.0.113.8/32 without an end (list feed); comment: CHG-1: scans"'
	output=$(journal '.PORTCULLIS_ACTION == "grant"')
	json_is '(has("PORTCULLIS_LIST") | not) and (.MESSAGE | contains("(group home)"))'
	# None of them is in the history; `deny` is, as a change of each interface.
	local before
	before=$(pc history --json | jq '.changes | length')
	printf '%s\n' 'deny: bad' >> "$SITE"
	exits 0 pc apply --site "$SITE" --force
	same $((before + 1)) "$(pc history --json | jq '.changes | length')" changes
	output=$(records | tail -n 1)
	says 'swap eth0 yes root - ' 'changes deny'
}

@test "what was not confirmed in time: the next changing command records that it was reverted" {
	pc attach eth0 -p ssh
	pc swap eth0 -p xeams --confirm 1 --force
	sleep 1.1
	pc detach lo
	same 'revert eth0 yes root - the swap was not confirmed in time' "$(records | tail -1)"
	pc detach eth0
	pc attach eth0 -p ssh --confirm 1
	sleep 1.1
	pc detach lo
	same 'revert eth0 yes root - the attach was not confirmed in time' "$(records | tail -1)"
}

@test "takeover" {
	needs_layout 2
	on host "$TOOLS/portcullis-layout-2" attach eth0 -p xeams --catalog "$TOOLS/profiles-layout-2"
	pc swap eth0 --observe
	[[ $(records | tail -2 | head -1) == 'takeover eth0 yes root - from '* ]] || fail "$(records)"
}

@test "without a journal: syslog; without both the change is made all the same" {
	inside mv /run/systemd/journal/socket /run/systemd/journal/away
	exits 0 with_log host "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	exits 0 pc detach eth0
	inside mv /run/systemd/journal/away /run/systemd/journal/socket
	output=$(journal '.SYSLOG_IDENTIFIER == "portcullis"')
	json_is '.MESSAGE | startswith("eth0: attached by root: opens 22/tcp; final (attach eth0 -p ssh")'
}

@test "without CAP_SETPCAP, as in the unit, nothing else is logged" {
	exits 0 with_log host setpriv --bounding-set=-setpcap "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	same 'attach eth0 yes root - opens 22/tcp' "$(records)"
	same 1 "$(journal | wc -l)" "lines: $(journal | jq -r .MESSAGE)"
}

@test "monitor --journal: an entry a packet, with its fields" {
	local pid
	host_add_silent stranger
	link_add host eth9 stranger eth0
	address_add host eth9 198.18.0.1/24
	pc attach eth9 -p xeams
	on host bash -c '"$0" monitor --journal eth9 2> "$1" & echo $! > "$2"; wait' "$PORTCULLIS" "$DIR/log.err" "$DIR/log.pid" < /dev/null > /dev/null 2>&1 &
	until_true 5 grep -q -s 'listening at eth9' "$DIR/log.err"
	printf 'tcp 203.0.113.7 198.18.0.1 4000 993 60\nudp 203.0.113.7 198.18.0.1 4000 9 60\n' |
		on stranger "$TOOLS/send" eth0 "$(mac_of host eth9)" > /dev/null
	logged()
	{
		output=$(journal '.MESSAGE_ID == "b5551223014e443887daa5144971f3f5"')
		[ "$(wc -l <<< "$output")" = 2 ]
	}
	until_true 5 logged
	output=$(jq -s '.[0]' <<< "$output")
	json_is '.PRIORITY == "6" and .SYSLOG_IDENTIFIER == "portcullis" and .PORTCULLIS_INTERFACE == "eth9" and
		.PORTCULLIS_VERDICT == "drop" and .PORTCULLIS_REASON == "unlisted" and .PORTCULLIS_SOURCE == "203.0.113.7" and
		.PORTCULLIS_DESTINATION_PORT == "993" and .PORTCULLIS_FLAGS == "syn" and has("PORTCULLIS_SERVICES") == false and
		.PORTCULLIS_CLOSED == "xeams:imap-ssl=feature"'
	json_is '.MESSAGE == "eth9: drop unlisted 203.0.113.7:4000 -> 198.18.0.1:993/tcp syn; xeams:imap-ssl is closed: feature"'
	pid=$(cat "$DIR/log.pid")
	inside kill -TERM "$pid"
	until_true 5 grep -q '2 packets, 0 lost' "$DIR/log.err"
}
