"""A recipient's receipt closes the case; one that is not theirs, not of this parcel, or not of this time does not."""

import hashlib
import json

import pytest
from sqlalchemy import select, update

from onshore.border import life, underway
from onshore.border.sealing import staged
from onshore.border.sending import receipts
from onshore.border.transfer import ship
from onshore.ledger.signer import Signer
from onshore.site import open_site
from onshore.vault.papers import parcels, reading, recipient_receipts, sendings, transfers, writing
from onshore.words.errors import Malformed, Refusal


@pytest.fixture
def shipped(border, hands):
    """A parcel in the outbox, and the recipient, who knows how to sign."""
    signer = Signer("stuttgart.example/parcels", b"r" * 32)
    settings = hands.site.folder / "site.toml"
    said = settings.read_text().replace("[recipients.stuttgart]\n", f'[recipients.stuttgart]\nvkey = "{signer.vkey}"\n')
    settings.write_text(said)
    border.site = hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    hands.allow(1)
    hands.drive(1)
    request, _ = border.permitted()
    return Shipped(border.site, hands, request, ship(border.site, request.id), signer)


class Shipped:
    def __init__(self, site, hands, request, shipped, signer):
        self.site, self.hands, self.request, self.signer = site, hands, request, signer
        self.raw = shipped.file.read_bytes()

    def receipt(self, raw=None, *, at=None, signer=None, size=None):
        raw = self.raw if raw is None else raw
        digest, length = hashlib.sha256(raw).hexdigest(), len(raw) if size is None else size
        return receipts.write(digest, length, self.hands.now if at is None else at, signer or self.signer)

    def take(self, note, request=None):
        return receipts.take(self.site, (request or self.request).id, note, "officer")

    def state(self):
        with reading(self.site.engine) as conn:
            return life.state_of(conn, self.request.id)

    def kept(self):
        with reading(self.site.engine) as conn:
            return conn.execute(select(recipient_receipts)).all()


def refused(reason, act):
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.reason == reason


def test_a_receipt_closes_the_request_and_stands_in_the_ledger(shipped):
    assert shipped.state() == "left"
    shipped.hands.now += 5000
    note = shipped.receipt()
    parcel = shipped.take(note)
    assert shipped.state() == "closed"
    [kept] = shipped.kept()
    assert (kept.parcel, kept.note, kept.received, kept.taken_by) == (parcel, note, shipped.hands.now, "officer")
    entry = json.loads(list(shipped.site.ledger.entries())[-2])
    entries = [e for e in map(json.loads, shipped.site.ledger.entries()) if e["t"] == "receipt"]
    assert len(entries) == 1, entry
    assert entries[0]["parcel"] == f"sha256:{hashlib.sha256(shipped.raw).hexdigest()}"
    assert entries[0]["bytes"] == len(shipped.raw)


def test_a_receipt_is_taken_once(shipped):
    shipped.take(shipped.receipt())
    refused("receipt-known", lambda: shipped.take(shipped.receipt()))
    refused("receipt-known", lambda: shipped.take(shipped.receipt(at=shipped.hands.now + 1)))
    assert len(shipped.kept()) == 1


WRONG = {
    "receipt-not-theirs": lambda s: s.receipt(signer=Signer("stuttgart.example/parcels", b"x" * 32)),
    "receipt-of-another": lambda s: s.receipt(b"another parcel, or one of another site"),
    "receipt-wrong-time": lambda s: s.receipt(at=s.hands.now - 3_600_000),
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_receipt_that_is_not_of_this_parcel_closes_nothing(shipped, reason):
    refused(reason, lambda: shipped.take(WRONG[reason](shipped)))
    refused("receipt-of-another", lambda: shipped.take(shipped.receipt(size=1)))
    refused("receipt-wrong-time", lambda: shipped.take(shipped.receipt(at=shipped.hands.now + 3_600_000)))
    assert (shipped.state(), shipped.kept()) == ("left", [])


def test_an_edited_receipt_is_not_theirs(shipped):
    note = shipped.receipt(b"another")
    mine = shipped.receipt()
    body, _, line = note.rpartition("\n\n")
    forged = mine.rpartition("\n\n")[0] + "\n\n" + line
    assert body
    refused("receipt-not-theirs", lambda: shipped.take(forged))


def test_a_receipt_of_another_request_is_refused(shipped, border):
    other, _ = border.ask()
    refused("receipt-of-another", lambda: shipped.take(shipped.receipt(), other))


def test_nobody_received_what_was_not_sent(shipped):
    with writing(shipped.site.engine) as conn:
        conn.execute(update(parcels).values(state="unsent"))
    refused("not-yet-left", lambda: shipped.take(shipped.receipt()))


def test_a_receipt_shows_that_a_parcel_arrived_whose_answer_was_lost(shipped):
    """The sender crashed before it noted that all was there: the recipient's word settles it."""
    with writing(shipped.site.engine) as conn:
        conn.execute(update(parcels).values(state="sending"))
        conn.execute(update(transfers).where(transfers.c.id == shipped.request.id).values(state="leaving"))
    shipped.take(shipped.receipt())
    with reading(shipped.site.engine) as conn:
        assert conn.execute(select(parcels.c.state)).scalar_one() == "left"
    assert shipped.state() == "closed"


def test_nobody_received_what_has_only_begun_to_go(shipped):
    """The proof goes first and names digest and length: who has nothing else can sign for the parcel."""
    with writing(shipped.site.engine) as conn:
        conn.execute(update(parcels).values(state="sending"))
        conn.execute(update(sendings).values(payload=0, most=0))
    staged(shipped.site, f"{shipped.request.id}-1").write_bytes(shipped.raw)
    refused("not-yet-left", lambda: shipped.take(shipped.receipt()))
    assert shipped.kept() == []
    with writing(shipped.site.engine) as conn:
        conn.execute(update(sendings).values(most=len(shipped.raw)))
        conn.execute(update(transfers).values(state="leaving"))
    shipped.take(shipped.receipt())
    assert shipped.state() == "closed"


def test_a_receipt_waits_until_the_process_that_sends_the_parcel_is_done(shipped, monkeypatch):
    """The recipient signs as soon as it has all of it; the sender has not noted yet that it left."""
    real, said = underway.send, []

    def signed_for(sealed, *rest, **more):
        sent = real(sealed, *rest, **more)
        note = shipped.receipt(sent.file.read_bytes())
        with pytest.raises(Refusal) as refused:
            receipts.take(open_site(shipped.site.folder, clock=shipped.site.clock), shipped.request.id, note, "officer")
        said.append((refused.value.reason, note))
        return sent

    monkeypatch.setattr(underway, "send", signed_for)
    shipped.hands.drive(1)
    again = ship(shipped.site, shipped.request.id)
    [(reason, note)] = said
    assert reason == "still-going"
    assert again.id != f"{shipped.request.id}-1"
    assert shipped.take(note) == again.id
    assert shipped.state() == "left", "the first parcel's receipt is still to come"
    shipped.take(shipped.receipt())
    assert shipped.state() == "closed"


@pytest.mark.sqlite
def test_without_their_key_no_receipt_is_believed(border, hands):
    request, _ = border.ask()
    refused("no-recipient-key", lambda: receipts.take(border.site, request.id, "", "officer"))


NO_RECEIPTS = [
    "not JSON\n",
    "[]\n",
    '{"onshore":"permit/1"}\n',
    '{"bytes":1,"onshore":"parcel-receipt/1","parcel":"sha256:x","received":1}\n',
    '{"bytes":-1,"onshore":"parcel-receipt/1","parcel":"sha256:' + "0" * 64 + '","received":1}\n',
    '{"bytes":true,"onshore":"parcel-receipt/1","parcel":"sha256:' + "0" * 64 + '","received":1}\n',
    "[" * 100_000 + "\n",
]


@pytest.mark.parametrize("text", NO_RECEIPTS)
def test_what_they_signed_must_be_a_receipt(text):
    signer = Signer("stuttgart.example/parcels", b"r" * 32)
    with pytest.raises(Malformed):
        receipts.read(signer.sign(text), signer.vkey)


@pytest.mark.sqlite
def test_a_file_that_is_no_receipt_is_not_read_whole(tmp_path):
    for raw in (b"x" * 100_000, b"\xff\xfe"):
        (tmp_path / "receipt").write_bytes(raw)
        with pytest.raises(Malformed):
            receipts.note_in(tmp_path / "receipt")
