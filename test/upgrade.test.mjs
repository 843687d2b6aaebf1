/* Databases of earlier releases (test/old/, made by tools/old_database) under the present program. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, until } from './lib.mjs'

const ENGINE = POSTGRES ? 'postgres' : 'sqlite'
let schemas = 0

/** The old database, as it was left, in a district that has not been opened yet. */
function old(t, release) {
  const d = new District()
  const facts = JSON.parse(readFileSync(join('test/old', release, `${ENGINE}.json`), 'utf8'))
  const sql = readFileSync(join('test/old', release, `${ENGINE}.sql`), 'utf8')
  d.folder = mkdtempSync(join(tmpdir(), 'yiwang-test-'))
  d.data = join(d.folder, 'data')
  d.settings = { personal_hourly: 0 }
  d.demo = facts.demo
  d.key = facts.demo.channel_key
  mkdirSync(d.data, { mode: 0o700 })
  writeFileSync(join(d.data, 'seal.key'), Buffer.from(facts.seal_key, 'hex'), { mode: 0o600 })
  if (POSTGRES) {
    const schema = `old_${process.pid}_${++schemas}`, dsn = process.env.YIWANG_TEST_PG
    d.store = `${dsn}${dsn.includes('?') ? '&' : '?'}schema=${schema}`
    d.sql = (text) => spawnSync('psql', ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1', dsn], { input: `SET search_path = ${schema};\n${text}`, encoding: 'utf8' })
    const made = d.sql(sql.replaceAll('old_release', schema))
    assert.equal(made.status, 0, made.stderr)
  } else {
    const code = 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.executescript(sys.stdin.read())\nfor r in c.execute(sys.argv[2]) if len(sys.argv) > 2 else []: print("|".join(map(str, r)))\nc.commit()'
    d.sql = (text) => (text.startsWith('SELECT') ? spawnSync('python3', ['-c', code, join(d.data, 'yiwang.db'), text], { input: '', encoding: 'utf8' })
      : spawnSync('python3', ['-c', code, join(d.data, 'yiwang.db')], { input: text, encoding: 'utf8' }))
    const made = d.sql(sql)
    assert.equal(made.status, 0, made.stderr)
  }
  t.after(async () => {
    await d.stop('SIGKILL')
    rmSync(d.folder, { recursive: true, force: true })
  })
  return { d, facts }
}

/** Schema files of a database, with their hashes. */
const done = (d) => d.sql('SELECT capability, number, sha256 FROM schema_done ORDER BY capability, number').stdout.trim()

for (const release of readdirSync('test/old')) {
  test(`a database of ${release} is brought up to date, is whole, and is served`, async (t) => {
    const { d, facts } = old(t, release)
    const before = done(d)
    assert.equal(before.split('\n').length >= 11, true, before)
    // Not under a schema check only: everything that stands in it is read.
    const verdict = d.command('ledger', 'verify', '--language', 'en')
    assert.equal(verdict.status, 0, verdict.stderr)
    assert.deepEqual(verdict.stdout.match(/^(cases|rows|faults): .*$/gm), facts.verdict)
    const after = done(d)
    for (const line of before.split('\n')) assert.ok(after.includes(line), `${line} stays`)
    // A fresh database of this program has the same schema files.
    const fresh = District.make(t)
    const count = (text) => text.split('\n').map((l) => l.split('|').slice(0, 2).join(' ')).join('\n')
    if (!POSTGRES) {
      const code = 'import sqlite3, sys\nfor r in sqlite3.connect(sys.argv[1]).execute("SELECT capability, number FROM schema_done ORDER BY 1, 2"): print(*r)'
      assert.equal(count(after), spawnSync('python3', ['-c', code, join(fresh.data, 'yiwang.db')], { encoding: 'utf8' }).stdout.trim())
    }
    await d.serve()
    const token = await d.signIn('dispatcher')
    const { body } = await d.ask('GET', '/api/v1/cases?limit=200', undefined, { key: token })
    assert.equal(body.cases.length, facts.cases.length)
    for (const { number, track } of facts.cases) {
      assert.equal((await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: token })).status, 200, number)
      assert.equal((await d.ask('GET', `/api/v1/track/${track}`)).status, 200, track)
    }
    // Reporters sealed before keys had numbers are opened, sealed anew, and then found by their number.
    const clerk = await d.signIn('clerk'), why = { purpose: 'verify', note: '升级检查' }
    const { body: reporter } = await d.ask('POST', `/api/v1/cases/${facts.cases[3].number}/reporter`, why, { key: clerk })
    assert.deepEqual([reporter.name, reporter.phone], ['测试3', '13800000000'])
    const search = async () => (await d.ask('POST', '/api/v1/reporters/search', { phone: '13800000000', ...why }, { key: clerk })).body
    await until(async () => (await search()).complete, 'all are sealed anew')
    assert.equal((await search()).cases.length, facts.cases.length)
    // The same report again is still known; a new one is taken; events are passed on.
    const again = await d.report({ external_id: 'old-1' })
    assert.deepEqual([again.status, again.body.number], [200, facts.cases[1].number])
    assert.equal((await d.report({ external_id: 'new', item: '0201' })).status, 201)
    await until(async () => /^yiwang_outbox_waiting\{consumer="notify"\} 0$/m.test((await d.ask('GET', '/metrics')).text), 'all events are passed on')
    await until(() => /notify\.unit/.test(d.log), 'a notice of the new report')
    await d.stop()
    assert.match(d.command('ledger', 'verify', '--language', 'en').stdout, /faults: 0/)
  })
}

test('a database newer than the program is refused, and stays as it is', async (t) => {
  const { d } = old(t, readdirSync('test/old')[0])
  assert.equal(d.command('serve', '-n').status, 0)
  const made = d.sql("INSERT INTO schema_done (capability, number, sha256, at) VALUES ('cases', 900, 'x', 0);")
  assert.equal(made.status, 0, made.stderr)
  const before = done(d)
  for (const words of [['serve', '--port', '0'], ['ledger', 'verify']]) {
    const { status, stderr } = d.command(...words)
    assert.equal(status, 1)
    assert.match(stderr, /this database is newer than this program: it has the schema cases\/900/)
  }
  assert.equal(done(d), before)
})
