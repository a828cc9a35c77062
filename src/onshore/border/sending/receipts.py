"""The receipt of a recipient: they sign that a parcel reached them, and that closes the case."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from onshore.border import life, moves, requests
from onshore.border.sealing import staged
from onshore.border.sending import accounts
from onshore.ledger.entry import digest
from onshore.ledger.note import Unreadable, Wrong, open_note, read_key
from onshore.ledger.signer import Signer
from onshore.site import Site
from onshore.vault.lock import hold
from onshore.vault.papers import parcels, reading, recipient_receipts, sendings, writing
from onshore.words.errors import Malformed, Refusal

_FORM = "parcel-receipt/1"
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_MAX = 64 << 10
_SKEW = 300_000  # milliseconds by which two clocks may differ


@dataclass(frozen=True)
class Said:
    """What a receipt says: which parcel, by the digest of the sealed file and its bytes, and when (ms UTC) it came."""

    parcel: str
    bytes: int
    received: int


def write(sealed: str, size: int, at: int, signer: Signer) -> str:
    """A receipt as a signed note (C2SP signed-note); `sealed`: SHA-256 in hex of the parcel's file."""
    fields = {"onshore": _FORM, "parcel": f"sha256:{sealed}", "bytes": size, "received": at}
    return signer.sign(json.dumps(fields, sort_keys=True, separators=(",", ":")) + "\n")


def read(note: str, vkey: str) -> Said:
    """What a receipt says; refused (`receipt-not-theirs`) unless `vkey` signed it. Malformed where it is none."""
    try:
        text = open_note(note, [read_key(vkey)]).text
    except Unreadable as wrong:
        raise Malformed(f"vkey: {wrong}", where="site.toml, recipients") from None
    except Wrong as wrong:
        raise Refusal(
            "receipt-not-theirs",
            f"the recipient's key did not sign this receipt: {wrong.what}",
            remedy="ask for one under the key that site.toml has as their vkey: 'onshore receipt write' makes it",
        ) from None
    return _said(text)


def take(site: Site, transfer_id: str, note: str, by: str) -> str:
    """File a recipient's receipt of a parcel of this request; the parcel's id. The request closes when none is out.

    Refused: `no-recipient-key`, `receipt-not-theirs`, `receipt-of-another` (no parcel of this request has that digest
    and length), `receipt-known`, `not-yet-left`, `receipt-wrong-time` (before it was sent, or in the future), and
    `still-going` while another process sends that parcel: its account is that one's.
    """
    recipient = site.recipient(requests.find(site, transfer_id).transfer.recipient).name
    vkey = site.settings.recipients[recipient].vkey
    if not vkey:
        raise Refusal(
            "no-recipient-key",
            "site.toml does not say by which key this recipient signs",
            remedy=f"write their verifier key down as vkey of [recipients.{recipient}]",
        )
    said = read(note, vkey)
    with _alone(site, transfer_id, said), writing(site.engine) as conn:
        row = _parcel(conn, transfer_id, said)
        _refuse_impossible(site, conn, row, said)
        if conn.execute(select(recipient_receipts.c.parcel).where(recipient_receipts.c.parcel == row.id)).first():
            raise Refusal("receipt-known", "this parcel's receipt is on file already", remedy="there is nothing to do")
        if row.state == "sending":  # the answer was lost, and the parcel was not
            life.move_parcel(conn, row.id, "left", left=site.clock())
            accounts.whole(site, conn, row.id)
            if life.state_of(conn, transfer_id) == "leaving":
                life.move(site, conn, transfer_id, "left", by=by)
        body = site.entry("receipt", obj=digest(note), parcel=said.parcel, bytes=said.bytes)
        conn.execute(
            recipient_receipts.insert().values(
                parcel=row.id,
                note=note,
                received=said.received,
                taken=site.clock(),
                taken_by=by,
                entry=site.hand_in(conn, body),
            )
        )
        if life.state_of(conn, transfer_id) == "left" and not _goes_on(site, conn, transfer_id):
            life.move(site, conn, transfer_id, "closed", by=by, why="receipt")
    site.settle()
    return str(row.id)


@contextmanager
def _alone(site: Site, transfer_id: str, said: Said) -> Iterator[None]:
    """Hold the border's road where the parcel has not come to its end: of two, one alone may say that it left."""
    with reading(site.engine) as conn:
        over = not moves.PARCEL[_parcel(conn, transfer_id, said).state]
    with ExitStack() as held:
        try:
            held.enter_context(nullcontext() if over else hold(site.folder / "locks" / "border", "border"))
        except Refusal:
            raise Refusal(
                "still-going",
                "another process is at the border, and may be sending this parcel just now",
                remedy=f"file the receipt once 'onshore transfer show {transfer_id}' says that it left",
            ) from None
        yield


def note_in(file: Path) -> str:
    """The text of a receipt's file; Malformed where it is over-long or none."""
    with file.open("rb") as opened:
        raw = opened.read(_MAX + 1)
    if len(raw) > _MAX:
        raise Malformed("a receipt is a few lines long", where=str(file))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Malformed("a receipt is a text", where=str(file)) from None


def _said(text: str) -> Said:
    try:
        fields: dict[str, Any] = json.loads(text)
        form = {name: type(value) for name, value in fields.items()}
    except (ValueError, AttributeError, RecursionError):
        form, fields = {}, {}
    if form != {"onshore": str, "parcel": str, "bytes": int, "received": int} or fields["onshore"] != _FORM:
        raise Malformed("it is no receipt of a parcel", where="receipt")
    if not _SHA256.fullmatch(fields["parcel"]) or fields["bytes"] < 0 or fields["received"] < 0:
        raise Malformed("it names no parcel, or no time", where="receipt")
    return Said(fields["parcel"], fields["bytes"], fields["received"])


def _parcel(conn: Connection, transfer_id: str, said: Said) -> Any:
    ask = select(parcels.c.id, parcels.c.state, parcels.c.reserved, sendings.c.bytes, sendings.c.began)
    ask = ask.join(sendings, sendings.c.parcel == parcels.c.id, isouter=True)
    mine = parcels.c.transfer == transfer_id, parcels.c.sha256 == said.parcel.removeprefix("sha256:")
    row = conn.execute(ask.where(*mine)).first()
    if row is None or (row.bytes is not None and row.bytes != said.bytes):
        raise Refusal(
            "receipt-of-another",
            "no parcel of this request is the one that this receipt is for",
            remedy="'onshore transfer show ID' names its parcels; file the receipt with the request that it belongs to",
        )
    return row


def _refuse_impossible(site: Site, conn: Connection, row: Any, said: Said) -> None:
    partly = row.state == "sending" and staged(site, row.id).exists() and accounts.handed_over(conn, row.id) < row.bytes
    if partly or row.state not in ("left", "sending"):
        raise Refusal("not-yet-left", "this parcel was not sent: nobody can have received it whole")
    if said.received < (row.began or row.reserved) - _SKEW or said.received > site.clock() + _SKEW:
        raise Refusal(
            "receipt-wrong-time",
            "the receipt's time is before the parcel was sent, or in the future",
            remedy="compare the clocks of both sides, and have the receipt written again",
        )


def _goes_on(site: Site, conn: Connection, transfer_id: str) -> bool:
    """Whether more of a request is to come: an officer closes a feed, not the receipt of one of its parcels."""
    return requests.find(site, transfer_id).transfer.method == "feed" or _out(conn, transfer_id)


def _out(conn: Connection, transfer_id: str) -> bool:
    """Whether a parcel of the request is still under way, or left without a receipt."""
    r = recipient_receipts.c
    ask = select(parcels.c.id).join(recipient_receipts, r.parcel == parcels.c.id, isouter=True)
    going = parcels.c.state.in_(("reserved", "leaving", "sending", "left"))
    return conn.execute(ask.where(parcels.c.transfer == transfer_id, going, r.parcel.is_(None))).first() is not None
