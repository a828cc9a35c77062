"""A site and its witnesses: a quorum of them or no proof, whatever the others do; which of them saw another history."""

import contextlib
import json
import shutil
import socket
import threading
from base64 import b64decode, b64encode

import pytest

import door_makers
from onshore.ledger import answering, client
from onshore.ledger.client import place_of
from onshore.ledger.log import Log
from onshore.ledger.note import checkpoint_text, open_note, read_checkpoint, read_keys
from onshore.ledger.policy import read_policy
from onshore.ledger.quorum import Witnesses
from onshore.ledger.verify import Trust, proof
from onshore.ledger.witness import Answer
from onshore.ledger.witnessing import answers
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings_border import Witnesses as Said
from onshore.words.settings_border import WitnessHost
from witness_makers import Running, policy_of

ORIGIN, SEED = "example.org/shanghai", b"s" * 32
HOSTS = {"127.0.0.1": WitnessHost(jurisdiction="CN"), "localhost": WitnessHost(jurisdiction="CN")}


class House:
    """A site's folder with its log, and three witnesses that run."""

    def __init__(self, folder, stack):
        self.folder = folder
        self.log = Log(folder / "ledger", SEED, ORIGIN)
        self.grow(5)
        self.witnesses = [Running(folder / f"w{n}", f"w{n}.example", self.log.vkeys) for n in (1, 2, 3)]
        self.up = set()
        for one in self.witnesses:
            self.start(one)
        stack.callback(lambda: [self.stop(one) for one in [*self.up]])
        self.write(policy_of(*self.witnesses))

    def start(self, one):
        one.start()
        self.up.add(one)

    def stop(self, one):
        self.up.discard(one)
        one.stop()

    def write(self, policy):
        (self.folder / "witnesses.policy").write_text(policy)

    def grow(self, by=1):
        self.log.append([b"entry %d" % n for n in range(self.log.size, self.log.size + by)])

    def site(self, **more):
        return Witnesses(self.folder, Said(policy="witnesses.policy", hosts=HOSTS, **more))

    def latest(self, index=0):
        return lambda: (Log(self.folder / "ledger", SEED, ORIGIN), index)

    @property
    def trust(self):
        policy = read_policy((self.folder / "witnesses.policy").read_bytes())
        return Trust(read_keys(self.log.vkeys), policy)


@pytest.fixture
def house(tmp_path):
    with contextlib.ExitStack() as stack:
        yield House(tmp_path, stack)


def refused(house, **more):
    with pytest.raises(Refusal) as no:
        house.site(**more).proof(house.latest())
    assert no.value.reason == "no-quorum"
    return no.value.says


@pytest.mark.parametrize("kind", [0, 1])
def test_a_proof_carries_the_cosignatures_of_a_quorum(house, kind):
    house.write(policy_of(*house.witnesses, quorum="all", kind=kind))
    text = house.site().proof(house.latest(3))
    said = [str(finding) for finding in proof(text.encode(), house.trust)]
    assert "checked: witnesses: 3 cosigned, the quorum 'enough' is reached" in said
    assert "checked: entry: number 3 of the log's 5 entries" in said


def test_all_are_asked_and_what_they_cosigned_is_kept(house):
    gathered = house.site().gather(house.latest())
    assert gathered.reached
    assert gathered.missing == {}
    assert (house.folder / "ledger" / "witnessed").read_text() == gathered.note
    assert [(one.size, one.trouble) for one in house.site().standings()] == [(5, "")] * 3
    house.grow(300)
    assert house.site().gather(house.latest()).log.size == 305
    assert {one.witness.logs[ORIGIN].point.size for one in house.witnesses} == {305}


def test_one_of_three_is_down(house):
    house.stop(house.witnesses[2])
    text = house.site().proof(house.latest())
    assert [f.says for f in proof(text.encode(), house.trust)][-2].startswith("witnesses: 2 cosigned")
    assert house.site().gather(house.latest()).missing.keys() == {"w3"}


def test_two_of_three_are_down_and_come_back(house):
    for one in house.witnesses[1:]:
        house.stop(one)
    says = refused(house)
    assert "w2: it does not answer" in says
    assert "w3: it does not answer" in says
    assert "w1" not in says
    assert not (house.folder / "ledger" / "witnessed").exists()
    house.start(house.witnesses[1])
    assert house.site().proof(house.latest())


def test_a_witness_that_is_further_says_so_and_is_asked_again(house):
    """What was cosigned for another process, whose note of it was lost."""
    house.site().gather(house.latest())
    for file in (house.folder / "witnesses").iterdir():
        file.unlink()
    house.grow()
    assert house.site().gather(house.latest()).missing == {}


@pytest.mark.parametrize("spoil", [b"", b"{}", b"not json"])
def test_a_note_of_a_witness_that_is_none(house, spoil):
    house.site().gather(house.latest())
    for file in (house.folder / "witnesses").iterdir():
        file.write_bytes(spoil)
    assert house.site().gather(house.latest()).missing == {}


def test_an_old_copy_of_the_ledger_is_told(house):
    """The ledger is put back as it was: what witnesses cosigned since shows it, and nothing leaves."""
    house.grow(10)
    house.site().gather(house.latest())
    old = Log(house.folder / "old", SEED, ORIGIN)
    old.append([b"entry %d" % n for n in range(5)])
    with pytest.raises(Refusal) as no:
        house.site().proof(lambda: (old, 0))
    assert "IT COSIGNED 15 ENTRIES OF THIS LOG, WHICH HAS 5 HERE" in no.value.says
    assert all(one.refuses for one in house.site().standings())


def test_a_witness_whose_disk_was_put_back_counts_no_more(house):
    """It cannot know; whoever it cosigned for does. Of what it forgot it could cosign another history."""
    one = house.witnesses[0]
    house.site().gather(house.latest())
    house.stop(one)
    shutil.copytree(one.folder, house.folder / "copy")
    house.start(one)
    house.grow()
    assert not house.site().gather(house.latest()).missing
    house.stop(one)
    shutil.rmtree(one.folder)
    shutil.copytree(house.folder / "copy", one.folder)
    house.start(one)
    house.grow()
    found = house.site().gather(house.latest())
    assert found.reached, "by the other two"
    assert list(found.missing) == ["w1"]
    assert found.missing["w1"].startswith("IT FORGOT WHAT IT COSIGNED: 6 entries of this log, 5 by its own word")
    assert [one.refuses for one in house.site().standings()] == [True, False, False]
    assert house.site().gather(house.latest()).missing == found.missing, "nor is it believed the next time"


def test_another_history_is_told(house):
    house.site().gather(house.latest())
    other = Log(house.folder / "other", SEED, ORIGIN)
    other.append([b"other %d" % n for n in range(9)])
    with pytest.raises(Refusal) as no:
        house.site().proof(lambda: (other, 0))
    assert no.value.says.count("IT COSIGNED ANOTHER HISTORY OF THIS LOG") == 3
    assert all(one.refuses and one.size == 5 for one in house.site().standings())
    house.grow()
    house.site().gather(house.latest())
    assert not any(one.refuses for one in house.site().standings())


def test_two_heads_shown_to_two_witnesses(house):
    """A head to the first, another to the second: no quorum for either, and what both show tells it to anybody."""
    other = Log(house.folder / "other", SEED, ORIGIN)
    other.append([b"other %d" % n for n in range(5)])
    first, second, third = house.witnesses
    house.stop(second)
    house.stop(third)
    refused(house)
    house.start(second)
    house.stop(first)
    with pytest.raises(Refusal, match="does not reach the quorum"):
        house.site().proof(lambda: (other, 0))
    house.start(first)
    assert "ANOTHER HISTORY" in refused(house)
    shown = [client.checkpoint(house.site().places[name], ORIGIN, 10).body for name in ("w1", "w2")]
    points = [read_checkpoint(open_note(raw, read_keys(house.log.vkeys)).text) for raw in shown]
    assert points[0].size == points[1].size
    assert points[0].root != points[1].root


def answering_with(house, answer):
    """The first witness is replaced by something else at its address; what is said of it."""
    one = house.witnesses[0]
    house.stop(one)
    one.serve(answer)
    house.up.add(one)
    return house.site().gather(house.latest()).missing.get("w1")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(404, b""), "it does not know this log (404)"),
        (Answer(403, b""), "it does not trust this log's key (403)"),
        (Answer(500, b""), "it does not cosign (500)"),
        (Answer(403, b"it grows no more\n"), "it does not trust this log's key (403: it grows no more)"),
        (Answer(403, "\x1b[2J \u2014".encode()), "it does not trust this log's key (403)"),
        (Answer(200, b""), "its cosignature does not hold"),
        (Answer(200, b"\xff"), "its cosignature does not hold"),
        (Answer(200, b"\n"), "its cosignature does not hold"),
        (Answer(200, b"x" * (client.MOST + 1)), "too long"),
        (Answer(409, b"5"), "it does not cosign (409: 5)"),
        (Answer(409, b"many\n"), "409 without a size"),
        (Answer(409, b"\xff\n"), "409 without a size"),
        (Answer(409, b"7\n"), "WHICH HAS 5 HERE"),
        (Answer(422, b""), "ANOTHER HISTORY"),
    ],
)
def test_what_answers_is_no_witness_or_does_not_cosign(house, answer, says):
    assert says in answering_with(house, lambda *_: answer)


def test_a_cosignature_of_something_else(house):
    """The same key, over another size; over this size at another time than is said; by another witness's key."""
    one, two = house.witnesses[:2]
    text = house.log.checkpoint.rpartition("\n\n")[0] + "\n"
    other = checkpoint_text(read_checkpoint(text.replace("\n5\n", "\n4\n")))
    cosigner = one.witness._cosigners[0]
    wrong_size = cosigner.line(other, 1_790_000_000)
    right = cosigner.line(text, 1_790_000_000)
    name, material = right.split(" ")[1:]
    raw = bytearray(b64decode(material))
    raw[11] ^= 1
    wrong_time = f"\u2014 {name} {b64encode(bytes(raw)).decode()}\n"
    others = two.witness._cosigners[0].line(text, 1_790_000_000)
    for line in (wrong_size, wrong_time, others):
        assert "its cosignature does not hold" in answering_with(
            house, lambda *_, line=line: Answer(200, line.encode())
        )
    assert answering_with(house, lambda *_: Answer(200, (others + right).encode())) is None
    assert (house.folder / "ledger" / "witnessed").read_text().count(f" {name} ") == 1
    smuggled = f"\n{text}\n{right}"
    assert answering_with(house, lambda *_: Answer(200, smuggled.encode())) is not None


def test_a_witness_that_cosigns_without_end_fills_no_proof_up(house):
    """Each of its lines holds; of more signatures than a note may have nobody would read the proof."""
    text = house.log.checkpoint.rpartition("\n\n")[0] + "\n"
    cosigner = house.witnesses[0].witness._cosigners[0]
    lines = "".join(cosigner.line(text, 1_790_000_000 + n) for n in range(250))
    assert answering_with(house, lambda *_: Answer(200, lines.encode())) is None
    found = house.site().proof(house.latest())
    assert [f for f in proof(found.encode(), house.trust) if "witnesses" in f.says]
    last = lines.split("\n")[-2]
    assert [line for line in found.split("\n") if "w1.example" in line] in ([], [last])


def test_what_never_ends_its_answer_is_left(house):
    """A witness that takes the connection and says nothing holds up nobody for longer than it may."""
    house.stop(house.witnesses[0])
    with socket.create_server(("127.0.0.1", house.witnesses[0].port)):
        assert house.site(seconds=1).proof(house.latest())
        assert "not" in house.site(seconds=1).gather(house.latest()).missing["w1"]


def test_an_answer_drop_by_drop_is_left(house):
    house.stop(house.witnesses[0])
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", house.witnesses[0].port)) as server:

        def drip():
            sock, _ = server.accept()
            with sock, contextlib.suppress(OSError):
                for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
                    sock.sendall(bytes([byte]))
                    if ended.wait(0.05):
                        break

        thread = threading.Thread(target=drip)
        thread.start()
        assert "time" in house.site(seconds=1).gather(house.latest()).missing["w1"]
        ended.set()
        thread.join(30)


def test_two_processes_ask_one_after_the_other(house):
    """Between opening the log and its being cosigned nobody hands in a newer one, which would look like a fork."""
    failed = []

    def one():
        for _ in range(3):
            try:
                assert house.site().gather(house.latest()).missing == {}
            except BaseException as error:
                failed.append(error)
                raise

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        house.grow()
    assert not failed


def test_over_tls_by_name(house):
    here, _ = door_makers.certificate(house.folder)
    assert here
    pem = house.folder / "pem"
    one = house.witnesses[0]
    house.stop(one)
    one.serve(answers(one.witness), answering.tls(pem, pem))
    house.up.add(one)
    house.write(policy_of(one, quorum="all").replace("http://127.0.0.1", "https://localhost"))
    hosts = {"localhost": WitnessHost(jurisdiction="CN", ca="pem")}
    assert Witnesses(house.folder, Said(policy="witnesses.policy", hosts=hosts)).proof(house.latest())
    assert "it does not answer" in refused(house)  # of an authority that this machine does not know


@pytest.mark.parametrize(
    "url", ["w.example", "http://w.example/", "ftp://127.0.0.1", "https://u@w.example", "https://[x"]
)
def test_urls_that_are_none(tmp_path, url):
    with pytest.raises(Malformed):
        place_of(url, {"w.example": WitnessHost(jurisdiction="DE")}, tmp_path)


def test_a_host_that_nobody_named(tmp_path):
    with pytest.raises(Refusal) as no:
        place_of("https://w.example:8443/prefix/", {}, tmp_path)
    assert no.value.reason == "witness-not-listed"
    found = place_of("https://w.example:8443/prefix/", {"w.example": WitnessHost(jurisdiction="DE")}, tmp_path)
    assert (found.host, found.port, found.path, found.jurisdiction) == ("w.example", 8443, "/prefix", "DE")


def test_a_policy_that_cannot_be_asked_by(house):
    for policy in ("quorum\n", f"witness w1 {house.witnesses[0].keys[0]}\nquorum w1\n"):
        house.write(policy)
        with pytest.raises(Malformed):
            house.site()
    (house.folder / "witnesses.policy").unlink()
    with pytest.raises(Malformed, match="cannot be read"):
        house.site()


def test_a_policy_that_asks_for_nobody(house):
    house.write("quorum none\n")
    text = house.site().proof(house.latest())
    assert [f.says for f in proof(text.encode(), house.trust)][
        -2
    ] == "witnesses: 0 cosigned, the quorum 'none' is reached"


def test_what_is_known_of_a_witness(house):
    house.site().gather(house.latest())
    file = next((house.folder / "witnesses").iterdir())
    assert json.loads(file.read_text()).keys() == {"name", "origin", "size", "at", "trouble", "refuses"}


def test_an_answer_that_is_no_http_or_breaks_off(house):
    house.stop(house.witnesses[0])
    for said, says in [
        (b"SSH-2.0-nobody\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "does not speak HTTP"),
        (b"", "it does not answer"),
    ]:
        with socket.create_server(("127.0.0.1", house.witnesses[0].port)) as server:

            def once(server=server, said=said):
                sock, _ = server.accept()
                with sock:
                    sock.recv(1 << 16)
                    sock.sendall(said)

            thread = threading.Thread(target=once)
            thread.start()
            assert says in house.site().gather(house.latest()).missing["w1"]
            thread.join(30)
