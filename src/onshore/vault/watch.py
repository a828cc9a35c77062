"""Watch: whether the papers have changed since the last look, at the price of a look."""

from sqlalchemy import Engine


class Watch:
    """Tells whoever has compiled something from the papers when to look again.

    SQLite counts the commits of all other connections, those of other processes included (PRAGMA data_version), which
    takes some microseconds instead of a query for each thing that may have changed. Of another database nobody can
    tell, and the answer is always yes.
    """

    def __init__(self, engine: Engine) -> None:
        self._own = engine.raw_connection() if engine.dialect.name == "sqlite" else None
        self._failures = engine.dialect.loaded_dbapi.Error
        self._seen = -1

    def changed(self) -> bool:
        """Whether anything was committed since the last look; yes at the first. OSError where papers do not answer."""
        if self._own is None:
            return True
        try:
            cursor = self._own.cursor()
            version = cursor.execute("PRAGMA data_version").fetchone()[0]
            cursor.close()
        except self._failures as failed:
            raise OSError(f"the papers do not answer: {failed}") from failed
        changed, self._seen = version != self._seen, version
        return bool(changed)

    def close(self) -> None:
        """Give the connection back."""
        if self._own is not None:
            self._own.close()
            self._own = None
