"""Settings of who watches a site run, and of what is owed when something goes wrong there."""

from typing import Annotated

import msgspec

from onshore.words.strict import Strict


class Watch(Strict, frozen=True, kw_only=True):
    """Where every process of `onshore serve` answers /healthz, /readyz and /metrics over HTTP.

    `host`: an address of this machine's own; figures tell nothing of persons, but much of the site. `port`: of the
    process that keeps the site; 0: any free one, which it says as it starts. `border`, `desk` and `gate`: of processes
    that run no keep road, and of gates the first, each other gate the next port after it.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9470
    border: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9471
    desk: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9472
    gate: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9480


class Registers(Strict, frozen=True, kw_only=True):
    """The registers of incidents and complaints.

    `critical_operator`: the law counts whoever runs this site as an operator of critical infrastructure, so that the
    clocks of incidents which run for those run here. `answer_days`: within which a complaint is answered; the packs
    name no term, so this is the site's own.
    """

    critical_operator: bool = False
    answer_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 15
