"""Papers in a PostgreSQL on another machine: over TLS, whose certificate holds, with a password; or not at all."""

import os
import pwd
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from databases import programs
from onshore.vault.client import Database
from onshore.vault.opening import open_papers
from onshore.words.errors import Broken
from postgresql import Server
from waiting import until

HERE = f"127.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF}"  # so that two sessions do not meet at one port
NAMED, UNNAMED = f"{HERE}.2", f"{HERE}.3"  # no name of this machine to us: spoken to as another one is
RULES = "local all all trust\nhostssl all all all scram-sha-256\nhostnossl all all all trust\n"
pytestmark = pytest.mark.sqlite  # the database is its own

PASSWORD = "swordfish"


def signed(name, issuer=None):
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0].subject if issuer else subject)
    made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(NAMED))])
    made = made if issuer is None else made.add_extension(names, critical=False)
    return made.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def authority():
    return signed("an authority")


@pytest.fixture(scope="module")
def server(authority):
    if (found := programs()) is None:
        pytest.skip("PostgreSQL is not installed (Debian's package postgresql)")
    running = Server(found, f"listen_addresses={NAMED},{UNNAMED}")
    try:
        certificate, key = signed("a database", authority)
        shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        for name, data in (("server.crt", pem(certificate)), ("server.key", key.private_bytes(*shape))):
            path = running.data / name
            path.write_bytes(data)
            path.chmod(0o600)
            if os.geteuid() == 0:
                os.chown(path, *pwd.getpwnam("nobody")[2:4])
        (running.data / "pg_hba.conf").write_text(RULES)
        running.ask(f"ALTER ROLE {running.role} PASSWORD '{PASSWORD}'")
        speaks_tls(running, "on")
        yield running
    finally:
        running.close()


def speaks_tls(running, switch):
    running.ask(f"ALTER SYSTEM SET ssl = {switch}")
    running.ask("SELECT pg_reload_conf()")
    until(lambda: running.ask("SHOW ssl")[0][0] == switch)


@pytest.fixture
def there(server, authority, tmp_path):
    (tmp_path / "ca.pem").write_bytes(pem(authority[0]))
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return Database(server.role, server.new(), host=NAMED, password=tmp_path / "password", ca=tmp_path / "ca.pem")


def test_papers_are_reached_over_tls_with_the_password(there):
    engine = open_papers(there)
    with engine.connect() as conn:
        asked = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert conn.exec_driver_sql(asked).one() == (True, "TLSv1.3")
    engine.dispose()


def test_a_certificate_of_another_authority_is_refused(there):
    there.ca.write_bytes(pem(signed("another authority")[0]))
    with pytest.raises(Broken, match=r"does not answer: .*certificate verify failed"):
        open_papers(there)


def test_a_certificate_of_another_host_is_refused(there):
    with pytest.raises(Broken, match=r"does not answer: .*IP address mismatch"):
        open_papers(replace(there, host=UNNAMED))


def test_a_certificate_is_asked_of_the_machines_own_authorities_where_none_is_named(there):
    with pytest.raises(Broken, match=r"does not answer: .*certificate verify failed"):
        open_papers(replace(there, ca=None))


@pytest.mark.parametrize("said", ["sword\n", ""])
def test_a_wrong_password_is_told_and_not_repeated(there, said):
    there.password.write_text(said)
    with pytest.raises(Broken, match="lets the user 'onshore' in") as broken:
        open_papers(there)
    assert "password" in str(broken.value)
    assert not said or said.strip() not in str(broken.value).replace("password", "")


def test_nothing_is_said_in_the_clear_to_a_server_that_would_take_it(server, there):
    speaks_tls(server, "off")
    try:
        with pytest.raises(Broken, match="refuses SSL"):
            open_papers(there)
    finally:
        speaks_tls(server, "on")
    open_papers(there).dispose()
