// A certified OAuth 2.1 client library that is not ours (oauth4webapi) signs in against the companion from its metadata alone:
// PAR, PKCE, DPoP with nonce, iss, refresh, userinfo, revocation. The browser's part is done by whoever runs this: the
// authorization URL goes to standard output, the callback comes back on standard input.
import * as oauth from 'oauth4webapi'
import { createInterface } from 'node:readline'
import { strict as assert } from 'node:assert'

const issuer = new URL(process.env.ISSUER)
const redirectUri = process.env.REDIRECT_URI
const client = { client_id: 'keyport-desktop' }
const none = oauth.None()
// Plain http on loopback, RFC 8252 §8.3.
const plain = { [oauth.allowInsecureRequests]: true }

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (event) => console.log(JSON.stringify(event))

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }))
assert.equal(as.require_pushed_authorization_requests, true)

const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
let challenges = 0

// The library keeps the nonce of an error by itself; one more try is the application's part (RFC 9449 §8).
async function withNonce(request) {
  try {
    return await request()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    challenges += 1
    return await request()
  }
}

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const parameters = new URLSearchParams({
  redirect_uri: redirectUri,
  response_type: 'code',
  scope: 'openid profile email offline_access',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
const pushed = await withNonce(async () =>
  oauth.processPushedAuthorizationResponse(as, client, await oauth.pushedAuthorizationRequest(as, client, none, parameters, { DPoP, ...plain })))

const authorize = new URL(as.authorization_endpoint)
authorize.searchParams.set('client_id', client.client_id)
authorize.searchParams.set('request_uri', pushed.request_uri)
say({ event: 'authorization_url', url: authorize.href })

const callback = new URL((await lines.next()).value)
// Checks state and iss (RFC 9207) itself.
const answer = oauth.validateAuthResponse(as, client, callback, state)
const tokens = await withNonce(async () =>
  oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(as, client, none, answer, redirectUri, verifier, { DPoP, ...plain })))
assert.equal(tokens.token_type, 'dpop')
assert.equal(tokens.id_token, undefined, 'OAuth, not OpenID Connect')
assert.ok(tokens.expires_in <= 300)

const userinfo = await withNonce(async () => {
  const response = await oauth.protectedResourceRequest(tokens.access_token, 'GET', new URL(as.userinfo_endpoint), undefined, undefined, { DPoP, ...plain })
  assert.equal(response.status, 200)
  return response.json()
})

const refreshed = await withNonce(async () =>
  oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, none, tokens.refresh_token, { DPoP, ...plain })))
assert.notEqual(refreshed.refresh_token, tokens.refresh_token)

await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, none, refreshed.refresh_token, plain))
const dead = await withNonce(async () =>
  oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, none, refreshed.refresh_token, { DPoP, ...plain }))).catch((error) => error)
assert.equal(dead.error, 'invalid_grant')

say({ event: 'done', email: userinfo.email, sub: userinfo.sub, challenges })
lines.return?.()
process.exit(0)
