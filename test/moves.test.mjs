/* A case from dispatch to archive over HTTP, by the people who do it; and what they may not do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District } from './lib.mjs'

/** A case that is with the demonstration unit (north), and everybody's tokens. */
async function begin(t) {
  const d = await District.start(t)
  const tokens = {}
  for (const user of ['clerk', 'dispatcher', 'unit', 'centre', 'supervisor', 'citizen', 'admin']) tokens[user] = await d.signIn(user)
  const unsure = await d.report({ text: '请北街道看一下' })
  const sent = await d.move(unsure.body.number, 'dispatch', { item: '0101', unit: 'north', assists: [] }, tokens.dispatcher)
  assert.equal(sent.status, 200, sent.text)
  return { d, tokens, number: unsure.body.number, track: unsure.body.track }
}

async function moves(d, number, steps) {
  for (const [move, token, form, state] of steps) {
    const { status, body, text } = await d.move(number, move, form, token)
    assert.equal(status, 200, `${move}: ${text}`)
    assert.equal(body.state, state, move)
  }
}

test('from dispatch to archive, with rework on the way', async (t) => {
  const { d, tokens: k, number, track } = await begin(t)
  await moves(d, number, [
    ['sign', k.unit, {}, 'signed'],
    ['handle', k.unit, {}, 'handling'],
    ['hand_over', k.unit, { result: '已清理' }, 'handled'],
    ['review', k.supervisor, {}, 'review'],
    ['rework', k.supervisor, { reason: '照片看不清' }, 'handling'],
    ['hand_over', k.unit, { result: '已重新清理' }, 'handled'],
    ['review', k.dispatcher, {}, 'review'],
    ['reply', k.clerk, { result: '您反映的垃圾已清理' }, 'replied'],
    ['close', k.clerk, {}, 'closed'],
    ['archive', k.clerk, {}, 'archived'],
  ])
  const { body: history } = await d.ask('GET', `/api/v1/cases/${number}/history`, undefined, { key: k.supervisor })
  assert.deepEqual(history.history.map((h) => h.move),
    ['receive', 'file', 'dispatch', 'sign', 'handle', 'hand_over', 'review', 'rework', 'hand_over', 'review', 'reply', 'close', 'archive'])
  assert.deepEqual(history.history.map((h) => h.seq), [...history.history.keys()].map((i) => i + 1))
  const { body: citizen } = await d.ask('GET', `/api/v1/track/${track}`)
  assert.equal(citizen.state, 'archived')
  assert.equal(citizen.open, false)
  assert.equal(citizen.steps.find((s) => s.move === 'reply').answer, '您反映的垃圾已清理')
  assert.equal(d.command('ledger', 'verify').status, 0)
})

test('a return needs a reason, and goes back to the dispatcher', async (t) => {
  const { d, tokens: k, number } = await begin(t)
  const bare = await d.move(number, 'return', {}, k.unit)
  assert.equal(bare.status, 400)
  assert.equal(bare.body.field, 'reason')
  await moves(d, number, [
    ['return', k.unit, { reason: '不属于本单位' }, 'returned'],
    ['redispatch', k.dispatcher, { unit: 'centre' }, 'dispatched'],
  ])
  assert.equal((await d.move(number, 'sign', {}, k.unit)).status, 403)
  await moves(d, number, [['sign', k.centre, {}, 'signed']])
})

test('no jump, no stranger, no unknown move', async (t) => {
  const { d, tokens: k, number } = await begin(t)
  assert.equal((await d.move(number, 'close', {}, k.clerk)).status, 409)
  assert.equal((await d.move(number, 'sign', {}, k.clerk)).status, 403)
  assert.equal((await d.move(number, 'fly', {}, k.unit)).status, 400)
  assert.equal((await d.move(number, 'sign', {}, null)).status, 401)
  assert.equal((await d.move(number, 'sign', {}, k.citizen)).status, 403)
  assert.equal((await d.move('XY000000000000000000', 'sign', {}, k.unit)).status, 404)
})

test('of many who make the same move at once, one does', async (t) => {
  const { d, tokens: k, number } = await begin(t)
  const answers = await Promise.all(Array.from({ length: 20 }, () => d.move(number, 'sign', {}, k.unit)))
  assert.equal(answers.filter((a) => a.status === 200).length, 1)
  assert.equal(answers.filter((a) => a.status === 409).length, 19)
})

test('a unit sees its own cases only; lists are paged and filtered', async (t) => {
  const { d, tokens: k, number } = await begin(t)
  for (let i = 0; i < 25; i++) await d.report({ item: '0201' })
  const ask = (path, key) => d.ask('GET', path, undefined, { key })
  const own = await ask('/api/v1/cases', k.unit)
  assert.deepEqual(own.body.cases.map((c) => c.number), [number])
  const others = await ask('/api/v1/cases?unit=housing', k.dispatcher)
  assert.equal(others.body.cases.length, 25)
  assert.equal((await ask(`/api/v1/cases/${others.body.cases[0].number}`, k.unit)).status, 404)
  assert.deepEqual((await ask('/api/v1/cases?unit=housing', k.unit)).body.cases, [])
  const seen = []
  for (let next = ''; next !== undefined; ) {
    const page = await ask(`/api/v1/cases?limit=10${next && `&after=${next}`}`, k.dispatcher)
    seen.push(...page.body.cases.map((c) => c.number))
    next = page.body.next
  }
  assert.equal(seen.length, 26)
  assert.equal(new Set(seen).size, 26)
  const states = await ask('/api/v1/cases?state=dispatched&item=0201&limit=100', k.dispatcher)
  assert.equal(states.body.cases.length, 25)
  assert.equal((await ask('/api/v1/cases?late=true', k.dispatcher)).body.cases.length, 0)
  assert.equal((await ask('/api/v1/cases?limit=0', k.dispatcher)).status, 400)
  assert.equal((await ask('/api/v1/cases', null)).status, 401)
})

test('sessions: wrong passwords, cookies with their CSRF token, signing out', async (t) => {
  const d = await District.start(t)
  const account = d.demo.accounts.find((a) => a.user === 'dispatcher')
  const wrong = await d.ask('POST', '/api/v1/session', { user: 'dispatcher', password: 'not the password' })
  const nobody = await d.ask('POST', '/api/v1/session', { user: 'nobody', password: 'not the password' })
  assert.equal(wrong.status, nobody.status)
  assert.equal(wrong.body.detail, nobody.body.detail)
  const session = await d.ask('POST', '/api/v1/session', { user: account.user, password: account.password })
  const cookie = session.headers.get('set-cookie')
  assert.match(cookie, /HttpOnly/)
  assert.match(cookie, /SameSite=Lax/)
  const headers = { Cookie: cookie.split(';')[0] }
  assert.equal((await d.ask('GET', '/api/v1/cases', undefined, { headers })).status, 200)
  const { body } = await d.report({ text: 'x' })
  const form = { move: 'dispatch', item: '0201' }
  assert.equal((await d.ask('POST', `/api/v1/cases/${body.number}/moves`, form, { headers })).status, 403)
  assert.equal((await d.ask('GET', '/api/v1/session', undefined, { headers })).body.csrf, session.body.csrf, 'a page that was opened anew asks for it')
  assert.equal((await d.ask('GET', '/api/v1/session', undefined, { key: d.key })).body.csrf, null)
  assert.equal((await d.ask('GET', '/api/v1/session')).body.csrf, null)
  const proven = { ...headers, 'X-CSRF-Token': session.body.csrf }
  assert.equal((await d.ask('POST', `/api/v1/cases/${body.number}/moves`, form, { headers: proven })).status, 200)
  assert.equal((await d.ask('DELETE', '/api/v1/session', undefined, { headers: proven })).status, 204)
})
