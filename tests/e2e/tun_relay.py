#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A cable between two tun interfaces. tun_relay.py NAMESPACE INTERFACE NAMESPACE INTERFACE

Makes the interfaces in these network namespaces, without packet information, and hands packets on.
"""

import ctypes
import fcntl
import os
import select
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x1, 0x1000
CLONE_NEWNET = 0x40000000


def make(namespace, interface):
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(there, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), namespace)
    os.close(there)
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", interface.encode(), IFF_TUN | IFF_NO_PI))
    return tun


ends = [make(*sys.argv[1:3]), make(*sys.argv[3:5])]
print("ready", flush=True)
while True:
    for source in select.select(ends, [], [])[0]:
        try:
            os.write(ends[source == ends[0]], os.read(source, 70000))
        except OSError as error:  # an end that is down loses packets
            print(error, flush=True)
