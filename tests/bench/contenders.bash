# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # sourced by scripts/bench, which has the variables
# Who is measured: each contender's set-up, and how it is told that its rules did what they should.

listed=25 unlisted=9 restricted=387 over=110
trusted=198.51.100.0/24,2001:db8:1::/48
declare -A ready=()   # contenders that can be measured
declare -A refused=() # why others cannot be measured
declare -A failed=()  # how others did something else than wanted
declare -A package=([nft]=nftables [xdp-filter]=xdp-tools [ip6tables]=iptables)

# contender NAME FUNCTION [TOOL...]: sets it up. A missing tool or kernel feature does not end the run.
contender()
{
	local name=$1 set_up=$2 tool

	shift 2
	for tool in "$@"; do
		command -v "$tool" > /dev/null ||
			refused[$name]="$tool is missing (apt install ${package[$tool]:-$tool})"
	done
	[ -z "${refused[$name]:-}" ] || return 0
	# Run in a shell of its own, which stops at the first error; within a condition it would not.
	set +e
	(set -e; "$set_up" "$name") > "$work/log" 2>&1
	local code=$?
	set -e
	if [ $code = 0 ]; then
		ready[$name]=1
	else
		refused[$name]=$({ grep -m 1 -i 'error' "$work/log" || tail -n 1 "$work/log"; } | cut -c -160)
		: "${refused[$name]:=exit code $code of $set_up}"
	fi
}

contender_lines()
{
	local name status

	for name in "${!ready[@]}" "${!refused[@]}"; do
		status=ran
		[ -z "${refused[$name]:-}" ] || status="not run"
		[ -z "${failed[$name]:-}" ] || status=failed
		jq -nc --arg name "$name" --arg status "$status" --arg reason "${failed[$name]:-${refused[$name]:-}}" \
			'{kind: "contender", name: $name, status: $status, reason: (if $reason == "" then null else $reason end)}'
	done
}

# Of lines WORK NAME ..., those whose contender exists.
those_that_run()
{
	awk -v ready=" ${!ready[*]} " 'index(ready, " " $2 " ")'
}

# attach SUFFIX INTERFACE OPTION...: attaches Portcullis in the namespace of that suffix.
attach()
{
	within "$1" "${portcullis[@]}" attach "$2" "${@:3}" --catalog "$work/catalog" --catalog "$root/profiles"
}

# COUNT prefixes, scattered over both families; SALT changes some of them.
prefixes()
{
	awk -v count="$1" -v salt="$2" 'BEGIN {
		print "198.51.100.0/24\n2001:db8:1::/48"
		for (i = 1; i < count / 2; i++) {
			n = ((i + (i % 10 ? 0 : salt)) * 10368889) % 16777216
			a = int(n / 65536); b = int(n / 256) % 256; c = n % 256
			print a "." b "." c ".0/24"
			printf "2001:db9:%x:%x::/64\n", a * 256 + b, c
		}
	}'
}

services_profile()
{
	awk -v listed=$listed -v restricted=$restricted 'BEGIN {
		print "profile: bench-services\ntitle: 4,096 services\nservices:"
		for (i = 0; i < 4096; i++) {
			port = i == 0 ? listed : i == 1 ? restricted : 10000 + i
			printf "  - name: s-%d\n    title: Service %d\n    in: %d/tcp\n", i, i, port
			if (i % 2)
				printf "    from: trusted\n    from-port: %d-65535/tcp\n", 1024 + i
		}
	}' > "$work/catalog/bench-services.yaml"
}

# ports_profile COUNT: the listed port and others up to 61,439; every second one, as long as these are enough.
ports_profile()
{
	awk -v count="$1" -v listed=$listed 'BEGIN {
		printf "profile: bench-ports-%d\nservices:\n  - name: ports\n    in: [%d/tcp", count, listed
		step = count > 30000 ? 1 : 2
		for (port = 1001; n < count - 1; port += step) {
			if (port > 61439)
				port = 26
			printf ", %d/tcp", port
			n++
		}
		print "]"
	}' > "$work/catalog/bench-ports-$1.yaml"
}

# Attached to an interface without traffic: otherwise the kernel waits when another program is run, see flood.c.
set_lookup()
{
	local program

	for program in tcp_socket udp_socket flow_map both; do
		pair $program
		measure attach p-$program reference:$program
	done
}

set_empty()
{
	pair drop
	pair pass
	measure attach p-drop drop
	measure attach p-pass pass
}

# filtered NAME OPTION...: Portcullis at a pair in a namespace where no other interface is up, as on most hosts;
# otherwise sockets are always looked up (see marks in docs/architecture.md).
filtered()
{
	namespace "$1"
	within "$1" ip address add 203.0.113.9/32 dev lo
	within "$1" ip address add 2001:db8:ffff::9/128 dev lo nodad
	pair "$1" "$1"
	attach "$1" "p-$1" "${@:2}"
}

# As shipped, without a defined group, and with one.
set_portcullis()
{
	filtered host -p "$profile"
	attach "" p-portcullis -p "$profile"
	pair group
	attach "" p-group -p "$profile" --group trusted=$trusted
}

# With a listener at its default rate, which `listen` starts.
set_monitor()
{
	filtered monitor -p "$profile"
}

# Not with `within`, for the reason given at the server of streams.
listen()
{
	[ -n "${ready[monitor]:-}" ] || return 0
	nsenter --net="/run/netns/$space-monitor" "${portcullis[@]}" monitor p-monitor --write "$work/heard" > "$work/monitor" 2>&1 &
	servers+=($!)
	sleep 0.5
	kill -0 "${servers[-1]}" 2> /dev/null || failed[monitor]="monitor: $(tail -n 1 "$work/monitor")"
}

set_services()
{
	services_profile
	filtered "$1" -p bench-services --group trusted=$trusted
}

set_prefixes()
{
	prefixes 100000 0 > "$work/large-a"
	filtered "$1" -p "$profile" --group trusted=@"$work/large-a"
}

set_ports()
{
	ports_profile "${1#ports-}"
	filtered "$1" -p "bench-$1"
}

# The flow maps belong to a network namespace.
set_flows()
{
	local flows=${1#flows-}

	filtered "$1" -p "$profile"
	[ "$flows" = 1 ] || measure fill "p-$1@$space-$1" "$flows"
}

# Ports that have or had a connection, of each transport.
set_marks()
{
	filtered "$1" -p "$profile"
	measure mark "p-$1@$space-$1" "${1#marks-}"
}

# Sources as in floods of few sources, scattered over all addresses (send.bpf.c). Bans belong to a network namespace.
set_bans()
{
	local count=${1#bans-}

	filtered "$1" -p "$profile"
	awk -v count="$count" 'BEGIN {
		for (i = 0; i < count; i++) {
			n = i * 2654435761 % 4294967296
			print int(n / 16777216) "." int(n / 65536) % 256 "." int(n / 256) % 256 "." n % 256
		}
	}' > "$work/bans"
	[ "$count" = 0 ] || within "$1" "${portcullis[@]}" ban --force "@$work/bans"
}

# One service whose sources stay under a limit that no flood of a sample reaches, and one whose sources exceed it from
# the sixth packet on.
set_limits()
{
	local limits=()

	[ "$1" = limits-0 ] || limits=(--limit "$profile:smtp={rate: 1000000/s, burst: 1000000}"
		--limit "$profile:pop={rate: 10/m, burst: 5}")
	filtered "$1" -p "$profile" "${limits[@]}"
}

# Machines behind this host, each with two addresses; one has a whole prefix, so that lengths differ.
set_machines()
{
	local count=${1#machines-} machines=() i

	for ((i = 0; i < count; i++)); do
		machines+=(--machine "m$i=192.0.2.$i,2001:db8:2::$i" -p "$profile")
	done
	[ "$count" = 0 ] || machines+=(--machine "wide=203.0.113.64/28,2001:db8:3::/64" -p "$profile")
	filtered "$1" -p "$profile" "${machines[@]}"
}

# The interface for a shipped profile: names of interfaces have at most 15 characters.
shipped_interface()
{
	local name=${1#profile-}

	[ ${#name} -le 13 ] || name=${name: -13}
	echo "p-$name"
}

# The options that define each of the profile's groups: GROUP...
shipped_groups()
{
	"${portcullis[@]}" show "$1" --json --catalog "$root/profiles" 2> /dev/null |
		jq -r --arg trusted $trusted '[.profiles[].services[] | .from[], .to[]] | unique - ["link-local"]
			| .[] | "--group", . + "=" + $trusted'
}

set_shipped()
{
	local name=${1#profile-} interface groups

	interface=$(shipped_interface "$1")
	mapfile -t groups < <(shipped_groups "$name")
	pair "${interface#p-}"
	attach "" "$interface" -p "$name" "${groups[@]}"
}

# The frame for a port that such a profile opens: a TCP port if it has one.
shipped_frame()
{
	local groups

	mapfile -t groups < <(shipped_groups "$1")
	"${portcullis[@]}" show "$1" "${groups[@]}" --json --catalog "$root/profiles" 2> /dev/null | jq -r '
		[.profiles[].services[] | select(.open and .direction != "out") | .from_ports[0] as $from | .ports[]
		 | capture("^(?<n>[0-9]+)(-[0-9]+)?/(?<p>tcp|udp)$")
		 | (if .p == "tcp" then "syn" else "udp" end) + "4," + .n + ",inside"
		   + if $from then ",from=" + ($from | capture("(?<n>[0-9]+)").n) else "" end]
		| (map(select(startswith("syn"))) + .)[0]'
}

# The ports that the profile opens to anyone, in xdp-filter's form: PROTOCOLS PORT.
open_ports()
{
	"${portcullis[@]}" show "$profile" --json --catalog "$root/profiles" 2> /dev/null | jq -r '
		[.profiles[].services[] | select(.open and .direction != "out") | .ports[]
		 | capture("^(?<a>[0-9]+)(-(?<b>[0-9]+))?/(?<p>tcp|udp)$")
		 | .p as $p | range(.a | tonumber; (.b // .a | tonumber) + 1) | {port: ., p: $p}]
		| group_by(.port)[] | "\(map(.p) | unique | join(",")) \(.[0].port)"'
}

# open_to PROTOCOL: those of one protocol.
open_to()
{
	open_ports | sed -n "s/^[a-z,]*$1[a-z,]* //p"
}

set_xdp_filter()
{
	local protocols port

	pair "$1"
	inside_filter xdp-filter load -p deny "p-$1"
	while read -r protocols port; do
		inside_filter xdp-filter port -p "$protocols" "$port"
	done < <(open_ports)
}

set_none()
{
	stack_pair "$1"
}

nft_sets()
{
	local protocol

	echo "counter dropped { }"
	for protocol in tcp udp; do
		echo "set open-$protocol { type inet_service; elements = { $(open_to $protocol | paste -sd ,) } }"
	done
}

set_nft_netdev()
{
	pair "$1"
	measure gro "p-$1"
	inside nft -f - <<-END
	table netdev bench {
		$(nft_sets)
		chain ingress { type filter hook ingress device "p-$1" priority filter; policy drop;
			tcp dport @open-tcp counter accept
			udp dport @open-udp counter accept
			counter name dropped
		}
	}
	END
}

# The usual firewall of a host.
set_nft_inet()
{
	stack_pair "$1"
	within "$1" nft -f - <<-END
	table inet bench {
		$(nft_sets)
		chain input { type filter hook input priority filter; policy drop;
			ct state established,related accept
			tcp dport @open-tcp accept
			udp dport @open-udp accept
			counter name dropped
		}
	}
	END
}

# The same with older tools.
set_iptables()
{
	local tables protocol port

	stack_pair "$1"
	for protocol in tcp udp; do
		within "$1" ipset create "open-$protocol" bitmap:port range 0-65535
		for port in $(open_to $protocol); do
			within "$1" ipset add "open-$protocol" "$port"
		done
	done
	for tables in iptables ip6tables; do
		within "$1" $tables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
		for protocol in tcp udp; do
			within "$1" $tables -A INPUT -p $protocol -m set --match-set "open-$protocol" dst -j ACCEPT
		done
		within "$1" $tables -P INPUT DROP
	done
}

# dropped NAME: the number of packets dropped by its own counters.
dropped()
{
	case $1 in
	nft-netdev) inside nft -j list counter netdev bench dropped ;;
	nft-inet) within "$1" nft -j list counter inet bench dropped ;;
	iptables)
		{ within "$1" iptables -nvxL INPUT; within "$1" ip6tables -nvxL INPUT; } |
			sed -n 's/.*policy DROP \([0-9]*\) packets.*/{"nftables": [{"counter": {"packets": \1}}]}/p' ;;
	esac | jq -s '[.[].nftables[].counter? | values | .packets] | add'
}

# Whether each rule set dropped the packets of the floods that its interface accepted. Later fragments wait for their
# first one in the stack, and never reach an input chain.
rules_hold()
{
	local name seen counted

	for name in nft-netdev nft-inet iptables; do
		[ -n "${ready[$name]:-}" ] || continue
		counted=$(dropped "$name")
		seen=$(jq -s --arg name $name '[.[] | select(.name == $name and .frames
			and ($name == "nft-netdev" or (.work | startswith("fragment") | not))) | .frames] | add // 0' "$work/floods")
		[ $((counted * 100)) -ge $((seen * 99)) ] && [ "$counted" -le $((seen + seen / 100 + 100)) ] ||
			failed[$name]="its rules dropped $counted of $seen frames"
	done
}

# Contenders that did something else than wanted. Without the two with which all are compared, there is no report.
wrongs()
{
	local name reason

	while IFS=$'\t' read -r name reason; do
		case $name in empty | portcullis) fail "$name, $reason" ;; esac
		failed[$name]=$reason
	done < <(jq -r 'select(.kind == "wrong") | [.name, .reason] | @tsv' "$work/samples")
}

contenders()
{
	mkdir -p "$work/catalog"
	contender empty set_empty
	contender portcullis set_portcullis
	contender monitor set_monitor
	contender lookup set_lookup
	contender none set_none
	contender xdp-filter set_xdp_filter xdp-filter
	contender nft-netdev set_nft_netdev nft
	contender nft-inet set_nft_inet nft
	contender iptables set_iptables iptables ip6tables ipset
	! $quick || return 0
	contender 4k-services set_services
	contender 100k-prefixes set_prefixes
}

# Contenders that are measured separately. They are set up later, because the kernel searches all attached programs for
# the one to run.
more_contenders()
{
	local name

	for name in "${sizes[@]}"; do
		contender "ports-$name" set_ports
	done
	for name in "${flows[@]}"; do
		contender "flows-$name" set_flows
	done
	for name in "${marks[@]}"; do
		contender "marks-$name" set_marks
	done
	for name in "${bans[@]}"; do
		contender "bans-$name" set_bans
	done
	for name in "${limits[@]}"; do
		contender "limits-$name" set_limits
	done
	for name in "${machines[@]}"; do
		contender "machines-$name" set_machines
	done
	! $quick || return 0
	for name in "${shipped[@]}"; do
		contender "profile-$name" set_shipped
	done
}
