# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Interfaces that come when the host runs. The stranger asks 10.77.N.1 behind each of them, from before it is there.

# cable NAME: makes an interface whose other end, pNAME, is in the stranger's namespace.
cable()
{
	ip link add "$1" type veth peer name "p$1" netns peer
	ip -n peer link set "p$1" up
}

# peer_vlan ID: adds a VLAN to the stranger's end of trunk0.
peer_vlan()
{
	ip -n peer link add "ptrunk0.$1" link ptrunk0 type vlan id "$1"
	ip -n peer link set "ptrunk0.$1" up
}

mac()
{
	cat "/sys/class/net/$1/address"
}

# stranger NAME N THERE MAC: from now on it asks 10.77.N.1 behind its interface.
stranger()
{
	ip -n peer address add "10.77.$2.250/24" dev "$3" 2> /dev/null
	ip netns exec peer prober "$3" "$4" "10.77.$2.1" 25 > "/run/stranger-$1" &
	echo $! > "/run/stranger-$1.pid"
}

# leaves NAME: its stranger stops asking, so that the guest has more time.
leaves()
{
	kill "$(cat "/run/stranger-$1.pid")"
}

# later NAME[/PORT] HOW COMMAND...: the command adds the interface while the stranger is already asking. For a bridge,
# the time counts from when its port is up: before that no packet comes in.
later()
{
	local name=${1%/*} port=${1#*/} how=$2 since made

	shift 2
	since=$(now)
	"$@" > /run/later.log 2>&1 || { echo "not ok - $name $how: it is made"; note < /run/later.log; }
	made=$(now)
	check "$name $how: the open port answers the stranger" soon 120 answers_since "stranger-$name" "$made"
	[ "$port" = "$name" ] || since=$(up_at "$port" "$since")
	check "$name $how: filtered before it was up" window_is "$name" 0 "$since"
	check "$name $how: no other port ever answered" no_replies "stranger-$name"
	echo "# $name $how: the window was $(window "$name" "$since") ms, $(replies "stranger-$name") answers"
}

# unawaited NAME[/PORT] HOW COMMAND...: as `later`, but nothing waits for udev. The window is then the time that udev
# takes to start the command, and the command to hold the interface. Most of it is due to emulation, so the limit
# depends on the time of the command alone, which is 0.37 s without emulation. The limit is half of that, because the
# guest's CPUs have other work at that moment; without the hold the window is longer than the whole time.
unawaited()
{
	local name=${1%/*} port=${1#*/} how=$2 since window answers began alone

	shift 2
	since=$(now)
	"$@" > /run/later.log 2>&1 || { echo "not ok - $name $how: it is made"; note < /run/later.log; }
	check "$name $how: gets its filter" soon 120 says "^$name:" portcullis status
	[ "$port" = "$name" ] || since=$(up_at "$port" "$since")
	window=$(window "$name" "$since")
	sleep 1 # commands that were running
	since=$(now)
	check "$name $how: the open port answers the stranger" soon 120 answers_since "stranger-$name" "$since"
	answers=$(replies "stranger-$name")
	portcullis detach "$name"
	began=$(date +%s%N)
	portcullis apply --boot "$name" > /dev/null 2>&1
	alone=$((($(date +%s%N) - began) / 1000000))
	check "$name $how: held within half of what the command takes" [ "$window" -le $((alone / 2)) ]
	check "$name $how: no other port answers after that" no_replies_after "$name" "$since"
	echo "# $name $how: the window was $window ms, $answers answers; the command alone takes $alone ms here: $((window * 370 / alone)) ms without emulation"
}

# no_replies_after NAME UNTIL: after it is filtered or held, and before UNTIL; an answer may have been on its way.
no_replies_after()
{
	local from

	from=$(filtered_at "$1")
	! awk -v from="$from" -v until="$2" '$1 > from + 0.2 && $1 < until && $2 == "reply"' "/run/stranger-$1" | grep .
}

# filtered_at NAME: when it first had a program while it was up.
filtered_at()
{
	awk -v name="$1" '$2 == name && $3 == "up" && $4 == "xdp" { print $1; exit }' /run/links
}

answers_since()
{
	awk -v since="$2" '$1 > since && $2 == "open"' "/run/$1" | grep -q .
}

# A NIC on QEMU's root port, which QEMU's monitor adds and removes.
plug()
{
	echo "! device_add virtio-net-pci,netdev=c,mac=52:54:00:77:00:03,bus=rp1,id=hot" > /dev/ttyS1
}

# pull NAME: removes the NIC of that name.
pull()
{
	echo '! device_del hot' > /dev/ttyS1
	soon 60 test ! -e "/sys/class/net/$1"
}

# The driver is unbound from the NIC, and bound again.
reload_driver()
{
	local device

	device=$(basename "$(readlink -f /sys/class/net/enp0s3/device)")
	echo "$device" > /sys/bus/virtio/drivers/virtio_net/unbind
	echo "$device" > /sys/bus/virtio/drivers/virtio_net/bind
}

# Each existing interface has a folder of pins.
same_filters()
{
	local folders filters

	folders=$(find /sys/fs/bpf/portcullis -mindepth 2 -maxdepth 2 -name link | wc -l)
	filters=$(portcullis status --json | jq '.interfaces | length')
	echo "$folders folders, $filters filters"
	[ "$folders" = "$filters" ]
}
