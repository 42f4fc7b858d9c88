#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Many commands at once, each looked at. storm.py PORTCULLIS CATALOG SECONDS SEED WANTED [MOVER]

Workers run commands on eth0 and eth1, which come and go, and on two pairs that are swapped together and never
detached: eth2 and eth3, whose changes are final or wait for an hour, and eth5 and eth6, whose changes may fall
back after a second or two. What apply is given names both pairs, and eth0 and eth1 or not. A change of a pair
has an echo limit of its own, by which status tells whose it is. Each command's exit code, messages and JSON have to be ones that can be true; what it may
say is in COMMANDS. It goes on after SECONDS, four times as long at most, until each of WANTED has come about
("attach 1,swap 0": by exit code; "reverts"). MOVER, a program, is run again and again meanwhile, and does something to eth4. Prints
JSON: how many of each command were run, by exit code, and what was wrong.
"""

import collections
import itertools
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

WORKERS = 8
LIMIT = 60  # seconds for one command
PROFILES = ("left", "right")
LOOSE = ("eth0", "eth1")
KEPT = ("eth2", "eth3")
TIMED = ("eth5", "eth6")
MOVED = "eth4"
RENAMED = "lan4"  # eth4, for a moment
FIXED = {100: "left", 1: "left", 2: "right"}  # echo limits: the default, and the values of apply that change nothing

NO_FILTER = r"\w+: {i}: no filter of portcullis is attached; to attach one: portcullis attach {i} -p PROFILE"
THERE = r"{i}: portcullis is already attached; to change its profile: portcullis swap {i} -p PROFILE"
# The profiles of an interface that is deleted, made again and moved.
GONE = (r"{i}: no such interface in this network namespace(; there are .*)?", r"{i}: the interface is gone",
        r"nothing was (attached|swapped): every interface is as it was")
# Of an interface whose changes may fall back.
LATE = (r"{i}: too late: the attach was not confirmed in time, and everything passes; attach again",
        r"{i}: too late: the swap was not confirmed in time, and generation \d+ is active again; "
        r"to see it: portcullis show --iface {i}")
REVERTED = (r"warning: {i}: the swap was not confirmed in time: generation \d+ is active again",
            r"warning: {i}: the attach was not confirmed in time: detached; everything passes")
PASSED = (r"{i}: the pending change was not confirmed in time: generation \d+ is active again",
          r"{i}: the deadline has already passed: everything passes again")
UNCONFIRMED = r"{i}: the attach was not confirmed in time, and everything passes; attach again"
STAYS = (r"apply: {i} would be detached, which --confirm cannot undo: detach it first, or leave out --confirm",)
MISSING = (r"{i}: no such interface in this network namespace; there are .*; --wait (SECONDS|TIME) waits for it",
           r"nothing was changed: every interface is as it was")
# What `apply --boot` prints with exit 4: it continues with the other interfaces.
LEFT_OUT = (r"{i}: no such interface in this network namespace: left out",
            r"{i}: left out, and stays as it is; the other interfaces are applied",
            r"warning: apply: the interfaces cannot be changed together: each one is tried by itself",
            *("warning: " + pattern for pattern in GONE))
# A client is connected to a port that the attach closes.
LIVES_AT = r"\d+ to \d+/tcp at (?:eth0|eth1|{i})"
LIVES = "warning: open connections continue, but new ones will be refused: " + LIVES_AT + "(?:, " + LIVES_AT + ")*"
WAITING = "warning: another portcullis command is running; waiting for it"
MOVE_LOST = (r"warning: {i}: its egress program was missing, and is attached again: "
             "packets sent meanwhile were not learned")

NOT_SAVED = "not saved: the next apply or boot undoes it; portcullis export site prints the filters as a site file"

Command = collections.namedtuple("Command", "often targets options changes errors")
BOTH = (("eth0",), ("eth1",), ("eth0", "eth1"))
PAIRS = (KEPT, KEPT, TIMED, TIMED)
READ = BOTH + (KEPT, TIMED, ())
CONFIRM = ([], ["--confirm", "1"], ["--confirm", "3600"])
CONFIRM_OF = {KEPT: ([], ["--confirm", "3600"]), TIMED: ([], ["--confirm", "1"], ["--confirm", "2"])}
COMMANDS = {
    # name: how often, on which interfaces, which options, whether it changes something, its errors
    "attach": Command(4, BOTH, [["-p", name] for name in PROFILES], True, (THERE,)),
    "swap": Command(5, BOTH + PAIRS, [["-p", name] for name in PROFILES], True, (NO_FILTER,)),
    "detach": Command(2, BOTH, [[]], True, ()),
    "apply": Command(2, ((),), [[], [], ["--boot"], ["--confirm", "3600"]], True, ()),
    "confirm": Command(3, READ, [[]], False, (NO_FILTER,)),
    "status": Command(3, READ, [["--json"], []], False, (NO_FILTER,)),
    "counters": Command(3, READ, [["--json"], []], False, (NO_FILTER,)),
    "flows": Command(2, READ, [["--json"], []], False, (NO_FILTER,)),
}


class Storm:
    def __init__(self, portcullis, catalog, seconds, wanted, mover):
        self.portcullis = portcullis
        self.catalog = catalog
        self.wanted = wanted
        self.mover = mover
        self.end = time.monotonic() + seconds
        self.last_end = self.end + 3 * seconds
        self.lock = threading.Lock()
        self.runs = collections.Counter()
        self.wrong = []
        self.judged = {}  # (interface, generation) of KEPT: echo limit
        self.swaps = 0  # of KEPT
        self.reverts = 0
        self.limits = dict(FIXED)  # echo limit: profile
        self.next_limit = itertools.count(1000)
        self.refused = {}  # echo limit of a change that failed: when its command ended
        self.done = set(FIXED)
        self.folder = tempfile.TemporaryDirectory()

    def complain(self, *words):
        with self.lock:
            self.wrong.append(" ".join(str(word) for word in words))

    def goes_on(self):
        now = time.monotonic()
        return now < self.end or now < self.last_end and not all(
            self.reverts if name == "reverts" else self.runs[name] for name in self.wanted)

    # --- the output of one command ---

    def allowed(self, command, interfaces, line):
        moved = (MOVED, RENAMED) if self.mover else ()
        patterns = [(pattern, interfaces or LOOSE) for pattern in COMMANDS[command].errors]
        timed = LOOSE + TIMED + moved
        if COMMANDS[command].changes:
            patterns += [(pattern, timed) for pattern in (*PASSED, UNCONFIRMED, *REVERTED)]
        if command in ("attach", "apply"):
            patterns += [(LIVES, LOOSE + moved)]
        if command == "apply":
            # The last one is said behind UNCONFIRMED.
            patterns += [(pattern, LOOSE + moved) for pattern in (*STAYS, MISSING[1])]
        if command == "confirm":
            patterns += [(pattern, timed) for pattern in (*LATE, *REVERTED)]
        if COMMANDS[command].changes or command == "confirm":
            patterns.append((WAITING, timed))
        if self.mover:
            patterns += [(pattern, (*interfaces, *moved)) for pattern in (*COMMANDS[command].errors, *GONE, MOVE_LOST)]
            if command == "apply":
                patterns += [(pattern, moved) for pattern in (*MISSING, *LEFT_OUT)]
        return any(re.fullmatch("portcullis: " + pattern.replace("{i}", interface), line)
                   for pattern, names in patterns for interface in names)

    def check_messages(self, command, interfaces, result):
        lines = [line for line in result.stderr.splitlines() if line != NOT_SAVED]
        for line in lines:
            if not self.allowed(command, interfaces, line):
                self.complain(command, interfaces, "exit", result.returncode, "says:", line)
            if "not confirmed in time: " in line and ": warning: " in line:
                self.reverts += 1
        errors = [line for line in lines if ": warning: " not in line]
        failed = (1, 4) if command == "apply" else (1,)
        if result.returncode not in (0, *failed) or (result.returncode in failed) != bool(errors):
            self.complain(command, interfaces, "exit", result.returncode, "with:", result.stderr)
        if result.returncode == 1 and not interfaces and command not in ("apply", "confirm"):
            self.complain(command, "of all fails:", result.stderr)

    def check_status(self, interface, began):
        name, profiles, confirm = interface["name"], interface["profiles"], interface["confirm"]
        if profiles != interface["recipe"]["profiles"] or len(profiles) != 1 or profiles[0] not in PROFILES:
            self.complain("status: profiles of", name, interface)
        if interface["egress"] not in ("tcx", "clsact") and name not in (MOVED, RENAMED):
            self.complain("status: egress of", name, "is", interface["egress"])
        open_again = confirm and confirm["state"] == "reverted" and confirm["fallback"] is None
        if (interface["policy"] == "observe") != bool(open_again):
            self.complain("status:", name, "has policy", interface["policy"], "and", confirm)
        if name in KEPT + TIMED:
            self.check_limit(name, interface["echo_limit"], profiles[0], began)
            if confirm and confirm["fallback"] is None:
                self.complain("status:", name, "has no fallback", confirm)
        if name in KEPT:
            self.judges(name, interface["generation"], interface["echo_limit"])
            if confirm and (confirm["state"] != "waiting" or not 3000 < confirm["seconds_left"] <= 3600):
                self.complain("status:", name, "may fall back", confirm)

    def check_limit(self, name, limit, profile, began):
        """What judges is a change that was asked for, and was not refused before."""
        with self.lock:
            wanted, refused = self.limits.get(limit), self.refused.get(limit)
        if wanted != profile:
            self.complain("status:", name, "has limit", limit, "of", wanted, "and the profile", profile)
        if refused and refused < began:
            self.complain("status:", name, "has limit", limit, "of a change that was refused")

    def judges(self, name, generation, limit):
        """A generation of an interface that never falls back is made once."""
        with self.lock:
            before = self.judged.setdefault((name, generation), limit)
        if before != limit:
            self.complain(name, "generation", generation, "is of", before, "and of", limit)

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

    def check_json(self, command, interfaces, text, seen, began):
        report = json.loads(text)
        if command == "flows":
            if report["version"] != 1 or report["used"] > report["size"]:
                self.complain("flows:", text)
            return
        names = [interface["name"] for interface in report["interfaces"]]
        wanted = set(interfaces or LOOSE + KEPT + TIMED + (MOVED, RENAMED))
        if len(set(names)) != len(names) or not set(names) <= wanted or (interfaces and set(names) != wanted):
            self.complain(command, interfaces, "tells of", names)
        if not interfaces and not set(KEPT + TIMED) <= set(names):
            self.complain(command, "of all tells of", names)
        for interface in report["interfaces"]:
            if command == "status":
                self.check_status(interface, began)
            else:
                self.check_counters(interface, seen)

    # --- running ---

    def new_limit(self, profile):
        with self.lock:
            limit = next(self.next_limit)
            self.limits[limit] = profile
        return limit

    def site_file(self, chance):
        """A file for apply, and its echo limit: sometimes one that changes nothing of the pairs."""
        profile = chance.choice(PROFILES)
        limit = self.new_limit(profile) if chance.random() < 0.5 else PROFILES.index(profile) + 1
        confirms = []
        for pair, choices in CONFIRM_OF.items():
            confirm = chance.choice(choices)
            confirms += [(name, confirm) for name in pair]
        loose = (LOOSE[0], MOVED) if self.mover else LOOSE
        confirms += [(name, chance.choice(CONFIRM)) for name in chance.choice(((), loose[:1], loose[1:], loose))]
        file = tempfile.NamedTemporaryFile("w", dir=self.folder.name, suffix=".yaml", delete=False)
        with file:
            file.write("interfaces:\n")
            for name, confirm in confirms:
                file.write(f"  {name}: {{profiles: {profile}, echo-limit: {limit}"
                           f"{', confirm: ' + confirm[1] if confirm else ''}}}\n")
        return file.name, limit

    def complete(self, command, interfaces, options, chance):
        """The words of a command, and the echo limit if it changes a pair."""
        words, limit = [self.portcullis, command, *interfaces, *options], None
        if "-p" in options:
            words += [*chance.choice(CONFIRM_OF.get(interfaces, CONFIRM)), "--catalog", self.catalog]
        if command == "swap" and interfaces in (KEPT, TIMED):
            limit = self.new_limit(options[1])
            words += ["--echo-limit", str(limit)]
        if command == "apply":
            file, limit = self.site_file(chance)
            words += ["--site", file, "--catalog", self.catalog]
        return words, limit

    def account(self, command, limit, result):
        """Whether a change of the pairs was done is told by a line for each interface."""
        changed = [name for name in KEPT + TIMED if f"\n{name}: enforce, " in "\n" + result.stdout]
        for pair in (KEPT, TIMED):
            if len(set(pair) & set(changed)) == 1:
                self.complain(command, "changes one of", pair, result.stdout, result.stderr)
        if not changed and result.returncode == 0 and command == "swap":
            self.complain("swap, exit 0, says:", result.stdout)
        with self.lock:
            self.swaps += KEPT[0] in changed
            if changed:
                self.done.add(limit)
            elif limit not in FIXED:
                self.refused[limit] = time.monotonic()

    def run_one(self, command, interfaces, options, seen, chance):
        words, limit = self.complete(command, interfaces, options, chance)
        began = time.monotonic()
        try:
            result = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.complain(command, interfaces, "took more than", LIMIT, "seconds")
            return
        with self.lock:
            self.runs[f"{command} {result.returncode}"] += 1
        if limit:
            self.account(command, limit, result)
        self.check_messages(command, interfaces, result)
        if result.returncode == 0 and "--json" in options:
            try:
                self.check_json(command, interfaces, result.stdout, seen, began)
            except (ValueError, KeyError, TypeError) as error:
                self.complain(command, interfaces, repr(error), result.stdout)

    def work(self, seed):
        chance = random.Random(seed)
        names = list(COMMANDS)
        weights = [COMMANDS[name].often for name in names]
        seen = {}
        while self.goes_on():
            name = chance.choices(names, weights)[0]
            interfaces = chance.choice(COMMANDS[name].targets)
            if self.mover and interfaces in (("eth1",), ("eth0", "eth1")):
                interfaces = (*interfaces[:-1], MOVED)
            self.run_one(name, interfaces, chance.choice(COMMANDS[name].options), seen, chance)

    def move(self):
        while self.goes_on():
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
        return {"runs": dict(sorted(self.runs.items())), "swaps": self.swaps, "reverts": self.reverts,
                "done": {limit: self.limits[limit] for limit in sorted(self.done)}, "wrong": self.wrong}


if __name__ == "__main__":
    storm = Storm(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[5].split(","),
                  sys.argv[6] if len(sys.argv) > 6 else None)
    print(json.dumps(storm.run(sys.argv[4]), indent=1))
