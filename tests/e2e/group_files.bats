#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Changed group files, taken into running filters by groups --refresh file: what is switched, what boots, what is refused.

load helper
load programs

FOLDER=/etc/portcullis
CONFIRMED=/var/lib/portcullis/confirmed

setup_file()
{
	sandbox_start
	two_hosts
	link_add host eth1 client eth1
	inside mkdir -p $FOLDER
	inside mount -t tmpfs -o mode=755 tmpfs $FOLDER
}

teardown_file()
{
	sandbox_end
}

setup()
{
	inside sh -c "cat > $FOLDER/site.yaml" <<-END
		groups:
		  office: ['@office.txt', 203.0.113.7]
		  own: 192.0.2.0/30
		interfaces:
		  eth0: {profiles: ssh, from: {ssh:ssh: [office, own]}}
		  eth1: {profiles: ssh, from: {ssh:ssh: office}, groups: {office: '@eth1.txt'}}
	END
	file office.txt 198.51.100.0/24
	file eth1.txt 198.51.100.1
	exits 0 pc apply
}

teardown()
{
	stop_all
	detach_all host
	inside sh -c "chmod 755 $FOLDER; rm -rf $FOLDER/* /var/lib/portcullis"
}

# file NAME LINE...
file()
{
	printf '%s\n' "${@:2}" | inside sh -c "cat > $FOLDER/$1"
}

# group INTERFACE NAME: the prefixes that the running filter has.
group()
{
	pc status "$1" --json | jq -r --arg name "$2" '.interfaces[0].recipe.groups[$name] | join(" ")'
}

@test "a changed file: one switch, a line that names the prefixes, the copy that boots; other interfaces and other edits are not touched" {
	file office.txt 198.51.100.0/24 192.0.2.2/32
	inside sed -i 's/192.0.2.0\/30/192.0.2.0\/24/' $FOLDER/site.yaml
	exits 0 pc groups --refresh file
	says 'eth0: office +192.0.2.2/32'
	same '192.0.2.2/32 198.51.100.0/24 203.0.113.7/32' "$(group eth0 office)"
	same '192.0.2.0/30' "$(group eth0 own)"
	same 2 "$(generation host eth0)" 'generation of eth0'
	same 1 "$(generation host eth1)" 'generation of eth1'
	same $'192.0.2.2/32\n198.51.100.0/24\n203.0.113.7/32' "$(inside cat $CONFIRMED/groups/office)" 'what boots'
	grep -q 192.0.2.0/30 <<< "$(inside cat $CONFIRMED/site.yaml)" || fail 'the edited site file was confirmed'
	exits 0 pc groups --refresh file
	same '' "$output" 'what it says of the same file'
	pc history --json | jq -e '.changes[-1] | (.command | startswith("groups --refresh file")) and .interfaces[0].action == "refresh" and
		.interfaces[0].groups == [{name: "office", added: ["192.0.2.2/32"], removed: []}]' || fail "$(pc history --json | jq '.changes[-1]')"
	file eth1.txt 198.51.100.9
	exits 0 pc groups --refresh file
	same '198.51.100.9/32' "$(group eth1 office)"
	same 2 "$(generation host eth0)" 'generation of eth0'
	output=$(pc groups office --json)
	json_is '.groups[0].members | map(select(.prefix == "192.0.2.2/32"))[0] | .origin == "file" and (.since | test("^20")) and .source == "/etc/portcullis/office.txt"'
}

@test "a file that is wrong, missing, empty or not trusted changes nothing, and is named" {
	for what in 'file office.txt 198.51.100.0/24 nonsense' 'file office.txt' 'inside rm -f $FOLDER/office.txt' \
		'file office.txt 192.0.2.0/24; inside chown nobody $FOLDER/office.txt'; do
		inside rm -f $FOLDER/office.txt
		eval "$what"
		exits 1 pc groups --refresh file
		says 'office.txt' 'nothing was changed'
		same 1 "$(generation host eth0)" 'generation'
		same $'198.51.100.0/24\n203.0.113.7/32' "$(inside cat $CONFIRMED/groups/office)" 'what boots'
		exits 1 pc doctor
		says 'office.txt'
	done
}

@test "a group that a command gave other prefixes stays; a change that waits to be confirmed holds it up, exit 4" {
	exits 0 pc swap eth0 --group office=192.0.2.9 --confirm 300
	file office.txt 192.0.2.2
	exits 4 pc groups --refresh file
	exits 0 pc confirm eth0
	exits 0 pc groups --refresh file
	same '192.0.2.9/32' "$(group eth0 office)"
	same $'192.0.2.2/32\n203.0.113.7/32' "$(inside cat $CONFIRMED/groups/office)" 'what boots'
}

@test "nobody is locked out: the file is refused, and taken when he is gone" {
	start login client socat TCP:192.0.2.1:22,bind=192.0.2.2:40000,retry=50,interval=0.1 EXEC:'sleep 60'
	in_background host socat TCP-LISTEN:22,fork,reuseaddr PIPE
	until_true 5 connected
	file office.txt 192.0.2.64/26
	SSH_CONNECTION='192.0.2.2 40000 192.0.2.1 22' exits 0 pc groups --refresh file # own still admits it
	inside sed -i 's/, own\]/]/' $FOLDER/site.yaml
	file office.txt 192.0.2.2
	exits 0 pc apply
	file office.txt 192.0.2.64/26
	SSH_CONNECTION='192.0.2.2 40000 192.0.2.1 22' exits 1 pc groups --refresh file
	says 'your own session to 22/tcp' 'refused'
	same $'192.0.2.2/32\n203.0.113.7/32' "$(inside cat $CONFIRMED/groups/office)" 'what boots'
	exits 0 pc groups --refresh file
	same $'192.0.2.64/26\n203.0.113.7/32' "$(inside cat $CONFIRMED/groups/office)" 'what boots'
}

connected()
{
	on host ss -Htn state established 'sport = :22' | grep -q 192.0.2.2:40000
}
