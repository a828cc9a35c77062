"""Ready: whether the rooms that every road needs answer, and which does not."""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy.exc import SQLAlchemyError

from onshore.border.permits import clocks
from onshore.border.sending import accounts
from onshore.desk.looks import keys
from onshore.desk.looks.status import Line
from onshore.desk.watch.parts import waiting
from onshore.site import Site
from onshore.vault.papers import reading
from onshore.vault.space import free_bytes
from onshore.words.errors import Broken, OnshoreError

_EARLIEST = 1_735_689_600_000  # 2025-01-01: a clock before it was never set
_LONGEST = 60_000  # milliseconds for which an entry may wait for whoever keeps the site


def looks(site: Site) -> Iterator[Line]:
    """Vault, ledger, keys, clock, egress: a line each. What fails is told without what a database's error may hold."""
    for what, look in _LOOKS.items():
        try:
            yield Line(what, True, look(site))
        except (OnshoreError, OSError) as error:
            yield Line(what, False, str(error))
        except SQLAlchemyError as error:
            yield Line(what, False, f"the papers do not answer ({type(error).__name__})")


def _vault(site: Site) -> str:
    with reading(site.engine):
        free, least = free_bytes(site.folder), site.settings.vault.least_free
    if free < least:
        raise Broken(f"{free >> 20} MiB are free; below {least >> 20} the gates take nothing in ([vault] least_free)")
    return "papers answer, and the disk has room"


def _ledger(site: Site) -> str:
    count, oldest = waiting(site)
    if oldest is not None and site.clock() - oldest > _LONGEST:
        raise Broken(f"{count} entries wait for longer than a minute: see that a process keeps the site")
    return f"{site.reopened().size} entries under a checkpoint of ours"


def _keys(site: Site) -> str:
    return keys.checked(site)


def _clock(site: Site) -> str:
    if site.clock() < _EARLIEST:
        raise Broken("the clock was never set")
    with reading(site.engine) as conn:
        clocks.believed(site, conn)
    return "it is believed"


def _egress(site: Site) -> str:
    with reading(site.engine) as conn:
        left = accounts.total(conn).unexplained
    if left:
        raise Broken(f"{left} bytes left that no account explains: 'onshore check' says more")
    return "every byte that left is in an account"


_LOOKS: Mapping[str, Callable[[Site], str]] = {
    "vault": _vault,
    "ledger": _ledger,
    "keys": _keys,
    "clock": _clock,
    "egress": _egress,
}
LOOKS = tuple(_LOOKS)
