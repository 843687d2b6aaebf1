/* PostgreSQL back to an instant, as doc/operations.md says: pg_basebackup, archive_command, recovery_target_time, on a server of our own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, appendFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, PROGRAM, sleep } from './lib.mjs'

const programs = spawnSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1'], { encoding: 'utf8' }).stdout.trim()
// PostgreSQL refuses to run as root.
const user = process.getuid() === 0 ? spawnSync('sh', ['-c', 'id -un postgres || echo nobody'], { encoding: 'utf8' }).stdout.trim() : null
const ids = user && { uid: Number(spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout), gid: Number(spawnSync('id', ['-g', user], { encoding: 'utf8' }).stdout) }

async function free_port() {
  const s = createServer()
  await new Promise((done) => s.listen(0, '127.0.0.1', done))
  const { port } = s.address()
  await new Promise((done) => s.close(done))
  return port
}

function run(name, ...words) {
  const made = spawnSync(join(programs, name), words, { encoding: 'utf8', cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], ...ids })
  assert.equal(made.status, 0, `${name} ${words.join(' ')}: ${made.stdout}${made.stderr}`)
  return made.stdout
}

/** A folder that the server's user owns. */
function folder(path) {
  mkdirSync(path, { mode: 0o700 })
  if (ids) chownSync(path, ids.uid, ids.gid)
  return path
}

function start(t, data, port) {
  const log = `${data}.log`
  const made = spawnSync(join(programs, 'pg_ctl'), ['-D', data, '-l', log, '-s', '-w', '-t', '60', '-o', `-p ${port} -k '' -c listen_addresses=127.0.0.1`, 'start'],
    { encoding: 'utf8', cwd: '/', stdio: 'ignore', ...ids })
  assert.equal(made.status, 0, existsSync(log) ? readFileSync(log, 'utf8') : 'no log')
  t.after(() => spawnSync(join(programs, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop'], { cwd: '/', stdio: 'ignore', ...ids }))
}

test('base backup, archived log, recovery to an instant under load', { skip: !POSTGRES && 'PostgreSQL only' }, async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'yiwang-pgarchive-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  chmodSync(home, 0o711)
  if (ids) chownSync(home, ids.uid, ids.gid)
  const data = join(home, 'data'), wal = folder(join(home, 'wal')), port = await free_port()
  run('initdb', '-D', data, '-U', 'yiwang', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8')
  appendFileSync(join(data, 'postgresql.conf'), `archive_mode = on\narchive_command = 'test ! -f ${wal}/%f && cp %p ${wal}/%f'\narchive_timeout = 60\nmax_connections = 60\n`)
  start(t, data, port)

  // A district on it.
  const d = new District()
  d.folder = home
  d.data = join(home, 'district')
  d.settings = {}
  d.store = `postgres://yiwang@127.0.0.1:${port}/postgres?schema=district`
  t.after(() => d.stop('SIGKILL'))
  const made = d.command('init', '--pack', 'test/packs/small', '--demo', d.data)
  assert.equal(made.status, 0, made.stderr)
  d.demo = JSON.parse(readFileSync(join(d.data, 'demo.json'), 'utf8'))
  d.key = d.demo.channel_key
  await d.serve()
  await d.report({ external_id: 'before', item: '0201' })
  const base = join(home, 'base')
  run('pg_basebackup', '-D', base, '-X', 'none', '-c', 'fast', '-h', '127.0.0.1', '-p', String(port), '-U', 'yiwang')

  const sent = []
  let running = true, next = 0
  const callers = Array.from({ length: 4 }, async () => {
    while (running) {
      const one = { id: `p-${next++}`, begun: Date.now(), answered: Infinity }
      sent.push(one)
      if ((await d.report({ external_id: one.id, item: '0201' })).status === 201) one.answered = Date.now()
    }
  })
  await sleep(1500)
  const at = Date.now()
  await sleep(1500)
  running = false
  await Promise.all(callers)
  await d.stop()
  run('psql', '-X', '-q', '-h', '127.0.0.1', '-p', String(port), '-U', 'yiwang', 'postgres', '-c', 'SELECT pg_switch_wal()')
  // All of the log is archived; then the server is lost.
  for (let i = 0; ; i++) {
    const waiting = readdirSync(join(data, 'pg_wal', 'archive_status')).filter((f) => f.endsWith('.ready'))
    if (!waiting.length) break
    assert.ok(i < 300, `not archived: ${waiting}`)
    await sleep(100)
  }
  run('pg_ctl', '-D', data, '-m', 'immediate', 'stop')
  rmSync(data, { recursive: true })

  const restored = join(home, 'restored'), port2 = await free_port()
  cpSync(base, restored, { recursive: true })
  if (ids) spawnSync('chown', ['-R', `${ids.uid}:${ids.gid}`, restored])
  chmodSync(restored, 0o700)
  writeFileSync(join(restored, 'recovery.signal'), '')
  appendFileSync(join(restored, 'postgresql.conf'), [
    `restore_command = 'cp ${wal}/%f %p'`, `recovery_target_time = '${new Date(at).toISOString().replace('T', ' ').replace('Z', '+00')}'`,
    "recovery_target_action = 'promote'", 'archive_mode = off', ''].join('\n'))
  start(t, restored, port2)
  d.store = `postgres://yiwang@127.0.0.1:${port2}/postgres?schema=district`
  // It answers reads while it recovers; writes when it is promoted.
  for (let i = 0; run('psql', '-X', '-A', '-t', '-h', '127.0.0.1', '-p', String(port2), '-U', 'yiwang', 'postgres', '-c', 'SELECT pg_is_in_recovery()').trim() !== 'f'; i++) {
    assert.ok(i < 300, 'promoted')
    await sleep(100)
  }
  const verdict = d.command('ledger', 'verify', '--language', 'en')
  assert.equal(verdict.status, 0, verdict.stderr)
  assert.match(verdict.stdout, /faults: 0/)
  const file = join(home, 'out.jsonl')
  const exported = spawnSync(PROGRAM, ['export', 'reports', file, '--data', d.data], { encoding: 'utf8', env: d.environment() })
  assert.equal(exported.status, 0, exported.stderr)
  const there = new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l).external_id))
  assert.ok(there.has('before'))
  let must = 0
  for (const { id, begun, answered } of sent) {
    if (answered < at) must++, assert.ok(there.has(id), `${id} was acknowledged before`)
    if (begun > at) assert.ok(!there.has(id), `${id} was sent after`)
  }
  assert.ok(must > 10, `only ${must}`)
  t.diagnostic(`${there.size} reports at the instant, ${must} acknowledged before it, ${sent.length} sent in all`)
  await d.serve()
  assert.equal((await d.report({ external_id: 'after', item: '0201' })).status, 201)
})
