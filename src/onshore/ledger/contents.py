"""What a parcel holds, once somebody opened it, against the ledger's entry and the permit."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from onshore.ledger.canonical import digest, must_be_same, read_entry, read_object
from onshore.ledger.note import Wrong
from onshore.ledger.verify import Finding, read_proof


def contents(text: bytes, manifest: bytes, permit: bytes, parts: Mapping[str, str]) -> Iterator[Finding]:
    """What an opened parcel holds, against its entry: manifest, permit, parts (name to SHA-256 in hex)."""
    entry = read_entry(read_proof(text).entry or b"")
    must_be_same(entry.get("manifest"), digest(manifest), "manifest", "it is not the one that the ledger names")
    yield Finding(True, "manifest: it is the one that the ledger names")
    said = read_object(manifest, "manifest")
    must_be_same(entry.get("permit"), digest(permit), "permit", "it is not the one that the ledger names")
    must_be_same(said.get("permit"), digest(permit), "permit", "it is not the one that the manifest names")
    yield Finding(True, "permit: it is the one that the manifest and the ledger name")
    _permitted(entry, said, read_object(permit.rpartition(b"\n\n")[0], "permit"))
    yield Finding(True, f"permit's terms: {_WITHIN} are within")
    listed = _listed(said)
    for name in sorted({*listed, *parts}):
        if name not in parts or name not in listed:
            raise Wrong("it is missing" if name in listed else "the manifest does not list it", name)
        must_be_same(listed[name], parts[name], name, "its bytes are not those that the manifest names")
    must_be_same(entry.get("parts"), [f"sha256:{h}" for h in listed.values()], "parts", "the ledger names others")
    yield Finding(True, f"parts: {len(listed)}, each as manifest and ledger name it")


_WITHIN = "request, purpose, categories, signals, recipient, method, period, persons, rows, transforms and day"
_TERMS = {"dest": "recipient_jurisdiction", "start": "events_from", "until": "events_until"}
"""What a manifest and a permit call by different names."""


_BASE = {"vehicle", "time"}
"""Columns of every part."""


def _listed(manifest: Mapping[str, Any]) -> dict[str, str]:
    try:
        listed = {str(part["name"]): str(part["sha256"]).removeprefix("sha256:") for part in manifest["parts"]}
    except (KeyError, TypeError):
        raise Wrong("it does not list its parts with name and sha256", "manifest") from None
    if len(listed) != len(manifest["parts"]):
        raise Wrong("it lists a part twice", "manifest")
    return listed


def _permitted(entry: Mapping[str, Any], said: Mapping[str, Any], terms: Mapping[str, Any]) -> None:
    """Hold an entry and a manifest against a permit's words (Automotive Data Provisions, Art. 12)."""
    for name in ("site", "transfer", "request", "purpose", "recipient", *_TERMS):
        term = _TERMS.get(name, name)
        if said.get(name) is None or said[name] != terms.get(term) or entry.get(name, said[name]) != said[name]:
            raise Wrong(f"its '{name}' is not the permit's '{term}', or not the ledger's", "manifest")
    try:
        asked = {*said["categories"], *(part["category"] for part in said["parts"])}
        at = datetime.fromisoformat(entry["at"])
        # The permit's days are local to a site whose zone a stranger need not know: some zone on earth has to have one.
        last, first = ((at + timedelta(hours=h)).date().isoformat() for h in (14, -12))
        held = {
            "categories": asked <= set(terms["categories"]),
            "subjects": 0 <= said["subjects"] == entry["subjects"] <= terms["persons"],
            "day": first <= terms["until"] and terms["start"] <= last,
            "method": said.get("method", "file") == terms.get("method", "file"),
            "rows": _are_rows(entry["rows"], said, terms.get("rows") or entry["rows"]),
            **_cells(said, terms),
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Wrong("it or the manifest does not say what was permitted", "permit") from None
    for name, within in held.items():
        if not within:
            raise Wrong(f"its {name}: beyond what the permit allows, or not the ledger's", "manifest")


def _are_rows(count: int, said: Mapping[str, Any], most: int) -> bool:
    """Whether the parts have as many rows as the ledger says, and no more than the permit lets go in all."""
    parts = [part["rows"] for part in said["parts"]]
    return min(parts, default=0) >= 0 and sum(parts) == said.get("rows", count) == count <= most


def _cells(said: Mapping[str, Any], terms: Mapping[str, Any]) -> dict[str, bool]:
    """Whether the columns may leave, and what had to be done to the rows was done; a permit may ask for neither."""
    done, only = terms.get("transforms") or (), set(terms.get("signals") or ())
    gone = {name.removeprefix("drop:") for name in done if name.startswith("drop:")}
    held = {"transforms": not done or set(done) <= {one["name"] for one in said["transforms"]}}
    if only or gone:
        names = {column["name"] for columns in said["schema"].values() for column in columns} - _BASE
        held["signals"] = names.isdisjoint(gone) and (not only or names <= only)
    return held
