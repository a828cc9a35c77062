"""Settings of the gate: where the doors listen, whom they believe, what they bear."""

from typing import Annotated, Literal

import msgspec

from onshore.words.strict import Strict


class Issuer(Strict, frozen=True, kw_only=True):
    """A maker's own authority whose certificates name vehicles: the PEM file of those that issue them directly.

    `kind`: "vin-in-cn", the subject's common name is the VIN, with '.' read as '-'. `devices`: extended key usages
    (dotted) of which a certificate must bear one to be a vehicle's; none is asked for where the list is empty.
    """

    ca: str
    kind: Literal["vin-in-cn"] = "vin-in-cn"
    devices: list[Annotated[str, msgspec.Meta(pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$")]] = []


Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Platform(Strict, frozen=True, kw_only=True):
    """Another platform that may log in at the door gb32960 and send for cars that are registered here.

    `user` and the first line of the file `password` are what it logs in with: 12 and 20 bytes of ASCII at most.
    `vins`: how the VINs begin of the cars that it may send for; where the list is empty, it may for all.
    """

    user: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,12}$")]
    password: Annotated[str, msgspec.Meta(min_length=1)]
    vins: list[Annotated[str, msgspec.Meta(pattern=r"^[A-HJ-NPR-Z0-9]{1,17}$")]] = []


class BodyKeys(Strict, frozen=True, kw_only=True):
    """Files with the keys (32 hex digits) that open encrypted data units of gb32960, and how the cipher is used."""

    aes128: str = ""
    sm4: str = ""
    mode: Literal["ecb", "cbc"] = "ecb"


class MqttBridge(Strict, frozen=True, kw_only=True):
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


class Uploads(Strict, frozen=True, kw_only=True):
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


class Gate(Strict, frozen=True, kw_only=True):
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
