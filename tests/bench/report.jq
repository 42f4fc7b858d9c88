# SPDX-License-Identifier: GPL-2.0
# From raw samples (a slurped array) to figures and targets. A difference or a ratio of two contenders
# is taken within each round, where both met the same noise; the median is over the rounds.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2] + .[length / 2 - 1]) / 2 end;
def quartile($q): sort | .[($q * (length - 1)) | round];
def figure: {median: median, low: quartile(0.25), high: quartile(0.75), min: min, max: max, samples: .};
def pairs(f): transpose | map(f);
def ratio($a; $b): if $b == null or $a == null then null else ([$a, $b] | pairs(if .[1] > 0 then .[0] / .[1] else 99 end) | median) end;
def above($a; $empty): [$a, $empty] | pairs(.[0] - .[1]);
def holds($value; $sign; $target): if $target == null or $value == null then null elif $sign == "<=" then $value <= $target else $value >= $target end;
def line($section; $what; $value; $unit; $sign; $target):
	{section: $section, what: $what, value: $value, unit: $unit, sign: $sign, target: $target,
	 ok: holds($value; $sign; $target)};

def frame_name: capture("^-?(?<t>tcp|ack|udp)(?<f>[46]),(?<p>[0-9]+)(,(?<s>.*))?$")
	| "IPv\(.f) \(.t) \(.p)" + (if .s then " from \(.s)" else "" end);

# What a sample of kind "state" or "egress" is about.
def subject: "IPv\(.frame | capture("(?<f>[46]),").f) "
	+ if .kind == "egress" then (if .frame | startswith("-udp") then "datagram" else "segment" end)
	  else {established: "TCP reply", connected: "connected UDP", learned: "learned UDP", listening: "ACK to listener"}[.state]
	       // if .frame | startswith("udp") then "unlisted UDP" else "ACK, closed port" end end;

. as $all
| def of($kind; $name; $frame): [$all[] | select(.kind == $kind and .name == $name and (.frame == $frame))][0];
  def frames($kind; $name): [$all[] | select(.kind == $kind and .name == $name) | .frame];
  def named($kind; $name): [$all[] | select(.kind == $kind and .name == $name)][0];

  [frames("verdict"; "portcullis")[] as $f
   | of("verdict"; "empty"; $f).ns as $empty
   | of("verdict"; "portcullis"; $f).ns as $ours
   | of("verdict"; "xdp-filter"; $f).ns as $theirs
   | {frame: ($f | frame_name), length: of("verdict"; "empty"; $f).length,
      empty: ($empty | figure), portcullis: ($ours | figure), xdp_filter: ($theirs | figure),
      portcullis_above: (above($ours; $empty) | figure), xdp_filter_above: (above($theirs; $empty) | figure),
      ratio: ratio(above($ours; $empty); above($theirs; $empty))}] as $verdicts

| [("large", "group", "100k") as $n | frames("verdict"; $n)[] as $f
   | of("verdict"; $n; $f).ns as $ours
   | ($f | sub("(?<a>[^,]+,).*$"; .a)) as $family
   | ([$all[] | select(.kind == "verdict" and .name == "empty" and (.frame | startswith($family)))][0].ns) as $empty
   | of("verdict"; "portcullis"; $f).ns as $plain
   | {name: $n, frame: ($f | frame_name), portcullis: ($ours | figure), portcullis_above: (above($ours; $empty) | figure),
      against_shipped: ratio($ours; $plain)}] as $others

| [frames("rate"; "portcullis")[] as $f
   | of("rate"; "empty"; $f).mpps as $empty | of("rate"; "portcullis"; $f).mpps as $ours | of("rate"; "xdp-filter"; $f).mpps as $theirs
   | {frame: ($f | frame_name), empty: ($empty | figure), portcullis: ($ours | figure), xdp_filter: ($theirs | figure),
      of_empty: ratio($ours; $empty), of_xdp_filter: ratio($ours; $theirs)}] as $rates

| [$all[] | select(.kind == "state") | . + {subject: subject}] as $state_samples
| ($state_samples | map({(.subject + " " + .name): .ns}) | add // {}) as $state_ns
| [$state_samples[] | select(.name == "portcullis") | .subject as $s
   | def ns($name): $state_ns[$s + " " + $name];
     {subject: $s, frame, length, empty: (ns("empty") | figure), portcullis: (.ns | figure), reference: (ns("reference") | figure),
      portcullis_above: (above(.ns; ns("empty")) | figure), reference_above: (above(ns("reference"); ns("empty")) | figure),
      ratio: ratio(.ns; ns("reference")), ratio_above: ratio(above(.ns; ns("empty")); above(ns("reference"); ns("empty"))),
      one: (if ns("one") then ns("one") | figure else null end), ratio_one: ratio(.ns; ns("one"))}] as $states

| [$all[] | select(.kind == "egress" and .name == "portcullis") | . as $ours
   | of("egress"; "empty"; .frame).ns as $empty
   | {subject: subject, frame, empty: ($empty | figure), portcullis: (.ns | figure), portcullis_above: (above(.ns; $empty) | figure)}] as $egress
| [named("send"; "portcullis") // empty | .ns as $ours | named("send"; "none").ns as $none
   | {none: ($none | figure), portcullis: ($ours | figure), portcullis_above: (above($ours; $none) | figure), of_none: ratio($none; $ours)}] as $sends

| [frames("flood"; "portcullis")[] as $f
   | of("flood"; "portcullis"; $f).mpps as $ours | of("flood"; "nftables"; $f).mpps as $theirs
   | {frame: ($f | frame_name | sub(" from .*"; "")), portcullis: ($ours | figure), nftables: ($theirs | figure), of_nftables: ratio($ours; $theirs)}] as $floods

| [$all[] | select(.kind == "stream" and .name == "portcullis") | .direction as $d
   | [$all[] | select(.kind == "stream" and .name == "empty" and .direction == $d)][0] as $empty
   | {direction: $d, empty: ($empty.gbps | figure), portcullis: (.gbps | figure), of_empty: ratio(.gbps; $empty.gbps),
      empty_per_cpu: ($empty.per_cpu | figure), portcullis_per_cpu: (.per_cpu | figure), of_empty_per_cpu: ratio(.per_cpu; $empty.per_cpu)}] as $streams

| [$all[] | select(.kind == "times") | {name, ms: (.ms | figure)}] as $times
| [$all[] | select(.kind == "memory")] as $memory

| {version: 1, machine: named("machine"; null), programs: [$all[] | select(.kind == "program") | del(.kind)],
   verdicts: $verdicts, other_verdicts: $others, states: $states, egress: $egress, sends: $sends, rates: $rates, floods: $floods,
   streams: $streams, times: $times, memory: $memory,
   lines: (
	[$verdicts[] | line("cost above empty, of xdp-filter's"; .frame; .ratio; ""; "<="; 0.3)]
	+ [$others[] | select(.name == "large") | line("verdict at 4,096 services, of that at 30"; .frame; .against_shipped; ""; "<="; 1.1)]
	+ [$rates[] | line("drop rate, of the empty program's"; .frame; .of_empty; ""; ">="; if .frame | endswith(" 25") then null else 0.8 end),
	     line("drop rate, of xdp-filter's"; .frame; .of_xdp_filter; ""; ">="; if .frame | endswith(" 25") then null else 1 end)]
	+ [$states[] | line("cost above empty, of the lookup's"; .subject; .ratio_above; ""; "<="; 1.5),
	     line("cost, of the lookup's"; .subject; .ratio; ""; "<="; 1.5)]
	+ [$floods[] | line("drop rate, of nftables inet's"; .frame; .of_nftables; ""; ">="; 4)]
	+ [$streams[] | line("TCP stream, of the empty program's"; .direction; .of_empty; ""; ">="; 0.95)]
	+ [{"attach": 300, "attach-small": 300, "attach-large": null, "swap-small": 30, "swap-large": 400, "counters": 20, "counters-json": 20} as $target
	   | $times[] | line("command"; .name; .ms.median; "ms"; "<="; $target[.name])]
	+ [$memory[] | line("memory"; .name; .bytes / 1048576; "MiB"; "<="; 16 + 4 * .cpus + if .name == "100k" then 32 else 0 end)])}
