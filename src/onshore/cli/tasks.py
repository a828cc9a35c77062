"""`onshore task`: what refusals and emergencies have people do, by when; and what a look at it all finds."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, put, say

if TYPE_CHECKING:
    from onshore.border.cases.tasks import Task
    from onshore.site import Site


@click.group()
def task() -> None:
    """What is owed after refusals and emergencies, with clocks: list, done, sweep."""


@task.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are done as well.")
@at_site()
def list_(here: "Site", every: bool, as_json: bool) -> None:
    """List what waits, earliest due first: what, for which request, by when, by which article."""
    from onshore.border.cases import tasks

    found = tasks.listed(here, every=every)
    for one in found:
        if as_json:
            put(_said(here, one))
            continue
        by = tasks.last_day(here, one) or "-"
        end = f", done {clock_text(one.done)} by {one.done_by}, paper {one.number}" if one.done else ""
        click.echo(f"{one.id}  {one.state:9}{one.what}  request {one.transfer}  by {by}  {one.article}{end}")
        click.echo(
            f"  {one.says}" + ("" if one.sure else " The calendar does not reach so far: an earlier day counts.")
        )
    if not found and not as_json:
        say("nothing waits")


@task.command()
@click.argument("task_id", metavar="TASK")
@click.option("--number", required=True, help="Of the paper that shows it: a filing, a report, minutes.")
@at_site("officer")
def done(here: "Site", task_id: str, number: str, actor: str, as_json: bool) -> None:
    """Mark a task as done, once, with the paper that shows it."""
    from onshore.border.cases import tasks

    one = tasks.done(here, task_id, actor, number)
    put(_said(here, one)) if as_json else say(f"done: {one.what} of request {one.transfer}, paper {one.number}")


@task.command()
@at_site("officer", "operator")
def sweep(here: "Site", as_json: bool) -> None:
    """Suspend what stands for recipients that are blocked by now; 'onshore serve' does it by itself."""
    from onshore.border import blocking

    suspended = blocking.suspend(here)
    if as_json:
        put({"suspended": suspended})
        return
    say(f"suspended: {len(suspended)} requests of blocked recipients")
    for one in suspended:
        click.echo(one)


def _said(here: "Site", one: "Task") -> dict[str, Any]:
    from onshore.border.cases import tasks

    return asdict(one) | {"last_day": tasks.last_day(here, one)}
