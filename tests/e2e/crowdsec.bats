#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Debian's CrowdSec and its custom bouncer with the package's program: decisions are bans, and end with them.

load helper
load who_may

# bats does not skip the tests of a file if setup_file skips, so each test does.
is_there()
{
	command -v cscli > /dev/null && command -v crowdsec-custom-bouncer > /dev/null
}

setup_file()
{
	is_there || return 0
	sandbox_start
	two_hosts
	address_add client eth0 192.0.2.7/24
	mkdir -p "$DIR/bin" "$DIR/cs"/{data,hub,notifications,log,plugins,patterns}
	ln -s "$PORTCULLIS" "$DIR/bin/portcullis"
	: > "$DIR/cs/acquis.yaml"
	: > "$DIR/cs/simulation.yaml"
	: > "$DIR/cs/lapi.yaml"
	echo '{}' > "$DIR/cs/hub/.index.json"
	cat > "$DIR/cs/profiles.yaml" <<-END
		name: bans
		filters: ["Alert.Remediation == true"]
		decisions: [{type: ban, duration: 4h}]
	END
	cat > "$DIR/cs/config.yaml" <<-END
		common: {daemonize: false, log_media: stdout, log_level: info, working_dir: $DIR/cs}
		config_paths:
		  config_dir: $DIR/cs
		  data_dir: $DIR/cs/data
		  simulation_path: $DIR/cs/simulation.yaml
		  hub_dir: $DIR/cs/hub
		  index_path: $DIR/cs/hub/.index.json
		  notification_dir: $DIR/cs/notifications
		  plugin_dir: $DIR/cs/plugins
		crowdsec_service: {enable: false, acquisition_path: $DIR/cs/acquis.yaml}
		db_config: {log_level: info, type: sqlite, db_path: $DIR/cs/data/crowdsec.db}
		api:
		  client: {insecure_skip_verify: false, credentials_path: $DIR/cs/lapi.yaml}
		  server: {log_level: info, listen_uri: 127.0.0.1:8080, profiles_path: $DIR/cs/profiles.yaml}
		prometheus: {enabled: false}
	END
	on host ip link set lo up
	cscli machines add tester --password secret -f "$DIR/cs/lapi.yaml" --url http://127.0.0.1:8080 --force > /dev/null
	KEY=$(cscli -o raw bouncers add portcullis)
	export KEY
	START_SECONDS=600 start crowdsec host crowdsec -c "$DIR/cs/config.yaml"
	until_true 60 listening host 8080
	pc attach eth0 -p ssh --open 5000/tcp
	start server host socat TCP6-LISTEN:5000,fork,reuseaddr,ipv6only=0 EXEC:cat
	until_true 10 listening host 5000
}

setup()
{
	is_there || skip 'needs crowdsec and crowdsec-custom-bouncer'
}

teardown_file()
{
	stop_all
	sandbox_end
}

teardown()
{
	stop bouncer TERM
}

cscli()
{
	on host cscli -c "$DIR/cs/config.yaml" "$@"
}

# bouncer true|false: true: decisions come on stdin; false: a process for each decision.
bouncer()
{
	cat > "$DIR/cs/bouncer.yaml" <<-END
		bin_path: $BATS_TEST_DIRNAME/../../systemd/crowdsec-bouncer
		feed_via_stdin: $1
		total_retries: -1
		piddir: $DIR/cs
		update_frequency: 1s
		cache_retention_duration: 1s
		daemonize: false
		log_mode: stdout
		log_level: info
		api_url: http://127.0.0.1:8080/
		api_key: $KEY
		prometheus: {enabled: false}
	END
	START_SECONDS=600 start bouncer host env PATH="$DIR/bin:$PATH" crowdsec-custom-bouncer -c "$DIR/cs/bouncer.yaml"
}

bans_count()
{
	[ "$(pc bans --json | jq '.bans | length')" = "$1" ]
}

follows_decisions()
{
	cscli decisions add --ip 192.0.2.7 --duration 10m --reason brute-force > /dev/null 2>&1
	until_true 30 banned '["192.0.2.7/32 crowdsec"]' || fail "$(pc bans; tail -n 20 "$DIR/bouncer.log")"
	exits 0 pc bans --json
	json_is '.bans[0] | (.comment | startswith("crowdsec: ")) and ((.until | fromdate) - now) > 500 and ((.until | fromdate) - now) < 700'
	run on client socat -u OPEN:/dev/null TCP:192.0.2.1:5000,bind=192.0.2.7,connect-timeout=1
	same 1 "$status" 'the banned one'
	exits 0 connects client 192.0.2.1 5000
	cscli decisions add --range 198.51.100.0/24 --duration 1h > /dev/null 2>&1
	until_true 30 banned '["192.0.2.7/32 crowdsec","198.51.100.0/24 crowdsec"]'
	cscli decisions delete --ip 192.0.2.7 > /dev/null 2>&1
	until_true 30 banned '["198.51.100.0/24 crowdsec"]'
	exits 0 on client socat -u OPEN:/dev/null TCP:192.0.2.1:5000,bind=192.0.2.7,connect-timeout=8
	cscli decisions delete --range 198.51.100.0/24 > /dev/null 2>&1
	until_true 30 banned '[]'
}

@test "fed by stdin: a decision is a ban until it ends or is deleted; what is banned by hand stays" {
	bouncer true
	follows_decisions
}

@test "fed by stdin: a blocklist is few commands; a gateway in it does not keep the others out; a restart begins the list anew" {
	/usr/bin/python3 -c 'print("duration,scope,value"); [print(f"24h,ip,10.9.{i >> 8}.{i & 255}") for i in range(300)]; print("24h,ip,192.0.2.1")' > "$DIR/list.csv"
	# Meanwhile the bouncer would lock CrowdSec's database.
	cscli decisions import -i "$DIR/list.csv" > "$DIR/import" 2>&1 || fail "$(cat "$DIR/import")"
	bouncer true
	until_true 30 bans_count 300 || fail "$(pc bans --json | jq '.bans | length'): $(tail -n 20 "$DIR/bouncer.log")"
	stop bouncer TERM
	cscli decisions delete --all > /dev/null 2>&1
	cscli decisions add --ip 192.0.2.7 --duration 10m > /dev/null 2>&1
	pc ban 203.0.113.9
	bouncer true
	until_true 30 banned '["192.0.2.7/32 crowdsec","203.0.113.9/32 manual"]' || fail "$(pc bans; tail -n 20 "$DIR/bouncer.log")"
	cscli decisions delete --all > /dev/null 2>&1
	until_true 30 banned '["203.0.113.9/32 manual"]'
	pc unban --all
}

@test "a process for each decision does the same" {
	bouncer false
	follows_decisions
}
