"""Papers of a real site with two years of life in it, made once for the tests that only read."""

import shutil

import pytest

from onshore.site import open_site
from report_makers import lived, texts
from site_makers import Hands


@pytest.fixture(scope="session")
def life(tmp_path_factory):
    return lived(Hands(tmp_path_factory.mktemp("life") / "site"))


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    return texts(tmp_path_factory.mktemp("texts"))


@pytest.fixture
def copied(life, tmp_path):
    """The same site in a folder of its own, for what alters it."""
    folder = shutil.copytree(life.site.folder, tmp_path / "site")
    return open_site(folder, clock=lambda: life.now)
