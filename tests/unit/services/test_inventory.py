"""Inventories in every state a file can be in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ConsoleError, InvalidRequest
from app.domain.points import parse_mapping
from app.records.operation import canonical
from app.services import inventory
from app.services.inventory import mapping_document, parse_inventory, read_inventory

KEY = "k3y-0123456789ab"
GOOD = {
    "id": "bf01",
    "key": KEY,
    "name": "Pump P-3",
    "ip": "192.168.4.7",
    "version": "3.4",
    "category": "cz",
    "product_id": "abc",
    "mac": "00:11:22:33:44:55",
    "mapping": {"19": {"code": "cur_power", "type": "Integer", "values": {"scale": 1}}},
}


def parsed(*rows):
    return parse_inventory(json.dumps(rows).encode(), "inv.json")


def only_skipped(row):
    found = parsed(row)
    assert not found.devices
    return found.skipped[0].sentence


def test_a_row_of_devices_json_is_read_whole():
    device = parsed(GOOD).devices[0]
    assert (device.row, device.id, device.name) == (1, "bf01", "Pump P-3")
    assert (device.ip, device.port, device.version) == ("192.168.4.7", None, "3.4")
    assert device.key == KEY
    assert parse_mapping(device.mapping, where="")["19"].scale == 1


def test_snapshot_rows_say_ver_and_gwid_and_zero_for_unknown():
    rows = [
        {"gwId": "bf01", "ver": "3.5", "key": KEY, "name": "A", "ip": "10.0.0.4", "dps": {"1": 1}},
        {"id": "bf02", "ver": "0.0", "key": KEY, "name": "B", "ip": 0, "mac": None},
    ]
    found = parse_inventory(json.dumps({"timestamp": 1.5, "devices": rows}).encode(), "s.json")
    assert [(d.id, d.version, d.ip) for d in found.devices] == [
        ("bf01", "3.5", "10.0.0.4"),
        ("bf02", None, None),
    ]


def test_a_sub_device_names_its_gateway_and_its_number_there():
    found = parsed(
        {"id": "gw", "key": KEY, "name": "Gateway"},
        {"id": "a", "name": "Door", "node_id": "n1", "parent": "gw", "key": "", "sub": True},
        {"id": "b", "name": "Leak", "node_id": "n2", "gateway_id": "gw", "sub": True},
    )
    assert [(d.id, d.parent, d.node_id) for d in found.devices[1:]] == [
        ("a", "gw", "n1"),
        ("b", "gw", "n2"),
    ]


def test_a_node_id_alone_does_not_make_a_sub_device():
    assert parsed({**GOOD, "node_id": "x", "sub": False}).devices[0].parent is None


def test_a_byte_order_mark_and_utf16_are_read():
    text = json.dumps([GOOD])
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert parse_inventory(text.encode(encoding), "inv.json").devices[0].id == "bf01"


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "inv.json, character 1"),
        (b"hello", "inv.json, character 1"),
        (b'[{"id": "a",]', "inv.json, character 13"),
        (b'["\xff\xfe"]', "inv.json, byte 3"),
        (b"[" + b"9" * 5000 + b"]", "inv.json"),
    ],
)
def test_what_is_not_json_is_said_with_its_place(content, where):
    with pytest.raises(InvalidRequest) as caught:
        parse_inventory(content, "inv.json")
    assert (caught.value.code, caught.value.where) == ("inventory.not_json", where)


def test_deep_nesting_is_refused_with_a_sentence():
    with pytest.raises(InvalidRequest) as caught:
        parse_inventory(b"[" * 200_000, "inv.json")
    assert caught.value.code == "inventory.too_deep"


@pytest.mark.parametrize("document", [{}, 5, "x", None, True, {"devices": 3}, {"error": "x"}])
def test_json_without_a_list_of_devices_is_no_inventory(document):
    with pytest.raises(InvalidRequest) as caught:
        parse_inventory(json.dumps(document).encode(), "inv.json")
    assert caught.value.code == "inventory.not_an_inventory"


def test_a_file_above_the_limit_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(inventory, "MAX_BYTES", 100)
    file = tmp_path / "inv.json"
    file.write_bytes(b" " * 101)
    with pytest.raises(InvalidRequest) as caught:
        read_inventory(file)
    assert caught.value.code == "inventory.too_large"


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(inventory, "MAX_ROWS", 2)
    with pytest.raises(InvalidRequest) as caught:
        parsed(1, 2, 3)
    assert caught.value.code == "inventory.too_many_rows"


def test_a_missing_file_a_folder_and_an_impossible_name_are_said(tmp_path):
    for path in (tmp_path / "none.json", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(InvalidRequest):
            read_inventory(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": None}, "no id"),
        ({"id": 5}, "not a Tuya device id"),
        ({"id": "a b"}, "not a Tuya device id"),
        ({"key": "short"}, "5 characters"),
        ({"key": 12}, "not text"),
        ({"key": "0123456789abcde\n"}, "no local key has"),
        ({"ip": "300.1.1.1"}, "not an IPv4 address"),
        ({"ip": "::1"}, "not an IPv4 address"),
        ({"ip": 7}, "not an IPv4 address"),
        ({"ip": "239.1.1.1"}, "one device"),
        ({"port": 70000}, "port"),
        ({"port": float("nan")}, "port"),
        ({"port": True}, "port"),
        ({"name": ["x"]}, "name is a list"),
        ({"place": {"a": 1}}, "place"),
        ({"place": [1]}, "place"),
        ({"parent": "bf01", "node_id": "x"}, "itself"),
        ({"parent": "gw"}, "node_id"),
        ({"parent": 9, "node_id": "x"}, "gateway's id"),
        ({"parent": "gw", "node_id": {}}, "node_id"),
        ({"sub": True, "parent": ""}, "which gateway"),
    ],
)
def test_a_row_that_cannot_be_is_skipped_with_a_sentence(change, said):
    assert said in only_skipped({**GOOD, **change})


@pytest.mark.parametrize("row", [None, 5, 2.5, "x", [], True])
def test_a_row_that_is_no_table_is_skipped(row):
    assert "not a device" in only_skipped(row)


def test_the_second_row_of_an_id_is_skipped_and_the_first_is_named():
    found = parsed(GOOD, {**GOOD, "name": "Other"})
    assert found.devices[0].name == "Pump P-3"
    assert found.skipped[0].sentence == "Row 1 has the same id; that one is used."


def test_a_sub_device_of_a_sub_device_is_skipped():
    found = parsed(
        {"id": "gw", "key": KEY},
        {"id": "a", "parent": "gw", "node_id": "1"},
        {"id": "b", "parent": "a", "node_id": "2"},
    )
    assert [row.id for row in found.skipped] == ["b"]


def test_what_is_beside_the_point_is_left_out_with_a_note():
    device = parsed(
        {**GOOD, "version": "9.9", "mapping": {"switch": {"code": "x"}, "1": {"code": "y"}, "2": 5}}
    ).devices[0]
    assert device.version is None
    assert list(device.mapping) == ["1"]
    assert len(device.notes) == 2
    assert "left out" in parsed({**GOOD, "mapping": [1]}).devices[0].notes[0]


def test_a_mapping_nested_deeper_than_anything_real_costs_only_its_row():
    for depth in range(700, 1000, 7):
        nested = "[" * depth + "]" * depth
        text = f'[{{"id": "a", "key": "{KEY}", "mapping": {{"1": {nested}}}}}, {json.dumps(GOOD)}]'
        try:
            found = parse_inventory(text.encode(), "inv.json")
        except InvalidRequest as error:
            assert error.code == "inventory.too_deep"  # noqa: PT017  where it tips depends on us
        else:
            assert found.devices[-1].id == "bf01"


def test_names_lose_control_characters_and_broken_surrogates():
    device = parsed({**GOOD, "name": " a\x00b\n\ud800 c ", "place": "Level 2/ /Room"}).devices[0]
    assert device.name == "a b c"
    assert device.place == ("Level 2", "Room")


def test_no_sentence_and_no_repr_shows_a_key_that_stands_in_the_wrong_column():
    rows = [
        {**GOOD, "ip": KEY},
        {**GOOD, "port": KEY},
        {**GOOD, "key": KEY + "x"},
        {**GOOD, "version": KEY, "id": "ok"},
    ]
    found = parsed(*rows)
    assert KEY not in repr(found)


def test_mappings_read_back_as_they_were():
    raw = {
        "1": {"code": "switch_1", "type": "Boolean", "values": "{}"},
        "2": {"code": "mode", "type": "Enum", "values": '{"range": ["a", "b"]}'},
        "3": {"code": "temp_set", "type": "Integer", "values": {"min": 0, "max": 50.5, "step": 1}},
        "4": {"code": "odd", "type": "strange", "values": None},
        "19": {"code": "cur_power", "type": "Integer", "values": {"unit": "W", "scale": 1}},
    }
    points = parse_mapping(raw, where="")
    assert parse_mapping(mapping_document(points), where="") == points


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
fields = st.sampled_from(
    [
        *("id", "gwId", "key", "name", "ip", "port", "version", "ver", "mapping", "parent"),
        *("node_id", "place", "category", "mac", "sub", "gateway_id", "cid", "product_id"),
    ]
)
hostile_rows = st.lists(
    st.dictionaries(fields, json_values | st.sampled_from([KEY, "bf01", "10.0.0.1", "gw"]))
    | json_values,
    max_size=6,
)


@given(hostile_rows)
def test_no_row_of_any_shape_is_lost_or_breaks_the_reader(rows):
    found = parse_inventory(json.dumps(rows).encode(), "inv.json")
    numbers = [d.row for d in found.devices] + [s.row for s in found.skipped]
    assert sorted(numbers) == list(range(1, len(rows) + 1))
    for device in found.devices:
        canonical([device.name, device.mapping, device.category, device.mac, list(device.place)])
        "".join((device.name, device.category, *device.place)).encode()


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_an_error_with_a_sentence(content):
    try:
        parse_inventory(content, "inv.json")
    except ConsoleError as caught:
        error = caught
    else:
        return
    assert error.what
    assert error.do


@given(
    st.dictionaries(
        st.integers(1, 255).map(str),
        st.fixed_dictionaries({}, optional={
            "code": json_values, "type": st.sampled_from(["Integer", "Enum", "Raw", "q"]),
            "values": json_values | st.fixed_dictionaries({}, optional={
                "unit": json_values, "scale": json_values, "min": json_values, "max": json_values,
                "range": json_values, "step": json_values}),
            "mode": st.sampled_from(["ro", "rw", ""])}),
        max_size=5,
    )
)  # fmt: skip
def test_a_mapping_once_tidied_stays_as_it_is(mapping):
    row = json.loads(json.dumps({**GOOD, "mapping": mapping}))
    tidy = parse_inventory(json.dumps([row]).encode(), "x").devices[0].mapping
    assert mapping_document(parse_mapping(tidy, where="")) == tidy
