"""The papers' database is named by a URL, at home, and spoken to in the clear inside the machine alone."""

import os
import pwd
import socket
import ssl
import threading
from dataclasses import replace

import msgspec
import pytest

from onshore.vault.client import Database, database, named, opened
from onshore.vault.opening import open_papers
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.settings import Settings

ME = pwd.getpwuid(os.geteuid()).pw_name


def settings(**papers):
    site = {"id": "1", "name": "n", "jurisdiction": "CN", "pack": "cn/2026-02", "origin": "o", "purposes": ["p"]}
    return msgspec.convert({"site": site, "papers": papers}, Settings)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql:///onshore?host=/run/postgresql", Database(ME, "onshore", folder="/run/postgresql")),
        ("postgresql://u@/x?host=/run/pg&port=5433", Database("u", "x", folder="/run/pg", port=5433)),
        ("postgresql://u@db.example/x", Database("u", "x", host="db.example")),
        ("postgresql://u%40v@[::1]:6000/x%2Fy", Database("u@v", "x/y", host="::1", port=6000)),
    ],
)
def test_a_url_names_a_database(url, found):
    assert named(url) == found
    assert found.called.startswith(f"the database '{found.name}' at {found.host or found.folder}:{found.port}")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u@h/x",
        "postgresql://h",
        "postgresql:///x",
        "postgresql://u@h/x?sslmode=disable",
        "postgresql://u@h/x#y",
        "postgresql://u@h:port/x",
        "postgresql://u@h/x?host",
        "papers.sqlite",
    ],
)
def test_anything_else_is_malformed(url):
    with pytest.raises(Malformed, match=r"papers\.url: (write postgresql|this is no URL)"):
        named(url)


def test_a_password_in_a_url_is_malformed_and_not_repeated():
    with pytest.raises(Malformed, match="into a file") as wrong:
        named("postgresql://u:hush@h/x")
    assert "hush" not in str(wrong.value)


def test_where_papers_are_by_the_settings(tmp_path):
    assert database(settings(), tmp_path) is None
    said = settings(url="postgresql://u@db.cn/x", jurisdiction="CN", password="keys/pw", ca="ca.pem")
    assert database(said, tmp_path) == Database(
        "u", "x", host="db.cn", password=tmp_path / "keys" / "pw", ca=tmp_path / "ca.pem"
    )
    here = database(settings(url="postgresql://u@localhost/x"), tmp_path)
    assert here is not None
    assert here.place == ("localhost", 5432)


@pytest.mark.parametrize(("jurisdiction", "says"), [("DE", "stands in DE"), ("", "does not name")])
def test_papers_elsewhere_are_refused(tmp_path, jurisdiction, says):
    with pytest.raises(Refusal, match=says) as refused:
        database(settings(url="postgresql://u@db.example/x", jurisdiction=jurisdiction), tmp_path)
    assert refused.value.reason == "papers-abroad"


def test_another_machine_is_spoken_to_with_tls_alone(tmp_path):
    """127.0.0.2 is no name of this machine to us: whoever answers there must show a certificate before all else."""
    password = tmp_path / "password"
    password.write_text("hush\n")
    with socket.create_server(("127.0.0.2", 0)) as listening:
        heard = []

        def answer():
            connection, _ = listening.accept()
            with connection:
                heard.append(connection.recv(8))
                connection.sendall(b"N")  # no TLS here
                heard.append(connection.recv(1000))

        thread = threading.Thread(target=answer)
        thread.start()
        there = Database("u", "x", host="127.0.0.2", port=listening.getsockname()[1], password=password)
        with pytest.raises(Broken, match="refuses SSL"):
            open_papers(there)
        thread.join()
    assert heard == [bytes.fromhex("0000000804d2162f"), b""], "not even the user's name is told"


def test_a_certificate_that_cannot_be_read_is_told(tmp_path):
    there = Database("u", "x", host="127.0.0.2", port=1, ca=tmp_path / "none.pem")
    with socket.create_server(("127.0.0.2", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(Broken, match="network error: No such file"):
            open_papers(replace(there, port=port))
    assert ssl.create_default_context().check_hostname, "what is asked of a server elsewhere"


def test_an_engine_connects_when_it_is_asked_and_not_before(tmp_path):
    opened(Database("u", "x", folder=str(tmp_path))).dispose()
