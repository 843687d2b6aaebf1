/* The ledger: its tree grows behind the reports, checkpoints are signed, and a verifier that shares no line with our program agrees with
 * `ledger verify` on what was changed, dropped, moved or put in behind our back. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, until } from './lib.mjs'

/** Statements run in the database itself, as a forger would. */
function sql(d, text) {
  if (POSTGRES) {
    const schema = /schema=(\w+)/.exec(d.store)[1]
    const done = spawnSync('psql', ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1', d.store.replace(/[?&]schema=\w+/, '')], { input: `SET search_path = ${schema};\n${text}`, encoding: 'utf8' })
    assert.equal(done.status, 0, done.stderr)
    return done.stdout.trim()
  }
  const code = 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], timeout=20)\nfor s in sys.stdin.read().split(";"):\n  for r in c.execute(s): print("|".join(map(str, r)))\nc.commit()'
  const done = spawnSync('python3', ['-c', code, join(d.data, 'yiwang.db')], { input: text, encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr)
  return done.stdout.trim()
}

const good = (done) => (assert.equal(done.status, 0, done.stderr), done.stdout)
const ledger = (d, ...words) => d.command('ledger', ...words, '--language', 'en')
const key = (d) => good(ledger(d, 'key')).split('\n')[0]

let files = 0
function put(d, text) {
  const path = join(d.folder, `file-${++files}`)
  writeFileSync(path, typeof text === 'string' ? text : JSON.stringify(text))
  return path
}
/** What the other verifier says: [whether all is good, its lines]. */
function other(d, proof, old = null, by = key(d)) {
  const done = spawnSync('python3', ['test/ledger_verify.py', by, put(d, proof), ...(old ? [put(d, old)] : [])], { encoding: 'utf8' })
  return [done.status === 0, `${done.stdout}${done.stderr}`.trim()]
}
const agrees = (d, proof, ...more) => {
  const [fine, said] = other(d, proof, ...more)
  assert.ok(fine, said)
  return said
}
const objects = (d, proof, says, ...more) => {
  const [fine, said] = other(d, proof, ...more)
  assert.ok(!fine, said)
  assert.match(said, says)
}

const figures = (text) => Object.fromEntries(text.trim().split('\n').map((l) => l.split(': ')).map(([name, n]) => [name, Number(n)]))

/** Some cases, two of them with moves, and a checkpoint. */
async function filled(t, settings = {}) {
  const d = await District.start(t, { settings })
  const dispatcher = await d.signIn('dispatcher')
  const reports = []
  for (let i = 0; i < 7; i++) reports.push((await d.report({ text: `路边有一堆垃圾 ${i}`, reporter: { name: '李小明', phone: `1390000000${i}` } })).body)
  for (const { number } of reports.slice(0, 2)) {
    const sent = await d.move(number, 'dispatch', { item: '0101', unit: 'north', assists: [] }, dispatcher)
    assert.equal(sent.status, 200, sent.text)
  }
  const note = good(ledger(d, 'checkpoint'))
  return { d, reports, note, dispatcher }
}

test('the tree grows behind the reports, and both verifiers agree', async (t) => {
  const { d, reports, note } = await filled(t)
  const v = figures(good(ledger(d, 'verify')))
  assert.equal(v.faults, 0)
  assert.equal(v.cases, 7)
  assert.deepEqual([v['in the tree'], v['not yet']], [v.rows, 0])
  const [origin, size, , time, empty, signature] = note.split('\n')
  assert.deepEqual([origin, Number(size), empty], ['yiwang', v.rows, ''])
  assert.match(time, /^time 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/)
  assert.match(signature, /^— yiwang [A-Za-z0-9+/]+=*$/)
  assert.match(agrees(d, good(ledger(d, 'prove'))), new RegExp(`^${v.rows} rows`))
  let rows = 0
  for (const { number } of reports) {
    const proof = JSON.parse(good(ledger(d, 'prove', number)))
    assert.equal(proof.number, number)
    assert.match(agrees(d, proof), new RegExp(`^${proof.rows.length} rows`))
    rows += proof.rows.length
  }
  assert.equal(rows, v.rows)
  assert.match(ledger(d, 'prove', 'YW0').stderr, /no case "YW0"/)
  // The key that signs is a file of its owner, and nowhere in the store.
  const file = join(d.data, 'ledger.key')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const secret = readFileSync(file, 'utf8').split('\n')[1].slice(-40)
  assert.ok(secret.length === 40)
  const dump = POSTGRES ? spawnSync('pg_dump', ['--schema', /schema=(\w+)/.exec(d.store)[1], d.store.replace(/[?&]schema=\w+/, '')], { maxBuffer: 1 << 28, encoding: 'utf8' }).stdout
    : ['yiwang.db', 'yiwang.db-wal'].map((n) => readFileSync(join(d.data, n), 'latin1')).join('')
  assert.ok(dump.includes(origin) && !dump.includes(secret))
})

test('the server brings rows in and signs by itself, also after a restart', async (t) => {
  const d = await District.start(t)
  const first = (await d.report({ text: '第一件' })).body
  await d.stop()
  await d.serve()
  const proved = async (track) => (await d.ask('GET', `/api/v1/track/${track}/proof`)).body
  const proof = await until(async () => (await proved(first.track)).rows?.every((r) => r.leaf !== null) && proved(first.track), 'a checkpoint')
  agrees(d, proof)
  // The next one comes minutes later: until then the row of a new report stands in no checkpoint.
  const second = (await d.report({ text: '第二件' })).body
  const waiting = await proved(second.track)
  assert.ok(waiting.rows.length > 0 && waiting.rows.every((r) => r.leaf === null && !('path' in r)))
  assert.equal(agrees(d, waiting), '0 rows are as they were signed')
})

test('who knows the code gets a proof without any text, name or unit; and later that nothing before has changed', async (t) => {
  const { d, reports, note, dispatcher } = await filled(t)
  const [a, , c] = reports
  const path = `/api/v1/track/${a.track}/proof`
  const answer = await d.ask('GET', path)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.deepEqual(Object.keys(answer.body), ['number', 'checkpoint', 'size', 'rows', 'more'])
  for (const row of answer.body.rows) assert.deepEqual(Object.keys(row), ['row', 'move', 'at', 'digest', 'leaf', 'path'])
  assert.doesNotMatch(answer.text, /north|dispatcher|垃圾|李/)
  assert.equal(answer.body.checkpoint, note)
  agrees(d, answer.body)
  const whole = JSON.parse(good(ledger(d, 'prove', a.number)))
  assert.deepEqual(whole.rows.map((r) => r.digest), answer.body.rows.map((r) => r.digest))
  assert.equal((await d.ask('GET', '/api/v1/track/XXXXXXXXXX/proof')).status, 404)
  assert.equal((await d.ask('GET', `${path}?since=0`)).status, 400)
  assert.equal((await d.ask('GET', `${path}?since=1000000`)).status, 400)
  // Rows of one page.
  const rest = (await d.ask('GET', `${path}?after=1`)).body
  assert.deepEqual(rest.rows, answer.body.rows.slice(1))
  agrees(d, rest)

  assert.equal((await d.move(c.number, 'dispatch', { item: '0101', unit: 'north', assists: [] }, dispatcher)).status, 200)
  const size = Number(note.split('\n')[1]), newer = good(ledger(d, 'checkpoint'))
  assert.ok(Number(newer.split('\n')[1]) > size)
  const grown = (await d.ask('GET', `${path}?since=${size}`)).body
  assert.equal(grown.since, size)
  agrees(d, grown, note)
  agrees(d, good(ledger(d, 'prove', a.number, '--since', String(size))), note)
  objects(d, { ...grown, growth: grown.growth.slice(1) }, /not a part of this tree/, note)
  good(ledger(d, 'verify', '--against', put(d, note)))
})

test('a proof that was tampered with is refused', async (t) => {
  const { d, reports } = await filled(t)
  const proof = () => JSON.parse(good(ledger(d, 'prove', reports[0].number)))
  const n = proof().rows.length
  const with_ = (change) => {
    const p = proof()
    change(p)
    return p
  }
  objects(d, with_((p) => { p.rows[n - 1].fields.actor = 'somebody' }), new RegExp(`row ${n} was altered`))
  objects(d, with_((p) => { p.rows[0].fields.at = String(BigInt(p.rows[0].fields.at) + 1n) }), /row 1 was altered/)
  objects(d, with_((p) => { p.rows[0].digest = p.rows[1].digest }), /row 1 was altered\n.*row 1 is not in the tree/)
  objects(d, with_((p) => { p.rows[1].leaf += 1 }), /row 2 is not in the tree/)
  objects(d, with_((p) => { p.rows[1].path.pop() }), /row 2 is not in the tree/)
  objects(d, with_((p) => { p.rows.splice(1, 1) }), /row 3 does not follow|row 3 was altered/)
  objects(d, with_((p) => { p.rows.reverse() }), /does not follow/)
  objects(d, with_((p) => { p.checkpoint = p.checkpoint.replace(/\n\d+\n/, '\n4\n') }), /not signed/)
  objects(d, with_((p) => { p.checkpoint = p.checkpoint.replace(/time 20/, 'time 21') }), /not signed/)
  const elsewhere = District.make(t)
  objects(d, proof(), /not signed/, null, key(elsewhere))
})

/** SQL that forges, and who is named. */
const forgeries = [
  ['changed', (s) => `UPDATE history SET actor = 'nobody' WHERE subject = ${s} AND seq = 2`, /row 2 \(\w+\) was altered/, /row 2 was altered/],
  ['dropped, the last', (s) => `DELETE FROM history WHERE subject = ${s} AND seq = (SELECT MAX(seq) FROM history WHERE subject = ${s})`, /its last rows are gone/, /row \d is missing/],
  ['dropped, in the middle', (s) => `DELETE FROM history WHERE subject = ${s} AND seq = 2`, /row 2 is missing/, /row 2 is missing/],
  ['dropped, all of them and the case', (s) => `DELETE FROM history WHERE subject = ${s}; DELETE FROM cases WHERE id = ${s}`, /case \d+: row 1 is missing: it is in the tree as leaf/, /row 1 is missing/],
  ['reordered', (s) => `UPDATE history SET seq = 99 WHERE subject = ${s} AND seq = 1; UPDATE history SET seq = 1 WHERE subject = ${s} AND seq = 2; UPDATE history SET seq = 2 WHERE subject = ${s} AND seq = 99`, /row 1 has no place in a lane/, /row 1 was altered/],
]
for (const [name, forge, ours, theirs] of forgeries)
  test(`a row ${name}: found and named by both`, async (t) => {
    const { d, reports } = await filled(t)
    await d.stop()
    sql(d, forge(sql(d, `SELECT id FROM cases WHERE number = '${reports[1].number}'`)))
    const verdict = ledger(d, 'verify')
    assert.equal(verdict.status, 1)
    assert.match(verdict.stderr, ours)
    if (!/dropped, all/.test(name)) assert.ok(verdict.stderr.includes(`case ${reports[1].number}: `), verdict.stderr)
    objects(d, good(ledger(d, 'prove')), theirs)
  })

/** The digest of a row of `ledger prove` with other fields, as doc/ledger.md says. */
const FORGER = `import hashlib, json, struct, sys
previous = bytes(32)
for f in json.load(sys.stdin):
    texts = [f[n].encode() for n in ('move', 'origin', 'dest', 'actor', 'role', 'unit', 'form')]
    previous = hashlib.sha256(previous + struct.pack('>5q', *(int(f[n]) for n in ('subject', 'seq', 'lane', 'ordinal', 'at')))
                              + b''.join(struct.pack('>q', len(t)) + t for t in texts)).digest()
    print(previous.hex())`

test('a forger who computes the whole chain anew is found by the tree; one who makes the tree anew, by the checkpoint', async (t) => {
  const { d, reports, note } = await filled(t)
  await d.stop()
  const { number } = reports[1], subject = sql(d, `SELECT id FROM cases WHERE number = '${number}'`)
  const fields = JSON.parse(good(ledger(d, 'prove', number))).rows.map((r) => r.fields)
  fields[1].actor = 'nobody'
  const made = spawnSync('python3', ['-c', FORGER], { input: JSON.stringify(fields), encoding: 'utf8' })
  const digests = made.stdout.trim().split('\n')
  assert.equal(digests.length, fields.length, made.stderr)
  const blob = (hex) => (POSTGRES ? `'\\x${hex}'` : `x'${hex}'`)
  sql(d, [`UPDATE history SET actor = 'nobody' WHERE subject = ${subject} AND seq = 2`,
    ...digests.map((hex, i) => `UPDATE history SET hash = ${blob(hex)} WHERE subject = ${subject} AND seq = ${i + 1}`),
    `UPDATE cases SET tip = ${blob(digests.at(-1))} WHERE id = ${subject}`].join(';'))
  const verdict = ledger(d, 'verify')
  assert.equal(verdict.status, 1)
  assert.match(verdict.stderr, new RegExp(`case ${number}: row 2 \\(\\w+\\) is not the one in the tree, leaf \\d+`))
  objects(d, good(ledger(d, 'prove')), new RegExp(`case ${number}: row 2 was altered`))
  objects(d, good(ledger(d, 'prove', number)), new RegExp(`case ${number}: row 2 is not in the tree`))

  // The tree, too: all of it, from the forged rows.
  sql(d, 'DELETE FROM ledger_leaf; DELETE FROM ledger_node; UPDATE ledger_tree SET size = 0, tx = 0, seq = 0, walked = 0, walk_end = 0')
  const refused = ledger(d, 'checkpoint')
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /not what the last checkpoint says/)
  const rewritten = ledger(d, 'verify')
  assert.equal(rewritten.status, 1)
  assert.match(rewritten.stderr, /rows 0 to \d+ of the tree are not those of the checkpoint of/)
  objects(d, good(ledger(d, 'prove')), /not those of the checkpoint/)
  // And the checkpoint, signed again: only one that was kept elsewhere tells.
  sql(d, 'DELETE FROM ledger_checkpoint')
  good(ledger(d, 'checkpoint'))
  assert.equal(figures(good(ledger(d, 'verify'))).faults, 0)
  agrees(d, good(ledger(d, 'prove')))
  const against = ledger(d, 'verify', '--against', put(d, note))
  assert.equal(against.status, 1)
  assert.match(against.stderr, /not those of the checkpoint given/)
  const forged = put(d, note.replace('\ntime', '\nTime'))
  assert.match(ledger(d, 'verify', '--against', forged).stderr, /no checkpoint signed by this ledger/)
})

test('SM2 with SM3 by setting; a new key signs on, the old one still verifies', async (t) => {
  const { d, reports, note } = await filled(t, { ledger_signature: 'sm2', ledger_origin: 'yw.example.org/pingshan' })
  assert.match(note, /^yw\.example\.org\/pingshan\n/)
  // The district was made before the setting counted: its first key is the usual one.
  const first = key(d)
  d.settings = { ...d.settings, ledger_signature: 'sm2' }
  const keys = good(ledger(d, 'key', '--new')).trim().split('\n')
  assert.equal(keys.length, 2)
  assert.equal(keys[1], first)
  assert.equal(agrees(d, good(ledger(d, 'prove')), null, first).endsWith('signed'), true)
  await d.report({ text: '又一件' })
  const newer = good(ledger(d, 'checkpoint'))
  assert.notEqual(newer, note)
  for (const proof of [good(ledger(d, 'prove')), good(ledger(d, 'prove', reports[0].number)), (await d.ask('GET', `/api/v1/track/${reports[0].track}/proof`)).body])
    agrees(d, proof, null, keys[0])
  objects(d, good(ledger(d, 'prove')), /not signed/, null, ledger(d, 'key').stdout.split('\n')[1])
  assert.equal(figures(good(ledger(d, 'verify'))).faults, 0)
  good(ledger(d, 'verify', '--against', put(d, note)))
  assert.match(d.commandWith('', 'ledger', 'key', '--ledger-signature', 'rsa', '--language', 'en').stderr, /ed25519 or sm2/)
  assert.match(d.commandWith('', 'ledger', 'key', '--ledger-origin', 'a b', '--language', 'en').stderr, /ledger_origin/)
})

test('a reporter erased, keys changed: the ledger stays whole', async (t) => {
  const { d, reports, note } = await filled(t)
  const before = JSON.parse(good(ledger(d, 'prove', reports[0].number)))
  assert.match(good(d.command('erase', '--case', reports[0].number, '--reason', '本人申请', '--language', 'en')), /erased reporters: 1/)
  assert.match(good(d.command('erase', '--phone', '13900000001', '--reason', '本人申请', '--language', 'en')), /erased reporters: 1/)
  good(d.command('keys', 'rotate'))
  assert.equal(figures(good(ledger(d, 'verify', '--against', put(d, note)))).faults, 0)
  assert.deepEqual(JSON.parse(good(ledger(d, 'prove', reports[0].number))), before)
  agrees(d, before)
})
