"""A site: one building or campus, with its time zone and the network it is reached on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.records.field import Record, ask, auto, record


@record("site")
@dataclass(frozen=True, kw_only=True)
class Site(Record):
    """Where records belong. A record's site never changes; a site's own `site` is its id.

    `zone` is an IANA name. `network` is the fingerprint of the network the site's devices were
    reached on, a list of texts, None until they were.
    """

    name: str = auto("", required=True, search=True)
    zone: str = ask("UTC")
    network: Sequence[str] | None = auto(None)
