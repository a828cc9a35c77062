"""What commands share: the site option, data on stdout, talk on stderr, and refusals told to a person."""

import functools
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click
from sqlalchemy.exc import SQLAlchemyError

from onshore.words.errors import Broken, Malformed, OnshoreError, Refusal
from onshore.words.instants import clock_text

if TYPE_CHECKING:
    from onshore.words.settings import Role

__all__ = ["clock_text"]  # who tells of a site needs it as well

SEERS: "tuple[Role, ...]" = ("operator", "officer", "regulator", "engineer", "owner")

Command = TypeVar("Command", bound=Callable[..., Any])

site_option = click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="ONSHORE_SITE",
    default=Path("./site"),
    show_default=True,
    help="The site's folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


_talk: Callable[[str], None] = functools.partial(click.echo, err=True)


def say(text: str) -> None:
    """Talk to a person, on stderr, or to whatever reads the log that `talk_to` begins."""
    _talk(text)


def talk_to(talk: Callable[[str], None]) -> None:
    """From now on what is said to a person goes there instead, for as long as this process lives."""
    globals()["_talk"] = talk


def put(data: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(data, ensure_ascii=False, default=str))


def missing_desk() -> str:
    """What of the extra `onshore[desk]` is not installed; empty where all of it is."""
    wanted = ("starlette", "jinja2", "uvicorn", "argon2", "babel", "python_multipart")
    return ", ".join(name for name in wanted if importlib.util.find_spec(name) is None)


def told(error: OnshoreError) -> str:
    """An error as a person reads it: what happened, why, what to do."""
    if isinstance(error, Refusal):
        lines = [f"refused ({error.reason}): {error.says}"]
        lines += [f"  article: {error.article}"] if error.article else []
        lines += [f"  what would help: {error.remedy}"] if error.remedy else []
        return "\n".join(lines)
    return f"{'broken' if isinstance(error, Broken) else 'not readable'}: {error}"


def answers_for_errors(command: Command) -> Command:
    """End a command on one of our errors with its exit code, the error told on stderr (as JSON where asked)."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        error: OnshoreError
        try:
            return command(*args, **kwargs)
        except OnshoreError as why:
            error = why
            if kwargs.get("as_json") and isinstance(error, Refusal):
                put({"refused": error.reason, "says": error.says, "article": error.article, "remedy": error.remedy})
        except (OSError, UnicodeError) as why:
            error = Malformed(_system_says(why))
        except SQLAlchemyError as why:
            what = f"the papers do not answer ({type(why).__name__})"
            error = Broken(f"{what}: look at the disk or the database, or restore a backup")
        say(told(error))
        sys.exit(error.exit_code)

    return run  # type: ignore[return-value] # wraps keeps the signature that click reads


def at_site(*roles: "Role", default: str | None = None, shows: str = "") -> Callable[[Command], Command]:
    """Options `--site`, `--json` and, for an act of some `roles`, `--as`; the open site is handed over as `here`.

    Refused before the command runs: whoever `--as` names and has none of the roles. `default`: who acts unless told
    otherwise. A command takes of `actor` and `as_json` what it needs. `shows`: what it shows of rows or persons, as a
    word of the ledger; whoever `--as` names and looks from abroad is refused, without it whoever sits here looks.
    """
    acting = click.option(
        "--as",
        "actor",
        metavar="NAME",
        required=default is None and bool(roles),
        default=default,
        show_default=default is not None,
        help="Who does it: a name of site.toml.",
    )

    def opening(command: Command) -> Command:
        taken = inspect.signature(command).parameters
        rest = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values())

        @site_option
        @json_option
        @answers_for_errors
        @functools.wraps(command)
        def run(site: Path, **said: Any) -> Any:
            from onshore.cli.egress import record
            from onshore.site import open_site

            here = open_site(site)
            if roles:
                here.person(said["actor"], *roles)
            if shows and said["actor"] is not None:
                _refuse_abroad(here, said["actor"], shows)
            try:
                handed = {n: v for n, v in said.items() if n in taken or (rest and n not in ("actor", "as_json"))}
                done = command(here=here, **handed)
            except BaseException:
                with suppress(OnshoreError):  # a person is told what ended the command
                    record(here)
                raise
            record(here)
            return done

        return acting(run) if roles or shows else run  # type: ignore[return-value] # wraps keeps what click reads

    return opening


def _refuse_abroad(here: Any, actor: str, shows: str) -> None:
    from onshore.register.views import refuse_abroad

    here.person(actor, *SEERS)
    refuse_abroad(here, actor, shows)


def _system_says(why: OSError | UnicodeError) -> str:
    """What the system says, with the file it speaks of; of text that is none, not the text."""
    if isinstance(why, UnicodeError):
        return "a file or an argument holds bytes that are no UTF-8 text"
    return f"{why.filename}: {why.strerror}" if why.filename else str(why)


def instant(text: str | None, zone: str) -> int | None:
    """Milliseconds UTC of a date or ISO time; a time without offset, or a date, is local to `zone`."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(f"'{text}' is no date or time; write 2026-11-22 or 2026-11-22T08:30:00+08:00") from None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=ZoneInfo(zone))
    return int(parsed.timestamp() * 1000)


def iso(at: int | None) -> str | None:
    """An instant for programs: ISO 8601 in UTC, or nothing."""
    return None if not at else clock_text(at)


def person_id(text: str | None) -> int | None:
    """A person's id from its 16 hex digits, if any are given; Malformed where they are none."""
    if text is None:
        return None
    if len(text) != 16 or not set(text) <= set("0123456789abcdef"):
        raise Malformed("a person is named by the 16 hex digits that 'onshore vehicle show' prints")
    return int(text, 16) & (1 << 63) - 1
