"""`onshore vehicle certify`, `authority`, `revoked` and `chip`: by what cars are known at the gate."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from onshore.cli.common import at_site, iso, put, say
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.register.vehicles import Vehicle
    from onshore.site import Site

out_option = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there instead of to stdout."
)


@click.command()
@click.argument("vin")
@click.option("--csr", type=click.File("rb"), help="The car's signing request, PEM or DER; - is stdin.")
@click.option("--revoke", metavar="SERIAL", help="Take this certificate of the car back instead.")
@out_option
@at_site("operator", "officer")
def certify(here: "Site", vin: str, csr: BinaryIO | None, revoke: str | None, out: Path | None, as_json: bool) -> None:
    """Sign the request of VIN's own key (90 days); earlier certificates stay good until their end, or --revoke one."""
    from onshore.register import vehicles

    if (csr is None) == (revoke is None):
        raise Malformed("give either --csr FILE or --revoke SERIAL", where="onshore vehicle certify")
    found = vehicles.find(here, vin)
    if csr is not None:
        _sign(here, found, csr.read(), out, as_json=as_json)
    else:
        _revoke(here, found, str(revoke), as_json=as_json)


@click.command()
@click.argument("vin")
@click.option("--await", "awaited", metavar="ID", help="Believe the activation of this chip, and of no other.")
@click.option("--forget", is_flag=True, help="Take the car's chip back, so that another can be activated.")
@at_site("operator", "officer")
def chip(here: "Site", vin: str, awaited: str | None, forget: bool, as_json: bool) -> None:
    """The security chip by which VIN signs what it sends (GB/T 32960.3-2025)."""
    from onshore.register import chips, vehicles

    if (awaited is None) != forget:
        raise Malformed("give either --await ID or --forget", where="onshore vehicle chip")
    found = vehicles.find(here, vin).id
    if awaited is not None:
        chips.expect(here, found, awaited)
    done = "awaited" if awaited is not None else "forgotten" if chips.forget(here, found) else "none"
    if as_json:
        put({"chip": done})
    else:
        say({"awaited": "awaited", "forgotten": "taken back", "none": "it had none"}[done])


@click.command()
@out_option
@at_site()
def authority(here: "Site", out: Path | None) -> None:
    """Print the certificates of the site's authority, PEM: cars believe the gate by them."""
    from onshore.register import authority as own

    _give(b"".join(own.pem(one.certificate) for one in own.trusted(here)), out)


@click.command()
@out_option
@at_site()
def revoked(here: "Site", out: Path | None) -> None:
    """Print what was revoked as a CRL, PEM, good for a day: for others who believe the site's authority."""
    from onshore.register.certificates import revocation_list

    _give(revocation_list(here), out)


def _sign(site: "Site", vehicle: "Vehicle", request: bytes, out: Path | None, *, as_json: bool) -> None:
    from onshore.register import acts, certificates

    done = certificates.certify(site, vehicle.id, request)
    if out is not None:
        out.write_bytes(done.chain)
    if as_json:
        told = {"serial": done.serial, "from": iso(done.start), "until": iso(done.until)}
        put({**told, "certificate": done.chain.decode(), "receipt": acts.receipt(site, done.act)})
    elif out is None:
        click.echo(done.chain.decode(), nl=False)
    say(f"signed; serial {done.serial}, good until {iso(done.until)}")


def _revoke(site: "Site", vehicle: "Vehicle", serial: str, *, as_json: bool) -> None:
    from onshore.register import acts, certificates

    act = certificates.revoke(site, vehicle.id, serial)
    if as_json:
        put({"revoked": serial, "receipt": acts.receipt(site, act)})
    say("revoked; open connections with it end within a tick of the gate")


def _give(data: bytes, out: Path | None) -> None:
    if out is None:
        click.echo(data.decode(), nl=False)
    else:
        out.write_bytes(data)
        say(f"written to {out}")
