"""TLS of the doors: what a gate shows, whom it believes, and keys that touch no disk on their way to OpenSSL."""

import os
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509

from onshore.register.authority import DAY, Shown, for_gate, newest, until
from onshore.site import Site
from onshore.words.errors import Malformed

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; forward secret and authenticated alone (RFC 9325, 4.2). TLS 1.3 has no others."""


def server_context(
    certificate: bytes, key: bytes, client_cas: bytes, *, required: bool, alpn: Sequence[str] = ()
) -> ssl.SSLContext:
    """What a door listens with: TLS 1.2 or 1.3 (RFC 9325).

    `certificate`: PEM, the gate's own first, then its chain; `key`: PEM, not encrypted; `client_cas`: PEM of those that
    issue clients' certificates, each trusted by itself, be it a root or not. `required`: whoever shows no certificate
    of theirs is cut off; otherwise one is checked where shown, and without `client_cas` none is asked for. There are no
    session tickets: whoever comes again shows the certificate again, which may have been revoked meanwhile. Malformed
    where certificate and key are none, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    if alpn:
        context.set_alpn_protocols(alpn)
    if client_cas:
        _believe(context, client_cas)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    elif required:
        raise Malformed("clients must show certificates, but no authority is named that issues them", where="TLS")
    show(context, certificate, key)
    return context


def show(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Let whoever connects from now on see this certificate; open connections stay as they are. Malformed as above."""
    with _Unwritten(certificate) as chain, _Unwritten(key) as secret:
        try:
            context.load_cert_chain(chain, secret, password="")
        except ssl.SSLError as wrong:
            says = wrong.reason or "not readable"
            raise Malformed(f"the gate's certificate and key are not to be used: {says}", where="TLS") from None


class Credentials:
    """What a site's gate shows at all its doors: signed by the site's authority, or the operator's own files.

    Ask `tick` now and then: it has a new one signed before the old one ends, reads files that changed, and believes an
    authority of the site that was made meanwhile, by whichever process.
    """

    def __init__(self, site: Site, authorities: Callable[[], bytes]) -> None:
        self._site, self._authorities = site, authorities
        self._contexts: list[tuple[ssl.SSLContext, bool]] = []
        self._read = self._written()
        self._shown = self._got()
        self._newest = newest(site)

    @property
    def until(self) -> int:
        """When (ms UTC) the certificate ends that is shown now."""
        return self._shown.until

    def context(self, *, required: bool, asked: bool = False, alpn: Sequence[str] = ()) -> ssl.SSLContext:
        """`server_context` with what the gate shows; clients' certificates, where asked for, are of `authorities`."""
        cas = self._authorities() if required or asked else b""
        context = server_context(self._shown.certificate, self._shown.key, cas, required=required, alpn=alpn)
        self._contexts.append((context, bool(cas)))
        return context

    def tick(self) -> bool:
        """Whether there is something new to show, and whoever connects from now on sees it."""
        self._meet()
        written = self._written()
        left = self._shown.until - self._site.clock()
        if written == self._read and (written or left > self._site.settings.certificates.renew_days * DAY):
            return False
        shown = self._got()
        for context, _ in self._contexts:
            show(context, shown.certificate, shown.key)
        self._shown, self._read = shown, written
        self._meet()
        return True

    def _meet(self) -> None:
        """Believe the authorities that are new, before anybody comes with a certificate of theirs."""
        last = newest(self._site)
        if last != self._newest:
            for context, asked in self._contexts:
                if asked:
                    _believe(context, self._authorities())
            self._newest = last

    def _files(self) -> list[Path]:
        gate = self._site.settings.gate
        own = gate.certificate or gate.key
        return [self._site.folder / gate.certificate, self._site.folder / gate.key] if own else []

    def _written(self) -> list[int]:
        """When the operator's files were written last; a file that is away for a moment was never written."""
        return [path.stat().st_mtime_ns if path.exists() else 0 for path in self._files()]

    def _got(self) -> Shown:
        files = self._files()
        return operators(*files) if files else for_gate(self._site)


def operators(certificate: Path, key: Path) -> Shown:
    """The operator's own certificate with its chain, and key, both PEM files; Malformed names what is not readable."""
    try:
        chain, secret = certificate.read_bytes(), key.read_bytes()
        return Shown(chain, secret, until(x509.load_pem_x509_certificate(chain)))
    except OSError as failed:
        raise Malformed(
            f"{failed.filename}: {failed.strerror}", where="site.toml, gate.certificate, gate.key"
        ) from None
    except ValueError:
        raise Malformed("the file holds no PEM certificate", where="site.toml, gate.certificate") from None


def _believe(context: ssl.SSLContext, authorities: bytes) -> None:
    try:
        context.load_verify_locations(cadata=authorities.decode("ascii"))
    except (ssl.SSLError, UnicodeError):
        raise Malformed(
            "the authorities that issue clients' certificates are no PEM certificates", where="TLS"
        ) from None


class _Unwritten:
    """Bytes that have a path, as OpenSSL wants one, in memory alone."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __enter__(self) -> str:
        self._file = os.memfd_create("tls", os.MFD_CLOEXEC)
        os.write(self._file, self._data)
        return f"/proc/self/fd/{self._file}"

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
