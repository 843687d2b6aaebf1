/* Live updates: what is told, to whom, and that nothing is missed across a broken line or a restart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District, Events } from './lib.mjs'

test('staff hear of every move; a broken line resumes behind the last event', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  const live = new Events(d.base, '/api/v1/events', { key })
  await live.open
  assert.equal(live.status, 200)
  const first = await d.report({ item: '0201' })
  const told = await live.next()
  assert.equal(told.event, 'case')
  assert.equal(told.data.number, first.body.number)
  assert.equal(told.data.state, 'dispatched')
  live.close()
  const numbers = []
  for (let i = 0; i < 5; i++) numbers.push((await d.report({ item: '0201' })).body.number)
  const again = new Events(d.base, '/api/v1/events', { key, last: told.id })
  for (const number of numbers) assert.equal((await again.next()).data.number, number)
  again.close()
})

test('events outlive the server', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  const live = new Events(d.base, '/api/v1/events', { key })
  await live.open
  await d.report({ item: '0201' })
  const told = await live.next()
  const second = await d.report({ item: '0201' })
  live.close()
  await d.stop('SIGKILL')
  await d.serve()
  const again = new Events(d.base, '/api/v1/events', { key, last: told.id })
  assert.equal((await again.next()).data.number, second.body.number)
  again.close()
})

test('a key hears of what its channel recorded', async (t) => {
  const d = await District.start(t)
  const key = d.command('key', 'add', 'patrol', '--channel', 'patrol').stdout.trim()
  const live = new Events(d.base, '/api/v1/events', { key })
  await live.open
  await d.report({ item: '0201' })
  const own = await d.report({ channel: 'patrol', item: '0201' }, { key })
  assert.equal((await live.next()).data.number, own.body.number)
  live.close()
})

test('a citizen hears of his case and of no other, without names of units', async (t) => {
  const d = await District.start(t)
  const dispatcher = await d.signIn('dispatcher')
  const { body } = await d.report({ channel: 'app', text: '看不懂' }, { key: null })
  const live = new Events(d.base, `/api/v1/track/${body.track}/events`)
  await live.open
  await d.report({ item: '0201' })
  await d.move(body.number, 'dispatch', { item: '0201' }, dispatcher)
  const told = await live.next()
  assert.deepEqual(Object.keys(told.data).sort(), ['at', 'state', 'track'])
  assert.equal(told.data.track, body.track)
  assert.equal(told.data.state, 'dispatched')
  assert.equal(live.waiting.length, 0)
  live.close()
  const none = new Events(d.base, '/api/v1/track/000000000000/events')
  await none.open
  assert.equal(none.status, 404)
})

test('a unit hears of its own cases; strangers of none', async (t) => {
  const d = await District.start(t)
  const unit = await d.signIn('unit'), dispatcher = await d.signIn('dispatcher')
  const live = new Events(d.base, '/api/v1/events', { key: unit })
  await live.open
  await d.report({ item: '0201' })
  const { body } = await d.report({})
  await d.move(body.number, 'dispatch', { item: '0101', unit: 'north-law' }, dispatcher)
  const told = await live.next()
  assert.equal(told.data.number, body.number)
  live.close()
  const stranger = new Events(d.base, '/api/v1/events')
  await stranger.open
  assert.equal(stranger.status, 401)
})
