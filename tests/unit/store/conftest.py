"""A running store of its own for each test."""

from __future__ import annotations

import pytest
from fakes.console_store import do, opened

from app.records.kinds import Site
from app.runtime.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path, clock):
    with opened(tmp_path, clock=clock) as running:
        yield running


@pytest.fixture
def site(store) -> str:
    return do(store, lambda tx: tx.create(Site, "", name="Tower", zone="Europe/Vienna"))
