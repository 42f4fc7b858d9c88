#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The vendor profiles against tests/e2e/catalog.expected.json, a second reading of the vendors' lists. Prints TAP."""

import glob
import json
import os
import re
import sys

import yaml

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
EXPECTED = os.path.join(TESTS, "e2e", "catalog.expected.json")
PROFILES = os.path.join(TESTS, "..", "profiles")
PORT = re.compile(r"([0-9]+)(?:-([0-9]+))?/(tcp|udp|tcp\+udp)")

# Services a profile, counted in the lists; those of postfix, dovecot, asterisk and tomcat in the files that they ship.
# Two rows became two services each: the SMTP Input plugin of OL Connect, and POP3 of Xeams. Two of Contact Expert's are
# footnotes.
COUNTS = {
    "socialminer": 11,
    "contact-expert-core": 30 + 2,
    "contact-expert-agent": 1,
    "ol-connect": 19 + 1,
    "communigate-pro": 28,
    "communigate-pro-cluster": 17,
    "xeams": 8 + 1 + 2,
    "postfix": 10,
    "dovecot": 13,
    "asterisk": 11,
    "tomcat": 6,
    "exchange-mailbox": 12,
    "exchange-edge": 7,
    "mailcow": 23,
    "iredmail": 30,
    "docker-mailserver": 7,
    "mailu": 10,
    "stalwart": 9,
    "jitsi-meet": 8,
    "jitsi-videobridge": 3,
    "freeswitch": 13,
    "bigbluebutton": 6,
    "wazo": 37,
    "grommunio": 13,
    "zimbra": 16,
    "mdaemon": 18,
    "proxmox-mail-gateway": 8,
    "freepbx": 28,
    "kamailio": 3,
    "vicibox": 5,
    "teams-direct-routing-sbc": 8,
    "kerio-connect": 13,
    "kerio-connect-multi-server": 20,
    "carbonio": 53,
}

# The profiles whose prose is about all outgoing traffic.
OUTBOUND = {"communigate-pro": "any", "communigate-pro-cluster": "any", "ssh": "none",
            "dovecot": "none", "ident": "none"}

# The profiles whose page has no date.
UNDATED = {"carbonio", "communigate-pro", "communigate-pro-cluster", "contact-expert-agent", "contact-expert-core",
           "kerio-connect", "kerio-connect-multi-server", "mdaemon", "ol-connect", "proxmox-mail-gateway"}

OWN = {
    "host": [
        {"name": "dhcpv4-client", "in": "68/udp", "from-port": "67/udp"},
        {"name": "dhcpv6-client", "in": "546/udp", "from": "link-local"},
        {"name": "dns", "out": "53/tcp+udp"},
    ],
    "ssh": [{"name": "ssh", "in": "22/tcp"}],
    "ident": [{"name": "ident", "in": "113/tcp"}],
}


def listed(value):
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def ports(value):
    """A set of (protocol, number); shipped profiles use numbers only."""
    result = set()
    for item in listed(value):
        match = PORT.fullmatch(item)
        if not match:
            raise ValueError("%r is no port in numbers" % item)
        first, last = int(match[1]), int(match[2] or match[1])
        if not 0 < first <= last < 65536:
            raise ValueError("%r is no range" % item)
        result |= {(protocol, number) for protocol in match[3].split("+") for number in range(first, last + 1)}
    return result


def normal(service):
    return {
        "name": service["name"],
        "in": ports(service.get("in")),
        "out": ports(service.get("out")),
        "from": sorted(listed(service.get("from"))),
        "to": sorted(listed(service.get("to"))),
        "from-port": ports(service.get("from-port")),
        "feature": service.get("feature"),
        "fixed": service.get("fixed", False),
        "local": service.get("local", False),
        "dynamic": service.get("dynamic", False),
    }


def differences(want, have):
    want = {service["name"]: service for service in map(normal, want)}
    have = {service["name"]: service for service in map(normal, have)}
    lines = ["%s: missing in the profile" % name for name in want if name not in have]
    lines += ["%s: missing in the transcription" % name for name in have if name not in want]
    for name in want:
        lines += ["%s: %s is %r, the list says %r" % (name, key, have[name][key], want[name][key])
                  for key in want[name] if name in have and have[name][key] != want[name][key]]
    if not lines and list(want) != list(have):
        lines.append("order differs: %s" % ", ".join(have))
    return lines


def main():
    tests = []
    with open(EXPECTED, encoding="utf-8") as file:
        expected = json.load(file)
    catalog = {}
    for path in sorted(glob.glob(os.path.join(PROFILES, "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            profile = yaml.safe_load(file)
        catalog[profile["profile"]] = profile

    strangers = sorted(set(catalog) ^ (set(COUNTS) | set(OWN)))
    tests.append(("the catalog is the products' profiles, host, ssh and ident", strangers))
    strangers = sorted({entry["profile"] for entry in expected} ^ set(COUNTS))
    tests.append(("the transcription is of the products' profiles", strangers))
    for name, count in COUNTS.items():
        want = [entry for entry in expected if entry["profile"] == name]
        profile = catalog.get(name, {})
        have = profile.get("services", [])
        tests.append(("%s: %d services" % (name, count),
                      [] if len(want) == len(have) == count else ["%d read, %d in the profile" % (len(want), len(have))]))
        try:
            why = differences(want, have)
        except ValueError as error:
            why = [str(error)]
        tests.append((name + ": each row as it was read", why))
        include = listed(profile.get("include"))
        tests.append((name + ": includes host alone", [] if include == ["host"] else include or ["nothing"]))
        untitled = [service["name"] for service in have if "title" not in service]
        tests.append((name + ": each service has a title", untitled))
        tests.append((name + ": names its document", [] if profile.get("document") else ["none"]))
        # A web page may change, so its address and the date of the version that was read are part of it.
        page = "url" in profile or not re.fullmatch(r"[0-9]{3}_[0-9a-f]{16}\.txt|https?://.*", str(profile.get("document")))
        tests.append((name + ": address and date of the page",
                      ["no " + key for key in ("url", "as-of") if page and key not in profile
                       and not (key == "as-of" and name in UNDATED)]))
    for name, want in OWN.items():
        profile = catalog.get(name, {})
        tests.append((name + ": as the contract says", differences(want, profile.get("services", []))))
        tests.append((name + ": includes nothing", listed(profile.get("include"))))

    have = {name: profile["outbound"] for name, profile in catalog.items() if "outbound" in profile}
    tests.append(("outbound: what the vendors say of all outgoing traffic", [] if have == OUTBOUND else [str(have)]))

    for number, (name, why) in enumerate(tests, 1):
        print("%s %d - %s" % ("not ok" if why else "ok", number, name))
        for line in why:
            print("# " + line)
    print("1..%d" % len(tests))
    return 1 if any(why for _, why in tests) else 0


if __name__ == "__main__":
    sys.exit(main())
