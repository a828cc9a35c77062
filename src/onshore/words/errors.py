"""Every error that Onshore raises on purpose.

OnshoreError
├── Refusal      Onshore will not, and says why: reason code, article, remedy      exit 1
├── Malformed    the sender's bytes or papers are wrong: where, what               exit 2
└── Broken       our own fault, or somebody tampered                               exit 3

Withholding a column is a value (see `tally.py`), not an error.
"""


class OnshoreError(Exception):
    """What all of ours have in common; never raised itself."""

    exit_code = 3


class Refusal(OnshoreError):
    """Onshore will not. `reason` is a code, `article` the law behind it, `remedy` what would help."""

    exit_code = 1

    def __init__(self, reason: str, says: str, *, article: str = "", remedy: str = "") -> None:
        super().__init__(says)
        self.reason = reason
        self.says = says
        self.article = article
        self.remedy = remedy


class Malformed(OnshoreError):
    """The sender's bytes or papers are wrong: `where` (offset, line, field) and `what`."""

    exit_code = 2

    def __init__(self, what: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.what = what
        self.where = where


class Broken(OnshoreError):
    """Our own fault, or somebody tampered: what was found, and what to do about it."""

    exit_code = 3
