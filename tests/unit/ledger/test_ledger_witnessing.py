"""A witness in a folder: what it cosigned is on the disk before anybody hears of it, and forks are never cosigned."""

import contextlib
import stat
import threading
from datetime import UTC, datetime

import pytest

from onshore.ledger import proofs
from onshore.ledger.log import Log
from onshore.ledger.note import COSIGNATURE, MLDSA44, Checkpoint, checkpoint_text, open_note, read_checkpoint, read_keys
from onshore.ledger.signer import Signer
from onshore.ledger.tree import leaf
from onshore.ledger.witness import place, write_request
from onshore.ledger.witnessing import Witness, alone, answers, make, trust
from onshore.words.errors import Broken, Malformed, Refusal

ORIGIN, SEED, NAME, NOW = "example.org/log", b"s" * 32, "witness.example/one", 1_790_000_000_000
ROOM = place(ORIGIN)


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path / "ledger", SEED, ORIGIN)
    made.append([b"entry %d" % i for i in range(5)])
    return made


@pytest.fixture
def folder(tmp_path, log):
    seeds = iter((b"a" * 32, b"b" * 32))
    make(tmp_path / "w", NAME, lambda _n: next(seeds))
    trust(tmp_path / "w", read_keys(log.vkeys))
    return tmp_path / "w"


@pytest.fixture
def witness(folder):
    return Witness(folder, clock=lambda: NOW)


def hand_in(witness, log, old):
    return witness.add_checkpoint(write_request(old, log.consistency(old), log.checkpoint))


def fork(size, root=b"r" * 32):
    return Signer(ORIGIN, SEED).sign(checkpoint_text(Checkpoint(ORIGIN, size, root)))


def test_its_keys_are_of_both_kinds_and_nobody_elses_to_read(folder, witness):
    assert [key.kind for key in witness.keys] == [COSIGNATURE, MLDSA44]
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o600
    assert read_keys((folder / "vkey").read_text()) == witness.keys


def test_what_it_answers_cosigns_the_checkpoint(witness, log):
    answer = hand_in(witness, log, 0)
    assert answer.status == 200
    note = open_note(log.checkpoint.encode() + answer.body, witness.keys)
    assert set(note.signers) == set(witness.keys)
    assert set(note.times.values()) == {NOW // 1000}
    assert answer.body.decode().count("\n") == 2


def test_what_it_cosigned_last_is_shown_with_all_signatures(witness, log):
    assert witness.checkpoint(ROOM) is None
    answer = hand_in(witness, log, 0)
    shown = witness.checkpoint(ROOM)
    assert shown == log.checkpoint.encode() + answer.body
    assert set(open_note(shown, [*witness.keys, *read_keys(log.vkeys)]).signers) == {
        *witness.keys,
        *read_keys(log.vkeys),
    }


def test_it_goes_on_where_it_was(folder, witness, log):
    hand_in(witness, log, 0)
    log.append([b"more"])
    again = Witness(folder, clock=lambda: NOW)
    assert hand_in(again, log, 0).body == b"5\n"
    assert hand_in(again, log, 5).status == 200
    assert Witness(folder, clock=lambda: NOW).logs[ORIGIN].point.size == 6


def test_a_clock_set_back_does_not_set_the_time_back(folder, witness, log):
    hand_in(witness, log, 0)
    log.append([b"more"])
    earlier = Witness(folder, clock=lambda: NOW - 86_400_000)
    answer = hand_in(earlier, log, 5)
    assert set(open_note(log.checkpoint.encode() + answer.body, witness.keys).times.values()) == {NOW // 1000}


def test_a_fork_is_refused_and_kept_as_evidence(folder, witness, log):
    hand_in(witness, log, 0)
    answer = witness.add_checkpoint(write_request(5, (), fork(5)))
    assert answer.status == 422
    kept = list((folder / ROOM / "forked").iterdir())
    assert [one.read_text() for one in kept] == [fork(5)]
    witness.add_checkpoint(write_request(5, (), fork(5)))
    for n in range(30):
        witness.add_checkpoint(write_request(5, (), fork(5, bytes([n]) * 32)))
    assert len(list((folder / ROOM / "forked").iterdir())) == 16
    assert Witness(folder, clock=lambda: NOW).logs[ORIGIN].point.root != b"r" * 32


def test_a_log_nobody_named_leaves_no_trace(folder, witness, tmp_path):
    other = Log(tmp_path / "other", b"o" * 32, "example.org/other")
    other.append([b"x"])
    before = sorted(folder.rglob("*"))
    assert hand_in(witness, other, 0).status == 404
    assert witness.checkpoint(place("example.org/other")) is None
    assert witness.checkpoint("../w") is None
    assert sorted(folder.rglob("*")) == before


def log_of(folder, year, entries=(b"x",)):
    made = Log(folder / f"log-{year}", SEED, f"{ORIGIN}/{year}" if year else ORIGIN)
    made.append(entries)
    return made


def at(year, month, day):
    return lambda: int(datetime(year, month, day, 12, tzinfo=UTC).timestamp() * 1000)


def said(answer):
    return answer.status, answer.body.decode().strip()


def test_a_log_of_a_later_year_is_one_of_the_same_site(folder, log, tmp_path):
    hand_in(Witness(folder, clock=at(2026, 12, 31)), log, 0)
    turned = Witness(folder, clock=at(2027, 1, 1))
    assert hand_in(turned, log_of(tmp_path, 2027), 0).status == 200
    assert set(turned.logs) == {ORIGIN, f"{ORIGIN}/2027"}
    log.append([b"the last of the old year, handed in late"])
    assert hand_in(turned, log, 5).status == 200, "what was entered before New Year may leave after it"


def test_a_witness_that_was_made_in_a_later_year_takes_the_one_after_it(tmp_path):
    seeds = iter((b"a" * 32, b"b" * 32))
    make(tmp_path / "w", NAME, lambda _n: next(seeds))
    trust(tmp_path / "w", read_keys(log_of(tmp_path, 2027).vkeys))
    assert hand_in(Witness(tmp_path / "w", clock=at(2027, 6, 1)), log_of(tmp_path, 2027), 0).status == 200
    assert hand_in(Witness(tmp_path / "w", clock=at(2028, 1, 1)), log_of(tmp_path, 2028), 0).status == 200


def test_a_log_is_not_begun_after_a_later_one(folder, log, tmp_path):
    turned = Witness(folder, clock=at(2027, 1, 1))
    assert hand_in(turned, log_of(tmp_path, 2027), 0).status == 200
    assert said(hand_in(turned, log, 0)) == (404, "this witness cosigned the log of a later year already")


@pytest.mark.parametrize("year", [2027, 2099])
def test_of_two_logs_beside_each_other_the_first_ends(folder, log, tmp_path, year):
    """A site cannot keep a second history for long under a name that nobody asks for: its own is cosigned no more."""
    hand_in(Witness(folder, clock=at(2026, 12, 30)), log, 0)
    hand_in(Witness(folder, clock=at(2026, 12, 31)), log_of(tmp_path, year), 0)
    again = Witness(folder, clock=at(2027, 1, 3))
    later = log_of(tmp_path, year)
    later.append([b"y"])
    assert hand_in(again, later, 1).status == 200
    assert hand_in(again, log, 5).status == 200, "the same again"
    log.append([b"an entry that no auditor of the later log is shown"])
    assert said(hand_in(again, log, 5)) == (403, "the log of a later year went on from this one, which grows no more")
    assert Witness(folder, clock=at(2027, 1, 9)).logs[ORIGIN].point.size == 5


def test_a_first_checkpoint_that_a_crash_kept_from_being_noted(folder, log, tmp_path):
    hand_in(Witness(folder, clock=at(2026, 12, 30)), log, 0)
    hand_in(Witness(folder, clock=at(2026, 12, 31)), log_of(tmp_path, 2027), 0)
    (folder / place(f"{ORIGIN}/2027") / "first").unlink()
    log.append([b"z"])
    assert hand_in(Witness(folder, clock=at(2027, 1, 3)), log, 5).status == 403


@pytest.mark.parametrize("body", [b"", b"old 1\n\n", b"\xff"])
def test_what_is_no_request(witness, body):
    assert witness.add_checkpoint(body).status in {400, 404}


@pytest.mark.parametrize(
    "spoil", [lambda p: p.unlink(), lambda p: p.write_bytes(b"x"), lambda p: p.write_text(fork(2))]
)
def test_a_state_that_was_lost_ends_the_witness(folder, witness, log, spoil):
    hand_in(witness, log, 0)
    spoil(folder / ROOM / "checkpoint")
    with pytest.raises(Broken, match="give this witness up"):
        Witness(folder, clock=lambda: NOW)


def test_what_was_cosigned_of_another_log_is_no_state_of_this_one(folder, witness, log, tmp_path):
    hand_in(witness, log, 0)
    assert hand_in(Witness(folder, clock=at(2027, 1, 1)), log_of(tmp_path, 2027), 0).status == 200
    (folder / ROOM / "checkpoint").write_bytes(witness.checkpoint(place(f"{ORIGIN}/2027")))
    with pytest.raises(Broken):
        Witness(folder, clock=lambda: NOW)


def test_two_processes_at_one_folder(folder):
    with alone(folder), pytest.raises(Refusal) as no, alone(folder):
        pass
    assert no.value.reason == "witness-runs"


def test_many_at_once_never_go_back(folder, tmp_path):
    """Every prefix of a log handed in at once, from many threads, each with what it last heard: sizes only grow."""
    points = []
    grown = Log(tmp_path / "grown", SEED, ORIGIN)
    for n in range(12):
        grown.append([b"%d" % n])
        points.append((grown.size, grown.checkpoint))
    witness, seen, lock = Witness(folder, clock=lambda: NOW), [], threading.Lock()

    def one(size, note):
        old = 0
        while old <= size:
            body = write_request(old, proofs.consistency(old, size, lambda _level, _n: leaves[:size]), note)
            answer = witness.add_checkpoint(body)
            if answer.status == 200:
                with lock:
                    seen.append((size, answer.body))
                return
            assert answer.status == 409
            old = int(answer.body)

    leaves = [leaf(b"%d" % n) for n in range(12)]
    threads = [threading.Thread(target=one, args=point) for point in reversed(points)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    sizes = [size for size, _ in seen]
    assert 12 in sizes
    assert Witness(folder, clock=lambda: NOW).logs[ORIGIN].point.size == 12


def test_making_one_twice(folder):
    with pytest.raises(Refusal) as no:
        make(folder, NAME, lambda _n: b"c" * 32)
    assert no.value.reason == "witness-exists"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "x" * 256, "a\nb", "\udcff"])
def test_names_that_are_none(tmp_path, name):
    with pytest.raises(Malformed):
        make(tmp_path / "w", name, lambda _n: b"c" * 32)


def test_keys_that_are_no_logs(folder, witness):
    own = Signer("example.org/of-the-same-key", b"a" * 32)
    assert own.key.public == witness.keys[0].public
    for key in (*witness.keys, own.key, read_keys(Signer("x" * 252, b"z" * 32).vkey)[0]):
        with pytest.raises(Malformed, match="a log's is needed"):
            trust(folder, (key,))


def test_logs_are_added_once(folder, log):
    other = Signer("example.org/other", b"o" * 32)
    trust(folder, (other.key,))
    trust(folder, (other.key,))
    assert read_keys((folder / "logs").read_text()) == (*read_keys(log.vkeys), other.key)


def test_a_folder_without_a_witness(tmp_path):
    with pytest.raises(Malformed, match="onshore witness init"):
        Witness(tmp_path, clock=lambda: NOW)


@pytest.mark.parametrize("text", ["", "4 AAAA name\n", "9 " + "A" * 43 + "= name\n", "4 secret\n", "\xff\n"])
def test_a_key_file_that_is_none_says_nothing_of_it(folder, text):
    (folder / "keys").write_bytes(text.encode("latin-1"))
    with pytest.raises(Malformed) as wrong:
        Witness(folder, clock=lambda: NOW)
    assert "secret" not in str(wrong.value)


def test_a_key_file_that_others_may_read(folder):
    (folder / "keys").chmod(0o640)
    with pytest.raises(Malformed, match="chmod 600"):
        Witness(folder, clock=lambda: NOW)


def test_a_list_of_logs_that_is_none(folder):
    (folder / "logs").write_text("nonsense\n")
    with pytest.raises(Malformed, match="logs"):
        Witness(folder, clock=lambda: NOW)


class Killed(BaseException):
    """What a power cut does to a process."""


@pytest.mark.parametrize("first", [True, False])
def test_a_cut_at_every_step_never_cosigns_two_that_disagree(tmp_path, log, first):
    """The operator shows one head, the witness is cut down; then the other head: never are both cosigned and kept."""
    honest, forked = log.checkpoint, fork(5)
    steps = []
    for at in range(40):
        folder = tmp_path / f"w{at}"
        seeds = iter((b"a" * 32, b"b" * 32))
        make(folder, NAME, lambda _n, seeds=seeds: next(seeds))
        trust(folder, read_keys(log.vkeys))
        if not first:
            Witness(folder, clock=lambda: NOW).add_checkpoint(write_request(0, (), fork(3)))
        left = [at]

        def cut(step, left=left):
            steps.append(step)
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        body = write_request(0, (), honest) if first else write_request(3, (), fork(3))
        told = None
        with contextlib.suppress(Killed):
            told = Witness(folder, clock=lambda: NOW + 9000, step=cut).add_checkpoint(body)
        after = Witness(folder, clock=lambda: NOW + 20_000)
        seen = after.logs[ORIGIN]
        if told is not None:
            assert told.status == 200
            assert seen.at == NOW // 1000 + 9
            break
        if not first:
            assert seen.point == Checkpoint(ORIGIN, 3, b"r" * 32)
            assert after.add_checkpoint(write_request(3, (), fork(3, b"q" * 32))).status == 422
        elif seen:
            assert after.add_checkpoint(write_request(5, (), forked)).status == 422
        else:
            assert after.add_checkpoint(write_request(0, (), forked)).status == 200  # nobody heard of the honest one
            assert after.add_checkpoint(write_request(5, (), honest)).status == 422
    assert {"checkpoint: synced", "checkpoint: in place", "folders synced", "kept"} <= set(steps)
    assert told is not None


def test_over_http(witness, log):
    answer = answers(witness)
    body = write_request(0, (), log.checkpoint)
    assert answer("GET", "/add-checkpoint", b"").status == 405
    assert answer("GET", f"/{ROOM}/checkpoint", b"").status == 404
    assert answer("POST", "/add-checkpoint", body).status == 200
    assert answer("GET", f"/{ROOM}/checkpoint", b"").body == witness.checkpoint(ROOM)
    assert answer("HEAD", f"/{ROOM}/checkpoint", b"").status == 200
    for method, path in [
        ("POST", f"/{ROOM}/checkpoint"),
        ("GET", f"/{ROOM}"),
        ("GET", "/"),
        ("GET", ""),
        ("GET", f"/{ROOM}/checkpoint/x"),
        ("GET", f"/../w/{ROOM}/checkpoint"),
        ("GET", "/keys"),
        ("GET", f"/{'0' * 64}/checkpoint"),
    ]:
        assert answer(method, path, b"").status == 404
    assert read_checkpoint(witness.checkpoint(ROOM).decode().partition("\n\n")[0] + "\n").size == 5


def test_a_signature_said_many_times_is_kept_once(folder, witness, log):
    """Who fills a public checkpoint up with its own signatures cannot have the witness keep what it cannot read."""
    first, second = log.checkpoint.splitlines(keepends=True)[-2:]
    padded = log.checkpoint + first * 126 + second * 127
    answer = witness.add_checkpoint(write_request(0, [], padded))
    assert answer.status == 200
    assert witness.checkpoint(ROOM) == log.checkpoint.encode() + answer.body
    assert Witness(folder, clock=lambda: NOW).logs[ORIGIN].point.size == 5


def test_the_same_checkpoint_handed_in_again_and_again_costs_no_disk(folder, log):
    """Anybody may hand in what is public; each that is written and synced would have the site itself wait."""
    steps, now = [], [NOW]
    witness = Witness(folder, clock=lambda: now[0], step=steps.append)
    first = hand_in(witness, log, 0)
    written = len(steps)
    for _ in range(20):
        assert hand_in(witness, log, 5) == first
    assert len(steps) == written
    now[0] += 10_000
    later = hand_in(witness, log, 5)
    assert set(open_note(log.checkpoint.encode() + later.body, witness.keys).times.values()) == {NOW // 1000 + 10}
    log.append([b"more"])
    assert hand_in(witness, log, 5).status == 200
