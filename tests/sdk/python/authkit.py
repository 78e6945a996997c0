"""The official WorkOS SDK for Python signs in with AuthKit against the emulator at EMULATOR_URL
(seeded with ../seed.json) and verifies a webhook. Nothing here knows the wire: what the SDK
understands is the test."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from queue import Queue
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from workos import WorkOSClient

EMULATOR = os.environ["EMULATOR_URL"].rstrip("/")
REDIRECT_URI = "http://127.0.0.1:5555/callback"
ORGANIZATION = "org_01EMULATORACME"
ADA = "user_01EMULATORADA"


class NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


BROWSER = build_opener(NoRedirect, ProxyHandler({}))
WORKOS = WorkOSClient(
    api_key="sk_test_emulator", client_id="client_emulator", base_url=f"{EMULATOR}/", max_retries=0
)


def fetch(url, body=None, method=None, headers=None):
    try:
        request = Request(url, data=body, method=method, headers=headers or {})
        return BROWSER.open(request, timeout=30)
    except HTTPError as answer:
        return answer


def sign_in(url, email):
    page = urljoin(EMULATOR, fetch(url).headers["Location"])
    form = urlencode({"email": email, "password": "keyport"}).encode()
    location = fetch(page, form).headers.get("Location", "")
    assert location.startswith(f"{REDIRECT_URI}?"), location
    return dict(parse_qsl(urlsplit(location).query))


def refused(call, status, code):
    try:
        call()
    except Exception as error:
        assert error.status_code == status, error
        assert code in (getattr(error, "code", None), getattr(error, "error", None)), error
        return error
    raise AssertionError(f"{code} was to be raised")


def signs_in_with_pkce_and_out():
    users = WORKOS.user_management
    request = users.get_authorization_url_with_pkce(redirect_uri=REDIRECT_URI, provider="authkit")
    answer = sign_in(request["url"], "ada@acme.test")
    assert answer["state"] == request["state"]
    verifier = request["code_verifier"]
    session = users.authenticate_with_code_pkce(code=answer["code"], code_verifier=verifier)
    assert (session.user.id, session.organization_id) == (ADA, ORGANIZATION)
    token = session.refresh_token
    again = users.authenticate_with_refresh_token(refresh_token=token)
    late = lambda: users.authenticate_with_refresh_token(refresh_token=token)
    refused(late, 400, "invalid_grant")
    [row] = users.list_sessions(ADA).data
    users.revoke_session(session_id=row.id)
    revoked = lambda: users.authenticate_with_refresh_token(refresh_token=again.refresh_token)
    refused(revoked, 400, "invalid_grant")
    [key] = users.get_jwks("client_emulator").keys
    assert (key.kty, key.alg, key.use) == ("RSA", "RS256", "sig")


def is_challenged_and_refused():
    users = WORKOS.user_management
    password = lambda email, word: users.authenticate_with_password(email=email, password=word)
    refused(lambda: password("ada@acme.test", "wrong"), 400, "invalid_credentials")
    refused(lambda: password("steps@acme.test", "keyport"), 403, "email_verification_required")
    assert password("two@acme.test", "keyport").organization_id == ORGANIZATION


def reads():
    users = WORKOS.user_management
    assert users.get_user(ADA).last_name == "Lovelace"
    assert [user.id for user in users.list_users(email="ada@acme.test").data] == [ADA]
    [row] = WORKOS.organization_membership.list_organization_memberships(user_id=ADA).data
    assert (row.id, row.status.value, row.role.slug) == ("om_01EMULATORADA", "active", "admin")
    directory = "directory_01EMULATORACME"
    [person] = WORKOS.directory_sync.list_users(directory=directory).data
    assert (person.email, person.state.value) == ("ada@acme.test", "active")
    assert WORKOS.directory_sync.get_directory(directory).name == "Acme"
    factor = WORKOS.multi_factor_auth.enroll_factor(
        type="totp", totp_issuer="Keyport", totp_user="ada"
    )
    challenge = WORKOS.multi_factor_auth.challenge_factor(factor.id)
    assert not WORKOS.multi_factor_auth.verify_challenge(challenge.id, code="000000").valid


def verifies_a_webhook():
    came = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put((self.headers["WorkOS-Signature"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    endpoint = WORKOS.webhooks.create_webhook_endpoint(
        endpoint_url=url, events=["dsync.user.updated"]
    )
    path = f"{EMULATOR}/_emulator/directory_users/directory_user_01EMULATORADA"
    body, headers = json.dumps({"state": "suspended"}).encode(), {"Content-Type": "application/json"}
    assert fetch(path, body, "PATCH", headers).status == 200
    signature, raw = came.get(timeout=30)
    verify = WORKOS.webhooks.verify_event
    event = verify(event_body=raw, event_signature=signature, secret=endpoint.secret)
    assert (event.event, event.data.state.value) == ("dsync.user.updated", "suspended")
    try:
        verify(event_body=raw, event_signature=signature, secret="another")
        raise AssertionError("a foreign secret was taken")
    except ValueError:
        pass
    [listed] = WORKOS.events.list_events(events=["dsync.user.updated"]).data
    assert listed.id == event.id
    assert [it.id for it in WORKOS.webhooks.list_webhook_endpoints().data] == [endpoint.id]
    server.shutdown()


signs_in_with_pkce_and_out()
is_challenged_and_refused()
reads()
verifies_a_webhook()
print(f"workos {version('workos')} for Python: AuthKit, challenges and webhooks as documented")
