"""Both verifiers ask for the witnesses that a policy names, and believe no cosignature that is another one's."""

import base64
import shutil

import pytest

from onshore.ledger.entry import entry
from onshore.ledger.log import Log
from onshore.ledger.signer import Signer
from verifier_makers import HEAD, NOW, ORIGIN, POLICY, trusted, wrong

QUORUM = "checkpoint: the policy's quorum 'both' of witnesses is not reached"


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_witness(verifier, parcel, which):
    parcel.rewrite(lambda text: text.replace(parcel.lines[which], ""))
    assert wrong(verifier, parcel, "--policy", parcel.folder / "policy") == QUORUM


def test_a_witness_twice_counts_once(verifier, parcel):
    one, two = parcel.lines
    again = parcel.cosigned(at=NOW + 1)[0]
    parcel.rewrite(lambda text: text.replace(two, one + again))
    assert wrong(verifier, parcel, "--policy", parcel.folder / "policy") == QUORUM


@pytest.mark.parametrize("which", [0, 1])
def test_a_cosignature_of_another_time(verifier, parcel, which):
    line = parcel.lines[which]
    name, material = line.split(" ")[1:]
    raw = bytearray(base64.b64decode(material))
    raw[11] ^= 1
    parcel.rewrite(lambda text: text.replace(line, f"\u2014 {name} {base64.b64encode(raw).decode()}\n"))
    said = wrong(verifier, parcel, "--policy", parcel.folder / "policy")
    assert said == f"signed note: the signature of {name} does not hold over the text"


@pytest.mark.parametrize("which", [0, 1])
def test_a_cosignature_of_another_size(verifier, parcel, which):
    text = parcel.log.checkpoint.rpartition("\n\n")[0] + "\n"
    other = parcel.cosigned(text=text.replace("\n4\n", "\n5\n"))[which]
    parcel.rewrite(lambda proof: proof.replace(parcel.lines[which], other))
    name = other.split(" ")[1]
    said = wrong(verifier, parcel, "--policy", parcel.folder / "policy")
    assert said == f"signed note: the signature of {name} does not hold over the text"


def test_a_policy_with_a_loop_is_no_policy(verifier, parcel):
    (parcel.folder / "policy").write_text(POLICY.replace("all one two", "all one loop") + "group loop any both\n")
    code, out, err = verifier(parcel.path, *trusted(parcel), "--policy", parcel.folder / "policy")
    assert code == 2
    assert "line 3: the member 'loop' is not defined above" in err
    assert "verified" not in out


def test_a_policy_that_asks_for_nobody(verifier, parcel):
    (parcel.folder / "policy").write_text("quorum none\n")
    for line in parcel.lines:
        parcel.rewrite(lambda text, line=line: text.replace(line, ""))
    code, out, _ = verifier(parcel.path, *trusted(parcel), "--policy", parcel.folder / "policy")
    assert code == 0
    assert "checked: witnesses: 0 cosigned, the quorum 'none' is reached" in out


def test_a_policy_of_another_log(verifier, parcel):
    (parcel.folder / "policy").write_text(f"log {Signer(ORIGIN, b'q' * 32).vkey}\n{POLICY}")
    said = wrong(verifier, parcel, "--policy", parcel.folder / "policy")
    assert said == f"checkpoint: the policy does not list the log {ORIGIN} with this key"


def test_a_log_that_witnesses_cosigned_for_a_while(verifier, parcel):
    """The quorum stands under an older checkpoint of the log's, which the log extends, or does not."""
    (parcel.folder / "ledger" / "witnessed").write_text(parcel.log.checkpoint + "".join(parcel.cosigned()))
    parcel.log.append([entry("site", **HEAD)])
    asked = parcel.folder / "ledger", *trusted(parcel), "--policy", parcel.folder / "policy"
    code, out, _ = verifier(*asked)
    assert (code, out.splitlines()[-1]) == (0, "verified")
    assert "checked: witnesses: 2 cosigned, the quorum 'both' is reached" in out
    assert "checked: witnessed: the log extends the witnesses' checkpoint of 4 entries" in out
    shutil.rmtree(parcel.folder / "ledger")
    Log(parcel.folder / "ledger", b"s" * 32, ORIGIN).append([b"{}"] * 3)
    (parcel.folder / "ledger" / "witnessed").write_text(parcel.log.checkpoint)
    assert verifier(*asked)[1].splitlines()[-1] == f"wrong: {QUORUM}"


def test_a_log_that_is_not_the_one_that_witnesses_saw(verifier, parcel):
    witnessed = "".join([parcel.log.checkpoint, *parcel.cosigned()])
    shutil.rmtree(parcel.folder / "ledger")
    Log(parcel.folder / "ledger", b"s" * 32, ORIGIN).append([b"{}"] * 9)
    (parcel.folder / "ledger" / "witnessed").write_text(witnessed)
    asked = parcel.folder / "ledger", *trusted(parcel), "--policy", parcel.folder / "policy"
    code, out, _ = verifier(*asked)
    says = "wrong: witnessed: the log does not extend the witnesses' checkpoint of 4 entries"
    assert (code, out.splitlines()[-1]) == (3, says)
