"""A report as one JSON document, for programs."""

import json
from dataclasses import asdict

from onshore.reports.report import Report


def plain(report: Report) -> bytes:
    """The document."""
    return (json.dumps(asdict(report), ensure_ascii=False, indent=1) + "\n").encode()
