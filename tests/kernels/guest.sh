# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086 # lists of process ids
# Runs in the guest, as root of a machine of its own. Prints what scripts/kernels reports: see results.sh.

# shellcheck source=tests/kernels/hosts.sh
. /hosts.sh

try_generation()
{
	check "$on: TCP to an open port, IPv4" reaches $host4 22
	check "$on: TCP to an open port, IPv6" reaches $host6 22
	check "$on: TCP to a closed port is dropped, IPv4" refuses reaches $host4 81
	check "$on: TCP to a closed port is dropped, IPv6" refuses reaches $host6 81
	check "$on: ping" peer ping -c 2 -W 2 $host4
	check "$on: ping, IPv6" peer ping6 -c 2 -W 2 $host6
	same "$on: ssh counts what passed" true "$(port_counted tcp 22 '.pass.packets > 8')"
	same "$on: 81/tcp counts what was dropped" true \
		"$(port_counted tcp 81 '.drop.packets > 1 and .pass.packets == 0')"
}

# Exact counts: an open port, one that a group restricts, source ports, VLAN, unlisted ones.
try_frames()
{
	check "$on: swap, a group" portcullis swap "$nic" -p communigate-pro --group "trusted=$peer4,$peer6"
	frames <<-END
		tcp $peer4 $host4 40000 143 60
		tcp $peer4 $host4 40000 143 1514
		tcp $peer6 $host6 40000 143 74
		tcp $peer4 $host4 40000 143 100 7
		tcp $peer6 $host6 40000 143 100 7,8
		udp $peer4 $host4 40000 69 60
		udp 10.77.0.9 $host4 40000 69 60
		udp $peer6 $host6 40000 69 74
		udp fd77::9 $host6 40000 69 74
		udp $peer4 $host4 67 68 300
		udp $peer4 $host4 66 68 300
		tcp $peer4 $host4 40000 7000-7099 60
	END
	same "$on: 143/tcp, five frames of all kinds" '[5,1848]' \
		"$(port_counted tcp 143 '[.pass.packets, .pass.bytes]')"
	same "$on: 69/udp, only from the group" '[2,2]' \
		"$(port_counted udp 69 '[.pass.packets, .drop.packets]')"
	same "$on: 68/udp, only from port 67" '[1,1]' \
		"$(port_counted udp 68 '[.pass.packets, .drop.packets]')"
	same "$on: 100 unlisted ports" '[100,100]' "$(counted \
		'[.ports[] | select(.protocol == "tcp" and .port >= 7000 and .port < 7100) | .drop.packets] | [length, add]')"
	same "$on: reason source" 3 "$(counted '.reasons.source.drop.packets')"
	same "$on: counters go on over the swap" true "$(port_counted tcp 22 '.pass.packets > 8')"
}

# The events that a listener gets, and what it may do while it reads them: before 5.19 each call of bpf(2) needs
# CAP_BPF.
try_monitor()
{
	portcullis monitor "$nic" --json tcp and port 7777 > /tmp/heard 2> /tmp/heard_errors &
	listener=$!
	listens "$nic" /tmp/heard_errors
	case $(uname -r) in 5.1[0-8].*) needed=000000c000000000 ;; *) needed=0000004000000000 ;; esac
	same "$on: the capabilities of monitor" "$needed $needed" \
		"$(sed -n 's/^Cap\(Prm\|Eff\):.//p' /proc/$listener/status | tr '\n' ' ' | sed 's/ $//')"
	frames <<-END
		tcp $peer4 $host4 40000 7777 60
		tcp $peer6 $host6 40000 7777 74
		tcp $peer4 $host4 40000 7777 100 7,8
		tcp $peer4 $host4 40000 7778 60
	END
	sleep 4 # after a lease has ended
	echo "tcp $peer4 $host4 40001 7777 60" | frames
	sleep 1
	kill -INT $listener
	wait $listener
	same "$on: monitor hears drops, over leases" \
		"drop unlisted $peer4 40000,drop unlisted $peer6 40000,drop unlisted $peer4 40000,drop unlisted $peer4 40001" \
		"$(jq -r '"\(.verdict) \(.reason) \(.source) \(.source_port)"' /tmp/heard | tr '\n' ',' | sed 's/,$//')"
	same "$on: monitor, stderr" "4 packets, 0 lost" "$(tail -n 1 /tmp/heard_errors)"
}

# Twenty swaps, while frames come in to a port that both generations admit.
try_swap_under_load()
{
	before=$(port_counted tcp 25 '.pass.packets // 0')
	[ "$before" = null ] && before=0
	echo "tcp $peer4 $host4 40000 25 60" |
		peer send -t 4 "$peer_nic" "$(mac "$nic")" > /tmp/sent 2>&1 &
	sender=$!
	swaps=0
	while kill -0 $sender 2> /dev/null; do
		# Both have 22/tcp, which has a server here: the guard would refuse a swap that closes it.
		for profile in xeams,ssh communigate-pro; do
			portcullis swap "$nic" -p $profile > /tmp/swapped 2>&1 || break 2
			swaps=$((swaps + 1))
		done
	done
	wait $sender
	sleep 0.3
	sent=$(cut -d' ' -f1 /tmp/sent)
	after=$(port_counted tcp 25 '.pass.packets')
	same "$on: swaps under traffic drop nothing of a port that stays open" 0 \
		"$(port_counted tcp 25 '.drop.packets')"
	# A veth cable holds back what the other end cannot accept; QEMU's NIC drops it before the hook.
	if [ "$on" = veth ]; then
		same "$on: and count every frame" "$sent" "$((after - before))"
	else
		check "$on: and let it pass" test "$((after - before))" -gt 0
	fi
	echo "# $swaps swaps, $((after - before)) of $sent frames sent were counted"
	same "$on: more than one swap" true "$([ $swaps -gt 1 ] && echo true || tail -n 3 /tmp/swapped)"
}

# Replies to packets of this host, to ports that the profile does not list, come in. Unrequested packets do not.
try_state()
{
	tcx=$(grep -c 'tcx link: yes' /tmp/facts)
	same "$on: the egress hook" "$([ "$tcx" = 1 ] && echo tcx || echo clsact)" \
		"$(portcullis status "$nic" --json | jq -r '.interfaces[0].egress')"
	peer sh -c 'nc -ll -p 8080 -e echo "hello from 8080" > /dev/null 2>&1 & echo $!' > /tmp/far_tcp
	peer sh -c 'datagram serve 5353 > /dev/null 2>&1 & echo $!' > /tmp/far_udp
	sleep 1
	for far in $peer4 $peer6; do
		said=$(timeout 5 nc -w 3 $far 8080 < /dev/null 2>&1)
		same "$on: TCP reply from $far" "hello from 8080" "$said"
		check "$on: UDP reply from $far, socket not connected" datagram ask $far 5353 100
		check "$on: UDP reply in fragments from $far" datagram ask $far 5353 20000
		check "$on: echo reply from $far" ping -c 1 -W 2 $far
	done
	check "$on: replies counted" test "$(counted '.replies.packets >= 10')" = true
	same "$on: learned flows" true "$(portcullis flows --json | jq '.used >= 4')"
	check "$on: a ping in fragments" peer ping -c 1 -W 2 -s 4000 $host4
	datagram serve 5454 > /dev/null 2>&1 &
	near=$!
	check "$on: UDP to an unlisted port is dropped" refuses peer datagram ask $host4 5454 100
	kill $near "$(cat /tmp/far_tcp)" "$(cat /tmp/far_udp)"
}

# A TCP socket that is bound to a VLAN device above, as a link-local connection is: the look-up at the
# NIC does not find it.
try_vlan()
{
	/usr/sbin/ip link add link "$nic" name vlan5 type vlan id 5
	peer /usr/sbin/ip link add link "$peer_nic" name vlan5 type vlan id 5
	/usr/sbin/ip address add fe80::77:1/64 dev vlan5 nodad
	peer /usr/sbin/ip address add fe80::77:2/64 dev vlan5 nodad
	/usr/sbin/ip link set vlan5 up
	peer /usr/sbin/ip link set vlan5 up
	peer sh -c 'nc -ll -p 8080 -e echo "hello from 8080" > /dev/null 2>&1 & echo $!' > /tmp/far_tcp
	sleep 1
	same "$on: TCP reply by a VLAN device, link-local" "hello from 8080" \
		"$(timeout 5 nc -w 3 fe80::77:2%vlan5 8080 < /dev/null 2>&1)"
	same "$on: which was learned" 1 "$(portcullis flows --json | jq '[.flows[] | select(.protocol == "tcp")] | length')"
	kill "$(cat /tmp/far_tcp)"
	check "$on: doctor knows the VLAN" diagnosed vlan5 link warning "is a VLAN of $nic"
	check "$on: doctor knows that its tags are taken off" diagnosed "$nic" vlan-offload warning 'is on'
	/usr/sbin/ip link del vlan5
	peer /usr/sbin/ip link del vlan5
}

try_observe()
{
	check "$on: swap to observe" portcullis swap "$nic" -p ssh --observe
	check "$on: observe drops nothing" reaches $host4 81
	same "$on: observe counts what it would drop" true \
		"$(port_counted tcp 81 '.would_drop.packets >= 1')"
}

try_detach()
{
	check "$on: detach" portcullis detach "$nic"
	same "$on: no program is left" '' "$(/usr/sbin/ip -details link show "$nic" | grep -o 'prog/xdp.*')"
	same "$on: no pin is left" '' "$(ls /sys/fs/bpf/portcullis)"
	check "$on: status says so" refuses portcullis status "$nic"
	check "$on: all is open again" reaches $host4 81
	check "$on: detach again" portcullis detach "$nic"
}

try_all()
{
	check "$on: attach" portcullis attach "$nic" -p ssh --mode native
	cp $errors /tmp/said
	note < $errors
	if [ "$on" = virtio-net ]; then
		check "$on: says what one queue fewer than CPUs costs" grep '1 receive queue for 2 CPUs' /tmp/said
	fi
	same "$on: mode, policy, generation" '["native","enforce",1]' \
		"$(portcullis status "$nic" --json | jq -c '.interfaces[0] | [.mode, .policy, .generation]')"
	[ "$(portcullis status "$nic" --json | jq -r '.interfaces[0].mode')" = native ] || return
	check "$on: doctor finds it sound" portcullis doctor
	try_generation
	try_frames
	try_monitor
	try_state
	[ "$on" != veth ] || try_vlan
	try_swap_under_load
	try_observe
	try_detach
}

# fallback NAME WORDS FIX: native mode is refused with the driver's words, and with the fix; the filter works in generic
# mode.
fallback()
{
	check "$1: native alone fails" refuses portcullis attach "$nic" -p ssh --mode native
	cp $errors /tmp/said
	check "$1: and says why" grep "$2" /tmp/said
	[ -z "$3" ] || check "$1: and what mends it" grep "to fix it: .*$3" /tmp/said
	grep -v 'is open to anyone' /tmp/said | note
	same "$1: and leaves nothing" '' "$(ls /sys/fs/bpf/portcullis)"
	check "$1: attach falls back" portcullis attach "$nic" -p ssh
	cp $errors /tmp/said
	check "$1: with a warning that says why" grep "warning: .*\($2\)" /tmp/said
	[ -z "$3" ] || check "$1: with what mends it" grep "warning: .*to fix it: .*$3" /tmp/said
	same "$1: to generic" generic "$(portcullis status "$nic" --json | jq -r '.interfaces[0].mode')"
}

judges()
{
	check "$on: TCP to an open port" reaches $host4 22
	check "$on: TCP to a closed port is dropped" refuses reaches $host4 81
}

# Frames that need several buffers: in native mode if the driver accepts them, else in generic mode.
try_large_mtu()
{
	/usr/sbin/ip link set "$nic" mtu 9000
	peer /usr/sbin/ip link set "$peer_nic" mtu 9000
	on="$on, MTU 9000"
	if portcullis attach "$nic" -p ssh --mode native > $errors 2>&1; then
		echo "ok - $on: native"
	else
		fallback "$on" '[Mm][Tt][Uu]' "ip link set dev $nic mtu 1500"
	fi
	judges
	check "$on: ping of 8000 bytes" peer ping -c 2 -W 2 -s 8000 $host4
	check "$on: detach" portcullis detach "$nic"
}

try_refusals()
{
	/usr/sbin/ip link add nic0 type dummy
	nic=nic0
	fallback 'a NIC without native XDP' 'not supported\|[Nn]ative XDP' ''
	check "a NIC without native XDP: detach" portcullis detach nic0
	nic=$1
	if [ -z "$nic" ]; then
		echo "skip - virtio-net with guest offloads: the host has no tap"
		return
	fi
	/usr/sbin/ip link set "$nic" up
	check 'virtio-net with guest offloads: doctor says so before' diagnosed "$nic" gro-hw warning guest_tso4=off
	fallback 'virtio-net with guest offloads' 'host is implementing' 'guest_tso4=off'
	check "virtio-net with guest offloads: detach" portcullis detach "$nic"
}

packet_table() { packet_run --quick --random 1500; }
packet_brief() { packet_run --brief; }

packet_run()
{
	began=$(date +%s)
	timeout 420 test_packet "$@" > /tmp/packets 2> $errors
	code=$?
	echo "# the packet table took $(($(date +%s) - began)) s"
	same "the packet table: $(grep '^ok' /tmp/packets | grep -vc ' # SKIP ') checks" 0 $code
	grep 'random frames: --' /tmp/packets
	sed -n 's/^ok.* # SKIP /skipped in it: /p' /tmp/packets | sort | uniq -c | note
	# Devices and modules are this guest's own, so only the kernel may lack something.
	same "the packet table: nothing is missing but in the kernel" '' \
		"$(sed -n 's/^ok.* # SKIP //p' /tmp/packets | grep -v '^this kernel ' | sort -u)"
	[ $code = 0 ] && return
	grep -B 12 '^not ok' /tmp/packets | tail -n 60 | note
	tail -n 3 /tmp/packets | note
	head -n 20 $errors | note
}

virtio_net()
{
	on=virtio-net
	cable "$(with_mac 52:54:00:77:00:01)" "$(with_mac 52:54:00:77:00:02)"
	try_all
	try_large_mtu
	uncable
}

veth()
{
	/usr/sbin/ip link add pc0 type veth peer name pc1
	on=veth
	cable pc0 pc1
	try_all
	try_large_mtu
}

refusals()
{
	try_refusals "$(with_mac 52:54:00:77:00:03)"
}

/usr/sbin/ip netns add peer
/usr/sbin/ip link set lo up
echo "# kernel $(uname -r)"
if facts > /tmp/facts 2> $errors; then
	echo "ok - the verifier takes the program"
	note < /tmp/facts
else
	echo "not ok - the verifier takes the program"
	portcullis attach lo -p ssh 2>&1 | note
	note < /tmp/facts
	echo "# the end"
	exit
fi
check "doctor finds no problem with this kernel" portcullis doctor
serve 22
serve 81
for part in $(cat /parts); do
	$part
done
kill $servers
echo "# the end"
