"""Asked from abroad: what a request is told to somebody who may learn of no car here by asking about it."""

from dataclasses import replace

from onshore.border import requests
from onshore.rules.acts import Facts, TransferAsked
from onshore.site import Site
from onshore.words.permit import Transfer
from onshore.words.verdict import Verdict


def supposed(site: Site, transfer: Transfer) -> Verdict:
    """The law's word on such a request for one person more than none, whatever lies here; nothing is set down.

    Refused as the request itself would be. What is asked about one car, and then about none, is told the same.
    """
    requests.acceptable(site, transfer)
    return replace(_for_one(site, transfer), counters=())


def without_counts(site: Site, transfer: Transfer, verdict: Verdict) -> Verdict:
    """A verdict without what it counted: no counter, and each reason in the words that it has for one person."""
    known = transfer.recipient in site.settings.recipients
    words = {reason.code: reason for reason in _for_one(site, transfer).reasons} if known else {}
    reasons = tuple(words.get(one.code, replace(one, says="")) for one in verdict.reasons)
    return replace(verdict, reasons=reasons, counters=())


def _for_one(site: Site, transfer: Transfer) -> Verdict:
    to = site.recipient(transfer.recipient)
    means = "view" if transfer.method == "view" else "file"
    act = TransferAsked(
        to=to.jurisdiction,
        recipient=to.name,
        recipient_status=to.status,
        purpose=transfer.purpose,
        categories=transfer.categories,
        by="authority" if site.settings.recipients[to.name].authority else means,
        ground=transfer.ground,
        new_persons=1,
        produced_in=transfer.produced_in or None,
        joined_with_local=bool(transfer.produced_in),
    )
    return site.judge(act, Facts(at=site.clock()))
