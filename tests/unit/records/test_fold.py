"""A record is the fold of a set of operations."""

from __future__ import annotations

from itertools import pairwise

import pytest
from fakes.errand import declared
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.field import kind_of
from app.records.fold import EDITED, as_of, fold_record
from app.records.operation import Edit, Operation, read_operation
from app.records.undo import inverse

WORDS = ("x", "y", "z")
NAMES = ("title", "label", "tags", "deleted")


@pytest.fixture(scope="module")
def kind():
    with declared() as cls:
        yield kind_of(cls)


def operation(n: int, console: str = "a", at: int | None = None, seq=None, **fields) -> Operation:
    edits = {name: edit if isinstance(edit, Edit) else Edit(edit) for name, edit in fields.items()}
    stamp = n if at is None else at
    return Operation(
        f"{console}:{n}", "t", "edit", "errand", "r", "s", stamp, "ann", 1, edits, seq=seq
    )


@st.composite
def histories(draw) -> list[Operation]:
    """Operations of two or three consoles; each has seen any of those made before it."""
    made: list[Operation] = []
    counters = dict.fromkeys("abc", 0)
    for _ in range(draw(st.integers(1, 9))):
        console = draw(st.sampled_from("abc"))
        counters[console] += 1
        earlier = [o.id for o in made]
        fields = {}
        for name in draw(
            st.sets(st.sampled_from(["title", "label", "tags", "deleted"]), min_size=1)
        ):
            seen = tuple(draw(st.sets(st.sampled_from(earlier)))) if earlier else ()
            if name == "tags":
                value = {
                    sign: sorted(words)
                    for sign in "+-"
                    if (words := draw(st.sets(st.sampled_from(WORDS))))
                }
            elif name == "deleted":
                value = draw(st.booleans())
            else:
                value = draw(st.sampled_from(["p", "q", "r"]))
            fields[name] = Edit(value, seen)
        seq = draw(st.none() | st.integers(1, 20))
        at = draw(st.integers(0, 30))
        made.append(operation(counters[console], console, at, seq, **fields))
    return made


@given(data=st.data(), made=histories())
@settings(max_examples=200, deadline=None)
def test_order_and_repetition_of_arrival_do_not_matter(kind, data, made) -> None:
    whole = fold_record(kind, made)
    shuffled = data.draw(st.permutations(made + data.draw(st.lists(st.sampled_from(made)))))
    assert fold_record(kind, shuffled) == whole


@given(data=st.data(), made=histories())
@settings(max_examples=100, deadline=None)
def test_union_of_what_consoles_know_folds_the_same_however_it_is_grouped(kind, data, made) -> None:
    parts = [set(), set(), set()]
    for index in range(len(made)):
        for part in data.draw(st.sets(st.sampled_from([0, 1, 2]), min_size=1)):
            parts[part].add(index)
    one, two, three = ([made[i] for i in sorted(part)] for part in parts)
    assert fold_record(kind, [*one, *two, *three]) == fold_record(kind, [*three, *one, *two])
    assert fold_record(kind, [*one, *two, *three]) == fold_record(kind, made)


@given(made=histories())
@settings(max_examples=100, deadline=None)
def test_no_head_has_been_seen_by_another_operation_of_its_field(kind, made) -> None:
    states = fold_record(kind, made).states
    for name in ("title", "label"):
        seen = {s for o in made if name in o.fields for s in o.fields[name].seen}
        assert not seen & set(states[name].heads)


def test_later_of_two_unseen_edits_is_shown_and_the_other_kept_beside(kind) -> None:
    made = [
        operation(1, title="Pump"),
        operation(2, at=20, title=Edit("Pump 3", ("a:1",))),
        operation(1, "b", at=10, title=Edit("Feed pump", ("a:1",))),
    ]
    state = fold_record(kind, made).states["title"]
    assert (state.value, state.also, state.asks) == ("Pump 3", (("b:1", "Feed pump"),), False)


def test_two_unseen_edits_of_an_ask_field_wait_for_a_person_who_then_decides(kind) -> None:
    made = [operation(1, label="P1"), operation(1, "b", label="P2")]
    folded = fold_record(kind, made)
    assert folded.asks
    decided = operation(2, label=Edit("P2", folded.states["label"].heads))
    state = fold_record(kind, [*made, decided]).states["label"]
    assert (state.value, state.also, state.asks) == ("P2", (), False)


def test_an_added_word_survives_a_removal_that_had_not_seen_it(kind) -> None:
    made = [
        operation(1, tags={"+": ["x"]}),
        operation(1, "b", tags=Edit({"-": ["x"]}, ("a:1",))),
        operation(2, tags={"+": ["x"]}),
    ]
    assert fold_record(kind, made).states["tags"].value == ("x",)
    assert fold_record(kind, made[:2]).states["tags"].value == ()


def test_a_record_deleted_over_an_unseen_edit_stays_in_sight_and_asks(kind) -> None:
    made = [
        operation(1, title="Pump"),
        operation(1, "b", deleted=Edit(True, ("a:1",))),
        operation(2, title=Edit("Pump 3", ("a:1",))),
    ]
    state = fold_record(kind, made).states["deleted"]
    assert state.value is False
    assert state.asks
    assert ("a:2", EDITED) in state.also
    assert fold_record(kind, made[:2]).states["deleted"].value is True


def test_a_refused_operation_leaves_the_fold(kind) -> None:
    made = [operation(1, title="Pump"), operation(2, title=Edit("No", ("a:1",)))]
    refused = read_operation(
        ["a:2", "t", "edit", "errand", "r", "s", 2, "ann", 1], made[1].body(), None, "refused"
    )
    assert fold_record(kind, [made[0], refused]).states["title"].value == "Pump"


def test_the_state_table_is_not_asked_when_folding(kind) -> None:
    made = [operation(1, status="completed"), operation(2, status=Edit("no such", ("a:1",)))]
    assert fold_record(kind, made).states["status"].value == "no such"


def test_undo_gives_back_what_was_shown_before(kind) -> None:
    made = [
        operation(1, title="Pump", tags={"+": ["x"]}),
        operation(2, title=Edit("Fan", ("a:1",)), tags=Edit({"+": ["y"], "-": ["x"]}, ("a:1",))),
    ]
    taken = inverse(kind, made, frozenset({"a:2"}))
    assert taken.stale == ()
    back = fold_record(kind, [*made, operation(3, **taken.fields)]).states
    assert (back["title"].value, back["tags"].value) == ("Pump", ("x",))


def test_undo_names_the_field_that_somebody_changed_since(kind) -> None:
    made = [
        operation(1, title="Pump"),
        operation(2, title=Edit("Fan", ("a:1",))),
        operation(3, title=Edit("Valve", ("a:2",))),
    ]
    assert inverse(kind, made, frozenset({"a:2"})).stale == ("title",)


def test_as_of_is_the_fold_of_what_had_been_said_by_then(kind) -> None:
    made = [operation(n, at=n * 10, title=Edit(f"T{n}", (f"a:{n - 1}",))) for n in range(1, 5)]
    shown = [fold_record(kind, as_of(made, at)).states["title"].value for at in (10, 25, 40)]
    assert shown == ["T1", "T2", "T4"]
    assert all(a.at_us < b.at_us for a, b in pairwise(made))
