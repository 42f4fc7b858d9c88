# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2086 # variables of the scripts that read this; lists of process ids
# What the guests' scripts share: a cable to the peer (a network namespace), servers, what the filter says.

# shellcheck source=tests/kernels/results.sh
. /results.sh
host4=10.77.0.1 peer4=10.77.0.2
host6=fd77::1 peer6=fd77::2

refuses()
{
	! "$@"
}

peer()
{
	/usr/sbin/ip netns exec peer "$@"
}

mac()
{
	cat "/sys/class/net/$1/address"
}

with_mac()
{
	for device in /sys/class/net/*; do
		[ "$(cat "$device/address")" != "$1" ] || basename "$device"
	done
}

# cable HOST-NIC PEER-NIC: the second one is the peer's; both get the addresses of this test.
cable()
{
	/usr/sbin/ip link set "$2" netns peer
	echo 0 > "/proc/sys/net/ipv6/conf/$1/accept_dad"
	peer sh -c "echo 0 > /proc/sys/net/ipv6/conf/$2/accept_dad"
	/usr/sbin/ip address add $host4/24 dev "$1"
	/usr/sbin/ip address add $host6/64 dev "$1" nodad
	/usr/sbin/ip link set "$1" up
	peer /usr/sbin/ip address add $peer4/24 dev "$2"
	peer /usr/sbin/ip address add $peer6/64 dev "$2" nodad
	peer /usr/sbin/ip link set "$2" up
	nic=$1 peer_nic=$2
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		peer ping -c 1 -W 1 $host4 > $errors 2>&1 && return
	done
	echo "not ok - $nic: the cable carries nothing, with no filter"
	note < $errors
}

uncable()
{
	peer /usr/sbin/ip address flush dev "$peer_nic"
	/usr/sbin/ip address flush dev "$nic"
}

# A jq expression on the interface's object in the JSON counters.
counted()
{
	portcullis counters "$nic" --json | jq -c ".interfaces[0] | $1"
}

port_counted()
{
	counted "[.ports[] | select(.protocol == \"$1\" and .port == $2 and .direction == \"in\")][0] | $3"
}

# Sends crafted frames from the peer: lines for tests/e2e/send.c.
frames()
{
	peer send "$peer_nic" "$(mac "$nic")" > $errors 2>&1 || note < $errors
	sleep 0.3
}

# diagnosed INTERFACE CHECK STATE TEXT: doctor has this text in the check's message or fix.
diagnosed()
{
	portcullis doctor "$1" --json > /tmp/doctor
	jq -e "any(.checks[]; .check == \"$2\" and .state == \"$3\" and (.message + (.fix // \"\") | contains(\"$4\")))" \
		/tmp/doctor || { jq -c ".checks[] | select(.check == \"$2\")" /tmp/doctor; false; }
}

serve()
{
	nc -ll -p "$1" -e echo "hello from $1" > /dev/null 2>&1 &
	servers="$servers $!"
}

# Connects to a real server, and reads its first line.
reaches()
{
	said=$(peer timeout 5 nc -w 3 "$1" "$2" < /dev/null 2>&1)
	[ "$said" = "hello from $2" ] || { echo "it said: $said"; false; }
}
