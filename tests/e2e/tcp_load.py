#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Real TCP connections, counted. tcp_load.py serve PORT... | load SECONDS ADDRESS OPEN-PORT CLOSED-PORT

`load`, until the time is up or SIGTERM comes, makes one connection after another to the open port, keeps one open all the time and sends through
it, and tries the closed port. It prints JSON: connections made and failed, retransmissions of any of
them (one lost packet is one), bytes that came back by the open one, tries of the closed port and those
that were answered in any way.
"""

import json
import select
import signal
import socket
import struct
import sys
import threading
import time


def serve(ports):
    """Sends back whatever comes, on every port, until killed."""
    def echo(connection):
        with connection:
            while True:
                data = connection.recv(65536)
                if not data:
                    return
                connection.sendall(data)

    listeners = []
    for port in ports:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
        listeners.append(listener)
    while True:
        for listener in select.select(listeners, [], [])[0]:
            threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def retransmissions(connection):
    """tcpi_total_retrans of struct tcp_info."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return struct.unpack_from("I", info, 100)[0]


def exchange(connection, data):
    connection.sendall(data)
    got = b""
    while len(got) < len(data):
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("closed by the other end")
        got += part
    if got != data:
        raise ConnectionError("other bytes came back")
    return len(got)


class Load:
    def __init__(self, seconds, address, open_port, closed_port):
        self.end = time.monotonic() + seconds
        self.open = (address, open_port)
        self.closed = (address, closed_port)
        self.result = {"connections": 0, "failed": 0, "retransmissions": 0, "bytes": 0,
                       "closed_tries": 0, "closed_answered": 0, "errors": []}

    def running(self):
        return time.monotonic() < self.end

    def stop(self, *_):
        self.end = 0

    def fail(self, error):
        self.result["failed"] += 1
        self.result["errors"].append(repr(error))

    def connect_again_and_again(self):
        while self.running():
            try:
                with socket.create_connection(self.open, timeout=5) as connection:
                    exchange(connection, b"hello")
                    self.result["retransmissions"] += retransmissions(connection)
                    self.result["connections"] += 1
            except OSError as error:
                self.fail(error)

    def keep_one(self):
        try:
            with socket.create_connection(self.open, timeout=5) as connection:
                while self.running():
                    self.result["bytes"] += exchange(connection, bytes(range(256)) * 64)
                    time.sleep(0.001)
                self.result["retransmissions"] += retransmissions(connection)
        except OSError as error:
            self.fail(error)

    def try_closed(self):
        while self.running():
            self.result["closed_tries"] += 1
            try:
                with socket.create_connection(self.closed, timeout=0.15):
                    self.result["closed_answered"] += 1
            except TimeoutError:
                pass
            except OSError:
                self.result["closed_answered"] += 1

    def run(self):
        signal.signal(signal.SIGTERM, self.stop)
        threads = [threading.Thread(target=target)
                   for target in (self.connect_again_and_again, self.keep_one, self.try_closed)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.result


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve([int(port) for port in sys.argv[2:]])
    else:
        print(json.dumps(Load(float(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])).run()))
