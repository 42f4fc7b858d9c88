#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# An administrator's day on a terminal of 80 columns: set up, observe, enforce, one port more, one group more, see, undo, remove.
# Each task is at most one command more than with ufw, and what is not saved says so.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.66/24
	for port in 22 25 993 8443 9100; do
		in_background host socat "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" SYSTEM:'echo hello'
		until_true 5 listening host $port
	done
	SITE=$DIR/site.yaml
	export SITE
}

teardown_file()
{
	sandbox_end
}

# task NAME UFW: begins a task for which ufw needs UFW commands.
task()
{
	ended
	task=$1 allowed=$(($2 + 1)) used=0
	echo "# $task (ufw: $2)"
}

ended()
{
	[ -z "${task:-}" ] || ((used <= allowed)) || fail "$task: $used commands, ufw and one: $allowed"
}

# types ARGUMENT...: runs portcullis on the terminal. Every line must fit, and the command must succeed.
types()
{
	used=$((used + 1))
	case $PORTCULLIS:$1 in
	*/build/portcullis:* | *:confirm | *:detach | *:counters | *:status | *:groups | *:export) ;;
	*) set -- "$@" --catalog "$CATALOG" ;;
	esac
	run on host /usr/bin/python3 "$ROOT/tests/e2e/terminal.py" 24 80 30 "$PORTCULLIS" "$@"
	[ "$status" = 0 ] || fail "portcullis $*: exit $status: $output"
	output=$(sed -e 's/\r//g' -e 's/\x1b\[[0-9;]*[A-Za-z]//g' <<< "$output")
	echo "$output"
	! LC_ALL=C.UTF-8 grep -nE '^.{81,}' <<< "$output" || fail "portcullis $*: wider than 80 columns"
}

# answers_from ADDRESS PORT: a new connection from there gets an answer.
answers_from()
{
	[ "$(on client socat -u "TCP:192.0.2.1:$2,bind=$1,connect-timeout=1" - 2> /dev/null)" = hello ]
}

@test "a day: set up, observe, enforce, one port more, one group more, see, undo, remove" {
	task 'set up and observe' 3 # ufw allow Postfix; ufw allow 'Dovecot Secure IMAP'; ufw enable
	cat > "$SITE" <<-END
		groups: {mgmt: 192.0.2.2}
		interfaces:
		  eth0: {profiles: [ssh, postfix, dovecot], from: {ssh:ssh: mgmt}, observe: true}
	END
	types check "$SITE"
	types apply --site "$SITE"
	says 'observe'
	answers_from 192.0.2.66 8443
	types counters eth0
	says '8443'

	task enforce 1 # ufw default deny
	types swap eth0 --enforce --confirm 1m
	says 'not confirmed yet' 'not saved'
	types confirm eth0
	! answers_from 192.0.2.66 8443 || fail '8443 answers a stranger'
	! answers_from 192.0.2.66 22 || fail '22 answers a stranger'
	answers_from 192.0.2.2 22
	answers_from 192.0.2.66 993

	task 'one port more' 1 # ufw allow 8443/tcp
	types swap eth0 --open 8443/tcp
	says 'opens' '8443/tcp' 'not saved'
	answers_from 192.0.2.66 8443

	task 'one group more' 1 # ufw allow from 192.0.2.2 to any port 9100 proto tcp
	types swap eth0 --open 9100/tcp=monitoring --group monitoring=192.0.2.2
	answers_from 192.0.2.2 9100
	! answers_from 192.0.2.66 9100 || fail '9100 answers a stranger'

	task see 1 # ufw status verbose
	types status eth0
	says 'enforce'
	types groups
	says 'monitoring' 'site:9100-tcp'

	task 'undo' 1 # ufw delete allow 8443/tcp
	types swap eth0 --no-open 8443/tcp
	! answers_from 192.0.2.66 8443 || fail '8443 answers a stranger'
	answers_from 192.0.2.2 9100

	task 'save' 0 # ufw saves each rule
	types export site --site "$SITE"
	pc export site --site "$SITE" > "$SITE.new"
	mv "$SITE.new" "$SITE"

	# A reboot leaves no filter. The rules in the file come back, those that were taken back do not.
	detach_all host
	answers_from 192.0.2.66 8443
	pc apply --boot --site "$SITE"
	! answers_from 192.0.2.66 8443 || fail '8443 answers a stranger'
	! answers_from 192.0.2.66 22 || fail '22 answers a stranger'
	answers_from 192.0.2.2 9100
	answers_from 192.0.2.2 22

	task 'remove' 1 # ufw disable
	types detach --all
	answers_from 192.0.2.66 8443
	ended
}
