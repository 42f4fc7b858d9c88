# SPDX-License-Identifier: GPL-2.0
# What the end-to-end tests share: a sandbox with hosts in it, the binary, and assertions.
#
# The sandbox is a mount and a process namespace of its own, with its own /run and /var/lib and no bpffs mounted at
# first. Hosts are network namespaces inside. Nothing of it outlives the process that made it: its
# processes, interfaces, programs and pins go with it, even if the test is killed.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
PORTCULLIS=$(realpath -m "${PORTCULLIS:-$ROOT/build/portcullis}")
TOOLS=$(dirname "$PORTCULLIS")/e2e
CATALOG=$ROOT/profiles
PINS=/sys/fs/bpf/portcullis

# --- the sandbox ---

# Call it in setup_file: starts the sandbox; DIR is a folder for files.
sandbox_start()
{
	local holder _

	[ "$(id -u)" = 0 ] || { echo "needs root: network namespaces and BPF" >&2; return 1; }
	[ -x "$PORTCULLIS" ] || { echo "$PORTCULLIS is missing: run make" >&2; return 1; }
	DIR=$(mktemp --tmpdir -d portcullis-e2e.XXXXXX)
	chmod 755 "$DIR"
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private \
		bash -c 'mount -t proc proc /proc && mount -t tmpfs -o mode=755 tmpfs /run &&
			mkdir /run/netns /run/dpkg && mount --bind /var/lib/dpkg /run/dpkg &&
			mount -t tmpfs -o mode=755 tmpfs /var/lib &&
			mkdir /var/lib/dpkg && mount --move /run/dpkg /var/lib/dpkg || exit # the installed one
			while mountpoint -q /sys/fs/bpf; do umount /sys/fs/bpf || exit; done
			touch "$0/ready"
			while :; do sleep 3600; done' "$DIR" < /dev/null > "$DIR/sandbox.log" 2>&1 3>&- &
	holder=$!
	disown
	for _ in {1..500}; do
		[ -e "$DIR/ready" ] && break
		sleep 0.01
	done
	SANDBOX=$(pgrep -P $holder) || { cat "$DIR/sandbox.log" >&2; return 1; }
	SANDBOX_HOLDER=$holder
	export DIR SANDBOX SANDBOX_HOLDER
}

# Call it in teardown_file.
sandbox_end()
{
	[ -z "${SANDBOX_HOLDER:-}" ] || kill -KILL "$SANDBOX_HOLDER" || true
	rm -rf "${DIR:-/nonexistent}"
}

# Runs a command in the sandbox. Paths have to be absolute.
inside()
{
	nsenter --target "$SANDBOX" --mount --pid -- "$@" 3>&-
}

# needs_layout LAYOUT: skips the test if there is no binary of this older layout.
needs_layout()
{
	[ -x "$TOOLS/portcullis-layout-$1" ] ||
		skip "layout $1 is built from the repository's history, which is cut short here: git fetch --unshallow"
}

# by_script SCRIPT ARGUMENTS...: a script of this folder runs a command on `host` by itself; its output is shown.
by_script()
{
	local script=$1

	shift
	run on host env PORTCULLIS="$PORTCULLIS" TOOLS="$TOOLS" DIR="$DIR" bash "$BATS_TEST_DIRNAME/$script" "$@"
	sed 's/^/# /' <<< "$output" >&3
	[ "$status" = 0 ] || fail "$output"
}

# on HOST COMMAND: runs a command on a host.
on()
{
	local host=$1

	shift
	inside nsenter --net="/run/netns/$host" -- "$@"
}

# --- hosts ---

# Makes a host without interfaces. IPv6 addresses are usable at once, and it sends nothing unasked. It does not forward,
# even if the machine does, because a new namespace copies that setting.
host_add()
{
	inside ip netns add "$1"
	on "$1" sh -c 'cd /proc/sys/net/ipv6/conf/default
		echo 0 > accept_dad; echo 0 > router_solicitations; echo 0 > accept_ra
		echo 0 > /proc/sys/net/ipv4/ip_forward; ip link set lo up'
}

# Makes a host that sends nothing at all by itself: no IPv6, no addresses.
host_add_silent()
{
	inside ip netns add "$1"
	on "$1" sh -c 'cd /proc/sys/net/ipv6/conf; echo 1 > default/disable_ipv6; echo 1 > all/disable_ipv6'
}

host_del()
{
	inside ip netns del "$1"
}

# link_add HOST INTERFACE HOST INTERFACE: connects them by a cable.
link_add()
{
	on "$1" ip link add "$2" type veth peer name "$4" netns "/run/netns/$3"
	on "$1" ip link set "$2" up
	on "$3" ip link set "$4" up
}

# address_add HOST INTERFACE ADDRESS...
address_add()
{
	local host=$1 interface=$2 address

	shift 2
	for address in "$@"; do
		on "$host" ip address add "$address" dev "$interface"
	done
}

# Makes the usual two hosts: `host`, which is filtered, and `client`.
two_hosts()
{
	host_add host
	host_add client
	link_add host eth0 client eth0
	address_add host eth0 192.0.2.1/24 2001:db8::1/64
	address_add client eth0 192.0.2.2/24 2001:db8::2/64
}

mac_of()
{
	on "$1" ip -json link show dev "$2" | jq -r '.[0].address'
}

# --- the binary ---

# as HOST COMMAND...: runs portcullis on a host. The tree's binary finds the tree's profiles by itself.
as()
{
	local host=$1

	shift
	case $PORTCULLIS in
	*/build/portcullis) ;;
	*)
		case $1 in
		profiles|show|check|attach|swap|apply) set -- "$@" --catalog "$CATALOG" ;;
		esac ;;
	esac
	on "$host" "$PORTCULLIS" "$@"
}

pc()
{
	as host "$@"
}

detach_all()
{
	local host name

	for host in "$@"; do
		for name in $(as "$host" status --json | jq -r '.interfaces[].name'); do
			as "$host" detach "$name" > /dev/null
		done
	done
}

# needs_tcx: skips the test only before Linux 6.6; on other kernels a missing tcx is a failure.
needs_tcx()
{
	[ "$(printf '6.6\n%s\n' "$(uname -r)" | sort -V | head -1)" = 6.6 ] || skip 'this kernel has no tcx'
}

# The folders of pins.
pins()
{
	inside find "$PINS" -mindepth 1 -maxdepth 1 -type d ! -name lock 2> /dev/null || true
}

# attached HOST INTERFACE: the id of the program that the kernel has there; empty: none.
attached()
{
	on "$1" ip -json link show dev "$2" | sed -n 's/.*"xdp":{[^}]*"prog":{"id":\([0-9]*\).*/\1/p'
}

# generation HOST INTERFACE
generation()
{
	as "$1" status "$2" --json | jq '.interfaces[0].generation'
}

# port_count VERDICT PROTOCOL PORT [INTERFACE]: "packets bytes".
port_count()
{
	pc counters "${4:-eth0}" --json | jq -r --arg verdict "$1" --arg protocol "$2" --argjson port "$3" \
		'[.interfaces[0].ports[] | select(.protocol == $protocol and .port == $port)][0] |
		"\(.[$verdict].packets // 0) \(.[$verdict].bytes // 0)"'
}

# --- assertions ---

fail()
{
	printf '%s\n' "$*" >&2
	return 1
}

# exits CODE COMMAND...: runs it; it must exit with CODE. $output has both streams, $status the code.
exits()
{
	local code=$1

	shift
	run -- "$@"
	[ "$status" = "$code" ] || fail "exit $status, not $code: $*
$output"
}

# The last output has each of these texts.
says()
{
	local text

	for text in "$@"; do
		[[ $output == *"$text"* ]] || fail "does not say: $text
$output" || return 1
	done
}

says_not()
{
	local text

	for text in "$@"; do
		[[ $output != *"$text"* ]] || fail "says: $text
$output" || return 1
	done
}

# same WANTED SEEN [WHAT]
same()
{
	[ "$1" = "$2" ] || fail "${3:-value}: wanted '$1', is '$2'"
}

# json_is FILTER [JQ-OPTION]...: the filter is true of $output.
json_is()
{
	local filter=$1

	shift
	jq -e "$@" "$filter" <<< "$output" > /dev/null || fail "not true: $filter
$output"
}

# until_true SECONDS COMMAND...
until_true()
{
	local i tries=$(($1 * 20))

	shift
	for ((i = 0; i < tries; i++)); do
		! "$@" || return 0
		sleep 0.05
	done
	fail "not true in time: $*"
}

# --- traffic ---

# Waits until no packet comes to eth0 of the host or leaves it, because reports of multicast groups follow a new
# address.
until_silent()
{
	local before _

	for _ in {1..10}; do
		before=$(pc counters eth0 --json | jq -c '.interfaces[0] | [.total, .outbound_total]')
		sleep 1.5
		[ "$before" != "$(pc counters eth0 --json | jq -c '.interfaces[0] | [.total, .outbound_total]')" ] || return 0
	done
	fail 'the host is never silent'
}

# listening HOST PORT: there is a listener on the TCP port.
listening()
{
	[ -n "$(on "$1" ss -Htln "sport = :$2")" ]
}

# in_background HOST COMMAND...: it ends with the sandbox, or by `kill $!`; its process id in the sandbox is unknown.
in_background()
{
	on "$@" < /dev/null > "$DIR/background.log" 2>&1 &
}

# connects HOST ADDRESS PORT: a TCP connection succeeds.
connects()
{
	local address=$2

	[[ $address != *:* ]] || address="[$address]"
	on "$1" socat -u OPEN:/dev/null "TCP:$address:$3,connect-timeout=${CONNECT_TIMEOUT:-8}" 2> /dev/null
}

# The connection is neither made nor refused: nothing answers.
unanswered()
{
	local address=$2

	[[ $address != *:* ]] || address="[$address]"
	run on "$1" socat -u OPEN:/dev/null "TCP:$address:$3,connect-timeout=0.4"
	[ "$status" = 1 ] && [[ $output == *'timed out'* ]] ||
		fail "exit $status, wanted a time-out of $2 port $3: $output"
}

# send_flows [-t SECONDS] < FLOWS: sends from the silent host `sender` to `host`; prints packets and bytes of each flow.
send_flows()
{
	on sender "$TOOLS/send" "$@" eth0 "$(mac_of host eth0)"
}

# Adds up the lines of send_flows.
added()
{
	awk '{ packets += $1; bytes += $2 } END { printf "%d %d\n", packets, bytes }'
}
