"""The words of the contract. They appear in JSON, in the store and, spelled out, on screen."""

from __future__ import annotations

from enum import StrEnum


class Connection(StrEnum):
    """How a device is reached at this moment, from evidence and never from a guess."""

    NEVER_SEEN = "never_seen"
    CONNECTING = "connecting"
    ONLINE = "online"
    ASLEEP = "asleep"
    SUSPECT = "suspect"
    OFFLINE = "offline"
    NO_LOCAL_API = "no_local_api"
    BUSY = "busy"
    WRONG_KEY = "wrong_key"
    WRONG_VERSION = "wrong_version"
    PARENT_DOWN = "parent_down"
    SOURCE_DOWN = "source_down"
    NOT_HERE = "not_here"
    PAUSED = "paused"


class Path(StrEnum):
    """The way a value came, or would come now."""

    LAN = "lan"
    CLOUD = "cloud"
    SERVER = "server"
    NONE = "none"


class Quality(StrEnum):
    """What is known about one value's worth."""

    GOOD = "good"
    OUT_OF_RANGE = "out_of_range"
    INVALID = "invalid"
    LATE = "late"
    DUPLICATE = "duplicate"
    STALE = "stale"


class Outcome(StrEnum):
    """How a command to a device ended. Only the device's own report makes it `confirmed`."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    OFFLINE = "offline"
    REFUSED = "refused"


class ControlClass(StrEnum):
    """What a wrong write to a point can cost."""

    COMFORT = "comfort"
    PLANT = "plant"
    SAFETY = "safety"
