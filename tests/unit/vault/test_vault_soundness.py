"""A database whose settings break what a site promises is told, each with what to do."""

import pytest

from databases import programs, server
from onshore.vault.client import named
from onshore.vault.opening import open_papers
from onshore.vault.soundness import look
from postgresql import Server
from vault_makers import new_room


def of(running, **said):
    engine = open_papers(named(running.url(running.new())))
    told = look(engine, **({"archive_days": 0, "backup_days": None} | said))
    engine.dispose()
    return told


@pytest.mark.sqlite
def test_a_server_as_it_comes_is_well():
    running = server()
    assert of(running).good
    assert "every commit synced" in of(running).says
    running.close()


@pytest.mark.sqlite
def test_what_is_wrong_is_told():
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian's package postgresql)")
    running = Server(programs(), "fsync=off", "full_page_writes=off", "log_statement=mod", "archive_mode=on")
    says = of(running).says
    for part in ("fsync is off", "full_page_writes is off", "log_parameter_max_length = 0", "[papers] archive_days"):
        assert part in says
    assert not of(running).good
    assert "[keys] backup_days" in of(running, archive_days=7).says
    assert "for 7 days, and copies of keys may live for 5" in of(running, archive_days=7, backup_days=5).says
    assert "copies" not in of(running, archive_days=5, backup_days=5).says
    running.close()


@pytest.mark.sqlite
def test_of_sqlite_each_connection_sees_to_it(tmp_path):
    assert look(new_room(tmp_path).engine, archive_days=0, backup_days=None).good
