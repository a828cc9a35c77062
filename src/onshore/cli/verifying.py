"""onshore verify: a parcel, a receipt, a proof or a whole log, offline, by who trusts a key and nobody."""

import hashlib
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from onshore.cli.common import answers_for_errors, json_option, put
from onshore.ledger import __main__ as verifier
from onshore.ledger import verify as check
from onshore.ledger.note import Key, Unreadable, Wrong, read_checkpoint
from onshore.ledger.policy import read_policy
from onshore.ledger.verify import Finding
from onshore.words.errors import Broken, Malformed


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--key", required=True, metavar="VKEY", help="The log's verifier key, or a file that holds it.")
@click.option("--identity", type=click.Path(path_type=Path), help="Your age key file: opens the parcel as well.")
@click.option("--permit-key", metavar="VKEY", help="The regulator's verifier key, or a file that holds it.")
@click.option("--policy", type=click.Path(path_type=Path), help="A file that says which witnesses are enough.")
@click.option("--since", type=click.Path(path_type=Path), help="A checkpoint seen earlier; the log has to extend it.")
@json_option
@answers_for_errors
def verify(
    path: Path,
    key: str,
    identity: Path | None,
    permit_key: str | None,
    policy: Path | None,
    since: Path | None,
    as_json: bool,
) -> None:
    """Verify PATH offline: a parcel (its proof beside it), a receipt, a .tlog-proof, or a ledger/ folder.

    Prints what was checked, line by line, and `verified`; or the first thing that is wrong, exit 3.
    With --identity the opened parcel, a plain tar, lies in a temporary folder of its own while this runs.
    """
    if permit_key is not None and identity is None:
        raise click.UsageError("--permit-key checks what is inside a parcel: give --identity as well")
    _keys(key, "--key")
    if permit_key is not None:
        _keys(permit_key, "--permit-key")
    _check_files(policy, since)
    told: list[Finding] = []
    wrong: Wrong | None = None
    if identity is not None and (path.is_dir() or path.suffix in {".json", ".tlog-proof"}):
        raise Malformed(f"{path} is no parcel", where="--identity opens one")
    inside = (check.NOT_OPENED,) if identity is None else _inside(path, identity, permit_key)
    try:
        for finding in verifier.examine(path, verifier.trust(key, policy, since), inside):
            told.append(finding)
            if not as_json:
                click.echo(str(finding))
    except Wrong as found:
        wrong = found
    except (Unreadable, OSError) as error:
        raise Malformed(str(error)) from None
    if as_json:
        put(_document(told, wrong))
    else:
        click.echo("verified" if wrong is None else f"wrong: {wrong}")
    sys.exit(0 if wrong is None else Broken.exit_code)


def _keys(given: str, option: str) -> tuple[Key, ...]:
    """The verifier keys behind an option; Malformed where it is neither such a key nor a file of such."""
    try:
        return verifier.keys_of(given)
    except (Unreadable, OSError) as error:
        if "+" in given or _exists(Path(given)):
            raise Malformed(str(error), where=f"{option} {given}") from None
        raise Malformed(f"'{given}' is neither a verifier key (name+id+key) nor a file", where=option) from None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than a name may be
        return False


def _check_files(policy: Path | None, since: Path | None) -> None:
    """Malformed, with the file's name, where a policy or an older checkpoint cannot be read as one."""
    try:
        if policy is not None:
            read_policy(policy.read_bytes())
    except (Unreadable, OSError) as error:
        raise Malformed(str(error), where=f"--policy {policy}") from None
    try:
        if since is not None:
            read_checkpoint(since.read_text("utf-8").rpartition("\n\n")[0] + "\n")
    except (Wrong, OSError, UnicodeDecodeError) as error:
        raise Malformed(f"no checkpoint of a log: {error}", where=f"--since {since}") from None


def _document(told: list[Finding], wrong: Wrong | None) -> dict[str, object]:
    return {
        "verified": wrong is None,
        "checked": [f.says for f in told if f.checked],
        "not checked": [f.says for f in told if not f.checked],
        "wrong": {} if wrong is None else {"what": wrong.what, "where": wrong.where},
    }


def _inside(path: Path, identity: Path, permit_key: str | None) -> Iterator[Finding]:
    """Findings on what an opened parcel holds; its plain file lies in a folder of ours while this takes."""
    from onshore.vault.age import open_sealed_file

    with tempfile.TemporaryDirectory(prefix="onshore-verify-") as folder:
        plain = Path(folder) / "parcel.tar"
        open_sealed_file(path, plain, verifier.text_of(identity))
        papers, parts = _unpacked(plain)
    yield from verifier.inside(path, papers, parts, permit_key)


def _unpacked(plain: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """Papers by name, and the SHA-256 (hex) of each part."""
    papers: dict[str, bytes] = {}
    parts: dict[str, str] = {}
    try:
        with tarfile.open(plain, "r:") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is None or member.name in {*papers, *parts}:
                    raise Wrong("it is no plain file, or is there twice", member.name)
                if member.name.startswith("parts/"):
                    parts[member.name] = _sha256(file)
                else:
                    papers[member.name] = file.read(verifier.MAX_PAPER)
    except tarfile.TarError as error:
        raise Wrong(f"it is no tar file: {error}", "parcel, opened") from None
    return papers, parts


def _sha256(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    while block := file.read(1 << 20):
        found.update(block)
    return found.hexdigest()
