#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sends crafted frames. frames.py IFACE MAC STATEMENTS [NAME=VALUE]...

STATEMENTS are Python with all of scapy, and make the list `frames`; `e` is an Ethernet header to MAC, and each
NAME a variable (a number if it looks like one). Prints how many were sent.
"""

import logging
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *  # noqa: E402,F403

iface, mac, statements = sys.argv[1:4]
given = dict(argument.split("=", 1) for argument in sys.argv[4:])
names = dict(globals(), e=Ether(src=get_if_hwaddr(iface), dst=mac))
names.update({name: int(value) if value.isdigit() else value for name, value in given.items()})
exec(statements, names)
socket_ = conf.L2socket(iface=iface)
for frame in names["frames"]:
    socket_.send(bytes(frame))
print(len(names["frames"]))
