"""One connection to one device: key exchange, one request at a time, its end told once.

States: KEY_NEG (3.4 and 3.5 only) -> OPEN -> CLOSED. Whether the device is alive is judged by
`app.lan.liveness`, what an end means by `app.lan.classify`.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol

from tinytuya.core import command_types as CT

from app.lan.classify import Trouble
from app.lan.codec import Body, Codec, Message
from app.lan.framing import Fault, FrameFault, Framer

HANDSHAKE_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 3.0
"""Field p99 of real devices is 0.2 to 0.54 s; a limit under 2 s made thousands of false losses."""
MIN_SPACING_S = 0.05
FRAMES_PER_TURN = 24
FLOOD_PAUSE_S = 0.02
"""A device that has more than a turn's frames waiting is read again this much later, not sooner:
the others get the loop, and TCP holds the flood back. Nothing is dropped."""
MAX_QUEUED = 256


class Phase(StrEnum):
    """Where a connection stands."""

    KEY_NEG = "key_neg"
    OPEN = "open"
    CLOSED = "closed"


class Priority(IntEnum):
    """What goes first when several requests wait."""

    WRITE = 0
    HEARTBEAT = 1
    QUERY = 2
    REFRESH = 3


class Fate(StrEnum):
    """How a request ended."""

    ANSWERED = "answered"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    NEVER_SENT = "never_sent"


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a request. `sent_s` and `took_s` are loop seconds."""

    fate: Fate
    message: Message | None = None
    body: Body | None = None
    took_s: float = 0.0


@dataclass(slots=True, eq=False)
class Request:
    """One frame to send and the answer that is waited for."""

    cmd: int
    payload: bytes = field(repr=False)
    timeout_s: float
    settled: asyncio.Future[Reply]
    on_sent: Callable[[], None] | None = None
    seqno: int = 0
    sent_s: float = 0.0

    def settle(self, reply: Reply) -> None:
        """Tell whoever waits, if somebody still does."""
        if not self.settled.done():
            self.settled.set_result(reply)


class Owner(Protocol):
    """Who hears what happens on a connection. All calls come on the loop."""

    def opened(self, session: Session) -> None:
        """The connection can carry requests now."""

    def heard(self, session: Session, message: Message, body: Body) -> None:
        """A frame came whose integrity and content hold."""

    def unreadable(self, session: Session, fault: Fault) -> None:
        """A frame came whose integrity holds but whose content does not."""

    def closed(self, session: Session, trouble: Trouble) -> None:
        """It is over. Told once."""


class Session(asyncio.Protocol):
    """See the module. `owner` hears; `request` asks.

    `known` says that this device has been read in this version before; `stranger` that nobody said
    it is at this address, so that nothing short of its key or its name proves it.
    """

    def __init__(
        self,
        codec: Codec,
        owner: Owner,
        loop: asyncio.AbstractEventLoop,
        *,
        listen_s: float = 0.0,
        known: bool = False,
        stranger: bool = False,
    ) -> None:
        self.codec = codec
        self._listen_s = listen_s
        self._known = known
        self._stranger = stranger
        self._spoke = False
        self.phase = Phase.KEY_NEG
        self.proved = False
        self.opened = False
        self.heard_frames = 0
        self.last_sent_s = 0.0
        self.last_heard_s = loop.time()
        self._owner = owner
        self._loop = loop
        self._framer = Framer(codec.modern)
        self._transport: asyncio.Transport | None = None
        self._queue: list[tuple[int, int, Request]] = []
        self._order = 0
        self._in_flight: Request | None = None
        self._echoes_seqno = False
        self._timer: asyncio.TimerHandle | None = None
        self._spacing: asyncio.TimerHandle | None = None
        self._more: asyncio.Handle | None = None
        self._bytes_heard = False

    # -- asyncio.Protocol ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the key exchange where there is one; after `listen_s` where that was asked.

        A device that another program holds closes before it is spoken to; one that dislikes the
        key or the version closes after. Listening first tells them apart.
        """
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._listen_s:
            self._timer = self._loop.call_later(self._listen_s, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        if self.codec.negotiates:
            self._timer = self._loop.call_later(HANDSHAKE_TIMEOUT_S, self.close, Trouble.SILENT)
            self._write(self.codec.start_negotiation())
        else:
            self._open()

    def data_received(self, data: bytes) -> None:
        """Take bytes; work through a bounded number of frames before others get their turn."""
        self._bytes_heard = True
        self._framer.feed(data)
        if self._more is None:
            self._work()

    def eof_received(self) -> bool:
        """The device closed its side."""
        self.close(self._end_word())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        reset = exc is not None and self._bytes_heard
        self.close(Trouble.RESET if reset else self._end_word())

    # -- asking --------------------------------------------------------------------------

    def request(
        self,
        wish: tuple[int, bytes],
        priority: Priority,
        *,
        timeout_s: float = REPLY_TIMEOUT_S,
        on_sent: Callable[[], None] | None = None,
    ) -> asyncio.Future[Reply]:
        """Queue a request. The future always ends with a `Reply` and never raises."""
        future: asyncio.Future[Reply] = self._loop.create_future()
        asked = Request(wish[0], wish[1], timeout_s, future, on_sent)
        if self.phase is not Phase.OPEN or len(self._queue) >= MAX_QUEUED:
            asked.settle(Reply(Fate.NEVER_SENT))
            return future
        self._order += 1
        heapq.heappush(self._queue, (priority, self._order, asked))
        self._send_next()
        return future

    @property
    def idle(self) -> bool:
        """Nothing is asked and nothing waits."""
        return self._in_flight is None and not self._queue

    def close(self, trouble: Trouble) -> None:
        """End the connection (with FIN, so that the device's slot is free) and tell the owner."""
        if self.phase is Phase.CLOSED:
            return
        self.phase = Phase.CLOSED
        for handle in (self._timer, self._spacing, self._more):
            if handle is not None:
                handle.cancel()
        if self._transport is not None:
            self._transport.close()
        if self._in_flight is not None:
            self._in_flight.settle(Reply(Fate.LOST))
        for _, _, asked in self._queue:
            asked.settle(Reply(Fate.NEVER_SENT))
        self._in_flight, self._queue = None, []
        self._owner.closed(self, trouble)

    # -- frames in -----------------------------------------------------------------------

    def _work(self) -> None:
        self._more = None
        try:
            for _ in range(FRAMES_PER_TURN):
                frame = self._framer.next_frame()
                if frame is None or self.phase is Phase.CLOSED:
                    break
                self._frame(frame)
            else:
                self._let_others_in()
                return
        except FrameFault as error:
            self.close(self._fault_word(error.fault))
            return
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _let_others_in(self) -> None:
        if self.phase is Phase.CLOSED or self._transport is None:
            return
        self._transport.pause_reading()
        self._more = self._loop.call_later(FLOOD_PAUSE_S, self._work)

    def _frame(self, frame: bytes) -> None:
        try:
            message = self.codec.open_frame(frame)
        except FrameFault:
            if self.phase is Phase.KEY_NEG:
                self.close(self._negotiation_word(frame))
                return
            raise
        self.last_heard_s = self._loop.time()
        self.heard_frames += 1
        if self.phase is Phase.KEY_NEG:
            self._negotiate(message)
            return
        try:
            body = self.codec.open_body(message)
        except FrameFault as error:
            self._owner.unreadable(self, error.fault)
            return
        self.proved = self.proved or self._proves(message, body)
        # A 3.1 device answers queries in the clear: that shows the device, not the key.
        sealed = self.codec.version != "3.1" or message.payload.startswith(b"3.1")
        self.opened = self.opened or (self.proved and sealed)
        self._owner.heard(self, message, body)
        self._match(message, body)

    def _proves(self, message: Message, body: Body) -> bool:
        # An integrity tag under the session key proves the key; below 3.4 only opened text does.
        if self.codec.negotiates:
            return True
        if not self._stranger:
            return bool(message.payload)
        if self.codec.version == "3.1":
            return message.payload.startswith(b"3.1") or body.device == self.codec.device
        return bool(body.points) and not message.payload.startswith(b"{")

    def _negotiate(self, message: Message) -> None:
        if message.cmd == CT.SESS_KEY_NEG_START:
            # Seen in the field for a wrong key: the start comes back with return code 1.
            self.close(Trouble.KEY_REJECTED)
            return
        if message.cmd != CT.SESS_KEY_NEG_RESP:
            return
        answer = self.codec.finish_negotiation(message)
        if answer is None:
            self.close(Trouble.KEY_REJECTED)
        elif not self.codec.session_key_usable:
            self.close(Trouble.WEAK_SESSION)
        else:
            if self._timer is not None:
                self._timer.cancel()
            self._write(answer)
            self._open()

    def _match(self, message: Message, body: Body) -> None:
        asked = self._in_flight
        if asked is None or message.cmd != asked.cmd:
            return
        if self.codec.version != "3.5":
            if message.seqno == asked.seqno:
                self._echoes_seqno = True
            elif self._echoes_seqno:
                return
        if self._timer is not None:
            self._timer.cancel()
        self._in_flight = None
        took_s = self._loop.time() - asked.sent_s
        asked.settle(Reply(Fate.ANSWERED, message, body, took_s))
        self._send_next()

    # -- frames out ----------------------------------------------------------------------

    def _open(self) -> None:
        self.phase = Phase.OPEN
        self._owner.opened(self)

    def _write(self, frame: bytes) -> None:
        self.last_sent_s = self._loop.time()
        self._spoke = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)

    def _send_next(self) -> None:
        if self._in_flight is not None or not self._queue or self._spacing is not None:
            return
        wait_s = self.last_sent_s + MIN_SPACING_S - self._loop.time()
        if wait_s > 0 and self.last_sent_s:
            self._spacing = self._loop.call_later(wait_s, self._spaced)
            return
        asked = heapq.heappop(self._queue)[2]
        if asked.settled.cancelled():
            self._send_next()
            return
        asked.seqno, frame = self.codec.encode(asked.cmd, asked.payload)
        self._in_flight = asked
        self._write(frame)
        asked.sent_s = self.last_sent_s
        self._timer = self._loop.call_later(asked.timeout_s, self._timed_out, asked)
        if asked.on_sent is not None:
            asked.on_sent()

    def _spaced(self) -> None:
        self._spacing = None
        self._send_next()

    def _timed_out(self, asked: Request) -> None:
        if self._in_flight is asked:
            self._in_flight = None
            asked.settle(Reply(Fate.TIMED_OUT, took_s=asked.timeout_s))
            self._send_next()

    # -- what an end means ---------------------------------------------------------------

    def _end_word(self) -> Trouble:
        if self._bytes_heard:
            return Trouble.CLOSED
        if self._listen_s and self._spoke:
            return Trouble.CLOSED_ON_WORD
        return Trouble.CLOSED_AT_ONCE

    def _fault_word(self, fault: Fault) -> Trouble:
        if fault is Fault.OTHER_FRAMING:
            return Trouble.OTHER_VERSION
        if fault is Fault.INTEGRITY:
            # A 3.1 or 3.3 client reads the signature of a 3.4 frame as a checksum.
            unknown = not (self._known or self.heard_frames)
            return Trouble.OTHER_VERSION if unknown else Trouble.BROKEN_FRAME
        return Trouble.BROKEN_STREAM

    def _negotiation_word(self, frame: bytes) -> Trouble:
        if not self.codec.modern and self.codec.crc_holds(frame):
            return Trouble.OTHER_VERSION
        return Trouble.KEY_REJECTED
