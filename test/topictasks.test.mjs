/* Topics as tasks (类案治理): made of a hot topic, owned by a unit, joined by what comes later, mended by hand, closed with a result. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District, faults, until } from './lib.mjs'

const plant = (i) => `柳树社区搅拌站${['夜里', '凌晨', '每天', '周末', '中午'][i % 5]}生产，粉尘很大，噪音扰民，第${i}次看到水泥车进出`
const others = ['路灯不亮', '公交车太少', '小区停车位不够', '幼儿园入园难', '广场舞声音大', '河道有垃圾', '工资没发', '医院挂号难', '井盖松动', '快递柜收费']

async function world(t) {
  const d = await District.start(t)
  const keys = {}
  for (const user of ['supervisor', 'dispatcher', 'unit', 'clerk', 'admin']) keys[user] = await d.signIn(user)
  const ask = (method, path, body, user = 'supervisor') => d.ask(method, `/api/v1${path}`, body, { key: keys[user] })
  const report = async (text, i, item = '0201') => {
    const answer = await d.report({ text, item, area_code: '990102001001', reporter: { name: '张三', phone: `138${String(10000000 + i).slice(-8)}` } })
    assert.equal(answer.status, 201, answer.text)
    return answer.body.number
  }
  /** The timer looks every five minutes, and at each start. */
  const round = async (reports) => {
    await d.stop()
    await d.serve()
    return until(async () => { const h = (await ask('GET', '/hotspots')).body; return h.reports === reports && h }, `a round over ${reports} reports`)
  }
  const plants = []
  for (let i = 0; i < 12; i++) plants.push(await report(plant(i), i))
  const rest = []
  for (const [i, words] of others.entries()) rest.push(await report(`${words}，请处理`, 500 + i, '0202'))
  const hot = (await round(22)).topics.find((x) => x.name.includes('搅拌站') || x.phrases.join().includes('搅拌站'))
  assert.ok(hot && hot.task === null && hot.reporters >= 10, JSON.stringify(hot))
  return { d, keys, ask, report, round, plants, rest, hot }
}
const numbers = (task) => task.cases.map((c) => c.number).sort()

test('a topic becomes a task, and what joins the topic joins the task', async (t) => {
  const { d, ask, report, round, rest, hot } = await world(t)
  const make = (body, user, id = hot.id) => ask('POST', `/hotspots/${id}/task`, body, user)
  const due = new Date(Date.now() + 30 * 86400e3).toISOString()
  for (const [body, field] of [[{}, 'owner'], [{ owner: 'nobody' }, 'owner'], [{ owner: 'north', due: '2020-01-01T00:00:00+08:00' }, 'due'], [{ owner: 'north', due: 'soon' }, 'due'], [{ owner: 'north', more: 1 }, 'more']]) {
    const refused = await make(body)
    assert.deepEqual([refused.status, refused.body.field], [400, field], refused.text)
  }
  assert.equal((await make({ owner: 'north' }, 'supervisor', '17')).status, 404)
  assert.equal((await make({ owner: 'north' }, 'supervisor', 'x')).status, 404)
  assert.equal((await make({ owner: 'north' }, 'unit')).status, 403)

  const made = await make({ owner: 'north', goal: '搅拌站封闭作业，夜间停产', due })
  assert.equal(made.status, 201, made.text)
  const task = made.body
  assert.deepEqual([task.name, task.owner_name, task.state, task.late, task.made_by, task.members_closed], [hot.name, '北街道办事处', 'open', false, 'supervisor', 0])
  assert.equal(task.members, hot.cases.length)
  assert.deepEqual(numbers(task), hot.cases.toSorted())
  assert.deepEqual(task.acts.map((a) => [a.act, a.actor, a.text]), [['made', 'supervisor', '搅拌站封闭作业，夜间停产']])
  assert.equal((await make({ owner: 'city' })).status, 409, 'one open task for a topic')
  assert.equal((await ask('GET', '/hotspots')).body.topics.find((x) => x.id === hot.id).task, task.id)

  // One out by hand, another in; what joins the topic later comes by itself, what was taken out does not come back.
  const path = `/topic_tasks/${task.id}`
  const [out] = hot.cases
  assert.equal((await ask('DELETE', `${path}/members/${out}`)).status, 204)
  assert.equal((await ask('DELETE', `${path}/members/${out}`)).status, 404)
  const added = await ask('POST', `${path}/members`, { number: rest[0], reason: '也是搅拌站的车' })
  assert.equal(added.status, 201, added.text)
  assert.equal((await ask('POST', `${path}/members`, { number: rest[0] })).status, 409)
  assert.equal((await ask('POST', `${path}/members`, { number: 'XX1' })).status, 404)
  const more = []
  for (let i = 12; i < 15; i++) more.push(await report(plant(i), i))
  await round(25)
  const wanted = [...hot.cases.filter((n) => n !== out), rest[0], ...more].sort()
  const later = await until(async () => { const x = (await ask('GET', path)).body; return x.members === wanted.length && x }, 'the new cases join')
  assert.deepEqual(numbers(later), wanted)
  assert.deepEqual(later.cases.filter((c) => c.added_by).map((c) => [c.number, c.added_by]), [[rest[0], 'supervisor']])
  assert.deepEqual(later.acts.map((a) => [a.act, a.number, a.text]), [['added', rest[0], '也是搅拌站的车'], ['removed', out, ''], ['made', null, '搅拌站封闭作业，夜间停产']])
  const history = async (number) => (await ask('GET', `/cases/${number}/history`)).body.history.at(-1)
  const line = await history(rest[0])
  assert.deepEqual([line.move, line.form, line.actor], ['join_topic_task', { topic_task: task.id, reason: '也是搅拌站的车' }, 'supervisor'])
  assert.equal((await history(out)).move, 'leave_topic_task')
  const parts = async (number, user) => (await ask('GET', `/cases/${number}`, undefined, user)).body.topic_tasks
  assert.deepEqual((await parts(rest[0])).map((x) => [x.id, x.name, x.owner, x.state]), [[task.id, hot.name, 'north', 'open']])
  assert.deepEqual(await parts(out), [])

  const { body: api } = await d.ask('GET', '/api/openapi.json')
  const schema = (at) => api.paths[`/api/v1${at}`].get.responses['2XX'].content['application/json'].schema
  assert.deepEqual(faults(later, schema('/topic_tasks/{id}')), [])
  assert.deepEqual(faults((await ask('GET', '/topic_tasks')).body, schema('/topic_tasks')), [])
  assert.deepEqual(faults((await ask('GET', '/hotspots')).body, schema('/hotspots')), [])

  // Pages of its cases.
  const page = (await ask('GET', `${path}?limit=10`)).body, next = (await ask('GET', `${path}?limit=10&after=${page.next}`)).body
  assert.deepEqual([...page.cases, ...next.cases].map((c) => c.number).sort(), wanted)
  assert.equal(next.next, undefined)

  // The history of cases is whole.
  await d.stop()
  const verdict = d.command('ledger', 'verify')
  assert.equal(verdict.status, 0, verdict.stdout + verdict.stderr)
})

test('the owner reads and reports progress; closing and opening again', async (t) => {
  const { d, keys, ask, report, round, hot, rest } = await world(t)
  const made = await ask('POST', `/hotspots/${hot.id}/task`, { owner: 'north', name: '搅拌站扰民' }, 'dispatcher')
  assert.equal(made.status, 201, made.text)
  const other = (await ask('POST', `/hotspots/${hot.id}/task`, { owner: 'city' })).status
  assert.equal(other, 409)
  const path = `/topic_tasks/${made.body.id}`

  // People of the owner, and of units below it; nobody else, and no clerk.
  const person = async (login, unit) => {
    assert.equal(d.commandWith('a long pass word\n', 'user', 'add', login, '--name', login, '--role', 'unit', '--unit', unit).status, 0)
    keys[login] = (await d.ask('POST', '/api/v1/session', { user: login, password: 'a long pass word' })).body.token
    assert.ok(keys[login])
  }
  await person('below', 'oak')
  await person('stranger', 'south')
  for (const user of ['unit', 'below']) {
    const seen = await ask('GET', path, undefined, user)
    assert.equal(seen.status, 200, seen.text)
    assert.deepEqual([seen.body.members, seen.body.cases], [hot.cases.length, []], 'cases out of sight are counted, not named')
    assert.equal((await ask('GET', '/topic_tasks', undefined, user)).body.topic_tasks.length, 1)
    assert.equal((await ask('POST', `${path}/notes`, { text: `${user}：已约谈企业` }, user)).status, 201)
    assert.equal((await ask('POST', `${path}/close`, { result: '好了' }, user)).status, 403)
    assert.equal((await ask('POST', `${path}/members`, { number: rest[0] }, user)).status, 403)
  }
  assert.equal((await ask('GET', path, undefined, 'stranger')).status, 404)
  assert.equal((await ask('POST', `${path}/notes`, { text: '我来说' }, 'stranger')).status, 404)
  assert.deepEqual((await ask('GET', '/topic_tasks', undefined, 'stranger')).body.topic_tasks, [])
  assert.equal((await ask('GET', path, undefined, 'clerk')).status, 403)
  assert.equal((await d.ask('GET', `/api/v1${path}`)).status, 401)

  // A closed member is counted: an answered question, added by hand.
  const question = await report('请问搅拌站有没有许可', 900, '0401')
  assert.equal((await ask('POST', `${path}/members`, { number: question })).status, 201)
  assert.equal((await d.move(question, 'answer', { result: '有' }, keys.clerk)).status, 200)
  const [row] = (await ask('GET', '/topic_tasks?state=open')).body.topic_tasks
  assert.deepEqual([row.members, row.members_closed], [hot.cases.length + 1, 1])
  assert.ok(row.noted)

  assert.equal((await ask('POST', `${path}/close`, {})).status, 400)
  assert.equal((await ask('POST', `${path}/reopen`, { reason: '误操作' })).status, 409)
  const closed = await ask('POST', `${path}/close`, { result: '企业已封闭料仓，夜间停产' })
  assert.equal(closed.status, 200, closed.text)
  assert.deepEqual([closed.body.state, closed.body.closed_by, closed.body.result], ['closed', 'supervisor', '企业已封闭料仓，夜间停产'])
  for (const [method, at, body] of [['POST', '/close', { result: '再次' }], ['POST', '/notes', { text: '再次' }], ['POST', '/members', { number: rest[0] }], ['DELETE', `/members/${question}`]])
    assert.equal((await ask(method, path + at, body)).status, 409, at)
  await report(plant(20), 20)
  await round(24)
  assert.equal((await ask('GET', path)).body.members, hot.cases.length + 1, 'nothing joins a closed task')
  assert.equal((await ask('GET', '/topic_tasks?state=open')).body.topic_tasks.length, 0)

  const again = await ask('POST', `${path}/reopen`, { reason: '夜间又开工了' })
  assert.deepEqual([again.status, again.body.state, again.body.closed, again.body.result], [200, 'open', null, ''], again.text)
  assert.deepEqual(again.body.acts.map((a) => a.act).slice(0, 2), ['reopened', 'closed'])
  assert.equal(again.body.acts[1].text, '企业已封闭料仓，夜间停产')
  await round(24)
  await until(async () => (await ask('GET', path)).body.members === hot.cases.length + 2, 'what came meanwhile joins')

  for (const bad of ['x', '17']) assert.equal((await ask('GET', `/topic_tasks/${bad}`)).status, 404)
  for (const bad of ['?state=late', '?after=x', '?limit=21']) assert.equal((await ask('GET', `/topic_tasks${bad}`)).status, 400, bad)
  assert.equal((await ask('POST', `${path}/notes`, { text: '' })).status, 400)
})
