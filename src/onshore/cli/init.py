"""`onshore init`: make a site."""

import secrets
from collections.abc import Callable
from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, say, site_option
from onshore.ledger.packs import release_key
from onshore.ledger.signer import Signer
from onshore.site import now_ms, open_site
from onshore.vault.keys import make_root_key
from onshore.vault.papers import writing
from onshore.words.errors import Malformed, Refusal

_PACKS = {"CN": "cn/2026-02"}
_PURPOSES = (
    "statutory-monitoring",
    "trip-history",
    "warranty-analysis",
    "battery-research",
    "driving-safety",
    "repair",
)
_NOTICE = (
    "types",
    "circumstances-and-how-to-stop",
    "purpose-and-method",
    "place-and-period",
    "access-and-deletion",
    "contact",
    "other",
)

_TOML = """# One Onshore site. An unknown key or a bad value here stops every command, with file and line.

[site]
id = "{id}"
name = "{name}"
jurisdiction = "{jurisdiction}"
pack = "{pack}"
origin = "{origin}"
purposes = [{purposes}]
buckets = 16

[gate]
host = "127.0.0.1"
gb32960 = 32960

[people.operator]
role = "operator"

[people.officer]
role = "officer"

[people.regulator]
role = "regulator"
vkey = "{vkey}"

[people.engineer]
role = "engineer"

# Who abroad may be sent something, once permitted: an age public key each.
# [recipients.stuttgart]
# jurisdiction = "DE"
# key = "age1..."

# A notice shown to people, by the items of Art. 7 that it contains.
[notices.2026-11]
items = [{notice}]

# Whose signed packs of rules are obeyed. What the law leaves to counsel stays strict until an opinion is recorded:
# [rules.switches] NAME = "lenient" with [rules.opinions] NAME = "the opinion's number".
[rules]
signers = ["{signer}"]
"""


@click.command()
@site_option
@click.option("--jurisdiction", required=True, help="Whose law it obeys, such as CN.")
@click.option("--name", required=True, help="What people call it, such as shanghai.")
def init(site: Path, jurisdiction: str, name: str) -> None:
    """Make a site: settings, root key, papers, an empty log and a first checkpoint."""
    answers_for_errors(make_site)(site, jurisdiction, name)
    say(f"made the site '{name}' in {site}; its root key is {site / 'keys' / 'root.key'}: keep a copy elsewhere")


def make_site(
    folder: Path,
    jurisdiction: str,
    name: str,
    *,
    clock: Callable[[], int] = now_ms,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> None:
    """Lay out a new site in `folder`; refuses a folder that holds one, and a jurisdiction without a pack."""
    if (folder / "site.toml").exists():
        raise Refusal("site-exists", f"{folder} holds a site already", remedy="choose another folder with --site")
    pack = _PACKS.get(jurisdiction)
    if pack is None:
        raise Refusal(
            "no-rule-pack",
            f"this release has no rule pack for '{jurisdiction}'",
            remedy="jurisdictions with a pack: " + ", ".join(_PACKS),
        )
    if not name.isascii() or not name.replace("-", "").isalnum():
        raise Malformed("a site's name has letters, digits and hyphens", where="--name")
    for room in ("keys", "vault/journal", "vault/segments", "ledger", "outbox"):
        (folder / room).mkdir(parents=True, exist_ok=True)
    regulator = Signer(f"{name}/regulator", randomness(32))
    (folder / "keys" / "regulator.key").touch(0o600)
    (folder / "keys" / "regulator.key").write_bytes(regulator.seed)
    make_root_key(folder / "keys" / "root.key", randomness)
    (folder / "site.toml").write_text(
        _TOML.format(
            id=randomness(8).hex(),
            name=name,
            jurisdiction=jurisdiction,
            pack=pack,
            origin=f"onshore.example/{jurisdiction.lower()}/{name}",
            purposes=", ".join(f'"{p}"' for p in _PURPOSES),
            vkey=regulator.vkey,
            signer=release_key(),
            notice=", ".join(f'"{n}"' for n in _NOTICE),
        )
    )
    site = open_site(folder, clock=clock, randomness=randomness)
    with writing(site.engine) as conn:
        site.hand_in(conn, site.entry("site", pack=site.rulebook.pack, packdigest=f"sha256:{site.rulebook.digest}"))
    site.settle()
