/* The evaluation commands for the same matter and for topics, on made-up messages. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from './lib.mjs'

const HEADS = ['丽景', '金河', '翠竹', '文华', '清溪', '和顺', '银杏', '长桥', '北苑', '石井', '东湖', '南塘']
const KINDS = ['花园', '小区', '新村', '公寓', '广场']
const MATTERS = [
  ['夜间施工', '打桩机一直响到凌晨两点，孩子无法入睡。白天也不停，窗户都在震。'],
  ['路面塌陷', '昨晚有电动车摔倒，大坑至今没有围挡。下雨积水后根本看不见。'],
  ['垃圾堆放', '半个月没人清运，苍蝇乱飞。臭味飘到十楼，老人直恶心。'],
  ['流动摊贩', '油烟熏人，早高峰堵得走不动。剩菜倒进下水道，满地油污。'],
  ['水管爆裂', '车库积水已有二十厘米深。水泵房的人说没有配件，一拖再拖。'],
  ['电梯困人', '维保单位推脱，已经困了三次。最久的一次关了一个多小时。'],
]
/** A message for each place and matter, and 20 people about one mixing plant, half of them within one minute. */
function messages() {
  const rows = []
  let id = 1000
  for (const [m, [subject, detail]] of MATTERS.entries()) {
    for (const [h, head] of HEADS.entries()) {
      const place = `${head}${KINDS[(h + m) % KINDS.length]}`
      const day = String(1 + ((h * 5 + m) % 28)).padStart(2, '0')
      rows.push([id, `u${id++}`, `${place}${subject}`, `2026-03-${day} 09:${String(h + 10)}:00`, `我住在${place}。${detail}请尽快处理，谢谢。`, 0, h % 3])
    }
  }
  for (let i = 0; i < 20; i++) {
    const time = i < 10 ? `2026-03-20 10:00:${String(i * 5).padStart(2, '0')}` : `2026-03-2${i % 5} 1${i % 9}:30:00`
    rows.push([id, `u${id++}`, `西岭苑搅拌站扰民${i}`, time, `西岭苑门口的搅拌站${['噪音大', '粉尘多', '罐车乱停', '夜里开工'][i % 4]}，${i}栋的住户都受不了。`, 0, i])
  }
  return rows
}
function file(t, rows, head = 'msg_id,user_id,subject,created_at,detail,oppose,support') {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-eval-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'messages.csv')
  writeFileSync(path, `${head}\n${rows.map((r) => r.join(',')).join('\n')}\n`)
  return path
}
const run = (...words) => spawnSync(PROGRAM, words, { encoding: 'utf8', env: { ...process.env, LANG: 'C', YIWANG_LANGUAGE: 'en' } })
const json = (...words) => {
  const { status, stdout, stderr } = run(...words, '--json')
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

test('eval same: figures that add up, the same again for the same seed', (t) => {
  const rows = messages()
  rows.push([5000, 'v1', rows[0][2], '2026-03-29 08:00:00', rows[0][4], 0, 0]) /* pasted again by somebody else */
  const input = file(t, rows)
  const r = json('eval', 'same', '--input', input)
  assert.equal(r.n, rows.length)
  assert.equal(r.pairs, r.copy.questions + r.light.questions + r.strong.questions + r.elsewhere.questions)
  assert.equal(r.copy.questions, Math.floor(rows.length / 2))
  assert.ok(r.elsewhere.questions > 10)
  assert.ok(r.copy.right >= 0.9 * r.copy.questions, JSON.stringify(r))
  assert.ok(r.precision > 0.9 && r.recall > 0.6, JSON.stringify(r))
  assert.ok(r.least_precision <= r.precision && r.us_per_find > 0 && r.bytes_per_case > 0)
  assert.deepEqual([r.real.questions, r.real.right], [2, 2])
  const again = json('eval', 'same', '--input', input)
  for (const k of ['copy', 'light', 'strong', 'elsewhere', 'precision', 'recall']) assert.deepEqual(again[k], r[k], k)
  assert.notDeepEqual(json('eval', 'same', '--input', input, '--seed', '8').strong, r.strong)
  const fitted = json('eval', 'same', '--input', input, '--fit').fitted
  assert.ok(fitted.text > 0 && fitted.elsewhere > 0, JSON.stringify(fitted))
  assert.match(run('eval', 'same', '--input', input).stdout, /precision 0\.\d+|precision 1/)
  assert.match(run('eval', 'same', '--input', input, '--language', 'zh').stdout, /精确率/)
})

test('eval topics: the mixing plant is the hottest, whatever the order within a minute', (t) => {
  const rows = messages()
  const input = file(t, rows)
  const { topics } = json('eval', 'topics', '--input', input, '--most', '5')
  assert.ok(topics.length >= 1 && topics.length <= 5)
  const [first] = topics
  assert.match(first.name, /西岭苑|搅拌站/)
  assert.ok(first.reporters >= 18 && first.members.length >= 18, JSON.stringify(first))
  for (const id of first.members) assert.ok(Number(id) >= 1000 + MATTERS.length * HEADS.length, id)
  assert.ok(first.phrases.length > 0 && first.why.includes(`${first.reporters} people`))
  assert.ok(topics.every((x, i) => i === 0 || x.heat <= topics[i - 1].heat))
  const { stdout } = run('eval', 'topics', '--input', input, '--json')
  for (const seed of ['1', '2', '3', '4']) assert.equal(run('eval', 'topics', '--input', input, '--json', '--shuffle', seed).stdout, stdout)
  assert.equal(run('eval', 'topics', '--input', file(t, [...rows].reverse()), '--json').stdout, stdout)
  assert.match(run('eval', 'topics', '--input', input, '--language', 'zh').stdout, /人留言/)
})

test('eval topics: one person who writes a hundred times raises nothing', (t) => {
  const rows = messages()
  const flood = (user) => Array.from({ length: 100 }, (_, i) => [8000 + i, user ?? `w${i}`, '翠竹小区停车费太贵', `2026-03-25 1${i % 10}:${10 + (i % 50)}:00`, `翠竹小区停车费从三百涨到五百，第${i}次反映停车费。`, 0, 0])
  const of = (r) => json('eval', 'topics', '--input', file(t, r), '--most', '50').topics.find((x) => x.members.includes('8000'))
  const one = of([...rows, ...flood('w')])
  assert.ok(one === undefined || one.heat < 3, JSON.stringify(one))
  const many = of([...rows, ...flood()])
  assert.ok(many.heat > 50 && many.reporters >= 95 && many.surge.is, JSON.stringify(many.surge))
})

test('wrong input is named', (t) => {
  for (const command of ['same', 'topics']) {
    assert.match(run('eval', command).stderr, /--input/)
    assert.match(run('eval', command, '--input', '/nowhere.csv').stderr, /\/nowhere\.csv/)
    assert.match(run('eval', command, '--input', file(t, [[1, 2]], 'msg_id,user_id')).stderr, /subject/)
    assert.match(run('eval', command, '--input', file(t, [[1, 2]], 'msg_id,user_id'), '--language', 'zh').stderr, /缺少/)
  }
  assert.match(run('eval', 'topics', '--input', 'x', '--joins', '2').stderr, /--joins/)
  assert.match(run('eval', 'same', '--input', 'x', '--seed', 'y').stderr, /--seed/)
})
