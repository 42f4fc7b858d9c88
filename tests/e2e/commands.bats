#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Every command, its help, and the shape of every JSON answer.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	host_add other
	link_add host eth1 other eth0
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# For jq: a count has packets and bytes, both integers.
COUNT='def count: (keys == ["bytes", "packets"]) and all(.[]; type == "number" and . == floor and . >= 0);
	def counts: (.pass | count) and (.drop | count) and (.would_drop | count);
	def time: test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$");'

# --- help ---

@test "help: of the binary, and of each command with its own options, on stdout, exit 0" {
	exits 0 pc --help
	for command in profiles show check attach swap detach status counters; do
		says "  $command "
		run --separate-stderr -- on host "$PORTCULLIS" $command --help
		same 0 "$status" "exit of $command --help"
		same '' "$stderr" 'stderr'
		says "portcullis $command" --help
		exits 0 on host "$PORTCULLIS" $command -h
		exits 0 pc --help
	done
	exits 0 on host "$PORTCULLIS" attach --help
	says --profile --enable --disable --from --set --group --observe --enforce --dry-run --strict --mode --catalog
	exits 0 on host "$PORTCULLIS" swap --help
	says --profile --observe --dry-run --strict
	says_not --mode
	exits 0 on host "$PORTCULLIS" counters --help
	says --all --watch --json
}

@test "wrong usage is exit 2, on stderr, and nothing happens" {
	exits 2 on host "$PORTCULLIS"
	for words in frobnicate 'attach' 'attach eth0' 'attach -p ssh' 'detach' 'show' \
		'show ssh --iface eth0' 'show --iface eth0 --enable nosuch' 'show --iface eth0 --observe' 'profiles 25/' 'attach eth0 -p' 'attach eth0 -p ssh --bogus' \
		'attach eth0 -p ssh --mode hardware' 'attach eth0 -p ssh --observe --enforce' \
		'counters --watch 0' 'counters --watch x' 'counters --watch -1' 'status --all' \
		'attach eth0 -p ssh --watch 1' 'swap eth0 eth0 -p ssh'; do
		# shellcheck disable=SC2086
		run --separate-stderr -- on host "$PORTCULLIS" $words
		same 2 "$status" "exit of: $words"
		same '' "$output" "stdout of: $words"
		[[ $stderr == portcullis:* || $words == '' ]] || fail "stderr of '$words': $stderr"
	done
	same '' "$(attached host eth0)" 'program'
	exits 2 on host "$PORTCULLIS" atach
	says "did you mean 'attach'"
	exits 2 on host "$PORTCULLIS" attach eth0 -p ssh --observ3
	says '--observe'
}

# --- profiles, show ---

@test "profiles --json: version, and of each profile its name, title, document, outbound, path, shadows" {
	output=$(pc profiles --json)
	json_is '.version == 1 and [.profiles[].name] == ($files | split("\n"))' \
		--arg files "$(cd "$ROOT/profiles" && printf '%s\n' *.yaml | sed 's/\.yaml$//' | LC_ALL=C sort)"
	json_is '[.profiles[].name] | contains(["contact-expert-core", "host", "ssh", "xeams"])'
	json_is 'all(.profiles[]; has("name") and has("title") and has("document") and has("path") and has("shadows") and has("outbound"))'
	json_is '.profiles[] | select(.name == "xeams") | .as_of == "2021-08-06" and .url == "https://www.xeams.com/openports.htm" and
		.age_days > 1900 and .second_hand == false and .release == null and .services == null'
	json_is '[.profiles[] | select(.outbound == "any").name] == ["communigate-pro", "communigate-pro-cluster"]'
	json_is '.profiles[] | select(.name == "xeams") | .outbound == null'
	json_is '.profiles[] | select(.name == "xeams") | .title == "Xeams" and
		.document == "004_ade6e11525539fc9.txt" and .shadows == null and (.path | endswith("profiles/xeams.yaml"))'
	exits 0 pc profiles
	says 'communigate-pro' 'Contact Expert 7.6, core server'
}

@test "profiles WORD: by name, title, address, service and port; none is an error" {
	output=$(pc profiles --json 5060/udp)
	json_is '[.profiles[] | [.name, .services]] | contains([["asterisk", ["sip"]], ["communigate-pro", ["sip"]]])'
	json_is 'all(.profiles[]; .name != "xeams")'
	output=$(pc profiles --json XEAMS.com imap)
	json_is '[.profiles[] | [.name, .services]] == [["xeams", ["imap", "imap-ssl"]]]'
	output=$(pc profiles --json 10500/udp)
	json_is 'any(.profiles[]; .name == "asterisk" and .services == ["rtp"])'
	exits 0 pc profiles xeams
	says 'LIST' 'SERVICES' ' years'
	exits 1 pc profiles no-such-word
	says "no profile has 'no-such-word'"
	run --separate-stderr -- pc profiles --json no-such-word
	same 1 "$status" exit
	json_is '.profiles == []'
	exits 2 pc profiles 70000/tcp
	says 'port 70000 is out of range 1-65535'
}

@test "a site's catalog comes first and shadows by name; new profiles are added" {
	mkdir -p "$DIR/site"
	printf 'profile: ssh\ntitle: Our SSH\nservices:\n  - {name: ssh, in: 2222/tcp}\n' > "$DIR/site/ssh.yaml"
	printf 'profile: ours\ninclude: host\nservices:\n  - {name: web, in: [80/tcp, https/tcp]}\n' > "$DIR/site/ours.yaml"
	output=$(pc profiles --json --catalog "$DIR/site")
	json_is '(.profiles | length) == $files + 1' --argjson files "$(cd "$ROOT/profiles" && printf '%s\n' *.yaml | wc -l)"
	json_is '.profiles[] | select(.name == "ssh") | .title == "Our SSH" and (.shadows | endswith("profiles/ssh.yaml"))'
	output=$(pc show ours ssh --json --catalog "$DIR/site")
	json_is '.profiles[] | select(.name == "ours") | .services[0].ports == ["80/tcp", "443/tcp"]'
	json_is '.profiles[] | select(.name == "ssh") | .services[0].ports == ["2222/tcp"]'
}

@test "show --json: every key of every service has its type" {
	list=$(pc profiles --json)
	for profile in $(jq -r '.profiles[].name' <<< "$list"); do
		output=$(pc show "$profile" --json)
		json_is '.version == 1 and .profiles[0].name == $name' --arg name "$profile"
		json_is 'all(.profiles[]; (.name | type) == "string" and has("title") and has("document") and
			(.services | type) == "array")'
		json_is 'all(.profiles[].services[];
			(.name | test("^[a-z0-9-]+$")) and
			(.title | type == "string" or . == null) and
			(.direction | IN("in", "out", "both")) and
			all(.ports[]; test("^[0-9]+(-[0-9]+)?/(tcp|udp)$")) and
			all(.from[], .to[]; test("^[a-z0-9-]+$")) and
			(.feature | type == "string" or . == null) and
			all(.from_ports[]; test("^[0-9]+(-[0-9]+)?/(tcp|udp)$")) and
			all(.open, .fixed, .local, .dynamic; type == "boolean") and
			(.why_closed | IN(null, "feature", "group", "local", "dynamic", "no-ports", "disabled")) and
			((.why_closed == null) == .open) and
			has("configured_in") and has("note"))'
	done
}

@test "show: included profiles follow as entries of their own" {
	output=$(pc show xeams ssh --json)
	json_is '[.profiles[].name] == ["xeams", "ssh", "host"]'
	exits 0 pc show xeams
	says 'smtp' '25/tcp' 'dhcpv4-client' 'feature imap is off'
}

@test "show: why_closed takes the first that holds of disabled, no-ports, dynamic, feature, local, group" {
	why='.profiles[0].services[] | select(.name == $name) | .why_closed'
	output=$(pc show contact-expert-core --json)
	json_is "($why) == \"dynamic\"" --arg name agent-factory
	json_is "($why) == \"no-ports\"" --arg name contact-manager-service
	json_is "($why) == \"group\"" --arg name web-service
	output=$(pc show xeams --json)
	json_is "($why) == \"feature\"" --arg name imap
	json_is "($why) == \"local\"" --arg name admin-console
	output=$(pc show xeams --json --enable imap --disable xeams:imap)
	json_is "($why) == \"disabled\"" --arg name imap
	output=$(pc show xeams --json --enable imap)
	json_is "($why) == null" --arg name imap
}

@test "show takes the options of attach and shows their result" {
	output=$(pc show xeams --json --enable imap --from xeams:admin-console=office --group office=192.0.2.0/24 \
		--set xeams:imap=1143/tcp,2143-2145/udp --disable xeams:dns)
	json_is '.profiles[0].services[] | select(.name == "imap") | .open and .ports == ["1143/tcp", "2143-2145/udp"]'
	json_is '.profiles[0].services[] | select(.name == "admin-console") | .open and .from == ["office"]'
	json_is '.profiles[0].services[] | select(.name == "dns") | .why_closed == "disabled"'
}

@test "show: a service whose in and out ports differ is two objects of one name" {
	mkdir -p "$DIR/two"
	printf 'profile: two\nservices:\n  - {name: both, in: 25/tcp, out: [25/tcp, 587/tcp]}\n' > "$DIR/two/two.yaml"
	output=$(pc show two --json --catalog "$DIR/two")
	json_is '[.profiles[0].services[] | [.name, .direction]] == [["both", "in"], ["both", "out"]]'
	output=$(pc show ol-connect --json --set ol-connect:messenger:in=7000/tcp)
	json_is '[.profiles[0].services[] | select(.name == "messenger") | [.direction, .ports[0]]] ==
		[["in", "7000/tcp"], ["out", "5863-5864/tcp"]]'
}

@test "neither profiles, show nor check needs privilege" {
	for words in profiles 'show xeams' 'check'; do
		# shellcheck disable=SC2086
		exits 0 inside setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" $words --catalog "$CATALOG"
	done
}

# --- check ---

@test "check: the shipped catalog has no errors, as a whole, by file and by folder" {
	exits 0 pc check
	exits 0 pc check "$CATALOG"/*.yaml
	exits 0 pc check "$CATALOG"
	output=$(pc check --json)
	json_is '. == {"version": 1, "errors": [], "warnings": []}'
}

# --- attach, status, counters, detach ---

@test "check: a site file is one, also where it is named as a profile that others include" {
	mkdir -p "$DIR/named/profiles"
	echo 'interfaces: {eth0: {profiles: [mine, ssh]}}' | tee "$DIR/named/ssh.yaml" > "$DIR/named/site.yaml"
	printf 'profile: mine\ninclude: [ssh]\n' | tee "$DIR/named/mine.yaml" > "$DIR/named/profiles/mine.yaml"
	for words in "$DIR/named" "$DIR/named/mine.yaml" "$DIR/named/ssh.yaml --catalog $DIR/named/profiles"; do
		# shellcheck disable=SC2086
		exits 0 pc check $words
		same 'no errors' "$output"
	done
	# Errors of the site file itself are still printed, once, and in the form of site file errors.
	echo 'interfaces: {eth0: {profiles: nosuch}}' > "$DIR/named/ssh.yaml"
	exits 1 pc check "$DIR/named"
	says "ssh.yaml:1:31: unknown profile 'nosuch'"
	says_not "key 'profile' is missing"
}

@test "attach ends with one line that says mode, policy, profiles and what is open" {
	run --separate-stderr -- pc attach eth0 -p ssh,xeams --enable imap
	same 0 "$status"
	same 1 "${#lines[@]}" 'lines on stdout'
	same 'eth0: native, enforce, ssh + xeams: 5 open in, 5 closed (3 feature, 2 local)' "$output"
	# shellcheck disable=SC2154
	[[ $stderr == *'22/tcp is open to anyone by ssh:ssh'* ]] || fail "no warning: $stderr"
	[ -n "$(attached host eth0)" ] || fail 'the kernel has no program there'
}

@test "attach warns of FTP, LDAP and administration that are open to anyone, and not of what a group has" {
	mkdir -p "$DIR/warned"
	cat > "$DIR/warned/shop.yaml" <<-END
		profile: shop
		services:
		  - {name: directory, in: 389/tcp}
		  - {name: console, title: Web administration, in: [8443/tcp, 9000-9001/tcp]}
		  - {name: admin-shell, in: 22/tcp, from: mgmt}
		  - {name: web, in: 8080/tcp}
	END
	run --separate-stderr -- pc attach eth0 -p communigate-pro,shop --catalog "$DIR/warned" --group mgmt=192.0.2.0/24
	same 0 "$status"
	output=$stderr
	says '21/tcp is open to anyone by communigate-pro:ftp: FTP sends passwords unencrypted' \
		'22/tcp is open to anyone by communigate-pro:ftp-data' \
		'389/tcp is open to anyone by shop:directory: LDAP' \
		'8010/tcp is open to anyone by communigate-pro:web-admin: it is for administration' \
		'8443/tcp, 9000-9001/tcp is open to anyone by shop:console: it is for administration'
	same 6 "$(grep -c 'is open to anyone' <<< "$output")" 'warnings, with 9010/tcp'
	pc detach eth0
	run --separate-stderr -- pc attach eth0 -p shop --catalog "$DIR/warned" --group mgmt=192.0.2.0/24 \
		--from shop:directory=mgmt --from shop:console=mgmt
	[[ $stderr != *'open to anyone'* ]] || fail "a warning: $stderr"
}

@test "attach warns in one line a profile of groups that are not defined, with the fix" {
	run --separate-stderr -- pc attach eth0 -p communigate-pro,socialminer
	same 0 "$status"
	same 1 "$(grep -c 'communigate-pro:.*dns-servers.*trusted' <<< "$stderr")" 'lines of communigate-pro'
	same 1 "$(grep -c 'socialminer:.*cuic' <<< "$stderr")" 'lines of socialminer'
	[[ $stderr == *'--group trusted='* ]] || fail "no fix: $stderr"
}

@test "-p may be repeated, and takes lists" {
	exits 0 pc attach eth0 -p ssh --profile xeams,host
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].profiles == ["ssh", "xeams", "host"]'
}

@test "status --json has every key of the contract" {
	pc attach eth0 -p xeams --enable imap --observe --group office=192.0.2.0/24,2001:db8::/32 \
		--from xeams:admin-console=office --set xeams:imap=1143/tcp --disable xeams:dns
	output=$(pc status --json)
	json_is '.version == 1 and (.interfaces | length) == 1'
	json_is "$COUNT"' .interfaces[0] | .name == "eth0" and (.ifindex | type) == "number" and
		.mode == "native" and .policy == "observe" and .profiles == ["xeams"] and .generation == 1 and
		(.attached_at | time) and (.program_version | test("^[0-9.]+$")) and (.total | counts)'
	json_is '.interfaces[0].recipe | .features == ["imap"] and
		.groups == {"office": ["192.0.2.0/24", "2001:db8::/32"]} and has("overrides")'
	json_is '.interfaces[0].recipe.overrides | tostring | contains("1143/tcp") and contains("xeams:dns") and
		contains("xeams:admin-console=office")'
	json_is '.interfaces[0].ifindex == $index' \
		--argjson index "$(on host ip -json link show dev eth0 | jq '.[0].ifindex')"
	exits 0 pc status
	says 'eth0: native, observe, xeams' 'office' 'imap'
}

@test "status of an interface without the filter says so, exit 1; of all without any: exit 0" {
	exits 1 pc status eth0
	says 'eth0' 'no filter'
	output=$(pc status --json)
	json_is '.version == 1 and .interfaces == [] and has("site")'
	exits 0 pc status
}

@test "counters --json has every key of the contract; --all has every listed port" {
	pc attach eth0 -p communigate-pro
	output=$(pc counters --json)
	json_is "$COUNT"' .version == 1 and (.interfaces[0] | .name == "eth0" and .generation == 1 and
		(.since | time) and (.ports | type) == "array" and (.total | counts) and (.replies | count))'
	json_is "$COUNT"' .interfaces[0].reasons |
		(keys == ["banned", "denied", "fragment", "icmp", "limit", "malformed", "outbound", "protocol", "source", "unlisted"]) and
		all(.[]; (.drop | count) and (.would_drop | count))'
	output=$(pc counters eth0 --all --json)
	json_is "$COUNT"' all(.interfaces[0].ports[]; (.direction | IN("in", "out")) and
		(.protocol | IN("tcp", "udp")) and (.port | . >= 0 and . <= 65535) and
		(.services | length) > 0 and counts)'
	json_is '[.interfaces[0].ports[] | select(.protocol == "udp" and .port >= 60000 and .port <= 60099)] |
		length == 100 and all(.services == ["communigate-pro:rtp"])'
	# If several rows have a port, all are named, in the order of the file.
	pc swap eth0 -p ol-connect --set ol-connect:https-server=8443/tcp
	output=$(pc counters --all --json)
	json_is '.interfaces[0].ports[] | select(.port == 8443 and .direction == "in") |
		.services == ["ol-connect:https-server", "ol-connect:nodejs-https-server"]'
	# Outbound services have their entries.
	json_is '.interfaces[0].ports[] | select(.port == 515 and .direction == "out") | .services == ["ol-connect:lpr"]'
}

@test "counters as text: listed ports first, then the most-dropped unlisted, totals, no colour in a pipe" {
	pc attach eth0 -p ssh
	run on client socat -u OPEN:/dev/null TCP:192.0.2.1:23,connect-timeout=0.2
	on client socat -u SYSTEM:'echo x' UDP:192.0.2.1:9
	on client socat -u OPEN:/dev/null TCP:192.0.2.1:22,connect-timeout=0.2 || true
	exits 0 pc counters
	says 'ssh:ssh' '22/tcp' '23/tcp' 'unlisted' '9/udp'
	says_not $'\033'
	listed=$(grep -n '22/tcp' <<< "$output" | cut -d: -f1)
	unlisted=$(grep -n '23/tcp' <<< "$output" | cut -d: -f1)
	[ "$listed" -lt "$unlisted" ] || fail "unlisted before listed: $output"
}

@test "counters --watch prints again and again, with rates" {
	pc attach eth0 -p ssh
	exits 124 inside timeout 2.6 nsenter --net=/run/netns/host "$PORTCULLIS" counters eth0 --watch 1
	same 3 "$(grep -c '^eth0: generation' <<< "$output")" 'reports'
	run inside timeout 1.6 nsenter --net=/run/netns/host "$PORTCULLIS" counters eth0 --watch 1 --json
	same 2 "$(jq -s length <<< "$output")" 'JSON reports'
}

@test "counters --watch ends with exit 1 when the interface is detached" {
	pc attach eth0 -p ssh
	on host "$PORTCULLIS" counters eth0 --watch 1 > "$DIR/watch" 2>&1 3>&- &
	watcher=$!
	sleep 0.3
	pc detach eth0
	status=0
	wait $watcher || status=$?
	same 1 "$status" 'exit of the watch'
	grep -q 'no filter' "$DIR/watch"
}

@test "detach removes program and pins, and says so again without an error" {
	pc attach eth0 -p ssh
	unanswered client 192.0.2.1 80
	exits 0 pc detach eth0
	says 'eth0' 'detached'
	same '' "$(attached host eth0)" 'program'
	same '' "$(pins)" 'pins'
	exits 1 on client socat -u OPEN:/dev/null TCP:192.0.2.1:80,connect-timeout=1
	says 'refused'
	exits 0 pc detach eth0
	says 'no filter'
	exits 1 pc detach nonesuch0
	says 'nonesuch0' 'no such interface'
}

@test "detach of several goes on after one that is missing, and exits 1" {
	pc attach eth0 eth1 -p ssh
	exits 1 pc detach eth0 nonesuch0 eth1
	same '' "$(attached host eth0)$(attached host eth1)" 'programs'
}
