#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A TCP connection to an echo server that stays open, and does what it is told by a UNIX socket.

hold_connection.py CONTROL ADDRESS PORT

A client of CONTROL sends a line and gets one:
  echo TEXT     sends TEXT and a newline: what came back, or why nothing did
  busy SECONDS  line after line without a pause: how many came back, and the longest wait in ms
  finish        closes its side, reads to the end, ends: "finished", or why not
  close         closes it and ends: "closed"
"""

import os
import socket
import sys
import time

TIMEOUT = 8  # seconds


def echo(stream, text):
    stream.write(text + "\n")
    stream.flush()
    return stream.readline().rstrip("\n")


def busy(stream, seconds):
    until = time.monotonic() + seconds
    rounds = longest = 0
    while time.monotonic() < until:
        start = time.monotonic()
        text = f"{rounds} {'x' * (rounds % 2000)}"
        if echo(stream, text) != text:
            return f"failed after {rounds}"
        longest = max(longest, time.monotonic() - start)
        rounds += 1
    return f"{rounds} {longest * 1000:.0f}"


def obey(connection, stream, words):
    word, _, rest = words.partition(" ")
    if word == "echo":
        return echo(stream, rest)
    if word == "busy":
        return busy(stream, float(rest))
    if word == "finish":
        connection.shutdown(socket.SHUT_WR)
        return "more came" if connection.recv(1) else "finished"
    return "closed"


def main(control, address, port):
    connection = socket.create_connection((address, int(port)), TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = connection.makefile("rw", newline="\n")
    server = socket.socket(socket.AF_UNIX)
    server.bind(control + ".new")
    server.listen()
    os.rename(control + ".new", control)
    words = ""
    while words not in ("finish", "close"):
        client = server.accept()[0].makefile("rw")
        words = client.readline().rstrip("\n")
        try:
            answer = obey(connection, stream, words)
        except OSError as error:
            answer = f"error: {error}"
        if words in ("finish", "close"):
            stream.close()
            connection.close()
        client.write(answer + "\n")
        client.close()


main(*sys.argv[1:])
