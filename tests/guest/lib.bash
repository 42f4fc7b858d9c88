# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash

note()
{
	sed 's/^/# /'
}

# check NAME COMMAND...: shows the command's output if it fails.
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

# soon SECONDS COMMAND...: repeats it until it succeeds.
soon()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { "$@"; return; }
		sleep 0.2
	done
}

# Whether the stranger got an answer from the open port, which shows that the cable works and that it asks.
answers_open()
{
	grep -q ' open tcp' "/run/$1"
}

# replies STRANGER: the number of answers from ports that are not open.
replies()
{
	grep -c ' reply ' "/run/$1" || true
}

no_replies()
{
	[ "$(replies "$1")" = 0 ] || { grep ' reply ' "/run/$1" | head -n 5; echo "... $(replies "$1") in all"; false; }
}

filtered()
{
	ip -details link show dev "$1" | grep -q 'prog/xdp'
}

not()
{
	! "$@"
}

now()
{
	cut -d ' ' -f 1 /proc/uptime
}

# window NAME [SINCE]: milliseconds for which it was up without a filter; "none" if it has none.
window()
{
	awk -v name="$1" -v since="${2:-0}" '$2 != name { next }
		open && $1 > since { total += $1 - (from > since ? from : since) }
		{ open = $3 == "up" && $4 == "open"; filtered = $4 == "xdp"; from = $1 }
		END { if (!filtered) print "none"; else printf "%d\n", total * 1000 }' /run/links
}

# up_at NAME [SINCE]: when it was set up.
up_at()
{
	awk -v name="$1" -v since="${2:-0}" '$1 > since && $2 == name && $3 == "up" { print $1; exit }' /run/links
}

# The times of this boot, for people.
tell_boot()
{
	echo "# the boot, in seconds since power-on:"
	journalctl -b -o short-monotonic --no-pager -q -u portcullis -u systemd-networkd -u networking \
		-u 'ifup@*' -u network-pre.target -u network.target -u network-online.target -u guest-socket.socket \
		-u multi-user.target | cut -c 1-180 | note
	note < /run/links
	note < /run/early.log
}

# window_is NAME MILLISECONDS [SINCE]: the window is at most that long.
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

# before UNIT SECONDS: the unit was reached within that time after portcullis.service began.
before()
{
	local began reached

	began=$(systemctl show -P InactiveExitTimestampMonotonic portcullis)
	reached=$(systemctl show -P ActiveEnterTimestampMonotonic "$1")
	echo "after $(((reached - began) / 1000)) ms"
	[ "$reached" -gt 0 ] && [ $(((reached - began) / 1000000)) -lt "$2" ]
}

# filters_before UNIT: the unit was reached after portcullis.service had finished.
filters_before()
{
	local done reached

	done=$(systemctl show -P ActiveEnterTimestampMonotonic portcullis)
	reached=$(systemctl show -P ActiveEnterTimestampMonotonic "$1")
	echo "portcullis at $((done / 1000)) ms, $1 at $((reached / 1000)) ms"
	[ "$done" -gt 0 ] && [ "$reached" -ge "$done" ]
}

# What must hold for a NIC that exists at boot, with every network manager.
check_boot()
{
	check 'network-pre.target waited for the filter' filters_before network-pre.target
	check 'sysinit.target did' filters_before sysinit.target
	check 'the open port answers the stranger' soon 120 answers_open stranger4
	check 'and by IPv6' soon 60 answers_open stranger6
	check 'no port that is not listed ever answered, from power-on on' no_replies stranger4
	check 'nor by IPv6' no_replies stranger6
	check 'the NIC was filtered before it was up' window_is enp0s3 0
}

# The shipped unit's [Service] with another program.
sandboxed()
{
	local unit=/run/systemd/system/sandbox.service

	sed -n '/^\[Service\]/,/^\[Install\]/p' "$(systemctl show -P FragmentPath portcullis)" | sed -e '/^\[Install/d; /^ExecReload/d' \
		-e 's|^ExecStart=.*|ExecStart=/guest/sandbox\nStandardOutput=file:/run/sandbox.log\nRuntimeDirectoryPreserve=yes|' > $unit
	systemctl daemon-reload
	systemctl start sandbox || systemctl status --no-pager sandbox
	cat /run/sandbox.log
	[ -e /run/sandbox.log ] && [ ! -s /run/sandbox.log ]
}

# exposure THRESHOLD: systemd rates the running unit at most so high, in tenths.
exposure()
{
	systemd-analyze security --no-pager --threshold="$1" portcullis.service
}
