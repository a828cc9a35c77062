"""What is held: the site, its vehicles, data by class, purposes, what was taken in and withheld, how long it stays."""

from collections.abc import Iterator

from onshore.reports.evidence.people import Allowed
from onshore.reports.pen import Pen
from onshore.reports.report import Part
from onshore.rules.pack_store import Cap, Floor


def site(pen: Pen) -> Iterator[Part]:
    """Which site it is, which law it obeys, which log proves it."""
    words, found = pen.words, pen.found
    here, source = found.settings.site, pen.query("settings")
    rows = [
        (words("site.name"), here.name),
        (words("site.id"), here.id),
        (words("site.jurisdiction"), here.jurisdiction),
        (words("site.pack"), found.pack.id),
        (words("site.reviewed"), found.pack.reviewed_by or words("site.unreviewed")),
        (words("site.origin"), found.origin),
    ]
    yield pen.table("site", ("what", "value"), [(row, source) for row in rows], lambda: source)


def scale(pen: Pen) -> Iterator[Part]:
    """How many vehicles and persons."""
    now, before, source = pen.found.now.scale, pen.found.before.scale, pen.query("register")
    names = ("vehicles", "persons", "added", "retired")
    rows = [
        ((pen.words(f"scale.{name}"), *pen.beside(getattr(now, name), getattr(before, name))), source) for name in names
    ]
    yield pen.table("scale", ("what", "now", "before"), rows, lambda: source)


def inventory(pen: Pen) -> Iterator[Part]:
    """What lies here now, by category, class in law and ground."""
    words, source = pen.words, pen.query("segments")
    rows = [
        (
            (
                words.name("category", one.category),
                words.name("class", pen.found.pack.classes.kind_of(one.category)),
                words.name("ground", one.ground),
                one.rows,
                one.files,
                words("span", first=one.first, last=one.last),
            ),
            source,
        )
        for one in pen.found.stock
    ]
    yield pen.table("inventory", ("category", "class", "ground", "rows", "files", "days"), rows, lambda: source)


def important(pen: Pen) -> Iterator[Part]:
    """What of it is important data, by category or by the number of persons."""
    pack, source = pen.found.pack, pen.query("segments")
    held = sorted({one.category for one in pen.found.stock if "important" in pack.classes.kind_of(one.category)})
    rule = pack.classes.important
    if rule is not None:
        article = pen.words.article(rule.article)
        yield pen.says("important.held", source, what=pen.words.names("category", held), article=article)
    if (by_scale := pack.classes.important_scale) is not None:
        persons, limit = pen.found.now.scale.persons, by_scale.more_than
        key = "important.scale-over" if persons > limit else "important.scale-under"
        article = pen.words.article(by_scale.article)
        yield pen.says(key, pen.query("register"), persons=persons, limit=limit, article=article)


def purposes(pen: Pen) -> Iterator[Part]:
    """Purposes with the categories allowed for each, and the consents that stand."""
    words, found, source = pen.words, pen.found, pen.query("consents")
    none = Allowed()
    rows = []
    for name in sorted({*found.now.allowed, *found.before.allowed}):
        now, before = found.now.allowed.get(name, none), found.before.allowed.get(name, none)
        cells = (
            words.name("purpose", name),
            words.names("category", sorted(now.categories)),
            *pen.beside(now.standing, before.standing),
            now.separate,
        )
        rows.append((cells, source))
    yield pen.table("purposes", ("purpose", "categories", "now", "before", "separate"), rows, lambda: source)


def consents(pen: Pen) -> Iterator[Part]:
    """Consents given and withdrawn, as the ledger has them."""
    now, before = pen.found.now.log, pen.found.before.log
    kinds = ("consent/given", "consent/withdrawn")
    rows = [
        (
            (pen.words(f"consents.{kind.replace('/', '.')}"), *pen.beside(len(now.of(kind)), len(before.of(kind)))),
            pen.entries(kind),
        )
        for kind in kinds
    ]
    yield pen.table("consents", ("what", "now", "before"), rows, lambda: pen.entries(*kinds))


def intake(pen: Pen) -> Iterator[Part]:
    """Rows in and kept, cells kept by category and ground."""
    words, now, before = pen.words, pen.found.now.intake, pen.found.before.intake
    source = pen.entries("ingest")
    rows = [
        ((words("intake.rows_in"), "", *pen.beside(now.rows_in, before.rows_in)), source),
        ((words("intake.rows_kept"), "", *pen.beside(now.rows_kept, before.rows_kept)), source),
    ]
    for category, ground in sorted({*now.kept, *before.kept}):
        both = now.kept.get((category, ground), 0), before.kept.get((category, ground), 0)
        cells = (words("intake.cells", what=words.name("category", category)), words.name("ground", ground))
        rows.append(((*cells, *pen.beside(*both)), source))
    yield pen.table("intake", ("what", "ground", "now", "before"), rows, lambda: source)


def withheld(pen: Pen) -> Iterator[Part]:
    """Cells that arrived and were kept for no use that rests on consent, by reason."""
    now, before, source = pen.found.now.intake.withheld, pen.found.before.intake.withheld, pen.entries("ingest")
    rows = [
        ((pen.words.name("reason", reason), *pen.beside(now.get(reason, 0), before.get(reason, 0))), source)
        for reason in sorted({*now, *before})
    ]
    yield pen.table("withheld", ("reason", "now", "before"), rows, lambda: source)


def retention(pen: Pen) -> Iterator[Part]:
    """How long each kind of record is kept at most and at least, by the pack."""
    words, store, source = pen.words, pen.found.pack.store, pen.query("pack", pack=pen.found.pack.id)
    rules: list[Cap | Floor] = [*store.cap, *store.floor] if store else []
    rows = [
        (
            (
                words("retention.most" if isinstance(rule, Cap) else "retention.least"),
                words.names("record", rule.records),
                words.names("category", rule.categories) if rule.categories else words("retention.all"),
                words.length(rule.max if isinstance(rule, Cap) else rule.min),
                f"{words.article(rule.article)}{words('list.open')}{words.mark(rule.mark, verify=rule.verify)}"
                + words("list.close"),
            ),
            source,
        )
        for rule in rules
    ]
    yield pen.table("retention", ("limit", "record", "categories", "length", "article"), rows, lambda: source)
    yield pen.says("retention.place", pen.query("settings"), jurisdiction=pen.found.settings.site.jurisdiction)


def retired(pen: Pen) -> Iterator[Part]:
    """What retention dropped."""
    words, source = pen.words, pen.entries("retire")
    now, before = ([*one.log.of("retire")] for one in (pen.found.now, pen.found.before))
    both = [{}, {}]  # type: list[dict[str, int]]
    for sums, entries in zip(both, (now, before), strict=True):
        for entry in entries:
            category = entry.fields["category"]
            sums[category] = sums.get(category, 0) + entry.fields["rows"]
    rows = [
        ((words.name("category", name), *pen.beside(both[0].get(name, 0), both[1].get(name, 0))), source)
        for name in sorted({*both[0], *both[1]})
    ]
    yield pen.table("retired", ("category", "now", "before"), rows, lambda: source)
