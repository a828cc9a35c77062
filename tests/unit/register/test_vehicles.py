import pytest

from onshore.register import vehicles
from onshore.words.errors import Malformed, Refusal


def test_a_vehicle_is_found_again_by_its_vin_and_by_nothing_else(hands):
    added = vehicles.add(hands.site, "LTEST000000000017", owner="Anna", contact="anna@example.org")
    found = vehicles.find(hands.site, "LTEST000000000017")
    assert found == added
    assert 0 < found.id < 1 << 63
    assert vehicles.vin_of(hands.site, found.id) == "LTEST000000000017"
    assert vehicles.owner_name(hands.site, found.owner) == "Anna"
    assert vehicles.listed(hands.site) == [found.id]
    assert vehicles.owners(hands.site) == {found.id: found.owner}
    with pytest.raises(Refusal) as refused:
        vehicles.find(hands.site, "LTEST000000000018")
    assert refused.value.reason == "vehicle-unknown"


def test_a_vehicle_is_registered_once(hands):
    hands.car()
    with pytest.raises(Refusal) as refused:
        vehicles.add(hands.site, hands.vin().decode())
    assert refused.value.reason == "vehicle-known"


@pytest.mark.parametrize(
    "vin", ["", "LTEST00000000001", "LTEST0000000000177", "LTESTO00000000017", "ltest000000000017", "LTESTé00000000017"]
)
def test_what_is_no_vin_is_said_to_be_none(hands, vin):
    with pytest.raises(Malformed, match="17 capital letters and digits"):
        vehicles.add(hands.site, vin)


def test_papers_hold_no_identifier_in_the_clear(hands):
    vehicles.add(hands.site, "LTEST000000000017", owner="Annabelle Beispiel", contact="annabelle@example.org")
    raw = b"".join(path.read_bytes() for path in hands.site.folder.glob("papers.sqlite*"))
    for secret in (b"LTEST000000000017", b"Annabelle", b"annabelle@example.org"):
        assert secret not in raw
