import io
import json
from dataclasses import asdict, replace
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from onshore.border import grants, requests
from onshore.border.dryrun import dry_run
from onshore.border.metering import meter
from onshore.border.transfer import ship
from onshore.border.views import spotcheck
from onshore.ledger.signer import Signer
from onshore.register import consents
from onshore.rights.access import access
from onshore.site import open_site
from onshore.vault.papers import entries, parcels, permits, reading, transfers, writing
from onshore.words.errors import Broken, Malformed, Refusal

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def consented(hands, *numbers):
    for number in numbers:
        hands.allow(number)
    hands.drive(*numbers)


def test_an_export_of_tracks_is_refused_with_articles_until_the_papers_are_there(border):
    consented(border.hands, 1)
    request, standing = border.ask()
    assert (standing.state, standing.verdict.verdict) == ("judged", "refuse")
    assert {"impact-assessment-missing", "notice-missing"} <= standing.verdict.codes()
    assert all(r.article for r in standing.verdict.reasons)
    assert border.file(request, *PAPERS[:-1]).state == "judged"
    complete = border.file(request, PAPERS[-1])
    assert complete.state == "completed"
    assert complete.verdict.route == "contract-or-certificate"
    assert requests.listed(border.site) == [complete]


def test_a_paper_that_ran_out_counts_no_more(border):
    consented(border.hands, 1)
    request, _ = border.ask()
    border.file(request, *PAPERS)
    today = border.site.today().isoformat()
    requests.file_paper(border.site, request, PAPERS[0], number="2", by="officer", until=today, sha256=None)
    assert requests.find(border.site, request.id).state == "completed"
    border.hands.now += 86_400_000
    assert requests.rejudge(border.site, request).state == "judged"


def test_a_dry_run_counts_and_sets_nothing_down(border):
    consented(border.hands, 1)
    border.hands.drive(2)
    found = dry_run(border.site, border.request())
    assert found.verdict.verdict == "refuse"
    assert (found.rows, found.vehicles, found.persons) == (40, 1, 1)  # 20 rows in each of two categories
    assert requests.listed(border.site) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"purpose": "statutory-monitoring"}, "statutory-ground"),
        ({"purpose": "advertising"}, "purpose-unknown"),
        ({"categories": ("gossip",)}, "category-unknown"),
        ({"categories": ()}, "category-unknown"),
        ({"recipient": "atlantis"}, "recipient-unknown"),
    ],
)
def test_what_cannot_be_asked_is_refused(border, change, reason):
    assert refused(lambda: border.ask(**change)).reason == reason


def test_a_parcel_holds_what_was_consented_sealed_to_the_recipient(border):
    consented(border.hands, 1, 2)
    border.hands.drive(3)
    consents.withdraw(border.site, border.hands.car(2))
    request, permit = border.permitted()
    shipped = ship(border.site, request.id)
    assert shipped.persons == 1
    assert shipped.file.with_suffix(".tlog-proof").exists()
    inside = border.opened(shipped)
    manifest = json.loads(inside["manifest.json"])
    assert manifest == shipped.manifest
    assert inside["permit.note"].decode() == grants.show(border.site, permit.id).note
    tables = {p["category"]: pq.read_table(io.BytesIO(inside[p["name"]])) for p in manifest["parts"]}
    assert set(tables) == {"track", "vehicle-operation"}
    assert all(t.num_rows == 20 for t in tables.values())
    names = {v for t in tables.values() for v in t.column("vehicle").to_pylist()}
    assert len(names) == 1
    assert border.hands.car(1).id not in names
    assert "Vehicle.CurrentLocation.Latitude" in tables["track"].column_names
    assert not [n for t in tables.values() for n in t.column_names if n.startswith("purposes") or n == "received"]
    assert list((border.site.folder / "staging").iterdir()) == []


def test_the_ledger_has_the_release_before_it_left(border):
    consented(border.hands, 1)
    request, _ = border.permitted()
    shipped = ship(border.site, request.id)
    entry = json.loads(border.site.ledger.entry_at(border.site.ledger.size - 1))
    assert (entry["t"], entry["state"], entry["subjects"], entry["dest"]) == ("release", "leaving", 1, "DE")
    assert entry["rows"] == shipped.rows
    assert entry["bytes"] == shipped.file.stat().st_size


def test_without_a_permit_nothing_leaves(border):
    consented(border.hands, 1)
    request, _ = border.ask()
    assert refused(lambda: ship(border.site, request.id)).reason == "impact-assessment-missing"
    border.file(request, *PAPERS)
    assert refused(lambda: ship(border.site, request.id)).reason == "four-eyes"
    border.approve(request)
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-missing"
    assert list((border.site.folder / "outbox").iterdir()) == []


def test_without_a_consent_that_names_the_recipient_nothing_leaves(border):
    border.hands.allow(1, recipients=frozenset())
    border.hands.drive(1)
    request, _ = border.permitted()
    assert refused(lambda: ship(border.site, request.id)).reason == "nothing-to-send"


def test_the_permits_limit_of_persons_holds_over_parcels(border):
    consented(border.hands, 1, 2)
    request, permit = border.permitted()
    assert ship(border.site, request.id).persons == 2
    assert ship(border.site, request.id).persons == 2  # the same two persons again
    consented(border.hands, 3)
    refusal = refused(lambda: ship(border.site, request.id))
    assert refusal.reason == "outside-permit"
    assert refusal.article
    assert grants.show(border.site, permit.id).used == 2


def test_a_permit_is_over_after_its_last_day(border):
    consented(border.hands, 1)
    request, _ = border.permitted()
    border.hands.now += 86_400_000
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-expired"


def test_a_revoked_permit_lets_nothing_through(border):
    consented(border.hands, 1)
    request, permit = border.permitted()
    grants.revoke(border.site, permit.id)
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-revoked"
    assert refused(lambda: grants.revoke(border.site, permit.id)).reason == "permit-revoked"
    assert requests.find(border.site, request.id).state == "revoked"


def test_a_permit_for_a_refused_request_cannot_be_granted(border):
    request, _ = border.ask()
    assert (
        refused(lambda: grants.grant(border.site, border.draft(request), border.regulator())).reason == "illegal-move"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"site": "0" * 16}, "outside-permit"),
        ({"transfer": "0" * 16}, "transfer-unknown"),
    ],
)
def test_a_permit_for_something_else_is_refused(border, change, reason):
    request, _ = border.ask()
    border.file(request, *PAPERS)
    assert (
        refused(lambda: grants.grant(border.site, border.draft(request, **change), border.regulator())).reason == reason
    )


@pytest.mark.parametrize(
    "change",
    [
        {"recipient_key": "age1other"},
        {"categories": ("track",)},
        {"purpose": "repair"},
        {"recipient": "munich"},
        {"recipient_jurisdiction": "US"},
        {"request": "sha256:00"},
    ],
)
def test_a_permit_that_names_other_things_than_the_request_is_not_taken_in(border, change):
    consented(border.hands, 1)
    refusal = refused(lambda: border.permitted(**change))
    assert (refusal.reason, refusal.article != "") == ("outside-permit", True)
    assert grants.listed(border.site) == []
    assert {s.state for s in requests.listed(border.site)} == {"approved"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"warranty-analysis"', '"repair"'),
        ('"asked_by":"engineer"', '"asked_by":"somebody"'),
        ('"produced_in":""', '"produced_in":"DE"'),
    ],
)
def test_a_request_changed_after_it_was_permitted_does_not_leave(border, old, new):
    consented(border.hands, 1)
    request, _ = border.permitted()
    with writing(border.site.engine) as conn:
        body = conn.execute(select(transfers.c.body)).scalar_one()
        conn.execute(transfers.update().values(body=body.replace(old, new)))
    assert refused(lambda: ship(border.site, request.id)).reason == "outside-permit"


def test_a_permit_signed_by_anybody_else_is_not_believed(border):
    request, _ = border.ask()
    border.file(request, *PAPERS)
    stranger = Signer("shanghai/regulator", b"\7" * 32)
    with pytest.raises(Broken, match="no regulator"):
        grants.grant(border.site, border.draft(request), stranger)


def test_a_permit_altered_in_the_papers_is_not_believed(border):
    consented(border.hands, 1)
    request, permit = border.permitted()
    with writing(border.site.engine) as conn:
        note = grants.show(border.site, permit.id).note.replace('"persons":2', '"persons":9')
        conn.execute(permits.update().values(note=note))
    with pytest.raises(Broken, match="no regulator"):
        ship(border.site, request.id)


def test_unknown_things_are_said_to_be_unknown(border):
    assert refused(lambda: requests.find(border.site, "0")).reason == "transfer-unknown"
    assert refused(lambda: grants.show(border.site, "0")).reason == "permit-unknown"


def test_the_spot_check_shows_all_of_it_and_not_a_row(border):
    consented(border.hands, 1)
    request, permit = border.permitted()
    shipped = ship(border.site, request.id)
    bundle = json.loads(json.dumps(spotcheck.bundle(border.site, request.id)))
    assert bundle["request"]["id"] == request.id
    assert {p["kind"] for p in bundle["papers"]} == set(PAPERS)
    assert bundle["permits"][0]["id"] == permit.id
    assert bundle["parcels"][0]["manifest"] == shipped.manifest
    assert bundle["parcels"][0]["proof"].startswith("c2sp.org/tlog-proof@v1\n")
    assert str(border.hands.car(1).id) not in json.dumps(bundle)


def test_a_person_is_told_of_every_parcel_that_may_have_left(border):
    consented(border.hands, 1)
    request, _ = border.permitted()
    shipped = ship(border.site, request.id)
    told = {}
    for state, left in (("left", 1), ("sending", None), ("unsent", None), ("leaving", None)):
        with writing(border.site.engine) as conn:
            conn.execute(parcels.update().values(state=state, left=left))
        told[state] = access(border.site, border.hands.car(1), "anna")["received_by"]
    assert [(p["parcel"], p["left"], p["recipient"]) for p in told["left"]] == [(shipped.id, 1, "stuttgart")]
    assert [(p["parcel"], p["left"]) for p in told["sending"]] == [(shipped.id, None)]
    assert (told["unsent"], told["leaving"]) == ([], [])


def test_the_year_counts_persons_once(border):
    consented(border.hands, 1, 2)
    request, _ = border.permitted()
    ship(border.site, request.id)
    ship(border.site, request.id)
    with reading(border.site.engine) as conn:
        year = border.site.today().year
        assert meter.exported(conn, year) == meter.Exported(sensitive=2, ordinary=2)
        assert meter.exported(conn, year + 1) == meter.Exported(0, 0)
        owners = {border.hands.car(n).owner for n in (1, 2, 3)}
        assert meter.new_in_year(conn, year, owners, sensitive=True) == 1


@pytest.mark.parametrize(
    "widened",
    [{"vehicles": (1, 2)}, {"start": 0}, {"until": 1 << 50}, {"asked_by": "somebody"}, {"purpose": "repair"}],
)
def test_a_request_that_was_altered_in_the_papers_is_not_the_permitted_one(border, widened):
    consented(border.hands, 1)
    request, _ = border.permitted()
    body = json.dumps(asdict(replace(request, **widened)))
    with writing(border.site.engine) as conn:
        conn.execute(transfers.update().values(body=body))
    refusal = refused(lambda: ship(border.site, request.id))
    assert refusal.reason == "outside-permit"
    assert list((border.site.folder / "outbox").iterdir()) == []


def test_a_recipient_that_moved_to_another_jurisdiction_is_not_the_permitted_one(border):
    consented(border.hands, 1)
    request, _ = border.permitted()
    toml = border.site.folder / "site.toml"
    toml.write_text(toml.read_text().replace('"DE"', '"CN"'))
    moved = open_site(border.site.folder, clock=border.site.clock)
    refusal = refused(lambda: ship(moved, request.id))
    assert (refusal.reason, "jurisdiction" in refusal.says) == ("outside-permit", True)


def test_a_permit_that_was_moved_to_another_request_is_not_believed(border):
    consented(border.hands, 1)
    _, permit = border.permitted()
    other = border.approved(categories=("track",))
    for values, asked in (({"transfer": other.id}, other), ({"id": "f" * 16}, other)):
        with writing(border.site.engine) as conn:
            conn.execute(permits.update().values(**values))
        with pytest.raises(Broken, match="another id, request or site"):
            ship(border.site, asked.id)
    assert permit.transfer != other.id


@pytest.mark.parametrize("hidden", [False, True])
def test_a_revocation_that_was_struck_from_the_papers_stands_in_the_ledger(border, hidden):
    consented(border.hands, 1)
    request, permit = border.permitted()
    grants.revoke(border.site, permit.id)
    with writing(border.site.engine) as conn:
        conn.execute(permits.update().values(revoked=None))
        if hidden:
            conn.execute(entries.update().values(body=b"{}"))
    with pytest.raises(Broken, match="ledger says that this permit was revoked"):
        ship(border.site, request.id)


def test_who_revokes_between_the_two_looks_at_a_permit_is_obeyed(border, monkeypatch):
    consented(border.hands, 1)
    request, permit = border.permitted()
    look = grants.logged.of_permit

    def revoked_first(*said):
        monkeypatch.undo()
        grants.revoke(border.site, permit.id)
        return look(*said)

    monkeypatch.setattr(grants.logged, "of_permit", revoked_first)
    with pytest.raises(Refusal) as refused:
        ship(border.site, request.id)
    assert refused.value.reason == "permit-revoked"


def test_revoking_one_of_two_permits_leaves_the_request_permitted(border):
    consented(border.hands, 1)
    request, first = border.permitted()
    second = grants.grant(border.site, border.draft(request), border.regulator())
    grants.revoke(border.site, first.id)
    assert requests.find(border.site, request.id).state == "permitted"
    assert border.file(request, PAPERS[0]).state == "completed"
    assert border.approve(request).state == "permitted"
    assert ship(border.site, request.id).persons == 1
    grants.revoke(border.site, second.id)
    assert requests.find(border.site, request.id).state == "revoked"
    assert border.file(request, PAPERS[0]).state == "completed"


def test_papers_can_be_filed_while_a_permit_stands_and_it_can_still_be_revoked(border):
    consented(border.hands, 1)
    request, permit = border.permitted()
    yesterday = (border.site.today() - timedelta(days=1)).isoformat()
    over = requests.file_paper(border.site, request, PAPERS[0], number="2", by="o", until=yesterday, sha256=None)
    assert over.state == "judged"
    assert border.file(request, PAPERS[0]).state == "completed"
    assert border.approve(request).state == "permitted"
    border.file(request, PAPERS[0])
    grants.revoke(border.site, permit.id)
    assert requests.find(border.site, request.id).state == "completed"
    assert border.approve(request).state == "approved"


def test_a_permit_is_filed_once(border):
    request, permit = border.permitted()
    note = grants.note_of(border.site, permit.id)
    assert refused(lambda: grants.put_on_file(border.site, note)).reason == "permit-known"
    assert requests.find(border.site, request.id).state == "permitted"


@pytest.mark.parametrize("note", ["", "junk", "{}\n\n", '["onshore"]\n\n— a b\n'])
def test_what_is_no_permit_is_malformed(border, note):
    with pytest.raises(Malformed, match="no permit"):
        grants.put_on_file(border.site, note)


def test_a_recipient_without_an_age_key_is_told_when_asked(border):
    toml = border.site.folder / "site.toml"
    toml.write_text(toml.read_text() + '\n[recipients.munich]\njurisdiction = "DE"\nkey = "age1nonsense"\n')
    site = open_site(border.site.folder, clock=border.site.clock)
    for act in (requests.ask, dry_run):
        with pytest.raises(Malformed, match=r"recipients\.munich"):
            act(site, border.request(recipient="munich"))
    assert requests.listed(site) == []
