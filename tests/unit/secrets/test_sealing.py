"""Sealed fields open in their place and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import StoreFault
from app.secrets.master import MasterKey
from app.secrets.sealing import SiteSealer

MASTER = MasterKey(b"\x01" * 32)
SEALER = SiteSealer(MASTER)
SITE = SEALER.new_key()


@given(text=st.text(max_size=60), context=st.text(max_size=60))
def test_what_is_sealed_opens_again(text: str, context: str) -> None:
    sealed = SEALER.seal(SITE, context, text)
    assert SEALER.open(SITE, context, sealed) == text
    assert len(text) < 4 or text not in sealed


def test_a_sealed_value_moved_elsewhere_does_not_open() -> None:
    sealed = SEALER.seal(SITE, "device/1/local_key", "0123456789abcdef")
    with pytest.raises(StoreFault) as caught:
        SEALER.open(SITE, "device/2/local_key", sealed)
    assert "0123456789abcdef" not in str(caught.value.document())


def test_another_site_or_master_key_does_not_open_it() -> None:
    sealed = SEALER.seal(SITE, "device/1/local_key", "0123456789abcdef")
    with pytest.raises(StoreFault):
        SEALER.open(SEALER.new_key(), "device/1/local_key", sealed)
    with pytest.raises(StoreFault):
        SiteSealer(MasterKey.random()).open(SITE, "device/1/local_key", sealed)


def test_another_start_opens_what_an_earlier_one_sealed() -> None:
    sealed = SEALER.seal(SITE, "device/1/local_key", "0123456789abcdef")
    assert SiteSealer(MASTER).open(SITE, "device/1/local_key", sealed) == "0123456789abcdef"


def test_two_sealings_of_one_text_differ() -> None:
    assert SEALER.seal(SITE, "c", "text") != SEALER.seal(SITE, "c", "text")


@given(sealed=st.one_of(st.text(max_size=80), st.text(max_size=80).map(lambda text: "s1:" + text)))
def test_nonsense_is_a_sentence(sealed: str) -> None:
    with pytest.raises(StoreFault):
        SEALER.open(SITE, "c", sealed)


@given(wrapped=st.binary(max_size=80))
def test_a_broken_site_key_is_a_sentence(wrapped: bytes) -> None:
    with pytest.raises(StoreFault):
        SEALER.seal(wrapped, "c", "text")


def test_a_sealer_shows_nothing() -> None:
    assert repr(SEALER) == "SiteSealer(...)"
