"""Storage that speaks as much of S3 as a parcel needs, keeps many uploads, and may strike at a request."""

import hashlib
import re

from sending_makers import answer

_PART = re.compile(r"<Part><PartNumber>(\d+)</PartNumber><ETag>([^<]*)</ETag></Part>")


class Bucket:
    """`files` are its objects by path, `uploads` those begun, by id: path and parts. It takes signed requests alone.

    `strike`: called with "before" and "after" as each request is heard and done, with its number from 1 since `anew`.
    """

    def __init__(self):
        self.files, self.uploads, self.heard, self.strike = {}, {}, 0, lambda *_: None

    def anew(self, strike):
        """Count requests from 1 on again."""
        self.heard, self.strike = 0, strike

    def __call__(self, asked):
        self.heard += 1
        number = self.heard
        self.strike(number, "before")
        path, _, query = asked.path.partition("?")
        said = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
        signed = asked.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")
        done = self.answered(asked, path, said) if signed else answer(403)
        self.strike(number, "after")
        return done

    def answered(self, asked, path, said):
        """What comes of a request."""
        upload = self.uploads.get(said.get("uploadId"), (None, {}))
        if "uploads" in said:
            name = f"u{len(self.uploads) + 1}"
            self.uploads[name] = path, {}
            return answer(200, body=f"<R><UploadId>{name}</UploadId></R>".encode())
        if "uploadId" in said:
            return self.of_upload(asked, path, said, upload[1]) if upload[0] == path else answer(404)
        if asked.method == "PUT":
            self.files[path] = asked.body
            return answer(200)
        if asked.method == "DELETE":
            self.files.pop(path, None)
            return b"HTTP/1.1 204 X\r\n\r\n"
        there = self.files.get(path)
        return answer(404) if there is None else b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(there)

    def of_upload(self, asked, path, said, parts):
        """What comes of a request about an upload that was begun."""
        if asked.method == "PUT":
            parts[int(said["partNumber"])] = asked.body
            return answer(200, f"ETag: {tag(asked.body)}")
        if asked.method == "DELETE":
            del self.uploads[said["uploadId"]]
            return b"HTTP/1.1 204 X\r\n\r\n"
        if asked.method == "GET":
            listed = "".join(
                f"<Part><PartNumber>{n}</PartNumber><Size>{len(body)}</Size><ETag>{tag(body)}</ETag></Part>"
                for n, body in sorted(parts.items())
            )
            return answer(200, body=f"<R>{listed}</R>".encode())
        named = [(int(number), its) for number, its in _PART.findall(asked.body.decode())]
        if named != [(number, tag(body)) for number, body in sorted(parts.items())]:
            return answer(400)
        self.files[path] = b"".join(body for _, body in sorted(parts.items()))
        del self.uploads[said["uploadId"]]
        return answer(200, body=b"<CompleteMultipartUploadResult/>")


def tag(body):
    """How storage names a part."""
    return f'"{hashlib.md5(body).hexdigest()}"'
