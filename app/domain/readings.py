"""One observed value: the unit of the readings beam."""

from __future__ import annotations

from typing import NamedTuple

from app.domain.words import Path, Quality

Value = bool | int | float | str
"""What a data point can carry on the wire; structured values travel as JSON text."""

CONNECTION_POINT = "connection"
"""Point name under which a device's connection word is published beside its data points."""

DEVICE_CLOCK_TRUST_MS = 5_000
"""A device's own time is believed only this close to ours (contract, Words)."""
OURS_MS = 4_000
"""Up to this much after a device's `t` ours stays: `t` counts whole seconds, and a report is up to
2.5 s on its way (51 real devices over 26 h, openHAB add-ons issue 21686)."""


class Reading(NamedTuple):
    """One data point's value in one accepted frame, changed or not, mapped or not.

    `device` is the vendor's device id; `point` the data point's number as text (``"19"``) or a
    name such as ``connection`` for what the engine itself observes. `value` is raw, unscaled.
    `at_ms` is UTC in milliseconds since the epoch. A named tuple because thousands are made a
    second and it is the cheapest immutable value Python has.
    """

    device: str
    point: str
    value: Value
    at_ms: int
    quality: Quality = Quality.GOOD
    path: Path = Path.LAN


def stamp_ms(received_ms: int, device_t_s: float | None) -> int:
    """The time a reading carries: ours, or the device's own where it is close and says more.

    Within `OURS_MS` ours is finer, so it stays: an earlier stamp would put the reading before one
    that came before it. Further than `DEVICE_CLOCK_TRUST_MS` away the device's clock is wrong and
    only evidence.
    """
    if device_t_s is None:
        return received_ms
    device_ms = round(device_t_s * 1000)
    if device_ms <= received_ms < device_ms + OURS_MS:
        return received_ms
    if abs(device_ms - received_ms) <= DEVICE_CLOCK_TRUST_MS:
        return device_ms
    return received_ms
