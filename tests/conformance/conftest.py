"""A parcel, and the verifiers that it is shown to."""

import subprocess
import sys

import pytest

from verifier_makers import ROOT, Alone, Command, Module, Parcel


@pytest.fixture(scope="session")
def pyz(tmp_path_factory):
    """The single file, built as `make verifier` does."""
    target = tmp_path_factory.mktemp("pyz") / "onshore-verify.pyz"
    subprocess.run([sys.executable, str(ROOT / "tools" / "verifier"), str(target)], check=True, capture_output=True)
    return target


@pytest.fixture(params=["onshore", "alone", "module"])
def verifier(request, pyz, tmp_path):
    room = tmp_path / "elsewhere"
    room.mkdir()
    return {"onshore": Command(), "alone": Alone(sys.executable, pyz, room), "module": Module()}[request.param]


@pytest.fixture(params=["alone", "module"])
def shown(request, pyz, tmp_path):
    """Those that are shown what a parcel's owner opened."""
    return Alone(sys.executable, pyz, tmp_path) if request.param == "alone" else Module()


@pytest.fixture
def parcel(tmp_path):
    return Parcel(tmp_path / "p")
