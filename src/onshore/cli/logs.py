"""Logs of `onshore serve` as JSON: one line for each thing said, with nobody's number or place in it."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, TextIO

from onshore.cli.common import talk_to

_CAR = re.compile(r"(?<![A-Z0-9])(?=[A-Z0-9]*[0-9])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])", re.ASCII)
_PLACE = re.compile(r"(?<![\d.])-?\d{1,3}\.\d{3,}(?![\d.])", re.ASCII)
_MASK = "…"
_OURS = logging.getLogger("onshore.serve")


def begin(site: str, roads: Collection[str], out: TextIO | None = None) -> None:
    """From now on what this process says, and what its doors log, are lines of JSON on stderr, until it ends.

    `site`: its random id. What code of others warns of is there too, by its name.
    """
    lines = logging.StreamHandler(out or sys.stderr)
    lines.setFormatter(Lines(site, roads))
    logging.basicConfig(level=logging.INFO, handlers=[lines], force=True)
    logging.captureWarnings(capture=True)
    talk_to(_OURS.info)


class Lines(logging.Formatter):
    """A record as one line of JSON. Of an error its kind and where it was, never its words: they may hold a row."""

    def __init__(self, site: str, roads: Collection[str]) -> None:
        super().__init__()
        self._head = {"site": site, "roads": list(roads)}

    def format(self, record: logging.LogRecord) -> str:
        """The line; whatever looks like a car's number or a coordinate is masked, should it ever come so far."""
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            **self._head,
            "from": record.name,
            "says": masked(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1] is not None:
            said["error"] = type(record.exc_info[1]).__name__
            frames = traceback.extract_tb(record.exc_info[2])
            said["where"] = [f"{frame.name}:{frame.lineno}" for frame in frames]
        return json.dumps(said, ensure_ascii=False)


def masked(text: str) -> str:
    """A text without what looks like a VIN or a coordinate."""
    return _PLACE.sub(_MASK, _CAR.sub(_MASK, text))
