"""Whom the MQTT door knows, by the register; and the maker's broker, by the settings."""

import ssl as tls
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from onshore.gate.mqtt.client import Broker
from onshore.gate.mqtt.protocol import V3, V5
from onshore.gate.mqtt.topics import ALERTS, TELEMETRY, Pattern, is_name, pattern
from onshore.register.certificates import Standing
from onshore.register.policies import Policies
from onshore.site import Site
from onshore.vault.papers import reading, retirements, vehicles
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings_gate import MqttBridge

_WHERE = "site.toml, gate.mqtt_bridge"
_KINDS = {"telemetry": TELEMETRY, "alerts": ALERTS}


class Known:
    """`door.Papers` of a site. All of it raises OSError where the papers do not answer."""

    def __init__(self, standing: Standing, policies: Policies) -> None:
        self.identify = standing.identify
        self.policy = policies.policy
        self.checked_in = policies.checked_in
        self.changed = policies.changed


def finder(site: Site, look_up: Callable[[bytes], int | None]) -> Callable[[str, bool], int | None]:
    """A registered vehicle that is not retired, by its VIN or by its id in 16 hex digits."""

    def find(name: str, by_vin: bool) -> int | None:
        if by_vin:
            return look_up(name.encode("utf-8", "replace"))
        return _standing(site, int(name, 16)) if is_name(name) else None

    return find


def _standing(site: Site, vehicle: int) -> int | None:
    if vehicle >= 1 << 63:
        return None
    retired = select(retirements.c.vehicle)
    ask = select(vehicles.c.id).where(vehicles.c.id == vehicle, vehicles.c.id.not_in(retired))
    try:
        with reading(site.engine) as conn:
            return conn.scalar(ask)
    except DBAPIError as failed:
        raise OSError(f"the papers do not answer: {failed.orig}") from failed


def patterns_of(settings: MqttBridge) -> list[Pattern]:
    """The topics that the bridge subscribes to."""
    return [pattern(topic, _KINDS[kind]) for topic, kind in settings.topics.items()]


def broker_of(site: Site, settings: MqttBridge) -> Broker:
    """The broker as the settings have it.

    Refuses one that stands elsewhere than the site (`bridge-abroad`); Malformed where a file is not what it must be.
    """
    here = site.settings.site.jurisdiction
    if settings.jurisdiction != here:
        raise Refusal(
            "bridge-abroad",
            f"the broker of the bridge stands in {settings.jurisdiction}, the site in {here}: what cars send to it has "
            "left already",
            remedy="bridge a broker that stands where the cars are, or let them connect to the gate itself",
        )
    login = settings.user or None
    secret = _first_line(site.folder / settings.password) if settings.password else None
    version = V5 if settings.version == "5" else V3
    where = settings.host, settings.port, version, settings.client_id
    return Broker(*where, _context(site.folder, settings) if settings.tls else None, login, secret)


def _context(folder: Path, settings: MqttBridge) -> tls.SSLContext:
    try:
        context = tls.create_default_context(cafile=str(folder / settings.ca) if settings.ca else None)
        context.minimum_version = tls.TLSVersion.TLSv1_2
        if settings.certificate:
            context.load_cert_chain(folder / settings.certificate, folder / settings.key, password="")
    except (OSError, ValueError) as failed:
        says = f"the files for TLS with the broker cannot be used: {type(failed).__name__}"
        raise Malformed(says, where=f"{_WHERE}.ca, certificate, key") from None
    return context


def _first_line(path: Path) -> bytes:
    try:
        return path.read_bytes().split(b"\n")[0]
    except OSError as failed:
        raise Malformed(f"the file cannot be read: {failed.strerror}", where=f"{_WHERE}.password") from None
