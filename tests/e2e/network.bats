#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Fragments, path-MTU discovery, ICMP errors and echo under a profile that lists one port.
#
#	host 192.0.2.1 --- router 192.0.2.2, 198.51.100.1 --- (MTU 1300) --- far 198.51.100.2
#	     2001:db8::1          2001:db8::2, 2001:db8:2::1                       2001:db8:2::2
#
# `host` is filtered. `far` announces a segment size that does not fit through.

load helper
load traffic

setup_file()
{
	sandbox_start
	tiny_catalog
	host_add host
	host_add router
	host_add far
	link_add host eth0 router eth0
	link_add router eth1 far eth0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	address_add router eth0 192.0.2.2/24 2001:db8::2/64
	address_add router eth1 198.51.100.1/24 2001:db8:2::1/64
	address_add far eth0 198.51.100.2/24 2001:db8:2::2/64
	on router sh -c 'cd /proc/sys/net; echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding
		echo 0 > ipv4/icmp_ratelimit; echo 0 > ipv6/icmp/ratelimit; echo 10000 > ipv4/icmp_msgs_per_sec'
	on router ip link set eth1 mtu 1300
	on far ip link set eth0 mtu 1300
	on host ip route add default via 192.0.2.2
	on host ip -6 route add default via 2001:db8::2
	on far ip route add default via 198.51.100.1 advmss 1460
	on far ip -6 route add default via 2001:db8:2::1 advmss 1440
	head -c 4000000 /dev/urandom > "$DIR/bulk"
	udp_serve_file far 7777
	udp_serve_file router 7777
}

# udp_serve_file HOST PORT: starts a server for all tests of the file.
udp_serve_file()
{
	on "$1" timeout 300 /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" serve "$2" \
		< /dev/null > "$DIR/$1.$2.log" 2>&1 3>&- &
	disown
	until_true 20 grep -q ready "$DIR/$1.$2.log"
}

teardown_file()
{
	sandbox_end
}

setup()
{
	forget_mtu
}

teardown()
{
	stop_all
	detach_all host
}

forget_mtu()
{
	on host ip route flush cache
	on host ip -6 route flush cache
}

# known_mtu ADDRESS: the path MTU that `host` has learned; empty: none.
known_mtu()
{
	on host ip route get "$1" | grep -o ' mtu [0-9]*' | tr -dc 0-9
}

# --- fragments ---

@test "an answer of 60 kB in fragments reaches an unconnected client, IPv4 and IPv6" {
	attach_tiny host eth0
	asked 'answered 60000' host 192.0.2.2 7777 --answer 60000
	asked 'answered 60000' host 2001:db8::2 7777 --answer 60000
	asked 'answered 60000' host 198.51.100.2 7777 --answer 60000
	asked 'answered 60000' host 2001:db8:2::2 7777 --answer 60000
	same 0 "$(reason host eth0 fragment)" 'dropped fragments'
}

@test "an answer of 60 kB in fragments reaches a connected client, and a question of 60 kB the server" {
	attach_tiny host eth0
	asked 'answered 60000' host 192.0.2.2 7777 --answer 60000 --size 50000 --connected
	asked 'answered 60000' host 2001:db8::2 7777 --answer 60000 --size 50000 --connected
	asked 'answered 60000' host 2001:db8::2 7777 --answer 60000 --size 50000
}

@test "a datagram of 60 kB to a listed port arrives in fragments, and its answer leaves" {
	attach_tiny host eth0
	udp_serve served host 5000
	asked 'answered 60000' router 192.0.2.1 5000 --size 60000 --answer 60000
	asked 'answered 60000' router 2001:db8::1 5000 --size 59999 --answer 60000
	asked 'answered 20' far 192.0.2.1 5000 --size 60000
	asked 'answered 20' far 2001:db8::1 5000 --size 60000
	same 4 "$(grep -c '^got [56]' "$DIR/served.log")" 'large datagrams that came whole'
	same 0 "$(reason host eth0 fragment)" 'dropped fragments'
}

@test "nothing of a datagram to an unlisted port arrives: its first fragment is unlisted, the others are dropped" {
	udp_serve shut host 5001
	asked 'answered 20' router 192.0.2.1 5001 --size 30000
	asked 'answered 20' router 2001:db8::1 5001 --size 30000
	attach_tiny host eth0
	asked nothing router 192.0.2.1 5001 --size 30000 --timeout 0.5
	asked nothing router 2001:db8::1 5001 --size 30000 --timeout 0.5
	same 2 "$(grep -c '^got' "$DIR/shut.log")" 'datagrams that came, before the filter'
	same 2 "$(reason host eth0 unlisted)" 'first fragments'
	# Each fragment has 1480 bytes of payload; with IPv6 1448.
	same $((20 + 20)) "$(reason host eth0 fragment)" 'later fragments'
}

@test "later fragments without a first one, or before it, are dropped and counted" {
	attach_tiny host eth0
	udp_serve served host 5000
	exits 0 frames router eth0 "$(mac_of host eth0)" '
ipv4 = e/IP(src="192.0.2.2", dst="192.0.2.1", proto=17)
ipv6 = e/IPv6(src="2001:db8::2", dst="2001:db8::1")
def later(n):
    part = ipv4.copy()
    part[IP].id, part[IP].frag, part[IP].flags = n, 185, n % 2
    return part/Raw(bytes(64))
frames = [later(n) for n in range(1, 8)]
frames += [ipv6/IPv6ExtHdrFragment(nh=17, offset=181, m=n % 2, id=n)/Raw(bytes(64)) for n in range(5)]
'
	until_true 20 reason_is host eth0 fragment 12
	# Sends the two halves of a datagram to the listed port, the second half first; then in order, with another id.
	exits 0 frames router eth0 "$(mac_of host eth0)" '
whole = IP(src="192.0.2.2", dst="192.0.2.1")/UDP(sport=4000, dport=5000)/Raw(b"20 0 " + bytes(1000))
first, second = (IP(bytes(part)) for part in fragment(whole, 800))
def numbered(part, id):
    part = part.copy()
    part.id = id
    del part.chksum
    return e/part
frames = [numbered(second, 300), numbered(first, 300), numbered(first, 301), numbered(second, 301)]
'
	until_true 20 reason_is host eth0 fragment 13
	until_true 20 grep -qE '^(got|wrong)' "$DIR/served.log"
	same 1 "$(grep -cE '^(got|wrong)' "$DIR/served.log")" 'datagrams that came whole'
}

# --- path-MTU discovery ---

# upload ADDRESS: 4 MB from `host` to `far` on an unlisted port.
upload()
{
	start sink far socat -u TCP6-LISTEN:7000,ipv6only=0,reuseaddr "CREATE:$DIR/received"
	until_true 20 listening far 7000
	on host timeout "${LIMIT:-30}" socat -u "OPEN:$DIR/bulk" "TCP:$1:7000,connect-timeout=8" || return
	until_true 20 inside cmp -s "$DIR/bulk" "$DIR/received"
	stop sink
}

# download ADDRESS: 4 MB from the listed port of `host` to `far`.
download()
{
	start source host socat -u "OPEN:$DIR/bulk" TCP6-LISTEN:5000,ipv6only=0,reuseaddr
	until_true 20 listening host 5000
	on far timeout "${LIMIT:-30}" socat -u "TCP:$1:5000,connect-timeout=8" "CREATE:$DIR/received" || return
	until_true 20 inside cmp -s "$DIR/bulk" "$DIR/received"
	stop source
}

@test "path MTU: without the ICMP errors a bulk transfer would stand still" {
	on router nft -f - <<-'END'
		table inet blackhole {
			chain out {
				type filter hook output priority 0
				icmp type destination-unreachable drop
				icmpv6 type packet-too-big drop
			}
		}
	END
	LIMIT=5 exits 124 upload 198.51.100.2
	stop_all
	LIMIT=5 exits 124 download '[2001:db8::1]'
	on router nft delete table inet blackhole
}

@test "path MTU, TCP: a client's upload learns it, IPv4 and IPv6" {
	attach_tiny host eth0
	upload 198.51.100.2
	same 1300 "$(known_mtu 198.51.100.2)" 'path MTU'
	upload '[2001:db8:2::2]'
	same 1300 "$(known_mtu 2001:db8:2::2)" 'path MTU'
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
}

@test "path MTU, TCP: a server on the listed port learns it, IPv4 and IPv6" {
	attach_tiny host eth0
	download 192.0.2.1
	same 1300 "$(known_mtu 198.51.100.2)" 'path MTU'
	download '[2001:db8::1]'
	same 1300 "$(known_mtu 2001:db8:2::2)" 'path MTU'
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
}

@test "path MTU, UDP: IP_MTU_DISCOVER learns it, connected and not, IPv4 and IPv6" {
	attach_tiny host eth0
	for address in 198.51.100.2 2001:db8:2::2; do
		asked 'EMSGSIZE mtu 1300' host $address 7777 --df --size 1400 --connected --times 2 --pause 0.2
		forget_mtu
		asked EMSGSIZE host $address 7777 --df --size 1400 --times 2 --pause 0.2
		same 1300 "$(known_mtu $address)" 'path MTU'
		asked 'answered 20' host $address 7777 --df --size 1200
	done
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
}

@test "path MTU, UDP: a server on the listed port is told of large answers, IPv4 and IPv6" {
	attach_tiny host eth0
	udp_serve open host 5000
	for address in 192.0.2.1 2001:db8::1; do
		forget_mtu
		asked 'answered 100' far $address 5000 --answer 100
		udp_ask far $address 5000 --answer 1400 --timeout 1 || true
		asked 'answered 1400' far $address 5000 --answer 1400
		case $address in
		*:*) same 1300 "$(known_mtu 2001:db8:2::2)" 'path MTU' ;;
		*) same 1300 "$(known_mtu 198.51.100.2)" 'path MTU' ;;
		esac
	done
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
}

@test "path MTU: no error that quotes a listed UDP port lowers that of an address it never answered" {
	attach_tiny host eth0
	udp_serve open host 5000
	exits 0 frames router eth0 "$(mac_of host eth0)" \
		"frames = [e / IP(src='192.0.2.2', dst='192.0.2.1') / ICMP(type=3, code=4, nexthopmtu=700) /
			IP(src='192.0.2.1', dst='203.0.113.7', flags='DF') / UDP(sport=5000, dport=4000) / (b'x' * 8),
			e / IPv6(src='2001:db8::2', dst='2001:db8::1') / ICMPv6PacketTooBig(mtu=1290) /
			IPv6(src='2001:db8::1', dst='2001:db8:3::7') / UDP(sport=5000, dport=4000) / (b'x' * 8)]"
	until_true 20 reason_is host eth0 icmp 2
	same '' "$(known_mtu 203.0.113.7)" 'path MTU'
	same '' "$(known_mtu 2001:db8:3::7)" 'path MTU'
}

@test "path MTU: ping is told, IPv4 and IPv6" {
	attach_tiny host eth0
	exits 1 on host ping -n -c 1 -W 1 -s 1400 -M 'do' 198.51.100.2
	says 'mtu = 1300'
	exits 1 on host ping -n -c 1 -W 1 -s 1400 -M 'do' 2001:db8:2::2
	says 'mtu=1300'
}

# --- ICMP errors ---

# Errors that quote UDP of this host's unlisted port 5001, which has an unconnected socket, to 203.0.113.7 and
# 2001:db8:3::7: without the filter the kernel accepts a lower path MTU from them.
foreign_errors='
quoted = IP(src="192.0.2.1", dst="203.0.113.7")/UDP(sport=5001, dport=53)/Raw(bytes(900))
frames = [e/IP(src="192.0.2.2", dst="192.0.2.1")/ICMP(type=3, code=4, nexthopmtu=700)/Raw(bytes(quoted)[:28])]
quoted = IPv6(src="2001:db8::1", dst="2001:db8:3::7")/UDP(sport=5001, dport=53)/Raw(bytes(1400))
frames += [e/IPv6(src="2001:db8::2", dst="2001:db8::1")/ICMPv6PacketTooBig(mtu=1290)/Raw(bytes(quoted)[:1200])]
'

@test "errors that quote nothing of ours are dropped, and lower no path MTU" {
	start shut host socat -u UDP6-RECV:5001,ipv6only=0,reuseport CREATE:/dev/null
	until_true 20 udp_bound host 5001
	exits 0 frames router eth0 "$(mac_of host eth0)" "$foreign_errors"
	until_true 20 mtu_is 203.0.113.7 700
	until_true 20 mtu_is 2001:db8:3::7 1290
	forget_mtu
	attach_tiny host eth0
	exits 0 frames router eth0 "$(mac_of host eth0)" "$foreign_errors"
	until_true 20 reason_is host eth0 icmp 2
	sleep 0.2
	same '' "$(known_mtu 203.0.113.7)" 'path MTU'
	same '' "$(known_mtu 2001:db8:3::7)" 'path MTU'
	# The same errors, after the quoted packet was sent.
	exits 0 on host socat -u SYSTEM:'echo x' UDP4-SENDTO:203.0.113.7:53,sourceport=5001,reuseport
	exits 0 on host socat -u SYSTEM:'echo x' 'UDP6-SENDTO:[2001:db8:3::7]:53,sourceport=5001,reuseport'
	exits 0 frames router eth0 "$(mac_of host eth0)" "$foreign_errors"
	until_true 20 mtu_is 203.0.113.7 700
	until_true 20 mtu_is 2001:db8:3::7 1290
	same 2 "$(reason host eth0 icmp)" 'dropped ICMP'
}

udp_bound()
{
	[ -n "$(on "$1" ss -Hanu "sport = :$2")" ]
}

mtu_is()
{
	[ "$(known_mtu "$1")" = "$2" ]
}

@test "a refused UDP client is told so, connected or not, IPv4 and IPv6" {
	attach_tiny host eth0
	for address in 192.0.2.2 2001:db8::2 198.51.100.2 2001:db8:2::2; do
		asked ECONNREFUSED host $address 7778 --connected
		asked ECONNREFUSED host $address 7778 --errors
	done
	# The same for the listed port.
	asked ECONNREFUSED host 192.0.2.2 7778 --connected --source-port 5000
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
}

@test "time exceeded on the way reaches ping, UDP and a TCP client" {
	attach_tiny host eth0
	exits 1 on host ping -n -c 1 -W 1 -t 1 198.51.100.2
	says 'Time to live exceeded'
	exits 1 on host ping -n -c 1 -W 1 -t 1 2001:db8:2::2
	says 'Hop limit'
	for address in 198.51.100.2 2001:db8:2::2; do
		asked EHOSTUNREACH host $address 7777 --ttl 1 --errors
		asked EHOSTUNREACH host $address 7777 --ttl 1 --errors --connected
	done
	exits 1 on host socat -u OPEN:/dev/null TCP:198.51.100.2:7000,ttl=1,setsockopt-int=0:11:1,connect-timeout=1.5
	says 'No route to host'
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
}

@test "an unreachable network is told to TCP" {
	on router ip route add unreachable 203.0.113.0/24
	on router ip -6 route add unreachable 2001:db8:3::/64
	attach_tiny host eth0
	exits 1 on host socat -u OPEN:/dev/null TCP:203.0.113.7:7000,setsockopt-int=0:11:1,connect-timeout=1.5
	says 'No route to host'
	exits 1 on host socat -u OPEN:/dev/null 'TCP:[2001:db8:3::7]:7000,setsockopt-int=41:25:1,connect-timeout=1.5'
	says 'Network is unreachable'
	on router ip route del unreachable 203.0.113.0/24
	on router ip -6 route del unreachable 2001:db8:3::/64
}

# --- echo ---

@test "ping works both ways, IPv4 and IPv6, also in fragments" {
	attach_tiny host eth0
	for size in 56 4000; do
		exits 0 on host ping -n -c 2 -i 0.1 -W 8 -s $size 192.0.2.2
		exits 0 on host ping -n -c 2 -i 0.1 -W 8 -s $size 2001:db8::2
		exits 0 on host ping -n -c 2 -i 0.1 -W 8 -s $size 198.51.100.2
		exits 0 on router ping -n -c 2 -i 0.1 -W 8 -s $size 192.0.2.1
		exits 0 on router ping -n -c 2 -i 0.1 -W 8 -s $size 2001:db8::1
	done
	same 0 "$(reason host eth0 icmp)" 'dropped ICMP'
	# The quotes of later fragments in these errors have no identifier; the quote of the first fragment is enough.
	exits 0 on host ping -n -c 3 -i 0.1 -W 8 -s 4000 2001:db8:2::2
	same 1300 "$(known_mtu 2001:db8:2::2)" 'path MTU'
	exits 0 on far ping -n -c 2 -i 0.1 -W 8 -s 4000 2001:db8::1
}

@test "echo replies that nobody asked for are dropped" {
	attach_tiny host eth0
	exits 0 on host ping -n -c 1 -W 8 192.0.2.2
	exits 0 on host ping -n -c 1 -W 8 2001:db8::2
	exits 0 frames router eth0 "$(mac_of host eth0)" '
ipv4 = e/IP(src="192.0.2.2", dst="192.0.2.1")
ipv6 = e/IPv6(src="2001:db8::2", dst="2001:db8::1")
frames = [ipv4/ICMP(type=0, id=n)/Raw(bytes(56)) for n in range(65001, 65006)]
frames += [ipv6/ICMPv6EchoReply(id=n, data=bytes(56)) for n in range(65001, 65004)]
'
	until_true 20 reason_is host eth0 icmp 8
}

@test "an echo reply from an address that was not asked is dropped" {
	attach_tiny host eth0
	start asking host ping -n -c 100 -i 0.2 192.0.2.2
	until_logged asking 'icmp_seq=2'
	as host flows --json > "$DIR/flows"
	identifier=$(jq '[.flows[] | select(.protocol == "icmp" and .remote == "192.0.2.2") | .identifier] | max' \
		"$DIR/flows")
	exits 0 frames router eth0 "$(mac_of host eth0)" '
reply = ICMP(type=0, id=identifier)/Raw(bytes(56))
frames = [e/IP(src="192.0.2." + str(n), dst="192.0.2.1")/reply for n in range(3, 7)]
' "identifier=$identifier"
	until_true 20 reason_is host eth0 icmp 4
}

# flood ADDRESS: sends 1,000 echo requests within a second, or as fast as the machine can. `answered` is how many got an
# answer, `most` how many a limit of 100 a second on each CPU admits in that time, with a burst of one second.
flood()
{
	local report milliseconds

	report=$(on router ping -n -q -c 1000 -i 0.001 -W 1 "$1") || true
	answered=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' <<< "$report")
	milliseconds=$(sed -n 's/.* time \([0-9]*\)ms.*/\1/p' <<< "$report")
	most=$(($(nproc --all) * (100 + milliseconds / 10 + 5)))
}

@test "echo requests are limited to 100 a second a CPU, or not at all with --echo-limit 0" {
	flood 192.0.2.1
	same 1000 "$answered" 'answers without the filter'
	attach_tiny host eth0
	for address in 192.0.2.1 2001:db8::1; do
		before=$(reason host eth0 icmp)
		flood $address
		[ "$answered" -ge 80 ] && [ "$answered" -le "$most" ] ||
			fail "$answered of 1000 were answered, not at most $most"
		same $((1000 - answered)) $(($(reason host eth0 icmp) - before)) 'dropped requests'
	done
	as host swap eth0 --echo-limit 0 --catalog "$TINY"
	before=$(reason host eth0 icmp)
	flood 192.0.2.1
	same 1000 "$answered" 'answers without a limit'
	flood 2001:db8::1
	same 1000 "$answered" 'answers without a limit'
	same "$before" "$(reason host eth0 icmp)" 'dropped ICMP'
	exits 0 as host swap eth0 --echo-limit 10 --catalog "$TINY"
	flood 192.0.2.1
	most=$((most / 10 + 10))
	[ "$answered" -le $most ] || fail "$answered of 1000 were answered, not at most $most"
}
