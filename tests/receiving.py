"""Recipients' servers of other makes, run for a test over TLS: @tus/server under node, Swift with its S3 door."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from waiting import until

MODULES = Path(__file__).parents[1] / "build" / "servers" / "node_modules"
TUS = """
import https from 'node:https'
import fs from 'node:fs'
import tusServer from '@tus/server'
import tusFiles from '@tus/file-store'
const {Server} = tusServer, {FileStore} = tusFiles
const [folder, port, key, cert] = process.argv.slice(2)
const tus = new Server({path: '/files', datastore: new FileStore({directory: folder}), relativeLocation: true})
const tls = {key: fs.readFileSync(key), cert: fs.readFileSync(cert)}
https.createServer(tls, tus.handle.bind(tus)).listen(Number(port), '127.0.0.1')
"""


def why_no_tus():
    """Why @tus/server cannot be run here; empty where it can."""
    if not shutil.which("node"):
        return "node is not installed"
    return "" if (MODULES / "@tus" / "server").is_dir() else "tools/servers did not install @tus/server"


def why_no_swift():
    """Why Swift cannot be run here; empty where it can."""
    there = all(shutil.which(f"swift-{name}") for name in ("proxy-server", "object-server", "ring-builder"))
    return "" if there else "Debian's swift-proxy, swift-account, swift-container and swift-object are not installed"


class Authority:
    """A throw-away authority: its certificate's file, and certificates of servers that it signs."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away")])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.made = self._signed(
            self.name, self.key, (x509.BasicConstraints(ca=True, path_length=0), True), (usage, True)
        )
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.made.public_bytes(serialization.Encoding.PEM))

    def server(self, name="localhost"):
        """Files of a key and its certificate for a host of this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        said = [x509.DNSName(name)] + ([x509.IPAddress(ip_address("127.0.0.1"))] if name == "localhost" else [])
        made = self._signed(x509.Name([]), key, (x509.SubjectAlternativeName(said), True))
        at = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        plain = serialization.NoEncryption()
        at[0].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        at[1].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return at

    def context(self):
        """What a client takes that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.file))

    def _signed(self, subject, key, *extensions):
        day = datetime.now(UTC) - timedelta(days=1)
        built = x509.CertificateBuilder(
            self.name, subject, key.public_key(), x509.random_serial_number(), day, day + timedelta(days=30)
        )
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        for extension, critical in (*extensions, (identifier, False)):
            built = built.add_extension(extension, critical=critical)
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return built.add_extension(own, critical=False).sign(self.key, hashes.SHA256())


class Program:
    """A server in a process of its own, which can be killed and started again on the same port."""

    def __init__(self, command, port, **environment):
        self.command, self.port, self.environment = [*map(str, command)], port, os.environ | environment
        self.process = None

    def start(self):
        """Start it; the server itself, once it answers."""
        self.begin()
        until(self.answers)
        return self

    def begin(self):
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def answers(self):
        assert self.process.poll() is None, self.process.stderr.read().decode()
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        if self.process.returncode is not None:
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()


def free_port():
    """A port on which nobody listened a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Tus:
    """@tus/server with @tus/file-store; `files` are the uploads as it stores them."""

    def __init__(self, folder, authority):
        self.folder = folder / "tus"
        self.folder.mkdir()
        script = MODULES.parent / "tus.mjs"
        script.write_text(TUS)
        port = free_port()
        self.program = Program(["node", script, self.folder, port, *authority.server()], port).start()
        self.port = port

    @property
    def files(self):
        return sorted(path for path in self.folder.iterdir() if path.suffix != ".json")


_STORAGE = """
[DEFAULT]
devices = {folder}/devices
mount_check = false
disable_fallocate = true
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
log_address = {folder}/none
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
_PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
log_address = {folder}/none
cert_file = {cert}
key_file = {key}
[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:tempauth]
use = egg:swift#tempauth
user_recipient_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
location = eu-central-1
min_segment_size = 1
[filter:slo]
use = egg:swift#slo
[filter:catch_errors]
use = egg:swift#catch_errors
"""


class Swift:
    """OpenStack Swift with its S3 door: one account, container and object server behind a proxy that speaks TLS."""

    ACCESS, SECRET, REGION = "recipient:tester", "testing", "eu-central-1"

    def __init__(self, folder, authority):
        self.folder = folder / "swift"
        (self.folder / "devices" / "d1").mkdir(parents=True)
        ports = {kind: free_port() for kind in ("account", "container", "object")}
        self.port = free_port()
        user = "root" if os.geteuid() == 0 else os.environ["USER"]
        self.programs = []
        for kind, port in ports.items():
            self._ring(kind, port)
            conf = self.folder / f"{kind}.conf"
            conf.write_text(_STORAGE.format(folder=self.folder, port=port, kind=kind, user=user))
            self.programs.append(Program([f"/usr/bin/swift-{kind}-server", conf], port))
        key, cert = authority.server()
        conf = self.folder / "proxy.conf"
        conf.write_text(_PROXY.format(folder=self.folder, port=self.port, user=user, key=key, cert=cert))
        self.programs.append(Program(["/usr/bin/swift-proxy-server", conf], self.port))
        for program in self.programs:
            program.begin()
        for program in self.programs:
            until(program.answers)

    def _ring(self, kind, port):
        builder = self.folder / f"{kind}.builder"
        for said in (
            ("create", "2", "1", "0"),
            ("add", f"r1z1-127.0.0.1:{port}/d1", "1"),
            ("rebalance",),
        ):
            done = subprocess.run(
                ["/usr/bin/swift-ring-builder", builder, *said], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr

    def kill(self):
        for program in self.programs:
            program.kill()
