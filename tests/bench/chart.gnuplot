# SPDX-License-Identifier: GPL-2.0
# Two panels: cost of a verdict above the empty program, and drop rate over veth. `data`, `where`: chart.
set datafile separator "\t"
set datafile missing "?"
set encoding utf8
set style fill solid 1 noborder
set boxwidth 0.38
set border 1 linecolor rgb "#888888"
set tics scale 0 textcolor rgb "#333333"
set grid y linecolor rgb "#e4e4e4" linetype 1
set key top left horizontal samplen 1.2 width 2 textcolor rgb "#333333"
ours = "#1f5fa8"
theirs = "#c98a2b"
udp = "#8fb3dc"

set multiplot layout 2,1 margins 0.07,0.98,0.11,0.93 spacing 0,0.2
set offsets 0.5, 0.5, 0, 0
set xtics ()

set title "Cost of a verdict above an empty XDP program, ns a packet (lower is better)" font ",15" textcolor rgb "#111111"
stats data."/verdicts" using (valid(3) && $3 > $2 ? $3 : $2) nooutput
set yrange [0:STATS_max * 1.28]
plot data."/verdicts" using ($0 - 0.2):2 with boxes linecolor rgb ours title "Portcullis", \
	"" using ($0 + 0.2):3 with boxes linecolor rgb theirs title "xdp-filter", \
	"" using ($0 - 0.2):2:(sprintf("%.0f", $2)) with labels offset 0,0.6 font ",11" notitle, \
	"" using ($0 + 0.2):3:(sprintf("%.0f", $3)) with labels offset 0,0.6 font ",11" notitle, \
	"" using 0:(0):xtic(1) with points pointtype 0 notitle

set title "Frames dropped over veth, millions a second (higher is better)" font ",15"
set label 1 where at screen 0.98, 0.015 right font ",11" textcolor rgb "#666666"
set key top right
stats data."/rates" using (valid(3) && $3 > $2 ? $3 : $2) nooutput
set yrange [0:STATS_max * 1.2]
plot data."/rates" using ($0 - 0.2):2 with boxes linecolor rgb ours title "unlisted SYN, IPv4", \
	"" using ($0 + 0.2):3 with boxes linecolor rgb udp title "unlisted UDP, IPv4", \
	"" using ($0 - 0.2):2:(sprintf("%.1f", $2)) with labels offset 0,0.6 font ",11" notitle, \
	"" using ($0 + 0.2):3:(sprintf("%.1f", $3)) with labels offset 0,0.6 font ",11" notitle, \
	"" using 0:(0):xtic(1) with points pointtype 0 notitle
unset multiplot
