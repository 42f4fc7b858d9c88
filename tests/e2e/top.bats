#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `top` in a real terminal (tmux), with real traffic: rates, keys, sizes, colours, and the terminal as it was afterwards.

load helper
load traffic

setup_file()
{
	sandbox_start
	host_add host
	host_add_silent sender
	link_add host eth0 sender eth0
	link_add host eth1 sender eth1
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	MAC=$(mac_of host eth0)
	export MAC
	cat > "$DIR/shell" <<-END
		PS1='ready> '
		set +o history
		top() { nsenter --net=/run/netns/host "$PORTCULLIS" top "\$@"; }
	END
	# Kinds of terminals: that of tmux, and vt100 without colours.
	printf 'set -g default-terminal tmux-256color\nset -g escape-time 0\nset -g status off\n' > "$DIR/tmux.conf"
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	terminal_end
	stop_all
	detach_all host
	[[ -z ${RENAMED:-} ]] || on host ip link set "$RENAMED" name eth1
}

# renames NAME: renames eth1 until the test ends.
renames()
{
	on host ip link set eth1 name "$1"
	RENAMED=$1
}

tmux_run()
{
	inside env -u TMUX LC_ALL="${LOCALE:-C.UTF-8}" tmux -f "$DIR/tmux.conf" -S "$TERMINAL" "$@"
}

# terminal ROWS COLUMNS: starts a shell on a terminal, in the sandbox. A killed tmux server still answers for a moment,
# so each terminal has a server of its own.
terminal()
{
	TERMINAL=$(mktemp -u "$DIR/tmux.XXXXXX")
	tmux_run new-session -d -x "$2" -y "$1" env ${KIND:+TERM="$KIND"} ${NO:+NO_COLOR="$NO"} \
		LC_ALL="${LOCALE:-C.UTF-8}" bash --rcfile "$DIR/shell" -i
	shows 'ready>'
}

terminal_end()
{
	[[ -z ${TERMINAL:-} ]] || tmux_run kill-server 2> /dev/null || true
	TERMINAL=
}

# types KEY...: keys by tmux's names.
types()
{
	tmux_run send-keys "$@"
}

# Prints the screen; -e: with escape sequences.
screen()
{
	tmux_run capture-pane -p "$@"
}

is_shown()
{
	grep -qE -e "$1" <<< "$(screen)"
}

# shows PATTERN...: the screen has these within some seconds.
shows()
{
	local pattern

	for pattern in "$@"; do
		until_true 8 is_shown "$pattern" || fail "the screen does not show: $pattern
$(screen)"
	done
}

shows_not()
{
	! is_shown "$1" || fail "the screen shows: $1
$(screen)"
}

# starts [WORDS...]: runs top, and waits until it has read the counters twice.
starts()
{
	types "top $*" Enter
	shows '^ portcullis top ' '  in [0-9]'
}

# The process of top, as the sandbox knows it.
top_pid()
{
	inside pgrep -f "^$PORTCULLIS top"
}

top_ended()
{
	! top_pid > /dev/null
}

# udp_stream PORT PACKETS-A-SECOND SECONDS: datagrams of 58 bytes of payload, frames of 100.
udp_stream()
{
	START_SECONDS=$(($3 + 5)) start stream sender /usr/bin/python3 -c '
import socket, sys, time
port, rate, seconds, mac = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4].replace(":", ""))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
frame = bytearray(mac + bytes.fromhex("02000000000908004500005600000000401100") + b"\0" + socket.inet_aton("198.51.100.9")
    + socket.inet_aton("192.0.2.1") + (40000).to_bytes(2, "big") + port.to_bytes(2, "big") + (66).to_bytes(2, "big") + b"\0\0" + bytes(58))
words = sum(int.from_bytes(frame[14 + i:16 + i], "big") for i in range(0, 20, 2))
while words >> 16:
    words = (words & 0xffff) + (words >> 16)
frame[24:26] = (~words & 0xffff).to_bytes(2, "big")
start, sent = time.monotonic(), 0
while (now := time.monotonic() - start) < seconds:
    while sent < now * rate:
        s.send(frame)
        sent += 1
    time.sleep(0.005)
' "$1" "$2" "$3" "$MAC"
}

# number ROW COLUMN: a number in the line that matches ROW, COLUMN counted from 1 after the match; "1.23 k" as 1230.
number()
{
	screen | sed 's/ \([kMG]\)\b/\1/g' | awk -v row="$1" -v column="$2" 'match($0, row) && !done {
		done = 1; split(substr($0, RSTART + RLENGTH), field); value = field[column]; unit = substr(value, length(value))
		print value * (unit == "k" ? 1e3 : unit == "M" ? 1e6 : unit == "G" ? 1e9 : 1) }'
}

# near WANTED ROW COLUMN: the number is within 10 % of WANTED.
near()
{
	awk -v wanted="$1" -v is="$(number "$2" "$3")" 'BEGIN { exit !(is > 0.9 * wanted && is < 1.1 * wanted) }'
}

@test "the services of machines stand beside those of the interface" {
	# On this machine the packets have no address of the host.
	on host ip address del 192.0.2.1/24 dev eth0
	pc attach eth0 -p ssh --machine shop=192.0.2.0/24 -p ssh --open 5060/udp --force
	terminal 24 80
	udp_stream 5060 500 20
	starts
	until_true 8 near 500 'shop: site:5060-udp' 1 || fail "packets/s: $(screen)"
	shows 'shop: ssh:ssh +0 ' ' ssh:ssh +0 '
	stop stream
	udp_stream 5061 200 20
	until_true 8 near 200 'any +shop: unlisted' 3 || fail "drops/s: $(screen)"
	stop stream
	types q
	shows 'ready>'
	address_add host eth0 192.0.2.1/24
}

@test "rates are right: passed, dropped, in packets and bits; at 80x24 and 200x60" {
	pc attach eth0 -p ssh --open 5060/udp
	for size in '24 80' '60 200'; do
		# shellcheck disable=SC2086
		terminal $size
		udp_stream 5060 500 20
		starts
		# PKT/S BIT/S DROP/S
		until_true 8 near 500 'site:5060-udp' 1 || fail "packets/s: $(screen)"
		until_true 8 near 400000 'site:5060-udp' 2 || fail "bits/s: $(screen)"
		same 0 "$(number 'site:5060-udp' 3)" 'drops/s'
		stop stream
		udp_stream 5061 200 20
		until_true 8 near 200 '5061/udp +unlisted' 3 || fail "drops/s: $(screen)"
		shows "unlisted +[0-9]{3} " 'dropped (1[89]|2[01])[0-9]/s' 'site:5060-udp +0 '
		stop stream
		types q
		shows 'ready>'
		terminal_end
	done
}

@test "sources: who is dropped, at which rate; forged ones are one row, and who came again is still there" {
	pc attach eth0 -p ssh
	send_flows > "$DIR/sent" <<< 'tcp 203.0.113.77 192.0.2.1 40000 3389 60'
	terminal 24 80
	udp_stream 5060 200 20
	starts
	shows ' 203.0.113.77 +3389/tcp +unlisted ' ' 198.51.100.9 +5060/udp +unlisted '
	until_true 8 near 200 '198.51.100.9 +5060/udp +unlisted' 1 || fail "packets/s: $(screen)"
	until_true 8 near 160000 '198.51.100.9 +5060/udp +unlisted' 2 || fail "bits/s: $(screen)"
	sleep 1.2 # it is seen in more than one second, so it does not count among addresses that came once
	stop stream
	shows '198.51.100.9 +5060/udp +unlisted +0 '
	# 64 addresses of as many networks, one packet each.
	for i in {1..64}; do
		echo "udp 10.$i.7.9 192.0.2.1 40000 161 60"
	done | send_flows > "$DIR/sent"
	shows ' 6[45] sources +' ' 198.51.100.9 '
	pc drops --clear
	until_true 5 source_is_gone || fail "sources after --clear: $(screen)"
	types q
	shows 'ready>'
}

source_is_gone()
{
	! is_shown '203.0.113.77'
}

@test "freeze freezes, and goes on; --watch sets the interval" {
	pc attach eth0 -p ssh --open 5060/udp
	terminal 24 80
	udp_stream 5060 300 30
	starts --watch 1
	shows 'every 1 s' 'site:5060-udp +[23][0-9]{2} '
	types p
	shows FROZEN 'p go on'
	before=$(screen | sed 1d)
	sleep 2.5
	same "$before" "$(screen | sed 1d)" 'the screen while it is frozen'
	types Space
	until_true 4 is_shown 'p freeze'
	shows_not FROZEN
	sleep 2.2
	[ "$before" != "$(screen | sed 1d)" ] || fail 'it did not go on'
}

@test "sort sorts: 1 packets, 2 bits, 3 totals; s takes the next" {
	pc attach eth0 -p ssh --observe
	send_flows > "$DIR/sent" <<-END
		udp 198.51.100.9 192.0.2.1 40000 7001 60
		udp 198.51.100.9 192.0.2.1 40000 7001 60
		udp 198.51.100.9 192.0.2.1 40000 7001 60
		udp 198.51.100.9 192.0.2.1 40000 7002 1400
	END
	terminal 24 80
	starts --watch 60
	types 3
	shows '\*PACKETS' 'sort: packets '
	same 7001 "$(screen | grep -oE '700[12]/udp' | head -1 | cut -d/ -f1)" 'the first by packets'
	types q
	shows 'ready>'
	# Within one interval, so that the screen has the rates of both.
	starts --watch 3
	send_flows > "$DIR/sent" <<-END
		udp 198.51.100.9 192.0.2.1 40000 7001 60
		udp 198.51.100.9 192.0.2.1 40000 7001 60
		udp 198.51.100.9 192.0.2.1 40000 7002 1400
	END
	shows '7001/udp +unlisted +0.7 ' '7002/udp +unlisted +0.3 '
	types p 1
	shows '\*PKT/S'
	same 7001 "$(screen | grep -oE '700[12]/udp' | head -1 | cut -d/ -f1)" 'the first by packets a second'
	types s
	shows '\*BIT/S' 'sort: bits/s'
	same 7002 "$(screen | grep -oE '700[12]/udp' | head -1 | cut -d/ -f1)" 'the first by bits a second'
	types s
	shows '\*PACKETS'
}

@test "--help tells the keys, as the screen does" {
	exits 0 pc top --help
	says 'Keys:' 'q              quit' 'tab, left      choose a panel' '?  '
}

@test "panels: tab and arrows choose, up and down scroll, the list ends where it ends; help" {
	pc attach eth0 -p ssh
	send_flows > "$DIR/sent" <<< 'tcp 198.51.100.9 192.0.2.1 40000 3000-3099 60'
	terminal 24 80
	starts
	shows '>WAY' '1-[0-9]+ of 10[0-9]'
	types Down Down
	shows '3-[0-9]+ of 10[0-9]'
	types End
	shows '-(10[0-9]) of \1'
	types Up
	shows '-10[0-9] of 10[0-9]'
	types Home
	shows ' 1-[0-9]+ of'
	types Tab
	shows '>REASON' '1-1 of 1'
	types Tab
	shows '>SOURCE'
	types Right
	shows '>WAY'
	types Left
	shows '>SOURCE'
	types BTab BTab
	shows '>WAY'
	types '?'
	shows 'freeze the screen' 'any key goes back'
	types x
	shows '>WAY'
	types '?'
	types q
	shows 'ready>'
}

@test "quit, Ctrl-C, SIGTERM and Ctrl-Z give the terminal back as it was" {
	pc attach eth0 -p ssh
	terminal 24 80
	types 'echo before; stty -g > '"$DIR/stty" Enter
	shows '^before'
	for way in q C-c TERM HUP; do
		starts
		shows_not '^before'
		case $way in
		q | C-c) types $way ;;
		*) inside kill -$way "$(top_pid)" ;;
		esac
		until_true 5 top_ended
		shows '^before' 'ready> *$'
		shows_not 'PKT/S'
		types "stty -g | cmp - $DIR/stty && echo sa''me; clear; echo before" Enter
		until_true 5 is_shown '^before'
		types "stty -g | cmp - $DIR/stty && echo sa''me" Enter
		shows '^same'
		types 'clear; echo before' Enter
		shows '^before'
	done
	# Stopped and continued, with another size in between.
	starts
	types C-z
	shows 'Stopped' '^before'
	tmux_run resize-window -x 100 -y 30
	types "stty -a | grep -c ' icanon'" Enter
	shows '^1$'
	types fg Enter
	shows '^ portcullis top .{60,}$' 'PKT/S'
	shows_not 'Stopped'
	same 30 "$(screen | grep -c '')" 'rows'
	[[ $(screen | tail -1) == *'q quit'* ]] || fail "the last line: $(screen)"
	types q
	shows '^before'
	# By SIGSTOP, which a program cannot notice.
	starts
	inside kill -STOP "$(top_pid)"
	shows Stopped
	types fg Enter
	shows '^ portcullis top ' 'PKT/S' 'q quit'
	shows_not Stopped
	types q
	shows '^before'
}

@test "exit status: 0 after q, by the signal after Ctrl-C" {
	pc attach eth0 -p ssh
	terminal 24 80
	starts
	types q
	types 'echo "exit $?"' Enter
	shows '^exit 0'
	starts
	types C-c
	types 'echo "exit $?"' Enter
	shows '^exit 130'
}

@test "resized while it runs: each size is drawn whole; too small says so" {
	pc attach eth0 -p ssh,xeams
	terminal 24 80
	starts
	for size in '200 60' '40 10' '80 24' '120 12' '150 40'; do
		tmux_run resize-window -x "${size% *}" -y "${size#* }"
		shows "^ portcullis top " 'PKT/S'
		until_true 5 last_line_is_footer || fail "$size: $(screen)"
		same "${size#* }" "$(screen | grep -c '')" "rows of $size"
		[ "$(screen | wc -L)" -le "${size% *}" ] || fail "wider than $size: $(screen)"
	done
	for size in '39 24' '80 9' '20 3' '1 1'; do
		tmux_run resize-window -x "${size% *}" -y "${size#* }"
		sleep 0.3
		shows_not PKT/S
		[ "${size% *}" -lt 39 ] || shows 'too small: 40x10'
	done
	tmux_run resize-window -x 80 -y 24
	shows PKT/S 'q quit'
	types q
	shows 'ready>'
}

last_line_is_footer()
{
	[[ $(screen | tail -1) == *'q quit'* ]]
}

@test "colours: none with NO_COLOR and on a vt100; in the C locale no byte of UTF-8" {
	pc attach eth0 -p ssh
	renames $'\xc3\xa4th1'
	pc attach $'\xc3\xa4th1' -p ssh
	send_flows > "$DIR/sent" <<< 'tcp 198.51.100.9 192.0.2.1 40000 3000-3003 60'
	terminal 24 80
	starts
	shows $'\xc3\xa4th1'
	screen -e | grep -q $'\033\[31m' || fail 'no colours'
	terminal_end
	NO=1 terminal 24 80
	starts
	! screen -e | grep -qE $'\033\\[(3[0-8]|4[0-8]|9[0-7])[;m]' || fail "colours with NO_COLOR: $(screen -e)"
	terminal_end
	KIND=vt100 terminal 24 80
	starts
	shows PKT/S '3000/tcp'
	! screen -e | grep -qE $'\033\\[(3[0-8]|4[0-8]|9[0-7])[;m]' || fail "colours on a vt100: $(screen -e)"
	types Down
	types q
	shows 'ready>'
	terminal_end
	LOCALE=C terminal 24 80
	starts
	shows '\?\?th1|\?th1'
	! screen | LC_ALL=C grep -q $'[\x80-\xff]' || fail "bytes of UTF-8: $(screen)"
	types q
	shows 'ready>'
}

@test "an interface's name cannot bring an escape sequence" {
	name=$'e\033[31mx'
	renames "$name"
	pc attach "$name" -p ssh
	terminal 24 80
	starts
	shows 'e\?\[31mx  enforce'
	types q
	shows 'ready>'
}

@test "filters that come, go and are swapped meanwhile; a change that waits to be confirmed" {
	pc attach eth0 eth1 -p ssh
	terminal 24 80
	starts --watch 1 eth0 eth1
	shows '^ eth0  enforce' '^ eth1  enforce' 'IFACE' 'eth1 +in +22/tcp'
	pc detach eth1
	shows '^ eth1  has no filter'
	shows_not 'eth1 +in'
	pc attach eth1 -p xeams
	shows 'eth1 +in +25/tcp +xeams:smtp'
	pc swap eth1 -p ssh --observe --confirm 4
	shows '^ eth1  observe, undone in [34] s unless confirmed' 'eth1 +in +22/tcp'
	shows '^ eth1  enforce, the last change was reverted' 'eth1 +in +25/tcp +xeams:smtp'
	on host ip link del eth1
	shows '^ eth1  has no filter' '^ eth0  enforce'
	pc detach eth0
	shows '^ eth0  has no filter'
	types q
	shows 'ready>'
	link_add host eth1 sender eth1
	# Without names: all interfaces.
	starts_empty
	shows 'attached to no interface'
	pc attach eth0 -p ssh
	shows '^ eth0  enforce'
	# Its counters are cleared.
	send_flows > "$DIR/sent" <<< 'tcp 198.51.100.9 192.0.2.1 40000 3000-3049 60'
	shows 'unlisted .* 50 +[0-9.]+ k'
	pc counters --clear
	until_true 5 reason_is_gone || fail "the counts before --clear: $(screen)"
}

starts_empty()
{
	types 'top --watch 1' Enter
	shows '^ portcullis top '
}

reason_is_gone()
{
	! is_shown '^ unlisted'
}

@test "what it cannot use: no terminal, an unknown one, an interface without a filter, wrong words" {
	pc attach eth0 -p ssh
	exits 1 pc top
	says 'top: needs a terminal' 'portcullis counters --watch 2'
	terminal 24 100
	types 'TERM=nonesuch top' Enter
	shows "the terminal 'nonesuch' \(TERM\) is unknown" 'TERM=xterm portcullis top'
	types "clear; TERM=dumb top" Enter
	shows "the terminal 'dumb' \(TERM\)"
	types "clear; TERM= top" Enter
	shows "the terminal '' \(TERM\)"
	types 'clear; top eth1' Enter
	shows 'eth1: '
	shows_not 'PKT/S'
	types 'clear; top eth9' Enter
	shows 'eth9'
	exits 2 pc top --watch 0
	exits 2 pc top --json
	exits 2 pc top --all
}

@test "a terminal that goes away ends it" {
	pc attach eth0 -p ssh
	terminal 24 80
	starts
	terminal_end
	until_true 5 top_ended || fail 'it still runs'
}

@test "a terminal that is stopped (Ctrl-S) does not keep it from ending" {
	pc attach eth0 -p ssh
	terminal 24 80
	starts --watch 1
	types C-s
	sleep 2.5
	inside kill -TERM "$(top_pid)"
	until_true 5 top_ended || fail 'it still runs'
	shows 'ready>'
}

@test "it costs less than 1 % of a CPU, also after a scan of all ports" {
	pc attach eth0 -p ssh,xeams
	send_flows > "$DIR/sent" <<< 'tcp 198.51.100.9 192.0.2.1 40000 1-65535 60'
	send_flows > "$DIR/sent" <<< 'udp 198.51.100.9 192.0.2.1 40000 1-65535 60'
	terminal 24 80
	starts
	shows ' of 13[0-9]{4}'
	pid=$(top_pid)
	before=$(inside awk '{ print $14 + $15 }' "/proc/$pid/stat")
	sleep 10
	used=$(($(inside awk '{ print $14 + $15 }' "/proc/$pid/stat") - before))
	echo "# $used hundredths of a second of CPU in 10 s"
	# Ten readings are 1 %; the machine may be busy with other tests, so that each reading takes longer.
	[ "$used" -le 20 ] || fail "$used hundredths of a second of CPU in 10 s"
}
