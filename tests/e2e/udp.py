#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""UDP, both sides. udp.py serve PORT | ask ADDRESS PORT, with options: see --help

A datagram is `SIZE WANTED` and then a pattern up to that size. The server checks each one and answers with
the size that it wants; it prints `got SIZE`, or `wrong`. For any other datagram it prints `got foreign COUNT`
and answers with a few bytes. The client prints `answered SIZE` after it
has compared all bytes, `nothing`, or the name of the error: `ECONNREFUSED`, `EMSGSIZE mtu 1300`. Exit 0 if
it was answered.
"""

import argparse
import errno
import random
import select
import socket
import sys
import time

SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
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
    one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    one.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 64 << 20)
    if device:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    return one


def bound_socket(address, port, device):
    """Of both families if the address is `::`."""
    one = udp_socket(socket.AF_INET6 if ":" in address else socket.AF_INET, device)
    if ":" in address:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.bind((address, port))
    return one


class Server:
    def __init__(self, options):
        self.options = options
        self.foreign = 0
        other = options.answer_port or options.answer_address
        self.listening = bound_socket(options.address or ("0.0.0.0" if other else "::"), options.port, options.device)
        self.answering = self.listening
        if other:
            self.answering = bound_socket(options.answer_address or "0.0.0.0", options.answer_port or options.port,
                                          options.device)

    def answer_to(self, data):
        """None if there is to be none. Prints what has come."""
        if not data[:1].isdigit():
            self.foreign += 1
            print(f"got foreign {self.foreign}", flush=True)
            return datagram(1, 0)  # no server answers this
        wanted = checked(data)
        print("wrong" if wanted is None else f"got {len(data)}", flush=True)
        return datagram(wanted, 0) if wanted else None

    def run(self):
        first = True
        print("ready", flush=True)
        while True:
            data, client = self.listening.recvfrom(65536)
            if first:
                time.sleep(self.options.delay_first)
            first = False
            answer = self.answer_to(data)
            if answer and not self.options.mute:
                time.sleep(self.options.delay)
                self.answering.sendto(answer, client)


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
    # An error on an unconnected socket wakes it up, and is in its error queue.
    if not select.select([one], [], [], options.timeout)[0]:
        return "nothing"
    data, where = one.recvfrom(65536)
    if options.source and where[0] != options.source:
        return f"answered by {where[0]}"
    if checked(data) is None:
        return "wrong"
    return f"answered {len(data)}" + (f" from {where[0]} {where[1]}" if options.where else "")


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
    server.add_argument("--delay", type=float, default=0, help="seconds before each answer")
    server.add_argument("--delay-first", type=float, default=0, help="seconds after the first datagram; others queue")
    server.add_argument("--address")
    server.add_argument("--answer-port", type=int, help="the port that answers come from")
    server.add_argument("--answer-address", help="the address that answers come from")
    client = sub.add_parser("ask")
    client.add_argument("address")
    client.add_argument("port", type=int)
    client.add_argument("--device")
    client.add_argument("--source-port", type=int)
    client.add_argument("--source", help="the address that the answer has to come from")
    client.add_argument("--where", action="store_true", help="print where the answer came from, too")
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
        Server(chosen).run()
    result = ask(chosen)
    print(result)
    sys.exit(0 if result.startswith("answered ") and result.split()[1].isdigit() else 1)
