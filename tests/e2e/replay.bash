# SPDX-License-Identifier: GPL-2.0
# What the tests of `replay` share: a capture of what the client sees, and its replay beside the live filter's counters.

# start_capture FILE [OPTION]...: captures everything that the client sees, and so packets that the host's filter drops,
# too.
start_capture()
{
	local file=$1

	shift
	on client dumpcap -q -i eth0 -w "$file" "$@" < /dev/null > "$DIR/dumpcap.log" 2>&1 3>&- &
	CAPTURE=$!
	until_true 5 test -s "$file" && sleep 0.3
}

stop_capture()
{
	[ -n "${CAPTURE:-}" ] || return 0
	sleep 0.5
	on client pkill -INT -x dumpcap || true
	wait "$CAPTURE" || true
	CAPTURE=
}

# The numbers that counters and a replay have in common, for one interface.
counted()
{
	jq -S '{ports: [.ports[] | del(.listening)], reasons, replies, other, total, outbound_total}' <<< "$1"
}

# The replay of a capture has the same numbers as the live filter's counters.
agrees()
{
	local live replayed

	live=$(counted "$(pc counters eth0 --json | jq '.interfaces[0]')")
	replayed=$(counted "$(pc replay "$1" eth0 --json)") || return
	[ "$live" = "$replayed" ] || fail "replay differs from the live filter:
$(diff -U 4 <(echo "$live") <(echo "$replayed"))"
}
