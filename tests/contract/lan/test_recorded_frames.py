"""The codec on frames that other people's client and device exchanged, byte for byte."""

import json
from pathlib import Path

import pytest

from app.lan.codec import Codec
from app.lan.framing import FrameFault, Framer

FRAMES = Path(__file__).parents[2] / "data" / "frames"
RECORDINGS = sorted(FRAMES.glob("v3.*.json"))


def frames_of(path, by="device"):
    recording = json.loads(path.read_text("utf-8"))
    return [f for f in recording["frames"] if f["by"] == by]


def codec_for(frame):
    codec = Codec("dev", b"0123456789abcdef", frame["version"])
    key = bytes.fromhex(frame["key"])
    codec._builder.local_key = codec._builder.real_local_key = key
    return codec


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda p: p.stem)
def test_every_recorded_frame_of_a_device_is_framed_checked_and_opened(path):
    opened = 0
    for frame in frames_of(path):
        raw, codec = bytes.fromhex(frame["hex"]), codec_for(frame)
        framer = Framer(codec.modern)
        framer.feed(raw)
        assert framer.next_frame() == raw
        message = codec.open_frame(raw)
        assert (message.cmd, message.seqno) == (frame["cmd"], frame["seq"])
        if frame["cmd"] not in (3, 4, 5):
            opened += bool(codec.open_body(message).points)
    assert opened


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda p: p.stem)
def test_a_recorded_frame_with_one_bit_changed_is_refused(path):
    for frame in frames_of(path):
        raw = bytearray.fromhex(frame["hex"])
        raw[len(raw) // 2] ^= 0x10
        with pytest.raises(FrameFault):
            codec_for(frame).open_frame(bytes(raw))
