"""Cuts a byte stream into whole frames; anything that cannot be one is a fault that ends it."""

from __future__ import annotations

import struct
from enum import StrEnum

MAX_FRAME = 8_192
"""Longest frame taken. The vendor's own device software stops at 4,096 (TuyaOpen)."""

PREFIX_55AA = b"\x00\x00\x55\xaa"
PREFIX_6699 = b"\x00\x00\x66\x99"
SUFFIX_55AA = b"\x00\x00\xaa\x55"
SUFFIX_6699 = b"\x00\x00\x99\x66"
HEADER_55AA = 16
HEADER_6699 = 18
_LENGTH_55AA = struct.Struct(">I")


class Fault(StrEnum):
    """Why bytes were not a frame, or a frame not a message."""

    PREFIX = "not a frame"
    OTHER_FRAMING = "framed for another protocol version"
    LENGTH = "a length no frame has"
    SUFFIX = "an end that is not a frame's"
    INTEGRITY = "a wrong checksum, signature or tag"
    KEY = "content this key does not open"
    TEXT = "text that is not UTF-8"
    JSON = "content that is not JSON"
    SHAPE = "JSON that is no report"


class FrameFault(Exception):
    """The stream, or one frame in it, cannot be trusted. Carries no bytes and no key."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Framer:
    """A growing buffer that gives back whole frames, one at a time.

    `other` is the prefix of the framing a device of another protocol version would use: meeting
    it is evidence of a wrong version, not of a broken stream.
    """

    def __init__(self, modern: bool) -> None:
        self._prefix = PREFIX_6699 if modern else PREFIX_55AA
        self._other = PREFIX_55AA if modern else PREFIX_6699
        self._suffix = SUFFIX_6699 if modern else SUFFIX_55AA
        self._header = HEADER_6699 if modern else HEADER_55AA
        # The length of a 55AA frame counts its suffix, that of a 6699 frame does not.
        self._extra = 4 if modern else 0
        self._buffer = bytearray()

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Append what the socket gave."""
        self._buffer += data

    def next_frame(self) -> bytes | None:
        """The next whole frame, or None until more bytes come.

        Raises:
            FrameFault: prefix, length or suffix cannot be a frame's.
        """
        buffer = self._buffer
        if not buffer:
            return None
        if not buffer.startswith(self._prefix):
            self._refuse_prefix()
            return None
        if len(buffer) < self._header:
            return None
        length = _LENGTH_55AA.unpack_from(buffer, self._header - 4)[0]
        total = self._header + length + self._extra
        if total > MAX_FRAME or length < 8:
            raise FrameFault(Fault.LENGTH)
        if len(buffer) < total:
            return None
        frame = bytes(buffer[:total])
        del buffer[:total]
        if not frame.endswith(self._suffix):
            raise FrameFault(Fault.SUFFIX)
        return frame

    def _refuse_prefix(self) -> None:
        start = bytes(self._buffer[:4])
        if len(start) == 4 and start == self._other:
            raise FrameFault(Fault.OTHER_FRAMING)
        if not self._prefix.startswith(start) and not self._other.startswith(start):
            raise FrameFault(Fault.PREFIX)
