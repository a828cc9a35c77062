"""Cars for the benchmark of the gate, in a process of their own so that the gate's CPU time is its own."""

import asyncio
import json
import sys

import uvloop

from onshore.cli.simulate import load, test_vins


async def main(port: int, cars: int, seconds: float, window: int) -> None:
    def ready() -> None:
        print(flush=True)

    print(json.dumps(await load("127.0.0.1", port, test_vins(cars), 0, seconds, window=window, ready=ready)))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
