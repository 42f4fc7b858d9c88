#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Building and installing, in a copy of the tree that has nothing built in it. Nothing is optimized, which takes
# half the time; all other tests are about the tree's own build, which is.

load helper

setup_file()
{
	sandbox_start
	host_add host
	host_add client
	link_add host eth0 client eth0
	TREE=$DIR/tree
	export TREE
	mkdir "$TREE"
	tar -C "$ROOT" --exclude=./.git --exclude='./build*' -cf - . | tar -C "$TREE" -xf -
	sums > "$DIR/sums"
	build all > "$DIR/build.log" 2>&1 || { cat "$DIR/build.log" >&2; return 1; }
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	detach_all host
}

# Every file of the tree with its content.
sums()
{
	(cd "$TREE" && find . -type f -exec sha256sum {} + | sort -k2)
}

FLAGS=-O0

build()
{
	env -u BUILD -u MAKEFLAGS CFLAGS="$FLAGS" make --no-print-directory -C "$TREE" "$@"
}

# rebuilds FILE WORDS...: after touching it, make's output has these lines.
rebuilds()
{
	local file=$1

	shift
	sleep 0.01
	touch "$TREE/$file"
	output=$(build all)
	says "$@"
}

@test "the tree's binary finds the tree's profiles by itself, from anywhere" {
	output=$(cd / && "$TREE/build/portcullis" profiles --json)
	json_is '(.profiles | length) == $count' --argjson count "$(find "$ROOT/profiles" -name '*.yaml' | wc -l)"
	json_is 'all(.profiles[]; .path | startswith($tree))' --arg tree "$TREE/profiles/"
}

@test "make on a machine that lacks something names it, and what installs it" {
	run build all CLANG=/nowhere/clang BPFTOOL=/nowhere/bpftool PKG_CONFIG=false CC='cc -nostdinc'
	same 2 "$status" "$output"
	says 'missing: /nowhere/clang /nowhere/bpftool libbpf libelf ' ' dirent.h linux/bpf.h pcap/pcap.h. On Debian, scripts/setup installs'
	exits 0 build help CLANG=/nowhere/clang
	says_not 'missing'
}

@test "a second make does nothing" {
	exits 0 build all
	same '' "$output" 'what make says'
}

@test "an edited header rebuilds what uses it, and nothing else" {
	rebuilds bpf/abi.h 'BPF' 'SKEL' 'CC      loader/filter/load.c' 'CC      loader/compile/compile.c' 'LINK'
	rebuilds bpf/packet.h 'BPF' 'SKEL' 'CC      loader/filter/load.c' 'LINK'
	says_not 'loader/base/yaml.c' 'loader/command/options.c'
	rebuilds loader/base/yaml_fields.h 'CC      loader/catalog/profile.c' 'CC      loader/base/yaml_fields.c' 'LINK'
	says_not 'BPF' 'loader/filter/hook.c'
	rebuilds loader/object/folder.h 'CC      loader/object/folder.c' 'CC      loader/host/attached.c' 'LINK'
	rebuilds docs/portcullis.8.scd 'MAN'
	says_not 'CC '
	exits 0 build all
	same '' "$output" 'what make says at last'
}

@test "make install: binary, profiles, schema, man pages, systemd unit, udev rule, completion, sample, with DESTDIR and PREFIX, and nothing else" {
	exits 0 build install DESTDIR="$DIR/dest" PREFIX=/usr
	output=$(cd "$DIR/dest" && find . -type f -printf '%m %P\n' | sort -k2)
	expected=$(
		echo '755 usr/sbin/portcullis'
		for unit in dns.service dns.timer groups.path groups.service; do
			echo "644 usr/lib/systemd/system/portcullis-$unit"
		done
		echo '644 usr/lib/systemd/system/portcullis-metrics.socket'
		echo '644 usr/lib/systemd/system/portcullis-metrics@.service'
		echo '644 usr/lib/systemd/system/portcullis-textfile.service'
		echo '644 usr/lib/systemd/system/portcullis-textfile.timer'
		echo '644 usr/lib/systemd/system/portcullis.service'
		echo '644 usr/lib/systemd/system/portcullis-log.service'
		echo '644 usr/lib/sysusers.d/portcullis.conf'
		echo '644 usr/lib/udev/rules.d/81-portcullis.rules'
		echo '755 usr/lib/systemd/system-sleep/portcullis'
		echo '755 usr/lib/portcullis/crowdsec-bouncer'
		echo '644 etc/fail2ban/action.d/portcullis.conf'
		echo '755 etc/network/if-pre-up.d/00-portcullis'
		echo '755 etc/network/if-pre-up.d/zz-portcullis'
		echo '644 usr/share/bash-completion/completions/portcullis'
		for file in beside-others containers emergency how-do-i; do
			echo "644 usr/share/doc/portcullis/$file.md"
		done
		for file in alerts.yaml dashboard.json site.yaml zabbix.conf; do
			echo "644 usr/share/doc/portcullis/examples/$file"
		done
		echo '755 usr/share/doc/portcullis/examples/check_mk'
		(cd "$ROOT/docs" && find ansible -type f -printf '644 usr/share/doc/portcullis/examples/%p\n')
		echo '644 usr/share/fish/vendor_completions.d/portcullis.fish'
		echo '644 usr/share/zsh/site-functions/_portcullis'
		for file in "$ROOT"/profiles/*.yaml "$ROOT"/profiles/*.schema.json; do
			echo "644 usr/share/portcullis/profiles/${file##*/}"
		done
		echo '644 usr/share/man/man5/portcullis-profile.5'
		echo '644 usr/share/man/man5/portcullis-site.5'
		echo '644 usr/share/man/man8/portcullis.8'
	)
	same "$(sort -k2 <<< "$expected")" "$output" 'what is installed'
	# The path to which README copies the sample site file.
	same '755' "$(stat -c %a "$DIR/dest/etc/portcullis/profiles")" 'mode of the folder of own profiles'
	grep -q '^ExecStart=/usr/sbin/portcullis ' "$DIR/dest/usr/lib/systemd/system/portcullis.service"
	grep -q '"/usr/sbin/portcullis apply ' "$DIR/dest/usr/lib/udev/rules.d/81-portcullis.rules"
	grep -q ' /usr/sbin/portcullis apply ' "$DIR/dest/etc/network/if-pre-up.d/zz-portcullis"
	grep -q '^/usr/sbin/portcullis apply ' "$DIR/dest/etc/network/if-pre-up.d/00-portcullis"
	grep -q ' /usr/sbin/portcullis apply --resumed' "$DIR/dest/usr/lib/systemd/system-sleep/portcullis"
	exits 0 "$DIR/dest/usr/sbin/portcullis" profiles --catalog "$DIR/dest/usr/share/portcullis/profiles"
	says "$DIR/dest/usr/share/portcullis/profiles/xeams.yaml"
}

# Every path below a folder, with type, mode and content.
listing()
{
	(cd "$1" && find . -printf '%y %m %P\n' -type f -exec sha256sum {} + | sort)
}

@test "make uninstall: removes what install has put there, and nothing else" {
	local root=$DIR/root

	# A host that already has these folders, with other files in them.
	mkdir -p "$root/etc/fail2ban/action.d" "$root"/usr/{sbin,lib/systemd/system,lib/systemd/system-sleep,lib/sysusers.d,lib/udev/rules.d,share/man/man5,share/man/man8,share/doc} \
		"$root"/usr/share/{bash-completion/completions,fish/vendor_completions.d,zsh/site-functions} \
		"$root/etc/network/if-pre-up.d"
	echo other | tee "$root/usr/sbin/other" "$root/usr/lib/systemd/system/other.service" > "$root/usr/share/man/man8/other.8"
	listing "$root" > "$DIR/before"
	exits 0 build install DESTDIR="$root" PREFIX=/usr
	[ -x "$root/usr/sbin/portcullis" ] || fail 'not installed'
	exits 0 build uninstall DESTDIR="$root" PREFIX=/usr
	same "$(cat "$DIR/before")" "$(listing "$root")" 'what is left'
	# A user's own file among the profiles stays.
	exits 0 build install DESTDIR="$root" PREFIX=/usr
	echo own > "$root/usr/share/portcullis/profiles/own.yaml"
	exits 0 build uninstall DESTDIR="$root" PREFIX=/usr
	same 'usr/share/portcullis/profiles/own.yaml' "$(cd "$root" && find . -type f -newer "$DIR/before" -printf '%P\n')" 'what is left'
	exits 0 build uninstall DESTDIR="$root" PREFIX=/usr
}

@test "scripts/setup package: what debian/control says that the packages are built with" {
	output=$(sed -n '/^Build-Depends:/,/^[^ ]*-Version:/{s/^Build-Depends://; /^[^ ]*:/d; s/[ ,]*\(<.*>\)\?,\?$//; s/^ *//; s/ .*//; /./p}' \
		"$ROOT/debian/control" | sed 's/^pkgconf$/pkg-config/; s/^debhelper-compat$/debhelper/; /^dh-sequence-/d' | sort)
	[ "$(wc -l <<< "$output")" -gt 15 ] || fail "not found in debian/control: $output"
	same '' "$(comm -23 <(echo "$output") <("$ROOT/scripts/setup" --list package | sort))" 'what is missing in scripts/setup package'
}

@test "the sample site file: no errors, and apply would attach what it names" {
	local sample=$DIR/dest/usr/share/doc/portcullis/examples/site.yaml

	exits 0 "$PORTCULLIS" check "$sample"
	same 'no errors' "$output" 'what check says'
	exits 0 on host "$PORTCULLIS" apply --dry-run --site "$sample"
	says 'eth0: would attach, observe, ssh + xeams' 'opens   22/tcp from trusted' 'opens   143/tcp'
	grep -qx "# yaml-language-server: \$schema=/usr/share/portcullis/profiles/site.schema.json" "$sample"
	# Each line of the file is tried, even lines that are comments.
	sed -i "s|  # backup-servers:|  backup-servers:|; /observe: true/d" "$sample"
	echo 192.0.2.7 > "${sample%/*}/backup-servers.txt"
	exits 0 on host "$PORTCULLIS" apply --dry-run --site "$sample"
	says 'eth0: would attach, enforce, ssh + xeams'
}

@test "other flags rebuild everything, the same flags nothing; an installed binary finds the profiles of its prefix by itself, and filters" {
	output=$(build all PREFIX="$DIR/local")
	says 'CC      loader/command/main.c' 'LINK'
	output=$(build all PREFIX="$DIR/local")
	same '' "$output" 'what make says'
	exits 0 build install PREFIX="$DIR/local"
	says_not 'CC ' 'LINK'
	output=$("$DIR/local/sbin/portcullis" profiles --json)
	json_is 'all(.profiles[]; .path | startswith($prefix))' --arg prefix "$DIR/local/share/portcullis/profiles/"
	grep -q "^ExecStart=$DIR/local/sbin/portcullis " "$DIR/local/lib/systemd/system/portcullis.service"
	exits 0 on host "$DIR/local/sbin/portcullis" attach eth0 -p communigate-pro
	says 'eth0: native, enforce, communigate-pro'
	exits 0 on host "$DIR/local/sbin/portcullis" detach eth0
	output=$(build all CFLAGS="$FLAGS -DOTHER")
	says 'CC      loader/command/main.c' 'LINK'
}

@test "the man pages are formatted, and name every command and option" {
	for page in portcullis.8 portcullis-profile.5 portcullis-site.5; do
		[ -s "$TREE/build/$page" ] || fail "no $page"
	done
	text=$(cat "$TREE/build/portcullis.8" | sed 's/\\//g')
	for command in profiles show check attach swap detach status counters; do
		[[ $text == *"$command"* ]] || fail "portcullis.8 does not name $command"
		for option in $("$TREE/build/portcullis" $command --help | grep -o -- '--[a-z-]*'); do
			[[ $text == *"$option"* ]] || fail "portcullis.8 does not name $option"
		done
	done
}

@test "make clean leaves the tree as it was" {
	exits 0 build clean
	same '' "$(sums | diff "$DIR/sums" -)" 'difference'
}
