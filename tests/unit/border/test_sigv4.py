"""Requests to storage carry the signatures that AWS publishes for these very requests."""

import pytest

from onshore.border.sending.messages import Request, encoded
from onshore.border.sending.sigv4 import Keys, signed

HOST, AT = "examplebucket.s3.amazonaws.com", "20130524T000000Z"
KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")

# Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single
# Chunk", its four examples: a range, a body with a name that is encoded, a query without a value, a query with two.
PUBLISHED = {
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41": (
        Request("GET", "/test.txt", {"Range": "bytes=0-9"}),
        "host;range;x-amz-content-sha256;x-amz-date",
    ),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd": (
        Request(
            "PUT",
            f"/{encoded('test$file.text')}",
            {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            b"Welcome to Amazon S3.",
        ),
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
    ),
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543": (
        Request("GET", "/", query={"lifecycle": ""}),
        "host;x-amz-content-sha256;x-amz-date",
    ),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7": (
        Request("GET", "/", query={"prefix": "J", "max-keys": "2"}),
        "host;x-amz-content-sha256;x-amz-date",
    ),
}


@pytest.mark.parametrize("signature", PUBLISHED)
def test_a_signature_is_the_one_that_is_published(signature):
    request, names = PUBLISHED[signature]
    said = signed(request, HOST, KEYS, AT).headers["Authorization"]
    scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
    assert said == f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


def test_white_space_is_signed_as_storage_reads_it():
    """Runs of blanks count as one: proxies may fold them."""
    two = [signed(Request("GET", "/", {"a": value}), HOST, KEYS, AT) for value in ("x y", " x   y ")]
    assert len({one.headers["Authorization"] for one in two}) == 1


@pytest.mark.parametrize(
    "other",
    [
        signed(Request("GET", "/b"), HOST, KEYS, AT),
        signed(Request("HEAD", "/a"), HOST, KEYS, AT),
        signed(Request("GET", "/a", body=b"x"), HOST, KEYS, AT),
        signed(Request("GET", "/a", query={"uploads": ""}), HOST, KEYS, AT),
        signed(Request("GET", "/a"), "elsewhere", KEYS, AT),
        signed(Request("GET", "/a"), HOST, KEYS, "20130524T000001Z"),
        signed(Request("GET", "/a"), HOST, Keys(KEYS.access, "another", KEYS.region), AT),
        signed(Request("GET", "/a"), HOST, Keys(KEYS.access, KEYS.secret, "eu-central-1"), AT),
    ],
)
def test_whatever_changes_changes_the_signature(other):
    first = signed(Request("GET", "/a"), HOST, KEYS, AT).headers["Authorization"].rpartition("=")[2]
    assert other.headers["Authorization"].rpartition("=")[2] != first


def test_the_secret_is_in_no_text_of_the_keys():
    assert KEYS.secret not in repr(KEYS)
