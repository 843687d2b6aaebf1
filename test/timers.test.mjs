/* The view of timers that wait: what falls due next, in which case, and for whom; what is out of sight is not there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District } from './lib.mjs'

const PASSWORD = 'seven quiet lanterns'

test('timers that wait are seen by their instants, with the clocks of the cases in sight', async (t) => {
  const d = await District.start(t)
  const keys = {}
  for (const user of ['dispatcher', 'supervisor', 'admin']) keys[user] = await d.signIn(user)
  const numbers = []
  for (let i = 0; i < 5; i++) {
    const { body } = await d.report({ text: '垃圾没有人清' })
    const sent = await d.move(body.number, 'dispatch', { item: '0101', unit: i % 2 ? 'north-law' : 'city' }, keys.dispatcher)
    assert.equal(sent.status, 200, sent.text)
    numbers.push(body.number)
  }
  const timers = async (key, query = '') => d.ask('GET', `/api/v1/timers${query}`, undefined, { key })
  const all = await timers(keys.admin)
  assert.equal(all.status, 200, all.text)
  assert.deepEqual(all.body.timers.map((x) => x.number).sort(), [...numbers].sort())
  assert.equal(all.body.after, null)
  const instants = all.body.timers.map((x) => Date.parse(x.next))
  assert.deepEqual(instants, [...instants].sort((a, b) => a - b), 'the next first')
  for (const timer of all.body.timers) {
    assert.equal(timer.kind, 'case-clock')
    assert.equal(timer.tries, 0)
    const { body: seen } = await d.ask('GET', `/api/v1/cases/${timer.number}`, undefined, { key: keys.admin })
    assert.ok(timer.clocks.length > 0)
    const next = Math.min(...timer.clocks.flatMap((c) => [c.due, c.warning, c.step].filter((x) => x).map(Date.parse)))
    assert.equal(Date.parse(timer.next), next, 'the timer is set to the next instant of its clocks')
    assert.ok(timer.clocks.some((c) => c.unit === seen.unit.code))
  }

  // Page by page, each timer once.
  const walked = []
  for (let after = ''; after !== null;) {
    const { body } = await timers(keys.admin, `?limit=2${after && `&after=${encodeURIComponent(after)}`}`)
    walked.push(...body.timers.map((x) => x.number))
    after = body.after
  }
  assert.deepEqual(walked, all.body.timers.map((x) => x.number))
  assert.equal((await timers(keys.admin, '?after=later')).status, 400)

  // What is out of sight is left out; what belongs to no case is an administrator's.
  const added = d.commandWith(`${PASSWORD}\n`, 'user', 'add', 'narrow', '--role', 'dispatcher', '--unit', 'north-law', '--sees', 'unit')
  assert.equal(added.status, 0, added.stderr)
  const narrow = (await d.ask('POST', '/api/v1/session', { login: 'narrow', password: PASSWORD })).body.token
  assert.deepEqual((await timers(narrow)).body.timers.map((x) => x.number).sort(), numbers.filter((_, i) => i % 2).sort())
  assert.equal((await timers(narrow, '?kind=ledger-sweep')).status, 403)
  const others = await timers(keys.admin, '?kind=ledger-sweep')
  assert.equal(others.status, 200)
  assert.ok(others.body.timers.length > 0)
  assert.ok(others.body.timers.every((x) => x.kind === 'ledger-sweep' && x.number === undefined))
  assert.deepEqual((await timers(keys.admin, '?parked=yes')).body.timers, [])
})
