#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The rules of portcullis(8), VERDICTS, have names: a reason for a drop at ingress is the name of a rule, in the order of
enum pc_reason, and the code cites rules by the names that stand there."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
AT_EGRESS = "outbound"
CITED = re.compile(r"\brules?((?:,? (?:and )?`[a-z-]+`)+)")
BY_NUMBER = re.compile(r"\b(?:[Ll]ines?|[Rr]ows?|[Rr]ules?) [0-9]")


def rules():
    manual = (ROOT / "docs/portcullis.8.scd").read_text()
    section = re.search(r"^# VERDICTS$(.*?)^# ", manual, re.M | re.S)[1]
    return re.findall(r"^\|  \*([a-z-]+)\*$", section, re.M)


def reasons():
    """Those with a name, in the order of the enum."""
    order = re.findall(r"^\tPC_REASON_(\w+),", (ROOT / "bpf/abi_counters.h").read_text(), re.M)
    names = dict(re.findall(r'\[PC_REASON_(\w+)\] = "([a-z-]+)"', (ROOT / "loader/report/counters.c").read_text()))
    return [names[reason] for reason in order if reason in names]


def main():
    known, wrong = rules(), []
    dropped = [reason for reason in reasons() if reason != AT_EGRESS]
    if dropped != [rule for rule in known if rule in dropped]:
        wrong.append(f"docs/portcullis.8.scd: VERDICTS has {known}, the reasons of loader/report/counters.c are {dropped}")
    cited = 0
    for folder in "bpf", "loader", "tests/packet":
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            text = path.read_text()
            for names in CITED.findall(text):
                for name in re.findall(r"`([a-z-]+)`", names):
                    cited += 1
                    if name not in known:
                        wrong.append(f"{path}: `{name}` is no rule of portcullis(8), VERDICTS")
            if folder != "loader" and BY_NUMBER.search(text):
                wrong.append(f"{path}: '{BY_NUMBER.search(text)[0]}': cite a rule by its name")
    if not dropped or not cited:
        wrong.append("found no reasons, or no rule that is cited: this test looks in the wrong place")
    for line in wrong:
        print(f"# {line}")
    print(f"{'not ok' if wrong else 'ok'} 1 - rules are cited by the names that portcullis(8), VERDICTS, has")
    print("1..1")
    return bool(wrong)


sys.exit(main())
