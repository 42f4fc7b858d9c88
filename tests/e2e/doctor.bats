#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `doctor`: each check says what is wrong, and the command that it names fixes it.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	build_tools
	inside mkdir -p /etc/portcullis
	inside mount -t tmpfs tmpfs /etc/portcullis
}

# FAKE_...=.. nic HOST doctor: runs portcullis with the interfaces of fake_nic.c.
build_tools()
{
	local name

	cc -O2 -D_GNU_SOURCE -shared -fPIC -o "$DIR/fake_nic.so" "$ROOT/tests/e2e/fake_nic.c" -ldl
	cc -O2 -o "$DIR/tcx" "$ROOT/tests/e2e/tcx.c" -lbpf
	for name in foreign foreign_tc; do
		clang -target bpf -mcpu=v3 -O2 -g -idirafter "/usr/include/$(cc -print-multiarch)" -c \
			-o "$DIR/$name.bpf.o" "$ROOT/tests/e2e/$name.bpf.c"
	done
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	local name

	for name in eth0 br0; do
		on host ip link set dev $name xdp off 2> /dev/null || true
	done
	inside chmod 700 "$PINS" 2> /dev/null || true
	inside rm -rf /etc/portcullis/site.yaml '/etc/portcullis/who can' /run/foreign/link /var/lib/portcullis
	inside umount /etc/group 2> /dev/null || true
	inside chown 0:0 /sys/fs/bpf
	inside chmod 0700 /sys/fs/bpf
	detach_all host
	for name in br0 mv0 odd0; do
		on host ip link del $name 2> /dev/null || true
	done
	on host tc qdisc del dev eth0 clsact 2> /dev/null || true
	on host tc qdisc del dev eth0 ingress 2> /dev/null || true
	on host sysctl -qw net.ipv4.ip_forward=0
	on host ip link set dev eth0 mtu 1500 up
}

doctor()
{
	case $PORTCULLIS in
	*/build/portcullis) on host "$PORTCULLIS" doctor "$@" ;;
	*) on host "$PORTCULLIS" doctor --catalog "$CATALOG" "$@" ;;
	esac
}

# faked NAME=VALUE... -- ARGUMENTS: runs doctor with the interfaces of fake_nic.c.
faked()
{
	local settings=()

	while [ "$1" != -- ]; do
		settings+=("$1")
		shift
	done
	shift
	on host env LD_PRELOAD="$DIR/fake_nic.so" "${settings[@]}" "$PORTCULLIS" doctor --catalog "$CATALOG" "$@"
}

# found CHECK STATE [TEXT [FIX]]: $output (JSON) has such a check, and its message and fix contain these texts.
found()
{
	jq -e --arg check "$1" --arg state "$2" --arg text "${3:-}" --arg fix "${4:-}" \
		'any(.checks[]; .check == $check and .state == $state and (.message | contains($text)) and
			($fix == "" or (.fix // "" | contains($fix))))' <<< "$output" > /dev/null ||
		fail "no such check: $*
$(jq -c '.checks[]' <<< "$output")"
}

# sound CHECK: every finding of this check is ok.
sound()
{
	found "$1" ok
	json_is 'all(.checks[]; .check != $check or .state == "ok")' --arg check "$1"
}

# Prints the fix of a check that is not ok.
fix_of()
{
	jq -r --arg check "$1" '[.checks[] | select(.check == $check and .state != "ok" and .fix != null)][0].fix' <<< "$output"
}

# The command without the --catalog that a debug build is given.
bare_fix()
{
	local fix

	fix=$(fix_of "$1")
	echo "${fix%" --catalog $CATALOG"}"
}

# fixes CHECK [ARGUMENTS]: runs the fix in $output on the host, as a shell would; after that, doctor must report the
# check as ok.
fixes()
{
	local check=$1 fix

	shift
	fix=$(fix_of "$check")
	[ "$fix" != null ] || fail "no fix for $check"
	on host env PATH="$(dirname "$PORTCULLIS"):$PATH" sh -c "$fix" > "$DIR/fix.log" 2>&1 ||
		fail "the fix fails: $fix
$(cat "$DIR/fix.log")"
	output=$(doctor --json "$@") || true
	sound "$check"
}

@test "a sound host: all is ok, exit 0, and nothing is made" {
	exits 0 doctor --json
	json_is '.version == 1 and (.checks | length) > 5'
	json_is 'all(.checks[]; .state == "ok" and .fix == null and .interface == null)'
	json_is 'all(.checks[]; (keys | sort) == ["check", "fix", "interface", "message", "state"])'
	for check in privilege kernel btf jit bpffs profiles site-file; do
		found $check ok
	done
	exits 0 doctor
	says 'this host' 'ok       kernel        Linux' 'no interface of this network namespace has one'
	same '' "$(pins)"
}

@test "a filter: its interface is looked at without being named; with a name, that one only" {
	pc attach eth0 -p xeams > /dev/null
	before=$(attached host eth0)
	exits 0 doctor --json
	json_is '[.checks[].interface] | unique == [null, "eth0"]'
	for check in link forwarding native queues mtu lro gro-hw vlan-offload xdp tc-ingress tc-egress filter confirm policy groups egress; do
		sound $check
	done
	found filter ok 'xeams: generation 1'
	exits 0 doctor lo --json
	json_is '[.checks[].interface] | unique == [null, "lo"]'
	found filter warning 'everything passes' 'portcullis attach lo -p PROFILE'
	same "$before" "$(attached host eth0)"
	same 1 "$(generation host eth0)"
}

@test "wrong words: two interfaces are wrong usage, an unknown one is a problem" {
	exits 2 doctor eth0 lo
	exits 1 doctor nope
	says 'problem  link' 'no such interface in this network namespace'
}

@test "an old kernel, and one without BTF" {
	exits 1 on host setarch "$(uname -m)" --uname-2.6 "$PORTCULLIS" doctor --catalog "$CATALOG" --json
	found kernel problem 'Linux 2.6' 'boot Linux 5.10'
	exits 1 on host unshare --mount sh -c "mount -t tmpfs tmpfs /sys/kernel/btf && exec $PORTCULLIS doctor --catalog $CATALOG --json"
	found btf problem '/sys/kernel/btf/vmlinux' CONFIG_DEBUG_INFO_BTF=y
}

# with_sysctl PATH VALUE: runs doctor in this machine's own network namespace, with VALUE in place of the sysctl.
with_sysctl()
{
	echo "$2" > "$DIR/value"
	exits 0 inside unshare --mount sh -c "mount --bind $DIR/value /proc/sys/$1 && exec $PORTCULLIS doctor --catalog $CATALOG --json"
}

@test "the JIT: off, logging, hardened; timed programs" {
	with_sysctl net/core/bpf_jit_enable 1
	sound jit
	with_sysctl net/core/bpf_jit_enable 0
	found jit warning 'is off' 'sysctl -w net.core.bpf_jit_enable=1'
	with_sysctl net/core/bpf_jit_enable 2
	found jit warning 'log' 'sysctl -w net.core.bpf_jit_enable=1'
	with_sysctl net/core/bpf_jit_harden 2
	found jit warning 'constant blinding' 'sysctl -w net.core.bpf_jit_harden=1'
	with_sysctl kernel/bpf_stats_enabled 1
	found jit warning 'times each run' 'sysctl -w kernel.bpf_stats_enabled=0'
}

@test "bpffs: a folder that others can change; a mount namespace of its own" {
	pc attach eth0 -p xeams > /dev/null
	pc detach eth0 > /dev/null
	inside chmod 777 "$PINS"
	exits 1 doctor --json
	found bpffs problem 'mode 0777' "mv $PINS $PINS-old"
	fixes bpffs
	inside rmdir "$PINS-old"
	exits 1 inside bash -c "ip netns exec host $PORTCULLIS doctor --catalog $CATALOG --json; exit \$?"
	found bpffs problem 'ip netns exec' 'nsenter --net=/run/netns/host portcullis'
}

@test "bpffs that others can write: with the administrators' group, and without" {
	{ sed '/^portcullis:/d' /etc/group; echo 'portcullis:x:54321:'; } > "$DIR/group"
	pc attach eth0 -p xeams > /dev/null
	inside chmod 1777 /sys/fs/bpf
	exits 0 doctor --json
	found bpffs warning '(mode 1777): a user who creates /sys/fs/bpf/portcullis before' 'chmod 0700 /sys/fs/bpf'
	json_is '[.checks[] | select(.check == "bpffs")] | length == 1'
	fixes bpffs
	for mode in 0777 0722 0770; do
		inside chmod $mode /sys/fs/bpf
		exits 1 doctor --json
		found bpffs problem "others can move the pins of the filters away (owner 0, mode $mode)" 'chmod 0700 /sys/fs/bpf'
		fixes bpffs
	done
	inside chown 12345 /sys/fs/bpf
	exits 1 doctor --json
	found bpffs problem '(owner 12345, mode ' 'chown root /sys/fs/bpf && chmod 0700 /sys/fs/bpf'
	fixes bpffs

	inside mount --bind "$DIR/group" /etc/group
	inside mkdir -m 0777 /sys/fs/bpf/of-others
	exits 0 doctor --json
	found bpffs warning '/sys/fs/bpf/of-others: others can write to it: the group portcullis gets no read access' \
		'chmod 0700 /sys/fs/bpf/of-others'
	fixes bpffs
	pc swap eth0 --observe > /dev/null
	inside chmod 0755 /sys/fs/bpf/of-others
	exits 0 doctor --json
	sound bpffs
	inside chmod 1777 /sys/fs/bpf
	exits 1 doctor --json
	found bpffs problem '/sys/fs/bpf: others can write to it: a member of the group portcullis could' 'chmod 0700 /sys/fs/bpf'
	fixes bpffs
	# Without the group no member can read pins, so folders of other users do not matter.
	inside umount /etc/group
	inside chmod 1777 /sys/fs/bpf/of-others
	exits 0 doctor --json
	sound bpffs
	inside rmdir /sys/fs/bpf/of-others
}

@test "without root it says what it cannot see; root without a capability is told which" {
	local user=(setpriv --reuid 65534 --regid 65534 --clear-groups)

	chmod 755 "$DIR"
	pc attach eth0 -p xeams > /dev/null
	exits 0 on host "${user[@]}" "$PORTCULLIS" doctor --catalog "$CATALOG" --json
	found privilege warning 'without root' 'sudo portcullis doctor'
	found jit warning 'cannot see'
	found bpffs warning 'cannot see'
	found xdp warning "id $(attached host eth0)" 'sudo'
	found tc warning 'cannot see'
	found kernel ok
	found native ok
	json_is 'all(.checks[]; .state != "problem" and (.check | startswith("tc-") | not))'
	exits 1 on host setpriv --bounding-set -net_admin,-sys_admin,-bpf "$PORTCULLIS" doctor --catalog "$CATALOG" --json
	found privilege problem CAP_NET_ADMIN
}

@test "profiles: an error is shown at its place" {
	mkdir -p "$DIR/catalog"
	printf 'profile: own\ntitle: Own\nservices:\n  - name: a\n    title: A\n    in: 70000/tcp\n' > "$DIR/catalog/own.yaml"
	exits 1 doctor --catalog "$DIR/catalog" --json
	found profiles problem "$DIR/catalog/own.yaml:6:9: port 70000" "portcullis check"
	found profiles problem '' "--catalog $DIR/catalog"
	sed -i s/70000/7000/ "$DIR/catalog/own.yaml"
	exits 0 doctor --catalog "$DIR/catalog" --json
	sound profiles
}

# site TEXT: writes the site file.
site()
{
	inside sh -c 'printf "%b" "$1" > /etc/portcullis/site.yaml' - "$1"
}

@test "site file: errors at their place, undefined groups" {
	site 'interfaces:\n  eth0:\n    profiles: xeam\n'
	exits 1 doctor --json
	found site-file problem '/etc/portcullis/site.yaml:3:15: ' 'portcullis check'
	site 'interfaces:\n  eth0:\n    profiles: ssh\n    from: {ssh:ssh: nobody}\n'
	run doctor --json
	found site-file "$([ "$status" = 0 ] && echo warning || echo problem)" 'site.yaml:'
	site 'groups: {\n'
	exits 1 doctor --json --site /etc/portcullis/site.yaml
	found site-file problem site.yaml
	exits 1 doctor --json --site /etc/portcullis/none.yaml
	found site-file problem none.yaml
}

@test "site file with an error in one part: that interface is named, filtered or not; apply is no fix" {
	site 'interfaces:\n  eth0:\n    profiles: xeam\n  eth7: {profiles: ssh}\n'
	exits 1 doctor --json
	found filter problem 'no filter is attached, although the site file lists this interface' 'portcullis check /etc/portcullis/site.yaml'
	found link problem 'the site file has it' 'make it'
	pc attach eth0 -p ssh
	exits 1 doctor --json
	found site-file problem 'its part of /etc/portcullis/site.yaml has an error' 'portcullis check'
	site 'interfaces:\n  eth0:\n    profiles: ssh\n  eth7: {profiles: xeam}\n'
	exits 1 doctor --json eth0
	found site-file ok 'the attached filter is what'
	json_is 'all(.checks[]; .fix // "" | contains("apply") | not)'
}

@test "site file: an interface without its filter, with another one, or that is not there" {
	site 'interfaces:\n  eth0:\n    profiles: xeams\n'
	exits 1 doctor --json
	found site-file ok valid
	found filter problem 'everything passes' 'portcullis apply'
	fixes filter
	found site-file ok 'is what /etc/portcullis/site.yaml says'
	pc swap eth0 -p ssh > /dev/null 2>&1
	exits 0 doctor --json
	found site-file warning 'differs from' 'portcullis apply'
	fixes site-file
	site 'interfaces:\n  eth7:\n    profiles: xeams\n'
	exits 1 doctor --json
	found link problem 'the site file has it' 'make it, or take it out of /etc/portcullis/site.yaml'
	found site-file warning 'does not list this interface' 'portcullis apply'
	found site-file warning '' --dry-run
	json_is 'all(.checks[]; .check != "link" or .state == "ok" or .interface == "eth7")'
}

@test "link: down, a bridge and its port, a macvlan, a bond's member, a VLAN" {
	on host ip link set dev eth0 down
	exits 0 doctor eth0 --json
	found link warning 'is down' 'ip link set dev eth0 up'
	fixes link eth0
	on host ip link add br0 type bridge
	on host ip link set dev eth0 master br0
	exits 0 doctor br0 --json
	found link ok 'is a bridge'
	exits 0 doctor eth0 --json
	found link warning 'is a port of the bridge br0' '--forward'
	exits 0 faked FAKE_KIND=bridge=bond -- eth0 --json
	found link warning 'is a member of br0' 'portcullis attach br0 -p PROFILE'
	pc attach eth0 -p xeams > /dev/null 2>&1
	exits 0 doctor eth0 --json
	fixes link eth0
	on host ip link set dev eth0 nomaster
	on host ip link add mv0 link eth0 type macvlan
	exits 0 doctor eth0 --json
	found link ok 'carries the macvlan interface mv0'
	exits 0 faked FAKE_KIND=macvlan=vlan -- mv0 --json
	found link warning 'is a VLAN of eth0' 'portcullis attach eth0'
}

@test "forwarding without --forward" {
	on host sysctl -qw net.ipv4.ip_forward=1
	exits 0 doctor eth0 --json
	found forwarding warning 'is on' 'portcullis attach eth0 -p PROFILE --forward'
	pc attach eth0 -p xeams > /dev/null 2>&1
	exits 0 doctor --json
	found forwarding warning 'is on' 'portcullis swap eth0 --forward'
	fixes forwarding
}

@test "queues: fewer than CPUs; more than half, where the driver needs the rest" {
	on host ip link add mv0 link eth0 type macvlan
	exits 0 faked FAKE_KIND=macvlan= FAKE_DRIVER=virtio_net FAKE_QUEUES=1/8 -- mv0 --json
	found queues warning '1 in use' "ethtool -L mv0 combined $(($(nproc) < 8 ? $(nproc) : 8))"
	exits 0 faked FAKE_KIND=macvlan= FAKE_DRIVER=virtio_net FAKE_QUEUES=1/1 -- mv0 --json
	sound queues
	exits 0 faked FAKE_KIND=macvlan= FAKE_DRIVER=ena FAKE_QUEUES=8/8 -- mv0 --json
	found queues warning 'at most half' "ethtool -L mv0 combined $(($(nproc) < 4 ? $(nproc) : 4))"
	exits 0 faked FAKE_DRIVER=ena FAKE_QUEUES=4/8 -- mv0 --json
	sound queues
	exits 0 faked FAKE_DRIVER=gve FAKE_SPLIT=1 FAKE_QUEUES=3/4 -- mv0 --json
	found queues warning 'at most half' 'ethtool -L mv0 rx 2 tx 2'
}

@test "MTU, LRO and GRO-HW against native XDP" {
	on host ip link set dev eth0 mtu 6000
	exits 0 faked FAKE_XDP=1 -- eth0 --json
	found mtu warning 'only for frames of one buffer' 'ip link set dev eth0 mtu 1500'
	exits 0 faked FAKE_XDP=33 -- eth0 --json
	sound mtu
	exits 0 faked FAKE_XDP=33 FAKE_DRIVER=gve -- eth0 --json
	found mtu warning 'up to about 2032' 'ip link set dev eth0 mtu 1500'
	exits 0 faked FAKE_XDP=1 -- eth0 --json
	fixes mtu eth0
	exits 0 faked FAKE_ON=rx-lro -- eth0 --json
	found lro warning 'is on' 'ethtool -K eth0 lro off'
	exits 0 faked FAKE_ON=rx-gro-hw -- eth0 --json
	found gro-hw warning 'is on' 'ethtool -K eth0 rx-gro-hw off'
	sound lro
	exits 0 faked FAKE_FIXED=rx-lro -- eth0 --json
	found lro warning 'cannot turn it off'
	json_is 'all(.checks[]; .check != "lro" or .fix == null)'
	exits 0 faked FAKE_FIXED=rx-gro-hw FAKE_DRIVER=virtio_net -- eth0 --json
	found gro-hw warning 'cannot turn it off' 'guest_tso4=off'
}

@test "Hyper-V: LRO has to be off; a virtual function is filtered with its NIC" {
	exits 0 faked FAKE_DRIVER=hv_netvsc FAKE_XDP=1 FAKE_ON=rx-lro -- eth0 --json
	found lro warning 'hv_netvsc refuses native XDP with it' 'ethtool -K eth0 lro off'
	json_is 'all(.checks[]; .check != "vf")'
	# A bridge and its port, which report other kinds.
	on host ip link add hv0 type bridge
	on host ip link add vf0 type veth peer vf1
	on host ip link set vf0 master hv0 up
	exits 0 faked FAKE_KIND=bridge= FAKE_DRIVER=hv_netvsc -- hv0 --json
	found vf ok 'vf0 carries its packets'
	exits 0 faked FAKE_KIND=bridge= FAKE_DRIVER=hv_netvsc -- vf0 --json
	found link warning 'is the virtual function of hv0' 'hv0'
	on host ip link del vf0
	on host ip link del hv0
}

@test "VLAN offload, where there are VLANs" {
	exits 0 doctor eth0 --json
	found vlan-offload ok 'no VLAN'
	on host ip link add mv0 link eth0 type macvlan
	exits 0 faked FAKE_KIND=macvlan=vlan -- eth0 --json
	found vlan-offload warning 'is on' 'ethtool -K eth0 rxvlan off'
	fixes vlan-offload eth0
	exits 0 faked FAKE_KIND=macvlan=vlan -- eth0 --json
	found vlan-offload ok 'sees the tags'
	on host ethtool -K eth0 rxvlan on
}

@test "generic mode although the driver has native XDP: attached anew by the recipe as it was" {
	pc attach eth0 -p xeams,ssh --mode generic --enable xeams:imap --disable xeams:smtp --from ssh:ssh=trusted \
		--open 587/tcp=trusted --open 5060/tcp+udp --disable site:5060-udp --from xeams:smtp=anyone --set ssh:ssh=2222/tcp --group trusted=192.0.2.0/24,2001:db8::/32 --outbound enforce --echo-limit 7 > /dev/null
	before=$(pc status eth0 --json | jq -S '.interfaces[0].recipe')
	exits 0 doctor --json
	found native warning 'generic' 'portcullis detach eth0 && portcullis attach eth0 -p xeams,ssh'
	fixes native
	same "$before" "$(pc status eth0 --json | jq -S '.interfaces[0].recipe')"
	same native "$(pc status eth0 --json | jq -r '.interfaces[0].mode')"
	exits 0 faked FAKE_XDP=0 -- lo --json
	found native warning 'has no native XDP'
}

@test "an XDP program of others, by netlink and by a link" {
	on host ip link set dev eth0 xdp obj "$DIR/foreign.bpf.o" sec xdp
	exits 1 doctor eth0 --json
	found xdp problem "'somebody_elses', id $(attached host eth0)" 'ip link set dev eth0 xdp off'
	fixes xdp eth0
	on host ip link set dev eth0 xdpgeneric obj "$DIR/foreign.bpf.o" sec xdp
	exits 1 doctor eth0 --json
	fixes xdp eth0
	inside mkdir -p /run/foreign
	inside mountpoint -q /run/foreign || inside mount -t bpf -o mode=0700 bpf /run/foreign
	inside bpftool prog load "$DIR/foreign.bpf.o" /run/foreign/xdp
	on host "$DIR/tcx" xdp /run/foreign/xdp eth0 /run/foreign/link
	exits 1 doctor eth0 --json
	found xdp problem "'somebody_elses'" 'bpftool link detach id'
	fixes xdp eth0
	inside rm /run/foreign/xdp /run/foreign/link
}

@test "TC programs of others: named; one that runs before ours" {
	on host tc qdisc add dev eth0 clsact
	on host tc filter add dev eth0 ingress bpf da obj "$DIR/foreign_tc.bpf.o" sec tc
	on host tc filter add dev eth0 egress bpf da obj "$DIR/foreign_tc.bpf.o" sec tc
	pc attach eth0 -p xeams > /dev/null
	exits 0 doctor --json
	found tc-ingress ok 'programs of others run here'
	found tc-egress ok 'id '
	sound tc-egress
	on host tc qdisc del dev eth0 clsact
	exits 0 doctor --json
	found tc-ingress ok 'no program of others'
	inside mkdir -p /run/foreign
	inside mountpoint -q /run/foreign || inside mount -t bpf -o mode=0700 bpf /run/foreign
	inside bpftool prog load "$DIR/foreign_tc.bpf.o" /run/foreign/program
	needs_tcx
	on host "$DIR/tcx" attach /run/foreign/program eth0 /run/foreign/link
	exits 0 doctor --json
	sound tc-egress
	found tc-egress ok 'programs of others run here'
	on host "$DIR/tcx" detach /run/foreign/link # ends at once, which removing its pin does not cause
	inside rm /run/foreign/link
	on host "$DIR/tcx" before /run/foreign/program eth0 /run/foreign/link
	exits 0 doctor --json
	found tc-egress warning 'before the filter' 'portcullis detach eth0 && portcullis attach eth0 -p xeams'
	fixes tc-egress
	inside rm /run/foreign/link /run/foreign/program
}

@test "an ingress qdisc in the place of clsact, on a kernel without tcx" {
	on host tc qdisc add dev eth0 ingress
	exits 0 doctor eth0 --json
	sound tc-egress
	exits 1 faked FAKE_NO_TCX=1 -- eth0 --json
	found tc-egress problem 'needs clsact' 'tc qdisc del dev eth0 ingress'
	fixes tc-egress eth0
}

@test "the egress side missing; pins missing" {
	pc attach eth0 -p xeams > /dev/null
	needs_tcx
	inside "$DIR/tcx" detach "$(pins)/egress_link"
	exits 1 doctor --json
	found egress problem 'neither learned nor filtered' 'portcullis swap eth0'
	fixes egress
	inside rm "$(pins)/tries"
	exits 1 doctor --json
	found filter problem 'pins are missing' 'portcullis detach eth0 &&'
	pc detach eth0 > /dev/null
}

@test "another version's filter, of an older layout, a newer one, and ours" {
	needs_layout 3
	on host "$TOOLS/portcullis-layout-3" attach eth0 -p xeams --catalog "$TOOLS/profiles-layout-3" > /dev/null
	exits 1 doctor --json
	found filter problem 'an older version' 'portcullis swap eth0'
	fixes filter
	pc detach eth0 > /dev/null
	on host "$TOOLS/portcullis-layout-4" attach eth0 -p xeams --catalog "$CATALOG" > /dev/null
	exits 0 doctor --json
	found filter warning 'its program is of version 0.0.9' 'portcullis swap eth0'
	fixes filter
	pc detach eth0 > /dev/null
	on host "$TOOLS/portcullis-layout-5" attach eth0 -p xeams --disable xeams:smtp --catalog "$CATALOG" > /dev/null
	exits 1 doctor --json
	found filter problem 'a newer version' 'attach eth0 -p xeams --disable xeams:smtp'
	fixes filter
}

@test "what a killed swap left" {
	pc attach eth0 -p xeams > /dev/null
	# Fails the unlink of the old generation's pin, after the switch.
	on host strace -qq -o /dev/null -e trace=unlink,unlinkat -e inject=unlink,unlinkat:signal=KILL "$PORTCULLIS" \
		swap eth0 -p xeams,ssh --catalog "$CATALOG" > /dev/null 2>&1 || true
	exits 0 doctor --json
	found filter warning 'an interrupted command left generation 1 behind' 'portcullis swap eth0'
	fixes filter
}

@test "outbound: enforced for nothing, for what is listed, and for a product that sends everything" {
	pc attach eth0 -p ssh --outbound enforce > /dev/null
	exits 0 doctor --json
	found outbound warning 'no profile lists an open outgoing port' 'portcullis swap eth0 --outbound track'
	fixes outbound
	pc swap eth0 -p ssh,host --outbound enforce > /dev/null
	exits 0 doctor --json
	found outbound ok 'packets that no outgoing service lists are not sent'
	pc swap eth0 -p communigate-pro,ssh > /dev/null
	exits 0 doctor --json
	found outbound ok 'everything may go out: outbound any of communigate-pro'
}

@test "observe drops nothing; groups that nobody defined" {
	pc attach eth0 -p xeams --observe > /dev/null
	exits 0 doctor --json
	found policy warning 'nothing is dropped' 'portcullis swap eth0 --enforce'
	fixes policy
	pc swap eth0 -p contact-expert-core > /dev/null 2>&1
	exits 0 doctor --json
	found groups warning 'contact-expert-core:server-agent' \
		'portcullis swap eth0 --group contact-expert-servers=PREFIX --group contact-expert-clients=PREFIX'
	pc swap eth0 --group contact-expert-servers=192.0.2.0/24 --group contact-expert-clients=192.0.2.0/24 > /dev/null 2>&1
	exits 0 doctor --json
	sound groups
}

@test "time left to confirm, and what was not confirmed" {
	pc attach eth0 -p xeams --confirm 60 > /dev/null
	exits 0 doctor --json
	found confirm warning 's left to confirm the attach, then everything passes' 'portcullis confirm eth0'
	fixes confirm
	pc swap eth0 -p ssh --force --confirm 4 > /dev/null 2>&1
	exits 0 doctor --json
	found confirm warning 'then generation 1 is active again' 'portcullis confirm eth0'
	sleep 4.2
	exits 1 doctor --json
	found confirm problem 'not confirmed in time: generation 1 is active again; the fix makes it permanent'
	same 'portcullis swap eth0' "$(bare_fix confirm)"
	fixes confirm
	same '["xeams"]' "$(pc status eth0 --json | jq -c '.interfaces[0].profiles')"
}

# attach_late ARGUMENTS..: attaches with --confirm, and lets the deadline pass.
attach_late()
{
	pc attach eth0 --force --confirm 1 "$@" > /dev/null 2>&1
	sleep 1.2
	exits 1 doctor --json
	found confirm problem 'everything passes'
}

@test "an attach that was not confirmed: once more, under its own policy, not the stand-in's" {
	attach_late -p xeams
	same 'portcullis attach eth0 -p xeams' "$(bare_fix confirm)"
	json_is 'all(.checks[]; .fix // "" | contains("--observe") | not)'
	fixes confirm
	same enforce "$(pc status eth0 --json | jq -r '.interfaces[0].recipe.policy')"
	pc detach eth0 > /dev/null
	attach_late -p xeams --observe
	same 'portcullis attach eth0 -p xeams --observe' "$(bare_fix confirm)"
}

@test "not confirmed, with a site file: one fix" {
	site 'interfaces:\n  eth0:\n    profiles: ssh\n'
	attach_late -p ssh
	same 'portcullis apply' "$(bare_fix confirm)"
	json_is '[.checks[] | select(.check == "site-file" and .interface == "eth0")] == []'
	fixes confirm
	site 'interfaces:\n  eth0:\n    profiles: xeams\n'
	pc apply --force --confirm 1 > /dev/null 2>&1
	sleep 1.2
	exits 1 doctor --json
	found confirm problem 'not confirmed in time'
	same 'portcullis swap eth0' "$(bare_fix confirm)"
	found site-file problem '/etc/portcullis/site.yaml was applied and not confirmed' 'cp /var/lib/portcullis/confirmed/site.yaml'
	found site-file warning 'differs from /etc/portcullis/site.yaml'
	json_is 'all(.checks[]; .fix // "" | test("apply|boot") | not)'
	fixes confirm
	found site-file problem 'was applied and not confirmed'
}

@test "a site file that was reverted is a problem; its fix is what was confirmed, with or without a filter" {
	site 'interfaces:\n  eth0: {profiles: ssh}\n'
	pc apply > /dev/null 2>&1
	site 'interfaces:\n  eth0: {profiles: xeams}\n'
	pc apply --confirm 30 --force > /dev/null 2>&1
	exits 0 doctor --json
	found confirm warning 'left to confirm' 'portcullis confirm eth0'
	json_is 'all(.checks[]; .message | contains("was applied and not") | not)'
	pc detach eth0
	exits 1 doctor --json
	found filter problem 'no filter is attached, although the site file lists this interface' 'cp /var/lib/portcullis/confirmed/site.yaml'
	json_is 'all(.checks[]; .fix // "" | test("apply|boot") | not)'
	on host env PATH="$(dirname "$PORTCULLIS"):$PATH" sh -c "$(jq -r '[.checks[] | select(.check == "site-file")][0].fix' <<< "$output")"
	exits 1 doctor --json
	found site-file ok valid
	exits 0 pc apply --boot
	exits 0 doctor --json
	found site-file ok 'is what /etc/portcullis/site.yaml says'
}

@test "a site file that others can write or own: its fix is the chmod or chown; one that only root reads" {
	site 'groups:\n  trusted: "@who can"\n'
	inside sh -c 'echo 192.0.2.0/24 > "/etc/portcullis/who can"; chmod 666 "/etc/portcullis/who can"'
	exits 1 doctor --json
	found site-file problem '/etc/portcullis/site.yaml:2:12: refused: others can write /etc/portcullis/who can (mode 0666)'
	same "chmod go-w '/etc/portcullis/who can'" "$(bare_fix site-file)"
	fixes site-file
	inside chown 65534 /etc/portcullis/site.yaml
	exits 1 doctor --json
	found site-file problem 'belongs to user 65534'
	same 'chown root /etc/portcullis/site.yaml' "$(bare_fix site-file)"
	fixes site-file
	inside chmod 600 /etc/portcullis/site.yaml
	exits 0 on host setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" doctor --catalog "$CATALOG" --json
	found site-file warning 'Permission denied'
	same 'sudo portcullis doctor' "$(bare_fix site-file)"
}

@test "a member of the administrators' group: the filter is seen; the egress side, which is root's alone, is no problem" {
	{ sed '/^portcullis:/d' /etc/group; echo 'portcullis:x:54321:'; } > "$DIR/group"
	inside mount --bind "$DIR/group" /etc/group
	chmod 755 "$DIR"
	pc attach eth0 -p xeams > /dev/null
	run on host setpriv --reuid 12345 --regid 12345 --groups 54321 --bounding-set=-all --inh-caps=-all "$PORTCULLIS" \
		doctor --catalog "$CATALOG" --json
	inside umount /etc/group
	json_is 'any(.checks[]; .message | contains("xeams: generation 1"))' || skip "this kernel lets only root use BPF"
	same 0 "$status"
	found privilege warning 'the programs of others and the egress side cannot be seen' 'sudo portcullis doctor'
	found egress warning 'only root can see' 'sudo portcullis doctor'
	json_is 'all(.checks[]; .state != "problem")'
	exits 0 doctor --json
	sound egress
}

@test "odd names are quoted for the shell" {
	on host ip link add 'a;b$(c)' type veth peer name odd0
	exits 0 doctor 'a;b$(c)' --json
	found link warning 'is down' "ip link set dev 'a;b\$(c)' up"
	fixes link 'a;b$(c)'
}

@test "alternative names, also in the site file: the real one is shown" {
	on host ip link property add dev eth0 altname a-name-longer-than-fifteen
	pc attach eth0 -p xeams > /dev/null
	site 'interfaces:\n  a-name-long:\n    profiles: xeams\n'
	on host ip link property add dev eth0 altname a-name-long
	exits 0 doctor a-name-longer-than-fifteen --json
	json_is '[.checks[].interface] | unique == [null, "eth0"]'
	exits 0 doctor --json
	json_is '[.checks[].interface] | unique == [null, "eth0"]'
	found site-file ok 'is what /etc/portcullis/site.yaml says'
	on host ip link property del dev eth0 altname a-name-longer-than-fifteen altname a-name-long
}
