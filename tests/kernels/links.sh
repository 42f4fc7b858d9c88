# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086 # lists of process ids
# Runs in the guest, as root of a machine of its own: interfaces without an Ethernet header, those that cannot be
# filtered, and what IPsec decrypts.

# shellcheck source=tests/kernels/hosts.sh
. /hosts.sh

# both COMMAND...: runs it on this host and on its peer.
both()
{
	"$@"
	peer "$@"
}

# ends NAME PREFIX4 PREFIX6: gives both ends addresses, and sets them up.
ends()
{
	both sh -c "echo 0 > /proc/sys/net/ipv6/conf/$1/accept_dad"
	for address in ${2:+$2.1/24} ${3:+$3::1/64}; do
		/usr/sbin/ip address add "$address" dev "$1"
	done
	for address in ${2:+$2.2/24} ${3:+$3::2/64}; do
		peer /usr/sbin/ip address add "$address" dev "$1"
	done
	both /usr/sbin/ip link set "$1" up
}

# An address and port of this host gives no answer.
silent()
{
	! peer timeout 3 nc -w 1 "$1" "$2" < /dev/null > /dev/null 2>&1
}

# far_says ADDRESS PORT: a server of the peer answers.
far_says()
{
	said=$(timeout 5 nc -w 3 "$1" "$2" < /dev/null 2>&1)
	[ "$said" = "hello from $2" ] || { echo "it said: $said"; false; }
}

far_is_silent()
{
	! timeout 3 nc -w 1 "$1" "$2" < /dev/null > /dev/null 2>&1
}

# filtered DEVICE ADDRESS...: the device's filter filters the packets in its frames, at these addresses.
filtered()
{
	device=$1
	shift
	for address in "$@"; do
		check "$device: carries $address, with no filter" reaches "$address" 81
	done
	check "$device: attach" portcullis attach "$device" -p ssh
	for address in "$@"; do
		far=${address%1}2
		check "$device: TCP to an open port, $address" reaches "$address" 22
		check "$device: TCP to a closed port is dropped, $address" silent "$address" 81
		check "$device: ping, $address" peer ping -c 1 -W 2 "$address"
		check "$device: echo reply from $far" ping -c 1 -W 2 "$far"
		check "$device: TCP reply from $far" far_says "$far" 8080
		check "$device: UDP reply in fragments from $far" datagram ask "$far" 5353 5000
	done
	nic_before=$nic nic=$device
	same "$device: nothing is malformed or not IP" '[0,0]' \
		"$(counted '[.reasons.malformed.drop.packets, .other.non_ip.packets]')"
	same "$device: 81/tcp counts what was dropped" true \
		"$(port_counted tcp 81 '.drop.packets > 0 and .pass.packets == 0')"
	check "$device: swap, outbound enforced" portcullis swap "$device" --outbound enforce
	for address in "$@"; do
		far=${address%1}2
		check "$device: TCP to an unlisted remote port does not go out, $far" far_is_silent "$far" 8080
	done
	same "$device: which is counted" true "$(counted '.reasons.outbound.drop.packets > 0')"
	check "$device: detach" portcullis detach "$device"
	nic=$nic_before
}

gone()
{
	both /usr/sbin/ip link del "$1"
}

# tunnel NAME LOCAL REMOTE OPTION...: makes both ends; the arguments are this end's.
tunnel()
{
	device=$1 near=$2 far=$3
	shift 3
	/usr/sbin/ip link add "$device" type "$@" local "$near" remote "$far" &&
		peer /usr/sbin/ip link add "$device" type "$@" local "$far" remote "$near"
}

# Before 5.14 the hook of these sees the outer header.
has_inner_frames()
{
	case $(uname -r) in
	[1-4].*|5.[0-9].*|5.1[0-3].*) return 1 ;;
	esac
}

# cannot INTERFACE WHY FIX
cannot()
{
	portcullis attach "$1" -p ssh > /tmp/said 2>&1
	same "$1: attach refuses it" 1 $?
	cp /tmp/said $errors
	check "$1: and says why" grep "$1: cannot be filtered: .*$2" /tmp/said
	check "$1: and what to do" grep "$3" /tmp/said
	check "$1: doctor says so" diagnosed "$1" link problem "$3"
}

try_tunnels()
{
	tunnel ipip5 $host4 $peer4 ipip && ends ipip5 10.81.0 ''
	tunnel sit5 $host4 $peer4 sit && ends sit5 '' fd82
	tunnel gre5 $host4 $peer4 gre && ends gre5 10.83.0 fd83
	tunnel tnl5 $host6 $peer6 ip6tnl mode any && ends tnl5 10.84.0 fd84
	tunnel gre6 $host6 $peer6 ip6gre && ends gre6 10.85.0 fd85
	if has_inner_frames; then
		filtered ipip5 10.81.0.1
		filtered sit5 fd82::1
		filtered gre5 10.83.0.1 fd83::1
		filtered tnl5 10.84.0.1 fd84::1
		filtered gre6 10.85.0.1 fd85::1
	else
		for device in ipip5 sit5 gre5 tnl5 gre6; do
			cannot $device 'outer header' 'attach to the interface that carries it'
		done
	fi
	for device in ipip5 sit5 gre5 tnl5 gre6; do
		gone $device
	done
}

try_wireguard()
{
	both /usr/sbin/ip link add wg5 type wireguard
	wg genkey > /tmp/key-host
	wg genkey > /tmp/key-peer
	wg set wg5 private-key /tmp/key-host listen-port 51820 peer "$(wg pubkey < /tmp/key-peer)" \
		endpoint $peer4:51820 allowed-ips 10.86.0.0/24,fd86::/64
	peer wg set wg5 private-key /tmp/key-peer listen-port 51820 peer "$(wg pubkey < /tmp/key-host)" \
		endpoint $host4:51820 allowed-ips 10.86.0.0/24,fd86::/64
	ends wg5 10.86.0 fd86
	filtered wg5 10.86.0.1 fd86::1
	gone wg5
}

has_ppp5()
{
	/usr/sbin/ip -4 address show dev ppp5 2> /dev/null | grep -q inet &&
		peer /usr/sbin/ip -4 address show dev ppp5 2> /dev/null | grep -q inet
}

# PPPoE over the cable: pppd on this host, an access concentrator on the peer.
try_ppp()
{
	if [ ! -e /dev/ppp ]; then
		echo "skip - ppp5: this kernel has no PPP"
		return
	fi
	mkdir -p /etc/ppp /var /dev/pts
	ln -s /run /var/run
	mount -t devpts devpts /dev/pts
	: > /etc/ppp/options
	printf 'noauth\nifname ppp5\ndebug\nlogfile /tmp/far_ppp.log\n' > /etc/ppp/server
	peer sh -c "pppoe-server -F -I $peer_nic -L 10.88.0.2 -R 10.88.0.1 -N 1 -O /etc/ppp/server > /tmp/concentrator 2>&1 & echo \$!" > /tmp/far_ppp
	pppd plugin rp-pppoe.so "nic-$nic" noauth noipdefault ifname ppp5 nodetach > /tmp/ppp 2>&1 &
	near_ppp=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		has_ppp5 && break
		sleep 1
	done
	check "ppp5: pppd has a session of PPPoE" has_ppp5
	if ! has_ppp5; then
		cat /tmp/ppp /tmp/concentrator /tmp/far_ppp.log | note
		return
	fi
	ends ppp5 '' fd88
	filtered ppp5 10.88.0.1 fd88::1
	kill $near_ppp
	wait $near_ppp
	kill "$(cat /tmp/far_ppp)"
}

try_refused_links()
{
	/usr/sbin/ip link add vrf5 type vrf table 5
	/usr/sbin/ip link add eth5 type dummy
	/usr/sbin/ip link set eth5 master vrf5
	cannot vrf5 '(vrf)' 'its members instead: eth5'
	/usr/sbin/ip link add link eth5 name ipvl5 type ipvlan mode l3s
	cannot ipvl5 'mode l3s' 'attach to eth5'
	/usr/sbin/ip link set ipvl5 type ipvlan mode l3
	check 'ipvlan in mode l3: attach' portcullis attach ipvl5 -p ssh
	/usr/sbin/ip link set ipvl5 type ipvlan mode l3s
	check 'ipvlan that becomes l3s: doctor says so' diagnosed ipvl5 link problem 'mode l3s'
	check 'ipvlan: detach' portcullis detach ipvl5
	/usr/sbin/ip link add vti5 type vti local $host4 remote $peer4 key 5
	cannot vti5 'IPsec' 'interface that carries it'
	/usr/sbin/ip link add xfrm5 type xfrm dev "$nic" if_id 5
	cannot xfrm5 'IPsec' 'interface that carries it'
	/usr/sbin/ip link add many5 type gre local $host4
	if has_inner_frames; then
		cannot many5 'many peers' 'a gre tunnel of its own'
	fi
	for device in many5 xfrm5 vti5 ipvl5 eth5 vrf5; do
		/usr/sbin/ip link del $device
	done
}

# xfrm COMMAND...: sets the keys of both ends.
xfrm_states()
{
	"$@" state add src $host4 dst $peer4 proto esp spi 0x100 reqid 1 mode tunnel \
		aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128 flag af-unspec
	"$@" state add src $peer4 dst $host4 proto esp spi 0x200 reqid 2 mode tunnel \
		aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111214 128 flag af-unspec
}

# through NEAR FAR [WAYS]: packets between these addresses go through the tunnel. WAYS: the incoming ones.
through()
{
	outward="$host4 dst $peer4 proto esp reqid 1 mode tunnel"
	inward="$peer4 dst $host4 proto esp reqid 2 mode tunnel"
	/usr/sbin/ip xfrm policy add src "$1" dst "$2" dir out tmpl src $outward
	peer /usr/sbin/ip xfrm policy add src "$2" dst "$1" dir out tmpl src $inward
	peer /usr/sbin/ip xfrm policy add src "$1" dst "$2" dir in tmpl src $outward
	/usr/sbin/ip xfrm policy add src "$2" dst "$1" dir "${3:-in}" tmpl src $inward
}

doctor_warns_of_ipsec()
{
	portcullis doctor --json | jq -e 'any(.checks[]; .check == "ipsec" and .state == "warning")'
}

# Packets that IPsec in tunnel mode decrypts come in by the NIC again: native mode does not see them, generic mode does.
try_ipsec()
{
	xfrm_states /usr/sbin/ip xfrm
	xfrm_states peer /usr/sbin/ip xfrm
	through 10.87.1.1 10.87.2.2
	through fd87:1::1 fd87:2::2
	for address in 10.87.1.1/32 fd87:1::1/128; do
		/usr/sbin/ip address add $address dev lo
	done
	for address in 10.87.2.2/32 fd87:2::2/128; do
		peer /usr/sbin/ip address add $address dev lo
	done
	peer /usr/sbin/ip link set lo up
	/usr/sbin/ip route add 10.87.2.2 via $peer4 src 10.87.1.1
	/usr/sbin/ip route add fd87:2::2 via $peer6 src fd87:1::1
	peer /usr/sbin/ip route add 10.87.1.1 via $host4 src 10.87.2.2
	peer /usr/sbin/ip route add fd87:1::1 via $host6 src fd87:2::2
	mkdir -p /tmp/catalog
	cp /portcullis/profiles/* /tmp/catalog/
	printf 'profile: vpn\ntitle: IPsec\nprotocols: [esp]\nservices:\n  - name: none\n    in: 22/tcp\n' > /tmp/catalog/vpn.yaml
	for address in 10.87.1.1 fd87:1::1; do
		check "IPsec: carries TCP, with no filter, $address" reaches $address 81
	done
	check "IPsec, native: attach" portcullis attach "$nic" -p vpn --catalog /tmp/catalog --mode native
	cp $errors /tmp/said
	check "IPsec: attach says what is not filtered" grep 'native mode filters ESP and not the packets inside it' /tmp/said
	check "IPsec: doctor does" doctor_warns_of_ipsec
	check "IPsec, native: and it is so" reaches 10.87.1.1 81
	check "IPsec, native: detach" portcullis detach "$nic"
	check "IPsec, generic: attach" portcullis attach "$nic" -p vpn --catalog /tmp/catalog --mode generic
	for address in 10.87.1.1 fd87:1::1; do
		check "IPsec, generic: TCP to an open port, $address" reaches $address 22
		check "IPsec, generic: TCP to a closed port is dropped, $address" silent $address 81
		check "IPsec, generic: ping, $address" peer ping -c 1 -W 2 $address
	done
	same "IPsec, generic: nothing is malformed or not IP" '[0,0]' \
		"$(counted '[.reasons.malformed.drop.packets, .other.non_ip.packets]')"
	check "IPsec, generic: detach" portcullis detach "$nic"
}

asks_server()
{
	said=$(peer timeout 5 nc -w 3 10.77.0.3 8090 < /dev/null 2>&1)
	[ "$said" = "hello from 8090" ] || { echo "it said: $said"; false; }
}

# A client behind the tunnel reaches a server of the network through this gateway's one NIC, in and out. The peer
# becomes a bridge, with the server on it.
try_vpn_gateway()
{
	client=10.87.2.2 server=10.77.0.3
	/usr/sbin/ip netns add server
	peer /usr/sbin/ip link add br5 type bridge
	peer /usr/sbin/ip link add server1 type veth peer name server0 netns server
	peer /usr/sbin/ip address flush dev "$peer_nic"
	for port in "$peer_nic" server1; do
		peer /usr/sbin/ip link set "$port" master br5
		peer /usr/sbin/ip link set "$port" up
	done
	peer /usr/sbin/ip address add $peer4/24 dev br5
	peer /usr/sbin/ip link set br5 up
	/usr/sbin/ip netns exec server /usr/sbin/ip address add $server/24 dev server0
	/usr/sbin/ip netns exec server /usr/sbin/ip link set server0 up
	/usr/sbin/ip netns exec server /usr/sbin/ip route add $client via $host4
	/usr/sbin/ip netns exec server sh -c 'nc -ll -p 8090 -e echo "hello from 8090" > /dev/null 2>&1 & echo $!' > /tmp/server
	peer /usr/sbin/ip route add $server via $host4 src $client
	/usr/sbin/ip route replace $client via $peer4 src 10.87.1.1
	through $server $client fwd
	echo 1 > /proc/sys/net/ipv4/ip_forward
	for _ in 1 2 3 4 5; do
		asks_server > $errors && break
		sleep 1
	done
	check 'VPN gateway of one NIC: carries TCP, with no filter' asks_server
	check 'VPN gateway of one NIC: attach' portcullis attach "$nic" -p vpn --catalog /tmp/catalog --mode native
	check 'VPN gateway of one NIC: its client is not served without --forward' refuses asks_server
	check 'VPN gateway of one NIC: swap, with --forward' portcullis swap "$nic" --catalog /tmp/catalog --forward
	check 'VPN gateway of one NIC: its client is served with --forward' asks_server
	check 'VPN gateway of one NIC: detach' portcullis detach "$nic"
	kill "$(cat /tmp/server)"
}

/usr/sbin/ip netns add peer
/usr/sbin/ip link set lo up
echo "# kernel $(uname -r)"
serve 22
serve 81
/usr/sbin/ip link add pc0 type veth peer name pc1
cable pc0 pc1
peer sh -c 'nc -ll -p 8080 -e echo "hello from 8080" > /dev/null 2>&1 & echo $!' > /tmp/far_tcp
peer sh -c 'datagram serve 5353 > /dev/null 2>&1 & echo $!' > /tmp/far_udp
sleep 1
for part in $(cat /parts); do
	try_$part
	echo "# $part: done at $(cut -d. -f1 /proc/uptime) s"
done
kill "$(cat /tmp/far_tcp)" "$(cat /tmp/far_udp)" $servers
echo "# the end"
