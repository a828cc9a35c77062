"""What a car asks to have certified: a signing request (PKCS #10), of which its key alone is believed."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from onshore.words.errors import Malformed, Refusal

_MOST = 16_384  # bytes
_CURVES = (ec.SECP256R1, ec.SECP384R1)
_RSA_BITS = range(2048, 8193)
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_KINDS = "P-256, P-384, Ed25519, or RSA of 2048 to 8192 bits"


def requested_key(request: bytes) -> CertificatePublicKeyTypes:
    """The public key of a signing request (RFC 2986), PEM or DER; its subject and extensions are not looked at.

    Malformed: bytes that are none. Refused: a key of another kind (`key-kind`), or a request that its own key did not
    sign, or signed with a broken hash (`no-possession`; RFC 2986, 3: the signature proves that the key is there).
    """
    try:
        asked = _read(request)
        key = asked.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise Malformed("this is no PKCS #10 signing request (PEM or DER)", where="CSR") from None
    if not _fits(key):
        raise Refusal("key-kind", "a vehicle's key of this kind is not certified", remedy=f"take {_KINDS}")
    if not _possessed(asked):
        raise Refusal(
            "no-possession",
            "the request is not signed, with SHA-2, by the key that it asks to have certified",
            article="RFC 2986, 3",
            remedy="let the vehicle make and sign the request itself",
        )
    assert isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey))
    return key


def fingerprint(key: CertificatePublicKeyTypes) -> bytes:
    """SHA-256 of a key's SubjectPublicKeyInfo: by it a key is known again."""
    hashed = hashes.Hash(hashes.SHA256())
    hashed.update(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    return hashed.finalize()


def _read(request: bytes) -> x509.CertificateSigningRequest:
    if len(request) > _MOST:
        raise ValueError
    return x509.load_pem_x509_csr(request) if request.lstrip().startswith(b"-----") else x509.load_der_x509_csr(request)


def _fits(key: object) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size in _RSA_BITS and key.public_numbers().e >= 65_537  # FIPS 186-5, 5.4
    return isinstance(key, ed25519.Ed25519PublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    )


def _possessed(asked: x509.CertificateSigningRequest) -> bool:
    try:
        hashed = asked.signature_hash_algorithm  # None for Ed25519, which brings its own
        return asked.is_signature_valid and (hashed is None or isinstance(hashed, _HASHES))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
