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


class Issuer(_Strict, frozen=True, kw_only=True):
    """A maker's own authority whose certificates name vehicles: the PEM file of those that issue them directly.

    `kind`: "vin-in-cn", the subject's common name is the VIN, with '.' read as '-'. `devices`: extended key usages
    (dotted) of which a certificate must bear one to be a vehicle's; none is asked for where the list is empty.
    """

    ca: str
    kind: Literal["vin-in-cn"] = "vin-in-cn"
    devices: list[Annotated[str, msgspec.Meta(pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$")]] = []


class Certificates(_Strict, frozen=True, kw_only=True):
    """How many days what the site's authority signs is good for, and how long before its end a gate's is renewed."""

    vehicle_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 90
    gate_days: Annotated[int, msgspec.Meta(ge=2, le=90)] = 30
    renew_days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 10


Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Platform(_Strict, frozen=True, kw_only=True):
    """Another platform that may log in at the door gb32960 and send for cars that are registered here.

    `user` and the first line of the file `password` are what it logs in with: 12 and 20 bytes of ASCII at most.
    `vins`: how the VINs begin of the cars that it may send for; where the list is empty, it may for all.
    """

    user: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,12}$")]
    password: Annotated[str, msgspec.Meta(min_length=1)]
    vins: list[Annotated[str, msgspec.Meta(pattern=r"^[A-HJ-NPR-Z0-9]{1,17}$")]] = []


class BodyKeys(_Strict, frozen=True, kw_only=True):
    """Files with the keys (32 hex digits) that open encrypted data units of gb32960, and how the cipher is used."""

    aes128: str = ""
    sm4: str = ""
    mode: Literal["ecb", "cbc"] = "ecb"


class MqttBridge(_Strict, frozen=True, kw_only=True):
    """A maker's own MQTT broker, which the gate subscribes to; it stands in the site's jurisdiction.

    `topics`: such as "fleet/{vin}/telemetry", where one level names the car: {vin}, or {vehicle}, its id here in 16 hex
    digits; each brings telemetry or alerts. `ca`: PEM file of who signed the broker's certificate, by default those
    that the machine trusts; `certificate` and `key`, or `user` and the first line of the file `password`: what the gate
    shows. A broker keeps messages for the gate while it is away: `persistence` says whether it writes them to its disk,
    `stated_by` who says so; or `config` names the broker's own configuration files, where they can be read from here.
    """

    host: Annotated[str, msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8883
    jurisdiction: str
    topics: Annotated[dict[str, Literal["telemetry", "alerts"]], msgspec.Meta(min_length=1)]
    version: Literal["3.1.1", "5"] = "5"
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "onshore"
    tls: bool = True
    ca: str = ""
    certificate: str = ""
    key: str = ""
    user: str = ""
    password: str = ""
    persistence: Literal["off", "on", "unknown"] = "unknown"
    stated_by: str = ""
    config: list[str] = []


class Uploads(_Strict, frozen=True, kw_only=True):
    """The door upload: largest file in bytes, days after which one that does not go on is forgotten, and CAN databases.

    `unpacked`: bytes of a file as it unpacks; `rows`: of a file that are read; `day`: bytes of a car in a day (UTC), as
    its files unpack; `begins`: how many files it may begin in a minute. `dbc`: names that manifests may use, each with
    its file. `exceptions` from the longest time of keeping: those that manifests may claim where the law knows them;
    whether a fleet's files are such is for counsel to say.
    """

    most: Annotated[int, msgspec.Meta(ge=1, le=1 << 44)] = 8 << 30
    unpacked: Annotated[int, msgspec.Meta(ge=1, le=1 << 48)] = 32 << 30
    rows: Annotated[int, msgspec.Meta(ge=1, le=1 << 40)] = 100_000_000
    day: Annotated[int, msgspec.Meta(ge=1, le=1 << 48)] = 64 << 30
    begins: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 30
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 7
    dbc: dict[str, str] = {}
    exceptions: list[Literal["user-cloud", "road-test", "safety-clip"]] = []


class Vault(_Strict, frozen=True, kw_only=True):
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


class Token(_Strict, frozen=True, kw_only=True):
    """A PKCS#11 token that holds the root key: the library's path, labels of token and key, the file with the PIN.

    `pin`: a path from the site's folder; its first line counts.
    """

    module: Annotated[str, msgspec.Meta(pattern=r"^/")]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] = "onshore"
    pin: Annotated[str, msgspec.Meta(min_length=1)]


class Keys(_Strict, frozen=True, kw_only=True):
    """Where the root key is kept, and for how many days copies of the keys below it may live in backups.

    After a change of `provider` 'onshore keys rotate --root' goes over to it; until then the old one stays the root.
    `backup_days`: fewer than the law gives for an erasure; without it no copies of keys are made.
    """

    provider: Literal["file", "pkcs11"] = "file"
    pkcs11: Token | None = None
    backup_days: Annotated[int, msgspec.Meta(ge=2, le=366)] | None = None


class Gate(_Strict, frozen=True, kw_only=True):
    """Where the doors listen; a door without a port stays closed.

    A batch is closed at so many frames, bytes or milliseconds, whichever comes first. So many gate `processes` may
    share the ports, each started with `onshore serve --only gate`. A time that lies further from a row's arrival than
    `behind_days` or `ahead_minutes` is not believed: the row is filed, apart, under the day of its arrival.

    `names`: host names and addresses under which cars know the gate, in the certificate that the site's authority
    signs for it; or `certificate` and `key`, PEM files of the operator's own. `issuers`: whose vehicles' certificates
    are taken beside the site's own.

    `rate`: frames of one car that are taken in a second; of one that sends more, the rest waits. `activation`: whose
    chip a car's is (gb32960): of whoever activates one first, or "awaited", the one that 'onshore vehicle chip' named.
    """

    host: str = "127.0.0.1"
    gb32960: Port | None = None
    gb32960_tls: Port | None = None
    fleet: Port | None = None
    mqtt: Port | None = None
    mqtt_bridge: MqttBridge | None = None
    upload: Port | None = None
    uploads: Uploads = Uploads()
    processes: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    platforms: dict[str, Platform] = {}
    activation: Literal["first", "awaited"] = "first"
    rate: Annotated[int, msgspec.Meta(ge=10, le=100_000)] = 2000
    body_keys: BodyKeys = BodyKeys()
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("localhost", "127.0.0.1")
    certificate: str = ""
    key: str = ""
    issuers: dict[str, Issuer] = {}
    batch_frames: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10_000
    batch_bytes: Annotated[int, msgspec.Meta(ge=1 << 16, le=1 << 26)] = 8 << 20
    batch_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 5
    behind_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30
    ahead_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 10
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


class Wanted(_Strict, frozen=True, kw_only=True):
    """How a purpose wants what it may have from a car: how often at most, under which condition, how precisely.

    `condition`: such as "Vehicle.Speed > 0"; empty: always. `precision`: by signal, where it is coarser than usual.
    """

    period_ms: Annotated[int, msgspec.Meta(ge=100, le=3_600_000)] = 1000
    condition: str = ""
    precision: dict[str, str] = {}


class PolicyHost(_Strict, frozen=True, kw_only=True):
    """A machine that cars may be told to send to: where it stands, and its port for Tesla's stream."""

    jurisdiction: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 443


class CarPolicy(_Strict, frozen=True, kw_only=True):
    """What cars are told to send: for `days` at most unless told anew, to `host`, one of `hosts`.

    Without a `host` it is the first of the gate's own names. A car lags when it obeys no current policy `lag_minutes`
    after that was made.
    """

    host: str = ""
    hosts: dict[str, PolicyHost] = {}
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 7
    lag_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 60
    wanted: dict[str, Wanted] = {}


class Rights(_Strict, frozen=True, kw_only=True):
    """How the desk is warned of clocks that the law runs for what persons ask: so many working days before the end."""

    warn_working_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 3


class Forward(_Strict, frozen=True, kw_only=True):
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


class Papers(_Strict, frozen=True, kw_only=True):
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


class Queries(_Strict, frozen=True, kw_only=True):
    """What one query may take: memory in MiB (clear rows never go to a disk instead), seconds, and threads."""

    memory_mb: Annotated[int, msgspec.Meta(ge=64, le=1 << 20)] = 1024
    seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 600
    threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 2


class Settings(_Strict, frozen=True, kw_only=True):
    """All of `site.toml`."""

    site: Identity
    papers: Papers = Papers()
    gate: Gate = Gate()
    vault: Vault = Vault()
    keys: Keys = Keys()
    certificates: Certificates = Certificates()
    people: dict[str, Person] = {}
    recipients: dict[str, Receiver] = {}
    notices: dict[str, Notice] = {}
    rules: Rules = Rules()
    policy: CarPolicy = CarPolicy()
    rights: Rights = Rights()
    forward: dict[Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,19}$")], Forward] = {}
    query: Queries = Queries()
