// The official WorkOS SDK for Node signs in with AuthKit against the emulator at EMULATOR_URL
// (seeded with ../seed.json), takes every challenge, and verifies a webhook. Nothing here knows the
// wire: what the SDK understands is the test.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { NotFoundException, UnauthorizedException, WorkOS } from "@workos-inc/node";

const emulator = new URL(process.env.EMULATOR_URL);
const clientId = "client_emulator";
const redirectUri = "http://127.0.0.1:5555/callback";
const organization = "org_01EMULATORACME";
const ada = "user_01EMULATORADA";

function sdk(key) {
  const { hostname, port } = emulator;
  const options = { clientId, apiHostname: hostname, port: Number(port), https: false };
  return new WorkOS(key, { ...options, maxRetries: 0 });
}

const workos = sdk("sk_test_emulator");
const users = workos.userManagement;

// The browser's part: follow to the page, submit its form, stop at the redirect.
async function signIn(url, email) {
  const first = await fetch(url, { redirect: "manual" });
  assert.equal(first.status, 302, await first.text());
  const page = new URL(first.headers.get("location"), emulator);
  const body = new URLSearchParams({ email, password: "keyport" });
  const answer = await fetch(page, { method: "POST", body, redirect: "manual" });
  const location = answer.headers.get("location") ?? "";
  assert.ok(location.startsWith(`${redirectUri}?`), `${answer.status} ${location}`);
  return Object.fromEntries(new URL(location).searchParams);
}

// RFC 6238 with SHA-1, six digits, 30 seconds.
function totp(secret) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const hash = createHmac("sha1", key).update(step).digest();
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

async function refused(call, status, code) {
  const thrown = await call.then(() => assert.fail(`${code} was to be thrown`), (error) => error);
  const raw = thrown.rawData ?? thrown;
  assert.equal(thrown.status, status, `${thrown}`);
  assert.equal(raw.code ?? raw.error ?? thrown.error, code, `${thrown}`);
  return raw;
}

async function signsInAndOut() {
  const options = { clientId, redirectUri, provider: "authkit" };
  const { url, state, codeVerifier } = await users.getAuthorizationUrlWithPKCE(options);
  const answer = await signIn(url, "ada@acme.test");
  assert.equal(answer.state, state);
  const session = await users.authenticateWithCode({ clientId, code: answer.code, codeVerifier });
  assert.deepEqual([session.user.id, session.organizationId], [ada, organization]);
  assert.equal(session.authenticationMethod, "Password");
  const { refreshToken } = session;
  const next = await users.authenticateWithRefreshToken({ clientId, refreshToken });
  const twice = users.authenticateWithRefreshToken({ clientId, refreshToken });
  await refused(twice, 400, "invalid_grant");
  const { data } = await users.listSessions(ada);
  assert.deepEqual([data.length, data[0].status, data[0].authMethod], [1, "active", "password"]);
  const returnTo = "http://127.0.0.1:5555/signed-out";
  const logout = users.getLogoutUrl({ sessionId: data[0].id, returnTo });
  const left = await fetch(logout, { redirect: "manual" });
  assert.equal(left.headers.get("location"), returnTo);
  const late = { clientId, refreshToken: next.refreshToken };
  await refused(users.authenticateWithRefreshToken(late), 400, "invalid_grant");
  assert.equal((await fetch(users.getJwksUrl(clientId))).status, 200);
}

async function takesEveryChallenge() {
  const url = users.getAuthorizationUrl({ clientId, redirectUri, provider: "GoogleOAuth" });
  const { code } = await signIn(url, "steps@acme.test");
  const first = users.authenticateWithCode({ clientId, code });
  const email = await refused(first, 403, "email_verification_required");
  const sent = await users.getEmailVerification(email.email_verification_id);
  const verify = (code) =>
    users.authenticateWithEmailVerification({
      clientId,
      code,
      pendingAuthenticationToken: email.pending_authentication_token,
    });
  await refused(verify("wrong"), 400, "invalid_one_time_code");
  const mfa = await refused(verify(sent.code), 403, "mfa_enrollment");
  const factors = workos.multiFactorAuth;
  const enrolled = await factors.createUserAuthFactor({ userId: mfa.user.id, type: "totp" });
  const { authenticationFactor, authenticationChallenge } = enrolled;
  const pass = (code) =>
    users.authenticateWithTotp({
      clientId,
      code,
      authenticationChallengeId: authenticationChallenge.id,
      pendingAuthenticationToken: mfa.pending_authentication_token,
    });
  await refused(pass("000000"), 400, "invalid_one_time_code");
  const right = pass(totp(authenticationFactor.totp.secret));
  const choice = await refused(right, 403, "organization_selection_required");
  assert.deepEqual(choice.organizations.map((it) => it.name), ["Acme", "Globex"]);
  const session = await users.authenticateWithOrganizationSelection({
    clientId,
    organizationId: organization,
    pendingAuthenticationToken: choice.pending_authentication_token,
  });
  assert.deepEqual([session.organizationId, session.user.emailVerified], [organization, true]);
}

async function readsAndIsRefused() {
  assert.equal((await users.listUsers({ email: "ada@acme.test" })).data[0].id, ada);
  assert.equal((await users.getUser(ada)).firstName, "Ada");
  const memberships = await users.listOrganizationMemberships({ userId: ada });
  assert.deepEqual([memberships.data[0].status, memberships.data[0].role.slug], ["active", "admin"]);
  await assert.rejects(users.getUser("user_none"), NotFoundException);
  await assert.rejects(sdk("sk_wrong").userManagement.getUser(ada), UnauthorizedException);
  const directory = "directory_01EMULATORACME";
  const [person] = (await workos.directorySync.listUsers({ directory })).data;
  assert.deepEqual([person.email, person.state], ["ada@acme.test", "active"]);
  assert.equal((await workos.directorySync.listDirectories()).data[0].id, directory);
  assert.equal((await workos.directorySync.listGroups({ directory })).data[0].name, "Engineering");
}

async function verifiesAWebhook() {
  const received = createServer();
  received.listen(0, "127.0.0.1");
  await once(received, "listening");
  const headers = { "content-type": "application/json", authorization: "Bearer sk_test_emulator" };
  const call = (path, method, body) =>
    fetch(new URL(path, emulator), { method, headers, body: JSON.stringify(body) });
  const endpoint_url = `http://127.0.0.1:${received.address().port}/`;
  const made = await call("/webhook_endpoints", "POST", { endpoint_url });
  const { secret } = await made.json();
  const path = "/_emulator/directory_users/directory_user_01EMULATORADA";
  await call(path, "PATCH", { state: "suspended" });
  const [request, response] = await once(received, "request");
  const parts = await request.toArray();
  response.end();
  const payload = JSON.parse(Buffer.concat(parts).toString());
  const sigHeader = request.headers["workos-signature"];
  const event = await workos.webhooks.constructEvent({ payload, sigHeader, secret });
  assert.deepEqual([event.event, event.data.state], ["dsync.user.updated", "suspended"]);
  const forged = workos.webhooks.constructEvent({ payload, sigHeader, secret: "another" });
  await assert.rejects(forged);
  const events = await workos.events.listEvents({ events: ["dsync.user.updated"] });
  assert.deepEqual(events.data.map((it) => it.id), [event.id]);
  received.close();
  received.closeAllConnections();
}

await signsInAndOut();
await takesEveryChallenge();
await readsAndIsRefused();
await verifiesAWebhook();
const manifest = new URL("node_modules/@workos-inc/node/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest));
console.log(`@workos-inc/node ${version}: AuthKit, challenges and webhooks as documented`);
