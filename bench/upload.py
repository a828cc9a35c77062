"""Uploads: how fast each format is read, sieved and kept, and how much memory a file of any size takes.

    python -m bench.upload [BYTES [FORMAT]]

Sends one CSV, one candump and one MCAP file of that size (default 200 MB; 5e9 is what `make soak` takes) over TLS to a
gate in a process of its own, and tells bytes and rows a second, and the most memory that the gate ever held.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent / "tests")]
files, makers = import_module("upload_files"), import_module("upload_makers")

PIECE = 1 << 20
GATE = """
import asyncio, resource, signal, sys
from pathlib import Path
import uvloop
from onshore.cli.doors import doors
from onshore.site import open_site

async def run():
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    async with doors(open_site(Path(sys.argv[1]))) as ports:
        print(ports["upload"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
        await done.wait()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(run())
"""
CAN = {"format": "candump", "dbc": "car", "channels": {"SPEED.SPEED": makers.SPEED, "STEER.ANGLE": makers.ANGLE}}
KINDS = {"csv": makers.CSV, "candump": CAN, "mcap": CAN | {"format": "mcap", "can": ["/can"]}}


def pieces(kind: str) -> Iterator[bytes]:
    """A drive without an end; the same minute again and again."""
    lines = range(20_000)
    if kind == "csv":
        yield b"t,speed,lat,remark\n"
        body = "".join(f"{makers.T0 + 10 * n},{n % 200 / 2},{31.2 + n / 1e6:.6f},note {n}\n" for n in lines).encode()
    elif kind == "candump":
        at = [f"({(makers.T0 + n) / 1000:.6f}) can0" for n in lines]
        body = "".join(
            f"{at[n]} {[0x25, 0xB4, 0x123, 0x260][n % 4]:03X}#{n % 999:04X}000000{n % 9999:04X}00\n" for n in lines
        ).encode()
    else:
        yield files.MAGIC + files.mcap_channel(1, "/can")
        said = (
            {"id": (37, 180, 291, 608)[n % 4], "bus": 0, "data": f"{n % 999:04x}000000{n % 9999:04x}00"} for n in lines
        )
        body = files.mcap_chunk(b"".join(files.mcap_message(1, makers.T0 + n, one) for n, one in enumerate(said)))
    while True:
        yield body


def end(kind: str) -> bytes:
    return files.record(15, b"\0" * 4) + files.record(2, b"\0" * 20) + files.MAGIC if kind == "mcap" else b""


async def send(site: makers.Site, car, port: int, kind: str, size: int) -> tuple[int, float]:
    """Create an upload and send it in one PATCH; its bytes, and seconds until it is kept."""
    reader, writer = await asyncio.open_connection("localhost", port, ssl=car.context())
    parts, total, source = [], 0, pieces(kind)
    while total < size:
        parts.append(next(source))
        total += len(parts[-1])
    parts.append(end(kind))
    total += len(parts[-1])

    async def asked(method: str, path: str, *headers: str) -> dict[str, str]:
        head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", "Tus-Resumable: 1.0.0", *headers))
        writer.write(f"{head}\r\n\r\n".encode())
        if method == "PATCH":
            for part in parts:
                for at in range(0, len(part), PIECE):
                    writer.write(part[at : at + PIECE])
                    await writer.drain()
        said = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        assert said[0].split()[1] in ("201", "204"), said
        return dict(line.lower().split(": ", 1) for line in said[1:] if line)

    made = await asked(
        "POST",
        "/files",
        f"Upload-Length: {total}",
        f"Upload-Metadata: {makers.metadata(KINDS[kind])}",
        "Content-Length: 0",
    )
    begun = time.perf_counter()
    kind_of = "Content-Type: application/offset+octet-stream"
    await asked("PATCH", made["location"], "Upload-Offset: 0", kind_of, f"Content-Length: {total}")
    took = time.perf_counter() - begun
    writer.close()
    return total, took


def measure(kind: str, size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        site = makers.Site(Path(folder))
        car = site.allowed()
        gate = subprocess.Popen([sys.executable, "-c", GATE, str(site.site.folder)], stdout=subprocess.PIPE, text=True)
        port, before = map(int, gate.stdout.readline().split())
        total, took = asyncio.run(send(site, car, port, kind, size))
        gate.terminate()
        most = int(gate.stdout.readline())
        gate.wait()
    return {
        "bytes": total,
        "seconds": round(took, 2),
        "MB a second": round(total / took / 1e6, 1),
        "resident before, MB": before // 1024,
        "most resident, MB": most // 1024,
    }


def run() -> dict[str, float]:
    """For the table of all benches: 50 MB of each format."""
    found = {}
    for kind in KINDS:
        told = measure(kind, 50_000_000)
        found[f"{kind}: MB a second, over TLS to durable"] = told["MB a second"]
        found[f"{kind}: MB that the gate grew by at most"] = told["most resident, MB"] - told["resident before, MB"]
    return found


def main() -> None:
    size = int(float(sys.argv[1])) if len(sys.argv) > 1 else 200_000_000
    for kind in sys.argv[2:] or KINDS:
        print(json.dumps({"format": kind, **measure(kind, size)}), flush=True)


if __name__ == "__main__":
    main()
