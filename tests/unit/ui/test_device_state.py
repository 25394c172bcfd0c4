from fakes.window_core import (
    BATTERY,
    NOW_MS,
    POWER,
    STAMP,
    TEMPERATURE,
    building,
    device,
    view,
)
from hypothesis import given
from hypothesis import strategies as st

from app.domain.readings import Reading
from app.domain.words import Connection, Quality
from ui.pages.devices.state import Column, Ledger, make_lines, spoken
from ui.pages.devices.words import Group


def ledger_of(rows):
    ledger = Ledger()
    ledger.replace(make_lines(rows))
    return ledger


def names(ledger):
    return [ledger.line(row).name for row in range(len(ledger.order))]


def test_what_needs_a_person_stands_first():
    ledger = ledger_of(building())
    assert names(ledger)[:3] == [
        "Car park lighting, zone A",
        "Rear door contact",
        "Kitchen extract fan",
    ]
    assert names(ledger)[-2:] == ["Leak sensor, riser 4", "Sump level"]


def test_segments_count_every_device_whatever_the_filter_says():
    ledger = ledger_of(building())
    before = ledger.counts()
    ledger.words = ("kitchen",)
    ledger.arrange()
    assert ledger.counts() == before == (12, 6, 2, 2)
    assert names(ledger) == ["Kitchen extract fan"]


def test_a_segment_shows_its_devices_only():
    ledger = ledger_of(building())
    ledger.group = Group.UNOBSERVED
    ledger.arrange()
    assert sorted(names(ledger)) == ["Sump level", "Weather station"]


def test_filter_words_must_all_be_found_in_any_order():
    ledger = ledger_of(building())
    ledger.words = ("wrong", "door")
    ledger.arrange()
    assert names(ledger) == ["Rear door contact"]


def test_a_live_value_dirties_the_row_of_its_device_only():
    ledger = ledger_of(building())
    row = ledger.row_of("main-incomer")
    fresh = {("main-incomer", "19"): Reading("main-incomer", "19", 99_000, NOW_MS)}
    assert ledger.take(fresh) == {row}
    assert ledger.line(row).headline.text == "9900 W"
    assert ledger.line(row).last_report_ms == NOW_MS
    assert ledger.take({("nobody", "1"): Reading("nobody", "1", 1, NOW_MS)}) == set()


def test_a_value_of_a_filtered_device_is_kept_without_a_row():
    ledger = ledger_of(building())
    ledger.words = ("kitchen",)
    ledger.arrange()
    assert ledger.take({("main-incomer", "19"): Reading("main-incomer", "19", 10, NOW_MS)}) == set()
    assert ledger.find("main-incomer").headline.text == "1.0 W"


def test_fresh_rows_do_not_take_back_a_newer_live_value():
    ledger = ledger_of(building())
    ledger.take({("main-incomer", "19"): Reading("main-incomer", "19", 10, NOW_MS + 50)})
    ledger.replace(make_lines(building()))
    assert ledger.find("main-incomer").headline.text == "1.0 W"


def test_a_clock_set_back_does_not_freeze_a_value():
    ledger = ledger_of(building())
    ledger.take({("main-incomer", "19"): Reading("main-incomer", "19", 10, NOW_MS + 3_600_000)})
    ledger.replace(make_lines(building()))
    assert ledger.find("main-incomer").headline.raw == 118_400


def test_a_point_nobody_mapped_appears_when_it_is_heard():
    ledger = ledger_of([device("Box", points=())])
    ledger.take({("box", "101"): Reading("box", "101", 7, NOW_MS)})
    assert ledger.line(0).points["101"].text == "7"


def test_the_programs_own_measurements_are_not_shown():
    [line] = make_lines([device("Meter", points=(view(POWER, 1), view(STAMP, 5)))])
    assert list(line.points) == ["19"]


def test_a_weak_battery_is_told_and_counts_as_attention():
    [line] = make_lines([device("Sensor", points=(view(TEMPERATURE, 210), view(BATTERY, 9)))])
    assert line.told == ("Battery 9 %, replace it soon", True)
    assert line.attention


def test_a_value_outside_its_range_is_told():
    hot = view(TEMPERATURE, 900, quality=Quality.OUT_OF_RANGE)
    [line] = make_lines([device("Sensor", points=(hot,))])
    assert line.told[0] == "Temperature 90.0 °C is outside its range"


def test_a_device_that_is_not_reached_says_why_rather_than_what_it_last_said():
    [line] = make_lines(
        [device("Sensor", points=(view(BATTERY, 9),), connection=Connection.BUSY, sentence="Why.")]
    )
    assert line.told == ("Why.", False)


def test_sorting_by_reading_keeps_units_together():
    ledger = ledger_of(building())
    ledger.sort = Column.READING
    ledger.arrange()
    units = [
        ledger.line(row).headline.unit if ledger.line(row).headline else None
        for row in range(len(ledger.order))
    ]
    runs = [unit for at, unit in enumerate(units) if at == 0 or units[at - 1] != unit]
    assert len(runs) == len(set(runs))


def test_a_cell_can_be_read_aloud():
    ledger = ledger_of(building())
    line = ledger.find("weather-station")
    said = [spoken(line, column, NOW_MS) for column in Column]
    assert said == [
        "Gateway down",
        "Weather station, Roof. Its gateway Roof gateway is silent since 08:50.",
        "Temperature 7.1 °C",
        "None",
        "51 min ago",
    ]


@given(
    st.sampled_from(list(Column)),
    st.booleans(),
    st.sampled_from(list(Group)),
    st.sampled_from(["", "level", "plant room", "zzz"]),
)
def test_every_order_shows_each_matching_device_once(column, descending, group, words):
    ledger = Ledger()
    ledger.sort, ledger.descending, ledger.group = column, descending, group
    ledger.words = tuple(words.split())
    ledger.replace(make_lines(building(30)))
    assert len(set(ledger.order)) == len(ledger.order)
    for row in range(len(ledger.order)):
        line = ledger.line(row)
        assert ledger.row_of(line.device) == row
        assert all(word in line.haystack for word in ledger.words)
