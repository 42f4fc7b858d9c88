#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What scripts/mutate does: run.py WORK TREE [OPTION]... FILE... WORK is a folder that goes afterwards."""
import argparse
import difflib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from places import KINDS, mutants

BUILT_IN, UNIT_IN, PACKET_IN = 300, 120, 300  # seconds
AT_ONCE = 12  # unit tests that one make links
ENDED = "ended by the clock"
SANITIZED = ["CFLAGS=-O1 -g", "SANITIZE=-fsanitize=address,undefined -fno-sanitize-recover=undefined"]


class Failure(Exception):
    pass


def fitting(path):
    for line in pathlib.Path(__file__).with_name("fitting").read_text().splitlines():
        name, *suites = line.split()
        if pathlib.PurePath(path).match(name):
            return suites
    raise Failure(f"{path}: tests/mutate/fitting has no suite of it")


class NotBuilt(Exception):
    pass


class Tree:
    """A copy of the tree, and the tests in it."""

    def __init__(self, work, origin, options):
        self.root = pathlib.Path(work) / "tree"
        self.origin = pathlib.Path(origin).resolve()
        self.options = options
        self.child = None
        self.starting = False  # a child may run that `child` does not name yet
        self.stopped = 0  # the signal that came
        self.tests = []  # unit tests, once they are built
        self.killers = {}  # for each test, how many mutants it has killed
        self.mutated = False
        self.log = ""
        # The files that a killed compiler leaves are removed together with WORK.
        self.environment = dict(os.environ, TMPDIR=tempfile.mkdtemp(prefix="tmp.", dir=work))
        os.chmod(self.environment["TMPDIR"], 0o755)  # so that other users can read the tests

    def run(self, words, seconds, until=None, **environment):
        """The exit code; what was said is in `log`. None: it did not end in time, or was ended by a line that begins so."""
        self.starting = True
        with subprocess.Popen(words, cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, start_new_session=True,
                              env=self.environment | environment) as self.child:
            self.starting = False
            if self.stopped:
                self.stop(self.stopped)
            clock = threading.Timer(seconds, self.end)
            clock.daemon = True
            clock.start()
            lines = []
            for line in self.child.stdout:
                lines.append(line.decode(errors="replace"))
                if until and lines[-1].startswith(until):
                    self.end()
            self.child.wait()
            clock.cancel()
            self.log = "".join(lines)
            return self.child.returncode if self.child.returncode >= 0 else None

    def end(self):
        """What is under way and all that it started."""
        if self.child and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)

    def stop(self, number, _=None):
        """Ends the script by a signal, and the child first."""
        self.stopped = number
        if not self.starting:
            self.end()
            sys.exit(128 + number)

    def copy(self):
        git = ["git", "-C", str(self.origin), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        # A package is built without git, from a tree that is not a repository.
        listed = subprocess.run(git, capture_output=True, check=False) if shutil.which("git") else None
        if not listed or listed.returncode:
            names = [str(path.relative_to(self.origin)) for path in self.origin.rglob("*")
                     if path.is_file() and "build" not in path.parts and ".git" not in path.parts]
        else:
            names = [name for name in listed.stdout.decode().split("\0") if name]
        for name in names:
            here, there = self.origin / name, self.root / name
            if here.is_file():
                there.parent.mkdir(parents=True, exist_ok=True)
                there.write_bytes(here.read_bytes())
                there.chmod(here.stat().st_mode & 0o777)

    def copy_older(self):
        """The binaries of older layouts, which only a repository can make."""
        there = self.root / "build/e2e"
        there.mkdir(parents=True)
        for here in (self.origin / "build/e2e").glob("*layout-[23]"):
            (shutil.copytree if here.is_dir() else shutil.copy2)(here, there / here.name)

    def which(self, path):
        if self.options.tests:
            return {"both": {"unit", "packet"}, "none": set()}.get(self.options.tests, {self.options.tests})
        if path.startswith("bpf/abi"):
            return {"unit", "packet"}
        return {"packet"} if path.startswith("bpf/") else {"unit"}

    def make(self, path, targets):
        # Unit tests run with sanitizers too (make debug), which notice what is not freed.
        flags = SANITIZED if self.which(path) == {"unit"} and not self.options.e2e and not self.options.plain else []
        # A mutant that only gives a compiler warning must still be noticed by a test.
        return self.run(["make", "-j2", "WERROR=", *flags, *targets], BUILT_IN) == 0

    def build(self, path):
        """All but the unit tests: these are linked when their turn comes, for most mutants die by the first."""
        targets = sorted(self.which(path))
        if self.options.e2e:
            targets += ["all"] if self.mutated else ["all", "e2e-tools"]
        if "unit" in targets and self.tests:
            targets.remove("unit")
        return not targets or self.make(path, targets)

    def unit_tests(self, path):
        """The test of the file comes first, then those of its folder, then what has killed most."""
        folder = self.root / "build/unit"
        if not self.tests:
            self.tests = [str(test.relative_to(folder)) for test in sorted(folder.rglob("test_*"))
                          if test.is_file() and os.access(test, os.X_OK)]
        if not self.tests:
            raise Failure("make unit builds no build/unit/*/test_*")
        source = pathlib.PurePath(path)
        own = f"{source.parent.name}/test_{source.stem}"

        def order(name):
            return name != own, not name.startswith(f"{source.parent.name}/"), -self.killers.get(name, 0)

        return sorted(self.tests, key=order)

    def e2e(self, path):
        """What --e2e names; for `fitting`, the suites that tests/mutate/fitting has for the file."""
        suites = [suite for suite in self.options.e2e if suite != "fitting"]
        if "fitting" in self.options.e2e:
            suites += fitting(path)
        return suites

    def unit_suites(self, path):
        """The first test alone, then several at once; those that the file is not linked with tell nothing."""
        names, folder = self.unit_tests(path), self.root / "build/unit"
        for part in [names[:1]] + [names[i:i + AT_ONCE] for i in range(1, len(names), AT_ONCE)]:
            before = {name: (folder / name).stat().st_mtime_ns for name in part}
            if not self.make(path, [f"build/unit/{name}" for name in part]):
                raise NotBuilt(part[0])
            for name in part:
                if not self.mutated or (folder / name).stat().st_mtime_ns != before[name]:
                    yield name, [str(folder / name)], UNIT_IN

    def suites(self, path):
        """Name, command and seconds of each suite, the fastest first."""
        which = self.which(path)
        if "unit" in which:
            yield from self.unit_suites(path)
        if "packet" in which:
            yield "test_packet", ["build/packet/test_packet", "--quick"], PACKET_IN
            if not self.options.quick:
                yield "test_packet", ["build/packet/test_packet"], PACKET_IN
        for suite in self.e2e(path):
            name, _, text = suite.partition(":")
            words = ["bats", "--formatter", "tap", f"tests/e2e/{name}.bats"]
            yield suite, words + (["-f", text] if text else []), 900

    def failing(self, path):
        """The first suite that fails, or None."""
        for name, words, seconds in self.suites(path):
            # One failed test is enough.
            if self.run(words, seconds, "not ok", PORTCULLIS=str(self.root / "build/portcullis"), LC_ALL="C.UTF-8") != 0:
                self.killers[name] = self.killers.get(name, 0) + 1
                failed = re.search(r"^not ok \d+ (.*)", self.log, re.M)
                return f"{name} ({failed[1]})" if failed else name
        return None

    def refused(self):
        """The kernel did not take the program: no test had to notice."""
        return "BPF program load failed" in self.log or "prog 'portcullis" in self.log


def judge(tree, mutant, text):
    path = tree.root / mutant.path
    path.write_text(text[:mutant.start] + mutant.text + text[mutant.end:])
    try:
        if not tree.build(mutant.path):
            return "not built", ""
        by = tree.failing(mutant.path)
        if by and tree.refused():
            return "refused", ""
        return ("killed", by) if by else ("lived", "")
    except NotBuilt:
        return "not built", ""
    finally:
        path.write_text(text)


def difference(mutant, text):
    other = text[:mutant.start] + mutant.text + text[mutant.end:]
    name = f"{mutant.path}:{mutant.line} ({mutant.kind})"
    return "".join(difflib.unified_diff(text.splitlines(True), other.splitlines(True), name, name, n=3))


def arguments(words):
    parser = argparse.ArgumentParser(prog="scripts/mutate", add_help=False, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=sys.maxsize)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--tests", choices=["unit", "packet", "both", "none"])
    parser.add_argument("--e2e", action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--tree")
    parser.add_argument("file", nargs="+")
    options = parser.parse_args(words)
    options.kinds = options.kinds.split(",")
    wrong = [kind for kind in options.kinds if kind not in KINDS]
    if wrong:
        parser.error(f"no such kind: {', '.join(wrong)}; there are {', '.join(KINDS)}")
    return options


def chosen(root, options):
    """All mutants, in the order of the seed, and the text of each file."""
    texts, found = {}, []
    for name in options.file:
        path = (root / name).resolve()
        if not path.is_file() or root not in path.parents:
            raise Failure(f"{name}: no such file in {root}")
        name = str(path.relative_to(root))
        if name not in texts:
            texts[name] = path.read_text()
            found += [one for one in mutants(name, texts[name]) if one.kind in options.kinds]
    random.Random(options.seed).shuffle(found)
    # The kinds of mutants in turn, because most places are constants.
    turn = dict.fromkeys(KINDS, 0)
    order = []
    for one in found:
        order.append((turn[one.kind], KINDS.index(one.kind), one))
        turn[one.kind] += 1
    return [one for _, _, one in sorted(order, key=lambda entry: entry[:2])], texts


def summary(results, lived, texts):
    states = ("killed", "lived", "not built", "refused")
    print(f"\n{'':40}" + "".join(f"{state:>11}" for state in states))
    total = dict.fromkeys(states, 0)
    for path in sorted(results):
        print(f"{path:40}" + "".join(f"{results[path].get(state, 0):11}" for state in states))
        for state in states:
            total[state] += results[path].get(state, 0)
    judged = total["killed"] + total["lived"]
    print(f"{'all':40}" + "".join(f"{total[state]:11}" for state in states))
    print(f"killed {total['killed']} of {judged}" + (f", {100 * total['killed'] // judged} %" if judged else ""))
    for mutant in lived:
        print("\n" + difference(mutant, texts[mutant.path]), end="")


def main():
    work, here, *words = sys.argv[1:]
    options = arguments(words)
    tree = Tree(work, options.tree or here, options)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, tree.stop)
    found, texts = chosen(tree.origin, options)
    if options.list:
        for mutant in found:
            print(f"{mutant.path}:{mutant.line} {mutant.kind}: "
                  f"{texts[mutant.path][mutant.start:mutant.end].splitlines()[0]} -> {mutant.text.splitlines()[0]}")
        return 0
    end = time.monotonic() + 60 * options.minutes
    tree.copy()
    if options.e2e:
        tree.copy_older()
    for path in {frozenset(tree.which(path)): path for path in texts}.values():
        if not tree.build(path):
            raise Failure(f"without a mutant it does not build:\n{tree.log[-2000:]}")
        by = tree.failing(path)
        if by:
            raise Failure(f"without a mutant {by} fails:\n{tree.log[-2000:]}")
    tree.killers.clear()
    tree.mutated = True
    results, lived = {}, []
    for mutant in found[:options.count]:
        if time.monotonic() > end:
            print(ENDED)
            break
        state, by = judge(tree, mutant, texts[mutant.path])
        print(f"{state}{' by ' + by if by else ''}: {mutant.path}:{mutant.line} {mutant.kind}", flush=True)
        counts = results.setdefault(mutant.path, {})
        counts[state] = counts.get(state, 0) + 1
        if state == "lived":
            lived.append(mutant)
    summary(results, lived, texts)
    return 1 if lived else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"scripts/mutate: {failure}", file=sys.stderr)
        sys.exit(2)
