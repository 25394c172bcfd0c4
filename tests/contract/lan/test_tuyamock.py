"""The engine against a device written by somebody else, as a process of its own."""

import json
import logging
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from app.domain.links import Command, LinkSpec
from app.domain.words import Connection, Outcome
from app.lan.link import LanLink
from app.lan.pacing import Politeness
from app.runtime.clock import SystemClock

KEY = "thisisarealkey00"
COMBINATIONS = [
    ("3.1", False),
    ("3.2", False),
    ("3.2", True),
    ("3.3", False),
    ("3.3", True),
    ("3.4", False),
    ("3.4", True),
    ("3.5", False),
]
POINTS = {"1": True, "2": 215, "3": "a b"}


@contextmanager
def mock(version, dev22=False, *more):
    arguments = ["--version", version, "--local-key", KEY, "--port", "0"]
    arguments += ["--dps", json.dumps(POINTS), *(["--dev22"] if dev22 else []), *more]
    with subprocess.Popen(
        [sys.executable, "-m", "tuyamock", *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def linked(*specs):
    readings = []
    link = LanLink(
        clock=SystemClock(),
        publish=readings.extend,
        changed=lambda devices: None,
        politeness=Politeness.fast(),
        discovery=False,
    )
    link.start()
    try:
        link.hold(specs)
        yield link, readings
    finally:
        link.stop()


def until(condition, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def word(link, device="d"):
    state = link.states().get(device)
    return state.connection if state is not None else None


def spec(port, version, key=KEY):
    return LinkSpec("d", "s", key.encode(), "127.0.0.1", port, version)


@pytest.mark.parametrize(("version", "dev22"), COMBINATIONS)
def test_connects_reads_writes_by_echo_and_keeps_spaces(version, dev22, caplog):
    caplog.set_level(logging.DEBUG)
    with mock(version, dev22) as port, linked(spec(port, version)) as (link, readings):
        until(lambda: word(link) is Connection.ONLINE)
        answer = link.read("d").result(5)
        assert {r.point: r.value for r in answer.readings} == POINTS
        result = link.send(Command("d", "3", "Hall A lights")).result(5)
        assert (result.outcome, result.reported) == (Outcome.CONFIRMED, "Hall A lights")
        assert ("d", "3", "Hall A lights") in [tuple(r[:3]) for r in readings]
        until(lambda: word(link) is Connection.ONLINE)
        assert KEY not in repr(link.states())
    assert KEY not in caplog.text


@pytest.mark.parametrize("version", ["3.3", "3.4", "3.5"])
def test_an_unknown_version_is_found(version):
    with mock(version) as port, linked(spec(port, None)) as (link, _):
        until(lambda: word(link) is Connection.ONLINE, 25)
        assert link.states()["d"].version == version


def test_a_wrong_key_is_called_that_and_leaks_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    wrong = "x" * 15 + "!"
    with mock("3.5") as port, linked(spec(port, "3.5", wrong)) as (link, _):
        until(lambda: word(link) is Connection.WRONG_KEY, 15)
        evidence = link.examine("d").result(30)
        assert evidence.verdict is Connection.WRONG_KEY
        assert ("key", "fail") in [(s[0], s[1]) for s in evidence.steps]
        told = repr(evidence) + repr(link.states())
    assert wrong not in told + caplog.text


def test_a_device_silent_to_a_wrong_key_is_suspect_and_the_key_is_named_as_a_cause():
    with mock("3.4") as port, linked(spec(port, "3.4", "x" * 16)) as (link, _):
        until(lambda: word(link) is Connection.SUSPECT, 15)
        assert "key" in link.states()["d"].sentence


@pytest.mark.parametrize("mode", ["global", "zero", "echo"])
def test_a_device_that_numbers_its_answers_its_own_way_is_understood(mode):
    with mock("3.4", False, "--seqno-mode", mode) as port, linked(spec(port, "3.4")) as (link, _):
        until(lambda: word(link) is Connection.ONLINE)
        assert link.send(Command("d", "1", False)).result(5).outcome is Outcome.CONFIRMED


def test_a_device_that_ends_is_told_and_one_that_returns_is_found_again():
    with linked() as (link, _):
        with mock("3.3") as port:
            link.hold([spec(port, "3.3")])
            until(lambda: word(link) is Connection.ONLINE)
        until(lambda: word(link) is Connection.NO_LOCAL_API, 20)
        assert link.send(Command("d", "1", True)).result(5).outcome is Outcome.OFFLINE
        with mock("3.3", False, "--port", str(port)):
            until(lambda: word(link) is Connection.ONLINE, 40)
