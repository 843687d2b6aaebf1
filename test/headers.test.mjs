/* What every answer tells the browser, whatever it holds; and cookies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District } from './lib.mjs'
import { exchange } from './raw.mjs'

const EVERYWHERE = {
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^no-referrer$/,
  'x-frame-options': /^DENY$/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'cross-origin-embedder-policy': /^require-corp$/,
  'permissions-policy': /^geolocation=\(self\), camera=\(\), microphone=\(\)/,
  'content-security-policy': /default-src '(none|self)';.*frame-ancestors 'none'/,
  'cache-control': /no-store|no-cache|max-age/,
  'x-request-id': /./,
}
function check(what, headers, more = {}) {
  for (const [name, wanted] of Object.entries({ ...EVERYWHERE, ...more }))
    assert.match(headers[name] ?? '(none)', wanted, `${what}: ${name}`)
  assert.equal(headers['strict-transport-security'], undefined, `${what}: no TLS, no HSTS`)
  assert.equal(headers.server, undefined)
}
const plain = (headers) => Object.fromEntries(headers)

test('every answer has them: data, pages, refusals, live ones', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  const personal = { 'cache-control': /^no-store$/, 'content-security-policy': /^default-src 'none'/ }
  const report = await d.report({ item: '010102' })
  check('a receipt', plain(report.headers), personal)
  for (const [what, path, wanted, more] of [
    ['cases', '/api/v1/cases', 200, personal],
    ['one case', `/api/v1/cases/${report.body.number}`, 200, personal],
    ['its reports', `/api/v1/cases/${report.body.number}/reports`, 200, personal],
    ['a tracked case', `/api/v1/track/${report.body.track}`, 200, personal],
    ['the session', '/api/v1/session', 200, personal],
    ['figures', '/metrics', 200, personal],
    ['the interface', '/api/openapi.json', 200, { 'cache-control': /^private, no-cache$/ }],
    ['nothing there', '/api/nothing', 404, personal],
    ['an unknown query', '/api/v1/cases?x=1', 400, personal],
    ['a wrong method', '/api/v1/reports', 405, personal],
  ]) {
    const answer = await d.ask('GET', path, undefined, { key })
    assert.equal(answer.status, wanted, `${what}: ${answer.text}`)
    check(what, plain(answer.headers), more)
  }
  check('nobody', plain((await d.ask('GET', '/api/v1/cases')).headers), personal)
  const { answers } = await exchange(d.base, 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 3000)
  check('a head refused', answers[0].headers, personal)
  const live = await fetch(d.base + '/api/v1/events', { headers: { Authorization: `Bearer ${key}` } })
  check('live', plain(live.headers), personal)
  await live.body.cancel()
})

test('pages may run only what is ours, and hashed files are kept', async (t) => {
  const d = await District.start(t)
  const page = await d.ask('GET', '/')
  if (page.status === 404) return t.skip('built without pages')
  check('the page', plain(page.headers), { 'content-security-policy': /^default-src 'self';.*object-src 'none'; base-uri 'none'; form-action 'none'/ })
  assert.doesNotMatch(page.headers.get('content-security-policy'), /unsafe/)
  const script = /src="(\/assets\/[^"]+)"/.exec(page.text)[1]
  check('a script', plain((await d.ask('GET', script)).headers), { 'cache-control': /immutable/ })
})

test('cookies are Secure when the trusted proxy says https, and only then', async (t) => {
  const d = await District.start(t)
  const { user, password } = d.demo.accounts.find((a) => a.user === 'dispatcher')
  const cookie = async (headers) => (await d.ask('POST', '/api/v1/session', { user, password }, { headers })).headers.get('set-cookie')
  assert.match(await cookie({}), /^yiwang_session=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/)
  assert.doesNotMatch(await cookie({ 'X-Forwarded-Proto': 'https' }), /Secure/, 'from a stranger')
  await d.stop()
  d.settings = { trusted_proxy: '127.0.0.1' }
  await d.serve()
  assert.match(await cookie({ 'X-Forwarded-Proto': 'https' }), /; Secure$/)
  assert.doesNotMatch(await cookie({ 'X-Forwarded-Proto': 'http' }), /Secure/)
})

test('what is in an address or a header does not come back as a header or as a page', async (t) => {
  const d = await District.start(t)
  for (const path of ['/%3Cscript%3Ealert(1)%3C/script%3E', '/api/v1/cases?x=%3Cscript%3E', '/api/v1/track/%22%3E%3Cscript%3E']) {
    const answer = await d.ask('GET', path, undefined, { headers: { 'X-Request-Id': '<script>' } })
    assert.doesNotMatch(answer.text, /<script>alert/)
    assert.notEqual(answer.headers.get('x-request-id'), '<script>')
  }
})
