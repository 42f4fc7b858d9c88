#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""TCP connections that are quiet until told to speak. talk.py listen|connect ADDRESS PORT [OPTION]...

SIGUSR1 sends a line over every connection, SIGUSR2 closes them all (FIN), SIGTERM resets them and ends.
Prints `ready` once it listens or is connected, `local PORT` for a client, and `heard LINE` for each line
that comes.
"""

import argparse
import select
import signal
import socket
import struct
import sys


def say(text):
    print(text, flush=True)


class Talk:
    def __init__(self, options):
        self.options = options
        self.listener = None
        self.connections = []
        self.told = []

    def bind_to_device(self, one):
        if self.options.device:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.options.device.encode())

    def listen(self):
        self.listener = socket.socket(socket.AF_INET6)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.bind_to_device(self.listener)
        self.listener.bind((self.options.address, self.options.port))
        self.listener.listen()

    def connect(self):
        family, _, _, _, where = socket.getaddrinfo(self.options.address, self.options.port,
                                                    type=socket.SOCK_STREAM)[0]
        connection = socket.socket(family)
        self.bind_to_device(connection)
        if self.options.source_port:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            connection.bind(("", self.options.source_port))
        connection.settimeout(15)
        connection.connect(where)
        self.connections.append(connection)
        say(f"local {connection.getsockname()[1]}")

    def obey(self, told):
        if told == signal.SIGTERM:
            for connection in self.connections:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            sys.exit()
        for connection in self.connections:
            if told == signal.SIGUSR1:
                connection.sendall(b"spoken\n")
            else:
                connection.close()
        if told == signal.SIGUSR2:
            self.connections = []

    def hear(self, connection):
        try:
            data = connection.recv(65536)
        except OSError as error:
            say(f"failed {error}")
            data = b""
        if not data:
            say("closed")
            connection.close()
            self.connections.remove(connection)
        for line in data.decode().splitlines():
            say(f"heard {line}")

    def run(self):
        if self.options.role == "listen":
            self.listen()
        else:
            self.connect()
        say("ready")
        wakeup, wakened = socket.socketpair()
        wakened.setblocking(False)
        signal.set_wakeup_fd(wakened.fileno())
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, lambda number, frame: None)
        while True:
            sources = [wakeup] + self.connections + ([self.listener] if self.listener else [])
            for source in select.select(sources, [], [])[0]:
                if source is wakeup:
                    for told in wakeup.recv(100):
                        self.obey(told)
                elif source is self.listener:
                    self.connections.append(source.accept()[0])
                    say("accepted")
                elif source in self.connections:
                    self.hear(source)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["listen", "connect"])
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--device")
    parser.add_argument("--source-port", type=int)
    Talk(parser.parse_args()).run()
