"""Sites where the judge was asked everything that it is asked, and a log that somebody wrote anew."""

import json

import pytest
from sqlalchemy import select, update

from onshore.border import transfer
from onshore.border.cases import courts
from onshore.border.views import viewing
from onshore.query.asking import answered
from onshore.query.entries import Question
from onshore.register import views
from onshore.register.rejudging import rejudged
from onshore.site import open_site
from onshore.vault.papers import judgements as kept
from onshore.vault.papers import reading, writing
from onshore.words.errors import Refusal

DAY = 86_400_000

OTHER = f"sha256:{'0' * 64}"


PEOPLE = """
[people.eva]
role = "engineer"
employer = "stuttgart"
jurisdiction = "DE"

[people.away]
role = "officer"
jurisdiction = "DE"
"""


def open_with(border, text="", change=lambda toml: toml):
    toml = border.site.folder / "site.toml"
    toml.write_text(change(toml.read_text()) + text)
    border.site = border.hands.site = open_site(border.site.folder, clock=border.site.clock)


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.reason


def query(border, sql, purpose="warranty-analysis", by="operator", door=None):
    with answered(border.site, Question(sql, purpose, by), door=door) as answer:
        return [row for batch in answer.batches for row in batch.to_pylist()]


def look(border, request):
    with viewing.opened(border.site, request.id, "eva") as door:
        return query(border, "SELECT count(*) AS n FROM vehicle_operation", by="eva", door=door)


def said(border, *names):
    """The entries that say a verdict: kind, state and those fields."""
    border.site.settle()
    found = [json.loads(body) for body in border.site.reopened().entries()]
    return [tuple(one.get(n) for n in ("t", "state", *names)) for one in found if "verdict" in one]


def again(border, since=0):
    border.site.settle()
    border.site.reopened()
    return list(rejudged(border.site, since))


class Altered:
    """A log of which somebody who holds its key wrote some entries anew."""

    def __init__(self, log, change):
        self.bodies = [self.written(body, change) for body in log.entries()]
        self.size = len(self.bodies)

    @staticmethod
    def written(body, change):
        one = change(fields) if "verdict" in (fields := json.loads(body)) else fields
        return json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def entries(self, start=0):
        return iter(self.bodies[start:])


def said_in(log):
    return [body for body in log.entries() if b'"verdict":' in body]


def rows(border):
    with reading(border.site.engine) as conn:
        return conn.execute(select(kept).order_by(kept.c.entry)).all()


def put(border, row, **values):
    with writing(border.site.engine) as conn:
        conn.execute(update(kept).where(kept.c.facts == row.facts).values(**values))


def peopled(border):
    """Two cars that drove, an engineer of the recipient, an officer who is abroad, and a court."""
    key = border.site.settings.recipients["stuttgart"].key
    open_with(border, f'{PEOPLE}\n[recipients.court]\njurisdiction = "US"\nkey = "{key}"\nauthority = true\n')
    for number in (1, 2):
        border.hands.allow(number)
    border.hands.drive(1, 2)
    return border


def decided(border):
    """Such a site, where everything was decided once that the judge is asked about."""
    request, _ = border.permitted()
    transfer.ship(border.site, request.id)
    assert query(border, "SELECT count(*) AS n FROM vehicle_operation, track") != []
    assert refused(lambda: query(border, "SELECT * FROM biometric")) != "not-a-table"
    assert refused(lambda: query(border, "SELECT * FROM track", by="away")) == "view-is-export"
    assert refused(lambda: views.refuse_abroad(border.site, "away", "vehicle-show")) == "view-is-export"
    now, car = border.hands.now, border.hands.car(1).id
    wanted = courts.Wanted(("vehicle-operation",), now - DAY, now, (car,))
    who = {"authority": "District Court", "reference": "No. 1", "by": "officer"}
    one, other = (courts.ask(border.site, "court", "court", wanted, **who) for _ in range(2))
    courts.approve(border.site, one.id, "officer", number="MOJ-1")
    courts.refuse(border.site, other.id, "officer", "no treaty")
    return border
