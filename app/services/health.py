"""A device's health and the reason for it, from its connection alone."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.words import Connection

NORMAL = "normal"
OFFLINE = "offline"
UNKNOWN = "unknown"

_HEALTH: Mapping[Connection, str] = {
    Connection.ONLINE: NORMAL,
    Connection.ASLEEP: NORMAL,
    Connection.OFFLINE: OFFLINE,
    Connection.NO_LOCAL_API: OFFLINE,
    Connection.BUSY: OFFLINE,
    Connection.WRONG_KEY: OFFLINE,
    Connection.WRONG_VERSION: OFFLINE,
    Connection.PARENT_DOWN: OFFLINE,
}
_SENTENCES: Mapping[Connection, str] = {
    Connection.NEVER_SEEN: "It has not been reached yet.",
    Connection.CONNECTING: "It is being connected.",
    Connection.ONLINE: "It is connected.",
    Connection.ASLEEP: "It sleeps until its next report.",
    Connection.SUSPECT: "It stopped answering a moment ago.",
    Connection.OFFLINE: "It does not answer at its address.",
    Connection.NO_LOCAL_API: "It is on the network but refuses local connections.",
    Connection.BUSY: "It accepts the connection and closes it at once.",
    Connection.WRONG_KEY: "The local key is not the one the device has.",
    Connection.WRONG_VERSION: "It speaks another protocol version.",
    Connection.PARENT_DOWN: "Its gateway is not reached.",
    Connection.SOURCE_DOWN: "The service it is read from is not reached.",
    Connection.NOT_HERE: "Its site is on another network than this computer.",
    Connection.PAUSED: "It is left alone, as asked.",
}


def health_of(connection: Connection) -> str:
    """`normal`, `offline`, or `unknown` where the device itself was not judged."""
    return _HEALTH.get(connection, UNKNOWN)


def sentence_of(connection: Connection) -> str:
    """The connection in words, for when nobody who holds it says more."""
    return _SENTENCES[connection]
