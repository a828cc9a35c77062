"""What is deployed: dashboard and alerts speak of metrics that exist, units and files hold what they should."""

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from onshore.desk.watch.metrics import TABLE
from onshore.words.settings_watch import Watch
from watch_makers import promtool

DEPLOY = Path(__file__).parent.parent / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "onshore.json"
COMPOSE = (DEPLOY / "compose.yaml").read_text()
ROADS = ("keep", "border", "gate", "desk")
THEIRS = {"instance", "job"}  # labels that Prometheus adds
SAID = re.compile(r"\b(onshore_[a-z_]+)(?:\{([^}]*)\})?")


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def expressions():
    """Each PromQL expression, with the words around it that name labels."""
    for panel in panels():
        yield from ((target["expr"], target["legendFormat"]) for target in panel.get("targets", ()))
    for rule in re.split(r"\n *- alert: ", ALERTS.read_text())[1:]:
        yield rule.partition("for:")[0].partition("labels:")[0], rule


def test_every_metric_that_is_shown_or_watched_exists():
    for expression, around in expressions():
        known = set(THEIRS)
        for name, matchers in SAID.findall(expression):
            assert name in TABLE, name
            labels = set(TABLE[name].labels)
            assert set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", matchers)) <= labels, expression
            known |= labels
        by = re.findall(r"\b(?:by|on) \(([^)]*)\)", expression)
        named = {label.strip() for one in by for label in one.split(",")}
        named |= set(re.findall(r"\$labels\.([a-z_]+)", around)) | set(re.findall(r"\{\{([a-z_]+)\}\}", around))
        assert named <= known, (expression, named - known)


def test_every_metric_is_shown_or_watched():
    assert {name for expression, _ in expressions() for name, _ in SAID.findall(expression)} == set(TABLE)


def test_the_dashboard_is_one_that_grafana_lays_out():
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    placed = [panel["gridPos"] for panel in panels()]
    assert all(at["x"] + at["w"] <= 24 for at in placed)
    for one, other in itertools.combinations(placed, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    assert all(panel["description"] and panel["title"] for panel in panels() if panel["type"] != "row")
    sources = {json.dumps(panel["datasource"]) for panel in panels() if panel["type"] != "row"}
    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}


def test_nothing_is_fetched_from_outside():
    text = "".join(path.read_text() for path in DEPLOY.rglob("*") if path.is_file())
    assert set(re.findall(r"https?://([^/\s'\"]+)", text)) <= {f"127.0.0.1:{port}" for port in (9470, 9471, 9472, 9480)}


def test_ports_are_those_of_the_settings():
    watch = Watch()
    each = {"keep": watch.port, "border": watch.border, "gate": watch.gate, "desk": watch.desk}
    scraped = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    for road, port in each.items():
        assert re.search(rf"127\.0\.0\.1:{port} # .*{road}", scraped)
        assert f"127.0.0.1:{port}/healthz" in COMPOSE.partition(f"\n  {road}:\n")[2].partition("\n\n")[0]


def test_prometheus_takes_its_files():
    code, said = promtool("check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))
    assert code == 0, said


def series(name, values, **labels):
    said = "".join(f', {key}="{value}"' for key, value in labels.items())
    return f"""      - series: '{name}{{instance="a", job="onshore"{said}}}'\n        values: '{values}'\n"""


CASES = {
    "OnshoreDown": ("up", "0x100", {}, True),
    "OnshoreNotReady": ("onshore_ready", "0x100", {"look": "keys"}, True),
    "OnshoreUnexplainedBytes": ("onshore_egress_unexplained_bytes", "0 0 5x100", {}, True),
    "OnshoreDeadlineOver": ("onshore_deadlines_overdue", "1x100", {"register": "rights"}, True),
    "OnshoreIncidentReportSoon": ("onshore_deadline_seconds", "7000x100", {"register": "incidents"}, True),
    "OnshoreDeadlineSoon": ("onshore_deadline_seconds", "90000x100", {"register": "rights"}, True),
    "OnshoreErasureLate": ("onshore_rights_cases", "1x100", {"kind": "erase", "state": "late"}, True),
    "OnshorePackNotInForce": ("onshore_pack_info", "0x100", {"pack": "cn/2026-02"}, True),
    "OnshoreGateRests": ("onshore_gate_taking_in", "0x100", {"door": "gb32960"}, True),
    "OnshoreNotKept": ("onshore_gate_messages_total", "0+5x100", {"door": "mqtt", "outcome": "not kept"}, True),
    "OnshoreMuchDamaged": ("onshore_gate_messages_total", "0+5x100", {"door": "mqtt", "outcome": "damaged"}, True),
    "OnshoreDrainLag": ("onshore_drain_lag_seconds", "4000x100", {}, True),
    "OnshoreLedgerLag": ("onshore_ledger_lag_seconds", "61x100", {}, True),
    "OnshoreNoBackup": ("onshore_backup_wanted", "1x100", {}, True),
    "OnshorePermitUsedUp": ("onshore_permit_persons_left", "0x100", {"permit": "p"}, True),
    "OnshoreFiguresFailed": ("onshore_part_failed", "1x100", {"part": "meter"}, True),
}
"""Alert to a series that has it fire within an hour and a half; one that is well is beside it in the test."""

WELL = {
    "OnshoreDown": "1x100",
    "OnshoreNotReady": "1x100",
    "OnshoreIncidentReportSoon": "8000x100",
    "OnshoreDeadlineSoon": "200000x100",
    "OnshorePackNotInForce": "1x100",
    "OnshoreGateRests": "1x100",
    "OnshoreDrainLag": "600x100",
    "OnshoreLedgerLag": "5x100",
    "OnshorePermitUsedUp": "3x100",
}


def fires(tmp_path, alert, given):
    """Whether an alert fires after ninety minutes of these series, by promtool's own evaluation."""
    count = f"count(ALERTS{{alertname='{alert}', alertstate='firing'}})"
    (tmp_path / "test.yml").write_text(
        f"rule_files: [{ALERTS}]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n{given}"
        f'    promql_expr_test:\n      - expr: "{count}"\n        eval_time: 90m\n'
        "        exp_samples:\n          - {labels: '{}', value: 1}\n"
    )
    code, said = promtool("test", "rules", str(tmp_path / "test.yml"))
    assert code == 0 or "nil" in said, said
    return code == 0


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_and_keeps_quiet_where_all_is_well(tmp_path, alert):
    name, values, labels, expected = CASES[alert]
    assert fires(tmp_path, alert, series(name, values, **labels)) is expected
    assert not fires(tmp_path, alert, series(name, WELL.get(alert, "0x100"), **labels))


def test_the_meter_is_held_against_its_own_threshold(tmp_path):
    limit = series("onshore_meter_threshold_persons", "100x100", **{"class": "sensitive"}, rule="r")
    other = series("onshore_meter_threshold_persons", "10x100", **{"class": "ordinary"}, rule="r")
    near = series("onshore_meter_persons", "81x100", **{"class": "sensitive"})
    far = series("onshore_meter_persons", "79x100", **{"class": "sensitive"})
    assert fires(tmp_path, "OnshoreMeterNear", limit + other + near)
    assert not fires(tmp_path, "OnshoreMeterNear", limit + other + far)


def test_that_nothing_is_kept_is_told_only_while_something_arrives(tmp_path):
    withheld = series("onshore_rows_total", "0+9x100", outcome="withheld")
    none = series("onshore_rows_total", "0x100", outcome="kept")
    some = series("onshore_rows_total", "0+1x100", outcome="kept")
    still = series("onshore_rows_total", "5x100", outcome="withheld")
    assert fires(tmp_path, "OnshoreNothingKept", withheld + none)
    assert not fires(tmp_path, "OnshoreNothingKept", withheld + some)
    assert not fires(tmp_path, "OnshoreNothingKept", still + none)


@pytest.fixture
def units(tmp_path):
    """The units as systemd reads them, of a program that is here."""
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", folder)
    for path in folder.glob("*.service"):
        path.write_text(path.read_text().replace("/opt/onshore/bin/onshore", "/bin/true"))
    for road in ROADS:
        shutil.copy(folder / "onshore@.service", folder / f"onshore@{road}.service")
    shutil.copy(folder / "onshore-gate@.service", folder / "onshore-gate@2.service")
    return folder


def systemd(*args, units):
    command = shutil.which("systemd-analyze")
    if command is None:
        pytest.skip("systemd-analyze is not installed")
    environment = {"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin", "SYSTEMD_LOG_LEVEL": "warning"}
    done = subprocess.run([command, *args], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_systemd_takes_the_units(units):
    names = ["onshore.target", *(f"onshore@{road}.service" for road in ROADS), "onshore-gate@2.service"]
    assert systemd("verify", "--man=no", *names, units=units) == (0, "")
    broken = units / "onshore@keep.service"
    broken.write_text(broken.read_text().replace("UMask=0077", "UMask=what"))
    assert "mode value" in systemd("verify", "--man=no", "onshore@keep.service", units=units)[1]


@pytest.mark.parametrize("name", ["onshore@keep.service", "onshore-gate@2.service"])
def test_the_units_are_hardened(units, name):
    code, said = systemd("security", "--offline=yes", "--no-pager", "--threshold=20", str(units / name), units=units)
    assert code == 0, said


def test_both_units_are_hardened_alike():
    def settings(name):
        lines = (DEPLOY / "systemd" / name).read_text().partition("[Service]")[2].splitlines()
        return {line for line in lines if "=" in line and not line.startswith(("#", "ExecStart", "WantedBy"))}

    assert settings("onshore@.service") == settings("onshore-gate@.service")


def test_the_target_wants_a_process_of_each_road():
    wanted = re.search("^Wants=(.*)$", (DEPLOY / "systemd" / "onshore.target").read_text(), re.MULTILINE)[1]
    assert wanted.split() == [f"onshore@{road}.service" for road in ROADS]


def test_the_compose_file_runs_a_process_of_each_road():
    assert re.findall(r"command: \[serve, --only, (\w+)\]", COMPOSE) == list(ROADS)
    assert COMPOSE.count("<<: *road") == len(ROADS)
    for line in ("read_only: true", "cap_drop: [ALL]", 'security_opt: ["no-new-privileges:true"]', "core: 0"):
        assert COMPOSE.count(line) == 1  # of what all of them share


def test_docker_takes_the_compose_file():
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    done = subprocess.run(
        [docker, "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_image_is_of_the_versions_that_were_locked():
    """The stage that installs makes of the lock file what pip takes as constraints: versions, without hashes."""
    recipe = (DEPLOY / "Dockerfile").read_text()
    script = re.search(r"sed -E '([^']+)' requirements.lock", recipe)[1]
    lock = DEPLOY.parent / "requirements.lock"
    made = subprocess.run(["sed", "-E", script, str(lock)], capture_output=True, text=True, check=True).stdout
    lines = [line for line in made.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) > 20
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,-]+\])?==[^\s\\]+( ; .*)?", line) for line in lines)
