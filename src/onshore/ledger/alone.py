"""The verifier as one file, onshore-verify.pyz: its modules and nothing else, the same bytes for the same source."""

import io
import zipfile
from importlib import resources

NAME = "onshore-verify.pyz"
MODULES = (
    "__main__",
    "canonical",
    "contents",
    "history",
    "mldsa",
    "note",
    "policy",
    "signatures",
    "totals",
    "tree",
    "verify",
)
"""Of `onshore.ledger`: those that the import contract `verifier` lets import nothing else of ours."""

_START = b"import sys\n\nfrom onshore.ledger.__main__ import main\n\nsys.exit(main())\n"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can tell; a time of building would change the bytes


def built() -> bytes:
    """The file; it starts with `python3 -I -S onshore-verify.pyz`."""
    names = ["__init__.py", "ledger/__init__.py", *(f"ledger/{module}.py" for module in MODULES)]
    here = resources.files("onshore")
    files = {"__main__.py": _START} | {f"onshore/{name}": here.joinpath(name).read_bytes() for name in names}
    out = io.BytesIO()
    out.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as archive:  # compressors differ from machine to machine
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, files[name])
    return out.getvalue()
