# SPDX-License-Identifier: GPL-2.0
# What the tests of real traffic share: a tiny profile, programs ended by id, talks, counters, flows.

# Call it in setup_file: makes the folder TINY with profiles that list very few ports.
tiny_catalog()
{
	TINY=$DIR/tiny
	export TINY
	mkdir -p "$TINY"
	cat > "$TINY/tiny.yaml" <<-END
		profile: tiny
		title: One port, TCP and UDP
		services:
		  - name: listed
		    in: 5000/tcp+udp
	END
	cat > "$TINY/tiny-host.yaml" <<-END
		profile: tiny-host
		title: One port, and what every host needs
		include: [host]
		services:
		  - name: listed
		    in: 5000/tcp+udp
	END
}

# attach_tiny HOST INTERFACE [OPTION]...
attach_tiny()
{
	as "$1" attach "$2" -p tiny --mode native --catalog "$TINY" "${@:3}"
}

# --- programs ---

# start NAME HOST COMMAND...: runs it in the background until `stop NAME` or `stop_all`. Its output is in NAME.log.
start()
{
	local name=$1 host=$2

	shift 2
	mkdir -p "$DIR/running"
	# shellcheck disable=SC2016
	on "$host" timeout --foreground "${START_SECONDS:-120}" bash -c 'echo $$ > "$0"; exec "$@"' "$DIR/running/$name.pid" "$@" \
		< /dev/null > "$DIR/$name.log" 2>&1 &
	disown
	until_true 20 test -s "$DIR/running/$name.pid"
}

# signal NAME SIGNAL
signal()
{
	inside kill "-$2" "$(cat "$DIR/running/$1.pid")"
}

stop()
{
	signal "$1" "${2:-KILL}" 2> /dev/null || true
	rm -f "$DIR/running/$1.pid"
}

# Call it in teardown: stops everything that `start` started.
stop_all()
{
	local file

	for file in "$DIR"/running/*.pid; do
		[ ! -e "$file" ] || stop "$(basename "$file" .pid)"
	done
}

# until_logged NAME PATTERN [SECONDS]
until_logged()
{
	until_true "${3:-20}" grep -qE -e "$2" "$DIR/$1.log" || fail "$1 said: $(cat "$DIR/$1.log")"
}

# --- TCP connections that sit quiet until they are told to speak (tcp.py) ---

# talk_listen NAME HOST PORT [OPTION]...
talk_listen()
{
	start "$1" "$2" /usr/bin/python3 "$BATS_TEST_DIRNAME/tcp.py" listen :: "${@:3}"
	until_logged "$1" '^ready'
}

# talk_connect NAME HOST ADDRESS PORT [OPTION]...
talk_connect()
{
	start "$1" "$2" /usr/bin/python3 "$BATS_TEST_DIRNAME/tcp.py" connect "${@:3}"
	until_logged "$1" '^ready'
}

# heard NAME: the number of lines that have come.
heard()
{
	grep -c '^heard' "$DIR/$1.log" || true
}

heard_more()
{
	[ "$(heard "$1")" -gt "$2" ]
}

# speaks_to FROM TO: a line gets from one talk to the other.
speaks_to()
{
	local before

	before=$(heard "$2")
	signal "$1" USR1
	until_true 3 heard_more "$2" "$before" && return
	# The last packet of the handshake may reach a listener after the command to speak.
	signal "$1" USR1
	until_true 8 heard_more "$2" "$before" || fail "$2 does not hear $1"
}

# speaks_in_vain FROM TO
speaks_in_vain()
{
	local before

	before=$(heard "$2")
	signal "$1" USR1
	sleep 1
	same "$before" "$(heard "$2")" "lines that $2 heard from $1"
}

# --- UDP (udp.py) ---

# udp_serve NAME HOST PORT [OPTION]...
udp_serve()
{
	start "$1" "$2" /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" serve "${@:3}"
	until_logged "$1" '^ready'
}

# udp_ask HOST ADDRESS PORT [OPTION]...: prints the result.
udp_ask()
{
	on "$1" timeout 20 /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" ask "${@:2}"
}

# asked WANTED HOST ADDRESS PORT [OPTION]...: the result is WANTED.
asked()
{
	local wanted=$1 seen

	shift
	seen=$(udp_ask "$@" 2>&1) || true
	same "$wanted" "$seen" "udp_ask $*"
}

# --- crafted frames (frames.py) ---

# frames HOST INTERFACE MAC STATEMENT...: sends the list `frames` that the statements make; `e` is the Ethernet header.
frames()
{
	on "$1" timeout 20 /usr/bin/python3 "$BATS_TEST_DIRNAME/frames.py" "${@:2}"
}

# --- what the filter says ---

# reason HOST INTERFACE NAME: the number of packets dropped for this reason.
reason()
{
	as "$1" counters "$2" --json | jq --arg name "$3" '.interfaces[0].reasons[$name].drop.packets'
}

# reason_is HOST INTERFACE NAME PACKETS
reason_is()
{
	[ "$(reason "$1" "$2" "$3")" = "$4" ]
}

# flows_used HOST
flows_used()
{
	as "$1" flows --json | jq .used
}

# flow_states HOST PROTOCOL REMOTE-PORT: the states of the flows to it, in one line.
flow_states()
{
	as "$1" flows --json | jq -r --arg protocol "$2" --argjson port "$3" \
		'[.flows[] | select(.protocol == $protocol and .remote_port == $port) | .state] | join(" ")'
}
