#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The playbook of docs/ansible, run by Debian's ansible against hosts with sshd of their own: none is left half done.

load helper
load programs
load servers
load traffic

HOSTS='good shut gone'
number=0

setup_file()
{
	sandbox_start
	host_add client
	on client ip link add br0 type bridge
	on client ip link set br0 up
	address_add client br0 192.0.2.100/24
	PLAYBOOK=$DIR/ansible
	export PLAYBOOK
	cp -r "$ROOT/docs/ansible" "$PLAYBOOK"
	inside mount -t bpf bpf /sys/fs/bpf
	inside mkdir -p /etc/portcullis
	ssh_files
	for host in $HOSTS; do
		number=$((number + 1))
		host_add "$host"
		link_add "$host" eth0 client "$host"
		on client ip link set "$host" master br0
		address_add "$host" eth0 192.0.2.$number/24
		serve_ssh "$host"
		until_true 10 listening "$host" 22
	done
	cat > "$PLAYBOOK/hosts" <<-END
		[portcullis]
		good ansible_host=192.0.2.1
		shut ansible_host=192.0.2.2
		gone ansible_host=192.0.2.3
		[portcullis:vars]
		ansible_user=root
		ansible_python_interpreter=/usr/bin/python3
		ansible_ssh_common_args=-F $DIR/ssh/config
		portcullis_command=$PORTCULLIS
		portcullis_group_files=["office.txt"]
		portcullis_enable=false
	END
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	on gone ip link set eth0 up
	detach_all $HOSTS
	rm -rf "$PLAYBOOK/files" "$DIR"/{good,shut,gone}/etc/portcullis/* "$DIR"/{good,shut,gone}/var/lib/portcullis/*
	cp -r "$ROOT/docs/ansible/files" "$PLAYBOOK/files"
}

# serve_ssh HOST: starts sshd. All hosts have one key; each has its own /etc/portcullis and /var/lib/portcullis below
# $DIR/HOST.
serve_ssh()
{
	in_background "$1" unshare --mount sh -c 'mkdir -p /etc/portcullis /var/lib/portcullis /run/portcullis-ansible
		for folder in /etc/portcullis /var/lib/portcullis /run/portcullis-ansible; do
			mkdir -p "$0/$1$folder"
			chmod -R go-w "$0/$1"
			mount --bind "$0/$1$folder" $folder
		done
		exec /usr/sbin/sshd -D -e -f "$0/ssh/sshd_config"' "$DIR" "$1"
}

# play CODE [OPTION]...: runs the playbook from the client; $output has its output.
play()
{
	local code=$1

	shift
	exits "$code" on client env -C "$PLAYBOOK" HOME="$DIR" ANSIBLE_NOCOLOR=1 ANSIBLE_TIMEOUT=2 ANSIBLE_SSH_CONTROL_PATH_DIR="$DIR/cp" timeout 200 \
		ansible-playbook site.yml "$@"
}

# in_order: no host has a pending change, and each host's site file is the one that boots, or neither exists.
in_order()
{
	local host

	for host in $HOSTS; do
		output=$(as "$host" status --json)
		json_is '[.interfaces[].confirm.state] | all(. != "waiting")'
		if [ -e "$DIR/$host/var/lib/portcullis/confirmed" ]; then
			cmp "$DIR/$host/etc/portcullis/site.yaml" "$DIR/$host/var/lib/portcullis/confirmed/site.yaml"
		else
			[ ! -e "$DIR/$host/etc/portcullis/site.yaml" ] || fail "$host has a site file that nobody confirmed"
		fi
	done
}

# A site file without the port that Ansible uses.
shut_site()
{
	sed 's/ssh, postfix/postfix/; /from:/d' "$PLAYBOOK/files/site.yaml" > "$PLAYBOOK/files/$1.yaml"
}

@test "ansible-lint has nothing to say of it" {
	exits 0 env -C "$PLAYBOOK" HOME="$DIR" ansible-lint --offline --nocolor --strict
}

@test "check mode tells what would change and changes nothing; then: confirmed, refused by the guard, unreachable; then: unchanged" {
	on gone ip link set eth0 down
	shut_site shut
	play 2 --check --diff -e portcullis_stop=false
	says '"good: would change' '"shut: refused, nothing was changed: eth0: your own session to 22/tcp' '"gone: unreachable, nothing was changed' \
		'eth0: attach, opens 22/tcp' '+    profiles: [ssh, postfix]'
	same '' "$(pins)" 'pins'
	[ ! -e "$DIR/good/etc/portcullis/site.yaml" ]
	play 2 -e portcullis_stop=false
	says '"good: changed and confirmed' '"shut: refused, nothing was changed: eth0: your own session to 22/tcp' \
		'"gone: unreachable, nothing was changed' '2 of 3 hosts are not as their site file says'
	[ -n "$(attached good eth0)" ] || fail 'good has no filter'
	same '' "$(attached shut eth0)$(attached gone eth0)" 'programs'
	[ -e "$DIR/good/var/lib/portcullis/confirmed" ] || fail 'good does not boot it'
	in_order
	play 0 --limit good,localhost
	says '"good: unchanged'
	in_order
}

@test "a change after which no new connection is made is undone by the kernel, and the files are put back; the others are not tried" {
	cp "$PLAYBOOK/files"/* "$DIR/good/etc/portcullis/"
	on client ssh -F "$DIR/ssh/config" 192.0.2.1 "$PORTCULLIS apply"
	shut_site good
	echo '198.51.100.0/24' >> "$PLAYBOOK/files/office.txt"
	play 2 -e portcullis_confirm=6 -e '{"portcullis_options": ["--force"]}'
	says '"good: undone: it was not confirmed in time from a new connection' '"shut: not tried: an earlier host failed' '"gone: not tried'
	same '' "$(attached shut eth0)$(attached gone eth0)" 'programs'
	[ "$(as good explain eth0 192.0.2.100 22/tcp --json | jq -r '.verdicts[0].verdict')" = pass ] || fail 'good is shut'
	cmp "$ROOT/docs/ansible/files/office.txt" "$DIR/good/etc/portcullis/office.txt"
	in_order
}
