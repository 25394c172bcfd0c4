"""One TCP session of a simulated device: framing, key exchange, heartbeat, the session rules."""

from __future__ import annotations

import asyncio
import hmac
import string
from typing import TYPE_CHECKING

from app.simulator.codec import (
    CONTROL,
    HEARTBEAT,
    KEY_FINISH,
    KEY_RESPONSE,
    KEY_START,
    STATUS,
    DamagedFrame,
    Frame,
    codec_for,
    open_55aa,
    push_header,
    session_key,
    take_frames,
)
from app.simulator.outlet import Outlet
from app.simulator.record import Entry

if TYPE_CHECKING:
    from app.simulator.endpoint import Endpoint

IDLE_S = 30.0
"""A session without a valid frame for this long is closed (vendor's device source)."""
KEYLESS_FRAMES = 3
NONCE_BYTES = 16
_NONCE_LETTERS = string.ascii_letters + string.digits
_HANDSHAKE = (KEY_START, KEY_RESPONSE, KEY_FINISH)


class Session(asyncio.Protocol):
    """`keyed` is True once the client has proved itself; only then does it hear pushes."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._site = endpoint.site
        self.version = endpoint.version
        self._key = endpoint.key
        self.codec = codec_for(self.version, self._key)
        self._buffer = bytearray()
        self._client_nonce = b""
        self._device_nonce = b""
        self._zero_key = False
        self._frames_without_key = 0
        self._last_client_seq = -1
        self._seq = endpoint.site.chance.randrange(65536)
        self._valid_at_s = endpoint.site.agenda.now_s()
        self.keyed = False
        self.open = False
        self.transport: asyncio.Transport
        self._outlet: Outlet

    # -- transport ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept, or accept and close when there is no place for one more."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._outlet = Outlet(self._site, transport)
        transport.set_write_buffer_limits(high=0)
        self.open = True
        if self._endpoint.admit(self):
            self._site.agenda.after(IDLE_S, self._idle)
        else:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Free the place."""
        self.open = self.keyed = False
        self._endpoint.forget(self)

    def resume_writing(self) -> None:
        """The client reads again."""
        self._outlet.drained()

    def close(self) -> None:
        """End the session in order."""
        self.keyed = False
        if self.open:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take whole frames; what cannot be a frame ends the session."""
        if "frozen" in self._endpoint.faults:
            return
        self._buffer += data
        try:
            for frame in take_frames(self._buffer):
                if not self.transport.is_closing():
                    self._frame(frame)
        except DamagedFrame:
            self.close()

    def _idle(self) -> None:
        if not self.open:
            return
        left_s = self._valid_at_s + IDLE_S - self._site.agenda.now_s()
        if left_s > 0.001 or "frozen" in self._endpoint.faults:
            self._site.agenda.after(max(left_s, 1.0), self._idle)
        else:
            self.close()

    # -- frames in ------------------------------------------------------------------------

    def _frame(self, frame: bytes) -> None:
        if not self.codec.negotiates:
            self._frame_old(frame)
            return
        try:
            message = self.codec.open(frame)
        except DamagedFrame:
            if not self.keyed and _command(frame) == KEY_START:
                self._wrong_key()
            else:
                self.close()
            return
        self._valid_at_s = self._site.agenda.now_s()
        if self.version == "3.5" and message.seq <= self._last_client_seq:
            self.close()
            return
        self._last_client_seq = message.seq
        if not self.keyed:
            self._without_key(message)
        elif message.cmd in _HANDSHAKE:
            self.close()
        elif message.cmd == HEARTBEAT:
            self.answer(message, b"", report=False)
        else:
            self._endpoint.command(self, message)

    def _frame_old(self, frame: bytes) -> None:
        """Up to 3.3 nothing proves the key: a frame that does not open is met with silence."""
        try:
            outer = open_55aa(frame, None, from_device=False)
        except DamagedFrame:
            return
        self._valid_at_s = self._site.agenda.now_s()
        if outer.cmd == HEARTBEAT:
            seq = 0 if self.version == "3.1" else outer.seq
            self._put(outer.cmd, seq, b"", report=False)
            self._prove(frame)
            return
        try:
            message = self.codec.open(frame)
        except DamagedFrame:
            return
        self.keyed = True
        self._endpoint.command(self, message)

    def _prove(self, heartbeat: bytes) -> None:
        """A heartbeat whose body opens shows the key as well as a query does."""
        try:
            self.keyed = self.keyed or bool(self.codec.open(heartbeat).body)
        except DamagedFrame:
            return

    # -- the key exchange of 3.4 and 3.5 ---------------------------------------------------

    def _without_key(self, message: Frame) -> None:
        self._frames_without_key += 1
        if message.cmd == KEY_START and not self._zero_key:
            self._start(message)
        elif message.cmd == KEY_FINISH and self._device_nonce:
            self._finish(message)
        if not self.keyed and self._frames_without_key >= KEYLESS_FRAMES:
            self.close()

    def _start(self, message: Frame) -> None:
        if len(message.body) != NONCE_BYTES or self._endpoint.wedged():
            self.close()
            return
        self._client_nonce = message.body
        self._device_nonce = self._nonce()
        proof = hmac.digest(self._key, self._client_nonce, "sha256")
        self._put(KEY_RESPONSE, message.seq, self._device_nonce + proof, report=False)

    def _nonce(self) -> bytes:
        """Sixteen printable letters; with the zero-key fault such that the key begins with 0."""
        if "zero_key" not in self._endpoint.faults:
            return self._letters()
        # Letters alone cannot make every first byte: under GCM it is a plain XOR.
        while True:
            nonce = self._site.chance.randbytes(NONCE_BYTES)
            if session_key(self.version, self._key, self._client_nonce, nonce)[0] == 0:
                return nonce

    def _finish(self, message: Frame) -> None:
        proof = hmac.digest(self._key, self._device_nonce, "sha256")
        if not hmac.compare_digest(proof, message.body):
            self.close()
            return
        key = session_key(self.version, self._key, self._client_nonce, self._device_nonce)
        self.codec.rekey(key)
        # The vendor's code asks the first byte of the key whether there is one.
        self._zero_key = key[0] == 0
        self.keyed = not self._zero_key
        self._device_nonce = b""

    def _wrong_key(self) -> None:
        """The first frame does not open with our key: what devices of this version then do."""
        chance = self._site.chance
        if self.version == "3.4" and self._site.rules.wrong_key_reply == "usual":
            # It does not check the HMAC here and answers the nonce it believes to have read.
            proof = hmac.digest(self._key, chance.randbytes(NONCE_BYTES), "sha256")
            self._put(KEY_RESPONSE, 1, self._letters() + proof, report=False)
            return
        self._put(KEY_START, 1, chance.randbytes(4), retcode=1, report=False)
        if self.version == "3.5":
            self.close()

    def _letters(self) -> bytes:
        return "".join(self._site.chance.choices(_NONCE_LETTERS, k=NONCE_BYTES)).encode()

    # -- frames out -----------------------------------------------------------------------

    def answer(
        self,
        message: Frame,
        body: bytes,
        *,
        retcode: int = 0,
        entry: Entry | None = None,
        report: bool = True,
    ) -> None:
        """Answer `message` with the same command and, below 3.5, its sequence number."""
        self._put(message.cmd, message.seq, body, retcode=retcode, entry=entry, report=report)

    def push(self, body: bytes, entry: Entry | None) -> None:
        """Report without being asked."""
        header = push_header(self.version, self._endpoint.pushes)
        self._put(STATUS, 0, body, header=header, entry=entry)

    def _put(
        self,
        cmd: int,
        seq: int,
        body: bytes,
        *,
        retcode: int = 0,
        header: bytes = b"",
        entry: Entry | None = None,
        report: bool = True,
    ) -> None:
        faults = self._endpoint.faults
        if self.version == "3.5":
            self._seq = (self._seq + 1) & 0xFFFFFFFF
            seq = self._seq
        # Only the 3.1 codec reads a header as "seal this": answers in words stay clear there.
        word = None if report and "no_retcode" in faults and cmd != CONTROL else retcode
        frame = self.codec.seal(cmd, seq, body, word, header)
        self._outlet.put(frame, entry, faults, report=report)


def _command(frame: bytes) -> int:
    at = 10 if frame[:4] == b"\x00\x00\x66\x99" else 8
    return int.from_bytes(frame[at : at + 4], "big")
