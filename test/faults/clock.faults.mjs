/* The clock is set forward and back while the real program runs (libfaketime reads the difference from a file at every look at the
 * clock; the steady clock is left alone, as on a real machine). */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Events, POSTGRES, until } from '../lib.mjs'
import { Cluster } from './cluster.mjs'
import { Load, Site, Skip, between, fault, size, sleep } from './lib.mjs'

const DAY = 86400

function library() {
  const found = ['/usr/lib', '/usr/lib64'].filter(existsSync).flatMap((top) => readdirSync(top).map((f) => join(top, f, 'faketime/libfaketimeMT.so.1')))
    .find(existsSync)
  if (!found) throw new Skip('libfaketime is not installed')
  return found
}

async function site(t) {
  const lib = library()
  if (POSTGRES) await Cluster.start(t)
  // A writer for everybody: libfaketime loses track of condition variables on the stack, and waits for a connection would end at once.
  const d = Site.make(t, { settings: { store_writers: 64 } })
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-clock-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  d.set = (seconds) => writeFileSync(join(folder, 'now'), `${seconds >= 0 ? '+' : ''}${seconds}\n`)
  d.set(0)
  d.extra = { LD_PRELOAD: lib, FAKETIME_TIMESTAMP_FILE: join(folder, 'now'), FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' }
  await d.serve()
  return d
}

const clock = async (d) => Date.parse((await d.ask('GET', '/healthz')).headers.get('date'))

/** The program sees the clock so far from ours. */
async function is(d, seconds) {
  d.set(seconds)
  await until(async () => Math.abs((await clock(d)) - Date.now() - seconds * 1000) < 3000, `the clock is ${seconds} s away`, 10)
}

const figure = async (d, name) => Number(new RegExp(`yiwang_${name} (\\d+)`).exec((await d.ask('GET', '/metrics')).text)[1])
const told = (d) => d.rows("SELECT topic, key, payload FROM outbox WHERE topic IN ('warning', 'overdue')")

function eachOnce(d) {
  const seen = new Set()
  for (const [topic, key, payload] of told(d)) {
    const what = JSON.stringify([topic, key, JSON.parse(payload).clock])
    assert.ok(!seen.has(what), `${what} was told twice`)
    seen.add(what)
  }
  return seen.size
}

fault('clock set forward and back under load', 'no answer but 200, 201 and 503; ids and numbers stay unique, nothing acknowledged is lost; history keeps '
  + 'its order; due timers fire, none twice; a kill with the clock set back does not hold up the outbox', async (t, seen) => {
  const d = await site(t)
  const load = new Load(d, { callers: 8 })
  const jumps = [1, -1, 3600, -3600, DAY, -DAY, DAY, 0, 30, -30, 40 * DAY, 0, ...Array.from({ length: size('ROUNDS', 5) }, () => Math.round(between(-DAY, DAY))), 0]
  seen.jumps = jumps.length
  for (const jump of jumps) {
    await is(d, jump)
    await sleep(700)
  }
  load.audit()
  // Killed while its clock is a day ahead: leases that it held end a day later by the clock set right.
  await is(d, DAY)
  await sleep(1500)
  await d.stop('SIGKILL')
  d.set(0)
  await d.serve()
  Object.assign(seen, await load.stop(), { reports: load.audit() })
  await load.repeat(20)
  const ids = d.rows('SELECT COUNT(*), COUNT(DISTINCT id) FROM report')[0]
  assert.equal(ids[0], ids[1])
  const unread = "SELECT COUNT(*) FROM outbox o JOIN outbox_cursor c ON (o.tx, o.seq) > (c.tx, c.seq) WHERE c.consumer = 'notify'"
  await until(() => d.number(unread) === 0, 'the outbox is read to its end', 120)
  seen.told = eachOnce(d)
  await d.stop()
  seen.cases = d.sound()
})

fault('due timers and the clock', 'set forward a day: every clock that is due is told within 10 s; set back and forward again: none is told twice; '
  + 'a report filed while the clock was a day ahead can be worked on after', async (t, seen) => {
  const d = await site(t)
  for (let i = 0; i < 100; i++) assert.equal((await d.report({ external_id: `t-${i}`, item: '010102', area_code: '990101002' })).status, 201)
  const waiting = d.number('SELECT COUNT(*) FROM timer')
  assert.equal(told(d).length, 0)
  await is(d, -DAY)
  await sleep(1500)
  assert.equal(told(d).length, 0)
  await is(d, 5 * DAY)
  const began = Date.now()
  await until(async () => (await figure(d, 'timers_overdue')) === 0 && told(d).length >= waiting, 'what is due is told', 20)
  Object.assign(seen, { cases: 100, timers: waiting, all_told_after_ms: Date.now() - began })
  await sleep(1500)
  const after = eachOnce(d)
  const ahead = await d.report({ item: '010102', area_code: '990101002' })
  assert.equal(ahead.status, 201)
  for (const seconds of [0, 5 * DAY, -DAY, 5 * DAY]) {
    await is(d, seconds)
    await sleep(1200)
  }
  seen.told = eachOnce(d)
  assert.ok(seen.told <= after + 4, 'more was told than the one new case can have')
  await is(d, 0)
  const key = await d.signIn('dispatcher')
  const view = await d.ask('GET', `/api/v1/cases/${ahead.body.number}`, undefined, { key })
  assert.equal(view.status, 200)
  await d.stop()
  d.sound()
})

fault('sessions, limits and streams when the clock is set', 'a session holds its 12 hours by the clock, then 401 and signing in works; failed '
  + 'sign-ins counted while the clock was ahead do not lock out after it is set back; waits told are never negative; live events go on', async (t, seen) => {
  const d = await site(t)
  let key = await d.signIn('dispatcher')
  const events = await new Events(d.base, '/api/v1/events', { key })
  t.after(() => events.close())
  const list = () => d.ask('GET', '/api/v1/cases?limit=1', undefined, { key })
  assert.equal((await list()).status, 200)
  await is(d, -DAY)
  assert.equal((await list()).status, 200)
  await is(d, DAY)
  await until(async () => (await list()).status === 401, 'the session has ended', 15) // who it is may be remembered for 10 s
  key = await d.signIn('dispatcher')
  assert.equal((await list()).status, 200)
  const wrong = () => d.ask('POST', '/api/v1/session', { user: 'clerk', password: 'wrong' })
  for (let i = 0; i < 10; i++) assert.equal((await wrong()).status, 401)
  const locked = await wrong()
  assert.equal(locked.status, 503, locked.text)
  assert.ok(Number(locked.headers.get('retry-after')) > 0)
  await is(d, 0)
  await d.signIn('clerk')
  seen.locked_out_after = false
  assert.equal((await list()).status, 200)
  for (let i = 0; i < 300; i++) {
    if (i % 20 === 0) d.set((i / 20) % 2 ? DAY : -DAY)
    const answer = await d.ask('GET', '/api/v1/track/0000000000000')
    if (answer.status !== 429) continue
    const wait = Number(answer.headers.get('retry-after'))
    assert.ok(wait >= 1 && wait <= 61, `Retry-After: ${wait}`)
    seen.waits = (seen.waits ?? 0) + 1
  }
  await is(d, 0)
  assert.equal((await d.report({ item: '0201' })).status, 201)
  await events.next()
  events.close()
  assert.equal((await d.stop()).code, 0)
})

fault('server started with the clock set back', 'it starts, its numbers stay unique beside those of the day ahead', async (t, seen) => {
  const d = await site(t)
  const numbers = new Set()
  for (const seconds of [DAY, 0, -DAY, 0, DAY]) {
    d.set(seconds)
    await d.stop('SIGKILL')
    await d.serve()
    for (let i = 0; i < 50; i++) {
      const answer = await d.report({ item: '0201' })
      assert.equal(answer.status, 201, `${answer.text} ${d.log.slice(-1500)}`)
      assert.ok(!numbers.has(answer.body.number))
      numbers.add(answer.body.number)
    }
  }
  seen.numbers = numbers.size
  await d.stop()
  d.sound()
})
