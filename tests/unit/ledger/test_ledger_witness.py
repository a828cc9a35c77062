"""What a witness answers: each status of the protocol, from the bytes alone (C2SP tlog-witness)."""

from base64 import b64encode

import pytest

from onshore.ledger.log import Log
from onshore.ledger.note import Checkpoint, checkpoint_text, read_checkpoint, read_keys
from onshore.ledger.signer import Signer
from onshore.ledger.tree import EMPTY
from onshore.ledger.witness import SIZE, Declined, agreed, lines_of, place, read_request, write_request

ORIGIN, SEED = "example.org/log", b"s" * 32


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path / "ledger", SEED, ORIGIN)
    made.append([b"entry %d" % i for i in range(5)])
    return made


@pytest.fixture
def older(log):
    """What the witness cosigned when the log had five entries; then it grew by three."""
    point = point_of(log)
    log.append([b"more %d" % i for i in range(3)])
    return point


def point_of(log):
    return read_checkpoint(log.checkpoint.rpartition("\n\n")[0] + "\n")


def ask(log, held, old=None, proof=None, note=None, keys=None):
    old = (held.size if held else 0) if old is None else old
    body = write_request(old, log.consistency(min(old, log.size)) if proof is None else proof, note or log.checkpoint)
    return agreed(read_request(body), read_keys(log.vkeys) if keys is None else keys, held)


def declined(status, *asked, **more):
    with pytest.raises(Declined) as no:
        ask(*asked, **more)
    assert no.value.answer.status == status
    return no.value


def test_a_log_that_grew_is_cosigned(log, older):
    point, kept = ask(log, older)
    assert (point.size, point.origin) == (8, ORIGIN)
    assert kept == log.checkpoint


def test_the_first_checkpoint_needs_no_proof(log):
    assert ask(log, None)[0].size == 5


def test_the_same_checkpoint_again(log):
    assert ask(log, point_of(log))[0].size == 5


def test_signatures_of_others_are_not_kept(log):
    other = Signer(ORIGIN, b"o" * 32).sign(log.checkpoint.rpartition("\n\n")[0] + "\n").rpartition("\n\n")[2]
    assert ask(log, None, note=log.checkpoint + other)[1] == log.checkpoint


def test_an_unknown_log_404(log):
    declined(404, log, None, keys=())


def test_signed_by_no_trusted_key_403(log):
    declined(403, log, None, keys=read_keys(Signer(ORIGIN, b"o" * 32).vkey))


def test_a_trusted_key_whose_signature_does_not_hold_403(log):
    text, _, lines = log.checkpoint.rpartition("\n\n")
    forged = text.replace("\n5\n", "\n6\n") + "\n\n" + lines
    declined(403, log, None, note=forged)


def test_a_note_that_is_no_checkpoint_403(log):
    signer = Signer(ORIGIN, SEED)
    declined(403, log, None, note=signer.sign(f"{ORIGIN}\nfive\n"))


def test_an_old_size_above_the_checkpoints_400(log, older):
    declined(400, log, older, old=9, proof=())


@pytest.mark.parametrize("old", [0, 4, 6])
def test_an_old_size_that_is_not_the_one_cosigned_409(log, older, old):
    answer = declined(409, log, older, old=old).answer
    assert (answer.body, answer.kind) == (b"5\n", SIZE)


def test_the_size_of_what_was_never_cosigned_409(log):
    assert declined(409, log, None, old=5, proof=()).answer.body == b"0\n"


def test_a_rollback_409(log, older):
    """An older checkpoint, rightly signed, is handed in after a newer one: the witness is further already."""
    newer = ask(log, older)[0]
    signer = Signer(ORIGIN, SEED)
    answer = declined(409, log, newer, old=5, proof=(), note=signer.sign(checkpoint_text(older)))
    assert answer.answer.body == b"8\n"


@pytest.mark.parametrize("proof", [(), (bytes(32),), (bytes(32),) * 4])
def test_a_proof_that_does_not_hold_422(log, older, proof):
    assert not declined(422, log, older, proof=proof).forked


def test_a_proof_from_the_empty_tree_422(log):
    declined(422, log, None, proof=(bytes(32),))


def test_another_root_of_the_same_size_422(log):
    fork = Signer(ORIGIN, SEED).sign(checkpoint_text(Checkpoint(ORIGIN, 5, b"r" * 32)))
    assert declined(422, log, point_of(log), note=fork, proof=()).forked


def test_another_root_of_the_same_size_is_evidence_at_409_too(log):
    fork = Signer(ORIGIN, SEED).sign(checkpoint_text(Checkpoint(ORIGIN, 5, b"r" * 32)))
    assert declined(409, log, point_of(log), note=fork, old=3, proof=()).forked


def test_an_empty_log(log):
    signer = Signer(ORIGIN, SEED)
    empty = signer.sign(checkpoint_text(Checkpoint(ORIGIN, 0, EMPTY)))
    assert ask(log, None, note=empty)[0].size == 0
    assert ask(log, Checkpoint(ORIGIN, 0, EMPTY))[0].size == 5
    declined(422, log, None, note=signer.sign(checkpoint_text(Checkpoint(ORIGIN, 0, bytes(32)))))


HASH = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 5\n",
        b"\xff\n\nnote",
        b"5\n\nnote",
        b"old 05\n\nnote",
        b"old -1\n\nnote",
        b"old 5\nAAAA\n\nnote",
        b"old 5\n" + HASH[:-1].encode() + b"\n\nnote",
        b"old 5\n" + f"{HASH}\n".encode() * 64 + b"\nnote",
        b"old  5\n\nnote",
    ],
)
def test_what_is_no_request_400(body):
    with pytest.raises(Declined) as no:
        read_request(body)
    assert no.value.answer.status == 400


def test_a_request_of_63_hashes_is_read():
    request = read_request(write_request(7, (bytes(32),) * 63, "example.org/log\n8\n"))
    assert (request.old, len(request.proof), request.origin) == (7, 63, "example.org/log")


def test_lines_by_key(log):
    keys = read_keys(log.vkeys)
    lines = [lines_of(log.checkpoint, [key]) for key in keys]
    assert "".join(lines) == log.checkpoint.rpartition("\n\n")[2]
    assert lines_of(log.checkpoint, []) == ""


def test_a_logs_place_is_the_hash_of_its_origin():
    assert place("example.org/log") == "d2ddd66899fd15bead08af77cf16e1fda92ebeaacf1c56f97d32388910e8f991"
