"""The services over real stores in a folder, with a link whose devices do what a test says."""

from __future__ import annotations

import json
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

from app.domain.links import Answer, CommandResult, LinkEvidence, LinkState, Sighting
from app.domain.readings import Reading
from app.domain.words import Connection, Outcome, Path
from app.live.values import LiveValues
from app.records.port import Actor
from app.runtime.clock import ManualClock
from app.runtime.events import EventBus, LinksChanged
from app.runtime.jobs import JobRunner
from app.secrets.master import MasterKey
from app.secrets.sealing import SiteSealer
from app.services.control import Control
from app.services.diagnosis import Diagnosis
from app.services.directory import Directory
from app.services.editing import Editing
from app.services.history import HistoryService
from app.services.importing import Importing
from app.services.locality import Locality
from app.services.record_book import RecordBook
from app.services.registry import RegistryCache
from app.store.console import ConsoleStore
from app.store.history import HistoryStore

KEY = "k3y-0123456789ab"
OWNER = Actor("owner", "Owner")


@dataclass
class ScriptedLink:
    """Holds nothing; answers what it was told to, and keeps what it was asked."""

    known: dict = field(default_factory=dict)
    fingerprint: tuple = ()
    sent: list = field(default_factory=list)
    outcome: Outcome = Outcome.CONFIRMED
    reports: object = None
    answers: tuple = ()
    on_send: object = None

    def say(self, device, connection, **more):
        self.known[device] = LinkState(device, connection, 1_000, **more)

    def hold(self, specs):
        self.held = tuple(specs)

    def states(self):
        return dict(self.known)

    def network(self):
        return SimpleNamespace(fingerprint=self.fingerprint)

    def send(self, command):
        self.sent.append(command)
        if self.on_send is not None:
            self.on_send(command)
        reported = command.value if self.outcome is Outcome.CONFIRMED else self.reports
        return _done(
            CommandResult(command.device, command.dp, command.value, self.outcome, reported, 12.3)
        )

    def read(self, device, dps=()):
        readings = tuple(Reading(device, dp, value, 2_000) for dp, value in self.answers)
        return _done(Answer(device, Path.LAN, readings))

    def scan(self, cidr=None):
        self.scanned = cidr
        return _done(
            [Sighting("bf01", "10.0.0.9", "3.4", "p", 1), Sighting("x", "10.0.0.8", None, None, 1)]
        )

    def examine(self, device):
        steps = (("reachability", "pass", "It answers."),)
        return _done(LinkEvidence(device, Connection.ONLINE, "It is fine.", "Nothing.", steps))


def _done(value):
    future = Future()
    future.set_result(value)
    return future


class Bench(SimpleNamespace):
    """Everything of a core that services need, by the names the core gives it."""

    def write(self, *rows, name="inv.json"):
        """An inventory file of these rows."""
        path = self.folder / name
        path.write_text(json.dumps(rows))
        return path

    def bring(self, *rows):
        """Import these rows."""
        return self.importing.run(self.write(*rows))

    def engage(self, devices=None):
        self.engaged = devices

    def all(self, kind):
        return self.store.records.all(kind)

    def by_person(self, work):
        """What a person changes, by hand."""
        return self.store.records.transact(OWNER, work).result(10)

    def tell(self, *devices):
        self.bus.publish(LinksChanged(frozenset(devices)))


@contextmanager
def running_bench(folder):
    """Stores, job pool and services, started and stopped."""
    clock, bus = ManualClock(), EventBus()
    store = ConsoleStore(
        folder / "console.db", key=None, clock=clock, bus=bus,
        sealer=SiteSealer(MasterKey.random()), outbox_copy=folder / "outbox.log",
    )  # fmt: skip
    history = HistoryStore(folder / "history.db", key=None, clock=clock, bus=bus)
    jobs, live, link = JobRunner(bus), LiveValues(clock), ScriptedLink()
    store.start()
    history.start()
    jobs.start()
    records = store.records
    bench = Bench(
        folder=folder, clock=clock, bus=bus, store=store, history=history, jobs=jobs, live=live,
        link=link, records=records,
    )  # fmt: skip

    def ask():
        return bench.link

    def actor():
        return OWNER

    bench.owner = SimpleNamespace(actor=actor)
    bench.registry = RegistryCache(records, clock, bus)
    bench.locality = Locality(
        records=records, registry=bench.registry, link=ask, actor=actor, bus=bus
    )
    bench.directory = Directory(
        registry=bench.registry, locality=bench.locality, open_field=store.open_field, link=ask,
        live=live, observations=history,
    )  # fmt: skip
    bench.importing = Importing(
        records=records, registry=bench.registry, open_field=store.open_field, jobs=jobs,
        clock=clock, actor=actor,
    )  # fmt: skip
    bench.control = Control(
        records=records, directory=bench.directory, link=ask, jobs=jobs, actor=actor
    )
    bench.editing = Editing(
        records=records, registry=bench.registry, directory=bench.directory, actor=actor
    )
    bench.diagnosis = Diagnosis(directory=bench.directory, link=ask)
    bench.record_book = RecordBook(
        records=records, registry=bench.registry, directory=bench.directory, actor=actor
    )
    bench.history_service = HistoryService(directory=bench.directory, history=history, clock=clock)
    try:
        yield bench
    finally:
        jobs.stop()
        bench.locality.close()
        bench.registry.close()
        history.stop()
        store.stop()


def row(device="bf01", **more):
    """An inventory row of a socket that measures power."""
    good = {
        "id": device,
        "key": KEY,
        "name": f"Pump {device}",
        "ip": f"127.9.0.{int(device[-2:]) if device[-2:].isdigit() else 99}",
        "version": "3.4",
        "category": "cz",
        "mapping": {
            "1": {"code": "switch_1", "type": "Boolean", "values": "{}"},
            "9": {"code": "mode", "type": "Enum", "values": {"range": ["auto", "1"]}},
            "19": {
                "code": "cur_power",
                "type": "Integer",
                "values": {"unit": "W", "min": 0, "max": 50000, "scale": 1},
            },
            "20": {
                "code": "temp_set",
                "type": "Integer",
                "values": {"unit": "℃", "min": 50, "max": 350, "scale": 1},
            },
        },
    }
    return {**good, **more}
