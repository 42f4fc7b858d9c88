#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# An administrator changes the filter by a real SSH while strangers and a user of the host do what they can.
# SIEGE_SECONDS and SIEGE_CHANGES make it longer.

load helper
load programs
load servers

: "${SIEGE_SECONDS:=25}" "${SIEGE_CHANGES:=20}"

setup_file()
{
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.66/24
	# Answers to forged addresses leave the host, and no host resets the half-open connections.
	on host ip route add default via 192.0.2.2
	start_sshd host -o MaxStartups=1000 -o LoginGraceTime=10
	for port in 25 7000; do
		in_background host socat "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" PIPE
	done
	for port in 22 25 7000; do
		until_true 10 listening host $port
	done
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host
}

# by_ssh COMMAND...: runs portcullis in a new session of the administrator; prints its result.
by_ssh()
{
	local command=$PORTCULLIS

	[[ $PORTCULLIS == */build/portcullis || $1 == confirm ]] || set -- "$@" --catalog "$CATALOG"
	on client timeout 30 ssh -F "$DIR/ssh/config" -o ConnectTimeout=10 -b 192.0.2.2 192.0.2.1 "$(printf '%q ' "$command" "$@")"
}

# The two states between which the administrator switches: SSH from the administrator's network, or from anywhere.
write_sites()
{
	cat > "$DIR/wide.yaml" <<-END
		groups: {mgmt: 192.0.2.2}
		interfaces:
		  eth0: {profiles: [ssh, xeams]}
	END
	cat > "$DIR/narrow.yaml" <<-END
		groups: {mgmt: 192.0.2.2}
		interfaces:
		  eth0: {profiles: [ssh, xeams], from: {ssh:ssh: mgmt}, confirm: 60}
	END
}

strangers_are_in()
{
	[ "$(on host ss -Htn state established "dst 192.0.2.66 and sport = :22" | wc -l)" -gt 2 ]
}

# from_outside PORT: a connection from the stranger's address succeeds.
from_outside()
{
	on client socat -u OPEN:/dev/null "TCP:192.0.2.1:$1,bind=192.0.2.66,connect-timeout=0.5" 2> /dev/null
}

@test "$SIEGE_CHANGES changes by SSH under handshakes, forged SYNs and a user's servers: none is refused, no session ends" {
	# shellcheck disable=SC2034 # for `start`
	local START_SECONDS=$((SIEGE_SECONDS + 120))
	local siege="/usr/bin/python3 $ROOT/tests/e2e/siege.py" more=$((SIEGE_SECONDS + 90)) i change begin=$SECONDS

	write_sites
	start session client ssh -F "$DIR/ssh/config" -o ConnectTimeout=10 -o ServerAliveInterval=1 -o ServerAliveCountMax=5 \
		-b 192.0.2.2 192.0.2.1 "echo in; exec sleep $((more + 600))"
	until_true 20 logged session '^in'
	# shellcheck disable=SC2086
	{
		start user host setpriv --reuid 1000 --clear-groups $siege listens $more 3389 5900 5985
		until_true 5 listening host 5900
		start handshakes client $siege handshakes $more 192.0.2.66 192.0.2.1 22 25 3389 5900
		start syns client $siege syns $more eth0 "$(mac_of host eth0)" 192.0.2.1 22 25 5900 7000
	}
	for ((change = 1; change <= SIEGE_CHANGES; change++)); do
		if ((change % 2)); then
			exits 0 by_ssh apply --site "$DIR/wide.yaml"
			# Long enough for strangers to connect.
			until_true 20 strangers_are_in
		else
			exits 0 by_ssh apply --site "$DIR/narrow.yaml"
			says 'open connections continue, but new ones will be refused' 'to 22/tcp at eth0'
			exits 0 by_ssh confirm
			says 'eth0: confirmed'
		fi
		says_not '192.0.2.66' '198.18.' 'nothing was changed'
		while ((SECONDS - begin < SIEGE_SECONDS * change / SIEGE_CHANGES)); do
			sleep 0.2
		done
	done
	# The ports in the file are open, and no others.
	exits 0 by_ssh apply --site "$DIR/narrow.yaml"
	says 'eth0: is as the site file says'
	from_outside 25
	for i in 22 3389 5900 7000; do
		! from_outside $i || fail "$i is open"
	done
	exits 0 by_ssh status --json
	json_is '.interfaces | length == 1 and .[0].policy == "enforce" and .[0].confirm == null'
	same 1 "$(pins | wc -l)" 'folders of pins'
	! gone "$(< "$DIR/running/session.pid")" || fail "the session ended: $(cat "$DIR/session.log")"
}
