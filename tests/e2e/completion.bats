#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Completion: what the program proposes, and what a tab makes of a line in bash, zsh and fish, typed into a terminal.

load helper

setup_file()
{
	DIR=$(mktemp -d /tmp/portcullis-e2e.XXXXXX)
	export DIR
	mkdir "$DIR/bin"
	ln -s "$PORTCULLIS" "$DIR/bin/portcullis"
	printf 'groups:\n  office: 192.0.2.0/24\ninterfaces: {eth0: {profiles: ssh, machines: {core: {address: 192.0.2.7, profiles: ssh}, cop: {address: 192.0.2.8, profiles: ssh}}}}\n' > "$DIR/site.yaml"
}

teardown_file()
{
	rm -rf "${DIR:-/nonexistent}"
}

proposals()
{
	"$PORTCULLIS" complete "$@" | cut -f 1
}

# proposes WANTED WORD...
proposes()
{
	local wanted=$1

	shift
	same "$wanted" "$(proposals "$@" | tr '\n' ' ' | sed 's/ $//')" "proposals for $*"
}

@test "each command of the help, and each option of each command's help, and no other" {
	local commands command

	commands=$("$PORTCULLIS" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
	same "$commands" "$(proposals '')" 'commands'
	for command in $commands; do
		same "$("$PORTCULLIS" "$command" --help | sed -n 's/^  [-a-z, ]\{4\}\(--[a-z-]*\).*/\1/p')" \
			"$(proposals "$command" --)" "options of $command"
	done
	# Completions with their descriptions.
	"$PORTCULLIS" complete attach --obs | grep -q $'^--observe\tdrop nothing' || fail 'no description'
}

@test "profiles, features, services, groups, choices, interfaces, paths" {
	proposes 'communigate-pro communigate-pro-cluster' show com
	proposes 'communigate-pro communigate-pro-cluster' profiles com
	proposes 'ssh,xeams' attach -p ssh,xe
	proposes 'xeams' attach --profile ssh -p xe
	proposes 'imap imap-ssl' attach -p xeams --enable im
	proposes 'xeams:imap xeams:imap-ssl' attach --enable xeams:im
	proposes 'xeams:smtp' attach -p xeams,ssh --disable xeams:sm
}

@test "machines of the site file" {
	proposes 'core cop' swap eth0 --site "$DIR/site.yaml" --machine co
	proposes 'core' swap eth0 --site "$DIR/site.yaml" --no-machine cor
	proposes '--machine=core' explain eth0 --site "$DIR/site.yaml" --machine=cor
	proposes '' explain eth0 --site "$DIR/site.yaml" --protocol co
}

@test "reasons, and the ports of the catalog" {
	proposes 'source' drops --reason so
	proposes 'source,protocol' drops --reason source,p
	proposes '--port=587/tcp' drops --port=58
	proposes 'source prefix port reason' drops --by ''
	"$PORTCULLIS" complete drops --port 99 | grep -qx $'993/tcp\t[a-z-]*:[a-z-]*' || fail 'no service of 993/tcp'
	proposes '25/tcp' drops --port 25/
	same '' "$(proposals drops --port '' | grep -e -)" 'ranges'
}

@test "services and groups" {
	proposes 'xeams:imap= xeams:imap-ssl=' attach -p xeams --from xeams:im
	proposes 'site:587-tcp=' attach -p xeams --open 587/tcp --from site:
	proposes 'site:5060-tcp site:5060-udp' swap --open 5060/tcp+udp --disable site:
	proposes '587/tcp=office' attach --site "$DIR/site.yaml" --open 587/tcp=of
	proposes '587/tcp=office,mine' attach --site "$DIR/site.yaml" --group mine=::1 --open 587/tcp=office,mi
	proposes 'xeams:imap=anyone' swap --from xeams:imap=any
	proposes '' swap --group any
	proposes '' swap --open 58
	proposes 'xeams:imap=office' swap --site "$DIR/site.yaml" --from xeams:imap=of
	proposes 'xeams:imap=office,mine' swap --site "$DIR/site.yaml" --group mine=192.0.2.1 --from xeams:imap=office,mi
	proposes 'cluster=' attach -p communigate-pro-cluster --group c
	proposes 'xeams:smtp=' attach --set xeams:sm
	proposes '' attach --set xeams:smtp=2
	proposes '--from=ssh:ssh=' attach --from=ssh:
	proposes 'native generic' attach --mode ''
	proposes '--outbound=track' attach --outbound=t
	proposes 'lo' status l
	proposes '' status lo l
	proposes ':file' check ''
	proposes ':folder' check --catalog ''
	proposes ':file' apply --site ''
	proposes '' apply --confirm ''
	proposes '' nothing --
	proposes 'show' help sh
	proposes 'unban unlisted' help u
	proposes 'flows fragment feature' help f
	proposes '' help swap a
	proposes '' attach -- --f
}

@test "a catalog with errors, and a site file that nobody may trust: no message, and the rest" {
	mkdir "$DIR/catalog"
	echo 'profile: [' > "$DIR/catalog/broken.yaml"
	printf 'profile: good\nservices:\n  - {name: web, in: 80/tcp}\n' > "$DIR/catalog/good.yaml"
	run --separate-stderr "$PORTCULLIS" complete attach --catalog "$DIR/catalog" --site /nowhere -p good --disable ''
	same 0 "$status"
	same 'good:web' "$output"
	# shellcheck disable=SC2154
	same '' "$stderr" 'messages'
}

# typed SHELL: prints each line after the completion of its tabs.
typed()
{
	local shell=$1 lines=(
		$'sw\t' 'swap'
		$'attach --outb\t' 'attach --outbound'
		$'attach --outbound=t\t' 'attach --outbound=track'
		$'attach lo -p xe\t' 'attach lo -p xeams'
		$'attach -p ssh,xe\t' 'attach -p ssh,xeams'
		$'attach -p xeams --enable junk\t' 'attach -p xeams --enable junk-filter'
		$'attach -p xeams --disable xeams:wh\t' 'attach -p xeams --disable xeams:whois'
		# A completion that ends with '=' is not followed by a space.
		$'attach -p xeams --from xeams:wh\tlink\t' 'attach -p xeams --from xeams:whois=link-local'
		$'status l\t' 'status lo'
		$'check READ\t' 'check README.md'
	) given=() wanted=() i

	for ((i = 0; i < ${#lines[@]}; i += 2)); do
		given+=("${lines[i]}")
		wanted+=("${lines[i + 1]}")
	done
	command -v "$shell" > /dev/null || fail "$shell is missing: scripts/setup test"
	output=$(PATH=$DIR/bin:$PATH /usr/bin/python3 "$ROOT/tests/e2e/complete.py" "$shell" "$ROOT" "${given[@]}")
	same "$(printf '%s\n' "${wanted[@]}")" "$output" "lines in $shell"
}

@test "bash: a tab" {
	typed bash
}

@test "zsh: a tab" {
	typed zsh
}

@test "fish: a tab" {
	typed fish
}
