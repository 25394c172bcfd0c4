"""Writing and reading points: outcomes, refusals, and the journal lines around them."""

import pytest
from fakes.bench import row

from app.domain.errors import DeviceFault, EnvironmentLacks, InvalidRequest, Refused
from app.domain.words import Connection, Outcome
from app.records.kinds import Device
from app.services.values import parse_value


@pytest.fixture
def pump(bench):
    """A device that is online."""
    bench.bring(row())
    bench.link.say("bf01", Connection.ONLINE)
    return bench


def lines(bench):
    device = bench.all(Device)[0]
    return list(reversed(bench.records.notes(device.id)))


def test_a_confirmed_write_is_scaled_both_ways_and_exits_with_0(pump):
    outcome = pump.control.set_now("Pump bf01", "temp_set", 21.5)
    assert pump.link.sent[0].value == 215
    assert outcome.document() == {
        "device": "bf01", "point": "temp_set", "asked": 21.5, "reported": 21.5,
        "outcome": "confirmed", "took_ms": 12.3, "reason": "",
    }  # fmt: skip
    assert outcome.exit_code == 0


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.UNCONFIRMED, 4),
        (Outcome.REJECTED, 4),
        (Outcome.TIMED_OUT, 4),
        (Outcome.OFFLINE, 4),
        (Outcome.REFUSED, 5),
    ],
)
def test_every_other_outcome_shows_what_the_device_reports(pump, outcome, code):
    pump.link.outcome, pump.link.reports = outcome, 180
    done = pump.control.set_now("bf01", "temp_set", 21.5)
    assert (done.exit_code, done.asked, done.reported) == (code, 21.5, 18.0)


def test_the_intent_is_on_disk_before_the_frame_leaves_and_the_outcome_after(pump):
    seen = []
    pump.link.on_send = lambda _command: seen.extend(lines(pump))
    pump.control.set_now("bf01", "switch_1", True)
    assert [dict(note.data).get("outcome") for note in seen] == [None]
    first, second = lines(pump)
    assert (first.event, first.data["asked"], first.data["point"]) == (
        "device.command", True, "switch_1",
    )  # fmt: skip
    assert second.data["outcome"] == "confirmed"
    assert second.data["intent"] == first.operation


def test_a_paused_device_is_refused_and_nothing_is_sent(pump):
    device = pump.all(Device)[0]
    pump.by_person(lambda tx: tx.edit(device, paused=True))
    outcome = pump.control.set_now("bf01", "switch_1", True)
    assert (outcome.outcome, outcome.exit_code, pump.link.sent) == (Outcome.REFUSED, 5, [])
    assert lines(pump)[-1].data["outcome"] == "refused"
    with pytest.raises(Refused):
        pump.control.read_now("bf01")


@pytest.mark.parametrize(
    ("point", "value"),
    [("switch_1", 1), ("temp_set", 99), ("temp_set", "x"), ("mode", "off"), ("cur_power", 1)],
)
def test_a_value_the_point_does_not_take_is_refused_before_anything_is_written(pump, point, value):
    with pytest.raises(InvalidRequest):
        pump.control.set_now("bf01", point, value)
    assert pump.link.sent == []
    assert lines(pump) == []


def test_a_point_the_mapping_does_not_know_can_be_written_by_number(pump):
    pump.control.set_now("bf01", "dp:101", "go")
    assert (pump.link.sent[0].dp, pump.link.sent[0].value) == ("101", "go")


def test_the_window_gets_a_future_for_the_same_outcome(pump):
    assert pump.control.set("bf01", "switch_1", False).result(10).outcome is Outcome.CONFIRMED
    with pytest.raises(InvalidRequest):
        pump.control.set("bf01", "nothing", False).result(10)


def test_a_device_that_is_being_connected_is_waited_for(bench):
    bench.bring(row())
    bench.link.say("bf01", Connection.CONNECTING)
    looked = []

    class Slow(type(bench.link)):
        def states(self):
            looked.append(1)
            if len(looked) == 3:
                self.say("bf01", Connection.ONLINE)
            return super().states()

    bench.link.__class__ = Slow
    assert bench.control.set_now("bf01", "switch_1", True).outcome is Outcome.CONFIRMED
    assert len(looked) >= 3


def test_without_a_link_the_sentence_says_what_to_start(bench):
    bench.bring(row())
    bench.link = None
    with pytest.raises(EnvironmentLacks):
        bench.control.set_now("bf01", "switch_1", True)


def test_reading_afresh_shows_scaled_points(pump):
    pump.link.answers = (("19", 623), ("1", True), ("connection", "online"))
    answer = pump.control.read_now("bf01").document()
    assert [(p["dp"], p["value"], p["unit"]) for p in answer["points"]] == [
        ("19", 62.3, "W"), ("1", True, ""),
    ]  # fmt: skip
    assert (answer["device"], answer["path"]) == ("bf01", "lan")
    one = pump.control.read_now("bf01", "cur_power").document()
    assert [p["code"] for p in one["points"]] == ["cur_power"]


def test_a_device_that_is_away_is_not_asked_and_its_own_sentence_is_given(pump):
    pump.link.say("bf01", Connection.NO_LOCAL_API, sentence="It refuses port 6668.")
    with pytest.raises(DeviceFault) as caught:
        pump.control.read_now("bf01")
    assert (caught.value.code, caught.value.what) == (
        "device.no_local_api", "It refuses port 6668.",
    )  # fmt: skip


def test_an_answer_without_the_asked_point_is_a_fault_of_the_device(pump):
    pump.link.answers = (("1", True),)
    with pytest.raises(DeviceFault):
        pump.control.read_now("bf01", "cur_power")


@pytest.mark.parametrize(
    ("text", "point", "value"),
    [
        ("on", "switch_1", True),
        ("OFF", "switch_1", False),
        ("true", "switch_1", True),
        ("21.5", "temp_set", 21.5),
        ("auto", "mode", "auto"),
        ('"auto"', "mode", "auto"),
        ("1", "mode", "1"),
        ("on", "mode", "on"),
        ("on", "dp:101", True),
        ("hello there", "dp:101", "hello there"),
        ('"on"', "dp:101", "on"),
        ("-3", "dp:101", -3),
    ],
)
def test_values_are_json_bare_words_and_switches(pump, text, point, value):
    device = pump.directory.find("bf01")
    parsed = parse_value(text, pump.directory.point(device, point))
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize("text", ["[1]", "{}", "null", "x" * 5000])
def test_lists_tables_nothing_and_novels_are_no_values(pump, text):
    device = pump.directory.find("bf01")
    with pytest.raises(InvalidRequest):
        parse_value(text, pump.directory.point(device, "temp_set"))
