#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# `metrics`, read by promtool, by the Python client's parser and by a real Prometheus; the shipped dashboard and alerts.

load helper
load traffic

SITE=/etc/portcullis/site.yaml
ALERTS=$ROOT/docs/monitoring/alerts.yaml

setup_file()
{
	sandbox_start
	two_hosts
	link_add host eth1 client eth1
	inside mkdir -p /etc/portcullis
	inside mount -t tmpfs -o mode=755 tmpfs /etc/portcullis
}

teardown_file()
{
	sandbox_end
}

teardown()
{
	stop_all
	detach_all host
	inside rm -f $SITE
}

# parsed FILE: each sample as a line of JSON, from the parser of Prometheus' Python client; text that is not OpenMetrics
# is an error.
parsed()
{
	/usr/bin/python3 -c '
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
for family in families(open(sys.argv[1]).read()):
    for sample in family.samples:
        print(json.dumps({"family": family.name, "type": family.type, "name": sample.name, "value": sample.value, **sample.labels}))
' "$1"
}

# metrics: sets output to the samples, as one array of objects.
metrics()
{
	pc metrics > "$DIR/metrics"
	parsed "$DIR/metrics" > "$DIR/samples" || fail "no OpenMetrics: $(cat "$DIR/metrics")" || return
	output=$(jq -s . "$DIR/samples")
}

# metrics_and_counters: reads the metrics, and in $counters those of eth0 at the same time: no packet came or went in
# between.
metrics_and_counters()
{
	local before _

	for _ in {1..50}; do
		before=$(pc counters eth0 --json | jq -c '.interfaces[0]')
		metrics
		counters=$(pc counters eth0 --json | jq -c '.interfaces[0]')
		[ "$before" != "$counters" ] || return 0
	done
	fail 'the counters of eth0 never rest'
}

# knock COUNT FIRST-PORT: SYNs from the client to so many ports.
knock()
{
	on client /usr/bin/python3 -c '
import socket, sys
for port in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[1])):
    with socket.socket() as s:
        s.setblocking(False)
        s.connect_ex(("192.0.2.1", port))
' "$1" "$2"
}

@test "promtool and a parser read it; every count is that of the counters; a range is one metric" {
	pc attach eth0 -p xeams,asterisk --from xeams:smtp=office --group office=192.0.2.0/25
	pc attach eth1 -p ssh --observe
	knock 3 25
	knock 5 7000
	metrics_and_counters
	pc metrics --format text > "$DIR/text"
	inside promtool check metrics < "$DIR/text" || fail 'promtool refuses it'
	same "$(sed '/^#/d; s/ [0-9]*$//' "$DIR/text")" "$(sed '/^#/d; s/ [0-9]*$//' "$DIR/metrics")" 'samples of both formats'
	json_is 'map(select(.name == "portcullis_enforcing") | {(.interface): .value}) | add == {eth0: 1, eth1: 0}'
	json_is 'map(select(.family == "portcullis_packets") | .type) | unique == ["counter"]'
	json_is '[.[] | select(.name == "portcullis_packets_total" and .port == "10000-20000" and .protocol == "udp")] | length == 3'
	json_is '[.[] | select(.name == "portcullis_flows_size").value] == [65536]'
	json_is '$counters.reasons.unlisted.drop.packets > 5' --argjson counters "$counters"
	json_is '[.[] | select(.name == "portcullis_packets_total" and .interface == "eth0" and .service == "unlisted" and
		.direction == "in" and .verdict == "drop").value] == [$counters.reasons.unlisted.drop.packets]' --argjson counters "$counters"
	json_is '[.[] | select(.name == "portcullis_bytes_total" and .interface == "eth0" and .port == "25" and .direction == "in" and
		.verdict == "pass" and .service == "xeams:smtp").value] == [$counters.ports[] | select(.direction == "in" and .port == 25).pass.bytes]' \
		--argjson counters "$counters"
	json_is '[.[] | select(.name == "portcullis_packets_total" and .interface == "eth0" and .direction == "in" and .verdict == "pass").value] |
		add == $counters.total.pass.packets' --argjson counters "$counters"
	json_is '[.[] | select(.name == "portcullis_reason_packets_total" and .interface == "eth0" and .reason == "unlisted" and
		.verdict == "drop").value] == [$counters.reasons.unlisted.drop.packets]' --argjson counters "$counters"
}

@test "a scan adds no metric, and no label has an address of a packet" {
	pc attach eth0 -p xeams --from xeams:smtp=office --group office=10.0.0.0/8
	metrics
	before=$(jq length <<< "$output")
	knock 2000 20000
	knock 1 25
	metrics
	same "$before" "$(jq length <<< "$output")" metrics
	json_is '[.[] | select(.service == "unlisted" and .name == "portcullis_packets_total" and .verdict == "drop" and .direction == "in").value] | add > 1900'
	json_is '[.[] | select(.name == "portcullis_packets_total" and .port == "25" and .verdict == "drop" and .direction == "in").value] == [1]'
	! grep -q '192\.0\.2\.\|2001:db8\|10\.0\.0' "$DIR/metrics" || fail 'addresses in the metrics'
}

@test "no counter goes back over swap and takeover" {
	needs_layout 4
	on host "$TOOLS/portcullis-layout-4" attach eth0 -p ssh --catalog "$CATALOG"
	knock 30 20
	metrics
	cp "$DIR/samples" "$DIR/before"
	for step in 'swap eth0 -p xeams' 'swap eth0 -p ssh' 'swap eth0 -p xeams --observe' 'swap eth0 --enforce -p ssh'; do
		# shellcheck disable=SC2086
		exits 0 pc $step
		knock 30 20
		metrics
		output=$(jq -s 'map(select(.type == "counter")) | group_by(del(.value)) | map(select(length == 2 and .[1].value < .[0].value))' \
			"$DIR/before" "$DIR/samples")
		json_is '. == []'
		cp "$DIR/samples" "$DIR/before"
	done
}

@test "a reverted change, one that waits, and an interface of the site file without a filter are told" {
	inside sh -c "echo 'interfaces: {eth0: {profiles: ssh}, eth1: {profiles: ssh}, lost0: {profiles: ssh}}' > $SITE"
	pc attach eth0 -p ssh --confirm 1
	pc attach eth1 -p ssh --confirm 300
	until_true 5 is_open eth0
	metrics
	json_is '[.[] | select(.name == "portcullis_expected").interface] == ["eth0", "eth1", "lost0"]'
	json_is 'map(select(.name == "portcullis_reverted") | {(.interface): .value}) | add == {eth0: 1, eth1: 0}'
	json_is 'map(select(.name == "portcullis_enforcing") | {(.interface): .value}) | add == {eth0: 0, eth1: 1}'
	json_is 'map(select(.name == "portcullis_confirm_seconds") | {(.interface): .value}) | add | .eth0 == 0 and .eth1 > 200'
}

is_open()
{
	[ "$(pc status "$1" --json | jq -r '.interfaces[0].policy')" = observe ]
}

@test "names with quotes and backslashes stay one label" {
	on host ip link add 'a"b\c' type veth peer name far0
	pc attach 'a"b\c' -p ssh
	metrics
	json_is 'map(select(.name == "portcullis_generation").interface) == ["a\"b\\c"]'
	on host ip link del 'a"b\c'
}

# --- over HTTP ---

# scraped: the answer to one request to the socket.
scraped()
{
	on host curl -s --max-time 20 "$@" http://127.0.0.1:9917/metrics
}

serve_metrics()
{
	start metrics host systemd-socket-activate -a --inetd -l 127.0.0.1:9917 "$PORTCULLIS" metrics --http
	until_true 5 listening host 9917
}

@test "as a socket unit: GET, other paths and methods, what is no HTTP, a slow client, 1,000 scrapes at once" {
	pc attach eth0 -p xeams
	serve_metrics
	same 200 "$(scraped -o "$DIR/metrics" -w '%{http_code}')" status
	parsed "$DIR/metrics" > "$DIR/samples"
	grep -q portcullis_generation "$DIR/samples"
	same 405 "$(scraped -o /dev/null -w '%{http_code}' -X POST -d x)" 'status of POST'
	same 404 "$(on host curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9917/)" 'status of /'
	same 400 "$(printf 'junk\r\n\r\n' | on host socat -t5 - TCP:127.0.0.1:9917 | head -1 | cut -d' ' -f2)" 'status of junk'
	same 400 "$(head -c 100000 /dev/zero | on host socat -t5 - TCP:127.0.0.1:9917 2> /dev/null | head -1 | cut -d' ' -f2)" 'status of zeros'
	# One client sends nothing, and one asks but never reads: after ten seconds both are disconnected, and they
	# delay no other client.
	start silent host socat -t30 'EXEC:sleep 30' TCP:127.0.0.1:9917
	same 200 "$(scraped -o /dev/null -w '%{http_code}')" 'beside a silent one'
	SECONDS=0
	on host timeout 120 /usr/bin/python3 -c '
import asyncio
async def scrape(limit):
    async with limit:
        reader, writer = await asyncio.open_connection("127.0.0.1", 9917)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        text = await reader.read(-1)
        writer.close()
        return text.startswith(b"HTTP/1.1 200") and text.endswith(b"# EOF\n")
async def all():
    limit = asyncio.Semaphore(1000)
    print(sum(await asyncio.gather(*(scrape(limit) for _ in range(1000)))))
asyncio.run(all())
' > "$DIR/scrapes"
	same 1000 "$(cat "$DIR/scrapes")" 'whole answers of 1,000 at once'
	until_true 15 nobody_waits
}

nobody_waits()
{
	! inside pgrep -f 'portcullis metrics --http' --pidns $$ > /dev/null 2>&1 || [ "$(inside pgrep -fc 'portcullis metrics --http$')" = 1 ]
}

# --- a real Prometheus ---

prometheus()
{
	cat > "$DIR/prometheus.yaml" <<-END
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: [$ALERTS]
		scrape_configs:
		  - job_name: portcullis
		    static_configs: [{targets: ['127.0.0.1:9917']}]
	END
	start prometheus host prometheus --config.file="$DIR/prometheus.yaml" --storage.tsdb.path="$DIR/tsdb" \
		--web.listen-address=127.0.0.1:9090 --log.level=warn
	until_true 30 listening host 9090
}

# asked EXPRESSION: the results as JSON.
asked()
{
	on host curl -s --max-time 10 --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query | jq -c .data.result
}

answers()
{
	[ "$(asked "$1")" != '[]' ]
}

fires()
{
	asked "ALERTS{alertname=\"$1\",alertstate=\"firing\"}" | grep -q "\"interface\":\"$2\""
}

@test "a real Prometheus: every query of the dashboard is answered; alerts fire for a lost filter, a revert, 30 days of observe" {
	inside promtool check rules "$ALERTS"
	inside sh -c "echo 'interfaces: {eth0: {profiles: ssh}, eth1: {profiles: ssh}}' > $SITE"
	pc attach eth0 -p xeams,ssh --from xeams:smtp=office --group office=10.0.0.0/8
	# The clock was 40 days behind when observing began.
	on host faketime -f '-40d' "$PORTCULLIS" attach eth1 -p ssh --observe --catalog "$CATALOG"
	serve_metrics
	prometheus
	for _ in 1 2 3 4 5 6 7 8; do
		knock 20 20
		sleep 0.7
	done
	jq -r '.panels[].targets[].expr' "$ROOT/docs/monitoring/dashboard.json" > "$DIR/queries"
	[ "$(wc -l < "$DIR/queries")" -gt 10 ]
	# shellcheck disable=SC2016
	sed -i 's/\$__rate_interval/5s/g; s/\$instance/.*/g; s/\$interface/.*/g' "$DIR/queries"
	while read -r query; do
		until_true 10 answers "$query"
	done < "$DIR/queries"
	until_true 5 fires PortcullisObserving eth1
	! fires PortcullisObserving eth0 || fail 'eth0 is not observed, but the alert fires'
	! fires PortcullisFilterLost eth1 || fail 'the alert fires for eth1, which has its filter'
	pc swap eth0 -p ssh --confirm 1
	until_true 6 fires PortcullisReverted eth0
	pc detach eth1
	until_true 4 fires PortcullisFilterLost eth1 # two scrapes, and two evaluations
	! fires PortcullisFilterLost eth0 || fail 'the alert fires for eth0, which has its filter'
}

# --- Zabbix, Checkmk ---

# installed: makes the binary /usr/sbin/portcullis in the sandbox, and a group portcullis with zabbix in it.
installed()
{
	inside mkdir -p /run/sbin /run/sbin-work
	inside mount -t overlay -o lowerdir=/usr/sbin,upperdir=/run/sbin,workdir=/run/sbin-work overlay /usr/sbin
	inside cp "$PORTCULLIS" /run/sbin/portcullis
	{ sed '/^portcullis:/d' /etc/group; echo 'portcullis:x:54321:zabbix'; } > "$DIR/group"
	inside mount --bind "$DIR/group" /etc/group
}

# zabbix_get KEY: what the running agent answers, by its protocol.
zabbix_get()
{
	on host /usr/bin/python3 -c '
import socket, struct, sys
key = sys.argv[1].encode()
with socket.create_connection(("127.0.0.1", 10050), 10) as s:
    s.sendall(b"ZBXD\1" + struct.pack("<Q", len(key)) + key)
    answer = b""
    while part := s.recv(65536):
        answer += part
sys.stdout.write(answer[13:].decode())
' "$1"
}

@test "a real Zabbix agent, without root, answers the metrics by the documented line" {
	installed
	pc attach eth0 -p xeams
	run on host setpriv --reuid zabbix --regid zabbix --init-groups --bounding-set=-all --inh-caps=-all /usr/sbin/portcullis metrics
	[[ $output != *'lets only root use BPF'* ]] || skip "$(uname -r) lets only root use BPF"
	mkdir "$DIR/zabbix"
	chown zabbix "$DIR/zabbix"
	cat > "$DIR/zabbix/conf" <<-END
		PidFile=$DIR/zabbix/pid
		LogType=console
		Server=127.0.0.1
		Include=$ROOT/docs/monitoring/zabbix.conf
	END
	start zabbix host setpriv --reuid zabbix --regid zabbix --init-groups --bounding-set=-all --inh-caps=-all \
		zabbix_agentd -f -c "$DIR/zabbix/conf"
	until_true 10 listening host 10050
	{ zabbix_get portcullis.metrics; echo; } > "$DIR/zabbix/metrics" # the agent removes the last newline
	inside promtool check metrics < "$DIR/zabbix/metrics" || fail "the agent says: $(head -c 300 "$DIR/zabbix/metrics")"
	grep -qx 'portcullis_enforcing{interface="eth0"} 1' "$DIR/zabbix/metrics"
}

# checked: the output of the local check. Each line must have Checkmk's form: a state, a name in quotes, metrics, a
# text.
checked()
{
	output=$(on host "$ROOT/docs/monitoring/check_mk")
	! grep -vE '^[0123P] "[^"|]+" (-|[a-z_]+=[0-9]+(\|[a-z_]+=[0-9]+)*) .+$' <<< "$output" || fail "no local check: $output"
}

@test "the local check for Checkmk tells each interface's state" {
	installed
	inside sh -c "echo 'interfaces: {eth0: {profiles: ssh}, eth1: {profiles: ssh}}' > $SITE"
	pc attach eth0 -p ssh
	knock 5 7000
	checked
	says '0 "Portcullis eth0" dropped=5|confirm_seconds=0 drops' '2 "Portcullis eth1" dropped=0|confirm_seconds=0 no filter'
	pc attach eth1 -p ssh --observe
	pc swap eth0 -p xeams --confirm 300
	checked
	says '1 "Portcullis eth0" dropped=5|confirm_seconds=' 'a change falls back' '1 "Portcullis eth1" dropped=0|confirm_seconds=0 observes'
	pc swap eth0 -p ssh --confirm 1
	until_true 5 has_reverted
	checked
	says '1 "Portcullis eth0"' 'was undone'
}

has_reverted()
{
	[ "$(pc status eth0 --json | jq -r '.interfaces[0].confirm.state')" = reverted ]
}
