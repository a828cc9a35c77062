"""The verifier: each kind of thing verifies, and each thing wrong with it is named."""

import base64
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onshore.ledger import verify
from onshore.ledger.entry import digest, entry
from onshore.ledger.log import Log
from onshore.ledger.note import COSIGNATURE, Key, Unreadable, Wrong, signature_line
from onshore.ledger.policy import read_policy
from onshore.ledger.signer import LogSigner, Signer
from onshore.ledger.verify import Trust
from release_makers import HEAD, SEALED, release

SEED, ORIGIN = b"s" * 32, "example.org/shanghai"
PAPER = {"kind": "consent", "state": "given", "salt": "00ff", "separate": True, "notice": "通知"}


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path / "ledger", SEED, ORIGIN)
    made.append(
        [
            entry("site", **HEAD),
            entry("consent", **HEAD, obj=digest(PAPER), state="withdrawn"),
            release(),
            entry("release", **HEAD, obj=digest(SEALED), state="unsent"),
            b"not json",
        ]
    )
    made.append([b"%d" % i for i in range(600)])
    return made


@pytest.fixture
def trust(log):
    return Trust(LogSigner(ORIGIN, SEED).keys)


def files_of(log):
    return {str(p.relative_to(log._folder)): p.read_bytes() for p in log._folder.rglob("*") if p.is_file()}


def said(findings):
    return [str(f) for f in findings]


def test_a_whole_log(log, trust):
    assert said(verify.log(files_of(log).get, trust)) == [
        f"checked: checkpoint: signed by {ORIGIN} with Ed25519 and ML-DSA-44, 605 entries",
        "not checked: witnesses: no policy was given",
        "checked: entries: 605 in bundles, each as the tree's lowest tiles have it",
        "checked: tiles: 1 above the lowest, each as the tiles under it have it",
        "checked: root: the entries lead to the root that the log signed",
    ]


def test_a_folder_without_checkpoint_is_no_log(trust):
    with pytest.raises(Unreadable):
        list(verify.log({}.get, trust))


def test_each_altered_or_missing_file_of_a_log_is_named(log, trust):
    whole = files_of(log)
    used = {p for p in whole if p != "vkey" and not (p.endswith(".p/5"))}
    assert len(used) == 8
    for name in used:
        for altered in (
            whole | {name: whole[name][:-1] + bytes([whole[name][-1] ^ 1])},
            whole | {name: whole[name][:-1]},
        ):
            with pytest.raises(Wrong):
                list(verify.log(altered.get, trust))
        if name != "checkpoint":
            with pytest.raises(Wrong, match=f"^{name}: it is missing$"):
                list(verify.log({k: v for k, v in whole.items() if k != name}.get, trust))


def test_tiles_that_agree_with_each_other_and_not_with_the_root(trust, tmp_path, log):
    forged = Log(tmp_path / "forged", SEED, ORIGIN)
    forged.append([b"%d" % i for i in range(605)])
    with pytest.raises(Wrong, match="do not lead to the root"):
        list(verify.log((files_of(forged) | {"checkpoint": log.checkpoint.encode()}).get, trust))


def test_a_tile_that_does_not_fit_the_one_under_it(log, trust):
    whole = files_of(log)
    name = "tile/1/000.p/2"
    with pytest.raises(Wrong, match="does not fit"):
        list(verify.log((whole | {name: bytes(64)}).get, trust))


def test_partial_tiles_may_be_served_from_full_ones(log, trust, tmp_path):
    whole = files_of(log)
    old = whole["checkpoint"]
    log.append([b"x"] * 400)
    later = files_of(log) | {"checkpoint": old}
    later = {k: v for k, v in later.items() if not k.startswith(("tile/0/002.p", "tile/entries/002.p"))}
    assert said(verify.log(later.get, trust))[-1].startswith("checked: root")


@pytest.mark.parametrize("first", [0, 1, 256, 300, 605])
def test_since_an_older_checkpoint(tmp_path, first):
    made = Log(tmp_path / "l", SEED, ORIGIN)
    entries = [b"%d" % i for i in range(605)]
    made.append(entries[:first])
    older = made.checkpoint.encode()
    made.append(entries[first:])
    trust = Trust((Signer(ORIGIN, SEED).key,), since=older)
    assert (
        said(verify.log(files_of(made).get, trust))[-1]
        == f"checked: since: the log extends the older checkpoint of {first} entries"
    )
    proof = said(verify.proof(made.prove(0).encode(), trust))[-1]
    assert proof.startswith("checked: since: the same" if first == 605 else "not checked: since")


def test_since_a_checkpoint_of_another_history(tmp_path, log, trust):
    other = Log(tmp_path / "other", SEED, ORIGIN)
    other.append([b"another past"])
    since = Trust(trust.keys, since=other.checkpoint.encode())
    with pytest.raises(Wrong, match="does not extend"):
        list(verify.log(files_of(log).get, since))
    other.append([b"x"] * 604)
    since = Trust(trust.keys, since=other.checkpoint.encode())
    with pytest.raises(Wrong, match="another root"):
        list(verify.proof(log.prove(0).encode(), since))
    other.append([b"x"])
    since = Trust(trust.keys, since=other.checkpoint.encode())
    for verified in (verify.log(files_of(log).get, since), verify.proof(log.prove(0).encode(), since)):
        with pytest.raises(Wrong, match="606 entries"):
            list(verified)


def test_since_a_checkpoint_of_another_log(tmp_path, log, trust):
    other = Log(tmp_path / "other", SEED, "example.org/beijing")
    other.append([b"x"])
    since = Trust((*trust.keys, Signer("example.org/beijing", SEED).key), since=other.checkpoint.encode())
    with pytest.raises(Wrong, match="another log"):
        list(verify.proof(log.prove(0).encode(), since))


def test_a_proof(log, trust):
    assert said(verify.proof(log.prove(4).encode(), trust))[-1] == "checked: entry: number 4 of the log's 605 entries"


def edited(text, old, new):
    assert old in text
    return text.replace(old, new, 1).encode()


def test_proofs_that_are_wrong(log, trust):
    text = log.prove(2)
    lines = text.split("\n")
    cases = [
        text.encode() + b"\xff",
        edited(text, "@v1", "@v2"),
        edited(text, "\n\n", "\n"),
        edited(text, lines[1], "extra !"),
        edited(text, lines[1] + "\n", ""),
        edited(text, "index 2", "index 02"),
        edited(text, "index 2", "index 3"),
        edited(text, "index 2", "number 2"),
        edited(text, lines[3] + "\n", ""),
        edited(text, lines[3], lines[4]),
        edited(text, lines[3], lines[3][:-4]),
        edited(text, lines[3], "!"),
        verify.PROOF.encode() + b"\n\n",
    ]
    for case in cases:
        with pytest.raises(Wrong):
            list(verify.proof(case, trust))


def test_a_proof_of_a_log_that_is_not_trusted(log):
    with pytest.raises(Wrong, match="no key that you trust"):
        list(verify.proof(log.prove(0).encode(), Trust((Signer(ORIGIN, b"t" * 32).key,))))


def test_a_log_speaks_under_its_own_name_only(tmp_path):
    signer = Signer("example.org/else", SEED)
    note = signer.sign("example.org/shanghai\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
    with pytest.raises(Wrong, match="no key that you trust has signed it"):
        list(verify.log({"checkpoint": note.encode()}.get, Trust((signer.key,))))


WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS_KEY = Key("example.org/w", COSIGNATURE, WITNESS.public_key().public_bytes_raw())


def cosigned(log):
    text = log.checkpoint.rpartition("\n\n")[0] + "\n"
    at = 1_766_000_000
    signature = WITNESS.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    return log.prove(0) + signature_line(WITNESS_KEY, at.to_bytes(8, "big") + signature)


def test_witnesses_are_reported_without_a_policy_and_required_with_one(log, trust):
    policy = read_policy(f"witness w {WITNESS_KEY}\nquorum w\n".encode())
    proof = cosigned(log).encode()
    assert (
        said(verify.proof(proof, trust))[1]
        == "not checked: witnesses: no policy was given; signatures by example.org/w"
    )
    strict = Trust(trust.keys, policy)
    assert said(verify.proof(proof, strict))[1] == "checked: witnesses: 1 cosigned, the quorum 'w' is reached"
    with pytest.raises(Wrong, match="quorum 'w'"):
        list(verify.proof(log.prove(0).encode(), strict))


def test_a_checkpoint_that_a_witness_alone_has_signed(log, trust):
    policy = read_policy(f"witness w {WITNESS_KEY}\nquorum w\n".encode())
    proof, cosignature = cosigned(log).rstrip("\n").rsplit("\n", 1)
    alone = proof.rpartition("\n\n")[0] + f"\n\n{cosignature}\n"
    with pytest.raises(Wrong, match=f"checkpoint: no key that you trust for the log {ORIGIN} has signed it"):
        list(verify.proof(alone.encode(), Trust(trust.keys, policy)))


def test_a_policy_names_the_logs_it_believes(log, trust):
    ours = read_policy(f"log {log.vkey}\nquorum none".encode())
    assert list(verify.proof(log.prove(0).encode(), Trust(trust.keys, ours)))
    other = read_policy(f"log {Signer(ORIGIN, b't' * 32).vkey}\nquorum none".encode())
    with pytest.raises(Wrong, match="policy does not list"):
        list(verify.proof(log.prove(0).encode(), Trust(trust.keys, other)))


def receipt_of(log, paper, index=1, **more):
    return json.dumps({"receipt": paper, "proof": log.prove(index), **more}, indent=1).encode()


def test_a_receipt(log, trust):
    found = said(verify.receipt(receipt_of(log, PAPER), trust))
    assert found[-1] == "checked: receipt: it is the paper that the entry (consent) names"


def test_receipts_that_are_wrong(log, trust):
    whole = receipt_of(log, PAPER)
    cases = [
        receipt_of(log, PAPER | {"state": "withdrawn"}),
        receipt_of(log, PAPER | {"weight": 1.5}),
        receipt_of(log, PAPER | {"until": None}),
        receipt_of(log, PAPER, index=0),
        receipt_of(log, PAPER, index=4),
        receipt_of(log, PAPER, extra=1),
        receipt_of(log, [PAPER]),
        json.dumps({"receipt": PAPER, "proof": 1}).encode(),
        json.dumps({"receipt": PAPER, "proof": "\ud800"}).encode(),
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        whole.replace(b'"salt"', b'"state"', 1),
    ]
    for case in cases:
        with pytest.raises(Wrong):
            list(verify.receipt(case, trust))


def test_a_deep_paper_is_wrong_and_not_a_crash(log, trust):
    deep = b'{"receipt": {"a": ' + b"[" * 900 + b"]" * 900 + b'}, "proof": ' + json.dumps(log.prove(1)).encode() + b"}"
    with pytest.raises(Wrong):
        list(verify.receipt(deep, trust))


def test_a_parcel(log, trust):
    found = said(verify.parcel(log.prove(2).encode(), sha256(SEALED).hexdigest(), trust))
    assert found[-1] == "checked: parcel: its bytes are those that the ledger says were released"


@pytest.mark.parametrize(
    ("index", "sealed", "where"),
    [(2, SEALED + b"x", "parcel"), (3, SEALED, "proof"), (1, SEALED, "proof"), (4, SEALED, "entry")],
)
def test_a_parcel_that_the_ledger_did_not_let_go(log, trust, index, sealed, where):
    with pytest.raises(Wrong) as wrong:
        list(verify.parcel(log.prove(index).encode(), sha256(sealed).hexdigest(), trust))
    assert wrong.value.where == where


def test_an_entry_in_another_spelling_is_wrong():
    for raw in (b'{"b":1,"a":2}', b'{"a":1.0}', b"[]", b'{"a":1,"a":1}', b'{"a":null}', b""):
        with pytest.raises(Wrong):
            verify.read_entry(raw)
    assert verify.read_entry(b'{"a":2,"b":[true,"x"]}') == {"a": 2, "b": [True, "x"]}


def test_names_sort_as_rfc_8785_says():
    paper = {"\u20ac": "Euro", "\r": "CR", "1": "One", "\U0001f600": "Smile", "\u00f6": "oe", "\ufb33": "Dalet"}
    order = ["\r", "1", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(verify.canonical(paper))) == order
    assert verify.canonical({"a": '\x0f\n"\\'}) == b'{"a":"\\u000f\\n\\"\\\\"}'
    for value in (1.0, None, 1 << 53, "\ud800", {1: 2}, b""):
        with pytest.raises(ValueError, match=r"no place|surrogates|encode"):
            verify.canonical([value])


FIRST, SECOND = LogSigner(ORIGIN, SEED).keys


def without(log, key):
    """The log's proof of its first entry, without the line that a key of its signed."""
    mine = base64.b64encode(key.id).decode()[:4]
    lines = log.prove(0).splitlines(keepends=True)
    return "".join(
        one for one in lines if not (one.startswith("\u2014") and one.split(" ")[2].startswith(mine))
    ).encode()


@pytest.mark.parametrize(("known", "other", "name"), [(FIRST, SECOND, "Ed25519"), (SECOND, FIRST, "ML-DSA-44")])
def test_who_knows_one_key_is_shown_one_signature_and_told_of_the_other(log, known, other, name):
    found = said(verify.proof(log.prove(0).encode(), Trust((known,))))
    assert found[0] == f"checked: checkpoint: signed by {ORIGIN} with {name}, 605 entries"
    assert found[1] == f"not checked: checkpoint: a further signature by {ORIGIN}, whose key was not given"
    assert len(said(verify.proof(without(log, other), Trust((known,))))) == len(found) - 1


@pytest.mark.parametrize(("key", "name"), [(FIRST, "Ed25519"), (SECOND, "ML-DSA-44")])
def test_who_knows_both_keys_is_shown_both_signatures_or_nothing(log, trust, key, name):
    with pytest.raises(Wrong, match=f"lacks the log's {name} signature"):
        list(verify.proof(without(log, key), trust))


def test_a_second_signature_that_is_wrong_is_found(log, trust):
    text = log.prove(0)
    line = text.splitlines()[-1]
    with pytest.raises(Wrong, match="does not hold"):
        list(verify.proof(text.replace(line, line[:-9] + "AAAAAAAA="[-9:]).encode(), trust))


def test_a_checkpoint_from_before_the_second_key_counts_as_an_older_one(log, trust):
    older = without(log, SECOND).decode().partition("\n\n")[2].encode()
    found = said(verify.log(files_of(log).get, Trust(trust.keys, since=older)))
    assert found[-1] == "checked: since: the log extends the older checkpoint of 605 entries"
