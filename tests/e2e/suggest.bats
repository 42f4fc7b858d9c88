#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `suggest`: from nothing to an enforced, audited site file, with real servers on moved ports, real clients and a scanner;
# the files of another host; and files of other forms.

load helper
load servers

setup_file()
{
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.66/24
	# An /etc of the test's own, with the servers' files.
	inside mkdir -p /run/etc /run/work
	inside mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
	inside rm -rf /etc/portcullis /etc/postfix /etc/dovecot /etc/tomcat10 /etc/asterisk /etc/tomcat9
	inside mkdir -p /etc/portcullis/profiles
	moved_postfix
	moved_dovecot
	moved_tomcat
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
	inside rm -f /etc/portcullis/site.yaml /etc/portcullis/profiles/postfix.yaml
}

moved_postfix()
{
	# shellcheck source=scripts/postfix.bash
	. "$ROOT/scripts/postfix.bash"
	postfix_config "$DIR/postfix"
	sed -i 's/^smtp     inet/2525     inet/' "$DIR/postfix/master.cf"
	inside ln -s "$DIR/postfix" /etc/postfix
	export -f postfix_run
	in_background host bash -c 'postfix_run "$0"' "$DIR/postfix"
}

moved_dovecot()
{
	dovecot_config imap
	printf 'service imap-login {\n  inet_listener imap {\n    port = 1143\n  }\n}\n' >> "$DIR/dovecot.conf"
	inside mkdir /etc/dovecot
	inside ln -s "$DIR/dovecot.conf" /etc/dovecot/dovecot.conf
	in_background host dovecot -F -c "$DIR/dovecot.conf"
}

# A real Tomcat, with one page.
moved_tomcat()
{
	local base=$DIR/tomcat home=/usr/share/tomcat10

	mkdir -p "$base"/{conf,logs,temp,work,webapps/ROOT}
	echo page > "$base/webapps/ROOT/index.txt"
	cat > "$base/conf/server.xml" <<-END
		<?xml version="1.0" encoding="UTF-8"?>
		<Server port="-1" shutdown="SHUTDOWN">
		  <Service name="Catalina">
		    <Connector port="8081" protocol="HTTP/1.1" connectionTimeout="20000" redirectPort="8443"/>
		    <Connector port="8082" protocol="HTTP/1.1" address="127.0.0.1"/>
		    <Engine name="Catalina" defaultHost="localhost">
		      <Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false"/>
		    </Engine>
		  </Service>
		</Server>
	END
	cat > "$base/conf/web.xml" <<-END
		<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
		  <servlet>
		    <servlet-name>default</servlet-name>
		    <servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>
		  </servlet>
		  <servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
		</web-app>
	END
	inside ln -s "$base/conf" /etc/tomcat10
	in_background host java -Xshare:auto -XX:TieredStopAtLevel=1 -cp "$home/bin/bootstrap.jar:$home/bin/tomcat-juli.jar" \
		-Dcatalina.home=$home -Dcatalina.base="$base" -Djava.io.tmpdir="$base/temp" org.apache.catalina.startup.Bootstrap start
}

# What customers do; each request must be served.
customers()
{
	local _

	on client swaks --server 192.0.2.1 --port 2525 --from a@example.org --to b@example.com --timeout 10 > "$DIR/swaks" 2>&1 ||
		fail "$(cat "$DIR/swaks")" || return 1
	[ "$(on client curl -sm 10 http://192.0.2.1:8081/index.txt)" = page ] || fail 'no page of Tomcat' || return 1
	on client curl -sm 10 -u nobody:secret imap://192.0.2.1:1143/ > "$DIR/imap" || fail "imap: exit $?" || return 1
	for _ in 1 2; do
		[ "$(on client socat -t 5 -u TCP:192.0.2.1:9100,bind=192.0.2.2,connect-timeout=5 -)" = metrics ] ||
			fail 'no metrics' || return 1
	done
}

# scanned PORT...: the scanner tries these ports; prints those that answer.
scanned()
{
	on client /usr/bin/python3 - "$@" <<-'END'
		import select, socket, sys
		waiting = {}
		for port in map(int, sys.argv[1:]):
		    one = socket.socket()
		    one.bind(("192.0.2.66", 0))
		    one.setblocking(False)
		    one.connect_ex(("192.0.2.1", port))
		    waiting[one] = port
		answered, poll = [], select.poll()
		for one in waiting:
		    poll.register(one, select.POLLOUT)
		by_number = {one.fileno(): one for one in waiting}
		while True:
		    ready = poll.poll(600)
		    if not ready:
		        break
		    for number, _ in ready:
		        one = by_number[number]
		        if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
		            answered.append(waiting[one])
		        poll.unregister(one)
		print(*sorted(answered))
	END
}

@test "from nothing to an enforced, audited site file: the scanner is dropped, and nothing else" {
	local before capture

	in_background host socat TCP-LISTEN:9100,fork,reuseaddr SYSTEM:'echo metrics'
	for port in 2525 1143 8081 9100; do
		until_true 30 listening host $port
	done
	run --separate-stderr pc suggest
	[ "$status" = 0 ] || fail "$output$stderr"
	grep -q "'postfix:smtp': \[2525/tcp\]  # /etc/postfix/master.cf:1: " <<< "$output" || fail "$output"
	grep -q "'dovecot:imap': \[1143/tcp\]  # /etc/dovecot/dovecot.conf:" <<< "$output" || fail "$output"
	grep -q "'tomcat:http': \[8081/tcp\]  # /etc/tomcat10/server.xml:4: " <<< "$output" || fail "$output"
	says 'observe: true' '# closed: 9100/tcp: socat listens' '- postfix  # Postfix mail server: /etc/postfix/master.cf, master'
	says_not 8082
	echo "$output" > "$DIR/site.yaml"
	inside cp "$DIR/site.yaml" /etc/portcullis/site.yaml
	exits 0 pc check
	exits 0 pc apply --dry-run
	exits 0 pc apply
	on host dumpcap -q -i eth0 -w "$DIR/day.pcapng" < /dev/null > "$DIR/dumpcap.log" 2>&1 3>&- &
	capture=$!
	until_true 5 test -s "$DIR/day.pcapng"
	customers
	[[ $(scanned {1..60} 1143 2525 3306 8081 9100) == '1143 2525 8081 9100' ]] || fail 'observe drops'
	sleep 0.5 # packets that dumpcap has not written yet
	on host pkill -INT -x dumpcap
	wait $capture || true
	# The monthly job was not seen.
	in_background host socat TCP-LISTEN:7000,fork,reuseaddr SYSTEM:'echo monthly'
	until_true 5 listening host 7000

	run --separate-stderr pc suggest eth0 --json
	[ "$status" = 0 ] || fail "$output$stderr"
	json_is '.lines[] | select(.key == "open") | .word == "9100/tcp" and .process == "socat" and .packets >= 3 and (.first | test("Z$"))'
	json_is '.lines[] | select(.key == "set" and .word == "postfix:smtp") | .packets > 0 and .file == "/etc/postfix/master.cf:1"'
	json_is '.closed | any(.port == 3306 and .sources == 1 and (.why | test("nothing listens; 1 packet from 192.0.2.66, which tried other ports")))'
	json_is '.closed | any(.port == 7000 and .packets == 0 and (.why | test("monthly")))'
	json_is '.closed | map(.port) | contains([1, 2, 60]) and (contains([9100]) | not)'
	jq -r .site <<< "$output" > "$DIR/site.yaml"
	! grep -q 'observe' "$DIR/site.yaml" || grep -q '# .*observed' "$DIR/site.yaml" || fail "$(cat "$DIR/site.yaml")"
	grep -A 1 'seen-9100-tcp:' "$DIR/site.yaml" | grep -q 192.0.2.2/32 || fail "$(cat "$DIR/site.yaml")"
	inside cp "$DIR/site.yaml" /etc/portcullis/site.yaml
	exits 0 pc check
	exits 0 pc apply --confirm 60
	customers
	exits 0 pc confirm
	pc counters --clear > /dev/null
	customers
	same '1143 2525 8081' "$(scanned {1..60} 1143 2525 3306 8081 9100)" 'ports that answer the scanner'
	run pc drops eth0 --json
	json_is '[.drops[] | select(.drop.packets > 0 and (.source | startswith("192.0.2.66") | not))] == []'
	exits 0 pc audit eth0 --json
	# Except the monthly job, and a DHCPv6 client, which this host does not have.
	json_is '[.findings[] | select(.port != 7000 and .services != ["host:dhcpv6-client"])] == []'

	# The capture of that time gives the same result for a host without a filter.
	pc detach eth0 > /dev/null
	run --separate-stderr pc suggest eth0 --replay "$DIR/day.pcapng" --json
	[ "$status" = 0 ] || fail "$output$stderr"
	json_is '.lines[] | select(.key == "open") | .word == "9100/tcp" and .sources == 2'
	json_is '.lines[] | select(.key == "groups" and .word == "seen-9100-tcp")'
	json_is '.closed | any(.port == 3306 and (.why | test("nothing answers; 1 packet from 192.0.2.66")))'
	jq -r .site <<< "$output" | grep -A 2 seen-9100-tcp: | grep -c 192.0.2 | grep -qx 1 || fail "$output"
	exits 1 pc suggest eth0 --replay "$DIR/site.yaml"
	exits 1 pc suggest eth0 --replay "$DIR/day.pcapng" --local 10.0.0.0/8
	says 'no packet in it is from or to 10.0.0.0/8'
	exits 0 pc apply

	# A new catalog changes nothing until it is applied.
	before=$(generation host eth0)
	inside cp "$CATALOG/postfix.yaml" /etc/portcullis/profiles/postfix.yaml
	inside sed -i 's|in: 587/tcp|in: 5870/tcp|; s|feature: submission$|note: moved|' /etc/portcullis/profiles/postfix.yaml
	unanswered client 192.0.2.1 5870
	exits 0 pc apply --dry-run
	says '5870/tcp'
	same "$before" "$(generation host eth0)" generation
	exits 0 pc apply
	in_background host socat TCP-LISTEN:5870,fork,reuseaddr SYSTEM:'echo moved'
	until_true 5 connects client 192.0.2.1 5870
}

@test "the present rules of nftables are carried over, and what cannot be is named" {
	in_background host socat TCP-LISTEN:9200,fork,reuseaddr SYSTEM:'echo nft'
	in_background host socat TCP-LISTEN:9300,fork,reuseaddr SYSTEM:'echo shut'
	until_true 5 listening host 9200
	until_true 5 listening host 9300
	on host nft -f - <<-'END'
		table inet firewall {
			set admins { type ipv4_addr; flags interval; elements = { 192.0.2.0/28, 198.51.100.7 } }
			chain input {
				type filter hook input priority 0; policy drop;
				ct state established,related accept
				iifname "lo" accept
				tcp dport vmap { 2525 : accept, 8081 : accept }
				ip saddr @admins tcp dport 9200 accept
				ip saddr 192.0.2.2 tcp dport 1143 accept
				tcp dport 9300 limit rate 1/second accept
				tcp dport { 7100, 7200-7201 } accept
				tcp dport 7300 drop
			}
			chain output {
				type filter hook output priority 0; policy drop;
				tcp dport 25 accept
			}
		}
	END
	on host nft -f - <<-'END'
		table ip moved {
			chain before {
				type nat hook prerouting priority -100;
				tcp dport 80 redirect to :8081
			}
		}
	END
	run --separate-stderr pc suggest eth0
	on host nft flush ruleset
	[ "$status" = 0 ] || fail "$output$stderr"
	says "9200/tcp: [nft-9200-tcp]  # socat listens, and nftables admits these sources" \
		"'dovecot:imap': [nft-1143-tcp]  # nftables admits only these sources" "'198.51.100.7/32'" "'192.0.2.0/28'" \
		'# not carried over: nftables, inet firewall input, rule with handle' '# closed: 9300/tcp' \
		'# closed: 7100/tcp: nftables admits it, and nothing listens' '# closed: 7201/tcp: nftables admits it' \
		'# closed: 80/tcp: nftables hands it on, and none of these profiles has it' \
		'# not carried over: nftables chain inet firewall output, which restricts the packets that this host sends'
	says_not "'postfix:smtp': [nft" '9300/tcp: anyone  #' 'closed: 7300/tcp'
	echo "$output" > "$DIR/site.yaml"
	inside cp "$DIR/site.yaml" /etc/portcullis/site.yaml
	exits 0 pc check
	exits 0 pc apply --dry-run
}

@test "who comes to a port that nftables redirects is a customer, not a scanner" {
	on host nft -f - <<-'END'
		table ip moved {
			chain before {
				type nat hook prerouting priority -100;
				tcp dport 80 redirect to :8081
			}
		}
	END
	pc attach eth0 -p ssh --observe > /dev/null
	[ "$(on client curl -sm 10 http://192.0.2.1/index.txt)" = page ] || fail 'no page of Tomcat'
	[ "$(scanned 80 444)" = 80 ] || fail 'the scanner sees no redirected port'
	run --separate-stderr pc suggest eth0
	on host nft flush ruleset
	says '80/tcp: [seen-80-tcp]  # nftables hands it on; ' '# closed: 444/tcp: nothing listens; 1 packet from 192.0.2.66'
}

@test "--root: the files of another host; a file of another form is named, and --strict fails" {
	mkdir -p "$DIR/disk/etc/postfix" "$DIR/disk/etc/tomcat9"
	printf 'smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n' > "$DIR/disk/etc/postfix/master.cf"
	echo '<Server><Service>' > "$DIR/disk/etc/tomcat9/server.xml"
	run --separate-stderr inside setpriv --reuid nobody --clear-groups "$PORTCULLIS" suggest --root "$DIR/disk" eth7
	[ "$status" = 0 ] || fail "$output$stderr"
	says '  eth7:' "- 'postfix:submission'  # /etc/postfix/master.cf:2: submission smtpd" '# not known: /etc/tomcat9/server.xml: line '
	[[ $stderr == *'warning: /etc/tomcat9/server.xml: line '* ]] || fail "$stderr"
	echo "$output" > "$DIR/site.yaml"
	exits 0 pc check "$DIR/site.yaml"
	exits 1 pc suggest --root "$DIR/disk" --strict
	exits 1 pc suggest --root "$DIR/none"
	printf 'Windows Registry Editor Version 5.00\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\WOW6432Node\\ACE\\TAO]\r\n%s\r\n' \
		'"TaoNamingServiceOptions"="-ORBListenEndpoints iiop://:10999"' | { printf '\xff\xfe'; iconv -t UTF-16LE; } > "$DIR/ce.reg"
	run --separate-stderr pc suggest --root "$DIR/ce.reg" --strict
	[ "$status" = 0 ] || fail "$output$stderr"
	says '- contact-expert-core' "'contact-expert-core:naming-service': [10999/tcp]  # /ce.reg:3: "
	exits 1 pc suggest eth9
	exits 1 inside setpriv --reuid nobody --clear-groups "$PORTCULLIS" suggest
}
