"""A car changes hands: what was chosen is done, the new owner starts from nothing, and a crash leaves no half of it."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from onshore.cli.drives import computed
from onshore.consent.records import FOREVER
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.decode import decode
from onshore.gate.intake import Intake
from onshore.gate.upload.shelf import Shelf
from onshore.register import acts, certificates, consents, handover, persons, policies, vehicles
from onshore.rights import cases, clocks, erase, sale
from onshore.rights.access import access
from onshore.rights.sale import Choice
from onshore.vault.age import recipient_of
from onshore.vault.journal import Journal
from onshore.vault.read import read
from onshore.words.errors import Malformed, Refusal
from onshore.words.vocabulary import STATUTORY
from rights_makers import agreed, opened, said, standing, verified

NEITHER = Choice()


def rows(hands, person=None):
    return sum(h["rows"] for h in access(hands.site, hands.car(), "officer", person=person)["held"])


def readable(hands, use=STATUTORY):
    site = hands.site
    where = {"categories": ["track", "driving-behaviour", "vehicle-operation"], "start": 0, "until": FOREVER}
    return sum(t.num_rows for t in read(site.engine, site.root, site.vault, site.id, use=use, **where))


def sold(hands, choice=NEITHER, **more):
    done = sale.sell(hands.site, hands.car(), "officer", choice, owner="Bo", contact="bo@example.org", **more)
    hands.now += 60_000
    return done


def certified(hands):
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "car")])
    request = x509.CertificateSigningRequestBuilder().subject_name(named).sign(key, hashes.SHA256())
    certificates.certify(hands.site, hands.car().id, request.public_bytes(serialization.Encoding.PEM))


def test_what_is_kept_is_restricted_for_good_and_the_new_owner_starts_from_nothing(hands):
    hands.allow()
    hands.drive(1, 2)
    certified(hands)
    before = policies.current(hands.site, hands.car().id)
    old, mine = hands.car().owner, rows(hands)
    done = sold(hands)
    assert done.case.state == "done"
    assert [c.revoked for c in certificates.of_vehicle(hands.site, hands.car().id)] == [done.case.asked]
    assert policies.latest(hands.site, hands.car().id).version > before.version
    assert not [c for c in consents.of_vehicle(hands.site, hands.car().id) if c.holds(hands.now)]
    assert readable(hands) == 60, "of the other car alone"
    assert readable(hands, "warranty-analysis") == 0
    assert rows(hands, old) == mine, "the old owner sees what is theirs"
    seen = access(hands.site, hands.car(), "officer")
    empty = ("held", "consents", "received_by", "certificates", "uploads", "requests", "asked_here")
    assert {name: seen[name] for name in empty} == {name: [] for name in empty}
    assert seen["keeper"]["name"] == "Bo"
    hands.drive(1)
    assert rows(hands) == 60
    assert readable(hands) == 120


def test_an_upload_that_was_coming_does_not_come_to_the_new_owner(hands):
    shelf = Shelf(hands.site)
    until = hands.now + 86_400_000
    mine, others = (shelf.add(hands.car(n).id, b"{}", 10, until).id for n in (1, 2))
    over = shelf.add(hands.car().id, b"{}", 10, until).id
    shelf.end(over, "done", until)
    sold(hands)
    assert (shelf.find(mine), shelf.find(others).fate, shelf.find(over).fate) == (None, "coming", "done")


def test_rows_that_arrived_before_the_sale_stay_the_old_owners_whatever_their_clock_says(hands):
    site, car = hands.site, hands.car().id
    ahead = [encode.realtime(hands.vin(1), hands.now + 300_000 + m.offset, m.units) for m in computed(1, 20)]
    with Journal(
        site.engine, site.root, site.vault, site=site.id, gate="0", clock=site.clock, randomness=site.randomness
    ) as journal:
        intake = Intake(site, journal)
        intake.take_in(decode(ahead, [car] * 20, hands.now).batch)
        intake.close()
    site.drain()
    hands.now += 1000
    old, seen = hands.car().owner, readable(hands)
    assert seen > 0
    kept = rows(hands, old)
    sold(hands)
    hands.now += 600_000
    assert readable(hands) == 0, "not the new owner's, though they tell times after the sale"
    assert (rows(hands), rows(hands, old)) == (0, kept)


def test_certificates_stay_where_it_is_said(hands):
    certified(hands)
    sold(hands, keep_certificates=True)
    assert [c.revoked for c in certificates.of_vehicle(hands.site, hands.car().id)] == [None]


def test_what_is_erased_is_gone_with_name_and_contact_and_drivers_rows_stay_theirs(hands):
    cleo = persons.add_driver(hands.site, hands.car().id, name="Cleo", mark="card 7")
    agreed(hands, hands.car())
    agreed(hands, hands.car(), driver=cleo)
    said(hands, (33.5, None), (77.5, "card 7"))
    old = hands.car().owner
    done = sold(hands, Choice(erase=True), identity="id-card")
    assert done.case.state == "done"
    assert (persons.name_of(hands.site, old), persons.contact_of(hands.site, old)) == ("", "")
    assert persons.name_of(hands.site, cleo) == "Cleo"
    assert rows(hands, old) == 0
    assert rows(hands, cleo) == 1
    assert readable(hands, "warranty-analysis") == 0
    (erasure,) = [c for c in cases.of_vehicle(hands.site, hands.car().id) if c.kind == "erase"]
    assert (erasure.state, erasure.certificate["rows"], erasure.wish.identity) == ("done", 1, "id-card")
    raw = opened(hands.site)
    assert b"\x00\x00\x06B" not in raw  # 33.5 as a float32
    assert b"\x00\x00\x9bB" in raw


def test_both_are_done_in_that_order(hands, tmp_path):
    hands.drive(1)
    done = sold(hands, Choice(erase=True, take=(tmp_path / "old", recipient_of(hands.identity))))
    assert done.taken.paper["rows"] == 60
    assert done.taken.file.exists()
    assert rows(hands, next(k.person for k in persons.of_vehicle(hands.site, hands.car().id))) == 0
    kinds = {c.kind: (c.state, c.asked) for c in cases.of_vehicle(hands.site, hands.car().id)}
    assert {kind: kinds[kind][0] for kind in ("take", "erase", "sale")} == dict.fromkeys(
        ("take", "erase", "sale"), "done"
    )
    assert standing(hands.site) == []


def test_a_crash_after_the_hand_over_is_taken_up(hands, tmp_path, monkeypatch):
    hands.drive(1)
    old = hands.car().owner
    choice = Choice(erase=True, take=(tmp_path / "old", recipient_of(hands.identity)))

    def cut_short(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sale, "carry_through", cut_short)
        with pytest.raises(KeyboardInterrupt):
            sold(hands, choice)
    assert hands.car().owner != old
    assert readable(hands) == 0
    assert {one.case.kind: one.case.state for one in clocks.queue(hands.site)} == {"take": "asked", "sale": "asked"}
    assert sale.carry_on(hands.site) == {}, "whoever keeps the site erases nothing before it was taken along"
    assert rows(hands, old) == 60
    with monkeypatch.context() as patched:
        patched.setattr(erase, "erase_scopes", cut_short)
        with pytest.raises(KeyboardInterrupt):
            sale.resume(hands.site)
    assert list((tmp_path / "old").glob("*.age"))
    assert {one.case.kind: one.case.state for one in clocks.queue(hands.site)} == {"erase": "asked", "sale": "asked"}
    assert sale.resume(hands.site) == {}
    assert clocks.queue(hands.site) == []
    assert rows(hands, old) == 0
    assert persons.name_of(hands.site, old) == ""


def test_a_crash_within_the_commit_leaves_nothing_done(hands, monkeypatch):
    hands.allow()
    hands.drive(1)
    old = hands.car().owner

    def cut_short(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("onshore.rights.sale.restrictions.restrict", cut_short)
        with pytest.raises(KeyboardInterrupt):
            sold(hands, Choice(erase=True))
    assert hands.car().owner == old
    assert cases.of_vehicle(hands.site, hands.car().id) == []
    assert [c for c in consents.of_vehicle(hands.site, hands.car().id) if c.holds(hands.now)]
    assert [k.until for k in persons.of_vehicle(hands.site, hands.car().id)] == [None]


def test_what_cannot_be_done_is_refused_before_anything_is(hands, tmp_path):
    with pytest.raises(Malformed, match="age1"):
        sold(hands, Choice(take=(tmp_path, "no key")))
    with pytest.raises(Malformed, match="short code"):
        sold(hands, identity="Passport 123456789")
    vehicle = hands.car()
    handover.retire(hands.site, vehicle)
    with pytest.raises(Refusal, match="retired"):
        sale.sell(hands.site, vehicle, "officer", Choice(), owner="Bo")
    assert cases.of_vehicle(hands.site, vehicle.id) == []


def test_a_sale_has_a_receipt(hands):
    done = sold(hands)
    assert verified(hands.site, acts.receipt(hands.site, done.act))
    assert vehicles.owner_name(hands.site, done.owner) == "Bo"
