"""`onshore init`: make a site."""

import secrets
from collections.abc import Callable
from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, json_option, put, say, site_option
from onshore.ledger.packs import release_key
from onshore.ledger.signer import Signer
from onshore.rules.articles import NOTICE_ITEMS
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

# Permits are believed when this key signed them. Its signing key was made beside this folder, for whoever grants here:
# give it to them and delete it, or put the regulator's own verifier key in its place.
[people.regulator]
role = "regulator"
vkey = "{vkey}"

[people.engineer]
role = "engineer"

# Whoever speaks for the owner of a car: give each their own name where more than one does.
[people.owner]
role = "owner"

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
@json_option
@answers_for_errors
def init(site: Path, jurisdiction: str, name: str, as_json: bool) -> None:
    """Make a site: settings, root key, papers, an empty log and a first checkpoint."""
    make_site(site, jurisdiction, name)
    if as_json:
        put({"site": str(site), "vkey": (site / "ledger" / "vkey").read_text().split()[0]})
    say(f"made the site '{name}' in {site}; its root key is {site / 'keys' / 'root.key'}: keep a copy elsewhere")
    say(f"the key that signs permits lies beside it, in {regulator_key(site)}: it belongs to the regulator")


def regulator_key(folder: Path) -> Path:
    """Where the key lies that signs permits: beside the site, never in it. Hand it to the regulator, or replace it."""
    return folder.with_name(folder.name + "-regulator") / "regulator.key"


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
    beside = regulator_key(folder)
    beside.parent.mkdir(mode=0o700, exist_ok=True)
    beside.touch(0o600)
    beside.write_bytes(regulator.seed)
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
            notice=", ".join(f'"{n}"' for n in NOTICE_ITEMS),
        )
    )
    site = open_site(folder, clock=clock, randomness=randomness)
    with writing(site.engine) as conn:
        site.hand_in(conn, site.entry("site", pack=site.rulebook.pack, packdigest=f"sha256:{site.rulebook.digest}"))
    site.settle()
