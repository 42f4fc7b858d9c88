#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Bad input and bad surroundings: a clear error, exit 1 or 2, and nothing changed.

load helper

setup_file()
{
	sandbox_start
	two_hosts
}

teardown_file()
{
	sandbox_end
}

setup()
{
	pins_before=$(pins)
}

teardown()
{
	detach_all host
}

# The interface has no program, and there is no new pin.
untouched()
{
	same '' "$(attached host eth0)" 'program'
	same "$pins_before" "$(pins)" 'pins'
}

# plain ARGUMENTS...: the command line of portcullis, for another program that runs it.
plain()
{
	case $1 in
	attach|swap) printf '%q ' "$PORTCULLIS" "$@" --catalog "$CATALOG" ;;
	*) printf '%q ' "$PORTCULLIS" "$@" ;;
	esac
}

# refuses TEXT... -- ARGUMENTS...: attach exits 1, prints all texts, and changes nothing.
refuses()
{
	local texts=()

	while [ "$1" != -- ]; do
		texts+=("$1")
		shift
	done
	shift
	exits 1 pc attach eth0 "$@"
	says "${texts[@]}"
	untouched
}

@test "no such interface" {
	exits 1 pc attach eth7 -p ssh
	says "portcullis: eth7: no such interface"
	exits 1 pc swap eth7 -p ssh
	says "portcullis: eth7: no such interface"
	exits 1 pc status eth7
	exits 1 pc counters eth7
	exits 1 pc attach eth7 -p ssh
	says 'in this network namespace; there are eth0, '
	for n in {1..12}; do
		on host ip link add "dummy$n" type bridge
	done
	exits 1 pc swap dumy12 -p ssh
	says 'in this network namespace; there are dummy12, dummy1, ' ' more'
	same 8 "$(grep -o 'there are .* and ' <<< "$output" | tr ',' '\n' | wc -l)" 'interfaces named'
	exits 1 pc doctor dumy12
	says 'in this network namespace; there are dummy12, dummy1, '
	for n in {1..12}; do
		on host ip link del "dummy$n"
	done
	exits 1 pc attach 'a-very-long-interface-name' -p ssh
	exits 1 pc attach '' -p ssh
	exits 1 pc attach $'eth0\n\033[31m' -p ssh
	says_not $'\033'
	untouched
}

@test "no such profile: the nearest name, or where the list is" {
	refuses "unknown profile 'xeam'" "did you mean 'xeams'" -- -p xeam
	refuses "unknown profile 'qqqqqq'" 'portcullis profiles' -- -p qqqqqq
	refuses "../ssh" -- -p ../ssh
	refuses "Xeams" -- -p Xeams
	refuses "''" -- -p 'ssh,,xeams'
}

@test "no such feature, service, group: the nearest name" {
	refuses 'no chosen profile has' 'imapp' "did you mean 'imap'" -- -p xeams --enable imapp
	refuses "no feature 'imap'" -- -p xeams,ssh --enable ssh:imap
	refuses "no chosen profile is named 'ssh'" -- -p xeams --enable ssh:imap
	refuses "no service 'smpt'" "did you mean 'smtp'" -- -p xeams --disable xeams:smpt
	refuses "no service 'web'" -- -p xeams --set xeams:web=80/tcp
	refuses "no such group 'trustd'" "did you mean 'trusted'" -- -p xeams,communigate-pro --from xeams:smtp=trustd
	refuses 'PROFILE:SERVICE' -- -p xeams --disable smtp
}

@test "no such catalog folder" {
	refuses "$DIR/nowhere" 'No such file' -- -p ssh --catalog "$DIR/nowhere"
	exits 1 pc profiles --catalog "$DIR/nowhere"
	exits 1 pc check --catalog "$DIR/nowhere"
	exits 1 pc check "$DIR/nowhere"
	says "$DIR/nowhere"
}

@test "--set: of a fixed port, of what has no ports, of bad ports, of a missing direction" {
	refuses 'xeams:smtp is fixed' 'cannot be moved' -- -p xeams --set xeams:smtp=2525/tcp
	refuses 'uses no ports' -- -p contact-expert-core --set contact-expert-core:contact-manager-service=1/tcp
	refuses '70000' '1-65535' -- -p xeams --set xeams:imap=70000/tcp
	refuses 'port 0 is out of range' -- -p xeams --set xeams:imap=0/tcp
	refuses '143' 'tcp' -- -p xeams --set xeams:imap=143
	refuses "unknown protocol 'sctp'" -- -p xeams --set xeams:imap=143/sctp
	refuses 'range 200-100 is reversed' -- -p xeams --set xeams:imap=200-100/tcp
	refuses 'direction' -- -p xeams --set xeams:imap:out=143/tcp
	refuses 'has no ports' -- -p xeams --set xeams:imap=
	refuses 'twice' -- -p xeams --set xeams:imap=143/tcp,140-150/tcp
}

@test "--set never enables" {
	output=$(pc show xeams --set xeams:imap=1143/tcp --json)
	json_is '.profiles[0].services[] | select(.name == "imap") | .open == false and .why_closed == "feature"'
}

@test "--group: no prefix, host bits, bad length, built-in name, twice, bad files" {
	refuses '192.0.2.300' -- -p ssh --group a=192.0.2.300
	refuses '192.0.2.1/24' '192.0.2.0/24' -- -p ssh --group a=192.0.2.1/24
	refuses '192.0.2.0/33' -- -p ssh --group a=192.0.2.0/33
	refuses '2001:db8::1/64' -- -p ssh --group a=2001:db8::1/64
	refuses '2001:db8::/129' -- -p ssh --group a=2001:db8::/129
	refuses 'example.com' -- -p ssh --group a=example.com
	refuses 'a' -- -p ssh --group a
	refuses 'a' -- -p ssh --group a=
	refuses 'link-local' 'built in' -- -p ssh --group link-local=192.0.2.0/24
	refuses 'A_B' -- -p ssh --group A_B=192.0.2.0/24
	refuses "$DIR/none" 'No such file' -- -p ssh --group "a=@$DIR/none"
	: > "$DIR/empty"
	refuses "$DIR/empty" 'no prefix' -- -p ssh --group "a=@$DIR/empty"
	printf '192.0.2.0/24\n192.0.2.1/24\nnonsense\n' > "$DIR/wrong"
	refuses "$DIR/wrong:2" "$DIR/wrong:3" -- -p ssh --group "a=@$DIR/wrong"
	refuses "$DIR" -- -p ssh --group "a=@$DIR"
	head -c 200000000 /dev/zero > "$DIR/zeros"
	refuses "$DIR/zeros" -- -p ssh --group "a=@$DIR/zeros"
	rm "$DIR/zeros"
	timeout 10 bash -c '[ -p "$0" ] || mkfifo "$0"' "$DIR/fifo"
	exits 1 inside timeout 5 nsenter --net=/run/netns/host "$PORTCULLIS" attach eth0 -p ssh \
		--catalog "$CATALOG" --group "a=@$DIR/fifo"
	untouched
}

@test "more than the limits: prefixes, groups" {
	awk 'BEGIN { for (i = 0; i < 140000; i++) printf "10.%d.%d.%d\n", i / 65536, i / 256 % 256, i % 256 }' > "$DIR/many"
	refuses '140000' 'limit' -- -p communigate-pro --group "trusted=@$DIR/many"
	{
		printf 'profile: groups\nservices:\n'
		for i in {1..70}; do
			printf '  - {name: s%d, in: %d/tcp, from: g%d}\n' "$i" "$i" "$i"
		done
	} > "$DIR/groups.yaml"
	groups=()
	for i in {1..70}; do
		groups+=(--group "g$i=192.0.2.$i")
	done
	refuses '70 groups' '64' -- -p groups --catalog "$DIR" "${groups[@]}"
}

@test "100,000 prefixes fit" {
	awk 'BEGIN { for (i = 0; i < 100000; i++) printf "10.%d.%d.%d\n", i / 65536, i / 256 % 256, i % 256 }' > "$DIR/many"
	exits 0 pc attach eth0 -p communigate-pro --group "trusted=@$DIR/many"
	output=$(pc status --json)
	json_is '.interfaces[0].recipe.groups.trusted | length == 100000'
}

@test "not root: says which capabilities, for each command that needs them" {
	for words in 'attach eth0 -p ssh' 'swap eth0 -p ssh' 'detach eth0' status counters 'show --iface eth0'; do
		# shellcheck disable=SC2086
		exits 1 on host setpriv --reuid 65534 --regid 65534 --clear-groups bash -c "$(plain $words)"
		says 'CAP_BPF' 'CAP_NET_ADMIN'
	done
	exits 1 on host setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	says 'attach' 'CAP_BPF' 'CAP_NET_ADMIN' 'CAP_PERFMON'
	untouched
}

@test "root without the capabilities is told the missing ones" {
	exits 1 on host setpriv --bounding-set -net_admin "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	says 'missing: CAP_NET_ADMIN)'
	exits 1 on host setpriv --bounding-set -sys_admin,-bpf "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	says 'missing: CAP_BPF)'
	untouched
}

@test "swap, counters, status and show --iface on an interface without the filter" {
	exits 1 pc swap eth0 -p ssh
	says 'portcullis: ' 'eth0' 'no filter of portcullis' 'portcullis attach eth0'
	exits 1 pc counters eth0
	says 'eth0' 'no filter of portcullis'
	exits 1 pc status eth0
	says 'eth0' 'no filter of portcullis'
	exits 1 pc show --iface eth0
	says 'eth0' 'no filter of portcullis'
	untouched
}

@test "attach where portcullis is already: says swap, and leaves it" {
	pc attach eth0 -p ssh
	program=$(attached host eth0)
	exits 1 pc attach eth0 -p xeams
	says 'already attached' 'portcullis swap eth0'
	same "$program" "$(attached host eth0)" 'program'
	same 1 "$(generation host eth0)" 'generation'
}

@test "a foreign XDP program is named and left alone by every command" {
	inside mkdir -p /run/foreign
	inside mount -t bpf bpf /run/foreign
	on host bpftool prog load "$TOOLS/foreign.bpf.o" /run/foreign/program
	for mode in xdpdrv xdpgeneric; do
		on host bpftool net attach $mode pinned /run/foreign/program dev eth0
		program=$(attached host eth0)
		exits 1 pc attach eth0 -p ssh
		says 'eth0' 'another XDP program' "somebody_elses" "id $program"
		exits 1 pc attach eth0 -p ssh --mode generic
		exits 1 pc attach eth0 -p ssh --mode native
		exits 1 pc attach eth0 -p ssh --dry-run
		exits 1 pc swap eth0 -p ssh
		exits 1 pc counters eth0
		exits 0 pc detach eth0
		says 'no filter of portcullis'
		same "$program" "$(attached host eth0)" 'the foreign program'
		on host bpftool net detach $mode dev eth0
	done
	inside umount /run/foreign
	untouched
}

@test "inside ip netns exec: refused, with the way that works" {
	pc attach eth0 -p ssh
	for words in 'attach eth0 -p xeams' 'swap eth0 -p xeams' 'detach eth0' status counters; do
		# shellcheck disable=SC2086
		exits 1 inside bash -c "ip netns exec host $(plain $words); exit \$?"
		says 'ip netns exec' 'nsenter --net=/run/netns/host portcullis'
	done
	same 1 "$(generation host eth0)" 'generation'
}

@test "a folder of pins that is not root's, or not closed to others, is refused" {
	pc attach eth0 -p ssh
	pc detach eth0
	inside chmod 0755 $PINS
	exits 1 pc attach eth0 -p ssh
	says "$PINS" '0700' '0755'
	inside chmod 0700 $PINS
	inside chown nobody $PINS
	exits 1 pc attach eth0 -p ssh
	says "$PINS" 'root'
	exits 1 pc status
	inside chown root $PINS
	inside rmdir $PINS
	inside ln -s /run $PINS
	exits 1 pc attach eth0 -p ssh
	says "$PINS"
	inside rm $PINS
	same '' "$(attached host eth0)" 'program'
	exits 0 pc attach eth0 -p ssh
	same '700 0' "$(inside stat -c '%a %u' $PINS)" 'mode and owner'
}

@test "a profile with every kind of mistake: all are reported in one run, each at its place" {
	cat > "$DIR/wrong.yaml" <<-'END'
		profile: wrong
		titel: A key that is not known
		title: One
		title: Two
		include: [host, nonesuch]
		protocols: [esp, tcp, 300, nonsense]
		services:
		  - name: smtp
		    prot: tcp
		  - name: Upper
		    in: 25/tcp
		  - name: port
		    in: 70000/tcp
		  - name: range
		    in: 200-100/tcp
		  - name: no-protocol
		    in: 25
		  - name: unknown-protocol
		    in: 25/sctp
		  - name: group
		    in: 25/tcp
		    from: Trusted_Net
		  - name: group
		    in: 26/tcp
		  - in: 27/tcp
		  - name: fixed
		    in: 28/tcp
		    fixed: perhaps
		  - name: to-without-out
		    in: 29/tcp
		    to: exchange
		  - name: dynamic-with-ports
		    in: 30/tcp
		    dynamic: true
		  - name: from-port
		    in: 31/tcp
		    from-port: 67
		  - just text
	END
	run --separate-stderr -- pc check "$DIR/wrong.yaml"
	same 1 "$status"
	for place in 2:1 4:1 5:17 6:18 6:23 6:28 9:5 10:11 13:9 15:9 17:9 19:9 22:11 23:11 25:5 28:12 31:5 34:5 37:16 38:5; do
		[[ $stderr == *"$DIR/wrong.yaml:$place: "* ]] || missing+=" $place"
	done
	[ -z "${missing:-}" ] || fail "nothing is reported at:$missing
$stderr"
	for text in 'titel' "did you mean 'title'" '70000' '1-65535' 'nonesuch' '^'; do
		[[ $stderr == *"$text"* ]] || fail "does not say '$text': $stderr"
	done
	output=$(pc check --json "$DIR/wrong.yaml" || true)
	json_is '.version == 1 and (.errors | length) >= 20'
	json_is 'all(.errors[]; (.file | type) == "string" and (.line | type) == "number" and
		(.column | type) == "number" and (.message | type) == "string")'
	json_is 'any(.errors[]; .line == 13 and .column == 9 and (.message | contains("70000")))'
	mkdir -p "$DIR/wrongs"
	cp "$DIR/wrong.yaml" "$DIR/wrongs/"
	exits 1 pc attach eth0 -p wrong --catalog "$DIR/wrongs"
	says 'wrong.yaml:13:9'
	untouched
}

@test "files that are no profile: empty, broken YAML, two documents, binary, a name that is not the file's" {
	: > "$DIR/empty.yaml"
	exits 1 pc check "$DIR/empty.yaml"
	says "$DIR/empty.yaml" 'empty'
	printf 'profile: [a\nservices: }\n' > "$DIR/broken.yaml"
	exits 1 pc check "$DIR/broken.yaml"
	says "$DIR/broken.yaml:2:"
	printf 'profile: a\n---\nprofile: b\n' > "$DIR/two.yaml"
	exits 1 pc check "$DIR/two.yaml"
	says "$DIR/two.yaml:2:"
	head -c 4096 /dev/urandom > "$DIR/binary.yaml"
	exits 1 pc check "$DIR/binary.yaml"
	says "$DIR/binary.yaml"
	mkdir -p "$DIR/renamed"
	printf 'profile: a\n' > "$DIR/renamed/b.yaml"
	exits 1 pc attach eth0 -p b --catalog "$DIR/renamed"
	says "$DIR/renamed/b.yaml" "'a'"
	untouched
}

@test "an include cycle is named" {
	mkdir -p "$DIR/cycle"
	printf 'profile: a\ninclude: b\n' > "$DIR/cycle/a.yaml"
	printf 'profile: b\ninclude: a\n' > "$DIR/cycle/b.yaml"
	exits 1 pc check "$DIR/cycle"
	says 'include cycle' 'a -> b -> a'
	exits 1 pc attach eth0 -p a --catalog "$DIR/cycle"
	says 'include cycle'
	untouched
}

@test "a huge file is refused at once, an unreadable one with the reason" {
	mkdir -p "$DIR/huge" "$DIR/unreadable"
	{ printf 'profile: huge\ntitle: '; head -c 10000000 /dev/zero | tr '\0' x; echo; } > "$DIR/huge/huge.yaml"
	SECONDS=0
	exits 1 inside timeout 10 "$PORTCULLIS" check "$DIR/huge/huge.yaml"
	says "$DIR/huge/huge.yaml" 'larger than'
	[ $SECONDS -lt 3 ] || fail "took $SECONDS s"
	exits 1 pc attach eth0 -p huge --catalog "$DIR/huge"
	says 'larger than'
	printf 'profile: unreadable\n' > "$DIR/unreadable/unreadable.yaml"
	chmod 000 "$DIR/unreadable/unreadable.yaml"
	exits 1 inside setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" check "$DIR/unreadable/unreadable.yaml"
	says 'Permission denied'
	exits 1 inside setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" show unreadable --catalog "$DIR/unreadable"
	says 'Permission denied'
	mkfifo "$DIR/pipe.yaml"
	exits 1 inside timeout 5 "$PORTCULLIS" check "$DIR/pipe.yaml"
	untouched
}

# traced FILE PATTERN: the index among the command's bpf() calls of those that match.
calls()
{
	grep 'bpf(' "$1" | grep -nE -e "$2" | cut -d: -f1
}

@test "the kernel refuses the program: its reason, the kernel version, exit 1, nothing left" {
	inside strace -f -e trace=bpf -o "$DIR/trace" nsenter --net=/run/netns/host \
		"$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	pc detach eth0
	# A thread loads the ingress program, and strace counts each thread's calls separately.
	sed -n "/^$(sed 's/ .*//;q' "$DIR/trace") /p" "$DIR/trace" > "$DIR/main"
	load=$(calls "$DIR/main" 'BPF_PROG_LOAD.*prog_name="portcullis_egre' | head -1)
	[ -n "$load" ] || fail 'found no load in the trace'
	exits 1 inside strace -f -o /dev/null -e inject=bpf:error=EACCES:when="$load+" \
		nsenter --net=/run/netns/host "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	says 'the kernel refuses the BPF program' 'Permission denied' "$(uname -r)" '5.10'
	untouched
}
