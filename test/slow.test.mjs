/* Clients that take their time, and many of them: each is cut after the time stated in doc/security.md, while others are served.
 *
 * idle_seconds is 2 here (30 by default); a head that has begun must be there after 10 seconds. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { District, sleep } from './lib.mjs'
import { Raw, exchange } from './raw.mjs'

const IDLE = 2
const HEAD = 10
const SLACK = 3
const GET = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'
const POST = 'POST /api/v1/reports HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n'

/** Writes `text` a byte each `ms`; gives up when the server has closed.  Seconds until it did. */
async function drip(base, first, text, ms) {
  const raw = new Raw(base)
  await raw.opened
  raw.write(first)
  for (let i = 0; !raw.closed && i < text.length; i++) {
    raw.write(text[i])
    await raw.wait(ms)
  }
  await raw.wait(text ? 1000 : 20000)
  raw.end()
  assert.ok(raw.closed, 'the server cut it')
  return (Date.now() - raw.started) / 1000
}

/** How many connections the server has, besides the one that asks. */
async function open(base) {
  const { answers } = await exchange(base, 'GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 5000)
  return Number(/yiwang_http_connections (\d+)/.exec(answers[0].body)[1]) - 1
}

/** Asks for many answers and reads `bytes` of them each `ms`; seconds until the server had enough. */
async function readSlowly(base, path, bytes, ms) {
  const raw = new Raw(base)
  await raw.opened
  raw.socket.removeAllListeners('data')
  raw.socket.pause()
  for (let i = 0; i < 200; i++) raw.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await sleep(500)
  assert.equal(await open(base), 1)
  while ((await open(base)) && Date.now() - raw.started < 90000) {
    await sleep(ms)
    raw.socket.read(bytes)
  }
  const seconds = (Date.now() - raw.started) / 1000
  raw.end()
  return seconds
}

test('slow clients are cut, and others are served meanwhile', async (t) => {
  const d = await District.start(t, { settings: { idle_seconds: IDLE } })
  let asked = 0, worst = 0, busy = true
  const others = (async () => {
    for (; busy; asked++) {
      const started = Date.now()
      assert.equal((await d.ask('GET', '/healthz')).status, 200)
      worst = Math.max(worst, Date.now() - started)
      await sleep(50)
    }
  })()
  const long = 'a'.repeat(1000)
  const seconds = {}
  const slow = {
    'nothing sent': [() => drip(d.base, '', '', 1), IDLE],
    'silent after half a head': [() => drip(d.base, 'GET /healthz HTTP/1.1\r\nHost', '', 1), IDLE],
    'silent after half a body': [() => drip(d.base, POST + '{', '', 1), IDLE],
    'silent after an answer': [() => drip(d.base, GET, '', 1), IDLE],
    'a first line dripped': [() => drip(d.base, '', 'GET /' + long, 500), IDLE + HEAD],
    'empty lines dripped': [() => drip(d.base, '', '\r\n'.repeat(500), 500), IDLE + HEAD],
    'a head dripped': [() => drip(d.base, 'GET /healthz HTTP/1.1\r\n', 'X: ' + long, 500), HEAD],
    'a body dripped': [() => drip(d.base, POST, long, 500), IDLE + 16],
  }
  await Promise.all(Object.entries(slow).map(async ([what, [run, most]]) => {
    const n = process.env.YIWANG_MANY ? 20 : 5
    const all = await Promise.all(Array.from({ length: n }, () => run().catch(() => 99)))
    seconds[what] = { most, took: Math.max(...all) }
  }))
  busy = false
  await others
  t.diagnostic(`cut after seconds: ${JSON.stringify(seconds)}; others: ${asked} requests, slowest ${worst} ms`)
  const late = Object.entries(seconds).filter(([, s]) => s.took > s.most + SLACK + 1)
  assert.deepEqual(late, [])
  assert.ok(asked > 20 && worst < 2000, `${asked} requests of others, slowest ${worst} ms`)
  assert.match((await d.ask('GET', '/metrics')).text, /yiwang_http_late_total [1-9]/)
})

test('who does not take his answers is cut', async (t) => {
  const d = await District.start(t, { settings: { idle_seconds: IDLE } })
  const silent = await readSlowly(d.base, '/api/openapi.json', 0, 500)
  const slow = await readSlowly(d.base, '/api/openapi.json', 100, 500)
  t.diagnostic(`reads nothing: ${silent} s; reads 200 bytes a second: ${slow} s`)
  assert.ok(silent < 30 && slow < 45)
  assert.equal((await d.ask('GET', '/healthz')).status, 200)
})

test('one address has a limited number of connections; the trusted proxy has not', async (t) => {
  const d = await District.start(t, { settings: { connections_per_address: 20 } })
  const all = Array.from({ length: 30 }, () => new Raw(d.base))
  await Promise.all(all.map((r) => r.opened))
  for (const r of all) r.write(GET)
  await sleep(1000)
  // Two threads accept: what both look at in the same moment may be one too many.
  const served = all.filter((r) => r.answers().length === 1 && !r.closed).length
  assert.ok(served === 20 || served === 21, `${served} were served`)
  assert.equal(all.filter((r) => r.closed && r.answers().length === 0).length, 30 - served)
  for (const r of all) r.end()
  await sleep(500)
  assert.deepEqual((await exchange(d.base, GET)).statuses, [200])
  await d.stop()
  d.settings = { connections_per_address: 20, trusted_proxy: '127.0.0.1' }
  await d.serve()
  const more = Array.from({ length: 30 }, () => new Raw(d.base))
  await Promise.all(more.map((r) => r.opened))
  for (const r of more) r.write(GET)
  await sleep(1000)
  assert.equal(more.filter((r) => r.answers().length === 1 && !r.closed).length, 30)
  for (const r of more) r.end()
})

test('large bodies that come in at a time are bounded for each address', async (t) => {
  const d = await District.start(t)
  const post = `POST /open311/v2/requests.json HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: ${12 << 20}\r\n\r\n`
  const all = Array.from({ length: 7 }, () => new Raw(d.base))
  for (const r of all) {
    await r.opened
    r.write(post)
    await sleep(100)
  }
  assert.deepEqual(all.map((r) => r.answers().map((a) => a.status).join()), ['', '', '', '', '', '503', '503'], 'five of 12 MiB fit into 64')
  assert.ok(all[6].closed && all[6].answers()[0].headers['retry-after'])
  assert.equal((await d.ask('GET', '/healthz')).status, 200)
  assert.equal((await d.report({ channel: 'app' }, { key: null })).status, 201, 'usual bodies are not concerned')
  all[0].end()
  await sleep(500)
  const next = await exchange(d.base, post, 700)
  assert.deepEqual(next.statuses, [], 'there is room again')
  for (const r of all) r.end()
})

const MANY = Number(process.env.YIWANG_CONNECTIONS ?? 2000)
test(`${MANY} idle connections, and others are served`, async (t) => {
  const d = await District.start(t, { settings: { connections: MANY + 500, connections_per_address: MANY + 500, idle_seconds: 300 } })
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${d.child.pid}/status`, 'utf8'))[1]) / 1024
  const before = memory()
  const all = []
  for (let i = 0; i < MANY; i += 100) {
    // Addresses of the loopback network, so that the ports of one do not run out.
    const some = Array.from({ length: 100 }, (_, k) => new Raw(d.base, { localAddress: `127.0.0.${1 + ((i + k) % 50)}` }))
    await Promise.all(some.map((r) => r.opened))
    for (const r of some) r.write(GET)
    all.push(...some)
  }
  for (let i = 0; i < 200 && all.some((r) => !r.answers().length); i++) await sleep(100)
  const kept = all.filter((r) => r.answers().length === 1 && !r.closed).length
  const times = []
  for (let i = 0; i < 50; i++) {
    const started = Date.now()
    assert.equal((await d.ask('GET', '/healthz')).status, 200)
    times.push(Date.now() - started)
  }
  times.sort((a, b) => a - b)
  t.diagnostic(`${kept} of ${MANY} connections open; memory ${before.toFixed(0)} -> ${memory().toFixed(0)} MiB; others p50 ${times[25]} ms, slowest ${times[49]} ms`)
  assert.equal(kept, MANY)
  assert.equal((await d.report({ channel: 'app' }, { key: null })).status, 201)
  for (const r of all) r.end()
})
