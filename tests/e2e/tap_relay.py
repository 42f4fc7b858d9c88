#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What a hypervisor does with a guest's frames. tap_relay.py TAP IFACE

Makes the device TAP and hands frames on between it and IFACE, with what the kernel says of their checksums
and segments. Frames that come out of a tap belong to the socket of its program, not of the guest's.
"""

import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x2, 0x1000, 0x4000
CHECKSUMS_AND_SEGMENTS = 0x1 | 0x2 | 0x4
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
ETH_P_ALL = 3

tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", sys.argv[1].encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
fcntl.ioctl(tap, TUNSETOFFLOAD, CHECKSUMS_AND_SEGMENTS)
guest = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
guest.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
guest.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
guest.bind((sys.argv[2], ETH_P_ALL))
print("ready", flush=True)
while True:
    for source in select.select([tap, guest], [], [])[0]:
        try:
            if source is guest:
                os.write(tap, guest.recv(70000))
            else:
                guest.send(os.read(tap, 70000))
        except OSError as error:  # an end that is down loses frames
            print(error, flush=True)
