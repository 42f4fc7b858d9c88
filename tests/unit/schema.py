#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Profiles, site files and the examples of the manuals against the schemas, and wrong ones that these must refuse. Prints TAP."""

import glob
import json
import os
import re
import sys

import jsonschema
import yaml

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PROFILES = os.path.join(TREE, "profiles")
MODELINE = "# yaml-language-server: $schema=profile.schema.json"


class Strict(yaml.SafeLoader):
    """PyYAML takes the last of repeated keys; the catalog calls them an error."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError("repeated key %r, line %d" % (key, node.start_mark.line + 1))
        return super().construct_mapping(node, deep)


# YAML 1.2 has no dates, so 2021-08-06 is a text.
Strict.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


# Everything that the language has, once: the schema must not be stricter than the language.
RIGHT = {
    "nothing but a name": "profile: empty",
    "every key and form": """
profile: site-2
title: Every form
document: list.txt
release: 7.6 LTS
as-of: 2021-08-06
url: https://www.example.com/ports?product=a#list
second-hand: true
containers: true
include: [host, ssh]
outbound: any
protocols: [esp, 47, ipv6-nonxt]
services:
  - {name: one, title: One, note: A note, in: 25/tcp, feature: mail, fixed: true, configured-in: 'C:\\x.ini'}
  - {name: list, in: [80/tcp, 5060/tcp+udp, 60000-65535/udp, 53/udp+tcp], from: [a, b], formerly: [old, older]}
  - {name: both, in: 25/tcp, out: [25/tcp], from: a, to: b, local: false, dynamic: false, formerly: {name: two}}
  - {name: out, out: imaps/tcp, to: [a], formerly: old-out}
  - {name: from-port, in: 68/udp, from: link-local, from-port: [67/udp, 1024-65535/udp]}
  - {name: dynamic, dynamic: true, from: a, local: false}
  - {name: closed, in: 1/tcp, from: trusted, local: true}
  - {name: closed-dynamic, dynamic: true, local: true}
  - {name: no-ports, from: a}
  - {name: config, in: 3com-tsmux/tcp, configured-in: {file: server.xml, xpath: //Connector/@port}}
  - {name: config-key, in: 1/tcp, configured-in: {file: main.cf, key: smtp_tcp_port}}
  - {name: config-regex, in: 2/tcp, configured-in: {file: a.conf, regex: 'listen:([0-9]+)'}}
  - {name: config-registry, in: 3/tcp, configured-in: {registry: 'HKEY_LOCAL_MACHINE\\A', value: Port 1}}
  - {name: renamed, in: 1/udp, feature: new, formerly: {name: old-name, feature: old}}
""",
    "one include and one protocol": "{profile: a, include: host, outbound: none, protocols: 132, services: []}",
}

WRONG_PROFILES = {
    "no profile name": "title: A",
    "not a map": "- profile: a",
    "unknown top-level key": "{profile: a, sevices: []}",
    "bad profile name": "profile: Xeams",
    "reserved profile name": "profile: site",
    "name of 64 characters": "profile: " + 64 * "a",
    "empty include": "{profile: a, include: []}",
    "bad include": "{profile: a, include: host.yaml}",
    "outbound of no such kind": "{profile: a, outbound: enforce}",
    "outbound as a list": "{profile: a, outbound: [any]}",
    "outbound as true": "{profile: a, outbound: true}",
    "services as a map": "{profile: a, services: {smtp: 25/tcp}}",
    "day that no month has": "{profile: a, as-of: 2021-08-32}",
    "month that no year has": "{profile: a, as-of: 2021-13}",
    "year alone": "{profile: a, as-of: '2021'}",
    "date of another form": "{profile: a, as-of: 1/2/2021}",
    "url without a scheme": "{profile: a, url: www.example.com}",
    "url with a blank": "{profile: a, url: 'https://a b'}",
    "second-hand as a word": "{profile: a, second-hand: reseller}",
    "protocol that is never given": "{profile: a, protocols: 6}",
    "protocol that is never given, by name": "{profile: a, protocols: [esp, udp]}",
    "protocol out of range": "{profile: a, protocols: 256}",
    "negative protocol": "{profile: a, protocols: -1}",
    "protocol number as text": "{profile: a, protocols: '6'}",
    "empty list of protocols": "{profile: a, protocols: []}",
    "the same protocol twice": "{profile: a, protocols: [esp, esp]}",
    "service as text": "{profile: a, services: [smtp]}",
}

# Each is alone in a profile that is otherwise right.
WRONG_SERVICES = {
    "service without a name": "in: 25/tcp",
    "unknown service key": "{name: a, port: 25/tcp}",
    "bad service name": "{name: ftp_data, in: 20/tcp}",
    "port without a protocol": "{name: a, in: 25}",
    "port without a protocol, as text": "{name: a, in: '25'}",
    "unknown protocol": "{name: a, in: 25/sctp}",
    "protocol in capitals": "{name: a, in: 25/TCP}",
    "the same protocol of a port twice": "{name: a, in: 53/udp+udp}",
    "port 0": "{name: a, in: 0/tcp}",
    "port 65536": "{name: a, in: 65536/tcp}",
    "leading zero": "{name: a, in: 025/tcp}",
    "range past 65535": "{name: a, in: 60000-70000/udp}",
    "open range": "{name: a, in: 60000-/udp}",
    "two ports in one string": "{name: a, in: '25/tcp,587/tcp'}",
    "blank in a port": "{name: a, in: 25 /tcp}",
    "empty list of ports": "{name: a, in: []}",
    "the same port twice": "{name: a, in: [25/tcp, 25/tcp]}",
    "bad group": "{name: a, in: 25/tcp, from: Trusted}",
    "anyone as a group": "{name: a, in: 25/tcp, from: anyone}",
    "anyone in a list": "{name: a, out: 25/tcp, to: [b, anyone]}",
    "the same group twice": "{name: a, in: 25/tcp, from: [b, b]}",
    "from with out alone": "{name: a, out: 25/tcp, from: trusted}",
    "to without out": "{name: a, in: 25/tcp, to: exchange}",
    "from-port without in": "{name: a, out: 25/tcp, from-port: 67/udp}",
    "from-port without a protocol": "{name: a, in: 68/udp, from-port: 67}",
    "dynamic with in": "{name: a, dynamic: true, in: 25/tcp}",
    "dynamic with out": "{name: a, dynamic: true, out: 25/tcp}",
    "local without in": "{name: a, local: true}",
    "local without in, not dynamic": "{name: a, local: true, dynamic: false}",
    "local with out alone": "{name: a, local: true, out: 25/tcp}",
    "text where true or false stands": "{name: a, in: 25/tcp, fixed: 'true'}",
    "number where true or false stands": "{name: a, in: 25/tcp, local: 1}",
    "word where true or false stands": "{name: a, dynamic: maybe}",
    "list as feature": "{name: a, in: 25/tcp, feature: [b]}",
    "configured-in without xpath": "{name: a, in: 25/tcp, configured-in: {file: server.xml}}",
    "configured-in with two ways": "{name: a, in: 25/tcp, configured-in: {file: a, xpath: b, key: c}}",
    "configured-in with another key": "{name: a, in: 25/tcp, configured-in: {file: a, line: c}}",
    "configured-in without a file": "{name: a, in: 25/tcp, configured-in: {key: a}}",
    "configured-in in file and registry": "{name: a, in: 25/tcp, configured-in: {file: a, registry: 'HKLM\\a'}}",
    "configured-in without a value": "{name: a, in: 25/tcp, configured-in: {registry: 'HKLM\\a'}}",
    "configured-in of no hive": "{name: a, in: 25/tcp, configured-in: {registry: 'SOFTWARE\\a', value: b}}",
    "configured-in with a regex without a group": "{name: a, in: 25/tcp, configured-in: {file: a, regex: b}}",
    "configured-in, empty": "{name: a, in: 25/tcp, configured-in: {}}",
    "formerly of a feature without one": "{name: a, in: 25/tcp, formerly: {feature: b}}",
    "formerly with nothing": "{name: a, in: 25/tcp, formerly: {}}",
    "formerly with another key": "{name: a, in: 25/tcp, formerly: {title: b}}",
    "title that is no text": "{name: a, in: 25/tcp, title: 25}",
    "empty note": "{name: a, in: 25/tcp, note: ''}",
}


RIGHT_SITES = {
    "nothing but management": "management: none",
    "nothing to hold": "{groups: {}, interfaces: {}}",
    "every key and form": """
groups:
  trusted: [192.0.2.0/24, '2001:db8::/32', '::1', 10.0.0.1, 0.0.0.0/0, '::/0', '64:ff9b::192.0.2.1', 'fe80::/10']
  one: 198.51.100.0/24
  '3': '@resolvers.txt'
  mixed: [192.0.2.0/24, '@more.txt', '@/etc/portcullis/even-more.txt', '::1']
  later: []
management: [22/tcp, 8443/tcp, 60000-60010/tcp+udp]
interfaces:
  eth0:
    profiles: [ssh, xeams]
    enable: [imap, xeams:pop3-ssl]
    disable: [xeams:dns]
    from: {ssh:ssh: [trusted, link-local], xeams:smtp: one}
    open: {587/tcp: one, 8443/tcp: [trusted, link-local], 60000-60099/udp: {from: one, comment: 'CHG-1 (grün)'}, 9/udp: anyone, 10/tcp+udp: {comment: x}}
    set: {ssh:ssh:in: 2222/tcp, xeams:imap: [143/tcp, imaps/tcp]}
    limits: {ssh:ssh: 3/m, xeams:smtp: {rate: 20/s, burst: 60, per: {ipv4: 24, ipv6: 48}, except: [trusted, one]}, xeams:imap: {rate: 1000000/h, per: {}, except: one}}
    observe: true
    outbound: enforce
    groups: {trusted: 10.0.0.0/8, more: '@more.txt', none: []}
    machines:
      core-1: {address: [192.0.2.10, '2001:db8:5::10'], profiles: ssh, open: {3389/tcp: one}}
      '7': {address: 192.0.2.16/28, profiles: [ssh, xeams], enable: imap, disable: [xeams:dns], from: {ssh:ssh: one}, set: {ssh:ssh: 2222/tcp}, limits: {ssh:ssh: 10/h}, groups: {one: '::1'}, observe: false, outbound: track}
    forward: false
    echo-limit: 0
    flows: 16777216
    mode: generic
    confirm: 23h59m60s
  br-lan.7:
    profiles: ssh
    enable: imap
    disable: xeams:dns
    from: ssh:ssh=trusted
    open: 587/tcp
    set: ssh:ssh=2222/tcp,2022/tcp
    limits: ssh:ssh=20/s
    outbound: track
    mode: native
  'en*': {profiles: ssh}
  '?an[0-9][0-9][0-9]*': {profiles: ssh}
  abcdefghijklmno:
    profiles: ssh
    from: ['ssh:ssh=trusted,one', 'xeams:smtp=one']
    open: [587/tcp, 'imaps/tcp=one,trusted', '8443/tcp,9443/tcp']
    set: ['ssh:ssh:in=2222/tcp', 'xeams:dns:out=53/tcp+udp']
    limits: [ssh:ssh=3/m, 'xeams:dns={rate: 20/s, burst: 60}']
""",
}

WRONG_SITES = {
    "not a map": "- groups",
    "unknown top-level key": "{interface: {}}",
    "a profile": "{profile: a, services: []}",
    "groups as a list": "groups: [a]",
    "bad group name": "groups: {Trusted: 10.0.0.0/8}",
    "anyone defined": "groups: {anyone: 10.0.0.0/8}",
    "link-local defined": "groups: {link-local: 10.0.0.0/8}",
    "group with nothing": "groups: {a: }",
    "host name without a domain in a list": "groups: {a: ['dns:mail']}",
    "address for a name": "groups: {a: 'dns:192.0.2.1'}",
    "group of a map": "groups: {a: {b: c}}",
    "host name as prefix": "groups: {a: mail.example.com}",
    "address out of range": "groups: {a: 10.0.0.256}",
    "prefix length out of range": "groups: {a: 10.0.0.0/33}",
    "prefix length out of range, IPv6": "groups: {a: ['::/129']}",
    "two prefixes in one text": "groups: {a: '10.0.0.0/8, 10.1.0.0/16'}",
    "file without a name": "groups: {a: '@'}",
    "file without a name in a list": "groups: {a: ['@']}",
    "management as a number": "management: 22",
    "management without a protocol": "management: ['22']",
    "none in a list of ports": "management: [none]",
    "interfaces as a list": "interfaces: [eth0]",
    "interface with nothing": "interfaces: {eth0: }",
    "interface of 16 bytes": "interfaces: {abcdefghijklmnop: {profiles: a}}",
    "interface with a slash": "interfaces: {a/b: {profiles: a}}",
    "pattern with a slash": "interfaces: {'a/*': {profiles: a}}",
    "interface with a blank": "interfaces: {a b: {profiles: a}}",
    "interface with a colon": "interfaces: {'a:1': {profiles: a}}",
    "interface named ..": "interfaces: {'..': {profiles: a}}",
    "interface without a name": "interfaces: {'': {profiles: a}}",
}

# Each is alone in an interface that is otherwise right.
WRONG_KEYS = {
    "unknown key": "policy: observe",
    "open without a protocol": "open: '587'",
    "open as a number": "open: 587",
    "open to a prefix": "open: 587/tcp=10.0.0.0/8",
    "open with nothing": "open: {587/tcp: }",
    "open with an empty mapping": "open: {587/tcp: {}}",
    "open with another key": "open: {587/tcp: {to: a}}",
    "open to a list with anyone": "open: {587/tcp: [a, anyone]}",
    "open with an empty comment": "open: {587/tcp: {comment: ''}}",
    "open with a comment of two lines": 'open: {587/tcp: {comment: "a\\nb"}}',
    "from of a list with anyone": "from: {'ssh:ssh': [anyone, a]}",
    "bad profile name": "profiles: Xeams",
    "empty list of profiles": "profiles: []",
    "the same profile twice": "profiles: [a, a]",
    "bad feature": "enable: Imap",
    "feature of three words": "enable: [a:b:c]",
    "the same feature twice": "enable: [a, a]",
    "service without its profile": "disable: ftp",
    "from of a service without its profile": "from: {ssh: trusted}",
    "from without a group": "from: {ssh:ssh: []}",
    "from with a bad group": "from: {ssh:ssh: Trusted}",
    "from as text without a group": "from: ['ssh:ssh']",
    "set without a protocol": "set: {ssh:ssh: '22'}",
    "limit without a unit": "limits: {ssh:ssh: 20}",
    "limit of a day": "limits: {ssh:ssh: 20/d}",
    "limit of nothing": "limits: {ssh:ssh: 0/s}",
    "limit without a rate": "limits: {ssh:ssh: {burst: 6}}",
    "limit with an unknown key": "limits: {ssh:ssh: {rate: 20/s, bursts: 6}}",
    "limit per a long prefix": "limits: {ssh:ssh: {rate: 20/s, per: {ipv4: 33}}}",
    "limit except anyone": "limits: {ssh:ssh: {rate: 20/s, except: anyone}}",
    "limit of no service": "limits: {ssh: 20/s}",
    "set of a wrong direction": "set: {ssh:ssh:up: 22/tcp}",
    "set as text without ports": "set: ['ssh:ssh=']",
    "set as text without a protocol": "set: ['ssh:ssh=22']",
    "yes where true stands": "observe: 'yes'",
    "outbound of no such kind": "outbound: drop",
    "number where true or false stands": "forward: 1",
    "echo-limit out of range": "echo-limit: 1000001",
    "echo-limit as text": "echo-limit: '100'",
    "no flows": "flows: 0",
    "mode of no such kind": "mode: offload",
    "confirm at once": "confirm: 0",
    "confirm past a day": "confirm: 86401",
    "confirm in weeks": "confirm: 1w",
    "groups of an interface as a list": "groups: [10.0.0.0/8]",
    "a list of machines": "machines: [a]",
    "a machine without an address": "machines: {a: {profiles: ssh}}",
    "a machine without a profile": "machines: {a: {address: 192.0.2.1}}",
    "a machine with a bad name": "machines: {A: {address: 192.0.2.1, profiles: ssh}}",
    "a machine of no address": "machines: {a: {address: [], profiles: ssh}}",
    "a machine with a file for an address": "machines: {a: {address: '@file', profiles: ssh}}",
    "a machine behind a machine": "machines: {a: {address: 192.0.2.1, profiles: ssh, machines: {}}}",
    "a machine with a mode": "machines: {a: {address: 192.0.2.1, profiles: ssh, mode: native}}",
    "confirm with its units turned round": "confirm: 30m1h",
    "confirm without its last unit": "confirm: 1h30",
}


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, why=""):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        for line in str(why).splitlines() if not good else []:
            print("# " + line)

    def done(self):
        print("1..%d" % self.count)
        return 1 if self.failed else 0


def load_schema(tap, name):
    path = os.path.join(PROFILES, name)
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    try:
        jsonschema.Draft7Validator.check_schema(schema)
        tap.ok(True, name + " is a draft-07 schema")
    except jsonschema.SchemaError as error:
        tap.ok(False, name + " is a draft-07 schema", error.message)
        sys.exit(tap.done())
    # The schema of sites refers to that of profiles, which is beside it.
    resolver = jsonschema.RefResolver("file://" + os.path.realpath(path), schema)
    return jsonschema.Draft7Validator(schema, resolver=resolver)


def errors_of(validator, value):
    return "\n".join("%s: %s" % ("/".join(map(str, e.absolute_path)) or "document", e.message)
                     for e in validator.iter_errors(value))


def check_sites(tap):
    validator = load_schema(tap, "site.schema.json")
    with open(os.path.join(TREE, "docs", "portcullis-site.5.scd"), encoding="utf-8") as file:
        examples = re.findall(r"^```\n(.*?)^```", file.read(), re.M | re.S)
    tap.ok(bool(examples), "portcullis-site(5) has an example")
    for number, text in enumerate(examples, 1):
        why = errors_of(validator, yaml.load(text, Strict))
        tap.ok(not why, "portcullis-site(5): example %d obeys the schema" % number, why)
    for name, text in RIGHT_SITES.items():
        why = errors_of(validator, yaml.load(text, Strict))
        tap.ok(not why, "accepted: " + name, why)
    for name, text in WRONG_SITES.items():
        tap.ok(not validator.is_valid(yaml.load(text, Strict)), "refused: " + name, text)
    for name, text in WRONG_KEYS.items():
        value = {"interfaces": {"eth0": {"profiles": "ssh", **yaml.load(text, Strict)}}}
        tap.ok(not validator.is_valid(value), "refused: " + name, text)


def main():
    tap = Tap()
    validator = load_schema(tap, "profile.schema.json")

    def errors(value):
        return errors_of(validator, value)

    paths = sorted(glob.glob(os.path.join(PROFILES, "*.yaml")))
    tap.ok(bool(paths), "there are profiles", PROFILES)
    for path in paths:
        name = os.path.basename(path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        tap.ok(text.startswith(MODELINE + "\n"), name + ": line 1 names the schema", text.split("\n")[0])
        try:
            value = yaml.load(text, Strict)
        except yaml.YAMLError as error:
            tap.ok(False, name + ": obeys the schema", error)
            continue
        why = errors(value)
        tap.ok(not why, name + ": obeys the schema", why)
        if why:
            continue
        tap.ok(value["profile"] + ".yaml" == name, name + ": is named as its profile", value["profile"])
        names = [service["name"] for service in value.get("services", [])]
        tap.ok(len(set(names)) == len(names), name + ": service names are unique", names)

    with open(os.path.join(PROFILES, "README.md"), encoding="utf-8") as file:
        examples = re.findall(r"^```yaml\n(.*?)^```", file.read(), re.M | re.S)
    tap.ok(bool(examples), "README.md has an example")
    for number, text in enumerate(examples, 1):
        why = errors(yaml.load(text, Strict))
        tap.ok(not why, "README.md: example %d obeys the schema" % number, why)

    for name, text in RIGHT.items():
        why = errors(yaml.load(text, Strict))
        tap.ok(not why, "accepted: " + name, why)
    for name, text in WRONG_PROFILES.items():
        tap.ok(not validator.is_valid(yaml.load(text, Strict)), "refused: " + name, text)
    for name, text in WRONG_SERVICES.items():
        value = {"profile": "wrong", "services": [yaml.load(text, Strict)]}
        tap.ok(not validator.is_valid(value), "refused: " + name, text)
    check_sites(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
