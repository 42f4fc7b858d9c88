#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The commands of docs/*.md, run from the top of a page to its end; and what the pages say of other tools.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	# The page is tried with an /etc of its own, and with `portcullis` in the path.
	inside mkdir -p /run/etc /run/work /run/bin
	inside mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
	inside rm -rf /etc/portcullis
	inside mkdir /etc/portcullis
	inside ln -s "$PORTCULLIS" /run/bin/portcullis
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
	inside rm -f /etc/portcullis/site.yaml
}

# run_page FILE [FOLDER]: writes each block of yaml as the site file, and runs each line of the sh blocks, which must
# succeed. Prints how many lines ran.
run_page()
{
	local line block='' count=0

	while IFS= read -r line; do
		case $block,$line in
		,'```sh') block='sh' ;;
		,'```yaml') block='yaml'; : > "$DIR/site.yaml" ;;
		,'```'*) fail "a block of no known kind: $line" || return 1 ;;
		*,'```')
			[ $block = sh ] || inside cp "$DIR/site.yaml" /etc/portcullis/site.yaml
			block='' ;;
		yaml,*) printf '%s\n' "$line" >> "$DIR/site.yaml" ;;
		sh,*)
			on host timeout 60 env PATH="/run/bin:$PATH" bash -o pipefail -c "$line" > "$DIR/said" 2>&1 < /dev/null ||
				fail "exit $?: $line
$(cat "$DIR/said")" || return 1
			count=$((count + 1)) ;;
		esac
	done < "$(realpath "${2:-$ROOT/docs}")/$1"
	printf '%s\n' "$count"
}

@test "README.md: its first screen has 28 lines, and each command does it" {
	head -n 28 "$ROOT/README.md" > "$DIR/first.md"
	grep -qx '## Try it' "$DIR/first.md" || fail 'it is longer than 28 lines'
	count=$(sed '/^## Try it/,$d' "$DIR/first.md" > "$DIR/screen.md" && run_page screen.md "$DIR")
	[ "$count" -ge 18 ] || fail "only $count commands"
	[ -z "$(attached host eth0)" ] || fail 'it is not removed'
	on host "$PORTCULLIS" unban --all > /dev/null
}

@test "how-do-i.md: each command does it" {
	count=$(run_page how-do-i.md)
	[ "$count" -ge 20 ] || fail "only $count commands"
	[ -z "$(attached host eth0)" ] || fail 'it is not removed'
}

@test "emergency.md: everything passes, and the filter is off without the binary" {
	echo "interfaces: {eth0: {profiles: ssh}}" > "$DIR/file"
	inside cp "$DIR/file" /etc/portcullis/site.yaml
	pc attach eth0 -p ssh,host
	as client attach eth0 -p ssh,host # in another namespace, so the host's rules are left alone
	on host "$PORTCULLIS" swap --observe --confirm 1800
	output=$(pc status eth0 --json)
	json_is '.interfaces[0] | .policy == "observe" and .confirm.state == "waiting" and .confirm.seconds_left > 1700'
	exits 0 pc confirm eth0
	count=$(run_page emergency.md)
	[ "$count" -ge 6 ] || fail "only $count commands"
	[ -z "$(attached host eth0)" ] || fail 'it is not removed'
	detach_all client
}

@test "without the binary: rm of the pins opens an interface" {
	pc attach eth0 -p ssh
	inside rm -r /sys/fs/bpf/portcullis
	[ -z "$(attached host eth0)" ] || fail 'it is not removed'
}

@test "beside-others.md: each command does it" {
	pc attach eth0 -p ssh,host
	count=$(run_page beside-others.md)
	[ "$count" -ge 5 ] || fail "only $count commands"
}

@test "containers.md: each command does it" {
	pc attach eth0 -p ssh,host
	count=$(run_page containers.md)
	[ "$count" = 4 ] || fail "only $count commands"
	[ "$(pc status eth0 --json | jq -r '.interfaces[0].machines[].name')" = shop ]
}

# sniff: prints what the host's packet sockets see from 192.0.2.2 to port 7777 within a second, as tcpdump would.
sniff()
{
	on host timeout 10 /usr/bin/python3 - <<-'END'
		import socket, struct, time
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
		s.settimeout(0.2)
		print("ready", flush=True)
		seen, end = 0, time.monotonic() + 2
		while time.monotonic() < end:
		    try:
		        frame = s.recv(2048)
		    except TimeoutError:
		        continue
		    seen += frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[36:38] == struct.pack("!H", 7777)
		print(seen)
	END
}

# seen_while_sent: how many of three datagrams to port 7777 the packet sockets see.
seen_while_sent()
{
	: > "$DIR/sniffed" # not the datagrams of the previous call
	sniff > "$DIR/sniffed" &
	until_true 5 grep -q ready "$DIR/sniffed"
	for _ in 1 2 3; do
		on client socat -u - UDP-DATAGRAM:192.0.2.1:7777 <<< x
	done
	wait $!
	tail -n 1 "$DIR/sniffed"
}

@test "packet sockets do not see drops, native or generic; observed ones they do" {
	for mode in native generic; do
		pc attach eth0 -p ssh --mode $mode
		same 0 "$(seen_while_sent)" "seen in $mode mode"
		[ "$(pc counters eth0 --json | jq '.interfaces[0].reasons.unlisted.drop.packets')" -ge 3 ] || fail 'they were not dropped'
		pc swap eth0 --observe
		same 3 "$(seen_while_sent)" "seen in $mode mode, observed"
		pc detach eth0
	done
}
