"""Terms of a permit, held against the request that it is for and against the site as it stands."""

import re
from collections.abc import Iterator

from onshore.border import life
from onshore.border.rows import transforms
from onshore.rules.acts import MOST
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Permit, Transfer

_ID = re.compile(r"[a-z0-9]{1,32}")


def refuse_other(site: Site, request: Transfer, granted: Permit) -> None:
    """Refuse (`outside-permit`) where a permit names other terms than its request, or the site has others by now.

    Malformed where it names limits that are none, or a transform that this release does not know.
    """
    if granted.until < granted.start:
        raise Malformed(f"the last day, {granted.until}, lies before the first, {granted.start}", where="permit")
    if not (0 <= granted.persons <= MOST and 0 <= granted.rows <= MOST):
        raise Malformed(f"a limit is a number from 0 to {MOST}", where="permit, persons or rows")
    if not _ID.fullmatch(granted.id):
        raise Malformed("its id has 1 to 32 small letters and digits", where="permit, id")
    transforms.parse(granted.transforms, site.catalogue)
    if others := [*_others(site, request, granted), *_signals(site, request, granted)]:
        raise Refusal(
            "outside-permit",
            f"not as the permit names it: {', '.join(others)}",
            article=site.pack.transfer.permit.outside_permit.article,
            remedy="ship what was permitted, or ask for a permit that names this",
        )


def _others(site: Site, request: Transfer, granted: Permit) -> list[str]:
    """What of the request and its recipient in site.toml is not what the permit names."""
    recipient = site.recipient(request.recipient)
    held = {
        "the request's id": (request.id, granted.transfer),
        "the purpose": (request.purpose, granted.purpose),
        "the categories": (request.categories, granted.categories),
        "the recipient": (request.recipient, granted.recipient),
        "the recipient's key": (recipient.key, granted.recipient_key),
        "the recipient's jurisdiction": (recipient.jurisdiction, granted.recipient_jurisdiction),
        "the method": (request.method, granted.method),
        "the vehicles, the signals, the period or who asked": (life.named(request), granted.request),
    }
    return [name for name, (now, then) in held.items() if now != then]


def _signals(site: Site, request: Transfer, granted: Permit) -> Iterator[str]:
    """A permit names signals of its categories, and of a request that names some none that it does not."""
    mine = {name for name, signal in site.catalogue.items() if signal.category in granted.categories}
    if not mine.issuperset(granted.signals):
        yield "signals, of which its categories do not have all"
    if request.signals and not set(request.signals).issuperset(granted.signals):
        yield "signals, of which the request does not ask for all"
