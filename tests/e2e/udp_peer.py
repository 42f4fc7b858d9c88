#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""UDP server and client on unconnected sockets.

udp_peer.py serve PORT [--address ADDRESS] [--answer-port PORT] [--answer-address ADDRESS] [--delay SECONDS]
    answers each datagram with itself, IPv4 and IPv6; if told so from another port or address, and
    with a pause after the first datagram, while the others queue
udp_peer.py ask ADDRESS PORT [--from-port PORT] [--connect] [--wait SECONDS]
    sends a datagram; prints where from the answer came, and fails if none came
"""

import argparse
import socket
import sys
import time

SO_RCVBUFFORCE = 33
SO_SNDBUFFORCE = 32


def open_socket(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    if address == "::":
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    made.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 64 << 20)
    made.bind((address, port))
    return made


def serve(arguments):
    if arguments.answer_port or arguments.answer_address:
        answering = open_socket(
            arguments.answer_address or "0.0.0.0",
            arguments.answer_port or arguments.port,
        )
        server = open_socket(arguments.address or "0.0.0.0", arguments.port)
    else:
        server = answering = open_socket("::", arguments.port)
    count = 0
    while True:
        data, peer = server.recvfrom(65535)
        if not count:
            time.sleep(arguments.delay)
        count += 1
        if count < 10 or count % 1000 == 0:
            print(f"got {count}, the last from {peer[0]} {peer[1]}", flush=True)
        answering.sendto(data, peer)


def ask(arguments):
    any_address = "::" if ":" in arguments.address else "0.0.0.0"
    client = open_socket(any_address, arguments.from_port)
    client.settimeout(arguments.wait)
    peer = (arguments.address, arguments.port)
    try:
        if arguments.connect:
            client.connect(peer)
            client.send(b"question")
        else:
            client.sendto(b"question", peer)
        data, source = client.recvfrom(65535)
    except OSError as error:
        sys.exit(f"no answer: {error}")
    print("answer from", source[0], source[1])
    if data != b"question":
        sys.exit("another answer")


parser = argparse.ArgumentParser()
commands = parser.add_subparsers(required=True)
command = commands.add_parser("serve")
command.add_argument("port", type=int)
command.add_argument("--address")
command.add_argument("--answer-port", type=int)
command.add_argument("--answer-address")
command.add_argument("--delay", type=float, default=0)
command.set_defaults(run=serve)
command = commands.add_parser("ask")
command.add_argument("address")
command.add_argument("port", type=int)
command.add_argument("--from-port", type=int, default=0)
command.add_argument("--connect", action="store_true")
command.add_argument("--wait", type=float, default=8)
command.set_defaults(run=ask)
chosen = parser.parse_args()
chosen.run(chosen)
