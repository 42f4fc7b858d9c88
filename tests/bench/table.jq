# SPDX-License-Identifier: GPL-2.0
# The report as tables for a terminal.
def spaces($n): if $n > 0 then " " * $n else "" end;
def left($n): tostring | . + spaces($n - length);
def right($n): tostring | spaces($n - length) + .;
def fixed($digits): if . == null then "-" else
	(pow(10; $digits)) as $scale | (. * $scale | round) as $r
	| if $digits == 0 then "\($r)" else
	  (if $r < 0 then "-" else "" end) + "\(($r | fabs) / $scale | floor)." + (("0000" + "\(($r | fabs) % $scale)")[-$digits:]) end end;
def spread($digits): if . == null then "-" else
	"\(.median | fixed($digits)) [\(.low | fixed($digits))-\(.high | fixed($digits))]" end;
def title: {"4k-services": "4,096 serv.", "100k-prefixes": "100,000 pfx", "nft-netdev": "nft netdev", "nft-inet": "nft inet", "monitor": "with monitor"}[.] // .;

# Columns that a row of its own shows: those contenders that any row has.
def present($rows; f): map(select(. as $name | any($rows[]; f[$name])));
def cells($columns; $digits): . as $by | $columns | map($by[.] | spread($digits) | left(20)) | add // "";
def medians($columns; $digits): . as $by | $columns | map($by[.].median | fixed($digits) | right(12)) | add // "";
def heads($columns): $columns | map(title | left(20)) | add // "";
def right_heads($columns): $columns | map(title | right(12)) | add // "";

def verdict_table($rows):
	(["empty", "portcullis", "xdp-filter"] | present($rows; .ns)) as $main
	| (["4k-services", "100k-prefixes", "lookup"] | present($rows; .ns)) as $more
	| "  \("" | left(38))\(heads($main))\("above" | right(6))\("ratio" | right(7))\(right_heads($more))",
	  ($rows[] | "  \(.subject | left(38))\(.ns | cells($main; 1))\(.above.portcullis.median | fixed(1) | right(6))\(.of_xdp_filter | fixed(2) | right(7))\(.ns | medians($more; 1))");

def rate_table($rows; $columns):
	($columns | present($rows; .mpps)) as $columns
	| "  \("" | left(38))\(heads($columns))",
	  ($rows[] | . as $row | select(any($columns[]; $row.mpps[.])) | "  \(.subject | left(38))\(.mpps | cells($columns; 2))");

def ratio_table($rows; $columns):
	($columns | present($rows; .portcullis_of)) as $columns
	| "  \("" | left(38))\(right_heads($columns))",
	  ($rows[] | select(.portcullis_of != {}) | .portcullis_of as $of
	   | "  \(.subject | left(38))\($columns | map($of[.] | fixed(2) | right(12)) | add)");

def size_table($rows; $field; $prefix; $digits):
	([$rows[] | .[$field] | keys_unsorted[] | select(startswith($prefix))] | unique | sort_by(.[($prefix | length):] | tonumber)) as $columns
	| select($columns != [])
	| "  \($prefix[:-1] | left(38))\(["empty"] + $columns | map(sub($prefix; "") | left(20)) | add)",
	  ($rows[] | select([.[$field] | has($columns[])] | any) | "  \(.subject | left(38))\(.[$field] | cells(["empty"] + $columns; $digits))");

["empty", "portcullis", "monitor", "4k-services", "100k-prefixes", "xdp-filter", "lookup"] as $xdp
| ["none", "nft-netdev", "nft-inet", "iptables"] as $stack
| "\(.machine.model), CPU \(.machine.cpu), kernel \(.machine.kernel), load \(.machine.load), \(.machine.date)\(if .machine.quick then ", quick" else "" end)",
(.contenders[] | select(.reason) | "\(.name): \(.status): \(.reason)"),
(.programs[] | "\(.name): \(.instructions) instructions, \(.jited_bytes) bytes of machine code, \(.verified_instructions) verified"),
(.idle | "idle: \(.programs) programs ran \(.runs) times, \(.run_ns) ns, in \(.seconds) s; \(.processes) processes of Portcullis"),
"",
"verdict, ns a packet: median [quartiles]; \"above\" is Portcullis' cost above the empty program, \"ratio\" that to xdp-filter's",
verdict_table(.verdicts),
"",
"rate over veth, one core, millions of frames a second: median [quartiles]",
rate_table(.rates; $xdp),
"",
rate_table(.rates; $stack),
"",
"Portcullis' rate, as a multiple of each one's",
ratio_table(.rates; ["empty", "xdp-filter"] + $stack),
(select(.two_cores != []) | "", "rate over veth, two cores",
	rate_table(.two_cores; ["empty", "portcullis", "xdp-filter"]), rate_table(.two_cores; $stack),
	"  as a multiple of one core's:",
	(.two_cores[] | "  \(.subject | left(38))" + (.of_one_core | to_entries | map("\(.key | title) \(.value | fixed(2))") | join(", ")))),
"",
"by the number of ports, of flows in the map, of marked ports, of bans, of limits, and of machines: ns a packet, then millions of frames a second",
size_table(.size_verdicts; "ns"; "ports-"; 1),
size_table(.size_rates; "mpps"; "ports-"; 2),
size_table(.size_verdicts; "ns"; "flows-"; 1),
size_table(.size_rates; "mpps"; "flows-"; 2),
size_table(.size_verdicts; "ns"; "marks-"; 1),
size_table(.size_rates; "mpps"; "marks-"; 2),
size_table(.size_verdicts; "ns"; "bans-"; 1),
size_table(.size_rates; "mpps"; "bans-"; 2),
size_table(.size_verdicts; "ns"; "limits-"; 1),
size_table(.size_rates; "mpps"; "limits-"; 2),
size_table(.size_verdicts; "ns"; "machines-"; 1),
(select(.profiles != []) | "", "shipped profiles, ns a packet: listed port, unlisted SYN",
	(.profiles as $rows | $rows[0].ns | keys_unsorted[] | . as $name
	 | "  \(sub("profile-"; "") | left(38))\([$rows[] | .ns[$name] | spread(1) | left(20)] | add)")),
(select(.egress != []) | "", "egress, ns a packet: median [quartiles]",
	"  \("" | left(38))\("without" | left(20))\("portcullis" | left(20))\("above" | right(6))",
	(.egress[] | "  \(.subject | left(38))\(.ns | cells(["empty", "portcullis"]; 1))\(.above.portcullis.median | fixed(1) | right(6))"),
	(.sends[] | "  \("UDP sender" | left(38))\(.none | spread(1) | left(20))\(.portcullis | spread(1) | left(20))\(.portcullis_above.median | fixed(1) | right(6))")),
(select(.loads != []) | "", "percent of a core that \(.machine.load_pps) unlisted SYNs a second take: all, and above the empty program",
	(.loads[] | "  \(.name | title | left(38))\(.share | spread(1) | left(20))\(.above | spread(1))")),
(select(.streams != []) | "", "TCP stream, and latency of requests as half of a round trip: median [quartiles], and of the empty program's",
	(.streams[] | "  \(.direction + ", Gbit/s, " + .name | left(38))\(.gbps | spread(1) | left(20))\(.of_empty | fixed(3) | right(8))",
		"  \(.direction + ", Gbit/CPU s, " + .name | left(38))\(.per_cpu | spread(1) | left(20))\(.of_empty_per_cpu | fixed(3) | right(8))"),
	(.latency[] | "  \("latency, us, " + .name | left(38))\(.median_us | spread(1) | left(20))\(.of_empty | fixed(3) | right(8))",
		"  \("latency, 99th percentile, " + .name | left(38))\(.p99_us | spread(1) | left(20))\(.p99_of_empty | fixed(3) | right(8))")),
"",
"commands, ms: median [quartiles], least",
(.times[] | "  \(.name | left(38))\(.ms | spread(1) | left(22))\(.ms.min | fixed(1) | right(8))"),
"",
"targets",
(.lines[] | select(.target != null)
 | "  \(if .ok == null then "-   " elif .ok then "ok  " else "MISS" end)  \(.section | left(42))\(.what | left(38))\(.value | fixed(2) | right(8)) \(.sign) \(.target)\(if .unit == "" then "" else " \(.unit)" end)"),
"",
(([.lines[] | select(.ok == false)] | length) as $missed
 | "\([.lines[] | select(.ok == true)] | length) targets hold, \($missed) missed")
