# SPDX-License-Identifier: GPL-2.0
# What the tests of bans, denied groups, never-ban and grants share: a client of several addresses, a second interface,
# a server on port 5000, and who gets through to it.

load traffic

# who_may_start [ADDRESS]...: starts the sandbox; the client has these addresses, too.
who_may_start()
{
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.7/24 198.51.100.7/32 2001:db8::7/64 "$@"
	on host ip route add 198.51.100.0/24 dev eth0
	host_add peer
	link_add host eth1 peer eth0
	address_add host eth1 203.0.113.1/24
	address_add peer eth0 203.0.113.2/24
	tiny_catalog
	start server host socat TCP6-LISTEN:5000,fork,reuseaddr,ipv6only=0 EXEC:cat
	until_true 10 listening host 5000
}

# Call it in teardown_file.
who_may_end()
{
	stop_all
	sandbox_end
}

# Call it in teardown: removes every filter, ban and grant.
who_may_forget()
{
	detach_all host
	inside sh -c 'rm -f /run/portcullis/bans-* /run/portcullis/grants-*'
}

# asks FROM [TO]: whether a connection from that address to port 5000 succeeds.
asks()
{
	local to=${2:-192.0.2.1}

	[[ $to != *:* ]] || to="[$to]"
	on client socat -u OPEN:/dev/null "TCP:$to:5000,bind=${1/#*:*/[$1]},connect-timeout=${ASK_SECONDS:-8}" 2> /dev/null
}

# kept_out FROM [TO]
kept_out()
{
	! ASK_SECONDS=0.5 asks "$@"
}

vain()
{
	kept_out "$@" || fail "$1 gets through"
}

# peer_asks: as asks, through the second interface.
peer_asks()
{
	on peer socat -u OPEN:/dev/null "TCP:203.0.113.1:5000,connect-timeout=${ASK_SECONDS:-8}" 2> /dev/null
}

peer_vain()
{
	! ASK_SECONDS=0.5 peer_asks || fail 'the peer gets through'
}

bans_of()
{
	pc bans --json | jq -c "$1"
}

# banned '["PREFIX LIST", ...]': exactly these bans exist.
banned()
{
	[ "$(bans_of '[.bans[] | .prefix + " " + .list]')" = "$1" ]
}

# same_bans '["PREFIX LIST", ...]'
same_bans()
{
	same "$1" "$(bans_of '[.bans[] | .prefix + " " + .list]')" 'the bans'
}

members()
{
	pc groups "$1" --json | jq -c "$2"
}
