"""Watch: whether the papers have changed since the last look, at the price of a look."""

from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection

_LOOKS = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT pg_current_snapshot()::text"}


class Watch:
    """Tells whoever has compiled something from the papers when to look again.

    SQLite counts the commits of all other connections, those of other processes included (PRAGMA data_version).
    PostgreSQL says which transactions a look would see: where that is what it was, so is all that they wrote. Either
    takes some microseconds instead of a query for each thing that may have changed; PostgreSQL answers yes as well
    when somebody wrote to another database of the same server.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._failures = engine.dialect.loaded_dbapi.Error
        self._ask = _LOOKS[engine.dialect.name]
        self._own: PoolProxiedConnection | None = engine.raw_connection()
        self._closed = False
        self._seen: Any = None

    def changed(self) -> bool:
        """Whether anything was committed since the last look; yes at the first. OSError where papers do not answer."""
        if self._closed:
            return True
        try:
            version = self._look()
        except self._failures as failed:
            self._drop()
            raise OSError(f"the papers do not answer: {failed}") from failed
        changed, self._seen = version != self._seen, version
        return bool(changed)

    def _look(self) -> Any:
        if self._own is None:
            self._own = self._engine.raw_connection()
        cursor = self._own.cursor()
        cursor.execute(self._ask)
        (version,) = cursor.fetchone() or (None,)
        cursor.close()
        return version

    def _drop(self) -> None:
        """Leave a connection that failed; the next look takes another, of which nothing has been seen."""
        if self._own is not None:
            self._own.invalidate()
            self._own.close()
        self._own, self._seen = None, None

    def close(self) -> None:
        """Give the connection back."""
        self._closed = True
        if self._own is not None:
            self._own.close()
            self._own = None
