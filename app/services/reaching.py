"""Gives a device that is just being connected the time to answer before it is asked anything."""

from __future__ import annotations

import threading
from typing import TypeVar

from app.domain.errors import EnvironmentLacks
from app.domain.links import LinkState
from app.domain.ports import DeviceLink
from app.domain.words import Connection

PATIENCE_S = 8.0
_STEP_S = 0.05
_UNDER_WAY = frozenset({Connection.NEVER_SEEN, Connection.CONNECTING})

L = TypeVar("L", bound=DeviceLink)


def held(link: L | None) -> L:
    """The link, where this process has one.

    Raises:
        EnvironmentLacks: nothing in this process holds connections.
    """
    if link is None:
        raise EnvironmentLacks(
            "link.not_running",
            "Nothing holds connections to devices in this process.",
            do="Start it with `run`, or open the window.",
        )
    return link


def settled(link: DeviceLink, device: str, patience_s: float = PATIENCE_S) -> LinkState | None:
    """The state once the first try has ended, or whatever it is when patience runs out.

    A device that was tried already is answered for at once: nobody waits for one that is offline.
    None when the link does not hold the device.
    """
    pause = threading.Event()
    state = link.states().get(device)
    for _ in range(round(patience_s / _STEP_S)):
        if state is not None and state.connection not in _UNDER_WAY:
            break
        pause.wait(_STEP_S)
        state = link.states().get(device)
    return state
