"""Tuya LAN frames as a device makes and reads them, over `cryptography`; no other codec inside.

Protocol facts: frames 55AA carry CRC32 (up to 3.3) or HMAC-SHA256 (3.4), frames 6699 carry an
AES-GCM tag (3.5). Written from the vendor's device-side source and field captures, apart from the
console's own codec on purpose, so that the two cannot share a mistake unnoticed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

PREFIX_55AA = 0x000055AA
PREFIX_6699 = 0x00006699
SUFFIX_55AA = b"\x00\x00\xaa\x55"
SUFFIX_6699 = b"\x00\x00\x99\x66"

KEY_START, KEY_RESPONSE, KEY_FINISH = 3, 4, 5
CONTROL, STATUS, HEARTBEAT, QUERY = 7, 8, 9, 10
CONTROL_NEW, QUERY_NEW, REFRESH = 13, 16, 18
UDP_NEW, UDP_34, SOLICITATION, SUBDEVICES = 0x13, 0x23, 0x25, 64

MAX_FRAME_BYTES = 4096
"""The vendor's device software takes no longer frame."""

UDP_KEY = hashlib.md5(b"yGAdlopoPVldABfn", usedforsecurity=False).digest()
"""Public: every announcement of every device is sealed with it, so anybody can forge one."""

_HEAD_55AA = struct.Struct(">4I")
_HEAD_6699 = struct.Struct(">IHIII")
_WORD = struct.Struct(">I")
_NO_HEADER = frozenset(
    (KEY_START, KEY_RESPONSE, KEY_FINISH, HEARTBEAT, QUERY, QUERY_NEW, REFRESH, SUBDEVICES)
)
_HEADER_BYTES = 15


class DamagedFrame(Exception):
    """A frame whose integrity does not hold, or bytes that are no frame."""


class Frame(NamedTuple):
    """One opened frame. `retcode` is None in what clients send."""

    cmd: int
    seq: int
    body: bytes
    retcode: int | None = None


def take_frames(buffer: bytearray) -> list[bytes]:
    """Remove whole frames from the front of `buffer`; a rest that is not whole stays in it.

    Raises:
        DamagedFrame: the bytes do not begin a frame, or it claims more than 4 kB.
    """
    frames = []
    while len(buffer) >= 16:
        total = _total_length(buffer)
        if total > MAX_FRAME_BYTES:
            raise DamagedFrame(f"a frame of {total} bytes")
        if len(buffer) < total:
            break
        frames.append(bytes(buffer[:total]))
        del buffer[:total]
    return frames


def _total_length(buffer: bytearray) -> int:
    prefix = _WORD.unpack_from(buffer)[0]
    if prefix == PREFIX_55AA:
        return int(_WORD.unpack_from(buffer, 12)[0]) + 16
    if prefix == PREFIX_6699:
        if len(buffer) < 18:
            return 18 + 4
        return int(_WORD.unpack_from(buffer, 14)[0]) + 18 + 4
    raise DamagedFrame(f"prefix {prefix:08x}")


def push_header(version: str, sequence: int) -> bytes:
    """What precedes a push: version, an unused CRC, the device's own sequence, source 1."""
    return version.encode() + struct.pack(">3I", 0, sequence & 0xFFFFFFFF, 1)


class Ecb:
    """AES-ECB with one cached context a direction; ECB keeps no state between blocks."""

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(AES(key), ECB())  # noqa: S305 - the protocol's own choice
        self._in = cipher.encryptor()
        self._out = cipher.decryptor()

    def seal(self, plain: bytes) -> bytes:
        """Pad as PKCS#7 says and encrypt."""
        pad = 16 - len(plain) % 16
        return self._in.update(plain + bytes((pad,)) * pad)

    def seal_block(self, block: bytes) -> bytes:
        """Encrypt whole blocks without padding."""
        return self._in.update(block)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt and remove the padding.

        Raises:
            DamagedFrame: not whole blocks, or the padding shows another key.
        """
        if not sealed or len(sealed) % 16:
            raise DamagedFrame(f"{len(sealed)} bytes are not whole blocks")
        plain = self._out.update(sealed)
        pad = plain[-1]
        if not 1 <= pad <= 16 or plain[-pad:] != bytes((pad,)) * pad:
            raise DamagedFrame("the padding does not fit: another key")
        return plain[:-pad]


class Codec(Protocol):
    """One session's frames in one protocol version."""

    version: str
    negotiates: bool

    def seal(
        self, cmd: int, seq: int, body: bytes, retcode: int | None = 0, header: bytes = b""
    ) -> bytes:
        """A whole frame. `body` is clear; `retcode` None leaves the word out; `header` precedes."""

    def open(self, frame: bytes, *, from_device: bool = False) -> Frame:
        """Check a frame's integrity and open it. Raises DamagedFrame."""

    def rekey(self, key: bytes) -> None:
        """From here on frames use this key."""


def frame_55aa(
    cmd: int, seq: int, body: bytes, retcode: int | None, mac_key: bytes | None
) -> bytes:
    """A 55AA frame around a body that is already sealed."""
    words = b"" if retcode is None else _WORD.pack(retcode)
    check = 32 if mac_key else 4
    length = len(words) + len(body) + check + 4
    data = _HEAD_55AA.pack(PREFIX_55AA, seq & 0xFFFFFFFF, cmd, length) + words + body
    if mac_key:
        return data + hmac.digest(mac_key, data, "sha256") + SUFFIX_55AA
    return data + _WORD.pack(binascii.crc32(data)) + SUFFIX_55AA


def open_55aa(frame: bytes, mac_key: bytes | None, *, from_device: bool) -> Frame:
    """Check prefix, length, CRC or HMAC, suffix; the body stays sealed.

    Raises:
        DamagedFrame: any of them is wrong.
    """
    check = 32 if mac_key else 4
    least = 16 + (4 if from_device else 0) + check + 4
    if len(frame) < least or frame[-4:] != SUFFIX_55AA:
        raise DamagedFrame("too short, or no suffix")
    prefix, seq, cmd, length = _HEAD_55AA.unpack_from(frame)
    if prefix != PREFIX_55AA or length != len(frame) - 16:
        raise DamagedFrame("not a 55AA frame of this length")
    data, seen = frame[: -check - 4], frame[-check - 4 : -4]
    if mac_key:
        good = hmac.compare_digest(hmac.digest(mac_key, data, "sha256"), seen)
    else:
        good = _WORD.pack(binascii.crc32(data)) == seen
    if not good:
        raise DamagedFrame("the checksum is wrong")
    if from_device:
        return Frame(cmd, seq, data[20:], _WORD.unpack_from(data, 16)[0])
    return Frame(cmd, seq, data[16:])


class Codec31:
    """3.1: clear JSON, except writes and pushes: `3.1`, 16 digits of an MD5, base64 of ECB."""

    version = "3.1"
    negotiates = False

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ecb = Ecb(key)

    def rekey(self, key: bytes) -> None:
        """From here on frames use this key."""
        self._key, self._ecb = key, Ecb(key)

    def seal(
        self, cmd: int, seq: int, body: bytes, retcode: int | None = 0, header: bytes = b""
    ) -> bytes:
        """A whole frame; any `header` asks for the sealed form."""
        if header:
            text = base64.b64encode(self._ecb.seal(body))
            body = b"3.1" + self._digest(text) + text
        return frame_55aa(cmd, seq, body, retcode, None)

    def open(self, frame: bytes, *, from_device: bool = False) -> Frame:
        """Check and open; the MD5 is checked too. Raises DamagedFrame."""
        message = open_55aa(frame, None, from_device=from_device)
        if not message.body.startswith(b"3.1"):
            return message
        digest, text = message.body[3:19], message.body[19:]
        if digest != self._digest(text):
            raise DamagedFrame("the digest is wrong: another key")
        try:
            sealed = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise DamagedFrame("not base64") from error
        return message._replace(body=self._ecb.open(sealed))

    def _digest(self, text: bytes) -> bytes:
        whole = b"data=" + text + b"||lpv=3.1||" + self._key
        return hashlib.md5(whole, usedforsecurity=False).hexdigest()[8:24].encode()


class Codec33:
    """3.2 and 3.3: ECB of the local key; writes and pushes have a clear 15-byte header before."""

    negotiates = False

    def __init__(self, key: bytes, version: str = "3.3") -> None:
        self.version = version
        self._ecb = Ecb(key)

    def rekey(self, key: bytes) -> None:
        """From here on frames use this key."""
        self._ecb = Ecb(key)

    def seal(
        self, cmd: int, seq: int, body: bytes, retcode: int | None = 0, header: bytes = b""
    ) -> bytes:
        """A whole frame; an empty body stays empty."""
        sealed = header + self._ecb.seal(body) if body else b""
        return frame_55aa(cmd, seq, sealed, retcode, None)

    def open(self, frame: bytes, *, from_device: bool = False) -> Frame:
        """Check and open. Raises DamagedFrame."""
        message = open_55aa(frame, None, from_device=from_device)
        body = message.body
        if body.startswith(self.version.encode()) and len(body) % 16 == _HEADER_BYTES:
            body = body[_HEADER_BYTES:]
        return message._replace(body=self._ecb.open(body) if body else b"")


class Codec34:
    """3.4: HMAC frames, header and body inside ECB, a session key after the exchange."""

    version = "3.4"
    negotiates = True

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ecb = Ecb(key)

    def rekey(self, key: bytes) -> None:
        """From here on frames use this key."""
        self._key, self._ecb = key, Ecb(key)

    def seal(
        self, cmd: int, seq: int, body: bytes, retcode: int | None = 0, header: bytes = b""
    ) -> bytes:
        """A whole frame; an empty body stays empty."""
        sealed = self._ecb.seal(header + body) if body else b""
        return frame_55aa(cmd, seq, sealed, retcode, self._key)

    def open(self, frame: bytes, *, from_device: bool = False) -> Frame:
        """Check and open. Raises DamagedFrame."""
        message = open_55aa(frame, self._key, from_device=from_device)
        body = self._ecb.open(message.body) if message.body else b""
        return message._replace(body=_without_header(body, message.cmd, b"3.4"))


class Codec35:
    """3.5: 6699 frames, return code, header and body inside AES-GCM, a session key."""

    version = "3.5"
    negotiates = True

    def __init__(self, key: bytes) -> None:
        self._gcm = AESGCM(key)

    def rekey(self, key: bytes) -> None:
        """From here on frames use this key."""
        self._gcm = AESGCM(key)

    def seal(
        self,
        cmd: int,
        seq: int,
        body: bytes,
        retcode: int | None = 0,
        header: bytes = b"",
        *,
        iv: bytes | None = None,
    ) -> bytes:
        """A whole frame; `iv` is for recorded frames alone, it must never repeat."""
        plain = (b"" if retcode is None else _WORD.pack(retcode)) + (header + body if body else b"")
        iv = iv or os.urandom(12)
        length = 12 + len(plain) + 16
        head = _HEAD_6699.pack(PREFIX_6699, 0, seq & 0xFFFFFFFF, cmd, length)
        return head + iv + self._gcm.encrypt(iv, plain, head[4:]) + SUFFIX_6699

    def open(self, frame: bytes, *, from_device: bool = False) -> Frame:
        """Check and open. Raises DamagedFrame."""
        if len(frame) < 18 + 28 + 4 or frame[-4:] != SUFFIX_6699:
            raise DamagedFrame("too short, or no suffix")
        prefix, _, seq, cmd, length = _HEAD_6699.unpack_from(frame)
        if prefix != PREFIX_6699 or length != len(frame) - 22:
            raise DamagedFrame("not a 6699 frame of this length")
        try:
            plain = self._gcm.decrypt(frame[18:30], frame[30:-4], frame[4:18])
        except InvalidTag as error:
            raise DamagedFrame("the tag is wrong: another key") from error
        retcode = None
        if from_device:
            if len(plain) < 4:
                raise DamagedFrame("no return code")
            retcode, plain = _WORD.unpack_from(plain)[0], plain[4:]
        return Frame(cmd, seq, _without_header(plain, cmd, b"3.5"), retcode)


def _without_header(body: bytes, cmd: int, version: bytes) -> bytes:
    # Some firmware puts the header on answers too, so its presence is seen, not told by `cmd`.
    if cmd not in (KEY_START, KEY_RESPONSE, KEY_FINISH) and body.startswith(version):
        return body[_HEADER_BYTES:]
    return body


def codec_for(version: str, key: bytes) -> Codec:
    """The codec of a protocol version, keyed with the local key."""
    if version == "3.1":
        return Codec31(key)
    if version == "3.4":
        return Codec34(key)
    if version == "3.5":
        return Codec35(key)
    return Codec33(key, version)


def request_header(version: str, cmd: int) -> bytes:
    """The header a client puts before the body of `cmd`."""
    if cmd in _NO_HEADER or (version == "3.1" and cmd != CONTROL):
        return b""
    return version.encode() + bytes(12)


def session_key(version: str, local_key: bytes, client_nonce: bytes, device_nonce: bytes) -> bytes:
    """The key both sides derive from the two nonces (3.4: ECB; 3.5: GCM ciphertext)."""
    mixed = bytes(a ^ b for a, b in zip(client_nonce, device_nonce, strict=True))
    if version == "3.4":
        return Ecb(local_key).seal_block(mixed)
    return AESGCM(local_key).encrypt(client_nonce[:12], mixed, None)[:16]
