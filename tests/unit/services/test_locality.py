"""Which sites are here: by router, by range, by first reach; addresses by their own keys."""

import pytest
from fakes.bench import row

from app.domain.words import Connection
from app.records.kinds import Site
from app.services.locality import same, telling

HOME = ("gateway 00:11:22:33:44:55", "subnet 10.0.0.0/24", "subnet 172.17.0.0/16")
AWAY = ("gateway 66:77:88:99:aa:bb", "subnet 10.0.0.0/24")


def here(bench):
    return {spec.device: spec.site_here for spec in bench.directory.specs()}


def site_of(bench):
    return bench.all(Site)[0]


def online(bench, device, ip):
    bench.link.say(device, Connection.ONLINE, ip=ip)
    bench.tell(device)
    bench.by_person(lambda _tx: None)  # the writer works in order: what was asked before is done


def test_a_site_never_reached_is_tried_and_takes_the_first_network_it_is_reached_on(bench):
    bench.link.fingerprint = HOME
    bench.bring(row(ip="10.0.0.7"))
    assert here(bench) == {"bf01": True}
    online(bench, "bf01", "10.0.0.7")
    assert site_of(bench).network == ["gateway 00:11:22:33:44:55", "subnet 10.0.0.0/24"]
    assert here(bench) == {"bf01": True}


def test_on_another_network_the_site_is_not_here_but_loopback_always_is(bench):
    bench.link.fingerprint = HOME
    bench.bring(row("bf01", ip="10.0.0.7"), row("bf02", ip="127.9.0.2"),
                {"id": "c1", "parent": "bf01", "node_id": "n"},
                {"id": "c2", "parent": "bf02", "node_id": "n"})  # fmt: skip
    online(bench, "bf01", "10.0.0.7")
    bench.link.fingerprint = AWAY
    assert here(bench) == {"bf01": False, "bf02": True, "c1": False, "c2": True}


def test_a_loopback_device_gives_its_site_no_network(bench):
    bench.link.fingerprint = HOME
    bench.bring(row(ip="127.9.0.1"))
    online(bench, "bf01", "127.9.0.1")
    assert site_of(bench).network is None


def test_a_network_that_was_taken_is_not_taken_again(bench):
    bench.link.fingerprint = HOME
    bench.bring(row(ip="10.0.0.7"))
    online(bench, "bf01", "10.0.0.7")
    bench.link.fingerprint = AWAY
    online(bench, "bf01", "10.0.0.7")
    assert "gateway 00:11:22:33:44:55" in site_of(bench).network


def test_an_address_of_a_site_that_is_here_is_not_tried_with_another_sites_key(bench):
    bench.link.fingerprint = HOME
    bench.bring(row("bf01", ip="10.0.0.7"))
    online(bench, "bf01", "10.0.0.7")
    other = bench.by_person(lambda tx: tx.create(Site, "", name="Other"))
    for device, ip in (("bf02", "10.0.0.7"), ("bf03", "10.0.0.8")):
        bench.by_person(
            lambda tx, device=device, ip=ip: tx.create(
                "device", other, tuya_id=device, name=device, ip=ip
            )
        )
    assert here(bench) == {"bf01": True, "bf02": False, "bf03": True}


def test_without_a_link_no_address_of_a_known_site_is_opened(bench):
    bench.bring(row(ip="10.0.0.7"))
    site = site_of(bench)
    bench.by_person(lambda tx: tx.edit(site, network=list(HOME)))
    bench.link = None
    assert here(bench) == {"bf01": False}


@pytest.mark.parametrize(
    ("recorded", "now", "alike"),
    [
        (HOME, HOME, True),
        (HOME, AWAY, False),
        (HOME, ("subnet 10.0.0.0/24",), True),
        (("subnet 10.0.0.0/24",), AWAY, True),
        (HOME, (), False),
        ((), HOME, False),
    ],
)
def test_networks_are_told_apart_by_routers_where_both_know_one(recorded, now, alike):
    assert same(frozenset(recorded), frozenset(now)) is alike


def test_a_range_the_device_is_not_in_is_not_worth_keeping():
    assert telling(frozenset(("subnet 172.17.0.0/16", "subnet x")), "10.0.0.7") == [
        "subnet 172.17.0.0/16", "subnet x",
    ]  # fmt: skip
    assert "subnet 172.17.0.0/16" not in telling(frozenset(HOME), "10.0.0.7")
