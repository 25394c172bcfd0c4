"""Series by device and point: scaled, with unit and span."""

import pytest
from fakes.bench import row

from app.domain.errors import InvalidRequest
from app.domain.readings import Reading

T0 = 1_790_000_000_000


@pytest.fixture
def recorded(bench):
    """Three power readings and two connection words of one device."""
    bench.bring(row())
    bench.history.set_routes(bench.directory.routes())
    bench.history.put(
        [Reading("bf01", "19", raw, T0 + n * 1000) for n, raw in enumerate((10, 20, 45))]
    )
    bench.history.put([Reading("bf01", "connection", "online", T0)])
    bench.clock.advance(60)
    return bench.history_service


def test_raw_readings_are_scaled_and_carry_quality_and_path(recorded, bench):
    series = recorded.query("Pump bf01", "cur_power", from_ms=T0, to_ms=T0 + 2_000)
    document = series.document()
    assert document["items"] == [
        [T0 / 1000, 1.0, "good", "lan"], [T0 / 1000 + 1, 2.0, "good", "lan"],
    ]  # fmt: skip
    assert (document["device"], document["point"], document["unit"]) == ("bf01", "cur_power", "W")
    assert document["asset"] == bench.directory.row("bf01").asset
    assert document["step_s"] is None


def test_the_last_24_hours_are_meant_where_nothing_is_said(recorded):
    assert len(recorded.query("bf01", "dp:19").items) == 3


def test_steps_show_min_max_mean_last_and_count(recorded):
    items = recorded.query("bf01", "cur_power", step_s=60).document()["items"]
    assert [item[1:] for item in items] == [[1.0, 4.5, 2.5, 4.5, 3]]


def test_stats_scale_and_say_when(recorded):
    assert recorded.stats("bf01", "cur_power") == {
        "count": 3, "first": "2026-09-21T14:13:20.000Z", "last": "2026-09-21T14:13:22.000Z",
        "min": 1.0, "max": 4.5, "mean": 2.5,
    }  # fmt: skip


def test_connection_words_are_a_series_too(recorded):
    assert recorded.query("bf01", "connection").items[0][1] == "online"
    assert recorded.stats("bf01", "connection")["mean"] is None


def test_a_point_nobody_reported_is_empty(recorded):
    assert recorded.query("bf01", "switch_1").items == ()
    assert recorded.stats("bf01", "switch_1")["count"] == 0


@pytest.mark.parametrize("step_s", [0, -1, float("nan"), 1e-9])
def test_a_step_that_cannot_be_is_refused(recorded, step_s):
    with pytest.raises(InvalidRequest):
        recorded.query("bf01", "cur_power", step_s=step_s)


def test_a_span_that_ends_before_it_begins_is_refused(recorded):
    with pytest.raises(InvalidRequest):
        recorded.query("bf01", "cur_power", from_ms=T0, to_ms=T0)


def test_a_device_without_an_asset_keeps_its_readings_under_its_own_id(bench):
    bench.bring(row())
    from_binding = bench.registry.now().bound["bf01"]
    bench.by_person(lambda tx: tx.delete(from_binding))
    bench.history.set_routes(bench.directory.routes())
    bench.history.put([Reading("bf01", "19", 30, T0)])
    bench.clock.advance(1)
    series = bench.history_service.query("bf01", "dp:19")
    assert series.asset == "device:bf01"
