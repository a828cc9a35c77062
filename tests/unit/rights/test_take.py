"""What a person takes along: all of it, in full quality, sealed to them, and theirs once the ledger has it."""

import csv
import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onshore.register import persons
from onshore.rights import bundle, cases, clocks, sale, whose
from onshore.rights.bundle import Bundle
from onshore.rights.dictionary import HEAD
from onshore.rights.take import take
from onshore.rights.whose import wish
from onshore.vault.age import open_sealed_file, recipient_of
from onshore.vault.segments import Place
from onshore.words.described import described
from onshore.words.errors import Broken, Malformed
from rights_makers import SPEED, agreed, said, verified

PLACE = Place("cn/2026-02", "driving-behaviour", "consent", "2026-09-21", 0)


def taken(hands, folder, person=None, **narrow):
    car = hands.car()
    mine = wish(hands.site, car, person=person or car.owner, **narrow)
    return take(hands.site, car, "anna", mine, folder=folder, to=recipient_of(hands.identity))


def unpacked(hands, file):
    plain = file.with_suffix(".tar")
    plain.unlink(missing_ok=True)
    open_sealed_file(file, plain, hands.identity)
    with tarfile.open(plain) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_the_data_comes_as_parquet_and_csv_with_a_dictionary(hands, tmp_path):
    hands.allow(1)
    hands.drive(1, 2)
    done = taken(hands, tmp_path / "for-anna")
    assert done.case.state == "done"
    files = unpacked(hands, done.file)
    manifest = json.loads(files["manifest.json"])
    assert manifest["vin"] == hands.vin().decode()
    assert sum(part["rows"] for part in manifest["parts"]) == done.paper["rows"] == 100
    for part in manifest["parts"]:
        names = {name.rpartition(".")[2]: name for name in part["files"]}
        table = pq.read_table(io.BytesIO(files[names["parquet"]]))
        lines = list(csv.DictReader(io.StringIO(files[names["csv"]].decode())))
        assert table.num_rows == len(lines) == part["rows"]
        assert table.column_names == ["time", "received", *part["signals"]]
        for name in part["signals"]:
            if pa.types.is_floating(table.schema.field(name).type):
                read = [None if line[name] == "" else float(line[name]) for line in lines]
                assert read == pytest.approx(table.column(name).to_pylist()), "not a digit less"
    words = list(csv.DictReader(io.StringIO(files["dictionary.csv"].decode())))
    assert tuple(words[0]) == HEAD
    speed = next(line for line in words if line["signal"] == SPEED)
    assert (speed["unit"], speed["type"], speed["category"]) == ("km/h", "float", "driving-behaviour")
    assert {line["signal"] for line in words} >= {name for part in manifest["parts"] for name in part["signals"]}
    derived = [n for n, s in hands.site.catalogue.items() if s.data_act in ("derived", "none")]
    assert not {line["signal"] for line in words} & set(derived)


def test_the_receipt_verifies_and_names_the_file(hands, tmp_path):
    hands.drive(1)
    done = taken(hands, tmp_path / "for-anna")
    receipt = json.loads(done.receipt.read_text())
    assert verified(hands.site, receipt)
    assert receipt["receipt"]["bytes"] == done.file.stat().st_size
    body = json.loads(hands.site.ledger.entry_at(hands.site.ledger.size - 1))
    assert (body["t"], body["rows"], body["parts"]) == ("take", 60, 3)
    assert cases.find(hands.site, done.case.id).entry is None, "nothing here links the case to it any more"


def test_a_driver_takes_their_own_rows_and_some_days_of_a_category(hands, tmp_path):
    cleo = persons.add_driver(hands.site, hands.car().id, name="Cleo", mark="card 7")
    agreed(hands, hands.car())
    agreed(hands, hands.car(), driver=cleo)
    said(hands, (33.5, None), (77.5, "card 7"), (77.5, "card 7"))
    done = taken(hands, tmp_path / "a", cleo)
    (part,) = json.loads(unpacked(hands, done.file)["manifest.json"])["parts"]
    assert part["rows"] == 2
    today = hands.site.today().isoformat()
    assert taken(hands, tmp_path / "b", categories=["track"]).paper["rows"] == 0
    assert taken(hands, tmp_path / "c", categories=["driving-behaviour"], first=today, last=today).paper["rows"] == 1
    assert taken(hands, tmp_path / "d", last="2026-01-01").paper["rows"] == 0


def test_a_long_history_takes_no_more_memory_than_a_short_one(hands, monkeypatch):
    monkeypatch.setattr(whose, "AT_ONCE", 1000)

    def tables(count):
        for at in range(count):
            times = pa.array(range(at * 1000, at * 1000 + 1000), pa.timestamp("ms", "UTC"))
            values = pa.array([float(n % 97) for n in range(1000)], pa.float32())
            yield PLACE, pa.table({"vehicle": pa.array([1] * 1000), "time": times, "received": times, SPEED: values})

    def peak(count):
        packing, before, most, size = Bundle({}, hands.site.catalogue), pa.total_allocated_bytes(), 0, 0
        for chunk in packing.flow(tables(count)):
            size += len(chunk)
            most = max(most, pa.total_allocated_bytes() - before)
        assert packing.rows == count * 1000
        return most, size

    short, long = peak(5), peak(100)
    assert long[1] > 15 * short[1]
    assert long[0] <= 2 * short[0]


def test_rows_come_some_at_a_time_however_many_there_are(hands, monkeypatch):
    monkeypatch.setattr(whose, "AT_ONCE", 7)
    hands.drive(1)
    sizes = [table.num_rows for _, table in whose.rows(hands.site, wish(hands.site, hands.car()).scope)]
    assert max(sizes) == 7
    assert sum(sizes) == 60


def test_what_stopped_while_it_was_sealed_is_sealed_again(hands, tmp_path, monkeypatch):
    hands.drive(1)

    def full(*_):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(bundle, "dictionary", full)
        with pytest.raises(OSError, match="no space left"):
            taken(hands, tmp_path / "for-anna")
    assert not list((tmp_path / "for-anna").glob("*.age"))
    assert [one.case.state for one in clocks.queue(hands.site)] == ["asked"]
    done = taken(hands, tmp_path / "for-anna")
    assert [c.id for c in cases.of_vehicle(hands.site, hands.car().id)] == [done.case.id]
    assert sorted(path.name for path in (tmp_path / "for-anna").iterdir()) == [
        f"{done.case.id}.receipt.json",
        f"{done.case.id}.tar.age",
    ]


@pytest.mark.parametrize("lost", [False, True])
def test_what_stopped_before_it_was_in_its_place_is_put_there(hands, tmp_path, monkeypatch, lost):
    hands.drive(1)

    def cut_short(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("onshore.rights.take._hand_over", cut_short)
        with pytest.raises(KeyboardInterrupt):
            taken(hands, tmp_path / "for-anna")
    (waits,) = clocks.queue(hands.site)
    assert waits.case.state == "sealed"
    (staged,) = (tmp_path / "for-anna").iterdir()
    assert staged.name.startswith(".")
    if lost:
        staged.unlink()
    assert sale.resume(hands.site) == {}
    assert clocks.queue(hands.site) == []
    (file,) = (tmp_path / "for-anna").glob("*.age")
    assert json.loads(unpacked(hands, file)["manifest.json"])["case"] == waits.case.id
    assert verified(hands.site, json.loads(next((tmp_path / "for-anna").glob("*.json")).read_text()))


def test_a_file_that_changed_meanwhile_is_nobodys(hands, tmp_path, monkeypatch):
    hands.drive(1)

    def altered(_site, entry):
        (staged,) = (tmp_path / "x").iterdir()
        staged.write_bytes(b"altered")
        return f"proof of {entry}"

    with monkeypatch.context() as patched:
        patched.setattr(type(hands.site), "proof", altered)
        with pytest.raises(Broken, match="not what was sealed"):
            taken(hands, tmp_path / "x")
        assert not list((tmp_path / "x").glob("*.age"))
        assert set(sale.resume(hands.site)) == {clocks.queue(hands.site)[0].case.id}, "it fails, and stops nobody"
    assert sale.resume(hands.site) == {}
    (file,) = (tmp_path / "x").glob("*.age")
    assert unpacked(hands, file)


def test_who_gives_no_age_key_is_told(hands, tmp_path):
    with pytest.raises(Malformed, match="age1"):
        take(hands.site, hands.car(), "anna", wish(hands.site, hands.car()), folder=tmp_path, to="ssh-ed25519 AAAA")
    assert cases.of_vehicle(hands.site, hands.car().id) == []


def test_a_signal_is_described_in_words(hands):
    assert described(hands.site.catalogue["Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"]) == (
        "VSS 6.0: powertrain, traction battery, state of charge, current; GB/T 32960.3-2016 unit 01, soc"
    )
    assert described(hands.site.catalogue["Vehicle.Onshore.Navigation.DestinationName"]) == (
        "an extension that VSS 6.0 lacks: onshore, navigation, destination name"
    )
