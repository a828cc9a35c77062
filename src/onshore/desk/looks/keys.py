"""Keys: whether each opens, and none waits for longer than it should to be rotated."""

from onshore.site import Site
from onshore.vault.papers import reading
from onshore.vault.wrapping import DAY, WrappingKey, due_at, wrapping_keys_in
from onshore.words.errors import Broken


def checked(site: Site) -> str:
    """What 'onshore check' says of the keys; Broken where one does not open, or waits for longer than it should."""
    with reading(site.engine) as conn:
        known = wrapping_keys_in(conn)
        for key in known:
            if key.struck is None:
                site.root.open(conn, key)
    for name in ("lookup", "column", "ledger"):
        site.key(name)
    _refuse_late(site, known)
    stands, others = known[-1], len(known) - 1
    days = max(site.clock() - stands.made, 0) // DAY
    more = f"; {others} before it are being retired" if others else ""
    if due_at(stands, site.settings.keys.backup_days) < site.clock() - DAY:
        more += "; to be rotated: whoever keeps the site does it at its next look"
    return f"the root {stands.root} opens the wrapping key of {stands.month}, {days} days old, and the site's own{more}"


def _refuse_late(site: Site, known: list[WrappingKey]) -> None:
    late = site.clock() - DAY
    wished = site.root.roots.provider
    if not known[-1].root.startswith(f"{wished}:"):
        raise Broken(f"the root is {known[-1].root}, and site.toml wishes for {wished}: 'onshore keys rotate --root'")
    days = site.settings.keys.backup_days  # without it no copies of keys are out, and a key of last month harms nobody
    if days is not None and due_at(known[-1], days) < late:
        raise Broken(
            f"the wrapping key of {known[-1].month} was to be rotated by now: see that a process keeps the site"
        )
    if any(key.retired is not None and key.retired < late for key in known):
        raise Broken("a rotation of keys began over a day ago and has not ended: see that a process keeps the site")
