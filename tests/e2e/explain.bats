#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `explain`: what the filter does with a packet and why, beside real servers and real rules of other firewalls; what
# it says opens a port does, pasted as it is.

load helper
load programs
load servers

setup_file()
{
	sandbox_start
	inside mkdir -p /etc/portcullis
	inside mount -t tmpfs tmpfs /etc/portcullis
	two_hosts
	address_add client eth0 192.0.2.7/24 2001:db8::7/64
	# shellcheck source=scripts/postfix.bash
	. "$ROOT/scripts/postfix.bash"
	postfix_config "$DIR/postfix"
	export -f postfix_run
	in_background host bash -c 'postfix_run "$0"' "$DIR/postfix"
	in_background host /usr/bin/python3 "$ROOT/tests/e2e/tcp_load.py" serve 22 110 143 587 993 995 5222
	until_true 20 listening host 25
	until_true 10 listening host 5222
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
	on host nft flush ruleset
	on host sysctl -qw net.ipv4.conf.eth0.rp_filter=0
	rm -f "$DIR/site.yaml"
	inside rm -f /etc/portcullis/site.yaml
}

# explain WORD...: runs it on the host, with the JSON of the only verdict in $output.
explain()
{
	exits 0 pc explain "$@" --json
	output=$(jq -e '.verdicts | if length == 1 then .[0] else error("\(length) verdicts") end' <<< "$output")
}

# verdict_is VERDICT RULE
verdict_is()
{
	json_is '.verdict == $verdict and .rule == $rule' --arg verdict "$1" --arg rule "$2"
}

# Runs the fix of $output on the host, in the form in which a user pastes it.
paste_fix()
{
	local fix

	fix=$(jq -er .fix <<< "$output") || fail "no fix: $output"
	same "${1:-$fix}" "$fix" fix
	[[ $fix == portcullis\ * ]] || fail "not a command: $fix"
	case $PORTCULLIS in
	*/build/portcullis) ;;
	*) fix+=" --catalog $CATALOG" ;;
	esac
	on host bash -c "portcullis() { '$PORTCULLIS' \"\$@\"; }; $fix"
}

# opens FIX ADDRESS PORT: before the fix that explain prints, the port does not answer the client; after it, it does.
opens()
{
	local from=192.0.2.2

	[[ $2 != *:* ]] || from=2001:db8::2
	unanswered client "$2" "$3"
	explain eth0 $from "$3/tcp"
	json_is '.verdict == "drop" and .fix != null and .site_line != null'
	paste_fix "$1"
	connects client "$2" "$3" || fail "not open: $1"
	explain eth0 $from "$3/tcp"
	verdict_is pass service
}

@test "a service that is off: which it is, why, and what opens it, as text and JSON" {
	pc attach eth0 -p xeams --force
	exits 0 pc explain eth0 192.0.2.2 993/tcp
	says 'eth0: 192.0.2.2:50000 -> 192.0.2.1:993/tcp syn' 'dropped    unlisted: no open service has 993/tcp' \
		'closed     xeams:imap-ssl: feature imap-ssl is off' \
		'fix        portcullis swap eth0 --enable xeams:imap-ssl' \
		'site file  enable: [xeams:imap-ssl]'
	explain eth0 192.0.2.2 993/tcp
	json_is '.interface == "eth0" and .machine == null and .direction == "in" and .verdict == "drop" and
		.rule == "unlisted" and .reason == "unlisted" and .protocol == "tcp" and .source == "192.0.2.2" and
		.source_port == 50000 and .destination == "192.0.2.1" and .destination_port == 993 and
		.flags == ["syn"] and .services == [] and .list == null and .until == null and .comment == null and
		.next == [] and .confirm == null and .generation == 1 and
		.fix == "portcullis swap eth0 --enable xeams:imap-ssl" and .site_line == "enable: [xeams:imap-ssl]" and
		.closed == [{service: "xeams:imap-ssl", why_closed: "feature", why: "feature imap-ssl is off"}] and
		has("time") == false and has("length") == false'
	exits 0 pc explain 192.0.2.2 993/tcp --json
	json_is '.version == 1 and (.verdicts | length) == 1 and .verdicts[0].interface == "eth0"'
}

@test "each kind of fix, pasted, lets the next packet in: feature, profile, port, disabled, group, long group, local" {
	pc attach eth0 -p xeams --force
	opens 'portcullis swap eth0 --enable xeams:imap-ssl' 192.0.2.1 993
	opens 'portcullis swap eth0 -p xeams,ssh' 192.0.2.1 22
	opens 'portcullis swap eth0 --open 5222/tcp' 2001:db8::1 5222
	pc swap eth0 --disable ssh:ssh --force
	opens 'portcullis swap eth0 --no-disable ssh:ssh' 192.0.2.1 22
	pc swap eth0 --fresh -p ssh --from ssh:ssh=office --group office=198.51.100.0/24 --force
	explain eth0 192.0.2.2 22/tcp
	verdict_is drop source
	json_is '.services == ["ssh:ssh"] and .why == "ssh:ssh admits only office (198.51.100.0/24)"'
	opens 'portcullis grant office 192.0.2.2 --for 8h' 192.0.2.1 22
	pc revoke office 192.0.2.2
	explain eth0 198.51.100.9 22/tcp
	json_is '.verdict == "pass" and .admitted_by == [{service: "ssh:ssh", group: "office", prefix: "198.51.100.0/24"}]'
	pc swap eth0 --group office=10.0.0.0/8,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8,15.0.0.0/8 --force
	opens 'portcullis grant office 192.0.2.2 --for 8h' 192.0.2.1 22
	pc revoke office 192.0.2.2
	# Of two groups that would open it, the one that opens less: a mail server should not be able to log in.
	pc swap eth0 --fresh -p ssh,postfix --from ssh:ssh=admins --from postfix:smtp=partners,admins \
		--group admins=10.0.0.0/8 --group partners=10.1.0.0/16 --force
	opens 'portcullis grant partners 192.0.2.2 --for 8h' 192.0.2.1 25
	pc revoke partners 192.0.2.2
	mkdir -p "$DIR/catalog"
	cat > "$DIR/catalog/local.yaml" <<-'END'
		profile: local
		services:
		  - name: admin
		    in: 5222/tcp
		    local: true
	END
	pc swap eth0 --fresh -p local --catalog "$DIR/catalog" --force
	exits 0 pc explain eth0 192.0.2.2 5222/tcp
	says "closed     local:admin: for this host's own use only" \
		$'\n  site file  from: {local:admin: [admitted]}\n             groups: {admitted: [192.0.2.2/32]}'
	opens 'portcullis swap eth0 --from local:admin=admitted --group admitted=192.0.2.2/32' 192.0.2.1 5222
}

@test "the site file: its groups count in a fix, and a wrong one keeps nobody from an answer" {
	pc attach eth0 -p ssh --from ssh:ssh=office --group office=198.51.100.0/24 --force
	echo 'groups: {office: [203.0.113.0/24]}' | inside tee /etc/portcullis/site.yaml > /dev/null
	opens 'portcullis grant office 192.0.2.2 --for 8h' 192.0.2.1 22
	pc revoke office 192.0.2.2
	echo 'groups: {office: [192.0.2.0/24]}' | inside tee /etc/portcullis/site.yaml > /dev/null
	explain eth0 192.0.2.7 22/tcp
	verdict_is drop source
	paste_fix 'portcullis swap eth0'
	explain eth0 192.0.2.7 22/tcp
	verdict_is pass service
	echo 'groups: {office: [nonsense]}' | inside tee /etc/portcullis/site.yaml > /dev/null
	exits 0 pc explain eth0 203.0.113.9 22/tcp
	says 'no fix is shown, because none would work while the site file has errors: portcullis check' 'dropped    source'
}

@test "under observe it passes now; a change that waits to be confirmed says until when it answers" {
	pc attach eth0 -p ssh --observe
	exits 0 pc explain eth0 192.0.2.2 5222/tcp
	says 'passes     now, because the filter observes; enforce would drop it: unlisted: no open service has 5222/tcp' \
		'fix        portcullis swap eth0 --open 5222/tcp'
	explain eth0 192.0.2.2 5222/tcp
	verdict_is would-drop unlisted
	exits 0 pc explain eth0 192.0.2.2 5222/tcp --exit-code
	pc swap eth0 --enforce --confirm 60 --force
	exits 3 pc explain eth0 192.0.2.2 5222/tcp --exit-code
	says 'answered   by generation 2, until ' 'unless confirmed; then by generation 1'
	explain eth0 192.0.2.2 5222/tcp
	json_is '.generation == 2 and .confirm.state == "waiting" and .confirm.fallback == 1 and .confirm.seconds_left > 30'
	pc swap eth0 --confirm 2 --force
	until_true 5 observes_again
	explain eth0 192.0.2.2 5222/tcp
	json_is '.verdict == "would-drop" and .generation == 1 and .confirm.state == "reverted"'
}

observes_again()
{
	pc explain eth0 192.0.2.2 5222/tcp --json | jq -e '.verdicts[0].verdict == "would-drop"' > /dev/null
}

@test "mail to 25 does not arrive, and it is not the filter: fail2ban has banned the sender" {
	command -v fail2ban-server > /dev/null || skip 'needs fail2ban'
	pc attach eth0 -p postfix --force
	explain eth0 192.0.2.7 25/tcp
	verdict_is pass service
	json_is '.dropped_behind == false and .next == []'
	cp -r /etc/fail2ban "$DIR/fail2ban"
	cat > "$DIR/fail2ban/jail.local" <<-END
		[DEFAULT]
		banaction = nftables
		backend = polling
		[sshd]
		enabled = false
		[postfix]
		enabled = true
		port = smtp
		logpath = $DIR/postfix/log
	END
	in_background host fail2ban-server -f -c "$DIR/fail2ban" -s "$DIR/fail2ban.sock" -p "$DIR/fail2ban.pid" \
		--logtarget "$DIR/fail2ban.log" start
	until_true 20 jailed ping
	until_true 10 jailed set postfix banip 192.0.2.7
	until_true 10 bans 192.0.2.7
	exits 0 pc explain eth0 192.0.2.7 25/tcp
	says 'passes     the filter does not drop it: service: postfix:smtp admits anyone' \
		'behind it  nftables rejects it: table inet f2b-table, chain f2b-chain (input, priority -1, policy accept):' \
		'192.0.2.7 is in the set addr-set-postfix'
	exits 1 on client socat -u OPEN:/dev/null TCP:192.0.2.1:25,bind=192.0.2.7,connect-timeout=2
	explain eth0 192.0.2.2 25/tcp
	json_is '.verdict == "pass" and .dropped_behind == false and (.next | length) == 1'
	connects client 192.0.2.1 25
	exits 0 pc explain eth0 192.0.2.7 25/tcp --exit-code
	jailed set postfix unbanip 192.0.2.7
	explain eth0 192.0.2.7 25/tcp
	json_is '.dropped_behind == false'
	jailed stop
}

jailed()
{
	on host fail2ban-client -c "$DIR/fail2ban" -s "$DIR/fail2ban.sock" -p "$DIR/fail2ban.pid" "$@" > /dev/null 2>&1
}

bans()
{
	on host nft list ruleset 2> /dev/null | grep -q "$1"
}

# behind TEXT...: what explain prints about a packet to 25/tcp from 192.0.2.7, which passes the filter.
behind()
{
	explain eth0 192.0.2.7 25/tcp
	output=$(jq -r '.next[]' <<< "$output")
	says "$@"
}

@test "behind the filter: rules of nftables by chain, set, map and policy; what cannot be known is told as that" {
	pc attach eth0 -p postfix --force
	on host nft -f - <<-'END'
		table inet filter {
			map ports { type inet_service : verdict; elements = { 25 : jump mail, 22 : accept } }
			set office { type ipv4_addr . inet_service; flags interval; elements = { 192.0.2.0/29 . 20-30 } }
			chain mail {
				ip saddr . tcp dport @office return
				drop
			}
			chain input {
				type filter hook input priority 0; policy drop;
				ct state established,related accept
				tcp dport vmap @ports
			}
		}
	END
	behind 'nftables drops it: table inet filter, chain input (input, priority 0, policy drop): its policy is drop'
	unanswered client 192.0.2.1 25
	on host nft add rule inet filter input ip saddr 192.0.2.0/24 tcp dport 25 accept
	behind 'nftables lets it through: table inet filter, chain input'
	connects client 192.0.2.1 25
	on host nft delete element inet filter office '{ 192.0.2.0/29 . 20-30 }'
	behind 'nftables drops it: table inet filter, chain mail of input (input, priority 0, policy drop): rule with handle'
	unanswered client 192.0.2.1 25
	on host nft flush ruleset
	on host nft -f - <<-'END'
		table netdev early {
			chain in { type filter hook ingress device eth0 priority 0; ip saddr 192.0.2.7 limit rate over 1/hour drop; }
		}
		table ip nat {
			chain pre { type nat hook prerouting priority -100; tcp dport 25 redirect to :110; }
		}
	END
	behind 'nftables may drop it: table netdev early, chain in (ingress, priority 0, policy accept)' \
		'nftables changes its destination, and later rules see the new one: table ip nat, chain pre'
	on host nft flush ruleset
	# Rules as of firewalld: a source that no zone admits is refused. No condition here is unknown.
	on host nft -f - <<-'END'
		table inet firewalld {
			counter seen { }
			chain in {
				type filter hook input priority 10;
				ct state { established, related } accept
				ct status dnat accept
				fib daddr type { broadcast, multicast } accept
				tcp dport 25 counter name seen
				reject with icmpx admin-prohibited
			}
		}
	END
	behind 'nftables rejects it: table inet firewalld, chain in (input, priority 10, policy accept): rule with handle'
	exits 1 on client socat -u OPEN:/dev/null TCP:192.0.2.1:25,connect-timeout=2
	on host nft flush ruleset
	if command -v iptables-nft > /dev/null; then
		# Rules as of ufw: packets that are not for this host are dropped.
		on host iptables-nft -A INPUT -m addrtype --dst-type LOCAL -j ACCEPT
		on host iptables-nft -A INPUT -j DROP
		behind 'nftables lets it through: table ip filter, chain INPUT'
		connects client 192.0.2.1 25
		on host iptables-nft -R INPUT 1 -m addrtype ! --dst-type LOCAL -j ACCEPT
		behind 'nftables drops it: table ip filter, chain INPUT'
		unanswered client 192.0.2.1 25
		on host nft flush ruleset
		on host iptables-nft -N f2b-postfix
		on host iptables-nft -A f2b-postfix -s 192.0.2.7 -j REJECT
		on host iptables-nft -A INPUT -m state --state ESTABLISHED -j ACCEPT
		on host iptables-nft -A INPUT -p tcp -m multiport --dports 25,465 -j f2b-postfix
		behind 'nftables rejects it: table ip filter, chain f2b-postfix of INPUT (input, priority 0, policy accept): rule with handle'
		on host nft flush ruleset
	fi
}

@test "behind the filter: other programs at TC, the reverse path, no process that listens" {
	pc attach eth0 -p postfix --open 5223/tcp,5224/tcp --force
	explain eth0 192.0.2.7 5223/tcp
	json_is '.next == ["no process listens on 5223/tcp: this host refuses the connection"]'
	in_background host socat -u TCP-LISTEN:5224,bind=127.0.0.1 STDOUT
	until_true 5 listening host 5224
	explain eth0 192.0.2.7 5224/tcp
	json_is '.next == ["no process takes it: the one on 5224/tcp listens on 127.0.0.1 alone"]'
	on host sysctl -qw net.ipv4.conf.eth0.rp_filter=1
	explain eth0 203.0.113.7 25/tcp
	json_is '.verdict == "pass" and .dropped_behind and
		.next == ["rp_filter drops it: the route back to the source is missing"]'
	on host sysctl -qw net.ipv4.conf.eth0.rp_filter=0
	on host tc qdisc replace dev eth0 clsact
	clang -target bpf -mcpu=v3 -O2 -g -idirafter "/usr/include/$(cc -print-multiarch)" -c "$ROOT/tests/e2e/foreign_tc.bpf.c" \
		-o "$DIR/foreign_tc.bpf.o"
	on host tc filter add dev eth0 ingress bpf da obj "$DIR/foreign_tc.bpf.o" sec tc
	explain eth0 192.0.2.7 25/tcp
	json_is '.next | length == 1 and (.[0] | startswith("eth0: TC ingress may drop it: \u0027"))'
	on host tc qdisc del dev eth0 clsact
}

# switch_of_frames: makes a host `bridged`, whose bridge has the ports p0 (to `far`, filtered) and p1 (to `guest`).
switch_of_frames()
{
	local name

	for name in bridged far guest; do
		host_add "$name"
	done
	link_add bridged p0 far eth0
	link_add bridged p1 guest eth0
	on bridged sh -c 'ip link add br0 type bridge && ip link set p0 master br0 && ip link set p1 master br0 && ip link set br0 up'
	address_add bridged br0 198.18.9.1/24
	address_add far eth0 198.18.9.2/24
	address_add guest eth0 198.18.9.3/24
	in_background bridged /usr/bin/python3 "$ROOT/tests/e2e/tcp_load.py" serve 25
	in_background guest /usr/bin/python3 "$ROOT/tests/e2e/tcp_load.py" serve 25
	until_true 5 listening bridged 25
	until_true 5 listening guest 25
	on bridged sysctl -qw net.bridge.bridge-nf-call-iptables=0
	as bridged attach p0 -p postfix --force
}

# past ADDRESS TEXT RULES: with these nftables rules the address does not answer (or with TEXT '' it does), and explain
# says why.
past()
{
	on bridged nft -f - <<< "$3"
	exits 0 as bridged explain p0 198.18.9.2 25/tcp --local "$1" --json
	if [ -n "$2" ]; then
		json_is '.verdicts[0] | .verdict == "pass" and .dropped_behind and (.next[-1] | startswith($text))' --arg text "$2"
		unanswered far "$1" 25
	else
		json_is '.verdicts[0] | .verdict == "pass" and (.dropped_behind | not)'
		connects far "$1" 25
	fi
	on bridged nft flush ruleset
}

@test "behind a bridge's port: its chains, what is at the bridge, and the guests to which it hands packets on" {
	local drop='nftables drops it: table' name where

	switch_of_frames
	past 198.18.9.1 '' ''
	past 198.18.9.1 "$drop bridge f, chain in (prerouting, priority -300" \
		'table bridge f { chain in { type filter hook prerouting priority -300; ip saddr 198.18.9.2 tcp dport 25 drop; }; }'
	past 198.18.9.1 "$drop bridge f, chain in (input" \
		'table bridge f { chain in { type filter hook input priority 0; policy drop; iifname br0 accept; ether type arp accept; }; }'
	past 198.18.9.1 "$drop netdev f, chain in (ingress" \
		'table netdev f { chain in { type filter hook ingress device br0 priority 0; tcp dport 25 drop; }; }'
	past 198.18.9.1 "$drop inet f, chain in (input" \
		'table inet f { chain in { type filter hook input priority 0; iifname br0 tcp dport 25 drop; }; }'
	past 198.18.9.3 '' 'table inet f { chain in { type filter hook forward priority 0; policy drop; }; }'
	past 198.18.9.3 '' 'table bridge f { chain in { type filter hook input priority 0; tcp dport 25 drop; }; }'
	past 198.18.9.3 "$drop bridge f, chain in (forward" \
		'table bridge f { chain in { type filter hook forward priority 0; tcp dport 25 drop; }; }'
	past 198.18.9.3 "$drop bridge f, chain in (postrouting" \
		'table bridge f { chain in { type filter hook postrouting priority 0; tcp dport 25 drop; }; }'
	on bridged sysctl -qw net.bridge.bridge-nf-call-iptables=1
	past 198.18.9.3 "$drop inet f, chain in (forward" \
		'table inet f { chain in { type filter hook forward priority 0; tcp dport 25 drop; }; }'
	on bridged sysctl -qw net.bridge.bridge-nf-call-iptables=0
	# Packets that this host sends through the bridge have passed its chains before the filter sees them.
	for where in 'bridge f:output' 'bridge f:postrouting' 'netdev f:egress device br0'; do
		on bridged nft "table ${where%:*} { chain in { type filter hook ${where#*:} priority 0; udp dport 7000 drop; }; }"
		exits 0 as bridged explain p0 198.18.9.2 7000/udp --out
		says "before it  nftables drops it: table ${where%:*}, chain in ("
		exits 0 as bridged explain p0 198.18.9.2 7001/udp --out
		says "before it  nftables lets it through: table ${where%:*}, chain in ("
		on bridged nft flush ruleset
	done
	on bridged ip link set br0 xdpgeneric obj "$TOOLS/foreign.bpf.o" sec xdp
	exits 0 as bridged explain p0 198.18.9.2 25/tcp
	says "behind it  br0: XDP may drop it: 'somebody_elses', id "
	exits 0 as bridged explain p0 198.18.9.2 25/tcp --local 198.18.9.3
	says_not XDP
	as bridged detach p0
	for name in bridged far guest; do
		host_del "$name"
	done
}

@test "behind the filter: chains that are at no hook, or ask before conntrack; an address of a macvlan; routes by rule" {
	pc attach eth0 -p postfix --force
	on host nft 'table ip f { flags dormant; chain in { type filter hook input priority 0; policy drop; }; }'
	connects client 192.0.2.1 25
	explain eth0 192.0.2.7 25/tcp
	json_is '.next == []'
	on host nft flush ruleset
	on host nft 'table ip f { chain in { type filter hook prerouting priority -300; ct state new drop; }; }'
	connects client 192.0.2.1 25
	explain eth0 192.0.2.7 25/tcp
	json_is '.dropped_behind == false and (.next[0] | startswith("nftables may drop it"))'
	on host nft flush ruleset
	on host nft 'table ip f { chain in { type filter hook prerouting priority -300; ct state vmap { new : accept, invalid : drop }; }; }'
	unanswered client 192.0.2.1 25
	explain eth0 192.0.2.7 25/tcp
	json_is '.dropped_behind == false and (.next[0] | startswith("nftables may drop it"))'
	on host nft flush ruleset
	on host ip link add mac0 link eth0 type macvlan mode bridge
	on host ip link set mac0 up
	address_add host mac0 198.18.8.1/24
	on client ip address add 198.18.8.2/24 dev eth0
	on host sysctl -qw net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.mac0.rp_filter=1 net.ipv4.conf.all.arp_ignore=1
	connects client 198.18.8.1 25
	explain eth0 198.18.8.2 25/tcp
	json_is '.destination == "198.18.8.1" and .next == []'
	on host nft 'table ip f { chain in { type filter hook input priority 0; iifname mac0 drop; }; }'
	explain eth0 198.18.8.2 25/tcp
	json_is '.dropped_behind and (.next[0] | startswith("nftables drops it"))'
	unanswered client 198.18.8.1 25
	on host nft flush ruleset
	on host ip link del mac0
	# A routing table that is only for packets with this host's address as their source.
	on client ip address add 203.0.113.7/32 dev eth0
	on host ip route add default via 192.0.2.2 table 77
	on host ip rule add from 192.0.2.1 lookup 77
	on client socat -u OPEN:/dev/null TCP:192.0.2.1:25,bind=203.0.113.7,connect-timeout=8
	explain eth0 203.0.113.7 25/tcp
	json_is '.next == []'
	on host ip rule del from 192.0.2.1 lookup 77
	explain eth0 203.0.113.7 25/tcp
	json_is '.dropped_behind and (.next[0] | startswith("rp_filter drops it"))'
	on host ip route flush table 77
	on client ip address del 203.0.113.7/32 dev eth0
	on client ip address del 198.18.8.2/24 dev eth0
}

@test "a packet for a machine behind this one: whether it is forwarded" {
	pc attach eth0 -p postfix --forward --force
	on host sysctl -qw net.ipv4.ip_forward=0
	explain eth0 192.0.2.7 25/tcp --local 198.51.100.9
	json_is '.verdict == "pass" and .dropped_behind and
		.next == ["198.51.100.9 is not an address of this host, and this host does not forward: net.ipv4.ip_forward is 0"]'
	on host sysctl -qw net.ipv4.ip_forward=1
	explain eth0 192.0.2.7 25/tcp --local 192.0.2.255
	json_is '.dropped_behind == false'
	on host nft 'table ip gate { chain through { type filter hook forward priority 0; policy drop; }; }'
	explain eth0 192.0.2.7 25/tcp --local 198.51.100.9
	json_is '.next == ["nftables drops it: table ip gate, chain through (forward, priority 0, policy drop): its policy is drop"]'
	on host sysctl -qw net.ipv4.ip_forward=0
}

@test "what this host sends, ICMP, other protocols, flags" {
	pc attach eth0 -p postfix --outbound enforce --force
	explain eth0 192.0.2.2 5999/tcp --out
	verdict_is drop outbound
	json_is '.direction == "out" and .source == "192.0.2.1" and .destination_port == 5999'
	paste_fix 'portcullis swap eth0 --outbound track'
	explain eth0 192.0.2.2 5999/tcp --out
	verdict_is pass outbound
	explain eth0 192.0.2.2 --icmp 8
	verdict_is pass icmp
	explain eth0 192.0.2.2 --icmp 5
	verdict_is drop icmp
	explain eth0 192.0.2.2 25/tcp --icmp 3/4
	verdict_is pass icmp
	explain eth0 192.0.2.2 26/tcp --icmp 3/4
	verdict_is drop icmp
	explain eth0 2001:db8::2 --icmp 135
	verdict_is pass icmp
	explain eth0 192.0.2.2 --protocol gre
	verdict_is drop protocol
	explain eth0 192.0.2.2 5999/tcp --flags ack --source-port 4000
	json_is '.flags == ["ack"] and .source_port == 4000 and .verdict == "drop"'
}

@test "connections and flows that live are asked, and stay as they are" {
	local port

	pc attach eth0 -p host --force
	in_background client socat -u TCP-LISTEN:7000 STDOUT
	until_true 5 listening client 7000
	in_background host socat -u "EXEC:sleep 20" TCP:192.0.2.2:7000
	until_true 5 connected
	port=$(on host ss -Htn state established 'dport = :7000' | awk '{ sub(/.*:/, "", $3); print $3 }')
	explain eth0 192.0.2.2 "$port/tcp" --source-port 7000 --flags ack
	verdict_is pass reply
	explain eth0 192.0.2.2 "$port/tcp" --source-port 7001 --flags ack
	verdict_is drop unlisted
	explain eth0 192.0.2.7 "$port/tcp" --source-port 7000 --flags ack
	verdict_is drop unlisted
	explain eth0 192.0.2.2 "$port/tcp" --source-port 7000
	verdict_is drop unlisted
}

connected()
{
	[ -n "$(on host ss -Htn state established 'dport = :7000')" ]
}

# Every map of the filter, except the clock's.
maps_digest()
{
	local folder

	for folder in $(pins); do
		inside find "$folder" -type f | sort | while read -r pin; do
			echo "$pin"
			inside "$BPFTOOL" map dump pinned "$pin" 2> /dev/null | sha256sum
		done
	done
}

flow_is_there()
{
	pc flows --json | jq -e 'any(.flows[]; .local_port == 7004)' > /dev/null
}

explain_between_digests()
{
	local packet

	maps_digest > "$DIR/before"
	[ "$(wc -l < "$DIR/before")" -gt 20 ] || fail "$(cat "$DIR/before")"
	explain eth0 192.0.2.2 7004/udp --source-port 40000
	verdict_is pass reply
	for packet in '25/tcp' '26/tcp' '5060/udp' '53/udp --out' '25/tcp --out' '--icmp 8' '--icmp 0' '25/tcp --icmp 3' \
		'--protocol esp' '25/tcp --flags ack'; do
		# shellcheck disable=SC2086
		exits 0 pc explain eth0 192.0.2.2 $packet
	done
	exits 0 pc explain 2001:db8::2 993/tcp
	exits 0 pc explain 192.0.2.2 993/tcp -p ssh
	maps_digest > "$DIR/after"
}

@test "nothing of the filter changes: counters, flows, fragments, drops are the same bytes afterwards" {
	BPFTOOL=$(command -v bpftool || echo /usr/sbin/bpftool)
	[ -x "$BPFTOOL" ] || skip 'needs bpftool'
	pc attach eth0 -p xeams --forward --force
	connects client 192.0.2.1 25
	on client ping -qc 1 192.0.2.1
	on client ip neigh replace 192.0.2.1 lladdr "$(mac_of host eth0)" dev eth0 nud permanent
	on host ip neigh replace 192.0.2.2 lladdr "$(mac_of client eth0)" dev eth0 nud permanent
	in_background client socat -u UDP-RECV:40000 OPEN:/dev/null
	echo x | on host socat -u STDIN UDP-SENDTO:192.0.2.2:40000,bind=192.0.2.1:7004
	until_true 5 flow_is_there
	until_silent # so long that a look at the flow would be noted, too
	# The host's own packets, such as reports of multicast groups, may come in between, but not three times.
	for _ in 1 2 3; do
		explain_between_digests
		! cmp "$DIR/before" "$DIR/after" || return 0
	done
	fail "$(diff "$DIR/before" "$DIR/after")"
}

@test "a filter that is not there: -p, other options as swap takes them, the site file; nothing is attached" {
	exits 0 pc explain eth0 192.0.2.2 993/tcp -p xeams
	says 'fix        portcullis attach eth0 -p xeams --enable xeams:imap-ssl'
	same '' "$(attached host eth0)" program
	same '' "$(pins)" pins
	explain eth0 192.0.2.2 993/tcp -p xeams --enable xeams:imap-ssl
	verdict_is pass service
	exits 3 pc explain 192.0.2.2 5222/tcp -p ssh --exit-code
	cat > "$DIR/site.yaml" <<-'END'
		groups: {office: [192.0.2.0/30]}
		interfaces:
		  eth0: {profiles: [ssh], from: {ssh:ssh: office}}
	END
	explain eth0 192.0.2.2 22/tcp --site "$DIR/site.yaml"
	json_is '.verdict == "pass" and .admitted_by == [{service: "ssh:ssh", group: "office", prefix: "192.0.2.0/30"}]'
	explain 192.0.2.7 22/tcp --site "$DIR/site.yaml"
	json_is '.verdict == "drop" and .fix == null and .site_line == "groups: {office: [192.0.2.0/30,192.0.2.7/32]}"'
	exits 1 pc explain lo 192.0.2.7 22/tcp --site "$DIR/site.yaml"
	says "$DIR/site.yaml: does not list the interface lo"
	pc attach eth0 -p ssh --force
	explain eth0 192.0.2.2 993/tcp --open 993/tcp
	verdict_is pass service
	explain eth0 192.0.2.2 22/tcp -p xeams
	verdict_is drop unlisted
	json_is '.fix == "portcullis swap eth0 --fresh -p xeams,ssh"'
	explain eth0 192.0.2.2 22/tcp
	verdict_is pass service
}

@test "each filter of the network namespace, unless one is named" {
	link_add host eth1 client eth1
	address_add host eth1 203.0.113.1/24
	pc attach eth0 -p ssh --force
	pc attach eth1 -p xeams --force
	exits 0 pc explain 192.0.2.2 25/tcp --json
	json_is '[.verdicts[] | [.interface, .verdict]] == [["eth0", "drop"], ["eth1", "pass"]]'
	pc detach eth1
	on host ip link del eth1
}

@test "an interface with a name that a shell or a terminal would take for more than that" {
	local name

	# The last ones are a CSI of C1, and reversed text.
	for name in $'e;\033[2Jx' $'e\xc2\x9b2Jx' $'e\xe2\x80\xaex'; do
		link_add host "$name" client eth2
		address_add host "$name" 198.51.100.1/24
		address_add client eth2 198.51.100.2/24
		pc attach "$name" -p ssh --force
		exits 0 pc explain "$name" 198.51.100.2 5222/tcp --json
		json_is '.verdicts[0].interface == $name' --arg name "$name"
		LC_ALL=C says_not $'\033' $'\x9b' $'\x80\xae'
		exits 0 pc explain "$name" 198.51.100.2 5222/tcp
		LC_ALL=C says_not $'\033' $'\x9b' $'\x80\xae'
		# The fix as the terminal shows it.
		on host bash -c "portcullis() { '$PORTCULLIS' \"\$@\"; }; $(sed -n 's/^  fix  *//p' <<< "$output")"
		connects client 198.51.100.1 5222
		pc detach "$name"
		on host ip link del "$name"
	done
}

@test "bad input: what is wrong, and what to write" {
	local row

	pc attach eth0 -p ssh --force
	while IFS='|' read -r row says; do
		# shellcheck disable=SC2086
		exits 2 pc explain $row
		says "$says" || return 1
	done <<-'END'
		|explain: the remote address is missing: portcullis explain [IFACE] REMOTE PORT/PROTO
		192.0.2.2|explain: the port is missing: portcullis explain [IFACE] REMOTE PORT/PROTO
		eth7 192.0.2.2|explain: 'eth7' is neither an interface nor an IPv4 or IPv6 address
		eth0 192.0.2.300 25/tcp|'192.0.2.300' is not an IPv4 or IPv6 address (example: 192.0.2.7)
		192.0.2.0/24 25/tcp|one address is asked about, not a prefix: 192.0.2.0
		fe80::1%eth0 25/tcp|write fe80::1, and name the interface before it
		127.0.0.1 25/tcp|127.0.0.1 is a loopback address
		::ffff:192.0.2.2 25/tcp|is IPv4 in IPv6 form
		224.0.0.1 25/tcp|is a multicast address, from which no packet comes
		255.255.255.255 25/udp|is the broadcast address
		192.0.2.2 25|'25' has no protocol; write 25/tcp
		192.0.2.2:25|write the port behind it: portcullis explain 192.0.2.2 PORT/PROTO
		25/tcp 192.0.2.2|goes before the port, the interface before both: portcullis explain 192.0.2.2 25/tcp
		192.0.2.2 25/tcp eth0|: portcullis explain eth0 192.0.2.2 25/tcp
		25/tcp eth0 2001:db8::2|: portcullis explain eth0 2001:db8::2 25/tcp
		192.0.2.2 ping|an ICMP packet has no port, but a type: --icmp 8 is a ping
		2001:db8::2 1/icmp|--icmp 128 is a ping
		--source 192.0.2.2 --port 25/tcp|the address and the port need no option: portcullis explain [IFACE] REMOTE PORT/PROTO
		--port 25/tcp 192.0.2.2|the address and the port need no option
		192.0.2.2 0/tcp|port 0 is out of range 1-65535
		192.0.2.2 70000/tcp|port 70000 is out of range 1-65535
		192.0.2.2 25-26/tcp|'25-26/tcp' is more than one port; name one, as 25/tcp
		192.0.2.2 25/tcp+udp|'25/tcp+udp' is more than one port
		192.0.2.2 --protocol tcp|a packet of tcp has a port
		192.0.2.2 --protocol nonsense|--protocol must be an IP protocol by name or number
		192.0.2.2 25/tcp --protocol esp|--protocol is for packets without a port: leave out 25/tcp
		192.0.2.2 --icmp 300|--icmp must be TYPE or TYPE/CODE
		192.0.2.2 --icmp 3|ICMP type 3 is an error, and quotes a packet that this host sent: name the port
		192.0.2.2 25/tcp --icmp 8|ICMP type 8 has no port; leave it out
		192.0.2.2 25/udp --flags ack|--flags is for TCP
		192.0.2.2 25/tcp --flags akc|'akc' is not a TCP flag; did you mean 'ack'?
		192.0.2.2 25/tcp --local nowhere|--local must be an IPv4 or IPv6 address
		192.0.2.2 25/tcp --local ::1|are not of the same family
		eth0 192.0.2.2 25/tcp more|too many words
	END
	exits 1 pc explain 192.0.2.1 25/tcp
	says '192.0.2.1 is an address of this host'
	exits 1 pc explain eth7 192.0.2.2 25/tcp
	says 'eth7: no such interface'
	exits 1 pc explain lo 192.0.2.2 25/tcp
	says 'lo: no filter of portcullis is attached; to attach one: portcullis attach lo -p PROFILE'
	pc detach eth0
	exits 1 pc explain 192.0.2.2 25/tcp
	says 'no interface of this network namespace has a filter: every packet passes'
}

@test "help lists it, explains it, and a narrow terminal breaks no command" {
	exits 0 pc --help
	says 'explain   Show whether a packet passes, why, and how to open its port'
	exits 0 pc help explain
	says '--source-port PORT' '--icmp TYPE[/CODE]' '--out'
	exits 0 pc complete explain --sour
	says '--source-port'
	pc attach eth0 -p xeams --force
	COLUMNS=50 exits 0 pc explain eth0 192.0.2.2 993/tcp
	[ "$(awk '{ if (length($0) > w) w = length($0) } END { print w }' <<< "$output")" -le 52 ] || fail "$output"
}
