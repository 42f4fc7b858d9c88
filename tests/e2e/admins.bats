#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The administrators' group: its members read what is attached without root, and can change nothing.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	{ sed '/^portcullis:/d' /etc/group; echo 'portcullis:x:54321:'; } > "$DIR/group"
	sed '/^portcullis:/d' /etc/group > "$DIR/group.none"
	in_background host socat TCP-LISTEN:22,fork,reuseaddr OPEN:/dev/null
	until_true 5 listening host 22
}

teardown_file()
{
	sandbox_end
}

# with_group COMMAND...: runs it on a host that has the group. without: on a host that does not.
with_group()
{
	without_group
	inside mount --bind "$DIR/group" /etc/group
}

without_group()
{
	while inside umount /etc/group 2> /dev/null; do
		:
	done
	inside mount --bind "$DIR/group.none" /etc/group
}

setup()
{
	with_group
}

teardown()
{
	detach_all host
}

# member ARGUMENTS..., stranger ARGUMENTS...: portcullis on the host, without privilege.
member()
{
	on host setpriv --reuid 12345 --regid 12345 --groups 54321 --bounding-set=-all --inh-caps=-all "$PORTCULLIS" "$@"
}

stranger()
{
	on host setpriv --reuid 12345 --regid 12345 --clear-groups --bounding-set=-all --inh-caps=-all "$PORTCULLIS" "$@"
}

# Before Linux 5.19 only root may use bpf(), unless a sysctl allows it.
need_unprivileged()
{
	run member status
	[[ $output != *'lets only root use BPF'* ]] || skip "$(uname -r) lets only root use BPF"
}

@test "a member reads status, counters, drops, top, flows and show --iface; all is as root sees it" {
	pc attach eth0 -p ssh --forward
	need_unprivileged
	connects client 192.0.2.1 22
	exits 0 member status
	says 'eth0: native, enforce, ssh' 'packets' 'outbound'
	exits 0 member counters eth0
	says '22/tcp'
	exits 0 member flows
	unanswered client 192.0.2.1 23
	exits 0 member drops
	says '192.0.2.2' '23/tcp'
	same "$(pc drops --json)" "$(member drops --json)" 'drops'
	run on host setpriv --reuid 12345 --regid 12345 --groups 54321 --bounding-set=-all --inh-caps=-all \
		/usr/bin/python3 "$ROOT/tests/e2e/terminal.py" 24 80 1.5 "$PORTCULLIS" top
	says 'eth0  enforce' 'ssh:ssh' 'SOURCE'
	exits 1 member drops --clear
	same 1 "$(pc drops --json | jq '.drops | length')" 'drops after a member tried to clear them'
	exits 0 member show --iface eth0
	says '22/tcp'
	same "$(pc status eth0 --json | jq '.interfaces[] | del(.memory, .egress, .bans, .total, .outbound_total)')" \
		"$(member status --json | jq '.interfaces[] | del(.memory, .egress, .bans, .total, .outbound_total)')" 'status'
	output=$(member status --json)
	json_is '.interfaces[0] | .memory == null and .egress == null and .bans == null'
	same "$(pc counters --json | jq '[.interfaces[0].ports[] | select(.port == 22)]')" \
		"$(member counters --json | jq '[.interfaces[0].ports[] | select(.port == 22)]')" 'counters'
	same "$(pc show --iface eth0 --json)" "$(member show --iface eth0 --json)" 'show --iface'
}

@test "a member sees each new generation, what waits to be confirmed, and that a filter is gone" {
	pc attach eth0 -p ssh
	need_unprivileged
	pc swap eth0 -p xeams --confirm 60
	output=$(member status --json)
	json_is '.interfaces[0] | .generation == 2 and .profiles == ["xeams"] and .confirm.state == "waiting"'
	pc confirm
	output=$(member status --json)
	json_is '.interfaces[0].confirm == null'
	pc swap eth0 -p communigate-pro --group trusted=192.0.2.0/24
	output=$(member status --json)
	json_is '.interfaces[0].recipe.groups.trusted == ["192.0.2.0/24"]'
	pc detach eth0
	exits 0 member status
	exits 1 member status eth0
	says 'eth0' 'no filter of portcullis'
}

@test "a member changes nothing: no command, no pin, no map, no program" {
	pc attach eth0 -p ssh
	need_unprivileged
	for words in 'attach eth0 -p ssh' 'swap eth0 -p xeams' 'detach eth0' confirm; do
		# shellcheck disable=SC2086
		exits 1 member $words
		says 'CAP_BPF'
	done
	same '' "$(inside find $PINS -perm /027 ! -perm 750 ! -perm 640)" 'modes'
	same '' "$(inside find $PINS ! -user 0)" 'owners'
	# A member may only open maps, and only to read them: a link could be detached, a program run.
	for pin in link program egress egress_link tries learned came_in marks fragments shared; do
		inside sh -c "ls $PINS/*/$pin" > /dev/null 2>&1 || continue
		same 600 "$(inside sh -c "stat -c %a $PINS/*/$pin")" "$pin"
	done
	cat > "$DIR/meddle.py" <<-'END'
		# Opens each pin for writing and for reading; exits with the number of pins that could be opened for
		# writing, or updates one.
		import ctypes, glob, os, struct, sys, platform
		libc = ctypes.CDLL(None, use_errno=True)
		number = {'x86_64': 321, 'aarch64': 280}[platform.machine()]
		def bpf(command, *fields):
		    attr = ctypes.create_string_buffer(b''.join(fields).ljust(128, b'\0'))
		    return libc.syscall(number, command, attr, 128)
		def get(path, flags):
		    name = ctypes.create_string_buffer(path.encode())
		    return bpf(7, struct.pack('=QII', ctypes.addressof(name), 0, flags))
		write = read = 0
		for path in glob.glob('/sys/fs/bpf/portcullis/*/*'):
		    write += get(path, 0) >= 0
		    write += get(path, 16) >= 0
		    fd = get(path, 8)
		    if fd < 0:
		        continue
		    read += 1
		    key, value = ctypes.create_string_buffer(64), ctypes.create_string_buffer(1 << 20)
		    pointers = struct.pack('=IIQQQ', fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0)
		    write += bpf(2, pointers) >= 0
		    write += bpf(3, pointers) >= 0
		    write += bpf(22, struct.pack('=I', fd)) >= 0
		for path in glob.glob('/sys/fs/bpf/portcullis/*/*') + glob.glob('/sys/fs/bpf/portcullis/*'):
		    for act in (os.unlink, os.rmdir, lambda p: os.rename(p, p + 'x'), lambda p: os.chmod(p, 0o777)):
		        try:
		            act(path)
		            write += 1
		        except OSError:
		            pass
		print(read, write)
	END
	same '12 0' "$(on host setpriv --reuid 12345 --regid 12345 --groups 54321 --bounding-set=-all --inh-caps=-all \
		/usr/bin/python3 "$DIR/meddle.py")" 'what a member can read and write'
	same 1 "$(generation host eth0)" 'generation'
	connects client 192.0.2.1 22
}

@test "who is no member is told what to do, and can read nothing" {
	pc attach eth0 -p ssh
	for words in status counters drops flows 'show --iface eth0'; do
		# shellcheck disable=SC2086
		exits 1 stranger $words
		says 'CAP_BPF' 'usermod -a -G portcullis'
	done
	same '0 0' "$(on host setpriv --reuid 12345 --regid 12345 --clear-groups /usr/bin/python3 "$DIR/meddle.py")" 'what it can do'
}

@test "a group that comes later gets what is there with the next change, one that goes loses it" {
	without_group
	pc attach eth0 -p ssh
	same '700 0' "$(inside stat -c '%a %g' $PINS)" 'mode and group'
	exits 1 member status
	says_not 'usermod'
	with_group
	exits 1 member status
	pc swap eth0 --observe
	same '750 54321' "$(inside stat -c '%a %g' $PINS)" 'mode and group'
	need_unprivileged
	exits 0 member status
	exits 0 member counters
	without_group
	pc swap eth0 --enforce
	same '700 0' "$(inside stat -c '%a %g' $PINS)" 'mode and group'
	exits 1 member status
}

@test "bpffs that systemd closed is opened to the group only, and pins of others stay theirs" {
	pc attach eth0 -p ssh
	pc detach eth0
	inside chown 0:0 /sys/fs/bpf
	inside chmod 0700 /sys/fs/bpf
	pc attach eth0 -p ssh
	same '710 54321' "$(inside stat -c '%a %g' /sys/fs/bpf)" 'mode and group of bpffs'
	need_unprivileged
	exits 0 member status
	exits 1 stranger status
}

# repins: as a member, pins each readable pin again in every folder where that may work, and opens it for writing.
# Prints the pins that could be opened for reading, and for writing.
repins()
{
	cat > "$DIR/repin.py" <<-'END'
		import ctypes, glob, os, struct, platform
		libc = ctypes.CDLL(None, use_errno=True)
		number = {'x86_64': 321, 'aarch64': 280}[platform.machine()]
		def bpf(command, data):
		    return libc.syscall(number, command, ctypes.create_string_buffer(data.ljust(128, b'\0')), 128)
		def at(command, path, fd, flags):
		    name = ctypes.create_string_buffer(path.encode())
		    return bpf(command, struct.pack('=QII', ctypes.addressof(name), fd, flags))
		read = [fd for fd in (at(7, path, 0, 8) for path in glob.glob('/sys/fs/bpf/portcullis/*/*')) if fd >= 0]
		folders = [folder for folder, _, _ in os.walk('/sys/fs/bpf')]
		write = 0
		def repin():
		    global write
		    for fd in read:
		        for folder in folders:
		            path = f'{folder}/repin_{fd}'
		            if at(6, path, fd, 0) >= 0:
		                write += at(7, path, 0, 0) >= 0
		                os.unlink(path)
		repin()
		if libc.unshare(0x10000000 | 0x20000) == 0: # a user namespace, and mounts of its own
		    if libc.mount(b'bpf', b'/tmp', b'bpf', 0, None) == 0:
		        folders = ['/tmp']
		        repin()
		print(len(read), write)
	END
	on host setpriv --reuid 12345 --regid 12345 --groups 54321 --bounding-set=-all --inh-caps=-all \
		/usr/bin/python3 "$DIR/repin.py"
}

@test "what a member can read, he cannot pin anew to write it" {
	need_unprivileged
	inside mountpoint -q /sys/fs/bpf || inside mount -t bpf bpf /sys/fs/bpf
	inside chmod 0700 /sys/fs/bpf
	pc attach eth0 -p ssh
	same '12 0' "$(repins)" 'maps that a member can read and write'
}

@test "a bpffs that others can write: the group gets nothing to read, and the fix is told" {
	inside mountpoint -q /sys/fs/bpf || inside mount -t bpf bpf /sys/fs/bpf
	inside chmod 1777 /sys/fs/bpf
	exits 0 pc attach eth0 -p ssh
	says 'warning: /sys/fs/bpf: others can write' 'chmod 0700 /sys/fs/bpf'
	same '700 0' "$(inside stat -c '%a %g' $PINS)" 'mode and group'
	same '1777 0' "$(inside stat -c '%a %u' /sys/fs/bpf)" 'mode and owner of bpffs'
	same '0 0' "$(repins)" 'maps that a member can read and write'
	inside chmod 0700 /sys/fs/bpf
	exits 0 pc swap eth0 --observe
	says_not 'others can write'
	same '750 54321' "$(inside stat -c '%a %g' $PINS)" 'mode and group'
	inside mkdir -m 0777 /sys/fs/bpf/of-others
	exits 0 pc swap eth0 --enforce
	says 'warning: /sys/fs/bpf/of-others: others can write'
	same '700 0' "$(inside stat -c '%a %g' $PINS)" 'mode and group'
	inside chmod 0700 /sys/fs/bpf/of-others
	inside chown 12345 /sys/fs/bpf/of-others
	exits 0 pc swap eth0 --observe
	says 'warning: /sys/fs/bpf/of-others: others can write' 'chown root /sys/fs/bpf/of-others && chmod 0700 /sys/fs/bpf/of-others'
	inside rmdir /sys/fs/bpf/of-others
}

@test "a folder that a user made, and named as a command, is quoted; one on a mount with a space in its path is found" {
	inside mkdir -p '/run/of others'
	inside mount -t bpf -o mode=0777 bpf '/run/of others'
	exits 0 pc attach eth0 -p ssh
	says 'warning: /run/of others: others can write' "chmod 0700 '/run/of others'"
	inside mkdir "/run/of others/x; touch x"
	inside chown 12345 "/run/of others/x; touch x"
	inside chmod 0700 '/run/of others'
	exits 0 pc swap eth0 --observe
	inside umount '/run/of others'
	says "chown root '/run/of others/x; touch x' && chmod 0700 '/run/of others/x; touch x'"
}

@test "what programs alone write, recipes and groups, no process can write: root neither" {
	pc attach eth0 -p ssh --from ssh:ssh=mine --group mine=192.0.2.0/24
	cat > "$DIR/frozen.py" <<-'END'
		import ctypes, glob, struct, platform
		libc = ctypes.CDLL(None, use_errno=True)
		number = {'x86_64': 321, 'aarch64': 280}[platform.machine()]
		def bpf(command, data):
		    return libc.syscall(number, command, ctypes.create_string_buffer(data.ljust(128, b'\0')), 128)
		for name in 'counters', 'totals', 'carries', 'rare', 'recipe-1':
		    path, = glob.glob(f'/sys/fs/bpf/portcullis/*/{name}')
		    text = ctypes.create_string_buffer(path.encode())
		    fd = bpf(7, struct.pack('=QII', ctypes.addressof(text), 0, 0))
		    key, value = ctypes.create_string_buffer(64), ctypes.create_string_buffer(4096)
		    written = bpf(2, struct.pack('=IIQQQ', fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
		    print(name, fd >= 0, written, ctypes.get_errno())
		path, = glob.glob('/sys/fs/bpf/portcullis/*/tries')
		text = ctypes.create_string_buffer(path.encode())
		fd = bpf(7, struct.pack('=QII', ctypes.addressof(text), 0, 0))
		key, value = ctypes.create_string_buffer(4), ctypes.create_string_buffer(4)
		bpf(1, struct.pack('=IIQQQ', fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
		fd = bpf(14, struct.pack('=III', struct.unpack('=I', value.raw[:4])[0], 0, 0)) # opened by id
		key, value = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
		written = bpf(2, struct.pack('=IIQQQ', fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
		print('prefixes', fd >= 0, written, ctypes.get_errno())
	END
	same "$(printf '%s True -1 1\n' counters totals carries rare recipe-1 prefixes)" \
		"$(inside /usr/bin/python3 "$DIR/frozen.py")" 'what root can write'
	exits 0 pc counters eth0
	exits 0 pc swap eth0 --observe
}
