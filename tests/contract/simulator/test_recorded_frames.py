"""Frames made by tinytuya and tuyamock, opened and made again by the simulator's own codec."""

import hmac
import json
from pathlib import Path

import pytest

from app.simulator.codec import Codec35, codec_for, request_header, session_key, take_frames

FOLDER = Path(__file__).resolve().parents[2] / "data" / "frames"
RECORDINGS = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("v*.json"))]
FRAMES = [
    pytest.param(frame, id=f"{frame['version']}-{number}-{frame['by']}-{frame['cmd']}")
    for recording in RECORDINGS
    for number, frame in enumerate(recording["frames"])
]
HANDSHAKE = (3, 4, 5)


def opened(frame):
    codec = codec_for(frame["version"], bytes.fromhex(frame["key"]))
    data = bytes.fromhex(frame["hex"])
    return codec, data, codec.open(data, from_device=frame["by"] == "device")


def test_every_version_has_a_recording_with_both_sides():
    assert [recording["version"] for recording in RECORDINGS] == ["3.1", "3.3", "3.4", "3.5"]
    for recording in RECORDINGS:
        assert {frame["by"] for frame in recording["frames"]} == {"client", "device"}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_of_others_is_opened_to_what_they_meant(frame):
    _, _, message = opened(frame)
    assert (message.cmd, message.seq, message.retcode) == (
        frame["cmd"],
        frame["seq"],
        frame["retcode"],
    )
    if "payload_hex" in frame:
        assert message.body.hex() == frame["payload_hex"]
    elif frame["payload"] is None:
        assert message.body == b""
    else:
        said = json.loads(message.body)
        # tinytuya copies `data.dps` up when it reads.
        said.setdefault("dps", said.get("data", {}).get("dps"))
        assert {key: value for key, value in said.items() if value is not None} == frame["payload"]


@pytest.mark.parametrize("frame", FRAMES)
def test_the_same_message_makes_the_same_bytes(frame):
    codec, data, message = opened(frame)
    if frame["by"] == "client":
        header = request_header(frame["version"], message.cmd)
    else:
        header = b"" if message.cmd in HANDSHAKE else frame["version"].encode() + bytes(12)
    more = {"iv": data[18:30]} if isinstance(codec, Codec35) else {}
    if not message.body:
        header = b""
    made = codec.seal(message.cmd, message.seq, message.body, message.retcode, header, **more)
    assert made.hex() == data.hex()


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_is_found_in_a_stream_cut_anywhere(frame):
    data = bytes.fromhex(frame["hex"])
    for cut in range(1, len(data), 7):
        buffer = bytearray(data[:cut])
        first = take_frames(buffer)
        buffer += data[cut:] + data
        assert first + take_frames(buffer) == [data, data]
        assert not buffer


@pytest.mark.parametrize("recording", RECORDINGS[2:], ids=["3.4", "3.5"])
def test_both_sides_derive_the_session_key_the_recording_used(recording):
    local = recording["local_key"].encode()
    shakes = [frame for frame in recording["frames"] if frame["cmd"] in HANDSHAKE]
    client, device, proof = (bytes.fromhex(frame["payload_hex"]) for frame in shakes)
    assert device[16:] == hmac.digest(local, client, "sha256")
    assert proof == hmac.digest(local, device[:16], "sha256")
    derived = session_key(recording["version"], local, client, device[:16])
    assert derived.hex() == recording["frames"][-1]["key"]
