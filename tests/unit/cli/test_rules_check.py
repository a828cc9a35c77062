"""`onshore rules check` on books that nobody can judge: exit 2, the place named, and never a traceback."""

import pytest
from click.testing import CliRunner

from onshore.cli.main import cli

GOOD = """format = 1
[[scenario]]
id = "T-1"
title = "t"
basis = "b"
jurisdiction = "CN"
at = 2026-06-15T12:00:00+08:00
deadline = { what = "erasure", from = 2026-06-01 }
expect = { due = 2026-06-15 }
"""


@pytest.fixture
def check(tmp_path):
    def run(content):
        book = tmp_path / "book.toml"
        book.write_bytes(content)
        done = CliRunner().invoke(cli, ["rules", "check", str(book)])
        assert isinstance(done.exception, SystemExit | None)
        return done.exit_code, done.stdout, done.stderr.replace(str(book), "FILE")

    return run


def test_a_good_book(check):
    assert check(GOOD.encode()) == (0, "1 passed, 0 failed\n", "")


def test_a_case_that_fails_is_no_error(check):
    code, told, errors = check(GOOD.replace("due = 2026-06-15", "due = 2026-06-16").encode())
    assert (code, errors) == (1, "")
    assert told.startswith("T-1: expected 2026-06-16; came due, 2026-06-15: erasure (")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "FILE: it cannot be read: it is not UTF-8"),
        (b"\0", "FILE: not TOML: "),
        (b"x = " + b"[" * 100_000, "FILE: lists and tables are nested too deeply to be read"),
        (b"x" + b".x" * 50_000 + b" = 1", "FILE, line 1: a key has more than 16 steps"),
        (b"x = 1" + b"0" * 5_000, "FILE, line 1: a whole number has too many digits to be read"),
        (GOOD.replace("from = 2026-06-01", "from = nan").encode(), "FILE, line 8: nan is no number"),
        (GOOD.replace("from = 2026-06-01", "from = 9999-12-31").encode(), "FILE: T-1: deadline: from: it lies outside"),
        (GOOD.replace("from = 2026-06-01", 'from = "2026-06-01"').encode(), "FILE: T-1: deadline: from: a date, e.g. "),
        (GOOD.replace("erasure", "lunch").encode(), "FILE: T-1: deadline: what: 'lunch' is not one of erasure, "),
        (GOOD.replace('"T-1"', "[" * 99 + "]" * 99).encode(), "FILE: number 1: case without id: id: a text in quotes"),
    ],
)
def test_a_book_that_nobody_can_judge(check, content, says):
    code, told, errors = check(content)
    assert (code, told) == (2, "")
    assert errors.startswith(f"not readable: {says}")
