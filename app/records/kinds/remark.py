"""A remark on an asset or a device: said once by one person, withdrawn at most."""

from __future__ import annotations

from dataclasses import dataclass

from app.records.field import Record, entry, given
from app.records.kinds.asset import Asset
from app.records.kinds.device import Device


@entry("remark", of=(Asset, Device))
@dataclass(frozen=True, kw_only=True)
class Remark(Record):
    """`about` is the id of the record. Who said it and when is in its operation."""

    about: str = given("", required=True, index=True)
    text: str = given("", required=True, search=True)
