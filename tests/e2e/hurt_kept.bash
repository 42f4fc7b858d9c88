#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kills a command at every call that writes below /var/lib/portcullis, lets every fourth one (with FAULTS_ALL, each) fail
# as on a full or broken disk, and looks at what is kept and at what boots. For `hurt_kept` in faults_kept.bats: runs on the
# filtered host, and needs PORTCULLIS, TOOLS and DIR.
#
#   hurt_kept.bash SITE WANTED WAITS COMMAND...
#
#   SITE     the site file that the command applies, or has applied
#   WANTED   what boots after a command that did well: before or after
#   WAITS    the site file that waits to be confirmed before the command; '': none
#
# At first the site file `before` is confirmed, and filters.
set -u

SITE=/etc/portcullis/site.yaml
KEPT=/var/lib/portcullis
site=$1 wanted=$2 waits=$3
shift 3
command=("$@")
tried=0 failures=0 trouble=''

trouble()
{
	trouble+="
    $*"
}

# The active profile, by the only port in which the profiles differ.
now()
{
	case $("$PORTCULLIS" show --iface eth0 --json | jq -r '[.profiles[].services[].ports[]] | join(" ")') in
	7001/tcp) echo before ;;
	7002/tcp) echo after ;;
	esac
}

# run OUTPUT COMMAND...
run()
{
	"${@:2}" > "$1" 2>&1
	code=$?
}

# Restores the first state.
bring_back()
{
	if [ "$(now)" != before ]; then
		cp "$DIR/before.yaml" $SITE
		run "$DIR/back" "$PORTCULLIS" apply --force
		[ $code = 0 ] && [ "$(now)" = before ] || { echo "cannot start anew: $(cat "$DIR/back")"; exit 1; }
	fi
	rm -rf $KEPT
	cp -a "$DIR/kept" $KEPT
	[ -z "$waits" ] || {
		cp "$DIR/$waits.yaml" $SITE
		run "$DIR/back" "$PORTCULLIS" apply --confirm 3600 --force
		[ $code = 0 ] || { echo "cannot start anew: $(cat "$DIR/back")"; exit 1; }
	}
	cp "$DIR/$site.yaml" $SITE
	rm -rf /run/portcullis $KEPT.at-first
	cp -a $KEPT $KEPT.at-first
}

# whole FOLDER: prints the content of a copy, which must be complete.
whole()
{
	local name

	for name in before after; do
		[ "$(cat "$1/site.yaml" "$1/groups/office" "$1/profiles/$name.yaml" 2> /dev/null)" != \
			"$(cat "$DIR/$name.yaml" "$DIR/$name.office" "$DIR/$name.profile")" ] || [ ! -s "$1/about.json" ] || echo $name
	done
}

# Every change is in the history or the spare file, and no number is there twice: earlier changes, and that of a
# successful command.
check_history()
{
	local wanted

	wanted=$(jq -s 'map(select(.id)) | length' $KEPT.at-first/history)

	[ "$1" != 0 ] || wanted=$((wanted + 1))
	"$PORTCULLIS" history --json 2> "$DIR/history.err" |
		jq -e --argjson wanted "$wanted" '(.changes | length) >= $wanted and (.changes | map(.number) | . == unique)' > "$DIR/history.out" ||
		trouble "history: $(cat "$DIR/history.err") $("$PORTCULLIS" history 2>&1 | tail -3)"
}

# Each link leads to a complete copy.
check_kept()
{
	local link

	for link in $KEPT/{confirmed,pending,trying}; do
		[ ! -L $link ] || [ -n "$(whole $link)" ] || trouble "not whole: $(find -L $link -type f -printf '%P %s\n' | tr '\n' ' ')"
	done
	[ -L $KEPT/confirmed ] || trouble 'nothing is confirmed'
}

# The state after a reboot: no filter, and the site file unchanged.
check_boot()
{
	begun=no
	[ ! -s $KEPT/tried ] || begun=yes
	[[ ${command[*]} != *--confirm* || $begun = yes || $(now) = before ]] || grep -q ': cannot keep' "$DIR/out" ||
		trouble 'it is applied, and nothing says that it is to be confirmed'
	"$PORTCULLIS" detach eth0 > "$DIR/boot" 2>&1
	run "$DIR/boot" "$PORTCULLIS" apply --boot
	[ $code = 0 ] || [ $code = 4 ] || trouble "boot: exit $code: $(cat "$DIR/boot")"
	booted=$(now)
	case $action:$1:$booted in
	none:*:"$wanted" | *:137:before | *:137:after) ;;
	# A failure to keep the file is reported, together with what boots.
	E*:0:"$wanted") ;;
	E*:0:*) grep -q "^portcullis: warning: $KEPT: cannot " "$DIR/out" || trouble "boots $booted, and no warning was given" ;;
	E*:1:before) ;;
	*) trouble "exit $1, boots $booted" ;;
	esac
	# A file that was not confirmed must not boot, unless that was reported, or no file was applied before.
	[[ ${command[*]} != *--confirm* || $booted = before || $1:$begun = 137:no ]] ||
		grep -q 'the next boot applies it even if' "$DIR/out" || trouble 'what was not confirmed boots'
	[[ ${command[*]} != confirm || $1 != 0 || $booted = after ]] || grep -q 'the next boot applies the ' "$DIR/out" ||
		trouble 'what was confirmed does not boot'
}

# The next successful command leaves one copy.
check_rest()
{
	local left

	cp "$DIR/before.yaml" $SITE
	run "$DIR/next" "$PORTCULLIS" apply --force
	[ $code = 0 ] || trouble "next command: exit $code: $(cat "$DIR/next")"
	left=$(cd $KEPT && find . -mindepth 1 -maxdepth 1 ! -name tried ! -name "history*" -printf '%f\n' | sed 's/^snapshot-.*/snapshot/' | sort | tr '\n' ' ')
	[ "$left" = 'confirmed snapshot ' ] || trouble "left: $left"
	[ "$(whole $KEPT/confirmed)" = before ] || trouble 'the copy is another one'
}

# hurt_at ACTION POINT
hurt_at()
{
	local fault=(-w $KEPT -e "$1@$2")

	action=$1 trouble=''
	case $1 in
	kill) fault=(-w $KEPT -k "$2") ;;
	none) fault=(-w $KEPT -l "$DIR/points") ;;
	esac
	tried=$((tried + 1))
	bring_back
	run "$DIR/out" "$TOOLS/faults" "${fault[@]}" "$PORTCULLIS" "${command[@]}"
	check_history $code
	check_kept
	check_boot $code
	check_rest
	[ -n "$trouble" ] || return 0
	failures=$((failures + 1))
	echo "$1 at $2 ($(sed -n "s|^$2 ||p" "$DIR/points")):$trouble
$(sed 's/^/    > /' "$DIR/out")"
}

hurt_at none none
[ $failures = 0 ] || exit 1
turn=0 every=${FAULTS_ALL:+1} every=${every:-4}
while read -r point _; do
	errors=(ENOSPC EIO)
	hurt_at kill "$point"
	[ $((turn++ % every)) != 0 ] || hurt_at "${errors[turn / every % 2]}" "$point"
done < <(cat "$DIR/points")
echo "${command[*]}: $(wc -l < "$DIR/points") calls, $tried points tried, $failures failures, $SECONDS s"
[ $failures = 0 ]
