"""What a category is in law, in one word for dossiers and papers."""

from law import packs


def test_a_category_is_named_by_the_classes_of_its_pack():
    by_id = {one.id: one.classes for one in packs()}
    cn, eu = by_id["cn/2026-02"], by_id["eu/2025-09"]
    assert cn.kind_of("track") == "sensitive"
    assert cn.kind_of("vehicle-operation") == "personal"
    assert cn.kind_of("exterior-video") == "sensitive+important"
    assert cn.kind_of("charging-network") == "none+important"
    assert cn.kind_of("diagnostic-aggregate") == "none"
    assert "important" not in eu.kind_of("charging-network")
