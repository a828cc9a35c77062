"""Evidence: what a regulator carries away of requests, with all that it takes to verify it where no Onshore is."""

import io
import json
import zipfile
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from sqlalchemy import select

from onshore.border import life, requests
from onshore.border.views import spotcheck, spotpage
from onshore.ledger import alone
from onshore.ledger.entry import digest, read
from onshore.site import Site
from onshore.vault.papers import parcels, permits, reading

_KINDS = ("request", "move", "approval", "paper", "permit", "release", "view", "receipt")
_README = """\
Evidence of what left the site {site} in {jurisdiction}, packed {at}.

requests/ID/bundle.json   all of a request: asked, judged, papers, permits as signed, counts, parcels with manifests
requests/ID/page.md       the same, to read
proofs/N-KIND.tlog-proof  entry N of the ledger, of these requests, with the proof that it is in the log
proofs/N-KIND.json        the same entry as JSON
checkpoint                the log as it stood when this was packed, signed
vkey                      the log's verifier keys, as this site says them
regulators.vkey           the keys of the regulators, as this site says them
{verifier}        checks all this; one file, the same bytes for everybody who builds it from the source

Check it, on any machine with Python 3.11 or later; nothing is sent anywhere:

    for proof in proofs/*.tlog-proof; do python3 -I -S {verifier} "$proof" --key vkey || break; done

Of a sealed file of the recipient's, with its proof beside it under the same name:

    python3 -I -S {verifier} PARCEL.parcel --key vkey

It prints what it checked, then "verified"; or the first wrong thing, and ends with 3.

Do not take its word for the keys. Compare vkey and regulators.vkey with what you have from elsewhere: a checkpoint that
you kept, a witness, a contract. And build the verifier yourself from the source, if you can: `make verifier`.

There is no row in here, no car and no person: counts and digests alone. That what stands here was recorded, and that it
was not changed since, is proven. That nothing else left is shown by comparing: proofs of kind "release" with what the
recipients hold and signed for, totals of bytes with what a switch counted that is not the site's.
"""


def pack(site: Site, transfer_ids: Collection[str]) -> bytes:
    """A zip of these requests: bundles, the ledger's entries on them with proofs, checkpoint, keys, the verifier.

    Entries that wait to be written are not among them until they are.
    """
    out = io.BytesIO()
    at = datetime.fromtimestamp(site.clock() / 1000, UTC)
    with zipfile.ZipFile(out, "w") as archive:
        for name, raw in _files(site, transfer_ids, at):
            info = zipfile.ZipInfo(name, at.timetuple()[:6])
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
            archive.writestr(info, raw)
    return out.getvalue()


def _files(site: Site, transfer_ids: Collection[str], at: datetime) -> Iterator[tuple[str, bytes]]:
    names = {"site": site.settings.site.name, "jurisdiction": site.settings.site.jurisdiction, "verifier": alone.NAME}
    yield "README.txt", _README.format(at=at.strftime("%Y-%m-%dT%H:%M:%SZ"), **names).encode()
    for one in transfer_ids:
        found = spotcheck.bundle(site, one)
        text = spotpage.page(found)
        yield f"requests/{one}/bundle.json", _json(spotcheck.without_names(found))
        yield f"requests/{one}/page.md", text.encode()
    yield from _proofs(site, transfer_ids)
    yield "checkpoint", site.ledger.checkpoint.encode()
    yield "vkey", site.ledger.vkeys.encode()
    yield "regulators.vkey", "".join(f"{vkey}\n" for vkey in _regulators(site)).encode()
    yield alone.NAME, alone.built()


def _proofs(site: Site, transfer_ids: Collection[str]) -> Iterator[tuple[str, bytes]]:
    about = _digests(site, transfer_ids)
    for number, raw in enumerate(site.ledger.entries()):
        if not any(f'"t":"{kind}"'.encode() in raw for kind in _KINDS):
            continue
        said = read(raw)
        if not about.isdisjoint(value for value in said.values() if isinstance(value, str)):
            name = f"proofs/{number}-{said['t']}"
            yield f"{name}.json", _json(said)
            yield f"{name}.tlog-proof", site.ledger.prove(number).encode()


def _digests(site: Site, transfer_ids: Collection[str]) -> set[str]:
    """How the ledger names these requests, the permits for them and the sealed files that left."""
    ask = select(permits.c.note).where(permits.c.transfer.in_(transfer_ids))
    files = select(parcels.c.sha256).where(parcels.c.transfer.in_(transfer_ids), parcels.c.sha256.is_not(None))
    with reading(site.engine) as conn:
        found = {digest(note) for note in conn.execute(ask).scalars()}
        found |= {f"sha256:{one}" for one in conn.execute(files).scalars()}
    return found | {life.named(requests.find(site, one).transfer) for one in transfer_ids}


def _regulators(site: Site) -> list[str]:
    return sorted({one.vkey for one in site.settings.people.values() if one.role == "regulator" and one.vkey})


def _json(said: object) -> bytes:
    return (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()
