# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash

note()
{
	sed 's/^/# /'
}

# check NAME COMMAND...: the command's own words are shown if it fails.
check()
{
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then
		echo "ok - $name"
	else
		echo "not ok - $name"
		note <<< "$said"
	fi
}

# same NAME EXPECTED ACTUAL
same()
{
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "# expected $2, found $3"
	fi
}

# soon SECONDS COMMAND...: until it succeeds.
soon()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { "$@"; return; }
		sleep 0.2
	done
}

# Whether the stranger got an answer of the port that is open: the cable carries, and it asks.
answers_open()
{
	grep -q ' open tcp' "/run/$1"
}

# replies STRANGER: how many answers from ports that are not open.
replies()
{
	grep -c ' reply ' "/run/$1" || true
}

no_replies()
{
	[ "$(replies "$1")" = 0 ] || { grep ' reply ' "/run/$1" | head -n 5; echo "... $(replies "$1") in all"; false; }
}

now()
{
	cut -d ' ' -f 1 /proc/uptime
}

# window NAME [SINCE]: milliseconds from link-up to filter; "none" without a filter.
window()
{
	awk -v name="$1" -v since="${2:-0}" '$2 != name || $1 < since { next }
		$3 == "gone" { up = xdp = 0 }
		$3 == "up" && !up { up = $1 }
		$4 == "xdp" && !xdp { xdp = $1 }
		END { if (!xdp) print "none"; else printf "%d\n", !up || xdp < up ? 0 : (xdp - up) * 1000 }' /run/links
}

# The moments of this boot, for people.
tell_boot()
{
	echo "# the boot, in seconds since power-on:"
	journalctl -b -o short-monotonic --no-pager -q -u portcullis -u systemd-networkd -u networking \
		-u 'ifup@*' -u network-pre.target -u network.target -u network-online.target -u guest-socket.socket \
		-u multi-user.target | cut -c 1-180 | note
	note < /run/links
	note < /run/early.log
}

# window_is NAME MILLISECONDS [SINCE]: at most so many.
window_is()
{
	local found

	found=$(window "$1" "${3:-0}")
	echo "the window was $found ms"
	[ "$found" != none ] && [ "$found" -le "$2" ]
}

# says REGULAR-EXPRESSION COMMAND...
says()
{
	local wanted=$1 said

	shift
	said=$("$@" 2>&1) || true
	grep -qE -- "$wanted" <<< "$said" || { tail -n 20 <<< "$said"; false; }
}

# before UNIT SECONDS: it was reached within so many seconds after portcullis.service began.
before()
{
	local began reached

	began=$(systemctl show -P InactiveExitTimestampMonotonic portcullis)
	reached=$(systemctl show -P ActiveEnterTimestampMonotonic "$1")
	echo "after $(((reached - began) / 1000)) ms"
	[ "$reached" -gt 0 ] && [ $(((reached - began) / 1000000)) -lt "$2" ]
}

# What must hold of a NIC that is there at boot, with every network manager.
check_boot()
{
	check 'the open port answers the stranger' soon 120 answers_open stranger4
	check 'and by IPv6' soon 60 answers_open stranger6
	check 'no port that is not listed ever answered, from power-on on' no_replies stranger4
	check 'nor by IPv6' no_replies stranger6
	check 'the NIC was filtered before it was up' window_is enp0s3 0
}
