// The official WorkOS SDK for Node signs in against the emulator at EMULATOR_URL (seeded with ../seed.json), reads what
// there is to read, and meets the documented errors. Nothing here knows the wire: what the SDK understands is the test.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  NotFoundException,
  OauthException,
  RateLimitExceededException,
  UnauthorizedException,
  UnprocessableEntityException,
  WorkOS,
} from "@workos-inc/node";

const emulator = new URL(process.env.EMULATOR_URL);
const clientId = "client_emulator";
const redirectUri = "http://127.0.0.1:5555/callback";
const organization = "org_01EMULATORACME";

function sdk(key) {
  const { hostname, port } = emulator;
  return new WorkOS(key, { clientId, apiHostname: hostname, port: Number(port), https: false, maxRetries: 0 });
}

const workos = sdk("sk_test_emulator");

// The browser's part: open the page, submit its form, stop at the redirect.
async function signIn(url, email = "ada@acme.test") {
  const page = await fetch(url, { redirect: "manual" });
  const text = await page.text();
  assert.equal(page.status, 200, text);
  for (const part of ['method="post"', 'name="email"', 'name="password"']) assert.ok(text.includes(part), part);
  const body = new URLSearchParams({ email, password: "keyport" });
  return callback(await fetch(url, { method: "POST", body, redirect: "manual" }));
}

function callback(answer) {
  const location = answer.headers.get("location") ?? "";
  assert.ok(location.startsWith(`${redirectUri}?`), `${answer.status} ${location}`);
  return Object.fromEntries(new URL(location).searchParams);
}

async function signsIn() {
  const url = workos.sso.getAuthorizationUrl({ clientId, redirectUri, organization, state: "a b&c", loginHint: "ada" });
  const { code, state } = await signIn(url);
  assert.equal(state, "a b&c");
  const { profile, accessToken } = await workos.sso.getProfileAndToken({ clientId, code });
  assert.match(profile.id, /^prof_/);
  assert.equal(profile.organizationId, organization);
  assert.equal(profile.connectionId, "conn_01EMULATOROKTA");
  assert.equal(profile.connectionType, "OktaSAML");
  assert.equal(profile.email, "ada@acme.test");
  assert.deepEqual([profile.firstName, profile.lastName], ["Ada", "Lovelace"]);
  assert.deepEqual([profile.role, profile.roles], [{ slug: "admin" }, [{ slug: "admin" }]]);
  assert.deepEqual([profile.groups, profile.customAttributes], [["Engineering"], { floor: 3 }]);
  assert.equal(profile.rawAttributes.idp_id, profile.idpId);
  assert.deepEqual(await workos.sso.getProfile({ accessToken }), profile);
  return code;
}

async function signsInWithPkce() {
  const options = { clientId, redirectUri, provider: "GoogleOAuth", providerScopes: ["calendar", "drive"] };
  const { url, state, codeVerifier } = await workos.sso.getAuthorizationUrlWithPKCE(options);
  const answer = await signIn(url, "grace@globex.test");
  assert.equal(answer.state, state);
  const { profile } = await workos.sso.getProfileAndToken({ clientId, code: answer.code, codeVerifier });
  assert.deepEqual([profile.connectionType, profile.organizationId], ["GoogleOAuth", null]);
}

async function refusesCodes(used) {
  const exchange = (more, by = workos) => by.sso.getProfileAndToken({ clientId, ...more });
  const refused = (error) => (thrown) => {
    assert.ok(thrown instanceof OauthException, `${thrown}`);
    assert.deepEqual([thrown.status, thrown.error], [400, error]);
    assert.ok(thrown.errorDescription && thrown.requestID);
    return true;
  };
  await assert.rejects(exchange({ code: used }), refused("invalid_grant"));
  const fresh = await workos.sso.getAuthorizationUrlWithPKCE({ clientId, redirectUri, organization });
  const { code } = await signIn(fresh.url);
  await assert.rejects(exchange({ code, codeVerifier: fresh.codeVerifier }, sdk("sk_wrong")), refused("invalid_client"));
  await assert.rejects(exchange({ code, codeVerifier: "w".repeat(43) }), refused("invalid_grant"));
  await assert.rejects(exchange({ code, codeVerifier: fresh.codeVerifier }), refused("invalid_grant"));
}

async function meetsErrorRedirects() {
  const url = (selector) => workos.sso.getAuthorizationUrl({ clientId, redirectUri, state: "s", ...selector });
  const open = async (selector) => callback(await fetch(url(selector), { redirect: "manual" }));
  assert.equal((await open({ organization: "org_unknown" })).error, "organization_invalid");
  assert.equal((await open({ connection: "conn_01EMULATORWEST" })).error, "connection_unlinked");
  const denied = await signIn(url({ organization }), "error+access_denied@acme.test");
  assert.deepEqual([denied.error, denied.state], ["access_denied", "s"]);
}

async function readsConnections() {
  const ids = (list) => list.data.map((connection) => connection.id);
  const first = await workos.sso.listConnections({ limit: 3, order: "asc" });
  assert.deepEqual(ids(first), ["conn_01EMULATOROKTA", "conn_01EMULATOREAST", "conn_01EMULATORWEST"]);
  assert.deepEqual(first.listMetadata, { before: null, after: "conn_01EMULATORWEST" });
  const second = await workos.sso.listConnections({ limit: 3, order: "asc", after: first.listMetadata.after });
  assert.deepEqual(ids(second), ["conn_01EMULATORGOOGLE"]);
  assert.deepEqual(second.listMetadata, { before: "conn_01EMULATORGOOGLE", after: null });
  assert.equal((await (await workos.sso.listConnections()).autoPagination()).length, 4);
  assert.deepEqual(ids(await workos.sso.listConnections({ domain: "acme.test" })), ["conn_01EMULATOROKTA"]);
  const west = await workos.sso.getConnection("conn_01EMULATORWEST");
  assert.deepEqual([west.state, west.type, west.organizationId], ["inactive", "GenericSAML", "org_01EMULATORGLOBEX"]);
  assert.equal(west.domains[0].domain, "globex.test");
  await workos.sso.deleteConnection(west.id);
  await assert.rejects(workos.sso.getConnection(west.id), NotFoundException);
  const globex = await workos.organizations.getOrganization("org_01EMULATORGLOBEX");
  assert.deepEqual([globex.name, globex.externalId, globex.metadata], ["Globex", "42", { tier: "gold" }]);
  assert.deepEqual([globex.domains[0].domain, globex.domains[0].state], ["globex.test", "verified"]);
}

async function meetsApiErrors() {
  await assert.rejects(sdk("sk_wrong").sso.listConnections(), UnauthorizedException);
  await assert.rejects(workos.sso.listConnections({ limit: 101 }), UnprocessableEntityException);
  await assert.rejects(workos.sso.getProfile({ accessToken: "wrong" }), UnauthorizedException);
  const fault = { route: "GET /connections", kind: "status", status: 429, retry_after_seconds: 7 };
  const headers = { "content-type": "application/json" };
  const order = { method: "POST", headers, body: JSON.stringify(fault) };
  assert.equal((await fetch(new URL("/_emulator/faults", emulator), order)).status, 204);
  await assert.rejects(workos.sso.listConnections(), (thrown) => {
    assert.ok(thrown instanceof RateLimitExceededException, `${thrown}`);
    return thrown.retryAfter === 7;
  });
}

const used = await signsIn();
await signsInWithPkce();
await refusesCodes(used);
await meetsErrorRedirects();
await readsConnections();
await meetsApiErrors();
const { version } = JSON.parse(readFileSync(new URL("node_modules/@workos-inc/node/package.json", import.meta.url)));
console.log(`@workos-inc/node ${version} on Node ${process.versions.node}: signed in, read and refused as documented`);
