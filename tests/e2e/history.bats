#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The history: who changed what, when and why, what became of it; and the way back.

load helper
load servers

KEPT=/var/lib/portcullis
SPARE=/run/portcullis

setup_file()
{
	sandbox_start
	two_hosts
	host_add other
	link_add host eth1 other eth0
	SITE=$DIR/site.yaml
	export SITE
	start_sshd host
	until_true 10 listening host 22
}

teardown_file()
{
	sandbox_end
}

setup()
{
	inside rm -rf $KEPT $SPARE
}

teardown()
{
	if inside mountpoint -q $KEPT; then inside umount $KEPT; fi
	detach_all host
	rm -rf "$SITE" "$DIR/profiles"
}

# changes FILTER [ARGUMENT...]: a jq filter on `history --json`.
changes()
{
	pc history --json "${@:2}" | jq -c "$1"
}

# told: prints "NUMBER ACTION INTERFACE STATE" for each part of each change.
told()
{
	changes '.changes[] | . as $change | .interfaces[] | [$change.number, .action, .name, $change.state] | join(" ")' "$@" | tr -d '"'
}

# opens INTERFACE: the ports that it opens, or `nothing is attached`.
opens()
{
	[ -n "$(attached host "$1")" ] || { echo 'nothing is attached'; return; }
	pc show --iface "$1" --json | jq -r '[.profiles[].services[] | select(.open and .direction != "out") | .ports[]] | sort | join(" ")'
}

# ssh_pc ARGUMENT...: runs portcullis by SSH from the client.
ssh_pc()
{
	on client timeout 20 ssh -F "$DIR/ssh/config" 192.0.2.1 "$(printf '%q ' "$PORTCULLIS" "$@")"
}

# --- what is recorded ---

@test "each kind of change is one entry; a deadline that passed is recorded when it is settled" {
	pc attach eth0 -p ssh --comment CHG-1
	pc swap eth0 --open 587/tcp --confirm 60
	pc confirm eth0 --force --comment 'it works'
	pc swap eth0 --open 588/tcp --confirm 4
	same '4 swap eth0 pending' "$(told | tail -1)"
	sleep 4.1
	same '4 swap eth0 reverted' "$(told | tail -1)" 'before a command has settled it'
	printf 'interfaces:\n  eth0: {profiles: ssh}\n  eth1: {profiles: ssh}\n' > "$SITE"
	exits 0 pc apply --site "$SITE" --comment CHG-5
	exits 0 pc apply --resumed
	pc detach --all
	exits 0 pc apply --boot --site "$SITE"
	same '1 attach eth0 final
2 swap eth0 confirmed
3 confirm eth0 final
4 swap eth0 reverted
5 revert eth0 final
6 attach eth1 final
6 swap eth0 final
7 resume eth0 final
7 resume eth1 final
8 detach eth0 final
8 detach eth1 final
9 attach eth0 final
9 attach eth1 final' "$(told | sort -s -n -k1,1 | LC_ALL=C sort)"
	output=$(pc history --json)
	json_is '.version == 1 and (.changes | map(.number) == [range(1; 10)])'
	json_is '.changes[1] | .confirmed == true and .comment == null and .settled.number == 3 and .settled.comment == "it works" and
		.interfaces[0].opens == ["587/tcp"] and .interfaces[0].closes == [] and .interfaces[0].groups == []'
	json_is '.changes[0].confirmed == null and .changes[3].confirmed == false'
	json_is '.changes[4] | .by == null and .command == null and .client == null'
	json_is '.changes[5] | .by == "root" and .comment == "CHG-5" and (.command | startswith("apply --site"))'
	json_is 'all(.changes[]; .time | test("^20[0-9-]*T[0-9:]*Z$"))'
	# Refused changes and dry runs leave no entry.
	pc attach eth0 -p ssh || true
	pc swap eth0 --open 9/tcp --dry-run
	exits 0 pc apply --site "$SITE"
	same 9 "$(changes '.changes | length')"
}

@test "apply --boot: one change, also of an interface that comes while it waits; udev's new name is the one recorded" {
	printf 'interfaces:\n  eth0: {profiles: ssh}\n  late0: {profiles: ssh}\n  new0: {profiles: ssh}\n' > "$SITE"
	on host "$PORTCULLIS" apply --boot --wait 10 --site "$SITE" > "$DIR/boot.log" 2>&1 &
	until_true 5 grep -q 'not there yet' "$DIR/boot.log"
	until_true 5 attached host eth0
	on host ip link add new0 type veth peer name new1
	on host ip link add late0 type veth peer name late1
	wait $! || fail "$(cat "$DIR/boot.log")"
	same '[["eth0","late0","new0"]]' "$(changes '[.changes[] | [.interfaces[].name] | sort]')"
	pc detach new0
	exits 0 pc apply --boot --as new0 --site "$SITE" -- late1
	same '["new0"]' "$(changes '[.changes[-1].interfaces[].name]')"
	pc detach --all --comment 'CHG-9'
	on host ip link del new0
	on host ip link del late0
}

@test "who: by SSH with its address, behind sudo, and by the audit login" {
	ssh_pc attach eth0 -p ssh > /dev/null
	same '["root","192.0.2.2"]' "$(changes '.changes[0] | [.by, .client]')"
	on host env SUDO_USER=$'al\nice' SSH_CONNECTION='192.0.2.9 50000 192.0.2.1 22' "$PORTCULLIS" swap eth0 --open 587/tcp
	if ! inside sh -c 'echo 1 > /proc/self/loginuid' 2> /dev/null; then
		same '["al?ice","192.0.2.9"]' "$(changes '.changes[1] | [.by, .client]')"
		return
	fi
	same '["al?ice","192.0.2.9"]' "$(changes '.changes[1] | [.sudo_user, .client]')"
	on host sh -c 'echo 1 > /proc/self/loginuid && SUDO_USER=x exec "$@"' - "$PORTCULLIS" swap eth0 --no-open 587/tcp
	same '["daemon","x"]' "$(changes '.changes[2] | [.by, .sudo_user]')"
}

@test "one command: who opened 587, why, and who confirmed it" {
	pc attach eth0 -p ssh
	on host env SUDO_USER=alice SSH_CONNECTION='192.0.2.7 50000 192.0.2.1 22' "$PORTCULLIS" swap eth0 --open 587/tcp --confirm 60 \
		--comment 'CHG-4711: mail clients'
	on host env SUDO_USER=bob "$PORTCULLIS" confirm eth0 --force
	pc swap eth0 --open 500-600/udp
	exits 0 pc history --port 587/tcp --since 1h
	says 'alice from 192.0.2.7' 'confirmed by bob' 'eth0' 'opens 587/tcp' 'comment: CHG-4711: mail clients'
	same '[2]' "$(changes '[.changes[].number]' --port 587/tcp)"
	same '[4]' "$(changes '[.changes[].number]' --port 587/udp)" 'within a range'
	same '[]' "$(changes '[.changes[].number]' --port 57/udp)"
	same '[]' "$(changes '[.changes[].number]' eth1)"
	exits 0 pc history 2
	says 'change 2' 'alice from 192.0.2.7' 'comment   CHG-4711' 'confirmed by bob' '(change 3)' 'opens   587/tcp from anyone (site:587-tcp)'
	exits 0 pc history eth1
	says 'no such change is recorded'
	# A change of only a port's sources is found, too.
	pc swap eth0 --no-open 587/tcp --open 587/tcp=mgmt --group mgmt=192.0.2.0/24
	same '[2,5]' "$(changes '[.changes[].number]' --port 587/tcp)"
}

@test "history N M: what differs between two states, of all interfaces" {
	pc attach eth0 eth1 -p ssh
	pc swap eth0 --open 587/tcp
	pc swap eth1 --open 588/tcp
	pc swap --open 589/tcp
	pc swap eth0 --no-open 587/tcp
	pc detach eth1
	output=$(pc history 1 5 --json)
	json_is '.from == 1 and .to == 5 and (.changes | map(.number)) == [2, 3, 4, 5]'
	json_is '.interfaces | map([.name, .action, .opens, .closes]) == [["eth0", "swap", ["589/tcp"], []], ["eth1", "swap", ["588/tcp", "589/tcp"], []]]'
	output=$(pc history 5 1 --json)
	json_is '.interfaces | map([.name, .closes]) == [["eth0", ["589/tcp"]], ["eth1", ["588/tcp", "589/tcp"]]]'
	output=$(pc history 0 6 --json)
	json_is '.interfaces | map([.name, .action, .opens]) == [["eth0", "attach", ["22/tcp", "589/tcp"]]]'
	exits 0 pc history 4 6
	says 'eth0' 'closes  587/tcp' 'eth1' 'everything passes'
	exits 0 pc history 2 2
	says 'nothing differs'
	exits 1 pc history 1 7
	says 'there is no change 7; the history has 1 to 6'
	exits 1 pc history 7
	exits 2 pc history 1 eth0
	exits 2 pc history 1 --since 1h
}

@test "the history is of the host: changes of other network namespaces are named with theirs" {
	pc attach eth0 -p ssh
	as other attach eth0 -p ssh
	same '["host","other"]' "$(changes '[.changes[].network_namespace]')"
	exits 0 pc history
	says 'eth0 (other): attach'
	# Nor does a rollback use them.
	exits 0 pc rollback
	says 'undoes change 1'
	[ -n "$(attached other eth0)" ] || fail "another namespace's filter is gone"
	as other detach eth0
}

@test "process 1 of a container is in its network: its changes are not named with one" {
	exits 0 on host unshare --pid --fork --mount-proc "$PORTCULLIS" attach eth0 -p ssh --catalog "$CATALOG"
	exits 0 on host unshare --pid --fork --mount-proc "$PORTCULLIS" history --json
	json_is '.changes | length == 1 and .[0].network_namespace == null'
}

# --- where it is kept ---

@test "members of the administrators' group read it, others do not" {
	{ sed '/^portcullis:/d' /etc/group; echo 'portcullis:x:54321:'; } > "$DIR/group"
	inside mount --bind "$DIR/group" /etc/group
	pc attach eth0 -p ssh
	exits 0 on host setpriv --reuid 12345 --regid 12345 --groups 54321 --bounding-set=-all --inh-caps=-all "$PORTCULLIS" history
	says 'eth0'
	exits 1 on host setpriv --reuid 12345 --regid 12345 --clear-groups --bounding-set=-all --inh-caps=-all "$PORTCULLIS" history
	says 'Permission denied' 'usermod -a -G portcullis'
	same '710 54321' "$(inside stat -c '%a %g' $KEPT)"
	same '640 54321' "$(inside stat -c '%a %g' $KEPT/history)"
	inside umount /etc/group
}

@test "a full disk: the change is made, and says where it is recorded; it gets its number later" {
	pc attach eth0 -p ssh
	inside cp -a $KEPT "$DIR/was"
	inside mount -t tmpfs -o size=64k,mode=700 tmpfs $KEPT
	inside cp -a "$DIR/was/." $KEPT
	inside sh -c "head -c 1M /dev/zero > $KEPT/full" || true
	exits 0 pc swap eth0 -p ssh,contact-expert-core --open 587/tcp --comment full --force
	says 'warning' "$KEPT: cannot record the change: No space left on device: it is in $SPARE/history"
	[[ $(opens eth0) == *' 587/tcp'* ]] || fail "$(opens eth0)"
	same '[1,2]' "$(changes '[.changes[].number]')" 'it is shown at once'
	inside rm $KEPT/full
	exits 0 pc swap eth0 --no-open 587/tcp --force
	says_not 'cannot record'
	same '[[1,null],[2,"full"],[3,null]]' "$(changes '[.changes[] | [.number, .comment]]')"
	inside test ! -e $SPARE/history || fail 'it is still in the spare file'
	exits 0 pc rollback 2 --force
	[[ $(opens eth0) == *' 587/tcp'* ]] || fail "$(opens eth0)"
}

@test "a read-only or missing /var/lib: likewise; history as root moves it, too" {
	inside mount -t tmpfs -o ro,mode=700 tmpfs $KEPT 2> /dev/null || { inside mkdir $KEPT; inside mount -t tmpfs -o ro,mode=700 tmpfs $KEPT; }
	exits 0 pc attach eth0 -p ssh
	says 'Read-only file system'
	inside umount $KEPT
	inside rmdir $KEPT
	inside mount -t tmpfs -o ro tmpfs /var/lib
	exits 0 pc swap eth0 --open 587/tcp --confirm 60
	exits 0 pc confirm eth0 --force
	says 'cannot record the change: Read-only file system'
	same '1 attach eth0 final
2 swap eth0 confirmed
3 confirm eth0 final' "$(told)"
	inside umount /var/lib
	exits 0 pc history
	same '[1,2,3]' "$(inside sed -n 's/^{"number":\([0-9]*\),.*/\1/p' $KEPT/history | jq -sc .)"
	inside test ! -e $SPARE/history
}

@test "a file of others, a link, a newer version: named, with what to do; no change is stopped" {
	inside mkdir -m 700 $KEPT
	inside sh -c "echo 'my notes' > $KEPT/history"
	exits 0 pc attach eth0 -p ssh
	says "$KEPT/history: is not used: it is not a history of portcullis; to fix it: mv $KEPT/history $KEPT/history-old"
	exits 1 pc history
	says "$KEPT/history: cannot be read: it is not a history" "mv $KEPT/history $KEPT/history-old"
	same 'my notes' "$(inside cat $KEPT/history)"
	inside sh -c "echo '{\"portcullis_history\":9}' > $KEPT/history"
	exits 0 pc swap eth0 --open 1/tcp
	says 'another version of portcullis'
	inside ln -sf /etc/passwd $KEPT/history
	exits 0 pc swap eth0 --open 2/tcp
	says "$KEPT/history: is not used: it is a symbolic link"
	inside rm $KEPT/history
	inside mkfifo $KEPT/history
	exits 0 timeout 20 nsenter --target "$SANDBOX" --mount --pid -- nsenter --net=/run/netns/host "$PORTCULLIS" swap eth0 --open 3/tcp
	says 'it is not a history'
	inside mv $KEPT/history $KEPT/history-old
	pc swap eth0 --open 4/tcp
	same '[1,2,3,4,5]' "$(changes '[.changes[].number]')"
}

@test "damaged lines are passed over, and said; numbers go on" {
	pc attach eth0 -p ssh
	pc swap eth0 --open 1/tcp
	# The file as a command leaves it that is killed while it writes.
	inside sh -c "printf '{\"number\":3,\"id\":\"x' >> $KEPT/history"
	exits 0 pc history
	says_not 'damaged'
	pc swap eth0 --open 2/tcp
	exits 0 pc history
	says 'history: 1 damaged line is skipped'
	same '[1,2,4]' "$(changes '[.changes[].number]' 2> /dev/null)"
	exits 0 pc rollback 1
	same '22/tcp' "$(opens eth0)"
}

@test "eight commands at once keep every entry, each with its number" {
	local i pids=()

	pc attach eth0 -p ssh
	for i in {1..8}; do
		pc swap eth0 --open "$((9000 + i))/tcp" --comment "at once $i" > "$DIR/once.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	output=$(pc history --json)
	json_is '(.changes | map(.number)) == [range(1; 10)] and ([.changes[].comment | select(.)] | unique | length) == 8'
	exits 0 pc history 1 9
	says 'opens   9001/tcp' 'opens   9008/tcp'
}

# --- the way back ---

@test "rollback undoes a pending change at once: a swap, and an attach, of several interfaces" {
	pc attach eth0 -p ssh
	pc swap eth0 --open 587/tcp --confirm 600
	exits 0 pc rollback --dry-run
	says 'eth0: would undo the pending change' 'closes  587/tcp'
	same '22/tcp 587/tcp' "$(opens eth0)"
	exits 0 pc rollback --comment 'it did not help'
	says 'eth0: undoes the pending change' 'closes  587/tcp' 'generation 1 is active again'
	same '22/tcp' "$(opens eth0)"
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].confirm == null'
	same '2 swap eth0 reverted
3 revert eth0 final' "$(told | tail -2)"
	output=$(pc history --json)
	json_is '.changes[1].settled | .by == "root" and .comment == "it did not help"'
	json_is '.changes[2].interfaces[0].closes == ["587/tcp"]'
	exits 1 pc confirm eth0 --force < /dev/null || true
	pc swap eth0 --open 1/tcp --confirm 600
	pc attach eth1 -p ssh --confirm 600
	exits 0 pc rollback eth1
	same 'nothing is attached' "$(opens eth1)"
	same '1/tcp 22/tcp' "$(opens eth0)" 'only what was named'
	exits 1 pc rollback 1
	says 'eth0 has a change that is not confirmed yet' 'portcullis rollback eth0'
	output=$(pc rollback --json)
	json_is '.changed and .interfaces[0].name == "eth0" and .interfaces[0].action == "swap" and .interfaces[0].closes == ["1/tcp"]'
	same '22/tcp' "$(opens eth0)"
}

@test "rollback: before the last change; the last of an interface; and back again" {
	pc attach eth0 eth1 -p ssh
	pc swap eth0 --open 587/tcp
	pc swap eth1 --open 588/tcp
	exits 0 pc rollback --comment why
	says 'undoes change 3, by root: swap eth1' 'closes  588/tcp' 'not saved: the next apply or boot undoes it'
	same '22/tcp' "$(opens eth1)"
	same '22/tcp 587/tcp' "$(opens eth0)"
	same '["why"]' "$(changes '[.changes[-1].comment]')"
	exits 0 pc rollback eth0
	says 'undoes change 2'
	same '22/tcp' "$(opens eth0)"
	exits 0 pc rollback
	says 'undoes change 5'
	same '22/tcp 587/tcp' "$(opens eth0)"
	# A reverted change is not the last change.
	pc swap eth0 --open 9/tcp --confirm 1
	sleep 1.1
	exits 0 pc rollback eth1
	says 'undoes change 4'
	same '22/tcp 588/tcp' "$(opens eth1)"
}

@test "rollback N: all interfaces, attach and detach undone, all or nothing" {
	pc attach eth0 eth1 -p ssh
	pc swap eth0 --open 587/tcp
	pc detach eth1
	pc swap eth0 --observe
	exits 0 pc rollback 2 --dry-run
	says 'eth1' 'would attach'
	same 'nothing is attached' "$(opens eth1)"
	exits 0 pc rollback 2
	same '22/tcp 587/tcp' "$(opens eth0)"
	same '22/tcp' "$(opens eth1)"
	output=$(pc status eth0 --json)
	json_is '.interfaces[0].policy == "enforce"'
	same '5 swap eth0 final
5 attach eth1 final' "$(told | tail -2)"
	exits 0 pc rollback 2
	says 'eth0: is as it was after change 2' 'eth1: is as it was after change 2'
	exits 0 pc rollback 0 eth1
	same 'nothing is attached' "$(opens eth1)"
	exits 0 pc rollback
	says 'undoes change 6'
	same '22/tcp' "$(opens eth1)"
	exits 1 pc rollback 99
	says 'there is no change 99'
	exits 1 pc rollback 2 lo
	says 'the history has no earlier rule set of lo'
	exits 2 pc rollback 2 eth0 eth0
	# With --confirm, as in a swap.
	exits 0 pc rollback 1 --confirm 4
	same '22/tcp' "$(opens eth0)"
	sleep 4.1
	same '22/tcp 587/tcp' "$(opens eth0)"
	# A deadline cannot undo a detach.
	exits 1 pc rollback 0 eth0 --confirm 60
	says '--confirm cannot undo'
}

@test "rollback brings back the profiles as they were, whatever the catalog has now" {
	mkdir "$DIR/profiles"
	printf 'profile: mine\nservices:\n  - {name: one, in: 7001/tcp}\n' > "$DIR/profiles/mine.yaml"
	pc attach eth0 -p ssh,mine --catalog "$DIR/profiles"
	printf 'profile: mine\nservices:\n  - {name: one, in: 7002/tcp}\n' > "$DIR/profiles/mine.yaml"
	pc swap eth0 --observe
	same '22/tcp 7002/tcp' "$(opens eth0)"
	exits 0 pc rollback
	says 'opens   7001/tcp' 'closes  7002/tcp'
	same '22/tcp 7001/tcp' "$(opens eth0)"
	pc swap eth0 -p ssh --fresh
	rm -r "$DIR/profiles"
	exits 0 pc rollback
	same '22/tcp 7001/tcp' "$(opens eth0)"
	# If the text is missing, rollback fails, and nothing is changed.
	pc swap eth0 -p ssh --fresh
	inside sed -i '/"profile":"mine"/d' $KEPT/history
	exits 1 pc rollback
	says 'eth0: cannot go back: its profiles are not as they were' 'portcullis swap eth0 -p ssh,mine' 'nothing was changed'
	same '22/tcp' "$(opens eth0)"
	# It does not use the catalog's profile either, if that has changed.
	mkdir "$DIR/profiles"
	printf 'profile: mine\nservices:\n  - {name: one, in: 7001/tcp}\n' > "$DIR/profiles/mine.yaml"
	pc swap eth0 -p ssh,mine --fresh --catalog "$DIR/profiles"
	pc swap eth0 -p ssh --fresh
	inside sed -i '/"profile":"mine"/d' $KEPT/history
	printf 'profile: mine\nservices:\n  - {name: one, in: 7003/tcp}\n' > "$DIR/profiles/mine.yaml"
	exits 1 pc rollback
	says 'eth0: cannot go back: its profiles are not as they were'
	same '22/tcp' "$(opens eth0)"
	printf 'profile: mine\nservices:\n  - {name: one, in: 7001/tcp}\n' > "$DIR/profiles/mine.yaml"
	exits 0 pc rollback --dry-run
	says 'opens   7001/tcp'
	inside sed -i '/"kept":/d' $KEPT/history
	exits 1 pc rollback
	says 'does not have its rule set'
}

@test "rollback: an interface that is gone, nothing to undo, no history" {
	exits 1 pc rollback
	says 'has no change of this network namespace that could be undone'
	on host ip link add gone0 type veth peer name gone1
	pc attach eth0 gone0 -p ssh
	pc swap --open 587/tcp
	on host ip link del gone0
	exits 1 pc rollback
	says 'gone0: no such interface' 'nothing was changed'
	same '22/tcp 587/tcp' "$(opens eth0)"
	exits 0 pc rollback eth0
	same '22/tcp' "$(opens eth0)"
	# An interface that had no filter then gets none.
	exits 0 pc rollback 0
	same 'nothing is attached' "$(opens eth0)"
}

@test "rollback asks the lockout guard as swap does" {
	pc attach eth0 -p xeams --force
	pc swap eth0 -p ssh
	run ssh_pc rollback
	[ "$status" = 1 ] || fail "exit $status: $output"
	says 'rollback: refused, nothing was changed' 'afterwards by swap'
	same '22/tcp' "$(opens eth0)"
	exits 0 pc rollback --force
	[[ $(opens eth0) == *25/tcp* ]] || fail "$(opens eth0)"
}
