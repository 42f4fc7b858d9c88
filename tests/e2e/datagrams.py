#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""UDP, both sides. datagrams.py serve PORT | ask ADDRESS PORT, with options: see --help

A datagram is `SIZE` and then a pattern up to that size. The server checks each one and answers with the
size that it asks for; it prints `got SIZE`. The client prints `answered SIZE` after it has compared all
bytes, `nothing`, or the name of the error: `ECONNREFUSED`, `EMSGSIZE mtu 1300`.
"""

import argparse
import errno
import random
import select
import socket
import sys
import time

IP_MTU, IPV6_MTU = 14, 24
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, DO = 10, 23, 2
IP_RECVERR, IPV6_RECVERR = 11, 25


def datagram(size, wanted):
    """Of `size` bytes, to be answered with `wanted` bytes."""
    head = f"{size} {wanted} ".encode()
    return (head + random.Random(size).randbytes(max(0, size - len(head))))


def checked(data):
    """The size of the wanted answer, or None if a byte is wrong."""
    size, wanted = (int(word) for word in data.split(b" ", 2)[:2])
    return wanted if data == datagram(size, wanted) else None


def udp_socket(family, device):
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
    if device:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    return one


def serve(options):
    one = udp_socket(socket.AF_INET6, options.device)
    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.bind(("::", options.port))
    print("ready", flush=True)
    while True:
        data, client = one.recvfrom(65536)
        wanted = checked(data) if data[:1].isdigit() else 1
        print("wrong" if wanted is None else f"got {len(data)}", flush=True)
        if wanted and not options.mute:
            time.sleep(options.delay)
            one.sendto(datagram(wanted, 0), client)


def prepare(one, family, options):
    level, v6 = (socket.IPPROTO_IPV6, True) if family == socket.AF_INET6 else (socket.IPPROTO_IP, False)
    if options.df:
        one.setsockopt(level, IPV6_MTU_DISCOVER if v6 else IP_MTU_DISCOVER, DO)
    if options.errors:
        one.setsockopt(level, IPV6_RECVERR if v6 else IP_RECVERR, 1)
    if options.ttl:
        one.setsockopt(level, socket.IPV6_UNICAST_HOPS if v6 else socket.IP_TTL, options.ttl)
    if options.source_port:
        one.bind(("", options.source_port))


def receive(one, options):
    # An error on an unconnected socket wakes it up, and is in its queue of errors.
    if not select.select([one], [], [], options.timeout)[0]:
        return "nothing"
    data, where = one.recvfrom(65536)
    if options.source and where[0] != options.source:
        return f"answered by {where[0]}"
    return "wrong" if checked(data) is None else f"answered {len(data)}"


def ask(options):
    family, _, _, _, where = socket.getaddrinfo(options.address, options.port, type=socket.SOCK_DGRAM)[0]
    one = udp_socket(family, options.device)
    prepare(one, family, options)
    try:
        if options.connected:
            one.connect(where)
        for _ in range(options.times):
            data = datagram(options.size, options.answer)
            one.send(data) if options.connected else one.sendto(data, where)
            if options.pause:
                time.sleep(options.pause)
        if options.announce:
            print("sent", flush=True)
        return receive(one, options)
    except OSError as error:
        text = errno.errorcode[error.errno]
        if error.errno == errno.EMSGSIZE and options.connected:
            level, name = (41, IPV6_MTU) if family == socket.AF_INET6 else (0, IP_MTU)
            text += f" mtu {one.getsockopt(level, name)}"
        return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    sub = parser.add_subparsers(dest="role", required=True)
    server = sub.add_parser("serve")
    server.add_argument("port", type=int)
    server.add_argument("--device")
    server.add_argument("--mute", action="store_true", help="never answer")
    server.add_argument("--delay", type=float, default=0, help="seconds before an answer")
    client = sub.add_parser("ask")
    client.add_argument("address")
    client.add_argument("port", type=int)
    client.add_argument("--device")
    client.add_argument("--source-port", type=int)
    client.add_argument("--source", help="the address that the answer has to come from")
    client.add_argument("--connected", action="store_true")
    client.add_argument("--df", action="store_true", help="path-MTU discovery: never fragment")
    client.add_argument("--errors", action="store_true", help="IP_RECVERR")
    client.add_argument("--ttl", type=int)
    client.add_argument("--size", type=int, default=20)
    client.add_argument("--answer", type=int, default=20, help="size of the wanted answer")
    client.add_argument("--times", type=int, default=1)
    client.add_argument("--pause", type=float, default=0, help="seconds after each datagram")
    client.add_argument("--timeout", type=float, default=10)
    client.add_argument("--announce", action="store_true", help="print `sent` before the wait")
    chosen = parser.parse_args()
    if chosen.role == "serve":
        serve(chosen)
    print(ask(chosen))
    sys.exit()
