"""`onshore replay` reads recorded drives of every format with the readers of the door upload."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.vault.read import read
from upload_files import candump_file, mcap_file, mdf_file

DBC = 'BO_ 180 SPEED: 8 X\n SG_ SPEED : 47|16@0+ (0.01,0) [0|250] "km/h" X\n'


@pytest.fixture
def replayed(hands, tmp_path, monkeypatch):
    """Replay a file with options; what it says, and the speeds that were kept, in order."""
    monkeypatch.setattr("onshore.site.now_ms", lambda: hands.now)
    hands.allow(categories=("driving-behaviour",))
    hands.now += 3_600_000

    def play(name, data, *options, code=0):
        (tmp_path / name).write_bytes(data)
        (tmp_path / "car.dbc").write_text(DBC)
        asked = ["replay", str(tmp_path / name), "--vehicle", hands.vin().decode(), "--site", str(hands.site.folder)]
        done = CliRunner().invoke(cli, [*asked, *options])
        assert done.exit_code == code, done.output
        site = hands.site
        where = (site.engine, site.root, site.vault, site.id)
        wanted = {"use": "warranty-analysis", "categories": ["driving-behaviour"], "start": 0, "until": 1 << 60}
        found = read(*where, **wanted)
        rows = [row for table in found for row in table.to_pylist() if row.get("Vehicle.Speed") is not None]
        return done, [row["Vehicle.Speed"] for row in sorted(rows, key=lambda row: row["time"])]

    return play


@pytest.mark.parametrize(("name", "data"), [("drive.log", candump_file()), ("drive.mcap", mcap_file())])
def test_can_frames_with_a_database(replayed, tmp_path, name, data):
    done, speeds = replayed(name, data, "--dbc", str(tmp_path / "car.dbc"), "--json")
    assert json.loads(done.stdout)["rows"] >= 150
    assert speeds[:150] == [pytest.approx(n % 200 / 100, abs=1e-6) for n in range(1, 300, 2)]


def test_mdf_and_csv_by_usual_names_or_by_named_ones(replayed):
    done, speeds = replayed("drive.mf4", mdf_file())
    assert "300 rows taken in" in done.stderr
    assert speeds == [n / 4 for n in range(300)]
    said = b"time,v,note\n" + b"".join(b"2026-05-01T00:00:%02dZ,%d,x\n" % (n, n) for n in range(50))
    done, speeds = replayed("drive.csv", said, "--map", "v=Vehicle.Speed")
    assert "50 rows taken in" in done.stderr
    assert set(range(50)) <= set(speeds)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("drive.log", b"", "--dbc"),
        ("drive.csv", b"when,speed\n", "says when"),
        ("drive.csv", b"time,odd\n", "usual name"),
        ("drive.csv", b"time,speed\n", "no row"),
    ],
)
def test_what_cannot_be_read_is_said(replayed, name, data, says):
    done, _ = replayed(name, data, code=2)
    assert says in done.stderr
