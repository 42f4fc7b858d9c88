#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Real servers and clients through the filter: Postfix, nginx, Dovecot.

load helper
load servers

setup_file()
{
	sandbox_start
	two_hosts
	# shellcheck source=scripts/postfix.bash
	. "$ROOT/scripts/postfix.bash"
	postfix_config "$DIR/postfix"
	export -f postfix_run
	in_background host bash -c 'postfix_run "$0"' "$DIR/postfix"
	start_nginx host 'hello through the portcullis'
	start_dovecot host 'imap pop3'
	until_true 15 listening host 25
	until_true 15 listening host 80
	until_true 15 listening host 143
	until_true 15 listening host 110
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# mail ADDRESS SUBJECT [PORT]
mail()
{
	on client swaks --server "$1" --port "${3:-25}" --timeout 15 --helo client.example.org \
		--from sender@example.org --to "someone@example.com" --header "Subject: $2"
}

in_mailbox()
{
	inside grep -qs "^Subject: $1\$" "$DIR/postfix/mail/inbox"
}

imap()
{
	on client timeout 20 curl -sS --connect-timeout 8 --url "imap://$1/" --user someone:secret \
		--request 'LIST "" INBOX'
}

pop3()
{
	on client timeout 20 curl -sS --connect-timeout 8 --url "pop3://$1/" --user someone:secret
}

@test "without a filter every server is reached: what follows is the filter's doing" {
	exits 0 mail 192.0.2.1 unfiltered
	exits 0 on client curl -sS --max-time 15 http://192.0.2.1/
	exits 0 on client curl -sS --max-time 15 http://192.0.2.1:8080/
	exits 0 imap 192.0.2.1
	exits 0 pop3 192.0.2.1
}

@test "mail arrives by IPv4 and IPv6 behind communigate-pro" {
	pc attach eth0 -p communigate-pro
	exits 0 mail 192.0.2.1 communigate-v4
	exits 0 mail '[2001:db8::1]' communigate-v6
	until_true 5 in_mailbox communigate-v4
	until_true 5 in_mailbox communigate-v6
	output=$(pc counters --json)
	json_is '.interfaces[0].ports[] | select(.port == 25 and .protocol == "tcp") |
		.services == ["communigate-pro:smtp"] and .pass.packets > 10 and .drop.packets == 0'
}

@test "mail arrives behind xeams, of which IMAP and POP3 are closed" {
	pc attach eth0 -p xeams
	exits 0 mail 192.0.2.1 xeams-v4
	exits 0 mail '[2001:db8::1]' xeams-v6
	until_true 5 in_mailbox xeams-v4
	until_true 5 in_mailbox xeams-v6
	for address in 192.0.2.1 2001:db8::1; do
		unanswered client $address 143
		unanswered client $address 110
		unanswered client $address 80
	done
}

@test "mail does not arrive behind a profile without SMTP" {
	pc attach eth0 -p ssh
	exits 2 mail 192.0.2.1 through-ssh
	says 'Error connecting'
	unanswered client 192.0.2.1 25
	unanswered client 2001:db8::1 25
	run ! in_mailbox through-ssh
}

@test "Dovecot is reached behind xeams with --enable imap, and by POP3 with its own feature" {
	pc attach eth0 -p xeams --enable imap
	exits 0 imap 192.0.2.1
	says 'INBOX'
	exits 0 imap '[2001:db8::1]'
	unanswered client 192.0.2.1 110
	pc swap eth0 --enable pop3-server
	exits 0 imap 192.0.2.1
	exits 0 pop3 192.0.2.1
	exits 0 pop3 '[2001:db8::1]'
	pc swap eth0 --disable xeams:imap
	unanswered client 192.0.2.1 143
	exits 0 pop3 192.0.2.1
}

@test "nginx is reached by IPv4 and IPv6 on the profile's port, with large answers, and on no other" {
	pc attach eth0 -p socialminer
	exits 0 on client curl -sS --max-time 15 http://192.0.2.1/
	same 'hello through the portcullis' "$output"
	exits 0 on client curl -sS --max-time 15 'http://[2001:db8::1]/'
	same 'hello through the portcullis' "$output"
	on client curl -sS --max-time 20 'http://[2001:db8::1]/large' -o "$DIR/received"
	cmp "$DIR/nginx/www/large" "$DIR/received"
	unanswered client 192.0.2.1 8080
	unanswered client 2001:db8::1 8080
	pc swap eth0 -p ol-connect
	exits 0 on client curl -sS --max-time 15 http://192.0.2.1:8080/
	unanswered client 192.0.2.1 80
}

@test "a large upload passes too, byte for byte" {
	pc attach eth0 -p socialminer
	head -c 3000000 /dev/urandom > "$DIR/upload"
	in_background host timeout 20 socat -u TCP6-LISTEN:7071,ipv6only=0,reuseaddr "CREATE:$DIR/uploaded"
	until_true 5 listening host 7071
	on client timeout 10 socat -u "OPEN:$DIR/upload" TCP:192.0.2.1:7071
	until_true 5 inside cmp -s "$DIR/upload" "$DIR/uploaded"
	output=$(pc counters --json)
	json_is '.interfaces[0].ports[] | select(.port == 7071) | .pass.bytes > 3000000 and .drop.packets == 0'
}

@test "a group decides who reaches the server" {
	address_add client eth0 192.0.2.77/24
	pc attach eth0 -p ssh --set ssh:ssh=80/tcp --from ssh:ssh=trusted --group trusted=192.0.2.77
	exits 28 on client curl -sS --max-time 1 --interface 192.0.2.2 http://192.0.2.1/
	exits 0 on client curl -sS --max-time 15 --interface 192.0.2.77 http://192.0.2.1/
	exits 28 on client curl -sS --max-time 1 'http://[2001:db8::1]/'
	pc swap eth0 --group trusted=192.0.2.2,2001:db8::/64
	exits 0 on client curl -sS --max-time 15 --interface 192.0.2.2 http://192.0.2.1/
	exits 28 on client curl -sS --max-time 1 --interface 192.0.2.77 http://192.0.2.1/
	exits 0 on client curl -sS --max-time 15 'http://[2001:db8::1]/'
	on client ip address del 192.0.2.77/24 dev eth0
}

@test "generic mode lets the same servers be reached, and no others" {
	pc attach eth0 -p socialminer --mode generic
	exits 0 on client curl -sS --max-time 15 http://192.0.2.1/
	on client curl -sS --max-time 20 'http://192.0.2.1/large' -o "$DIR/received"
	cmp "$DIR/nginx/www/large" "$DIR/received"
	unanswered client 192.0.2.1 8080
	unanswered client 2001:db8::1 25
}

@test "observe mode: every server is reached, and what enforce would drop is counted" {
	pc attach eth0 -p ssh --observe
	exits 0 mail 192.0.2.1 observed
	exits 0 on client curl -sS --max-time 15 http://192.0.2.1/
	output=$(pc counters --json)
	json_is '.interfaces[0].total.drop.packets == 0'
	# Only the SYN is counted: later packets belong to a connection that the kernel has.
	json_is '.interfaces[0].ports[] | select(.port == 25) | .would_drop.packets >= 1 and .services == []'
	pc swap eth0 --enforce
	unanswered client 192.0.2.1 80
}
