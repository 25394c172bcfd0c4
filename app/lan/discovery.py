"""Hears devices announce themselves, and asks those that stay silent until asked.

Three UDP ports: 6666 plain, 6667 sealed with a public key, 7000 for the
answers of 3.5 devices. Everything heard is a hint; `app.lan.route` proves it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import socket
import struct
from collections.abc import Callable, Iterator

import psutil
from tinytuya.core import command_types as CT
from tinytuya.core.const import UDPPORT, UDPPORTAPP, UDPPORTS
from tinytuya.core.crypto_helper import AESCipher
from tinytuya.core.exceptions import DecodeError
from tinytuya.core.header import PREFIX_6699_VALUE
from tinytuya.core.message_helper import TuyaHeader, TuyaMessage, pack_message, unpack_message
from tinytuya.core.udp_helper import udpkey

from app.domain.links import Sighting
from app.lan.addresses import is_address
from app.lan.codec import VERSIONS
from app.lan.framing import HEADER_55AA, HEADER_6699, PREFIX_55AA, PREFIX_6699
from app.lan.sightings import Sightings
from app.runtime.clock import Clock

log = logging.getLogger(__name__)

PORTS = (UDPPORT, UDPPORTS, UDPPORTAPP)
ASK_UNREACHED_S = 60.0
ASK_QUIET_S = 600.0
MAX_DATAGRAM = 2_048
MAX_PER_S = 2_000
LOOPBACK_BROADCAST = "127.255.255.255"


def parse_announcement(datagram: bytes) -> dict[str, object] | None:
    """The JSON of an announcement; None for anything else. Never raises."""
    if not HEADER_6699 <= len(datagram) <= MAX_DATAGRAM:
        return None
    try:
        plain = _open(datagram)
        if plain is None:
            return None
        told = json.loads(plain.rstrip(b"\0").decode())
    except (DecodeError, struct.error, ValueError, TypeError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _open(datagram: bytes) -> bytes | None:
    if datagram.startswith(PREFIX_6699):
        prefix, _, seqno, cmd, length = struct.unpack_from(">IHIII", datagram)
        header = TuyaHeader(prefix, seqno, cmd, length, HEADER_6699 + length + 4)
        opened = unpack_message(datagram, hmac_key=udpkey, header=header, no_retcode=True)
    elif datagram.startswith(PREFIX_55AA):
        prefix, seqno, cmd, length = struct.unpack_from(">4I", datagram)
        header = TuyaHeader(prefix, seqno, cmd, length, HEADER_55AA + length)
        opened = unpack_message(datagram, header=header, no_retcode=True)
    else:
        return None
    if not opened.crc_good:
        return None
    payload: bytes = opened.payload
    if payload[:3] == b"\0\0\0":
        payload = payload[4:]
    if payload[:1] != b"{" and prefix != PREFIX_6699_VALUE:
        payload = AESCipher(udpkey).decrypt(
            payload, use_base64=False, decode_text=False, verify_padding=True
        )
    return payload


def sighting_of(told: dict[str, object], at_ms: int) -> Sighting | None:
    """An announcement as a sighting, if it names a device and an address."""
    device, ip = told.get("gwId"), told.get("ip")
    if not isinstance(device, str) or not 0 < len(device) <= 64 or not device.isprintable():
        return None
    if not isinstance(ip, str) or not is_address(ip):
        return None
    version, product = told.get("version"), told.get("productKey")
    return Sighting(
        device,
        ip,
        version if isinstance(version, str) and version in VERSIONS else None,
        product[:64] if isinstance(product, str) else None,
        at_ms,
    )


def solicitation(own_ip: str) -> bytes:
    """The request that makes 3.5 devices announce themselves to `own_ip`."""
    wish = json.dumps({"from": "app", "ip": own_ip}, separators=(",", ":")).encode()
    message = TuyaMessage(0, CT.REQ_DEVINFO, None, wish, 0, True, PREFIX_6699_VALUE, True)
    packed: bytes = pack_message(message, hmac_key=udpkey)
    return packed


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        self._hear(data)

    def error_received(self, exc: Exception) -> None:
        log.debug("Announcement port: %s", type(exc).__name__)


class Discovery:
    """Listens on the three ports and fills `Sightings`. A port it cannot have is told once."""

    def __init__(self, sightings: Sightings, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self.problems: list[str] = []
        self._sightings = sightings
        self._loop = loop
        self._clock = clock
        self._transports: dict[int, asyncio.DatagramTransport] = {}
        self._second = -1
        self._in_second = 0

    async def start(self) -> None:
        """Bind what can be bound; say what cannot."""
        for port in PORTS:
            try:
                ear = _listening_socket(port)
            except OSError as error:
                self.problems.append(
                    f"UDP port {port} could not be opened ({error.strerror}): devices that "
                    "announce themselves there are not found by themselves."
                )
                log.warning("%s", self.problems[-1])
                continue
            transport, _ = await self._loop.create_datagram_endpoint(
                lambda: _Ear(self._hear), sock=ear
            )
            self._transports[port] = transport

    def stop(self) -> None:
        """Close the ports."""
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()

    async def solicit(self, unreached: Callable[[], bool]) -> None:
        """Ask now, then every minute while anything is unreached, else every ten."""
        while True:
            await self.ask_now()
            await asyncio.sleep(ASK_UNREACHED_S)
            quiet_s = ASK_UNREACHED_S
            while not unreached() and quiet_s < ASK_QUIET_S:
                await asyncio.sleep(ASK_UNREACHED_S)
                quiet_s += ASK_UNREACHED_S

    async def ask_now(self) -> None:
        """Ask on every interface, and on loopback for devices on this computer."""
        for own_ip, broadcast in _interfaces():
            self.ask(own_ip, broadcast)

    def ask(self, own_ip: str, to: str) -> None:
        """Ask one address."""
        transport = self._transports.get(UDPPORTAPP)
        if transport is None:
            return
        try:
            transport.sendto(solicitation(own_ip), (to, UDPPORTAPP))
        except OSError as error:
            log.debug("Could not ask %s for announcements: %s", to, error.strerror)

    def _hear(self, datagram: bytes) -> None:
        second = int(self._loop.time())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        if self._in_second > MAX_PER_S:
            return
        told = parse_announcement(datagram)
        if told is None:
            return
        sighting = sighting_of(told, self._clock.now_ms())
        if sighting is not None:
            self._sightings.add(sighting, self._loop.time())


def _listening_socket(port: int) -> socket.socket:
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        ear.setblocking(False)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        ear.bind(("", port))
    except OSError:
        ear.close()
        raise
    return ear


def _interfaces() -> Iterator[tuple[str, str]]:
    """(own address, broadcast address) of every IPv4 interface that is up; loopback first."""
    yield "127.0.0.1", LOOPBACK_BROADCAST
    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family != socket.AF_INET or name not in up:
                continue
            if address.address.startswith("127.") or not address.netmask:
                continue
            net = ipaddress.ip_network(f"{address.address}/{address.netmask}", strict=False)
            yield address.address, str(net.broadcast_address)
