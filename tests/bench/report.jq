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

def frame_name: capture("^(?<t>tcp|udp)(?<f>[46]),(?<p>[0-9]+)(,(?<s>.*))?$")
	| "IPv\(.f) \(.t) \(.p)" + (if .s then " from \(.s)" else "" end);

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

| [$all[] | select(.kind == "times") | {name, ms: (.ms | figure)}] as $times
| [$all[] | select(.kind == "memory")] as $memory

| {version: 1, machine: named("machine"; null), programs: [$all[] | select(.kind == "program") | del(.kind)],
   verdicts: $verdicts, other_verdicts: $others, rates: $rates, times: $times, memory: $memory,
   lines: (
	[$verdicts[] | line("cost above empty, of xdp-filter's"; .frame; .ratio; ""; "<="; 0.3)]
	+ [$others[] | select(.name == "large") | line("verdict at 4,096 services, of that at 30"; .frame; .against_shipped; ""; "<="; 1.1)]
	+ [$rates[] | line("drop rate, of the empty program's"; .frame; .of_empty; ""; ">="; if .frame | endswith(" 25") then null else 0.8 end),
	     line("drop rate, of xdp-filter's"; .frame; .of_xdp_filter; ""; ">="; if .frame | endswith(" 25") then null else 1 end)]
	+ [{"attach": 300, "attach-small": 300, "attach-large": null, "swap-small": 30, "swap-large": 400, "counters": 20, "counters-json": 20} as $target
	   | $times[] | line("command"; .name; .ms.median; "ms"; "<="; $target[.name])]
	+ [$memory[] | line("memory"; .name; .bytes / 1048576; "MiB"; "<="; 16 + 4 * .cpus + if .name == "100k" then 32 else 0 end)])}
