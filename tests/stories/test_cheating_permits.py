"""Whoever cheats with a permit is refused: each story at a real site, with the refusal that it gets."""

import contextlib
import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from border_makers import PAPERS, Border
from onshore.border import grants, requests
from onshore.border.metering import meter, sisters
from onshore.border.metering.sisters import Declared
from onshore.border.permits import permit
from onshore.border.transfer import ship
from onshore.ledger import packs
from onshore.ledger.packs import PackFile, shipped
from onshore.ledger.signer import Signer
from onshore.register import consents as given
from onshore.register import persons, vehicles
from onshore.rules.local import local_midnight
from onshore.site import open_site
from onshore.vault.age import new_identity, recipient_of
from onshore.vault.papers import consents, drivers, drives, entries, keepers, parcels, permits, reading, writing
from onshore.words.errors import Broken, Malformed, Refusal

COUNSEL = Signer("counsel.example/anna", b"a" * 32)
LIMIT, SPLIT = 4, 20
TO = ("stuttgart", "munich")


@pytest.fixture
def border(hands):
    return Border(hands)


@pytest.fixture
def ready(border):
    """A car that drove, and an approved request for it."""
    border.hands.allow(1)
    border.hands.drive(1)
    return border, border.approved()


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def signed(border, request, /, **change):
    return permit.signed(border.draft(request, **change), border.regulator().sign)


def outbox(border):
    return sorted(path.name for path in (border.site.folder / "outbox").glob("*"))


# ---- what the regulator never signed ----


def test_a_permit_with_one_byte_changed_is_not_taken_in(ready):
    border, request = ready
    note = signed(border, request)
    for at in range(0, len(note), 37):
        changed = note[:at] + chr(ord(note[at]) ^ 1) + note[at + 1 :]
        with pytest.raises((Broken, Malformed)):
            grants.put_on_file(border.site, changed)
    assert grants.listed(border.site) == []


def test_a_permit_that_somebody_else_signed_is_not_taken_in(ready):
    """An engineer's own key, listed in site.toml beside the engineer's name, and a key of nobody."""
    border, request = ready
    key = Signer("shanghai/engineer", b"\7" * 32)
    toml = border.site.folder / "site.toml"
    engineer = '[people.engineer]\nrole = "engineer"'
    assert engineer in toml.read_text()
    toml.write_text(toml.read_text().replace(engineer, f'{engineer}\nvkey = "{key.vkey}"'))
    site = open_site(border.site.folder, clock=border.site.clock)
    for name, seed in (("shanghai/engineer", b"\7"), ("shanghai/regulator", b"\7"), ("shanghai/regulator", b"\x08")):
        for by in ("regulator", "engineer"):
            note = permit.signed(border.draft(request, granted_by=by), Signer(name, seed * 32).sign)
            with pytest.raises(Broken, match=r"no regulator of site\.toml signed this permit"):
                grants.put_on_file(site, note)
    assert grants.listed(site) == []


def test_a_permit_in_which_a_term_stands_twice_is_none(ready):
    """The regulator reads one number, a program another: signed, and not taken in all the same."""
    border, request = ready
    text = permit.text_of(border.draft(request))
    assert '"persons":2,' in text
    for other in ('"persons":2,"persons":2000,', '"persons": 2,', '"persons":2.0,', '"p\\u0065rsons":2,'):
        note = border.regulator().sign(text.replace('"persons":2,', other))
        with pytest.raises((Malformed, Broken)):
            grants.put_on_file(border.site, note)
    assert grants.listed(border.site) == []


def test_a_permit_of_ten_megabytes_is_none(ready):
    border, request = ready
    for text in ("x" * 10_000_000, permit.text_of(border.draft(request, number="x" * 10_000_000)), "[" * 10_000_000):
        with pytest.raises(Malformed, match="this is no permit"):
            grants.put_on_file(border.site, border.regulator().sign(f"{text.rstrip()}\n"))


@pytest.mark.parametrize(
    "change",
    [
        {"rows": -1},
        {"persons": -1},
        {"rows": 10**30},
        {"persons": 10**15},
        {"transforms": ("blur:all",)},
        {"transforms": ("space:0",)},
        {"id": ""},
        {"id": "../../outbox"},
        {"id": "x" * 33},
    ],
)
def test_limits_that_are_none_make_no_permit(ready, change):
    border, request = ready
    with pytest.raises(Malformed):
        grants.put_on_file(border.site, signed(border, request, **change))
    assert grants.listed(border.site) == []


# ---- again, and elsewhere ----


def test_a_permit_is_taken_in_once_even_where_the_papers_forgot_it(ready):
    border, request = ready
    note = signed(border, request)
    granted = grants.put_on_file(border.site, note)
    assert refused(lambda: grants.put_on_file(border.site, note)).reason == "permit-known"
    grants.revoke(border.site, granted.id)
    with writing(border.site.engine) as conn:
        conn.execute(permits.delete())
    assert refused(lambda: grants.put_on_file(border.site, note)).reason == "permit-known"
    with writing(border.site.engine) as conn:
        conn.execute(update(entries).values(body=b'{"at":"2026-09-21T00:00:00.000Z"}'))
    assert refused(lambda: grants.put_on_file(border.site, note)).reason == "permit-known"  # the log still has it


def test_another_permit_under_the_same_id_is_refused(ready):
    """Of two permits that share an id, the count of one would be the count of the other."""
    border, request = ready
    granted = grants.put_on_file(border.site, signed(border, request))
    other = border.approved()
    for note in (signed(border, other, id=granted.id), signed(border, request, id=granted.id, persons=1000)):
        assert refused(lambda note=note: grants.put_on_file(border.site, note)).reason == "permit-known"


def test_a_permit_for_another_request_or_another_site_is_refused(ready):
    border, request = ready
    other = border.approved(purpose="warranty-analysis")
    note = signed(border, request, transfer=other.id)
    assert refused(lambda: grants.put_on_file(border.site, note)).reason == "outside-permit"
    note = signed(border, request, site="0123456789abcdef")
    assert "another site" in str(refused(lambda: grants.put_on_file(border.site, note)))


# ---- at another time ----


def test_a_permit_of_tomorrow_carries_nothing_today(ready):
    border, request = ready
    day = border.site.today() + timedelta(days=1)
    grants.put_on_file(border.site, signed(border, request, start=day, until=day))
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-expired"
    border.hands.now = local_midnight(day, border.site.law.zone) - 1
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-expired"
    border.hands.now += 1
    assert ship(border.site, request.id).persons == 1


def test_a_permit_that_was_granted_later_than_now_puts_the_clock_in_doubt(ready):
    border, request = ready
    granted = grants.put_on_file(border.site, signed(border, request))
    with writing(border.site.engine) as conn:
        conn.execute(permits.update().where(permits.c.id == granted.id).values(granted=border.hands.now + 60_000))
    assert refused(lambda: ship(border.site, request.id)).reason == "clock-in-doubt"


def test_a_clock_set_back_over_new_year_neither_grants_nor_ships(border):
    zone = border.site.law.zone
    border.hands.allow(1)
    border.hands.now = local_midnight(date(2027, 1, 1), zone) + 1000
    border.hands.drive(1)
    request = border.approved()
    whole = {"start": date(2026, 1, 1), "until": date(2027, 12, 31)}
    grants.put_on_file(border.site, signed(border, request, **whole))
    assert ship(border.site, request.id).persons == 1
    other, late = border.approved(), border.hands.now
    border.hands.now = local_midnight(date(2027, 1, 1), zone) - 60_000
    assert border.site.today() == date(2026, 12, 31)
    back = refused(lambda: ship(border.site, request.id))
    assert (back.reason, bool(back.article), bool(back.remedy)) == ("clock-in-doubt", True, True)
    assert refused(lambda: grants.put_on_file(border.site, signed(border, other, **whole))).reason == "clock-in-doubt"
    border.hands.drive(1, start=border.hands.now)  # what cars send is kept all the same
    with reading(border.site.engine) as conn:
        assert [meter.exported(conn, y).sensitive for y in (2026, 2027)] == [0, 1]
    border.hands.now = late
    grants.put_on_file(border.site, signed(border, other, **whole))
    assert ship(border.site, other.id).persons == 1


# ---- to somebody else ----


def test_a_recipient_whose_key_was_swapped_after_the_grant_receives_nothing(ready):
    border, request = ready
    grants.put_on_file(border.site, signed(border, request))
    old, new = border.site.settings.recipients["stuttgart"].key, recipient_of(new_identity())
    toml = border.site.folder / "site.toml"
    toml.write_text(toml.read_text().replace(old, new))
    site = open_site(border.site.folder, clock=border.site.clock)
    refusal = refused(lambda: ship(site, request.id))
    assert refusal.reason == "outside-permit"
    assert "the recipient's key" in str(refusal)


# ---- more persons than it says ----


@pytest.fixture
def few(border):
    """A site whose law asks for an assessment from the fourth person on, and a car for each of twenty requests."""
    folder = border.site.folder
    text = re.sub(r'^id = ".*"$', 'id = "cn/2026-02"', shipped("cn/2026-02").text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^sensitive_from = 10_?000$", f"sensitive_from = {LIMIT}", text, count=1, flags=re.MULTILINE)
    assert f"sensitive_from = {LIMIT}" in text
    home = folder / "packs" / "cn" / "2026-02"
    home.mkdir(parents=True)
    (home / "pack.toml").write_text(text)
    (home / "pack.note").write_text(packs.signed(PackFile(text, None, None, "cn/2026-02"), COUNSEL))
    toml = folder / "site.toml"
    munich = f'\n[recipients.munich]\njurisdiction = "DE"\nkey = "{recipient_of(new_identity())}"\n'
    toml.write_text(toml.read_text().replace("signers = [", f'signers = ["{COUNSEL.vkey}", ', 1) + munich)
    border.hands.site = border.site = open_site(folder, clock=border.site.clock)
    for number in range(1, SPLIT + 1):
        border.hands.allow(number, categories=("track",), recipients=frozenset(TO))
    border.hands.drive(*range(1, SPLIT + 1), seconds=2)
    return border


def part(border, number):
    """One of the twenty: a car of its own, in turn to one recipient and the other."""
    vehicle = border.hands.car(number).id
    request, standing = border.ask(categories=("track",), vehicles=(vehicle,), recipient=TO[number % len(TO)])
    return request, standing


def permitted_part(border, number):
    request, _ = part(border, number)
    border.file(request, *PAPERS)
    border.approve(request)
    grants.grant(border.site, border.draft(request, persons=1), border.regulator())
    return request


def test_the_part_that_reaches_the_limit_needs_what_the_whole_would_need(few):
    for number in range(1, LIMIT):
        ship(few.site, permitted_part(few, number).id)
    for number in range(LIMIT, SPLIT + 1):
        request, _ = part(few, number)
        standing = few.file(request, *PAPERS)
        assert standing.verdict.codes() == {"assessment-required"}, number
        assert standing.verdict.reasons[0].article


def test_parts_that_were_all_permitted_beforehand_do_not_all_leave(few):
    asked = [permitted_part(few, number) for number in range(1, LIMIT + 3)]
    for request in asked[: LIMIT - 1]:
        ship(few.site, request.id)
    for request in asked[LIMIT - 1 :]:
        refusal = refused(lambda request=request: ship(few.site, request.id))
        assert refusal.reason == "assessment-required"
    assert len(list((few.site.folder / "outbox").glob("*.parcel"))) == LIMIT - 1


def test_what_a_sister_company_sent_counts_as_splitting(few):
    request, _ = part(few, 1)
    assert few.file(request, *PAPERS).verdict.verdict == "allow"
    sisters.declare(few.site, Declared("sister", few.site.today().year, LIMIT - 1, 0, "S-1"), "officer")
    standing = requests.rejudge(few.site, request)
    assert standing.verdict.codes() == {"possible-splitting"}
    assert standing.verdict.reasons[0].article


def test_two_permits_for_one_person_each_carry_no_parcel_with_two(border):
    for number in (1, 2):
        border.hands.allow(number)
    border.hands.drive(1, 2)
    request = border.approved()
    for _ in range(2):
        grants.grant(border.site, border.draft(request, persons=1), border.regulator())
    refusal = refused(lambda: ship(border.site, request.id))
    assert refusal.reason == "outside-permit"
    assert outbox(border) == []


def test_the_same_person_in_three_cars_counts_once(border):
    """The owner of two cars, who drives a third that is somebody else's."""
    site, hands = border.site, border.hands
    for number in (1, 2, 3):
        hands.allow(number)
    driver = persons.add_driver(site, hands.car(3).id, name="the owner of the first", mark="a key")
    wish = given.Wish(
        purposes=("warranty-analysis",),
        categories=("track", "vehicle-operation"),
        notice="2026-11",
        separate=True,
        recipients=frozenset({"stuttgart"}),
    )
    given.give(site, hands.car(3), wish, driver=driver)
    hands.now += 1000
    one, two, three = (hands.car(number).id for number in (1, 2, 3))
    first = vehicles.owners(site)[one]
    with writing(site.engine) as conn:
        theirs = conn.execute(select(drivers.c.id).where(drivers.c.person == driver)).scalar_one()
        conn.execute(drives.insert().values(vehicle=three, at=hands.now, driver=theirs))
        for table in (keepers, consents):
            same = (table.c.vehicle == two) | (table.c.person == driver)
            conn.execute(update(table).where(same).values(person=first))
        conn.execute(update(drivers).where(drivers.c.id == theirs).values(person=first))
    hands.drive(1, 2, 3)
    request, _ = border.permitted(persons=1)
    sent = ship(site, request.id)
    assert (sent.persons, sent.rows) == (1, 120)
    with reading(site.engine) as conn:
        assert meter.devices_since(conn, 0, "stuttgart") == 3
        assert meter.exported(conn, 2026) == meter.Exported(1, 1)


# ---- at the very moment at which it is revoked ----

SHIPPING = """
import sys
from pathlib import Path
from onshore.border.transfer import ship
from onshore.site import open_site
from onshore.words.errors import Refusal

folder, now = Path(sys.argv[1]), int(sys.argv[2])
site = open_site(folder, clock=lambda: now)
print("ready", flush=True)
sys.stdin.readline()
try:
    print(ship(site, sys.argv[3]).persons)
except Refusal as refusal:
    print(refusal.reason)
"""


@pytest.mark.parametrize("turn", range(3))
def test_who_revokes_while_another_process_ships_is_obeyed_or_told(border, turn):
    border.hands.allow(1)
    border.hands.drive(1)
    request, granted = border.permitted()
    source = str(Path(grants.__file__).parents[2])
    shipping = subprocess.Popen(
        [sys.executable, "-c", SHIPPING, str(border.site.folder), str(border.hands.now), request.id],
        env=os.environ | {"PYTHONPATH": source},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert shipping.stdin is not None
    assert shipping.stdout is not None
    assert shipping.stdout.readline() == "ready\n"
    shipping.stdin.write("go\n")
    shipping.stdin.flush()
    with reading(border.site.engine) as conn, contextlib.suppress(StopIteration):
        next(iter(conn.execute(select(parcels.c.state))))
    gone = grants.revoke(border.site, granted.id)
    said = shipping.communicate()[0].strip()
    with reading(border.site.engine) as conn:
        states = list(conn.execute(select(parcels.c.state)).scalars())
        assert meter.used(conn, granted.id) == states.count("left")
    assert said in {"1", "permit-revoked", "halted", "permit-missing"}
    assert (said == "1") == (states == ["left"]) == (outbox(border) != [])
    assert not gone or states == ["left"], "who was told that a parcel was on its way was told the truth"
    assert refused(lambda: ship(border.site, request.id)).reason == "permit-revoked"
