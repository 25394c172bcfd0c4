"""Announcements: what is believed of them, and what forgeries cannot do."""

import asyncio
import json
import struct
from binascii import crc32
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fakes.virtual_time import run_virtual
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest
from app.domain.links import Sighting
from app.lan.addresses import Claims, is_address, is_loopback, subnet_of
from app.lan.discovery import parse_announcement, sighting_of, solicitation
from app.lan.network import Network, current_network, wrong_network_sentence
from app.lan.pacing import Pacer, Politeness
from app.lan.probe import parse_range
from app.lan.sightings import MAX_SEEN, Sightings

UDP_KEY = bytes.fromhex("6c1ec8e2bb9bb59ab50b0daf649b410a")
TOLD = {"ip": "10.0.0.7", "gwId": "dev1", "version": "3.4", "productKey": "pk"}


def frame_55aa(payload, cmd=0x13):
    head = struct.pack(">4I", 0x55AA, 0, cmd, len(payload) + 8) + payload
    return head + struct.pack(">2I", crc32(head), 0xAA55)


def sealed(told):
    plain = json.dumps(told).encode()
    pad = 16 - len(plain) % 16
    encrypt = Cipher(algorithms.AES(UDP_KEY), modes.ECB()).encryptor()
    return encrypt.update(plain + bytes([pad]) * pad)


def frame_6699(told):
    plain = bytes(4) + json.dumps(told).encode()
    head = struct.pack(">IHIII", 0x6699, 0, 0, 0x13, len(plain) + 28)
    return head + bytes(12) + AESGCM(UDP_KEY).encrypt(bytes(12), plain, head[4:]) + b"\0\0\x99\x66"


@pytest.mark.parametrize(
    "datagram",
    [
        frame_55aa(json.dumps(TOLD).encode(), 0),
        frame_55aa(b"\0\0\0\0" + sealed(TOLD)),
        frame_55aa(sealed(TOLD), 0x23),
        frame_6699(TOLD),
    ],
)
def test_each_kind_of_announcement_is_read(datagram):
    assert parse_announcement(datagram) == TOLD


@pytest.mark.parametrize("datagram", [frame_55aa(sealed(TOLD)), frame_6699(TOLD)])
@given(at=st.integers(4), flip=st.integers(1, 255))
def test_a_changed_announcement_is_not_believed(datagram, at, flip):
    changed = bytearray(datagram)
    changed[4 + at % (len(changed) - 8)] ^= flip
    assert parse_announcement(bytes(changed)) is None


@given(st.binary(max_size=3000))
def test_any_datagram_is_nothing_or_an_object(datagram):
    assert parse_announcement(datagram) is None


@given(
    st.dictionaries(
        st.sampled_from(["ip", "gwId", "version", "productKey"]),
        st.none() | st.integers() | st.text() | st.lists(st.text()),
    )
)
def test_any_announced_object_is_a_sighting_or_nothing(told):
    found = sighting_of(told, 0)
    assert found is None or is_address(found.ip)


def test_an_announcement_of_an_odd_version_or_address_says_no_such_thing():
    assert sighting_of({**TOLD, "version": "9.9"}, 0).version is None
    assert sighting_of({**TOLD, "ip": "evil.example"}, 0) is None
    assert sighting_of({**TOLD, "ip": "224.0.0.1"}, 0) is None


def test_the_request_for_announcements_names_our_address():
    datagram = solicitation("10.0.0.2")
    plain = AESGCM(UDP_KEY).decrypt(datagram[18:30], datagram[30:-4], datagram[4:18])
    assert json.loads(plain) == {"from": "app", "ip": "10.0.0.2"}


def test_a_flood_of_forged_devices_does_not_grow_the_table():
    table = Sightings()
    for n in range(MAX_SEEN + 100):
        table.add(Sighting(f"d{n}", "10.0.0.7", None, None, 0), float(n))
    assert len(table.since(0.0)) == MAX_SEEN
    assert table.latest("d0", 0.0) is None


def test_an_address_has_one_holder_until_it_is_given_back():
    claims = Claims()
    assert claims.claim("10.0.0.7", 6668, "a") is None
    assert claims.claim("10.0.0.7", 6668, "b") == "a"
    claims.release("10.0.0.7", 6668, "b")
    assert claims.holder("10.0.0.7", 6668) == "a"
    claims.release("10.0.0.7", 6668, "a")
    assert claims.claim("10.0.0.7", 6668, "b") is None


def test_loopback_is_always_here_and_other_ranges_are_named():
    network = Network(("subnet 192.168.1.0/24",), ("192.168.1.0/24",))
    assert network.holds("127.61.0.4")
    assert network.holds("192.168.1.9")
    assert not network.holds("10.2.3.4")
    sentence = wrong_network_sentence("10.2.3.4", network)
    assert "10.2.3.0/24" in sentence
    assert "192.168.1.0/24" in sentence
    assert not is_loopback("128.0.0.1")


def test_this_computers_network_can_be_named():
    assert isinstance(current_network().fingerprint, tuple)


@pytest.mark.parametrize("text", ["10.0.0.0/8", "all", "10.0.0.0/33", "::1/128"])
def test_a_range_too_wide_or_no_range_is_refused_with_a_sentence(text):
    with pytest.raises(InvalidRequest):
        parse_range(text)


def test_connects_are_paced_in_total_and_per_subnet():
    async def main():
        loop = asyncio.get_running_loop()
        pacer = Pacer(Politeness(connects_per_s=50, per_subnet_per_s=10, at_once=1000), loop)
        ends = {}

        async def one(ip):
            async with pacer.turn(ip):
                ends.setdefault(subnet_of(ip), []).append(loop.time())

        await asyncio.gather(*(one(f"10.0.{n % 10}.{n // 10}") for n in range(500)))
        return ends

    ends = run_virtual(main())
    at_s = sorted(t for times in ends.values() for t in times)
    assert 9.5 <= at_s[-1] <= 11
    for times in ends.values():
        assert all(b - a >= 0.0999 for a, b in pairwise(times))
