"""A device with a socket of its own: it listens, answers, pushes, announces and has faults."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import socket
from collections.abc import Mapping

from app.domain.errors import EnvironmentLacks
from app.domain.readings import Value
from app.simulator import announce, commands
from app.simulator.codec import Frame
from app.simulator.kinds import STAMP_DP
from app.simulator.plan import PlannedDevice
from app.simulator.record import Entry
from app.simulator.session import Session
from app.simulator.site import Site
from app.simulator.unit import Unit

log = logging.getLogger(__name__)

BACKLOG = 5
REACTION_S = 0.8
OVERSIZE_DP, OVERSIZE_CHARS = "120", 1600
BAD_TEXT_DP = "121"
BAD_TEXT = b"broken \xff\xc3( text"
CLOCK_ERROR_S = 400 * 86_400
WEDGE_AFTER = 3
ANNOUNCE_SPREAD = 0.25


class Endpoint:
    """Built from its plan; `site` is what all devices share."""

    def __init__(self, site: Site, planned: PlannedDevice, unit: Unit) -> None:
        self.site = site
        self.planned = planned
        self.unit = unit
        self.children: dict[str, Unit] = {}
        self.key = planned.key
        self.version = planned.version
        self.address, self.port = planned.address, planned.port
        self.faults: set[str] = set()
        self.sessions: list[Session] = []
        self.accepted = 0
        self.pushes = 0
        self.asleep = planned.sleepy
        self.connections_since_wedge = 0
        self._server: asyncio.Server | None = None
        self._wanted = False

    # -- being there ----------------------------------------------------------------------

    @property
    def listening(self) -> bool:
        """Whether its port is open."""
        return self._server is not None

    @property
    def reachable(self) -> bool:
        """Whether it should be on the network now."""
        return not self.asleep and self.faults.isdisjoint(("silent", "asleep"))

    async def open(self) -> None:
        """Listen on the device's own address.

        Raises:
            EnvironmentLacks: the address or the file descriptors are not to be had.
        """
        self._wanted = True
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: Session(self), self.address, self.port, backlog=BACKLOG
            )
        except OSError as error:
            raise _cannot_listen(self.address, self.port, error) from None
        if not self._wanted:
            server.close()
            return
        self._server = server
        if self.port == 0:
            self.port = self.planned.port = server.sockets[0].getsockname()[1]

    def close(self, *, abruptly: bool = False) -> None:
        """Shut the port and end every session."""
        self._wanted = False
        if self._server is not None:
            self._server.close()
            self._server = None
        self.hang_up(abruptly=abruptly)

    def hang_up(self, *, abruptly: bool = False) -> None:
        """End every session, the port stays open."""
        for session in list(self.sessions):
            if abruptly and session.open:
                session.keyed = False
                session.transport.abort()
            else:
                session.close()

    def admit(self, session: Session) -> bool:
        """Whether a new session has a place; room is made as the firmware does it."""
        self.accepted += 1
        self.connections_since_wedge += 1
        if "held" in self.faults:
            return False
        rules = self.site.rules
        living = [each for each in self.sessions if each.open]
        if len(living) >= rules.sessions:
            if rules.over_limit == "refuse_newest":
                return False
            living[0 if rules.over_limit == "evict_oldest" else -1].close()
        self.sessions.append(session)
        return True

    def forget(self, session: Session) -> None:
        """A session ended."""
        if session in self.sessions:
            self.sessions.remove(session)

    def wedged(self) -> bool:
        """Whether the firmware no longer negotiates, as some do after many connections."""
        return "wedge" in self.faults and self.connections_since_wedge > WEDGE_AFTER

    @property
    def keyed(self) -> list[Session]:
        """Sessions that hear pushes."""
        return [session for session in self.sessions if session.keyed]

    # -- talking --------------------------------------------------------------------------

    def command(self, session: Session, message: Frame) -> None:
        """One opened command of a keyed session."""
        if "zombie" not in self.faults:
            commands.handle(self, session, message)

    def current(self, unit: Unit) -> dict[str, Value]:
        """Every data point now; of a dead or sleeping sub-device what it last said."""
        if unit.dead or (unit.cid is not None and unit.asleep):
            return dict(unit.told or unit.dps)
        unit.sample(self.site.world, self.site.chance)
        values = dict(unit.dps)
        if STAMP_DP in unit.points:
            values[STAMP_DP] = self.site.stamp_ns()
        return values

    def report(
        self, session: Session, message: Frame, unit: Unit, values: Mapping[str, Value]
    ) -> None:
        """Answer a query with values, and put them on record once they are out."""
        whole: dict[str, object] = {"dps": values}
        if unit.cid is not None:
            whole["cid"] = unit.cid
        elif not session.codec.negotiates:
            whole = {"devId": self.unit.id, "dps": values}
        entry = Entry(unit.id, unit.cid, values)
        session.answer(message, _json(whole), entry=entry)
        entry.settle(self.site.record)

    def push(self, unit: Unit, values: Mapping[str, Value]) -> None:
        """Tell every keyed session these values without being asked."""
        sessions = self.keyed
        if not sessions or not self.faults.isdisjoint(("frozen", "zombie")):
            return
        told = dict(values)
        unit.told.update(told)
        if STAMP_DP in unit.points:
            told[STAMP_DP] = self.site.stamp_ns()
        if "oversize" in self.faults and unit is self.unit:
            told[OVERSIZE_DP] = "x" * OVERSIZE_CHARS
        self.pushes += 1
        self.site.pushes += 1
        body = self._push_body(unit, told)
        entry = Entry(unit.id, unit.cid, told)
        for session in sessions:
            session.push(body, entry)
        entry.settle(self.site.record)
        if "bad_utf8" in self.faults and unit is self.unit:
            self._push_bad_text(sessions)

    def react(self, unit: Unit) -> None:
        """Soon after a write the physics follow: power falls when a pump stops."""
        self.site.agenda.after(REACTION_S, self.push_changes, unit)

    def push_changes(self, unit: Unit, *, always: bool = False) -> None:
        """Sample a unit and push what changed; with `always` its main point at least."""
        if not self.sessions or not self.keyed or unit.dead:
            return
        changed = unit.sample(self.site.world, self.site.chance)
        if not changed and always:
            changed = {unit.kind.headline: unit.dps[unit.kind.headline]}
        if changed:
            self.push(unit, changed)

    def _push_body(self, unit: Unit, values: Mapping[str, Value]) -> bytes:
        t = self.site.epoch_s() + (CLOCK_ERROR_S if "bad_clock" in self.faults else 0)
        if self.version in ("3.4", "3.5"):
            data: dict[str, object] = {"dps": values}
            if unit.cid is not None:
                data = {"cid": unit.cid, "ctype": 0, "dps": values}
            return _json({"protocol": 4, "t": t, "data": data})
        if unit.cid is not None:
            return _json({"dps": values, "cid": unit.cid, "t": t})
        return _json({"devId": self.unit.id, "dps": values, "t": t})

    def _push_bad_text(self, sessions: list[Session]) -> None:
        body = self._push_body(self.unit, {BAD_TEXT_DP: "broken ? text"})
        # The frame is whole; what a reader can make of its text is on record.
        entry = Entry(self.unit.id, None, {BAD_TEXT_DP: BAD_TEXT.decode(errors="replace")})
        for session in sessions:
            session.push(body.replace(b"broken ? text", BAD_TEXT), entry)
        entry.settle(self.site.record)

    # -- announcing -----------------------------------------------------------------------

    @property
    def audible(self) -> bool:
        """Whether it announces itself now."""
        return self.listening and self.reachable and "frozen" not in self.faults

    def announce(self, to: str) -> None:
        """One announcement from the device's own address to `to`, in its version's form."""
        packet, port = announce.packet(self.planned, self.version, self.address)
        announce.send(self.address, packet, (to, port))

    def reply_to_solicitation(self, to: str) -> None:
        """Answer a question on UDP 7000, to port 7000 of the asker."""
        packet, _ = announce.packet(self.planned, self.version, self.address)
        announce.send(self.address, packet, (to, announce.ASK_PORT))


def _json(whole: object) -> bytes:
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()


def _cannot_listen(address: str, port: int, error: OSError) -> EnvironmentLacks:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return EnvironmentLacks(
            "simulator.descriptors",
            "This system lets the simulator open too few sockets.",
            where=f"{address}:{port}",
            do="Raise the limit (ulimit -n), or simulate fewer devices.",
        )
    return EnvironmentLacks(
        "simulator.address",
        f"A simulated device cannot listen: {error.strerror or error}.",
        where=f"{address}:{port}",
        do="Choose another network with --net, or stop what uses the address.",
    )


def loopback_aliases(net: int) -> bool:
    """Whether this system answers on all of 127.0.0.0/8 without being set up for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((f"127.{net}.0.2", 0))
        except OSError:
            return False
    return True
