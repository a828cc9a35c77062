from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from onshore.register import acts, authority, certificates, handover
from onshore.register.certificates import Standing
from onshore.register.requests import requested_key
from onshore.words.errors import Malformed, Refusal

DAY = 86_400_000
DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM


def csr(key=None, *, encoding=PEM):
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "LTEST000000000017")])
    built = x509.CertificateSigningRequestBuilder().subject_name(name)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return built.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()).public_bytes(
        encoding
    )


def leaf(done):
    return x509.load_pem_x509_certificate(done.chain)


def der(done):
    return leaf(done).public_bytes(DER)


def reason(act):
    with pytest.raises(Refusal) as refused:
        act()
    return refused.value.reason


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-256", "P-384", "Ed25519", "RSA-2048"],
)
@pytest.mark.parametrize("encoding", [PEM, DER], ids=["PEM", "DER"])
def test_a_vehicle_is_certified_by_its_key_and_random_id_alone(hands, key, encoding):
    car = hands.car()
    done = certificates.certify(hands.site, car.id, csr(key, encoding=encoding))
    signed = leaf(done)
    assert signed.public_key() == key.public_key()
    assert signed.subject.rfc4514_string() == f"CN={car.id:016x}"
    assert b"LTEST" not in signed.public_bytes(DER)
    assert not signed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert signed.not_valid_after_utc - signed.not_valid_before_utc < timedelta(days=90)
    issuer = x509.load_pem_x509_certificates(done.chain)[1]
    signed.verify_directly_issued_by(issuer)
    assert isinstance(issuer.public_key(), ec.EllipticCurvePublicKey)
    assert issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert int(done.serial, 16) == signed.serial_number


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        rsa.generate_private_key(3, 2048),
        ec.generate_private_key(ec.SECP521R1()),
        dsa.generate_private_key(2048),
    ],
    ids=["RSA-1024", "exponent 3", "P-521", "DSA"],
)
def test_keys_of_other_kinds_are_not_certified(key):
    assert reason(lambda: requested_key(csr(key))) == "key-kind"


def test_whoever_has_not_the_key_gets_no_certificate():
    raw = bytearray(csr(encoding=DER))
    raw[-1] ^= 1
    assert reason(lambda: requested_key(bytes(raw))) == "no-possession"


def test_a_broken_hash_proves_no_possession(vectors):
    asked = (vectors / "csr" / "rsa2048-sha1.csr").read_bytes()
    assert reason(lambda: requested_key(asked)) == "no-possession"


OF_NO_VERSION = csr(encoding=DER).replace(b"\x02\x01\x00", b"\x02\x01\x66", 1)


@pytest.mark.parametrize(
    "junk",
    [b"", b"-----BEGIN CERTIFICATE REQUEST-----\n", b"\x30\x03\x02\x01\x00", csr() * 60, OF_NO_VERSION],
    ids=["nothing", "a start", "another thing", "far too much", "another version"],
)
def test_what_is_no_request_is_said_to_be_none(junk):
    with pytest.raises(Malformed, match="PKCS #10"):
        requested_key(junk)


def test_renewed_certificates_overlap(hands):
    car, key = hands.car(), ec.generate_private_key(ec.SECP256R1())
    standing = Standing(hands.site)
    first = certificates.certify(hands.site, car.id, csr(key))
    hands.now += 80 * DAY
    second = certificates.certify(hands.site, car.id, csr(key))
    third = certificates.certify(hands.site, car.id, csr())
    assert [standing.identify(der(c)) for c in (first, second, third)] == [car.id] * 3
    hands.now += 10 * DAY
    assert [standing.identify(der(c)) for c in (first, second, third)] == [None, car.id, car.id]
    assert standing.changed()
    assert not standing.changed()
    assert first.serial in {c.serial for c in certificates.of_vehicle(hands.site, car.id)}


def test_a_certificate_ends_when_it_says(hands):
    standing = Standing(hands.site)
    done = certificates.certify(hands.site, hands.car().id, csr())
    for now, known in ((done.start - 1, False), (done.start, True), (done.until - 1, True), (done.until, False)):
        hands.now = now
        assert (standing.identify(der(done)) is not None) is known


def test_a_revocation_is_seen_at_the_next_tick_and_concerns_that_certificate_alone(hands):
    car, other = hands.car(1), hands.car(2)
    standing = Standing(hands.site)
    one, two = (certificates.certify(hands.site, car.id, csr()) for _ in range(2))
    three = certificates.certify(hands.site, other.id, csr())
    assert [standing.identify(der(c)) for c in (one, two, three)] == [car.id, car.id, other.id]
    assert not standing.changed()
    act = certificates.revoke(hands.site, car.id, one.serial.upper())
    assert act.paper["serials"] == [one.serial]
    assert standing.changed()
    assert [standing.identify(der(c)) for c in (one, two, three)] == [None, car.id, other.id]
    assert not standing.changed()
    assert reason(lambda: certificates.revoke(hands.site, car.id, one.serial)) == "no-certificate"
    assert reason(lambda: certificates.revoke(hands.site, other.id, two.serial)) == "no-certificate"


def test_a_revocation_is_seen_without_a_tick_too(hands):
    car, standing = hands.car(), Standing(hands.site)
    done = certificates.certify(hands.site, car.id, csr())
    assert standing.identify(der(done)) == car.id
    certificates.revoke(hands.site, car.id, done.serial)
    hands.now += 100
    assert standing.identify(der(done)) is None


def test_papers_put_back_to_an_earlier_day_are_read_anew(hands):
    car, standing = hands.car(), Standing(hands.site)
    one, two = (certificates.certify(hands.site, car.id, csr()) for _ in range(2))
    certificates.revoke(hands.site, car.id, one.serial)
    standing.changed()
    assert standing.identify(der(two)) == car.id
    with certificates.writing(hands.site.engine) as conn:
        conn.execute(acts.delete(acts.meta).where(acts.meta.c.name == "identities"))
        conn.execute(acts.delete(certificates.certificates))
    assert standing.changed()
    assert standing.identify(der(two)) is None


def test_what_is_remembered_is_bounded(hands, monkeypatch):
    monkeypatch.setattr(certificates, "_REMEMBERED", 2)
    car, standing = hands.car(), Standing(hands.site)
    done = [certificates.certify(hands.site, car.id, csr()) for _ in range(4)]
    assert [standing.identify(der(c)) for c in done] == [car.id] * 4
    assert len(standing._known) <= 2


def test_a_key_serves_one_vehicle_and_none_once_revoked(hands):
    key = ec.generate_private_key(ec.SECP256R1())
    done = certificates.certify(hands.site, hands.car(1).id, csr(key))
    assert reason(lambda: certificates.certify(hands.site, hands.car(2).id, csr(key))) == "key-in-use"
    certificates.revoke(hands.site, hands.car(1).id, done.serial)
    assert reason(lambda: certificates.certify(hands.site, hands.car(1).id, csr(key))) == "key-in-use"


def test_a_certificate_of_another_site_is_nobodys(hands, tmp_path):
    other = type(hands)(tmp_path / "other")
    done = certificates.certify(other.site, other.car().id, csr())
    standing = Standing(hands.site)
    assert standing.identify(der(done)) is None
    assert standing.identify(b"no certificate") is None


def test_a_retired_vehicle_is_known_no_more(hands):
    car, standing = hands.car(), Standing(hands.site)
    done = certificates.certify(hands.site, car.id, csr())
    assert standing.identify(der(done)) == car.id
    assert standing.accepts(car.id)
    handover.retire(hands.site, car)
    assert standing.changed()
    assert standing.identify(der(done)) is None
    assert not standing.accepts(car.id)
    assert reason(lambda: certificates.certify(hands.site, car.id, csr())) == "retired"


def test_papers_that_do_not_answer_let_nobody_in(hands):
    standing = Standing(hands.site)
    done = certificates.certify(hands.site, hands.car().id, csr())
    with certificates.writing(hands.site.engine) as conn:
        conn.exec_driver_sql("DROP TABLE certificates")
    with pytest.raises(OSError, match="papers do not answer"):
        standing.identify(der(done))


def test_each_act_is_in_the_ledger_and_names_nobody_there(hands):
    car = hands.car()
    done = certificates.certify(hands.site, car.id, csr())
    certificates.revoke(hands.site, car.id, done.serial)
    hands.site.settle()
    logged = b"".join(hands.site.ledger.entries())
    assert b'"role":"authority"' in logged
    assert b'"state":"certified","t":"vehicle"' in logged
    for secret in (f"{car.id:016x}", done.serial):
        assert secret.encode() not in logged
    assert [act.paper["state"] for act in acts.of_vehicle(hands.site, car.id)] == ["certified", "revoked"]
    assert acts.receipt(hands.site, done.act)["receipt"]["certificate"].startswith("sha256:")


def test_the_revocation_list_names_what_would_still_be_good(hands):
    car = hands.car()
    one, two = (certificates.certify(hands.site, car.id, csr()) for _ in range(2))
    certificates.revoke(hands.site, car.id, one.serial)
    listed = x509.load_pem_x509_crl(certificates.revocation_list(hands.site))
    [by] = authority.trusted(hands.site)
    assert listed.is_signature_valid(by.certificate.public_key())
    assert [f"{one.serial_number:040x}" for one in listed] == [one.serial]
    assert listed.get_revoked_certificate_by_serial_number(leaf(two).serial_number) is None
    hands.now += 91 * DAY
    assert list(x509.load_pem_x509_crl(certificates.revocation_list(hands.site))) == []


def test_an_authority_hands_on_before_it_ends_and_is_believed_until_then(hands):
    car, standing = hands.car(), Standing(hands.site)
    [first] = authority.trusted(hands.site)
    assert authority.signing(hands.site).certificate == first.certificate
    hands.now += (10 * 365 - 89) * DAY
    done = certificates.certify(hands.site, car.id, csr())
    assert authority.signing(hands.site).number == 2
    leaf(done).verify_directly_issued_by(authority.signing(hands.site).certificate)
    assert len(x509.load_pem_x509_certificates(standing.authorities())) == 2
    certificates.revoke(hands.site, car.id, done.serial)
    assert certificates.revocation_list(hands.site).count(b"BEGIN X509 CRL") == 2
    hands.now += 100 * DAY
    assert len(x509.load_pem_x509_certificates(standing.authorities())) == 1
    assert hands.site.key("authority/1") != hands.site.key("authority/2")


def test_a_signature_of_an_unknown_kind_proves_no_possession():
    known, unknown = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d040309")
    assert reason(lambda: requested_key(csr(encoding=DER).replace(known, unknown))) == "no-possession"
