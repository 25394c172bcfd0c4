"""The composition root, core half: makes every part, joins them, starts and stops them in order."""

from __future__ import annotations

import getpass
import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.domain.links import LinkSpec
from app.domain.readings import CONNECTION_POINT, Reading
from app.live.values import LiveValues
from app.runtime.clock import Clock
from app.runtime.events import Changed, EventBus
from app.runtime.jobs import JobRunner
from app.runtime.scheduler import Scheduler
from app.secrets.master import MasterKey
from app.secrets.sealing import SiteSealer
from app.services.control import Control
from app.services.diagnosis import Diagnosis
from app.services.directory import Directory
from app.services.editing import Editing
from app.services.history import HistoryService
from app.services.importing import Importing, NewSite
from app.services.locality import Locality
from app.services.observing import Observer
from app.services.people import LocalOwner
from app.services.record_book import RecordBook
from app.services.registry import KINDS, RegistryCache
from app.services.scanning import Scanning
from app.settings.profile import Profile
from app.settings.schema import NetworkSettings, Settings
from app.store.console import ConsoleStore
from app.store.history import HistoryStore

if TYPE_CHECKING:
    from app.lan.link import LanLink
    from app.lan.network import Network

log = logging.getLogger(__name__)

OBSERVE_EVERY_S = 5.0
DEMO_SITE = NewSite("Harbour House")
QUIET_S = 0.4
"""How long readings are watched for the quiet moment at which taking them stops."""


class Recording:
    """The tap from live readings to the history, with an end that falls between two readings.

    A reading on its way at the end would be in the sender's books and not in ours. So the end is
    looked for: readings are set aside for a moment, the widest gap among them becomes the end, and
    what came before it is stored.
    """

    def __init__(self, put: Callable[[Sequence[Reading]], None], clock: Clock) -> None:
        self._put = put
        self._clock = clock
        self._lock = threading.Lock()
        self._aside: list[Sequence[Reading]] | None = None
        self._ended = False
        self.taken = 0
        """Values of data points handed to the history; what the engine itself observes is extra."""

    def tap(self, batch: Sequence[Reading]) -> None:
        """Store a batch; called on the publisher's thread."""
        with self._lock:
            if self._ended:
                return
            if self._aside is not None:
                self._aside.append(batch)
                return
            self._take(batch)

    def end(self) -> int:
        """Take nothing more; returns when the last reading was taken at the latest, UTC ms."""
        began_ms = self._clock.now_ms()
        with self._lock:
            if self._ended:
                return began_ms
            self._aside = []
        threading.Event().wait(QUIET_S)
        with self._lock:
            self._ended = True
            batches, self._aside = self._aside, None
        ended_ms = _quiet_moment(began_ms, self._clock.now_ms(), batches or [])
        taken = [r for batch in batches or [] for r in batch if r.at_ms <= ended_ms]
        if taken:
            self._take(taken)
        return ended_ms

    def _take(self, batch: Sequence[Reading]) -> None:
        self.taken += sum(1 for reading in batch if reading.point != CONNECTION_POINT)
        self._put(batch)


def _quiet_moment(from_ms: int, to_ms: int, batches: Iterable[Sequence[Reading]]) -> int:
    """The middle of the widest gap between readings in [from_ms, to_ms]."""
    times = {reading.at_ms for batch in batches for reading in batch}
    marks = sorted({from_ms, to_ms, *(at for at in times if from_ms <= at <= to_ms)})
    start, end = max(
        itertools.pairwise(marks), key=lambda gap: gap[1] - gap[0], default=(from_ms, to_ms)
    )
    return (start + end) // 2


class Engagement:
    """Which devices the link holds: none at first, then those a command is about, or all.

    What people change, and a change of network, is brought to the link and to the history's routes
    by a job; many changes at once make one round.
    """

    def __init__(self, core: Core, on_secrets: Callable[[Iterable[str]], None]) -> None:
        self._core = core
        self._on_secrets = on_secrets
        self._wanted: set[str] | None = set()
        self._lock = threading.Lock()
        self._round = threading.Lock()
        self._due = False
        self._closed = False

    def engage(self, devices: Iterable[str] | None) -> None:
        """Hold these too, with their gateways; None holds every device from now on."""
        with self._lock:
            if self._wanted is None:
                return
            self._wanted = None if devices is None else self._wanted | set(devices)
        self._bring()

    def on_changed(self, event: Changed) -> None:
        """Records changed: bring it over, soon and on another thread."""
        if event.kinds & KINDS:
            self.renew()

    def on_network(self, network: Network) -> None:
        """The computer moved: sites that are here may be others."""
        log.info("The network changed to %s", ", ".join(network.fingerprint) or "none")
        self.renew()

    def renew(self) -> None:
        """Ask for one round; asked again before it began, it is still one."""
        with self._lock:
            if self._due or self._closed:
                return
            self._due = True
        self._core.jobs.submit("Hold devices", lambda _job: self._renew())

    def close(self) -> None:
        """Ask for nothing more, and wait for a round that is under way."""
        with self._lock:
            self._closed = True
        with self._round:
            pass

    def _renew(self) -> None:
        with self._lock:
            self._due = False
            if self._closed:
                return
        self._bring()

    def _bring(self) -> None:
        with self._round:
            if self._closed:
                return
            core = self._core
            # Routes first: a device that connects at once finds its place in the history.
            core.history.set_routes(core.directory.routes())
            if core.link is None or self._wanted == set():
                return
            specs = core.directory.specs()
            self._on_secrets(spec.key.decode("latin-1") for spec in specs if spec.key)
            core.link.hold(self._chosen(specs))

    def _chosen(self, specs: Sequence[LinkSpec]) -> list[LinkSpec]:
        wanted = self._wanted
        if wanted is None:
            return list(specs)
        wanted = wanted | {spec.parent for spec in specs if spec.device in wanted and spec.parent}
        return [spec for spec in specs if spec.device in wanted]


@dataclass(slots=True)
class Core:
    """Every part of the program without its window. Seen only by those who start it."""

    profile: Profile
    settings: Settings
    clock: Clock
    bus: EventBus
    jobs: JobRunner
    store: ConsoleStore
    history: HistoryStore
    live: LiveValues
    link: LanLink | None
    owner: LocalOwner
    registry: RegistryCache
    locality: Locality
    directory: Directory
    importing: Importing
    editing: Editing
    control: Control
    diagnosis: Diagnosis
    scanning: Scanning
    record_book: RecordBook
    history_service: HistoryService
    recording: Recording
    observer: Observer
    scheduler: Scheduler
    has_window: bool = False
    _engagement: Engagement | None = field(default=None, repr=False)
    _undo: ExitStack = field(default_factory=ExitStack, repr=False)

    def own(self, engagement: Engagement, opened: ExitStack) -> None:
        """Take over what `build_core` made together with it, and what it opened."""
        self._engagement = engagement
        self._undo = opened

    def start(self) -> None:
        """Start what `build_core` made over the open stores, the link last.

        Raises:
            EnvironmentLacks: a part cannot start here; what was started is stopped again.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        engagement = self._engagement
        assert engagement is not None
        self._begin(self.jobs.start, self.jobs.stop)
        self._undo.callback(self.registry.close)
        self._undo.callback(self.locality.close)
        self._undo.callback(self.bus.subscribe(Changed, engagement.on_changed))
        self._undo.callback(self.live.tap("history", self.recording.tap))
        if self.link is not None:
            self.scheduler.every(OBSERVE_EVERY_S, "Keep what was observed", self._observe)
            self._begin(self.scheduler.start, self.scheduler.stop)
            self._begin(self.link.start, self.link.stop)
            self._undo.callback(self.observer.keep, everything=True)
        self._undo.callback(engagement.close)

    def _begin(self, start: Callable[[], None], stop: Callable[[], None]) -> None:
        self._undo.callback(stop)
        start()

    def stop(self) -> None:
        """Stop everything in reverse order; everything received before is committed.

        A part that does not stop well does not keep the others from it, the recorders above all.
        """
        self._undo.close()

    def engage(self, devices: Iterable[str] | None = None) -> None:
        """Hold these devices and their gateways, or all; nothing to do where all are held."""
        assert self._engagement is not None
        self._engagement.engage(devices)

    def stop_taking(self) -> int:
        """Store no more readings; returns the moment of the end, UTC ms. All before is stored."""
        ended_ms = self.recording.end()
        self.history.flush(30.0)
        return ended_ms

    def dropped(self) -> int:
        """Readings that were lost on the way, since the start; 0 unless something is wrong."""
        return self.history.dropped + sum(line.dropped for line in self.live.taps)

    def _observe(self) -> None:
        self.observer.keep()
        self.directory.forget_observed()


def build_core(
    profile: Profile,
    *,
    settings: Settings,
    clock: Clock,
    master: MasterKey,
    with_link: bool = True,
    fast: bool = False,
    on_secrets: Callable[[Iterable[str]], None] = lambda _secrets: None,
) -> Core:
    """Open the two databases, make every part over them and join the parts; then `Core.start`.

    `fast` connects without politeness, for a building that is simulated. `on_secrets` hears of
    device keys as they are opened, so that they can be masked.

    Raises:
        EnvironmentLacks, StoreFault: a database cannot be opened; it is left as it is.
    """
    bus = EventBus()
    store = ConsoleStore(
        profile.console_db,
        key=master.derive("console.db"),
        clock=clock,
        bus=bus,
        sealer=SiteSealer(master),
        outbox_copy=profile.outbox_log,
        blobs=profile.blobs,
    )
    history = HistoryStore(
        profile.history_db, key=master.derive("history.db"), clock=clock, bus=bus
    )
    with ExitStack() as opened:
        store.start()
        opened.callback(store.stop)
        history.start()
        opened.callback(history.stop)
        core = _join(profile, settings, clock, bus, store, history)
        engagement = Engagement(core, on_secrets)
        if with_link:
            core.link = _link(core, settings.network, fast, engagement.on_network)
        core.own(engagement, opened.pop_all())
    return core


def _join(
    profile: Profile,
    settings: Settings,
    clock: Clock,
    bus: EventBus,
    store: ConsoleStore,
    history: HistoryStore,
) -> Core:
    """Make the services over open stores; each gets what it needs by constructor and no more."""
    later = _Later()
    link = later.link
    jobs, live = JobRunner(bus), LiveValues(clock)
    records, open_field = store.records, store.open_field
    owner = LocalOwner(records, store.console_id, _signed_in())
    actor = owner.actor
    registry = RegistryCache(records, clock, bus)
    locality = Locality(records=records, registry=registry, link=link, actor=actor, bus=bus)
    directory = Directory(
        registry=registry,
        locality=locality,
        open_field=open_field,
        link=link,
        live=live,
        observations=history,
    )
    core = Core(
        profile=profile,
        settings=settings,
        clock=clock,
        bus=bus,
        jobs=jobs,
        store=store,
        history=history,
        live=live,
        link=None,
        owner=owner,
        registry=registry,
        locality=locality,
        directory=directory,
        importing=_importing(store, registry, jobs, clock, owner, _first_site(profile, settings)),
        editing=Editing(records=records, registry=registry, directory=directory, actor=actor),
        control=Control(records=records, directory=directory, link=link, jobs=jobs, actor=actor),
        diagnosis=Diagnosis(directory=directory, link=link),
        scanning=Scanning(directory=directory, link=link),
        record_book=RecordBook(
            records=records, registry=registry, directory=directory, actor=actor
        ),
        history_service=HistoryService(directory=directory, history=history, clock=clock),
        recording=Recording(history.put, clock),
        observer=Observer(link=later.link, latest=live.latest, store=history),
        scheduler=Scheduler(clock, jobs, bus),
    )
    later.core = core
    return core


class _Later:
    """What services ask for at the moment they need it, since it is made after them."""

    core: Core

    def link(self) -> LanLink | None:
        return self.core.link


def _link(
    core: Core, network: NetworkSettings, fast: bool, on_network: Callable[[Network], None]
) -> LanLink:
    """The engine, imported only here: most commands never touch the network."""
    from app.lan.link import LanLink  # noqa: PLC0415
    from app.lan.pacing import Politeness  # noqa: PLC0415

    polite = Politeness(
        connects_per_s=network.connects_per_s,
        per_subnet_per_s=network.connects_per_subnet_per_s,
        at_once=network.at_once,
    )
    return LanLink(
        clock=core.clock,
        publish=core.live.publish,
        changed=lambda _devices: None,  # the bus tells
        politeness=Politeness.fast() if fast else polite,
        discovery=network.discovery,
        bus=core.bus,
        on_network_change=on_network,
    )


def _importing(
    store: ConsoleStore,
    registry: RegistryCache,
    jobs: JobRunner,
    clock: Clock,
    owner: LocalOwner,
    site: NewSite,
) -> Importing:
    return Importing(
        records=store.records,
        registry=registry,
        open_field=store.open_field,
        jobs=jobs,
        clock=clock,
        actor=owner.actor,
        site=site,
    )


def _first_site(profile: Profile, settings: Settings) -> NewSite:
    return DEMO_SITE if profile.demo else NewSite(settings.site.name, settings.site.zone)


def _signed_in() -> str:
    """The name of the person who is signed in to this computer."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local owner"
