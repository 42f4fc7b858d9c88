#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What commands show of a live filter on real terminals of 80 and 200 columns; and from where `counters` counts.

load helper

setup_file()
{
	sandbox_start
	host_add host
	host_add_silent sender
	link_add host eth0 sender eth0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	on host sysctl -q net.ipv6.conf.eth0.router_solicitations=0
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# terminal ROWS COLUMNS SECONDS WORDS...: runs portcullis on a terminal.
terminal()
{
	local size=("${@:1:3}")

	shift 3
	on host env ${KIND:+TERM="$KIND"} ${NO:+NO_COLOR="$NO"} /usr/bin/python3 "$ROOT/tests/e2e/terminal.py" \
		"${size[@]}" "$PORTCULLIS" "$@"
}

plain()
{
	sed 's/\x1b\[[0-9;]*[A-Za-z]//g' <<< "$output"
}

# fits COLUMNS
fits()
{
	local is

	is=$(plain | wc -L)
	[ "$is" -le "$1" ] || fail "$is columns, not $1:
$output"
}

# The JSON values of a jq filter on the counters.
counted()
{
	pc counters eth0 --json "${@:2}" | jq -c ".interfaces[0] | $1"
}

scan()
{
	send_flows > "$DIR/sent" <<< "tcp 198.51.100.9 192.0.2.1 40000 $1 60"
}

# letters_of COMMAND...: how many letters a pipe gets.
letters_of()
{
	pc "$@" | tr -dc '[:alpha:]' | wc -c
}

@test "status, counters, flows, show, doctor fit 80 columns, and use 200; a pipe has whole lines" {
	pc attach eth0 -p communigate-pro,ol-connect,contact-expert-core --observe --group trusted=192.0.2.0/28,2001:db8::/48 \
		--group contact-expert-servers=198.51.100.7
	scan 25
	scan 3000-3100
	for command in status counters 'counters --all' flows 'show --iface eth0' doctor; do
		# shellcheck disable=SC2086
		exits 0 pc $command
		for columns in 80 200; do
			# The host may send something between two readings; then both are made again.
			for _ in {1..5}; do
				# shellcheck disable=SC2086
				before=$(letters_of $command)
				# shellcheck disable=SC2086
				run terminal 24 $columns 20 $command
				# shellcheck disable=SC2086
				[ "$before" != "$(letters_of $command)" ] || break
			done
			fits $columns
			# The words are the same, but counters may leave out its columns of bytes.
			[ "${command%% *}" = counters ] || same "$before" "$(plain | tr -dc '[:alpha:]' | wc -c)" \
				"letters of $command at $columns: $output"
		done
	done
	exits 0 pc counters
	says_not $'\033'
	exits 0 pc status
	says 'groups     trusted (2 prefixes), contact-expert-servers (1 prefix)'
}

@test "colours: none with NO_COLOR, one that is empty does not count, none with TERM=dumb" {
	pc attach eth0 -p ssh
	run terminal 24 80 20 counters
	says $'\033['
	NO=1 run terminal 24 80 20 counters
	says_not $'\033'
	KIND=dumb run terminal 24 80 20 counters
	says_not $'\033'
	on host env NO_COLOR= /usr/bin/python3 "$ROOT/tests/e2e/terminal.py" 24 80 20 "$PORTCULLIS" counters > "$DIR/empty"
	grep -q $'\033' "$DIR/empty" || fail 'an empty NO_COLOR took the colours'
}

@test "counters --watch keeps heading and listed ports in sight; unlisted ones get the rest" {
	pc attach eth0 -p ssh,xeams --observe
	scan 22
	scan 25
	scan 3000-3100
	run terminal 24 80 3 counters --watch 1
	fits 80
	# The screen has what was printed after it was last cleared.
	screen=${output##*$'\033[J'}
	[ "$(grep -c '' <<< "$screen")" -le 24 ] || fail "more than 24 rows: $screen"
	output=$screen
	says 'eth0: generation 1' 'WAY' '22/tcp' '25/tcp' 'more unlisted ports' 'all received:'
	[ "$(grep -c 'tcp  *unlisted ' <<< "$screen")" -gt 4 ] || fail "the rest is not used: $screen"
	run terminal 60 200 3 counters --watch 1
	fits 200
	[ "$(grep -c 'tcp  *unlisted ' <<< "${output##*$'\033[J'}")" -gt 30 ] || fail "60 rows are not used: $output"
	# More listed ports than rows.
	run terminal 8 80 3 counters --watch 1 --all
	screen=${output##*$'\033[J'}
	[ "$(grep -c '' <<< "$screen")" -le 8 ] || fail "more than 8 rows: $screen"
	output=$screen
	says 'eth0: generation 1' 'WAY' '22/tcp' 'more lines'
	# The cursor is not moved if the terminal cannot do that.
	KIND=dumb run terminal 24 80 3 counters --watch 1
	says_not $'\033'
	says 'counters at '
}

@test "counters --top: the unlisted ports with the most drops, in text and in JSON; the listed ones stay" {
	pc attach eth0 -p ssh
	scan 22
	scan 3000-3100
	scan 3050-3052
	scan 3051
	same 102 "$(counted '.ports | length')" 'ports without --top'
	same '[22,3050,3051,3052]' "$(counted '[.ports[].port]' --top 3)" 'ports with --top 3'
	same '[22,3051]' "$(counted '[.ports[].port]' --top 1)" 'ports with --top 1'
	same 100 "$(counted .ports_left_out --top 1)" 'ports left out'
	same '[22]' "$(counted '[.ports[].port]' --top 0)" 'ports with --top 0'
	exits 0 pc counters --top 3
	says '22/tcp' '3051/tcp' '3050/tcp' '98 more unlisted ports'
	same 3 "$(grep -c 'tcp  *unlisted ' <<< "$output")" 'unlisted rows'
	exits 0 pc counters
	same 20 "$(grep -c 'tcp  *unlisted ' <<< "$output")" 'unlisted rows without --top'
	exits 2 pc counters --top x
	exits 2 pc counters --top -1
}

@test "counters --clear: counts from then on; status goes on, a swap and a takeover keep it, a new attach does not" {
	pc attach eth0 -p ssh
	before=$(date -u +%FT%TZ)
	scan 22
	scan 3000-3100
	same "$(counted .since)" "$(pc status eth0 --json | jq -c '.interfaces[0].attached_at')" 'since, at first'
	exits 0 pc counters eth0 --clear
	says 'eth0: counts from now on'
	same 0 "$(counted '.ports | length')" 'ports'
	same '{"packets":0,"bytes":0}' "$(counted .total.drop)" 'dropped'
	same '{"packets":0,"bytes":0}' "$(counted .reasons.unlisted.drop)" 'unlisted'
	[[ $(counted .since) > "\"$before" ]] || fail "since $(counted .since), cleared after $before"
	scan 22
	scan 3000-3004
	same '{"packets":1,"bytes":60}' "$(counted .total.pass)" 'passed since'
	same '{"packets":5,"bytes":300}' "$(counted .total.drop)" 'dropped since'
	same '[22,3000,3001,3002,3003,3004]' "$(counted '[.ports[].port]')" 'ports since'
	# The totals go on.
	same '{"packets":106,"bytes":6360}' "$(pc status eth0 --json | jq -c '.interfaces[0].total.drop')" 'dropped since attach'
	since=$(counted .since)
	sleep 1.1
	pc swap eth0 -p xeams
	same "$since 5" "$(counted .since) $(counted .total.drop.packets)" 'after a swap'
	# Once more, over the first output.
	exits 0 pc counters --clear --json
	json_is '.interfaces[0] | .ports == [] and .total.drop.packets == 0'
	scan 3000
	same 1 "$(counted .total.drop.packets)" 'after a second one'
	same 1 "$(counted '.ports | length')" 'ports after a second one'
	exits 0 as host swap eth0 --observe
	pc detach eth0
	pc attach eth0 -p ssh
	same "$(counted .since)" "$(pc status eth0 --json | jq -c '.interfaces[0].attached_at')" 'since, of a new attach'
	exits 2 pc counters --clear --watch 1
	exits 1 inside setpriv --reuid 65534 --regid 65534 --clear-groups nsenter --net=/run/netns/host "$PORTCULLIS" counters --clear
}

@test "counters --clear is kept by a version that takes the filter over" {
	other=$TOOLS/portcullis-layout-4
	on host "$other" attach eth0 -p ssh --catalog "$CATALOG"
	scan 3000-3100
	sleep 1.1
	exits 0 on host "$other" counters --clear
	scan 3000-3002
	since=$(on host "$other" counters eth0 --json | jq -c '.interfaces[0].since')
	exits 0 pc takeover eth0
	same "$since 3" "$(counted .since) $(counted .total.drop.packets)" 'after a takeover'
	same 104 "$(pc status eth0 --json | jq '.interfaces[0].total.drop.packets')" 'dropped since attach'
}

@test "counters tells its time, and since when it counts, in local time and in UTC" {
	pc attach eth0 -p ssh
	output=$(pc counters --json)
	json_is '(.time | test("^[0-9-]{10}T[0-9:]{8}Z$")) and (.interfaces[0].since | test("^[0-9-]{10}T[0-9:]{8}Z$"))'
	time=$(jq -r .time <<< "$output")
	[ $(($(date +%s) - $(date -d "$time" +%s))) -le 2 ] || fail "time is $time"
	exits 0 on host env TZ=UTC-5:45 "$PORTCULLIS" counters
	[[ $output =~ ^'counters at '[0-9-]{10}' '[0-9:]{8}' UTC' ]] || fail "$output"
	here=$(sed -n 's/^counters at \(.* .*\) UTC.*/\1/p' <<< "$output")
	away=$(($(date -d "$here UTC" +%s) - $(date -d "$time" +%s) - 20700))
	[ "${away#-}" -le 3 ] || fail "$here is not 5:45 after $time"
}

@test "WOULD DROP: under observe, and under enforce as long as it has counted something" {
	pc attach eth0 -p ssh --observe
	exits 0 pc counters
	scan 3000
	exits 0 pc counters
	says 'WOULD DROP'
	pc swap eth0 --enforce
	exits 0 pc counters
	says 'WOULD DROP'
	pc counters --clear
	scan 3000
	exits 0 pc counters
	says_not 'WOULD DROP' 'would have dropped'
	says '3000/tcp'
}
