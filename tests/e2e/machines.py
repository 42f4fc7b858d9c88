#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The machines behind a gateway: what each must admit, from `show --iface IFACE --json`.

	machines.py flows SHOW		what tests/e2e/send is to send: a frame to each TCP and UDP port of each address
					from each kind of source
	machines.py judge SHOW COUNTERS	compares what passed with what `show` says is open, machine by machine
	machines.py serve SHOW MACHINE	listens on all incoming ports of the machine's profiles, TCP and UDP; echoes
	machines.py probe SHOW ADDRESS[,ADDRESS] SOURCE...	connects to each port that any machine lists, from each source
					address; prints what differs from `show`

A source sends frames of a size of its own, 100 + 2^n bytes: packets and bytes of a counter tell which passed.
"""

import ipaddress
import json
import resource
import selectors
import socket
import sys
import time

from all_ports import expand, passing, size

OUTSIDE_PORT = 40000
PORTS = 65536


class Machine:
    def __init__(self, kept, number):
        recipe = kept["recipe"]
        shown = kept["machines"][number]
        self.name = shown["name"]
        self.addresses = [ipaddress.ip_network(text) for text in shown["address"]]
        groups = dict(recipe["groups"])
        groups.update(recipe["machines"][number]["recipe"]["groups"])
        self.groups = {name: [ipaddress.ip_network(text) for text in prefixes] for name, prefixes in groups.items()}
        self.open, self.listed = {}, set()
        for profile in shown["profiles"]:
            for service in profile["services"]:
                if service["direction"] == "out":
                    continue
                ports = list(expand(service["ports"]))
                self.listed.update(ports)
                for port in ports if service["open"] else ():
                    self.open.setdefault(port, []).append(service)

    def admits(self, port, source, source_port):
        """`port`: (protocol, number)."""
        address = ipaddress.ip_address(source)
        for service in self.open.get(port, ()):
            if service["from_ports"] and (port[0], source_port) not in set(expand(service["from_ports"])):
                continue
            if not service["from"]:
                return True
            for name in service["from"]:
                prefixes = self.groups.get(name, ())
                if name == "link-local":
                    prefixes = map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10"))
                if any(address in prefix for prefix in prefixes if prefix.version == address.version):
                    return True
        return False


def machines(kept):
    return [Machine(kept, number) for number in range(len(kept["machines"]))]


def sources(kept):
    """Outside of all groups, and inside of each prefix of each group of the interface or a machine."""
    found = ["203.0.113.9", "2001:db8:ffff::9"]
    recipe = kept["recipe"]
    for groups in [recipe["groups"]] + [machine["recipe"]["groups"] for machine in recipe["machines"]]:
        for prefixes in groups.values():
            for text in prefixes:
                network = ipaddress.ip_network(text)
                address = str(network[7] if network.num_addresses > 7 else network[0])
                if address not in found:
                    found.append(address)
    return found


def flows(kept):
    for machine in machines(kept):
        for network in machine.addresses:
            for number, source in enumerate(sources(kept)):
                if ipaddress.ip_address(source).version == network.version:
                    for protocol in ("tcp", "udp"):
                        yield "%s %s %s %d 0-%d %d" % (protocol, source, network[0], OUTSIDE_PORT, PORTS - 1, size(number))


def senders_to(machine, kept):
    """The numbers of the sources that sent to an address of the machine; one address a family."""
    versions = {network.version for network in machine.addresses}
    return [number for number, source in enumerate(sources(kept)) if ipaddress.ip_address(source).version in versions]


def judge_machine(machine, kept, entries):
    senders, all_sources = senders_to(machine, kept), sources(kept)
    wrong, covered, refused = [], set(), 0
    for entry in entries:
        if entry["port"] is None or entry["direction"] != "in":
            continue
        ports = [(entry["protocol"], port) for port in range(entry["port"], entry.get("last", entry["port"]) + 1)]
        want = {number for number in senders if machine.admits(ports[0], all_sources[number], OUTSIDE_PORT)}
        covered.update(ports)
        if len(ports) == 1:
            seen, dropped = passing(entry["pass"], all_sources), passing(entry["drop"], all_sources)
        else:  # counted as one port: each sender that passed did so at each port
            seen = dropped = None
            if entry["pass"] == {"packets": len(want) * len(ports), "bytes": len(ports) * sum(map(size, want))}:
                seen, dropped = want, set(senders) - want
        if seen != want or dropped != set(senders) - want:
            wrong.append("%s %s: passed %s, dropped %s, open for %s" % (machine.name, ports[0], seen, dropped, want))
        refused += (len(senders) - len(want)) * len(ports)
        if not entry["services"]:
            wrong.append("%s %s: no service is named" % (machine.name, ports[0]))
    missing = set(machine.open) - covered
    if missing:
        wrong.append("%s: not counted: %s" % (machine.name, sorted(missing)[:8]))
    rest = {key: sum(entry["drop"][key] for entry in entries if entry["port"] is None and entry["direction"] == "in")
            for key in ("packets", "bytes")}
    closed = 2 * PORTS - len(covered)
    all_frames = {"packets": closed * len(senders), "bytes": closed * sum(map(size, senders))}
    if rest != all_frames:
        wrong.append("%s: unlisted: %s, not %s" % (machine.name, rest, all_frames))
    if any(entry["pass"]["packets"] for entry in entries if entry["port"] is None):
        wrong.append("%s: something unlisted passed" % machine.name)
    print("%s: %d ports open to somebody, %d kinds of sources, %d frames refused at open ports, %d at others" % (
        machine.name, len(covered), len(senders), refused, rest["packets"]))
    return wrong


def judge(kept, counters):
    entries = counters["interfaces"][0]["ports"]
    wrong = []
    for machine in machines(kept):
        wrong += judge_machine(machine, kept, [entry for entry in entries if entry["machine"] == machine.name])
    for entry in entries:
        if entry["machine"] is None and (entry["pass"]["packets"] or entry["drop"]["packets"]):
            wrong.append("counted at this host: %s" % entry)
    return wrong


def serve(kept, name):
    machine = next(machine for machine in machines(kept) if machine.name == name)
    selector = selectors.DefaultSelector()
    for protocol, port in sorted(machine.listed | {("tcp", 22), ("tcp", 3389), ("tcp", 21000), ("udp", 21000)}):
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        one = socket.socket(socket.AF_INET6, kind)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.bind(("::", port))
        if protocol == "tcp":
            one.listen(64)
        selector.register(one, selectors.EVENT_READ, protocol)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.data == "udp":
                data, peer = key.fileobj.recvfrom(65536)
                key.fileobj.sendto(name.encode() + b" " + data, peer)
            else:
                key.fileobj.accept()[0].close()


class Wait:
    """Until all that are wanted have answered, and those that must not had time to; at most 3 s."""

    def __init__(self, wanted):
        self.wanted, self.found = wanted, set()
        self.quiet, self.end = time.monotonic() + 0.4, time.monotonic() + 3

    def left(self):
        now = time.monotonic()
        return max(0, (self.quiet if self.wanted <= self.found else self.end) - now)


def connects(address, pairs, wanted):
    """Those of the TCP ports, (source, port), that answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    selector, sockets, wait = selectors.DefaultSelector(), [], Wait(wanted)
    for source, port in pairs:
        one = socket.socket(family, socket.SOCK_STREAM)
        one.setblocking(False)
        one.bind((source, 0))
        one.connect_ex((address, port))
        selector.register(one, selectors.EVENT_WRITE, (source, port))
        sockets.append(one)
    while wait.left():
        for key, _ in selector.select(wait.left()):
            if not key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                wait.found.add(key.data)
            selector.unregister(key.fileobj)
    for one in sockets:
        one.close()
    return wait.found


def answers(address, pairs, wanted):
    """Those of the UDP ports that answer; each that does not is asked again."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    selector, sockets, wait = selectors.DefaultSelector(), {}, Wait(wanted)
    for source in {source for source, _ in pairs}:
        sockets[source] = socket.socket(family, socket.SOCK_DGRAM)
        sockets[source].bind((source, 0))
        selector.register(sockets[source], selectors.EVENT_READ, source)
    again = 0
    while wait.left():
        if time.monotonic() >= again:
            for source, port in set(pairs) - wait.found:
                sockets[source].sendto(b"x", (address, port))
            again = time.monotonic() + 0.8
        for key, _ in selector.select(min(wait.left(), 0.8)):
            wait.found.add((key.data, key.fileobj.recvfrom(100)[1][1]))
    for one in sockets.values():
        one.close()
    return wait.found


def probe(kept, address, senders):
    everything = machines(kept)
    asked = ipaddress.ip_address(address)
    machine = next(each for each in everything if any(
        network.version == asked.version and asked in network for network in each.addresses))
    ports = set().union(*(each.listed for each in everything)) | {("tcp", 22), ("tcp", 3389), ("tcp", 21000), ("udp", 21000)}
    wrong = 0
    for protocol, ask in (("tcp", connects), ("udp", answers)):
        numbers = sorted(port for kind, port in ports if kind == protocol)
        # The machine only listens on ports that it lists itself.
        mine = {port for kind, port in machine.listed if kind == protocol} | {21000} | ({22, 3389} if protocol == "tcp" else set())
        want = {(source, port) for source in senders for port in numbers
                if port in mine and machine.admits((protocol, port), source, 50000)}
        seen = ask(address, [(source, port) for source in senders for port in numbers], want)
        for source in senders:
            print("%s from %s to %s: %d of %d %s ports answer" % (
                machine.name, source, address, sum(each == source for each, _ in seen), len(numbers), protocol))
        if seen != want:
            wrong += 1
            print("  too many: %s, missing: %s" % (sorted(seen - want)[:10], sorted(want - seen)[:10]))
    return wrong


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        kept = json.load(file)
    if sys.argv[1] == "flows":
        print("\n".join(flows(kept)))
    elif sys.argv[1] == "serve":
        serve(kept, sys.argv[3])
    elif sys.argv[1] == "probe":
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        return 1 if sum(probe(kept, address, sys.argv[4:]) for address in sys.argv[3].split(",")) else 0
    else:
        with open(sys.argv[3], encoding="utf-8") as file:
            wrong = judge(kept, json.load(file))
        print("\n".join(wrong[:20]))
        return 1 if wrong else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
