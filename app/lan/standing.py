"""What a device is called after an attempt ended: the table's word, tempered by sleep."""

from __future__ import annotations

from app.domain.words import Connection
from app.lan.classify import Place, Trouble, Verdict, classify
from app.lan.presence import Presence, World
from app.lan.route import Target

FRESH_S = 60.0
_ABSENT = frozenset(
    {
        Trouble.NO_ADDRESS,
        Trouble.NO_ANSWER,
        Trouble.UNREACHABLE,
        Trouble.REFUSED,
        Trouble.SILENT,
        Trouble.NEVER_ANSWERED,
        Trouble.CLOSED,
        Trouble.RESET,
        Trouble.ADDRESS_TAKEN,
    }
)
"""What a battery device that sleeps looks like from outside."""


class Standing:
    """Judges one device and says it through its presence."""

    def __init__(self, presence: Presence, world: World) -> None:
        self.trouble: Trouble | None = None
        self.other: str | None = None
        """Who said to be at this device's address."""
        self.verdict = Verdict(Connection.NEVER_SEEN, presence.sentence, "Wait.")
        self._presence = presence
        self._world = world

    def judge(self, trouble: Trouble, target: Target | None) -> None:
        """Set the word for what the attempt ended with."""
        self.trouble = trouble
        self.verdict = classify(trouble, self._place(target))
        if self._presence.rhythm.sleepy and trouble in _ABSENT:
            self.verdict = self._at_rest()
        self._presence.say(self.verdict.connection, self.verdict.sentence)

    def lost(self, sentence: str) -> None:
        """A working connection ended; the next attempt will tell why."""
        if self._presence.rhythm.sleepy:
            rest = self._at_rest()
            self._presence.say(rest.connection, rest.sentence)
        else:
            self._presence.say(Connection.CONNECTING, sentence)

    def rest(self, word: Connection, ip: str | None) -> None:
        """No socket is opened, on purpose."""
        if word is Connection.PAUSED:
            sentence = "Left alone: its connection is free for another program."
        else:
            where = ip or "it"
            sentence = (
                "This computer is on another network than the site; "
                f"{where} is not opened from here."
            )
        self._presence.say(word, sentence)

    def _at_rest(self) -> Verdict:
        """A battery device is asleep until its report is overdue, whatever its port says."""
        rhythm = self._presence.rhythm
        if rhythm.within(self._world.loop.time()):
            hours = rhythm.interval_s / 3600
            return Verdict(
                Connection.ASLEEP,
                f"Asleep on its battery; it reports about every {hours:.3g} h.",
                "Nothing to do; wake it with its button to talk to it now.",
            )
        if rhythm.deadline_s is None:
            return Verdict(
                Connection.NEVER_SEEN,
                "A battery device that has not reported yet.",
                "Wake it with its button, or wait for its report.",
            )
        return Verdict(
            Connection.OFFLINE,
            "Its report is overdue: its battery may be empty.",
            "Check its battery.",
        )

    def _place(self, target: Target | None) -> Place:
        if target is None:
            return Place()
        device = self._presence.spec.device
        heard_s = self._world.sightings.age_s(device, self._world.loop.time())
        fresh_s = heard_s if heard_s is not None and heard_s < FRESH_S else None
        owner = self._world.claims.holder(target.ip, target.port) or self.other or "unknown"
        return Place(target.ip, target.port, target.version, fresh_s, owner)
