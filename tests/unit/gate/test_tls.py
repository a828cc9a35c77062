import ssl
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from onshore.gate.tls import Credentials, operators, server_context
from onshore.register import authority
from onshore.register.certificates import Standing
from onshore.site import open_site
from onshore.words.errors import Malformed

DAY = 86_400_000


@pytest.fixture
def shown(hands):
    return authority.for_gate(hands.site)


@pytest.fixture
def credentials(hands):
    return Credentials(hands.site, Standing(hands.site).authorities)


def test_a_door_asks_for_certificates_where_it_must(hands, shown):
    cas = Standing(hands.site).authorities()
    strict = server_context(shown.certificate, shown.key, cas, required=True, alpn=["mqtt"])
    assert strict.verify_mode is ssl.CERT_REQUIRED
    assert strict.minimum_version is ssl.TLSVersion.TLSv1_2
    assert strict.num_tickets == 0
    assert all("GCM" in c["name"] or "POLY1305" in c["name"] for c in strict.get_ciphers())
    assert server_context(shown.certificate, shown.key, cas, required=False).verify_mode is ssl.CERT_OPTIONAL
    assert server_context(shown.certificate, shown.key, b"", required=False).verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"client_cas": b""}, "no authority is named"),
        ({"client_cas": b"no PEM"}, "no PEM certificates"),
        ({"client_cas": b"\xff"}, "no PEM certificates"),
        ({"key": b"no key"}, "not to be used"),
        ({"certificate": b"no certificate"}, "not to be used"),
    ],
)
def test_what_does_not_do_is_told(hands, shown, change, says):
    good = {"certificate": shown.certificate, "key": shown.key, "client_cas": Standing(hands.site).authorities()}
    with pytest.raises(Malformed, match=says):
        server_context(**good | change, required=True)


def test_a_key_of_another_certificate_and_a_locked_one_are_told(hands, shown):
    other = authority.for_gate(hands.site)
    with pytest.raises(Malformed, match="not to be used"):
        server_context(shown.certificate, other.key, b"", required=False)
    locked = serialization.load_pem_private_key(shown.key, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    with pytest.raises(Malformed, match="not to be used"):
        server_context(shown.certificate, locked, b"", required=False)


def test_the_gate_is_certified_for_the_names_it_is_called_by(hands, shown):
    leaf, issuer = x509.load_pem_x509_certificates(shown.certificate)
    leaf.verify_directly_issued_by(issuer)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == list(hands.site.settings.gate.names)
    assert shown.until == hands.now - 3_600_000 + 30 * DAY
    assert leaf.not_valid_before_utc < datetime.fromtimestamp(hands.now / 1000, UTC)


def test_it_is_signed_anew_before_it_ends_and_only_then(hands, credentials):
    credentials.context(required=True)
    credentials.context(required=False)
    until = credentials.until
    assert not credentials.tick()
    hands.now = until - 10 * DAY
    assert credentials.tick()
    assert credentials.until > until
    assert not credentials.tick()


def test_an_authority_that_is_made_meanwhile_is_believed_at_the_next_tick(hands, credentials):
    contexts = [credentials.context(required=True), credentials.context(required=False)]
    before = authority.signing(hands.site)
    hands.now = before_end = authority.until(before.certificate) - 60 * DAY
    credentials.tick()
    assert len(contexts[0].get_ca_certs()) == 2
    hands.now = before_end - DAY  # nothing to renew, and nothing new
    assert not credentials.tick()
    assert len(contexts[0].get_ca_certs()) == 2
    assert not contexts[1].get_ca_certs()


def test_an_authority_that_another_process_made_is_believed_long_before_the_gate_renews(hands, credentials):
    context = credentials.context(required=True)
    elsewhere = open_site(hands.site.folder, clock=lambda: hands.now + 10 * 365 * DAY - 70 * DAY)
    authority.signing(elsewhere)
    assert not credentials.tick()
    assert len(context.get_ca_certs()) == 2


def test_the_operators_own_files_are_shown_and_read_again_when_they_change(hands, shown):
    folder = hands.site.folder
    (folder / "gate.pem").write_bytes(shown.certificate)
    (folder / "gate.key").write_bytes(shown.key)
    toml = (folder / "site.toml").read_text()
    (folder / "site.toml").write_text(toml.replace("[gate]", '[gate]\ncertificate = "gate.pem"\nkey = "gate.key"'))
    site = open_site(folder, clock=lambda: hands.now)
    credentials = Credentials(site, Standing(site).authorities)
    credentials.context(required=True)
    assert credentials.until == shown.until
    hands.now = shown.until
    assert not credentials.tick()
    other = authority.for_gate(hands.site)
    (folder / "gate.pem").write_bytes(other.certificate)
    with pytest.raises(Malformed, match="not to be used"):
        credentials.tick()
    assert credentials.until == shown.until
    (folder / "gate.key").write_bytes(other.key)
    assert credentials.tick()
    assert credentials.until == other.until
    (folder / "gate.pem").unlink()
    with pytest.raises(Malformed, match=r"gate\.certificate"):
        credentials.tick()


def test_a_file_that_is_no_certificate_is_told(tmp_path, shown):
    (tmp_path / "gate.pem").write_bytes(b"nothing")
    (tmp_path / "gate.key").write_bytes(shown.key)
    with pytest.raises(Malformed, match="no PEM certificate"):
        operators(tmp_path / "gate.pem", tmp_path / "gate.key")
