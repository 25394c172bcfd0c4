"""Announcements as tinytuya reads them, sent to the loopback broadcast alone."""

import json
import socket
import time

import pytest
import tinytuya
from fakes.building import running_building
from tinytuya.core.message_helper import pack_message
from tinytuya.core.udp_helper import decrypt_udp, udpkey

from app.simulator.site import Rules

BROADCAST = "127.255.255.255"


def ear(port, address=""):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((address, port))
    listener.settimeout(0.2)
    return listener


def heard(listener, wanted, seconds=6.0):
    """{device id: (facts, sender)} until all of `wanted` were heard."""
    found = {}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not wanted <= set(found):
        try:
            datagram, sender = listener.recvfrom(4096)
        except TimeoutError:
            continue
        facts = json.loads(decrypt_udp(datagram))
        if facts.get("gwId") in wanted:
            found[facts["gwId"]] = (facts, sender[0])
    return found


def test_every_version_announces_in_its_own_form_from_its_own_address():
    with (
        ear(6666) as plain,
        ear(6667) as sealed,
        running_building(4, rules=Rules(announce_every_s=0.5)) as building,
    ):
        by_version = {row["version"]: row for row in building.devices}
        found = heard(plain, {by_version["3.1"]["id"]})
        found |= heard(sealed, {by_version[v]["id"] for v in ("3.3", "3.4", "3.5")})
    for version, row in by_version.items():
        facts, sender = found[row["id"]]
        assert (facts["version"], facts["ip"], sender) == (version, row["ip"], row["ip"])
        assert facts["productKey"] == row["product_id"]


def test_a_quiet_device_of_3_5_answers_when_asked_on_port_7000():
    with (
        running_building(8, rules=Rules(announce_every_s=None)) as building,
        ear(7000, "127.0.0.1") as answers,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker,
    ):
        quiet = {row["id"] for row in building.devices if row["version"] == "3.5"}
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        question = json.dumps({"from": "app", "ip": "127.0.0.1"}).encode()
        message = tinytuya.TuyaMessage(
            0, tinytuya.REQ_DEVINFO, None, question, 0, True, tinytuya.PREFIX_6699_VALUE, True
        )
        asker.sendto(pack_message(message, hmac_key=udpkey), (BROADCAST, 7000))
        assert set(heard(answers, quiet)) == quiet


@pytest.mark.parametrize("rubbish", [b"", b"\0" * 60, b"{}" * 40])
def test_rubbish_on_port_7000_hurts_nobody(rubbish):
    with (
        running_building(1) as building,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker,
    ):
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asker.sendto(rubbish, (BROADCAST, 7000))
        assert building.state()["devices"]
