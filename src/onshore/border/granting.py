"""Granting: from a request and its limits to a permit's words, and whose key may sign them."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from onshore.border import grants, requests
from onshore.ledger.signer import Signer, read_signer
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Method, Permit
from onshore.words.settings import Role

_SEED = 32  # bytes of a key that stands in a file without its name


@dataclass(frozen=True)
class Limits:
    """What a regulator demands: distinct persons, first and last day. `signals`, `method`: the request's own if empty.

    `rows`: no cap where 0. `transforms`: what is done to the rows first, as `border.rows.transforms` names it.
    """

    persons: int
    start: date
    until: date
    signals: tuple[str, ...] = ()
    rows: int = 0
    method: Method | None = None
    transforms: tuple[str, ...] = ()


def drafted(site: Site, transfer_id: str, limits: Limits, by: str) -> Permit:
    """The words of a permit for a request, for `by` to sign; refuses what the rules refuse, with their reason."""
    request = requests.find(site, transfer_id)
    if request.verdict.verdict == "refuse":
        first = request.verdict.reasons[0]
        raise Refusal(first.code, first.says, article=first.article, remedy=first.remedy)
    found = grants.draft(
        site,
        request.transfer,
        persons=limits.persons,
        start=limits.start,
        until=limits.until,
        by=by,
        route=request.verdict.route or "none",
        signals=limits.signals,
        rows=limits.rows,
        transforms=limits.transforms,
    )
    return replace(found, method=limits.method) if limits.method else found


def key_beside(folder: Path) -> Path:
    """Where `onshore init` lays the key that signs permits: beside the site, never in it."""
    return folder.with_name(folder.name + "-regulator") / "regulator.key"


def signer(site: Site, actor: str, role: Role, path: Path) -> Signer:
    """Somebody's key in a file; Malformed where it is none, refused where site.toml knows another."""
    found = read_key(path, f"{site.settings.site.name}/{actor}")
    if found.vkey != site.person(actor, role).vkey:
        raise Refusal(
            "wrong-key",
            f"the key in {path} is not the one whose verifier key site.toml has for '{actor}'",
            remedy=f"sign with {actor}'s own key; its verifier key stands as vkey in [people.{actor}]",
        )
    return found


def read_key(path: Path, name: str) -> Signer:
    """A signing key: its 32 bytes alone, which are called `name`, or as 'onshore rules key' writes it."""
    try:
        raw = path.read_bytes()
        if name and len(raw) == _SEED:
            return Signer(name, raw)
        return read_signer(raw.decode(), str(path))
    except FileNotFoundError:
        raise Malformed("there is no such file; give the signing key with --key", where=str(path)) from None
    except ValueError:
        raise Malformed("no signing key; one is 32 bytes, or a line of 'onshore rules key'", where=str(path)) from None
