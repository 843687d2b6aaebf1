/* Several clerks at one case at the same moment: one of them moves it, and each of the others is told what happened meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District, PINGSHAN, faults } from './lib.mjs'

const PASSWORD = 'correct horse battery'
const CLERKS = 4
const chinese = { 'Accept-Language': 'zh-CN' }

async function enter(d, login, ...options) {
  const made = d.commandWith(PASSWORD, 'user', 'add', login, ...options)
  assert.equal(made.status, 0, made.stderr)
  const session = await d.ask('POST', '/api/v1/session', { user: login, password: PASSWORD })
  assert.equal(session.status, 201, session.text)
  return session.body.token
}

/** The schema of what a refused move says, from the server's own page. */
async function shapes(d) {
  const { body: page } = await d.ask('GET', '/api/openapi.json')
  const { responses, parameters } = page.paths['/api/v1/cases/{number}/moves'].post
  assert.ok(parameters.some((p) => p.in === 'header' && p.name === 'If-Match'))
  assert.ok(responses['2XX'].headers.ETag)
  return (status) => responses[status].content['application/problem+json'].schema
}

/** A district with several people of each kind, and the item and unit of its cases. */
async function begin(t, pack, unit) {
  const d = await District.start(t, { pack, settings: { rate_reads: 0, rate_writes: 0, rate_key: 0 } })
  const k = { dispatchers: [], units: [], clerks: [], supervisor: await d.signIn('supervisor') }
  for (let i = 0; i < CLERKS; i++) {
    k.dispatchers.push(await enter(d, `d${i}`, '--role', 'dispatcher'))
    k.units.push(await enter(d, `u${i}`, '--role', 'unit', '--unit', unit))
    k.clerks.push(await enter(d, `c${i}`, '--role', 'clerk'))
  }
  k.stranger = await enter(d, 'stranger', '--role', 'unit', '--unit', pack === PINGSHAN ? 'traffic-police' : 'south')
  k.schema = await shapes(d)
  return { d, k }
}

async function must(d, number, steps) {
  let last
  for (const [move, form, key] of steps) {
    last = await d.move(number, move, form, key)
    assert.equal(last.status, 200, `${move}: ${last.text}`)
  }
  return last.body
}

const read = async (d, number, key) => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key })).body
const past = async (d, number, key) => (await d.ask('GET', `/api/v1/cases/${number}/history`, undefined, { key })).body.history

/** One answer of a clerk who came too late: what stands in it is what the history says. */
function told(answer, k, status, now, history, seen) {
  assert.equal(answer.status, status, answer.text)
  assert.deepEqual(faults(answer.body, k.schema(status)), [], answer.text)
  assert.match(answer.headers.get('content-type'), /application\/problem\+json/)
  assert.equal(answer.headers.get('etag'), `"${now.version}"`)
  assert.deepEqual(answer.body.case, { number: now.number, version: now.version, state: now.state, state_name: now.state_name, open: now.open,
    unit: { code: now.unit.code, name: now.unit.name } })
  const unseen = history.filter((h) => h.seq > seen).map(({ form, hash, ...row }) => row)
  assert.ok(unseen.length > 0)
  assert.deepEqual(answer.body.meanwhile, unseen)
  const by = unseen.findLast((row) => row.role !== 'system') ?? unseen.at(-1)
  for (const word of [by.actor, by.name.en, now.state_name.en]) assert.ok(answer.body.detail.includes(word), `${answer.body.detail} lacks ${word}`)
}

/** Sends the moves at once; exactly one is taken.  Gives the case as it is then. */
async function oneWins(d, k, number, moves, { status = 409, reader = k.supervisor } = {}) {
  const before = await read(d, number, reader)
  const answers = await d.compete(number, moves)
  const won = answers.filter((a) => a.status === 200)
  assert.equal(won.length, 1, answers.map((a) => `${a.status} ${a.body.detail ?? a.body.state}`).join('\n'))
  const now = await read(d, number, reader), history = await past(d, number, reader)
  assert.equal(won[0].body.version, now.version)
  assert.equal(won[0].headers.get('etag'), `"${now.version}"`)
  for (const answer of answers) if (answer.status !== 200) told(answer, k, status, now, history, before.version)
  return now
}

const north = (k) => ['dispatch', { item: '0101', unit: 'north', assists: [] }, k.dispatchers[0]]

async function dispatched(d, k) {
  const { body } = await d.report({ text: '请北街道看一下' })
  await must(d, body.number, [north(k)])
  return body.number
}

test('the same move at the same moment: one takes it, the others learn who did', async (t) => {
  const { d, k } = await begin(t, undefined, 'north')
  for (let round = 0; round < 5; round++) {
    const number = await dispatched(d, k)
    const now = await oneWins(d, k, number, [...k.units, ...k.units].map((key) => ['sign', {}, key]))
    assert.equal(now.state, 'signed')
    const late = await d.move(number, 'sign', {}, k.units[0], chinese)
    const { actor } = late.body.meanwhile.at(-1)
    assert.match(late.body.detail, new RegExp(`最近一次变动：${actor}执行“签收”（\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d），现为“已签收”`))
    assert.doesNotMatch(late.body.detail.replaceAll(/“[^”]*”|[a-z]\d|SZ\w+|[A-Z]+\d+/g, ''), /[a-z]/)
  }
  assert.equal(d.command('ledger', 'verify').status, 0)
})

test('two different dispatches: the case goes to one unit only', async (t) => {
  const { d, k } = await begin(t, undefined, 'north')
  for (let round = 0; round < 5; round++) {
    const { body } = await d.report({ text: '请看一下' })
    const ways = k.dispatchers.map((key, i) => ['dispatch', { item: '0101', unit: ['north', 'south'][i % 2], assists: [] }, key])
    const now = await oneWins(d, k, body.number, ways)
    assert.deepEqual(now.tasks.filter((task) => task.kind === 'lead' && task.state === 'open').map((task) => task.unit), [now.unit.code])
  }
})

test('sign against return, by who says which version he has read: one of the two', async (t) => {
  const { d, k } = await begin(t, undefined, 'north')
  const ends = new Set()
  for (let round = 0; round < 8; round++) {
    const number = await dispatched(d, k)
    const { version } = await read(d, number, k.units[0])
    const moves = k.units.map((key, i) => (i + round) % 2 ? ['sign', {}, key, { 'If-Match': `"${version}"` }]
      : ['return', { reason: '不属于本单位' }, key, { 'If-Match': `W/"${version}"` }])
    ends.add((await oneWins(d, k, number, moves, { status: 412 })).state)
  }
  for (const state of ends) assert.ok(['signed', 'returned'].includes(state), state)
  // Who does not say it may sign and return, one behind the other: both are moves of the workflow.
  const number = await dispatched(d, k)
  const loose = await d.compete(number, [['sign', {}, k.units[0]], ['return', { reason: '不属于本单位' }, k.units[1]]])
  assert.ok(loose.some((a) => a.status === 200))
  for (const answer of loose) assert.ok([200, 409].includes(answer.status), answer.text)
  assert.equal((await read(d, number, k.supervisor)).state, 'returned')
})

test('reply against rework', async (t) => {
  const { d, k } = await begin(t, undefined, 'north')
  for (let round = 0; round < 5; round++) {
    const number = await dispatched(d, k)
    await must(d, number, [['sign', {}, k.units[0]], ['handle', {}, k.units[0]], ['hand_over', { result: '已清理' }, k.units[0]], ['review', {}, k.supervisor]])
    const moves = [0, 1, 2, 3].map((i) => i % 2 ? ['reply', { result: '已清理' }, k.clerks[i]] : ['rework', { reason: '照片看不清' }, k.dispatchers[i]])
    assert.ok(['replied', 'handling'].includes((await oneWins(d, k, number, moves)).state))
  }
})

test('close against doing again, and an extension asked for twice', async (t) => {
  const { d, k } = await begin(t, PINGSHAN, 'pingshan-water')
  for (let round = 0; round < 3; round++) {
    const { body } = await d.report({ text: '井盖丢失', item: 'c01001', area_code: '440310001001' })
    const number = body.number
    assert.equal((await read(d, number, k.supervisor)).state, 'dispatched')
    await must(d, number, [['sign', {}, k.units[0]], ['handle', {}, k.units[0]]])
    await oneWins(d, k, number, k.units.map((key) => ['request_extension', { reason: '等待配件' }, key]))
    await must(d, number, [['waive_evidence', { reason: '测试' }, k.dispatchers[1]], ['hand_over', { result: '已更换' }, k.units[0]],
      ['pass_review', {}, k.supervisor], ['reply', { result: '已更换' }, k.clerks[0]]])
    const ratings = { speed: 1, effect: 1, service: 1, answer: 1 }
    const moves = k.clerks.map((key, i) => (i + round) % 2 ? ['close_unasked', { reason_code: 'unreachable' }, key] : ['call_back', { solved: false, ratings }, key])
    const now = await oneWins(d, k, number, moves)
    assert.ok(['closed', 'handling'].includes(now.state), now.state)
  }
  assert.equal(d.command('ledger', 'verify').status, 0)
})

test('a stale page is told what changed, and nothing is done', async (t) => {
  const { d, k } = await begin(t, undefined, 'north')
  const number = await dispatched(d, k)
  const { body: page, headers } = await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: k.units[0] })
  assert.equal(headers.get('etag'), `"${page.version}"`)
  await must(d, number, [['sign', {}, k.units[1]], ['handle', {}, k.units[2]]])
  const now = await read(d, number, k.supervisor), history = await past(d, number, k.supervisor)
  assert.equal(now.version, page.version + 2)
  const hand = (more, head) => d.move(number, 'hand_over', { result: '已清理', ...more }, k.units[0], head)
  // hand_over starts here; but not for him who has not seen that.
  told(await hand({}, { 'If-Match': headers.get('etag') }), k, 412, now, history, page.version)
  told(await hand({}, { 'If-Match': `"1", W/"${page.version}"` }), k, 412, now, history, 1)
  told(await hand({ seen: page.version }), k, 409, now, history, page.version)
  for (const odd of ['"x"', '7', 'nothing', '""', '"', ',', `"${now.version}`, `${now.version}`]) {
    const answer = await hand({}, { 'If-Match': odd })
    assert.equal(answer.status, 412, `${odd}: ${answer.text}`)
  }
  assert.equal((await hand({ seen: 0 })).status, 400)
  assert.equal((await hand({ seen: '2' })).status, 400)
  assert.deepEqual(await past(d, number, k.supervisor), history)
  // Who may not, or names no move, is told that before.
  assert.equal((await d.move(number, 'review', {}, k.units[0], { 'If-Match': '"1"' })).status, 403)
  assert.equal((await d.move(number, 'fly', {}, k.units[0], { 'If-Match': '"1"' })).status, 400)
  // Right, by each way to say it.
  const handed = await hand({}, { 'If-Match': `"1", "${now.version}"` })
  assert.equal(handed.status, 200, handed.text)
  const reviewed = await d.move(number, 'review', { seen: handed.body.version }, k.supervisor)
  assert.equal(reviewed.status, 200, reviewed.text)
  assert.equal((await d.move(number, 'rework', { reason: '不清' }, k.supervisor, { 'If-Match': '*' })).status, 200)
  for (const row of await past(d, number, k.supervisor)) assert.ok(!('seen' in row.form), 'what was seen is no part of the history')
})

test('who does not see the case learns nothing; a wrong move on a fresh page tells of no change', async (t) => {
  const { d, k } = await begin(t, undefined, 'north')
  const number = await dispatched(d, k)
  await must(d, number, [['sign', {}, k.units[0]]])
  const strange = await d.move(number, 'sign', {}, k.stranger, { 'If-Match': '"1"' })
  assert.equal(strange.status, 404)
  assert.ok(!('case' in strange.body) && !('meanwhile' in strange.body) && !strange.headers.get('etag'))
  const { version } = await read(d, number, k.units[0])
  const wrong = await d.move(number, 'sign', {}, k.units[1], { 'If-Match': `"${version}"` })
  assert.equal(wrong.status, 409)
  assert.deepEqual(wrong.body.meanwhile, [])
  assert.doesNotMatch(wrong.body.detail, /last,/)
})
