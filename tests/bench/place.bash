# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # sourced by scripts/bench, which has the variables
# Where it is measured: network namespaces, pairs of interfaces, a bpffs of xdp-filter's own.

space=pc-bench-$$
holder=    # process that keeps xdp-filter's mount namespace
servers=() # processes of iperf3 and sockperf

# within SUFFIX COMMAND...: runs it in the namespace of that suffix; "": the bench's own, where frames start.
within()
{
	nsenter --net="/run/netns/$space${1:+-$1}" "${@:2}"
}

inside()
{
	within "" "$@"
}

# xdp-filter pins its maps at one path of the bpffs for every interface, so it gets another bpffs.
inside_filter()
{
	nsenter --mount="/proc/$holder/ns/mnt" --net="/run/netns/$space" "$@"
}

measure()
{
	inside "$helper" "$cpu" "$@"
}

# The addresses of the frames' host; IPv6 only if asked for, so that an idle interface is silent.
namespace()
{
	local name=$space${1:+-$1}

	ip netns add "$name"
	within "$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv4.tcp_no_metrics_save=1
	within "$1" ip link set lo up
	within "$1" ip address add 198.51.100.1/32 dev lo
	within "$1" sysctl -qw net.ipv6.conf.lo.disable_ipv6=0
	within "$1" ip address add 2001:db8:1::1/128 dev lo nodad
}

# pair NAME [SUFFIX]: s-NAME sends to p-NAME, which is in the namespace of that suffix. All senders are in one
# namespace, because frames are sent to an interface. Each has a queue for each CPU, for two cores.
pair()
{
	inside ip link add "s-$1" numrxqueues 2 numtxqueues 2 type veth \
		peer name "p-$1" numrxqueues 2 numtxqueues 2
	[ -z "${2:-}" ] || inside ip link set "p-$1" netns "$space-$2"
	inside ip link set "s-$1" up
	within "${2:-}" ip link set "p-$1" up
}

# A pair whose receiver passes the frames to the stack of a namespace of its own. That namespace has no route back,
# because the cost of frames is measured, not that of answers.
stack_pair()
{
	namespace "$1"
	pair "$1" "$1"
	within "$1" sysctl -qw "net.ipv6.conf.p-$1.disable_ipv6=0"
	within "$1" ip link set "p-$1" address 02:00:00:00:00:02
	measure gro "p-$1@$space-$1"
}

# The far side of streams. Packets of p-portcullis and p-plain go to a neighbour that does not exist.
links()
{
	local name subnet=0

	namespace far
	pair link
	inside ip link set s-link netns "$space-far"
	within far ip link set s-link up
	within far ip address add 192.0.2.1/30 dev s-link
	inside ip address add 192.0.2.2/30 dev p-link
	for name in portcullis plain; do
		pair $name
		subnet=$((subnet + 4))
		inside ip address add 192.0.2.$((subnet + 1))/30 dev p-$name
		inside ip neighbour add 192.0.2.$((subnet + 2)) lladdr 02:00:00:00:00:03 dev p-$name
	done
}

place()
{
	# In the bench's namespace both addresses of a flow are on lo, for the sockets of both ends.
	namespace ""
	inside ip address add 203.0.113.9/32 dev lo
	inside ip address add 2001:db8:ffff::9/128 dev lo nodad
	links
	pair idle
	unshare --mount --propagation private \
		sh -c 'mount -t bpf bpf /sys/fs/bpf && echo ready && exec sleep 3600' > "$work/holder" &
	holder=$!
	until grep -qs ready "$work/holder"; do
		kill -0 "$holder" 2> /dev/null || fail "cannot mount a bpffs: is it in the kernel (CONFIG_BPF_SYSCALL)?"
		sleep 0.05
	done
}

receivers()
{
	ip -n "$1" -br link show type veth 2> /dev/null | sed -n 's/^\(p-[^@ ]*\).*/\1/p'
}

clean_up()
{
	local name names

	say
	trap '' INT TERM
	for name in $(ip netns list | awk -v own="$space" '$1 == own || index($1, own "-") == 1 {print $1}'); do
		# The next command would remove a filter whose interface is gone, so leave none.
		mapfile -t names < <(receivers "$name")
		[ ${#names[@]} = 0 ] ||
			nsenter --net="/run/netns/$name" "${portcullis[@]}" detach "${names[@]}" > /dev/null 2>&1 || true
		ip netns del "$name" 2> /dev/null || true
	done
	[ -z "$holder" ] || kill "$holder" "${servers[@]}" 2> /dev/null || true
	rm -rf "$work"
}
