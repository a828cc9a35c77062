"""Where parcels may go: what the settings must say of a host, and how it is told when they do not."""

import ssl

import pytest

from onshore.border.sending import destinations
from onshore.site import open_site
from onshore.words.errors import Malformed, Refusal
from receiving import Authority

pytestmark = pytest.mark.sqlite
USUAL = {"how": "https", "url": "https://parcels.example:8443/files", "jurisdiction": "DE"}


@pytest.fixture
def of(hands, tmp_path):
    before = (hands.site.folder / "site.toml").read_text()
    (tmp_path / "token").write_text("a-token\n")
    (tmp_path / "pair").write_text("access\nsecret\n")
    (tmp_path / "none").write_text("\n")

    def read(**said):
        table = "".join(
            f"{k} = {v if isinstance(v, int) else chr(34) + v + chr(34)}\n" for k, v in (USUAL | said).items()
        )
        (hands.site.folder / "site.toml").write_text(f"{before}\n[recipients.stuttgart.send]\n{table}")
        return destinations.of(open_site(hands.site.folder, clock=lambda: hands.now), "stuttgart")

    return read


def test_parcels_go_into_the_outbox_unless_told_otherwise(hands):
    found = destinations.of(hands.site, "stuttgart")
    assert found == destinations.Folder(hands.site.folder / "outbox", "DE")


def test_a_host_is_read_as_it_is_written(of, tmp_path):
    host = of(keys=str(tmp_path / "token"), part_mb=5, seconds=9)
    assert (host.host, host.port, host.path, host.token) == ("parcels.example", 8443, "/files", "a-token")
    assert (host.part, host.seconds, host.authority) == (5 << 20, 9, "parcels.example:8443")
    assert host.tls.verify_mode == ssl.CERT_REQUIRED
    assert host.tls.check_hostname
    assert host.tls.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert of(url="https://parcels.example").authority == "parcels.example"


def test_a_bucket_is_read_with_its_keys(of, tmp_path):
    host = of(how="s3", url="https://s3.example/bucket/from shanghai/".replace(" ", "%"), keys=str(tmp_path / "pair"))
    assert host.path == "/bucket/from%25shanghai"
    assert (host.keys.access, host.keys.secret, host.keys.region) == ("access", "secret", "us-east-1")
    assert "secret" not in repr(host)


def test_a_host_elsewhere_than_its_recipient_is_refused(of):
    for where in ("US", ""):
        with pytest.raises(Refusal) as refused:
            of(jurisdiction=where)
        assert refused.value.reason == "destination-abroad"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://parcels.example/files",
        "ftp://parcels.example",
        "https://user:secret@parcels.example/",
        "https://parcels.example/files?x=1",
        "https://parcels.example/files#x",
        "https://parcels.example:0/",
        "https://parcels.example:99999/",
        "https://-x/",
        "https://par cels.example/",
        "https://[::1]/",
    ],
)
def test_a_url_that_is_none_is_refused(of, url):
    with pytest.raises(Malformed, match="url"):
        of(url=url)


@pytest.mark.parametrize("keys", ["absent", "none", ""])
def test_keys_that_are_none_are_refused_without_their_text(of, tmp_path, keys):
    with pytest.raises(Malformed, match="keys"):
        of(how="s3", keys=str(tmp_path / keys) if keys else "")
    with pytest.raises(Malformed, match="keys"):
        of(how="s3", keys=str(tmp_path / "token"))


def test_an_authority_that_is_none_is_refused(of, tmp_path):
    with pytest.raises(Malformed, match="ca"):
        of(ca=str(tmp_path / "absent"))
    with pytest.raises(Malformed, match="ca"):
        of(ca=str(tmp_path / "token"))
    assert of(ca=str(Authority(tmp_path / "ca").file)).tls.get_ca_certs()
