# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # sourced by scripts/bench, which has the variables
# What is measured: each measure makes lines for the helper, which prints raw samples.

# WORK FAMILIES FRAME ACTION STATE LOOKUP XDP-FILTER: LOOKUP is the program of reference.bpf.c that does only the
# look-ups for such a packet; XDP-FILTER is whether xdp-filter can do the same: it keeps no state, and does not read
# later fragments.
works()
{
	cat <<-END
	listed 46 syn%,$listed pass none - yes
	listed-long 4 syn%,$listed,long pass none - yes
	listed-vlan 4 syn%,$listed,vlan pass none - yes
	listed-extensions 6 syn%,$listed,extensions pass none - yes
	unlisted-syn 46 syn%,$unlisted drop none - yes
	unlisted-syn-long 4 syn%,$unlisted,long drop none - yes
	unlisted-syn-vlan 4 syn%,$unlisted,vlan drop none - yes
	unlisted-syn-extensions 6 syn%,$unlisted,extensions drop none - yes
	unlisted-udp 46 udp%,$unlisted drop none both yes
	restricted-inside 46 syn%,$restricted,inside pass none - no
	restricted-outside 46 syn%,$restricted drop none - no
	tcp-reply 46 ack%,41001 pass established tcp_socket no
	connected-udp 46 udp%,41002 pass connected udp_socket no
	learned-udp 46 udp%,41003 pass learned flow_map no
	ack-closed 46 ack%,41005 drop none tcp_socket yes
	ack-listener 46 ack%,41004 drop listening tcp_socket yes
	fragment 46 frag%,$unlisted drop none - no
	END
}

# A flood's frames differ; a verdict's does not. They miss the caches, also those of the kernel's socket tables, so the
# result of a program that does only the look-up is shown next to it.
random_works()
{
	cat <<-END
	random-syn 46 syn%,$unlisted,random drop none - yes
	random-udp 46 udp%,$unlisted,random drop none udp_socket yes
	END
	$quick || echo "random-ack 46 ack%,$unlisted,random drop none tcp_socket yes"
}

# Each work once for each address family: WORK-4 and WORK-6.
expand()
{
	local work families rest family

	while read -r work families rest; do
		for family in 4 6; do
			[[ $families != *$family* ]] || echo "$work-$family ${rest//%/$family}"
		done
	done
}

# The interface that has Portcullis for a work, without "p-".
own()
{
	case $1 in restricted-*) echo group ;; *) echo host ;; esac
}

# The place of a contender's interface.
at()
{
	if [ -e "/run/netns/$space-$1" ]; then
		echo "p-$1@$space-$1"
	else
		echo "p-$1"
	fi
}

verdict_lines()
{
	local work frame action state lookup filter rest

	while read -r work frame action state lookup filter; do
		rest="$frame $action $state"
		echo "$work empty p-$action $rest"
		echo "$work portcullis $(at "$(own "$work")") $rest"
		echo "$work 4k-services $(at 4k-services) $rest"
		echo "$work 100k-prefixes $(at 100k-prefixes) $rest"
		[ "$filter" = no ] || echo "$work xdp-filter p-xdp-filter $rest"
		[ "$lookup" = - ] || echo "$work lookup p-$lookup $rest"
	done
}

verdicts()
{
	works | expand | verdict_lines | those_that_run | measure verdict "$rounds" "$repeat"
}

# The cost of the egress program: for a datagram of a known flow, for a segment, and for a datagram that is really sent.
egress()
{
	expand <<-END | measure verdict "$rounds" "$repeat"
	egress-datagram 46 empty next -udp%,41003 next none
	egress-datagram 46 portcullis egress:p-portcullis -udp%,41003 next learned
	egress-segment 46 empty next -ack%,41001 next none
	egress-segment 46 portcullis egress:p-portcullis -ack%,41001 next none
	END
	measure send "$rate_rounds" "$rate_ms" <<-END
	none p-plain 192.0.2.10 40000
	portcullis p-portcullis 192.0.2.6 40000
	END
}

# The shipped profiles one by one.
shipped_lines()
{
	local name interface

	echo "profile-listed-4 empty p-pass syn4,$listed pass none"
	echo "profile-unlisted-syn-4 empty p-drop syn4,$unlisted drop none"
	for name in "${shipped[@]}"; do
		interface=$(shipped_interface "$name")
		echo "profile-listed-4 profile-$name $interface $(shipped_frame "$name") pass none"
		echo "profile-unlisted-syn-4 profile-$name $interface syn4,$unlisted drop none"
	done
}

profiles()
{
	shipped_lines | those_that_run | measure verdict "$rounds" "$repeat"
}

# By the number of ports, and of flows.
size_lines()
{
	local name place

	echo "size-listed-4 empty p-pass syn4,$listed pass none"
	echo "size-unlisted-syn-4 empty p-drop syn4,$unlisted drop none"
	echo "size-learned-udp-4 empty p-pass udp4,41003 pass none"
	echo "size-unlisted-udp-4 empty p-drop udp4,$unlisted drop none"
	for name in "${sizes[@]/#/ports-}"; do
		echo "size-listed-4 $name $(at "$name") syn4,$listed pass none"
		echo "size-unlisted-syn-4 $name $(at "$name") syn4,$unlisted drop none"
	done
	for name in "${flows[@]/#/flows-}"; do
		place=$(at "$name")
		echo "size-learned-udp-4 $name $place udp4,41003 pass learned"
		echo "size-unlisted-udp-4 $name $place udp4,$unlisted drop none"
	done
	echo "size-ack-closed-4 empty p-drop ack4,41005 drop none"
	for name in "${marks[@]/#/marks-}"; do
		echo "size-unlisted-udp-4 $name $(at "$name") udp4,$unlisted drop none"
		echo "size-ack-closed-4 $name $(at "$name") ack4,41005 drop none"
	done
	for name in "${bans[@]/#/bans-}"; do
		echo "size-listed-4 $name $(at "$name") syn4,$listed pass none"
	done
	echo "size-banned-4 empty p-drop syn4,$listed,banned drop none"
	for name in "${bans[@]/#/bans-}"; do
		[ "$name" = bans-0 ] || echo "size-banned-4 $name $(at "$name") syn4,$listed,banned drop none"
	done
	limit_lines
	machine_lines
}

# One source that is under its limit, and one that is over it.
limit_lines()
{
	local name

	echo "size-limited-4 empty p-pass syn4,$listed pass none"
	echo "size-limited-6 empty p-pass syn6,$listed pass none"
	for name in "${limits[@]/#/limits-}"; do
		echo "size-limited-4 $name $(at "$name") syn4,$listed pass none"
		echo "size-limited-6 $name $(at "$name") syn6,$listed pass none"
	done
	echo "size-over-limit-4 empty p-drop syn4,$over drop none"
	echo "size-over-limit-4 limits-1 $(at limits-1) syn4,$over drop none"
}

# To this host, which has machines behind it; then to one of them.
machine_lines()
{
	local name family

	for family in 4 6; do
		echo "size-machine-$family empty p-pass syn$family,$listed,machine pass none"
		echo "size-machine-unlisted-$family empty p-drop syn$family,$unlisted,machine drop none"
	done
	for name in "${machines[@]/#/machines-}"; do
		echo "size-listed-4 $name $(at "$name") syn4,$listed pass none"
		for family in 4 6; do
			echo "size-machine-$family $name $(at "$name") syn$family,$listed,machine pass none"
			echo "size-machine-unlisted-$family $name $(at "$name") syn$family,$unlisted,machine drop none"
		done
	done
}

size_verdicts()
{
	size_lines | those_that_run | measure verdict "$rounds" "$repeat"
}

size_rates()
{
	local size count

	{
		echo "size-random-syn-4 empty s-drop p-drop syn4,$unlisted,random,high drop none 1"
		for size in "${sizes[@]/#/ports-}"; do
			echo "size-random-syn-4 $size s-$size $(at "$size") syn4,$unlisted,random,high drop none 1"
		done
		echo "size-random-udp-4 empty s-drop p-drop udp4,$unlisted,random drop none 1"
		for size in "${flows[@]/#/flows-}"; do
			echo "size-random-udp-4 $size s-$size $(at "$size") udp4,$unlisted,random drop none 1"
		done
		echo "size-random-ack-4 empty s-drop p-drop ack4,$unlisted,random drop none 1"
		for size in "${marks[@]/#/marks-}"; do
			echo "size-random-udp-4 $size s-$size $(at "$size") udp4,$unlisted,random drop none 1"
			echo "size-random-ack-4 $size s-$size $(at "$size") ack4,$unlisted,random drop none 1"
		done
		# From other sources, then from banned ones only.
		for size in "${bans[@]/#/bans-}"; do
			echo "size-random-syn-4 $size s-$size $(at "$size") syn4,$unlisted,random,high drop none 1"
		done
		for count in 1 1000 1000000; do
			echo "size-banned-$count-4 empty s-drop p-drop syn4,$listed,sources=$count drop none 1"
			for size in "${bans[@]/#/bans-}"; do
				[ "${size#bans-}" -lt "$count" ] ||
					echo "size-banned-$count-4 $size s-$size $(at "$size") syn4,$listed,sources=$count drop none 1"
			done
		done
		# Sources under their limit: one, few, and so many that each is new. Passed packets end in the stack.
		for count in 1 1000 1000000; do
			echo "size-limited-$count-4 empty s-pass p-pass syn4,$listed,sources=$count,to-one pass none 1"
			for size in "${limits[@]/#/limits-}"; do
				echo "size-limited-$count-4 $size s-$size $(at "$size") syn4,$listed,sources=$count,to-one pass none 1"
			done
		done
		# Then sources over the limit. Hardly any frame of such a flood may be admitted.
		for count in 1 500; do
			echo "size-over-limit-$count-4 empty s-drop p-drop syn4,$over,sources=$count,to-one drop none 1"
			echo "size-over-limit-$count-4 limits-1 s-limits-1 $(at limits-1) syn4,$over,sources=$count,to-one drop none 1"
		done
	} | those_that_run | measure rate "$rate_rounds" "$rate_ms"
}

stack_lines()
{
	local name

	echo "$1 nft-netdev s-nft-netdev p-nft-netdev $2 stack none"
	for name in none nft-inet iptables; do
		echo "$1 $name s-$name p-$name@$space-$name $2 stack $3"
	done
}

# Runs the floods of the works on standard input. Passed packets, and the stack's contenders, take long, so a quick run
# has few of them.
rate_lines()
{
	local work frame action state lookup filter rest name

	while read -r work frame action state lookup filter; do
		! $quick || [ "$action" = drop ] || continue
		rest="$frame $action $state"
		echo "$work empty s-$action p-$action $rest"
		name=$(own "$work")
		echo "$work portcullis s-$name $(at "$name") $rest"
		[ "$action" != drop ] || echo "$work monitor s-monitor $(at monitor) $rest"
		[ "$filter" = no ] || echo "$work xdp-filter s-xdp-filter p-xdp-filter $rest"
		[[ $lookup = - || $work != random-* ]] || echo "$work lookup s-$lookup p-$lookup $rest"
		[[ $action = pass && $work != listed-? ]] ||
			for name in 4k-services 100k-prefixes; do
				echo "$work $name s-$name $(at "$name") $rest"
			done
		[[ $action = drop && $work != restricted* ]] || continue
		! $quick || [[ $work = unlisted-???-? ]] || continue
		stack_lines "$work" "$frame" "$state"
	done
}

# Each line on one core, and those of some works also on two, one after the other.
on_cores()
{
	awk -v two="$1" '{ print $0, 1 } two != "" && $1 ~ two { print $0, 2 }'
}

rates()
{
	local two='^(unlisted-syn|unlisted-udp|random-syn|random-udp)-4$'

	[ "$(nproc)" -gt 1 ] || two=
	! $quick || two='^unlisted-syn-4$'
	{ works; random_works; } | expand | rate_lines | those_that_run | on_cores "$two" |
		measure rate "$rate_rounds" "$rate_ms"
}

# The share of a core that a paced flood takes.
loads()
{
	local frame=syn4,$unlisted

	{
		echo "load-4 empty s-drop p-drop $frame drop none"
		echo "load-4 portcullis s-portcullis p-portcullis $frame drop none"
		echo "load-4 xdp-filter s-xdp-filter p-xdp-filter $frame drop none"
		stack_lines load-4 "$frame" none
	} | those_that_run | sed 's/$/ 1/' | measure load "$load_rounds" "$load_ms" "$load_pps"
}

# --- idle ---

idle()
{
	local programs=(p-portcullis egress:p-portcullis) processes

	processes=$(ip netns pids "$space" | while read -r process; do
		cat "/proc/$process/comm" 2> /dev/null || true
	done | grep -cx portcullis || true)
	measure idle "$idle_ms" "${programs[@]}" | jq -c --argjson processes "$processes" '.processes = $processes'
}

# --- streams, latency: through p-link, with whatever is attached to it ---

# One direction of one stream: Gbit/s, and Gbit for each second of CPU time of both ends, which a busy machine affects
# less. Each end has a CPU of its own if there are two.
stream()
{
	inside nice -n -20 iperf3 -c 192.0.2.1 -t "$stream_s" -J -A "$cpu,$((cpu > 0 ? cpu - 1 : 0))" \
		"${@:2}" > "$work/iperf" ||
		fail "iperf3: $(jq -r .error "$work/iperf")"
	jq -c --arg name "$1" --arg direction "${2:-send}" '. as $root | {name: $name,
		direction: (if $direction == "-R" then "receive" else "send" end),
		gbps: (.end.sum_received.bits_per_second / 1e9)}
		| .per_cpu = .gbps * 100 / ($root.end.cpu_utilization_percent | .host_total + .remote_total)' "$work/iperf"
}

# Requests and answers of one connection, one at a time: half the time of a round trip, in us.
latency()
{
	inside taskset -c "$cpu" nice -n -20 sockperf ping-pong --tcp -i 192.0.2.1 -t "$latency_s" > "$work/sockperf" 2>&1 ||
		fail "sockperf: $(tail -n 1 "$work/sockperf")"
	jq -Rnc --arg name "$1" '[inputs | capture("percentile (?<p>50|99)\\.000 *= *(?<us>[0-9.]+)")
		| {key: ("p" + .p), value: (.us | tonumber)}] | from_entries + {name: $name, direction: "latency"}' "$work/sockperf"
}

# p-link without a program, with the empty program, and with Portcullis, which admits the stream only by its state.
link_turn()
{
	case $1 in
	empty) measure attach p-link pass ;;
	portcullis) attach "" p-link -p "$profile" > "$work/log" 2>&1 || fail "p-link: $(cat "$work/log")" ;;
	esac
	stream "$1"
	stream "$1" -R
	[ -n "${refused[sockperf]:-}" ] || latency "$1"
	case $1 in
	empty) measure attach p-link none ;;
	portcullis) inside "${portcullis[@]}" detach p-link > "$work/log" 2>&1 ;;
	esac
}

# Not with `within`: $! would be a shell's, and the server would outlive it.
serve()
{
	nsenter --net="/run/netns/$space-far" nice -n -20 iperf3 -s --forceflush > "$work/server" 2>&1 &
	servers+=($!)
	until grep -qs listening "$work/server"; do
		kill -0 "${servers[0]}" 2> /dev/null || fail "iperf3: $(cat "$work/server")"
		sleep 0.05
	done
	if ! command -v sockperf > /dev/null; then
		refused[sockperf]="sockperf is missing (apt install sockperf)"
		return
	fi
	nsenter --net="/run/netns/$space-far" taskset -c $((cpu > 0 ? cpu - 1 : 0)) nice -n -20 \
		sockperf server --tcp -i 192.0.2.1 > "$work/sockperf-server" 2>&1 &
	servers+=($!)
	until [ -n "$(within far ss -Hltn 'sport = 11111')" ]; do
		kill -0 "${servers[1]}" 2> /dev/null || fail "sockperf: $(cat "$work/sockperf-server")"
		sleep 0.05
	done
}

# The order changes from round to round, because the second one finds the CPUs warm.
streams()
{
	local round contender order=(none empty portcullis)

	serve
	for ((round = 0; round < stream_rounds; round++)); do
		for contender in "${order[@]}"; do
			link_turn "$contender"
		done
		order=("${order[@]:1}" "${order[0]}")
	done | jq -sc 'group_by([.name, .direction])[] | {kind: "stream", name: .[0].name, direction: .[0].direction}
		+ if .[0].direction == "latency" then {p50: map(.p50), p99: map(.p99)}
		  else {gbps: map(.gbps), per_cpu: map(.per_cpu)} end'
	kill "${servers[@]}"
	servers=()
}

# --- commands ---

times()
{
	local start="${portcullis[*]} attach p-plain -p $profile --catalog $root/profiles --group"
	local swap="${portcullis[*]} swap p-plain -p $profile --catalog $root/profiles --group"
	local end="-${portcullis[*]} detach p-plain"
	local size

	prefixes 1000 0 > "$work/small-a"
	prefixes 1000 7 > "$work/small-b"
	prefixes 100000 0 > "$work/large-a"
	prefixes 100000 7 > "$work/large-b"
	measure times "$times" attach "$start trusted=$trusted" "$end"
	for size in small large; do
		[ $size = small ] || ! $quick || break
		$quick || measure times "$times" "attach-$size" "$start trusted=@$work/$size-a" "$end"
		attach "" p-plain -p "$profile" --group trusted=@"$work/$size-a" > "$work/log" 2>&1
		measure times "$times" "swap-$size" "$swap trusted=@$work/$size-b" "$swap trusted=@$work/$size-a"
		inside "${portcullis[@]}" detach p-plain > "$work/log" 2>&1
	done
	measure times "$times" counters "${portcullis[*]} counters p-group"
	measure times "$times" counters-json "${portcullis[*]} counters p-group --json"
}

memory()
{
	local cpus name where

	cpus=$(sed 's/.*-//' /sys/devices/system/cpu/possible)
	for name in portcullis 100k-prefixes 4k-services; do
		[ -n "${ready[$name]:-}" ] || continue
		where=''
		[ ! -e "/run/netns/$space-$name" ] || where=$name
		within "$where" "${portcullis[@]}" status "p-$name" --json |
			jq -c --arg name "$name" --argjson cpus $((cpus + 1)) \
				'{kind: "memory", name: $name, bytes: .interfaces[0].memory, cpus: $cpus}'
	done
}

programs()
{
	measure program portcullis p-portcullis
	measure program portcullis-egress egress:p-portcullis
	[ -z "${ready[xdp-filter]:-}" ] || measure program xdp-filter p-xdp-filter
}
