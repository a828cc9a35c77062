"""Whoever is blocked receives nothing, and what stood for them is suspended."""

import pytest

from onshore.border import blocking, requests, transfer
from onshore.site import open_site
from onshore.words.errors import Refusal


def blocked(border, status="blocked"):
    """The same site after its list has changed."""
    toml = border.site.folder / "site.toml"
    text = toml.read_text()
    toml.write_text(text.replace("[recipients.stuttgart]\n", f'[recipients.stuttgart]\nstatus = "{status}"\n'))
    return open_site(border.site.folder, clock=border.site.clock)


@pytest.fixture
def permitted(border):
    border.hands.allow(1)
    border.hands.drive(1)
    return border.permitted()[0]


def test_what_stands_for_a_blocked_recipient_is_suspended_once(border, permitted):
    assert blocking.standing(border.site) == []
    assert blocking.told(border.site)[0]
    site = blocked(border)
    assert blocking.standing(site) == [permitted.id]
    assert not blocking.told(site)[0]
    assert blocking.suspend(site) == [permitted.id]
    assert requests.find(site, permitted.id).state == "suspended"
    assert blocking.suspend(site) == []
    assert blocking.told(site)[0]


def test_nothing_leaves_for_a_blocked_recipient_suspended_or_not(border, permitted):
    site = blocked(border)
    with pytest.raises(Refusal) as caught:
        transfer.ship(site, permitted.id)
    assert caught.value.article
    blocking.suspend(site)
    with pytest.raises(Refusal):
        transfer.ship(site, permitted.id)
    assert list((site.folder / "outbox").glob("*.parcel")) == []


def test_a_recipient_that_is_named_no_more_is_barred(border, permitted):
    toml = border.site.folder / "site.toml"
    toml.write_text(toml.read_text().replace("[recipients.stuttgart]", "[recipients.elsewhere]"))
    site = open_site(border.site.folder, clock=border.site.clock)
    assert blocking.barred(site, permitted).code == "recipient-blocked"
    assert blocking.suspend(site) == [permitted.id]


def test_others_go_on(border, permitted):
    site = blocked(border, "covered-person")
    assert blocking.suspend(site) == []
    assert requests.find(site, permitted.id).state == "permitted"
