#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An IMAP client that sits in IDLE until a mail arrives, then finishes the session.

imap_idle.py ADDRESS SECONDS    prints "idle", then the server's EXISTS line, then "done"
"""

import socket
import sys


def until(stream, start):
    """The first line that starts so; fails at the end of the stream."""
    for line in stream:
        if line.startswith(start):
            return line.strip()
    sys.exit(f"the server closed before it said {start}")


def command(stream, words, answer):
    stream.write(words + "\r\n")
    stream.flush()
    return until(stream, answer)


connection = socket.create_connection((sys.argv[1], 143), 5)
connection.settimeout(float(sys.argv[2]))
with connection.makefile("rw", newline="\n") as stream:
    until(stream, "* OK")
    command(stream, "a LOGIN someone secret", "a OK")
    command(stream, "b SELECT INBOX", "b OK")
    command(stream, "c IDLE", "+ ")
    print("idle", flush=True)
    for line in stream:
        if line.strip().endswith("EXISTS"):
            print(line.strip(), flush=True)
            break
    command(stream, "DONE", "c OK")
    command(stream, "d LOGOUT", "d OK")
print("done")
