"""Clients of other makes speak to the gate over real TLS, in both versions, and are content."""

import asyncio
import json
import shutil
import subprocess

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mqtt_makers import NOW, PATIENCE, Garage, running, until

VERSIONS = {"mqttv311": paho.MQTTv311, "mqttv5": paho.MQTTv5}
SPEED = "Vehicle.Speed"

needs_mosquitto = pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="mosquitto-clients is not installed")
both = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def garage(tmp_path):
    return Garage(tmp_path)


def message(speed, at=0):
    return json.dumps({"time": NOW + at, SPEED: speed})


async def told(program, car, port, version, *options):
    process = await asyncio.create_subprocess_exec(
        program,
        *("-h", "localhost", "-p", str(port), "-V", version, *car.options(), *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


@needs_mosquitto
@both
@pytest.mark.parametrize("qos", ["0", "1"])
def test_mosquitto_pub(garage, version, qos):
    car = garage.car()

    async def play():
        async with running(garage) as here:
            own = ("-t", car.topic("t"), "-q", qos)
            code, says = await told("mosquitto_pub", car, here.port, version, *own, "-m", message(42.5))
            assert (code, says) == (0, "")
            await until(lambda: here.rows)
            assert [(row["vehicle"], row[SPEED], row["door"]) for row in here.rows] == [(car.id, 42.5, "mqtt")]

    asyncio.run(play())


@needs_mosquitto
@both
def test_mosquitto_pub_is_told_what_it_may_not(garage, version):
    car, other = garage.car(1), garage.car(2)

    async def play():
        async with running(garage) as here:
            foreign = ("-t", other.topic("t"), "-q", "1", "-m", message(1))
            code, says = await told("mosquitto_pub", car, here.port, version, *foreign, "--repeat", "1")
            assert here.rows == []
            assert "Not authorized" in says if version == "mqttv5" else code
            named = ("-i", other.name, "-t", car.topic("t"), "-m", message(1))
            code, says = await told("mosquitto_pub", car, here.port, version, *named)
            assert code
            assert "identifier" in says.lower() or "client" in says.lower()
            assert here.rows == []

    asyncio.run(play())


@needs_mosquitto
@both
def test_nothing_is_taken_at_qos_2(garage, version):
    car = garage.car()

    async def play():
        async with running(garage) as here:
            twice = ("-t", car.topic("t"), "-q", "2", "-m", message(1))
            code, says = await told("mosquitto_pub", car, here.port, version, *twice)
            assert here.rows == []
            assert "QoS not supported" in says if version == "mqttv5" else code

    asyncio.run(play())


@needs_mosquitto
@both
def test_mosquitto_sub_gets_the_policy_and_the_next_one(garage, version):
    car = garage.car()

    async def play():
        async with running(garage) as here:
            here.papers.policies[car.id] = b"first"
            own = ("-t", car.topic("p"), "-q", "1", "-C", "2", "-F", "%r %p")
            asked = asyncio.create_task(told("mosquitto_sub", car, here.port, version, *own))
            await until(lambda: any(s.got for s in here.door.sessions._here.values()))
            await until(lambda: all(s.on_its_way is None for s in here.door.sessions._here.values()))
            here.papers.policies[car.id] = b"second"
            here.door.publish(car.id, b"second")
            code, says = await asked
            assert (code, says) == (0, "1 first\n0 second\n")

    asyncio.run(play())


@needs_mosquitto
@both
def test_mosquitto_sub_may_hear_nothing_else(garage, version):
    car, other = garage.car(1), garage.car(2)

    async def play():
        async with running(garage) as here:
            here.papers.policies[other.id] = b"not yours"
            for topic in (other.topic("p"), "#", "v1/+/p", f"$share/x/{car.topic('p')}"):
                code, says = await told("mosquitto_sub", car, here.port, version, "-t", topic, "-C", "1")
                assert code or "denied" in says, topic
                assert "not yours" not in says

    asyncio.run(play())


class Paho:
    """A paho client whose network loop is a thread of its own, and what it heard."""

    def __init__(self, car, version, client_id="", **options):
        self.heard, self.reasons = [], []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, protocol=version, **options)
        self.client.tls_set_context(car.context())
        self.client.on_connect = lambda c, u, flags, reason, p: self.reasons.append((flags.session_present, reason))
        self.client.on_message = lambda c, u, m: self.heard.append((m.payload, m.retain, m.qos))

    async def connect(self, port, **options):
        before = len(self.reasons)
        await asyncio.to_thread(self.client.connect, "localhost", port, 60, **options)
        self.client.loop_start()
        await until(lambda: len(self.reasons) > before)
        return self.reasons[-1]

    async def close(self):
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


@both
def test_paho_keeps_its_session(garage, version):
    car = garage.car()
    mqtt5 = version == "mqttv5"

    async def play():
        async with running(garage) as here:
            options = {} if mqtt5 else {"clean_session": False}
            long = Properties(PacketTypes.CONNECT)
            long.SessionExpiryInterval = 3600
            first = {"clean_start": False, "properties": long} if mqtt5 else {}
            client = Paho(car, VERSIONS[version], "tbox", **options)
            present, reason = await client.connect(here.port, **first)
            assert not present
            assert reason == 0
            client.client.subscribe(car.topic("p"), 1)
            await until(lambda: any(s.subscribed for s in here.door.sessions._here.values()))
            sent = [client.client.publish(car.topic("t"), message(i, i), 1) for i in range(50)]
            await until(lambda: all(s.is_published() for s in sent))
            assert [row[SPEED] for row in here.rows] == list(range(50))
            await client.close()
            await until(lambda: not here.door.connections)
            here.papers.policies[car.id] = b"while away"
            here.door.publish(car.id, b"while away")
            client = Paho(car, VERSIONS[version], "tbox", **options)
            present, _ = await client.connect(here.port, **first)
            assert present
            await until(lambda: client.heard)
            assert client.heard == [(b"while away", False, 1)]
            await until(lambda: all(s.on_its_way is None for s in here.door.sessions._here.values()))
            await client.close()

    asyncio.run(play())


@both
def test_paho_sends_again_what_was_not_kept(garage, version):
    car = garage.car()

    async def play():
        async with running(garage) as here:
            options = {} if version == "mqttv5" else {"clean_session": False}
            client = Paho(car, VERSIONS[version], "tbox", **options)
            client.client.reconnect_delay_set(0.01, 0.01)
            here.fails = True
            await client.connect(here.port, **({"clean_start": False} if version == "mqttv5" else {}))
            sent = client.client.publish(car.topic("t"), message(7), 1)
            await until(lambda: here.door.counts["not kept"] > 1)
            assert not sent.is_published()
            here.fails = False
            await until(sent.is_published)
            assert [row[SPEED] for row in here.rows] == [7]
            await client.close()

    asyncio.run(play())


def test_paho_is_told_why_a_message_was_rejected(garage):
    car = garage.car()

    async def play():
        async with running(garage) as here:
            client = Paho(car, paho.MQTTv5)
            told = []
            client.client.on_publish = lambda c, u, mid, reason, p: told.append((reason.value, str(p)))
            await client.connect(here.port)
            client.client.publish(car.topic("t"), b'{"time": 1, "Vehicle.Speed": "fast"}', 1)
            await until(lambda: told)
            assert told[0][0] == 0x99
            assert "type and range" in told[0][1]
            await client.close()

    asyncio.run(play())


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5])
def test_aiomqtt(garage, version):
    car = garage.car()

    async def play():
        async with running(garage) as here:
            here.papers.policies[car.id] = b"policy"
            options = {"port": here.port, "tls_context": car.context(), "protocol": version}
            async with asyncio.timeout(PATIENCE), aiomqtt.Client("localhost", **options) as client:
                await client.subscribe(car.topic("p"), 1)
                async for heard in client.messages:
                    assert (heard.payload, heard.retain) == (b"policy", True)
                    break
                await client.publish(car.topic("a"), message(3), 1)
                await client.publish(car.topic("c"), b'{"policy": 12}', 1)
                await client.publish(car.topic("t"), message(4), 0)
                await until(lambda: len(here.rows) == 2)
            assert here.papers.seen == [(car.id, 12)]

    asyncio.run(play())
