#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""TCP connections that are quiet until told to speak. tcp.py listen|connect ADDRESS PORT [OPTION]...

SIGUSR1 sends a line over every connection, SIGUSR2 closes them all (FIN), SIGTERM resets them and ends.
Prints `ready` once it listens or is connected, `local PORT` for a client, and `heard LINE` for each line
that comes.

connect --control PATH: a connection to an echo server, which does nothing but what it is told by a UNIX
socket. Who connects to PATH sends a line and gets one:
  echo TEXT     sends TEXT and a newline: what came back, or why nothing did
  busy SECONDS  line after line without a pause: how many came back, and the longest wait in ms
  finish        closes its side, reads to the end, ends: "finished", or why not
  close         closes it and ends: "closed"
"""

import argparse
import os
import select
import signal
import socket
import struct
import sys
import time

TIMEOUT = 8  # seconds that an echo may take


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

    def accept(self):
        self.connections.append(self.listener.accept()[0])
        say("accepted")

    def obey(self, told):
        # A connection may not be accepted yet when this process gets the command.
        while self.listener and select.select([self.listener], [], [], 0)[0]:
            self.accept()
        if told == signal.SIGTERM:
            for connection in self.connections:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            sys.exit()
        for connection in list(self.connections):
            try:
                if told == signal.SIGUSR1:
                    connection.sendall(b"spoken\n")
                else:
                    connection.close()
            except OSError:
                self.hear(connection)  # the connection was reset
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
        if self.options.control:
            say("ready")
            Told(self.connections[0]).run(self.options.control)
            return
        wakeup, wakened = socket.socketpair()
        wakened.setblocking(False)
        signal.set_wakeup_fd(wakened.fileno())
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, lambda number, frame: None)
        say("ready")
        while True:
            sources = [wakeup] + self.connections + ([self.listener] if self.listener else [])
            for source in select.select(sources, [], [])[0]:
                if source is wakeup:
                    for told in wakeup.recv(100):
                        self.obey(told)
                elif source is self.listener:
                    if select.select([source], [], [], 0)[0]:
                        self.accept()
                elif source in self.connections:
                    self.hear(source)


class Told:
    """A connection that a UNIX socket controls."""

    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = connection.makefile("rw", newline="\n")

    def echo(self, text):
        self.stream.write(text + "\n")
        self.stream.flush()
        return self.stream.readline().rstrip("\n")

    def busy(self, seconds):
        until = time.monotonic() + seconds
        rounds = longest = 0
        while time.monotonic() < until:
            start = time.monotonic()
            text = f"{rounds} {'x' * (rounds % 2000)}"
            if self.echo(text) != text:
                return f"failed after {rounds}"
            longest = max(longest, time.monotonic() - start)
            rounds += 1
        return f"{rounds} {longest * 1000:.0f}"

    def obey(self, words):
        word, _, rest = words.partition(" ")
        if word == "echo":
            return self.echo(rest)
        if word == "busy":
            return self.busy(float(rest))
        if word == "finish":
            self.connection.shutdown(socket.SHUT_WR)
            return "more came" if self.connection.recv(1) else "finished"
        return "closed"

    def run(self, path):
        server = socket.socket(socket.AF_UNIX)
        server.bind(path + ".new")
        server.listen()
        os.rename(path + ".new", path)
        words = ""
        while words not in ("finish", "close"):
            client = server.accept()[0].makefile("rw")
            words = client.readline().rstrip("\n")
            try:
                answer = self.obey(words)
            except OSError as error:
                answer = f"error: {error}"
            if words in ("finish", "close"):
                self.stream.close()
                self.connection.close()
            client.write(answer + "\n")
            client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["listen", "connect"])
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--device")
    parser.add_argument("--source-port", type=int)
    parser.add_argument("--control", metavar="PATH")
    Talk(parser.parse_args()).run()
