"""`onshore report`: papers that write themselves from live evidence; what a human must write keeps them drafts."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, put, say

if TYPE_CHECKING:
    from onshore.reports.report import Language, Report
    from onshore.site import Site


@click.group()
def report() -> None:
    """Papers for authorities: list, text, make."""


@report.command("list")
@at_site()
def list_(here: "Site", as_json: bool) -> None:
    """List the papers that this site owes or may want, with the law behind each."""
    from onshore.reports.form import KINDS, form

    for kind in KINDS:
        one = form(kind)
        if not one.for_(here.pack.home):
            continue
        said = {"kind": kind, "title": one.title.en, "title_zh": one.title.zh, "article": one.article.en}
        if as_json:
            put(said | {"mark": one.mark, "asks": sorted({name for item in one.item for name in item.asks})})
        else:
            click.echo(f"{kind:12}{one.title.en} / {one.title.zh}\n{'':12}{one.article.en}")


@report.command()
@click.argument("kind")
@at_site()
def text(here: "Site", kind: str, as_json: bool) -> None:
    """Print an empty file of texts for KIND: what humans must write, under which article, in each language."""
    from onshore.reports.draft import shaped
    from onshore.reports.form import asks
    from onshore.reports.human import skeleton

    shape = shaped(here, kind)
    if as_json:
        names = dict.fromkeys(name for item in shape.item for name in item.asks)
        put({name: {"zh": asks()[name].zh, "en": asks()[name].en} for name in names})
    else:
        click.echo(skeleton(shape), nl=False)


@report.command()
@click.argument("kind")
@click.option("--year", type=click.IntRange(2000, 9998), help="Of the site's calendar; this one unless told otherwise.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option(
    "--text", "texts", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="What humans wrote (TOML)."
)
@click.option("--final", is_flag=True, help="Refused while anything is open; the ledger then has the file's digest.")
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="FILE.pdf, .docx, .html or .json.",
)
@at_site("officer", default="officer")
def make(
    here: "Site", kind: str, year: int | None, lang: str, texts: Path | None, final: bool, to: Path, as_json: bool
) -> None:
    """Make the report KIND ('onshore report list' has them) of a year, from what the site knows now.

    A draft says what keeps it from being final: what a human must write, and evidence that contradicts itself.
    """
    from onshore.reports.draft import draft
    from onshore.reports.human import read
    from onshore.reports.making import write

    language: Language = "zh" if lang == "zh" else "en"
    written = read(texts, language) if texts else {}
    done = draft(here, kind, year or here.today().year, language, written, state="final" if final else "draft")
    entry = write(here, done, to)
    if as_json:
        put({"file": str(to), "state": done.state, "open": len(done.open), "proof": entry is not None})
    else:
        _tell(done, to, final=final)


def _tell(done: "Report", to: Path, *, final: bool) -> None:
    say(f"written to {to}: {done.title} {done.year}, {len(done.sections)} sections, {len(done.sources)} sources")
    for one in done.open:
        say(f"  open: {f'section {one.section}: ' if one.section else ''}{one.says}")
    if final:
        say(f"the ledger has its digest, and {to.name}.tlog-proof proves it: 'onshore verify {to.name}.tlog-proof'")
