#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The folders of loader/ stand on each other: a file includes headers of its own folder and of those before it, no file
is reached from itself, and each x.c includes its own x.h first."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORDER = "base net catalog object recipe report compile guard filter host doctor command".split()
# These folders are at the same level, and do not use each other.
APART = {("catalog", "net"), ("recipe", "object"), ("compile", "report"), ("filter", "guard")}


def place(folder):
    """Of a folder in the order; a file that is in no folder yet stands above all of them."""
    return ORDER.index(folder) if folder in ORDER else len(ORDER)


def parts(unit):
    return unit.rsplit("/", 1) if "/" in unit else ("", unit)


def read(loader):
    """The headers that each unit (a .c with its .h) includes, and the lines that break the rule."""
    includes, wrong = {}, []
    for path in sorted(loader.rglob("*.[ch]")):
        unit = str(path.relative_to(loader).with_suffix(""))
        folder, name = parts(unit)
        if folder not in ORDER:
            wrong.append(f"{path}:1: is in no folder of the order")
        first = True
        for number, line in enumerate(path.read_text().splitlines(), 1):
            where = f"{path}:{number}"
            if path.suffix == ".c" and re.match(r"extern\b", line):
                wrong.append(f"{where}: extern: include the header that declares it")
            found = re.match(r'#include "loader/([\w/]+)\.h"', line)
            if not found:
                continue
            other, _ = parts(found[1])
            if place(other) > place(folder):
                wrong.append(f"{where}: {folder}/ looks up to {other or 'loader'}/")
            if (folder, other) in APART:
                wrong.append(f"{where}: {folder}/ and {other}/ do not know each other")
            if first and path.suffix == ".c" and found[1] != unit and name != "main":
                wrong.append(f"{where}: the first header is not {unit}.h")
            first = False
            if found[1] != unit:
                includes.setdefault(unit, set()).add(found[1])
    return includes, wrong


def ring(includes):
    """A way of units that meets itself, or None."""
    done = set()

    def walk(unit, way):
        if unit in way:
            return way[way.index(unit):] + [unit]
        if unit in done:
            return None
        for other in sorted(includes.get(unit, ())):
            found = walk(other, way + [unit])
            if found:
                return found
        done.add(unit)
        return None

    for unit in sorted(includes):
        found = walk(unit, [])
        if found:
            return found
    return None


def main():
    includes, wrong = read(ROOT / "loader")
    way = ring(includes)
    if way:
        wrong.append("a ring: " + " -> ".join(way))
    for line in wrong:
        print(f"# {line}")
    print("not ok 1 - the folders of loader/ stand on each other" if wrong else
          "ok 1 - the folders of loader/ stand on each other")
    print("1..1")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
