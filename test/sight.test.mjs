/* Nobody sees what he may not see: random cases, people of every range, and each way of seeing gives the same answer. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, Events, SMALL, sleep, until } from './lib.mjs'

const PASSWORD = 'rather long and odd'

/** The small pack with ranges, and persons who do the work. */
function pack(t, ranges) {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-pack-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(SMALL, folder, { recursive: true })
  if (ranges) writeFileSync(join(folder, 'ranges.csv'), ranges)
  const file = join(folder, 'workflows/standard.yaml')
  writeFileSync(file, readFileSync(file, 'utf8')
    + '  - {name: assign, zh: 指派, en: Assign, from: [dispatched, signed, handling], to: "=", roles: [unit, dispatcher], needs: [own_task, person], then: [assign_person]}\n')
  return folder
}

async function enter(d, login, ...options) {
  const added = d.commandWith(`${PASSWORD}\n`, 'user', 'add', login, ...options)
  assert.equal(added.status, 0, added.stderr)
  const answer = await d.ask('POST', '/api/v1/session', { login, password: PASSWORD })
  assert.equal(answer.status, 201, answer.text)
  return answer.body.token
}

/** Numbers from 0 to n-1 that look random and are the same in each run. */
function dice(seed) {
  let x = seed
  return (n) => ((x = (x * 1103515245 + 12345) % 2147483648), Math.floor((x / 2147483648) * n))
}

/** 60 cases in all places, with assisting units, returns, persons; gives them as a dispatcher sees them. */
async function fill(d, dispatcher, roll) {
  const areas = ['990101001001', '990101001002', '990101002001', '990102001001', '990102001002', '990101', '990102', '990100']
  const items = ['010101', '0102', '0201', '0202', '0301', '0401', undefined]
  const units = ['north', 'north-law', 'south', 'south-law', 'oak', 'elm', 'city', 'ecology']
  const cases = []
  for (let i = 0; i < 60; i++) {
    const { body } = await d.report({ item: items[roll(items.length)], area_code: areas[roll(areas.length)], reporter: { phone: `138000000${10 + (i % 3)}` } })
    if (body.state === 'filed' || body.state === 'received')
      await d.move(body.number, 'dispatch', { item: '0102', unit: units[roll(units.length)], assists: [units[roll(units.length)]] }, dispatcher)
    if (roll(3) === 0) await d.move(body.number, 'assign', { person: ['worker', 'walker'][roll(2)] }, dispatcher)
    cases.push((await d.ask('GET', `/api/v1/cases/${body.number}`, undefined, { key: dispatcher })).body)
  }
  return cases
}

const within = { north: ['north', 'north-law', 'oak', 'elm'], south: ['south', 'south-law'], oak: ['oak'], city: ['city'] }
const touches = (c, units) => units.includes(c.unit.code) || c.tasks.some((task) => units.includes(task.unit))
const lies = (c, area) => [c.subdistrict, c.community, c.grid].includes(area)

/** Who there is, and what he should see: told here again, in another language than the server's. */
const people = [
  ['north', ['--role', 'unit', '--unit', 'north'], (c) => touches(c, within.north)],
  ['alone', ['--role', 'unit', '--unit', 'north', '--sees', 'unit'], (c) => touches(c, ['north'])],
  ['oak', ['--role', 'unit', '--unit', 'oak'], (c) => lies(c, '990101001')], // as the pack says of communities
  ['city', ['--role', 'unit', '--unit', 'city'], (c) => touches(c, ['city'])],
  ['worker', ['--role', 'unit', '--unit', 'north-law', '--sees', 'own'], (c, persons) => persons[c.number] === 'worker'],
  ['grid', ['--role', 'clerk', '--area', '990102001001', '--sees', 'area'], (c) => lies(c, '990102001001')],
  ['street', ['--role', 'supervisor', '--area', '990102', '--sees', 'area'], (c) => lies(c, '990102')],
  ['seat', ['--role', 'dispatcher', '--unit', 'south', '--sees', 'area'], (c) => lies(c, '990102')],
  ['all', ['--role', 'clerk'], () => true],
  ['nobody', ['--role', 'clerk', '--sees', 'none'], () => false],
  ['two', ['--role', 'unit', '--unit', 'south'], (c) => touches(c, within.south) || touches(c, ['city'])],
]

async function listed(d, key, query) {
  const numbers = []
  for (let after = '', pages = 0; ; pages++) {
    const { status, body, text } = await d.ask('GET', `/api/v1/cases?limit=7${query}${after}`, undefined, { key })
    assert.equal(status, 200, text)
    assert.ok(pages < 100)
    numbers.push(...body.cases.map((c) => c.number))
    if (!body.next) return numbers
    after = `&after=${body.next}`
  }
}

/** Every single address of one case: seen by all of them or by none. */
async function opened(d, key, number, may) {
  const address = `/api/v1/cases/${number}`
  const none = await d.ask('GET', '/api/v1/cases/XY0', undefined, { key })
  for (const path of ['', '/history', '/reports', '/messages']) {
    const { status, text } = await d.ask('GET', address + path, undefined, { key })
    assert.equal(status, may ? 200 : 404, `GET ${address}${path}: ${text}`)
    if (!may) assert.equal(JSON.parse(text).detail, none.body.detail.replace('XY0', number), 'as if it were not there')
  }
  const moved = await d.move(number, 'no_such_move', {}, key)
  assert.equal(moved.status, may ? 400 : 404, moved.text)
}

async function told(d, key, numbers) {
  const live = new Events(d.base, '/api/v1/events', { key, last: '0.0' })
  await live.open
  const heard = new Set()
  const take = () => live.waiting.splice(0).forEach((event) => heard.add(event.data.number))
  await until(() => (take(), heard.size >= numbers.length), `${numbers.length} cases, not ${heard.size}`)
  await sleep(200)
  take()
  live.close()
  return [...heard].sort()
}

test('each way of seeing gives the same answer', async (t) => {
  const d = await District.start(t, { pack: pack(t, 'role,kind,sees\nunit,community,area\nunit,,subtree\n'), settings: { rate_reads: 0, rate_writes: 0, personal_hourly: 0 } })
  const dispatcher = await d.signIn('dispatcher')
  const keys = {}
  for (const [login, options] of people) keys[login] = await enter(d, login, ...options)
  await enter(d, 'walker', '--role', 'unit', '--unit', 'oak')
  assert.equal(d.command('user', 'join', 'two', 'city').status, 0)
  keys.two = (await d.ask('POST', '/api/v1/session', { login: 'two', password: PASSWORD })).body.token
  const cases = await fill(d, dispatcher, dice(7))
  const persons = {}
  for (const c of cases) {
    const { body } = await d.ask('GET', `/api/v1/cases/${c.number}/history`, undefined, { key: dispatcher })
    persons[c.number] = body.history.filter((h) => h.move === 'assign').at(-1)?.form.person
  }
  assert.ok(Object.values(persons).includes('worker') && Object.values(persons).includes('walker'))
  for (const [login, , may] of people) {
    const seen = cases.filter((c) => may(c, persons))
    if (login !== 'all' && login !== 'nobody') assert.ok(seen.length > 0 && seen.length < cases.length, `${login} sees ${seen.length}`)
    const numbers = seen.map((c) => c.number).sort()
    const key = keys[login]
    assert.deepEqual((await listed(d, key, '')).sort(), numbers, `${login}: newest`)
    assert.deepEqual((await listed(d, key, '&sort=due')).sort(), seen.filter((c) => c.open && c.due).map((c) => c.number).sort(), `${login}: by due`)
    assert.deepEqual((await listed(d, key, '&state=dispatched')).sort(), seen.filter((c) => c.state === 'dispatched').map((c) => c.number).sort(), `${login}: in a state`)
    for (const unit of ['north-law', 'city', 'south'])
      assert.deepEqual((await listed(d, key, `&unit=${unit}`)).sort(), seen.filter((c) => c.unit.code === unit).map((c) => c.number).sort(), `${login}: of ${unit}`)
    for (const area of ['990101', '990102001', '990102001001'])
      assert.deepEqual((await listed(d, key, `&area=${area}`)).sort(), seen.filter((c) => lies(c, area)).map((c) => c.number).sort(), `${login}: in ${area}`)
    assert.deepEqual(await told(d, key, numbers), numbers, `${login}: live`)
    for (const c of cases) await opened(d, key, c.number, numbers.includes(c.number))
    const unmask = await d.ask('POST', `/api/v1/cases/${cases[0].number}/reporter`, { purpose: 'verify', note: '核实情况' }, { key })
    assert.equal(unmask.status, numbers.includes(cases[0].number) ? 200 : 404, `${login}: the reporter`)
    const found = await d.ask('POST', '/api/v1/reporters/search', { phone: '13800000010', purpose: 'verify', note: '核实情况' }, { key })
    if (found.status === 200)
      assert.deepEqual(found.body.cases.map((c) => c.number).sort(), cases.filter((c, i) => i % 3 === 0 && numbers.includes(c.number)).map((c) => c.number).sort(), `${login}: by phone`)
    else assert.equal(found.status, 403)
  }
})
