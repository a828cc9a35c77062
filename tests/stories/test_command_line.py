"""The command line as other people's scripts use it: names, exit codes, refusals."""

import json
import re

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.vault.age import new_identity, recipient_of

VIN = "LTEST000000000017"
CSV = "Date,Time,Soc,Speed,Mode,LAT,LON\n" + "".join(
    f"04/22/2021,08:42:{s:02d},97.7,{s}.5,D,33.98{s:04d},-6.72{s:04d}\n" for s in range(10, 40)
)


class Shell:
    def __init__(self, folder):
        self.folder = folder
        self.site = folder / "site"

    def __call__(self, *args, code=0, site=True):
        done = CliRunner().invoke(cli, [*args, *(("--site", str(self.site)) if site else ())])
        assert done.exit_code == code, (args, done.output, done.exception)
        return done

    def json(self, *args, code=0):
        return [json.loads(line) for line in self(*args, "--json", code=code).stdout.splitlines()]


@pytest.fixture
def sh(tmp_path):
    shell = Shell(tmp_path)
    shell("init", "--jurisdiction", "CN", "--name", "shanghai")
    shell.identity = tmp_path / "stuttgart.key"
    shell.identity.write_text(new_identity())
    with (shell.site / "site.toml").open("a") as file:
        key = recipient_of(shell.identity.read_text())
        file.write(f'\n[recipients.stuttgart]\njurisdiction = "DE"\nkey = "{key}"\n[people.anna]\nrole = "owner"\n')
    shell("vehicle", "add", VIN, "--owner", "Anna", "--as", "operator")
    (tmp_path / "drive.csv").write_text(CSV)
    return shell


def allow(sh, *more, code=0):
    what = ("--purpose", "warranty-analysis", "--category", "track", "--notice", "2026-11")
    return sh("consent", "give", VIN, *what, "--separate", "--recipient", "stuttgart", *more, code=code)


def drive(sh):
    return sh.json("replay", str(sh.folder / "drive.csv"), "--vehicle", VIN)[0]


def ask(sh, *more, code):
    when = ("--from", "2020-01-01", "--until", "2100-01-01")
    what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "stuttgart")
    return sh.json("transfer", "ask", *what, *when, "--as", "engineer", *more, code=code)[0]


def permitted(sh):
    request = ask(sh, code=1)["id"]
    for kind in ("impact-assessment", "standard-contract", "export-notice", "separate-consent"):
        state = sh.json("transfer", "paper", request, kind, "--number", "1", "--as", "officer")[0]["state"]
    assert state == "completed"
    for name in ("officer", "deputy"):
        state = sh.json("transfer", "approve", request, "--as", name)[0]["state"]
    assert state == "approved"
    limits = ("--persons", "1", "--from", "2020-01-01", "--until", "2100-01-01")
    return request, sh.json("permit", "grant", request, *limits, "--as", "regulator")[0]["permit"]


@pytest.fixture
def later(monkeypatch):
    """Moves the clock that commands read: so many milliseconds from now on, and it stands still."""
    from onshore import site as module

    started = module.now_ms()

    def move(ahead):
        clock = {**module.open_site.__kwdefaults__, "clock": lambda: started + ahead}
        monkeypatch.setattr("onshore.site.open_site.__kwdefaults__", clock)

    move(0)
    return move


def test_an_export_from_the_first_question_to_the_last_proof(sh, later):
    later(1000)
    allow(sh)
    later(0)  # the drive ended before the consent
    assert drive(sh) == {"sent": 30, "acknowledged": 30, "refused": 0}
    refusal = ask(sh, "--dry-run", code=1)
    assert refusal["dry_run"]
    assert sh("transfer", "list").stdout == ""
    request, permit = permitted(sh)
    sh("transfer", "ship", request, "--as", "engineer", code=1)
    done = sh("transfer", "ship", request, "--as", "officer", code=1)
    assert "nothing-to-send" in done.stderr
    assert permit in sh("permit", "show").stdout


def test_what_left_is_shown_verified_and_opened(sh, later):
    allow(sh)
    later(120_000)
    drive(sh)
    request, permit = permitted(sh)
    parcel = sh.json("transfer", "ship", request, "--as", "officer")[0]
    assert (parcel["persons"], parcel["rows"]) == (1, 30)
    key = str(sh.site / "ledger" / "vkey")
    seen = sh("verify", parcel["parcel"], "--key", key, "--identity", str(sh.identity), site=False)
    assert seen.stdout.splitlines()[-1] == "verified"
    assert sh.json("transfer", "show", request)[0]["state"] == "left"
    assert request in sh("transfer", "list").stdout
    assert "permitted" in sh("transfer", "show", request).stdout
    bundle = json.loads(sh("transfer", "show", request, "--bundle").stdout)
    assert bundle["parcels"][0]["manifest"]["subjects"] == 1
    held = json.loads(sh("rights", "access", VIN, "--as", "anna").stdout)
    assert held["received_by"][0]["recipient"] == "stuttgart"
    assert {(h["category"], h["ground"]) for h in held["held"]} >= {("track", "consent"), ("track", "statutory")}
    shown = sh.json("permit", "show", permit)[0]
    assert shown["used"] == 1
    sh("permit", "revoke", permit, "--as", "regulator")
    assert "revoked" in sh("permit", "show", permit).stdout
    again = sh("transfer", "ship", request, "--as", "officer", "--json", code=1)
    assert json.loads(again.stdout)["refused"] == "permit-revoked"


def test_consents_have_receipts_that_verify_without_a_site(sh):
    paper = json.loads(allow(sh, "--json").stdout)
    receipt = sh.folder / "receipt.json"
    receipt.write_text(json.dumps(paper))
    key = (sh.site / "ledger" / "vkey").read_text().strip()
    assert sh("verify", str(receipt), "--key", key, site=False).stdout.splitlines()[-1] == "verified"
    paper["receipt"]["purpose"] = "advertising"
    receipt.write_text(json.dumps(paper))
    sh("verify", str(receipt), "--key", key, site=False, code=3)


def test_consents_are_given_shown_and_withdrawn(sh):
    assert "nothing was ever allowed" in sh("consent", "show", VIN).stderr
    done = allow(sh, "--until", "2100-01-01")
    assert "given" in done.stderr
    assert json.loads(done.stdout)["receipt"]["state"] == "given"
    assert "stands" in sh("consent", "show", VIN).stdout
    assert sh.json("consent", "show", VIN)[0][0]["stands"] is True
    assert "withdrawn" in sh("consent", "withdraw", VIN, "--as", "anna").stderr
    (shown,) = sh.json("consent", "show", VIN)[0]
    assert shown["stands"] is False
    assert [r["receipt"]["state"] for r in shown["receipts"]] == ["given", "withdrawn"]
    receipt = sh.folder / "again.json"
    receipt.write_text(json.dumps(shown["receipts"][0]))
    key = (sh.site / "ledger" / "vkey").read_text().strip()
    assert sh("verify", str(receipt), "--key", key, site=False).stdout.splitlines()[-1] == "verified"
    sh("consent", "withdraw", VIN, "--as", "engineer", code=1)
    allow(sh, "--until", "2020-01-01", code=2)
    refusal = sh("consent", "withdraw", VIN, code=1).stderr
    assert re.search(r"refused \(no-consent\).*\n  article: PIPL Art. 15, 47\n  what would help:", refusal)
    allow(sh, "--until", "soon", code=2)
    allow(sh, "--recipient", "atlantis", code=1)


def test_a_person_erases_a_car_and_holds_the_certificate(sh):
    drive(sh)
    paper = sh.folder / "certificate.json"
    done = sh("rights", "erase", VIN, "--as", "anna", "--out", str(paper))
    assert re.search(r"erased \d+ rows", done.stderr)
    key = (sh.site / "ledger" / "vkey").read_text().strip()
    assert sh("verify", str(paper), "--key", key, site=False).stdout.splitlines()[-1] == "verified"
    assert json.loads(sh("rights", "access", VIN, "--as", "anna").stdout)["held"] == []
    assert "erase" in sh("rights", "show", VIN).stdout
    shown = sh.json("rights", "show", VIN)
    assert shown[0]["certificate"]["receipt"]["kind"] == "erasure"
    sh("rights", "erase", VIN, "--as", "engineer", code=1)
    cases = len(sh.json("rights", "show", VIN))
    sh("rights", "erase", VIN, "--as", "owner", "--out", str(sh.folder / "nowhere" / "c.json"), code=2)
    assert len(sh.json("rights", "show", VIN)) == cases


def test_a_restricted_car_is_read_by_nobody(sh):
    drive(sh)
    sh("rights", "restrict", VIN, "--as", "officer")
    assert sh.json("vehicle", "show", VIN)[0]["restricted"] != "-"
    sh("rights", "restrict", VIN, "--as", "officer", "--lift")
    assert sh.json("vehicle", "show", VIN)[0]["restricted"] == "-"
    sh("rights", "restrict", VIN, "--as", "officer", "--lift", code=1)


def test_vehicles_are_listed_without_their_vins(sh):
    assert VIN not in sh("vehicle", "list").stdout
    assert len(sh.json("vehicle", "list")[0]) == 1
    assert "Anna" in sh("vehicle", "show", VIN).stdout
    assert sh.json("vehicle", "add", "LTEST000000000018", "--as", "officer")[0]["vehicle"]
    sh("vehicle", "add", VIN, "--as", "operator", code=1)
    sh("vehicle", "add", "short", "--as", "operator", code=2)
    sh("vehicle", "show", "LTEST000000000019", code=1)


def test_the_regulator_may_bring_a_permit_signed_elsewhere(sh):
    request, permit = permitted(sh)
    note = sh.folder / "permit.note"
    note.write_text(sh.json("permit", "show", permit)[0]["note"].replace(permit, "f" * 16))
    sh("permit", "grant", "--note", str(note), "--as", "regulator", code=3)
    sh("permit", "grant", request, "--as", "regulator", code=2)
    sh(
        "permit",
        "grant",
        request,
        "--persons",
        "1",
        "--from",
        "2020-01-01",
        "--until",
        "2100-01-01",
        "--as",
        "officer",
        code=1,
    )


def test_a_permit_is_not_granted_where_the_law_refuses(sh):
    request = ask(sh, code=1)["id"]
    limits = ("--persons", "1", "--from", "2020-01-01", "--until", "2100-01-01")
    done = sh("permit", "grant", request, *limits, "--as", "regulator", code=1)
    assert "article:" in done.stderr


def test_the_log_is_shown_proved_and_checked(sh):
    allow(sh)
    assert len(sh.json("ledger", "show")) >= 2
    proof = sh.folder / "one.tlog-proof"
    proof.write_text(sh("ledger", "prove", "1").stdout)
    key = str(sh.site / "ledger" / "vkey")
    assert sh("verify", str(proof), "--key", key, site=False).stdout.splitlines()[-1] == "verified"
    sh("ledger", "fsck")
    tile = next((sh.site / "ledger" / "tile" / "entries").rglob("[0-9]*"))
    tile = (
        tile if tile.is_file() else next(p for p in (sh.site / "ledger" / "tile" / "entries").rglob("*") if p.is_file())
    )
    tile.write_bytes(tile.read_bytes()[:-1] + b"x")
    sh("ledger", "fsck", code=3)


def test_check_says_what_is_well_and_what_is_not(sh):
    drive(sh)
    assert "BAD" not in sh("check", "--deep").stdout
    assert all(line["good"] for line in sh.json("check")[0])
    (sh.site / "outbox" / "smuggled.parcel").write_bytes(b"x")
    assert "BAD  egress" in sh("check", code=1).stdout
    (sh.site / "outbox" / "smuggled.parcel").unlink()
    (sh.site / "keys" / "root.key").chmod(0o644)
    assert "BAD" in sh("check", code=1).stdout


def test_damage_is_told_and_never_a_traceback(sh):
    for path in sh.site.glob("papers.sqlite*"):
        path.unlink()
    (sh.site / "papers.sqlite").write_bytes(b"not a database at all" * 500)
    assert "papers do not answer" in sh("vehicle", "list", code=3).stderr
    assert "BAD" in sh("check", code=1).stdout


@pytest.mark.parametrize(
    "args",
    [
        ("simulate", "--to", "127.0.0.1:1", "--seconds", "1"),
        ("simulate", "--to", "127.0.0.1:1", "--vins", "."),
        ("init", "--jurisdiction", "CN", "--name", "a", "--site", "/proc/nowhere"),
    ],
)
def test_what_the_system_refuses_is_told_and_never_a_traceback(args):
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 2
    assert done.stderr.startswith("not readable: ")


@pytest.mark.parametrize("line", ["", "no site"])
def test_a_missing_site_is_said_to_be_missing(tmp_path, line):
    done = CliRunner().invoke(cli, ["vehicle", "list", "--site", str(tmp_path / "nowhere" / line)])
    assert done.exit_code == 2
    assert "onshore init" in done.stderr


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("init", "--jurisdiction", "XX", "--name", "a"), 1),
        (("init", "--jurisdiction", "CN", "--name", "../a"), 2),
        (("nonsense",), 2),
        (("consent", "give"), 2),
    ],
)
def test_wrong_use_is_told_apart_from_refusal(tmp_path, args, code):
    more = ("--site", str(tmp_path / "x")) if args[0] == "init" else ()
    assert CliRunner().invoke(cli, [*args, *more]).exit_code == code


def test_help_names_every_command_and_version_answers():
    done = CliRunner().invoke(cli, ["--help"])
    for name in ("consent", "decode", "demo", "ledger", "permit", "rights", "transfer", "verify"):
        assert f"\n  {name} " in done.stdout
    assert CliRunner().invoke(cli, ["--version"]).exit_code == 0
    for name in ("consent", "transfer", "serve", "simulate"):
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def test_replay_takes_hex_frames_and_says_where_a_line_is_none(sh):
    from onshore.gate.gb32960 import encode

    frames = sh.folder / "frames.hex"
    frames.write_text(encode.realtime(VIN.encode(), 1_790_000_000_000, {"vehicle": {"soc_pct": 5}}).hex() + "\n")
    assert sh.json("replay", str(frames), "--vehicle", VIN)[0]["acknowledged"] == 1
    assert "1 acknowledged" in sh("replay", str(frames), "--vehicle", VIN).stderr
    frames.write_text("zz\n")
    assert "line 1" in sh("replay", str(frames), "--vehicle", VIN, code=2).stderr
