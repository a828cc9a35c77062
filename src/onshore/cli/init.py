"""`onshore init`: make a site."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, json_option, put, say, site_option
from onshore.ledger.packs import release_key, shipped_names
from onshore.ledger.packs import shipped as shipped_pack
from onshore.ledger.signer import Signer
from onshore.rules.articles import NOTICE_ITEMS
from onshore.rules.judge import STALE_RULES
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.rules.standing import is_draft, validity
from onshore.site import now_ms, open_site
from onshore.vault.client import named
from onshore.vault.papers import writing
from onshore.vault.roots.file import make_root_key
from onshore.words.errors import Malformed, Refusal

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
pack = "{pack}"{later}
origin = "{origin}"
purposes = [{purposes}]
buckets = 16

[gate]
host = "127.0.0.1"
gb32960 = 32960
# Doors with TLS, by which cars are known by a certificate ('onshore vehicle certify'); `names` are in the gate's own.
# gb32960_tls = 32961
# fleet = 4443
# mqtt = 8883
# upload = 8443
# names = ["localhost", "127.0.0.1"]

# The web console, where this table stands; who may sign in: 'onshore account add NAME --role ROLE'.
# [desk]
# port = 8080

[people.operator]
role = "operator"

# Two officers approve what leaves, neither of whom asked for it: give each the name of a person of their own.
[people.officer]
role = "officer"

[people.deputy]
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
# [recipients.headquarters]
# jurisdiction = "{abroad}"
# key = "age1..."

# A notice shown to people, by the items that it contains: those that {asking} asks for.
[notices.2026-11]
items = [{notice}]

# Whose signed packs of rules are obeyed. What the law leaves to counsel stays strict until an opinion is recorded:
# [rules.switches] NAME = "lenient" with [rules.opinions.NAME] number = "2026-11" and file = "opinions/2026-11.pdf".
[rules]
signers = ["{signer}"]
{papers}"""


@click.command()
@site_option
@click.option("--jurisdiction", required=True, help="Whose law it obeys, such as CN.")
@click.option("--name", required=True, help="What people call it, such as shanghai.")
@click.option("--papers", default="", help="A PostgreSQL database for its papers: postgresql://USER@HOST:PORT/NAME.")
@click.option("--papers-password", default="", metavar="FILE", help="Whose first line is that user's password.")
@json_option
@answers_for_errors
def init(site: Path, jurisdiction: str, name: str, papers: str, papers_password: str, as_json: bool) -> None:
    """Make a site: settings, root key, papers, an empty log and a first checkpoint."""
    make_site(site, jurisdiction, name, papers=papers, papers_password=papers_password)
    if as_json:
        put({"site": str(site), "vkey": (site / "ledger" / "vkey").read_text().split()[0]})
    say(f"made the site '{name}' in {site}; its root key is {site / 'keys' / 'root.key'}: keep a copy elsewhere")
    say(f"the key that signs permits lies beside it, in {regulator_key(site)}: it belongs to the regulator")


def regulator_key(folder: Path) -> Path:
    """Where the key lies that signs permits: beside the site, never in it. Hand it to the regulator, or replace it."""
    from onshore.border.granting import key_beside

    return key_beside(folder)


def make_site(
    folder: Path,
    jurisdiction: str,
    name: str,
    *,
    papers: str = "",
    papers_password: str = "",
    clock: Callable[[], int] = now_ms,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> None:
    """Lay out a new site in `folder`; refuses a folder that holds one, and a jurisdiction without a pack.

    `papers`: the URL of the database that they lie in, in that jurisdiction; empty: a file of the folder.
    """
    if (folder / "site.toml").exists():
        raise Refusal("site-exists", f"{folder} holds a site already", remedy="choose another folder with --site")
    pack, later = _obeyed(jurisdiction, clock())
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
            papers=_papers(papers, papers_password, jurisdiction),
            pack=pack.id,
            later="\nlater = [{}]".format(", ".join(f'"{p.id}"' for p in later)) if later else "",
            asking=pack.consent.notice_incomplete.article,
            abroad="US" if "DE" in pack.home else "DE",
            origin=f"onshore.example/{jurisdiction.lower()}/{name}",
            purposes=", ".join(f'"{p}"' for p in _PURPOSES),
            vkey=regulator.vkey,
            signer=release_key(),
            notice=", ".join(f'"{n}"' for n in pack.consent.notice_incomplete.items or NOTICE_ITEMS),
        )
    )
    site = open_site(folder, new=True, clock=clock, randomness=randomness)
    with writing(site.engine) as conn:
        version = site.law.on(site.today())
        site.hand_in(conn, site.entry("site", pack=version.pack.id, packdigest=f"sha256:{version.digest}"))
    site.settle()


def _papers(url: str, password: str, jurisdiction: str) -> str:
    """The table `[papers]` of the settings; none where the papers are a file of the site's folder."""
    if not url:
        return ""
    named(url)  # refuses what is no such URL before anything is made of it
    where = {"url": url, "jurisdiction": jurisdiction}
    where |= {"password": str(Path(password).absolute())} if password else {}
    return "\n[papers]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in where.items())


def _obeyed(jurisdiction: str, at: int) -> tuple[Pack, list[Pack]]:
    """The shipped pack in force there at an instant, and those that follow it; refuses where there is none."""
    shipped = [pack for name in shipped_names() if not is_draft(pack := shipped_pack(name).pack())]
    mine = sorted((p for p in shipped if jurisdiction in p.home), key=lambda p: p.valid_from)
    if not mine:
        known = ", ".join(sorted({code for p in shipped for code in p.home}))
        raise Refusal(
            "no-rule-pack",
            f"this release has no rule pack for '{jurisdiction}', so nothing could be kept there by any rule",
            remedy=f"jurisdictions with a pack: {known}; or write one ('onshore rules schema')",
        )
    today = local_day(at, mine[0].zone)
    standing = [p for p in mine if p.valid_from <= today and (p.valid_until is None or today <= p.valid_until)]
    if not standing:
        spans = "; ".join(f"{p.id} {validity(p)}" for p in mine)
        raise Refusal(
            STALE_RULES.code,
            f"no rule pack for '{jurisdiction}' is in force on {today}: {spans}",
            article=STALE_RULES.article,
            remedy="set the machine's clock, or take the release that has the pack of today",
        )
    return standing[-1], [p for p in mine if p.valid_from > today]
