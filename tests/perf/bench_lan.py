"""Speed of the LAN engine on a building of 1,000 devices that runs as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import statistics
import tempfile
import time
from functools import cache
from pathlib import Path

from fakes.building import building_process
from fakes.engine_room import engine_room, spec_of
from fakes.virtual_time import run_virtual
from tinytuya.core import command_types as CT
from tinytuya.core.message_helper import parse_header, unpack_message
from tinytuya.core.XenonDevice import XenonDevice

from app.domain.links import LinkSpec
from app.domain.words import Connection
from app.lan.engine import LanEngine
from app.lan.link import raise_open_files
from app.lan.pacing import Politeness
from app.live.values import LiveValues
from app.runtime.clock import SystemClock
from app.simulator.plan import make_plan

DEVICES = 1000
WINDOW_S = 8.0
ROUNDS = 3
STAMP = "250"


class Bare(asyncio.Protocol):
    """Frames, decodes with tinytuya, parses JSON; nothing else. The floor the engine is held to."""

    messages = 0

    def __init__(self, spec: LinkSpec) -> None:
        self._device = XenonDevice(
            spec.device, spec.ip, spec.key.decode(), version=float(spec.version or 3.3)
        )
        self._modern = self._device.version >= 3.4
        self._keyed = not self._modern
        self._buffer = b""

    def connection_made(self, transport) -> None:
        self._transport = transport
        first = self._device._negotiate_session_key_generate_step_1() if self._modern else None
        self._send(first or self._device.generate_payload(CT.DP_QUERY))

    def _send(self, payload) -> None:
        self._transport.write(self._device._encode_message(payload))

    def beat(self) -> None:
        self._send(self._device.generate_payload(CT.HEART_BEAT))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 18:
            header = parse_header(self._buffer)
            if len(self._buffer) < header.total_length:
                return
            frame = self._buffer[: header.total_length]
            self._buffer = self._buffer[header.total_length :]
            key = self._device.local_key if self._modern else None
            message = unpack_message(frame, hmac_key=key, header=header)
            if not self._keyed:
                self._send(self._device._negotiate_session_key_generate_step_3(message))
                self._device._negotiate_session_key_generate_finalize()
                self._keyed = True
                self._send(self._device.generate_payload(CT.DP_QUERY))
            elif message.payload:
                self._device._decode_payload(message.payload)
                Bare.messages += 1


async def bare_cpu(specs) -> float:
    """CPU microseconds per message of the bare client."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(32)

    async def connect(spec):
        async with gate:
            return await loop.create_connection(lambda: Bare(spec), spec.ip, spec.port)

    pairs = await asyncio.gather(*(connect(spec) for spec in specs))
    for number, (_, bare) in enumerate(pairs):
        loop.call_later(3 + 8.0 * number / len(pairs), bare.beat)
    await asyncio.sleep(3)
    start, count = time.process_time(), Bare.messages
    await asyncio.sleep(WINDOW_S)
    spent, count = time.process_time() - start, Bare.messages - count
    for transport, _ in pairs:
        transport.close()
    await asyncio.sleep(0.5)
    return spent / count * 1e6


class Held:
    """An engine that holds `specs`, with what a bench wants to know of it."""

    def __init__(self, specs, politeness: Politeness) -> None:
        self.live = LiveValues(SystemClock())
        self.specs, self._politeness = specs, politeness
        self.frames = 0
        self.latency_ms: list[float] = []
        self.stamps: set[tuple[str, int]] = set()
        self.counting = False
        self.ignored: set[str] = set()

    def _publish(self, batch) -> None:
        self.live.publish(batch)
        if self.counting:
            now = time.monotonic_ns()
            for reading in batch:
                if reading.point == STAMP:
                    self.frames += 1
                    self.stamps.add((reading.device, reading.value))
                    if reading.device not in self.ignored:
                        self.latency_ms.append((now - reading.value) / 1e6)

    async def __aenter__(self):
        self.engine = LanEngine(
            clock=SystemClock(),
            publish=self._publish,
            changed=lambda devices: None,
            politeness=self._politeness,
            discovery=False,
        )
        await self.engine.start()
        start = time.monotonic()
        self.engine.hold(self.specs)
        while not self._online():
            assert time.monotonic() - start < 120, "the building did not come online"
            await asyncio.sleep(0.1)
        self.start_s = time.monotonic() - start
        return self

    def _online(self) -> bool:
        return all(s.connection is Connection.ONLINE for s in self.engine.states().values())

    async def __aexit__(self, *_) -> None:
        await self.engine.stop()

    async def window(self, seconds: float) -> tuple[float, float]:
        """(CPU microseconds per message, p99 in ms) over the next seconds."""
        self.frames, self.latency_ms, self.counting = 0, [], True
        start = time.process_time()
        await asyncio.sleep(seconds)
        spent = time.process_time() - start
        self.counting = False
        return spent / max(1, self.frames) * 1e6, percentile(self.latency_ms, 99)


def percentile(values, share) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share / 100))]


def specs_of(building) -> list[LinkSpec]:
    return [spec_of(row) for row in building.devices]


@cache
def thousand() -> dict[str, list[float]]:
    """Three rounds of bare client and engine, in turn, on the same 1,000 devices."""
    raise_open_files()
    found: dict[str, list[float]] = {k: [] for k in ("bare", "cpu", "p99", "start", "dropped")}

    async def rounds(specs, record: Path) -> None:
        for _ in range(ROUNDS):
            found["bare"].append(await bare_cpu(specs))
            async with Held(specs, Politeness.fast()) as held:
                found["start"].append(held.start_s)
                await asyncio.sleep(2)
                began = time.time()
                cpu_us, p99_ms = await held.window(WINDOW_S)
                ended = time.time()
                held.counting = True
                await asyncio.sleep(1)
                found["cpu"].append(cpu_us)
                found["p99"].append(p99_ms)
            await asyncio.sleep(1)
            found["dropped"].append(missing(record, held.stamps, began + 0.2, ended))

    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.jsonl"
        flags = ("--devices", str(DEVICES), "--gateways", "0", "--push-every", "1")
        with building_process(*flags, "--record", str(record)) as building:
            asyncio.run(rounds(specs_of(building), record))
    return found


def missing(record: Path, heard: set, from_s: float, to_s: float) -> int:
    """Pushed stamps of the window that were never published."""
    count = seen = 0
    with record.open("rb") as lines:
        for line in lines:
            if b'"250"' not in line and b":250," not in line:
                continue
            entry = json.loads(line)
            wanted = from_s <= entry["at"] <= to_s and str(entry["dp"]) == STAMP
            seen += wanted
            count += wanted and (entry["device"], entry["value"]) not in heard
    assert seen > DEVICES, "the record is not what this bench expects"
    return count


def cpu_per_message() -> dict:
    found = thousand()
    floor, value = statistics.median(found["bare"]), statistics.median(found["cpu"])
    return {
        "value": value,
        "unit": "us",
        "floor": floor,
        "ratio": value / floor,
        "goal": "<= 1.5x",
        "ok": value / floor <= 1.5,
        "runs": found["cpu"],
    }


def absolute(name: str, unit: str, goal: float, *, strict: bool = False) -> dict:
    runs = thousand()[name]
    value = statistics.median(runs) if name != "dropped" else max(runs)
    ok = value < goal if strict else value <= goal
    return {"value": value, "unit": unit, "goal": goal, "ok": ok, "runs": runs}


def polite_start() -> dict:
    raise_open_files()

    async def once(specs) -> float:
        async with Held(specs, Politeness()) as held:
            return held.start_s

    flags = ("--devices", str(DEVICES), "--gateways", "0", "--push-every", "1")
    with building_process(*flags) as building:
        took_s = asyncio.run(once(specs_of(building)))
    return {"value": took_s, "unit": "s", "goal": 60, "ok": took_s <= 60, "runs": [took_s]}


TROUBLES = ("frozen", "half_frames", "black_hole", "flood")


@contextlib.contextmanager
def black_hole():
    """A device at an address that swallows connection attempts: nobody empties its full queue."""
    with contextlib.ExitStack() as open_sockets:
        server = open_sockets.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        ip, port = server.getsockname()
        yield LinkSpec("black-hole", "s", b"0123456789abcdef", ip, port, version="3.3")


def neighbours() -> dict:
    """The worst p99 of all others under each trouble, against the quiet p99 of the same run."""
    raise_open_files()

    async def once(building, specs, hole) -> tuple[float, dict[str, float]]:
        victim = next(s for s in specs if s.version == "3.4").device
        worst = {}
        async with Held(specs, Politeness.fast()) as held:
            held.ignored = {victim}
            await asyncio.sleep(1)
            quiet = (await held.window(5))[1]
            for trouble in TROUBLES:
                switch(building, held, victim, trouble, True, hole)
                await asyncio.sleep(0.5)
                worst[trouble] = (await held.window(5))[1]
                switch(building, held, victim, trouble, False, hole)
        return quiet, worst

    runs = []
    flags = ("--devices", "300", "--gateways", "0", "--push-every", "1")
    with building_process(*flags) as building, black_hole() as hole:
        specs = specs_of(building)
        for _ in range(ROUNDS):
            runs.append(asyncio.run(once(building, specs, hole)))
            time.sleep(1)
    quiet = statistics.median(q for q, _ in runs)
    value = max(statistics.median(w[t] for _, w in runs) for t in TROUBLES)
    goal = max(2 * quiet, quiet + 10)
    return {
        "value": value,
        "unit": "ms",
        "floor": quiet,
        "ratio": value / quiet,
        "goal": goal,
        "ok": value <= goal,
        "runs": [max(w.values()) for _, w in runs],
    }


def switch(building, held: Held, victim: str, trouble: str, on: bool, hole: LinkSpec) -> None:
    if trouble == "black_hole":
        held.engine.hold([*held.specs, hole] if on else held.specs)
    else:
        building.fault(victim, trouble, on)


def frozen_leaves_online() -> dict:
    async def once() -> list[float]:
        took_s = []
        async with engine_room(make_plan(4, 0, seed=3, net=133)) as room:
            await room.all_online()
            for version in ("3.1", "3.3", "3.4", "3.5"):
                device = room.of_version(version)
                await room.building.switch_fault(device, "frozen", True)
                took_s.append(
                    await room.until(lambda d=device: room.word(d) is not Connection.ONLINE, 60)
                )
        return took_s

    runs = run_virtual(once())
    return {"value": max(runs), "unit": "s", "goal": 30, "ok": max(runs) <= 30, "runs": runs}


BENCHES = {
    "lan_cpu_per_message": cpu_per_message,
    "lan_push_p99_ms": lambda: absolute("p99", "ms", 50, strict=True),
    "lan_dropped": lambda: absolute("dropped", "readings", 0),
    "lan_fast_start_s": lambda: absolute("start", "s", 3),
    "lan_polite_start_s": polite_start,
    "lan_neighbour_p99": neighbours,
    "lan_frozen_leaves_online_s": frozen_leaves_online,
}
