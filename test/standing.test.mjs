/* A person in several units, one who stands in for another, and hours on duty: for whom he acts, what he sees, and what the history says. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, SMALL, until } from './lib.mjs'

const PASSWORD = 'seven quiet lanterns'
const soon = (seconds) => new Date(Date.now() + seconds * 1000).toISOString()

function pack(t) {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-pack-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(SMALL, folder, { recursive: true })
  const file = join(folder, 'workflows/standard.yaml')
  writeFileSync(file, readFileSync(file, 'utf8')
    + '  - {name: assign, zh: 指派, en: Assign, from: [dispatched, signed, handling], to: "=", roles: [unit, dispatcher], needs: [own_task, person], then: [assign_person]}\n')
  return folder
}

async function begin(t, people) {
  const d = await District.start(t, { pack: pack(t) })
  const keys = { dispatcher: await d.signIn('dispatcher'), admin: await d.signIn('admin') }
  for (const [login, ...options] of people) {
    const added = d.commandWith(`${PASSWORD}\n`, 'user', 'add', login, '--role', 'unit', ...options)
    assert.equal(added.status, 0, added.stderr)
    keys[login] = (await d.ask('POST', '/api/v1/session', { login, password: PASSWORD })).body.token
  }
  return { d, keys }
}

/** A case that is with that unit. */
async function caseOf(d, keys, unit, assists = []) {
  const { body } = await d.report({ text: '请看一下' })
  const sent = await d.move(body.number, 'dispatch', { item: '0101', unit, assists }, keys.dispatcher)
  assert.equal(sent.status, 200, sent.text)
  return body.number
}

const last = async (d, keys, number) => (await d.ask('GET', `/api/v1/cases/${number}/history`, undefined, { key: keys.admin })).body.history.at(-1)

test('somebody of several units acts for the one that has the case, or the one he names', async (t) => {
  const { d, keys } = await begin(t, [['li', '--unit', 'north-law']])
  assert.equal(d.command('user', 'join', 'li', 'city').status, 0)
  assert.equal(d.command('user', 'join', 'li', 'nowhere').status, 1)
  keys.li = (await d.ask('POST', '/api/v1/session', { login: 'li', password: PASSWORD })).body.token
  const own = await caseOf(d, keys, 'north-law'), other = await caseOf(d, keys, 'city'), both = await caseOf(d, keys, 'city', ['north-law'])
  for (const [number, unit] of [[own, 'north-law'], [other, 'city']]) {
    const seen = await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: keys.li })
    assert.ok(seen.body.moves.some((m) => m.name === 'sign'), `offered for ${unit}`)
    const signed = await d.move(number, 'sign', {}, keys.li)
    assert.equal(signed.status, 200, signed.text)
    const row = await last(d, keys, number)
    assert.deepEqual([row.actor, row.unit], ['li', unit])
  }
  assert.equal((await d.move(both, 'sign', { acting_unit: 'north-law' }, keys.li)).status, 403, 'that unit only assists')
  assert.equal((await d.move(both, 'sign', { acting_unit: 'south' }, keys.li)).body.field, 'acting_unit')
  assert.equal((await d.move(both, 'sign', { acting_unit: 'city' }, keys.li)).status, 200)
  assert.equal(d.command('user', 'join', 'li', 'city', '--end').status, 0)
  await until(async () => (await d.ask('GET', `/api/v1/cases/${other}`, undefined, { key: keys.li })).status === 404, 'he has left')
  assert.equal((await d.ask('GET', `/api/v1/cases/${own}`, undefined, { key: keys.li })).status, 200)
})

test('who stands in sees and acts for the absent one until the end; the history names both', async (t) => {
  const { d, keys } = await begin(t, [['li', '--unit', 'north-law'], ['wang', '--unit', 'north'], ['zhao', '--unit', 'north-law', '--sees', 'none'], ['far', '--unit', 'south']])
  const number = await caseOf(d, keys, 'north-law')
  const sees = async (login) => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: keys[login] })).status === 200
  assert.equal(await sees('zhao'), false)
  const post = (body, login = 'li') => d.ask('POST', '/api/v1/stand_ins', body, { key: keys[login] })
  assert.equal((await post({ deputy: 'li', until: soon(60) })).status, 400, 'oneself')
  assert.equal((await post({ deputy: 'far', until: soon(60) })).status, 400, 'of another unit')
  assert.equal((await post({ deputy: 'dispatcher', until: soon(60) })).status, 400, 'of another role')
  assert.equal((await post({ deputy: 'nobody', until: soon(60) })).status, 404)
  assert.equal((await post({ deputy: 'zhao', until: soon(-60) })).status, 400)
  assert.equal((await post({ deputy: 'zhao', until: soon(400 * 86400) })).status, 400)
  assert.equal((await post({ deputy: 'zhao', absent: 'wang', until: soon(60) })).status, 403, 'for others: an administrator')
  const made = await post({ deputy: 'zhao', until: soon(3600) })
  assert.equal(made.status, 201, made.text)
  await until(() => sees('zhao'), 'the deputy sees the case')
  const signed = await d.move(number, 'sign', {}, keys.zhao)
  assert.equal(signed.status, 200, signed.text)
  const row = await last(d, keys, number)
  assert.deepEqual([row.actor, row.unit, row.form.instead_of], ['zhao', 'north-law', 'li'])
  const refused = await d.move(number, 'assign', { person: 'li' }, keys.dispatcher)
  assert.equal(refused.status, 400)
  assert.match(refused.body.detail, /li is absent until .*; zhao stands in/)
  assert.equal((await d.ask('GET', '/api/v1/stand_ins', undefined, { key: keys.wang })).body.stand_ins.length, 0)
  assert.equal((await d.ask('GET', '/api/v1/stand_ins', undefined, { key: keys.zhao })).body.stand_ins.length, 1)
  const end = (login) => d.ask('DELETE', `/api/v1/stand_ins/${made.body.id}`, undefined, { key: keys[login] })
  assert.equal((await end('wang')).status, 404)
  assert.equal((await end('li')).status, 204)
  assert.equal((await end('li')).status, 404)
  await until(async () => !(await sees('zhao')), 'it was taken back')
  assert.equal((await d.move(number, 'assign', { person: 'li' }, keys.dispatcher)).status, 200)
  assert.equal(d.command('ledger', 'verify').status, 0)
})

test('acting in another unit for the absent one is written down with his name, and ends by itself', async (t) => {
  const { d, keys } = await begin(t, [['li', '--unit', 'north-law'], ['wang', '--unit', 'north', '--sees', 'unit']])
  const number = await caseOf(d, keys, 'north-law')
  const sees = async () => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: keys.wang })).status === 200
  assert.equal(await sees(), false)
  const made = await d.ask('POST', '/api/v1/stand_ins', { absent: 'li', deputy: 'wang', until: soon(15) }, { key: keys.admin })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.body.made_by, 'admin')
  await until(sees, 'the deputy sees the case')
  assert.equal((await d.move(number, 'sign', { instead_of: 'somebody' }, keys.wang)).status, 400, 'nobody writes that himself')
  assert.equal((await d.move(number, 'sign', {}, keys.wang)).status, 200)
  const row = await last(d, keys, number)
  assert.deepEqual([row.actor, row.unit, row.form.instead_of], ['wang', 'north-law', 'li'])
  await until(async () => !(await sees()), 'the end has come', 40)
})

test('work is not given to who is off duty while a colleague is on duty', async (t) => {
  const { d, keys } = await begin(t, [['li', '--unit', 'north-law'], ['wang', '--unit', 'north-law'], ['far', '--unit', 'south']])
  const number = await caseOf(d, keys, 'north-law')
  const assign = (person) => d.move(number, 'assign', { person }, keys.dispatcher)
  const plan = (body, login = 'li') => d.ask('POST', '/api/v1/shifts', body, { key: keys[login] })
  const list = async (login, query = '') => (await d.ask('GET', `/api/v1/shifts${query}`, undefined, { key: keys[login] })).body.shifts
  assert.equal((await plan({ login: 'li', until: soon(-60) })).status, 400, 'over')
  assert.equal((await plan({ login: 'li', until: soon(2 * 86400) })).status, 400, 'longer than a day')
  assert.equal((await plan({ login: 'nobody', until: soon(60) })).status, 404)
  assert.equal((await plan({ login: 'far', until: soon(60) })).status, 403, 'of another unit')
  assert.equal((await plan({ login: 'li', until: soon(60), weeks: 60 })).status, 400)

  // Nobody is on duty: li has a shift tomorrow, wang none at all.  Then wang comes on duty.
  const ahead = await plan({ login: 'li', from: soon(86400), until: soon(86400 + 8 * 3600), weeks: 4 })
  assert.equal(ahead.status, 201, ahead.text)
  assert.equal(ahead.body.ids.length, 4)
  assert.equal((await assign('li')).status, 200)
  assert.equal((await plan({ login: 'wang', until: soon(8 * 3600) })).status, 201)
  const refused = await assign('li')
  assert.equal(refused.status, 400, refused.text)
  assert.equal(refused.body.field, 'person')
  assert.match(refused.body.detail, /li is off duty; wang is on duty/)
  assert.equal((await assign('wang')).status, 200)

  // Seen in the unit and by dispatchers, not elsewhere.
  assert.deepEqual((await list('li')).map((s) => [s.login, s.on_duty]), [['wang', true], ['li', false]])
  assert.equal((await list('dispatcher', `?until=${encodeURIComponent(soon(30 * 86400))}`)).length, 5)
  assert.deepEqual(await list('far'), [])
  const take_back = (id, login) => d.ask('DELETE', `/api/v1/shifts/${id}`, undefined, { key: keys[login] })
  assert.equal((await take_back(ahead.body.ids[0], 'far')).status, 404)
  for (const id of ahead.body.ids) assert.equal((await take_back(id, 'wang')).status, 204)
  assert.equal((await take_back(ahead.body.ids[0], 'wang')).status, 404)
  assert.equal((await assign('li')).status, 200, 'no roster binds li any more')
})
