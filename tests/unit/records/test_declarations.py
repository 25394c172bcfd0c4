"""A declaration that contradicts itself fails when it is imported; old operations stay readable."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

import app.records.kinds  # noqa: F401 - declares
from app.records.field import (
    KINDS,
    Record,
    _kind,
    ask,
    auto,
    entry,
    given,
    kind_of,
    record,
    tags,
    transition,
)
from app.records.fold import fold_record
from app.records.kinds import Asset, Remark
from app.records.operation import Edit, Operation, canonical, link, number, upcast


def declare(cls: type) -> None:
    record("contradiction")(dataclass(frozen=True, kw_only=True)(cls))


def test_kinds_of_the_program_are_declared() -> None:
    names = {"site", "place", "asset", "device", "binding", "tag", "person", "remark"}
    assert names <= set(KINDS)
    assert kind_of(Asset).name == "asset"
    assert kind_of(Remark).entry_of == ("asset", "device")


def test_a_field_without_a_merge_rule_is_refused() -> None:
    class Loose(Record):
        title: str = ""

    with pytest.raises(TypeError, match=r"contradiction\.title does not say how it merges"):
        declare(Loose)


def test_an_initial_value_of_another_type_is_refused() -> None:
    class Wrong(Record):
        count: int = auto("none")

    with pytest.raises(TypeError, match=r"contradiction\.count: its initial value"):
        declare(Wrong)


def test_states_without_a_row_are_refused() -> None:
    class Loose(Record):
        status: str = transition({"open": ("closed",)}, "open")

    with pytest.raises(TypeError, match="states without a row"):
        declare(Loose)


def test_a_sealed_field_cannot_be_searched() -> None:
    class Leaky(Record):
        code: str | None = ask(None, sealed=True, search=True)

    with pytest.raises(TypeError, match="a sealed field is text, neither searched nor indexed"):
        declare(Leaky)


def test_a_type_a_column_cannot_hold_is_refused() -> None:
    class Odd(Record):
        when: complex = auto(0j)

    with pytest.raises(TypeError, match="is not a type a record can hold"):
        declare(Odd)


def test_tags_are_a_tuple_of_words() -> None:
    class Odd(Record):
        words: str = tags()

    with pytest.raises(TypeError, match="tags are"):
        declare(Odd)


def test_a_taken_name_and_a_second_declaration_are_refused() -> None:
    class Taken(Record):
        seen: Any = auto(None)

    with pytest.raises(TypeError):
        declare(Taken)

    class Twice(Record):
        name: str = auto("")

    with pytest.raises(TypeError, match="declared twice"):
        record("asset")(dataclass(frozen=True, kw_only=True)(Twice))


def test_an_entry_holds_only_what_is_given_and_says_what_it_is_about() -> None:
    class Editable(Record):
        about: str = given("")
        text: str = auto("")

    with pytest.raises(TypeError, match="`given` belongs to entries"):
        entry("loose_entry", of=(Asset,))(dataclass(frozen=True, kw_only=True)(Editable))

    class Homeless(Record):
        text: str = given("")

    with pytest.raises(TypeError, match="says what it is about"):
        entry("loose_entry", of=(Asset,))(dataclass(frozen=True, kw_only=True)(Homeless))


def test_a_rename_reads_old_operations_without_rewriting_them() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Renamed(Record):
        title: str = auto("")

    kind = _kind("renamed", Renamed, 2, {"subject": "title"}, None, ())
    old = Operation(
        "a:1", "t", "create", "renamed", "r", "s", 1, "ann", 1, {"subject": Edit("Pump")}
    )
    assert fold_record(kind, [old]).states["title"].value == "Pump"
    assert '"subject"' in old.body()


def test_an_upcast_gives_old_operations_todays_meaning() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Metric(Record):
        length_m: float = auto(0.0)

    def metres(schema: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"length_m": fields["length_ft"] * 0.3048} if schema < 2 else fields

    kind = _kind("metric", Metric, 2, {}, metres, ())
    old = Operation(
        "a:1", "t", "create", "metric", "r", "s", 1, "ann", 1, {"length_ft": Edit(10, ("b:4",))}
    )
    assert upcast(kind, old).fields == {"length_m": Edit(3.048, ("b:4",))}


def test_headers_that_joining_would_confuse_differ() -> None:
    def op(tx: str, act: str) -> Operation:
        return Operation("a:1", tx, act, "k", "r", "s", 1, "p", 1, {})

    one, two = op("t|x", "y").header(1), op("t", "x|y").header(1)
    assert one != two
    assert link(bytes(32), one, bytes(32)) != link(bytes(32), two, bytes(32))


def test_canonical_json_has_one_spelling() -> None:
    assert canonical({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'
    with pytest.raises(ValueError):
        canonical(float("nan"))


def test_numbers_of_shared_and_local_lines_are_read() -> None:
    assert number("c:12") == ("c", 12)
    assert number("c:L7") == ("c", 7)


def test_the_pure_half_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; before = set(sys.modules); import app.records.kinds, app.records.port,"
        " app.records.fold, app.records.query;"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'app'}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
