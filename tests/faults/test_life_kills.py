"""kill -9 before each commit of each move of a request: it was made, with its entry, or it was not; nothing between."""

import json

from sqlalchemy import select

import life_acts
from forks import FORKS
from onshore.border import approvals, life, moves, requests
from onshore.border.metering import meter
from onshore.border.underway import resume
from onshore.vault.lock import hold
from onshore.vault.papers import parcels, reading
from onshore.words.permit import Transfer

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")
DAY = 86_400_000
DONE = {
    "approve": "approved",
    "grant": "permitted",
    "ship": "left",
    "suspend": "suspended",
    "resume": "permitted",
    "expire": "expired",
    "close": "closed",
}
BETWEEN = {"ship": {"permitted", "left"}, "resume": {"suspended", "approved"}}
"""States in which a kill may leave a request, once it was taken up, besides those before and after the act."""


def entries(site, request):
    site.settle()
    said = [json.loads(raw) for raw in site.ledger.entries()]
    return [e for e in said if e.get("obj") == life.named(request)]


def look(site, request):
    """The ledger's moves lead by the table to where the papers stand; what left is out and counted, nothing else."""
    with hold(site.folder / "locks" / "border", "border"):
        resume(site)
    state = ""
    for entry in entries(site, request):
        if entry["t"] == "move":
            assert entry.get("from", "") == state
            assert not state or entry["to"] in moves.LIFE[state]
            state = entry["to"]
    assert state == requests.find(site, request.id).state
    with reading(site.engine) as conn:
        found = {row.id: row.state for row in conn.execute(select(parcels.c.id, parcels.c.state))}
        assert meter.wrong(conn) == []
        counted = {name for name in found if meter.of_parcel(conn, name)}
    left = {name for name, one in found.items() if one == "left"}
    assert set(found.values()) <= {"left", "unsent"}
    assert counted == left
    outbox = {path.name for path in (site.folder / "outbox").iterdir()}
    assert outbox == {f"{name}.{end}" for name in left for end in ("parcel", "tlog-proof")}
    assert list((site.folder / "staging").glob("*")) == []
    return state


def killed(site, act, now, turn):
    child = FORKS.Process(target=life_acts.do, args=(act, site.folder, now, "t1", turn))
    child.start()
    child.join(120)
    assert child.exitcode in {0, -9, life_acts.REFUSED}, child.exitcode
    return child.exitcode == -9


def test_a_request_whose_every_move_is_killed_at_every_commit_gets_there_all_the_same(hands):
    hands.allow(1)
    hands.drive(1)
    site = hands.site
    request = Transfer("t1", "warranty-analysis", ("track",), "stuttgart", hands.now - DAY, hands.now + 1)
    requests.ask(site, request)
    for kind in PAPERS:
        requests.file_paper(site, request, kind, number="1", by="officer")
    approvals.approve(site, "t1", "officer")
    before = "completed"
    for act in life_acts.ACTS:
        hands.now += DAY if act == "expire" else 0
        turn = 1
        while killed(site, act, hands.now, turn):
            assert look(site, request) in {before, DONE[act], *BETWEEN.get(act, ())}
            turn += 1
        assert turn > 1, f"{act} commits nothing"
        assert look(site, request) == DONE[act]
        before = DONE[act]
