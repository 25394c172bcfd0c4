"""Frames to messages: integrity, keys, text, and what hostile content may not do."""

import contextlib
import json
import logging
import struct
import traceback

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from app.lan.codec import VERSIONS, Codec, parse_body
from app.lan.framing import Fault, FrameFault

KEY = b"0123456789abcdef"


@pytest.mark.parametrize("version", VERSIONS)
def test_text_keeps_its_spaces_on_the_wire(version):
    codec = Codec("dev", KEY, version)
    cmd, payload = codec.control({"21": "Hall A lights"}, None, 1)
    _, frame = codec.encode(cmd, payload)
    said = codec.open_body(codec.open_frame(frame))
    assert said.points == {"21": "Hall A lights"}


@pytest.mark.parametrize("version", VERSIONS)
@given(at=st.integers(0), flip=st.integers(1, 255))
def test_a_frame_with_any_byte_changed_never_gives_a_reading(version, at, flip):
    codec = Codec("dev", KEY, version)
    cmd, payload = codec.control({"1": True, "2": 215}, None, 1)
    frame = bytearray(codec.encode(cmd, payload)[1])
    # The fields outside the integrity value's cover are the prefix, suffix and the value itself;
    # the framer checks the first two.
    frame[4 + at % (len(frame) - 8)] ^= flip
    with pytest.raises(FrameFault):
        codec.open_frame(bytes(frame))


@pytest.mark.parametrize("version", VERSIONS)
@given(data=st.binary(max_size=400))
def test_random_frames_raise_nothing_but_the_typed_fault(version, data):
    codec = Codec("dev", KEY, version)
    head = struct.pack(">4I", 0x55AA, 1, 8, len(data))
    if version == "3.5":
        head = struct.pack(">IHIII", 0x6699, 0, 1, 8, len(data))
    with contextlib.suppress(FrameFault):
        codec.open_body(codec.open_frame(head + data))


@given(plain=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_any_content_is_a_body_or_a_typed_fault(plain):
    try:
        body = parse_body(plain)
    except FrameFault:
        return
    for dp, value in body.points.items():
        assert dp.isdigit()
        assert isinstance(value, bool | int | float | str)
        str(value).encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["dps", "data", "cid", "t", "protocol"]) | st.text(max_size=3),
        json_values | st.dictionaries(st.sampled_from(["1", "0", "999", "x", "²"]), json_values),
    )
)
def test_any_json_object_is_a_body_or_a_typed_fault(whole):
    try:
        body = parse_body(json.dumps(whole).encode())
    except FrameFault:
        return
    assert all(isinstance(value, bool | int | float | str) for value in body.points.values())
    assert all(float("-inf") < v < float("inf") for v in body.points.values() if type(v) is float)


@pytest.mark.parametrize(
    "plain",
    [b'{"dps":' + b"[" * 4000, b'{"dps":{"1":NaN}}', b'{"dps":[1]}', b'{"dps":{"1"', b"\xff"],
)
def test_deep_broken_or_shapeless_json_is_a_typed_fault(plain):
    with pytest.raises(FrameFault):
        parse_body(plain)


def test_bytes_that_are_not_utf8_spoil_only_the_text_they_stand_in():
    body = parse_body(b'{"dps":{"1":true,"2":"caf\xe9","3":"plain"}}')
    assert body.points["1"] is True
    assert body.points["3"] == "plain"
    assert body.damaged == {"2"}


def test_half_a_surrogate_pair_is_marked_damaged_and_can_be_stored():
    body = parse_body(b'{"dps":{"1":"x\\ud800y"}}')
    assert body.damaged == {"1"}
    body.points["1"].encode()


def test_a_number_too_large_for_the_store_is_marked_damaged():
    assert parse_body(b'{"dps":{"1":99999999999999999999}}').damaged == {"1"}


def test_sealed_content_the_key_does_not_open_is_told_from_a_broken_frame():
    sealed = Codec("dev", b"another key 0123", "3.3")
    _, frame = sealed.encode(8, b'{"dps":{"1":true}}')
    mine = Codec("dev", KEY, "3.3")
    message = mine.open_frame(frame)
    with pytest.raises(FrameFault) as caught:
        mine.open_body(message)
    assert caught.value.fault in {Fault.KEY, Fault.JSON, Fault.TEXT}


def test_a_return_code_is_taken_off_and_a_frame_without_one_read_too():
    encrypt = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    plain = b'{"dps":{"1":5}}' + b"\x01"
    sealed = b"3.3" + bytes(12) + encrypt.update(plain)
    codec = Codec("dev", KEY, "3.3")
    for code in (b"", b"\0\0\0\0", b"\0\0\0\1"):
        body = code + sealed
        head = struct.pack(">4I", 0x55AA, 7, 8, len(body) + 8) + body
        frame = head + struct.pack(">2I", _crc(head), 0xAA55)
        message = codec.open_frame(frame)
        assert message.retcode == (code[3] if code else None)
        assert codec.open_body(message).points == {"1": 5}


def _crc(data):
    import binascii

    return binascii.crc32(data)


def test_sequence_numbers_rise_by_one():
    codec = Codec("dev", KEY, "3.5")
    assert [codec.encode(*codec.heartbeat())[0] for _ in range(3)] == [1, 2, 3]


def test_two_frames_never_share_a_nonce():
    codec = Codec("dev", KEY, "3.5")
    nonces = {codec.encode(9, b"")[1][18:30] for _ in range(50)}
    assert len(nonces) == 50
    assert not logging.getLogger("tinytuya.core.crypto_helper").isEnabledFor(logging.DEBUG)


def test_the_key_is_in_no_repr_and_no_trace():
    codec = Codec("dev", KEY, "3.3")
    told = repr(codec) + repr(vars(codec))
    try:
        codec.open_frame(b"\x00\x00\x55\xaa" + bytes(30))
    except FrameFault:
        told += traceback.format_exc()
    assert KEY.decode() not in told
