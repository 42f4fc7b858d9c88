#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The site file: `check` reads it, and holds its words against the catalog.

load helper

SITE=/etc/portcullis/site.yaml # the sandbox's own

setup_file()
{
	sandbox_start
	host_add host
	inside mkdir -p /run/etc /run/work
	inside mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
	inside mkdir -p /etc/portcullis
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	inside rm -f "$SITE"
}

# site FILE: the rules in force are those of the file.
site()
{
	inside tee "$1" > /dev/null
}

# wrong TEXT -- TEXT...: `check` of a site file with this content exits 1 and prints all of these texts.
wrong()
{
	printf '%b' "$1" | site "$DIR/site.yaml"
	shift 2
	exits 1 pc check "$DIR/site.yaml"
	says "$@"
}

@test "without arguments, check reads the usual site file too; it may be missing" {
	exits 0 pc check
	same 'no errors' "$output"
	printf 'interfaces: {eth0: {profiles: xeam}}\n' | site "$SITE"
	exits 1 pc check
	says "$SITE:1:31: unknown profile 'xeam'; did you mean 'xeams'?" '^~~~'
	exits 0 pc check "$CATALOG/ssh.yaml"
	exits 0 pc check "$CATALOG"
	printf 'interfaces: {eth0: {profiles: xeams}}\n' | site "$SITE"
	exits 0 pc check
	same 'no errors' "$output"
}

@test "--site names another file, which must be there" {
	printf 'groups: []\n' | site "$SITE"
	printf 'groups: {a: "::/0"}\n' | site "$DIR/good.yaml"
	exits 0 pc check --site "$DIR/good.yaml"
	exits 1 pc check --site "$DIR/nowhere.yaml"
	says "portcullis: $DIR/nowhere.yaml: No such file or directory"
	exits 1 pc check --site "$DIR"
	says "portcullis: $DIR: not a regular file"
	printf 'groups: {a: 10.1.2.3/8}\n' | site "$DIR/bad.yaml"
	exits 1 pc check "$CATALOG/ssh.yaml" --site "$DIR/bad.yaml"
	says "$DIR/bad.yaml:1:13: 10.1.2.3/8 has host bits set; write 10.0.0.0/8"
}

@test "the man page's examples are right" {
	local page=$ROOT/docs/portcullis-site.5.scd example

	printf '192.0.2.53 # one\n2001:db8::53\n' | site "$DIR/resolvers.txt"
	# shellcheck disable=SC2016
	same 4 "$(grep -c '^```$' "$page")" 'lines around two examples'
	for example in 1 2; do
		awk -v at=$example '/^```$/ {n++; next} n == 2 * at - 1' "$page" | site "$DIR/site.yaml"
		grep -q '^interfaces:' "$DIR/site.yaml" || fail "example $example is no site file"
		exits 0 pc check "$DIR/site.yaml"
		same 'no errors' "$output"
		exits 0 inside setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" check --site "$DIR/site.yaml" --catalog "$CATALOG"
	done
}

@test "a file is told by its keys, and by 'profile' before them" {
	printf 'profile: odd\ngroups: {a: "::/0"}\n' | site "$DIR/odd.yaml"
	exits 1 pc check "$DIR/odd.yaml"
	says "odd.yaml:2:1: unknown key 'groups'"
	wrong 'groups: {a: "::/0"}\nprofiles: x\n' -- "site.yaml:2:1: unknown key 'profiles'"
	wrong 'management: [22/tcp\n' -- "this '[' is not closed"
}

@test "every error has its place and its caret, all in one run; as JSON too" {
	site "$DIR/site.yaml" <<-'END'
	groups:
	  trusted: [192.0.2.1/24, 2001:db8::/32]
	  link-local: 10.0.0.0/8
	  Office: 10.0.0.0/8
	  trusted: 10.0.0.0/8
	management: [22, 8443/tcp]
	interfaces:
	  eth0:
	    profiles: [ssh, xeams]
	    enable: [imap, imap]
	    disable: smtp
	    from: {ssh:ssh: Trusted}
	    set: {ssh:ssh: 22, xeams:imap: 143/tcp, xeams:imap:in: 144/tcp}
	    observe: yes
	    outbound: on
	    echo_limit: 100
	    flows: 0
	    mode: offload
	    confirm: 2d
	  a-very-long-name-of-an-interface: {profiles: ssh}
	  ../x: {profiles: ssh}
	  eth0: {profiles: ssh}
	  eth1: {}
	END
	run --separate-stderr -- pc check "$DIR/site.yaml"
	same 1 "$status"
	for place in 2:13 3:3 4:3 5:3 6:14 10:20 11:14 12:21 13:20 13:45 14:14 15:15 16:5 17:12 18:11 19:14 20:3 21:3 22:3 23:9; do
		# shellcheck disable=SC2154
		[[ $stderr == *"$DIR/site.yaml:$place: "* ]] || missing+=" $place"
	done
	[ -z "${missing:-}" ] || fail "nothing is reported at:$missing
$stderr"
	output=$stderr
	says "did you mean 'echo-limit'?" '1-16777216' 'first on line 8' 'at most 15 bytes' \
		$'    observe: yes\n             ^~~'
	same 20 "$(grep -c "^$DIR/site.yaml:" <<< "$stderr")" 'errors'
	output=$(pc check --json "$DIR/site.yaml" || true)
	json_is '(.errors | length) == 20 and any(.errors[]; .line == 17 and .column == 12)'
	# shellcheck disable=SC2016
	json_is 'all(.errors[]; .file == $file)' --arg file "$DIR/site.yaml"
}

@test "words that no profile knows are errors at their places; other profiles come by --catalog" {
	site "$DIR/site.yaml" <<-'END'
	groups: {trusted: 192.0.2.0/24}
	interfaces:
	  eth0:
	    profiles: [ssh, xeams]
	    enable: imapp
	    disable: [xeams:smpt]
	    from: {xeams:smtp: trustd, ssh:ssh: [trusted, nobody]}
	    set: {xeams:smtp: 2525/tcp}
	  eth1: {profiles: [own]}
	END
	exits 1 pc check "$DIR/site.yaml"
	says "site.yaml:5:13: no chosen profile has the feature 'imapp'; did you mean 'imap'?" \
		"site.yaml:6:15: xeams has no service 'smpt'; did you mean 'smtp'?" \
		"site.yaml:7:24: no such group 'trustd'; did you mean 'trusted'?" \
		"site.yaml:7:51: no such group 'nobody'; define it under 'groups'" \
		'site.yaml:8:11: xeams:smtp is fixed by the vendor (25/tcp)' \
		"site.yaml:9:21: unknown profile 'own'"
	mkdir -p "$DIR/own"
	printf 'profile: own\nservices:\n  - {name: web, in: 80}\n' > "$DIR/own/own.yaml"
	exits 1 pc check "$DIR/site.yaml" --catalog "$DIR/own"
	says "$DIR/own/own.yaml:3:21: '80' has no protocol"
	says_not 'unknown profile'
	printf 'profile: own\nservices:\n  - {name: web, in: 80/tcp}\n' > "$DIR/own/own.yaml"
	printf 'interfaces: {eth1: {profiles: own, from: {own:web: dns-servers}}}\n' | site "$DIR/site.yaml"
	exits 0 pc check "$DIR/site.yaml" --catalog "$DIR/own"
	says "site.yaml:1:14: warning: own: web is closed: group dns-servers is not defined; define it under 'groups'"
}

@test "an error of shape hides no word; enforce is the default" {
	wrong 'interfaces:\n  eth0:\n    profiles: [ssh, xeams]\n    observ: true\n    enforce: true\n    enable: imapp\n    from: ssh:ssh\n' -- \
		"site.yaml:4:5: unknown key 'observ'; did you mean 'observe'?" \
		"site.yaml:5:5: unknown key 'enforce'; an interface enforces unless it has 'observe: true'" \
		"site.yaml:6:13: no chosen profile has the feature 'imapp'; did you mean 'imap'?" \
		"site.yaml:7:11: 'ssh:ssh' has no group; write {ssh:ssh: GROUP}, or ssh:ssh=GROUP"
}

@test "a folder: its site file is one, beside its profiles and those of its profiles/" {
	mkdir -p "$DIR/etc/profiles"
	printf 'interfaces: {eth0: {profiles: [ssh, own, flat]}}\n' > "$DIR/etc/site.yaml"
	printf 'profile: own\nservices:\n  - {name: web, in: 80/tcp}\n' > "$DIR/etc/profiles/own.yaml"
	printf 'profile: flat\nservices:\n  - {name: web, in: 81/tcp}\n' > "$DIR/etc/flat.yaml"
	exits 0 pc check "$DIR/etc"
	same 'no errors' "$output"
	printf 'interfaces: {eth0: {profiles: own, enable: x}}\n' > "$DIR/etc/site.yaml"
	printf 'profile: flat\nservices:\n  - {name: web, in: 81}\n' > "$DIR/etc/flat.yaml"
	exits 1 pc check "$DIR/etc"
	says "$DIR/etc/site.yaml:1:44: no chosen profile has the feature 'x'" "$DIR/etc/flat.yaml:3:21: '81' has no protocol"
	printf 'profile: own\nservices:\n  - {name: web, in: 80}\n' > "$DIR/etc/profiles/own.yaml"
	exits 1 pc check "$DIR/etc"
	says "$DIR/etc/profiles/own.yaml:3:21: '80' has no protocol"
	says_not "unknown key 'interfaces'"
	# A profile of that name is still a profile.
	printf 'profile: site\nservices:\n  - {name: web, in: 82}\n' > "$DIR/etc/site.yaml"
	exits 1 pc check "$DIR/etc"
	says "$DIR/etc/site.yaml:3:21: '82' has no protocol"
}

@test "'@FILE' stands beside the site file; its errors have its lines" {
	mkdir -p "$DIR/beside"
	printf 'groups: {a: "@list"}\n' | site "$DIR/beside/site.yaml"
	exits 1 pc check "$DIR/beside/site.yaml"
	says "beside/site.yaml:1:13: a: cannot read '$DIR/beside/list': No such file or directory"
	printf '::1\n10.0.0.300\n' > "$DIR/beside/list"
	exits 1 pc check "$DIR/beside/site.yaml"
	says "$DIR/beside/list:2:1: '10.0.0.300' is not a valid IPv4 or IPv6 prefix"
	printf '::1\n' > "$DIR/beside/list"
	exits 0 pc check "$DIR/beside/site.yaml"
	wrong 'groups: {a: @list}\n' -- "site.yaml:1:13:" "in quotes: '@FILE'"
}

@test "a site file or an '@FILE' that others can write is refused, with what fixes it" {
	mkdir -p "$DIR/open"
	printf 'groups: {a: "@list"}\n' > "$DIR/open/site.yaml"
	printf '::1\n' > "$DIR/open/list"
	exits 0 pc check "$DIR/open/site.yaml"
	for file in site.yaml list; do
		chmod o+w "$DIR/open/$file"
		exits 1 pc check "$DIR/open/site.yaml"
		says "others can write $DIR/open/$file" "chmod go-w $DIR/open/$file"
		chmod go-w "$DIR/open/$file"
	done
}

@test "files that are no site: empty, a list, binary, huge, a pipe, unreadable" {
	for text in '' '# groups:\n'; do
		printf '%b' "$text" | site "$DIR/site.yaml"
		exits 1 pc check --site "$DIR/site.yaml"
		says "$DIR/site.yaml: the file is empty"
	done
	printf -- '- eth0\n' | site "$DIR/site.yaml"
	exits 1 pc check --site "$DIR/site.yaml"
	says 'a site file is a list'
	head -c 4096 /dev/urandom | site "$DIR/site.yaml"
	exits 1 pc check --site "$DIR/site.yaml"
	{ printf 'management: none #'; head -c 2000000 /dev/zero | tr '\0' x; } | site "$DIR/site.yaml"
	exits 1 pc check --site "$DIR/site.yaml"
	says ', the limit for a site file'
	inside rm "$DIR/site.yaml"
	mkfifo "$DIR/site.yaml"
	exits 1 inside timeout 5 "$PORTCULLIS" check --site "$DIR/site.yaml" --catalog "$CATALOG"
	says 'not a regular file'
	inside rm "$DIR/site.yaml"
	printf 'management: none\n' | site "$DIR/site.yaml"
	chmod 000 "$DIR/site.yaml"
	exits 1 inside setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" check --site "$DIR/site.yaml" --catalog "$CATALOG"
	says "portcullis: $DIR/site.yaml: Permission denied"
	rm -f "$DIR/site.yaml"
}
