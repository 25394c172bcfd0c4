"""Frames to messages and back, with tinytuya's pure functions; integrity is checked here.

tinytuya 1.20 accepts a 55AA frame whose checksum is wrong, strips spaces inside text it sends,
replaces bytes that are not UTF-8 without a word, and prints keys in a repr. None of that happens
behind this module. Nothing in it does I/O.
"""

# ruff: noqa: SLF001 - the pure functions of tinytuya 1.20 have private names; the version is pinned
# and a contract test runs them against recorded frames.

from __future__ import annotations

import binascii
import json
import logging
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinytuya.core import command_types as CT
from tinytuya.core.crypto_helper import AESCipher
from tinytuya.core.exceptions import DecodeError
from tinytuya.core.message_helper import MessagePayload, TuyaHeader, TuyaMessage, unpack_message
from tinytuya.core.XenonDevice import XenonDevice

from app.domain.readings import Value
from app.lan.framing import HEADER_55AA, HEADER_6699, Fault, FrameFault

# tinytuya at DEBUG logs session keys, and its crypto helper then uses one constant GCM nonce.
logging.getLogger("tinytuya").setLevel(logging.INFO)

VERSIONS = ("3.3", "3.4", "3.5", "3.1", "3.2")
"""Protocol versions in the order they are met in the field; the order in which they are tried."""

KEY_BYTES = 16
_HEADER_55AA = struct.Struct(">4I")
_HEADER_6699 = struct.Struct(">IHIII")
_BIGGEST = 2**63
_MAX_POINTS = 255
_USUAL_POINTS = tuple(str(n) for n in range(1, 21))
"""Asked for where no mapping names a device's points; longer lists overrun its buffer."""


@dataclass(slots=True)
class Message:
    """One frame whose integrity holds. `payload` is as sent, without return code, still sealed."""

    cmd: int
    seqno: int
    retcode: int | None
    payload: bytes = field(repr=False)


@dataclass(slots=True)
class Body:
    """What a message says. `points` are raw values; `damaged` names those whose text was broken.

    `text` is an answer in words, such as ``json obj data unvalid``. `t_s` is the device's own
    time in epoch seconds where it gave one. `device` is whose report it says it is. `data` is the
    `data` object of command 64.
    """

    points: dict[str, Value] = field(default_factory=dict)
    damaged: frozenset[str] = frozenset()
    cid: str | None = None
    device: str | None = None
    t_s: float | None = None
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class _Builder(XenonDevice):  # type: ignore[misc]
    """tinytuya's payload and frame builder, silent about its key and unable to open a socket."""

    def __repr__(self) -> str:
        return f"<builder {self.id}>"

    def _get_socket(self, renew: bool) -> None:  # noqa: ARG002
        raise RuntimeError("the codec opens no socket")


def key_usable(key: bytes) -> bool:
    """Whether `key` has the length every local key has."""
    return len(key) == KEY_BYTES


class Codec:
    """The frames of one connection: its sequence numbers, its keys, its protocol version."""

    def __init__(self, device: str, key: bytes, version: str) -> None:
        self.device = device
        self.version = version
        self.modern = version == "3.5"
        self.negotiates = version in ("3.4", "3.5")
        self._null_points: tuple[str, ...] = ()
        self._builder = self._build(device, key, None)
        self._cipher_key, self._cipher = b"", AESCipher(bytes(KEY_BYTES))
        self._children: dict[str, _Builder] = {}

    def __repr__(self) -> str:
        return f"<Codec {self._builder.id} {self.version}>"

    def _build(self, device: str, key: bytes, cid: str | None) -> _Builder:
        # 3.2 is 3.3 with other queries; tinytuya's own way of setting it does network I/O.
        version = 3.3 if self.version == "3.2" else float(self.version)
        builder = _Builder(
            device, "0.0.0.1", key.decode("latin1"), "default", version=version, cid=cid
        )
        if self.version == "3.2":
            builder.version_bytes = b"3.2"
            builder.version_header = b"3.2" + bytes(12)
            builder.version_str = "v3.2"
        return builder

    # -- the key exchange of 3.4 and 3.5 -------------------------------------------------

    def start_negotiation(self) -> bytes:
        """The frame that asks for a session key."""
        return self._encode(self._builder._negotiate_session_key_generate_step_1())[1]

    def finish_negotiation(self, message: Message) -> bytes | None:
        """The frame that ends the exchange; None when the device does not hold our key.

        From here on frames use the session key.
        """
        answer = TuyaMessage(message.seqno, message.cmd, message.retcode, message.payload, 0)
        last = self._builder._negotiate_session_key_generate_step_3(answer)
        if not last:
            return None
        frame = self._encode(last)[1]
        self._builder._negotiate_session_key_generate_finalize()
        return frame

    @property
    def session_key_usable(self) -> bool:
        """False for a session key that starts with a zero byte.

        The vendor's device software tests the first byte as "have a key" and would treat one
        session in 256 as having none (TuyaOpen, `tuya_lan.c`).
        """
        return bool(self._builder.local_key[0] != 0)

    # -- frames in -----------------------------------------------------------------------

    def open_frame(self, frame: bytes) -> Message:
        """Check a whole frame's integrity.

        Raises:
            FrameFault: CRC, HMAC or tag is wrong, or the frame is too short for them.
        """
        if self.modern:
            prefix, _, seqno, cmd, length = _HEADER_6699.unpack_from(frame)
            header = TuyaHeader(prefix, seqno, cmd, length, HEADER_6699 + length + 4)
        else:
            prefix, seqno, cmd, length = _HEADER_55AA.unpack_from(frame)
            header = TuyaHeader(prefix, seqno, cmd, length, HEADER_55AA + length)
        key = self._builder.local_key if self.negotiates else None
        try:
            opened = unpack_message(frame, hmac_key=key, header=header, no_retcode=True)
        except (DecodeError, struct.error, ValueError):
            raise FrameFault(Fault.INTEGRITY) from None
        if not opened.crc_good:
            raise FrameFault(Fault.INTEGRITY)
        payload, retcode = opened.payload, None
        # A return code is a small number; text and ciphertext do not start with three zeros.
        if len(payload) >= 4 and payload[:3] == b"\0\0\0":
            payload, retcode = payload[4:], payload[3]
        return Message(cmd, seqno, retcode, payload)

    def crc_holds(self, frame: bytes) -> bool:
        """Whether a 55AA frame carries the plain checksum of versions below 3.4."""
        end = len(frame) - 8
        return end >= HEADER_55AA and binascii.crc32(frame[:end]) == _word(frame, end)

    def open_body(self, message: Message) -> Body:
        """Decrypt and parse a message's payload.

        Raises:
            FrameFault: the key does not open it, or what comes out is no report.
        """
        return parse_body(self._plain(message.payload))

    def _plain(self, payload: bytes) -> bytes:
        if not payload:
            return b""
        if self.version == "3.5":
            return _without_header(payload)
        if self.version == "3.4":
            return _without_header(self._decrypt(payload))
        if payload.startswith(b"3.1"):
            return self._decrypt(_from_base64(payload[19:]))
        if self.version == "3.1" or payload.startswith(b"{"):
            return payload
        payload = _without_header(payload)
        if len(payload) % 16 and payload.isascii():
            return payload
        return self._decrypt(payload)

    def _decrypt(self, sealed: bytes) -> bytes:
        key = self._builder.local_key
        if key != self._cipher_key:
            # Made anew only when the session's key is agreed: it costs as much as a frame.
            self._cipher_key, self._cipher = key, AESCipher(key)
        try:
            opened: bytes = self._cipher.decrypt(
                sealed, use_base64=False, decode_text=False, verify_padding=True
            )
        except (ValueError, TypeError):
            raise FrameFault(Fault.KEY) from None
        return opened

    # -- frames out ----------------------------------------------------------------------

    def encode(self, cmd: int, payload: bytes) -> tuple[int, bytes]:
        """(sequence number, frame). Sequence numbers rise by one within a connection."""
        return self._encode(MessagePayload(cmd, payload))

    def _encode(self, message: MessagePayload) -> tuple[int, bytes]:
        seqno = self._builder.seqno
        return seqno, self._builder._encode_message(message)

    def heartbeat(self) -> tuple[int, bytes]:
        """(command, payload) that asks whether anybody is there."""
        return self._template(CT.HEART_BEAT, None)

    def query(self, cid: str | None, now_s: int) -> tuple[int, bytes]:
        """(command, payload) that asks for every data point of the device, or of a sub-device."""
        if self._null_points and cid is None:
            cmd, wish = self._wish(CT.CONTROL_NEW, cid, now_s)
            _put_points(wish, dict.fromkeys(self._null_points))
            return cmd, _dump(wish)
        return self._template(CT.DP_QUERY, cid, now_s)

    def control(
        self, points: Mapping[str, Value], cid: str | None, now_s: int
    ) -> tuple[int, bytes]:
        """(command, payload) that writes data points; text keeps its spaces."""
        cmd, wish = self._wish(CT.CONTROL, cid, now_s)
        _put_points(wish, dict(points))
        return cmd, _dump(wish)

    def refresh(self, dps: Sequence[int], cid: str | None) -> tuple[int, bytes]:
        """(command, payload) of command 18: measure these points anew and report what changed."""
        cmd, wish = self._wish(CT.UPDATEDPS, cid, 0)
        wish["dpId"] = list(dps)
        return cmd, _dump(wish)

    def children_online(self) -> tuple[int, bytes]:
        """(command, payload) of command 64: which sub-devices does the gateway hear."""
        wish = {"reqType": "subdev_online_stat_query", "data": {"cids": []}}
        return CT.LAN_EXT_STREAM, _dump(wish)

    def ask_by_name(self, dps: Sequence[str]) -> None:
        """The device wants its points named in a query (the vendor's 22-character ids)."""
        self._null_points = tuple(dps) or _USUAL_POINTS

    @property
    def asks_by_name(self) -> bool:
        """Whether queries name points."""
        return bool(self._null_points)

    def _template(self, command: int, cid: str | None, now_s: int = 0) -> tuple[int, bytes]:
        cmd, wish = self._wish(command, cid, now_s)
        return cmd, _dump(wish)

    def _wish(self, command: int, cid: str | None, now_s: int) -> tuple[int, dict[str, Any]]:
        builder = self._builder
        if cid is not None:
            if cid not in self._children:
                self._children[cid] = self._build(builder.id, builder.real_local_key, cid)
            builder = self._children[cid]
        built = builder.generate_payload(command)
        wish: dict[str, Any] = json.loads(built.payload)
        if "t" in wish:
            wish["t"] = now_s if isinstance(wish["t"], int) else str(now_s)
        return built.cmd, wish


def _put_points(wish: dict[str, Any], points: dict[str, Any]) -> None:
    if "data" in wish:
        wish["data"]["dps"] = points
    else:
        wish["dps"] = points


def _dump(wish: Mapping[str, Any]) -> bytes:
    return json.dumps(wish, separators=(",", ":")).encode()


def _word(frame: bytes, at: int) -> int:
    return int.from_bytes(frame[at : at + 4], "big")


def _without_header(payload: bytes) -> bytes:
    if len(payload) >= 15 and payload[0] == 0x33 and payload[1] == 0x2E:
        return payload[15:]
    return payload


def _from_base64(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise FrameFault(Fault.KEY) from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_no_constant)


def parse_body(plain: bytes) -> Body:
    """A decrypted payload as what it says.

    Bytes that are not UTF-8 spoil the text they stand in, not the rest of the report.

    Raises:
        FrameFault: no JSON and no words, nested too deeply, or not of a report's shape.
    """
    broken = False
    try:
        text = plain.decode()
    except UnicodeDecodeError:
        if plain[:1] != b"{":
            raise FrameFault(Fault.TEXT) from None
        text, broken = plain.decode(errors="replace"), True
    text = text.rstrip("\0")
    if not text:
        return Body()
    if not text.startswith("{"):
        if text.isprintable() and len(text) < 200:
            return Body(text=text)
        raise FrameFault(Fault.JSON)
    try:
        whole = _decoder.decode(text)
    except (ValueError, RecursionError):
        raise FrameFault(Fault.JSON) from None
    return _body_of(whole, broken)


def _body_of(whole: dict[str, Any], broken: bool) -> Body:
    data = whole.get("data")
    if not isinstance(data, dict):
        data = {}
    points = whole.get("dps")
    if points is None:
        points = data.get("dps")
    cid = whole.get("cid", data.get("cid"))
    body = Body(
        cid=cid if isinstance(cid, str) else None,
        device=device if isinstance(device := whole.get("devId"), str) else None,
        t_s=_epoch_s(whole.get("t")),
        data=data,
    )
    if points is None:
        return body
    if not isinstance(points, dict) or len(points) > _MAX_POINTS:
        raise FrameFault(Fault.SHAPE)
    damaged = []
    for dp, value in points.items():
        if not _is_point(dp) or value is None:
            continue
        clean, intact = _value(value, broken)
        body.points[dp] = clean
        if not intact:
            damaged.append(dp)
    if damaged:
        body.damaged = frozenset(damaged)
    return body


def _epoch_s(t: Any) -> float | None:
    if isinstance(t, bool) or not isinstance(t, int | float):
        return None
    return float(t) if 0 < t < 1e11 else None


def _is_point(dp: str) -> bool:
    return dp.isascii() and dp.isdigit() and len(dp) <= 3 and dp[0] != "0"


def _value(value: Any, broken: bool) -> tuple[Value, bool]:
    """(value as a reading can carry it, whether it came through intact)."""
    if isinstance(value, str):
        if value.isascii():
            return value, True
        return _clean_text(value, broken)
    if isinstance(value, bool):
        return value, True
    if isinstance(value, int):
        return (value, True) if -_BIGGEST <= value < _BIGGEST else (str(value)[:64], False)
    if isinstance(value, float):
        return (value, True) if math.isfinite(value) else (str(value), False)
    return _clean_text(json.dumps(value, separators=(",", ":"), ensure_ascii=True), False)


def _clean_text(text: str, broken: bool) -> tuple[str, bool]:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), False
    return text, not (broken and "�" in text)
