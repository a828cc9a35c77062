"""The page says who received what, what the car was told, and what was uploaded, in the site's own time."""

from onshore.rights.page import page

WHO = {
    "name": "Anna",
    "contact": "",
    "role": "owner",
    "from": 0,
    "until": None,
    "vin": "V",
    "person": "a",
    "vehicle": "b",
}
SEEN = {
    "keeper": WHO,
    "restricted": False,
    "held": [],
    "consents": [],
    "received_by": [
        {
            "recipient": "stuttgart",
            "categories": ["track"],
            "purpose": "repair",
            "left": 1_790_000_000_000,
            "parcel": "p-1",
        }
    ],
    "forwarded_to": [{"platform": "national", "jurisdiction": "CN"}],
    "asked_here": [{"by": "analyst", "at": 1_790_000_000_000, "purpose": "repair", "categories": ["track"]}],
    "drives": {"said": 2, "first": 1_790_000_000_000, "last": 1_790_000_060_000},
    "policies": [{"version": 3, "made": 1_790_000_000_000, "until": 1_790_000_600_000}],
    "certificates": [{"serial": "0a", "from": 1_790_000_000_000, "until": 1_799_000_000_000, "revoked": None}],
    "uploads": [{"bytes": 12, "fate": "done"}],
    "requests": [],
}


def test_all_of_it_is_told():
    lines = page(SEEN, "Asia/Shanghai").splitlines()
    for line in (
        "  stuttgart: track for repair, 2026-09-21 22:13, p-1",
        "  national (CN): statutory data, as the law demands",
        "  analyst asked at the site, 2026-09-21 22:13, for repair",
        "DRIVES: the car said 2 times who drives, 2026-09-21 22:13 to 2026-09-21 22:14",
        "  told what to send: version 3, 2026-09-21 22:13 to 2026-09-21 22:23",
        "  known by certificate 0a, 2026-09-21 22:13 to 2027-01-04 02:13",
        "  uploaded: 12 bytes, done",
    ):
        assert line in lines
    assert "  nobody" not in lines


def test_nobody_is_said_where_nobody_received_anything():
    nobody = SEEN | {"received_by": [], "forwarded_to": [], "asked_here": []}
    assert "  nobody" in page(nobody, "Europe/Berlin").splitlines()
