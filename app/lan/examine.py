"""Diagnosis: the device is tried now, and what was seen is walked through step by step."""

from __future__ import annotations

import asyncio
import os

import psutil

from app.domain.links import LinkEvidence
from app.domain.words import Connection
from app.lan.classify import Trouble, Verdict
from app.lan.gateway import Child
from app.lan.held import HeldDevice
from app.lan.network import Network, wrong_network_sentence
from app.lan.session import Fate, Priority

PATIENCE_S = 30.0
CLOCK_OFF_S = 60.0
_Step = tuple[str, str, str]

_NO_ANSWER = frozenset(
    {
        Trouble.SILENT,
        Trouble.NEVER_ANSWERED,
        Trouble.CLOSED,
        Trouble.RESET,
        Trouble.DROPS,
        Trouble.BROKEN_STREAM,
    }
)
# In the order tried. A device that got past a step had to pass it.
_FAILS: tuple[tuple[str, frozenset[Trouble], str], ...] = (
    ("address", frozenset({Trouble.NO_ADDRESS}), "an address is known"),
    (
        "reachability",
        frozenset({Trouble.NO_ANSWER, Trouble.UNREACHABLE, Trouble.ADDRESS_TAKEN}),
        "the address answers",
    ),
    ("port", frozenset({Trouble.REFUSED}), "the port is open"),
    ("another_program", frozenset({Trouble.CLOSED_AT_ONCE}), "the device keeps the connection"),
    (
        "answer",
        _NO_ANSWER,
        "the device answers",
    ),
    ("version", frozenset({Trouble.OTHER_VERSION}), "the protocol version is right"),
    (
        "key",
        frozenset(
            {Trouble.KEY_REJECTED, Trouble.UNREADABLE, Trouble.CLOSED_ON_WORD, Trouble.NO_KEY}
        ),
        "the local key opens its frames",
    ),
    ("frames", frozenset({Trouble.BROKEN_FRAME}), "its frames are whole"),
)


async def examine(held: HeldDevice, child: Child | None, network: Network) -> LinkEvidence:
    """Try the device (or its gateway) now; a verdict, a sentence, a next step, and the steps."""
    device = child.spec.device if child is not None else held.spec.device
    if held.resting is not None and not held.online:
        return _resting(held, device, network)
    if not held.online:
        held.judged.clear()
        held.poke()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await held.judged.wait()
        except TimeoutError:
            pass
    steps = _walk(held, network)
    if held.online:
        steps.append(await _fresh_answer(held))
        steps.append(_clock_step(held))
    verdict = _verdict(held)
    if held.standing.trouble is Trouble.CLOSED_AT_ONCE:
        verdict = await _name_program(held, verdict, steps)
    elif _elsewhere(held, network):
        verdict = Verdict(
            verdict.connection,
            wrong_network_sentence(held.presence.ip or "", network),
            "Connect this computer to the device's network, or route to it.",
        )
    if child is not None:
        verdict = _child_verdict(child, held, verdict, steps)
    return LinkEvidence(device, verdict.connection, verdict.sentence, verdict.next, tuple(steps))


def _resting(held: HeldDevice, device: str, network: Network) -> LinkEvidence:
    if held.resting is Connection.PAUSED:
        sentence, do = "It is left alone on purpose.", "Resume it to connect."
        return LinkEvidence(device, Connection.PAUSED, sentence, do, ())
    sentence = wrong_network_sentence(held.spec.ip or "?", network)
    steps = (("network", "fail", sentence),)
    do = "Connect this computer to the site's network."
    return LinkEvidence(device, Connection.NOT_HERE, sentence, do, steps)


def _elsewhere(held: HeldDevice, network: Network) -> bool:
    ip = held.presence.ip
    absent = held.standing.trouble in (Trouble.NO_ANSWER, Trouble.UNREACHABLE)
    return absent and ip is not None and not network.holds(ip)


def _walk(held: HeldDevice, network: Network) -> list[_Step]:
    trouble = None if held.online else held.standing.trouble
    steps: list[_Step] = []
    if held.presence.ip is not None:
        here = network.holds(held.presence.ip)
        evidence = f"{held.presence.ip} is in this computer's network"
        steps.append(
            ("network", "pass", evidence)
            if here
            else ("network", "fail", wrong_network_sentence(held.presence.ip, network))
        )
    failed = False
    for check, troubles, good in _FAILS:
        if failed:
            steps.append((check, "skipped", "not reached"))
        elif trouble in troubles:
            failed = True
            steps.append((check, "fail", trouble.value if trouble is not None else ""))
        else:
            steps.append((check, "pass", good))
    return steps


def _verdict(held: HeldDevice) -> Verdict:
    presence = held.presence
    if held.online or held.standing.trouble is None:
        healthy = presence.word is Connection.ONLINE
        sentence = "Connected, and it answers." if healthy else presence.sentence
        return Verdict(presence.word, sentence, "Nothing to do." if healthy else "Try again.")
    return held.standing.verdict


async def _fresh_answer(held: HeldDevice) -> _Step:
    session = held.session
    if session is None:
        return ("query", "fail", "the connection ended")
    reply = await session.request(held.query(), Priority.QUERY)
    if reply.fate is Fate.ANSWERED:
        return ("query", "pass", f"answered in {reply.took_s * 1000:.0f} ms")
    return ("query", "fail", "no answer to a query")


def _clock_step(held: HeldDevice) -> _Step:
    skew_s = held.presence.clock_skew_s
    if skew_s is None:
        return ("clock", "skipped", "the device sends no time")
    if abs(skew_s) > CLOCK_OFF_S:
        return ("clock", "fail", f"the device's clock is off by {skew_s:+.0f} s")
    return ("clock", "pass", f"the device's clock differs by {skew_s:+.0f} s")


async def _name_program(held: HeldDevice, verdict: Verdict, steps: list[_Step]) -> Verdict:
    """Name who holds the device, but only a program that runs on this computer."""
    named = await asyncio.to_thread(_program_at, held.presence.ip or "", held.presence.port)
    if named is None:
        return verdict
    steps[:] = [
        (check, result, f"{named} is connected to it" if check == "another_program" else evidence)
        for check, result, evidence in steps
    ]
    return Verdict(
        verdict.connection,
        f"Another program on this computer is connected to it: {named}.",
        f"Close {named}, then try again.",
    )


def _program_at(ip: str, port: int) -> str | None:
    """Name and process id of another process here that is connected to this address."""
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return None
    for connection in connections:
        if connection.pid in (None, os.getpid()) or not connection.raddr:
            continue
        if tuple(connection.raddr) == (ip, port):
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.Error:
                return None
    return None


def _child_verdict(child: Child, held: HeldDevice, verdict: Verdict, steps: list[_Step]) -> Verdict:
    presence = child.presence
    if not held.online:
        return Verdict(Connection.PARENT_DOWN, f"Its gateway: {verdict.sentence}", verdict.next)
    heard = presence.word is Connection.ONLINE
    steps.append(("gateway_hears_it", "pass" if heard else "fail", presence.sentence or "it does"))
    if heard:
        return Verdict(presence.word, "Its gateway hears it.", "Nothing to do.")
    return Verdict(
        presence.word, presence.sentence, "Check its battery and its distance to the gateway."
    )
