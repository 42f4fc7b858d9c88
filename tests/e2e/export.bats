#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `export site`: the live filters as a site file that `apply` takes for what is there; `groups`.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	link_add host eth1 client eth1
	address_add host eth1 198.51.100.1/24
	SITE=$DIR/site.yaml
	export SITE
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
	rm -f "$SITE"
}

# exported: writes the site file of the attached filters.
exported()
{
	pc export site > "$SITE"
	cat "$SITE"
}

# same_as_exported: apply finds nothing to do, and check no error.
same_as_exported()
{
	exported
	exits 0 pc check "$SITE"
	exits 0 pc apply --site "$SITE" --dry-run --exit-code
	says 'is as the site file says'
	says_not 'would'
}

@test "attach and swap end with a line that they are not saved, and name the command" {
	exits 0 pc attach eth0 -p ssh
	[ "${lines[-1]}" = 'not saved: the next apply or boot undoes it; portcullis export site prints the filters as a site file' ]
	exits 0 pc swap eth0 --observe
	says 'not saved'
	exits 0 pc swap eth0 --enforce --dry-run
	says_not 'not saved'
	exported
	exits 0 pc apply --site "$SITE"
	says_not 'not saved'
}

@test "every word and setting comes back: apply of the export changes nothing" {
	pc attach eth0 -p ssh,xeams --enable imap --enable xeams:pop3-ssl --disable xeams:dns --set ssh:ssh:in=2222/tcp,22/tcp \
		--from ssh:ssh=mgmt,on --group mgmt=192.0.2.0/24,2001:db8::/32 --group on=198.51.100.7 --group 'empty-one=203.0.113.0/24' \
		--open 587/tcp --open 60000-60099/udp=mgmt --forward --outbound enforce --echo-limit 0 --flows 4096
	same_as_exported
	pc attach eth1 -p ssh --observe --group mgmt=192.0.2.0/24,2001:db8::/32
	exported
	exits 0 pc check "$SITE"
	pc apply --site "$SITE"
	same 'enforce observe' "$(pc status --json | jq -r '[.interfaces | sort_by(.name)[].policy] | join(" ")')"
	exits 0 pc apply --site "$SITE" --dry-run --exit-code
}

@test "comments of opened ports, a name with quotes and colons, management ports of the site file" {
	cat > "$SITE" <<-'END'
		groups: {mgmt: 192.0.2.0/24}
		management: [2222/tcp]
		interfaces:
		  eth0:
		    profiles: ssh
		    open: {8443/tcp: {from: mgmt, comment: "it's: CHG-1234 # not a comment"}, 587/tcp: anyone}
	END
	pc apply --site "$SITE"
	pc export site --site "$SITE" > "$SITE.new"
	cat "$SITE.new"
	exits 0 pc check "$SITE.new"
	exits 0 pc apply --site "$SITE.new" --dry-run --exit-code
	grep -q '^management: \[2222/tcp\]$' "$SITE.new"
	grep -q "it''s: CHG-1234 # not a comment" "$SITE.new"
}

@test "a waiting change and one that was undone are told of; no filter at all gives an empty file" {
	exits 0 pc export site
	says 'interfaces: {}'
	pc attach eth0 -p ssh
	pc swap eth0 --observe --confirm 60
	exits 0 pc export site
	says '# the last change is not confirmed yet' 'observe: true'
	pc swap eth0 --enforce --confirm 1
	sleep 1.2
	exits 0 pc export site
	says '# the last change was not confirmed in time'
	says_not 'observe: true'
}

@test "a group that has other prefixes at a second interface is written there; apply takes the file for what is there" {
	pc attach eth0 -p ssh --group mgmt=192.0.2.0/24
	pc attach eth1 -p ssh --group mgmt=192.0.2.0/25
	exits 0 pc export site
	says "    groups:"
	says "        - '192.0.2.0/25'"
	echo "$output" > "$BATS_TEST_TMPDIR/site.yaml"
	exits 0 pc apply --dry-run --exit-code --site "$BATS_TEST_TMPDIR/site.yaml"
	exits 2 pc export
	says 'portcullis export site'
	exits 2 pc export nosuch
}

@test "groups: name, size and what each opens; the prefixes of one, and where they are from" {
	echo '192.0.2.64/26' > "$DIR/agents"
	printf '%s\n' 'groups:' '  mgmt: [192.0.2.0/24]' "  agents: '@agents'" '  idle: 203.0.113.0/24' 'interfaces: {}' > "$SITE"
	pc attach eth0 -p ssh --site "$SITE" --from ssh:ssh=mgmt,agents --group home=198.51.100.7 --open 8443/tcp=home
	exits 0 pc groups --site "$SITE"
	says 'mgmt' 'agents' 'home' 'idle'
	[[ $output =~ mgmt\ +1\ +ssh:ssh ]]
	[[ $output =~ home\ +1\ +site:8443-tcp ]]
	[[ $output =~ idle\ +1\ +nothing ]]
	exits 0 pc groups home agents --site "$SITE"
	says 'home opens site:8443-tcp' '198.51.100.7/32' 'option' '192.0.2.64/26' 'file'
	says_not 'idle' '192.0.2.0/24'
	exits 0 pc groups mgmt --json --site "$SITE"
	json_is '.groups == [{"name": "mgmt", "members": [{"prefix": "192.0.2.0/24", "origin": "site", "source": null, "since": null,
		"until": null, "by": null, "comment": null}], "names": [], "services": ["ssh:ssh"],
		"deny": false, "never_ban": false, "except": []}]'
	exits 1 pc groups mgnt --site "$SITE"
	says "did you mean 'mgmt'"
}
