"""What a device answers to a client's command, as the vendor's device software does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.simulator.codec import CONTROL, CONTROL_NEW, QUERY, QUERY_NEW, REFRESH, SUBDEVICES, Frame
from app.simulator.unit import Unit

if TYPE_CHECKING:
    from app.simulator.endpoint import Endpoint
    from app.simulator.session import Session

NO_DATA = b"json obj data unvalid"
NO_DEVICE = b"devid not found"
NOT_JSON = b"parse data error"
NOT_DATA = b"data format error"
CHUNK = 5
CHUNK_PAUSE_S = 0.06


class Unanswerable(Exception):
    """The request is answered with return code 1 and these words."""

    def __init__(self, words: bytes) -> None:
        super().__init__(words.decode())
        self.words = words


def handle(endpoint: Endpoint, session: Session, message: Frame) -> None:
    """Answer one command, or leave it unanswered, or close, as this version does."""
    modern = session.codec.negotiates
    cmd = message.cmd
    try:
        if cmd == (QUERY_NEW if modern else QUERY):
            _query(endpoint, session, message)
        elif cmd == CONTROL_NEW or (cmd == CONTROL and not modern):
            _control(endpoint, session, message)
        elif cmd == REFRESH:
            _refresh(endpoint, session, message)
        elif cmd == SUBDEVICES:
            _list_children(endpoint, session, message)
        elif session.version == "3.4":
            session.close()
    except Unanswerable as refusal:
        session.answer(message, refusal.words, retcode=1)


def _wish(message: Frame, empty: bytes) -> dict[str, Any]:
    if not message.body:
        raise Unanswerable(empty)
    try:
        wish = json.loads(message.body)
    except (ValueError, RecursionError):
        raise Unanswerable(NOT_JSON) from None
    if not isinstance(wish, dict):
        raise Unanswerable(NOT_DATA)
    return wish


def _unit(endpoint: Endpoint, wish: dict[str, Any]) -> Unit:
    """The device itself, or the sub-device the request names."""
    data = wish.get("data")
    cid = wish.get("cid") or (data.get("cid") if isinstance(data, dict) else None)
    if cid is None:
        return endpoint.unit
    child = endpoint.children.get(str(cid))
    if child is None:
        raise Unanswerable(NO_DEVICE)
    return child


def _query(endpoint: Endpoint, session: Session, message: Frame) -> None:
    wish = _wish(message, NO_DATA)
    unit = _unit(endpoint, wish)
    if (endpoint.children and unit is endpoint.unit) or endpoint.site.rules.device22:
        raise Unanswerable(NO_DATA)
    endpoint.report(session, message, unit, endpoint.current(unit))


def _control(endpoint: Endpoint, session: Session, message: Frame) -> None:
    wish = _wish(message, NOT_JSON)
    unit = _unit(endpoint, wish)
    data = wish.get("data")
    values = data.get("dps") if isinstance(data, dict) else wish.get("dps")
    if not isinstance(values, dict) or not values:
        raise Unanswerable(NOT_DATA)
    if all(value is None for value in values.values()):
        # How a client asks a device that wants its points named.
        now = endpoint.current(unit)
        asked = {dp: now[dp] for dp in values if dp in now}
        endpoint.report(session, message, unit, asked)
        return
    before = dict(unit.dps)
    if not unit.write(values):
        raise Unanswerable(NOT_DATA)
    # Newer firmware says 1 here although it obeyed; only the report that follows is proof.
    session.answer(message, b"", retcode=1 if session.codec.negotiates else 0)
    changed = {dp: unit.dps[dp] for dp in values if unit.dps[dp] != before[dp]}
    if changed and not unit.dead:
        endpoint.push(unit, changed)
        endpoint.react(unit)


def _refresh(endpoint: Endpoint, session: Session, message: Frame) -> None:
    wish = _wish(message, NOT_JSON)
    unit = _unit(endpoint, wish)
    if not unit.kind.refreshes:
        return
    asked = wish.get("dpId")
    if not isinstance(asked, list):
        raise Unanswerable(NOT_DATA)
    session.answer(message, b"")
    changed = unit.refresh(endpoint.site.world, endpoint.site.chance, [str(dp) for dp in asked])
    if changed:
        endpoint.push(unit, changed)


def _list_children(endpoint: Endpoint, session: Session, message: Frame) -> None:
    if not endpoint.children or not session.codec.negotiates:
        return
    online = [cid for cid, child in endpoint.children.items() if not child.dead]
    offline = [cid for cid, child in endpoint.children.items() if child.dead]
    marked = [(cid, "online") for cid in online] + [(cid, "offline") for cid in offline]
    for number, start in enumerate(range(0, len(marked), CHUNK)):
        data: dict[str, list[str]] = {"online": [], "offline": [], "nearby": []}
        for cid, word in marked[start : start + CHUNK]:
            data[word].append(cid)
        body = json.dumps({"reqType": "subdev_online_stat_report", "data": data}).encode()
        if number == 0:
            session.answer(message, body)
        else:
            endpoint.site.agenda.after(number * CHUNK_PAUSE_S, session.answer, message, body)
