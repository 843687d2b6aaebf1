/* Returning is counted, and seen: by the unit itself, and by who dispatches and supervises. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District } from './lib.mjs'

const PASSWORD = 'seven quiet lanterns'

test('how often each unit returns what it was given is seen by those concerned', async (t) => {
  const d = await District.start(t)
  const k = { dispatcher: await d.signIn('dispatcher'), supervisor: await d.signIn('supervisor') }
  for (const unit of ['north-law', 'city']) {
    const made = d.commandWith(`${PASSWORD}\n`, 'user', 'add', unit, '--role', 'unit', '--unit', unit)
    assert.equal(made.status, 0, made.stderr)
    k[unit] = (await d.ask('POST', '/api/v1/session', { login: unit, password: PASSWORD })).body.token
  }
  const given = async (unit) => {
    const { body } = await d.report({ text: '请看一下' })
    const sent = await d.move(body.number, 'dispatch', { item: '0101', unit }, k.dispatcher)
    assert.equal(sent.status, 200, sent.text)
    return body.number
  }
  for (let i = 0; i < 3; i++) await given('north-law')
  const number = await given('city')
  assert.equal((await d.move(number, 'return', { reason: '不属于本单位' }, k.city)).status, 200)
  const again = await d.move(number, 'redispatch', { unit: 'north-law' }, k.dispatcher)
  assert.equal(again.status, 200, again.text)
  assert.deepEqual(again.body.tasks.map((x) => [x.unit, x.state]), [['city', 'returned'], ['north-law', 'open']])

  const rates = async (key, query = '') => (await d.ask('GET', `/api/v1/returns${query}`, undefined, { key })).body.units?.map((u) => [u.code, u.given, u.returned, u.rate])
  const all = [['city', 1, 1, 1], ['north-law', 4, 0, 0]]
  assert.deepEqual(await rates(k.supervisor), all)
  assert.deepEqual(await rates(k.dispatcher), all)
  assert.deepEqual(await rates(k.city), [all[0]])
  assert.deepEqual(await rates(k['north-law']), [all[1]])
  const past = (days) => encodeURIComponent(new Date(Date.now() - days * 86400e3).toISOString())
  assert.deepEqual(await rates(k.supervisor, `?until=${past(1)}`), [])
  assert.equal((await d.ask('GET', `/api/v1/returns?from=${past(400)}`, undefined, { key: k.supervisor })).status, 400)
})
