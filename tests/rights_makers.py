"""What tests of rights are made with: a driver's rows beside the owner's, a pack with a floor, what files hold."""

import io
import json

import msgspec
import pyarrow as pa

from onshore.consent.drives import SUBJECT
from onshore.gate.intake import Intake
from onshore.ledger import __main__ as verifier
from onshore.ledger import verify
from onshore.register import consents
from onshore.rules.pack_store import Floor
from onshore.vault.journal import Journal
from onshore.vault.papers import reading
from onshore.vault.segments import Shelf, open_segment, segments_where
from onshore.words.batch import BASE

DAY = 86_400_000
SPEED = "Vehicle.Speed"
RULE = {"article": "Test Act, Art. 1", "mark": "mem-H", "kind": "LAW", "says": "It is kept."}


def said(hands, *rows, number=1):
    """A row a second of one car, each (speed, mark that the car says then or None), through intake and drain."""
    site, vehicle = hands.site, hands.car(number).id
    times = [hands.now + 1000 * n for n in range(len(rows))]
    arrays = [
        pa.array([vehicle] * len(rows), pa.int64()),
        *(pa.array(times, BASE[1].type) for _ in range(2)),
        pa.array(["mqtt"] * len(rows)).dictionary_encode().cast(BASE[3].type),
        pa.array([speed for speed, _ in rows], pa.float32()),
        pa.array([mark for _, mark in rows], pa.string()),
    ]
    fields = [*BASE, pa.field(SPEED, pa.float32()), pa.field(SUBJECT, pa.string())]
    hands.now += 1000 * len(rows)
    with Journal(
        site.engine, site.root, site.vault, site=site.id, gate="0", clock=site.clock, randomness=site.randomness
    ) as journal:
        Intake(site, journal).take_in(pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields)))
    hands.now += 60_000
    return site.drain()


def agreed(hands, car, driver=None):
    """The owner, or a driver, allows driving-behaviour and vehicle-operation for warranty-analysis."""
    wish = consents.Wish(("warranty-analysis",), ("driving-behaviour", "vehicle-operation"), "2026-11", separate=True)
    consents.give(hands.site, car, wish, driver=driver)
    hands.now += 1000


def verified(site, paper):
    """Whether a stranger finds a receipt as it should be, by the log's public key alone."""
    trust = verifier.trust(str(site.folder / "ledger" / "vkey"), None, None)
    return any("it is the paper" in str(found) for found in verify.receipt(json.dumps(paper).encode(), trust))


def standing(site):
    with reading(site.engine) as conn:
        return segments_where(conn)


def opened(site):
    """Every byte of rows that any segment holds, in the clear: as Arrow lays them out, nothing compressed."""
    sink = io.BytesIO()
    for segment in standing(site):
        table = open_segment(segment, Shelf(site.root, site.vault, site.id)).read()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    return sink.getvalue()


def floored(hands, floor="30d", categories=("driving-behaviour",)):
    """Let the site's law have observations of some categories kept for so long."""
    law = hands.site.law
    rule = Floor(id="floor-test", records=("observation",), min=floor, categories=categories, **RULE)
    law._versions = tuple(_changed(version, rule) for version in law._versions)


def _changed(version, rule):
    store = msgspec.structs.replace(version.pack.store, floor=(rule,))
    return type(version)(msgspec.structs.replace(version.pack, store=store), version.digest, version.lenient)
