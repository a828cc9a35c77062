"""Opening the papers: laid out where they are new, upgraded where an older release made them, or refused."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, create_engine, insert, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from onshore import __version__
from onshore.vault.client import Database, opened
from onshore.vault.keeping import keeping
from onshore.vault.lock import hold
from onshore.vault.migrations import FIRST, HEAD
from onshore.vault.papers import meta, metadata, reading, site_keys, writing
from onshore.vault.transactions import made_strict
from onshore.words.errors import Broken, Refusal

_stamp = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
FILE = "papers.sqlite"
_OWNER = select(meta.c.value).where(meta.c.name == "site")


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path}"


def open_papers(where: str | Database, *, folder: Path | None = None, site: str = "", new: bool = False) -> Engine:
    """Open the papers: SQLite by its URL, or a PostgreSQL database. They are laid out where they are `new`.

    Papers of an older release are upgraded first, in one transaction, while no process holds a road of the site in
    `folder`. Refused: papers of a newer release (`papers-newer`), some that no release laid out (`papers-unknown`),
    those of a site of another id in the same database (`papers-taken`), and roads that are taken (`road-taken`); an
    empty database while the site's folder holds its papers in a file (`papers-left`). Broken where the site in `folder`
    has lost its papers, and they are not to be made `new` by somebody who fills them: a site with empty ones would
    know of no restriction and no consent withdrawn, and sign a second log.
    """
    if folder is not None and isinstance(where, str) and not (new or _in_file(folder)):
        raise _lost(f"{folder / FILE} is missing or empty")  # SQLite would make one in its place
    engine = _opened(where)
    try:
        with _reached(where), reading(engine) as conn:
            stands = _format(conn)
            empty = stands is None or conn.execute(select(site_keys.c.name).limit(1)).first() is None
        if folder is not None and empty and not new:
            _refuse_empty(where, folder)
        _settle(engine, stands, folder)
        _refuse_other(engine, site)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _opened(where: str | Database) -> Engine:
    if isinstance(where, Database):
        return opened(where)
    return made_strict(create_engine(where, hide_parameters=True))  # an error's text may reach a log


def _settle(engine: Engine, stands: str | None, folder: Path | None) -> None:
    if stands is not None:
        _refuse_unknown(stands)
    if stands != HEAD:
        with alone(folder if stands else None), writing(engine) as conn:
            _bring_up(conn, _format(conn))  # another process may have been quicker


@contextmanager
def _reached(where: str | Database) -> Iterator[None]:
    try:
        yield
    except DBAPIError as failed:
        if isinstance(where, str):
            raise
        raise Broken(
            f"{where.called} does not answer: {failed.orig}; see that PostgreSQL runs there and lets the user "
            f"'{where.user}' in, or mend [papers] of site.toml"
        ) from None


def _format(conn: Connection) -> str | None:
    """Which format the papers have; None where there are none."""
    there = inspect(conn)
    if there.has_table(_stamp.name):
        return conn.execute(select(_stamp.c.version_num)).scalar()
    return FIRST if there.has_table(meta.name) else None


def _refuse_unknown(stands: str) -> None:
    if stands > HEAD:
        raise Refusal(
            "papers-newer",
            f"a newer release laid these papers out: they have format {stands}, and this release ({__version__}) knows "
            f"formats up to {HEAD}",
            remedy="run the newer release again, or restore a backup that was made before it; no release goes back",
        )


def _refuse_empty(where: str | Database, folder: Path) -> None:
    if isinstance(where, Database) and _in_file(folder):
        raise Refusal(
            "papers-left",
            f"the database of [papers] is empty, and the site's papers lie in {folder / FILE}",
            remedy="'onshore papers copy' copies them into the database; or take [papers] out of site.toml again",
        )
    raise _lost(f"{where.called if isinstance(where, Database) else folder / FILE} holds none of them")


def _in_file(folder: Path) -> bool:
    file = folder / FILE
    return file.exists() and file.stat().st_size > 0


def _lost(what: str) -> Broken:
    return Broken(
        f"the papers of this site are gone: {what}. Nothing was made in their place; put them back, or restore the "
        "site from its backup ('onshore restore'). If it was only being made and holds nothing yet, remove its folder "
        "and make it again ('onshore init')"
    )


def _refuse_other(engine: Engine, site: str) -> None:
    if engine.dialect.name == "sqlite" or not site:
        return
    with reading(engine) as conn:
        stands = conn.execute(_OWNER).scalar()
    if stands is None:
        with writing(engine) as conn:
            if (stands := conn.execute(_OWNER).scalar()) is None:
                stands = site
                conn.execute(insert(meta).values(name="site", value=site))
    if stands != site:
        raise Refusal(
            "papers-taken",
            "the database holds the papers of another site",
            remedy="give each site a database of its own, and name it in [papers] of its site.toml",
        )


@contextmanager
def alone(folder: Path | None) -> Iterator[None]:
    """Hold every road of a site, so that no process of the older release goes on with papers that it does not know."""
    with ExitStack() as held:
        if folder is not None:
            held.enter_context(keeping(folder))
            roads = {path for path in (folder / "locks").glob("*") if path.name != "keep"}
            for path in sorted(roads | set((folder / "vault" / "journal").glob("*/lock"))):
                held.enter_context(hold(path, path.name if path in roads else "gate"))
        yield


def _bring_up(conn: Connection, stands: str | None) -> None:
    if stands == HEAD:
        return
    if stands is None:
        metadata.create_all(conn)
        _stamp.create(conn)
        conn.execute(insert(_stamp).values(version_num=HEAD))
        return
    from onshore.vault.migrations.upgrading import upgrade  # noqa: PLC0415 (it imports alembic, which takes a second)

    try:
        upgrade(conn, stands)
    except SQLAlchemyError as failed:
        raise Broken(
            f"the papers stay as they are, at format {stands}: to upgrade them failed ({type(failed).__name__}); run "
            f"the release that made them, and 'onshore check --deep' with it"
        ) from failed
