"""Lines: the key of an error is found in the text, however TOML lets it be written."""

import pytest

from onshore.words.lines import at_line, line_of, place

TEXT = """format = 1

[site]
name = "a"
"quoted key" = 2
dotted.inner = 3

[[route]]
id = "x"
papers = [
    "one",
]

[[route]]
id = "y"
says = '''
id = "not a key"
'''
remedy = "z"

[route.deep]
value = 1

[people.ada]
role = "boss"

[people.bob]
role = "chief"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("format", 1),
        ("site", 3),
        ("site.name", 4),
        ("site.name[0]", 4),
        ("site.quoted key", 3),
        ("site.dotted.inner", 6),
        ("site.absent", 3),
        ("route[0].id", 9),
        ("route[0].papers[0]", 10),
        ("route[1]", 14),
        ("route[1].id", 15),
        ("route[1].remedy", 19),
        ("route[1].deep.value", 22),
        ("nowhere", 1),
        ("", 1),
    ],
)
def test_the_line_of_a_key(path: str, line: int) -> None:
    assert line_of(TEXT, path) == line


def test_a_step_that_any_key_fits_is_told_apart_by_its_value() -> None:
    assert line_of(TEXT, "people[...].role", "chief") == 28
    assert line_of(TEXT, "people[...].role") == 25
    assert line_of(TEXT, "people[...].role", "nobody") == 25


def test_a_place_is_told_with_its_line_where_the_text_is_known() -> None:
    assert place("f", "site.name", TEXT) == "f, line 4: site.name"
    assert place("f", "site.name", "") == "f: site.name"
    assert at_line("f", "", "") == "f"


def test_a_line_that_looks_like_a_header_and_never_ends_is_passed_over() -> None:
    text = "a = [\n[" + " " * 50_000 + "\n]]\nb = 1"
    assert line_of(text, "b") == 4
