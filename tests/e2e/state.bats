#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# State is kept with real programs, under profiles that list none of the ports: what this host starts is
# answered, what others start is not. And the outbound side: tracked, enforced.

load helper
load programs
load servers

setup_file()
{
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.3/24
	# Deprecated addresses, so that an answer has the other address as its source.
	on client ip address add 2001:db8::3/64 dev eth0 preferred_lft 0
	# Where attackers send from: `client` does not forward, so answers to them end there.
	on host ip route add 198.18.0.0/15 via 192.0.2.2
	on host ip -6 route add 2001:db8:ffff::/48 via 2001:db8::2
	make_profiles
	# shellcheck source=scripts/postfix.bash
	. "$ROOT/scripts/postfix.bash"
	postfix_config "$DIR/postfix"
	export -f postfix_run
	# shellcheck disable=SC2016
	in_background client bash -c 'postfix_run "$0"' "$DIR/postfix"
	start_nginx client 'hello from far away'
	start_dovecot client imap
	start_ftp
	start_dns
	for port in 21 25 53 80 143; do
		until_true 15 listening client $port
	done
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host client
}

make_profiles()
{
	profile closed <<-END
		services:
		  - name: nothing-here
		    in: 9999/tcp
	END
	profile trunk <<-END
		services:
		  - name: sip
		    in: 5060/udp
		    from: trusted
	END
	profile time <<-END
		services:
		  - name: ntp
		    in: 123/udp
		    from: trusted
	END
	profile answering <<-END
		services:
		  - name: answers
		    in: 4000/udp
	END
	profile everything <<-END
		outbound: any
		services:
		  - name: questions
		    out: 4000/udp
		  - name: echo
		    in: 7000/tcp
	END
	profile outbound <<-END
		include: [host]
		services:
		  - name: web
		    out: 80/tcp
		  - name: questions
		    out: 4000/udp
		  - name: partner
		    out: [7001/tcp, 4002/udp]
		    to: partners
		  - name: echo
		    in: [7000/tcp, 4100/udp]
	END
}

# --- servers on the far side ---

start_ftp()
{
	mkdir -p "$DIR/ftp/empty"
	echo 'a file from far away' > "$DIR/ftp/file"
	cat > "$DIR/ftp.conf" <<-END
		listen=NO
		listen_ipv6=YES
		background=NO
		anonymous_enable=YES
		no_anon_password=YES
		anon_root=$DIR/ftp
		secure_chroot_dir=$DIR/ftp/empty
		connect_from_port_20=YES
		seccomp_sandbox=NO
		connect_timeout=2
	END
	in_background client vsftpd "$DIR/ftp.conf"
}

# Any name under example.com has an address; a name under long.example.com has a text that is too long for UDP.
start_dns()
{
	local text

	text=$(printf '%0250d' 7)
	cat > "$DIR/far.conf" <<-END
		server:
			interface: 0.0.0.0
			interface: ::
			interface-automatic: yes
			access-control: 0.0.0.0/0 allow
			access-control: ::/0 allow
			chroot: ""
			username: ""
			pidfile: ""
			use-syslog: no
			module-config: "iterator"
			do-daemonize: no
			local-zone: "example.com." redirect
			local-data: "example.com. A 192.0.2.80"
			local-zone: "long.example.com." redirect
			local-data: 'long.example.com. TXT "$text" "$text" "$text" "$text" "$text" "$text" "$text" "$text"'
	END
	in_background client unbound -d -c "$DIR/far.conf"
}

# resolver ADDRESS CONNECT: runs unbound on the filtered host, which asks that address; yes: with connected sockets.
resolver()
{
	cat > "$DIR/near.conf" <<-END
		server:
			interface: 127.0.0.1
			chroot: ""
			username: ""
			pidfile: ""
			use-syslog: no
			module-config: "iterator"
			do-daemonize: no
			udp-connect: $2
		forward-zone:
			name: "."
			forward-addr: $1
	END
	start resolver host unbound -d -c "$DIR/near.conf"
	until_true 10 listening host 53
}

# resolves NAME TYPE TEXT: the resolver on the filtered host gives this text.
resolves()
{
	exits 0 on host dig +tries=1 +time=4 +short @127.0.0.1 "$1" "$2"
	says "$3"
}

# --- clients on the filtered host ---

# fetch URL [OPTION]...
fetch()
{
	on host curl -sS --connect-timeout 8 --max-time 20 "$@"
}

# cut COMMAND...: it gets no answer: curl's time-outs, or that of `udp_ask`.
cut()
{
	run "$@"
	case $status in
	28) ;;
	1) same nothing "$output" 'what was answered' ;;
	*) fail "exit $status, wanted a time-out: $* $output" ;;
	esac
}

# mail ADDRESS SUBJECT: from the filtered host.
mail()
{
	on host swaks --server "$1" --port 25 --timeout 15 --helo host.example.org \
		--from sender@example.org --to someone@example.com --header "Subject: $2"
}

in_mailbox()
{
	inside grep -qs "^Subject: $1\$" "$DIR/postfix/mail/inbox"
}

# sip_server HOST ADDRESS
sip_server()
{
	start "sip-$1" "$1" sipp -sn uas -i "$2" -p 5060 -nostdin
	until_true 5 bound "$1" 5060
}

# calls HOST ADDRESS PORT TO: makes three complete SIP calls of half a second.
calls()
{
	on "$1" timeout 15 sipp -sn uac -i "$2" -p "$3" -m 3 -r 10 -d 500 -nostdin -recv_timeout 1500 "$4:5060"
}

# A SIP call that fails because no answer comes.
calls_fail()
{
	run calls "$@"
	[ "$status" = 1 ] || fail "exit $status, wanted failed calls (1): $output"
}

# flow FILTER: exactly one learned flow matches.
flow()
{
	output=$(pc flows --json)
	json_is "[.flows[] | select($1)] | length == 1"
}

flows_are()
{
	same "$1" "$(flows_used host)" 'flows used'
}

@test "without a filter all of it works, what shall not pass either: the rest is the filter's doing" {
	exits 0 fetch http://192.0.2.2/
	exits 0 fetch 'http://[2001:db8::2]/'
	exits 0 fetch ftp://192.0.2.2/file
	exits 0 fetch --ftp-port - --disable-eprt ftp://192.0.2.2/file
	exits 0 mail 192.0.2.2 unfiltered
	resolver 192.0.2.2 no
	resolves plain.example.com A 192.0.2.80
	resolves plain.long.example.com TXT 0007
	udp_serve elsewhere client 4000 --answer-port 4001
	exits 0 udp_ask host 192.0.2.2 4000 --where
	same 'answered 20 from 192.0.2.2 4001' "$output"
	echo_server host 7000
	connects client 192.0.2.1 7000
	exits 0 attack tcp 198.18.0.66 192.0.2.1 4444 7000 A SA FA
	same $'tcp 7000 4444 R\ntcp 7000 4444 R\ntcp 7000 4444 R' "$output"
	exits 0 attack tcp 2001:db8:ffff::66 2001:db8::1 4444 7001 S A
	same $'tcp 7001 4444 RA\ntcp 7001 4444 R' "$output"
	udp_serve near host 4100
	exits 0 attack udp 198.18.0.66 192.0.2.1 53 4100
	same 'udp 4100 53' "$output"
	exits 0 attack flood 192.0.2.1 4100 20000
	until_true 5 logged near 'got foreign 18000'
	sip_server client 192.0.2.2
	sip_server host 192.0.2.1
	exits 0 calls host 192.0.2.1 5061 192.0.2.2
	exits 0 calls client 192.0.2.3 5061 192.0.2.1
}

@test "curl fetches small and large from nginx, by IPv4 and IPv6" {
	attach -p closed
	same native "$(pc status eth0 --json | jq -r '.interfaces[0].mode')" mode
	for address in 192.0.2.2 '[2001:db8::2]'; do
		exits 0 fetch "http://$address/"
		same 'hello from far away' "$output"
		fetch "http://$address/large" -o "$DIR/received"
		cmp "$DIR/nginx/www/large" "$DIR/received"
	done
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0] | .replies.packets > 100 and .total.drop.packets == 0'
	flows_are 0
	echo_server host 7000
	unanswered client 192.0.2.1 7000
	unanswered client 2001:db8::1 7000
}

@test "a connection to a port where nobody listens is refused at once" {
	attach -p closed
	for address in 192.0.2.2 2001:db8::2; do
		exits 1 connects host $address 7999
		run on host timeout 10 socat -u OPEN:/dev/null "TCP:${address/2001:db8::2/[2001:db8::2]}:7999"
		says refused
	done
}

@test "swaks delivers to a remote Postfix, by IPv4 and IPv6" {
	attach -p closed
	exits 0 mail 192.0.2.2 state-v4
	exits 0 mail '[2001:db8::2]' state-v6
	until_true 5 in_mailbox state-v4
	until_true 5 in_mailbox state-v6
	same 0 "$(reason host eth0 unlisted)" 'dropped'
}

@test "dig through unbound with unconnected sockets: UDP, and TCP after a truncated answer" {
	attach -p closed
	resolver 192.0.2.2 no
	resolves one.example.com A 192.0.2.80
	flow '.protocol == "udp" and .remote == "192.0.2.2" and .remote_port == 53 and .local == "192.0.2.1" and
		.interface == "eth0" and .state == "replied"'
	resolves two.long.example.com TXT 0007
	for name in {a..t}; do
		resolves $name.example.com A 192.0.2.80
	done
	same 0 "$(reason host eth0 unlisted)" 'dropped'
}

@test "dig through unbound by IPv6" {
	attach -p closed
	resolver 2001:db8::2 no
	resolves three.example.com A 192.0.2.80
	flow '.remote == "2001:db8::2" and .local == "2001:db8::1" and .remote_port == 53 and .state == "replied"'
	resolves four.long.example.com TXT 0007
}

@test "dig through unbound with connected sockets, its default: nothing needs to be learned" {
	attach -p closed
	resolver 192.0.2.2 yes
	resolves five.example.com A 192.0.2.80
	resolves six.long.example.com TXT 0007
	flows_are 0
}

@test "IMAP IDLE sits quiet, then the push gets through" {
	attach -p closed
	for address in 192.0.2.2 2001:db8::2; do
		start "idle-$address" host /usr/bin/python3 "$BATS_TEST_DIRNAME/imap_idle.py" $address 15
		until_true 5 logged "idle-$address" '^idle'
	done
	sleep 5
	run ! logged idle-192.0.2.2 EXISTS
	printf 'From: far@example.com\r\nSubject: a push\r\n\r\nhello\r\n' > "$DIR/push"
	on client timeout 5 curl -sS --url imap://127.0.0.1/INBOX --user someone:secret -T "$DIR/push"
	for address in 192.0.2.2 2001:db8::2; do
		until_true 5 logged "idle-$address" '^\* 1 EXISTS'
		until_true 5 logged "idle-$address" '^done'
	done
}

@test "FTP passive as a client: EPSV and PASV; active, where the server connects, is cut" {
	attach -p closed
	exits 0 fetch ftp://192.0.2.2/file
	same 'a file from far away' "$output"
	exits 0 fetch --disable-epsv ftp://192.0.2.2/file
	same 'a file from far away' "$output"
	exits 0 fetch 'ftp://[2001:db8::2]/file'
	same 'a file from far away' "$output"
	same 0 "$(reason host eth0 unlisted)" 'dropped'
	run fetch --max-time 3 --ftp-port - --disable-eprt ftp://192.0.2.2/file
	[ "$status" != 0 ] || fail 'the server came in'
	[ "$(reason host eth0 unlisted)" -ge 1 ] || fail 'the server has not tried'
	sleep 1 # until it gives up, so that the next test does not count its SYNs
}

@test "SIP over UDP: calls out from any port, calls in only from the trunk" {
	sip_server client 192.0.2.2
	attach -p closed
	exits 0 calls host 192.0.2.1 5061 192.0.2.2
	exits 0 calls host 192.0.2.1 5060 192.0.2.2
	flow '.local_port == 5061 and .remote_port == 5060 and .state == "replied"'
	flow '.local_port == 5060 and .remote_port == 5060 and .state == "replied"'
	end sip-client
	sip_server host 192.0.2.1
	calls_fail client 192.0.2.2 5061 192.0.2.1
	pc detach eth0
	attach -p trunk --group trusted=192.0.2.2
	exits 0 calls client 192.0.2.2 5061 192.0.2.1
	exits 0 calls client 192.0.2.2 5060 192.0.2.1
	calls_fail client 192.0.2.3 5060 192.0.2.1
	same "$(reason host eth0 source)" "$(packets in udp 5060 drop)" 'calls of others'
	[ "$(reason host eth0 source)" -gt 0 ] || fail 'none is counted as source'
}

@test "SIP from the listed port: a call to a peer that is not in the trunk's group is answered, too" {
	sip_server client 192.0.2.2
	attach -p trunk --group trusted=192.0.2.3
	exits 0 calls host 192.0.2.1 5060 192.0.2.2
	flow '.local_port == 5060 and .remote_port == 5060 and .remote == "192.0.2.2"'
	swap -p trunk --group trusted=192.0.2.2
	exits 0 calls host 192.0.2.1 5060 192.0.2.2
}

@test "ntpd's way, 123 to 123 on a listed port: answered, and others still do not get in" {
	udp_serve far client 123
	attach -p time --group trusted=192.0.2.3
	exits 0 udp_ask host 192.0.2.2 123 --source-port 123
	exits 0 udp_ask host 2001:db8::2 123 --source-port 123
	flows_are 2
	udp_serve near host 123
	cut udp_ask client 192.0.2.1 123 --timeout 2
	swap -p time --group trusted=0.0.0.0/0,::/0
	exits 0 udp_ask client 192.0.2.1 123
	end near
	exits 0 udp_ask host 192.0.2.3 123 --source-port 123
	flows_are 2
}

@test "an answer from another port or another address is dropped" {
	udp_serve port client 4000 --answer-port 4001
	udp_serve address client 4010 --address 192.0.2.2 --answer-address 192.0.2.3
	udp_serve same client 4020
	exits 0 udp_ask host 192.0.2.2 4010 --where
	same 'answered 20 from 192.0.2.3 4010' "$output"
	attach -p closed
	cut udp_ask host 192.0.2.2 4000 --source-port 6000 --timeout 0.7
	cut udp_ask host 192.0.2.2 4010 --source-port 6001 --timeout 0.7
	same 1 "$(packets in udp 6000 drop)" 'answers from another port'
	same 1 "$(packets in udp 6001 drop)" 'answers from another address'
	# Not by the reason's counter: a SYN of an earlier test may be sent again.
	output=$(pc counters --json)
	json_is '[.interfaces[0].ports[] | select(.protocol == "udp") | .drop.packets] | add == 2'
	exits 0 udp_ask host 192.0.2.2 4020
	exits 0 udp_ask host 2001:db8::2 4020
	exits 0 udp_ask host 192.0.2.2 4020 --connected
	exits 0 udp_ask host 2001:db8::2 4020 --connected
	# IPv4 on a socket of IPv6.
	exits 0 udp_ask host ::ffff:192.0.2.2 4020
	exits 0 udp_ask host ::ffff:192.0.2.2 4020 --connected
	flows_are 5
}

@test "a learned flow lives 30 s after a question and an answer, 120 s once both go on" {
	udp_serve silent client 4030 --answer-port 4031
	udp_serve talking client 4020
	attach -p closed
	cut udp_ask host 192.0.2.2 4030 --source-port 6030 --timeout 0.5
	exits 0 udp_ask host 192.0.2.2 4020 --source-port 6020
	flow '.protocol == "udp" and .local_port == 6030 and .remote_port == 4030 and .state == "sent" and
		.expires <= 30 and .expires > 20 and .idle <= 5'
	flow '.local_port == 6020 and .remote_port == 4020 and .state == "replied" and .expires > 20 and .expires <= 30'
	exits 0 pc flows
	says 192.0.2.2 4020 6020
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].flows == {"used": 2, "size": 65536, "connections": {"used": 0, "size": 32768},
		"streams": {"used": 0, "size": 16384}, "rest": {"used": 2, "size": 16384}}'
	on host /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" ask 192.0.2.2 4020 --source-port 6021 --times 4 --pause 1 > "$DIR/asked"
	flow '.local_port == 6021 and .state == "stream" and .expires > 110 and .expires <= 120'
	cut udp_ask host 192.0.2.2 4030 --connected --timeout 0.5
	flows_are 3
}

@test "ACK, SYN-ACK, FIN, RST and worse get no answer, from a closed port nor from a listener" {
	local flags=(A SA FA F RA R PA FPU U SF)

	echo_server host 7000
	attach -p closed
	for port in 7000 7001; do
		exits 0 attack tcp 198.18.0.66 192.0.2.1 4444 $port "${flags[@]}"
		same '' "$output" "answers of port $port"
		same ${#flags[@]} "$(packets in tcp $port drop)" "dropped at port $port"
	done
	exits 0 attack tcp 2001:db8:ffff::66 2001:db8::1 4444 7000 A SA FA R S
	same '' "$output" 'answers to IPv6'
	same 25 "$(reason host eth0 unlisted)" 'dropped as unlisted'
	same 0 "$(pc counters eth0 --json | jq '.interfaces[0].replies.packets')" 'taken for replies'
	flows_are 0
}

@test "a connection's own port is no door: others' segments to it are dropped" {
	echo_server client 7000
	attach -p closed
	hold mine host 192.0.2.2 7000
	port=$(on host ss -Htn "dport = :7000" | awk '{ print $4 }')
	exits 0 attack tcp 198.18.0.66 192.0.2.1 7000 "${port##*:}" S A SA FA R
	same '' "$output" answers
	same 5 "$(reason host eth0 unlisted)" dropped
	echoes mine 'still here'
}

@test "spoofed UDP from port 53 does not reach an unlisted socket" {
	udp_serve near host 4100
	attach -p closed
	for source in 198.18.0.66 192.0.2.2; do
		exits 0 attack udp $source 192.0.2.1 53 4100
		same '' "$output" answers
	done
	exits 0 attack udp 2001:db8:ffff::66 2001:db8::1 53 4100
	same '' "$output" answers
	run ! logged near got
	same 3 "$(packets in udp 4100 drop)" dropped
	# A client that asks there gets an answer, and only from the host that it asked.
	exits 0 on host dig +tries=1 +time=2 +short -b 192.0.2.1#4101 @192.0.2.2 spoof.example.com
	says 192.0.2.80
	exits 0 attack udp 198.18.0.66 192.0.2.1 53 4101
	same '' "$output" answers
	same 1 "$(packets in udp 4101 drop)" dropped
}

@test "a flood of 20,000 sources to a listed service that answers teaches nothing" {
	udp_serve near host 4000
	attach -p answering
	exits 0 attack flood 192.0.2.1 4000 20000
	exits 0 attack flood 2001:db8::1 4000 5000
	same 25000 "$(packets in udp 4000 pass)" passed
	until_true 5 logged near 'got foreign 20000'
	flows_are 0
	udp_serve far client 4020
	exits 0 udp_ask host 192.0.2.2 4020
	flows_are 1
}

@test "a flood in observe mode teaches nothing even if its answers come late" {
	udp_serve slow host 4100 --delay-first 2
	attach -p closed --observe
	exits 0 attack flood 192.0.2.1 4100 20000
	until_true 8 logged slow 'got foreign 20000'
	flows_are 0
}

@test "a flood of 20,000 sources in observe mode is answered, and teaches nothing" {
	udp_serve near host 4100
	attach -p closed --observe
	exits 0 attack flood 192.0.2.1 4100 20000
	same 20000 "$(packets in udp 4100 would_drop)" 'would drop'
	until_true 5 logged near 'got foreign 18000'
	flows_are 0
	exits 0 udp_ask client 192.0.2.1 4100
	flows_are 0
	swap -p closed --enforce
	cut udp_ask client 192.0.2.1 4100 --timeout 0.7
}

# --- by the profiles of the servers ---

@test "ident: without it who asks waits, with it the kernel refuses at once, under --outbound enforce too" {
	attach -p closed
	run on client socat -u OPEN:/dev/null TCP:192.0.2.1:113,connect-timeout=1
	says 'timed out'
	exits 0 pc swap eth0 -p ident --outbound enforce
	for address in 192.0.2.1 '[2001:db8::1]'; do
		run on client timeout 5 socat -u OPEN:/dev/null "TCP:$address:113"
		says refused
	done
	same 0 "$(reason host eth0 outbound)" 'dropped at egress'
}

@test "postfix and dovecot: real servers answer by their profiles, the others beside them do not" {
	exits 0 as client attach eth0 -p postfix,dovecot --outbound enforce
	says_not 'outgoing port'
	for port in 25 143; do
		connects host 192.0.2.2 $port
		connects host 2001:db8::2 $port
	done
	for port in 21 80; do
		CONNECT_TIMEOUT=0.6 run ! connects host 192.0.2.2 $port
	done
	# Mail goes out through smtp-client, and nothing else does.
	echo_server host 25
	connects client 192.0.2.1 25
	echo_server host 7010
	CONNECT_TIMEOUT=0.6 run ! connects client 192.0.2.1 7010
	detach_all client
}

# --- outbound ---

@test "--outbound track counts what is listed by remote port, with its replies, and cuts nothing" {
	udp_serve far client 4000
	udp_serve unlisted client 4020
	attach -p outbound --group partners=192.0.2.2
	exits 0 udp_ask host 192.0.2.2 4000
	exits 0 udp_ask host 192.0.2.2 4000 --connected
	exits 0 udp_ask host 192.0.2.2 4020
	exits 0 fetch http://192.0.2.2/
	exits 0 fetch 'http://[2001:db8::2]:8080/'
	same 4 "$(packets out udp 4000 pass)" 'two questions and two answers'
	same 0 "$(packets out udp 4020 pass)" 'no service'
	same 0 "$(packets out tcp 8080 pass)" 'no service'
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0].ports[] | select(.direction == "out" and .port == 80) |
		.protocol == "tcp" and .services == ["outbound:web"] and .pass.packets >= 8 and .drop.packets == 0'
	json_is '.interfaces[0].replies.packets > 8 and .interfaces[0].outbound_total.drop.packets == 0 and
		.interfaces[0].outbound_total.pass.packets > 8'
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].outbound == "track" and .interfaces[0].outbound_total.pass.packets > 8'
}

@test "--outbound enforce: listed ports work, unlisted ones are cut, TCP and UDP, IPv4 and IPv6" {
	udp_serve far client 4000
	udp_serve unlisted client 4020
	attach -p outbound --outbound enforce --group partners=192.0.2.2
	for address in 192.0.2.2 '[2001:db8::2]'; do
		exits 0 fetch "http://$address/"
		fetch "http://$address/large" -o "$DIR/received"
		cmp "$DIR/nginx/www/large" "$DIR/received"
		cut fetch --connect-timeout 0.6 "http://$address:8080/"
	done
	for address in 192.0.2.2 2001:db8::2; do
		exits 0 udp_ask host $address 4000
		cut udp_ask host $address 4020 --timeout 0.6
	done
	run ! logged unlisted got
	output=$(pc flows --json)
	json_is '.flows | length == 2 and all(.remote_port == 4000)'
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0].ports[] | select(.direction == "out" and .port == 8080) |
		.protocol == "tcp" and .drop.packets >= 2 and .pass.packets == 0 and .services == []'
	same 2 "$(packets out udp 4020 drop)" dropped
	json_is '.interfaces[0] | .reasons.outbound.drop.packets == .outbound_total.drop.packets and
		.outbound_total.drop.packets >= 4 and .total.drop.packets == 0'
	swap -p outbound --outbound track
	exits 0 udp_ask host 192.0.2.2 4020
	exits 0 fetch http://192.0.2.2:8080/
}

@test "--outbound enforce of a profile with outbound: any: everything goes out, what is listed counts, and it is said" {
	udp_serve far client 4000
	udp_serve unlisted client 4020
	exits 0 pc attach eth0 -p everything,outbound --catalog "$DIR/catalog" --outbound enforce --group partners=192.0.2.2
	says 'everything may go out: outbound any of everything'
	says_not warning
	for address in 192.0.2.2 2001:db8::2; do
		exits 0 udp_ask host $address 4000
		exits 0 udp_ask host $address 4020
	done
	exits 0 fetch http://192.0.2.2:8080/
	exits 0 fetch 'http://[2001:db8::2]:8080/'
	same 4 "$(packets out udp 4000 pass)" 'two questions and two answers'
	same 0 "$(reason host eth0 outbound)" 'dropped at egress'
	output=$(pc status eth0 --json)
	json_is '.interfaces[0] | .outbound == "enforce" and .outbound_any == ["everything"]'
	exits 0 pc status eth0
	says 'outbound   enforce, but everything may go out: outbound any of everything'
	# Without it the same traffic is cut; the words of the policy are kept.
	exits 0 pc swap eth0 -p outbound --catalog "$DIR/catalog"
	says 'changes outbound from enforce (everything may go out: outbound any of everything) to enforce'
	cut fetch --connect-timeout 0.6 http://192.0.2.2:8080/
	cut udp_ask host 192.0.2.2 4020 --timeout 0.6
	output=$(pc status eth0 --json)
	json_is '.interfaces[0] | .outbound == "enforce" and .outbound_any == []'
}

@test "--outbound enforce: mail goes out by communigate-pro; a profile that lists nothing to send is warned of" {
	exits 0 pc attach eth0 -p communigate-pro --outbound enforce
	says_not 'lists no open outgoing port'
	connects host 192.0.2.2 25
	same 0 "$(reason host eth0 outbound)" 'dropped at egress'
	exits 0 pc swap eth0 -p answering,host --catalog "$DIR/catalog" --outbound enforce
	says 'warning: outbound enforce: answering lists no open outgoing port, so every connection that it begins is dropped'
	CONNECT_TIMEOUT=0.6 run ! connects host 192.0.2.2 25
	exits 1 pc swap eth0 -p answering,host --catalog "$DIR/catalog" --outbound enforce --strict
	says 'answering lists no open outgoing port'
	exits 0 pc swap eth0 -p answering --catalog "$DIR/catalog"
	says 'no profile lists an open outgoing port, so this host can connect to nothing'
	exits 0 pc swap eth0 -p ssh,host --force
	says_not 'outgoing port'
}

@test "--outbound enforce: ICMP passes, a group decides where to" {
	udp_serve far client 4002
	echo_server client 7001
	attach -p outbound --outbound enforce --group partners=192.0.2.2,2001:db8::2
	connects host 192.0.2.2 7001
	connects host 2001:db8::2 7001
	exits 0 udp_ask host 192.0.2.2 4002
	CONNECT_TIMEOUT=0.6 run ! connects host 192.0.2.3 7001
	CONNECT_TIMEOUT=0.6 run ! connects host 2001:db8::3 7001
	cut udp_ask host 192.0.2.3 4002 --timeout 0.6
	exits 0 on host ping -c 1 -W 8 192.0.2.3
	swap --group partners=192.0.2.3
	connects host 192.0.2.3 7001
	CONNECT_TIMEOUT=0.6 run ! connects host 192.0.2.2 7001
}

@test "--outbound enforce: listed inbound services answer, and only their answers leave" {
	echo_server host 7000
	udp_serve near host 4100
	attach -p outbound --outbound enforce --group partners=192.0.2.2
	hold in client 192.0.2.1 7000
	echoes in hello
	hold in6 client 2001:db8::1 7000
	echoes in6 hello
	exits 0 udp_ask client 192.0.2.1 4100
	exits 0 udp_ask client 2001:db8::1 4100
	same 0 "$(reason host eth0 outbound)" 'dropped at egress'
	# A connection that begins at the service's own port is not an answer.
	end in
	end in6
	end echo-host-7000
	run on client timeout 10 socat -u OPEN:/dev/null TCP:192.0.2.1:7000
	says refused
	same 0 "$(reason host eth0 outbound)" 'dropped at egress'
	echo_server client 7005
	run on host socat -u OPEN:/dev/null TCP:192.0.2.2:7005,bind=192.0.2.1:7000,reuseaddr,connect-timeout=0.6
	says 'timed out'
	[ "$(packets out tcp 7005 drop)" -ge 1 ] || fail 'it is not counted'
}

@test "--outbound enforce: DNS works by the host profile, through a resolver too" {
	attach -p outbound --outbound enforce --group partners=192.0.2.2
	exits 0 on host dig +tries=1 +time=2 +short @192.0.2.2 direct.example.com
	says 192.0.2.80
	exits 0 on host dig +tcp +tries=1 +time=2 +short @2001:db8::2 direct.example.com
	says 192.0.2.80
	resolver 192.0.2.2 no
	resolves seven.example.com A 192.0.2.80
	resolves eight.long.example.com TXT 0007
	same 0 "$(reason host eth0 outbound)" 'dropped at egress'
	[ "$(packets out udp 53 pass)" -ge 4 ] || fail 'not counted'
}

@test "--outbound enforce: DHCP works by the host profile" {
	mkdir -p "$DIR/dhcp"
	printf '#!/bin/sh\n[ "$1" != bound ] || echo "$ip" > %s/dhcp/lease\n' "$DIR" > "$DIR/dhcp/script"
	chmod 755 "$DIR/dhcp/script"
	start dhcp client dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --no-ping \
		--pid-file= --interface=eth0 --dhcp-range=192.0.2.100,192.0.2.120,1h --dhcp-leasefile="$DIR/dhcp/leases"
	until_true 5 bound client 67
	attach -p outbound --outbound enforce --group partners=192.0.2.2
	exits 0 on host timeout 10 udhcpc -i eth0 -f -q -n -t 3 -T 2 -s "$DIR/dhcp/script"
	[[ $(cat "$DIR/dhcp/lease") == 192.0.2.1[012]? ]] || fail "no lease: $(cat "$DIR/dhcp.log")"
	same 0 "$(reason host eth0 outbound)" 'dropped at egress'
}

@test "--outbound enforce: connections made before the swap live on, new ones are cut" {
	echo_server client 7002
	echo_server host 7003
	attach -p outbound --group partners=192.0.2.2
	hold before host 192.0.2.2 7002
	hold before6 host 2001:db8::2 7002
	swap --outbound enforce
	echoes before 'lives on'
	echoes before6 'lives on'
	CONNECT_TIMEOUT=0.6 run ! connects host 192.0.2.2 7002
	CONNECT_TIMEOUT=0.6 run ! connects host 2001:db8::2 7002
	echoes before 'still lives'
	same finished "$(tell before finish)" 'end of the connection'
	same finished "$(tell before6 finish)" 'end of the connection'
}

@test "--observe with --outbound enforce counts what it would cut, and cuts nothing" {
	udp_serve unlisted client 4020
	attach -p outbound --outbound enforce --observe --group partners=192.0.2.2
	exits 0 udp_ask host 192.0.2.2 4020
	exits 0 fetch http://192.0.2.2:8080/
	[ "$(packets out tcp 8080 would_drop)" -ge 1 ] || fail 'TCP is not counted'
	same 1 "$(packets out udp 4020 would_drop)" 'UDP'
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0] | .outbound_total.would_drop.packets >= 2 and .reasons.outbound.drop.packets == 0'
}
