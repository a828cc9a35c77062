"""The recital: an act and the facts around it, told in sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from onshore.rules import names
from onshore.rules import wording as w
from onshore.rules.acts import Act, Facts, StandingConsent
from onshore.rules.expected import ACTS
from onshore.rules.pack_words import Words

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MEANS = {
    "file": "be sent from {here} to {there}",
    "query": "be given from {here} in answer to a query by {there}",
    "view": "be looked at by {there}, while staying in {here}",
    "vehicle": "be sent by the car itself from {here} to {there}",
    "authority": "be handed from {here} to a court or authority that asks for it, {there}",
}
_CLOCKS = {
    "erasure": "an erasure that a person asked for",
    "contract-filing": "the filing of the standard contract",
    "assessment-renewal": "the renewal of the security assessment",
    "certificate-renewal": "the renewal of the certificate",
    "annual-report": "the annual report",
    "incident-report": "the report of an incident",
    "access-request": "the answer to a person who asked for access",
    "rejected-offer-report": "the report of a rejected offer",
    "transfer-dossier": "the dossier of the transfer",
    "officer-filing": "the filing of the officer's appointment",
    "permit-expiry": "the expiry of the permit",
}
_COPIES = {
    "primary": "the primary copy",
    "replica": "a replica",
    "backup": "a backup",
    "log": "a log",
    "index": "an index",
}


@dataclass(frozen=True)
class Telling:
    """How an act is told: where the site stands, its time zone, its pack's words, whether that counts persons."""

    here: str
    zone: str
    words: Words
    counts: bool


def name_of(act: Act) -> str:
    """What the scenario book calls this kind of act."""
    return next(name for name, kind in ACTS.items() if isinstance(act, kind))


def clock_words(what: str) -> str:
    """What a clock of the scenario book runs for."""
    return _CLOCKS.get(what, w.plain(what))


def instant(at: int, zone: str) -> str:
    """An instant (milliseconds UTC) as a letter has it, local to an IANA zone."""
    return w.hour((_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone)))


def act_told(act: Act, facts: Facts, telling: Telling) -> str:
    """What would be done, when and where, in a sentence or two."""
    tell = {"collect": _collect, "consent": _consent, "store": _store, "transfer": _transfer, "deadline": _deadline}
    told = tell[name_of(act)](msgspec.structs.asdict(act), telling)
    at = f"{instant(facts.at, telling.zone)} ({w.time_of(telling.zone)})"
    return f"{told} Asked on {at}." if name_of(act) == "deadline" else f"On {at}, {told}"


def facts_told(act: Act, facts: Facts, telling: Telling) -> str:
    """What is on file and on record, as far as this kind of act can turn on it."""
    kind, zone = name_of(act), telling.zone
    parts: list[str] = []
    if kind == "transfer":
        parts += _exports(facts, telling)
    if kind == "transfer" or (kind == "store" and facts.papers):
        parts.append(f"On file: {telling.words.on_file(facts.papers)}." if facts.papers else "No paper is on file.")
    if kind == "transfer":
        parts += _limits(facts, telling)
    if kind == "collect":
        said = {"on": "switched it on", "off": "switched it off", "unset": "made no choice"}[facts.driver_setting]
        parts.append(f"For optional collection, the driver has {said}.")
    if kind in {"collect", "transfer"}:
        parts.append(_standing(facts.consent, zone, collect=kind == "collect"))
    if facts.critical_operator:
        parts.append("The operator is a critical information infrastructure operator.")
    if facts.calendar_until is not None:
        parts.append(f"The calendar of working days is known until {facts.calendar_until}.")
    return " ".join(filter(None, parts))


def _collect(act: Mapping[str, Any], _telling: Telling) -> str:
    where = ", recorded inside a restricted area," if act["zone"] == "restricted" else ""
    what = w.categories([act["category"]])
    masked = ", already masked," if act["masked"] else ""
    told = f"{what}{masked}{where} would be kept for {w.plain(act['purpose'])}"
    told += f", on the ground of {names.GROUND_WORDS[act['ground']]}."
    if act["person_born"]:
        told += f" The person was born on {w.day(act['person_born'])}."
    told += "" if act["leaves_car"] else " It stays in the car."
    told += "" if act["in_catalogue"] else " Nobody listed the signal in the catalogue."
    told += "" if act["function_running"] else " The function that needs it is not running."
    return told + (" Why it is necessary was written down." if act["biometric_necessity_memo"] else "")


def _consent(act: Mapping[str, Any], telling: Telling) -> str:
    how = "asked for on its own" if act["separate"] else "not asked for on its own"
    how += "" if act["own_screen"] else ", and not on its own screen"
    told = f"a person would consent to {w.categories(act['categories'])} for {_purposes(act['purposes'])}, {how}."
    told += f" The notice told of: {w.listed(names.ITEM_WORDS[item] for item in act['notice_items'])}."
    if act["bundled_with"]:
        told += f" The consent was tied to something else ({w.plain(act['bundled_with'])})."
    if act["person_born"]:
        told += f" The person was born on {w.day(act['person_born'])}"
        told += ", and a guardian consented." if act["guardian"] else ", and no guardian consented."
    if act["last_refused"] is not None:
        told += f" They last refused on {_when(act['last_refused'], telling.zone)}."
    return told


def _store(act: Mapping[str, Any], _telling: Telling) -> str:
    copy = _COPIES.get(act["kind"], "the first copy")
    record = act["record"]
    what = w.categories([act["category"]]) if record == "observation" else f"the {w.plain(record)}"
    age = act["age"] or (f"{act['age_days']}d" if act["age_days"] else "")
    aged = f", now {w.length(age)} old," if age else ""
    if act["ask"] == "purge":
        return f"{what}{aged} would be purged ({copy}, in {w.jurisdiction(act['place'])})."
    kept = "be written first" if act["kind"] == "first-write" else f"be kept as {copy}"
    told = f"{what}{aged} would {kept} in {w.jurisdiction(act['place'])}."
    if act["exception"] != "none":
        told += f" It is kept as a {w.plain(act['exception'])}."
    if act["clip_seconds"]:
        told += f" The clip lasts {act['clip_seconds']:g} seconds; {act['clips_today'] or 0} were kept that day before."
    return told


def _transfer(act: Mapping[str, Any], telling: Telling) -> str:
    means = _MEANS[act["by"]].format(here=w.jurisdiction(telling.here), there=_recipient(act))
    told = f"{w.categories(act['categories'])}{_people(act, telling)} would {means}, for {w.plain(act['purpose'])}, "
    told += f"on the ground of {names.GROUND_WORDS[act['ground']]}."
    if act["recipient_status"] != "none":
        told += f" The recipient is {names.STATUS_WORDS[act['recipient_status']]}."
    if act["produced_in"] not in {None, telling.here}:
        joined = "joined with domestic data" if act["joined_with_local"] else "with nothing domestic joined to it"
        told += f" The data was produced in {w.jurisdiction(act['produced_in'])}, {joined}."
    told += " It carries coordinates." if act["coordinates"] else ""
    told += f" Positions are given to {act['precision_m']:g} m." if act["precision_m"] is not None else ""
    return told + (" It was recorded near a sensitive site." if act["near_sensitive_site"] else "")


def _deadline(act: Mapping[str, Any], telling: Telling) -> str:
    return (
        f"The question is when {clock_words(act['what'])} falls due, counted from {_when(act['start'], telling.zone)}."
    )


def _people(act: Mapping[str, Any], telling: Telling) -> str:
    """Whose data it is: persons new to the count, their devices, and how many there are in all."""
    new, devices, whole = act["new_persons"], act["new_devices"], act["subjects_in_dataset"]
    if new:
        told = f", concerning {w.persons(new)}{' not yet counted this year' if telling.counts else ''}"
    else:
        told = ", concerning nobody who was not counted yet" if telling.counts else ""
    told += f", with {w.counted(devices, 'new device')}" if devices else ""
    told += f", in data about {w.persons(whole)}" if whole > new else ""
    return f"{told}," if told else ""


def _recipient(act: Mapping[str, Any]) -> str:
    where = w.jurisdiction(act["to"])
    named = f"“{act['recipient']}” in {where}" if act["recipient"] else ""
    if act["by"] in {"view", "query"}:
        return named or f"somebody in {where}"
    return (named or f"in {where}") if act["by"] == "authority" else (named or where)


def _exports(facts: Facts, telling: Telling) -> Iterator[str]:
    sent = {"sensitive": facts.exported.sensitive, "ordinary": facts.exported.ordinary}
    told = [f"{kind} personal information of {w.persons(number)}" for kind, number in sent.items() if number]
    if told:
        yield f"Exported so far{' this calendar year' if telling.counts else ''}: {w.listed(told)}."
    elif telling.counts:
        yield "Nobody's personal information has been exported yet this calendar year."
    if facts.devices_12_months:
        yield f"In twelve months, {w.figure(facts.devices_12_months)} devices' locations went to this recipient."
    if (others := facts.others_12_months) and (others.sensitive or others.ordinary):
        yield (
            f"In twelve months, this recipient was sent sensitive information of {w.persons(others.sensitive)} "
            f"and ordinary information of {w.persons(others.ordinary)} who are not in this."
        )
    if group := facts.group_exports:
        yield (
            f"Sister companies sent the same recipient sensitive information of {w.persons(group.sensitive)} "
            f"and ordinary information of {w.persons(group.ordinary)} for the same purpose."
        )


def _limits(facts: Facts, telling: Telling) -> Iterator[str]:
    permit = facts.permit
    if permit is None:
        return
    until = f" until {w.day(permit.until)}" if permit.until else ""
    yield (
        f"A permit ({telling.words.route(permit.route)}) stands for {w.categories(permit.categories)}, "
        f"for {w.plain(permit.purpose or 'no purpose')}, to {_named(permit.recipient)}, for "
        f"{w.persons(permit.persons)}{until}; {w.figure(permit.used)} were sent under it already."
    )
    if permit.revoked:
        yield "It was revoked."


def _standing(consent: StandingConsent | None, zone: str, *, collect: bool) -> str:
    if consent is None:
        return "No consent of the person is on record." if collect else ""
    told = f"On record is a consent to {w.categories(consent.categories)} for {_purposes(consent.purposes)}, "
    told += "asked for on its own" if consent.separate else "not asked for on its own"
    told += f", naming {w.listed(map(_named, consent.recipients))} as recipient" if consent.recipients else ""
    told += f", from {instant(consent.start, zone)}" if consent.start is not None else ""
    told += f" until {instant(consent.until, zone)}" if consent.until is not None else ""
    told += f"; withdrawn on {instant(consent.withdrawn, zone)}" if consent.withdrawn is not None else ""
    return told + ("." if consent.notice == "complete" else "; the notice was incomplete.")


def _named(recipient: str | None) -> str:
    return f"“{recipient}”" if recipient else "nobody"


def _purposes(purposes: tuple[str, ...]) -> str:
    return w.listed(w.plain(purpose) for purpose in purposes)


def _when(what: Any, zone: str) -> str:
    return w.day(what) if isinstance(what, date) else instant(what, zone)
