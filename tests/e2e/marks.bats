#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Marks of local ports: a flood to others asks no sockets, and no connection lacks its mark. Wherever it says `alone`,
# the look-ups that are made without a mark are taken away, as a flood takes them: then a connection that lacks its
# mark stalls at once.

load helper
load programs

setup_file()
{
	sandbox_start
	two_hosts
	profile closed <<-END
		services:
		  - name: nothing-here
		    in: 9999/tcp
	END
	profile open <<-END
		services:
		  - name: echo
		    in: 7000/tcp
	END
	crowd_server host 7000
	crowd_server client 7001
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	local name

	for name in "$DIR"/running/hold*.pid; do
		[ ! -e "$name" ] || stop "$(basename "$name" .pid)"
	done
	detach_all host
	on host ip link del other 2> /dev/null || true
	on client nft flush ruleset
}

# crowd_server HOST PORT: runs a server for TCP and UDP.
crowd_server()
{
	start "server-$1" "$1" /usr/bin/python3 "$BATS_TEST_DIRNAME/crowd.py" serve "$2"
	until_true 10 listening "$1" "$2"
}

# crowd NAME HOST GROUP...: opens connections that stay (crowd.py).
crowd()
{
	rm -f "$DIR/$1.control"
	start "hold-$1" "$2" /usr/bin/python3 "$BATS_TEST_DIRNAME/crowd.py" hold "$DIR/$1.control" "${@:3}"
	until_logged "hold-$1" '^ready'
}

# all NAME WORDS: each connection of this crowd gives this result.
all()
{
	local answer

	answer=$(tell "$1" "$2")
	[[ $answer =~ ^([0-9]+)' of '([0-9]+) && ${BASH_REMATCH[1]} = "${BASH_REMATCH[2]}" ]] || fail "$1: $answer"
}

# all_talk NAME...: each of their questions is answered.
all_talk()
{
	local name

	for name; do
		all "$name" 'echo 4'
	done
}

# all_hear NAME...: crowds of the host receive what the other side sends unasked. Then they talk.
all_hear()
{
	local name

	signal server-client USR1
	for name; do
		all "$name" 'hear 4'
	done
	all_talk "$@"
}

# none_talks NAME: the connections must come from outside, because what this host sends marks its port.
none_talks()
{
	[[ $(tell "$1" 'echo 1') == '0 of '* ]] || fail "$1 talks without a mark"
}

# The pin of the marks; filters of one network namespace share them.
marks()
{
	inside "$TOOLS/marks" "$PINS/$(pins | head -1 | xargs basename)/marks" "$1"
}

trusted()
{
	same 1 "$(marks trusted)" 'marks are trusted'
}

doubted()
{
	same 0 "$(marks trusted)" 'marks are in doubt'
}

attach_other()
{
	on host ip link set other-end down
	pc attach other -p closed --catalog "$DIR/catalog"
}

outs=("tcp,192.0.2.2,7001,20" "tcp,2001:db8::2,7001,20" "tcp,::ffff:192.0.2.2,7001,20"
	"udp,192.0.2.2,7001,20" "udp,2001:db8::2,7001,20")
ins=("tcp,192.0.2.1,7000,20" "tcp,2001:db8::1,7000,20")

@test "connections from before attach, and after, in and out, live by their marks alone" {
	crowd out host "${outs[@]}"
	crowd in client "${ins[@]}"
	attach --force -p closed
	trusted
	marks alone
	all_hear out
	all_talk in
	swap --force -p open
	crowd later host "${outs[@]}"
	crowd later-in client "${ins[@]}"
	swap --force -p closed
	trusted
	marks alone
	all_hear later out
	all_talk in later-in
	marks clear
	none_talks later-in
}

@test "what was only accepted, and has sent nothing since, has its mark: with SYN cookies, too" {
	local cookies

	attach --force -p open
	for cookies in 1 2; do
		on host sysctl -qw net.ipv4.tcp_syncookies=$cookies
		marks clear
		crowd in client "${ins[@]}"
		on host sysctl -qw net.ipv4.tcp_syncookies=1
		swap --force -p closed
		trusted
		marks alone
		all_talk in
		stop hold-in
		swap --force -p open
	done
}

@test "a deadline's fallback and a takeover keep the marks" {
	attach --force -p closed
	swap --force -p open --confirm 2s
	marks clear
	crowd in client "${ins[@]}"
	crowd out host "${outs[@]}"
	marks alone
	until_true 8 unanswered client 192.0.2.1 7000
	all_talk in
	all_hear out
	pc detach eth0
	on host "$TOOLS/portcullis-layout-4" attach eth0 --force --catalog "$DIR/catalog" -p closed
	trusted
	crowd later host "${outs[@]}"
	exits 0 swap --force -p closed
	says 'taken over'
	trusted
	marks alone
	all_hear out later
	all_talk in
}

@test "an older layout, which marked nothing, is taken over: what it let out is marked" {
	needs_layout 3
	on host "$TOOLS/portcullis-layout-3" attach eth0 --force --catalog "$DIR/catalog" -p closed
	crowd out host "${outs[@]}"
	exits 0 swap --force -p closed
	says 'taken over'
	trusted
	marks alone
	all_hear out
}

@test "while an interface is up that has no filter, sockets are always asked" {
	attach --force -p open
	crowd in client "${ins[@]}"
	swap --force -p closed
	trusted
	marks alone
	on host ip link add other type veth peer name other-end
	marks clear
	all_talk in
	swap --force -p closed # both interfaces are down
	trusted
	marks alone
	marks clear
	none_talks in
	on host ip link set other up
	all_talk in
	swap --force -p closed
	doubted
	attach_other
	trusted
	pc detach other
	doubted
	on host ip link set other down
	exits 0 pc doctor
	says 'an interface or address came or went'
	swap --force -p closed
	trusted
	exits 0 pc doctor
	says 'dropped without a socket lookup'
	on host ip link del other
	marks clear
	marks alone
	all_talk in
}

@test "a question by an interface without a filter, answered by one that has it" {
	link_add host other client other
	address_add host other 198.51.100.1/24
	address_add client other 198.51.100.2/24
	on host ip route add 203.0.113.1 via 198.51.100.2 src 192.0.2.1
	address_add client lo 203.0.113.1/32
	on host sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
	on client sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.other.rp_filter=0
	attach --force -p closed
	doubted
	exits 0 pc doctor
	says 'no filter sees what this host sends by other'
	marks alone
	crowd out host tcp,203.0.113.1,7001,20
	all_talk out
}

@test "sockets bound to a device, and what this host translates, go on as before" {
	attach --force -p closed
	marks alone
	crowd bound host tcp,192.0.2.2,7001,10,eth0 udp,2001:db8::2,7001,10,eth0
	all_hear bound
	on host nft 'table ip own { chain own { type nat hook postrouting priority 100; meta l4proto { tcp, udp } masquerade to :20000-20100; }; }'
	crowd translated host tcp,192.0.2.2,7001,10 udp,192.0.2.2,7001,10
	all_talk translated
	on host nft flush ruleset
}

@test "a scan leaves no mark but those of what listens" {
	local before

	attach --force -p closed --observe
	before=$(marks count)
	on client timeout 60 /usr/bin/python3 - <<-'END'
		import socket
		for port in range(1, 65536, 7):
		    one = socket.socket()
		    one.setblocking(False)
		    one.connect_ex(("192.0.2.1", port))
		    one.close()
		    one = socket.socket(type=socket.SOCK_DGRAM)
		    one.sendto(b"x", ("192.0.2.1", port))
		    one.close()
	END
	same "$before" "$(marks count)" 'marks after a scan'
}

# flooded COUNT: more packets than so many were dropped.
flooded()
{
	[ "$(packets in udp 9 drop)" -gt "$1" ]
}

@test "no TCP connection stalls beside a flood, busy or idle" {
	attach --force -p open
	crowd in client "tcp,192.0.2.1,7000,150" "tcp,2001:db8::1,7000,50"
	crowd out host "tcp,192.0.2.2,7001,150" "tcp,2001:db8::2,7001,50"
	crowd idle host "tcp,192.0.2.2,7001,250" "tcp,2001:db8::2,7001,250"
	swap --force -p closed
	trusted
	marks alone
	start hold-flood client /usr/bin/python3 "$BATS_TEST_DIRNAME/attack.py" eth0 "$(mac_of host eth0)" flood 192.0.2.1 9 100000
	until_true 20 flooded 1
	tell in 'busy 4' > "$DIR/busy.in" 3>&- &
	all out 'busy 4'
	wait $!
	[[ $(< "$DIR/busy.in") == '200 of 200,'* ]] || fail "in: $(< "$DIR/busy.in")"
	flooded 2000 || fail 'there was no flood'
	signal server-client USR1
	all idle 'hear 10'
}
