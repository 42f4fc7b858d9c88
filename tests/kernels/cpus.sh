# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Runs in a guest of 2 CPUs that announces 128, as VMware and Hyper-V do, and plugs CPUs in and out: scripts/kernels
# does what a line "# plug ID" or "# unplug ID" asks for. Prints what it reports: see results.sh.

# shellcheck source=tests/kernels/results.sh
. /results.sh
cpus=/sys/devices/system/cpu
limit=32000000

# at_most NAME LIMIT ACTUAL
at_most()
{
	if [ "${3:-0}" -gt 0 ] && [ "$3" -le "$2" ]; then
		echo "ok - $1: $3"
	else
		echo "not ok - $1: ${3:-nothing}, and 1 to $2 was expected"
		note < $errors
	fi
}

# plug ID, unplug ID LIST: LIST are the CPUs that exist after that.
plug()
{
	echo "# plug $1"
	present "$2"
	echo 1 > "$cpus/cpu$1/online"
}

unplug()
{
	echo 0 > "$cpus/cpu$1/online"
	echo "# unplug $1"
	present "$2"
}

present()
{
	for _ in $(seq 300); do
		[ "$(cat $cpus/present)" != "$1" ] || break
		sleep 0.1
	done
	same "CPUs that are present" "$1" "$(cat $cpus/present)"
}

# frames CPU COUNT: sends so many frames of 60 bytes to 3306/tcp, which arrive on the CPU that sends them.
frames()
{
	yes 'tcp 198.51.100.9 198.51.100.1 1000 3306 60' | head -n "$2" |
		taskset -c "$1" send pc1 "$(cat /sys/class/net/pc0/address)" > $errors 2>&1
}

# The packets and bytes of that port.
dropped()
{
	portcullis counters pc0 --json 2> $errors |
		jq -r '[.interfaces[0].ports[] | select(.port == 3306)][0].drop | "\(.packets) \(.bytes)"'
}

# The packets of that reason, which has a cell of its own.
unlisted()
{
	portcullis counters pc0 --json 2> $errors | jq -r '.interfaces[0].reasons.unlisted.drop.packets'
}

# The memory of the maps, from `status`.
memory()
{
	portcullis status pc0 --json 2> $errors | jq '.interfaces[0].memory'
}

# The guest's free memory in bytes, once it no longer grows: the kernel frees maps and programs late, and on a busy host
# very late. Memory for each possible CPU is included.
available()
{
	last=0
	for _ in $(seq 60); do
		now=$(awk '/^MemAvailable:/ {printf "%d\n", $2 * 1024}' /proc/meminfo)
		[ $((now - last)) -gt 131072 ] || break
		last=$now
		sleep 3
	done
	echo "$now"
}

/usr/sbin/ip link set lo up
echo "# kernel $(uname -r)"
same "128 CPUs are possible" 0-127 "$(cat $cpus/possible)"
same "two CPUs are present" 0-1 "$(cat $cpus/present)"
mount -t bpf -o mode=0700 bpf /sys/fs/bpf
/usr/sbin/ip link add pc0 type veth peer name pc1
/usr/sbin/ip link set pc0 up
/usr/sbin/ip link set pc1 up
portcullis attach pc0 -p ssh > $errors 2>&1 # memory that its first use leaves in the page cache and slabs
portcullis detach pc0 >> $errors 2>&1
sleep 20
before=$(available)
check "attach, 2 of 128 CPUs" portcullis attach pc0 -p communigate-pro
at_most "bytes of one filter, as status says" $limit "$(memory)"
sleep 20
at_most "bytes that the guest has less" $limit $((before - $(available)))
grep -E '^(MemAvailable|Percpu)' /proc/meminfo | note

# With Debian's value 3 of the sysctl, opening the perf event of a new CPU needs CAP_SYS_ADMIN, which monitor has given
# up.
echo 2 > /proc/sys/kernel/perf_event_paranoid
portcullis monitor pc0 --json --rate 0 > /tmp/heard 2> /tmp/heard_errors &
listener=$!
listens pc0 /tmp/heard_errors
frames 0 250
frames 1 250
same "the CPUs that were there: the port" "500 30000" "$(dropped)"
same "the CPUs that were there: the reason" 500 "$(unlisted)"
(
	for _ in $(seq 60); do
		frames 0 50
	done
) &
traffic=$!
plug 2 0-2
for _ in $(seq 40); do
	frames 2 50
done
wait $traffic
same "a CPU that came under traffic: the port" "5500 330000" "$(dropped)"
same "a CPU that came under traffic: the reason" 5500 "$(unlisted)"
plug 3 0-3
sleep 3 # monitor checks for new CPUs each second
heard_before=$(wc -l < /tmp/heard)
frames 3 100
sleep 1
same "monitor hears a CPU that came" 100 $(($(wc -l < /tmp/heard) - heard_before))
same "a second CPU that came: the port" "5600 336000" "$(dropped)"
# No CPU is plugged in after this, because QEMU 7.2 crashes then.
unplug 1 0,2-3
same "the row of a CPU that went stays" "5600 336000" "$(dropped)"
sleep 3
heard_before=$(wc -l < /tmp/heard)
frames 2 100
frames 0 100
sleep 1
same "monitor hears the others when a CPU went" 200 $(($(wc -l < /tmp/heard) - heard_before))
kill -INT $listener
wait $listener
tail -n 2 /tmp/heard_errors | note
same "counted with a gap in the ids" "5800 348000" "$(dropped)"
check "detach" portcullis detach pc0

check "attach, CPUs 0, 2 and 3 of 128" portcullis attach pc0 -p ssh
at_most "bytes of one filter, CPUs 0, 2 and 3" $limit "$(memory)"
frames 0 100
frames 2 250
frames 3 30
same "attached with a gap in the ids: the port" "380 22800" "$(dropped)"
same "attached with a gap in the ids: the reason" 380 "$(unlisted)"
check "detach" portcullis detach pc0
echo "# the end"
