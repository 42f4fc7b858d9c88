#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What `explain` says of every port against what became of real packets: explain_ports.py flows KIND GROUP... |
judge KIND COUNTERS.json EXPLAINED GROUP...

KIND is `begin` (TCP SYN and UDP) or `live` (TCP ACK and UDP). `flows` prints what tests/e2e/send sends and explain_all
asks about. `judge` compares, port by port and source by source, what was dropped; the sizes of the frames tell
who sent those that the counter of a port has, as in all_ports.py.
"""

import json
import sys

from all_ports import HOST, PORTS, Source, passing, size

TALKS = ("203.0.113.9", "2001:db8:ffff::9")  # has connections with this host, from OUTSIDE_PORT
FLOWS = ("192.0.2.77", "2001:db8::77")  # this host has sent to it


def sources(groups):
    found = [Source("talks, IPv4", TALKS[0]), Source("talks, IPv6", TALKS[1]),
             Source("talks, from another port", TALKS[0], port=40001),
             Source("flow, IPv4", FLOWS[0]), Source("flow, IPv6", FLOWS[1]),
             Source("link-local", "fe80::9", ["link-local"]), Source("from port 67", TALKS[0], port=67)]
    for number, group in enumerate(groups, 1):
        found.append(Source(group + ", IPv4", "198.18.%d.7" % number, [group]))
        found.append(Source(group + ", IPv6", "2001:db8:%x::7" % number, [group]))
    return found


def lines(kind, groups):
    return [(protocol if protocol == "udp" or kind == "begin" else "ack", number, source)
            for number, source in enumerate(sources(groups)) for protocol in ("tcp", "udp")]


def flows(kind, groups):
    for protocol, number, source in lines(kind, groups):
        print("%s %s %s %d 0-%d %d" % (protocol, source.address, HOST[source.family], source.port, PORTS - 1,
                                       size(number)))


def dropped_by_explain(kind, groups, texts):
    """Of each port: the numbers of the sources whose packet it says is dropped."""
    table = {(protocol, port): set() for protocol in ("tcp", "udp") for port in range(PORTS)}
    for (protocol, number, _), text in zip(lines(kind, groups), texts, strict=True):
        for part in text.strip().split(",") if text.strip() != "-" else ():
            first, last = map(int, part.split("-"))
            for port in range(first, last + 1):
                table["udp" if protocol == "udp" else "tcp", port].add(number)
    return table


def judge(kind, counters, texts, groups):
    said = dropped_by_explain(kind, groups, texts)
    names = [source.name for source in sources(groups)]
    seen = {key: set() for key in said}
    for entry in counters["interfaces"][0]["ports"]:
        if entry["direction"] == "in":
            seen[entry["protocol"], entry["port"]] = passing(entry["drop"], names)
    wrong = ["%d/%s: explain drops %s, dropped was %s" % (
        port, protocol, sorted(names[number] for number in said[protocol, port]),
        sorted(names[number] for number in seen[protocol, port] or ()))
             for protocol, port in said if said[protocol, port] != seen[protocol, port]]
    passed = sum(len(names) - len(numbers) for numbers in said.values())
    total = counters["interfaces"][0]["total"]
    if total["pass"]["packets"] != passed:
        wrong.append("%d packets passed, explain says %d" % (total["pass"]["packets"], passed))
    print("%s: %d packets passed, %d replies, %d wrong" % (
        kind, passed, counters["interfaces"][0]["replies"]["packets"], len(wrong)))
    print("\n".join(wrong[:20]))
    return 1 if wrong else 0


def main():
    if sys.argv[1] == "flows":
        flows(sys.argv[2], sys.argv[3:])
        return 0
    with open(sys.argv[3], encoding="utf-8") as file:
        counters = json.load(file)
    with open(sys.argv[4], encoding="utf-8") as file:
        return judge(sys.argv[2], counters, file.readlines(), sys.argv[5:])


if __name__ == "__main__":
    sys.exit(main())
