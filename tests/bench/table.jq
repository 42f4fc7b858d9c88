# SPDX-License-Identifier: GPL-2.0
# The report as tables for a terminal.
def spaces($n): if $n > 0 then " " * $n else "" end;
def left($n): tostring | . + spaces($n - length);
def right($n): tostring | spaces($n - length) + .;
def fixed($digits): if . == null then "-" else
	(pow(10; $digits)) as $scale | (. * $scale | round) as $r
	| if $digits == 0 then "\($r)" else
	  (if $r < 0 then "-" else "" end) + "\(($r | fabs) / $scale | floor)." + (("0000" + "\(($r | fabs) % $scale)")[-$digits:]) end end;
def spread($digits): "\(.median | fixed($digits)) [\(.low | fixed($digits))-\(.high | fixed($digits))]";

"\(.machine.model), CPU \(.machine.cpu), kernel \(.machine.kernel), load \(.machine.load), \(.machine.date)\(if .machine.quick then ", quick" else "" end)",
(.programs[] | "\(.name): \(.instructions) instructions, \(.jited_bytes) bytes of machine code, \(.verified_instructions) verified"),
"",
"verdict, ns a packet: median [quartiles]; \"above\" is the cost above the empty program",
"  \("frame" | left(16))\("empty" | left(18))\("portcullis" | left(18))\("xdp-filter" | left(20))\("above" | right(6))\("above" | right(8))\("ratio" | right(8))",
(.verdicts[] | "  \(.frame | left(16))\(.empty | spread(1) | left(18))\(.portcullis | spread(1) | left(18))\(.xdp_filter | spread(1) | left(20))\(.portcullis_above.median | fixed(1) | right(6))\(.xdp_filter_above.median | fixed(1) | right(8))\(.ratio | fixed(2) | right(8))"),
"",
"  \("Portcullis, other" | left(58))\("ns" | left(20))\("above" | right(6))",
(.other_verdicts[] | "  \({"large": "4,096 services", "group": "restricted", "100k": "100,000 prefixes"}[.name] + ", " + .frame | left(58))\(.portcullis | spread(1) | left(20))\(.portcullis_above.median | fixed(1) | right(6))"),
"",
"rate over veth, millions of frames a second: median [quartiles]",
"  \("frame" | left(16))\("empty" | left(20))\("portcullis" | left(20))\("xdp-filter" | left(20))",
(.rates[] | "  \(.frame | left(16))\(.empty | spread(2) | left(20))\(.portcullis | spread(2) | left(20))\(.xdp_filter | spread(2) | left(20))"),
"",
"commands, ms: median [quartiles], least",
(.times[] | "  \(.name | left(16))\(.ms | spread(1) | left(22))\(.ms.min | fixed(1) | right(8))"),
"",
"targets",
(.lines[] | select(.target != null)
 | "  \(if .ok then "ok  " else "MISS" end)  \(.section | left(42))\(.what | left(16))\(.value | fixed(2) | right(8)) \(.sign) \(.target)\(if .unit == "" then "" else " \(.unit)" end)"),
"",
(([.lines[] | select(.ok == false)] | length) as $missed
 | "\([.lines[] | select(.ok == true)] | length) targets hold, \($missed) missed")
