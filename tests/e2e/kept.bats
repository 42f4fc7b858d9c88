#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What was confirmed is what boots: site file, group files and profiles are kept, and what was applied and not confirmed,
# or came with a newer catalog, waits. A reboot is imitated: every filter is taken off, then `apply --boot`.

load helper
load traffic

SITE=/etc/portcullis/site.yaml
KEPT=/var/lib/portcullis

setup_file()
{
	sandbox_start
	two_hosts
	link_add host eth1 client eth1
	inside mkdir -p /etc/portcullis
	inside mount -t tmpfs -o mode=755 tmpfs /etc/portcullis
}

teardown_file()
{
	sandbox_end
}

setup()
{
	inside sh -c 'rm -rf /etc/portcullis/* /var/lib/portcullis; mkdir /etc/portcullis/profiles'
	printf 'profile: mail\nservices:\n  - {name: smtp, in: 25/tcp}\n' | put profiles/mail.yaml
}

teardown()
{
	stop_all
	detach_all host
}

# put FILE: writes it below /etc/portcullis.
put()
{
	inside sh -c 'cat > "/etc/portcullis/$0"' "$1"
}

# reboots [CODE [OPTION...]]: CODE is the exit code of the boot, by default 0.
reboots()
{
	detach_all host
	exits "${1:-0}" pc apply --boot "${@:2}"
}

# opens PORT...: these are the ports that eth0 opens: "25/tcp 587/tcp".
opens()
{
	same "$*" "$(pc show --iface "${IFACE:-eth0}" --json |
		jq -r '[.profiles[].services[] | select(.open) | .ports[]] | sort | join(" ")')" "${IFACE:-eth0} opens"
}

upgrade()
{
	printf 'profile: mail\nservices:\n  - {name: smtp, in: 25/tcp}\n  - {name: submission, in: 587/tcp}\n' | put profiles/mail.yaml
}

@test "applied and not confirmed in time: the next boot has what was confirmed before, and says so" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh], confirm: 1}}'
	exits 0 pc apply
	opens 22/tcp 25/tcp
	sleep 1.1
	reboots 4
	says 'was applied and not confirmed' 'the site file that was confirmed last is applied'
	opens 25/tcp
	# A comment or another time to confirm does not make it another file.
	put site.yaml <<< 'interfaces: {eth0: {confirm: 60, profiles: [mail, ssh]}} # once more'
	reboots 4
	opens 25/tcp
	# A file that was never tried is applied, and boots from then on.
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh], observe: true}}'
	reboots 0
	opens 22/tcp 25/tcp
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh], confirm: 60}}'
	reboots 4
	opens 22/tcp 25/tcp
	same observe "$(pc status eth0 --json | jq -r '.interfaces[0].policy')"
	# A user who applies it by hand is warned, but it is applied.
	exits 0 pc apply
	says 'was applied before, and not confirmed'
	exits 0 pc confirm
	reboots 0
	same enforce "$(pc status eth0 --json | jq -r '.interfaces[0].policy')"
}

@test "the power goes while it waits: it was not confirmed" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	put site.yaml <<< 'interfaces: {eth0: {profiles: ssh}}'
	exits 0 pc apply --confirm 600 --force
	reboots 4
	opens 25/tcp
}

@test "confirmed is confirmed, also where the file was edited meanwhile" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply --confirm 60
	put site.yaml <<< 'interfaces: {eth0: {profiles: ssh}}'
	exits 0 pc confirm
	grep -q mail <<< "$(inside cat $KEPT/confirmed/site.yaml)"
	exits 0 pc apply --confirm 1 --force
	sleep 1.1
	reboots 4
	opens 25/tcp
}

@test "nothing was ever confirmed: a file that was reverted is not applied, and the unit fails" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: ssh}}'
	exits 0 pc apply --confirm 1
	sleep 1.1
	reboots 1
	says 'was applied and not confirmed, and no earlier site file was confirmed'
	same '' "$(attached host eth0)"
}

@test "what waits is neither cut short nor made final by udev, a restart or a reload" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh]}}'
	exits 0 pc apply --confirm 60
	exits 0 pc apply --boot eth0
	same '' "$output"
	exits 4 pc apply --boot
	says 'eth0: left as it is: a change is not confirmed yet'
	exits 4 pc apply --reload
	opens 22/tcp 25/tcp
	same waiting "$(pc status eth0 --json | jq -r '.interfaces[0].confirm.state')"
	exits 0 pc confirm
	reboots 0
	opens 22/tcp 25/tcp
}

@test "a newer catalog waits at boot and reload; dry run, status and doctor say what for; apply takes it" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	upgrade
	exits 0 pc apply --reload
	says 'eth0: is as the site file says'
	same 1 "$(generation host eth0)" 'generation'
	reboots 0
	opens 25/tcp
	for words in 'apply --dry-run' status 'doctor eth0'; do
		# shellcheck disable=SC2086
		run pc $words
		says 'mail changed since it was applied: opens 587/tcp'
	done
	output=$(pc status --json)
	json_is '.interfaces[0].waits == "mail changed since it was applied: opens 587/tcp"'
	# A change that is not confirmed stays pending.
	exits 0 pc apply --confirm 4
	opens 25/tcp 587/tcp
	sleep 4.1
	reboots 4
	opens 25/tcp
	exits 0 pc apply
	opens 25/tcp 587/tcp
	reboots 0
	opens 25/tcp 587/tcp
	output=$(pc status --json)
	json_is '.interfaces[0].waits == null'
}

# standing STATE LINE: the state of the site file in status's JSON, and the last lines of its text from LINE on; '' if
# there are none.
standing()
{
	output=$(pc status --json)
	same "$1" "$(jq -r .site.state <<< "$output")" 'state of the site file'
	same "$2" "$(pc status | grep "^$SITE" || true)" 'what status says of it'
}

@test "status and doctor: a site file that was edited, waits, was reverted, is wrong, and what an interface has against it" {
	standing null ''
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc attach eth0 -p mail
	standing new "$SITE was never applied: portcullis apply --dry-run"
	exits 0 pc apply
	standing confirmed ''
	run pc status
	says_not waits
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh]}}'
	standing changed "$SITE changed since it was applied: portcullis apply --dry-run"
	same "$SITE changed since it was applied: opens 22/tcp" "$(pc status --json | jq -r '.interfaces[0].waits')"
	same "  waits      $SITE changed since it was applied: opens 22/tcp: portcullis apply --dry-run" "$(pc status | grep waits)"
	run pc doctor eth0
	says "the attached filter differs from $SITE: it opens 22/tcp"
	# Boot uses the file, whatever has changed in the catalog.
	upgrade
	run pc doctor eth0
	says "the attached filter differs from $SITE: it opens 22/tcp, 587/tcp"
	exits 0 pc apply --confirm 8
	standing waiting ''
	until_true 10 eval 'pc status --json | jq -e ".site.state == \"reverted\"" > /dev/null'
	standing reverted "$SITE was applied and not confirmed, and boot does not apply it: portcullis doctor"
	run pc doctor eth0
	grep -q 'problem .*was applied and not confirmed' <<< "$output" || fail "$output"
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, shh]}}'
	standing wrong "$SITE has errors, and boot does not apply it as it is: portcullis check"
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}} # once more'
	standing confirmed ''
	# The same by hand.
	exits 0 pc apply
	exits 0 pc swap eth0 --disable mail:smtp
	standing confirmed ''
	same "the attached filter differs from $SITE: it opens 25/tcp" "$(pc status --json | jq -r '.interfaces[0].waits')"
	# No word that only root may know is printed.
	inside chmod 700 /etc/portcullis
	output=$(on host setpriv --reuid nobody --clear-groups "$PORTCULLIS" status --json 2>&1 || true)
	says_not '"wrong"'
	inside chmod 755 /etc/portcullis
}

@test "a newer catalog waits where the boot itself was the first apply, and where the file was edited" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	reboots 0
	# The copy of the profile counts as the same profile.
	reboots 0
	exits 0 pc apply
	says 'eth0: is as the site file says'
	upgrade
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh]}}'
	reboots 0
	opens 22/tcp 25/tcp
	# Profiles that disappear, or cannot be loaded any more.
	inside rm /etc/portcullis/profiles/mail.yaml
	reboots 0
	opens 22/tcp 25/tcp
	put profiles/mail.yaml <<< 'profile: ['
	reboots 0
	opens 22/tcp 25/tcp
}

@test "group files are kept with the rest, by whatever path" {
	inside mkdir -p "$DIR/lists"
	printf '192.0.2.0/24\n# more\n2001:db8::/32\n' | put near.txt
	inside sh -c 'echo 198.51.100.0/24 > "$0/lists/far"' "$DIR"
	put site.yaml <<-END
		groups: {near: '@near.txt', far: [203.0.113.9, '@$DIR/lists/far', '@near.txt'], plain: 203.0.113.0/24, later: []}
		interfaces: {eth0: {profiles: [mail, ssh], from: {ssh:ssh: [near, far, plain, later]}, open: {587/tcp: {from: near, comment: CHG-1}}}}
	END
	exits 0 pc apply
	# Another group is tried in its place and reverted: it is another file.
	printf '203.0.113.1\n' | put near.txt
	exits 0 pc apply --confirm 1
	sleep 1.1
	inside rm -r "$DIR/lists"
	printf '203.0.113.1\n' | put near.txt
	reboots 4
	same '{"far":["192.0.2.0/24","198.51.100.0/24","203.0.113.9/32","2001:db8::/32"],"later":[],"near":["192.0.2.0/24","2001:db8::/32"],"plain":["203.0.113.0/24"]}' \
		"$(pc status eth0 --json | jq -cS '.interfaces[0].recipe.groups')"
	same '["587/tcp=near"] {"site:587-tcp":"CHG-1"}' \
		"$(pc status eth0 --json | jq -rc '.interfaces[0].recipe | "\(.overrides.open) \(.comments)"')"
}

@test "patterns boot as they were confirmed, with the interfaces that are there then" {
	put site.yaml <<< "interfaces: {'eth*': {profiles: mail}}"
	exits 0 pc apply
	says "'eth*' in" 'takes eth0'
	put site.yaml <<< "interfaces: {'eth*': {profiles: "
	reboots 4
	says 'the site file that was confirmed last is applied'
	opens 25/tcp
	IFACE=eth1 opens 25/tcp
	# Another pattern is another file: it waits until it is applied.
	put site.yaml <<< "interfaces: {'eth0*': {profiles: mail}, eth1: {profiles: ssh}}"
	exits 0 pc apply --confirm 1
	sleep 1.1
	reboots 4
	IFACE=eth1 opens 25/tcp
}

@test "a file that is no YAML, or that others can write: what was confirmed boots; one wrong part: that interface" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}, eth1: {profiles: ssh}}'
	exits 0 pc apply
	put site.yaml <<< 'interfaces: {eth0: {profiles: '
	reboots 4
	says 'site.yaml:' 'the site file that was confirmed last is applied'
	opens 25/tcp
	IFACE=eth1 opens 22/tcp
	put site.yaml <<< 'interfaces: {eth0: {profiles: ssh}}'
	inside chmod 666 $SITE
	reboots 4
	says 'others can write'
	opens 25/tcp
	inside chmod 644 $SITE
	put site.yaml <<< 'interfaces: {eth0: {profiles: mial}, eth1: {profiles: [mail, ssh]}}'
	reboots 4
	says 'mial' 'eth0: has an error in the site file: its part of the site file that was confirmed last is applied'
	opens 25/tcp
	IFACE=eth1 opens 22/tcp 25/tcp
	# Such a file is not the confirmed one.
	put site.yaml <<< 'interfaces: ['
	reboots 4
	IFACE=eth1 opens 22/tcp
	# udev's command names only the interface that it is run for.
	exits 0 pc apply --boot lo
	same '' "$output"
}

@test "of an apply to some interfaces: reverted it is not what boots; confirmed the whole file is as if never tried" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}, eth1: {profiles: mail}}'
	exits 0 pc apply
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh]}, eth1: {profiles: [mail, ssh]}}'
	exits 0 pc apply eth0 --confirm 1
	sleep 1.1
	reboots 4
	opens 25/tcp
	exits 0 pc apply eth0 --confirm 60
	exits 0 pc confirm
	grep -q ssh <<< "$(inside cat $KEPT/confirmed/site.yaml)" && fail 'eth1 was never tried'
	reboots 0
	opens 22/tcp 25/tcp
	IFACE=eth1 opens 22/tcp 25/tcp
}

@test "a change that fails, or that the guard stops, was not tried" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	start server host socat TCP-LISTEN:22,fork,reuseaddr SYSTEM:'echo hello'
	until_true 5 listening host 22
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail, observe: true}, eth1: {profiles: mail, mode: native}}'
	on host ip link set dev eth1 xdpgeneric object "$TOOLS/foreign.bpf.o" section xdp
	exits 1 pc apply --confirm 60
	on host ip link set dev eth1 xdpgeneric off
	inside test ! -s $KEPT/tried || fail "tried: $(inside cat $KEPT/tried)"
}

@test "a change that fails at the last moment does not touch what waits; nor does one that was killed" {
	local last

	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh], observe: true}}'
	exits 0 pc apply --confirm 600
	# The update that switches fails while another change is pending: everything else is done, and the deadline has
	# begun.
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh]}}'
	exits 0 on host "$TOOLS/faults" -l "$DIR/points" "$PORTCULLIS" apply --confirm 600
	last=$(grep '^bpf:MAP_UPDATE_ELEM:.* generations$' "$DIR/points" | tail -n 1 | cut -d ' ' -f 1)
	[[ $last == bpf:MAP_UPDATE_ELEM:* ]] || fail "no point: $(cat "$DIR/points")"
	put site.yaml <<< 'interfaces: {eth0: {profiles: ssh}}'
	for fault in -eEPERM@ -k -eEPERM@; do
		run on host "$TOOLS/faults" $fault$last "$PORTCULLIS" apply --confirm 600 --force
		[[ $status == 1 || $status == 137 ]] || fail "$fault$last: exit $status: $output"
		opens 22/tcp 25/tcp
		inside grep -q 'mail, ssh' $KEPT/pending/site.yaml || fail "$fault: pending: $(inside cat $KEPT/pending/site.yaml)"
	done
	exits 0 pc confirm
	inside grep -q 'mail, ssh' $KEPT/confirmed/site.yaml || fail "confirmed: $(inside cat $KEPT/confirmed/site.yaml)"
	put site.yaml <<< 'interfaces: {eth0: {profiles: [mail, ssh]}}'
	reboots 0
	opens 22/tcp 25/tcp
	same confirmed "$(inside ls $KEPT | grep -v -e snapshot -e '^tried$' -e '^history')" 'what is left'
	same 1 "$(inside find $KEPT -name 'snapshot-*' | wc -l)" 'snapshots'
}

@test "another site file, a dry run, attach and swap leave nothing that boots" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	put other.yaml <<< 'interfaces: {eth0: {profiles: ssh}}'
	exits 0 pc apply --site /etc/portcullis/other.yaml
	exits 0 pc apply --dry-run
	exits 0 pc swap eth0 -p mail --confirm 60
	exits 0 pc confirm
	same 'history history.lock' "$(inside ls $KEPT | xargs)"
}

@test "the folder is root's alone, holds what is in use, and is not trusted if others can write it" {
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	same 700 "$(inside stat -c %a $KEPT)"
	for _ in 1 2 3; do
		upgrade
		exits 0 pc apply --confirm 1
		sleep 1.1
		put site.yaml <<< "interfaces: {eth0: {profiles: mail, echo-limit: $RANDOM}}"
		exits 0 pc apply
	done
	same 1 "$(inside find $KEPT -name 'snapshot-*' | wc -l)" 'snapshots'
	same '' "$(inside find $KEPT -perm /077 ! -type l)" 'open to others'
	exits 0 pc apply
	inside find $KEPT -newermt '-1 second' -name 'snapshot-*' | grep -q . && sleep 1.1
	same "$(inside readlink $KEPT/confirmed)" "$(pc apply > /dev/null; inside readlink $KEPT/confirmed)" 'written again'
	inside chmod 777 $KEPT
	put site.yaml <<< 'interfaces: ['
	reboots 1
	says 'others can write' 'cannot be used'
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail, observe: true}}'
	exits 0 pc apply
	says 'cannot keep the site file that was applied'
}

@test "hostile or damaged content: it is not used, and said; the file as it is boots" {
	local damage

	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	inside cp -a $KEPT "$KEPT.good"
	for damage in 'echo "{" > about.json' 'echo "{\"version\": 2}" > about.json' 'rm about.json' 'head -c 3000000 /dev/zero > site.yaml' \
		'rm site.yaml; mkfifo site.yaml' 'ln -sf /dev/zero site.yaml' 'rm -r profiles' 'echo x > profiles/mail.yaml' \
		'head -c 3000000 /dev/zero > about.json' ': > about.json'; do
		inside sh -c "cd $KEPT/confirmed/ && $damage"
		detach_all host
		run pc apply --boot
		[ "$status" = 0 ] || [ "$status" = 4 ] || fail "$damage: exit $status: $output"
		opens 25/tcp
		inside sh -c "rm -rf $KEPT && cp -a $KEPT.good $KEPT"
	done
	head -c 100000 /dev/urandom | inside sh -c "cat > $KEPT/tried"
	reboots 0
	opens 25/tcp
	inside rm -rf "$KEPT.good"
}

@test "a program that is upgraded over a running filter takes over what was confirmed, not the newer catalog" {
	needs_layout 2
	put site.yaml <<< 'interfaces: {eth0: {profiles: mail}}'
	exits 0 pc apply
	pc detach eth0
	on host "$TOOLS/portcullis-layout-2" attach eth0 -p mail
	upgrade
	exits 0 pc apply --boot
	says 'eth0: taken over'
	says_not '587'
	opens 25/tcp
}
