"""Login by the city's own provider: OpenID Connect Core 1.0, authorization code with PKCE S256 and a nonce."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from web.outside import has_control
from web.refusal import Refusal

# What OpenID.NLGov allows for an identity: no shared secrets, nothing unsigned.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_TIMEOUT_S = 10
_LEEWAY_S = 30


@dataclass(frozen=True)
class Oidc:
    """A city's own login. `issuer` is the address that its discovery document is under."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    # The claim that an administrator writes down with an account, for the first login. Never a citizen number.
    claim: str = "preferred_username"
    # The level of assurance that says the provider asked for a second step; without one, the desk asks its own.
    acr: str = ""

    def __post_init__(self) -> None:
        if "bsn" in self.claim.lower():
            raise ValueError("An officer is never known here by a citizen number; choose another claim.")


class ProviderRefused(Refusal):
    """The city's login did not say who this is."""


class Provider:
    """The city's login, as its discovery document describes it. `transport` is for who stands in for it."""

    def __init__(self, settings: Oidc, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._transport = transport
        try:
            about = self._get(settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
            self._issuer = _text(about, "issuer")
            self._login_page, self._token_endpoint, self._key_set = (
                _address(about, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ProviderRefused("The city's login does not answer. Try again in a minute.") from error
        if self._issuer.rstrip("/") != settings.issuer.rstrip("/"):
            raise ProviderRefused("The city's login says that it is another one. Call your administrator.")

    def ask(self, back: str) -> tuple[str, dict[str, str]]:
        """`(address to send the browser to, what to remember of it)`; it comes back to `back`."""
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back,
            "scope": "openid profile email",
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        if self._settings.acr:
            asked["acr_values"] = self._settings.acr
        return f"{self._login_page}?{urlencode(asked)}", kept

    def who(self, state: str, code: str, back: str, kept: dict[str, str], now: datetime) -> tuple[str, str, str]:
        """`(issuer, subject, the claim that accounts are made with)` of who came back; raises ProviderRefused."""
        try:
            if not hmac.compare_digest(state.encode(), kept["state"].encode()):
                raise ValueError("another login than this browser began")
            token = jwt.decode(self._id_token(code, back, kept["verifier"]), self._keys(), algorithms=_ALGORITHMS)
            self._check(token.claims, kept["nonce"], now)
            subject = _text(token.claims, "sub")
        except (JoseError, httpx.HTTPError, httpx.InvalidURL, KeyError, RecursionError, ValueError) as error:
            raise ProviderRefused(
                "The city's login did not let you in. Try again, or call your administrator."
            ) from error
        claims = token.claims
        if self._settings.claim == "email" and claims.get("email_verified") is not True:
            raise ProviderRefused("The city's login did not check your e-mail address. Call your administrator.")
        claim = claims.get(self._settings.claim)
        return self._issuer, subject, claim if isinstance(claim, str) and not has_control(claim) else ""

    def _id_token(self, code: str, back: str, verifier: str) -> str:
        handed_in = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        # Both parts are encoded before they are put together (RFC 6749, 2.3.1).
        ourselves = quote(self._settings.client_id, safe=""), quote(self._settings.client_secret, safe="")
        with self._client() as client:
            return _text(_object(client.post(self._token_endpoint, data=handed_in, auth=ourselves)), "id_token")

    def _keys(self) -> KeySet:
        found: Any = self._get(self._key_set)
        try:
            return KeySet.import_key_set(found)
        except (AttributeError, TypeError) as error:
            raise ValueError("no set of keys") from error

    def _get(self, address: str) -> dict[str, Any]:
        with self._client() as client:
            return _object(client.get(address))

    def _client(self) -> httpx.Client:
        return httpx.Client(transport=self._transport, timeout=_TIMEOUT_S)

    def _check(self, claims: dict[str, Any], nonce: str, now: datetime) -> None:
        jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        if self._settings.acr and claims.get("acr") != self._settings.acr:
            raise ValueError("not the level of assurance that was asked")
        if is_citizen_number(_text(claims, "sub")):
            raise ValueError("a citizen number as subject")


def is_citizen_number(text: str) -> bool:
    """Whether this can be a BSN: nine digits that pass the eleven-test. An officer is never known here by one."""
    if not (len(text) == 9 and text.isascii() and text.isdecimal()):
        return False
    return sum(weight * int(digit) for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), text, strict=True)) % 11 == 0


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.raise_for_status().json()
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _text(found: dict[str, Any], name: str) -> str:
    text = found.get(name)
    if not isinstance(text, str) or has_control(text):
        raise ValueError(f"no {name}")
    return text


def _address(found: dict[str, Any], name: str) -> str:
    address = _text(found, name)
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"no {name}")
    return address
