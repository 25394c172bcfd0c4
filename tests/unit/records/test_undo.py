"""Taking back goes one step further each time, and never over what somebody else has said."""

from __future__ import annotations

import pytest
from fakes.errand import declared
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.field import kind_of
from app.records.fold import change, fold_record
from app.records.operation import Edit, Operation
from app.records.undo import inverse, left_standing, taken_back


@pytest.fixture(scope="module")
def kind():
    with declared() as cls:
        yield kind_of(cls)


def shown(kind, made) -> dict[str, object]:
    return {name: state.value for name, state in fold_record(kind, made).states.items()}


def say(kind, made, **values) -> Operation:
    """The next operation of one console, of somebody who looked at the record as it is."""
    states = fold_record(kind, made).states
    edits = {
        name: change(kind.specs[name], states[name].value, value, states[name].heads)
        for name, value in values.items()
    }
    return operation(len(made) + 1, edits, act="edit" if made else "create")


def operation(n, edits, *, act, undoes=None, console="a") -> Operation:
    return Operation(
        f"{console}:{n}", f"tx-{console}{n}", act, "errand", "r", "s", n, "ann", 1, edits,
        undoes=undoes,
    )  # fmt: skip


def undo(kind, made, undone, only=None) -> Operation:
    taken = inverse(kind, made, frozenset({undone.id}), only)
    assert taken.stale == ()
    return operation(len(made) + 1, taken.fields, act="undo", undoes=undone.id)


steps = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["p", "q", "r"]),
        "label": st.sampled_from(["p", "q", "r"]),
        "tags": st.sets(st.sampled_from("xyz")),
    },
).filter(bool)


@given(said=st.lists(steps, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_undoing_again_and_again_walks_back_through_every_state(kind, said) -> None:
    made = [say(kind, [], title="made")]
    before = [shown(kind, made)]
    for values in said:
        made.append(say(kind, made, **values))
        before.append(shown(kind, made))
    while len(before) > 1:
        assert shown(kind, made) == before.pop()
        made.append(undo(kind, made, left_standing(kind, made)[-1]))
    assert shown(kind, made) == before[0]
    assert [o.act for o in left_standing(kind, made)] == ["create"]


@given(said=st.lists(steps, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_an_undo_that_is_undone_never_happened(kind, said) -> None:
    made = [say(kind, [], title="made")]
    for values in said:
        made.append(say(kind, made, **values))
    before = shown(kind, made)
    made.append(undo(kind, made, made[-1]))
    made.append(undo(kind, made, made[-1]))
    assert shown(kind, made) == before
    assert len(left_standing(kind, made)) == len(said) + 1


def test_one_field_goes_back_and_the_other_can_follow(kind) -> None:
    made = [say(kind, [], title="one", label="L1")]
    made.append(say(kind, made, title="two", label="L2"))
    made.append(undo(kind, made, made[1], {"title"}))
    assert taken_back(kind, made) == {"a:2": {"title"}, "a:3": {"title"}}
    assert (shown(kind, made)["title"], shown(kind, made)["label"]) == ("one", "L2")
    made.append(undo(kind, made, made[1]))
    assert (shown(kind, made)["title"], shown(kind, made)["label"]) == ("one", "L1")


def test_what_was_said_after_an_undo_is_not_taken_back_with_what_came_before_it(kind) -> None:
    made = [say(kind, [], title="one")]
    made.append(say(kind, made, title="two"))
    made.append(say(kind, made, title="three"))
    made.append(undo(kind, made, made[2]))
    made.append(operation(1, {"title": Edit("other", ("a:4",))}, act="edit", console="b"))
    assert inverse(kind, made, frozenset({"a:2"})).stale == ("title",)


def test_what_another_said_unseen_is_shown_once_the_other_is_undone(kind) -> None:
    made = [say(kind, [], label="L1")]
    made.append(say(kind, made, label="L2"))
    made.append(operation(1, {"label": Edit("L3", ("a:1",))}, act="edit", console="b"))
    made.append(undo(kind, made, made[1]))
    state = fold_record(kind, made).states["label"]
    assert (state.value, state.also) == ("L3", ())


def test_a_deletion_put_back_by_undo_knows_the_edits_before_it(kind) -> None:
    made = [say(kind, [], title="one")]
    deletion = operation(2, {"deleted": Edit(True, ("a:1",))}, act="delete")
    made.append(deletion)
    made.append(operation(3, {"deleted": Edit(False, ("a:2",))}, act="restore"))
    made.append(operation(4, {"title": Edit("two", ("a:1",))}, act="edit"))
    made.append(undo(kind, made, made[2]))
    state = fold_record(kind, made).states["deleted"]
    assert (state.value, state.asks) == (True, False)
