#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `audit`: what listens, by real servers in units' and containers' cgroups; what is open and silent or unused; the evidence.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	mkdir -p "$DIR/catalog"
	cat > "$DIR/catalog/mail.yaml" <<-END
		profile: mail
		title: Mail server
		release: '7.6'
		as-of: 2024-05-01
		url: https://vendor.example/ports
		services:
		  - {name: smtp, in: 25/tcp}
		  - {name: imap, in: 143/tcp, feature: imap}
		  - {name: admin, in: 8000/tcp, from: mgmt}
		  - {name: rtp, in: 10000-20000/udp}
	END
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# kinds: each finding of $output as "KIND PORT", sorted.
kinds()
{
	jq -r '.findings[] | "\(.kind) \(.port // "-")"' <<< "$output" | sort | tr '\n' ';'
}

@test "what listens and is closed, what is open and silent or unused, and groups of nobody" {
	in_background host socat TCP-LISTEN:25,fork,reuseaddr SYSTEM:'echo 220'
	in_background host socat TCP-LISTEN:143,fork,reuseaddr SYSTEM:'echo imap'
	in_background host socat TCP-LISTEN:9999,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo local'
	in_background host socat UDP-RECVFROM:5060,fork SYSTEM:'echo sip'
	until_true 5 listening host 25
	until_true 5 listening host 143
	until_true 5 listening host 9999
	: > "$DIR/nobody"
	pc attach eth0 -p mail --catalog "$DIR/catalog" --group mgmt=@"$DIR/nobody" > /dev/null || true
	[ -n "$(attached host eth0)" ] || pc attach eth0 -p mail --catalog "$DIR/catalog" --group mgmt=192.0.2.0/24
	run pc audit eth0 --json
	json_is '.version == 1 and (.since | test("^20.*Z$"))'
	[[ $(kinds) == *'listens 143;listens 5060;silent 8000;unused -;unused 25;'* ]] || fail "$output"
	json_is '.findings[] | select(.port == 143) | .process == "socat" and .services == ["mail:imap"] and
		(.fix | test("portcullis swap eth0 --enable (mail:)?imap"))'
	json_is '.findings | all(.port != 9999 and .interface == "eth0" and .machine == null)'
	# One packet makes the row used, and the fix opens the port.
	connects client 192.0.2.1 25
	on host bash -c "portcullis() { '$PORTCULLIS' \"\$@\" --catalog '$DIR/catalog'; }; $(jq -r '.findings[] | select(.port == 143).fix' <<< "$output")" > /dev/null
	run pc audit eth0 --json
	[[ $(kinds) != *25* && $(kinds) != *'listens 143'* ]] || fail "$output"
	exits 1 pc audit --strict
	says 'listens     5060/udp   socat' 'mail:admin is open, and nothing listens'
	exits 0 pc audit
}

@test "--report: open ports with their list, groups, exceptions with comment and who confirmed them" {
	pc attach eth0 -p mail --catalog "$DIR/catalog" --group mgmt=198.51.100.0/28 --open 587/tcp=mgmt --comment 'CHG-42: submission' > /dev/null
	run pc audit eth0 --report --json
	json_is '.host == $host and .portcullis != null and (.date | test("Z$"))' --arg host "$(hostname)"
	json_is '.interfaces[0].open[] | select(.service == "mail:smtp") |
		. == {service: "mail:smtp", ports: ["25/tcp"], from: [], product: "Mail server", release: "7.6", as_of: "2024-05-01",
			url: "https://vendor.example/ports"}'
	json_is '.interfaces[0].groups.mgmt == ["198.51.100.0/28"]'
	json_is '.interfaces[0].exceptions | length == 1 and .[0].text == "open 587/tcp=mgmt" and .[0].comment == "CHG-42: submission" and .[0].by == "root"'
	# An exception that was added later, and confirmed.
	pc swap eth0 --enable imap --catalog "$DIR/catalog" --confirm 60 --comment CHG-43 > /dev/null
	pc confirm eth0 > /dev/null
	run pc audit eth0 --report --json
	json_is '.interfaces[0].exceptions | length == 2 and (map(select(.text | test("imap")))[0] |
		.comment == "CHG-43" and .confirmed_by == "root" and .change > 1)'
	json_is '.interfaces[0].exceptions[] | select(.text == "open 587/tcp=mgmt") | .comment == "CHG-42: submission"'
	exits 0 pc audit --report
	says "$(hostname), " 'Mail server 7.6' 'https://vendor.example/ports' 'group mgmt: 198.51.100.0/28' 'CHG-42: submission' 'confirmed by root'
}

@test "the unit and the container of what listens; suggest finds a product by its unit" {
	local slice=/run/cgroup/portcullis-$BASHPID.slice id suggested

	id=$(printf '0123456789abcdef%.0s' 1 2 3 4)
	inside mkdir -p /run/cgroup
	inside mount -t cgroup2 cgroup2 /run/cgroup
	inside mkdir -p "$slice/tomcat10.service" "$slice/docker-$id.scope"
	in_background host bash -c "echo \$\$ > $slice/tomcat10.service/cgroup.procs; exec socat TCP-LISTEN:8080,fork,reuseaddr SYSTEM:'echo web'"
	in_background host bash -c "echo \$\$ > $slice/docker-$id.scope/cgroup.procs; exec socat TCP-LISTEN:5061,fork,reuseaddr SYSTEM:'echo sip'"
	until_true 5 listening host 8080
	until_true 5 listening host 5061
	suggested=$(pc suggest eth0 2>&1) || fail "$suggested"
	pc attach eth0 -p mail --catalog "$DIR/catalog" > /dev/null
	run pc audit eth0 --json
	inside bash -c "cat $slice/*/cgroup.procs | while read -r pid; do echo \$pid > /run/cgroup/cgroup.procs; kill \$pid; done; rmdir $slice/*/ $slice"
	json_is '.findings[] | select(.port == 8080) | .process == "socat" and .unit == "tomcat10.service" and .container == null'
	json_is '.findings[] | select(.port == 5061) | .unit == null and .container == "docker:0123456789ab"'
	output=$suggested
	says '- tomcat  # Apache Tomcat: tomcat10.service, socat (tomcat10.service)' \
		'# closed: 5061/tcp: socat (docker:0123456789ab) listens'
}

@test "a port that nftables hands on is not silent where it is open, and published where it is closed" {
	on host nft -f - <<-'END'
		table ip moved {
			chain before {
				type nat hook prerouting priority -100;
				tcp dport { 25, 2525 } dnat to 198.51.100.9:25
				tcp dport 80 redirect to :8080
			}
		}
	END
	pc attach eth0 -p mail --catalog "$DIR/catalog" > /dev/null
	run pc audit eth0 --json
	on host nft flush ruleset
	[[ $(kinds) == *'published 2525;published 80;'* && $(kinds) != *'silent 25;'* ]] || fail "$output"
	json_is '.findings[] | select(.port == 80) | .process == "nftables" and .fix == "portcullis swap eth0 --open 80/tcp"'
}

@test "without a filter, and without root" {
	exits 1 pc audit
	says 'no interface of this network namespace has a filter'
	exits 1 on host setpriv --reuid nobody --clear-groups "$PORTCULLIS" audit
	exits 1 pc audit eth9
}

@test "counters mark what listens; doctor and apply --dry-run say in a line what does not fit" {
	in_background host socat TCP-LISTEN:8443,fork,reuseaddr SYSTEM:'echo web'
	until_true 5 listening host 8443
	pc attach eth0 -p mail --catalog "$DIR/catalog" > /dev/null
	unanswered client 192.0.2.1 8443
	unanswered client 192.0.2.1 8444
	run pc counters eth0 --json
	json_is '[.interfaces[0].ports[] | select(.direction == "in") | {port, listening}] | contains([{port: 8443, listening: true}, {port: 8444, listening: false}])'
	run pc counters eth0
	[[ $output =~ 8443/tcp\ +unlisted,\ listening ]] && [[ $output =~ 8444/tcp\ +unlisted\ +0 ]] || fail "$output"
	run pc doctor eth0 --json
	json_is '.checks[] | select(.check == "audit") | .state == "ok" and (.message | test("143/tcp .socat. and 2 more ports listen and are closed: see portcullis audit eth0"))'
	pc detach eth0 > /dev/null
	printf 'interfaces:\n  eth0: {profiles: [mail]}\n' > "$DIR/site.yaml"
	run pc apply --dry-run --site "$DIR/site.yaml" --catalog "$DIR/catalog"
	[[ $output =~ eth0:\ .*143/tcp\ \(socat\)\ and\ 2\ more\ ports\ .*closed ]] || fail "$output"
	run pc apply --dry-run --json --site "$DIR/site.yaml" --catalog "$DIR/catalog"
	json_is '.dry_run'
}
