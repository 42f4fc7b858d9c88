#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Files of the wrong owner or mode, symbolic links, odd names, and what a command keeps of root's power.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	# An /etc of its own.
	inside mkdir -p /run/etc /run/work
	inside mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
}

teardown_file()
{
	sandbox_end
}

setup()
{
	catalog=$DIR/catalog
	rm -rf "$catalog"
	mkdir "$catalog"
	cp "$CATALOG/ssh.yaml" "$catalog/mine.yaml"
	sed -i 's/^profile: ssh/profile: mine/' "$catalog/mine.yaml"
}

teardown()
{
	rm -f "$DIR/linked"
	detach_all host
}

# taken, refused TEXT...: every command that reads the catalog's profile accepts it, or refuses it with these texts.
taken()
{
	exits 0 pc attach eth0 -p mine --catalog "${1:-$catalog}"
	exits 0 pc swap eth0 -p mine --catalog "${1:-$catalog}"
	exits 0 pc show mine --catalog "${1:-$catalog}"
	exits 0 pc detach eth0
}

refused()
{
	local words text

	pc attach eth0 -p ssh
	for words in 'attach eth1 -p mine' 'attach eth0 -p mine --dry-run' 'swap eth0 -p mine' 'swap eth0 -p mine,ssh --dry-run' 'show mine'; do
		# shellcheck disable=SC2086
		exits 1 pc $words --catalog "$catalog"
		says 'refused: ' "$@"
	done
	exits 1 pc profiles --catalog "$catalog"
	says 'refused: ' "$@"
	exits 1 pc check --catalog "$catalog"
	says 'refused: ' "$@"
	# `check` only warns of it.
	exits 0 pc check "$catalog"
	says 'warning: ' "$@"
	same 1 "$(generation host eth0)" 'generation'
	exits 0 pc detach eth0
}

@test "a profile that others can write is refused, with the command that fixes it" {
	taken
	for mode in 666 646 664; do
		chmod $mode "$catalog/mine.yaml"
		refused "(mode 0$mode); to fix it: chmod go-w $catalog/mine.yaml"
	done
	chmod 644 "$catalog/mine.yaml"
	taken
}

@test "a profile of another user is refused, one of the caller's behind sudo is not" {
	chown 12345 "$catalog/mine.yaml"
	refused "$catalog/mine.yaml belongs to user 12345" "chown root $catalog/mine.yaml"
	SUDO_UID=12345 taken
	SUDO_UID=12346 refused 'belongs to user 12345'
	chown 0 "$catalog/mine.yaml"
	taken
}

@test "behind sudo check, show and profiles read what they are given as the user who called it" {
	mkdir -m 700 "$DIR/folder"
	printf 'profile: its-root-only\nservices: its-root-only\n' | tee "$DIR/secret.yaml" > "$DIR/folder/secret.yaml"
	printf 'groups: {g: "@%s"}\n' "$DIR/secret.yaml" > "$DIR/site.yaml"
	chmod 600 "$DIR/secret.yaml"
	# The arguments of each command, and the part of root's file that it would show.
	for words in "check $DIR/secret.yaml" "check --site $DIR/secret.yaml" "check $DIR/site.yaml" "check $DIR/folder" \
		"check --catalog $DIR/folder" "profiles --catalog $DIR/folder" "show ssh --site $DIR/secret.yaml" \
		"show ssh --group g=@$DIR/secret.yaml" "show secret --catalog $DIR/folder"; do
		# shellcheck disable=SC2086
		SUDO_UID=12345 SUDO_GID=12345 exits 1 pc $words
		says_not 'its-root-only'
		# shellcheck disable=SC2086
		run pc $words
		says 'its-root-only'
		# shellcheck disable=SC2086
		SUDO_UID=0 run pc $words
		says 'its-root-only'
	done
	# Root's group must not help either.
	chmod 640 "$DIR/secret.yaml"
	SUDO_UID=12345 SUDO_GID=12345 exits 1 pc check "$DIR/secret.yaml"
	says 'Permission denied' 'with the rights of the user who called sudo' 'sudo -i'
	# The user's own file is shown.
	chown 12345 "$DIR/secret.yaml"
	chmod 600 "$DIR/secret.yaml"
	SUDO_UID=12345 SUDO_GID=12345 exits 1 pc check "$DIR/secret.yaml"
	says 'its-root-only'
	rm -r "$DIR/secret.yaml" "$DIR/site.yaml" "$DIR/folder"
}

@test "behind sudo the host's own site file and profiles are read as root" {
	inside mkdir -p /etc/portcullis/profiles
	inside sh -c 'umask 077 && echo "groups: {g: oops}" > /etc/portcullis/site.yaml && echo "profile: wrong" > /etc/portcullis/profiles/own.yaml'
	for words in check 'check /etc/portcullis/site.yaml' 'show ssh'; do
		# shellcheck disable=SC2086
		SUDO_UID=12345 SUDO_GID=12345 exits 1 pc $words
		says 'oops'
	done
	SUDO_UID=12345 SUDO_GID=12345 exits 1 pc check
	says 'own.yaml'
	inside rm -r /etc/portcullis/site.yaml /etc/portcullis/profiles
}

@test "a folder on the way that others can write, or own, is refused; a sticky one is not" {
	chmod 777 "$catalog"
	refused "(mode 0777); to fix it: chmod go-w $catalog"
	chmod 1777 "$catalog"
	taken
	chmod 755 "$catalog"
	chown 12345 "$catalog"
	refused "$catalog belongs to user 12345"
	chown 0 "$catalog"
	chmod 777 "$DIR"
	refused "chmod go-w $DIR"
	chmod 755 "$DIR"
	taken
}

@test "a symbolic link is followed to what it leads to, and may not be another's" {
	ln -s "$catalog" "$DIR/linked"
	taken "$DIR/linked"
	mv "$catalog/mine.yaml" "$DIR/elsewhere.yaml"
	ln -s "$DIR/elsewhere.yaml" "$catalog/mine.yaml"
	taken "$DIR/linked"
	chmod 666 "$DIR/elsewhere.yaml"
	refused "chmod go-w $DIR/elsewhere.yaml"
	chmod 644 "$DIR/elsewhere.yaml"
	chown -h 12345 "$catalog/mine.yaml"
	refused "chown -h root $catalog/mine.yaml"
	rm "$catalog/mine.yaml"
	ln -s mine.yaml "$catalog/mine.yaml"
	exits 1 pc attach eth0 -p mine --catalog "$catalog"
	says 'Too many levels of symbolic links'
}

@test "what a profile includes is looked at in the same way" {
	printf 'profile: more\ninclude: mine\n' > "$catalog/more.yaml"
	exits 0 pc show more --catalog "$catalog"
	chmod 666 "$catalog/mine.yaml"
	exits 1 pc attach eth0 -p more --catalog "$catalog"
	says 'refused: ' "chmod go-w $catalog/mine.yaml"
	same '' "$(attached host eth0)" 'program'
}

# Names of interfaces that do not exist, and that must not be taken for a path, or reach the terminal.
odd_names()
{
	printf '%s\0' '../x' '../../etc/passwd' '/sys/fs/bpf/portcullis' . .. 'eth0/' 'eth0 ' ' eth0' 'eth%d' '%s%n' '%' \
		'123456789012345' '1234567890123456' "$(printf 'x%.0s' {1..200})" $'eth0\n' $'\033[31meth0' $'a\x7f' $'\xff\xfe' \
		$'\u202eeth0' '' '-' 'eth0:1' 'ETH0' '*'
}

@test "odd interface names: each command says that there is none, and nothing changes" {
	pc attach eth0 -p ssh
	local before name words
	before=$(pins)
	while IFS= read -r -d '' name; do
		for words in 'attach -p ssh' 'attach -p ssh --dry-run' 'swap -p ssh' 'swap -p ssh --dry-run' detach status counters flows 'show --iface'; do
			# shellcheck disable=SC2086
			run -- pc $words "$name"
			[ "$status" = 1 ] || [ "$status" = 2 ] || fail "exit $status: $words '$name': $output"
			says 'portcullis: '
			LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' <<< "$output" && fail "control characters: $words: $(cat -v <<< "$output")"
			[[ $output != *$'\u202e'* ]] || fail "turns text around: $words"
		done
	done < <(odd_names)
	same "$before" "$(pins)" 'pins'
	same 1 "$(generation host eth0)" 'generation'
	[ -n "$(attached host eth0)" ] || fail 'detached'
}

@test "interfaces that have odd names work, and are shown as they are" {
	local name words
	for name in '123456789012345' 'é' 'a;b' "q'uote" 'x"y' '-dash' 'a\b' '[0m'; do
		on host ip link add name "$name" type veth peer name peer
		on host ip link set dev "$name" up
		exits 0 pc attach -p ssh --mode generic -- "$name"
		output=$(pc status --json -- "$name")
		json_is '.interfaces[0].name == $name' --arg name "$name"
		exits 0 pc counters -- "$name"
		# The shell reads the command in a message as it is meant.
		exits 1 pc attach -p ssh -- "$name"
		eval "words=(${output##*portcullis swap })"
		same "$name -p PROFILE" "${words[*]}"
		exits 0 pc swap --observe -- "$name"
		exits 0 pc detach -- "$name"
		says "$name: detached"
		on host ip link del dev "$name"
	done
}

@test "an alternative name finds the interface, and the real name is shown" {
	local long=a-very-long-alternative-name-of-the-interface
	on host ip link property add dev eth0 altname $long
	on host ip link property add dev eth0 altname lan
	exits 0 pc attach $long -p ssh
	says 'eth0: native'
	says_not $long
	exits 2 pc attach eth0 lan -p ssh
	exits 0 pc status lan
	says eth0
	output=$(pc counters $long --json)
	json_is '.interfaces[0].name == "eth0"'
	exits 0 pc show --iface $long
	exits 0 pc swap $long --observe
	exits 2 pc swap eth0 $long --enforce
	exits 0 pc detach $long
	says 'eth0: detached'
	same '' "$(attached host eth0)" 'program'
	exits 2 pc attach eth0 $long -p ssh
	says 'named twice'
	same '' "$(attached host eth0)" 'program'
	on host ip link property del dev eth0 altname $long
	on host ip link property del dev eth0 altname lan
}

# keeps ARGUMENTS...: the capabilities that a command has when it runs, from its capset(2) call.
keeps()
{
	on host strace -f -qq -e trace=capset -o "$DIR/trace" "$PORTCULLIS" "$@" > /dev/null
	sed -n '$ s/.*effective=\([^,]*\), permitted=\([^,]*\), inheritable=0.*/\1 \2/p' "$DIR/trace" |
		sed 's/1<<CAP_//g'
}

@test "a command keeps only the capabilities it has a use of, and no way to get others" {
	local look='DAC_READ_SEARCH|NET_ADMIN|SYS_PTRACE|SYS_ADMIN|PERFMON|BPF'
	same 'DAC_READ_SEARCH DAC_READ_SEARCH' "$(keeps profiles)"
	same 'DAC_READ_SEARCH DAC_READ_SEARCH' "$(keeps check)"
	same 'DAC_READ_SEARCH DAC_READ_SEARCH' "$(keeps show ssh)"
	same "CHOWN|$look CHOWN|$look" "$(keeps attach eth0 -p ssh)"
	same "$look $look" "$(keeps status)"
	same "$look $look" "$(keeps show --iface eth0)"
	in_background host timeout 20 "$PORTCULLIS" counters eth0 --watch 1
	until_true 5 inside pgrep -f -- '--watch 1'
	local process=
	watching()
	{
		process=$(inside pgrep -f "^$PORTCULLIS counters eth0 --watch 1")
		[ -n "$process" ] && inside grep -q '^NoNewPrivs:	1' "/proc/$process/status"
	}
	until_true 5 watching
	exits 0 inside cat "/proc/$process/status"
	[[ $output =~ CapPrm:.000000c000281004.*CapEff:.000000c000281004.*CapBnd:.0000000000000000 ]] || fail "$output"
	pc detach eth0
}

@test "the processes that read captures and products' files have a filter of system calls, and no capability" {
	local process

	mkfifo "$DIR/capture"
	in_background host timeout 20 "$PORTCULLIS" replay "$DIR/capture" -p ssh --local 192.0.2.1
	exec 7> "$DIR/capture"
	reading()
	{
		for process in $(inside pgrep -f "^$PORTCULLIS replay $DIR/capture"); do
			! inside grep -q '^Seccomp:	2' "/proc/$process/status" || return 0
		done
		return 1
	}
	until_true 5 reading
	exits 0 inside cat "/proc/$process/status"
	[[ $output =~ CapPrm:.0000000000000000.*CapEff:.0000000000000000 ]] || fail "$output"
	exec 7>&-
	# `suggest` uses the same filter of system calls.
	exits 0 on host strace -f -qq -e trace=prctl -o "$DIR/trace" "$PORTCULLIS" suggest --root "$DIR"
	grep -q PR_SET_SECCOMP "$DIR/trace"
}

@test "without root: what needs no privilege works, and has none" {
	same '0 0' "$(on host strace -f -qq -e trace=capset -o "$DIR/trace" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$PORTCULLIS" show ssh --catalog "$CATALOG" > /dev/null
		sed -n '$ s/.*effective=\([^,]*\), permitted=\([^,]*\), inheritable=0.*/\1 \2/p' "$DIR/trace")"
	exits 0 inside setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" show mine --catalog "$catalog"
	exits 0 inside setpriv --reuid 65534 --regid 65534 --clear-groups "$PORTCULLIS" check "$catalog/mine.yaml"
}
