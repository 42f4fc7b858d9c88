#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Swap under load: not one packet is misjudged.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	host_add_silent sender
	link_add host eth1 sender eth0
	mkdir -p "$DIR/profiles"
	cat > "$DIR/profiles/one.yaml" <<-END
		profile: one
		services:
		  - {name: both, in: 1000-1009/tcp+udp}
		  - {name: both-restricted, in: 1100/tcp+udp, from: trusted}
		  - {name: own, in: 2000/tcp+udp}
		  - {name: own-restricted, in: 5000/tcp+udp, from: trusted}
	END
	cat > "$DIR/profiles/two.yaml" <<-END
		profile: two
		services:
		  - {name: both, in: 1000-1009/tcp+udp}
		  - {name: both-restricted, in: 1100/tcp+udp, from: trusted}
		  - {name: own, in: 3000/tcp+udp}
		  - {name: own-restricted, in: 6000/tcp+udp, from: trusted}
	END
	in_background host /usr/bin/python3 "$ROOT/tests/e2e/tcp_load.py" serve 1000 1100 4000
	until_true 10 listening host 4000
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

to_one()
{
	pc swap "$@" -p one --group trusted=192.0.2.77,192.0.2.2,2001:db8:7::/48 --catalog "$DIR/profiles" > /dev/null
}

to_two()
{
	pc swap "$@" -p two --group trusted=198.51.100.9,192.0.2.2,2001:db8:9::/48 --catalog "$DIR/profiles" > /dev/null
}

# swap_often COUNT SECONDS INTERFACE...: swaps to and fro, at least so often and so long; `swaps` is how often it did.
swap_often()
{
	local count=$1 end=$((${EPOCHREALTIME/./} + $2 * 1000000)) limit=$((SECONDS + LOAD_SECONDS - 10))

	shift 2
	swaps=0
	while [ "$swaps" -lt "$count" ] || [ "${EPOCHREALTIME/./}" -lt $end ]; do
		[ $SECONDS -lt $limit ] || fail "only $swaps swaps in all the time that traffic comes"
		to_two "$@"
		to_one "$@"
		swaps=$((swaps + 2))
	done
}

# Traffic runs from before the first swap until after the last one, and at most this long.
LOAD_SECONDS=100

received_more()
{
	[ "$(received "$1")" -gt "$2" ]
}

# start_sending < FLOWS: at full speed to eth1, until end_sending.
start_sending()
{
	local before

	cat > "$DIR/flows"
	before=$(received eth1)
	# shellcheck disable=SC2016
	start sending sender bash -c 'exec "$0" -t "$1" eth0 "$2" < "$3"' "$TOOLS/send" $LOAD_SECONDS "$(mac_of host eth1)" \
		"$DIR/flows"
	until_true 20 received_more eth1 "$before"
}

# end_sending: sets `sent` to the packets of each flow; $DIR/sending.log has these and the bytes.
end_sending()
{
	stop sending TERM
	until_true 20 test -s "$DIR/sending.log"
	mapfile -t sent < <(cut -d' ' -f1 "$DIR/sending.log")
}

# start_loading ADDRESS OPEN-PORT CLOSED-PORT: connections to eth0, until end_loading.
start_loading()
{
	local before

	before=$(received eth0)
	start loading client /usr/bin/python3 "$BATS_TEST_DIRNAME/tcp_load.py" load $LOAD_SECONDS "$@"
	until_true 20 received_more eth0 "$before"
}

# end_loading: sets `output` to the results.
end_loading()
{
	stop loading TERM
	until_true 20 test -s "$DIR/loading.log"
	output=$(cat "$DIR/loading.log")
}

# cells PROTOCOL PORT: "passed dropped" packets on eth1.
cells()
{
	jq -r --arg protocol "$1" --argjson port "$2" '[.interfaces[0].ports[] |
		select(.protocol == $protocol and .port == $port)][0] | "\(.pass.packets // 0) \(.drop.packets // 0)"' <<< "$counters"
}

attach_one()
{
	pc attach "$@" -p one --group trusted=192.0.2.77,192.0.2.2,2001:db8:7::/48 --catalog "$DIR/profiles"
}

@test "full-speed traffic over 20 and more swaps: open in both passes whole, closed in both is dropped whole" {
	attach_one eth1
	# 1: open in both. 2: restricted in both, with the source trusted in both. 3: closed in both. 4: open in one.
	start_sending <<-END
		tcp 198.51.100.1 192.0.2.1 40000 1000-1009 60
		udp 2001:db8::5 2001:db8::1 40000 1000-1009 90
		tcp 192.0.2.2 192.0.2.1 40000 1100 60
		tcp 198.51.100.1 192.0.2.1 40000 4000-4009 60
		udp 2001:db8::5 2001:db8::1 40000 4000-4009 90
		tcp 198.51.100.1 192.0.2.1 40000 2000 60
		tcp 198.51.100.1 192.0.2.1 40000 3000 60
	END
	swap_often 20 5 eth1
	end_sending
	same 7 ${#sent[@]} "flows sent: $(cat "$DIR/sending.log")"
	counters=$(pc counters eth1 --json)
	echo "$swaps swaps while $(added < "$DIR/sending.log") packets and bytes were sent" >&3
	for i in {0..9}; do
		same "$((sent[0] / 10)) 0" "$(cells tcp $((1000 + i)))" "$((1000 + i))/tcp, open in both"
		same "$((sent[1] / 10)) 0" "$(cells udp $((1000 + i)))" "$((1000 + i))/udp, open in both"
		same "0 $((sent[3] / 10))" "$(cells tcp $((4000 + i)))" "$((4000 + i))/tcp, closed in both"
		same "0 $((sent[4] / 10))" "$(cells udp $((4000 + i)))" "$((4000 + i))/udp, closed in both"
	done
	same "${sent[2]} 0" "$(cells tcp 1100)" '1100/tcp, trusted in both'
	# Ports that are open in one of the two: each packet is decided by one or the other, and counted once.
	read -r passed dropped <<< "$(cells tcp 2000)"
	same "${sent[5]}" $((passed + dropped)) '2000/tcp'
	[ "$passed" -gt 0 ] && [ "$dropped" -gt 0 ] || fail "2000/tcp: $passed passed, $dropped dropped"
	read -r passed dropped <<< "$(cells tcp 3000)"
	same "${sent[6]}" $((passed + dropped)) '3000/tcp'
	[ "$passed" -gt 0 ] && [ "$dropped" -gt 0 ] || fail "3000/tcp: $passed passed, $dropped dropped"
	same "$(added < "$DIR/sending.log")" "$(jq -r '.interfaces[0].total |
		"\(.pass.packets + .drop.packets) \(.pass.bytes + .drop.bytes)"' <<< "$counters")" 'all packets and bytes'
}

@test "never a mix of two generations: one's port with the other's group admits nobody" {
	attach_one eth1
	# 5000 is open only in `one`, where 198.51.100.9 and 2001:db8:9:: are not trusted; 6000 only in `two`.
	start_sending <<-END
		tcp 198.51.100.9 192.0.2.1 40000 5000 60
		udp 2001:db8:9::1 2001:db8::1 40000 5000 90
		tcp 192.0.2.77 192.0.2.1 40000 6000 60
		udp 2001:db8:7::1 2001:db8::1 40000 6000 90
		tcp 192.0.2.2 192.0.2.1 40000 1100 60
	END
	swap_often 20 5 eth1
	end_sending
	counters=$(pc counters eth1 --json)
	echo "$swaps swaps while $(added < "$DIR/sending.log") packets and bytes were sent" >&3
	same "0 ${sent[0]}" "$(cells tcp 5000)" '5000/tcp from who is trusted by the other'
	same "0 ${sent[1]}" "$(cells udp 5000)" '5000/udp from who is trusted by the other'
	same "0 ${sent[2]}" "$(cells tcp 6000)" '6000/tcp from who is trusted by the other'
	same "0 ${sent[3]}" "$(cells udp 6000)" '6000/udp from who is trusted by the other'
	same "${sent[4]} 0" "$(cells tcp 1100)" '1100/tcp from who is trusted by both'
}

# The number of frames that an interface of the host has received.
received()
{
	on host ip -json -statistics link show dev "$1" | jq '.[0].stats64.rx.packets'
}

@test "real connections over 20 and more swaps: all are made, not a packet is dropped, a closed port never answers" {
	for address in 192.0.2.1 2001:db8::1; do
		attach_one eth0
		before=$(received eth0)
		start_loading $address 1000 4000
		swap_often 20 4 eth0
		end_loading
			echo "$swaps swaps: $output" >&3
		json_is '.connections > 100 and .failed == 0 and .bytes > 1000000 and
			.closed_tries > 10 and .closed_answered == 0'
		output=$(pc counters eth0 --json)
		json_is '.interfaces[0].ports[] | select(.port == 1000 and .protocol == "tcp") |
			.pass.packets > 1000 and .drop.packets == 0'
		json_is '.interfaces[0].ports[] | select(.port == 4000) | .pass.packets == 0 and .drop.packets > 10'
		json_is '.interfaces[0].total | .pass.packets + .drop.packets == $received' \
			--argjson received $(($(received eth0) - before))
		pc detach eth0
	done
}

@test "two interfaces swapped together under load: both are judged as they should" {
	attach_one eth0 eth1
	start_sending <<-END
		udp 198.51.100.1 192.0.2.1 40000 1000 60
		udp 198.51.100.1 192.0.2.1 40000 4000 60
	END
	start_loading 192.0.2.1 1100 4000
	swap_often 10 3 eth0 eth1
	end_loading
	end_sending
	counters=$(pc counters eth1 --json)
	same "${sent[0]} 0" "$(cells udp 1000)" '1000/udp, open in both'
	same "0 ${sent[1]}" "$(cells udp 4000)" '4000/udp, closed in both'
	json_is '.connections > 50 and .failed == 0 and .closed_answered == 0'
	output=$(pc counters eth0 --json)
	json_is '.interfaces[0].ports[] | select(.port == 1100 and .protocol == "tcp") | .drop.packets == 0'
}

@test "a group of more prefixes than are kept for what is gone: the same one is used again, and goes with the filter" {
	local i

	echo 192.0.2.2 > "$DIR/large"
	for ((i = 0; i <= 5000; i++)); do
		echo "10.$((i / 256)).$((i % 256)).0/24"
	done >> "$DIR/large"
	exits 0 pc attach eth0 -p one --group "trusted=@$DIR/large" --catalog "$DIR/profiles"
	connects client 192.0.2.1 1100
	for i in 1 2 3; do
		exits 0 pc swap eth0 --group "trusted=@$DIR/large" --catalog "$DIR/profiles"
		connects client 192.0.2.1 1100
	done
	# Replaced by other profiles, and then set again.
	exits 0 pc swap eth0 --group trusted=203.0.113.0/24 --catalog "$DIR/profiles"
	unanswered client 192.0.2.1 1100
	exits 0 pc swap eth0 --group "trusted=@$DIR/large" --catalog "$DIR/profiles"
	connects client 192.0.2.1 1100
}

@test "a swap that fails under load changes nothing" {
	attach_one eth1
	start_sending <<-END
		tcp 198.51.100.1 192.0.2.1 40000 2000 60
		tcp 198.51.100.1 192.0.2.1 40000 3000 60
	END
	for i in {1..10}; do
		exits 1 pc swap eth1 -p two,nonesuch --catalog "$DIR/profiles"
		exits 1 pc swap eth1 eth0 -p two --catalog "$DIR/profiles"
		exits 0 pc swap eth1 -p two --dry-run --catalog "$DIR/profiles"
	done
	end_sending
	counters=$(pc counters eth1 --json)
	same "${sent[0]} 0" "$(cells tcp 2000)" '2000/tcp'
	same "0 ${sent[1]}" "$(cells tcp 3000)" '3000/tcp'
}

# lists TIMES ARGUMENTS...: the command lists the folder of pins so often.
lists()
{
	local times=$1 listed

	shift
	listed=$(on host /usr/bin/python3 "$ROOT/tests/e2e/opens.py" "$PINS" "$PORTCULLIS" "$@") || fail "exit $?: $*"
	same "$times" "$listed" "lists of $PINS by $*"
}

@test "a command lists the folder of pins once; attach and detach, which change it, once more" {
	pc attach lo -p one --catalog "$DIR/profiles"
	lists 2 attach eth1 -p one --group trusted=192.0.2.2 --catalog "$DIR/profiles"
	lists 1 swap eth1 -p two --catalog "$DIR/profiles"
	lists 1 swap eth1 lo -p one --catalog "$DIR/profiles"
	lists 1 confirm
	lists 1 status
	lists 2 detach eth1 lo
}

@test "words that the profiles between do not have come back with those that have them" {
	local word

	pc attach eth0 -p xeams --enable imap --disable xeams:dns --set xeams:imap=1143/tcp --from xeams:smtp=peers --group peers=192.0.2.2
	before=$(pc status eth0 --json | jq -c '.interfaces[0].recipe | del(.parked)')
	exits 0 pc swap eth0 -p one --catalog "$DIR/profiles"
	for word in '--enable imap' '--disable xeams:dns' '--set xeams:imap=1143/tcp' '--from xeams:smtp=peers'; do
		says "warning: eth0: $word is ignored"
	done
	exits 0 pc swap eth0 --observe
	says_not 'is ignored'
	exits 0 pc swap eth0 -p xeams --enforce
	says 'eth0: --enable imap is in force again' 'eth0: --from xeams:smtp=peers is in force again'
	same "$before" "$(pc status eth0 --json | jq -c '.interfaces[0].recipe')" recipe
	connects client 192.0.2.1 1143 || [ "$(port_count pass tcp 1143 | cut -d' ' -f1)" -gt 0 ]
	pc swap eth0 -p one --catalog "$DIR/profiles"
	pc swap eth0 --fresh -p xeams
	same '[]' "$(pc status eth0 --json | jq -c '.interfaces[0].recipe.features')" 'features after --fresh'
}
