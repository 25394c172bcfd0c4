"""Evidence to words, waits between attempts, addresses and versions to try next."""

import random

from hypothesis import given
from hypothesis import strategies as st

from app.domain.links import LinkSpec, Sighting
from app.domain.words import Connection
from app.lan.classify import Place, Trouble, classify
from app.lan.route import BARRED_S, BUSY_WAIT_S, LONGEST_WAIT_S, Backoff, Route


def test_every_trouble_has_a_word_a_sentence_and_a_next_step():
    for trouble in Trouble:
        verdict = classify(trouble, Place("10.0.0.7", 6668, "3.4", 3.0, "lamp"))
        assert verdict.connection in Connection
        assert verdict.sentence.endswith(".")
        assert verdict.next.endswith(".")
        assert "{" not in verdict.sentence + verdict.next


def test_evidence_becomes_the_contracts_words():
    words = {t: classify(t, Place()).connection for t in Trouble}
    assert words[Trouble.REFUSED] is Connection.NO_LOCAL_API
    assert words[Trouble.CLOSED_AT_ONCE] is Connection.BUSY
    assert words[Trouble.KEY_REJECTED] is Connection.WRONG_KEY
    assert words[Trouble.UNREADABLE] is Connection.WRONG_KEY
    assert words[Trouble.OTHER_VERSION] is Connection.WRONG_VERSION
    assert words[Trouble.NO_ANSWER] is Connection.OFFLINE


def test_a_device_that_announces_itself_but_does_not_answer_hints_at_a_firewall():
    assert "firewall" in classify(Trouble.NO_ANSWER, Place("10.0.0.7", heard_s=2)).sentence
    assert "firewall" not in classify(Trouble.NO_ANSWER, Place("10.0.0.7")).sentence


@given(st.integers(0), st.lists(st.sampled_from(list(Trouble)), min_size=1, max_size=40))
def test_waits_stay_between_their_bounds_whatever_happens(seed, troubles):
    backoff = Backoff(random.Random(seed))
    for trouble in troubles:
        assert 1.0 <= backoff.failed(trouble, 0.0) <= LONGEST_WAIT_S * 1.3


def test_waits_double_and_start_again_after_success():
    backoff = Backoff(random.Random(1))
    waits = [backoff.failed(Trouble.NO_ANSWER, 0.0) for _ in range(8)]
    assert waits[0] < 3
    assert waits[-1] > 100
    backoff.reset()
    assert backoff.failed(Trouble.NO_ANSWER, 0.0) < 3


def test_an_announcement_does_not_cut_the_wait_for_a_busy_device_or_a_wrong_key():
    for trouble in (Trouble.CLOSED_AT_ONCE, Trouble.KEY_REJECTED):
        backoff = Backoff(random.Random(1))
        assert backoff.failed(trouble, 0.0) >= BUSY_WAIT_S * 0.7
        assert not backoff.cut_by_sighting(1000.0)


def test_a_device_that_is_heard_is_tried_again_without_hammering_it():
    backoff = Backoff(random.Random(1))
    for _ in range(5):
        backoff.failed(Trouble.NO_ANSWER, 0.0)
    assert not backoff.cut_by_sighting(5.0)
    assert backoff.cut_by_sighting(11.0)


SPEC = LinkSpec("d", "s", b"0123456789abcdef", ip="10.0.0.7", version="3.4")


def seen(ip="10.0.0.7", version="3.4"):
    return Sighting("d", ip, version, None, 0)


def test_an_announced_address_is_a_candidate_and_barred_when_it_proves_nothing():
    route = Route(SPEC)
    first = route.next(seen("10.0.0.66"), 0.0)
    assert (first.ip, first.candidate) == ("10.0.0.66", True)
    assert route.failed(first, Trouble.KEY_REJECTED, seen("10.0.0.66"), 0.0)
    assert route.next(seen("10.0.0.66"), 1.0).ip == "10.0.0.7"
    assert route.next(seen("10.0.0.66"), BARRED_S + 1).ip == "10.0.0.66"
    assert route.ip == "10.0.0.7"


def test_a_proved_candidate_becomes_the_address():
    route = Route(SPEC)
    route.succeeded(route.next(seen("10.0.0.66"), 0.0))
    assert route.next(None, 0.0).ip == "10.0.0.66"


def test_the_announced_version_is_tried_once_after_the_records_fails():
    route = Route(SPEC)
    told = seen(version="3.3")
    first = route.next(told, 0.0)
    assert first.version == "3.4"
    assert route.failed(first, Trouble.OTHER_VERSION, told, 0.0)
    second = route.next(told, 0.0)
    assert second.version == "3.3"
    assert not route.failed(second, Trouble.OTHER_VERSION, told, 0.0)


def test_an_unknown_version_is_found_by_trying_each():
    route = Route(LinkSpec("d", "s", ip="10.0.0.7"))
    tried = []
    for _ in range(5):
        target = route.next(None, 0.0)
        tried.append(target.version)
        more = route.failed(target, Trouble.SILENT, None, 0.0)
    assert sorted(tried) == ["3.1", "3.2", "3.3", "3.4", "3.5"]
    assert not more


def test_without_an_address_there_is_nothing_to_try():
    assert Route(LinkSpec("d", "s")).next(None, 0.0) is None
