# SPDX-License-Identifier: GPL-2.0
# The report as TAP: what has become twice as slow, against the empty program, as expected.json has it.
# By ratios, for a slow machine is slow with both; a verdict also by the ns above the empty program, of
# which a call costs 7 to 23 ns. What could not be measured is skipped; how somebody else's filter fares
# is for the notes.

def fixed: . * 100 | round / 100;
def reason($contenders; $name): [$contenders[] | select(.name == $name) | .reason] | first // "not measured";

# `$slower`: how many times slower than expected.
def test($what; $work; $measured; $expected; $slower; $contenders):
	"\($what), \($work), against the empty program" as $name
	| if $measured == null then "ok - \($name) # SKIP \(reason($contenders; "live"))"
	  elif $slower > 2 then "not ok - \($name): \($measured | fixed) where \($expected) is expected"
	  else "ok - \($name): \($measured | fixed), expected \($expected)" end;

$expected[0] as $expected
| . as $report
| ([$expected.verdict | to_entries[] | .key as $work | .value as $value
	| ([$report.verdicts[] | select(.work == $work) | .of_empty.portcullis] | first) as $measured
	| ([$report.verdicts[] | select(.work == $work) | .above.portcullis.median] | first) as $above
	| test("ns a packet"; $work; $measured; $value.of_empty;
	       [($measured // 0) / $value.of_empty, ($above // 0) / $value.above] | min; $report.contenders)]
   + [$expected.rate | to_entries[] | .key as $work | .value as $value
	| ([$report.rates[] | select(.work == $work) | .of_empty.portcullis] | first) as $measured
	| test("rate"; $work; $measured; $value; $value / ($measured // $value); $report.contenders)]
   + [$report.contenders[] | select(.status == "not run" and .name != "live") | "ok - \(.name) # SKIP \(.reason)"]) as $tests
| ($tests | to_entries[] | .key as $n | .value | sub("^(?<ok>(not )?ok) - "; "\(.ok) \($n + 1) - ")),
  "1..\($tests | length)"
