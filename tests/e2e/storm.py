#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Many commands at once, each looked at. storm.py PORTCULLIS CATALOG SECONDS SEED [MOVER]

Workers run commands on eth0 and eth1, which come and go, and on eth2 and eth3, which are swapped together
and never detached. Each command's exit code, messages and JSON have to be ones that can be true; what it may
say is in COMMANDS. MOVER, a program, is run again and again meanwhile, and does something to eth4. Prints
JSON: how many of each command were run, by exit code, and what was wrong.
"""

import collections
import json
import random
import re
import subprocess
import sys
import threading
import time

WORKERS = 8
LIMIT = 60  # seconds for one command
PROFILES = ("left", "right")
LOOSE = ("eth0", "eth1")
KEPT = ("eth2", "eth3")
MOVED = "eth4"

NO_FILTER = r"\w+: {i}: no filter of portcullis is attached; portcullis attach {i} -p PROFILE attaches one"
THERE = r"{i}: portcullis is attached already; portcullis swap {i} -p PROFILE changes the profile"
# Of an interface that is deleted, made again and moved.
GONE = (r"{i}: no such interface in this network namespace", r"{i}: the interface is gone",
        r"nothing was (attached|swapped): every interface is as it was")
WAITING = "warning: another portcullis command is at work; waiting for it"
MOVE_LOST = (r"warning: {i}: its egress program was missing, and is attached again: "
             "what this host sent meanwhile was not learned")

Command = collections.namedtuple("Command", "often targets options changes errors")
BOTH = (("eth0",), ("eth1",), ("eth0", "eth1"))
READ = BOTH + (KEPT, ())
COMMANDS = {
    # name: how often, on what, options to choose from, whether it takes the lock, errors
    "attach": Command(3, BOTH, [["-p", name] for name in PROFILES], True, (THERE,)),
    "swap": Command(4, BOTH + (KEPT, KEPT), [["-p", name] for name in PROFILES], True, (NO_FILTER,)),
    "detach": Command(2, BOTH, [[]], True, ()),
    "status": Command(3, READ, [["--json"], []], False, (NO_FILTER,)),
    "counters": Command(3, READ, [["--json"], []], False, (NO_FILTER,)),
    "flows": Command(2, READ, [["--json"], []], False, (NO_FILTER,)),
}


class Storm:
    def __init__(self, portcullis, catalog, seconds, mover):
        self.portcullis = portcullis
        self.catalog = catalog
        self.mover = mover
        self.end = time.monotonic() + seconds
        self.lock = threading.Lock()
        self.runs = collections.Counter()
        self.wrong = []
        self.judged = {}  # (interface, generation) of KEPT: profile
        self.swaps = 0

    def complain(self, *words):
        with self.lock:
            self.wrong.append(" ".join(str(word) for word in words))

    # --- what one command said ---

    def allowed(self, command, interfaces, line):
        patterns = list(COMMANDS[command].errors)
        if COMMANDS[command].changes:
            patterns.append(WAITING)
        if self.mover:
            patterns += [*GONE, MOVE_LOST]
            interfaces = (*interfaces, MOVED)
        return any(re.fullmatch("portcullis: " + pattern.replace("{i}", interface), line)
                   for pattern in patterns for interface in interfaces or LOOSE)

    def check_messages(self, command, interfaces, result):
        lines = result.stderr.splitlines()
        for line in lines:
            if not self.allowed(command, interfaces, line):
                self.complain(command, interfaces, "exit", result.returncode, "says:", line)
        errors = [line for line in lines if ": warning: " not in line]
        if result.returncode not in (0, 1) or (result.returncode == 1) != bool(errors):
            self.complain(command, interfaces, "exit", result.returncode, "with:", result.stderr)
        if result.returncode == 1 and not interfaces:
            self.complain(command, "of all fails:", result.stderr)

    def check_status(self, interface):
        name, profiles = interface["name"], interface["profiles"]
        if profiles != interface["recipe"]["profiles"] or len(profiles) != 1 or profiles[0] not in PROFILES:
            self.complain("status: profiles of", name, interface)
        if interface["egress"] not in ("tcx", "clsact") and name != MOVED:
            self.complain("status: egress of", name, "is", interface["egress"])
        if name in KEPT:
            self.judges(name, interface["generation"], profiles[0])

    def judges(self, name, generation, profile):
        """A generation of an interface that is never detached is made once."""
        with self.lock:
            before = self.judged.setdefault((name, generation), profile)
        if before != profile:
            self.complain(name, "generation", generation, "is of", before, "and of", profile)

    def check_counters(self, interface, seen):
        """`seen`: the totals that this worker has read of interfaces that are never detached."""
        name = interface["name"]
        services = {port["service"].split(":")[0] for port in interface["ports"] if port.get("service")}
        if len(services & set(PROFILES)) > 1:
            self.complain("counters:", name, "has services of", services)
        if name not in KEPT:
            return
        now = (interface["generation"], interface["total"]["pass"]["packets"])
        before = seen.get(name, (0, 0))
        if now[0] < before[0] or now[1] < before[1]:
            self.complain("counters:", name, "goes back from", before, "to", now)
        seen[name] = now

    def check_json(self, command, interfaces, text, seen):
        report = json.loads(text)
        if command == "flows":
            if report["version"] != 1 or report["used"] > report["size"]:
                self.complain("flows:", text)
            return
        names = [interface["name"] for interface in report["interfaces"]]
        wanted = set(interfaces or LOOSE + KEPT + (MOVED,))
        if len(set(names)) != len(names) or not set(names) <= wanted or (interfaces and set(names) != wanted):
            self.complain(command, interfaces, "tells of", names)
        if not interfaces and not set(KEPT) <= set(names):
            self.complain(command, "of all tells of", names)
        for interface in report["interfaces"]:
            if command == "status":
                self.check_status(interface)
            else:
                self.check_counters(interface, seen)

    # --- running ---

    def run_one(self, command, interfaces, options, seen):
        words = [self.portcullis, command, *interfaces, *options]
        if "-p" in options:
            words += ["--catalog", self.catalog]
        try:
            result = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.complain(command, interfaces, "took more than", LIMIT, "seconds")
            return
        with self.lock:
            self.runs[f"{command} {result.returncode}"] += 1
            self.swaps += command == "swap" and interfaces == KEPT and result.returncode == 0
        self.check_messages(command, interfaces, result)
        if result.returncode == 0 and "--json" in options:
            try:
                self.check_json(command, interfaces, result.stdout, seen)
            except (ValueError, KeyError, TypeError) as error:
                self.complain(command, interfaces, repr(error), result.stdout)

    def work(self, seed):
        chance = random.Random(seed)
        names = list(COMMANDS)
        weights = [COMMANDS[name].often for name in names]
        seen = {}
        while time.monotonic() < self.end:
            name = chance.choices(names, weights)[0]
            interfaces = chance.choice(COMMANDS[name].targets)
            if self.mover and interfaces in (("eth1",), ("eth0", "eth1")):
                interfaces = (*interfaces[:-1], MOVED)
            self.run_one(name, interfaces, chance.choice(COMMANDS[name].options), seen)

    def move(self):
        while time.monotonic() < self.end:
            result = subprocess.run([self.mover], capture_output=True, text=True)
            self.runs[f"mover {result.returncode}"] += 1
            if result.returncode:
                self.complain("mover:", result.stderr)

    def run(self, seed):
        threads = [threading.Thread(target=self.work, args=(f"{seed}.{i}",)) for i in range(WORKERS)]
        if self.mover:
            threads.append(threading.Thread(target=self.move))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"runs": dict(sorted(self.runs.items())), "swaps": self.swaps, "wrong": self.wrong}


if __name__ == "__main__":
    storm = Storm(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[5] if len(sys.argv) > 5 else None)
    print(json.dumps(storm.run(sys.argv[4]), indent=1))
