#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# "Is it the filter?": the questions of an administrator, with a real Postfix, a real SIP server and a flood, each
# answered by what `portcullis --help` names, in less than two seconds. The answers are kept in WHY_TRANSCRIPT, if set.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	# The peers in the questions are behind the client.
	address_add client eth0 198.51.100.7/32 203.0.113.66/32 203.0.113.77/32
	on host ip route add 198.51.100.0/24 via 192.0.2.2
	on host ip route add 203.0.113.0/24 via 192.0.2.2
	MAC=$(mac_of host eth0)
	export MAC
	# shellcheck source=scripts/postfix.bash
	. "$ROOT/scripts/postfix.bash"
	postfix_config "$DIR/postfix"
	export -f postfix_run
	in_background host bash -c 'postfix_run "$0"' "$DIR/postfix"
	until_true 15 listening host 25
	in_background host socat TCP6-LISTEN:993,fork,reuseaddr,ipv6only=0 SYSTEM:'echo imaps'
	until_true 5 listening host 993
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	on host nft flush ruleset
	detach_all host
}

# asks WORDS...: runs portcullis on a terminal of 80 columns; $output is the answer, which must come in less than 2 s.
asks()
{
	local start=$EPOCHREALTIME took

	run on host /usr/bin/python3 "$ROOT/tests/e2e/terminal.py" 24 80 30 "$PORTCULLIS" "$@"
	took=$(awk -v start="$start" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.2f", end - start }')
	output=$(sed -e 's/\r//g' -e 's/\x1b\[[0-9;]*[A-Za-z]//g' <<< "$output")
	kept "# portcullis $* [$took s]" "$output"
	awk -v took="$took" 'BEGIN { exit took >= 2 }' || fail "portcullis $*: took $took s: $output"
	! LC_ALL=C.UTF-8 grep -nE '^.{81,}' <<< "$output" || fail "portcullis $*: wider than 80 columns"
}

kept()
{
	[ -z "${WHY_TRANSCRIPT:-}" ] || printf '%s\n' "$@" >> "$WHY_TRANSCRIPT"
}

question()
{
	kept '' "== $1"
}

# The fix of the last answer in the form in which a user pastes it: several lines if a backslash joins them.
fix()
{
	awk '/^  fix  / { found = 1; sub(/^  fix  */, "") } found { print } found && !/\\$/ { exit }' <<< "$output"
}

# Types the fix.
pastes_fix()
{
	local words

	words=$(fix)
	[ -n "$words" ] || fail "no fix: $output"
	kept "# $words"
	on host bash -c "portcullis() { '$PORTCULLIS' \"\$@\"; }; $words" > "$DIR/fixed" 2>&1 || fail "$words: $(cat "$DIR/fixed")"
	kept "$(cat "$DIR/fixed")"
}

# mail FROM-ADDRESS SUBJECT
mail()
{
	on client timeout 20 swaks --server 192.0.2.1 --port 25 --timeout 3 --local-interface "$1" --helo client.example.org \
		--from sender@example.org --to someone@example.com --header "Subject: $2"
}

in_mailbox()
{
	inside grep -qs "^Subject: $1\$" "$DIR/postfix/mail/inbox"
}

# flood SECONDS FLOW...: sends in the background, as fast as the cable allows; each FLOW is a line for tests/e2e/send.c.
flood()
{
	local seconds=$1

	shift
	printf '%s\n' "$@" > "$DIR/flood"
	START_SECONDS=$((seconds + 5)) start flood client bash -c 'exec "$0" -t "$1" eth0 "$2" < "$3"' "$TOOLS/send" "$seconds" "$MAC" "$DIR/flood"
}

@test "mail to 25 from 198.51.100.7 does not arrive: is it the filter? yes, and its fix lets it in" {
	question 'Mail to 25 from 198.51.100.7 does not arrive: is it the filter?'
	pc attach eth0 -p ssh,postfix --from postfix:smtp=partners --group partners=192.0.2.0/28
	exits 2 mail 198.51.100.7 refused
	asks explain 198.51.100.7 25/tcp
	says 'drop' 'source' 'postfix:smtp' 'partners'
	pastes_fix
	exits 0 mail 198.51.100.7 fixed
	until_true 5 in_mailbox fixed
	asks explain 198.51.100.7 25/tcp
	says 'pass'
	asks drops --source 198.51.100.7
	says '198.51.100.7' '25/tcp' 'source'
}

@test "mail to 25 from 198.51.100.7 does not arrive: is it the filter? no, nftables is behind it" {
	question 'Mail to 25 from 198.51.100.7 does not arrive, and it is not the filter'
	pc attach eth0 -p ssh,postfix
	on host nft -f - <<-END
		table inet firewall {
		        chain input {
		                type filter hook input priority 0
		                tcp dport 25 ip saddr 198.51.100.0/24 drop
		        }
		}
	END
	exits 2 mail 198.51.100.7 behind
	asks explain 198.51.100.7 25/tcp
	says 'the filter does not drop it' 'nftables drops it' 'firewall' 'input'
}

@test "who hammers 5060? the one that does it is the first line, and the SIP server still answers" {
	question 'Who hammers 5060?'
	pc attach eth0 -p ssh,asterisk --from asterisk:sip=trunk --group trunk=192.0.2.2
	start sip host sipp -sn uas -i 192.0.2.1 -p 5060 -nostdin
	# Others knock later, so the latest rows are not those with most packets.
	flood 2 'udp 203.0.113.66 192.0.2.1 5060 5060 400'
	sleep 3.2
	on client "$TOOLS/send" eth0 "$MAC" > "$DIR/sent" <<-END
		udp 203.0.113.77 192.0.2.1 5060 5060 400
		udp 198.51.100.7 192.0.2.1 5060 5060 400
	END
	asks drops --port 5060/udp --by source
	says '203.0.113.66' '5060/udp' 'source (asterisk:sip)'
	[[ $(sed -n 2p <<< "$output") == *' 203.0.113.66 '* ]] || fail "another one is first: $output"
	stop flood
	flood 12 'udp 203.0.113.66 192.0.2.1 5060 5060 400'
	sleep 1
	asks counters eth0
	says '5060/udp' 'asterisk:sip'
	exits 0 on client timeout 15 sipp -sn uac -i 192.0.2.2 -p 5062 -m 2 -r 10 -d 200 -nostdin -recv_timeout 3000 192.0.2.1:5060
	# If the port is open to the source: the command that shows passed packets.
	pc swap eth0 --from asterisk:sip=anyone
	asks monitor --all --port 5060/udp --count 5
	says '203.0.113.66' 'pass'
}

@test "993/tcp? a feature that is off; the fix is pasted, and it works" {
	question '993/tcp?'
	pc attach eth0 -p ssh,xeams
	run ! connects client 192.0.2.1 993
	asks explain 198.51.100.7 993/tcp
	says 'xeams:imap-ssl' 'feature'
	same 'portcullis swap eth0 --enable xeams:imap-ssl' "$(fix)" 'the fix'
	pastes_fix
	connects client 192.0.2.1 993
}

@test "a scan from a /24 is one line, and who knocked three times last night is still there after the flood" {
	question 'A scan; and a knock of last night, a flood since'
	pc attach eth0 -p ssh
	for _ in 1 2 3; do
		on client "$TOOLS/send" eth0 "$MAC" <<< 'tcp 203.0.113.77 192.0.2.1 40000 3389 60' > "$DIR/sent"
		sleep 1.1
	done
	for i in {1..200}; do
		echo "tcp 198.51.100.$i 192.0.2.1 40000 8000-8009 60"
	done | on client "$TOOLS/send" eth0 "$MAC" > "$DIR/sent"
	asks drops
	says '198.51.100.0/24' '203.0.113.77' '3389/tcp'
	[ "$(grep -c '198\.51\.100\.' <<< "$output")" = 1 ] || fail "more than one line: $output"
	flood 5 'udp 203.0.113.66 192.0.2.1 5060 5060 100'
	sleep 3
	asks drops --source 203.0.113.77
	says '203.0.113.77' '3389/tcp' '3'
	asks drops --by prefix --top 5
	says '203.0.113.0/24'
}

@test "a rare packet in the flood is heard" {
	question 'A rare packet in the flood'
	pc attach eth0 -p ssh
	flood 10 'udp 203.0.113.66 192.0.2.1 5060 5060 60'
	sleep 1
	(
		sleep 0.7
		on client "$TOOLS/send" eth0 "$MAC" <<< 'tcp 203.0.113.77 192.0.2.1 40000 3389 60' > "$DIR/sent"
	) &
	asks monitor eth0 --source 203.0.113.77 --count 1
	says '203.0.113.77' '3389/tcp' 'unlisted'
	wait $!
}

@test "words that a newcomer types: an address or a port where an interface should be, a rule that nobody explained" {
	pc attach eth0 -p ssh
	exits 2 pc drops 198.51.100.7
	says "drops: '198.51.100.7' is not an interface; to fix it: portcullis drops --source 198.51.100.7"
	exits 2 pc drops eth0 198.51.100.0/24
	says 'portcullis drops --source 198.51.100.0/24'
	exits 2 pc drops 5060
	says 'portcullis drops --port 5060/tcp'
	exits 2 pc drops 5060/udp
	says 'portcullis drops --port 5060/udp'
	exits 1 pc drops eth9
	says 'eth9: no such interface'
	run pc monitor 2001:db8::7
	says 'portcullis monitor --source 2001:db8::7'
	run pc monitor eth0 993/tcp
	says 'portcullis monitor --port 993/tcp'
	# An interface may have the same name as a port.
	on host ip link add 5060 type veth peer name 5061
	exits 1 pc drops 5060
	says '5060' 'no filter'
	on host ip link del 5060
	for word in service reply non-ip; do
		exits 0 pc help $word
		says "$word: a rule by which a packet passes"
	done
}
