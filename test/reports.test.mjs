/* A report comes in: what the channel is told, and that the same report again changes nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { District, Events, SMALL } from './lib.mjs'

/** A grid of the sample district and the middle of its (square) outline. */
function inside() {
  const { features } = JSON.parse(readFileSync(`${SMALL}/outlines.geojson`, 'utf8'))
  const f = features.find((x) => x.properties.code.length === 12), ring = f.geometry.coordinates[0].slice(0, 4)
  return { code: f.properties.code, lon: ring.reduce((s, p) => s + p[0], 0) / 4, lat: ring.reduce((s, p) => s + p[1], 0) / 4 }
}

test('an item and a place: routed at once, with due instant and reason', async (t) => {
  const d = await District.start(t)
  const { status, body, headers } = await d.report({
    item: '010102', area_code: '990101002', external_id: 'a-1', property: 'complaint', urgency: 'ordinary',
    occurred_at: '2026-01-05T09:00:00+08:00', reporter: { name: '王女士', phone: '13800001234' },
  })
  assert.equal(status, 201)
  assert.ok(headers.get('x-request-id'))
  assert.match(body.number, /^XY\d{18}$/)
  assert.match(body.track, /^[0-9A-Z]{12}$/)
  assert.equal(body.state, 'dispatched')
  assert.deepEqual(body.item, { code: '010102', name: '积存垃圾', certainty: 1 })
  assert.deepEqual(body.unit, { code: 'north-law', name: '北街道执法队' })
  assert.deepEqual(body.assists.map((a) => a.code), ['city', 'ecology'])
  assert.match(body.why.join(' '), /routes\.csv:\d+/)
  assert.ok(Date.parse(body.due) > Date.now())
})

test('the same report again: the same answer, nothing stored', async (t) => {
  const d = await District.start(t)
  const dispatcher = await d.signIn('dispatcher')
  const report = { item: '010102', area_code: '990101002', external_id: 'again' }
  const first = await d.report(report)
  const second = await d.report({ ...report, text: 'other words' })
  assert.equal(first.status, 201)
  assert.equal(second.status, 200)
  assert.deepEqual(second.body, first.body)
  const list = await d.ask('GET', '/api/v1/cases', undefined, { key: dispatcher })
  assert.equal(list.body.cases.length, 1)
  const reports = await d.ask('GET', `/api/v1/cases/${first.body.number}/reports`, undefined, { key: dispatcher })
  assert.equal(reports.body.reports[0].text, '路边有一堆垃圾')
})

test('sixty-four of the same report at once become one case', async (t) => {
  const d = await District.start(t)
  const answers = await Promise.all(Array.from({ length: 64 }, () => d.report({ item: '0201', external_id: 'race' })))
  assert.equal(answers.filter((a) => a.status === 201).length, 1)
  assert.equal(answers.filter((a) => a.status === 200).length, 63)
  assert.equal(new Set(answers.map((a) => a.body.number)).size, 1)
})

test('without an item: the dispatch queue, with the fallback unit named', async (t) => {
  const d = await District.start(t)
  const { status, body } = await d.report({ text: '说不清楚的事' })
  assert.equal(status, 201)
  assert.equal(body.state, 'filed')
  assert.equal(body.item, null)
  assert.equal(body.unit.code, 'centre')
  assert.ok(body.due)
})

test('a point finds grid and community; outside the district it still gets a number', async (t) => {
  const d = await District.start(t)
  const dispatcher = await d.signIn('dispatcher')
  const { code, lon, lat } = inside()
  const near = await d.report({ location: { lon, lat }, item: '0201' })
  const seen = await d.ask('GET', `/api/v1/cases/${near.body.number}`, undefined, { key: dispatcher })
  assert.equal(seen.body.grid, code)
  const far = await d.report({ location: { lon: 10, lat: 50 }, item: '0201' })
  assert.equal(far.status, 201)
  const found = await d.ask('GET', `/api/v1/cases/${far.body.number}`, undefined, { key: dispatcher })
  assert.equal(found.body.location.lon, 10)
})

const wrong = [
  ['no text', { text: undefined }, 'text'],
  ['unknown channel', { channel: 'pigeon' }, 'channel'],
  ['unknown item', { item: '999999' }, 'item'],
  ['unknown area', { area_code: 'nowhere' }, 'area_code'],
  ['unknown property', { property: 'song' }, 'property'],
  ['unknown member', { colour: 'red' }, 'colour'],
  ['latitude out of range', { location: { lon: 114, lat: 122 } }, 'location'],
  ['a text for a number', { location: { lon: '114', lat: 22 } }, 'location.lon'],
  ['urgency', { urgency: 'very' }, 'urgency'],
  ['no time', { occurred_at: 'yesterday' }, 'occurred_at'],
  ['empty external id', { external_id: '' }, 'external_id'],
  ['a text over its length', { text: 'x'.repeat(10001) }, 'text'],
]
test('what is wrong is named with its field, and nothing is stored', async (t) => {
  const d = await District.start(t)
  for (const [what, fields, field] of wrong) {
    const { status, body, headers } = await d.report(fields)
    assert.equal(status, 400, what)
    assert.match(headers.get('content-type'), /application\/problem\+json/)
    assert.ok(body.field.startsWith(field), `${what}: field ${body.field}`)
    assert.ok(body.detail.length > 10, what)
  }
  const dispatcher = await d.signIn('dispatcher')
  const list = await d.ask('GET', '/api/v1/cases', undefined, { key: dispatcher })
  assert.deepEqual(list.body.cases, [])
})

test('swapped coordinates are recognised', async (t) => {
  const d = await District.start(t)
  const { code, lon, lat } = inside()
  const right = await d.report({ location: { lon, lat } })
  assert.equal(right.status, 201)
  assert.ok(code)
  const { status, body } = await d.report({ location: { lon: lat, lat: lon } })
  assert.equal(status, 400)
  assert.match(body.detail, /swapped|exchanged|lon/)
})

test('bodies that are no JSON, too large, or of another type', async (t) => {
  const d = await District.start(t)
  const ask = (body, headers) => d.ask('POST', '/api/v1/reports', body, { key: d.key, headers })
  assert.equal((await ask('{"channel":"hotline",')).status, 400)
  assert.equal((await ask('[]')).status, 400)
  assert.equal((await ask('')).status, 400)
  assert.equal((await ask('{"channel":"hotline","text":"a\\u0000b"}')).status, 400)
  assert.equal((await ask('{"channel":"hotline","channel":"app","text":"a"}')).status, 400)
  assert.equal((await ask('{}', { 'Content-Type': 'text/plain' })).status, 415)
  assert.equal((await ask(`{"text":"${'x'.repeat(70000)}"}`)).status, 413)
})

test('problems speak Chinese when asked to', async (t) => {
  const d = await District.start(t)
  const { body } = await d.report({ item: '999999' }, { headers: { 'Accept-Language': 'zh-CN,zh;q=0.9' } })
  assert.match(body.detail, /[\u4e00-\u9fff]/)
})

test('who may report through which channel', async (t) => {
  const d = await District.start(t)
  assert.equal((await d.report({ channel: 'hotline' }, { key: null })).status, 401)
  assert.equal((await d.report({ channel: 'app' }, { key: null })).status, 201)
  assert.equal((await d.report({}, { key: 'yk_WRONG' })).status, 401)
  const key = d.command('key', 'add', 'patrols', '--channel', 'patrol').stdout.trim()
  assert.equal((await d.report({ channel: 'patrol' }, { key })).status, 201)
  assert.equal((await d.report({ channel: 'hotline' }, { key })).status, 403)
})

test('the public is slowed down, keys are not', async (t) => {
  const d = await District.start(t)
  const answers = []
  for (let i = 0; i < 125; i++) answers.push((await d.report({ channel: 'app' }, { key: null })).status)
  assert.ok(answers.includes(429), 'a limit within two minutes')
  assert.ok(answers.filter((s) => s === 201).length >= 60)
  assert.equal((await d.report({})).status, 201)
})

test('the reporter is sealed in the database and masked in answers', async (t) => {
  const d = await District.start(t)
  const { body } = await d.report({ reporter: { name: '欧阳测试', phone: '13912345678', email: 'oy@example.org' } })
  const hidden = await d.report({ reporter: { phone: '13912345679', confidential: true } })
  const dispatcher = await d.signIn('dispatcher')
  const seen = await d.ask('GET', `/api/v1/cases/${body.number}/reports`, undefined, { key: dispatcher })
  assert.equal(seen.body.reports[0].phone_masked, '139****5678')
  const unseen = await d.ask('GET', `/api/v1/cases/${hidden.body.number}/reports`, undefined, { key: dispatcher })
  assert.equal(unseen.body.reports[0].phone_masked, null)
  assert.doesNotMatch(seen.text, /欧阳测试|13912345678/)
  assert.doesNotMatch(d.log, /欧阳测试|13912345678/)
})

/** The sample pack with one item whose limit reaches beyond the calendar: its reports are kept, and cannot be filed yet. */
function beyondCalendar(t) {
  const folder = mkdtempSync(`${tmpdir()}/yiwang-pack-`)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(SMALL, folder, { recursive: true })
  const items = readFileSync(`${folder}/items.csv`, 'utf8')
  writeFileSync(`${folder}/items.csv`, items.replace(/^(0102,.*),2,work_hour,/m, '$1,3000,work_day,'))
  return folder
}

test('a report that cannot be filed yet is kept, and its sender can follow it', async (t) => {
  const d = await District.start(t, { pack: beyondCalendar(t) })
  const report = { item: '010201', area_code: '990101002', external_id: 'later' }
  const first = await d.report(report)
  assert.equal(first.status, 201, first.text)
  assert.equal(first.body.state, 'received')
  assert.equal(first.body.due, null)
  const again = await d.report(report)
  assert.equal(again.status, 200)
  assert.deepEqual(again.body, first.body)
  const { status, body } = await d.ask('GET', `/api/v1/track/${first.body.track.toLowerCase()}`)
  assert.equal(status, 200)
  assert.deepEqual({ number: body.number, track: body.track, state: body.state, unit: body.unit, due: body.due, open: body.open },
    { number: first.body.number, track: first.body.track, state: 'received', unit: first.body.unit, due: null, open: true })
  const elsewhere = await d.ask('GET', '/api/v1/track/AAAAAAAAAAAA')
  assert.equal(elsewhere.status, 404)
  const events = await new Events(d.base, `/api/v1/track/${first.body.track}/events`).open
  assert.equal(events.status, 200)
  events.close()
})
