#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Groups by name: what real name servers answer, and what becomes of it in running filters, in the snapshot and at boot.

load helper
load programs
load servers

SITE=/etc/portcullis/site.yaml
ANSWERS=/var/lib/portcullis/dns

setup_file()
{
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.3/24 192.0.2.4/24
	inside mkdir -p /etc/portcullis
	inside mount -t tmpfs -o mode=755 tmpfs /etc/portcullis
	echo 'nameserver 192.0.2.2' > "$DIR/resolv.conf"
	inside mount --bind "$DIR/resolv.conf" /etc/resolv.conf
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host
	inside sh -c "rm -rf /etc/portcullis/* /var/lib/portcullis"
}

# serve LINE...: restarts dnsmasq on the client with these lines of configuration.
serve()
{
	! [ -e "$DIR/running/dns.pid" ] || stop dns
	until_true 5 silent
	printf '%s\n' "$@" > "$DIR/dnsmasq.conf"
	start dns client dnsmasq --keep-in-foreground --conf-file="$DIR/dnsmasq.conf" --pid-file= --user=root --no-resolv --no-hosts \
		--listen-address=192.0.2.2 --bind-interfaces --local=/example.org/
	until_true 5 answering
}

answering()
{
	[ -n "$(on client ss -Hlun 'sport = :53')" ]
}

silent()
{
	! answering
}

# serve_failing: runs unbound, which can reach no other name server.
serve_failing()
{
	stop dns
	until_true 5 silent
	printf 'server:\n interface: 192.0.2.2\n access-control: 0.0.0.0/0 allow\n chroot: ""\n username: ""\n pidfile: ""\n use-syslog: no\n do-daemonize: no\n' \
		> "$DIR/unbound.conf"
	printf 'forward-zone:\n name: "."\n forward-addr: 127.0.0.1@9\n' >> "$DIR/unbound.conf"
	start dns client unbound -c "$DIR/unbound.conf"
	until_true 5 answering
}

# due: makes each answer due for the next question.
due()
{
	inside sh -c "sed -i 's/\"due\": [0-9]*/\"due\": 1/' $ANSWERS/*.json"
}

refresh()
{
	due
	exits "${1:-0}" pc groups --refresh dns
}

# members GROUP: prints its prefixes in one line.
members()
{
	pc groups "$1" --json | jq -r '[.groups[0].members[].prefix] | join(" ")'
}

site()
{
	inside sh -c "cat > $SITE" <<-END
		groups: {partners: $1}
		interfaces: {eth0: {profiles: ssh, from: {ssh:ssh: partners}}}
	END
}

@test "apply asks for a name, and admits its addresses; a refresh switches to others, once, with a line in the journal and none in the history" {
	serve host-record=mail.example.org,192.0.2.2,2001:db8::2
	site "['dns:Mail.example.org.', 198.51.100.0/24, 192.0.2.4]"
	echo_server host 22
	exits 0 pc apply
	same '192.0.2.2/32 192.0.2.4/32 198.51.100.0/24 2001:db8::2/128' "$(members partners)"
	connects client 192.0.2.1 22
	before=$(pc history --json | jq '.changes | length')
	serve host-record=mail.example.org,192.0.2.4 # the group has this prefix itself, too
	refresh
	says 'mail.example.org: +192.0.2.4/32 -192.0.2.2/32 -2001:db8::2/128'
	same 2 "$(generation host eth0)" 'generation'
	same '192.0.2.4/32 198.51.100.0/24' "$(members partners)"
	unanswered client 192.0.2.1 22
	refresh
	same '' "$output" 'what it says of the same answer'
	same 2 "$(generation host eth0)" 'generation'
	serve host-record=mail.example.org,192.0.2.3
	refresh
	same '192.0.2.3/32 192.0.2.4/32 198.51.100.0/24' "$(members partners)"
	same "$before" "$(pc history --json | jq '.changes | length')" 'changes in the history'
	exits 0 pc apply --dry-run --exit-code
	exits 0 pc export site
	says "- 'dns:mail.example.org'" "192.0.2.4/32" '198.51.100.0/24'
	says_not '192.0.2.3'
}

@test "what is no good answer changes nothing: none at all, NXDOMAIN, no address, SERVFAIL; the last one stays and boots" {
	serve host-record=mail.example.org,192.0.2.2
	site "'dns:mail.example.org'"
	exits 0 pc apply
	serve host-record=other.example.org,192.0.2.3
	refresh
	says 'mail.example.org: there is no such name; the last addresses that were answered stay'
	refresh
	says_not 'no such name' # printed only once
	serve txt-record=mail.example.org,text
	refresh
	says 'the name has no address'
	serve_failing
	refresh
	says 'the name server failed to answer'
	stop dns
	until_true 5 silent
	SECONDS=0
	refresh
	says 'no name server'
	[ $SECONDS -lt 20 ] || fail "$SECONDS s"
	same '192.0.2.2/32' "$(members partners)"
	same 1 "$(generation host eth0)" 'generation'
	pc groups partners --json | jq -e '.groups[0].names[0] | .name == "mail.example.org" and .failed != null and .asked != null' ||
		fail "$(pc groups partners --json)"
	exits 0 pc doctor
	says 'dns:mail.example.org: fails since'
	exits 0 pc status eth0
	says 'mail.example.org fails since'
	# Boot asks no name server: due answers stay due.
	pc detach eth0
	due
	exits 0 pc apply --boot
	same 1 "$(inside cat $ANSWERS/mail.example.org.json | jq .due)" 'when it is due'
	same '192.0.2.2/32' "$(members partners)"
	# If answers are lost, a running filter keeps its members.
	inside sh -c "echo damaged > $ANSWERS/mail.example.org.json"
	exits 0 pc groups --refresh dns
	same '192.0.2.2/32' "$(pc status eth0 --json | jq -r '.interfaces[0].recipe.groups.partners | join(" ")')"
	serve host-record=mail.example.org,192.0.2.2
	refresh
	says 'is answered again'
}

@test "hostile answers: no loopback, link-local, multicast, unspecified or own address; a name that has only those keeps what it had" {
	serve host-record=mail.example.org,192.0.2.2
	site "'dns:mail.example.org'"
	exits 0 pc apply
	for address in 127.0.0.1 0.0.0.0 169.254.1.1 224.0.0.1 255.255.255.255 192.0.2.1 ::1 :: fe80::1 ff02::1 ::ffff:192.0.2.9 2001:db8::1; do
		serve "host-record=mail.example.org,$address"
		refresh
		same '192.0.2.2/32' "$(members partners)" "after $address"
		inside cat $ANSWERS/mail.example.org.json > "$DIR/answer"
		grep -q "is left out" "$DIR/answer" || fail "$address: $(cat "$DIR/answer")"
	done
	serve host-record=mail.example.org,192.0.2.3 host-record=mail.example.org,127.0.0.1
	refresh
	same '192.0.2.3/32' "$(members partners)"
	says '127.0.0.1/32 is left out: loopback'
	same '' "$(pc groups --json | jq -r '.groups[].members[].prefix | select(endswith("/32") or endswith("/128") | not)')" 'more than hosts'
}

@test "aliases are followed; 100 addresses are cut to 64; TTL 0 is asked again after a minute, a long one after a day" {
	serve 'cname=mail.example.org,a.example.org,30' 'cname=a.example.org,b.example.org,900' 'host-record=b.example.org,192.0.2.3,900'
	site "'dns:mail.example.org'"
	exits 0 pc apply
	same '192.0.2.3/32' "$(members partners)"
	due_in 60 60 # 30 is less
	serve 'host-record=mail.example.org,192.0.2.3,600000'
	refresh
	due_in 3600 3600 # it may get an address of the other family later
	serve 'host-record=mail.example.org,192.0.2.3,2001:db8::3,600000'
	refresh
	due_in 86400 86400
	serve 'host-record=mail.example.org,192.0.2.3,600000'
	refresh
	serve 'host-record=mail.example.org,192.0.2.3,1800'
	refresh
	due_in 1800 1800
	exits 0 pc groups --refresh dns
	serve 'host-record=mail.example.org,192.0.2.3,0'
	refresh
	due_in 60 60
	mapfile -t many < <(seq -f 'host-record=mail.example.org,198.51.100.%g,600' 1 100)
	serve "${many[@]}"
	refresh
	says 'it has 100 addresses, of which the first 64 are taken'
	same 64 "$(members partners | wc -w)" 'members'
	refresh
	same 4 "$(generation host eth0)" 'generation' # dnsmasq changes their order
}

# due_in LEAST MOST: the next question is due so many seconds after the last answer.
due_in()
{
	local seconds

	seconds=$(inside cat $ANSWERS/mail.example.org.json | jq '.due - .asked')
	[ "$seconds" -ge "$1" ] && [ "$seconds" -le "$2" ] || fail "due in $seconds s, not $1 to $2"
}

@test "attach and swap --group NAME=dns:HOST; a name that is not known yet admits nobody, and is named" {
	serve host-record=mail.example.org,192.0.2.2
	echo_server host 22
	exits 0 pc attach eth0 -p ssh --from ssh:ssh=partners --group partners=dns:mail.example.org,198.51.100.7
	connects client 192.0.2.1 22
	exits 0 pc swap eth0 --group partners=dns:nosuch.example.org
	says 'nosuch.example.org: there is no such name; the group admits no source by this name until it is answered'
	unanswered client 192.0.2.1 22
	serve host-record=nosuch.example.org,192.0.2.2
	refresh
	connects client 192.0.2.1 22
	exits 1 pc swap eth0 --group partners=dns:mail
	says "'dns:mail' must be a full name"
}

@test "a change that waits is left alone; a filter whose group a command changed has its own names" {
	serve host-record=mail.example.org,192.0.2.2
	site "'dns:mail.example.org'"
	exits 0 pc apply
	site "['dns:mail.example.org', 192.0.2.8]"
	exits 0 pc apply --confirm 300
	serve host-record=mail.example.org,192.0.2.3
	refresh 4
	says 'groups: not refreshed, because a change is not confirmed yet'
	same '192.0.2.2/32 192.0.2.8/32' "$(members partners)"
	exits 0 pc confirm eth0
	inside grep -q 192.0.2.8 /var/lib/portcullis/confirmed/site.yaml || fail 'what was confirmed does not boot'
	refresh
	same '192.0.2.3/32 192.0.2.8/32' "$(members partners)"
	exits 0 pc swap eth0 --group partners=192.0.2.9
	refresh
	same '192.0.2.9/32' "$(pc status eth0 --json | jq -r '.interfaces[0].recipe.groups.partners | join(" ")')"
}

reverted()
{
	[ "$(pc status eth0 --json | jq -r '.interfaces[0].confirm.state')" = reverted ]
}

@test "a file that was applied and not confirmed is known as such, whatever DNS answers since then" {
	serve host-record=mail.example.org,192.0.2.2
	site "'dns:mail.example.org'"
	exits 0 pc apply
	site "['dns:mail.example.org', 192.0.2.8]"
	exits 0 pc apply --confirm 1
	until_true 5 reverted
	serve host-record=mail.example.org,192.0.2.3
	refresh
	exits 4 pc apply --boot
	says 'was applied and not confirmed'
	same '192.0.2.3/32' "$(pc status eth0 --json | jq -r '.interfaces[0].recipe.groups.partners | join(" ")')"
}

@test "a refresh that would lock out who is logged in adds addresses, and keeps those of before until he is gone" {
	[ -e "$DIR/ssh" ] || { start_sshd host; until_true 10 listening host 22; }
	serve host-record=admin.example.org,192.0.2.2
	site "'dns:admin.example.org'"
	sed -i 's/mail/admin/' "$DIR/dnsmasq.conf"
	exits 0 pc apply
	start login client ssh -F "$DIR/ssh/config" -b 192.0.2.2 192.0.2.1 'echo in; sleep 60'
	until_logged login '^in'
	serve host-record=admin.example.org,192.0.2.3
	refresh 1
	says '1 login to 22/tcp (from 192.0.2.2) could not be re-established' 'the groups keep their former addresses'
	same '192.0.2.2/32 192.0.2.3/32' "$(members partners)"
	refresh 1
	same '192.0.2.2/32 192.0.2.3/32' "$(members partners)"
	stop login
	until_true 10 no_login
	refresh
	same '192.0.2.3/32' "$(members partners)"
}

no_login()
{
	[ -z "$(on host ss -Htn state established 'sport = :22')" ]
}
