"""JWT authorizers of HTTP APIs: tokens of an issuer that a test plays."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from http_endpoint import Endpoint
from test_http_apis import Front

# A key for these tests alone.
MODULUS = int(
    "998f91cc6ab497ea4a562023344ffba392ba9415d48a4570e9afc7df18af0b6623a13482152d2de2"
    "bd7299789e95a0089fbb478b41260d94d9a8518751a23be19a5d514e0e9b7c38fd2b6b3a01efc9d3"
    "a0235c1e3b376527c35bc2bb1311ab7bd2055f191ec3d56ce0cfbb20b55f5252253a9d4a5e3493cb"
    "278d98bce1f89fcf0b380914f2a906a3490ccbc979b8a65ea1230058041caebe247aa1547c402bab"
    "efa4024fe0dfb67fc149afd3dc07fd9adea716ad3d118f48e7d78a9d540488bd20057b740e8ac5d7"
    "97ff6fd6df194ba2dcddc65abe81e9ee1e9c6ff7c7c02f8e084285747011ca31e051937587203ec2"
    "2b8b691f74dd36a13ae2ef0f42639dbd",
    16,
)
PRIVATE = int(
    "20f59e4b1c5a0fc3435a52028c5f6078feecda0d0775f82aa095d0961373bac41d00a44709698d90"
    "3dae63bf6e765a078fd5402964fdd86b6afe442581c18b0dc4b6a3d557b04acce69613a93b322f05"
    "23b983339fed27628dfd5b8210b939afd567bebe230ad07bd292f3acb5113517999307a0a730acca"
    "2d7ea85a5e3c217c97638e144d82423799dcbcb86c475447fe5fe79fe458afc90b4c8e81bedc82cd"
    "01d617b9f4730480b67777a6453f12aedc1cf4b3512111cc2324d115d3296051ac34520b07b64630"
    "f8f30ed6d619c9146f039aee11d967e2c372f7e7081ff92ef0bcd28304879845dff3b17900cf48bb"
    "077385cd86b82ac5aa9ff78546d56f21",
    16,
)
SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims, *, kid="k", alg="RS256"):
    """A signed token: PKCS #1 v1.5 by hand, which is enough for a test."""
    parts = [b64(json.dumps(one).encode()) for one in ({"alg": alg, "kid": kid}, claims)]
    head = ".".join(parts)
    digest = SHA256 + hashlib.sha256(head.encode()).digest()
    padded = b"\0\1" + b"\xff" * (256 - 3 - len(digest)) + b"\0" + digest
    signature = pow(int.from_bytes(padded, "big"), PRIVATE, MODULUS)
    return f"{head}.{b64(signature.to_bytes(256, 'big'))}"


class Issuer:
    def __init__(self, endpoint):
        self.url = endpoint.url
        key = {"kty": "RSA", "kid": "k", "use": "sig", "alg": "RS256", "e": "AQAB"}
        key["n"] = b64(MODULUS.to_bytes(256, "big"))
        documents = {
            "/.well-known/openid-configuration": {"jwks_uri": f"{endpoint.url}/keys"},
            "/keys": {"keys": [key]},
        }
        endpoint.answer = lambda request: (200, json.dumps(documents[request.path]).encode())

    def claims(self, now, **more):
        return {"iss": self.url, "aud": "app", "exp": now + 60, "sub": "me", **more}


@pytest.fixture
def endpoint():
    with Endpoint() as endpoint:
        yield endpoint


def test_a_token_lets_its_bearer_pass(clock, engine, server, endpoint):
    front, issuer = Front(engine, server), Issuer(endpoint)
    made = front.gateway.create_authorizer(
        ApiId=front.api,
        Name="tokens",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer.url, "Audience": ["app"]},
    )
    by = {"AuthorizationType": "JWT", "AuthorizerId": made["AuthorizerId"]}
    front.route("GET /a", **by)
    front.route("GET /scoped", AuthorizationScopes=["read", "write"], **by)
    now = clock.now

    def call(path, text):
        return front.call(path, headers={"Authorization": text})[0]

    good = token(issuer.claims(now, scope="read x"))
    assert call("/a", f"Bearer {good}") == 200
    told = front.events[-1]["requestContext"]["authorizer"]["jwt"]
    assert (told["claims"]["sub"], told["scopes"]) == ("me", None)
    assert call("/scoped", good) == 200
    assert call("/scoped", token(issuer.claims(now))) == 403
    assert front.call("/a")[0] == 401
    head, claims, signature = good.split(".")
    forged = b64(json.dumps(issuer.claims(now, sub="you")).encode())
    no_algorithm = b64(b'{"alg":"none","kid":"k"}')
    for wrong in (
        f"{head}.{forged}.{signature}",
        f"{no_algorithm}.{claims}.",
        f"{head}.{claims}.",
        token(issuer.claims(now, aud="other")),
        token(issuer.claims(now, iss="https://other.example")),
        token(issuer.claims(now, exp=now)),
        token(issuer.claims(now, nbf=now + 5)),
        token(issuer.claims(now), kid="unknown"),
        token(issuer.claims(now), alg="HS256"),
        "",
        "x" * 20_000,
    ):
        assert call("/a", wrong or "-") == 401, wrong[:80]
    clock.advance(61)
    assert call("/a", good) == 401
    assert [request.path for request in endpoint.got].count("/keys") == 1
