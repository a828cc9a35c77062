"""Metrics: the one table of what is measured, and the text in which Prometheus reads it (exposition format 0.0.4)."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from onshore.words.errors import Broken

TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/:+-]{0,79}", re.ASCII)
_NAMED = re.compile(r"(?=[A-Z0-9]*[0-9])[A-HJ-NPR-Z0-9]{17}", re.ASCII)  # as a VIN is made
OTHER = "other"
"""What a label says where its word is none that may stand there."""


class Metric(NamedTuple):
    """A metric: its kind, what it says, and the names of its labels, whose words are codes of ours."""

    kind: Literal["counter", "gauge"]
    says: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value of a metric; `labels` in the order of the table."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


PROCESS: Mapping[str, Metric] = {
    "onshore_build_info": Metric("gauge", "The release, and the format of the papers.", ("version", "format")),
    "onshore_road_started_timestamp_seconds": Metric("gauge", "When this process took a road up.", ("road",)),
    "onshore_ready": Metric("gauge", "Whether a look of /readyz is good.", ("look",)),
    "onshore_gate_messages_total": Metric(
        "counter", "Messages of cars (frames of GB/T 32960) by what became of them.", ("door", "outcome")
    ),
    "onshore_gate_events_total": Metric("counter", "What else a door counts.", ("door", "event")),
    "onshore_gate_connections": Metric("gauge", "Connections that a door holds.", ("door",)),
    "onshore_gate_taking_in": Metric("gauge", "0 while a door takes nothing in: the disk is full or slow.", ("door",)),
}
"""What every process says of itself."""

SITE: Mapping[str, Metric] = {
    "onshore_rows_total": Metric("counter", "Rows that arrived, kept or withheld whole.", ("outcome",)),
    "onshore_cells_total": Metric("counter", "Cells by what the sieve did and why.", ("category", "ground", "reason")),
    "onshore_journal_bytes": Metric("gauge", "Bytes in journal files that are not drained."),
    "onshore_journal_files": Metric("gauge", "Journal files that are not drained."),
    "onshore_drain_lag_seconds": Metric("gauge", "Since the oldest journal file that is not drained was begun."),
    "onshore_ledger_entries": Metric("gauge", "Entries under the ledger's checkpoint."),
    "onshore_ledger_waiting_entries": Metric("gauge", "Entries handed in and not in the ledger yet."),
    "onshore_ledger_lag_seconds": Metric("gauge", "Since the oldest entry that waits was handed in."),
    "onshore_permit_persons_left": Metric("gauge", "Persons that a standing permit still allows.", ("permit",)),
    "onshore_permit_rows_left": Metric("gauge", "Rows that a standing permit with a cap still allows.", ("permit",)),
    "onshore_permit_ends_timestamp_seconds": Metric("gauge", "When a standing permit is over.", ("permit",)),
    "onshore_meter_persons": Metric("gauge", "Persons counted since 1 January, by class.", ("class",)),
    "onshore_meter_threshold_persons": Metric("gauge", "From how many on a rule holds.", ("class", "rule")),
    "onshore_meter_window_used_ratio": Metric(
        "gauge", "The largest part of a threshold of the last twelve months, over all recipients.", ("count",)
    ),
    "onshore_egress_bytes_total": Metric("counter", "Bytes that the border's sockets took.", ("jurisdiction",)),
    "onshore_egress_payload_bytes_total": Metric("counter", "Bytes of sealed parcels that left, by hand too."),
    "onshore_egress_unexplained_bytes": Metric("gauge", "Bytes that left and are in no account. More than 0 is bad."),
    "onshore_rights_cases": Metric("gauge", "Open cases of persons, by kind and clock.", ("kind", "state")),
    "onshore_incidents": Metric("gauge", "Incidents that go on.", ("state",)),
    "onshore_complaints": Metric("gauge", "Complaints that wait, by clock.", ("state",)),
    "onshore_deadline_seconds": Metric("gauge", "Until the next clock ends; below 0 it is over.", ("register",)),
    "onshore_deadlines_overdue": Metric("gauge", "Clocks that are over and not answered.", ("register",)),
    "onshore_disk_free_bytes": Metric("gauge", "Bytes that may still be written where the site lies."),
    "onshore_disk_least_free_bytes": Metric("gauge", "Below which the gates take nothing in."),
    "onshore_backup_wanted": Metric("gauge", "Whether the settings let backups be made."),
    "onshore_backup_age_seconds": Metric("gauge", "Since the last backup was made."),
    "onshore_backup_key_ends_timestamp_seconds": Metric("gauge", "From when on the last backup opens no more."),
    "onshore_key_age_seconds": Metric("gauge", "Since the current wrapping key was made."),
    "onshore_key_due_timestamp_seconds": Metric("gauge", "When the current wrapping key is to be rotated."),
    "onshore_policy_lagging_vehicles": Metric("gauge", "Cars that have not said that they obey their policy."),
    "onshore_policy_ended_vehicles": Metric("gauge", "Of those, cars whose own policy is over."),
    "onshore_policy_lag_seconds": Metric("gauge", "Since the oldest policy was made that is not obeyed."),
    "onshore_pack_info": Metric("gauge", "The pack of rules of today; 0 where it is not in force.", ("pack",)),
    "onshore_pack_ends_timestamp_seconds": Metric("gauge", "When the pack of today is over, where that is known."),
    "onshore_part_failed": Metric("gauge", "Whether a part of these figures could not be had.", ("part",)),
    "onshore_collected_seconds": Metric("gauge", "How long it took to have these figures."),
}
"""What the process that keeps the site says of it: of one process alone, so that nothing counts twice."""

TABLE: Mapping[str, Metric] = {**PROCESS, **SITE}


def word(text: str) -> str:
    """A word as a label may have it; `OTHER` where it may be more than a code of ours, or a car's number."""
    return text if _LABEL.fullmatch(text) and not _NAMED.search(text) else OTHER


def written(samples: Iterable[Sample]) -> str:
    """Samples as Prometheus reads them, each metric once with its help. Broken where the table has no such sample."""
    by_name: dict[str, list[Sample]] = {}
    for one in samples:
        if one.name not in TABLE or len(one.labels) != len(TABLE[one.name].labels):
            raise Broken(f"the table of metrics has no {one.name} with {len(one.labels)} labels")
        by_name.setdefault(one.name, []).append(one)
    lines = []
    for name, metric in TABLE.items():
        if name in by_name:
            lines += [f"# HELP {name} {metric.says}", f"# TYPE {name} {metric.kind}"]
            lines += [_line(metric, one) for one in by_name[name]]
    return "".join(f"{line}\n" for line in lines)


def _line(metric: Metric, sample: Sample) -> str:
    said = ",".join(f'{name}="{word(text)}"' for name, text in zip(metric.labels, sample.labels, strict=True))
    return f"{sample.name}{{{said}}} {_number(sample.value)}" if said else f"{sample.name} {_number(sample.value)}"


def _number(value: float) -> str:
    whole = float(value)
    return str(int(whole)) if math.isfinite(whole) and whole == int(whole) else repr(whole)
