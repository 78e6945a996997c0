"""The official WorkOS SDK for Python signs in against the emulator at EMULATOR_URL (seeded with ../seed.json), reads what
there is to read, and meets the documented errors. Nothing here knows the wire: what the SDK understands is the test."""

import json
import os
from importlib.metadata import version
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from workos import WorkOSClient
from workos._errors import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitExceededError,
    UnprocessableEntityError,
)

EMULATOR = os.environ["EMULATOR_URL"].rstrip("/")
REDIRECT_URI = "http://127.0.0.1:5555/callback"
ORGANIZATION = "org_01EMULATORACME"


class NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


BROWSER = build_opener(NoRedirect, ProxyHandler({}))


def sdk(key="sk_test_emulator"):
    return WorkOSClient(api_key=key, client_id="client_emulator", base_url=f"{EMULATOR}/", max_retries=0)


WORKOS = sdk()


def fetch(url, form=None):
    """The browser's part: one request, redirects not followed."""
    body = None if form is None else urlencode(form).encode()
    try:
        return BROWSER.open(Request(url, data=body), timeout=30)
    except HTTPError as answer:
        return answer


def callback(answer):
    location = answer.headers.get("Location", "")
    assert location.startswith(f"{REDIRECT_URI}?"), (answer.status, location)
    return dict(parse_qsl(urlsplit(location).query))


def sign_in(url, email="ada@acme.test"):
    page = fetch(url)
    text = page.read().decode()
    assert page.status == 200, text
    for part in ('method="post"', 'name="email"', 'name="password"'):
        assert part in text, part
    return callback(fetch(url, {"email": email, "password": "keyport"}))


def refused(error_class, call, **expected):
    try:
        call()
    except error_class as error:
        for name, value in expected.items():
            assert getattr(error, name) == value, (name, getattr(error, name))
        assert error.request_id
        return
    raise AssertionError(f"no {error_class.__name__}")


def signs_in():
    url = WORKOS.sso.get_authorization_url(redirect_uri=REDIRECT_URI, organization=ORGANIZATION, state="a b&c")
    answer = sign_in(url)
    assert answer["state"] == "a b&c"
    token = WORKOS.sso.get_profile_and_token(code=answer["code"])
    assert (token.token_type, token.expires_in) == ("Bearer", 600)
    profile = token.profile
    assert profile.id.startswith("prof_")
    assert (profile.organization_id, profile.connection_id) == (ORGANIZATION, "conn_01EMULATOROKTA")
    assert (profile.connection_type.value, profile.email) == ("OktaSAML", "ada@acme.test")
    assert (profile.first_name, profile.last_name, profile.name) == ("Ada", "Lovelace", "Ada Lovelace")
    assert (profile.role.slug, [role.slug for role in profile.roles]) == ("admin", ["admin"])
    assert (profile.groups, profile.custom_attributes) == (["Engineering"], {"floor": 3})
    assert profile.raw_attributes["idp_id"] == profile.idp_id
    assert WORKOS.sso.get_profile(access_token=token.access_token) == profile
    return answer["code"]


def signs_in_with_pkce():
    request = WORKOS.sso.get_authorization_url_with_pkce(redirect_uri=REDIRECT_URI, provider="GoogleOAuth")
    answer = sign_in(request["url"], "grace@globex.test")
    assert answer["state"] == request["state"]
    verifier = request["code_verifier"]
    profile = WORKOS.sso.get_profile_and_token_pkce(code=answer["code"], code_verifier=verifier).profile
    assert (profile.connection_type.value, profile.organization_id) == ("GoogleOAuth", None)


def refuses_codes(used):
    refused(BadRequestError, lambda: WORKOS.sso.get_profile_and_token(code=used), error="invalid_grant")
    request = WORKOS.sso.get_authorization_url_with_pkce(redirect_uri=REDIRECT_URI, organization=ORGANIZATION)
    code = sign_in(request["url"])["code"]

    def exchange(verifier, client=WORKOS):
        return lambda: client.sso.get_profile_and_token_pkce(code=code, code_verifier=verifier)

    right = request["code_verifier"]
    refused(BadRequestError, exchange(right, sdk("sk_wrong")), error="invalid_client", status_code=400)
    refused(BadRequestError, exchange("w" * 43), error="invalid_grant", status_code=400)
    refused(BadRequestError, exchange(right), error="invalid_grant", status_code=400)


def meets_error_redirects():
    def url(**selector):
        return WORKOS.sso.get_authorization_url(redirect_uri=REDIRECT_URI, state="s", **selector)

    assert callback(fetch(url(organization="org_unknown")))["error"] == "organization_invalid"
    assert callback(fetch(url(connection="conn_01EMULATORWEST")))["error"] == "connection_unlinked"
    by_domain = callback(fetch(url(domain="acme.test")))
    assert by_domain["error"] == "domain_connection_selector_not_allowed"
    denied = sign_in(url(organization=ORGANIZATION), "error+access_denied@acme.test")
    assert (denied["error"], denied["state"]) == ("access_denied", "s")


def reads_connections():
    page = WORKOS.sso.list_connections(limit=3, order="asc")
    assert (len(page.data), page.after) == (3, "conn_01EMULATORWEST")
    ids = [connection.id for connection in page.auto_paging_iter()]
    assert (ids[:2], len(ids)) == (["conn_01EMULATOROKTA", "conn_01EMULATOREAST"], 4)
    by_domain = WORKOS.sso.list_connections(domain="acme.test")
    assert [connection.id for connection in by_domain.data] == ["conn_01EMULATOROKTA"]
    west = WORKOS.sso.get_connection("conn_01EMULATORWEST")
    assert (west.state.value, west.status.value, west.connection_type.value) == ("inactive", "unlinked", "GenericSAML")
    assert (west.organization_id, west.domains[0].domain) == ("org_01EMULATORGLOBEX", "globex.test")
    WORKOS.sso.delete_connection(west.id)
    refused(NotFoundError, lambda: WORKOS.sso.get_connection(west.id), status_code=404)
    globex = WORKOS.organizations.get_organization("org_01EMULATORGLOBEX")
    assert (globex.name, globex.external_id, globex.metadata) == ("Globex", "42", {"tier": "gold"})
    assert globex.domains[0].domain == "globex.test"


def meets_api_errors():
    refused(AuthenticationError, lambda: sdk("sk_wrong").sso.list_connections(), status_code=401)
    refused(UnprocessableEntityError, lambda: WORKOS.sso.list_connections(limit=101), status_code=422)
    refused(AuthenticationError, lambda: WORKOS.sso.get_profile(access_token="wrong"), error="Unauthorized")
    fault = {"route": "GET /connections", "kind": "status", "status": 429, "retry_after_seconds": 7}
    headers = {"Content-Type": "application/json"}
    order = Request(f"{EMULATOR}/_emulator/faults", data=json.dumps(fault).encode(), headers=headers)
    assert BROWSER.open(order, timeout=30).status == 204
    refused(RateLimitExceededError, WORKOS.sso.list_connections, retry_after=7)


used_code = signs_in()
signs_in_with_pkce()
refuses_codes(used_code)
meets_error_redirects()
reads_connections()
meets_api_errors()
print(f"workos {version('workos')} for Python: signed in, read and refused as documented")
