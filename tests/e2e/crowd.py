#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Many connections at once. crowd.py serve PORT | crowd.py hold CONTROL GROUP...

serve sends back what comes: TCP and UDP, of both families. It prints `ready`. SIGUSR1 has it send to everybody who
ever sent, or is connected.

hold makes connections, which then are quiet: a GROUP is KIND,ADDRESS,PORT,COUNT[,DEVICE]; KIND is tcp or udp, a
connected socket that has asked once. Who connects to the UNIX socket CONTROL sends a line and gets one:
  echo SECONDS  one line over each connection: "COUNT of ALL", those that came back in time
  hear SECONDS  the same of what the server sent by SIGUSR1, before this side sends anything
  busy SECONDS  line after line over each: "COUNT of ALL, longest MS", those that never waited ten seconds
"""
import os
import resource
import selectors
import signal
import socket
import sys
import time

STALL = 10  # seconds: TCP retransmits, and a busy machine answers late; without a mark there is no answer at all
SO_RCVBUFFORCE = 33


def say(text):
    print(text, flush=True)


class Server:
    def __init__(self, port):
        self.selector = selectors.DefaultSelector()
        self.streams, self.peers, self.datagrams = set(), set(), None
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            one = socket.socket(socket.AF_INET6, kind)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
            one.bind(("::", port))
            if kind == socket.SOCK_STREAM:
                one.listen(4096)
                self.selector.register(one, selectors.EVENT_READ, self.accept)
            else:
                self.datagrams = one
                self.selector.register(one, selectors.EVENT_READ, self.answer)

    def accept(self, listener):
        one = listener.accept()[0]
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.streams.add(one)
        self.selector.register(one, selectors.EVENT_READ, self.echo)

    def echo(self, one):
        try:
            data = one.recv(65536)
            one.sendall(data)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(one)
            self.streams.discard(one)
            one.close()

    def answer(self, one):
        data, peer = one.recvfrom(65536)
        self.peers.add(peer)
        one.sendto(data, peer)

    def push(self, *_):
        for one in self.streams:
            one.send(b"pushed\n")
        for peer in self.peers:
            self.datagrams.sendto(b"pushed\n", peer)

    def run(self):
        signal.signal(signal.SIGUSR1, self.push)
        say("ready")
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)


def connect(kind, address, port, device):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    if device:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    one.settimeout(10)
    one.connect((address, port))
    if kind == "tcp":
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    else:
        one.send(b"begun\n")
        one.recv(100)
    one.setblocking(False)
    return one


class Crowd:
    def __init__(self, groups):
        self.connections = []
        self.selector = selectors.DefaultSelector()
        self.round = 0
        for group in groups:
            kind, address, port, count, device = (group.split(",") + [""])[:5]
            for _ in range(int(count)):
                self.connections.append(connect(kind, address, int(port), device))
        for number, one in enumerate(self.connections):
            self.selector.register(one, selectors.EVENT_READ, number)

    def talk(self, seconds, again):
        """How many connections answered, and the longest that one waited."""
        self.round += 1
        line = f"{self.round} spoken\n".encode()
        now = time.monotonic()
        until = now + seconds
        sent = [now] * len(self.connections)
        waiting = set(range(len(self.connections)))
        slow, longest = set(), 0
        for one in self.connections:
            one.send(line)
        while waiting and time.monotonic() < until + (STALL if again else 0):
            for key, _ in self.selector.select(0.05):
                try:
                    data = key.fileobj.recv(65536)
                except OSError:
                    slow.add(key.data)
                    continue
                if line not in data:
                    continue
                now = time.monotonic()
                longest = max(longest, now - sent[key.data])
                if again and now - sent[key.data] > STALL:
                    slow.add(key.data)
                if again and now < until:
                    sent[key.data] = now
                    key.fileobj.send(line)
                else:
                    waiting.discard(key.data)
        return len(self.connections) - len(waiting | slow), longest

    def hear(self, seconds):
        until = time.monotonic() + seconds
        silent = set(range(len(self.connections)))
        while silent and time.monotonic() < until:
            for key, _ in self.selector.select(0.05):
                if b"pushed" in key.fileobj.recv(65536):
                    silent.discard(key.data)
        return len(self.connections) - len(silent)

    def obey(self, words):
        word, _, seconds = words.partition(" ")
        if word == "hear":
            return f"{self.hear(float(seconds))} of {len(self.connections)}"
        count, longest = self.talk(float(seconds), word == "busy")
        more = f", longest {longest * 1000:.0f}" if word == "busy" else ""
        return f"{count} of {len(self.connections)}{more}"

    def run(self, path):
        server = socket.socket(socket.AF_UNIX)
        server.bind(path + ".new")
        server.listen()
        os.rename(path + ".new", path)
        say("ready")
        while True:
            client = server.accept()[0].makefile("rw")
            words = client.readline().rstrip("\n")
            try:
                answer = self.obey(words)
            except OSError as error:
                answer = f"error: {error}"
            client.write(answer + "\n")
            client.close()


limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
if sys.argv[1] == "serve":
    Server(int(sys.argv[2])).run()
else:
    Crowd(sys.argv[3:]).run(sys.argv[2])
