"""The store against the simulator's own record, value by value."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from fakes.house import House

from app.wiring import Core

FAR_MS = 1 << 42
STAMPS_APART_MS = 1_000
Sent = dict[tuple[str, str], list[tuple[int, Any]]]


@dataclass
class Comparison:
    """Sentences of what differs; how many values were compared, and how many the store holds."""

    differences: list[str] = field(default_factory=list)
    compared: int = 0
    stored: int = 0


def compare(core: Core, house: House, stopped_ms: int) -> Comparison:
    """Where store and record differ.

    Both are cut at the first `online` and at the end of taking, by their own stamps. `online` is
    stamped when the session that proved the device was opened, or when the sub-device sent what
    woke it, so the first values are in both; the end falls into a moment without readings.
    """
    sent = what_was_sent(house)
    routes = core.directory.routes()
    found = Comparison()
    for row in house.rows:
        device, route = row["id"], routes[row["id"]]
        told = core.history.raw(route.asset, "connection", 0, FAR_MS)
        online_ms = next((at for at, word, *_ in told if word == "online"), FAR_MS)
        observed = {dp for dp in core.history.observed(device) if dp.isdigit()}
        for dp in sorted(observed | {dp for one, dp in sent if one == device}):
            series = core.history.raw(route.asset, route.name(dp), 0, FAR_MS)
            stored = [(at, value) for at, value, *_ in series if online_ms <= at]
            wanted = [
                (at, value) for at, value in sent[device, dp] if online_ms <= at <= stopped_ms
            ]
            found.stored += len(series)
            found.compared += len(wanted)
            found.differences += difference(f"{row['name']} dp {dp}", stored, wanted)
    return found


def difference(
    name: str, stored: list[tuple[int, Any]], wanted: list[tuple[int, Any]]
) -> list[str]:
    """At most one sentence: the first place where the two sequences part."""
    if len(stored) != len(wanted):
        return [f"{name}: {len(stored)} stored, {len(wanted)} sent"]
    for place, (here, there) in enumerate(zip(stored, wanted, strict=True)):
        if (type(here[1]), here[1]) != (type(there[1]), there[1]):
            return [f"{name}: value {place} is {here[1]!r}, sent was {there[1]!r}"]
        if abs(here[0] - there[0]) >= STAMPS_APART_MS:
            return [f"{name}: value {place} is {here[0] - there[0]} ms off"]
    return []


def what_was_sent(house: House) -> Sent:
    """Values by (device, dp) in the order they were sent."""
    sent: Sent = defaultdict(list)
    for line in house.record.read_text().splitlines():
        value = json.loads(line)
        sent[value["device"], value["dp"]].append((round(value["at"] * 1000), value["value"]))
    return sent
