#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The sweep of all ports: all_ports.py options|flows|together SHOW.json | judge SHOW.json SENT COUNTERS.json

With "edges" behind it, of fewer ports: the first 1,024, and those around both ends of whatever the profile lists, open or not.

`options` prints what turns everything of a profile on: features, groups, local services. `flows` prints what
tests/e2e/send is to send: one frame to every TCP and UDP port from every kind of source. `judge` compares
what passed with what `show` says is open, port by port and source by source: each kind of source sends
frames of a size of its own, 100 + 2^n bytes, so that the packets and bytes of a port's counter tell which
of them passed. It prints what was wrong, and a line that says what was compared. `together` prints which of
the profiles may be swept as one, a list a line: with more than three groups a frame would be too long.
"""

import json
import sys

HOST = {4: "192.0.2.1", 6: "2001:db8::1"}
OUTSIDE_PORT = 40000
PORTS = 65536
NEAR = 1024  # ports between two that are this close are tested too: send.c accepts 1,024 ranges in all


class Source:
    """Who sends: an address, the groups it is in, a source port."""

    def __init__(self, name, address, groups=(), port=OUTSIDE_PORT):
        self.name, self.address, self.groups, self.port = name, address, set(groups), port
        self.family = 6 if ":" in address else 4


def services(show):
    return [service for profile in show["profiles"] for service in profile["services"]]


def group_names(show):
    """Those that may come in, in the order of their names; link-local needs no definition."""
    names = {name for service in services(show) for name in service["from"]}
    if any(service["local"] for service in services(show)):
        names.add("trusted")
    return sorted(names - {"link-local"})


def sources(groups):
    """Inside every group and outside all of them, IPv4 and IPv6, link-local, and a DHCP server's port."""
    found = [Source("outside, IPv4", "203.0.113.9"), Source("outside, IPv6", "2001:db8:ffff::9"),
             Source("link-local, IPv4", "169.254.3.4", ["link-local"]),
             Source("link-local, IPv6", "fe80::9", ["link-local"]),
             Source("outside, from port 67", "203.0.113.9", port=67)]
    for number, group in enumerate(groups, 1):
        found.append(Source(group + ", IPv4", "198.18.%d.7" % number, [group]))
        found.append(Source(group + ", IPv6", "2001:db8:%x::7" % number, [group]))
    return found


def size(number):
    return 100 + (1 << number)


def options(show):
    words = []
    for profile in show["profiles"]:
        for feature in sorted({service["feature"] for service in profile["services"]} - {None}):
            words.append("--enable %s:%s" % (profile["name"], feature))
        for service in profile["services"]:
            if service["local"] and not service["from"]:
                words.append("--from %s:%s=trusted" % (profile["name"], service["name"]))
    for number, group in enumerate(group_names(show), 1):
        words.append("--group %s=198.18.%d.0/24,2001:db8:%x::/48" % (group, number, number))
    return words


def swept(show, edges):
    """The ranges of ports that are sent to."""
    if not edges:
        return [(0, PORTS - 1)]
    chosen = set(range(1025))
    for service in services(show):
        for text in service["ports"]:
            first, _, last = text.split("/")[0].partition("-")
            for end in (int(first), int(last or first)):
                chosen.update(range(max(end - 2, 0), min(end + 3, PORTS)))
            chosen.add((int(first) + int(last or first)) // 2)
    ranges = []
    for port in sorted(chosen):
        if ranges and port - ranges[-1][1] <= NEAR:
            ranges[-1] = (ranges[-1][0], port)
        else:
            ranges.append((port, port))
    return ranges


def together(show):
    lists = []
    for profile in show["profiles"]:
        names = set(group_names({"profiles": [profile]}))
        fits = [entry for entry in lists if len(entry[1] | names) <= 3]
        if profile["included"]:
            continue
        if fits:
            fits[0][0].append(profile["name"])
            fits[0][1].update(names)
        else:
            lists.append(([profile["name"]], names))
    return [",".join(entry[0]) for entry in lists]


def flows(senders, ranges):
    return ["%s %s %s %d %d-%d %d" % (protocol, source.address, HOST[source.family], source.port, *ports,
                                      size(number))
            for number, source in enumerate(senders) for protocol in ("tcp", "udp") for ports in ranges]


def expand(texts):
    for text in texts:
        ports, protocol = text.split("/")
        first, _, last = ports.partition("-")
        for port in range(int(first), int(last or first) + 1):
            yield protocol, port


def admitting(show):
    """Of every port that is open to anybody: the services that admit it."""
    table = {}
    for service in services(show):
        if service["open"] and service["direction"] != "out":
            for port in expand(service["ports"]):
                table.setdefault(port, []).append(service)
    return table


def admits(service, source, protocol):
    if service["from"] and not source.groups & set(service["from"]):
        return False
    return not service["from_ports"] or (protocol, source.port) in set(expand(service["from_ports"]))


def passing(counts, senders):
    """The senders whose one frame is in this count, or None if it is no sum of frames."""
    bits = counts["bytes"] - 100 * counts["packets"]
    if bits < 0 or bits >= 1 << len(senders) or bin(bits).count("1") != counts["packets"]:
        return None
    return {number for number in range(len(senders)) if bits >> number & 1}


def compare_total(sent, counters):
    """All that was sent, a line a flow of packets and bytes, against the total."""
    sent = [sum(int(line.split()[column]) for line in sent) for column in (0, 1)]
    total = counters["interfaces"][0]["total"]
    seen = [total["pass"][key] + total["drop"][key] for key in ("packets", "bytes")]
    return [] if seen == sent else ["total: %d packets and %d bytes, not %d and %d" % (*seen, *sent)]


def judge(show, counters, ranges):
    senders = sources(defined(show))
    everybody = set(range(len(senders)))
    open_ports = admitting(show)
    entries = {(entry["protocol"], entry["port"]): entry
               for entry in counters["interfaces"][0]["ports"] if entry["direction"] == "in"}
    sent = {port for first, last in ranges for port in range(first, last + 1)}
    wrong = ["%d/%s: not counted" % (port, protocol) for protocol in ("tcp", "udp") for port in sorted(sent)
             if (protocol, port) not in entries]
    nothing = {"packets": 0, "bytes": 0}
    all_frames = {"packets": len(senders), "bytes": sum(map(size, everybody))}
    refused = 0
    for (protocol, port), entry in entries.items():
        listed = open_ports.get((protocol, port), ())
        want = {number for number, source in enumerate(senders)
                if any(admits(service, source, protocol) for service in listed)} if listed else set()
        if listed:
            refused += len(everybody - want)
        if not listed and not entry["services"] and entry["pass"] == nothing and entry["drop"] == all_frames:
            continue  # the usual case: nothing passed, everything was dropped
        seen, dropped = passing(entry["pass"], senders), passing(entry["drop"], senders)
        if seen != want or dropped != everybody - want:
            wrong.append("%d/%s: passed %s, dropped %s, open for %s" % (
                port, protocol, *(sorted(senders[number].name for number in part) if part is not None
                                  else "another number of frames" for part in (seen, dropped, want))))
        if bool(listed) != bool(entry["services"]):
            wrong.append("%d/%s: named %s" % (port, protocol, entry["services"]))
    source = counters["interfaces"][0]["reasons"]["source"]["drop"]["packets"]
    if source != refused:
        wrong.append("reason source: %d packets, not %d" % (source, refused))
    return wrong, len(open_ports), len(senders)


def defined(show):
    """The groups that the live recipe defines; the profiles' own if it is a plain show."""
    return sorted(show["groups"]) if "groups" in show else group_names(show)


def main():
    edges = sys.argv[-1] == "edges"
    with open(sys.argv[2], encoding="utf-8") as file:
        show = json.load(file)
    if sys.argv[1] == "options":
        print("\n".join(word for line in options(show) for word in line.split()))
        return 0
    if sys.argv[1] == "together":
        print("\n".join(together(show)))
        return 0
    if sys.argv[1] == "flows":
        print("\n".join(flows(sources(defined(show)), swept(show, edges))))
        return 0
    with open(sys.argv[4], encoding="utf-8") as file:
        counters = json.load(file)
    wrong, listed, count = judge(show, counters, swept(show, edges))
    with open(sys.argv[3], encoding="utf-8") as file:
        wrong += compare_total(file.readlines(), counters)
    print("%d ports open to somebody, %d kinds of sources" % (listed, count))
    for line in wrong[:20]:
        print(line)
    if wrong:
        print("%d wrong" % len(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
