"""Signed packs: what ships is signed by the release; what is altered, unsigned or a draft is never obeyed."""

import re

import pytest

from onshore.ledger import packs
from onshore.ledger.packs import PackFile, in_folder, obeyed, shipped, shipped_names, signed, signers, words_of
from onshore.ledger.signer import Signer, read_signer
from onshore.words.errors import Broken, Malformed, Refusal

ANNA = Signer("counsel.example/anna", b"\1" * 32)
BOB = Signer("counsel.example/bob", b"\2" * 32)


def cn(**change):
    file = shipped("cn/2026-02")
    return PackFile(**{"text": file.text, "note": None, "cases": None, "where": "here", **change})


def by(signer, file):
    return PackFile(file.text, signed(file, signer), None, file.where)


@pytest.mark.parametrize("name", shipped_names())
def test_every_pack_that_ships_is_signed_by_the_release(name):
    file = shipped(name)
    assert file.pack().id == name
    assert signers(file, [packs.release_key()]) == ("onshore/release",), "run tools/sign-packs"


def test_the_signature_says_id_and_digest():
    assert re.fullmatch(r"onshore pack\ncn/2026-02\nsha256:[0-9a-f]{64}\n", words_of(cn()))


def test_a_signed_pack_is_obeyed_by_who_names_its_signer():
    file = by(ANNA, cn())
    assert obeyed(file, [BOB.vkey, ANNA.vkey]).id == "cn/2026-02"
    for keys in ([], [BOB.vkey]):
        with pytest.raises(Refusal) as refused:
            obeyed(file, keys)
        assert refused.value.reason == "unsigned-rules"
    with pytest.raises(Refusal):
        obeyed(cn(), [ANNA.vkey])


def test_an_altered_pack_is_broken():
    file = by(ANNA, cn())
    altered = PackFile(file.text.replace("sensitive_from = 1\n", "sensitive_from = 2\n"), file.note, None, "here")
    with pytest.raises(Broken, match="not what its note was signed for"):
        obeyed(altered, [ANNA.vkey])
    note = file.note.replace("sha256:", "sha256:0", 1)
    with pytest.raises(Broken, match="does not hold"):
        obeyed(PackFile(file.text, note, None, "here"), [ANNA.vkey])
    with pytest.raises(Broken, match="the note beside here"):
        obeyed(PackFile(file.text, "no note", None, "here"), [ANNA.vkey])


def test_a_key_that_is_none_is_named():
    with pytest.raises(Malformed, match=r"rules\.signers"):
        obeyed(by(ANNA, cn()), ["counsel"])


def test_a_draft_is_never_obeyed_whoever_signed_it():
    draft = cn(text=cn().text.replace('"cn/2026-02"', '"cn/2030-01-draft"', 1))
    with pytest.raises(Refusal) as refused:
        obeyed(by(ANNA, draft), [ANNA.vkey])
    assert refused.value.reason == "draft-rules"


def test_a_name_that_does_not_ship_is_refused():
    for name in ("xx/2030-01", "../../etc", "cn"):
        with pytest.raises(Refusal) as refused:
            shipped(name)
        assert refused.value.reason == "no-rule-pack"


def test_packs_under_hand_are_found_by_folder_or_file(tmp_path):
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "pack.toml"
    path.write_text(cn().text)
    assert in_folder(path) == in_folder(tmp_path / "a")
    assert [file.pack().id for file in packs.below(tmp_path)] == ["cn/2026-02"]
    for nowhere in (tmp_path / "b", tmp_path):
        with pytest.raises(Malformed, match=r"there is no pack\.toml here"):
            in_folder(nowhere)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Malformed, match="here or below"):
        packs.below(tmp_path / "empty")
    path.write_bytes(b"\xff")
    with pytest.raises(Malformed, match="UTF-8"):
        in_folder(path)


def test_a_signing_key_is_written_and_read_and_never_told():
    assert read_signer(ANNA.skey + "\n", "f").vkey == ANNA.vkey
    wrong = ANNA.skey.replace("PRIVATE+KEY", "PUBLIC+KEY")
    other = ANNA.skey.replace(ANNA.key.id.hex(), BOB.key.id.hex())
    for text in ("", wrong, ANNA.skey[:-8], other, "PRIVATE+KEY+a+b+c"):
        with pytest.raises(Malformed) as caught:
            read_signer(text, "f")
        assert "AQEB" not in str(caught.value)
