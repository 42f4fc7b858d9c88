#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""opens.py FOLDER COMMAND...: runs a command, and prints how often it began to open a folder after it had closed it.

Opens in a row count once, because inotify(7) merges events that are the same: a lock that is held on the folder and a
list that is read next are one. Exits as the command does.
"""
import ctypes
import os
import struct
import subprocess
import sys

IN_OPEN, IN_CLOSE_NOWRITE, IN_Q_OVERFLOW = 0x20, 0x10, 0x4000
HEADER = struct.Struct("iIII")

libc = ctypes.CDLL(None, use_errno=True)
watcher = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
if watcher < 0 or libc.inotify_add_watch(watcher, sys.argv[1].encode(), IN_OPEN | IN_CLOSE_NOWRITE) < 0:
    sys.exit(f"opens.py: {sys.argv[1]}: {os.strerror(ctypes.get_errno())}")
code = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
opened, was_open = 0, False
while True:
    try:
        events = os.read(watcher, 65536)
    except BlockingIOError:
        break
    at = 0
    while at < len(events):
        _, mask, _, length = HEADER.unpack_from(events, at)
        if mask & IN_Q_OVERFLOW:
            sys.exit("opens.py: too many events")
        # A watch of a folder reports the folder itself without a name, and its files with their names.
        if not length:
            opened += bool(mask & IN_OPEN) and not was_open
            was_open = bool(mask & IN_OPEN)
        at += HEADER.size + length
print(opened)
sys.exit(code)
