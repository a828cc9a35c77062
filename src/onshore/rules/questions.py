"""Questions: what each rule asks, in a neutral clause, for the rules that were asked and changed nothing."""

import re
from typing import Any

from onshore.rules import names
from onshore.rules import wording as w
from onshore.rules.pack_words import Words

_INDEX = re.compile(r"\[\d+\]")

_QUESTIONS = {
    "classes.important_sites": "whether it was recorded at a sensitive site",
    "classes.important_scale": "whether it is about more persons than make it important data",
    "collect.not-in-catalogue": "whether the signal stands in the catalogue",
    "collect.restricted-zone": "whether it was recorded inside a restricted area",
    "collect.must-mask": "whether faces and plates are masked where they have to be",
    "collect.function-not-running": "whether the function that needs it is running",
    "collect.default-off": "whether the driver has switched optional collection on",
    "consent.no-consent": "whether a consent of the person covers it",
    "consent.consent-expired": "whether the consent has run out",
    "consent.consent-withdrawn": "whether the consent was withdrawn",
    "consent.purpose-not-consented": "whether the consent is for this purpose",
    "consent.notice-incomplete": "whether the notice has every item",
    "consent.bundled": "whether the consent is tied to something else",
    "consent.not-separate": "whether the consent had to be asked for on its own, and was",
    "consent.guardian-needed": "whether the person is so young that a guardian consents",
    "consent.asked-too-soon": "whether the person was asked again too soon",
    "consent.biometric-not-for-safety": "whether the data serves no purpose but those that are open to it",
    "store.within-retention": "whether no limit on keeping stands against it",
    "store.foreign-sink": "whether it lies in a place where it may not",
    "store.first-write-abroad": "whether it is written abroad first",
    "store.cap": "whether it is older than it may become",
    "store.floor": "whether it is younger than it must become",
    "store.exception": "whether it is kept under this exception",
    "clock": "whether it falls due earlier by this rule",
    "transfer.inside": "whether it stays inside",
    "transfer.permit.within-permit": "whether a permit or paper in force covers it",
    "transfer.permit.outside-permit": "whether it exceeds the permit in force",
    "transfer.permit.permit-expired": "whether the permit has run out",
    "transfer.permit.permit-revoked": "whether the permit was revoked",
    "transfer.foreign-origin": "whether it was collected abroad, with nothing domestic joined to it",
    "transfer.no-personal": "whether nothing in it is protected by these rules",
    "transfer.impact-assessment-missing": "whether its impact had to be assessed, and was",
    "transfer.notice-missing": "whether the persons had to be told of it, and were",
    "transfer.notice-incomplete": "whether that notice is complete",
    "transfer.separate-consent-missing": "whether the persons had to consent to it on its own, and did",
    "transfer.transfer-assessment-missing": "whether the risks of the transfer had to be assessed, and were",
    "transfer.not-regulator-notified": "whether the authority had to be notified, and was",
    "transfer.recipient-not-named": "whether the consent names the recipient",
    "transfer.recipient-blocked": "whether the recipient is barred",
    "transfer.gatekeeper": "whether the recipient is a gatekeeper",
    "transfer.first-write-abroad": "whether it would be written abroad first",
    "transfer.vehicle-may-not-send-abroad": "whether the car itself would send it abroad",
    "transfer.authority-approval-required": "whether it needs an authority's approval, and has it",
    "transfer.survey-approval-required": "whether it is surveying data, and has the approval for it",
    "transfer.sensitive-site": "whether it shows listed places to a recipient of concern",
    "transfer.must-mask": "whether it shows faces and plates that have to be masked",
    "transfer.no-mechanism": "whether it is of a kind that nothing carries",
    "transfer.possible-splitting": "whether sister companies' transfers, counted with it, need a stricter route",
    "transfer.bulk": "whether the volume of such data reaches the figure",
}
"""Path of a rule, its numbers left out, to the question that it asks."""

_GROUND = "grounds."
_FEW = 3


def question(path: str, rule: Any, words: Words) -> str:
    """What a rule asks, in a clause that says nothing of the answer."""
    place = _INDEX.sub("", path)
    if place.startswith(_GROUND):
        return f"whether {names.GROUND_WORDS[place.removeprefix(_GROUND)]} carries it"
    if place == "transfer.route":
        return f"whether it needs {words.route(rule.id)}" if rule.papers else "whether it may leave without a paper"
    if place == "transfer.exemption" or (place == "transfer.mechanism" and rule.route == "exempt"):
        return f"whether it is excepted{_conditions(rule, words)}"
    if place == "transfer.mechanism":
        there = f" to {w.listed(map(w.jurisdiction, rule.to))}" if 0 < len(rule.to) <= _FEW else ""
        return f"whether it may leave{there} by {words.route(rule.route)}{_conditions(rule, words)}"
    return f"{_QUESTIONS[place]}{_figure(place, rule)}"


def _conditions(rule: Any, words: Words) -> str:
    """On which ground, and with which papers."""
    told = f" on the ground of {names.GROUND_WORDS[rule.ground]}" if rule.ground else ""
    one = w.listed(dict.fromkeys(map(words.paper, rule.papers)), "or") if rule.papers else ""
    all_of = [words.paper(code) for code in getattr(rule, "also", ())]
    papers = w.listed(filter(None, [one, *all_of]))
    return f"{told}, with {papers}" if one or all_of else told


def _figure(place: str, rule: Any) -> str:
    """The figures of a rule, where the question is of figures."""
    if place == "transfer.bulk":
        return f" ({w.counted(rule.start, rule.count.removesuffix('s'))})"
    told = w.figures(rule)
    return f" ({told})" if told else ""
