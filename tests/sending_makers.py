"""A recipient's host that says over real TLS whatever a test has it say, and an account that is kept in memory."""

import socket
import ssl
import threading
import time

from onshore.border.sending.destinations import Host


class Book:
    """An account in memory: what was remembered, what may be there, what is, and what the wire took."""

    def __init__(self):
        self.said, self.begun_to, self.known, self.wire, self.kernel, self.due = {}, 0, 0, 0, 0, 0

    def remote(self):
        return dict(self.said)

    def most(self):
        return self.begun_to

    def remember(self, **said):
        self.said = {name: word for name, word in {**self.said, **said}.items() if word}

    def begun(self, until):
        self.begun_to = max(self.begun_to, until)

    def there(self, count):
        self.known = max(self.known, count)

    def now(self):
        return int(time.time() * 1000)

    def goes(self, count):
        self.due = count

    def took(self, wire, kernel):
        assert wire <= self.due, "what goes was announced"
        self.wire, self.kernel = self.wire + wire, self.kernel + kernel


class Asked:
    """One request as a server heard it: method, path, headers (names in small letters), body."""

    def __init__(self, head, body):
        first, *lines = head.decode().split("\r\n")
        self.method, self.path, _ = first.split(" ")
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.body = body


class Talker:
    """Answers each request with the bytes that `says` gives for it; None closes the connection. `heard`: all of it."""

    def __init__(self, authority, says, name="localhost"):
        key, cert = authority.server(name)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.says, self.heard, self.raw = says, [], 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.threads = [threading.Thread(target=self._run, daemon=True)]
        self.threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _run(self):
        while True:
            try:
                plain, _ = self.listening.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(plain, server_side=True) as sock:
                    self._talk(sock)
            except OSError:
                plain.close()

    def _talk(self, sock):
        raw = b""
        while True:
            while b"\r\n\r\n" not in raw:
                if not (data := sock.recv(1 << 16)):
                    return
                raw += data
            head, _, raw = raw.partition(b"\r\n\r\n")
            length = next((int(n[16:]) for n in head.split(b"\r\n") if n.lower().startswith(b"content-length: ")), 0)
            while len(raw) < length:
                if not (data := sock.recv(1 << 16)):
                    return
                raw += data
            asked, raw = Asked(head, raw[:length]), raw[length:]
            self.heard.append(asked)
            answer = self.says(asked)
            for part in [answer] if isinstance(answer, bytes | type(None)) else answer:
                if part is None:
                    return
                sock.sendall(part)


def answer(status, *fields, body=b""):
    """An answer's bytes."""
    lines = (f"HTTP/1.1 {status} X", *fields, f"Content-Length: {len(body)}", "", "")
    return "\r\n".join(lines).encode() + body


class Honest:
    """What a tus server says, as far as it is needed here; a test changes what it likes."""

    def __init__(self):
        self.files, self.lengths = {}, {}

    def __call__(self, asked):
        return getattr(self, asked.method.lower())(asked)

    def post(self, asked):
        place = f"/files/{len(self.files)}"
        self.files[place], self.lengths[place] = b"", asked.headers["upload-length"]
        return answer(201, f"Location: {place}")

    def head(self, asked):
        if asked.path not in self.files:
            return answer(404)
        said = f"Upload-Offset: {len(self.files[asked.path])}", f"Upload-Length: {self.lengths[asked.path]}"
        return "\r\n".join(("HTTP/1.1 200 OK", *said, "", "")).encode()

    def patch(self, asked):
        self.files[asked.path] += asked.body
        return b"HTTP/1.1 204 X\r\nUpload-Offset: %d\r\n\r\n" % len(self.files[asked.path])

    def delete(self, asked):
        del self.files[asked.path]
        return b"HTTP/1.1 204 X\r\n\r\n"


def host_at(port, authority, *, part=1000, seconds=5, **change):
    """The host of a test at a port of this machine, as a destination."""
    said = {"name": "stuttgart", "host": "localhost", "path": "/files", "jurisdiction": "DE"} | change
    return Host(port=port, tls=authority.context(), part=part, seconds=seconds, **said)
