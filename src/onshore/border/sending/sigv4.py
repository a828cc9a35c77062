"""Signature Version 4 of requests to S3-compatible storage, the body's digest signed with the rest."""

import hashlib
import hmac
from dataclasses import dataclass, field, replace

from onshore.border.sending.messages import Request, pairs

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Keys:
    """An access key's id and its secret, and the region that they sign for."""

    access: str
    secret: str = field(repr=False)
    region: str


def signed(request: Request, host: str, keys: Keys, at: str) -> Request:
    """The request with its signature; `at` is UTC as YYYYMMDDTHHMMSSZ, `host` as the Host header says it.

    AWS Signature Version 4, service "s3": the path is encoded once, and every header of the request is signed.
    """
    payload = hashlib.sha256(request.body).hexdigest()
    headers = {**request.headers, "x-amz-content-sha256": payload, "x-amz-date": at}
    spoken = sorted((name.lower(), " ".join(value.split())) for name, value in {**headers, "Host": host}.items())
    names = ";".join(name for name, _ in spoken)
    canonical = "\n".join(
        (
            request.method,
            request.path,
            pairs(request.query),
            *(f"{name}:{value}" for name, value in spoken),
            "",
            names,
            payload,
        )
    )
    scope = f"{at[:8]}/{keys.region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{keys.secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    proof = hmac.digest(key, text.encode(), "sha256").hex()
    said = f"{_ALGORITHM} Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={proof}"
    return replace(request, headers={**headers, "Authorization": said})
