# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts share that boot guests in QEMU and print TAP.

tests=0 failed=0

ok() { tests=$((tests + 1)); echo "ok $tests - $*"; }
skip() { tests=$((tests + 1)); echo "ok $tests - $1 # SKIP $2"; }
# shellcheck disable=SC2034 # `failed` is the exit code
not_ok() { tests=$((tests + 1)); failed=1; echo "not ok $tests - $*"; }
note() { sed 's/^/# /'; }

# copy_modules ROOT RELEASE TO MODULE...: the modules of a kernel below ROOT, with those that they need, uncompressed;
# TO/order has their names in the order in which they load. Modules that are built into the kernel are left out.
copy_modules()
{
	local root=$1 release=$2 to=$3 word file name

	shift 3
	mkdir "$to"
	modprobe -d "$root" -S "$release" -a --show-depends "$@" 2> /dev/null | while read -r word file _; do
		name=$(basename "$file")
		[ "$word" = insmod ] && [ ! -e "$to/${name%.ko*}.ko" ] || continue
		case $name in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -dcq "$file" ;;
		*) cat "$file" ;;
		esac > "$to/${name%.ko*}.ko"
		echo "${name%.ko*}.ko"
	done > "$to/order" || true
}
