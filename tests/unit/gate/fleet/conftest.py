"""Both loops."""

import asyncio

import pytest
import uvloop


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Runs a test under both loops."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def runs(story):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(story())

    return runs
