"""Which sites this computer is at: an address is opened only with keys of its own site."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from app.domain.ports import DeviceLink
from app.domain.words import Connection
from app.records.kinds.site import Site
from app.records.port import Actor, Records, Tx
from app.runtime.events import EventBus, LinksChanged
from app.services.registry import Registry, RegistryCache

log = logging.getLogger(__name__)

SUBNET = "subnet "
"""How a text of a fingerprint begins that names an address range; others name routers."""


class Network(Protocol):
    """What identifies the network the computer is on; empty when it is on none."""

    @property
    def fingerprint(self) -> tuple[str, ...]:
        """Texts such as ``gateway 00:11:22:33:44:55`` and ``subnet 192.168.4.0/24``."""


class SiteLink(DeviceLink, Protocol):
    """A device link that knows the network it stands in."""

    def network(self) -> Network:
        """The network at this moment."""


class Locality:
    """Judges sites against the network, and records the network a site is first reached on."""

    def __init__(
        self,
        *,
        records: Records,
        registry: RegistryCache,
        link: Callable[[], SiteLink | None],
        actor: Callable[[], Actor],
        bus: EventBus,
    ) -> None:
        self._records = records
        self._registry = registry
        self._link = link
        self._actor = actor
        self._asked: set[str] = set()
        self._unsubscribe = bus.subscribe(LinksChanged, self._on_links)

    def close(self) -> None:
        """Hear no more connections."""
        self._unsubscribe()

    def here(self) -> SitesHere:
        """The judgement for the network of this moment."""
        return SitesHere(self._registry.now(), self._fingerprint())

    def _fingerprint(self) -> frozenset[str]:
        link = self._link()
        return frozenset(link.network().fingerprint) if link is not None else frozenset()

    def _on_links(self, event: LinksChanged) -> None:
        """A device came online: its site, if never reached before, is on this network.

        Called on the thread that holds the connections, so it only looks at what is in memory and
        leaves the write to the recorder.
        """
        link = self._link()
        if link is None:
            return
        registry = self._registry.now()
        unreached = {site.id for site in registry.sites.values() if not site.network}
        unreached -= self._asked
        if not unreached:
            return
        fingerprint = self._fingerprint()
        if not fingerprint:
            return
        states = link.states()
        for device in event.devices:
            record, state = registry.devices.get(device), states.get(device)
            if record is None or state is None or record.site not in unreached:
                continue
            if state.connection is Connection.ONLINE and state.ip and not _loopback(state.ip):
                unreached.discard(record.site)
                self._asked.add(record.site)
                self._take(record.site, telling(fingerprint, state.ip))

    def _take(self, site: str, fingerprint: list[str]) -> None:
        def work(tx: Tx) -> None:
            now = tx.get(Site, site)
            if now is not None and not now.network:
                tx.edit(now, network=fingerprint)

        log.info("Site %s is reached for the first time; its network is noted", site)
        self._records.transact(self._actor(), work, reason="First reached on this network")


class SitesHere:
    """Which sites, and which addresses, are on the network of one moment."""

    def __init__(self, registry: Registry, fingerprint: frozenset[str]) -> None:
        self._proved = {
            site.id for site in registry.sites.values() if same(_texts(site.network), fingerprint)
        }
        self._open = {site.id for site in registry.sites.values() if not _texts(site.network)}
        self._claimed = {
            device.ip
            for device in registry.devices.values()
            if device.ip and device.site in self._proved
        }

    def has(self, site: str, ip: str | None) -> bool:
        """True when `ip` of `site` may be opened from here.

        A site never reached may be anywhere, so it is tried, but not at an address that belongs to
        a site known to be here.
        """
        if _loopback(ip):
            return True
        if site in self._proved:
            return True
        return site in self._open and ip not in self._claimed


def telling(fingerprint: frozenset[str], ip: str) -> list[str]:
    """The part of a fingerprint worth keeping for a site one of whose devices is at `ip`.

    Routers' hardware addresses tell networks apart. A range does so only if the device is in it:
    a laptop's virtual machines give it ranges that follow it everywhere.
    """
    kept = {text for text in fingerprint if not text.startswith(SUBNET)}
    kept |= {text for text in fingerprint if text.startswith(SUBNET) and _inside(ip, text)}
    return sorted(kept or fingerprint)


def same(recorded: frozenset[str], now: frozenset[str]) -> bool:
    """Whether two fingerprints are of one network: by routers where both know one, else by range.

    Many networks use the range 192.168.1.0/24, so it counts only where nothing better is known.
    """
    routers = {text for text in recorded if not text.startswith(SUBNET)}
    seen = {text for text in now if not text.startswith(SUBNET)}
    if routers and seen:
        return bool(routers & seen)
    return bool(recorded & now)


def _inside(ip: str, text: str) -> bool:
    try:
        return ipaddress.ip_address(ip) in ipaddress.ip_network(text.removeprefix(SUBNET))
    except ValueError:
        return False


def _texts(network: object) -> frozenset[str]:
    """A site's fingerprint; whatever another console wrote, only texts count."""
    if not isinstance(network, Iterable) or isinstance(network, str | bytes):
        return frozenset()
    return frozenset(text for text in network if isinstance(text, str))


def _loopback(ip: str | None) -> bool:
    if not ip:
        return False
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False
