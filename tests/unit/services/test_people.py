"""The local owner: recorded with the first thing they say, and the only one who acts."""

import pytest
from fakes.bench import row, running_bench

from app.domain.errors import InvalidRequest
from app.records.kinds.person import Person
from app.services.importing import Importing
from app.services.people import LocalOwner


@pytest.fixture
def bench(tmp_path):
    with running_bench(tmp_path) as bench:
        yield bench


def owner_of(bench, name="Maria"):
    return LocalOwner(bench.records, bench.store.console_id, name)


def test_nothing_is_recorded_of_an_owner_who_said_nothing(bench):
    owner_of(bench).check("Maria")
    assert not bench.all(Person)


def test_the_owner_is_recorded_once_with_the_first_thing_they_say(bench):
    for _start in range(2):
        owner = owner_of(bench)
        for _said in range(2):
            bench.records.transact(owner.actor(), lambda tx: tx.note("told", "x", {})).result(10)
    (person,) = bench.all(Person)
    assert (person.id, person.name) == (owner.actor().person, "Maria")
    (created,) = bench.records.history("person", person.id, "name")
    assert created.author == person.id


def test_owners_of_two_consoles_are_two_people(bench):
    one, other = (LocalOwner(bench.records, console, "Maria") for console in ("c1", "c2"))
    assert one.actor().person != other.actor().person


def test_a_history_names_its_author_and_keeps_the_id(bench):
    owner = owner_of(bench)
    Importing(
        records=bench.records, registry=bench.registry, open_field=bench.store.open_field,
        jobs=bench.jobs, clock=bench.clock, actor=owner.actor,
    ).run(bench.write(row()))  # fmt: skip
    item = bench.record_book.history("device", "bf01").document()["items"][0]
    assert (item["author"], item["author_name"]) == (owner.actor().person, "Maria")


@pytest.mark.parametrize("person", ["", " ", "maria", "Maria "])
def test_the_owner_is_known_by_name(bench, person):
    owner_of(bench).check(person)


def test_the_owner_is_known_by_id_and_by_a_later_name(bench):
    owner = owner_of(bench)
    owner.check(owner.actor().person)
    seen = bench.records.get(Person, owner.actor().person)
    while seen is None:
        seen = bench.records.get(Person, owner.actor().person)
    bench.by_person(lambda tx: tx.edit(seen, name="Maria Weber"))
    owner.check("Maria Weber")
    with pytest.raises(InvalidRequest, match="Nobody called 'Maria' is known here"):
        owner.check("Maria")
