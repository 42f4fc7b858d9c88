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
"keep state, ns a packet, beside a plain program that does only the lookup; \"above\" is the cost above the empty program",
"  \("packet" | left(23))\("empty" | left(18))\("portcullis" | left(20))\("lookup" | left(20))\("above" | right(6))\("above" | right(8))\("ratio" | right(8))\("of all" | right(8))",
(.states[] | "  \(.subject | left(23))\(.empty | spread(1) | left(18))\(.portcullis | spread(1) | left(20))\(.reference | spread(1) | left(20))\(.portcullis_above.median | fixed(1) | right(6))\(.reference_above.median | fixed(1) | right(8))\(.ratio_above | fixed(2) | right(8))\(.ratio | fixed(2) | right(8))"),
(.states[] | select(.one) | "  \(.subject), beside the socket lookup alone: \(.one | spread(1)), ratio of all \(.ratio_one | fixed(2))"),
"",
"egress, ns a packet: median [quartiles]",
"  \("packet" | left(23))\("without" | left(20))\("portcullis" | left(20))\("above" | right(6))",
(.egress[] | "  \(.subject | left(23))\(.empty | spread(1) | left(20))\(.portcullis | spread(1) | left(20))\(.portcullis_above.median | fixed(1) | right(6))"),
(.sends[] | "  \("UDP sender" | left(23))\(.none | spread(1) | left(20))\(.portcullis | spread(1) | left(20))\(.portcullis_above.median | fixed(1) | right(6))"),
"",
"rate over veth, millions of frames a second: median [quartiles]",
"  \("frame" | left(16))\("empty" | left(20))\("portcullis" | left(20))\("xdp-filter" | left(20))",
(.rates[] | "  \(.frame | left(16))\(.empty | spread(2) | left(20))\(.portcullis | spread(2) | left(20))\(.xdp_filter | spread(2) | left(20))"),
"",
"floods over veth, millions of frames a second, beside an nftables inet input chain with ct state",
"  \("frame" | left(16))\("portcullis" | left(20))\("nftables" | left(20))\("ratio" | right(8))",
(.floods[] | "  \(.frame | left(16))\(.portcullis | spread(2) | left(20))\(.nftables | spread(2) | left(20))\(.of_nftables | fixed(2) | right(8))"),
"",
"TCP stream: median [quartiles]",
"  \("direction" | left(23))\("empty" | left(20))\("portcullis" | left(20))\("ratio" | right(8))",
(.streams[] | "  \(.direction + ", Gbit/s" | left(23))\(.empty | spread(1) | left(20))\(.portcullis | spread(1) | left(20))\(.of_empty | fixed(3) | right(8))",
	"  \(.direction + ", Gbit/CPU s" | left(23))\(.empty_per_cpu | spread(1) | left(20))\(.portcullis_per_cpu | spread(1) | left(20))\(.of_empty_per_cpu | fixed(3) | right(8))"),
"",
"commands, ms: median [quartiles], least",
(.times[] | "  \(.name | left(16))\(.ms | spread(1) | left(22))\(.ms.min | fixed(1) | right(8))"),
"",
"targets",
(.lines[] | select(.target != null)
 | "  \(if .ok then "ok  " else "MISS" end)  \(.section | left(42))\(.what | left(23))\(.value | fixed(2) | right(8)) \(.sign) \(.target)\(if .unit == "" then "" else " \(.unit)" end)"),
"",
(([.lines[] | select(.ok == false)] | length) as $missed
 | "\([.lines[] | select(.ok == true)] | length) targets hold, \($missed) missed")
