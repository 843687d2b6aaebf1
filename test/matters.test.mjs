/* The same matter twice: told to who decides, merged by the program where the pack lets it, never told to strangers by name. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, Events, PINGSHAN, sleep, until } from './lib.mjs'

const FIRST = '坪山大道与深汕路交叉口的路灯坏了三天，晚上漆黑一片，行人过马路很危险，请尽快派人维修'
const AGAIN = '您好，深汕路与坪山大道交叉口的路灯坏了好几天了，晚上漆黑一片，行人过马路很危险，请尽快维修'
const OTHER = '龙田社区菜市场门口有人占道卖水果，每天早上堵得走不动，请城管来管一管'
const AREA = '440310001003'
const quiet = (d) => until(async () => (await d.ask('GET', '/metrics')).text.includes('yiwang_outbox_waiting{consumer="matters"} 0'), 'all was looked at')
const alikes = async (d, number, key) => (await d.ask('GET', `/api/v1/cases/${number}/alike`, undefined, { key })).body.cases

test('a matter that is reported again is told to who decides, and to the public without name', async (t) => {
  const d = await District.start(t, { pack: PINGSHAN })
  const dispatcher = await d.signIn('dispatcher')
  const first = (await d.report({ text: FIRST, item: 'h6.185.823', area_code: AREA })).body
  const other = (await d.report({ text: OTHER, item: 'h5.178.602', area_code: AREA })).body
  const again = (await d.report({ text: AGAIN, item: 'h6.185.823', area_code: AREA })).body
  const found = await until(async () => { const c = await alikes(d, again.number, dispatcher); return c.length && c }, 'it is found')
  assert.deepEqual(found.map((c) => c.number), [first.number])
  assert.ok(found[0].probability > 0.5 && found[0].open)
  assert.ok(found[0].phrases.join().includes('晚上漆黑'), found[0].phrases.join())
  assert.deepEqual(await alikes(d, first.number, dispatcher), [], 'the earlier one is like nothing')
  assert.deepEqual(await alikes(d, other.number, dispatcher), [])
  const state = async (number) => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: dispatcher })).body.state
  assert.notEqual(await state(again.number), 'merged', 'this pack leaves it to people')

  const ask = (body, key) => d.ask('POST', '/api/v1/alike', body, { key })
  const staff = await ask({ text: AGAIN, area_code: AREA }, dispatcher)
  assert.equal(staff.status, 200, staff.text)
  assert.ok(staff.body.cases.some((c) => c.number === first.number))
  const stranger = (await ask({ text: AGAIN, area_code: AREA })).body.cases
  assert.ok(stranger.length > 0)
  for (const c of stranger) assert.deepEqual([c.number, c.title, c.item_name], [null, null, '路灯'])
  assert.deepEqual((await ask({ text: '广场舞太吵了，晚上十点还在放音乐', area_code: AREA })).body.cases, [])
  assert.equal((await ask({ text: '' })).status, 400)

  // Nor is it tried: each write that is refused makes those beside it run again.
  await quiet(d)
  assert.match((await d.ask('GET', '/metrics')).text, /^yiwang_store_refused_total 0$/m)

  // The dispatch queue tells it with each case; what was merged since, as the case it belongs to.
  const waits = (await d.report({ text: AGAIN, area_code: AREA })).body
  assert.equal(waits.state, 'filed', 'nobody is sure of its item')
  const queued = async () => {
    const { cases } = (await d.ask('GET', '/api/v1/dispatch', undefined, { key: dispatcher })).body
    return cases.find((c) => c.number === waits.number)?.alike
  }
  const told = await until(async () => { const c = await queued(); return c.length && c }, 'the queue tells it')
  assert.deepEqual(told.map((c) => c.number).sort(), [again.number, first.number].sort())
  assert.deepEqual(told, await alikes(d, waits.number, dispatcher))
  assert.equal((await d.move(again.number, 'merge', { case: first.number, reason: '同一盏灯' }, dispatcher)).status, 200)
  assert.deepEqual((await queued()).map((c) => c.number), [first.number])

  // After a restart the index is made again when it is first asked.
  await d.stop('SIGKILL')
  await d.serve()
  assert.ok((await ask({ text: AGAIN, area_code: AREA }, dispatcher)).body.cases.some((c) => c.number === first.number))
})

/** The pack with the program among those who may merge. */
function merging(t) {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-pack-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(PINGSHAN, folder, { recursive: true })
  const file = join(folder, 'workflows/standard.yaml'), text = readFileSync(file, 'utf8')
  const allowed = text.replace(/(- name: merge\n[\s\S]*?roles: \[)/, '$1system, ')
  assert.notEqual(allowed, text)
  writeFileSync(file, allowed)
  return folder
}

test('where the pack lets the program merge, what is surely the same joins, and can be taken apart again', async (t) => {
  const d = await District.start(t, { pack: merging(t) })
  const dispatcher = await d.signIn('dispatcher')
  const report = async (words) => (await d.report({ text: words, item: 'h6.185.823', area_code: AREA })).body.number
  const first = await report(FIRST), copy = await report(FIRST)
  const read = async (number) => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: dispatcher })).body
  await until(async () => (await read(copy)).state === 'merged', 'the copy joins')
  assert.notEqual((await read(first)).state, 'merged')
  const undone = await d.move(copy, 'unmerge', { reason: '不是同一盏灯' }, dispatcher)
  assert.equal(undone.status, 200, undone.text)
  assert.equal(undone.body.state, 'filed')
  await report(OTHER) // news: the copy is not looked at again
  await quiet(d)
  assert.equal((await read(copy)).state, 'filed')
})

test('many report one thing at once: each joins, also where the one it is most like has just joined itself', async (t) => {
  const d = await District.start(t, { pack: merging(t) })
  const dispatcher = await d.signIn('dispatcher')
  const file = async (text) => (await d.report({ text, item: 'h6.185.823', area_code: AREA })).body.number
  const first = await file(FIRST)
  await quiet(d)
  const again = FIRST.replace('请尽快派人维修', '请马上派人来修好') // like one another more than like the first
  const copies = await Promise.all(Array.from({ length: 6 }, () => file(again)))
  const read = async (number) => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: dispatcher })).body
  for (const copy of copies) {
    await until(async () => (await read(copy)).state === 'merged', 'it joins')
    assert.deepEqual((await read(copy)).links.map((l) => l.number), [first])
  }
})

test('nobody learns of, nor follows, what somebody reported in confidence', async (t) => {
  const d = await District.start(t, { pack: merging(t) })
  const dispatcher = await d.signIn('dispatcher')
  const ask = async (key) => (await d.ask('POST', '/api/v1/alike', { text: AGAIN, area_code: AREA }, { key })).body.cases
  await d.report({ text: FIRST, item: 'h6.185.823', area_code: AREA, reporter: { phone: '13800000001', confidential: true } })
  await until(async () => (await ask(dispatcher)).length === 1, 'who decides sees it')
  assert.deepEqual(await ask(), [])
})

const SIMILAR = '晚上漆黑一片，路口的灯什么时候修'

test('who reports says it is the same: it joins what it reads alike, is a case of its own otherwise, and is answered alone', async (t) => {
  const d = await District.start(t, { pack: merging(t) })
  const dispatcher = await d.signIn('dispatcher')
  const read = async (number) => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: dispatcher })).body
  const ask = async (text) => (await d.ask('POST', '/api/v1/alike', { text, area_code: AREA, item: 'h6.185.823' })).body.cases
  const file = async (text, more = {}) => (await d.report({ text, item: 'h6.185.823', area_code: AREA, ...more })).body
  const looked = (number) => until(async () => { const c = await alikes(d, number, dispatcher); return c.length && c }, 'it was looked at')
  const first = await file(FIRST)
  const [found] = await until(async () => { const c = await ask(SIMILAR); return c.length && c }, 'it is found')
  assert.ok(!found.sure, `only likely: ${found.probability}`)
  assert.equal(found.number, null)
  const twice = (await ask(SIMILAR))[0].same_as
  assert.ok(twice && twice !== found.same_as, 'nobody sees that it is the same case')

  // Without the reporter's word it is only proposed; with it, it joins.
  const alone = await file(SIMILAR)
  assert.equal((await looked(alone.number))[0].followed, false)
  assert.notEqual((await read(alone.number)).state, 'merged')
  const follower = await file(SIMILAR, { same_as: found.same_as })
  await until(async () => (await read(follower.number)).state === 'merged', 'the follower joins')
  const [like] = (await alikes(d, follower.number, dispatcher)).filter((c) => c.followed)
  assert.deepEqual([like.number, like.sure], [first.number, false])
  assert.match((await d.ask('GET', `/api/v1/cases/${follower.number}/history`, undefined, { key: dispatcher })).text, /上报人认为是同一事项/)

  // Texts that have nothing in common: kept as it is, and the dispatcher sees what the reporter said.
  const odd = await file(OTHER, { same_as: found.same_as })
  const [said] = await looked(odd.number)
  assert.deepEqual([said.number, said.followed, said.probability < 0.25], [first.number, true, true])
  assert.notEqual((await read(odd.number)).state, 'merged')

  // What is urgent does not wait for what is not; what is no name, or altered, is no error.
  const urgent = await file(SIMILAR, { same_as: found.same_as, urgency: 'urgent' })
  assert.ok((await looked(urgent.number)).some((c) => c.followed))
  assert.notEqual((await read(urgent.number)).state, 'merged')
  for (const same_as of ['x', `${found.same_as.slice(0, -6)}AAAA==`, 'A'.repeat(300)])
    assert.equal((await d.report({ text: SIMILAR, same_as })).status, 201)
  assert.equal((await d.report({ text: SIMILAR, same_as: 'A'.repeat(301) })).status, 400)

  // The follower has his own code; his page says that it was merged, and how the joint case goes on.
  const track = async () => (await d.ask('GET', `/api/v1/track/${follower.track}`)).body
  const page = await track()
  assert.deepEqual([page.number, page.state, page.open, page.joint.state], [follower.number, 'merged', true, 'dispatched'])
  assert.equal((await d.ask('GET', `/api/v1/track/${first.track}`)).body.joint, null)
  const events = await new Events(d.base, `/api/v1/track/${follower.track}/events`).open
  assert.equal((await d.move(first.number, 'sign', {}, dispatcher)).status, 200)
  const { data } = await events.next('the joint case goes on')
  events.close()
  assert.deepEqual([data.track, data.state], [follower.track, 'merged'])
  assert.ok(!JSON.stringify(data).includes(first.track))
  assert.equal((await track()).joint.state, 'signed')
  assert.equal((await d.ask('GET', `/api/v1/cases/${first.number}`, undefined, { key: dispatcher })).body.links.length, 1)
  assert.equal((await d.move(follower.number, 'unmerge', { reason: '不是同一盏灯' }, dispatcher)).status, 200)
  assert.equal((await d.ask('GET', `/api/v1/track/${follower.track}`)).body.state, 'filed')
})

test('what was followed is merged or ended meanwhile: the report goes where that went, or stays', async (t) => {
  const d = await District.start(t, { pack: merging(t) })
  const dispatcher = await d.signIn('dispatcher')
  const read = async (number) => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: dispatcher })).body
  const file = async (text, more = {}) => (await d.report({ text, item: 'h6.185.823', area_code: AREA, ...more })).body
  const first = (await d.report({ text: '市民来电反映一件事' })).body, second = await file(FIRST)
  const [found] = await until(async () => {
    const c = (await d.ask('POST', '/api/v1/alike', { text: SIMILAR, area_code: AREA, item: 'h6.185.823' })).body.cases
    return c.length && c
  }, 'it is found')
  const merged = await d.move(second.number, 'merge', { case: first.number, reason: '同一处' }, dispatcher)
  assert.equal(merged.status, 200, merged.text)
  const follower = await file(SIMILAR, { same_as: found.same_as })
  await until(async () => (await read(follower.number)).state === 'merged', 'it joins')
  assert.deepEqual((await read(follower.number)).links.map((l) => l.number), [first.number])

  const closed = await d.move(first.number, 'reject', { reason_code: 'no_facts', reason: '无法核实' }, dispatcher)
  assert.equal(closed.status, 200, closed.text)
  const late = await file(SIMILAR, { same_as: found.same_as })
  await quiet(d)
  assert.notEqual((await read(late.number)).state, 'merged')
  assert.equal((await d.move(late.number, 'merge', { case: first.number, reason: '同一处' }, dispatcher)).status, 409)
  await file(OTHER)
  const behind = await file(OTHER)
  await until(async () => (await alikes(d, behind.number, dispatcher)).length > 0, 'what came later was looked at')
  assert.deepEqual((await alikes(d, late.number, dispatcher)).filter((c) => c.followed), [])
  assert.notEqual((await read(late.number)).state, 'merged')
})

test('what comes while the index still fills is looked at again once it is full', async (t) => {
  const d = await District.start(t, { pack: merging(t) })
  const file = async (text, more = {}) => (await d.report({ text, item: 'h6.185.823', area_code: AREA, ...more })).body
  const first = await file(FIRST)
  const [found] = await until(async () => {
    const c = (await d.ask('POST', '/api/v1/alike', { text: SIMILAR, area_code: AREA, item: 'h6.185.823' })).body.cases
    return c.length && c
  }, 'it is found')
  // Stored later than the first, so the index reads them before it; received earlier, so nobody looks whether they are like anything.
  const yesterday = new Date(Date.now() - 86400e3).toISOString().slice(0, 19) + 'Z'
  const things = ['公交车', '停车位', '幼儿园', '广场舞', '河道', '工资', '医院', '井盖', '快递柜', '电梯'], rows = join(d.folder, 'rows.csv'), map = join(d.folder, 'map.yaml')
  writeFileSync(rows, '编号,时间,事项,内容\n' + Array.from({ length: 2000 }, (_, i) => `r${i},${yesterday},h5.178.602,${Array.from({ length: 150 }, (_, k) => things[(i * 7 + k * k + (i >> k % 11)) % 10] + (i * k % 97)).join('，')}\n`).join(''))
  writeFileSync(map, 'format: csv\ntime_zone: "+08:00"\nchannel: {value: hotline}\nexternal_id: {column: 编号}\ntext: {column: 内容}\nreceived: {column: 时间}\nitem: {column: 事项}\n')
  const made = d.command('import', 'reports', rows, '--map', map)
  assert.equal(made.status, 0, made.stdout + made.stderr)
  await sleep(2100) // what is younger than two seconds when it starts is read at once
  await file(OTHER)
  await d.stop()
  await d.serve()
  const copy = await file(FIRST), follower = await file(SIMILAR, { same_as: found.same_as })
  await until(() => /matters\.filled .*again=[1-9]/.test(d.log), 'it is full, and some are looked at again', 120)
  const dispatcher = await d.signIn('dispatcher')
  for (const one of [copy, follower])
    await until(async () => {
      const { body } = await d.ask('GET', `/api/v1/cases/${one.number}`, undefined, { key: dispatcher })
      return body.state === 'merged' && body.links.some((l) => l.number === first.number)
    }, `${one.number} joins`)
})
