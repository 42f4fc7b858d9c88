#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Strangers and users of the host, each for some seconds.

siege.py handshakes SECONDS SOURCE ADDRESS PORT...  connections that stay open; half of them say something
siege.py syns SECONDS INTERFACE MAC ADDRESS PORT...  SYNs from forged addresses
siege.py listens SECONDS PORT...  servers that accept nobody
"""

import os
import random
import socket
import struct
import sys
import time

HELD = 60  # connections to a port
PAUSE = 0.02  # seconds between two connections


def handshakes(until, source, address, *ports):
    held = {port: [] for port in ports}
    made = 0
    while time.monotonic() < until:
        port = random.choice(ports)
        try:
            one = socket.create_connection((address, int(port)), 0.1, (source, 0))
            if random.random() < 0.5:
                one.sendall(b"SSH-2.0-stranger\r\n")
            held[port].append(one)
            made += 1
        except OSError:
            pass
        while len(held[port]) > HELD:
            held[port].pop(0).close()
        time.sleep(PAUSE)
    print(made)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(mac, source, target, port):
    tcp = struct.pack("!HHIIBBHHH", random.randint(1024, 65535), port, random.getrandbits(32), 0, 0x50, 2, 1024, 0, 0)
    pseudo = source + target + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), random.getrandbits(16), 0, 64, 6, 0, source, target)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return mac + b"\x02\0\0\0\0\x55" + b"\x08\0" + ip + tcp


def syns(until, interface, mac, address, *ports):
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    target = socket.inet_aton(address)
    mac = bytes.fromhex(mac.replace(":", ""))
    sent = 0
    while time.monotonic() < until:
        for _ in range(20):
            source = b"\xc6\x12" + os.urandom(2)  # 198.18.0.0/16
            try:
                out.send(syn(mac, source, target, int(random.choice(ports))))
                sent += 1
            except OSError:
                pass
        time.sleep(PAUSE)
    print(sent)


def listens(until, *ports):
    servers = []
    for port in ports:
        server = socket.socket(socket.AF_INET6)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("::", int(port)))
        server.listen(100)
        servers.append(server)
    time.sleep(max(0, until - time.monotonic()))


KINDS = {"handshakes": handshakes, "syns": syns, "listens": listens}
KINDS[sys.argv[1]](time.monotonic() + float(sys.argv[2]), *sys.argv[3:])
