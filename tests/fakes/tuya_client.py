"""A bare blocking client on a raw socket, to see what a simulated device really sends."""

from __future__ import annotations

import hmac
import json
import os
import socket
import time
from typing import Any

from app.simulator import codec as wire
from app.simulator.codec import Frame

ZERO_KEYS = 3
"""So many in a row are the fault of that name, not chance."""


class Closed(Exception):
    """The device ended the session; `reset` says that it did so with a reset."""

    def __init__(self, reset: bool = False) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class Silence(Exception):
    """Nothing came in time."""


class TuyaClient:
    """One session. `row` is an inventory row; `key` and `version` may be wrong on purpose."""

    def __init__(
        self,
        row: dict[str, Any],
        *,
        key: str | None = None,
        version: str | None = None,
        keyed: bool = True,
    ) -> None:
        self.version = version or row["version"]
        self.local_key = (key or row["key"]).encode()
        self._address = (row["ip"], row.get("port", 6668))
        self._connect()
        self.modern = self.codec.negotiates
        self.query_cmd = wire.QUERY_NEW if self.modern else wire.QUERY
        self.control_cmd = wire.CONTROL_NEW if self.modern else wire.CONTROL
        if keyed and self.modern:
            # One session key in 256 begins with a zero, and the device takes it for none.
            for _ in range(ZERO_KEYS):
                if self.negotiate()[0] != 0:
                    break
                self.socket.close()
                self._connect()

    def _connect(self) -> None:
        self.codec = wire.codec_for(self.version, self.local_key)
        self.socket = socket.create_connection(self._address, 5)
        self.buffer = bytearray()
        self.seq = 0

    def __enter__(self) -> TuyaClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def negotiate(self) -> bytes:
        """The key exchange; returns the session key."""
        nonce = os.urandom(16)
        self.send(wire.KEY_START, nonce)
        answer = self.receive()
        assert answer.cmd == wire.KEY_RESPONSE, answer
        theirs, proof = answer.body[:16], answer.body[16:]
        assert proof == hmac.digest(self.local_key, nonce, "sha256"), "another key"
        self.send(wire.KEY_FINISH, hmac.digest(self.local_key, theirs, "sha256"))
        key = wire.session_key(self.version, self.local_key, nonce, theirs)
        self.codec.rekey(key)
        return key

    def send(self, cmd: int, body: bytes | dict[str, Any] = b"", *, seq: int | None = None) -> None:
        """Seal and send one frame."""
        self.seq = self.seq + 1 if seq is None else seq
        if isinstance(body, dict):
            body = json.dumps(body, separators=(",", ":")).encode()
        header = wire.request_header(self.version, cmd)
        self.socket.sendall(self.codec.seal(cmd, self.seq, body, None, header))

    def query(self, cid: str | None = None) -> dict[str, Any]:
        """Ask for everything; the answer's JSON."""
        wish: dict[str, Any] = {} if self.modern else {"gwId": "x", "devId": "x"}
        if cid is not None:
            wish["cid"] = cid
        self.send(self.query_cmd, wish)
        return json.loads(self.receive(self.query_cmd).body)

    def control(self, dps: dict[str, Any], cid: str | None = None) -> None:
        """Write data points; nothing is read."""
        whole: dict[str, Any] = {"dps": dps}
        if cid is not None:
            whole["cid"] = cid
        if self.modern:
            whole = {"protocol": 5, "t": int(time.time()), "data": {**whole, "ctype": 0}}
        self.send(self.control_cmd, whole)

    def read(self, timeout_s: float = 3.0) -> bytes:
        """The bytes that come next. Raises Closed or Silence."""
        self.socket.settimeout(timeout_s)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise Silence from None
        except ConnectionResetError:
            raise Closed(reset=True) from None
        if not data:
            raise Closed
        return data

    def receive(self, cmd: int | None = None, timeout_s: float = 3.0) -> Frame:
        """The next frame, or the next with this command; others are passed over."""
        return self.codec.open(self.receive_raw(cmd, timeout_s), from_device=True)

    def receive_raw(self, cmd: int | None = None, timeout_s: float = 3.0) -> bytes:
        """The next frame still sealed."""
        deadline = time.monotonic() + timeout_s
        while True:
            frame = self._take()
            if frame is not None:
                at = 10 if frame[2:4] == b"\x66\x99" else 8
                if cmd is None or frame[at : at + 4] == cmd.to_bytes(4, "big"):
                    return frame
                continue
            self.buffer += self.read(max(0.01, deadline - time.monotonic()))

    def _take(self) -> bytes | None:
        buffer = self.buffer
        if len(buffer) < 18:
            return None
        modern = buffer[2:4] == b"\x66\x99"
        at = 14 if modern else 12
        total = int.from_bytes(buffer[at : at + 4], "big") + (22 if modern else 16)
        if len(buffer) < total:
            return None
        frame = bytes(buffer[:total])
        del buffer[:total]
        return frame

    def push(self, timeout_s: float = 5.0) -> dict[str, Any]:
        """The next push's JSON."""
        return json.loads(self.receive(wire.STATUS, timeout_s).body)

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing comes for so long."""
        try:
            self.read(seconds)
        except Silence:
            return True
        return False

    def closed_within(self, seconds: float) -> bool:
        """Whether the device ends the session in time, whatever it says before."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                self.read(left)
            except Closed:
                return True
            except Silence:
                break
        return False


def points(report: dict[str, Any]) -> dict[str, Any]:
    """The data points of a report, wherever this version puts them."""
    return report["dps"] if "dps" in report else report["data"]["dps"]
