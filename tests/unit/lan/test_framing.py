"""Bytes to frames: whatever comes, whole frames or one typed fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lan.codec import Codec
from app.lan.framing import MAX_FRAME, Fault, FrameFault, Framer

KEY = b"0123456789abcdef"


def drain(framer):
    frames = []
    while (frame := framer.next_frame()) is not None:
        frames.append(frame)
    return frames


def three_frames(version):
    codec = Codec("dev", KEY, version)
    return [codec.encode(8, b'{"dps":{"1":%d}}' % n)[1] for n in range(3)]


@pytest.mark.parametrize("version", ["3.3", "3.5"])
def test_glued_frames_come_apart(version):
    framer = Framer(version == "3.5")
    frames = three_frames(version)
    framer.feed(b"".join(frames))
    assert drain(framer) == frames


@pytest.mark.parametrize("version", ["3.3", "3.5"])
def test_a_dribbled_frame_is_whole_only_with_its_last_byte(version):
    framer = Framer(version == "3.5")
    whole = three_frames(version)[0]
    for byte in whole[:-1]:
        framer.feed(bytes([byte]))
        assert framer.next_frame() is None
    framer.feed(whole[-1:])
    assert framer.next_frame() == whole


@pytest.mark.parametrize("modern", [False, True])
def test_the_other_framing_is_evidence_of_another_version(modern):
    framer = Framer(modern)
    framer.feed(three_frames("3.3" if modern else "3.5")[0])
    with pytest.raises(FrameFault) as caught:
        framer.next_frame()
    assert caught.value.fault is Fault.OTHER_FRAMING


def test_a_length_over_the_cap_is_refused_before_it_is_waited_for():
    framer = Framer(False)
    framer.feed(b"\x00\x00\x55\xaa" + bytes(8) + MAX_FRAME.to_bytes(4, "big"))
    with pytest.raises(FrameFault) as caught:
        framer.next_frame()
    assert caught.value.fault is Fault.LENGTH


def test_a_frame_without_its_end_is_refused():
    framer = Framer(False)
    whole = bytearray(three_frames("3.3")[0])
    whole[-1] ^= 1
    framer.feed(bytes(whole))
    with pytest.raises(FrameFault) as caught:
        framer.next_frame()
    assert caught.value.fault is Fault.SUFFIX


@given(st.booleans(), st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_end_in_frames_or_one_fault(modern, pieces):
    framer = Framer(modern)
    try:
        for piece in pieces:
            framer.feed(piece)
            drain(framer)
    except FrameFault:
        pass
    assert len(framer) <= sum(map(len, pieces))
