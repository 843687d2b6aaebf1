/* The same matter twice: told to who decides, merged by the program where the pack lets it, never told to strangers by name. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, PINGSHAN, until } from './lib.mjs'

const FIRST = '坪山大道与深汕路交叉口的路灯坏了三天，晚上漆黑一片，行人过马路很危险，请尽快派人维修'
const AGAIN = '您好，深汕路与坪山大道交叉口的路灯坏了好几天了，晚上漆黑一片，行人过马路很危险，请尽快维修'
const OTHER = '龙田社区菜市场门口有人占道卖水果，每天早上堵得走不动，请城管来管一管'
const AREA = '440310001003'
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

  // After a restart the index is made again when it is first asked.
  await d.stop('SIGKILL')
  await d.serve()
  assert.ok((await ask({ text: AGAIN, area_code: AREA }, dispatcher)).body.cases.some((c) => c.number === first.number))
})

test('where the pack lets the program merge, what is surely the same joins, and can be taken apart again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-pack-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(PINGSHAN, folder, { recursive: true })
  const file = join(folder, 'workflows/standard.yaml'), text = readFileSync(file, 'utf8')
  const allowed = text.replace(/(- name: merge\n[\s\S]*?roles: \[)/, '$1system, ')
  assert.notEqual(allowed, text)
  writeFileSync(file, allowed)
  const d = await District.start(t, { pack: folder })
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
  assert.equal((await read(copy)).state, 'filed')
})
