"""Key rounds: what whoever keeps a site does for its keys, and what the ledger is told of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from onshore.ledger.entry import digest
from onshore.vault.rotation import Told, change_root, tend

if TYPE_CHECKING:
    from onshore.site import Site


def telling(site: "Site") -> Callable[[Connection, Told], object]:
    """Hands the ledger an entry of each rotation: which key, by digest, and how many it had wrapped."""

    def tell(conn: Connection, told: Told) -> None:
        counted = {} if told.keys is None else {"keys": told.keys}
        obj = digest(f"{told.role} {told.which}")
        site.hand_in(conn, site.entry("key", role=told.role, state=told.state, obj=obj, **counted))

    return tell


def round_of(site: "Site", *, batches: int | None = None) -> bool:
    """Rotate what is due and go on with what is under way; True once nothing is left. Holds the keep road."""
    with site.keeping():
        return tend(site.root, telling(site), site.settings.keys.backup_days, batches=batches)


def new_root(site: "Site") -> None:
    """Have a new root key, where the settings wish for it, take the old one's place. Holds the keep road."""
    with site.keeping():
        change_root(site.root, telling(site))
