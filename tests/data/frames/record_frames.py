"""Record frames that other people's code made: tinytuya as the client, tuyamock as the device.

Run by hand (`python tests/data/frames/record_frames.py`) when either of them changes version. The
expected payloads are what tinytuya reads; no code of this project takes part.
"""

from __future__ import annotations

import importlib.metadata
import json
import socket
import struct
import threading
from pathlib import Path

import tinytuya
import tuyamock
from tinytuya.core.message_helper import unpack_message

HERE = Path(__file__).parent
KEY = "pQ7!x_f2=Zr9@aB4"
DEVICE = "bf0123456789abcdef0123"
DPS = {"1": True, "18": 231, "19": 1234, "20": 2305, "101": "Hall A  lights – Büro", "102": "auto"}
SETTINGS = {"1": False, "102": "a b"}


class Tap:
    """A proxy on 127.0.0.1 that keeps whatever passes in each direction."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.passed: list[tuple[str, bytes]] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        client, _ = self._listener.accept()
        device = socket.create_connection(("127.0.0.1", self._target))
        pair = ((client, device, "client"), (device, client, "device"))
        for source, sink, who in pair:
            threading.Thread(target=self._pump, args=(source, sink, who), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, who: str) -> None:
        while data := source.recv(65536):
            self.passed.append((who, data))
            sink.sendall(data)


def split(data: bytes) -> list[bytes]:
    frames = []
    while data:
        modern = data[2:4] == b"\x66\x99"
        at = 14 if modern else 12
        total = struct.unpack_from(">I", data, at)[0] + (22 if modern else 16)
        frames.append(data[:total])
        data = data[total:]
    return frames


def describe(who: str, frame: bytes, version: str, device: tinytuya.Device, session: bytes) -> dict:
    cmd = struct.unpack_from(">I", frame, 10 if version == "3.5" else 8)[0]
    key = KEY.encode() if cmd in (3, 4, 5) or version < "3.4" else session
    mac = key if version >= "3.4" else None
    message = unpack_message(frame, hmac_key=mac, no_retcode=who == "client")
    assert message.crc_good
    payload = message.payload
    entry = {
        "by": who, "version": version, "key": key.hex(), "cmd": message.cmd, "seq": message.seqno,
        "retcode": message.retcode if who == "device" else None, "hex": frame.hex(),
    }  # fmt: skip
    if cmd in (3, 4, 5):
        plain = (
            tinytuya.AESCipher(key).decrypt(payload, False, False) if version == "3.4" else payload
        )
        return {**entry, "payload_hex": plain.hex()}
    device.local_key = key
    return {**entry, "payload": device._decode_payload(payload) if payload else None}


def record(version: str) -> list[dict]:
    with tuyamock.MockDevice(local_key=KEY, version=version, dps=DPS, gw_id=DEVICE) as mock:
        tap = Tap(mock.port)
        device = tinytuya.OutletDevice(
            DEVICE, "127.0.0.1", KEY, version=float(version), persist=True, port=tap.port,
            connection_timeout=2, connection_retry_limit=1,
        )  # fmt: skip
        device.set_retry(False)
        device.status()
        device.heartbeat(nowait=False)
        device.set_multiple_values(SETTINGS)
        device.updatedps([18, 19, 20])
        mock.push({"19": 4321, "101": DPS["101"]})
        device.receive()
        session = device.local_key
        device.close()
    rows = []
    for who, data in tap.passed:
        rows += [describe(who, frame, version, device, session) for frame in split(data)]
    return rows


if __name__ == "__main__":
    about = {
        "client": f"tinytuya {importlib.metadata.version('tinytuya')}",
        "device": f"tuyamock {importlib.metadata.version('tuyamock')}",
        "local_key": KEY,
    }
    for version in ("3.1", "3.3", "3.4", "3.5"):
        whole = {**about, "version": version, "frames": record(version)}
        text = json.dumps(whole, indent=1, ensure_ascii=False)
        (HERE / f"v{version}.json").write_text(text + "\n", "utf-8")
