"""Settings of the border: who may be sent something, and how."""

from typing import Annotated, Literal

import msgspec

from onshore.words.strict import Strict


class Send(Strict, frozen=True, kw_only=True):
    """How parcels reach a recipient: laid into the outbox, uploaded (tus 1.0 over HTTPS), or put into S3 storage.

    `url`: where uploads are made, or "https://HOST/BUCKET/PREFIX" of a bucket; its host stands in `jurisdiction`, which
    is the recipient's own. TLS always, with `ca` (PEM file) where it is not one that the machine trusts. `keys`: a file
    with the bearer token that uploads take, if any; of a bucket the access key and, on the next line, its secret, for
    its `region`. `part_mb`: MiB that go at once, after which a revocation is looked for. `seconds`: for an answer.
    """

    how: Literal["folder", "https", "s3"] = "folder"
    url: str = ""
    jurisdiction: str = ""
    ca: str = ""
    keys: str = ""
    region: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}$")] = "us-east-1"
    part_mb: Annotated[int, msgspec.Meta(ge=5, le=1024)] = 16
    seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 60


class Receiver(Strict, frozen=True, kw_only=True):
    """Somebody abroad who may be sent something: jurisdiction code, age public key, status of the scenario book.

    `vkey` verifies the receipts that they sign (C2SP signed note); `send`: how parcels reach them. `authority`: a court
    or police, so that whatever it is sent is judged as asked for by a foreign authority.
    """

    jurisdiction: str
    key: str
    status: str = "none"
    vkey: str = ""
    send: Send = Send()
    authority: bool = False


class Permits(Strict, frozen=True, kw_only=True):
    """Whose signature makes a permit: the regulator's alone, or where `recorded` an officer's for one on paper too."""

    recorded: bool = False


class Clock(Strict, frozen=True, kw_only=True):
    """When the clock is believed: it may lie `tolerance_seconds` before the newest instant known here, no more.

    `witness_minutes`: how far it may lie from what the witnesses of the ledger say. `synchronised`: permits are granted
    and rows leave only while the system says that its clock is kept in step with others.
    """

    tolerance_seconds: Annotated[int, msgspec.Meta(ge=0, le=300)] = 5
    witness_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 60
    synchronised: bool = False


class Filing(Strict, frozen=True, kw_only=True):
    """Papers of requests and what is owed on them.

    `warn_working_days`: how long before its last day a paper, or a task, is warned of. `scan_mb`: the largest scan kept
    with a paper, in MiB. `review_hours`: after which an emergency that nobody reviewed is bad; the law names no term.
    """

    warn_working_days: Annotated[int, msgspec.Meta(ge=0, le=250)] = 20
    scan_mb: Annotated[int, msgspec.Meta(ge=1, le=64)] = 16
    review_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 72


class WitnessHost(Strict, frozen=True, kw_only=True):
    """A machine of a witness's: where it stands; `ca` (PEM file) where its certificate is none that is trusted here."""

    jurisdiction: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,8})?$")]
    ca: str = ""


class Witnesses(Strict, frozen=True, kw_only=True):
    """Who else signs the ledger: without `policy` nobody needs to; with it nothing leaves below the policy's quorum.

    `policy`: a trust policy (C2SP tlog-policy) with a URL for each witness, by a path from the site's folder. `hosts`:
    each host of those URLs; they are handed checkpoints (a size and a hash), nothing else, every `every_seconds`.
    `seconds`: for an answer.
    """

    policy: str = ""
    every_seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 60
    seconds: Annotated[int, msgspec.Meta(ge=1, le=120)] = 10
    hosts: dict[str, WitnessHost] = {}


class Published(Strict, frozen=True, kw_only=True):
    """Where the ledger is served to auditors over HTTP, by whoever runs `keep`; port 0: nowhere. It holds no secret."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
