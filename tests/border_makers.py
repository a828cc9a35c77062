"""An engineer, officers and a regulator at a real site; no conftest, so that stories and processes find it."""

import io
import tarfile
from dataclasses import replace

import pyrage

from onshore.border import approvals, grants, requests
from onshore.cli.init import regulator_key
from onshore.ledger.signer import Signer
from onshore.words.permit import Transfer

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


class Border:
    """An engineer, an officer and a regulator at a real site."""

    def __init__(self, hands):
        self.hands, self.site = hands, hands.site

    def request(self, **change):
        asked = Transfer(
            id=self.site.randomness(8).hex(),
            purpose="warranty-analysis",
            categories=("track", "vehicle-operation"),
            recipient="stuttgart",
            start=self.hands.now - 86_400_000,
            until=self.hands.now + 86_400_000,
            asked_by="engineer",
        )
        return replace(asked, **change)

    def ask(self, **change):
        request = self.request(**change)
        return request, requests.ask(self.site, request)

    def file(self, request, *kinds):
        for kind in kinds:
            standing = requests.file_paper(self.site, request, kind, number="1", by="officer", until=None, sha256=None)
        return standing

    def regulator(self):
        return Signer("shanghai/regulator", regulator_key(self.site.folder).read_bytes())

    def draft(self, request, /, **change):
        today = self.site.today()
        drafted = grants.draft(
            self.site, request, persons=2, start=today, until=today, by="regulator", route="contract-or-certificate"
        )
        return replace(drafted, **change)

    def approve(self, request, *by):
        for name in by or ("officer", "deputy"):
            standing = approvals.approve(self.site, request.id, name)
        return standing

    def approved(self, **change):
        request, _ = self.ask(**change)
        self.file(request, *PAPERS)
        self.approve(request)
        return request

    def permitted(self, **change):
        request = self.approved()
        return request, grants.grant(self.site, self.draft(request, **change), self.regulator())

    def opened(self, shipped):
        tar = pyrage.decrypt(shipped.file.read_bytes(), [pyrage.x25519.Identity.from_str(self.hands.identity)])
        with tarfile.open(fileobj=io.BytesIO(tar)) as parcel:
            return {m.name: parcel.extractfile(m).read() for m in parcel.getmembers()}
