"""The simulator's codec against hostile bytes, and with itself in every version."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.simulator.codec import DamagedFrame, codec_for, push_header, take_frames

KEY = b"pQ7!x_f2=Zr9@aB4"
VERSIONS = ["3.1", "3.2", "3.3", "3.4", "3.5"]


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=60)
@given(body=st.binary(min_size=1, max_size=300), seq=st.integers(0, 2**32 - 1))
def test_what_is_sealed_is_opened(version, body, seq):
    codec = codec_for(version, KEY)
    if version == "3.1" and body.startswith(b"3.1"):
        return
    frame = codec.seal(8, seq, body, 0, push_header(version, seq))
    opened = codec.open(frame, from_device=True)
    assert (opened.cmd, opened.seq, opened.retcode, opened.body) == (8, seq, 0, body)


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=100)
@given(st.data())
def test_a_frame_with_one_wrong_bit_is_never_accepted(version, data):
    codec = codec_for(version, KEY)
    frame = bytearray(codec.seal(7, 5, b'{"dps":{"1":true}}', 0, push_header(version, 1)))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DamagedFrame):
        codec.open(bytes(frame), from_device=True)


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=100)
@given(rubbish=st.binary(max_size=200))
def test_rubbish_is_damaged_and_nothing_worse(version, rubbish):
    codec = codec_for(version, KEY)
    with pytest.raises(DamagedFrame):
        codec.open(rubbish)
    buffer = bytearray(rubbish)
    try:
        for frame in take_frames(buffer):
            codec.open(frame)
    except DamagedFrame:
        return
    assert len(buffer) < 4096
