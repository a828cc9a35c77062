"""Settings: what `site.toml` may say, key by key."""

from typing import Annotated, Literal

import msgspec

from onshore.words.vocabulary import MAX_PURPOSES

Role = Literal["operator", "officer", "regulator", "engineer", "owner"]
Reading = Literal["strict", "lenient"]
PackName = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}/[0-9]{4}-[0-9]{2}(-[a-z]+)?$")]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Identity(_Strict, frozen=True, kw_only=True):
    """Which site this is; `id` is random and never changes, `origin` is its log's name.

    `pack`: the rules it obeys; `later`: those that it goes over to, each on its own first day. On a day on which none
    of them is in force nothing is kept and nothing leaves.
    """

    id: str
    name: str
    jurisdiction: str
    pack: PackName
    origin: str
    purposes: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_PURPOSES)]
    buckets: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 16
    later: list[PackName] = []


class Gate(_Strict, frozen=True, kw_only=True):
    """Where the doors listen; a batch is closed at so many frames or milliseconds, whichever comes first."""

    host: str = "127.0.0.1"
    gb32960: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 32960
    batch_frames: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 2000
    batch_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 5
    rotate_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 60


class Person(_Strict, frozen=True, kw_only=True):
    """Somebody who acts at the site, by name; `vkey` verifies what a regulator signs."""

    role: Role
    vkey: str = ""


class Receiver(_Strict, frozen=True, kw_only=True):
    """Somebody abroad who may be sent something: jurisdiction code, age public key, status of the scenario book."""

    jurisdiction: str
    key: str
    status: str = "none"


class Notice(_Strict, frozen=True, kw_only=True):
    """A version of the notice shown to people, by which of the law's items it contains."""

    items: list[str]


class Opinion(_Strict, frozen=True, kw_only=True):
    """An opinion of counsel: its number, which the ledger shows, and its file, by a path from the site's folder."""

    number: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,79}$")]
    file: str


class Rules(_Strict, frozen=True, kw_only=True):
    """Whose signatures on packs this site obeys, and how counsel reads what the law leaves open.

    `switches`: a switch of the pack to its reading; `opinions`: the recorded opinion behind each that is lenient.
    """

    signers: list[str] = []
    switches: dict[str, Reading] = {}
    opinions: dict[str, Opinion] = {}


class Settings(_Strict, frozen=True, kw_only=True):
    """All of `site.toml`."""

    site: Identity
    gate: Gate = Gate()
    people: dict[str, Person] = {}
    recipients: dict[str, Receiver] = {}
    notices: dict[str, Notice] = {}
    rules: Rules = Rules()
