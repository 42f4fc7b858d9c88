# SPDX-License-Identifier: GPL-2.0
# From raw samples (a slurped array) to figures and targets. A difference or a ratio of two contenders
# is taken within each round, where both met the same noise; the median is over the rounds.

def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2] + .[length / 2 - 1]) / 2 end;
def quartile($q): sort | .[($q * (length - 1)) | round];
def figure: {median: median, low: quartile(0.25), high: quartile(0.75), min: min, max: max, samples: .};
def pairs($a; $b; f): if $a == null or $b == null then null else [$a, $b] | transpose | map(f) end;
def above($a; $empty): pairs($a; $empty; .[0] - .[1]);
def ratio($a; $b): pairs($a; $b; if .[1] > 0 then .[0] / .[1] else 99 end) | if . then median else null end;
def holds($value; $sign; $target): if $target == null or $value == null then null
	elif $sign == "<=" then $value <= $target else $value >= $target end;
def line($section; $what; $value; $unit; $sign; $target):
	{section: $section, what: $what, value: $value, unit: $unit, sign: $sign, target: $target,
	 ok: holds($value; $sign; $target)};

# Works by the name that measures.bash gives them, less their prefix and family.
def titles: {"listed": "listed port", "listed-long": "listed port, 1,500 bytes", "listed-vlan": "listed port, VLAN",
	"listed-extensions": "listed port, extension headers",
	"unlisted-syn": "unlisted SYN", "unlisted-syn-long": "unlisted SYN, 1,500 bytes", "unlisted-syn-vlan": "unlisted SYN, VLAN",
	"unlisted-syn-extensions": "unlisted SYN, extension headers", "unlisted-udp": "unlisted UDP",
	"restricted-inside": "restricted port, from inside", "restricted-outside": "restricted port, from outside",
	"tcp-reply": "TCP reply", "connected-udp": "connected UDP reply", "learned-udp": "learned UDP reply",
	"ack-closed": "ACK, closed port", "ack-listener": "ACK, listener", "fragment": "later fragment, no first",
	"random-syn": "SYN, random source and ports", "random-udp": "UDP, random source and ports",
	"random-ack": "ACK, random source and ports",
	"banned": "banned source", "banned-1": "1 banned source", "banned-1000": "1,000 banned sources", "banned-1000000": "a million banned sources",
	"limited": "port with a limit", "limited-1": "1 source under its limit", "limited-1000": "1,000 sources under it",
	"limited-1000000": "a million sources under it", "over-limit": "source over its limit",
	"over-limit-1": "1 source over its limit", "over-limit-500": "500 sources over it",
	"machine": "listed port of a machine", "machine-unlisted": "unlisted SYN to a machine",
	"datagram": "datagram", "segment": "segment"};
def subject: capture("^((size|profile|egress)-)?(?<w>.*)-(?<f>[46])$") | "IPv\(.f) " + (titles[.w] // .w);

. as $everything
| ([$everything[] | select(.kind == "contender" and .reason) | .name]) as $refused
| [$everything[] | select(.name as $n | $refused | index($n) | not)] as $all
| def of($kind): [$all[] | select(.kind == $kind)];
  def named($kind; $name): [$all[] | select(.kind == $kind and .name == $name)][0];
  # Rows of one kind: each work's contenders with their samples of `unit`.
  def rows($kind; $unit; f): reduce ($all[] | select(.kind == $kind and f)) as $s ({}; .[$s.work] += {($s.name): $s[$unit]})
	| to_entries | map({work: .key, subject: (.key | subject), by: .value});
  def verdict_rows(f): rows("verdict"; "ns"; f) | map(.by as $by | {work, subject, ns: ($by | map_values(figure)),
	above: ($by | del(.empty) | map_values(above(.; $by.empty) | figure)),
	of_empty: ($by | del(.empty) | map_values(ratio(.; $by.empty))),
	of_xdp_filter: ratio(above($by.portcullis; $by.empty); above($by["xdp-filter"]; $by.empty)),
	of_lookup: ratio($by.portcullis; $by.lookup),
	of_lookup_above: ratio(above($by.portcullis; $by.empty); above($by.lookup; $by.empty))});
  def rate_rows(f): rows("rate"; "mpps"; f) | map(.by as $by | {work, subject, mpps: ($by | map_values(figure)),
	of_empty: ($by | del(.empty) | map_values(ratio(.; $by.empty))),
	listened: ratio($by.monitor; $by.portcullis),
	portcullis_of: ($by | del(.portcullis) | map_values(ratio($by.portcullis; .)))});
  def plain: .work | test("^(size|profile|egress)-") | not;
  def drops: test("^(unlisted|ack|fragment|random)");

  verdict_rows(plain) as $verdicts
| rate_rows(plain and .cores == 1) as $rates
| [rate_rows(plain and .cores == 2)[] | . as $row
   | . + {of_one_core: (.mpps | with_entries(.key as $name | .value = ratio(.value.samples;
		([$rates[] | select(.work == $row.work)][0].mpps[$name].samples))))}] as $two
| verdict_rows(.work | startswith("size-")) as $size_verdicts
| rate_rows(.work | startswith("size-")) as $size_rates
| ([($size_verdicts[] | select(.ns["ports-10"]) | .ns as $by | {subject, measure: "verdict", ratio: ratio($by["ports-60000"].samples; $by["ports-10"].samples)}),
    ($size_rates[] | select(.mpps["ports-10"]) | .mpps as $by | {subject, measure: "rate", ratio: ratio($by["ports-60000"].samples; $by["ports-10"].samples)})]) as $growth
| verdict_rows(.work | startswith("profile-")) as $profiles
| verdict_rows(.work | startswith("egress-")) as $egress
| [named("send"; "portcullis") // empty | .ns as $ours | named("send"; "none").ns as $none
   | {none: ($none | figure), portcullis: ($ours | figure), portcullis_above: (above($ours; $none) | figure)}] as $sends
| (of("load") | map({(.name): .share}) | add // {}) as $load
| ($load | to_entries | map({name: .key, share: (.value | figure), above: (above(.value; $load.empty) | figure)})) as $loads
| [$all[] | select(.kind == "stream") | . + {empty: (.direction as $d | [$all[] | select(.kind == "stream" and .name == "empty" and .direction == $d)][0])}] as $streams
| [$streams[] | select(.gbps) | {name, direction, gbps: (.gbps | figure), of_empty: ratio(.gbps; .empty.gbps),
	per_cpu: (.per_cpu | figure), of_empty_per_cpu: ratio(.per_cpu; .empty.per_cpu)}] as $throughput
| [$streams[] | select(.p50) | {name, median_us: (.p50 | figure), p99_us: (.p99 | figure),
	of_empty: ratio(.p50; .empty.p50), p99_of_empty: ratio(.p99; .empty.p99)}] as $latency
| [$all[] | select(.kind == "times") | {name, ms: (.ms | figure)}] as $times
| of("memory") as $memory

| {version: 2, machine: named("machine"; null), contenders: [$everything[] | select(.kind == "contender") | del(.kind)] | sort_by(.name),
   programs: [of("program")[] | del(.kind)], idle: (of("idle")[0]), verdicts: $verdicts, rates: $rates, two_cores: $two,
   size_verdicts: $size_verdicts, size_rates: $size_rates, size_growth: $growth, profiles: $profiles, egress: $egress, sends: $sends, loads: $loads,
   streams: $throughput, latency: $latency, times: $times, memory: $memory,
   lines: (
	[$verdicts[] | select(.work | test("^(listed|unlisted-syn)-[46]$")) | line("cost above empty, of xdp-filter's"; .subject; .of_xdp_filter; ""; "<="; 0.2)]
	+ [$verdicts[] | select(.of_lookup) | line("cost above empty, of the lookup's"; .subject; .of_lookup_above; ""; "<="; 1.5),
	     line("cost, of the lookup's"; .subject; .of_lookup; ""; "<="; 1.5)]
	+ [$rates[] | select(.work | test("^unlisted-syn-[46]$")) | line("drop rate, of the empty program's"; .subject; .of_empty.portcullis; ""; ">="; 0.92),
	     line("drop rate, of xdp-filter's"; .subject; .portcullis_of["xdp-filter"]; ""; ">="; 1.3),
	     line("drop rate, of nftables netdev's"; .subject; .portcullis_of["nft-netdev"]; ""; ">="; 3.5),
	     line("drop rate, of nftables inet's"; .subject; .portcullis_of["nft-inet"]; ""; ">="; 9)]
	+ [$rates[] | select(.work | drops and (test("^unlisted-syn-[46]$") | not))
	   | line("flood, of the empty program's"; .subject; .of_empty.portcullis; ""; ">="; if .work | startswith("ack-listener") then 0.4 else 0.5 end)]
	+ [$rates[] | select(.listened) | line("with a listener, of without"; .subject; .listened; ""; ">="; 0.95)]
	+ [$two[] | line("2 cores, of one"; .subject; .of_one_core.portcullis; ""; ">="; 1.8)]
	+ [$growth[] | line("\(.measure) at 60,000 ports, of that at 10"; .subject; .ratio; ""; if .measure == "verdict" then "<=" else ">=" end; if .measure == "verdict" then 1.1 else null end)]
	+ [$throughput[] | select(.name == "portcullis") | line("TCP stream, of the empty program's"; .direction; .of_empty; ""; ">="; 0.95)]
	+ [$latency[] | select(.name == "portcullis") | line("TCP latency, of the empty program's"; "median"; .of_empty; ""; "<="; null)]
	+ [{"attach": 300, "attach-small": 300, "attach-large": null, "swap-small": 30, "swap-large": 400, "counters": 20, "counters-json": 20} as $target
	   | $times[] | line("command"; .name; .ms.median; "ms"; "<="; $target[.name])]
	+ [$memory[] | line("memory"; .name; .bytes / 1048576; "MiB"; "<="; 16 + 4 * .cpus + if .name == "100k-prefixes" then 32 else 0 end)])}
