"""Whoever cheats with a permit is refused, and told why."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from onshore.border import grants, transfer
from onshore.border.metering import meter
from onshore.border.permits import permit, scans
from onshore.border.transfer import ship
from onshore.ledger.signer import Signer
from onshore.rules.local import local_midnight
from onshore.site import Site, open_site
from onshore.vault.papers import reading, writing
from onshore.words.errors import Broken, Malformed, Refusal

SIGNALS = ("Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude")


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


@pytest.fixture
def ready(border):
    """A car that drove, and an approved request for it."""
    border.hands.allow(1)
    border.hands.drive(1)
    return border, border.approved()


def with_settings(border, *changes, more=""):
    """The site opened anew with other words in its settings."""
    path = border.site.folder / "site.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text + more)
    return open_site(border.site.folder, clock=lambda: border.hands.now)


def signed(border, request, /, **change):
    return permit.signed(border.draft(request, **change), border.regulator().sign)


# ---- words and signatures ----


def test_a_permit_with_words_that_this_release_does_not_know_is_none(ready):
    border, request = ready
    text = permit.text_of(border.draft(request))
    more = json.dumps(json.loads(text) | {"except": "nothing"}, sort_keys=True, separators=(",", ":")) + "\n"
    with pytest.raises(Broken):
        grants.put_on_file(border.site, border.regulator().sign(more))


def test_a_permit_of_an_older_release_still_holds(ready):
    border, request = ready
    fields = json.loads(permit.text_of(border.draft(request)))
    old = {k: v for k, v in fields.items() if k not in {"signals", "method", "rows", "transforms", "scan", "number"}}
    text = json.dumps(old, sort_keys=True, separators=(",", ":")) + "\n"
    granted = grants.put_on_file(border.site, border.regulator().sign(text))
    assert (granted.rows, granted.signals, granted.method) == (0, (), "file")
    assert ship(border.site, request.id).persons == 1


def test_a_permit_that_names_another_regulator_than_signed_it_is_not_believed(ready):
    border, request = ready
    with pytest.raises(Broken, match="names somebody else"):
        grants.put_on_file(border.site, signed(border, request, granted_by="another"))


# ---- again, elsewhere, for something else ----


@pytest.mark.parametrize(
    "change",
    [
        {"method": "feed"},
        {"signals": ("Vehicle.Speed", "Vehicle.NoSuchThing")},
        {"signals": ("Vehicle.Cabin.Infotainment.Media.Volume",)},
        {"purpose": "repair"},
        {"recipient_key": "age1other"},
        {"recipient_jurisdiction": "US"},
        {"events_from": 0, "request": "sha256:00"},
    ],
)
def test_a_permit_with_other_terms_than_its_request_is_refused(ready, change):
    border, request = ready
    refusal = refused(lambda: grants.put_on_file(border.site, signed(border, request, **change)))
    assert refusal.reason == "outside-permit"
    assert refusal.article


def test_a_permit_that_ends_before_it_begins_is_none(ready):
    border, request = ready
    today = border.site.today()
    with pytest.raises(Malformed, match="lies before the first"):
        grants.put_on_file(border.site, signed(border, request, start=today, until=today - timedelta(days=1)))


def test_a_permit_may_name_fewer_signals_than_the_request_but_no_others(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request = border.approved(signals=SIGNALS, categories=("track",))
    assert border.draft(request).signals == SIGNALS
    other = signed(border, request, signals=("Vehicle.Speed",))
    assert "the request does not ask" in str(refused(lambda: grants.put_on_file(border.site, other)))
    granted = grants.put_on_file(border.site, signed(border, request, signals=SIGNALS[:1]))
    assert granted.signals == SIGNALS[:1]


# ---- dates and the clock ----


def test_a_permit_is_over_at_local_midnight_exactly(ready):
    border, request = ready
    today = border.site.today()
    grants.put_on_file(border.site, signed(border, request))
    border.hands.now = local_midnight(today + timedelta(days=1), border.site.law.zone) - 1
    assert ship(border.site, request.id).persons == 1
    border.hands.now += 1
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-expired"


def test_a_parcel_that_new_year_overtakes_counts_in_the_year_in_which_it_leaves(border, monkeypatch):
    zone = border.site.law.zone
    border.hands.allow(1)
    border.hands.now = local_midnight(date(2027, 1, 1), zone) - 60_000
    border.hands.drive(1)
    request = border.approved()
    grants.put_on_file(border.site, signed(border, request, until=date(2027, 12, 31)))
    real = Site.witnessed_proof

    def late(site, *said):
        border.hands.now = max(border.hands.now, local_midnight(date(2027, 1, 1), zone))
        return real(site, *said)

    monkeypatch.setattr(Site, "witnessed_proof", late)
    assert refused(lambda: ship(border.site, request.id)).reason == "year-turned"
    assert ship(border.site, request.id).persons == 1
    with reading(border.site.engine) as conn:
        assert [meter.exported(conn, y).sensitive for y in (2026, 2027)] == [0, 1]


# ---- two permits, another key, rows ----


def test_of_two_permits_the_one_that_is_not_revoked_carries(ready):
    border, request = ready
    first, second = (grants.put_on_file(border.site, signed(border, request)) for _ in range(2))
    grants.revoke(border.site, second.id)
    assert ship(border.site, request.id).persons == 1
    assert [grants.show(border.site, p.id).used for p in (first, second)] == [1, 0]
    grants.revoke(border.site, first.id)
    assert refused(lambda: ship(border.site, request.id)).reason in {"permit-revoked", "permit-missing"}


def test_rows_are_capped_over_all_parcels_of_a_permit(ready):
    border, request = ready
    granted = grants.put_on_file(border.site, signed(border, request, rows=60))
    assert ship(border.site, request.id).rows == 40
    assert grants.show(border.site, granted.id).rows == 40
    refusal = refused(lambda: ship(border.site, request.id))
    assert refusal.reason == "outside-permit"
    assert "rows is 60" in str(refusal)
    assert grants.show(border.site, granted.id).rows == 40


def test_rows_that_came_in_while_the_parcel_was_sealed_count_too(ready, monkeypatch):
    border, request = ready
    granted = grants.put_on_file(border.site, signed(border, request, rows=40))
    real = transfer.seal

    def later(*said, **how):
        border.hands.drive(1, start=border.hands.now)
        return real(*said, **how)

    monkeypatch.setattr(transfer, "seal", later)
    assert "rows is 40" in str(refused(lambda: ship(border.site, request.id)))
    assert (grants.show(border.site, granted.id).rows, grants.show(border.site, granted.id).used) == (0, 0)


# ---- on paper ----

OFFICER = Signer("shanghai/officer", b"\5" * 32)
SCAN = b"%PDF-1.7 a permit on paper"


@pytest.fixture
def recording(ready):
    """The same, where the officer has a key and what is on paper is accepted."""
    border, request = ready
    key = ('[people.officer]\nrole = "officer"', f'[people.officer]\nrole = "officer"\nvkey = "{OFFICER.vkey}"')
    border.site = with_settings(border, key, more="\n[permits]\nrecorded = true\n")
    return border, request


def on_paper(border, request, /, **change):
    drafted = border.draft(request, granted_by="officer", scan=scans.digest_of(SCAN), number="CAC-2026-7")
    return permit.signed(replace(drafted, **change), OFFICER.sign)


def test_a_permit_on_paper_carries_where_the_site_accepts_it_and_says_who_recorded_it(recording):
    border, request = recording
    granted = grants.put_on_file(border.site, on_paper(border, request), SCAN)
    assert ship(border.site, request.id).persons == 1
    assert scans.opened(border.site, granted.scan) == SCAN
    logged = [json.loads(e) for e in border.site.ledger.entries()]
    told = next(e for e in logged if e["t"] == "permit")
    assert (told["state"], told["scan"], told["number"]) == ("recorded", granted.scan, "CAC-2026-7")
    papers = b"".join(path.read_bytes() for path in border.site.folder.glob("papers.sqlite*"))
    assert SCAN not in papers
    grants.revoke(border.site, granted.id)
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-revoked"


def test_a_site_that_accepts_none_from_paper_refuses_it_later_too(recording):
    border, request = recording
    note = on_paper(border, request)
    grants.put_on_file(border.site, note, SCAN)
    shut = with_settings(border, ("recorded = true", "recorded = false"))
    refusal = refused(lambda: ship(shut, request.id))
    assert (refusal.reason, bool(refusal.article)) == ("recorded-permit", True)


def test_nobody_records_a_permit_where_the_site_accepts_none(recording):
    border, request = recording
    shut = with_settings(border, ("recorded = true", "recorded = false"))
    assert refused(lambda: grants.put_on_file(shut, on_paper(border, request), SCAN)).reason == "recorded-permit"
    assert grants.listed(shut) == []


def test_an_officer_who_signs_as_if_a_regulator_had_is_found_out(recording):
    border, request = recording
    for change in ({"scan": ""}, {"scan": "", "granted_by": "regulator"}):
        with pytest.raises(Broken, match="as if a regulator had"):
            grants.put_on_file(border.site, on_paper(border, request, **change), SCAN)
    with pytest.raises(Broken, match="somebody else"):
        grants.put_on_file(border.site, on_paper(border, request, granted_by="regulator"), SCAN)
    with pytest.raises(Broken, match="a regulator's key signed it"):
        grants.put_on_file(border.site, signed(border, request, scan=scans.digest_of(SCAN)), SCAN)


def test_a_key_of_two_roles_signs_for_neither(recording):
    border, request = recording
    both = with_settings(border, (OFFICER.vkey, border.regulator().vkey))
    with pytest.raises(Broken, match="people of two roles"):
        grants.put_on_file(both, signed(border, request))


@pytest.mark.parametrize("scan", [None, b"", b"another scan", b"x" * (scans.MOST + 1)])
def test_a_permit_on_paper_comes_with_its_own_scan(recording, scan):
    border, request = recording
    with pytest.raises(Malformed):
        grants.put_on_file(border.site, on_paper(border, request), scan)


def test_a_scan_that_was_lost_or_altered_stops_its_permit(recording):
    from onshore.vault import papers

    border, request = recording
    grants.put_on_file(border.site, on_paper(border, request), SCAN)
    with writing(border.site.engine) as conn:
        sealed = bytes(conn.execute(select(papers.scans.c.sealed)).scalar_one())
        conn.execute(papers.scans.update().values(sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])))
    with pytest.raises(Broken, match="does not open"):
        ship(border.site, request.id)
    with writing(border.site.engine) as conn:
        conn.execute(papers.scans.delete())
    with pytest.raises(Broken, match="not on file"):
        ship(border.site, request.id)
