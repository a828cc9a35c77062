"""What Prometheus would read, read by a parser of our own for tests; and Debian's promtool where it is installed."""

import re
import shutil
import subprocess

import pytest

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)+)\})? (-?[0-9.e+-]+)')


def read(text):
    """Samples by name and labels; each metric has its help and type once, before it, and all of it together."""
    found, kinds, last = {}, {}, ""
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            last = line.split()[2]
            assert last not in kinds
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name == last
            kinds[name] = kind
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert name == last
            key = name, *re.findall(r'"([^"]*)"', labels or "")
            assert key not in found
            found[key] = float(value)
    return found, kinds


def promtool(*args, stdin=None):
    """Run promtool; skips where Debian's package `prometheus` is not installed."""
    command = shutil.which("promtool")
    if command is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([command, *args], input=stdin, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
