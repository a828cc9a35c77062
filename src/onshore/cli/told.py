"""What goes wrong while a site runs, in words, and told once for as long as it lasts."""

from sqlalchemy.exc import DBAPIError


class Told:
    """What went wrong, told once for as long as it lasts."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def well(self, what: str) -> None:
        """It works again; the next trouble is new."""
        self._last.pop(what, None)

    def is_new(self, what: str, error: Exception) -> bool:
        """Whether this trouble was not told before."""
        said = text(error)
        return self._last.get(what) != said and not self._last.update({what: said})


def text(error: Exception) -> str:
    """What a person is told of it: never the rows that a database's error may hold."""
    if isinstance(error, DBAPIError):
        return f"the papers do not answer: {error.orig}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
