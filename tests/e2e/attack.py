#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What somebody out there sends to a host that never spoke to him.

attack.py INTERFACE MAC tcp SOURCE DESTINATION SOURCE-PORT PORT FLAGS...
    a segment of each of these flags (scapy's letters): prints each answer's protocol, ports and flags
attack.py INTERFACE MAC udp SOURCE DESTINATION SOURCE-PORT PORT
    one datagram: prints answers likewise
attack.py INTERFACE MAC flood DESTINATION PORT COUNT
    a datagram each from COUNT different sources within 198.18.0.0/15 or 2001:db8:ffff::/48
MAC is the destination's, or its router's.
"""

import errno
import ipaddress
import os
import random
import socket
import struct
import sys
import time

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

ANSWER_TIME = 0.15  # seconds
PACKET_OUTGOING = 4
SOL_PACKET = 263
PACKET_QDISC_BYPASS = 20


def open_interface(name):
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    opened.bind((name, 3))
    opened.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
    return opened


def send(interface, frame):
    """veth says ENOBUFS when its ring is full: the frame is sent again, none is lost."""
    while True:
        try:
            return interface.send(frame)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            os.sched_yield()


def network(source, destination):
    return (IPv6 if ":" in source else IP)(src=source, dst=destination)


def answers(interface, source, destination):
    """What comes from the destination to the source, until it has been quiet for a while."""
    until = time.monotonic() + ANSWER_TIME
    while (left := until - time.monotonic()) > 0:
        interface.settimeout(left)
        try:
            frame, where = interface.recvfrom(65535)
        except socket.timeout:
            return
        packet = Ether(frame)
        layer = packet.getlayer(IP) or packet.getlayer(IPv6)
        if where[2] == PACKET_OUTGOING or layer is None:
            continue
        if (layer.src, layer.dst) == (destination, source):
            yield layer.payload


def show(payload):
    if isinstance(payload, TCP):
        return f"tcp {payload.sport} {payload.dport} {payload.flags}"
    if isinstance(payload, UDP):
        return f"udp {payload.sport} {payload.dport}"
    return payload.summary()


def shoot(interface, mac, source, destination, payloads):
    for payload in payloads:
        send(interface, bytes(Ether(dst=mac) / network(source, destination) / payload))
        for answer in answers(interface, source, destination):
            print(show(answer))


def tcp(interface, mac, source, destination, source_port, port, *flags):
    ports = {"sport": int(source_port), "dport": int(port)}
    shoot(interface, mac, source, destination,
          [TCP(flags=f, seq=random.getrandbits(32), ack=random.getrandbits(32), **ports) for f in flags])


def udp(interface, mac, source, destination, source_port, port):
    shoot(interface, mac, source, destination,
          [UDP(sport=int(source_port), dport=int(port)) / Raw(b"question")])


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def flood(interface, mac, destination, port, count):
    """Frames made by hand: scapy makes 2,000 a second."""
    version = ipaddress.ip_address(destination).version
    prefix = ipaddress.ip_network("198.18.0.0/15" if version == 4 else "2001:db8:ffff::/48")
    target = ipaddress.ip_address(destination).packed
    head = bytes(Ether(dst=mac, src=interface.getsockname()[4],
                       type=0x0800 if version == 4 else 0x86dd))
    for number in random.sample(range(1, min(prefix.num_addresses, 1 << 30) - 1), int(count)):
        source = prefix[number].packed
        length = 8 + 8
        datagram = struct.pack("!HHHH", random.randrange(1024, 65536), int(port), length, 0) + b"question"
        check = checksum(source + target + struct.pack("!II", length, 17) + datagram) or 0xffff
        datagram = datagram[:6] + struct.pack("!H", check) + datagram[8:]
        if version == 4:
            front = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, 17, 0) + source + target
            front = front[:10] + struct.pack("!H", checksum(front)) + front[12:]
        else:
            front = struct.pack("!IHBB", 6 << 28, length, 17, 64) + source + target
        send(interface, head + front + datagram)


KINDS = {"tcp": tcp, "udp": udp, "flood": flood}
KINDS[sys.argv[3]](open_interface(sys.argv[1]), sys.argv[2], *sys.argv[4:])
