"""Platforms to which the law has rows sent on: what waits for each, and what does not go on by itself."""

from collections import Counter
from collections.abc import Iterable, Iterator

from onshore.gate.forward import client
from onshore.site import Site
from onshore.vault import lanes, unsent
from onshore.vault.lanes import Lane
from onshore.vault.segments import Shelf
from onshore.words.instants import clock_text


def state(site: Site) -> str:
    """Each endpoint, what waits for it, and when it acknowledged something last."""
    found = []
    for one in client.endpoints(site):
        waits = lanes.backlog(site.engine, one.name)
        last = clock_text(lanes.last_answer(site.engine, one.name))
        found.append(f"{one.name} ({one.host}:{one.port}): {waits} rows wait, last answer {last}")
    return "; ".join(found) if found else "nothing is sent on: no platform is named in [forward]"


def troubles(site: Site, *, deep: bool = False) -> Iterator[str]:
    """What does not go on unless a person does something; `deep` opens every file."""
    for name, rows in _rows(lane for lane in lanes.waiting(site.engine) if lane.endpoint not in site.settings.forward):
        yield (
            f"{name} is no longer in [forward], and {rows} rows wait for it: name it again, or give them up with "
            f"'onshore forward drop {name}'"
        )
    for name, rows in _rows(unsent.set_apart(site.engine)):
        yield (
            f"{name} refused {rows} rows too often, so they are set apart: ask it why, then 'onshore forward again "
            f"{name}', or 'onshore forward drop {name} --refused'"
        )
    shelf = Shelf(site.root, site.vault, site.id)
    for lane in unsent.lost(site.engine, shelf, deep=deep):
        yield (
            f"vault/{lanes.path_of(lane.endpoint, lane.id)} is missing or was altered: restore it from a backup, or "
            f"give its {lane.left} rows up with 'onshore forward drop {lane.endpoint} --lost'"
        )


def _rows(found: Iterable[Lane]) -> list[tuple[str, int]]:
    """Rows that are left, by endpoint."""
    rows: Counter[str] = Counter()
    for lane in found:
        rows[lane.endpoint] += max(0, lane.left - lane.gone)
    return sorted(rows.items())
