#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Debian's fail2ban with the action of the package, and real failures of Dovecot: ban, unban, stop, restart.

load helper
load who_may
load servers

# bats does not skip the tests of a file if setup_file skips, so each test does.
is_there()
{
	command -v fail2ban-server > /dev/null && command -v dovecot > /dev/null
}

setup_file()
{
	is_there || return 0
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.7/24
	start_dovecot host imap
	until_true 20 listening host 143
	mkdir -p "$DIR/bin"
	ln -s "$PORTCULLIS" "$DIR/bin/portcullis"
	cp -r /etc/fail2ban "$DIR/fail2ban"
	rm -f "$DIR/fail2ban/jail.d/"*
	cp "$BATS_TEST_DIRNAME/../../systemd/fail2ban.conf" "$DIR/fail2ban/action.d/portcullis.conf"
	cat > "$DIR/fail2ban/jail.local" <<-END
		[DEFAULT]
		banaction = portcullis
		bantime = 600
		findtime = 600
		maxretry = 2
		backend = polling
		usedns = no
		[dovecot]
		enabled = true
		logpath = $DIR/dovecot/log
		[other]
		enabled = true
		filter = dovecot
		logpath = $DIR/other.log
	END
	: > "$DIR/other.log"
	pc attach eth0 -p dovecot --enable imap 2> /dev/null || pc attach eth0 -p ssh --open 143/tcp
	f2b_start
}

setup()
{
	is_there || skip 'needs fail2ban and dovecot'
}

teardown_file()
{
	stop_all
	sandbox_end
}

f2b()
{
	on host fail2ban-client -c "$DIR/fail2ban" -s "$DIR/f2b.sock" -p "$DIR/f2b.pid" "$@"
}

f2b_start()
{
	START_SECONDS=600 start fail2ban host env PATH="$DIR/bin:$PATH" fail2ban-server -f -x -c "$DIR/fail2ban" -s "$DIR/f2b.sock" \
		-p "$DIR/f2b.pid" --logtarget "$DIR/f2b.log" start
	until_true 30 f2b ping
}

f2b_stop()
{
	f2b stop > /dev/null
	until_true 30 sh -c "! test -e '$DIR/f2b.sock'"
	rm -f "$DIR/running/fail2ban.pid"
}

# fails FROM: two logins with a wrong password.
fails()
{
	local i

	for i in 1 2; do
		{ printf 'a login nobody wrong%s\r\n' "$i"; sleep 4; } |
			on client timeout 8 socat -t 5 - "TCP:192.0.2.1:143,bind=$1" > /dev/null 2>&1 || true
	done
}

@test "failed logins at Dovecot are banned by the jail; unban lets the next packet in; explain says by whom" {
	fails 192.0.2.7
	until_true 30 banned '["192.0.2.7/32 fail2ban-dovecot"]' || fail "$(tail -n 20 "$DIR/f2b.log"; tail -n 20 "$DIR/dovecot/log")"
	exits 0 pc bans --json
	json_is '.bans[0] | .comment == "jail dovecot: 2 failures" and (.until | fromdate) - now > 500'
	CONNECT_TIMEOUT=1 run connects client 192.0.2.1 143
	same 0 "$status" 'the neighbour'
	exits 0 pc explain 192.0.2.7 143/tcp
	says 'banned by fail2ban-dovecot until'
	f2b set dovecot unbanip 192.0.2.7 > /dev/null
	until_true 10 banned '[]'
}

@test "two jails and an administrator ban the same address: each lifts its own; stopping one jail lifts no other's" {
	f2b set dovecot banip 192.0.2.7 > /dev/null
	f2b set other banip 192.0.2.7 198.51.100.9 > /dev/null
	pc ban 192.0.2.7
	until_true 20 banned '["192.0.2.7/32 fail2ban-dovecot","192.0.2.7/32 fail2ban-other","192.0.2.7/32 manual","198.51.100.9/32 fail2ban-other"]'
	f2b stop other > /dev/null
	until_true 20 banned '["192.0.2.7/32 fail2ban-dovecot","192.0.2.7/32 manual"]'
	f2b set dovecot unbanip 192.0.2.7 > /dev/null
	until_true 20 banned '["192.0.2.7/32 manual"]'
	exits 0 pc explain 192.0.2.7 143/tcp
	says 'banned by manual'
	pc unban 192.0.2.7
	f2b reload > /dev/null
	# The administrator's unban was from every list, even from the parked one.
	until_true 20 banned '["198.51.100.9/32 fail2ban-other"]' || fail "$(pc bans; tail -n 40 "$DIR/f2b.log")"
	pc unban --list fail2ban-other 198.51.100.9
}

@test "a restart puts 10,000 bans in force again within 3 s" {
	local began took

	/usr/bin/python3 -c 'for i in range(10000): print(f"10.7.{i >> 8}.{i & 255}")' > "$DIR/many"
	pc ban --list fail2ban-dovecot "@$DIR/many" --for 1h > /dev/null
	f2b_stop
	banned '[]' || fail "$(pc bans | head -n 3; tail -n 40 "$DIR/f2b.log")"
	f2b_start
	began=$(date +%s%N)
	until_true 30 many_are_there
	took=$((($(date +%s%N) - began) / 1000000))
	echo "# $took ms" >&3
	((took < 3000)) || fail "$took ms"
}

many_are_there()
{
	[ "$(pc bans --json | jq '.bans | length')" = 10000 ]
}
