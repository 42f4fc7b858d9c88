#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A command that is killed, or whose disk is full or broken, at every system call that writes below /var/lib/portcullis: what is
# kept is whole, the host boots, and what is not as it should be was said.

load helper

setup_file()
{
	local name port

	sandbox_start
	host_add host
	link_add host eth0 host eth1
	inside mkdir -p /etc/portcullis
	inside mount -t tmpfs -o mode=755 tmpfs /etc/portcullis
	inside mkdir /etc/portcullis/profiles
	for name in before:7001 after:7002; do
		port=${name#*:} name=${name%:*}
		printf 'profile: %s\nservices:\n  - {name: one, in: %s/tcp, from: office}\n' $name "$port" > "$DIR/$name.profile"
		printf "groups:\n  office: '@%s.office'\ninterfaces: {eth0: {profiles: %s}}\n" $name $name > "$DIR/$name.yaml"
		printf '192.0.2.0/25\n2001:db8:%s::/64\n' "$port" > "$DIR/$name.office"
		inside cp "$DIR/$name.profile" /etc/portcullis/profiles/$name.yaml
		inside cp "$DIR/$name.office" /etc/portcullis/
	done
	inside cp "$DIR/before.yaml" /etc/portcullis/site.yaml
	pc apply
	inside cp -a /var/lib/portcullis "$DIR/kept"
}

teardown_file()
{
	sandbox_end
}

# hurt_kept SITE WANTED WAITS COMMAND...: see hurt_kept.bash.
hurt_kept()
{
	by_script hurt_kept.bash "$@"
}

@test "apply: killed, out of space or with a broken disk at every write" {
	hurt_kept after after '' apply
}

@test "apply --confirm: the same" {
	hurt_kept after before '' apply --confirm 3600
}

@test "confirm: the same" {
	hurt_kept after after after confirm
}
