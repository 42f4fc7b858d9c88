#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The Debian packages, as `make deb` makes them: what is in them, what lintian says, and that they are reproducible.
# tests/chroot installs them in another Debian.

load helper

setup_file()
{
	DIR=$(mktemp -d /tmp/portcullis-e2e.XXXXXX)
	chmod 755 "$DIR"
	export DIR
	# A user without rights, in one locale and time zone; and root, in others.
	copy_tree "$DIR/one"
	chown -R nobody "$DIR/one"
	one setpriv --reuid nobody --clear-groups env HOME=/nonexistent TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 \
		bash -c 'umask 022 && exec "$@"' - make -C "$DIR/one" deb > "$DIR/one.log" 2>&1 ||
		{ tail -50 "$DIR/one.log" >&2; return 1; }
	copy_tree "$DIR/another/place/of/the/tree"
	one env TZ=America/Adak LC_ALL=de_DE.UTF-8 LANGUAGE=de \
		bash -c 'umask 027 && exec "$@"' - make -C "$DIR/another/place/of/the/tree" deb > "$DIR/two.log" 2>&1 ||
		{ tail -50 "$DIR/two.log" >&2; return 1; }
	mv "$DIR/one/build/deb" "$DIR/debs"
	mv "$DIR/another/place/of/the/tree/build/deb" "$DIR/again"
}

teardown_file()
{
	rm -rf "${DIR:-/nonexistent}"
}

copy_tree()
{
	mkdir -p "$1"
	tar -C "$ROOT" --exclude=./.git --exclude='./build*' -cf - . | tar -C "$1" --no-same-owner -xf -
}

# Variables that a build must not inherit. The unit tests are run elsewhere.
one()
{
	env -u BUILD -u MAKEFLAGS -u MAKELEVEL -u CFLAGS DEB_BUILD_OPTIONS=nocheck "$@"
}

# contents PACKAGE: mode, owner and path of each file of it.
contents()
{
	dpkg-deb --contents "$DIR/debs/$1"_[0-9]*.deb | awk '{ print $1, $2, $6 }' | sort -k3
}

control()
{
	dpkg-deb --field "$DIR/debs/$1"_[0-9]*.deb "$2"
}

@test "two packages and their source, of the version that the program says" {
	local version

	version=$("$PORTCULLIS" --version)
	version=${version#portcullis }
	output=$(cd "$DIR/debs" && ls -- *.deb *.dsc *.tar.xz)
	same "portcullis-catalog_${version}_all.deb
portcullis-dbgsym_${version}_$(dpkg --print-architecture).deb
portcullis_$version.dsc
portcullis_$version.tar.xz
portcullis_${version}_$(dpkg --print-architecture).deb" "$output" 'what is built'
	# Builds it again as Debian's tools do; that must not compile anything again.
	tar -tf "$DIR/debs/portcullis_$version.tar.xz" > "$DIR/source"
	grep -qx portcullis/bpf/abi.h "$DIR/source" || fail 'no source'
	same '' "$(grep -e '\.o$' -e '/build' -e '/\.git' "$DIR/source" || true)" 'what is no source'
}

@test "what make install installs is in them, each file once, root's" {
	local folder

	# Uses the path by which the tests were built: another path gives other flags, and would rebuild everything
	# under the other suites.
	make -s -C "$ROOT" BUILD="$(realpath --relative-to="$ROOT" "$(dirname "$PORTCULLIS")")" DESTDIR="$DIR/dest" install > /dev/null
	output=$(for package in portcullis portcullis-catalog; do
		contents $package | grep '^-' | grep -v -e '/doc/[^/]*/\(changelog.gz\|copyright\|README\|CHANGELOG\)' |
			sed 's|.*\./|./|; s|\.gz$||; s|^\./lib/|./usr/lib/|; s|/vendor-completions/_|/site-functions/_|'
	done | sort)
	same "$(cd "$DIR/dest" && find . -type f | sort)" "$output" 'files'
	same '' "$(for package in portcullis portcullis-catalog; do contents $package | grep -v ' root/root ' || true; done)" 'others'"'"' files'
	for folder in ./etc/portcullis/ ./etc/portcullis/profiles/; do
		contents portcullis | grep -qx "drwxr-xr-x root/root $folder" || fail "no $folder"
	done
	# Without a site file an installation attaches nothing.
	same $'-rw-r--r-- root/root ./etc/fail2ban/action.d/portcullis.conf\n-rwxr-xr-x root/root ./etc/network/if-pre-up.d/00-portcullis\n-rwxr-xr-x root/root ./etc/network/if-pre-up.d/zz-portcullis' \
		"$(contents portcullis | grep '^-.*/etc/')" 'files in /etc'
	output=$(contents portcullis-catalog)
	says '/usr/share/doc/portcullis-catalog/README.md' '/usr/share/portcullis/profiles/xeams.yaml'
	output=$(contents portcullis)
	says_not 'profiles/xeams' '/usr/share/portcullis'
}

@test "they need netbase, a catalog that is as new, and the libraries" {
	output=$(control portcullis Depends)
	says 'netbase' "portcullis-catalog (>= $(control portcullis Version))" 'libbpf1' 'libfyaml0' 'libjansson4' 'libmnl0' 'libcap-ng0' 'libpcap0.8'
	same all "$(control portcullis-catalog Architecture)"
}

@test "lintian: no errors, no warnings" {
	run lintian --allow-root --pedantic --display-info --fail-on error,warning "$DIR"/debs/*.changes
	sed 's/^/# /' <<< "$output" >&3
	same '' "$(grep '^[EW]:' <<< "$output" || true)" 'errors and warnings'
	same 0 "$status" "$output"
}

@test "built again elsewhere, at another time, by another user: the same bytes" {
	output=$(cd "$DIR/debs" && sha256sum -- *.deb *.tar.xz *.dsc)
	expected=$(cd "$DIR/again" && sha256sum -- *.deb *.tar.xz *.dsc)
	if [ "$output" != "$expected" ] && command -v diffoscope > /dev/null; then
		diffoscope "$DIR"/{debs,again}/portcullis_[0-9]*.deb | head -60 >&2 || true
	fi
	same "$expected" "$output" 'sums'
}

@test "other versions in Makefile and debian/changelog: not built" {
	copy_tree "$DIR/other"
	sed -i '1s/(.*)/(9.9)/' "$DIR/other/debian/changelog"
	run one make -C "$DIR/other" deb
	[ "$status" != 0 ] || fail 'it was built'
	says 'debian/changelog has version 9.9, Makefile'
}
