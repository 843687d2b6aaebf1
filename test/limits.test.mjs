/* How many requests somebody may make, and settings that change while the server runs. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, sleep, until } from './lib.mjs'

const allowance = (answer) => ['limit', 'remaining', 'reset'].map((n) => Number(answer.headers.get(`ratelimit-${n}`) ?? NaN))
const from = (address) => ({ 'X-Forwarded-For': address })

/** Asks until it is refused, at most `most` times; how many were let through, and the refusal. */
async function untilRefused(d, method, path, options, most, body) {
  for (let n = 0; n < most; n++) {
    const answer = await d.ask(method, path, body, options)
    if (answer.status === 429) return { n, answer }
  }
  return { n: most, answer: null }
}

test('reading without a key: so many a minute for each address, with what is left in each answer', async (t) => {
  const d = await District.start(t, { settings: { rate_reads: 20, trusted_proxy: '127.0.0.1' } })
  const first = await d.ask('GET', '/api/v1/items', undefined, { headers: from('192.0.2.1') })
  assert.deepEqual(allowance(first), [20, 19, 3])
  const { n, answer } = await untilRefused(d, 'GET', '/api/v1/items', { headers: from('192.0.2.1') }, 40)
  assert.ok(n >= 19 && n <= 21, `${n} more`)
  assert.deepEqual(allowance(answer).slice(0, 2), [20, 0])
  const wait = Number(answer.headers.get('retry-after'))
  assert.ok(wait >= 1 && wait <= 3, `${wait} seconds: a bucket of 20 a minute gives one each 3 seconds`)
  assert.match(answer.body.detail, /too many requests from your address; try again in \d seconds/)
  assert.equal((await d.ask('GET', '/api/v1/items', undefined, { headers: from('192.0.2.2') })).status, 200, 'another address')
  assert.equal((await d.ask('GET', '/healthz', undefined, { headers: from('192.0.2.1') })).status, 200, 'not below /api/')
  assert.equal((await d.ask('GET', '/', undefined, { headers: from('192.0.2.1') })).status === 429, false, 'pages')
  await sleep(wait * 1000 + 200)
  assert.equal((await d.ask('GET', '/api/v1/items', undefined, { headers: from('192.0.2.1') })).status, 200, 'after Retry-After')
})

test('changing without a key has a bucket of its own; an IPv6 customer is one /64', async (t) => {
  const d = await District.start(t, { settings: { rate_writes: 10, trusted_proxy: '127.0.0.1' } })
  const report = { channel: 'app', text: '灯不亮' }
  const six = (last) => ({ headers: from(`2001:db8:1:2::${last}`) })
  let n = 0
  for (let i = 1; i <= 12; i++) n += (await d.ask('POST', '/api/v1/reports', report, six(i))).status === 201
  assert.ok(n >= 10 && n <= 11, `${n} of 12 from one /64`)
  assert.equal((await d.ask('GET', '/api/v1/items', undefined, six(1))).status, 200, 'reading goes on')
  assert.equal((await d.ask('POST', '/api/v1/reports', report, { headers: from('2001:db8:1:3::1') })).status, 201, 'another /64')
  assert.equal((await d.ask('POST', '/api/v1/reports', report, { headers: from('::ffff:192.0.2.9') })).status, 201)
})

test('keys and accounts have buckets of their own, wherever they come from', async (t) => {
  const d = await District.start(t, { settings: { rate_reads: 5, rate_writes: 5, rate_key: 30 } })
  const other = d.command('key', 'add', 'other', '--channel', 'patrol').stdout.trim()
  const first = await d.report({})
  assert.equal(allowance(first)[0], 30)
  const { n, answer } = await untilRefused(d, 'POST', '/api/v1/reports', { key: d.key }, 60, { channel: 'hotline', text: 'a' })
  assert.ok(n >= 29 && n <= 33, `${n} more`)
  assert.match(answer.body.detail, /this key or account/)
  assert.ok(Number(answer.headers.get('retry-after')) >= 1)
  assert.equal((await d.ask('POST', '/api/v1/reports', { channel: 'patrol', text: 'a' }, { key: other })).status, 201, 'another key')
  assert.equal((await d.report({ channel: 'app' }, { key: null })).status, 201, 'the public is not charged for keys')
})

test('who tries keys is slowed down like who changes something', async (t) => {
  const d = await District.start(t, { settings: { rate_writes: 10 } })
  const statuses = []
  for (let i = 0; i < 15; i++) statuses.push((await d.report({}, { key: `yk_${i}` })).status)
  assert.equal(statuses.filter((s) => s === 401).length, statuses.indexOf(429))
  assert.ok(statuses.indexOf(429) >= 10, String(statuses))
  assert.equal((await d.report({})).status, 201, 'a good key from the same address')
})

test('X-Forwarded-For is believed from the trusted proxy alone, and only its last address', async (t) => {
  const d = await District.start(t, { settings: { rate_reads: 5 } })
  let n = 0
  for (let i = 0; i < 8; i++) n += (await d.ask('GET', '/api/v1/items', undefined, { headers: from(`192.0.2.${i}`) })).status === 200
  assert.ok(n <= 6, 'a stranger cannot name himself anew')
  await until(() => /http\.proxy .*was not believed.*trusted_proxy=127\.0\.0\.1/.test(d.log), 'the log says what is probably missing')
  assert.equal(d.log.match(/http\.proxy/g).length, 1, 'once')
  await d.stop()
  d.settings = { rate_reads: 5, trusted_proxy: '127.0.0.1' }
  await d.serve()
  n = 0
  for (let i = 0; i < 8; i++) n += (await d.ask('GET', '/api/v1/items', undefined, { headers: from(`10.0.0.${i}, 192.0.2.7`) })).status === 200
  assert.ok(n <= 6, 'what the client wrote in front of the proxy does not count')
  const garbage = await d.ask('GET', '/api/v1/items', undefined, { headers: from('nonsense') })
  assert.equal(garbage.status, 200, 'then it is the proxy itself')
})

test('a trusted proxy that is no address is refused at start', async (t) => {
  const d = District.make(t, { settings: { trusted_proxy: 'proxy.example' } })
  assert.match(d.command('serve', '-n').stderr, /trusted_proxy must be an IP address, not "proxy\.example"/)
})

test('SIGHUP: what may change changes, the rest is named, and wrong settings change nothing', async (t) => {
  const d = District.make(t)
  const put = (lines) => writeFileSync(join(d.data, 'yiwang.yaml'), lines.join('\n') + '\n')
  put(['rate_reads: 20', 'workers: 8'])
  await d.serve()
  const hup = async (word) => {
    const before = d.log.length
    d.child.kill('SIGHUP')
    await until(() => d.log.slice(before).includes(word), `the log says ${word}`)
    return d.log.slice(before)
  }
  const limit = async () => allowance(await d.ask('GET', '/api/v1/items'))[0]
  assert.equal(await limit(), 20)
  put(['rate_reads: 500', 'workers: 16', 'access_log: yes', 'port: 9'])
  assert.match(await hup('serve.reload'), /changed=rate_reads,access_log needs_restart=workers/)
  assert.equal(await limit(), 500)
  await until(() => /http\.request .*route=\/api\/v1\/items/.test(d.log), 'the access log is on')
  put(['rate_reads: many'])
  assert.match(await hup('kind=invalid'), /yiwang\.yaml:1: rate_reads: needs a whole number/)
  assert.equal(await limit(), 500)
  put(['rate_reads: 500', 'log_level: error', 'access_log: yes'])
  const before = d.log.length
  d.child.kill('SIGHUP')
  await until(async () => {
    const seen = d.log.length
    await limit()
    await sleep(100)
    return d.log.length === seen
  }, 'the log is silent')
  assert.doesNotMatch(d.log.slice(before), /level=/)
  put(['rate_reads: 7'])
  await until(async () => (d.child.kill('SIGHUP'), await sleep(200), (await limit()) === 7), 'and changes again')
  assert.equal((await d.ask('GET', '/readyz')).status, 200)
  assert.deepEqual(await d.stop(), { code: 0, signal: null })
})
