"""The model hangs together, the same seed repeats, and the building's options do what they say."""

import json
import threading

import pytest
from fakes.building import running_building
from fakes.tuya_client import TuyaClient, points

from app.domain.errors import ConsoleError
from app.domain.points import parse_mapping
from app.domain.words import Quality
from app.simulator import kinds
from app.simulator.plan import inventory, make_plan
from app.simulator.run import SimulateOptions, demo_faults, seed_of, simulate
from app.simulator.unit import Unit
from app.simulator.world import DAY_S, World

MONDAY_S = 1_790_000_000 // DAY_S * DAY_S - (int(1_790_000_000 // DAY_S) + 3) % 7 * DAY_S


def day(mean_c, until_h=15.0):
    world = World(7, MONDAY_S, mean_c=mean_c)
    room = world.room("Level 1", "Office 1.01")
    world.step(MONDAY_S + until_h * 3600)
    return world, room


def test_a_warm_day_moves_the_rooms():
    assert day(28.0)[1].temperature_c > day(5.0)[1].temperature_c + 1


def test_people_raise_the_carbon_dioxide_and_leave_at_night():
    assert day(9.0, 11.5)[1].co2_ppm > 600
    _, night = day(9.0, 23.9)
    assert night.occupied < 0.01
    assert night.co2_ppm < day(9.0, 11.5)[1].co2_ppm


def test_heating_valves_open_in_a_cold_room_and_close_in_a_warm_one():
    world, room = day(0.0, 5.0)
    room.setpoint_c = room.temperature_c + 3
    world.step(world.time_s + 1800)
    opened = room.valve
    room.setpoint_c = room.temperature_c - 3
    world.step(world.time_s + 1800)
    assert opened > 0.5 > room.valve


def test_the_same_seed_repeats_and_another_differs():
    def story(seed):
        world = World(seed, MONDAY_S)
        room = world.room("Ground", "Office 0.01")
        world.step(MONDAY_S + DAY_S)
        return room.temperature_c, room.co2_ppm, world.outside_c

    assert story(3) == story(3) != story(4)
    one, same, other = (inventory(make_plan(60, 4, seed=seed)) for seed in (5, 5, 6))
    assert one == same != other


def test_a_pump_that_runs_draws_power_and_its_meter_adds_up():
    world = World(1, MONDAY_S)
    pump = Unit("pump", "P-1", kinds.PUMP, world.room("Basement", "Plant room"))
    chance = world._random
    before = pump.sample(world, chance)
    pump.step(world, 3600)
    assert before["19"] > 5000
    assert pump.sample(world, chance)["17"] > before["17"] + 500
    assert pump.write({"1": False})
    assert pump.sample(world, chance)["19"] == 0


def test_what_a_device_measures_nobody_can_set():
    world = World(1, MONDAY_S)
    pump = Unit("pump", "P-1", kinds.PUMP, world.room("Basement", "Plant room"))
    assert pump.write({"19": 1})
    assert pump.dps["19"] != 1


def test_switching_a_pump_off_over_the_network_lets_its_power_fall():
    with running_building(8, versions=("3.4",)) as building:
        row = next(row for row in building.devices if "pump" in row["name"])
        with TuyaClient(row) as client:
            assert points(client.query())["19"] > 0
            client.control({"1": False})
            while points(client.push(10)).get("19") != 0:
                pass


def test_every_value_fits_its_exported_mapping_and_every_name_is_unique():
    with running_building(100, 4) as building:
        state = building.state()["devices"]
        for row in building.devices:
            specs = parse_mapping(row["mapping"], where=row["id"])
            for dp, value in state[row["id"]]["dps"].items():
                assert specs[dp].judge(value) is Quality.GOOD, (row["name"], dp, value)
        names = [row["name"] for row in building.rows]
        assert len(set(names)) == len(names)
        assert {row["version"] for row in building.devices} == {"3.1", "3.3", "3.4", "3.5"}
        assert all(len(row["place"]) == 2 for row in building.rows)
        assert building.ready["gateways"] == 4
        assert building.ready["sub_devices"] == len(building.children) == 32


def test_the_demo_has_one_of_each_trouble_and_sleepers():
    with running_building(60, 3, "demo") as building:
        assert all(len(devices) == 1 for devices in building.ready["faulty"].values())
        assert building.ready["sleepy"]
        (wrong,) = building.ready["faulty"]["wrong_key"]
        assert "wrong_key" in building.device_state(wrong)["faults"]
        (silent,) = building.ready["faulty"]["silent"]
        assert not building.device_state(silent)["listening"]
    assert len({fault.device for fault in demo_faults(make_plan(60, 3))}) == 6


def test_without_faults_every_device_is_awake_and_healthy():
    with running_building(60, 3) as building:
        assert building.ready["faulty"] == {name: [] for name in building.ready["faulty"]}
        assert all(each["listening"] for each in building.state()["devices"].values())


def test_a_file_of_faults_is_kept_to_its_times(tmp_path):
    device = make_plan(4, 0).devices[1].id
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([{"device": device, "fault": "held", "on": True, "after_s": 0.3}]))
    with running_building(4, faults=str(path)) as building:
        assert building.device_state(device)["faults"] == []
        waited = threading.Event()
        waited.wait(0.7)
        assert building.device_state(device)["faults"] == ["held"]


@pytest.mark.parametrize(
    "options",
    [
        {"devices": 0},
        {"devices": 3, "gateways": 4},
        {"net": 300},
        {"speed": 0},
        {"push_every_s": -1.0},
        {"faults": "no such file"},
    ],
)
def test_options_that_cannot_be_are_refused_with_a_sentence(options):
    with pytest.raises(ConsoleError) as refused:
        simulate(SimulateOptions(**{"gateways": 0, **options}), print, for_s=0.1)
    assert refused.value.what.endswith(".")
    assert refused.value.do


def test_two_buildings_take_different_networks_and_a_taken_one_is_refused():
    with running_building(2) as one, running_building(2) as two:
        assert one.net != two.net
        with pytest.raises(ConsoleError), running_building(2, net=one.net):
            pass


def test_it_says_ready_first_and_a_summary_last_and_leaves_no_file(tmp_path):
    said = []
    export = tmp_path / "building.json"
    options = SimulateOptions(devices=3, gateways=1, export=export)
    assert simulate(options, said.append, for_s=0.2) == 0
    assert said[0]["ready"] is True
    assert said[-1]["summary"] is True
    assert said[0]["inventory"] == str(export)
    assert len(json.loads(export.read_text("utf-8"))) == 11


def test_buildings_side_by_side_have_other_devices_unless_a_seed_is_asked_for():
    assert len({seed_of(net) for net in range(1, 251)}) == 250
    with (
        running_building(2, seed=None) as one,
        running_building(2, seed=None) as other,
    ):
        assert one.net != other.net
        assert {row["id"] for row in one.rows}.isdisjoint(row["id"] for row in other.rows)
