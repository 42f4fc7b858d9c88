#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Limits, by sipp, a real Postfix and forged SYNs: who is cut off, and who is not.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	# Ten honest callers, one that is not, an office behind one address, a carrier.
	address_add client eth0 192.0.2.1{0..9}/24 192.0.2.66/24 192.0.2.77/24 192.0.2.88/24
	# shellcheck source=scripts/postfix.bash
	. "$ROOT/scripts/postfix.bash"
	postfix_config "$DIR/postfix"
	export -f postfix_run
	in_background host bash -c 'postfix_run "$0"' "$DIR/postfix"
	start sip host sipp -sn uas -i 192.0.2.1 -p 5060 -nostdin
	until_true 30 listening host 25
}

teardown_file()
{
	stop_all
	sandbox_end
}

teardown()
{
	detach_all host
}

limits()
{
	on client timeout 60 /usr/bin/python3 "$BATS_TEST_DIRNAME/limits.py" "$@"
}

# limited: the number of packets dropped as `limit`.
limited()
{
	pc counters eth0 --json | jq '.interfaces[0].reasons.limit.drop.packets'
}

# calls_of ADDRESS RATE COUNT [OPTION]...: complete SIP calls.
calls_of()
{
	on client timeout 30 sipp -sn uac -i "$1" -r "$2" -m "$3" -d 100 -nostdin "${@:4}" 192.0.2.1:5060 > "$DIR/sipp-$1" 2>&1
}

# bound HOST: a socket has the port of SIP.
bound()
{
	[ -n "$(on "$1" ss -Hauln 'sport = :5060')" ]
}

@test "sipp: 500 INVITEs a second of one source do not disturb ten others at 2" {
	local i jobs=()

	exits 0 pc attach eth0 -p ssh --open 5060/udp --limit site:5060-udp=20/s
	calls_of 192.0.2.66 500 2000 -recv_timeout 300 -timeout 4 &
	jobs+=($!)
	for i in {0..9}; do
		calls_of "192.0.2.1$i" 2 6 -recv_timeout 1500 &
		jobs+=($!)
	done
	for i in {1..10}; do
		wait "${jobs[i]}" || fail "a call of 192.0.2.1$((i - 1)) fails: $(tail -n 40 "$DIR/sipp-192.0.2.1$((i - 1))")"
	done
	wait "${jobs[0]}" || true
	[ "$(limited)" -gt 500 ] || fail "$(limited) packets over the limit"
	exits 0 pc drops eth0 --json --reason limit
	json_is '[.drops[].source] == ["192.0.2.66"] and .drops[0].services == ["site:5060-udp"]'
	exits 0 pc explain eth0 192.0.2.10 5060/udp
	says passes
}

@test "a SIP trunk of this host's own, from the limited port, is not cut off by the answers" {
	stop sip
	exits 0 pc attach eth0 -p ssh --open 5060/udp --limit site:5060-udp=5/s
	start trunk client sipp -sn uas -i 192.0.2.88 -p 5060 -nostdin
	until_true 5 bound client
	exits 0 on host timeout 20 sipp -sn uac -i 192.0.2.1 -p 5060 -r 40 -m 120 -d 100 -recv_timeout 2000 -nostdin 192.0.2.88:5060
	same 0 "$(limited)" 'packets over the limit'
	stop trunk
	start sip host sipp -sn uas -i 192.0.2.1 -p 5060 -nostdin
}

@test "Postfix: a flood of connections of one source is limited; others get their greeting" {
	local i made

	exits 0 pc attach eth0 -p ssh --open 25/tcp --limit 'site:25-tcp={rate: 6/m, burst: 10}'
	limits flood 192.0.2.1 25 192.0.2.66 100 4 > "$DIR/flood" &
	for i in {0..9}; do
		exits 0 on client socat -t 20 -T 20 - "TCP:192.0.2.1:25,bind=192.0.2.1$i,connect-timeout=8" < <(printf 'QUIT\r\n'; sleep 0.2)
		says '220 '
	done
	wait
	read -r _ made _ < "$DIR/flood"
	# As many again as the rate allows, because its connections are real; and its retransmissions.
	[ "$made" -ge 10 ] && [ "$made" -le 25 ] || fail "$(cat "$DIR/flood")"
	[ "$(limited)" -gt 300 ] || fail "$(limited) packets over the limit"
	exits 0 pc explain eth0 192.0.2.66 25/tcp
	says 'dropped    limit: site:25-tcp lets one source begin {rate: 6/m, burst: 10}; this source is over that' 'portcullis swap eth0 --no-limit site:25-tcp'
	exits 0 pc show --iface eth0
	says 'open, limit {rate: 6/m, burst: 10}'
	exits 0 pc swap eth0 --no-limit site:25-tcp
	says 'changes the limit of site:25-tcp from {rate: 6/m, burst: 10} to none'
	exits 0 connects client 192.0.2.1 25
}

@test "forged SYNs cut off no source that completed a connection; a swap keeps what was begun" {
	exits 0 pc attach eth0 -p ssh --open 25/tcp --limit site:25-tcp=5/h
	on client socat -t 20 -T 20 - TCP:192.0.2.1:25,bind=192.0.2.77 < <(printf 'QUIT\r\n'; sleep 0.2)
	limits forge 192.0.2.1 25 192.0.2.77 200
	limits forge 192.0.2.1 25 192.0.2.66 200
	[ "$(limited)" -gt 100 ] || fail "$(limited) packets over the limit"
	exits 0 on client socat -u OPEN:/dev/null TCP:192.0.2.1:25,bind=192.0.2.77,connect-timeout=2
	exits 1 on client socat -u OPEN:/dev/null TCP:192.0.2.1:25,bind=192.0.2.66,connect-timeout=1
	exits 0 pc swap eth0 --open 80/tcp
	exits 1 on client socat -u OPEN:/dev/null TCP:192.0.2.1:25,bind=192.0.2.66,connect-timeout=1
	exits 0 on client socat -u OPEN:/dev/null TCP:192.0.2.1:25,bind=192.0.2.77,connect-timeout=2
}

@test "an office behind one address and a carrier at 500 packets a second lose nothing" {
	stop sip
	start echo host /usr/bin/python3 "$BATS_TEST_DIRNAME/crowd.py" serve 5060
	until_logged echo ready
	exits 0 pc attach eth0 -p ssh --open 25/tcp,5060/udp --group office=192.0.2.77 --group carrier=192.0.2.88 \
		--limit 'site:25-tcp={rate: 5/s, except: [office]}' --limit 'site:5060-udp={rate: 20/s, except: carrier}'
	exits 0 limits flood 192.0.2.1 25 192.0.2.77 100 2
	same 'made 200 of 200' "$output"
	exits 0 limits datagrams 192.0.2.1 5060 192.0.2.88 500 1000
	same 'answered 1000' "$output"
	same 0 "$(limited)" 'packets over the limit'
	exits 0 pc groups carrier office --json
	json_is '[.groups[] | .except, .deny, .never_ban] == [["site:5060-udp"], false, false, ["site:25-tcp"], false, false]'
}
