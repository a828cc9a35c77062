"""Strict reading names the key and what is allowed there."""

from datetime import date
from typing import Annotated

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
        ({"leaf": {"colour": 3}}, "^t: leaf.colour: a text in quotes is needed, not a whole number$"),
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
        ("[leaf]\ncolour = 3", "^t, line 2: leaf.colour: a text in quotes is needed, not a whole number$"),
        ("[[leaves]]\ncolour = 'red'\n[[leaves]]\ncolour = 'bleu'", r"^t, line 4: leaves\[1\].colour: 'bleu' is not"),
        ("[named.a]\ncolour = 'red'\n[named.b]\ncolour = 'bleu'", r"^t, line 4: named\[...\].colour: 'bleu' is not"),
    ],
)
def test_what_is_wrong_in_a_text_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read(Tree, toml(text, "t"), "t", text)


class Forms(msgspec.Struct, forbid_unknown_fields=True):
    day: date | None = None
    count: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0
    many: tuple[str, ...] = ()
    part: Leaf | None = None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('day = "2026-01-01"', "day: a date is needed, not a text in quotes$"),
        ("day = 5", "day: a date is needed, not a whole number$"),
        ("day = 2026-01-01T00:00:00Z", "day: a date is needed, not a date-time$"),
        ("count = 12:00:00", "count: a whole number is needed, not a time of day$"),
        ("count = -1", "count: a whole number >= 0 is needed$"),
        ("count = 99999999999999999999999", "count: a whole number <= 9 is needed$"),
        ("count = true", "count: a whole number is needed, not true or false$"),
        ("count = 1.5", "count: a whole number is needed, not a number with a point$"),
        ('many = "a"', "many: a list is needed, not a text in quotes$"),
        ("part = 1.5", "part: a table is needed, not a number with a point$"),
        (f"part = {{ colour = '{'x' * 99}' }}", "colour: 'x{59}… is not one of red, green$"),
        (f"{'x' * 99} = 1", "unknown field `x{60}…`; allowed: count, day, many, part$"),
    ],
)
def test_what_a_value_must_be_is_told_in_the_words_of_toml(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read(Forms, toml(text, "t"), "t", text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = 1\nb = [1, nan]", "^t, line 2: nan is no number"),
        ('a = \'nan\' # nan\nb = """nan\n\\"nan"""\nc = -inf', "^t, line 4: -inf is no number"),
        ("a = 1e999", "^t, line 1: 1e999 is no number"),
        ("a = '" + "0" * 5000 + "'\nb = 1" + "0" * 5000, "^t, line 2: a whole number has too many digits"),
        ("a = " + "[" * 100_000, "^t: lists and tables are nested too deeply"),
        ("x = " + "{a=" * 50_000, "^t: lists and tables are nested too deeply"),
        ("x = 1\n" + ".".join("a" * 100_000) + " = 1", "^t, line 2: a key has more than 16 steps"),
        ("[" + ".".join("a" * 20) + "]", "^t, line 1: a key has more than 16 steps"),
        ("x = {y = '''\n''', " + " . ".join(['"\\"."'] * 20) + " = 1}", "^t, line 2: a key has more than 16 steps"),
        ('x = {y = """a"""", ' + ".".join("a" * 20) + " = 1}", "^t, line 1: a key has more than 16 steps"),
    ],
)
def test_what_cannot_be_read_or_counted_is_malformed(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        toml(text, "t")


@pytest.mark.parametrize(
    "text",
    [
        "a = '" + "." * 99 + "'",
        "a = 1 # " + "." * 99,
        'a = """\n' + "x." * 99 + '\n"""',
        "a = [" + "1.5, " * 99 + "]",
        "a." + ".".join("b" * 16) + " = 1",
    ],
)
def test_points_elsewhere_than_in_a_key_are_no_steps(text: str) -> None:
    assert list(toml(text, "t")) == ["a"]


@pytest.mark.parametrize("hidden", ['"""', "'''", '"\\"', "'", "#", '"""a""""'])
def test_a_text_that_never_ends_is_malformed(hidden: str) -> None:
    with pytest.raises(Malformed):
        toml(f"a = {hidden}{'x.' * 20_000}", "t")
