"""Every block by the name that forms call it."""

from collections.abc import Callable, Iterator, Mapping

from onshore.reports.blocks import guarding, holding, leaving, telling
from onshore.reports.pen import Pen
from onshore.reports.report import Part

Block = Callable[[Pen], Iterator[Part]]

BLOCKS: Mapping[str, Block] = {
    "site": holding.site,
    "scale": holding.scale,
    "inventory": holding.inventory,
    "important": holding.important,
    "purposes": holding.purposes,
    "consents": holding.consents,
    "intake": holding.intake,
    "withheld": holding.withheld,
    "retention": holding.retention,
    "retired": holding.retired,
    "measures": guarding.measures,
    "events": guarding.events,
    "provision": guarding.provision,
    "incidents": telling.incidents,
    "complaints": telling.complaints,
    "export-complaints": telling.export_complaints,
    "rights": guarding.rights,
    "clocks": guarding.clocks,
    "erased": guarding.erased,
    "summary": leaving.summary,
    "important-left": leaving.important_left,
    "requests": leaving.requests,
    "parcels": leaving.parcels,
    "counts": leaving.counts,
    "permits": leaving.permits,
    "papers": leaving.papers,
    "recipients": leaving.recipients,
    "declared": leaving.declared,
    "rejected": leaving.rejected,
    "volumes": leaving.volumes,
}
