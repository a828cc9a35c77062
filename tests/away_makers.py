"""A permitted request of two cars whose recipient has a server, and a look at all that came of killing its sender."""

import hashlib
import json

from sqlalchemy import select

import life_acts
import sending_acts
from forks import FORKS
from onshore.border import grants, life, moves, requests
from onshore.border.metering import meter
from onshore.border.sending import accounts, reconciling
from onshore.cli.init import regulator_key
from onshore.ledger.signer import Signer
from onshore.site import open_site
from onshore.vault.papers import parcels, reading
from onshore.words.permit import Transfer

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


class Away:
    """The site of `hands`, and the `server` to which its parcels go, as `said` in site.toml; `files` is what it has.

    `child`: the process that does an act, for a server that kills it.
    """

    def __init__(self, hands, folder, server, said):
        self.hands, self.server, self.folder, self.child = hands, server, folder, None
        with (folder / "site.toml").open("a") as file:
            file.write("\n[recipients.stuttgart.send]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in said.items()))
        self.reopen()
        for car in (1, 2):
            hands.allow(car)
        hands.drive(1, 2, seconds=100)
        self.request = Transfer("t1", "warranty-analysis", ("track",), "stuttgart", 0, hands.now + 86_400_000)
        requests.ask(self.site, self.request)
        for kind in PAPERS:
            requests.file_paper(self.site, self.request, kind, number="1", by="officer")
        hands.approve("t1")
        today = self.site.today()
        limits = {"persons": 2, "start": today, "until": today, "by": "regulator", "route": "contract-or-certificate"}
        signer = Signer("shanghai/regulator", regulator_key(folder).read_bytes())
        self.permit = grants.grant(self.site, grants.draft(self.site, self.request, **limits), signer)

    def reopen(self):
        self.site = self.hands.site = open_site(self.folder, clock=lambda: self.hands.now)

    def killed(self, act, turn=0):
        """Whether a process that does an act was killed, be it before its turn-th commit, or else came to its end."""
        self.child = FORKS.Process(target=sending_acts.do, args=(act, self.folder, self.hands.now, "t1", turn))
        self.child.start()
        self.child.join(120)
        assert self.child.exitcode in {0, -9, life_acts.REFUSED}, self.child.exitcode
        return self.child.exitcode == -9

    def look(self):
        """What the papers, the ledger, the meter, the folders and the other side say of each parcel is one."""
        self.site.settle()
        entries = [json.loads(raw) for raw in self.site.ledger.entries()]
        releases = {}
        for entry in entries:
            if entry["t"] == "release":
                releases.setdefault(entry["obj"], []).append(entry)
        there = {hashlib.sha256(body).hexdigest() for body in self.server.files.values()}
        with reading(self.site.engine) as conn:
            assert meter.wrong(conn) == []
            found = conn.execute(select(parcels)).all()
            for row in found:
                said = [entry["state"] for entry in releases.get(f"sha256:{row.sha256}", ())]
                counted, most = meter.of_parcel(conn, row.id), accounts.handed_over(conn, row.id)
                if row.state == "left":
                    assert (said, counted) == (["leaving"], 2)
                    assert row.sha256 in there
                elif row.state == "cut":
                    assert (said, counted) == (["leaving", "cut"], 2)
                    assert releases[f"sha256:{row.sha256}"][-1]["bytes"] == most > 0
                else:
                    assert row.state == "unsent"
                    assert (counted, most) == (0, 0)
                    assert said in ([], ["leaving", "unsent"])
        state = ""
        for entry in entries:
            if entry["t"] == "move" and entry["obj"] == life.named(self.request):
                assert entry.get("from", "") == state
                assert not state or entry["to"] in moves.LIFE[state]
                state = entry["to"]
        assert state == requests.find(self.site, "t1").state
        assert state not in moves.UNDER_WAY
        for folder in ("staging", "outbox"):
            assert not list((self.folder / folder).glob("*"))
        lines = {what: (good, says) for what, good, says in reconciling.looks(self.site)}
        assert lines["unexplained bytes"][0], lines["unexplained bytes"][1]
        return [row.state for row in sorted(found, key=lambda row: int(row.id.partition("-")[2]))]
