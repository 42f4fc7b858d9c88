#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What begins much. limits.py flood TO PORT FROM RATE SECONDS | forge TO PORT FROM COUNT | datagrams TO PORT FROM RATE COUNT

flood: TCP connections of FROM at RATE a second, each closed once it is made. Prints `made COUNT of COUNT`.
forge: TCP SYNs with the address FROM, which may be another host's.
datagrams: UDP, COUNT of them at RATE a second, from one port. Prints `answered COUNT`.
"""

import select
import socket
import struct
import sys
import time


def flood(to, port, source, rate, seconds):
    pending, made, begun = {}, 0, 0
    poll = select.poll()
    start = time.monotonic()
    while time.monotonic() < start + seconds + 1:
        if begun < rate * min(time.monotonic() - start, seconds):
            one = socket.socket()
            one.setblocking(False)
            one.bind((source, 0))
            one.connect_ex((to, port))
            poll.register(one, select.POLLOUT)
            pending[one.fileno()] = one
            begun += 1
        for number, _ in poll.poll(0 if begun < rate * seconds else 10):
            one = pending.pop(number)
            poll.unregister(one)
            made += not one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            one.close()
        time.sleep(0.0005)
    print(f"made {made} of {begun}")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def syn(to, port, source, number):
    ends = socket.inet_aton(source) + socket.inet_aton(to)
    tcp = struct.pack("!HHIIBBHHH", 20000 + number % 40000, port, number, 0, 5 << 4, 2, 64000, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", checksum(ends + struct.pack("!HH", 6, len(tcp)) + tcp)) + tcp[18:]
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends + tcp


def forge(to, port, source, count):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for number in range(count):
        raw.sendto(syn(to, port, source, number), (to, 0))


def datagrams(to, port, source, rate, count):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((source, 0))
    one.connect((to, port))
    start, answered = time.monotonic(), 0
    for number in range(count):
        one.send(b"OPTIONS %d" % number)
        one.settimeout(max(0.0002, start + (number + 1) / rate - time.monotonic()))
        try:
            while one.recv(100):
                answered += 1
        except OSError:
            pass
    one.settimeout(5)
    try:
        while answered < count and one.recv(100):
            answered += 1
    except OSError:
        pass
    print(f"answered {answered}")


if __name__ == "__main__":
    {"flood": flood, "forge": forge, "datagrams": datagrams}[sys.argv[1]](
        sys.argv[2], int(sys.argv[3]), sys.argv[4], *(int(word) for word in sys.argv[5:]))
