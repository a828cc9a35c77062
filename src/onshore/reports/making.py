"""Make a report: the bytes of its file, by the file's name; of a final one the ledger has the digest."""

import importlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from onshore.reports.report import Report
from onshore.site import Site
from onshore.vault.disk import write_new
from onshore.vault.papers import writing
from onshore.words.errors import Malformed, Refusal

WRITERS = {".pdf": "pdf", ".docx": "docx", ".html": "html", ".json": "plain"}
"""A file's ending to the module and function that makes its bytes; each is loaded when it is asked for."""


def made(report: Report, suffix: str) -> bytes:
    """The bytes of a report's file; refuses (`extra-missing`) where what sets it is not installed."""
    if suffix not in WRITERS:
        raise Malformed(f"'{suffix}' is no ending that a report is written with: {', '.join(WRITERS)}", where="--to")
    name = WRITERS[suffix]
    try:
        write: Callable[[Report], bytes] = getattr(importlib.import_module(f"onshore.reports.files.{name}"), name)
    except (ImportError, OSError) as error:  # WeasyPrint loads Pango when it is imported
        raise Refusal(
            "extra-missing",
            f"what writes {suffix} is not installed here ({error.__class__.__name__})",
            remedy="pip install 'onshore[reports]'; for .pdf also Debian's libpango-1.0-0 and libpangoft2-1.0-0",
        ) from error
    return write(report)


def write(site: Site, report: Report, to: Path) -> int | None:
    """Write a report to a file; of a final one the number of the ledger's entry, which names the file's digest.

    The proof of that entry, FILE.tlog-proof, is laid beside it, for whoever has the file and the log's key. A draft
    takes the place of what lies there; a final report never does (`file-there`).
    """
    data = made(report, to.suffix)
    if report.state == "draft":
        to.write_bytes(data)
        return None
    if to.exists():
        raise Refusal("file-there", f"{to.name} is there already", remedy="give a final report a name of its own")
    write_new(to, data)
    digest = f"sha256:{sha256(data).hexdigest()}"
    with writing(site.engine) as conn:
        number = site.hand_in(conn, site.entry("report", obj=digest, what=report.kind, year=report.year))
    proof = site.proof(number)
    write_new(to.with_name(f"{to.name}.tlog-proof"), proof.encode())
    return number
