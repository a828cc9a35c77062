"""The policy over HTTPS: paths, methods and what each is answered."""

import pytest

from onshore.gate.policy import LONGEST, answer
from onshore.words.errors import Malformed

CAR = 0xAB
PATH = f"/v1/{CAR:016x}"
NOTE = b'onshore policy\n{"version":3}\n\n\xe2\x80\x94 site x\n'


class Papers:
    def __init__(self, note: bytes | None = NOTE, error: Exception | None = None) -> None:
        self.note, self.error, self.heard = note, error, []

    def policy(self, vehicle):
        assert vehicle == CAR
        if self.error:
            raise self.error
        return self.note

    def checked_in(self, vehicle, version, at):
        if self.error:
            raise self.error
        self.heard.append((vehicle, version, at))


def ask(method="GET", path=PATH + "/policy", body=b"", none_match="", papers=None):
    return answer(method, path, body, none_match, CAR, papers or Papers(), 99)


def test_a_car_fetches_its_policy_and_is_told_when_it_has_it():
    found = ask()
    assert (found.status, found.body, found.headers["ETag"]) == (200, NOTE, '"3"')
    assert ask(none_match='"2", W/"3"').status == 304
    assert ask(none_match='"2"').status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/v1/{CAR + 1:016x}/policy", 403),
        ("POST", f"/v1/{CAR + 1:016x}/checkin", 403),
        ("POST", PATH + "/policy", 405),
        ("GET", PATH + "/checkin", 405),
    ],
)
def test_another_cars_path_and_another_method_are_refused(method, path, status):
    assert ask(method, path).status == status


@pytest.mark.parametrize("path", ["/", "/v1/ab/policy", PATH + "/policy/", PATH.upper() + "/policy", PATH + "/t"])
def test_other_paths_are_nobody_elses_business(path):
    assert ask(path=path) is None


def test_a_check_in_is_kept_before_it_is_answered():
    papers = Papers()
    assert ask("POST", PATH + "/checkin", b'{"policy": 3, "more": 1}', papers=papers).status == 204
    assert papers.heard == [(CAR, 3, 99)]
    assert ask("POST", PATH + "/checkin", b'{"policy": 3}', papers=Papers(error=OSError())).status == 503
    assert ask("POST", PATH + "/checkin", b'{"policy": 3}', papers=Papers(error=Malformed("no such"))).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"policy": true}',
        b'{"policy": 0}',
        b'{"policy": 1e400}',
        b"[" * 4000,
        b" " * (LONGEST + 1),
        b"\xff",
    ],
)
def test_what_is_no_check_in_is_malformed(body):
    papers = Papers()
    assert ask("POST", PATH + "/checkin", body, papers=papers).status == 400
    assert papers.heard == []


def test_no_policy_and_no_papers():
    assert ask(papers=Papers(note=None)).status == 404
    assert ask(papers=Papers(error=OSError())).status == 503
