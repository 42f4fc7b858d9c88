#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `apply`: the host becomes what the site file says, all of it or nothing.

load helper
load traffic

setup_file()
{
	sandbox_start
	two_hosts
	link_add host eth1 client eth1
	address_add host eth1 198.51.100.1/24
	address_add client eth1 198.51.100.2/24
	for port in 22 25 143; do
		in_background host socat "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" SYSTEM:'echo hello'
		until_true 5 listening host $port
	done
	SITE=$DIR/site.yaml
	export SITE
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host
}

# Writes the site file.
site()
{
	cat > "$SITE"
}

# applies CODE OPTION...: apply exits with CODE.
applies()
{
	exits "$1" pc apply --site "$SITE" "${@:2}"
}

# connected_to HOST PORT: the client keeps a connection to it.
connected_to()
{
	on "$1" ss -Htn state established "sport = :$2" | grep -q .
}

# The attached filters: "eth0:ssh+xeams eth1:ssh".
state()
{
	pc status --json | jq -r '[.interfaces[] | "\(.name):\(.profiles | join("+")):\(.policy)"] | sort | join(" ")'
}

has_state()
{
	[ "$(state)" = "$1" ]
}

@test "attaches, swaps and detaches what differs, and leaves the rest alone" {
	local before

	site <<-END
		groups:
		  admins: [192.0.2.2]
		interfaces:
		  eth0:
		    profiles: [ssh, xeams]
		    from: {ssh:ssh: admins}
		  eth1:
		    profiles: ssh
		    observe: true
	END
	applies 0
	says 'eth0: native, enforce, ssh + xeams' 'eth1: native, observe, ssh'
	same 'eth0:ssh+xeams:enforce eth1:ssh:observe' "$(state)"
	connects client 192.0.2.1 22
	unanswered client 192.0.2.1 143
	before=$(attached host eth0)

	applies 0
	says 'eth0: is as the site file says' 'eth1: is as the site file says'
	same 1 "$(generation host eth0)" 'generation'

	site <<-END
		groups:
		  admins: [203.0.113.0/24]
		interfaces:
		  eth0:
		    profiles: [ssh, xeams]
		    enable: imap
		    from: {ssh:ssh: admins}
	END
	applies 0 --dry-run
	says 'opens   143/tcp from anyone (xeams:imap)' 'changes 22/tcp (ssh:ssh): + 203.0.113.0/24, - 192.0.2.2/32' 'eth0: would swap' 'eth1: would detach'
	same 'eth0:ssh+xeams:enforce eth1:ssh:observe' "$(state)"
	applies 0
	says 'opens   143/tcp' 'eth1: detached; everything passes'
	same 'eth0:ssh+xeams:enforce' "$(state)"
	same "$before" "$(attached host eth0)" 'program'
	connects client 192.0.2.1 143
	unanswered client 192.0.2.1 22
	connects client 198.51.100.1 143

	site <<< 'interfaces: {}'
	applies 0
	same '' "$(state)"
	same '' "$(pins)" 'pins'
}

@test "dry run with nothing attached: what would open, service by service, and nothing is made" {
	site <<-END
		interfaces:
		  eth0: {profiles: xeams}
	END
	applies 0 --dry-run
	says 'eth0: would attach' 'opens   25/tcp from anyone (xeams:smtp)'
	same '' "$(attached host eth0)" 'program'
}

@test "all or nothing: an interface that another program holds keeps everything as it is" {
	pc attach eth0 -p ssh
	on host ip link set dev eth1 xdpgeneric object "$TOOLS/foreign.bpf.o" section xdp
	site <<-END
		interfaces:
		  eth0: {profiles: xeams}
		  eth1: {profiles: ssh}
	END
	applies 1
	says 'eth1: another XDP program is attached' 'nothing was changed'
	same 'eth0:ssh:enforce' "$(state)"
	same 1 "$(generation host eth0)" 'generation'
	on host ip link set dev eth1 xdpgeneric off
}

@test "all or nothing: of two that are detached the second fails, and the first judges on" {
	local at

	site <<-END
		interfaces:
		  eth1: {profiles: ssh}
	END
	link_add host eth2 client eth2
	for name in eth0 eth1 eth2; do
		pc attach $name -p ssh
	done
	on host "$TOOLS/faults" -l "$DIR/points" "$PORTCULLIS" apply --site "$SITE" --catalog "$CATALOG"
	at=$(grep -o '^bpf:MAP_DELETE_ELEM:[0-9]* generations' "$DIR/points" | sed -n '2s/ .*//p')
	[ -n "$at" ] || fail 'two are not detached'
	pc attach eth0 eth2 -p ssh
	exits 1 on host "$TOOLS/faults" -e "EPERM@$at" "$PORTCULLIS" apply --site "$SITE" --catalog "$CATALOG"
	says 'every interface is as it was'
	same 'eth0:ssh:enforce eth1:ssh:enforce eth2:ssh:enforce' "$(state)"
	unanswered client 192.0.2.1 25
	connects client 192.0.2.1 22
	exits 0 pc detach eth2
	on host ip link del eth2
}

@test "all or nothing: of three that are loaded at a time the kernel refuses one, and nothing of them is left" {
	local at program i

	for i in 2 3 4; do
		link_add host eth$i client eth$i
	done
	pc attach eth0 -p ssh
	program=$(attached host eth0)
	site <<-END
		interfaces:
		  eth0: {profiles: ssh}
		  eth2: {profiles: ssh}
		  eth3: {profiles: xeams}
		  eth4: {profiles: ssh}
	END
	on host "$TOOLS/faults" -l "$DIR/points" "$PORTCULLIS" apply --site "$SITE" --catalog "$CATALOG" --force
	same 'eth0:ssh:enforce eth2:ssh:enforce eth3:xeams:enforce eth4:ssh:enforce' "$(state)"
	pc detach eth2 eth3 eth4
	# Each program needs a stub and itself: the kernel accepts what a thread loads, and libbpf need not try alone.
	same 6 "$(grep -c '^bpf:PROG_LOAD:[0-9]* portcullis$' "$DIR/points")"
	# Fail from the middle of the programs on, so that at most two interfaces get theirs.
	at=$(awk '$1 ~ /PROG_LOAD/ && $2 ~ /^portcullis/ { point[++n] = $1 } END { print point[int(n / 2) + 1] }' "$DIR/points")
	exits 1 on host "$TOOLS/faults" -i "$DIR/ids" -e "EPERM@$at+" "$PORTCULLIS" apply --site "$SITE" --catalog "$CATALOG" --force
	says 'nothing was changed: every interface is as it was'
	same 1 "$(grep -c 'the kernel refuses the BPF program: Operation not permitted' <<< "$output")"
	same "$program" "$(attached host eth0)"
	same eth0:ssh:enforce "$(state)"
	same 1 "$(pins | wc -l)"
	"$TOOLS/wait_for_objects" "$DIR/ids" 0
	for i in 2 3 4; do
		[ -z "$(attached host eth$i)" ]
		on host ip link del eth$i
	done
}

@test "at boot an interface that another program holds is left out, and named; the others get their filter" {
	on host ip link set dev eth1 xdpgeneric object "$TOOLS/foreign.bpf.o" section xdp
	site <<-END
		interfaces:
		  eth1: {profiles: ssh}
		  eth0: {profiles: xeams}
	END
	applies 4 --boot
	says 'eth1: another XDP program is attached' 'eth1: left out' 'eth0: native, enforce'
	says_not 'nothing was changed'
	same 'eth0:xeams:enforce' "$(state)"
	unanswered client 192.0.2.1 143
	on host ip link set dev eth1 xdpgeneric off
	applies 0 --boot
	same 'eth0:xeams:enforce eth1:ssh:enforce' "$(state)"
}

@test "a stranger's connection to a watched port is a warning; at boot what would stop apply is one, too" {
	site <<-END
		interfaces:
		  eth0: {profiles: xeams}
	END
	start server host socat TCP4-LISTEN:5900,fork,reuseaddr PIPE
	until_true 5 listening host 5900
	start stranger client socat TCP4:192.0.2.1:5900 EXEC:'sleep 60'
	until_true 5 connected_to host 5900
	applies 0
	says 'open connections continue, but new ones will be refused: 1 to 5900/tcp at eth0'
	same 'eth0:xeams:enforce' "$(state)"
	unanswered client 192.0.2.1 5900
	detach_all host
	# No interface admits it any more: that is only a warning at boot.
	echo '  eth1: {profiles: xeams}' >> "$SITE"
	applies 1
	says 'the server on 5900/tcp would become unreachable' 'refused, nothing was changed'
	same '' "$(state)"
	applies 0 --boot
	says 'warning: eth0: the server on 5900/tcp would become unreachable' '1 to 5900/tcp at eth0'
	same 'eth0:xeams:enforce eth1:xeams:enforce' "$(state)"
}

@test "an error of the file stands at its place, and nothing is done" {
	site <<-END
		interfaces:
		  eth0:
		    profiles: [ssh, xeasm]
		    enable: nonsense
	END
	applies 1
	says "$SITE:3:" 'xeasm' 'did you mean'
	same '' "$(state)"
	exits 1 pc apply --site "$DIR/none.yaml"
	says 'none.yaml' 'there is no site file; copy the sample, /usr/share/doc/portcullis/examples/site.yaml'
}

@test "a file of groups only detaches nothing; nor does one whose change is to be confirmed" {
	pc attach eth0 -p xeams --force
	site <<< 'groups: {admins: [192.0.2.2]}'
	applies 1
	says "key 'interfaces' is missing" 'interfaces: {}'
	site <<< 'interfaces: {eth1: {profiles: ssh}}'
	applies 1 --confirm 20
	says 'eth0 would be detached, which --confirm cannot undo'
	same 'eth0:xeams:enforce' "$(state)"
	applies 0
	same 'eth1:ssh:enforce' "$(state)"
}

@test "what is as the file says but waits to be confirmed: said so, a new deadline; at boot it goes on to wait" {
	site <<< 'interfaces: {eth0: {profiles: [ssh, xeams], confirm: 60}}'
	applies 0
	applies 0
	says 'is as the site file says, but not confirmed yet'
	applies 0 --confirm 30
	says 'not confirmed yet' '30 s'
	applies 0 --boot
	says 'eth0: left as it is: a change is not confirmed yet'
	applies 0 --boot eth0
	same '' "$output"
	exits 0 pc confirm
	applies 0 --boot
	same null "$(pc status eth0 --json | jq -c '.interfaces[0].confirm')"
	same 'eth0:ssh+xeams:enforce' "$(state)"
}

@test "a size of the flow map that is not there is refused" {
	pc attach eth0 -p ssh
	site <<< 'interfaces: {eth0: {profiles: ssh, flows: 1000}}'
	applies 1
	says 'has maps of 65536 flows, and the site file wants 1000'
	pc detach eth0
	site <<< 'interfaces: {eth0: {profiles: ssh, flows: 1000}, eth1: {profiles: ssh, flows: 2000}}'
	applies 1
	says 'all interfaces of a network namespace share one flow table'
	same '' "$(pins)" 'pins'
}

@test "attach, swap and show use the groups of the file; --group goes before it" {
	site <<-END
		groups:
		  admins: [192.0.2.2]
	END
	exits 0 pc show ssh --from ssh:ssh=admins --site "$SITE"
	says 'admins' 'open'
	says_not 'closed'
	exits 0 pc attach eth0 -p ssh --from ssh:ssh=admins --site "$SITE"
	connects client 192.0.2.1 22
	site <<-END
		groups:
		  admins: [203.0.113.7]
	END
	exits 0 pc swap eth0 --site "$SITE"
	says 'changes 22/tcp (ssh:ssh): + 203.0.113.7/32, - 192.0.2.2/32'
	unanswered client 192.0.2.1 22
	exits 0 pc swap eth0 --site "$SITE" --group admins=192.0.2.0/24
	connects client 192.0.2.1 22
	# SSH open to anyone gives a warning.
	exits 0 pc swap eth0 --site "$SITE" --group admins=0.0.0.0/0
	says 'changes 22/tcp (ssh:ssh): + 0.0.0.0/0, - 192.0.2.0/24; that is anyone over IPv4' \
		'warning: 22/tcp is open to anyone over IPv4 by ssh:ssh'
	exits 0 pc swap eth0 --site "$SITE" --group admins=0.0.0.0/0,::/1,8000::/1
	says 'changes 22/tcp (ssh:ssh): + ::/1, + 8000::/1; that is anyone' 'warning: 22/tcp is open to anyone by ssh:ssh'
	exits 1 pc attach eth1 -p ssh --site "$DIR/none.yaml"
	says 'none.yaml'
}

@test "confirm: from the file, or from the command" {
	site <<-END
		interfaces:
		  eth0: {profiles: xeams, confirm: 5}
		  eth1: {profiles: xeams}
	END
	# No client could reach 22/tcp through eth1 any more, because eth1 falls back to no filter.
	exits 1 pc apply --site "$SITE"
	says 'the server on 22/tcp would become unreachable'
	applies 0 --force
	same '["waiting",null]' "$(pc status --json | jq -c '[.interfaces[] | .confirm // empty | .state] + [.interfaces[1].confirm]')"
	CONNECT_TIMEOUT=1 until_true 30 connects client 192.0.2.1 22
	unanswered client 198.51.100.1 22
	applies 0 --confirm 60
	says 'eth0: the attach was not confirmed in time: detached' 'eth0: not confirmed yet: in 60 s'
	exits 0 pc confirm
	unanswered client 192.0.2.1 22
	detach_all host
	applies 2 --boot --confirm 3
	applies 0 --boot --force
	says_not 'not confirmed yet'
	sleep 5.1
	unanswered client 192.0.2.1 22
}

@test "an interface that is not there: an error, or with --wait it is waited for, and left out in the end" {
	site <<-END
		interfaces:
		  eth0: {profiles: xeams}
		  late0: {profiles: ssh}
	END
	applies 1
	says 'late0: no such interface' '--wait TIME' 'nothing was changed'
	same '' "$(state)"
	applies 1 --wait 1
	says 'late0: no such interface' 'left out'
	same 'eth0:xeams:enforce' "$(state)"
	(sleep 1; on host ip link add late0 type veth peer name late1) &
	applies 0 --wait 10
	same 'eth0:xeams:enforce late0:ssh:enforce' "$(state)"
	wait
	pc detach late0
	on host ip link del late0
}

@test "at boot the interfaces that are there do not wait for one that is not" {
	site <<-END
		interfaces:
		  late0: {profiles: ssh}
		  eth0: {profiles: xeams}
	END
	in_background host "$PORTCULLIS" apply --boot --wait 60 --site "$SITE" --catalog "$CATALOG"
	until_true 10 has_state 'eth0:xeams:enforce'
	unanswered client 192.0.2.1 143
	on host ip link add late0 type veth peer name late1
	until_true 10 has_state 'eth0:xeams:enforce late0:ssh:enforce'
	pc detach late0
	on host ip link del late0
}

@test "after suspend the programs are put into their drivers again, and nothing else changes" {
	local before

	site <<-END
		interfaces:
		  eth0: {profiles: xeams, confirm: 600}
		  eth1: {profiles: ssh, mode: generic}
	END
	applies 0
	before=$(attached host eth0)$(pc status --json | jq -S 'del(.. | .seconds_left?, .uptime?)')
	exits 0 inside strace -f -qq -e trace=bpf -o "$DIR/trace" nsenter --net=/run/netns/host "$PORTCULLIS" apply --resumed
	same '' "$output"
	# First another tool's program, then ours in generic mode, which is in no driver.
	same 2 "$(grep -c 'BPF_LINK_UPDATE.*= 0$' "$DIR/trace")" 'updates of links'
	same "$before" "$(attached host eth0)$(pc status --json | jq -S 'del(.. | .seconds_left?, .uptime?)')"
	unanswered client 192.0.2.1 143
	exits 2 on host "$PORTCULLIS" apply --resumed eth0
	says 'apply: --resumed takes no interfaces and no other options'
	pc detach eth0 eth1
	exits 0 on host "$PORTCULLIS" apply --resumed
}

# tells_systemd STATUS COMMAND...: the command sets this status line of the unit.
tells_systemd()
{
	local wanted=$1 listener

	shift
	rm -f "$DIR/notify" "$DIR/line"
	timeout 30 socat -u "UNIX-RECVFROM:$DIR/notify" "CREATE:$DIR/line" 3>&- &
	listener=$!
	until_true 10 test -S "$DIR/notify"
	NOTIFY_SOCKET=$DIR/notify "$@"
	wait $listener
	same "STATUS=$wanted" "$(cat "$DIR/line")"
}

@test "at boot the unit's status line tells what comes later from what was left out" {
	site <<-END
		interfaces:
		  late0: {profiles: ssh}
		  br0: {profiles: ssh, mode: native}
		  eth0: {profiles: xeams}
	END
	tells_systemd '1 of 3 interfaces filtered at once; when they come: late0, br0; see portcullis doctor' applies 4 --boot
	on host ip link add name br0 type bridge
	tells_systemd '1 of 3 interfaces filtered at once; when they come: late0; left out: br0 (cannot be filtered); see portcullis doctor' \
		applies 4 --boot
	on host ip link del br0
	sed -i '/late0\|br0/d' "$SITE"
	tells_systemd '1 interface filtered' applies 0 --boot
}

@test "at boot one that is missing is left out without a wait, and one that fails late takes no other along" {
	site <<-END
		interfaces:
		  late0: {profiles: ssh}
		  eth0: {profiles: xeams}
	END
	applies 4 --boot
	says 'late0: no such interface in this network namespace: left out' 'eth0: native, enforce'
	same 'eth0:xeams:enforce' "$(state)"
	pc detach eth0

	# A bridge has no native mode, which only the attach itself finds out.
	on host ip link add name br0 type bridge
	site <<-END
		interfaces:
		  br0: {profiles: ssh, mode: native}
		  eth0: {profiles: xeams}
	END
	applies 4 --boot
	says 'br0: left out'
	same 'eth0:xeams:enforce' "$(state)"
	unanswered client 192.0.2.1 143
	applies 1 --boot br0
	on host ip link del br0
}

@test "of the interfaces that are named, and of these alone" {
	site <<-END
		interfaces:
		  eth0: {profiles: xeams}
		  eth1: {profiles: ssh}
	END
	applies 0 eth1
	same 'eth1:ssh:enforce' "$(state)"
	on host ip link property add dev eth0 altname outside
	applies 0 outside
	same 'eth0:xeams:enforce eth1:ssh:enforce' "$(state)"
	site <<-END
		interfaces:
		  eth0: {profiles: ssh}
	END
	applies 0 --dry-run eth0
	says 'eth0: would swap'
	says_not 'eth1'
	applies 0 eth0
	same 'eth0:ssh:enforce eth1:ssh:enforce' "$(state)"
	applies 1 eth0 eth1
	says "apply: eth1: is not in the site file $SITE"
	# udev runs apply for every new interface.
	applies 0 --boot eth1 lo nothing
	same '' "$output"
	same 'eth0:ssh:enforce eth1:ssh:enforce' "$(state)"
}

@test "an interface that udev is about to rename gets what the file says of its new name" {
	site <<-END
		interfaces:
		  eth1: {profiles: xeams}
		  wan0: {profiles: ssh}
	END
	applies 0 --boot --as=other0 -- eth1
	same '' "$output"
	same '' "$(state)"
	applies 0 --boot --as=wan0 -- eth1
	same 'eth1:ssh:enforce' "$(state)"
	applies 0 --boot --as=eth1 -- eth1
	same 'eth1:xeams:enforce' "$(state)"
	applies 0 --boot --as=eth1 -- eth0
	same 'eth0:xeams:enforce eth1:xeams:enforce' "$(state)"
	applies 2 --as=wan0 -- eth1
	says '--as goes with --boot and one interface'
	applies 2 --boot --as=wan0 -- eth0 eth1
}

@test "mode: another one than wanted is refused with the way out" {
	pc attach eth0 -p ssh
	site <<-END
		interfaces:
		  eth0: {profiles: ssh, mode: generic}
	END
	applies 1
	says 'eth0: is attached in native mode' 'portcullis detach eth0'
	same 'eth0:ssh:enforce' "$(state)"
}

@test "an older version's filter is taken over" {
	needs_layout 3
	on host "$TOOLS/portcullis-layout-3" attach eth0 -p xeams --catalog "$TOOLS/profiles-layout-3"
	site <<-END
		interfaces:
		  eth0: {profiles: xeams}
	END
	applies 0
	says 'eth0: taken over' 'no port opens or closes' # its profiles are different
	same 'eth0:xeams:enforce' "$(state)"
}

# boots CODE: apply --boot, which handles each interface by itself.
boots()
{
	detach_all host
	applies "$1" --boot
}

@test "at boot an error in one interface's part leaves out that one, and names it" {
	local part

	for part in '{profiles: xeasm}' '{profiles: ssh, enable: nonsense}' '{profiles: ssh, sources: x}' '{profiles: [}' 'ssh' \
		'{profiles: ssh, from: {ssh:ssh: nobody}}' '{profiles: ssh, flows: none}' '' '{enable: imap}'; do
		printf 'interfaces:\n  eth0: {profiles: xeams}\n  eth1: %s\n' "$part" > "$SITE"
		if [ "$part" = '{profiles: [}' ]; then # not YAML, so nothing in it is known
			boots 1
			same '' "$(state)" "$part"
			continue
		fi
		boots 4
		says 'site.yaml:3:' 'eth1: left out' 'eth0: native, enforce'
		same 'eth0:xeams:enforce' "$(state)" "$part"
		applies 1
		same 'eth0:xeams:enforce' "$(state)" "by hand: $part"
	done
	# An error does not detach filters that are attached.
	site <<< 'interfaces: {eth0: {profiles: ssh}, eth1: {profiles: ssh}}'
	boots 0
	site <<< 'interfaces: {eth0: {profiles: xeams}, eth1: [ssh]}'
	applies 4 --boot
	same 'eth0:xeams:enforce eth1:ssh:enforce' "$(state)"
	# If two entries have the same name, neither counts.
	printf 'interfaces:\n  eth1: {profiles: ssh}\n  eth0: {profiles: xeams}\n  eth1: {profiles: xeams}\n' > "$SITE"
	boots 4
	says 'eth1: left out'
	same 'eth0:xeams:enforce' "$(state)"
}

@test "at boot an error in a group leaves out the interfaces that name it" {
	site <<-END
		groups:
		  admins: [192.0.2.2/8]
		interfaces:
		  eth0: {profiles: xeams}
		  eth1: {profiles: ssh, from: {ssh:ssh: admins}}
	END
	boots 4
	says "$SITE:2:" "the group 'admins'" 'eth1: left out'
	same 'eth0:xeams:enforce' "$(state)"
	# A group with a wrong key may be any group.
	sed -i 's/groups:/grups:/; s,2/8,2,' "$SITE"
	boots 4
	says "$SITE:1:" 'eth1: left out'
	same 'eth0:xeams:enforce' "$(state)"
	printf 'management: nonsense\n' >> "$SITE"
	sed -i 's/grups:/groups:/' "$SITE"
	boots 4
	says_not 'left out'
	same 'eth0:xeams:enforce eth1:ssh:enforce' "$(state)"
}

@test "at boot a profile that does not load leaves out its interface" {
	mkdir -p "$DIR/broken"
	printf 'profile: broken\nservices:\n  - name: x\n    in: 70000/tcp\n' > "$DIR/broken/broken.yaml"
	site <<< 'interfaces: {eth0: {profiles: [ssh, broken]}, eth1: {profiles: ssh}}'
	boots 4 # unknown interface
	says 'eth0: left out'
	applies 4 --boot --catalog "$DIR/broken"
	says 'broken.yaml:4:' 'eth0: left out'
	same 'eth1:ssh:enforce' "$(state)"
	site <<< 'interfaces: {eth0: {profiles: [ssh, broken]}, eth1: {profiles: broken}}'
	applies 1 --boot --catalog "$DIR/broken"
	says 'eth0: left out' 'eth1: left out'
	same 'eth1:ssh:enforce' "$(state)"
}

@test "at boot an interface that fails when it is attached is left out; by hand nothing is done" {
	on host ip link add br9 type bridge
	site <<-END
		interfaces:
		  eth1: {profiles: ssh}
		  br9: {profiles: ssh, mode: native}
		  eth0: {profiles: xeams}
	END
	applies 1
	says 'nothing was changed'
	same '' "$(state)"
	applies 4 --boot
	says 'br9: left out' 'eth0: native, enforce' 'eth1: native, enforce' \
		'portcullis: warning: br9: native XDP refused' 'portcullis: br9: native XDP refused'
	says_not 'nothing was changed'
	same 'eth0:xeams:enforce eth1:ssh:enforce' "$(state)"
	# The interfaces share the flow maps, so one of two sizes is refused.
	detach_all host
	site <<< 'interfaces: {eth0: {profiles: ssh, flows: 1000}, eth1: {profiles: ssh, flows: 2000}}'
	applies 4 --boot
	says 'eth1: left out'
	same 'eth0:ssh:enforce' "$(state)"
	pc attach eth1 -p ssh
	# Likewise an interface that is swapped together with one that is detached.
	pc attach br9 -p ssh --mode generic
	site <<-END
		interfaces:
		  eth0: {profiles: ssh}
		  br9: {profiles: xeams, mode: native}
	END
	applies 4 --boot
	says 'br9: is attached in generic mode' 'br9: left out' 'eth1: detached'
	same 'br9:ssh:enforce eth0:ssh:enforce' "$(state)"
	pc detach br9
	on host ip link del br9
}

@test "a warning of the profiles is given once, also where an interface is missing" {
	site <<-END
		interfaces:
		  eth0: {profiles: communigate-pro}
		  late0: {profiles: ssh}
	END
	applies 4 --boot --wait 1
	says 'late0: not there yet' 'late0: no such interface'
	same 1 "$(grep -c 'trusted are not defined' <<< "$output")" "warnings: $output"
	same 1 "$(grep -c 'eth0: native' <<< "$output")" 'attached once'
	says_not 'eth0: is as the site file says'
	detach_all host
	applies 0 eth0
	same 1 "$(grep -c 'trusted are not defined' <<< "$output")" "warnings by hand: $output"
}

@test "only these interfaces: the others stay as they are" {
	pc attach eth1 -p ssh
	site <<< 'interfaces: {eth0: {profiles: xeams}, eth1: {profiles: xeams}, late0: {profiles: [}}'
	sed -i 's/late0: {profiles: \[}/late0: {profiles: ssh}/' "$SITE"
	applies 0 eth0
	same 'eth0:xeams:enforce eth1:ssh:enforce' "$(state)"
	# An interface that the file does not name keeps its filter.
	site <<< 'interfaces: {eth0: {profiles: ssh}}'
	applies 0 eth0 --dry-run
	says_not 'detach'
	applies 0 eth0
	same 'eth0:ssh:enforce eth1:ssh:enforce' "$(state)"
	applies 1 eth0 eth1
	says "apply: eth1: is not in the site file $SITE"
	same 'eth0:ssh:enforce eth1:ssh:enforce' "$(state)"
	exits 2 pc apply eth0 eth0 --site "$SITE"
	# The interface has another name in the file, or on the command line.
	on host ip link property add dev eth0 altname lan
	site <<< 'interfaces: {lan: {profiles: xeams}, eth1: {profiles: ssh}}'
	applies 0 eth0
	site <<< 'interfaces: {eth0: {profiles: ssh}}'
	applies 0 lan
	same 'eth0:ssh:enforce eth1:ssh:enforce' "$(state)"
	on host ip link property del dev eth0 altname lan
}

@test "as udev calls it: silent where there is nothing to do, whatever stands elsewhere in the file" {
	site <<-END
		interfaces:
		  eth0: {profiles: communigate-pro}
		  eth1: {profiles: xeasm}
	END
	udev()
	{
		run -- on host env -i sh -c 'cd / && exec "$@" < /dev/null' - "$PORTCULLIS" apply --boot "$1" --site "${2:-$SITE}"
	}
	udev eth0
	same 0 "$status" "$output"
	says 'eth0: native' 'trusted'
	says_not xeasm
	udev eth0
	same 0 "$status"
	same '' "$output" 'eth0 again'
	udev lo
	same 0 "$status"
	same '' "$output" 'one that is not in the file'
	udev eth1
	same 1 "$status"
	says 'xeasm' 'eth1: left out'
	udev eth0 "$DIR/none.yaml"
	same 0 "$status"
	same '' "$output" 'no site file'
	same 'eth0:communigate-pro:enforce' "$(state)"
}

@test "udev's calls beside the first pass at boot: each interface gets its filter once" {
	local i

	site <<< 'interfaces: {eth0: {profiles: xeams}, eth1: {profiles: ssh}, late0: {profiles: ssh}}'
	in_background host "$PORTCULLIS" apply --boot --wait 20 --site "$SITE" --catalog "$CATALOG"
	for i in eth0 eth1 eth0 lo; do
		on host "$PORTCULLIS" apply --boot $i --site "$SITE" --catalog "$CATALOG" > "$DIR/udev.$i" 2>&1 &
	done
	on host ip link add late0 type veth peer name late1
	on host "$PORTCULLIS" apply --boot late0 --site "$SITE" --catalog "$CATALOG"
	until_true 10 has_state 'eth0:xeams:enforce eth1:ssh:enforce late0:ssh:enforce'
	wait
	for i in eth0 eth1 late0; do
		same 1 "$(generation host $i)" "$i: generation"
	done
	pc detach late0
	on host ip link del late0
}

@test "it needs privilege" {
	site <<< 'interfaces: {}'
	exits 1 on host setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" apply --site "$SITE"
	says 'apply' 'root'
}

@test "patterns under interfaces: an exact name wins, what each took is said, two that match are an error, later ones are taken" {
	site <<-END
		interfaces:
		  'eth*': {profiles: ssh}
		  eth1: {profiles: xeams}
		  'wl?': {profiles: ssh}
	END
	applies 0
	says "warning: 'wl?' matches no interface" "'eth*' in $SITE takes eth0"
	says_not 'takes eth1' 'takes lo'
	same 'eth0:ssh:enforce eth1:xeams:enforce' "$(state)"
	applies 0
	says 'eth0: is as the site file says' 'eth1: is as the site file says'
	exits 0 pc doctor eth0 --site "$SITE"
	says "'wl?' matches no interface" 'the attached filter is what'

	# A new interface, under its present name and under the name that udev gives it.
	on host ip link add eth7 type veth peer name peer7
	on host ip link set eth7 up
	applies 0 --boot eth7
	same 'eth0:ssh:enforce eth1:xeams:enforce eth7:ssh:enforce' "$(state)"
	pc detach eth7
	on host ip link set eth7 name new7
	applies 0 --boot --as eth7 new7
	same 'eth0:ssh:enforce eth1:xeams:enforce new7:ssh:enforce' "$(state)"
	on host ip link del peer7

	# An entry under another name of the interface counts, too.
	on host ip link property add dev eth0 altname uplink
	site <<-END
		interfaces:
		  'eth*': {profiles: ssh}
		  uplink: {profiles: xeams}
	END
	applies 0 --force
	says "takes eth1"
	same 'eth0:xeams:enforce eth1:ssh:enforce' "$(state)"
	on host ip link property del dev eth0 altname uplink

	site <<-END
		interfaces:
		  'eth*': {profiles: ssh}
		  '*1': {profiles: xeams}
	END
	applies 1 --force
	says "site.yaml:3:3: 'eth*' and '*1' both match eth1; write eth1 as a key of its own"
	same 'eth0:xeams:enforce eth1:ssh:enforce' "$(state)"
	applies 4 --boot
	says "both match eth1" 'eth1: left out'
	says_not 'takes eth0, eth1' 'takes eth1'
	same 'eth0:ssh:enforce eth1:ssh:enforce' "$(state)"
}

@test "--strict: a warning about the file refuses it, one about the host is exit 1; check too" {
	site <<< "interfaces: {eth0: {profiles: xeams}, 'wl?': {profiles: xeams}}"
	applies 1 --strict
	says "'wl?' matches no interface" 'apply: --strict: refused because of these warnings; nothing was changed'
	same '' "$(state)"
	site <<< "interfaces: {eth0: {profiles: ssh}}"
	applies 1 --strict
	says 'warning: 22/tcp is open to anyone by ssh:ssh'
	same 'eth0:ssh:enforce' "$(state)"
	pc detach eth0
	site <<< "interfaces: {eth0: {profiles: ssh}, eth1: {profiles: [ssh, xeams]}}"
	applies 1 --strict
	says 'warning: eth0: 22/tcp is open to anyone by ssh:ssh' 'warning: eth1: 22/tcp is open to anyone by ssh:ssh'
	site <<< "interfaces: {eth0: {profiles: contact-expert-core}}"
	exits 0 pc check "$SITE"
	exits 1 pc check "$SITE" --strict
	says 'not defined'
	site <<< "interfaces: {eth0: {profiles: xeams}}"
	exits 0 pc check "$SITE" --strict
	applies 0 --strict --force
}
