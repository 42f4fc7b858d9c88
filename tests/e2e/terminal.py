#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs a command on a terminal of its own and prints what it wrote there: terminal.py ROWS COLUMNS SECONDS COMMAND...
It is interrupted after SECONDS. Exits as the command does."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

rows, columns, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
flags = termios.tcgetattr(slave)
flags[1] &= ~termios.OPOST
termios.tcsetattr(slave, termios.TCSANOW, flags)
environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
environment.setdefault("TERM", "xterm")
child = subprocess.Popen(sys.argv[4:], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
os.close(slave)
end = time.monotonic() + seconds
while True:
    left = end - time.monotonic()
    if left <= 0:
        os.killpg(child.pid, signal.SIGINT)
        end = time.monotonic() + 5
    if not select.select([master], [], [], max(left, 0))[0]:
        continue
    try:
        got = os.read(master, 65536)
    except OSError:  # EIO: every process has closed the terminal
        break
    sys.stdout.buffer.write(got)
    sys.stdout.buffer.flush()
sys.exit(child.wait() % 256)
