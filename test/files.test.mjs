/* Files and folders the program writes: those with personal data or secrets belong to its user alone, whatever the umask. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, PROGRAM, SMALL } from './lib.mjs'

const mode = (path) => (statSync(path).mode & 0o777).toString(8)
const modes = (folder) => Object.fromEntries(readdirSync(folder).sort().map((name) => [name, mode(join(folder, name))]))

/** Runs `body` with a umask that forbids nothing. */
async function open(body) {
  const before = process.umask(0)
  try {
    return await body()
  } finally {
    process.umask(before)
  }
}

test('what init, serve, backup, export and import write belongs to one user alone', async (t) => {
  await open(async () => {
    const d = await District.start(t)
    const key = await d.signIn('dispatcher')
    for (let i = 0; i < 3; i++) assert.equal((await d.report({ reporter: { name: '王女士', phone: '13800001234' } })).status, 201)
    assert.equal((await d.ask('GET', '/api/v1/cases', undefined, { key })).status, 200)
    assert.equal(mode(d.data), '700')
    const wanted = POSTGRES ? ['demo.json', 'ledger.key', 'seal.key'] : ['demo.json', 'ledger.key', 'seal.key', 'yiwang.db', 'yiwang.db-shm', 'yiwang.db-wal']
    assert.deepEqual(modes(d.data), Object.fromEntries(wanted.map((name) => [name, '600'])))

    const out = join(d.folder, 'out')
    mkdirSync(out)
    if (!POSTGRES) assert.equal(d.command('backup', join(out, 'copy.db')).status, 0)
    assert.equal(d.command('export', 'cases', join(out, 'cases.csv')).status, 0)
    assert.equal(d.command('export', 'reports', join(out, 'reports.jsonl')).status, 0)
    await d.stop()
    assert.deepEqual(Object.values(modes(out)), Array(POSTGRES ? 2 : 3).fill('600'), JSON.stringify(modes(out)))
    t.diagnostic(JSON.stringify({ data: modes(d.data), out: modes(out) }))
  })
})

test('a data folder that was there before, open to all, still keeps its files closed', async (t) => {
  await open(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'yiwang-test-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const data = join(folder, 'data')
    mkdirSync(data, 0o755)
    chmodSync(data, 0o755)
    const env = { ...process.env }
    delete env.YIWANG_STORE
    const made = spawnSync(PROGRAM, ['init', '--pack', SMALL, '--demo', data], { encoding: 'utf8', env })
    assert.equal(made.status, 0, made.stderr)
    assert.deepEqual(new Set(Object.values(modes(data))), new Set(['600']), JSON.stringify(modes(data)))
  })
})

test('a key file that others may read is refused', async (t) => {
  const d = District.make(t)
  chmodSync(join(d.data, 'seal.key'), 0o644)
  const r = d.command('serve', '--port', '0')
  assert.equal(r.status, 1)
  assert.match(r.stderr, /seal\.key must be readable by its owner alone \(chmod 600\)/)
})

test('secrets and personal data are in no log, output or figure', async (t) => {
  const secret = 'a-very-secret-word'
  const d = District.make(t)
  writeFileSync(join(d.folder, 'secret'), `${secret}\n`, { mode: 0o600 })
  d.settings = { smtp_password_file: join(d.folder, 'secret'), smtp_url: 'smtp://127.0.0.1:9', access_log: 'yes' }
  await d.serve()
  const key = await d.signIn('dispatcher')
  await d.report({ reporter: { name: '欧阳测试', phone: '13912345678' } })
  await d.ask('GET', '/api/v1/cases', undefined, { key })
  for (const hidden of [secret, key, d.key, '欧阳测试', '13912345678', ...d.demo.accounts.map((a) => a.password)])
    assert.ok(!d.log.includes(hidden) && !d.said.includes(hidden), 'in the log')
  const { text } = await d.ask('GET', '/metrics')
  assert.ok(!text.includes(secret) && !text.includes(key))
})
