"""Strict reading names the key and what is allowed there."""

import msgspec
import pytest

from onshore.words.errors import Malformed
from onshore.words.strict import BadValueError, among, read, toml


class Leaf(msgspec.Struct, forbid_unknown_fields=True):
    colour: str

    def __post_init__(self) -> None:
        among("colour", [self.colour], ("red", "green"))


class Tree(msgspec.Struct, forbid_unknown_fields=True):
    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    named: dict[str, Leaf] = {}


def test_what_is_right_is_read() -> None:
    assert read(Tree, {"leaf": {"colour": "red"}}, "t").leaf == Leaf("red")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"x": 1}, "^t: Object contains unknown field `x`; allowed: leaf, leaves, named$"),
        ({"leaf": {"colour": "red", "x": 1}}, "^t: leaf: .*`x`; allowed: colour$"),
        ({"leaves": [{"colour": "red", "x": 1}]}, r"^t: leaves\[0\]: .*`x`; allowed: colour$"),
        ({"named": {"a": {"colour": "red", "x": 1}}}, r"^t: named\[...\]: .*`x`; allowed: colour$"),
        ({"leaf": {"colour": "blue"}}, "^t: leaf: colour: 'blue' is not one of red, green$"),
        ({"leaf": {"colour": 3}}, "^t: leaf.colour: Expected `str`, got `int`$"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(table: object, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read(Tree, table, "t")


def test_a_value_outside_its_list_is_malformed_wherever_it_is_made() -> None:
    with pytest.raises(BadValueError, match="'blue' is not one of red, green") as caught:
        Leaf("blue")
    assert isinstance(caught.value, Malformed)
    assert caught.value.where == "colour"


def test_toml_says_the_line() -> None:
    assert toml("a = 1", "t") == {"a": 1}
    with pytest.raises(Malformed, match=r"^t: not TOML: .*line 2"):
        toml("a = 1\nb =\n", "t")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\nx = 1", "^t, line 2: Object contains unknown field `x`; allowed: leaf, leaves, named$"),
        ("[leaf]\ncolour = 'red'\nx = 1", "^t, line 3: leaf: Object .*`x`; allowed: colour$"),
        ("[leaf]\n\ncolour = 'blue'", "^t, line 3: leaf.colour: 'blue' is not one of red, green$"),
        ("[leaf]\ncolour = 3", "^t, line 2: leaf.colour: Expected `str`, got `int`$"),
        ("[[leaves]]\ncolour = 'red'\n[[leaves]]\ncolour = 'bleu'", r"^t, line 4: leaves\[1\].colour: 'bleu' is not"),
        ("[named.a]\ncolour = 'red'\n[named.b]\ncolour = 'bleu'", r"^t, line 4: named\[...\].colour: 'bleu' is not"),
    ],
)
def test_what_is_wrong_in_a_text_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read(Tree, toml(text, "t"), "t", text)
