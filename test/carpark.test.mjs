/* The story of the car park: 55 complaints in a month about one open-air car park, from many people and channels; six departments and two
 * subdistricts say "not mine"; one ruling; everybody is answered; the 56th complaint needs nobody. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, PINGSHAN } from './lib.mjs'

const ITEM = 'h6.183.830', COMMUNITY = '440310001001'
const UNITS = ['city-management', 'transport', 'planning-land', 'traffic-police', 'police', 'ecology-water', 'pingshan', 'maluan']

async function staff(d) {
  const k = {}
  for (const user of ['clerk', 'dispatcher', 'supervisor', 'admin']) k[user] = await d.signIn(user)
  for (const unit of UNITS) {
    const made = d.commandWith('correct horse battery', 'user', 'add', `u-${unit}`, '--role', 'unit', '--unit', unit, '--name', unit)
    assert.equal(made.status, 0, made.stderr)
    const session = await d.ask('POST', '/api/v1/session', { user: `u-${unit}`, password: 'correct horse battery' })
    assert.equal(session.status, 201, session.text)
    k[unit] = session.body.token
  }
  return k
}

async function must(d, number, move, form, key) {
  const answer = await d.move(number, move, form, key)
  assert.equal(answer.status, 200, `${move}: ${answer.text}`)
  return answer.body
}

const complain = (d, i) => d.report({
  channel: ['hotline', 'web', 'wechat', 'mailbox', 'grid'][i % 5], external_id: `car-park-${i}`, text: '露天停车场夜间噪音扰民，希望尽快处理',
  item: ITEM, area_code: COMMUNITY, reporter: { name: `市民${i}`, phone: `1380000${String(i).padStart(4, '0')}` },
})

test('55 complaints, eight units, one ruling, and the 56th complaint', async (t) => {
  const d = await District.start(t, { pack: PINGSHAN })
  const k = await staff(d)
  const complaints = []
  for (let i = 1; i <= 55; i++) {
    const made = await complain(d, i)
    assert.equal(made.status, 201, made.text)
    complaints.push(made.body)
  }
  const [first, ...others] = complaints, n = first.number
  for (const c of others) assert.equal((await must(d, c.number, 'merge', { case: n, reason: '同一停车场' }, k.clerk)).state, 'merged')
  const one = await d.ask('GET', `/api/v1/cases/${n}`, undefined, { key: k.dispatcher })
  assert.equal(one.body.links.length, 54)
  const holder = one.body.unit.code
  assert.ok(UNITS.includes(holder) || holder, holder)

  // Whoever has it contests; handling goes on with the first receiver.
  const contester = k[holder] ?? k.dispatcher
  const contested = await must(d, n, 'contest', { reason: '不属于本单位职责' }, contester)
  assert.deepEqual(contested.disputes.map((x) => [x.state, x.interim, x.interim_why]), [['open', holder, 'first_receiver']])
  assert.equal(contested.state, 'dispatched')
  assert.ok(contested.clocks.some((c) => c.clock === 'dispute' && c.state === 'running'))
  assert.equal((await d.move(n, 'contest', { reason: '再提' }, contester)).status, 409)
  assert.equal((await d.move(n, 'state_position', { reason: '不是我' }, k.maluan)).status, 404)
  await must(d, n, 'hear', { units: UNITS }, k.dispatcher)
  for (const unit of UNITS.filter((u) => u !== 'traffic-police')) await must(d, n, 'state_position', { reason: '不属于本单位职责' }, k[unit])
  const able = await must(d, n, 'state_position', { reason: '可先行处置', can_act: true }, k['traffic-police'])
  assert.equal(able.unit.code, 'traffic-police')
  assert.equal(able.disputes[0].interim_why, 'can_act')
  assert.equal(able.disputes[0].positions.length, UNITS.length)
  const waiting = await d.ask('GET', '/api/v1/disputes', undefined, { key: k.supervisor })
  assert.deepEqual(waiting.body.disputes.map((x) => x.number), [n])

  // The panel rules once, with its principle.
  const ruling = { unit: 'traffic-police', assists: ['pingshan', 'ecology-water'], result: '由交警牵头，街道、生态环境部门协办' }
  assert.equal((await d.move(n, 'rule', { ...ruling, reason_code: 'guess' }, k.supervisor)).body.field, 'reason_code')
  assert.equal((await d.move(n, 'rule', { ...ruling, reason_code: 'can_act' }, k.dispatcher)).status, 403)
  const ruled = await must(d, n, 'rule', { ...ruling, reason_code: 'can_act' }, k.supervisor)
  assert.equal(ruled.unit.code, 'traffic-police')
  assert.equal(ruled.disputes[0].precedent, 1)
  assert.deepEqual(ruled.tasks.filter((x) => x.state === 'open').map((x) => `${x.kind} ${x.unit}`).sort(),
    ['assist ecology-water', 'assist pingshan', 'lead traffic-police'])

  // Handled with its assists; every citizen gets his own answer.
  await must(d, n, 'sign', {}, k['traffic-police'])
  await must(d, n, 'handle', {}, k['traffic-police'])
  assert.equal((await d.move(n, 'hand_over', { result: '已设置限时禁停' }, k['traffic-police'])).status, 400)
  await must(d, n, 'assist_done', {}, k.pingshan)
  await must(d, n, 'assist_done', {}, k['ecology-water'])
  await must(d, n, 'hand_over', { result: '已设置限时禁停' }, k['traffic-police'])
  await must(d, n, 'pass_review', {}, k.clerk)
  await must(d, n, 'reply', { result: '停车场夜间已限时关闭，已电告13800138000，咨询0755-84622222' }, k.clerk)
  assert.equal((await must(d, n, 'call_back', { solved: true, ratings: { speed: 4, effect: 5, service: 4, answer: 4 } }, k.clerk)).state, 'closed')
  for (const c of complaints) {
    const seen = await d.ask('GET', `/api/v1/track/${c.track}`)
    assert.equal(seen.body.state, 'closed')
    // What was written to the first reporter is passed on to the others without his number.
    const called = c.number === n ? '13800138000' : '138****8000'
    assert.ok(seen.body.steps.some((s) => s.answer === `停车场夜间已限时关闭，已电告${called}，咨询0755-84622222`), seen.text)
  }

  // The 56th is routed by the precedent, and its number is said.
  const last = await complain(d, 56)
  const after = await d.ask('GET', `/api/v1/cases/${last.body.number}`, undefined, { key: k.dispatcher })
  assert.equal(after.body.state, 'dispatched')
  assert.equal(after.body.unit.code, 'traffic-police')
  const { body: history } = await d.ask('GET', `/api/v1/cases/${last.body.number}/history`, undefined, { key: k.dispatcher })
  const sent = history.history.find((h) => h.move === 'dispatch')
  assert.equal(sent.actor, 'system')
  assert.equal(sent.form.step, 'precedent')
  assert.match(sent.form.why, /Precedent 1/)
  assert.match(sent.form.why_zh, /先例1/)
  const again = await d.move(last.body.number, 'contest', { reason: '不属于本单位职责' }, k['traffic-police'])
  assert.equal(again.status, 400, again.text)
  assert.equal(again.body.field, 'facts')
  await must(d, last.body.number, 'contest', { reason: '不属于本单位职责', facts: '停车场已移交城投公司' }, k['traffic-police'])

  // The list is to be changed, by a second person.
  const { body: changes } = await d.ask('GET', '/api/v1/list_changes', undefined, { key: k.admin })
  assert.deepEqual(changes.list_changes.map((c) => [c.id, c.state, c.item, c.area, c.lead]), [[1, 'proposed', ITEM, COMMUNITY, 'traffic-police']])
  assert.equal((await d.ask('POST', '/api/v1/list_changes/1', { approve: true }, { key: k.supervisor })).status, 403)
  assert.equal((await d.ask('POST', '/api/v1/list_changes/1', { approve: true }, { key: k.admin })).body.state, 'approved')
  assert.equal((await d.ask('POST', '/api/v1/list_changes/1', { approve: false }, { key: k.admin })).status, 409)

  // What was approved is published as a new version of the pack; the others' rows stay as they are.
  const folder = join(d.folder, 'pack')
  const published = d.command('pack', 'publish', folder)
  assert.equal(published.status, 0, published.stderr)
  assert.match(published.stdout, /1 changes? of the list .* version 2/)
  const before = readFileSync(join(PINGSHAN, 'routes.csv'), 'utf8').split('\n')
  const routes = readFileSync(join(folder, 'routes.csv'), 'utf8').split('\n')
  assert.equal(routes[1], `${ITEM},${COMMUNITY},traffic-police,pingshan|ecology-water,裁决先例1`)
  const kept = before.filter((row) => !row.startsWith(`${ITEM},${COMMUNITY},`))
  assert.deepEqual([routes[0], ...routes.slice(2)], kept)
  const { body: then } = await d.ask('GET', '/api/v1/list_changes', undefined, { key: k.admin })
  assert.deepEqual(then.list_changes.map((c) => [c.state, c.version]), [['published', 2]])
  assert.match(d.command('pack', 'publish', folder).stdout, /no approved change/)
  assert.equal(d.command('ledger', 'verify').status, 0)
})
