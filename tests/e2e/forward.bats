#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A gateway with the filter on its outer interface: what --forward admits for the machines behind it, and no more.
#
#	lan 10.0.0.2 --- eth1 10.0.0.1, gateway, eth0 198.51.100.1 --- outside 198.51.100.2
#	    2001:db8:a::2        2001:db8:a::1  2001:db8:b::1                  2001:db8:b::2

load helper
load traffic

setup_file()
{
	sandbox_start
	tiny_catalog
	host_add lan
	host_add gateway
	host_add outside
	link_add gateway eth0 outside eth0
	link_add gateway eth1 lan eth0
	address_add lan eth0 10.0.0.2/24 2001:db8:a::2/64
	address_add gateway eth1 10.0.0.1/24 2001:db8:a::1/64
	address_add gateway eth0 198.51.100.1/24 2001:db8:b::1/64
	address_add outside eth0 198.51.100.2/24 2001:db8:b::2/64
	on gateway sh -c 'cd /proc/sys/net; echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding'
	on gateway ip route add default via 198.51.100.2
	on lan ip route add default via 10.0.0.1
	on lan ip -6 route add default via 2001:db8:a::1
	on outside ip route add 10.0.0.0/24 via 198.51.100.1
	on outside ip -6 route add 2001:db8:a::/64 via 2001:db8:b::1
	head -c 3000000 /dev/urandom > "$DIR/bulk"
}

teardown_file()
{
	sandbox_end
}

setup()
{
	udp_serve answers outside 7777
	talk_listen far outside 7000
}

teardown()
{
	stop_all
	detach_all gateway
	on gateway nft flush ruleset
	forget_tracks
}

# Deletes all entries (IPCTNL_MSG_CT_DELETE without a tuple), because they outlast the rules and would disturb the next
# test.
forget_tracks()
{
	on gateway /usr/bin/python3 -c 'import socket, struct
netfilter = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
netfilter.send(struct.pack("=IHHII4B", 20, 0x102, 5, 0, 0, 0, 0, 0, 0))
netfilter.recv(4096)'
}

masquerade()
{
	on gateway nft -f - <<-'END'
		table inet nat {
			chain out {
				type nat hook postrouting priority srcnat
				oifname "eth0" ip saddr 10.0.0.0/24 masquerade
			}
		}
	END
}

# download HOST ADDRESS [OPTION-OF-TIMEOUT]: downloads 3 MB from `outside`, and compares every byte.
download()
{
	start source outside socat -u "OPEN:$DIR/bulk" TCP6-LISTEN:7002,ipv6only=0,reuseaddr
	until_true 20 listening outside 7002
	rm -f "$DIR/received"
	on "$1" timeout 30 socat -u "TCP:$2:7002,connect-timeout=8" "CREATE:$DIR/received" || return
	cmp "$DIR/bulk" "$DIR/received"
	stop source
}

# The machine behind the gateway uses services outside.
lan_is_served()
{
	for address in 198.51.100.2 2001:db8:b::2; do
		asked 'answered 5000' lan $address 7777 --answer 5000
		asked 'answered 20' lan $address 7777 --connected
		exits 0 on lan ping -n -c 1 -W 8 $address
	done
	download lan 198.51.100.2
	download lan '[2001:db8:b::2]'
}

# The machine cannot, whatever it tries.
lan_is_cut_off()
{
	for address in 198.51.100.2 2001:db8:b::2; do
		asked nothing lan $address 7777 --timeout 0.4
		unanswered lan $address 7000
		exits 1 on lan ping -n -c 1 -W 0.5 $address
	done
}

@test "without a filter the machine behind the gateway is served, and can be reached" {
	lan_is_served
	udp_serve lan_udp lan 7001
	talk_listen lan_tcp lan 7001
	asked 'answered 20' outside 10.0.0.2 7001
	connects outside 10.0.0.2 7001
	masquerade
	lan_is_served
}

@test "without --forward the replies to it are dropped, and those to the gateway pass" {
	attach_tiny gateway eth0
	lan_is_cut_off
	asked 'answered 5000' gateway 198.51.100.2 7777 --answer 5000
	connects gateway 2001:db8:b::2 7000
	exits 0 on gateway ping -n -c 1 -W 8 198.51.100.2
}

@test "without --forward the replies to it are dropped behind masquerading too" {
	masquerade
	attach_tiny gateway eth0
	lan_is_cut_off
	asked 'answered 5000' gateway 198.51.100.2 7777 --answer 5000
	connects gateway 198.51.100.2 7000
}

@test "with --forward it is served" {
	attach_tiny gateway eth0 --forward
	lan_is_served
	output=$(as gateway status --json)
	json_is '.interfaces[0].forward == true'
}

@test "with --forward it is served in generic mode too" {
	as gateway attach eth0 -p tiny --mode generic --catalog "$TINY" --forward
	lan_is_served
	udp_serve lan_udp lan 7001
	asked nothing outside 10.0.0.2 7001 --timeout 0.4
	unanswered outside 10.0.0.2 7001
}

@test "with --forward it is served behind masquerading" {
	masquerade
	attach_tiny gateway eth0 --forward
	lan_is_served
	# The connection that the outer interface saw belongs to the gateway.
	asked 'answered 20' lan 198.51.100.2 7777 --source-port 40777
	output=$(as gateway flows --json)
	json_is '[.flows[] | select(.protocol == "udp" and .local_port == 40777) | .local] == ["198.51.100.1"]'
}

@test "with --forward, large datagrams pass in fragments" {
	attach_tiny gateway eth0 --forward
	asked 'answered 60000' lan 198.51.100.2 7777 --size 40000 --answer 60000
	asked 'answered 60000' lan 2001:db8:b::2 7777 --size 40000 --answer 60000
	same 0 "$(reason gateway eth0 fragment)" 'dropped fragments'
}

@test "with --forward, errors for it pass: time exceeded, refused, path MTU" {
	attach_tiny gateway eth0 --forward
	asked ECONNREFUSED lan 198.51.100.2 7778 --connected
	asked ECONNREFUSED lan 2001:db8:b::2 7778 --connected
	on outside ip link add small0 type veth peer name small1
	on outside sh -c 'ip link set small0 mtu 1300 up; ip link set small1 up'
	on outside sh -c 'cd /proc/sys/net; echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding'
	on outside ip route add 203.0.113.0/24 dev small0
	on outside ip -6 route add 2001:db8:3::/64 dev small0
	on gateway ip -6 route add 2001:db8:3::/64 via 2001:db8:b::2
	exits 1 on lan ping -n -c 1 -W 1 -t 2 203.0.113.7
	says 'Time to live exceeded'
	exits 1 on lan ping -n -c 1 -W 1 -t 2 2001:db8:3::7
	says 'Hop limit'
	exits 1 on lan ping -n -c 1 -W 1 -s 1400 -M 'do' 203.0.113.7
	says 'mtu = 1300'
	asked EMSGSIZE lan 2001:db8:3::7 7777 --df --size 1400 --times 2 --pause 0.2
	masquerade
	asked ECONNREFUSED lan 198.51.100.2 7778 --connected
	asked EMSGSIZE lan 203.0.113.8 7777 --df --size 1400 --times 2 --pause 0.2
	exits 1 on lan ping -n -c 1 -W 1 -t 2 203.0.113.9
	says 'Time to live exceeded'
	same 0 "$(reason gateway eth0 icmp)" 'dropped ICMP'
	on gateway ip -6 route del 2001:db8:3::/64
	on outside ip link del small0
}

@test "with --forward, inbound to its unlisted ports stays shut" {
	udp_serve lan_udp lan 7001
	talk_listen lan_tcp lan 7001
	talk_listen lan_listed lan 5000
	attach_tiny gateway eth0 --forward
	for address in 10.0.0.2 2001:db8:a::2; do
		asked nothing outside $address 7001 --timeout 0.4
		unanswered outside $address 7001
		connects outside $address 5000
		# The machine has sent to that host; nothing else may come from there.
		asked 'answered 20' lan 198.51.100.2 7777
		asked nothing outside $address 7001 --timeout 0.4 --source-port 7778
	done
	same 0 "$(grep -c got "$DIR/lan_udp.log")" 'datagrams to an unlisted port'
}

@test "a listed port that the gateway hands on by DNAT is served" {
	udp_serve lan_udp lan 7001
	talk_listen lan_tcp lan 7001
	on gateway nft -f - <<-'END'
		table ip nat {
			chain in {
				type nat hook prerouting priority dstnat
				iifname "eth0" udp dport 5000 dnat to 10.0.0.2:7001
				iifname "eth0" tcp dport 5000 dnat to 10.0.0.2:7001
			}
		}
	END
	attach_tiny gateway eth0
	asked 'answered 20' outside 198.51.100.1 5000
	talk_connect near outside 198.51.100.1 5000
	speaks_to near lan_tcp
	speaks_to lan_tcp near
	asked nothing outside 198.51.100.1 7001 --timeout 0.4
	unanswered outside 198.51.100.1 7001
}

@test "with --forward, only a reply to the very port passes" {
	attach_tiny gateway eth0 --forward
	udp_serve lan_udp lan 40778
	asked nothing outside 10.0.0.2 40778 --timeout 0.4 --source-port 7779
	# A datagram goes from that port to 7779: now a datagram from 7779 may pass, and one from 7780 not.
	exits 0 on lan socat -u SYSTEM:'echo x' UDP4-SENDTO:198.51.100.2:7779,sourceport=40779
	until_true 20 flow_is gateway udp 7779 sent
	stop lan_udp
	udp_serve lan_udp lan 40779
	asked nothing outside 10.0.0.2 40779 --timeout 0.4 --source-port 7780
	asked 'answered 20' outside 10.0.0.2 40779 --source-port 7779
	same replied "$(flow_states gateway udp 7779)" 'state'
}

flow_is()
{
	[ "$(flow_states "$1" "$2" "$3")" = "$4" ]
}

@test "a connection that lived before the attach lives on, and one after the swap to --no-forward does not begin" {
	talk_connect near lan 198.51.100.2 7000
	talk_connect near6 lan 2001:db8:b::2 7000
	speaks_to near far
	attach_tiny gateway eth0 --forward
	speaks_to near far
	speaks_to far near
	speaks_to near6 far
	speaks_to far near6
	as gateway swap eth0 --no-forward --catalog "$TINY"
	unanswered lan 198.51.100.2 7000
	asked nothing lan 198.51.100.2 7777 --timeout 0.4
	exits 1 on lan ping -n -c 1 -W 0.5 198.51.100.2
	output=$(as gateway status --json)
	json_is '.interfaces[0].forward == false'
	as gateway swap eth0 --forward --catalog "$TINY"
	lan_is_served
}

@test "a forwarded connection lives on over a swap to --outbound enforce, and a new one does not begin" {
	masquerade
	talk_connect near lan 198.51.100.2 7000
	attach_tiny gateway eth0 --forward
	speaks_to near far
	as gateway swap eth0 --outbound enforce --catalog "$TINY"
	speaks_to near far
	speaks_to far near
	unanswered lan 198.51.100.2 7000
	output=$(as gateway counters --json)
	json_is '.interfaces[0].reasons.outbound.drop.packets > 0'
}

@test "a download that runs while the filter is attached runs on" {
	start source outside timeout 30 socat -u "OPEN:$DIR/bulk" TCP6-LISTEN:7002,ipv6only=0,reuseaddr
	until_true 20 listening outside 7002
	on outside tc qdisc add dev eth0 root tbf rate 5mbit burst 20kb latency 200ms
	on lan timeout 20 socat -u TCP:198.51.100.2:7002 "CREATE:$DIR/received" 3>&- &
	sleep 0.5
	attach_tiny gateway eth0 --forward
	[ "$(stat -c %s "$DIR/received")" -lt 3000000 ] || fail 'the download was over too early'
	wait $!
	on outside tc qdisc del dev eth0 root
	cmp "$DIR/bulk" "$DIR/received"
}

# trickle ADDRESS-OF-OUTSIDE: sends a line from there to `lan` every 50 ms; `lan` only acknowledges.
trickle()
{
	start source outside bash -c 'while sleep 0.05; do echo tick; done |
		socat -u - TCP6-LISTEN:7002,ipv6only=0,reuseaddr'
	until_true 20 listening outside 7002
	start sink lan socat -u "TCP:$1:7002" -
	until_logged sink tick
}

trickles_on()
{
	until_true 3 ticks $(($(grep -c tick "$DIR/sink.log") + 5)) || fail 'the stream stands still'
}

ticks()
{
	[ "$(grep -c tick "$DIR/sink.log")" -gt "$1" ]
}

@test "a stream that trickles in from outside runs on, although only acknowledgements go out" {
	trickle 198.51.100.2
	attach_tiny gateway eth0 --forward
	trickles_on
}

# --- connections that conntrack knows ---

# waits WANTED COMMAND...: whether it waits between its hooks.
waits()
{
	local wanted=$1 seen=no

	shift
	on gateway strace -f -e trace=clock_nanosleep,nanosleep -o "$DIR/trace" "$PORTCULLIS" "$@" --catalog "$TINY"
	! grep -q 'sleep(' "$DIR/trace" || seen=yes
	same "$wanted" "$seen" 'waits'
}

# flow_locals PROTOCOL REMOTE-PORT: local addresses, ports and states of the flows to it.
flow_locals()
{
	as gateway flows --json | jq -c --arg protocol "$1" --argjson port "$2" \
		'[.flows[] | select(.protocol == $protocol and .remote_port == $port) |
		"\(.local) \(.local_port) \(.state)"] | sort'
}

local_port()
{
	sed -n 's/^local //p' "$DIR/$1.log"
}

@test "quiet connections live on if the far side speaks first, for conntrack knows them; no wait" {
	masquerade
	talk_connect near lan 198.51.100.2 7000
	talk_connect near6 lan 2001:db8:b::2 7000
	asked 'answered 20' lan 198.51.100.2 7777 --source-port 40777
	waits no attach eth0 -p tiny --mode native --forward
	same "[\"198.51.100.1 $(local_port near) established\",\"2001:db8:a::2 $(local_port near6) established\"]" \
		"$(flow_locals tcp 7000)" 'flows'
	same '["198.51.100.1 40777 replied"]' "$(flow_locals udp 7777)" 'flows'
	speaks_to far near
	speaks_to far near6
	speaks_to near far
}

# lists COMMAND...: how often it has the kernel list the tracked connections.
lists()
{
	on gateway strace -f -e trace=sendto -o "$DIR/trace" "$PORTCULLIS" "$@" > "$DIR/listed" 2>&1 || cat "$DIR/listed" >&2
	grep -c 'IPCTNL_MSG_CT_GET.*NLM_F_DUMP' "$DIR/trace"
}

@test "attached at both interfaces together, the kernel lists them as often as for one" {
	local one both

	masquerade
	talk_connect near lan 198.51.100.2 7000
	one=$(lists attach eth0 -p tiny --catalog "$TINY" --forward)
	detach_all gateway
	echo 'interfaces: {eth0: {profiles: [tiny], forward: true}, eth1: {profiles: [tiny], forward: true}}' > "$DIR/both.yaml"
	both=$(lists apply --site "$DIR/both.yaml" --catalog "$TINY" --force)
	((one)) && same "$one" "$both" 'lists of tracked connections'
	same "10.0.0.2 $(local_port near) 198.51.100.2 7000 established
198.51.100.2 7000 198.51.100.1 $(local_port near) established" \
		"$(as gateway flows --json | jq -r '.flows[] | "\(.remote) \(.remote_port) \(.local) \(.local_port) \(.state)"' | sort)" 'flows'
	speaks_to far near
	speaks_to near far
}

@test "so do those that were begun outside, and nothing new begins" {
	masquerade
	talk_listen lan_tcp lan 7001
	talk_connect out outside 10.0.0.2 7001
	talk_connect out6 outside 2001:db8:a::2 7001
	waits no attach eth0 -p tiny --mode native --forward
	speaks_to out lan_tcp
	speaks_to out6 lan_tcp
	speaks_to lan_tcp out
	unanswered outside 10.0.0.2 7001
	unanswered outside 2001:db8:a::2 7001
}

@test "and those that DNAT hands on" {
	talk_listen lan_tcp lan 7001
	masquerade
	on gateway nft 'add chain inet nat in { type nat hook prerouting priority dstnat; }'
	on gateway nft add rule inet nat in iifname eth0 tcp dport 7009 dnat ip to 10.0.0.2:7001
	talk_connect out outside 198.51.100.1 7009
	exits 0 attach_tiny gateway eth0 --forward
	says_not 'out of the same interface'
	speaks_to out lan_tcp
	speaks_to lan_tcp out
	unanswered outside 198.51.100.1 7009
}

# Packets that come in by eth0 for 5000/tcp go out by eth0 again, to 198.51.100.7.
hairpin()
{
	on gateway nft -f - <<-'END'
		table ip nat {
			chain in {
				type nat hook prerouting priority dstnat
				iifname "eth0" tcp dport 5000 dnat to 198.51.100.7:7001
			}
			chain out {
				type nat hook postrouting priority srcnat
				oifname "eth0" masquerade
			}
		}
	END
}

@test "DNAT back out of the same interface: attach, swap and doctor say that it is not served, until its answers are listed" {
	address_add outside eth0 198.51.100.7/24
	hairpin
	talk_listen server outside 7001
	talk_connect before outside 198.51.100.1 5000
	exits 0 attach_tiny gateway eth0 --forward
	says 'eth0: DNAT sends packets for 198.51.100.1 port 5000 out of the same interface again, to 198.51.100.7 port 7001 (1 tracked)'
	says 'from-port 7001 for a group with 198.51.100.7'
	speaks_to before server
	speaks_to server before
	unanswered outside 198.51.100.1 5000
	exits 0 as gateway doctor eth0
	says 'out of the same interface again, to 198.51.100.7 port 7001 (2 tracked)'
	exits 0 as gateway swap eth0 --catalog "$TINY"
	says 'out of the same interface again, to 198.51.100.7 port 7001'
	cat > "$TINY/answers.yaml" <<-END
		profile: answers
		title: What a server behind DNAT answers
		services:
		  - name: answers
		    in: 1024-65535/tcp
		    from-port: 7001/tcp
		    from: server
	END
	exits 0 as gateway swap eth0 -p tiny,answers --group server=198.51.100.7 --catalog "$TINY"
	says_not 'out of the same interface'
	connects outside 198.51.100.1 5000
	exits 0 as gateway doctor eth0
	says_not 'out of the same interface'
	on outside ip address del 198.51.100.7/24 dev eth0
}

@test "TCP that ends here, or has ended, is not taken from conntrack" {
	masquerade
	talk_connect own gateway 198.51.100.2 7000
	asked 'answered 20' gateway 198.51.100.2 7777 --source-port 40778
	exits 0 on lan socat -u OPEN:/dev/null TCP:198.51.100.2:7000,connect-timeout=8
	attach_tiny gateway eth0 --forward
	same '[]' "$(flow_locals tcp 7000 | jq -c 'map(select(contains("established")))')" 'flows'
	same '["198.51.100.1 40778 replied"]' "$(flow_locals udp 7777 | jq -c 'map(select(contains("40778")))')" 'its own UDP'
	speaks_to far own
}

@test "a half-closed connection is taken from conntrack as closing, and what is still to come passes" {
	masquerade
	start source outside socat -t 20 TCP6-LISTEN:7002,ipv6only=0,reuseaddr SYSTEM:'sleep 3; echo late'
	until_true 20 listening outside 7002
	start sink lan socat -t 20 - TCP:198.51.100.2:7002
	until_true 20 half_closed
	attach_tiny gateway eth0 --forward
	same closing "$(flow_states gateway tcp 7002)" 'state'
	until_logged sink late
}

half_closed()
{
	on lan ss -Htn state fin-wait-2 'dport = :7002' | grep -q .
}

@test "a swap from observe to enforce and --forward keeps what was begun inside, and not what observe let in" {
	masquerade
	udp_serve lan_udp lan 7001
	talk_connect near lan 198.51.100.2 7000
	attach_tiny gateway eth0 --observe
	asked 'answered 20' outside 10.0.0.2 7001 --times 6 --pause 0.6 --source-port 40779
	as gateway swap eth0 --enforce --forward --catalog "$TINY"
	speaks_to far near
	asked nothing outside 10.0.0.2 7001 --timeout 0.4 --source-port 40779
}

@test "a flood of forged packets that conntrack keeps does not grow the flows" {
	on gateway ip neigh replace 198.51.100.2 lladdr "$(mac_of outside eth0)" dev eth0
	masquerade
	udp_serve lan_udp lan 7001
	for i in {1..100}; do
		echo "udp 203.0.113.$i 10.0.0.2 $((20000 + i)) 7001 60"
		echo "tcp 203.0.113.$i 10.0.0.2 $((20000 + i)) 7001 60"
	done > "$DIR/flood"
	on outside "$TOOLS/send" eth0 "$(mac_of gateway eth0)" < "$DIR/flood" > /dev/null
	until_true 20 answered_by_lan 100
	attach_tiny gateway eth0 --forward
	same 0 "$(as gateway flows --json | jq '[.flows[] | select(.remote | startswith("203.0.113."))] | length')" 'flows'
}

@test "an address family that nothing tracks is waited for" {
	on gateway nft 'table ip nat { chain out { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }; }'
	talk_connect near lan 198.51.100.2 7000
	trickle '[2001:db8:b::2]'
	waits yes attach eth0 -p tiny --mode native --forward
	trickles_on
	speaks_to far near
}

@test "entries that outlast the rules are no reason not to wait" {
	masquerade
	talk_connect near lan 198.51.100.2 7000
	on gateway nft flush ruleset
	[ "$(on gateway cat /proc/sys/net/netfilter/nf_conntrack_count)" -gt 0 ] || skip 'no conntrack in this kernel'
	trickle '[2001:db8:b::2]'
	waits yes attach eth0 -p tiny --mode native --forward
	trickles_on
}

@test "without --forward, and in a dry run, nothing is waited for" {
	waits no attach eth0 -p tiny --mode native
	as gateway detach eth0
	waits no attach eth0 -p tiny --mode native --forward --dry-run
}

# gateway_egress: our egress programs that are attached.
gateway_egress()
{
	on gateway bpftool net show dev eth0 | grep -c portcullis_egre || true
}

# killed_waiting: an attach that is killed while it waits leaves nothing that the next command does not clean up.
killed_waiting()
{
	run on gateway strace -f -o /dev/null -e inject=clock_nanosleep,nanosleep:signal=KILL:when=1 \
		"$PORTCULLIS" attach eth0 -p tiny --forward --catalog "$TINY"
	[ "$status" = 137 ] || fail "exit $status: $output"
	same '' "$(attached gateway eth0)" 'program'
	[ -n "$(pins)" ] || fail 'it was killed before it had done anything'
	# In another namespace, because the command cleans up there, too.
	exits 0 as lan detach lo
	same '' "$(pins)" 'pins'
	same 0 "$(gateway_egress)" 'egress programs'
}

@test "attach killed while it waits leaves nothing" {
	killed_waiting
	attach_tiny gateway eth0 --forward
	lan_is_served
}

@test "attach killed while it waits leaves nothing at a clsact" {
	cc -O2 -D_GNU_SOURCE -shared -fPIC -o "$DIR/no_tcx.so" "$ROOT/tests/e2e/no_tcx.c" -ldl
	printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$DIR/no_tcx.so" "$PORTCULLIS" > "$DIR/old"
	chmod +x "$DIR/old"
	PORTCULLIS=$DIR/old
	killed_waiting
	! on gateway tc qdisc show dev eth0 | grep -q clsact || fail 'an empty clsact is left'
}

# flow_expires HOST PROTOCOL REMOTE-PORT: seconds until the only flow ends.
flow_expires()
{
	as "$1" flows --json | jq -r --arg protocol "$2" --argjson port "$3" \
		'.flows[] | select(.protocol == $protocol and .remote_port == $port) | .expires'
}

@test "FIN and RST end a forwarded connection soon" {
	attach_tiny gateway eth0 --forward
	talk_connect near lan 198.51.100.2 7000
	speaks_to near far
	speaks_to far near
	same established "$(flow_states gateway tcp 7000)" 'state'
	[ "$(flow_expires gateway tcp 7000)" -gt 86400 ] || fail 'a live connection is forgotten within a day'
	signal near USR2
	until_true 20 flow_is gateway tcp 7000 closing
	[ "$(flow_expires gateway tcp 7000)" -le 120 ] || fail 'a closed connection is kept'
	talk_connect near6 lan 2001:db8:b::2 7000
	speaks_to far near6
	signal near6 TERM
	until_true 20 one_flow_reset
}

one_flow_reset()
{
	as gateway flows --json | jq -e '[.flows[] | select(.remote == "2001:db8:b::2" and .protocol == "tcp")] |
		length == 1 and .[0].state == "reset" and .[0].expires <= 10' > /dev/null
}

@test "a connection of the same two ports as one that has ended begins anew" {
	attach_tiny gateway eth0 --forward
	talk_connect near lan 198.51.100.2 7000 --source-port 40100
	speaks_to near far
	signal far USR2
	until_true 20 flow_is gateway tcp 7000 closing
	stop near
	talk_connect near lan 198.51.100.2 7000 --source-port 40100
	speaks_to near far
	speaks_to far near
	same established "$(flow_states gateway tcp 7000)" 'state'
	signal near TERM
	until_true 20 flow_is gateway tcp 7000 reset
	talk_connect near lan 198.51.100.2 7000 --source-port 40100
	speaks_to far near
	same established "$(flow_states gateway tcp 7000)" 'state'
}

@test "a SYN from outside to a live tuple is refused" {
	attach_tiny gateway eth0 --forward
	talk_connect near lan 198.51.100.2 7000
	speaks_to near far
	port=$(sed -n 's/^local //p' "$DIR/near.log")
	before=$(reason gateway eth0 unlisted)
	exits 0 frames outside eth0 "$(mac_of gateway eth0)" '
frames = [e/IP(src="198.51.100.2", dst="10.0.0.2")/TCP(sport=7000, dport=port, flags="S", seq=n) for n in range(5)]
' "port=$port"
	until_true 20 reason_is gateway eth0 unlisted $((before + 5))
	# Sends an ACK to a tuple without a connection, and a SYN-ACK.
	exits 0 frames outside eth0 "$(mac_of gateway eth0)" '
ip = e/IP(src="198.51.100.2", dst="10.0.0.2")
frames = [ip/TCP(sport=7009, dport=port, flags=f) for f in ("A", "SA", "R", "FA")]
' "port=$port"
	until_true 20 reason_is gateway eth0 unlisted $((before + 9))
	speaks_to far near
}

@test "pings are forwarded by --forward, and unasked echo replies are not" {
	attach_tiny gateway eth0 --forward
	exits 0 on lan ping -n -c 2 -i 0.1 -W 8 198.51.100.2
	exits 0 on lan ping -n -c 2 -i 0.1 -W 8 2001:db8:b::2
	exits 0 frames outside eth0 "$(mac_of gateway eth0)" '
frames = [e/IP(src="198.51.100.2", dst="10.0.0.2")/ICMP(type=0, id=n)/Raw(bytes(56)) for n in range(65001, 65006)]
'
	until_true 20 reason_is gateway eth0 icmp 5
}

@test "a flood from outside through a listed forwarded port does not grow the flows" {
	on gateway ip neigh replace 198.51.100.2 lladdr "$(mac_of outside eth0)" dev eth0
	udp_serve lan_udp lan 5000
	attach_tiny gateway eth0 --forward
	before=$(flows_used gateway)
	for i in {1..250}; do
		echo "udp 203.0.113.$i 10.0.0.2 $((20000 + i)) 5000 60"
		echo "udp 203.0.113.$i 10.0.0.2 $((30000 + i)) 5001-5040 60"
	done > "$DIR/flood"
	split -l 250 "$DIR/flood" "$DIR/flood."
	for file in "$DIR"/flood.a?; do
		on outside "$TOOLS/send" eth0 "$(mac_of gateway eth0)" < "$file" > /dev/null
	done
	until_true 20 answered_by_lan 200
	sleep 0.5
	now=$(flows_used gateway)
	# What routers and neighbours send is not part of this test, and it makes no flow either.
	[ "$now" -le $((before + 2)) ] || fail "flows grew from $before to $now: $(as gateway flows | head -20)"
	lan_is_served
}

@test "in observe mode a flood that the machines behind it answer does not grow the flows" {
	on gateway ip neigh replace 198.51.100.2 lladdr "$(mac_of outside eth0)" dev eth0
	udp_serve lan_udp lan 7001
	talk_listen lan_tcp lan 7001
	attach_tiny gateway eth0 --forward --observe
	before=$(flows_used gateway)
	for i in {1..100}; do
		echo "udp 203.0.113.$i 10.0.0.2 $((20000 + i)) 7001 60"
		echo "tcp 203.0.113.$i 10.0.0.2 $((20000 + i)) 7001 60"
	done > "$DIR/flood"
	on outside "$TOOLS/send" eth0 "$(mac_of gateway eth0)" < "$DIR/flood" > /dev/null
	until_true 20 answered_by_lan 80
	[ "$(flows_used gateway)" -le $((before + 2)) ] || fail "flows grew: $(as gateway flows | head -20)"
	# Once more: the first answers have not taught the filter anything.
	as gateway swap eth0 --enforce --catalog "$TINY"
	on outside "$TOOLS/send" eth0 "$(mac_of gateway eth0)" < "$DIR/flood" > /dev/null
	until_true 20 reason_is gateway eth0 unlisted 200
}

# answered_by_lan DATAGRAMS
answered_by_lan()
{
	[ "$(grep -cE '^(got|wrong)' "$DIR/lan_udp.log")" -ge "$1" ]
}

# tunnel HOST LOCAL REMOTE: makes a VXLAN whose questions and answers use one pair of ports.
tunnel()
{
	on "$1" ip link add vx0 type vxlan id 7 local "$2" remote "$3" dstport 4789 srcport 4789 4790 dev eth0
	on "$1" ip link set vx0 up
}

@test "VXLAN: a tunnel of the gateway's own gets its answers without --forward" {
	tunnel gateway 198.51.100.1 198.51.100.2 || skip 'no VXLAN in this kernel'
	tunnel outside 198.51.100.2 198.51.100.1
	address_add gateway vx0 172.16.0.1/24
	address_add outside vx0 172.16.0.2/24
	on outside ip route add 10.0.0.2/32 via 172.16.0.1 dev vx0
	attach_tiny gateway eth0
	exits 0 on gateway ping -n -c 2 -i 0.2 -W 8 172.16.0.2
	connects gateway 172.16.0.2 7000
	asked 'answered 5000' gateway 172.16.0.2 7777 --answer 5000
	# Traffic of the machine behind the gateway, which has no socket on the gateway.
	exits 0 on lan ping -n -c 2 -i 0.2 -W 8 172.16.0.2
	connects lan 172.16.0.2 7000
	on outside ip route del 10.0.0.2/32 via 172.16.0.1 dev vx0
	on gateway ip link del vx0
	on outside ip link del vx0
}

@test "VXLAN: nobody outside opens the tunnel" {
	tunnel gateway 198.51.100.1 198.51.100.2 || skip 'no VXLAN in this kernel'
	tunnel outside 198.51.100.2 198.51.100.1
	# This side sends nothing by itself, not even neighbour discovery.
	on gateway ip link set vx0 down
	on gateway sh -c 'echo 1 > /proc/sys/net/ipv6/conf/vx0/disable_ipv6'
	attach_tiny gateway eth0
	on gateway ip link set vx0 up
	address_add gateway vx0 172.16.0.1/24
	address_add outside vx0 172.16.0.2/24
	exits 1 on outside ping -n -c 1 -W 0.5 172.16.0.1
	output=$(as gateway counters --json)
	json_is '[.interfaces[0].ports[] | select(.port == 4789 and .protocol == "udp") | .drop.packets > 0] == [true]'
	on gateway ip link del vx0
	on outside ip link del vx0
}

# --- no traffic that anyone can begin evicts a quiet connection ---

# use TABLE: how many flows of the table are in use.
use()
{
	as gateway flows --json | jq ".$1.used"
}

# many HOST INTERFACE-OF-GATEWAY FILE: the tool keeps so many flows at once.
many()
{
	local part

	rm -f "$3".part.*
	split -l 250 "$3" "$3.part."
	for part in "$3".part.*; do
		on "$1" "$TOOLS/send" eth0 "$(mac_of gateway "$2")" < "$part" > /dev/null
	done
}

# flood: sends 4,000 SYNs from forged sources to the open port of `lan`, and 4,000 look-ups from `lan`, half of which
# are answered.
flood()
{
	local i

	on gateway ip neigh replace 10.0.0.2 lladdr "$(mac_of lan eth0)" dev eth1
	for i in {1..4000}; do
		echo "tcp 203.0.$((i / 250)).$((i % 250 + 1)) 10.0.0.2 $((1024 + i)) 5000 60"
	done > "$DIR/syns"
	for i in {1..2000}; do
		echo "udp 10.0.0.2 198.51.100.2 $((20000 + i)) 5000 60"
		echo "udp 10.0.0.2 198.51.100.$((i % 200 + 3)) $((20000 + i)) 5000 60"
	done > "$DIR/queries"
	many outside eth0 "$DIR/syns"
	many lan eth1 "$DIR/queries"
}

@test "quiet forwarded connections and streams outlast forged SYNs, look-ups and a local user" {
	talk_listen open lan 5000
	talk_listen server outside 5000
	udp_serve echo outside 5000
	attach_tiny gateway eth0 --forward --flows 4096
	attach_tiny gateway eth1 --forward
	talk_connect near lan 198.51.100.2 5000
	talk_connect near6 lan 2001:db8:b::2 5000
	on lan /usr/bin/python3 "$BATS_TEST_DIRNAME/udp.py" ask 198.51.100.2 5000 --source-port 7100 --times 4 --pause 1 > "$DIR/asked"
	flow_count_is 1 '.local_port == 7100 and .state == "stream"' || fail "no stream: $(as gateway flows)"
	flow_count_is 2 '.remote_port == 5000 and .state == "established"' || fail "no connections: $(as gateway flows)"
	flood
	on gateway setpriv --reuid 65534 --clear-groups /usr/bin/python3 -c 'import socket
for i in range(2000):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"20 20 x", ("198.51.100.2", 5000))
    s.close()'
	(($(use rest) > 500)) || fail "no flood: $(as gateway flows | tail -n 1)"
	(($(use rest) <= 1024)) || fail "it went elsewhere: $(as gateway flows | tail -n 1)"
	same 1 "$(use streams)" 'streams'
	flow_count_is 1 '.local_port == 7100 and .state == "stream"' || fail 'the stream is gone'
	speaks_to server near
	speaks_to server near6
}

# connections_of UID COUNT: a program of this user on the gateway holds so many connections to 7003 of `outside`.
connections_of()
{
	start "of_$1" gateway setpriv --reuid "$1" --clear-groups /usr/bin/python3 -c 'import resource, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
held = []
for i in range(int(sys.argv[1])):
    one = socket.socket()
    one.connect(("198.51.100.2", 7003))
    held.append(one)
print("ready", flush=True)
time.sleep(60)' "$2"
	until_logged "of_$1" '^ready'
}

@test "TCP of a user of this host is kept with what anyone can begin: any number of it evicts no quiet connection" {
	start holder outside /usr/bin/python3 -c 'import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
server = socket.create_server(("", 7003), backlog=4096)
print("ready", flush=True)
held = []
while True:
    held.append(server.accept())'
	until_logged holder '^ready'
	# With NAT no look-up finds the sockets, so the flows are learned.
	address_add gateway eth0 198.51.100.9/24
	on gateway nft 'table ip nat { chain out { type nat hook postrouting priority srcnat; tcp dport 7003 snat to 198.51.100.9; }; }'
	attach_tiny gateway eth0 --forward --flows 4096
	talk_connect near lan 198.51.100.2 7000
	talk_connect near6 lan 2001:db8:b::2 7000
	connections_of 0 1
	same 3 "$(use connections)" "assured: two of lan, one of root"
	connections_of 65534 2200
	same 3 "$(use connections)" "assured, after a user's 2200"
	(($(use rest) > 500)) || fail "they were not learned: $(as gateway flows | tail -n 1)"
	speaks_to far near
	speaks_to far near6
	on gateway ip address del 198.51.100.9/24 dev eth0
}

flow_count_is()
{
	[ "$(as gateway flows --json | jq "[.flows[] | select(.interface == \"eth0\" and ($2))] | length")" = "$1" ]
}

@test "attach takes the connections over first: quiet ones among thousands of look-ups, and says which --flows would do" {
	local i

	masquerade
	talk_connect near lan 198.51.100.2 7000
	for i in {1..6000}; do
		echo "udp 10.0.0.2 198.51.100.2 $((20000 + i)) 7777 60"
	done > "$DIR/queries"
	many lan eth1 "$DIR/queries"
	talk_connect later lan 198.51.100.2 7000
	exits 0 attach_tiny gateway eth0 --forward --flows 2048
	says_not 'flows'
	speaks_to far near
	speaks_to far later
	as gateway detach eth0
	talk_connect third lan 198.51.100.2 7000
	exits 0 attach_tiny gateway eth0 --forward --flows 4
	says 'conntrack has 3 connections' 'attach them with --flows 65536'
}

@test "and no longer than conntrack would have known them" {
	local expires

	masquerade
	on gateway sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=600
	talk_connect near lan 198.51.100.2 7000
	attach_tiny gateway eth0 --forward
	on gateway sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=432000
	expires=$(as gateway flows --json | jq '[.flows[] | select(.protocol == "tcp" and .remote_port == 7000) | .expires] | max')
	[ "$expires" -gt 500 ] && [ "$expires" -le 600 ] || fail "it is known for $expires s more"
}
