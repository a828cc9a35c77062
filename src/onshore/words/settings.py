"""Settings: what `site.toml` may say, key by key."""

from typing import Annotated, Literal
from unicodedata import normalize

import msgspec

from onshore.words.settings_border import Clock, Filing, Permits, Published, Receiver, Witnesses
from onshore.words.settings_desk import Desk
from onshore.words.settings_gate import Gate
from onshore.words.settings_watch import Registers, Watch
from onshore.words.strict import BadValueError, Strict
from onshore.words.vocabulary import MAX_PURPOSES

Role = Literal["operator", "officer", "regulator", "engineer", "owner"]
Reading = Literal["strict", "lenient"]
Place = Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{2})?$")]
PackName = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}/[0-9]{4}-[0-9]{2}(-[a-z]+)?$")]


def reads_as(name: str) -> str:
    """A name as it reads: capitals, blanks and other letters of the same look count for nothing."""
    return "".join(normalize("NFKC", name).casefold().split())


class Identity(Strict, frozen=True, kw_only=True):
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


class Certificates(Strict, frozen=True, kw_only=True):
    """How many days what the site's authority signs is good for, and how long before its end a gate's is renewed."""

    vehicle_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 90
    gate_days: Annotated[int, msgspec.Meta(ge=2, le=90)] = 30
    renew_days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 10


class Vault(Strict, frozen=True, kw_only=True):
    """What the vault keeps to: bytes and milliseconds.

    `least_free`: of the disk stay free; below it the gates take nothing in, so that erasing, draining and papers still
    have room. `slow_ms`: a sync that takes longer has the gates rest as long as it took. `journal_bytes`: at which a
    gate closes its journal file and begins the next (or after `rotate_seconds` of [gate]). `aside_days`: for which a
    journal file that was found damaged is kept aside, unless an erasure comes first.
    """

    least_free: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)] = 1 << 30
    slow_ms: Annotated[int, msgspec.Meta(ge=10, le=600_000)] = 2000
    journal_bytes: Annotated[int, msgspec.Meta(ge=1 << 16, le=1 << 30)] = 64 << 20
    aside_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30


class Token(Strict, frozen=True, kw_only=True):
    """A PKCS#11 token that holds the root key: the library's path, labels of token and key, the file with the PIN.

    `pin`: a path from the site's folder; its first line counts.
    """

    module: Annotated[str, msgspec.Meta(pattern=r"^/")]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] = "onshore"
    pin: Annotated[str, msgspec.Meta(min_length=1)]


class Keys(Strict, frozen=True, kw_only=True):
    """Where the root key is kept, and for how many days copies of the keys below it may live in backups.

    After a change of `provider` 'onshore keys rotate --root' goes over to it; until then the old one stays the root.
    `backup_days`: fewer than the law gives for an erasure; without it no copies of keys are made.
    """

    provider: Literal["file", "pkcs11"] = "file"
    pkcs11: Token | None = None
    backup_days: Annotated[int, msgspec.Meta(ge=2, le=366)] | None = None


class Person(Strict, frozen=True, kw_only=True):
    """Somebody who acts at the site, by name; `vkey` verifies what a regulator signs, or an officer records.

    `jurisdiction`: where they sit. `employer`: of [recipients], or anybody; `employer_jurisdiction`: where that stands,
    of a recipient its own. Without them all is the site's own, but for engineers, who look from abroad, and for who
    works for somebody of whom nothing says where that stands.
    """

    role: Role
    vkey: str = ""
    jurisdiction: Place = ""
    employer: str = ""
    employer_jurisdiction: Place = ""


class Notice(Strict, frozen=True, kw_only=True):
    """A version of the notice shown to people, by which of the law's items it contains."""

    items: list[str]


class Opinion(Strict, frozen=True, kw_only=True):
    """An opinion of counsel: its number, which the ledger shows, and its file, by a path from the site's folder."""

    number: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,79}$")]
    file: str


class Rules(Strict, frozen=True, kw_only=True):
    """Whose signatures on packs this site obeys, and how counsel reads what the law leaves open.

    `switches`: a switch of the pack to its reading; `opinions`: the recorded opinion behind each that is lenient.
    """

    signers: list[str] = []
    switches: dict[str, Reading] = {}
    opinions: dict[str, Opinion] = {}


class Wanted(Strict, frozen=True, kw_only=True):
    """How a purpose wants what it may have from a car: how often at most, under which condition, how precisely.

    `condition`: such as "Vehicle.Speed > 0"; empty: always. `precision`: by signal, where it is coarser than usual.
    """

    period_ms: Annotated[int, msgspec.Meta(ge=100, le=3_600_000)] = 1000
    condition: str = ""
    precision: dict[str, str] = {}


class PolicyHost(Strict, frozen=True, kw_only=True):
    """A machine that cars may be told to send to: where it stands, and its port for Tesla's stream."""

    jurisdiction: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 443


class CarPolicy(Strict, frozen=True, kw_only=True):
    """What cars are told to send: for `days` at most unless told anew, to `host`, one of `hosts`.

    Without a `host` it is the first of the gate's own names. A car lags when it obeys no current policy `lag_minutes`
    after that was made.
    """

    host: str = ""
    hosts: dict[str, PolicyHost] = {}
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 7
    lag_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 60
    wanted: dict[str, Wanted] = {}


class Rights(Strict, frozen=True, kw_only=True):
    """How the desk is warned of clocks that the law runs for what persons ask: so many working days before the end."""

    warn_working_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 3


class Forward(Strict, frozen=True, kw_only=True):
    """A national or local platform to which the law has statutory units sent on (GB/T 32960.3); it stands at home.

    `code`: under which this platform is known there; `user` and the first line of the file `password`: what it logs in
    with. `edition` of the frames. `tls`, with `ca` (PEM file) where it is not one that the machine trusts.
    """

    host: Annotated[str, msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 32960
    jurisdiction: str
    code: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,17}$")]
    user: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,12}$")]
    password: Annotated[str, msgspec.Meta(min_length=1)]
    edition: Literal[2016, 2025] = 2016
    tls: bool = False
    ca: str = ""


class Papers(Strict, frozen=True, kw_only=True):
    """Where the papers are: in the file papers.sqlite of the site's folder, or in a PostgreSQL database.

    `url`: such as "postgresql:///onshore?host=/run/postgresql", or "postgresql://USER@HOST:PORT/NAME". A host other
    than this machine is spoken to with TLS alone (`ca`: PEM file of who signed its certificate, by default those that
    the machine trusts) and stands in the site's `jurisdiction`. The first line of the file `password` is sent where the
    server asks for one. `archive_days`: how long archives of its write-ahead log and base backups are kept; those hold
    old wrapped keys.
    """

    url: str = ""
    jurisdiction: str = ""
    password: str = ""
    ca: str = ""
    archive_days: Annotated[int, msgspec.Meta(ge=0, le=3660)] = 0


class Queries(Strict, frozen=True, kw_only=True):
    """What one query may take: memory in MiB (clear rows never go to a disk instead), seconds, and threads."""

    memory_mb: Annotated[int, msgspec.Meta(ge=64, le=1 << 20)] = 1024
    seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 600
    threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 2


class Settings(Strict, frozen=True, kw_only=True):
    """All of `site.toml`."""

    site: Identity
    papers: Papers = Papers()
    gate: Gate = Gate()
    vault: Vault = Vault()
    keys: Keys = Keys()
    certificates: Certificates = Certificates()
    people: dict[str, Person] = {}
    recipients: dict[str, Receiver] = {}
    permits: Permits = Permits()
    clock: Clock = Clock()
    witnesses: Witnesses = Witnesses()
    ledger: Published = Published()
    notices: dict[str, Notice] = {}
    rules: Rules = Rules()
    policy: CarPolicy = CarPolicy()
    rights: Rights = Rights()
    forward: dict[Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,19}$")], Forward] = {}
    query: Queries = Queries()
    filing: Filing = Filing()
    desk: Desk | None = None
    watch: Watch | None = None
    registers: Registers = Registers()

    def __post_init__(self) -> None:
        """Two officers are two names: not one that is written twice, in capitals or other letters of the same look."""
        known: dict[str, str] = {}
        for name in self.people:
            same = known.setdefault(reads_as(name), name)
            if same != name:
                raise BadValueError(f"'{name}' and '{same}' read alike, so nobody sees who did what", where="people")
