/* yiwang eval route: what it says of a small made-up table, and what it refuses. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from './lib.mjs'

const MAP = `format: csv
time_zone: "+08:00"
channel: {value: hotline}
external_id: {column: 编号}
text: {columns: [大类, 小类], join: " / "}
received: {column: 时间}
source: {column: 来源}
item: {path: [大类, 小类]}
area: {names: [街道, 社区]}
compare_unit: {column: 单位}
`
const HEAD = '编号,时间,大类,小类,街道,社区,来源,单位\r\n'

/** A draw that is the same each time. */
function draws(seed) {
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
}

/** Rows whose unit follows from item and place, but for one in ten, from `from` hours after New Year on. */
function rows(n, { seed = 1, from = 0 } = {}) {
  const draw = draws(seed)
  return Array.from({ length: n }, (_, i) => {
    const item = draw(6), street = draw(3), community = draw(3)
    const at = new Date(Date.UTC(2026, 0, 1, from + i)).toISOString().slice(0, 19).replace('T', ' ')
    let unit = `局${item}`
    if (item === 0) unit = `甲${street}${community}社区`
    if (item === 1) unit = `市政中心（乙${street}街道办事处）`
    if (draw(10) === 0) unit = `局${2 + draw(4)}`
    return `r${from}-${i},${at},大类${item >> 1},小类${item},乙${street}街道,甲${street}${community}社区,${draw(2) ? '热线' : '微信'},${unit}\r\n`
  })
}

function folder(t, files) {
  const at = mkdtempSync(join(tmpdir(), 'yiwang-eval-'))
  t.after(() => rmSync(at, { recursive: true, force: true }))
  const named = { map: MAP, ...files }
  return Object.fromEntries(Object.entries(named).map(([name, text]) => {
    const file = join(at, name)
    writeFileSync(file, text)
    return [name, file]
  }))
}

function run(...words) {
  return spawnSync(PROGRAM, ['eval', 'route', ...words], { encoding: 'utf8', env: { ...process.env, LANG: 'C.UTF-8' }, cwd: tmpdir() })
}

function figures(...words) {
  const said = run(...words, '--json')
  assert.equal(said.status, 0, said.stderr)
  return { ...JSON.parse(said.stdout), stderr: said.stderr }
}

const share = (value) => assert.ok(value >= 0 && value <= 1, String(value))

test('the last part of a table is answered as well as it can be', (t) => {
  const f = folder(t, { table: HEAD + rows(2000).join('') })
  const said = figures('--train', f.table, '--map', f.map, '--last', '0.25')
  assert.equal(said.n, 500)
  assert.equal(said.train, 1500)
  assert.equal(said.faulty + said.unnamed + said.earlier, 0)
  assert.equal(said.stderr, '')
  // One row in ten goes anywhere: at most about 0.92 can be known.
  assert.ok(said.top1 > 0.84 && said.top1 < 0.96, `top1 ${said.top1}`)
  assert.ok(said.top3 >= said.top1)
  for (const name of ['top1', 'top3']) assert.ok(said[`${name}_low`] < said[name] && said[name] < said[`${name}_high`], name)
  const covered = ['0.90', '0.95', '0.97', '0.99'].map((p) => said.coverage_at_precision[p])
  covered.forEach(share)
  assert.deepEqual(covered, [...covered].sort((a, b) => b - a))
  assert.ok(said.ece < 0.1, `ece ${said.ece}`)
  assert.equal(said.reliability.reduce((sum, bin) => sum + bin.n, 0), 500)
  share(said.coverage_at_chosen.coverage)
  share(said.coverage_at_chosen.precision)
  assert.ok(said.us_per_decision > 0)
  assert.ok(!('ablations' in said))
})

test('a second table is answered by what the first taught; its order in the file does not matter', (t) => {
  const later = rows(300, { seed: 5, from: 3000 })
  const f = folder(t, { train: HEAD + rows(1500).join(''), test: HEAD + later.join(''), turned: HEAD + [...later].reverse().join('') })
  const said = figures('--train', f.train, '--test', f.test, '--map', f.map)
  assert.equal(said.n, 300)
  assert.ok(said.top1 > 0.8, `top1 ${said.top1}`)
  const turned = figures('--train', f.train, '--test', f.turned, '--map', f.map)
  assert.equal(turned.top1, said.top1)
  assert.equal(turned.ece, said.ece)
})

test('without the area the local units cannot be told', (t) => {
  const f = folder(t, { table: HEAD + rows(2000).join('') })
  const said = figures('--train', f.table, '--map', f.map, '--ablate')
  const without = Object.fromEntries(said.ablations.map((a) => [a.without, a]))
  assert.ok(without.area.top1 < said.top1 - 0.1, `${without.area.top1} of ${said.top1}`)
  assert.ok(without['finest item'].top1 < said.top1 - 0.05)
  assert.ok(without.property.top1 === said.top1, 'the map names no property')
})

test('names with and without parentheses are one unit', (t) => {
  const named = rows(1200).map((row, i) => (i % 2 ? row : row.replace(/,局(\d)\r/, ',局$1（某区）\r')))
  const f = folder(t, { plain: HEAD + rows(1200).join(''), named: HEAD + named.join('') })
  const plain = figures('--train', f.plain, '--map', f.map), both = figures('--train', f.named, '--map', f.map)
  assert.equal(both.top1, plain.top1)
  assert.equal(both.units, plain.units)
})

test('rows that say no unit or no time are counted and left out', (t) => {
  const table = rows(400)
  table[10] = table[10].replace(/,[^,]*\r/, ',-\r')
  table[20] = table[20].replace(/2026-\S+ \S+?,/, 'never,')
  table[390] = table[390].replace(/,[^,]*\r/, ',\r')
  const f = folder(t, { table: HEAD + table.join('') })
  const said = figures('--train', f.table, '--map', f.map)
  assert.equal(said.unnamed, 2)
  assert.equal(said.faulty, 1)
  assert.equal(said.n + said.train, 397)
})

test('a table to read, in both languages', (t) => {
  const f = folder(t, { table: HEAD + rows(800).join('') })
  const english = run('--train', f.table, '--map', f.map, '--ablate')
  assert.equal(english.status, 0, english.stderr)
  assert.match(english.stdout, /learned from 640 rows, answered 160/)
  assert.match(english.stdout, /first answer right: \d+\.\d\d % \(95 % interval/)
  assert.match(english.stdout, /\n {2}source +\d/)
  const chinese = run('--train', f.table, '--map', f.map, '--language', 'zh')
  assert.match(chinese.stdout, /首选命中：\d+\.\d\d%/)
})

test('what it refuses, and what it warns of', (t) => {
  const f = folder(t, {
    table: HEAD + rows(300).join(''), early: HEAD + rows(50, { seed: 9 }).join(''), nothing: '', head: HEAD,
    unnamed: HEAD + rows(5).map((row) => row.replace(/,[^,]*\r/, ',-\r')).join(''),
    unitless: MAP.replace(/compare_unit.*\n/, ''), timeless: MAP.replace(/received.*\n/, ''), other: MAP.replace('单位', '部门'),
  })
  const refused = [
    [[], /--train/],
    [['--train', f.table], /--map/],
    [['--train', f.table, '--map', f.unitless], /compare_unit/],
    [['--train', f.table, '--map', f.timeless], /received/],
    [['--train', f.table, '--map', f.other], /部门/],
    [['--train', f.nothing, '--map', f.map], /is empty/],
    [['--train', f.head, '--map', f.map], /no row/],
    [['--train', f.unnamed, '--map', f.map], /no row/],
    [['--train', f.table, '--test', f.head, '--map', f.map], /no row/],
    [['--train', `${f.table}x`, '--map', f.map], /cannot be read/],
    [['--train', f.table, '--map', `${f.map}x`], /cannot be read/],
    [['--train', f.table, '--map', f.map, '--last', '1.5'], /--last/],
    [['--train', f.table, '--map', f.map, '--last', 'x'], /--last/],
    [['--train', f.table, '--map', f.map, '--last', '0.001'], /leaves nothing/],
    [['--train', f.table, '--test', f.early, '--last', '0.1', '--map', f.map], /exclude/],
  ]
  for (const [words, why] of refused) {
    const said = run(...words, '--json')
    assert.notEqual(said.status, 0, words.join(' '))
    assert.match(said.stderr, why)
    assert.equal(said.stdout, '')
  }
  assert.match(run('--train', f.table, '--map', f.unitless, '--language', 'zh').stderr, /处置单位/)
  const early = figures('--train', f.table, '--test', f.early, '--map', f.map)
  assert.equal(early.earlier, 50)
  assert.match(early.stderr, /50 of 50 test rows are earlier/)
})
