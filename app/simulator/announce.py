"""Announcements over UDP, in the form of each protocol version, and the question of port 7000."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.simulator.codec import (
    PREFIX_6699,
    SUFFIX_6699,
    UDP_34,
    UDP_KEY,
    UDP_NEW,
    DamagedFrame,
    Ecb,
    frame_55aa,
)
from app.simulator.plan import PlannedDevice

PLAIN_PORT, SEALED_PORT, ASK_PORT = 6666, 6667, 7000
LOOPBACK_BROADCAST = "127.255.255.255"
_HEAD_6699 = struct.Struct(">IHIII")


def packet(device: PlannedDevice, version: str, address: str) -> tuple[bytes, int]:
    """(datagram, UDP port) that tells everybody where `device` is and how to talk to it."""
    return _packet(device.id, device.uuid, device.kind.product_id, version, address)


@lru_cache(maxsize=70_000)
def _packet(
    device: str, uuid: str, product_id: str, version: str, address: str
) -> tuple[bytes, int]:
    facts: dict[str, object] = {
        "ip": address, "gwId": device, "uuid": uuid, "active": 2, "ablilty": 0,
        "encrypt": version != "3.1", "productKey": product_id, "version": version,
    }  # fmt: skip
    facts |= {"sl": 0} if version == "3.5" else {"token": True, "wf_cfg": True}
    body = json.dumps(facts, separators=(",", ":")).encode()
    if version == "3.1":
        return frame_55aa(0, 0, body, 0, None), PLAIN_PORT
    if version == "3.5":
        return _seal_6699(UDP_NEW, struct.pack(">I", 0) + body), SEALED_PORT
    cmd = UDP_34 if version == "3.4" else UDP_NEW
    return frame_55aa(cmd, 0, Ecb(UDP_KEY).seal(body), 0, None), SEALED_PORT


def _seal_6699(cmd: int, plain: bytes) -> bytes:
    iv = os.urandom(12)
    head = _HEAD_6699.pack(PREFIX_6699, 0, 0, cmd, 12 + len(plain) + 16)
    return head + iv + AESGCM(UDP_KEY).encrypt(iv, plain, head[4:]) + SUFFIX_6699


def send(source: str, datagram: bytes, to: tuple[str, int]) -> None:
    """Send one datagram from `source`; a network that refuses it is not the device's trouble."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outlet,
    ):
        outlet.setblocking(False)
        outlet.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        outlet.bind((source, 0))
        outlet.sendto(datagram, to)


def asker(datagram: bytes) -> str | None:
    """The address a solicitation wants its answers at; None when it is none.

    Raises nothing: whatever arrives on an open UDP port may be anything.
    """
    if len(datagram) < 50 or datagram[-4:] != SUFFIX_6699:
        return None
    try:
        plain = AESGCM(UDP_KEY).decrypt(datagram[18:30], datagram[30:-4], datagram[4:18])
        start = plain.index(b"{")
        wish = json.loads(plain[start:].rstrip(b"\0"))
    except (InvalidTag, ValueError, RecursionError, DamagedFrame):
        return None
    if not isinstance(wish, dict) or wish.get("from") != "app":
        return None
    address = wish.get("ip")
    try:
        socket.inet_aton(str(address))
    except OSError:
        return None
    return str(address)
