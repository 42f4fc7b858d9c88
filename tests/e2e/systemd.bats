#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The systemd unit: what systemd-analyze says of it, and that a command works within its limits.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	UNIT=$(dirname "$PORTCULLIS")/portcullis.service
	[ -e "$UNIT" ] || UNIT=$ROOT/build/portcullis.service
	export UNIT
	command -v systemd-analyze > /dev/null || export NO_SYSTEMD=1
}

teardown_file()
{
	sandbox_end
}

setup()
{
	[ -z "${NO_SYSTEMD:-}" ] || skip 'systemd-analyze is missing'
}

teardown()
{
	detach_all host
}

# The words of the unit's lines KEY=..., one on each line.
unit_words()
{
	sed -n "s/^$1=//p" "$UNIT" | tr ' ' '\n'
}

# The unit as systemd-analyze gets it: with a binary that exists, and without man pages.
verified()
{
	mkdir -p "$DIR/units"
	sed -e "s|=/.*/sbin/portcullis|=$PORTCULLIS|" "$@" "$UNIT" > "$DIR/units/portcullis.service"
	run systemd-analyze verify --man=no "$DIR/units/portcullis.service"
}

@test "systemd-analyze verify finds nothing, and finds what is wrong" {
	verified
	same 0 "$status" "$output"
	same '' "$output" 'what verify says'
	verified -e 's/^ProtectClock=.*/ProtectClok=yes/'
	says 'ProtectClok'
	verified -e "s|=$PORTCULLIS|=/nowhere|"
	says 'is not executable'
}

@test "systemd-analyze security: an exposure of at most 3.1" {
	exits 0 systemd-analyze security --offline=yes --no-pager --threshold=31 "$UNIT"
	echo "# $(tail -1 <<< "$output")" >&3
	sed '/^Protect/d; /^SystemCall/d; /^CapabilityBoundingSet/d' "$UNIT" > "$DIR/units/portcullis.service"
	run systemd-analyze security --offline=yes --no-pager --threshold=31 "$DIR/units/portcullis.service"
	[ "$status" != 0 ] || fail 'the threshold does not hold'
}

@test "stop does not open the host, and what brings links up waits for the filter" {
	same '' "$(grep -E '^ExecStop' "$UNIT" || true)"
	same yes "$(unit_words RemainAfterExit)"
	# On a booted Debian 12 it makes bpffs read-only, and the host stays open.
	same '' "$(unit_words ProtectKernelTunables)" 'ProtectKernelTunables'
	same '' "$(grep PREFIX "$UNIT" || true)" 'left of the template'
	unit_words Before | grep -qx network-pre.target || fail 'not before network-pre.target'
	unit_words Wants | grep -qx network-pre.target || fail 'nothing pulls network-pre.target in'
}

# within HOST COMMAND...: runs it as the unit would: with its capabilities, in a mount namespace of its own in which
# only bpffs can be written, without device files.
within()
{
	local host=$1 capabilities

	shift
	capabilities=$(unit_words CapabilityBoundingSet | sed 's/^CAP_/+/' | tr 'A-Z\n' 'a-z,')
	on "$host" unshare --mount --propagation slave bash -c '
		bounding=$1
		shift
		mount --rbind / / && mount -o remount,bind,ro / &&
			mount -o remount,bind,ro /sys && mount -o remount,bind,ro /run &&
			! touch /run/x 2> /dev/null || exit 99
		exec setpriv --no-new-privs --bounding-set "-all,${bounding%,}" "$@"' - "$capabilities" "$@"
}

@test "within the unit's capabilities and mounts: attach, swap, detach, all that looks" {
	# systemd has mounted bpffs before any unit.
	inside mountpoint -q /sys/fs/bpf || inside mount -t bpf -o mode=0700 bpf /sys/fs/bpf
	exits 0 within host "$PORTCULLIS" attach eth0 -p communigate-pro --forward --group trusted=192.0.2.0/24 --catalog "$CATALOG"
	same 5 "$(grep -c warning <<< "$output")" 'warnings (of the profile)'
	exits 0 within host "$PORTCULLIS" status eth0
	exits 0 within host "$PORTCULLIS" swap eth0 -p ssh --catalog "$CATALOG"
	exits 0 within host "$PORTCULLIS" counters eth0
	exits 0 within host "$PORTCULLIS" flows
	# The pins that it made are visible on the host.
	same 2 "$(generation host eth0)" 'generation'
	printf 'interfaces:\n  eth0:\n    profiles: xeams\n    confirm: 60\n' > "$DIR/site.yaml"
	for key in ExecStart ExecReload; do
		mapfile -t words < <(unit_words $key)
		exits 0 within host "$PORTCULLIS" "${words[@]:1}" --site "$DIR/site.yaml"
		says_not 'not confirmed yet'
	done
	says 'eth0'
	output=$(pc status --json)
	json_is '.interfaces[0].recipe.profiles == ["xeams"]'
	exits 0 within host "$PORTCULLIS" detach eth0
	same '' "$(attached host eth0)" 'program'
	same '' "$(pins)" 'pins'
}

# The system calls that the unit's filter lets through.
allowed()
{
	local line word sign

	sed -n 's/^SystemCallFilter=//p' "$UNIT" | while read -r line; do
		sign=+
		[[ $line != '~'* ]] || sign=-
		for word in ${line#'~'}; do
			members "$word" | sed "s/^/$sign/"
		done
	done | awk '{ call = substr($0, 2); allowed[call] = /^\+/ } END { for (call in allowed) if (allowed[call]) print call }'
}

# The system calls of a set, with those of the sets in it.
members()
{
	local word

	case $1 in
	@*) systemd-analyze syscall-filter "$1" | sed -n 's/^    \([@a-z0-9_-]*\)$/\1/p' | while read -r word; do
			members "$word"
		done ;;
	*) echo "$1" ;;
	esac
}

@test "attach, swap, status, detach make no system call that the unit's filter stops" {
	allowed | sort -u > "$DIR/allowed"
	grep -qx openat "$DIR/allowed" && grep -qx bpf "$DIR/allowed" || fail 'the filter is not read'
	! grep -qxE 'mount|reboot|init_module|ptrace|setuid' "$DIR/allowed" || fail 'the filter lets through too much'
	for words in 'attach eth0 -p communigate-pro --forward' 'swap eth0 -p xeams' status counters flows 'detach eth0'; do
		# shellcheck disable=SC2086
		inside strace -f -qq -o "$DIR/trace" nsenter --net=/run/netns/host "$PORTCULLIS" $words
		sed -n '/execve.*portcullis/,$p' "$DIR/trace" | sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' | sort -u |
			grep -vxE 'execve|exit_group|exit' > "$DIR/made"
		grep -qx bpf "$DIR/made" || fail "$words: no bpf() in the trace"
		same '' "$(comm -23 "$DIR/made" "$DIR/allowed")" "$words: stopped system calls"
	done
}

@test "sysusers.d makes the group" {
	mkdir -p "$DIR/root/etc"
	exits 0 systemd-sysusers --root="$DIR/root" "$ROOT/systemd/portcullis.sysusers"
	grep -q '^portcullis:' "$DIR/root/etc/group" || fail "no group: $(cat "$DIR/root/etc/group")"
}

# The unit of `monitor --journal`, and its command without the interfaces that a test names.
log_unit()
{
	UNIT=$(dirname "$UNIT")/portcullis-log.service
	mapfile -t words < <(unit_words ExecStart)
}

@test "portcullis-log: verify finds nothing, its exposure is at most 2.4, and it is off" {
	log_unit
	sed -e "s|=/.*/sbin/portcullis|=$PORTCULLIS|" "$UNIT" > "$DIR/portcullis-log.service"
	run systemd-analyze verify --man=no "$DIR/portcullis-log.service"
	same '0 ' "$status $output" 'what verify says'
	exits 0 systemd-analyze security --offline=yes --no-pager --threshold=24 "$UNIT"
	grep -q 'dh_installsystemd --no-enable --no-start' "$ROOT/debian/rules"
}

@test "portcullis-log: monitor listens within its capabilities and mounts, by system calls that it lets through" {
	local name
	log_unit
	allowed | sort -u > "$DIR/allowed"
	pc attach eth0 -p ssh > /dev/null
	within host "$PORTCULLIS" "${words[@]:1}" --count 1 > "$DIR/log.out" 2>&1 < /dev/null &
	until_true 10 grep -q 'listening at eth0' "$DIR/log.out"
	on client bash -c 'echo > /dev/udp/192.0.2.1/9'
	# Without a journal, the command says so.
	until_true 5 grep -q '^1 packet, 0 lost' "$DIR/log.out"
	inside strace -f -qq -o "$DIR/trace" timeout -s INT 3 nsenter --net=/run/netns/host "$PORTCULLIS" "${words[@]:1}" || true
	sed -n '/execve.*portcullis/,$p' "$DIR/trace" | sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' | sort -u |
		grep -vxE 'execve|exit_group|exit' > "$DIR/made"
	grep -qx perf_event_open "$DIR/made" || fail 'no perf_event_open() in the trace'
	same '' "$(comm -23 "$DIR/made" "$DIR/allowed")" 'stopped system calls'
}

@test "portcullis-dns, portcullis-groups: verify finds nothing, their exposure is at most 3.1" {
	local unit folder

	folder=$(dirname "$UNIT")
	for unit in "$folder"/portcullis-{dns,groups}.service "$folder/portcullis-dns.timer" "$folder/portcullis-groups.path"; do
		sed -e "s|=/.*/sbin/portcullis|=$PORTCULLIS|" "$unit" > "$DIR/${unit##*/}"
	done
	for unit in portcullis-dns.timer portcullis-groups.path; do
		run systemd-analyze verify --man=no "$DIR/$unit"
		same '0 ' "$status $output" "what verify says of $unit"
		exits 0 systemd-analyze security --offline=yes --no-pager --threshold=31 "$DIR/${unit%.*}.service"
	done
}
