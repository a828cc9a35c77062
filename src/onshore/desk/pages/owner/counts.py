"""Counts: what was kept of a car within a day, remembered until something is added or taken away."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from onshore.desk.pages.owner import mine
from onshore.desk.pages.owner.mine import Mine
from onshore.rights import lately
from onshore.rights.lately import Kept
from onshore.site import Site
from onshore.vault.drives import changes
from onshore.vault.papers import reading

DAY = 86_400_000
_STEP = 300_000  # milliseconds: the day begins at whole five minutes
_MOST = 4096  # cars that are remembered
_known: OrderedDict[tuple[object, ...], Sequence[Kept]] = OrderedDict()
_lock = Lock()


def last_day(site: Site, one: Mine) -> Sequence[Kept]:
    """Rows of the last 24 hours by purpose and category, of theirs alone."""
    start = (site.clock() - DAY) // _STEP * _STEP
    key = (*_place(site, one), start)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    found = lately.kept(site, mine.scope(site, one), start)
    with _lock:
        _known[key] = found
        while len(_known) > _MOST:
            _known.popitem(last=False)
    return found


def _place(site: Site, one: Mine) -> tuple[object, ...]:
    with reading(site.engine) as conn:
        said = changes(conn)
    since = site.clock() - DAY - _STEP
    return site.id, site.folder, one.id, one.person, said, lately.signature(site, one.vehicle.id, since)
