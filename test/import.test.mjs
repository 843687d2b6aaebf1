/* yiwang import reports: killed again and again it ends as if it had never been; stopped by Ctrl-C it says how to go on. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, PROGRAM, sleep, until } from './lib.mjs'

const KILLS = Number(process.env.KILLS ?? 20), ROWS = Number(process.env.IMPORT_ROWS ?? 6000)
const MAP = `format: csv
time_zone: "+08:00"
channel: {value: hotline}
external_id: {column: 编号}
text: {column: 内容}
received: {column: 时间}
item: {column: 事项}
area: {column: 区域}
`

/** Row i; every 101st has a time that is none, every 211th a broken quote, every 13th a text of two lines. */
function row(i) {
  const text = i % 211 === 7 ? '"破损"井盖' : i % 13 === 5 ? '"路灯\n不亮"' : `门口有一堆垃圾${i}`
  return `r${i},${i % 101 === 3 ? 'never' : '2026-01-05 09:00:00'},0201,990101001,${text}\r\n`
}
const faulty = (i) => i % 211 === 7 || i % 101 === 3
const count = (n, wanted) => Array.from({ length: n }, (_, i) => i).filter(wanted).length

/** A district with a file of `rows` rows and its map. */
function prepare(t, rows, encode = (text) => Buffer.from(text)) {
  const d = District.make(t)
  d.file = join(d.folder, 'events.csv')
  d.map = join(d.folder, 'map.yaml')
  d.rejects = join(d.data, 'events.csv.rejects.csv')
  writeFileSync(d.map, MAP)
  writeFileSync(d.file, encode('编号,时间,事项,区域,内容\r\n' + Array.from({ length: rows }, (_, i) => row(i)).join('')))
  d.words = ['import', 'reports', d.file, '--map', d.map]
  return d
}

/** The import as a process of its own: {child, ended: {code, signal, out, err}}. */
function start(d, ...more) {
  const child = spawn(PROGRAM, [...d.words, '--data', d.data, ...more], { env: d.environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.on('data', (bytes) => (said.out += bytes))
  child.stderr.on('data', (bytes) => (said.err += bytes))
  return { child, said, ended: new Promise((done) => child.on('close', (code, signal) => done({ code, signal, ...said }))) }
}

const number = (text, what) => Number(new RegExp(`^${what}: (\\d+)`, 'm').exec(text)?.[1])

/** Cases of the district and a digest of what its export says of them; the history must be whole. */
function cases(d) {
  const file = join(d.folder, 'out.csv')
  if (existsSync(file)) unlinkSync(file)
  assert.equal(d.command('export', 'cases', file).status, 0)
  const verdict = d.command('ledger', 'verify')
  assert.equal(verdict.status, 0, verdict.stdout)
  const text = readFileSync(file, 'utf8')
  return { n: text.trim().split('\n').length - 1, history: verdict.stdout, digest: createHash('sha256').update(text).digest('hex') }
}

/** The rejects file as it is after an import that nothing disturbs; `n` rows. */
function checkRejects(d, rows) {
  const text = readFileSync(d.rejects, 'utf8')
  const lines = text.split('\r\n').slice(1, -1)
  assert.equal(lines.length, count(rows, faulty))
  let line = 2, at = 0
  for (let i = 0; i < rows; i++) {
    if (faulty(i)) assert.match(lines[at++], new RegExp(`^${line},${i % 211 === 7 ? ',line' : 'received,'}.*r${i},`))
    line += row(i).split('\n').length - 1
  }
  assert.equal(statSync(d.rejects).mode & 0o777, 0o600)
}

test(`${KILLS} kills: it goes on each time, and nothing is there twice`, async (t) => {
  const d = prepare(t, ROWS)
  let kills = 0, last
  for (;;) {
    const size = () => (existsSync(d.rejects) ? statSync(d.rejects).size : 0), had = size()
    const run = start(d, '--quiet')
    if (kills < KILLS) {
      // Every other time as soon as a batch is settled: so it gets on however slow the machine is.
      if (kills % 2) await until(() => size() > had || run.child.exitCode !== null, 'a batch is settled', 60)
      await sleep(Math.random() * (kills % 2 ? 100 : 900))
      run.child.kill('SIGKILL')
    }
    last = await run.ended
    if (last.signal !== 'SIGKILL') break
    kills++
  }
  assert.equal(last.code, 0, last.err)
  assert.equal(last.err, '', '--quiet')
  const before = Number(/behind (\d+) rows/.exec(last.out)?.[1] ?? 0)
  assert.equal(before + (number(last.out, 'read') || 0), ROWS)
  // A kill between the end of the import and that of the program leaves all rows, and no mark.
  assert.ok(before > 0 || kills < 4 || number(last.out, 'stored') === 0, `${kills} kills, and yet it began with the first row`)
  checkRejects(d, ROWS)
  const first = cases(d)
  assert.equal(first.n, ROWS - count(ROWS, faulty))
  const rejects = readFileSync(d.rejects, 'utf8')
  const again = d.command(...d.words)
  assert.equal(number(again.stdout, 'stored'), 0)
  assert.equal(number(again.stdout, 'there already'), first.n)
  assert.equal(number(again.stdout, 'read'), ROWS)
  assert.deepEqual(cases(d), first)
  assert.equal(readFileSync(d.rejects, 'utf8'), rejects)
  t.diagnostic(`${kills} kills, ${ROWS} rows, the last run began behind row ${before}`)
})

test('Ctrl-C ends behind a batch and says how to go on', async (t) => {
  const d = prepare(t, 9000)
  let stopped = 0, before = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT']) {
    const run = start(d)
    await sleep(600)
    run.child.kill(signal)
    const { code, out, err } = await run.ended
    if (code === 0) break
    assert.equal(code, 1, err)
    const row = Number(/stopped behind row (\d+); the same command goes on there/.exec(err)?.[1])
    assert.equal(row, before + (number(out, 'read') || 0))
    if (before) assert.match(out, new RegExp(`behind ${before} rows of an earlier run`))
    before = row
    stopped++
  }
  assert.ok(stopped > 0)
  const rest = d.command(...d.words)
  assert.equal(rest.status, 0, rest.stderr)
  if (before) assert.match(rest.stdout, new RegExp(`behind ${before} rows of an earlier run`))
  checkRejects(d, 9000)
  assert.equal(cases(d).n, 9000 - count(9000, faulty))
})

test('two at once: the second is refused while both write the same rejects', async (t) => {
  const d = prepare(t, 3000)
  const runs = [start(d), start(d)]
  const [a, b] = await Promise.all(runs.map((r) => r.ended))
  const [good, bad] = a.code === 0 ? [a, b] : [b, a]
  assert.equal(good.code, 0, good.err)
  assert.ok(bad.code === 0 || /another import is writing its rejects/.test(bad.err), bad.err)
  checkRejects(d, 3000)
  assert.equal(cases(d).n, 3000 - count(3000, faulty))
})

test('a file that grows between two runs is another file', async (t) => {
  const d = prepare(t, 300)
  assert.equal(d.command(...d.words).status, 0)
  appendFileSync(d.file, row(300) + row(301))
  const more = d.command(...d.words)
  assert.equal(number(more.stdout, 'read'), 302)
  assert.equal(number(more.stdout, 'stored'), 2)
  checkRejects(d, 302)
})

const utf16 = (text) => Buffer.from(text, 'utf16le')
for (const [name, found, encode] of [
  ['UTF-8 with a mark', 'UTF-8', (text) => Buffer.from('\uFEFF' + text)],
  ['UTF-16LE', 'UTF-16LE', utf16],
  ['UTF-16LE with a mark', 'UTF-16LE', (text) => utf16('\uFEFF' + text)],
  ['UTF-16BE', 'UTF-16BE', (text) => utf16(text).swap16()],
  ['UTF-16BE with a mark', 'UTF-16BE', (text) => utf16('\uFEFF' + text).swap16()],
]) {
  test(`encoding: ${name}`, (t) => {
    const d = prepare(t, 250, encode)
    const first = d.command(...d.words)
    assert.equal(first.status, 0, first.stderr)
    assert.match(first.stdout, new RegExp(`read: 250 \\(${found}\\)`))
    checkRejects(d, 250)
    assert.match(readFileSync(d.rejects, 'utf8'), /"""破损""井盖|破损/)
  })
}

test('encodings: told, wrong, and none', (t) => {
  const d = prepare(t, 3)
  assert.match(d.command(...d.words, '--encoding', 'gbk').stderr, /events\.csv is not GB18030: byte \d+ \(line \d+\)|has no column/)
  assert.match(d.command(...d.words, '--encoding', 'latin-1').stderr, /--encoding is utf-8, utf-16le, utf-16be or gb18030/)
  writeFileSync(d.file, Buffer.concat([Buffer.from('编号,时间'), Buffer.from([0xff, 0xfe, 0xc0, 0xaf]), Buffer.from([0xff, 0xff, 0xff, 0xa0, 0x20, 0xff, 0x20, 0xff, 0x20, 0xff, 0x20, 0xff, 0x20])]))
  const none = d.command(...d.words)
  assert.equal(none.status, 1)
  assert.match(none.stderr, /events\.csv is in no known encoding: not UTF-8 \(byte 13, line 1\)/)
  assert.equal(none.stdout, '')
})

test('wrong columns are told, with what is there and what is near', (t) => {
  const d = prepare(t, 1)
  writeFileSync(d.file, '编号;时间;事项;所在区域;内容\n1;2;3;4;5\n')
  const wrong = d.command(...d.words)
  assert.equal(wrong.status, 1)
  assert.match(wrong.stderr, /has no column "区域" \("所在区域"\?\), which the map names; its first line has: 编号, 时间, 事项, 所在区域, 内容/)
})

test('a full disk for the rejects ends the run; the next one makes it whole', (t) => {
  const d = prepare(t, 500)
  const full = d.command(...d.words, '--rejects', '/dev/full')
  assert.equal(full.status, 1)
  assert.match(full.stderr, /the rejects file \/dev\/full cannot be written: No space left on device; see --rejects/)
  const good = d.command(...d.words)
  assert.equal(good.status, 0, good.stderr)
  checkRejects(d, 500)
  assert.equal(cases(d).n, 500 - count(500, faulty))
})

test('progress: a bar on a terminal, none with --quiet', async (t) => {
  const d = prepare(t, 6000)
  // script(1) gives the program a terminal.
  const shown = (...more) => {
    const command = [PROGRAM, ...d.words, '--data', d.data, ...more].map((w) => `'${w}'`).join(' ')
    return spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', env: d.environment() })
  }
  const loud = shown()
  assert.equal(loud.status, 0, loud.stdout)
  if (Number(/elapsed: ([\d.]+) s/.exec(loud.stdout)[1]) > 1.5)
    assert.match(loud.stdout, /import: \[[#.]{30}\] \d+ %, \d+ \/ \d+, \d+\/s, \d+:\d\d/)
  const quiet = shown('--quiet')
  assert.equal(quiet.status, 0, quiet.stdout)
  assert.doesNotMatch(quiet.stdout, /\[[#.]+\]/)
  const plain = await start(d).ended
  assert.equal(plain.code, 0, plain.err)
  assert.doesNotMatch(plain.err, /\r|\[[#.]+\]/)
})
