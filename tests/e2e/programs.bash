# SPDX-License-Identifier: GPL-2.0
# What state.bats and connections_survive.bats share: connections that stay open, small profiles, attackers.

load traffic

# --- programs ---

gone()
{
	! inside kill -0 "$1" 2> /dev/null
}

# end NAME: stops a program of `start`, and waits until its ports are free.
end()
{
	local id

	id=$(< "$DIR/running/$1.pid")
	stop "$1"
	until_true 20 gone "$id"
}

# logged NAME PATTERN: the program's log has a line that matches.
logged()
{
	grep -qs -e "$2" "$DIR/$1.log"
}

# bound HOST PORT: a UDP socket has the port.
bound()
{
	[ -n "$(on "$1" ss -Hua "sport = :$2")" ]
}

# --- connections that stay open ---

# echo_server HOST PORT...: echoes each line, over IPv4 and IPv6.
echo_server()
{
	local host=$1 port

	shift
	for port in "$@"; do
		start "echo-$host-$port" "$host" socat "TCP6-LISTEN:$port,ipv6only=0,fork,reuseaddr" EXEC:cat
		until_true 5 listening "$host" "$port"
	done
}

# hold NAME HOST ADDRESS PORT: connects to an echo server and stays connected.
hold()
{
	rm -f "$DIR/$1.control"
	start "$1" "$2" /usr/bin/python3 "$BATS_TEST_DIRNAME/tcp.py" connect "$3" "$4" --control "$DIR/$1.control"
	until_true 5 test -S "$DIR/$1.control" || fail "$1 is not connected: $(cat "$DIR/$1.log")"
}

# tell NAME WORDS: what a held connection says to a command.
tell()
{
	inside timeout 15 socat -t 15 - "UNIX-CONNECT:$DIR/$1.control" <<< "$2"
}

# echoes NAME TEXT: the held connection still sends and receives.
echoes()
{
	same "$2" "$(tell "$1" "echo $2")" "echo over $1"
}

# --- profiles ---

# profile NAME < SERVICES: writes a profile for the test.
profile()
{
	mkdir -p "$DIR/catalog"
	{
		printf 'profile: %s\ntitle: For a test\n' "$1"
		cat
	} > "$DIR/catalog/$1.yaml"
}

# Attaches or swaps eth0 with these profiles.
attach()
{
	pc attach eth0 --catalog "$DIR/catalog" "$@"
}

swap()
{
	pc swap eth0 --catalog "$DIR/catalog" "$@"
}

# --- attackers ---

# attack KIND ARGUMENT...: runs an attack from an address behind `client`.
attack()
{
	on client timeout 30 /usr/bin/python3 "$BATS_TEST_DIRNAME/attack.py" eth0 "$(mac_of host eth0)" "$@"
}

# --- what the filter says ---

# packets DIRECTION PROTOCOL PORT VERDICT: the count at eth0.
packets()
{
	pc counters eth0 --json | jq --arg direction "$1" --arg protocol "$2" --argjson port "$3" --arg verdict "$4" \
		'[.interfaces[0].ports[] | select(.direction == $direction and .protocol == $protocol and .port == $port) |
			.[$verdict].packets] | add // 0'
}
