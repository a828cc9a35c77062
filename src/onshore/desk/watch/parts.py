"""Parts: the figures of a site, each part read from its own room; none names a car, a person or a place."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from onshore.border.metering import counters, meter
from onshore.border.permits import signing
from onshore.border.sending import accounts
from onshore.desk.looks import backups
from onshore.desk.watch.metrics import Sample
from onshore.register import policies
from onshore.rules.local import local_midnight
from onshore.site import Site
from onshore.vault.journal_files import FOLDER, SUFFIX
from onshore.vault.papers import entries, journals, permits, reading
from onshore.vault.space import free_bytes
from onshore.vault.wrapping import current, due_at

Part = Callable[[Site], Iterator[Sample]]
_SECOND = 1000  # milliseconds


def _age(site: Site, at: int | None) -> float:
    """Seconds since an instant (ms UTC), 0 where there is none."""
    return 0 if at is None else max(site.clock() - at, 0) / _SECOND


def _journals(site: Site) -> Iterator[Sample]:
    sizes = [path.stat().st_size for path in (site.vault / FOLDER).glob(f"*/*{SUFFIX}") if path.exists()]
    with reading(site.engine) as conn:
        begun = conn.scalar(select(func.min(journals.c.opened)))
    yield Sample("onshore_journal_bytes", sum(sizes))
    yield Sample("onshore_journal_files", len(sizes))
    yield Sample("onshore_drain_lag_seconds", _age(site, begun))


def waiting(site: Site) -> tuple[int, int | None]:
    """How many entries wait to be in the ledger, and when the oldest of them was handed in (ms UTC)."""
    mine = entries.c.leaf.is_(None)
    with reading(site.engine) as conn:
        count = conn.scalar(select(func.count()).select_from(entries).where(mine)) or 0
        first = conn.scalar(select(entries.c.body).where(mine).order_by(entries.c.id).limit(1))
    at = None if first is None else datetime.fromisoformat(json.loads(first)["at"]).timestamp()
    return int(count), None if at is None else int(at * _SECOND)


def _ledger(site: Site) -> Iterator[Sample]:
    count, oldest = waiting(site)
    yield Sample("onshore_ledger_entries", site.reopened().size)
    yield Sample("onshore_ledger_waiting_entries", count)
    yield Sample("onshore_ledger_lag_seconds", _age(site, oldest))


def _permits(site: Site) -> Iterator[Sample]:
    """Of permits that stand: granted, not revoked, not over."""
    with reading(site.engine) as conn:
        for row in conn.execute(select(permits.c.id, permits.c.note).where(permits.c.revoked.is_(None))):
            granted = signing.opened(site, row.note)
            ends = local_midnight(granted.until + timedelta(days=1), site.law.zone)
            if ends <= site.clock():
                continue
            yield Sample("onshore_permit_persons_left", granted.persons - meter.used(conn, row.id), (row.id,))
            if granted.rows:
                yield Sample("onshore_permit_rows_left", granted.rows - meter.rows_used(conn, row.id), (row.id,))
            yield Sample("onshore_permit_ends_timestamp_seconds", ends / _SECOND, (row.id,))


def _meter(site: Site) -> Iterator[Sample]:
    seen = counters.standing(site)
    for count in seen["counts"]:
        yield Sample("onshore_meter_persons", count["used"], (count["name"],))
        for step in count["thresholds"]:
            yield Sample("onshore_meter_threshold_persons", step["from"], (count["name"], step["route"]))
    most: dict[str, float] = {}
    for count in seen["windows"]:
        of = count["name"].rpartition(", ")[2]  # the recipient's name stays here
        parts = [count["used"] / step["from"] for step in count["thresholds"] if step["from"]]
        most[of] = max([most.get(of, 0.0), *parts])
    for of, part in sorted(most.items()):
        yield Sample("onshore_meter_window_used_ratio", part, (of,))


def _egress(site: Site) -> Iterator[Sample]:
    with reading(site.engine) as conn:
        sums = accounts.total(conn)
    for jurisdiction, count in sums.to.items():
        yield Sample("onshore_egress_bytes_total", count, (jurisdiction,))
    yield Sample("onshore_egress_payload_bytes_total", sums.payload)
    yield Sample("onshore_egress_unexplained_bytes", sums.unexplained)


def _disk(site: Site) -> Iterator[Sample]:
    yield Sample("onshore_disk_free_bytes", free_bytes(site.folder))
    yield Sample("onshore_disk_least_free_bytes", site.settings.vault.least_free)


def _backups(site: Site) -> Iterator[Sample]:
    yield Sample("onshore_backup_wanted", site.settings.keys.backup_days is not None)
    with reading(site.engine) as conn:
        found = backups.last(conn)
    if found is not None:
        yield Sample("onshore_backup_age_seconds", _age(site, found[0]))
        yield Sample("onshore_backup_key_ends_timestamp_seconds", found[1] / _SECOND)


def _keys(site: Site) -> Iterator[Sample]:
    with reading(site.engine) as conn:
        key = current(conn)
    if key is not None:
        yield Sample("onshore_key_age_seconds", _age(site, key.made))
        yield Sample("onshore_key_due_timestamp_seconds", due_at(key, site.settings.keys.backup_days) / _SECOND)


def _policies(site: Site) -> Iterator[Sample]:
    behind = policies.lagging(site)
    yield Sample("onshore_policy_lagging_vehicles", len(behind))
    yield Sample("onshore_policy_ended_vehicles", sum(lag.ended for lag in behind))
    yield Sample("onshore_policy_lag_seconds", _age(site, min((lag.since for lag in behind), default=None)))


def _pack(site: Site) -> Iterator[Sample]:
    version = site.law.on(site.today())
    yield Sample("onshore_pack_info", version.stands(site.today()), (version.pack.id,))
    last: date | None = version.pack.valid_until
    if last is not None:
        ends = local_midnight(last + timedelta(days=1), site.law.zone)
        yield Sample("onshore_pack_ends_timestamp_seconds", ends / _SECOND)


def counted(name: str, found: Iterable[tuple[str, ...]], all_of: Iterable[tuple[str, ...]]) -> Iterator[Sample]:
    """How often each of some labels was found, those that were not found at all with 0."""
    many = Counter(found)
    for labels in sorted({*all_of, *many}):
        yield Sample(name, many[labels], labels)


PARTS: Mapping[str, Part] = {
    "journals": _journals,
    "ledger": _ledger,
    "permits": _permits,
    "meter": _meter,
    "egress": _egress,
    "disk": _disk,
    "backups": _backups,
    "keys": _keys,
    "policies": _policies,
    "pack": _pack,
}
