"""Tricks with notes, keys, proofs and policies, each with the word that it is refused with."""

import base64
import hashlib

import pytest

from onshore.ledger import history, mldsa
from onshore.ledger.entry import entry
from onshore.ledger.layout import CHECKPOINT
from onshore.ledger.log import Log
from onshore.ledger.note import (
    COSIGNATURE,
    MLDSA44,
    Key,
    Unreadable,
    Wrong,
    open_note,
    read_checkpoint,
    read_key,
    read_keys,
    signature_line,
)
from onshore.ledger.policy import read_policy
from onshore.ledger.signer import Cosigner, LogSigner, Signer
from onshore.ledger.verify import Trust, log, proof
from onshore.ledger.witness import place, write_request
from onshore.ledger.witnessing import Witness, make, trust
from onshore.ledger.years import Years

MANY = "signed note: it is not a text, a blank line and lines of signatures"
ORIGIN, SEED, NAME = "example.org/shanghai", b"s" * 32, "w.example/one"
DECEMBER, JANUARY, NOW = 1_798_700_000_000, 1_798_900_000_000, 1_790_000_000_000


def made(kind, at=JANUARY, **fields):
    return entry(kind, at=at, site="a1", jurisdiction="CN", **fields)


@pytest.fixture
def years(tmp_path):
    found = Years(tmp_path / "ledger", SEED, ORIGIN, zone="UTC", write=True)
    found.append([made("recall", DECEMBER, obj=f"sha256:{n:064x}") for n in range(5)], made)
    return found


@pytest.fixture
def keys(years):
    return read_keys(years.vkeys)


def wrong(act, *arguments):
    with pytest.raises(Wrong) as why:
        list(act(*arguments))
    return str(why.value)


def parted(note):
    text, _, lines = note.rpartition("\n\n")
    return text + "\n", lines.split("\n")[:-1]


def test_a_proof_of_a_closed_year_under_the_checkpoint_of_the_next(years, keys):
    """The numbers fit, the root does not; and of its own year it holds for ever."""
    old = years.prove(2)
    years.append([made("recall", JANUARY, obj=f"sha256:{n:064x}") for n in range(9)], made)
    assert list(proof(old.encode(), Trust(keys)))
    grafted = old.rpartition("\n\n")[0].rpartition("\n\n")[0] + "\n\n" + years.checkpoint
    assert wrong(proof, grafted.encode(), Trust(keys)) == "proof: the entry is not number 2 of the log's 10 entries"


def test_an_entry_written_into_a_closed_year(years, keys):
    years.append([made("recall", JANUARY, obj=f"sha256:{9:064x}")], made)
    shut = years.closed[2026]
    shut.append([made("recall", DECEMBER, obj=f"sha256:{8:064x}")])
    said = wrong(history.log, years.read, Trust(keys))
    assert said == f"2026/checkpoint: it does not end where {ORIGIN}/2027 goes on from it"


@pytest.mark.parametrize(("left", "lacks"), [(0, "ML-DSA-44"), (1, "Ed25519")])
def test_a_checkpoint_with_one_signature_for_one_who_knows_both_keys(years, keys, left, lacks):
    text, lines = parted(years.checkpoint)
    one = f"{text}\n{lines[left]}\n".encode()
    said = wrong(log, lambda name: one if name == CHECKPOINT else years.read(name), Trust(keys))
    assert said.startswith(f"checkpoint: it lacks the log's {lacks} signature, whose key you trust")


def test_a_signature_shown_under_the_id_of_another_key(years, keys):
    """The lines' names are the same; an id alone says which key is meant, and each holds for its own kind only."""
    text, lines = parted(years.checkpoint)
    raws = [base64.b64decode(line.split(" ")[2]) for line in lines]
    swapped = "".join(signature_line(key, raw[4:]) for key, raw in zip(keys, reversed(raws), strict=True))
    said = wrong(lambda: open_note(f"{text}\n{swapped}", keys).signers)
    assert said == f"signed note: the signature of {ORIGIN} does not hold over the text"


def test_a_witness_who_calls_himself_as_the_log_is_not_the_log(years, keys):
    text, _ = parted(years.checkpoint)
    other = Cosigner(ORIGIN, b"w" * 32)
    note = f"{text}\n{other.line(text, 7)}".encode()
    said = wrong(log, lambda name: note if name == CHECKPOINT else years.read(name), Trust(keys))
    assert said == "signed note: no key that you trust has signed it"
    stranger = Signer("example.org/other", SEED)
    note = f"{text}\n{stranger.line(text)}".encode()
    said = wrong(log, lambda name: note if name == CHECKPOINT else years.read(name), Trust((stranger.key,)))
    assert said == "signed note: no key that you trust has signed it", "a key speaks for the log of its own name alone"


def test_the_logs_own_key_counts_as_no_witness():
    """Nor in the guise of another type: what matters is the key, whatever it is called (C2SP tlog-cosignature)."""
    first, second = LogSigner(ORIGIN, SEED).keys
    for kind, public in ((COSIGNATURE, first.public), (MLDSA44, second.public)):
        raw = f"log {first}\nlog {second}\nwitness w {Key('w.example', kind, public)}\nquorum w\n".encode()
        with pytest.raises(Unreadable, match=r"line 3: .*(serves as a log's and as a witness's)"):
            read_policy(raw)


def test_ten_thousand_lines_of_signatures(years, keys):
    text, lines = parted(years.checkpoint)
    strangers = [signature_line(Key("x", 1, bytes(32)), bytes(64)).rstrip("\n")]
    note = f"{text}\n" + "\n".join(strangers * 10_000 + lines) + "\n"
    assert wrong(lambda: open_note(note, keys).signers) == MANY
    few = f"{text}\n" + "\n".join(strangers * 200 + lines) + "\n"
    assert set(open_note(few, keys).signers) == set(keys)


def test_a_witness_is_not_held_up_by_them(years, keys, tmp_path):
    make(tmp_path / "w", NAME, lambda n: hashlib.sha256(str(tmp_path).encode()).digest()[:n])
    trust(tmp_path / "w", keys)
    witness = Witness(tmp_path / "w", clock=lambda: NOW)
    text, lines = parted(years.checkpoint)
    stranger = signature_line(Key("x", 1, bytes(32)), bytes(64)).rstrip("\n")
    note = f"{text}\n" + "\n".join([stranger] * 10_000 + lines) + "\n"
    answer = witness.add_checkpoint(write_request(0, (), note))
    assert answer.status == 403
    assert b"no signature that this witness trusts for that log" in answer.body
    assert witness.checkpoint(place(ORIGIN)) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b64: b64.rstrip("=") if b64.endswith("=") else b64 + "=",
        lambda b64: b64 + "\n",
        lambda b64: " " + b64,
        lambda b64: b64.replace("+", "-").replace("/", "_"),
        lambda b64: b64[:8] + "*" + b64[8:],
        lambda b64: b64[:-2] + chr(ord(b64[-2]) + 1) + "=" if b64.endswith("=") and b64[-3] != "=" else b64 + "====",
    ],
)
def test_base64_has_one_spelling(years, keys, spoil):
    text, lines = parted(years.checkpoint)
    dash, name, b64 = lines[1].split(" ")
    assert {"+", "/"} & set(b64)
    said = wrong(lambda: open_note(f"{text}\n{dash} {name} {spoil(b64)}\n", keys).signers)
    assert said.startswith("signed note: ")
    root = text.split("\n")[2]
    if spoil(root) != root:
        assert wrong(lambda: [read_checkpoint(f"{ORIGIN}\n5\n{spoil(root)}\n")]).startswith("checkpoint: ")
    vkey = str(keys[0])
    material = vkey.split("+", 2)[2]
    if spoil(material).strip() != material:
        with pytest.raises(Unreadable):
            read_key(vkey.replace(material, spoil(material)))


def altered(signature, at, value):
    return signature[:at] + bytes([value]) + signature[at + 1 :]


def test_a_signature_of_ml_dsa_has_one_spelling(years, keys):
    """Hints unsorted, twice, beyond their end, or ends that go back; a response beyond its bound: each is another."""
    text, lines = parted(years.checkpoint)
    raw = base64.b64decode(lines[1].split(" ")[2])
    signature, hints = raw[12:], 32 + 4 * 576
    packed = signature[hints:]
    ends = packed[80:]
    assert ends[0] >= 2, "or the places could not be swapped"
    tricks = [
        signature[:hints] + packed[1::-1] + packed[2:],
        altered(signature, hints + 1, packed[0]),
        altered(signature, hints + 79, 1),
        altered(signature, hints + 80, ends[1] + 1),
        altered(signature, hints + 83, 81),
        signature[:32] + bytes(9) + signature[41:],
        signature + b"\0",
        signature[:-1],
    ]
    for trick in tricks:
        note = f"{text}\n{lines[0]}\n{signature_line(keys[1], raw[4:12] + trick)}"
        said = wrong(lambda note=note: open_note(note, keys).signers)
        assert said == f"signed note: the signature of {ORIGIN} does not hold over the text"
    assert len(signature) == mldsa.SIGNATURE


def test_a_time_that_no_clock_shows(years, keys):
    text, lines = parted(years.checkpoint)
    raw = base64.b64decode(lines[1].split(" ")[2])
    late = signature_line(keys[1], (1 << 63).to_bytes(8, "big") + raw[12:])
    assert "does not hold" in wrong(lambda: open_note(f"{text}\n{lines[0]}\n{late}", keys).signers)


def test_a_huge_policy_is_read_and_a_wide_one_too():
    witnesses = "".join(
        f"witness w{n} {Key(f'w{n}.example', COSIGNATURE, n.to_bytes(32, 'big'))}\n" for n in range(2000)
    )
    group = f"group all all {' '.join(f'w{n}' for n in range(2000))}\n"
    assert len(read_policy(f"{witnesses}{group}quorum all\n".encode()).witnesses) == 2000
    with pytest.raises(Unreadable, match="longer than"):
        read_policy(b"# " + b"x" * (8 << 20) + b"\nquorum none\n")


def handed_in(witness, log):
    return witness.add_checkpoint(write_request(0, [], log.checkpoint))


def test_a_second_log_under_a_year_that_the_chain_passes_over_is_told(years, keys, tmp_path):
    """Cosigned in December under next year's name, shown to one recipient, and then passed over: the chain holds."""
    seeds = iter((b"a" * 32, b"b" * 32))
    make(tmp_path / "w", NAME, lambda _n: next(seeds))
    trust(tmp_path / "w", keys)
    witness = Witness(tmp_path / "w", clock=lambda: DECEMBER)
    assert handed_in(witness, years.log).status == 200
    past = Log(tmp_path / "past", SEED, f"{ORIGIN}/2025")
    past.append([made("recall", DECEMBER, obj=f"sha256:{1:064x}")])
    assert handed_in(witness, past).status == 404, "nobody begins the log of a year that is over"
    second = Log(tmp_path / "second", SEED, f"{ORIGIN}/2027")
    second.append([made("recall", DECEMBER, obj=f"sha256:{2:064x}")])
    assert handed_in(witness, second).status == 200
    years._close(2028, made)
    answer = handed_in(witness, years.log)
    assert answer.status == 200
    (years.folder / "witnessed").write_bytes(years.checkpoint.encode() + answer.body)
    policy = read_policy(f"witness w {witness.keys[0]}\nquorum w\n".encode())
    said = [str(one) for one in history.log(years.read, Trust(keys, policy))]
    (told,) = [line for line in said if "2027" in line]
    assert told.startswith(f"not checked: log: none of {ORIGIN} is linked under 2026 to 2027; if")
    assert not [line for line in map(str, history.log(years.read, Trust(keys))) if "second history" in line]


def test_of_years_that_follow_each_other_nothing_is_passed_over(years, keys):
    later = [made("recall", JANUARY + n * 31_536_000_000, obj=f"sha256:{n:064x}") for n in range(3)]
    years.append(later, made)
    line = Cosigner(NAME, b"w" * 32, COSIGNATURE)
    (years.folder / "witnessed").write_text(years.checkpoint + line.line(parted(years.checkpoint)[0], 1_900_000_000))
    policy = read_policy(f"witness w {line.key}\nquorum w\n".encode())
    said = [str(one) for one in history.log(years.read, Trust(keys, policy))]
    assert sum("goes on" in one for one in said) == 3
    assert [one for one in said if "second history" in one] == [
        f"not checked: log: none of {ORIGIN} is linked under 2026; if a witness cosigned one, it is a second history"
    ]
