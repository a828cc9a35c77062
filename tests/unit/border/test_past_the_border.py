"""Ways past the border that somebody tried: over New Year, and what they get."""

import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select

from onshore.border import grants
from onshore.border.metering import meter
from onshore.border.sending import destinations
from onshore.border.transfer import ship
from onshore.border.views import asking, viewing
from onshore.query.asking import answered
from onshore.query.entries import Question
from onshore.site import open_site
from onshore.vault.papers import parcels, reading
from onshore.words.errors import Refusal
from receiving import Authority
from sending_makers import Honest, Talker

EVE = int(datetime.fromisoformat("2026-12-31T23:50:00+08:00").timestamp() * 1000)
HOUR = 3_600_000


def permitted(border, method):
    request = border.approved(method=method)
    drafted = border.draft(request, persons=5, until=date(2027, 1, 31))
    return request, grants.grant(border.site, drafted, border.regulator())


@pytest.fixture
def eve(border):
    """Two cars that drove in the last minutes of a year, and an engineer in Stuttgart."""
    with (border.site.folder / "site.toml").open("a") as file:
        file.write('\n[people.eva]\nrole = "engineer"\nemployer = "stuttgart"\njurisdiction = "DE"\n')
    border.hands.now = EVE
    border.site = border.hands.site = open_site(border.site.folder, clock=lambda: border.hands.now)
    for car in (1, 2):
        border.hands.allow(car)
    border.hands.drive(1, 2, seconds=200)
    return border


def counted(site, year):
    with reading(site.engine) as conn:
        return meter.exported(conn, year).sensitive


def states(site):
    with reading(site.engine) as conn:
        return list(conn.scalars(select(parcels.c.state).order_by(parcels.c.reserved)))


class Slow(Honest):
    """A recipient's host that takes the second part of a parcel in the new year."""

    def __init__(self, hands):
        super().__init__()
        self.hands, self.parts = hands, 0

    def patch(self, asked):
        self.parts += 1
        if self.parts == 3:  # of the proof, and of the parcel one before
            self.hands.now = EVE + HOUR
        return super().patch(asked)


def test_a_parcel_that_is_still_going_at_new_year_is_not_counted_in_the_old_one_alone(eve, tmp_path, monkeypatch):
    authority = Authority(tmp_path / "ca")
    with Talker(authority, Slow(eve.hands)) as host:
        said = {"how": "https", "url": f"https://localhost:{host.port}/files", "jurisdiction": "DE"}
        said["ca"] = str(authority.file)
        with (eve.site.folder / "site.toml").open("a") as file:
            file.write("\n[recipients.stuttgart.send]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in said.items()))
        eve.site = eve.hands.site = open_site(eve.site.folder, clock=lambda: eve.hands.now)
        of = destinations.of
        monkeypatch.setattr(destinations, "of", lambda *said: replace(of(*said), part=4096))
        request, _ = permitted(eve, "file")
        with pytest.raises(Refusal) as refused:
            ship(eve.site, request.id)
        assert refused.value.reason == "year-turned"
        assert states(eve.site) == ["cut"]
        assert (counted(eve.site, 2026), counted(eve.site, 2027)) == (2, 0)
        ship(eve.site, request.id)
    assert states(eve.site) == ["cut", "left"]
    assert (counted(eve.site, 2026), counted(eve.site, 2027)) == (2, 2)


def test_a_view_that_goes_on_after_new_year_ends(eve):
    request, _ = permitted(eve, "view")
    shown = []

    def look():
        question = Question("SELECT time FROM vehicle_operation a, range(9)", "warranty-analysis", "eva")
        with (
            viewing.opened(eve.site, request.id, "eva") as door,
            answered(eve.site, question, door=door) as answer,
        ):
            for batch in answer.batches:
                shown.append(batch.num_rows)
                eve.hands.now = EVE + HOUR

    with pytest.raises(Refusal) as refused:
        look()
    assert refused.value.reason == "year-turned"
    assert len(shown) == 1
    assert states(eve.site) == ["cut"]


def test_whoever_is_abroad_is_told_no_count_of_a_request_whose_recipient_is_gone_either(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request, standing = border.ask()
    assert standing.verdict.counters
    for asked in (request, replace(request, recipient="taken-out")):
        told = asking.without_counts(border.site, asked, standing.verdict)
        assert told.counters == ()
        assert [one.code for one in told.reasons] == [one.code for one in standing.verdict.reasons]
        assert all(one.article for one in told.reasons)
    assert not any(one.says for one in told.reasons), "nobody knows what the law says of whoever that was"
    assert asking.supposed(border.site, replace(request, method="view")).missing
    with pytest.raises(Refusal):
        asking.supposed(border.site, replace(request, purpose="none-of-the-site"))
