"""The pure rooms and modules: which they are, and the plugin that holds their branch coverage at 100 %."""

import io
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

SOURCE = Path(__file__).parent.parent / "src" / "onshore"
ROOMS = ("words", "rules", "consent")
MODULES = ("protocol.py", "decode.py", "permit.py", "tree.py", "verify.py")
OF_THE_LEDGER = ("canonical.py", "contents.py", "history.py", "mldsa.py", "policy.py", "totals.py", "witness.py")
PATTERNS = [f"{SOURCE}/{room}/*" for room in ROOMS] + [f"{SOURCE}/*/{name}" for name in MODULES]
PATTERNS += [f"{SOURCE}/ledger/{name}" for name in OF_THE_LEDGER]

VERIFIER = ("__main__", "canonical", "contents", "history", "mldsa", "note", "policy", "signatures", "totals", "tree")
VERIFIER += ("verify",)
"""The modules that ship alone."""

_shortfall = pytest.StashKey[str]()


def pure_files() -> list[Path]:
    """Every file that may do no I/O, read no clock and draw no randomness."""
    files = sorted(SOURCE.rglob("*.py"))
    ledger = [SOURCE / "ledger" / name for name in OF_THE_LEDGER]
    return [f for f in files if f.relative_to(SOURCE).parts[0] in ROOMS or f.name in MODULES or f in ledger]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Look once pytest-cov, which wraps the same hook further in, has put the workers' data together."""
    result = yield
    if not hasattr(session.config, "workerinput"):
        _hold(session)
    return result


def _hold(session: pytest.Session) -> None:
    data = coverage.Coverage()
    data.load()
    table = io.StringIO()
    if data.report(include=PATTERNS, file=table, show_missing=True, skip_covered=True) < 100:
        session.testsfailed += 1
        session.config.stash[_shortfall] = table.getvalue()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which branches of the pure rooms no test has taken."""
    if _shortfall in config.stash:
        terminalreporter.write_sep("=", "pure rooms below 100 % branch coverage", red=True)
        terminalreporter.write(config.stash[_shortfall])
