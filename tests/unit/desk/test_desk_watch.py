"""Watching: each figure against what happened at a real site, what fails alone, and nobody named in any of it."""

import asyncio
import json
import re
from collections import Counter
from datetime import datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, update

from border_makers import Border
from onshore.border import transfer
from onshore.cli import watching
from onshore.desk.watch import metrics, parts
from onshore.desk.watch.answers import Watched
from onshore.desk.watch.kept import Kept
from onshore.desk.watch.metrics import Sample
from onshore.register import complaints, incidents
from onshore.register.incidents import Happened
from onshore.rights import cases
from onshore.site import open_site
from onshore.vault.papers import entries, sendings, site_keys, writing
from onshore.words.errors import Broken, Malformed
from onshore.words.settings_watch import Watch
from watch_makers import promtool, read

HOUR = 3_600_000


def door(name="gb32960", **counts):
    said = {what.replace("_", " "): count for what, count in counts.items()}
    return SimpleNamespace(name=name, counts=Counter(said), held="", connections={1, 2})


def figures(site, *, roads=("keep",), doors=()):
    answer = Watched(site, roads, doors, fresh=0).answer("GET", "/metrics")
    assert answer.status == 200
    assert answer.kind == "text/plain; version=0.0.4; charset=utf-8"
    return read(answer.body.decode())[0]


def lived(hands):
    """A permit with a parcel under it, an erasure, an incident, a complaint, a car that says nothing."""
    hands.allow(1)
    hands.drive(1, 2)
    border = Border(hands)
    request, permit = border.permitted()
    transfer.ship(hands.site, request.id)
    cases.opened(hands.site, hands.car(2), "erase", "anna")
    says = "A disk with trips of LTEST000000000001, Wang Wei, near 31.2304 121.4737."
    incidents.open_(hands.site, Happened("leak", "serious", hands.now, says, ("track",)), "officer")
    complaints.open_(hands.site, "export", "Wang Wei asks", "officer", vehicle=hands.car(1).id)
    hands.site.settle()
    return request, permit


@pytest.fixture
def story(hands):
    return hands, *lived(hands)


def test_rows_and_cells_are_those_of_the_ledger(story):
    hands, *_ = story
    found = figures(hands.site)
    said = [e for e in map(json.loads, hands.site.ledger.entries()) if e["t"] == "ingest"]
    assert found["onshore_rows_total", "kept"] == sum(e["rows_kept"] for e in said) > 0
    assert found["onshore_rows_total", "withheld"] == sum(e["rows_in"] - e["rows_kept"] for e in said)
    cells = Counter()
    for entry in said:
        for category, ground, reason, count in entry["cells"]:
            cells[category or "other", ground, reason] += count
    assert {key[1:]: value for key, value in found.items() if key[0] == "onshore_cells_total"} == cells


def test_what_was_read_of_the_ledger_is_read_once_and_anew_after_a_restore(hands):
    hands.drive(1)
    hands.site.settle()
    kept = Kept()
    log = hands.site.reopened()
    kept.look(log)
    first = list(kept.samples())
    asked = []
    kept.look(SimpleNamespace(size=log.size, entries=lambda start: asked.append(start) or iter(())))
    assert asked == [log.size]
    assert list(kept.samples()) == first
    kept.look(SimpleNamespace(size=0, entries=lambda _start: iter(())))
    assert {sample.value for sample in kept.samples()} == {0}


def test_what_left_and_what_is_left(story):
    hands, _, permit = story
    found = figures(hands.site)
    assert found["onshore_permit_persons_left", permit.id] == 1
    assert ("onshore_permit_rows_left", permit.id) not in found  # without a cap
    assert found["onshore_permit_ends_timestamp_seconds", permit.id] * 1000 > hands.now
    assert found["onshore_meter_persons", "sensitive"] == 1
    steps = {key: value for key, value in found.items() if key[0] == "onshore_meter_threshold_persons"}
    assert {key[1] for key in steps} == {"sensitive", "ordinary"}
    routes = hands.site.pack.transfer.route
    asked = {("sensitive", r.id, r.sensitive_from) for r in routes if r.sensitive_from is not None}
    assert {(*key[1:], value) for key, value in steps.items() if key[1] == "sensitive"} == asked
    parcel = next((hands.site.folder / "outbox").glob("*.parcel"))
    assert found["onshore_egress_payload_bytes_total",] == parcel.stat().st_size
    assert found["onshore_egress_unexplained_bytes",] == 0
    assert found["onshore_egress_bytes_total", "DE"] == 0  # by hand: no socket took any
    hands.now += 48 * HOUR
    assert ("onshore_permit_persons_left", permit.id) not in figures(hands.site)  # it is over


def test_rows_that_a_capped_permit_still_allows(hands):
    hands.allow(1)
    hands.drive(1)
    border = Border(hands)
    request, permit = border.permitted(rows=10_000)
    shipped = transfer.ship(hands.site, request.id)
    assert figures(hands.site)["onshore_permit_rows_left", permit.id] == 10_000 - shipped.rows


def test_windows_are_told_as_parts_without_a_recipient_s_name(hands, monkeypatch):
    windows = [
        {"name": "stuttgart, devices", "used": 30, "thresholds": [{"from": 100, "route": "b", "article": ""}]},
        {"name": "ohio, devices", "used": 50, "thresholds": [{"from": 100, "route": "b", "article": ""}]},
    ]
    monkeypatch.setattr(parts.counters, "standing", lambda _site: {"counts": [], "windows": windows})
    found = figures(hands.site)
    assert found["onshore_meter_window_used_ratio", "devices"] == 0.5


def test_cases_and_clocks(story):
    hands, *_ = story
    found = figures(hands.site)
    assert found["onshore_rights_cases", "erase", "in time"] == 1
    assert found["onshore_rights_cases", "access", "late"] == 0
    assert found["onshore_incidents", "open"] == 1
    assert found["onshore_complaints", "in time"] == 1
    assert found["onshore_deadline_seconds", "incidents"] == 4 * 3600
    assert 0 < found["onshore_deadline_seconds", "rights"] < 30 * 24 * 3600
    assert ("onshore_deadline_seconds", "tasks") not in found
    assert {found["onshore_deadlines_overdue", one] for one in ("rights", "tasks", "incidents", "complaints")} == {0}
    hands.now += 60 * 24 * HOUR
    hands.site.settle()
    late = figures(hands.site)
    assert late["onshore_rights_cases", "erase", "late"] == 1
    assert late["onshore_deadline_seconds", "incidents"] < 0
    assert {late["onshore_deadlines_overdue", one] for one in ("rights", "incidents", "complaints")} == {1}


def test_the_journal_waits_and_is_drained(hands):
    with pytest.MonkeyPatch.context() as still:
        still.setattr("onshore.site.drain_journals", lambda *_, **__: None)
        hands.drive(1)
    hands.now += 9000
    found = figures(hands.site)
    assert found["onshore_journal_files",] == 1
    assert found["onshore_journal_bytes",] > 0
    assert found["onshore_drain_lag_seconds",] == 9
    hands.site.drain()
    found = figures(hands.site)
    assert found["onshore_drain_lag_seconds",] == found["onshore_journal_bytes",] == 0


def test_keys_disk_backups_policies_and_pack(hands):
    found = figures(hands.site)
    hands.now += 1000
    later = figures(hands.site)
    assert later["onshore_key_age_seconds",] == found["onshore_key_age_seconds",] + 1
    assert found["onshore_key_due_timestamp_seconds",] * 1000 > hands.now
    assert found["onshore_disk_free_bytes",] > found["onshore_disk_least_free_bytes",] == 1 << 30
    assert found["onshore_backup_wanted",] == 0
    assert ("onshore_backup_age_seconds",) not in found
    assert found["onshore_pack_info", hands.site.pack.id] == 1
    assert found["onshore_policy_lagging_vehicles",] == found["onshore_policy_lag_seconds",] == 0
    assert found["onshore_build_info", "0.1.0", "0003"] == 1


def test_a_pack_whose_end_is_known_tells_it(hands):
    toml = hands.site.folder / "site.toml"
    toml.write_text(toml.read_text().replace('pack = "cn/2026-02"', 'pack = "cn/2024-03"'))
    site = open_site(hands.site.folder, clock=lambda: hands.now)
    found = figures(site)
    assert found["onshore_pack_info", "cn/2024-03"] == 0  # by then it is over
    last = datetime.combine(site.pack.valid_until + timedelta(days=1), datetime.min.time(), ZoneInfo("Asia/Shanghai"))
    assert found["onshore_pack_ends_timestamp_seconds",] == last.timestamp()


def test_a_backup_has_its_age_and_its_end(hands, tmp_path):
    from onshore.cli.backing_up import back_up
    from onshore.cli.key_rounds import round_of

    toml = hands.site.folder / "site.toml"
    toml.write_text(toml.read_text() + "\n[keys]\nbackup_days = 5\n")
    site = open_site(hands.site.folder, clock=lambda: hands.now)
    round_of(site)
    back_up(site, tmp_path / "backup")
    hands.now += 2 * HOUR
    found = figures(site)
    assert found["onshore_backup_wanted",] == 1
    assert found["onshore_backup_age_seconds",] == 7200
    assert found["onshore_backup_key_ends_timestamp_seconds",] * 1000 > hands.now


def test_a_car_that_does_not_obey_lags(hands):
    from onshore.register import policies

    hands.allow(1)
    policies.current(hands.site, hands.car(1).id)
    hands.now += 3 * HOUR
    found = figures(hands.site)
    assert found["onshore_policy_lagging_vehicles",] == 1
    assert found["onshore_policy_ended_vehicles",] == 0
    assert found["onshore_policy_lag_seconds",] == 3 * 3600


def test_entries_that_nobody_writes_are_a_lag_and_not_ready(hands):
    with writing(hands.site.engine) as conn:
        hands.site.hand_in(conn, hands.site.entry("recall", obj="sha256:" + "0" * 64))
    size = hands.site.reopened().size
    hands.now += 61_000
    found = figures(hands.site)
    assert found["onshore_ledger_waiting_entries",] >= 1
    assert found["onshore_ledger_lag_seconds",] >= 61
    assert found["onshore_ledger_entries",] == size
    assert found["onshore_ready", "ledger"] == 0
    hands.site.settle()
    assert figures(hands.site)["onshore_ready", "ledger"] == 1


def ready(site):
    answer = Watched(site, ("keep",), fresh=0).answer("GET", "/readyz")
    said = json.loads(answer.body)
    assert (answer.status == 200) == said["ready"] == all(look["good"] for look in said["looks"])
    assert [look["what"] for look in said["looks"]] == ["vault", "ledger", "keys", "clock", "egress"]
    return {look["what"] for look in said["looks"] if not look["good"]}


def test_a_site_that_is_well_is_ready(story):
    assert ready(story[0].site) == set()


def test_each_look_fails_alone(story, monkeypatch):
    hands, *_ = story
    site = hands.site
    with monkeypatch.context() as patched:
        patched.setattr("onshore.desk.watch.ready.free_bytes", lambda _folder: 0)
        assert ready(site) == {"vault"}
    now, hands.now = hands.now, hands.now - HOUR
    assert ready(site) == {"clock"}
    hands.now = 1000
    assert "clock" in ready(site)
    hands.now = now
    checkpoint = site.folder / "ledger" / "checkpoint"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole.replace(b"\n1", b"\n2", 1) if b"\n1" in whole else b"x")
    assert "ledger" in ready(site)
    checkpoint.write_bytes(whole)
    with writing(site.engine) as conn:
        conn.execute(update(sendings).values(kernel=sendings.c.wire + 5))
    assert ready(site) == {"egress"}
    assert figures(site)["onshore_egress_unexplained_bytes",] == 5
    with writing(site.engine) as conn:
        conn.execute(update(sendings).values(kernel=sendings.c.wire))
        rows = conn.execute(site_keys.select().where(site_keys.c.name == "ledger")).mappings().one()
        conn.execute(update(site_keys).where(site_keys.c.name == "ledger").values(wrapped=b"\0" * 60))
    fresh = open_site(site.folder, clock=site.clock)
    assert "keys" in ready(fresh)
    with writing(site.engine) as conn:
        conn.execute(delete(site_keys).where(site_keys.c.name == "ledger"))
        conn.execute(insert(site_keys).values(**rows))
    assert ready(open_site(site.folder, clock=site.clock)) == set()


def test_papers_that_do_not_answer_are_told_without_their_rows(hands, monkeypatch):
    from sqlalchemy.exc import OperationalError

    def gone(_engine):
        raise OperationalError("SELECT vin", {"vin": "LTEST000000000001"}, OSError("locked"))

    monkeypatch.setattr("onshore.desk.watch.ready.reading", gone)
    answer = Watched(hands.site, ("keep",), fresh=0).answer("GET", "/readyz")
    assert answer.status == 503
    assert b"the papers do not answer (OperationalError)" in answer.body
    assert b"LTEST" not in answer.body


def test_a_part_that_fails_leaves_the_others(hands, monkeypatch):
    def fails(_site):
        raise Broken("gone")

    monkeypatch.setattr(parts.policies, "lagging", fails)
    found = figures(hands.site)
    assert found["onshore_part_failed", "policies"] == 1
    assert found["onshore_part_failed", "disk"] == 0
    assert ("onshore_policy_lagging_vehicles",) not in found
    assert ("onshore_disk_free_bytes",) in found


def test_doors_are_counted_where_they_are_and_the_site_where_it_is_kept(hands):
    gate = door(kept=7, not_kept=1, again=2, rejected=3, damaged=4, logins=5)
    gate.counts["LTEST000000000001"] = 1
    gate.counts["4711"] = 6
    found = figures(hands.site, roads=("gate",), doors=[gate])
    outcomes = {key[2]: value for key, value in found.items() if key[0] == "onshore_gate_messages_total"}
    assert outcomes == {"kept": 7, "not kept": 1, "again": 2, "rejected": 3, "damaged": 4}
    events = {key[2]: value for key, value in found.items() if key[0] == "onshore_gate_events_total"}
    assert events == {"logins": 5, "4711": 6, "other": 1}
    assert found["onshore_gate_connections", "gb32960"] == 2
    assert found["onshore_gate_taking_in", "gb32960"] == 1
    assert found["onshore_road_started_timestamp_seconds", "gate"] == hands.now / 1000
    assert {key[0] for key in found} <= set(metrics.PROCESS)
    gate.held = "full"
    assert figures(hands.site, roads=("gate",), doors=[gate])["onshore_gate_taking_in", "gb32960"] == 0


def test_an_answer_is_given_again_while_it_is_fresh(hands):
    now = [0.0]
    watched = Watched(hands.site, ("keep",), fresh=5, ticks=lambda: now[0])
    first = watched.answer("GET", "/metrics")
    hands.now += 1000
    assert watched.answer("GET", "/metrics") is first
    now[0] = 5.0
    assert watched.answer("GET", "/metrics") is not first


def test_only_what_is_there_is_answered_and_nothing_written(hands):
    watched = Watched(hands.site, ("border", "keep"))
    assert watched.answer("GET", "/healthz").body == b"alive: border, keep\n"
    assert watched.answer("GET", "/").status == 404
    assert watched.answer("POST", "/metrics").status == 405
    assert watched.answer("HEAD", "/healthz").status == 200


def test_every_metric_of_the_table_is_written_at_some_site(story):
    hands, *_ = story
    found = {key[0] for key in figures(hands.site, roads=("gate", "keep"), doors=[door(kept=1, logins=1)])}
    elsewhere = {  # each told of in a test of its own, or where the law of another site has it
        "onshore_permit_rows_left",
        "onshore_backup_age_seconds",
        "onshore_backup_key_ends_timestamp_seconds",
        "onshore_meter_window_used_ratio",
        "onshore_pack_ends_timestamp_seconds",
    }
    assert set(metrics.TABLE) - found <= elsewhere


def test_nobody_is_named_in_what_is_told(story):
    hands, *_ = story
    watched = Watched(hands.site, ("gate", "keep"), [door(kept=1)], fresh=0)
    told = b"".join(watched.answer("GET", path).body for path in ("/healthz", "/readyz", "/metrics")).decode()
    assert not re.search(r"LTEST|Wang|owner|stuttgart|(?<![0-9.])(31|121)\.\d", told)
    vehicles = [hands.car(number).id for number in (1, 2)]
    assert not any(str(one) in told or f"{one:016x}" in told for one in vehicles)


def test_prometheus_reads_it(story):
    hands, *_ = story
    text = Watched(hands.site, ("gate", "keep"), [door(kept=1)], fresh=0).answer("GET", "/metrics").body.decode()
    code, said = promtool("check", "metrics", stdin=text)
    assert (code, said) == (0, "")


def test_what_the_table_does_not_have_is_not_written():
    with pytest.raises(Broken):
        metrics.written([Sample("onshore_secret", 1)])
    with pytest.raises(Broken):
        metrics.written([Sample("onshore_journal_bytes", 1, ("LTEST000000000001",))])


@pytest.mark.parametrize("text", ["LTEST000000000001", "xLTEST000000000001", 'a"b', "a\nb", "", "Wang–Wei", "a" * 81])
def test_a_label_is_a_code_of_ours(text):
    assert metrics.word(text) == "other"


def test_labels_and_values_as_the_format_has_them():
    samples = [Sample("onshore_collected_seconds", 0.25), Sample("onshore_ready", True, ("vault",))]
    assert metrics.written(samples) == (
        "# HELP onshore_ready Whether a look of /readyz is good.\n"
        "# TYPE onshore_ready gauge\n"
        'onshore_ready{look="vault"} 1\n'
        "# HELP onshore_collected_seconds How long it took to have these figures.\n"
        "# TYPE onshore_collected_seconds gauge\n"
        "onshore_collected_seconds 0.25\n"
    )


@pytest.mark.parametrize(
    ("roads", "gates", "where"),
    [
        (("gate", "border", "keep"), 1, (9470,)),
        (("border",), 1, (9471,)),
        (("desk",), 1, (9472,)),
        (("gate",), 3, (9480, 9481, 9482)),
    ],
)
def test_each_road_of_its_own_has_a_port_of_its_own(roads, gates, where):
    assert watching.ports(Watch(), roads, gates) == where


def watched_site(hands, **settings):
    with (hands.site.folder / "site.toml").open("a") as file:
        file.write("\n[watch]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    return open_site(hands.site.folder, clock=lambda: hands.now)


def test_a_port_that_is_taken_stops_the_start_and_says_whose_it_is(hands):
    async def story():
        async with watching.watching(watched_site(hands, port=0), ("keep",), []) as there:
            port = int(there.rpartition(":")[2])
            toml = hands.site.folder / "site.toml"
            toml.write_text(toml.read_text().replace("port = 0\n", f"port = {port}\n"))
            second = open_site(hands.site.folder, clock=lambda: hands.now)
            with pytest.raises(Malformed, match=f"nobody can watch at 127.0.0.1:{port}"):
                async with watching.watching(second, ("keep",), []):
                    pass

    asyncio.run(story())


def test_where_nobody_watches_no_port_is_open(hands):
    async def story():
        async with watching.watching(hands.site, ("keep",), []) as there:
            return there

    assert asyncio.run(story()) == ""


def test_entries_table_is_read_in_the_order_of_handing_in(hands):
    assert parts.waiting(hands.site)[0] == 0
    with writing(hands.site.engine) as conn:
        conn.execute(insert(entries).values(body=hands.site.entry("recall", obj="sha256:" + "1" * 64)))
    assert parts.waiting(hands.site) == (1, hands.now)
