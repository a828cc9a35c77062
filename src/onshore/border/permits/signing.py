"""Whose signature stands under a permit: the regulator's own, or an officer's who recorded one on paper."""

from onshore.border.permits import permit
from onshore.site import Site
from onshore.words.errors import Broken, Refusal
from onshore.words.permit import Permit


def opened(site: Site, note: str) -> Permit:
    """The permit inside a note that somebody of site.toml signed as who it says; Broken otherwise.

    An officer's key carries a permit with a scan alone, a regulator's one without.
    """
    for name, person in site.settings.people.items():
        if person.vkey and person.role in {"regulator", "officer"}:
            try:
                found = permit.read(note, person.vkey)
            except Broken:
                continue
            _refuse_pretended(site, found, name)
            return found
    raise Broken("no regulator of site.toml signed this permit; compare the vkey there with the regulator's own")


def refuse_unaccepted(site: Site, found: Permit) -> None:
    """Refuse (`recorded-permit`) one from paper where the settings take none."""
    if found.scan and not site.settings.permits.recorded:
        raise Refusal(
            "recorded-permit",
            "an officer recorded this permit from paper, and here only a regulator's own signature counts",
            article=site.pack.transfer.permit.outside_permit.article,
            remedy="have the regulator sign it: 'onshore permit draft', or set [permits] recorded = true in site.toml",
        )


def _refuse_pretended(site: Site, found: Permit, name: str) -> None:
    person = site.settings.people[name]
    both = [other.role for other in site.settings.people.values() if other.vkey == person.vkey]
    if len(set(both)) > 1:
        raise Broken(
            "site.toml has one verifier key for people of two roles, so nobody can tell who signed this permit"
        )
    if person.role == "officer" and not found.scan:
        raise Broken("an officer signed this permit as if a regulator had; one on paper is recorded with its scan")
    if person.role == "regulator" and found.scan:
        raise Broken("this permit says that an officer recorded it from paper, and a regulator's key signed it")
    if found.granted_by != name:
        raise Broken("this permit names somebody else as who granted it than the key that signed it belongs to")
