/* Folders that cannot be written or are gone, a damaged database, too few descriptors, SIGTERM at every moment. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, copyFileSync, openSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { PINGSHAN, POSTGRES, PROGRAM, until } from '../lib.mjs'
import { Cluster } from './cluster.mjs'
import { Load, Site, Skip, between, fault, size, sleep } from './lib.mjs'

const ROUNDS = size('ROUNDS', 5)
const last = (text) => text.trim().split('\n').at(-1)

async function site(t, options) {
  if (POSTGRES) await Cluster.start(t)
  return Site.start(t, options)
}

fault('SIGTERM at every moment', 'serve ends with 0 within 30 s, also while it starts and under load; init, import, pack load, export and demo end, and run '
  + 'again to their end; nothing acknowledged is lost', async (t, seen) => {
  const d = await site(t, { pack: PINGSHAN })
  const load = new Load(d, { fields: { item: undefined, area_code: undefined } })
  Object.assign(seen, { stops: 0, longest_stop_ms: 0, in_start: 0, commands: 0, commands_cut: 0 })
  for (let i = 0; i < ROUNDS * 2; i++) {
    await sleep(between(50, 300))
    const began = Date.now()
    const how = await Promise.race([d.stop('SIGTERM'), sleep(30000)])
    assert.ok(how && how.code === 0, `${JSON.stringify(how)} ${d.log.slice(-800)}`)
    seen.longest_stop_ms = Math.max(seen.longest_stop_ms, Date.now() - began)
    seen.stops++
    d.begin()
    if (i % 2) {
      await sleep(between(0, 150))
      const early = await Promise.race([d.stop('SIGTERM'), sleep(30000)])
      assert.ok(early && (early.code === 0 || early.signal === 'SIGTERM'), `${JSON.stringify(early)} ${d.log.slice(-800)}`)
      seen.in_start++
      d.begin()
    }
    await d.listens()
    load.audit()
  }
  const table = join(d.folder, 'table.csv')
  writeFileSync(table, ['ID,SRC,TEXT,AT', ...Array.from({ length: 2000 }, (_, i) => `I${i},热线,路边有一堆垃圾,2026-01-02 03:04:05`)].join('\n'))
  const data = ['--data', d.data]
  const commands = [['import', 'reports', table, '--map', 'test/packs/small/maps/sample.yaml', ...data], ['pack', 'load', PINGSHAN, ...data],
    ['export', 'cases', join(d.folder, 'out.csv'), ...data], ['demo', '500', ...data], ['ledger', 'verify', ...data]]
  for (const words of commands) {
    for (let i = 0; i <= ROUNDS; i++) {
      rmSync(join(d.folder, 'out.csv'), { force: true })
      const child = spawn(PROGRAM, words, { env: d.environment(), stdio: ['ignore', 'ignore', 'pipe'] })
      let said = ''
      child.stderr.on('data', (bytes) => (said += bytes))
      const ended = new Promise((done) => child.on('close', (code, signal) => done({ code, signal })))
      if (i < ROUNDS) await sleep(between(5, 400)).then(() => child.kill('SIGTERM'))
      const how = await ended
      assert.ok(how.code === 0 || (i < ROUNDS && (how.signal === 'SIGTERM' || how.code > 0)), `${words.join(' ')}: ${JSON.stringify(how)} ${said}`)
      seen.commands++
      if (how.code !== 0) seen.commands_cut++
    }
  }
  Object.assign(seen, await load.stop(), { reports: load.audit() })
  assert.equal(d.number("SELECT COUNT(*) FROM report WHERE external_id LIKE 'I%'"), 2000)
  await d.stop()
  seen.cases = d.sound()
})

fault('64 file descriptors', 'a start with ulimit -n 64 serves; with 300 connections waiting it goes on answering those it has, uses under half a processor '
  + 'while nothing can be accepted, and takes reports again when they are gone', async (t, seen) => {
  if (POSTGRES) await Cluster.start(t)
  const d = Site.make(t, { settings: { store_writers: 8, idle_seconds: 5 } })
  d.before = ['prlimit', '--nofile=64:64']
  await d.serve()
  assert.equal((await d.report({ item: '0201' })).status, 201)
  const port = new URL(d.base).port, all = []
  for (let i = 0; i < 300; i++) {
    const s = connect({ port, host: '127.0.0.1' })
    s.on('error', () => {})
    all.push(s)
  }
  await sleep(1000)
  const began = d.processor()
  await sleep(3000)
  seen.processor_share = Math.round(((d.processor() - began) / 3) * 100) / 100
  let answered = 0
  for (const s of all) {
    s.on('data', () => answered++)
    s.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  }
  await until(() => answered > 0, 'those who came in are answered', 20)
  seen.answered = answered
  for (const s of all) s.destroy()
  await until(async () => (await d.report({ external_id: 'after', item: '0201' }).catch(() => null))?.status < 300, 'reports are taken again', 20)
  assert.ok(seen.processor_share < 0.5, `${seen.processor_share} of a processor`)
  assert.equal((await d.stop()).code, 0)
  d.before = []
  d.sound()
})

if (!POSTGRES) {
  fault('read-only data folder', 'the start ends with a sentence that names the cause; nothing is changed; writable again it starts', async (t, seen) => {
    const d = await Site.start(t)
    assert.equal((await d.report({ item: '0201' })).status, 201)
    await d.stop()
    const mounted = spawnSync('mount', ['--bind', d.data, d.data])
    if (mounted.status !== 0) throw new Skip('cannot mount here')
    try {
      assert.equal(spawnSync('mount', ['-o', 'remount,ro,bind', d.data]).status, 0)
      d.begin()
      const how = await d.ended
      seen.said = last(d.log)
      assert.notEqual(how.code, 0)
      assert.match(seen.said, /read-?only|只读/i)
      const verify = d.command('ledger', 'verify')
      seen.verify = last(verify.stderr)
      assert.match(seen.verify, /read-?only|只读/i)
    } finally {
      spawnSync('umount', ['-l', d.data]) // before the folder is removed
    }
    await d.serve()
    assert.equal((await d.report({ item: '0201' })).status, 201)
    await d.stop()
    d.sound()
  })

  fault('data folder or database gone under way', 'no report is acknowledged any more (503, and the log says why), reads may go on; put back and started '
    + 'again, everything acknowledged before is there', async (t, seen) => {
    const d = await Site.start(t)
    for (const name of ['folder', 'file']) {
      const load = new Load(d)
      await until(() => load.acknowledged.size > 50, 'reports are taken')
      const [from, to] = name === 'folder' ? [d.data, `${d.data}.away`] : [d.file, `${d.file}.away`]
      renameSync(from, to)
      // What was being committed then may still be told, and lies in the file that comes back.
      await until(() => load.answers[503] > 0, 'reports are refused')
      const at = load.acknowledged.size
      await sleep(1500)
      seen[name] = { acknowledged_after: load.acknowledged.size - at, sentence: load.sentence }
      assert.equal(seen[name].acknowledged_after, 0, 'reports were acknowledged that nobody will find')
      assert.match(d.log, /store.gone/)
      await load.stop()
      await d.stop()
      renameSync(to, from)
      await d.serve()
      load.audit()
    }
    await d.stop()
    d.sound()
  })

  fault('damaged database', 'bytes turned over, the file cut short, the first page overwritten, the WAL damaged: start or `ledger verify` says that it is '
    + 'damaged and what to do, no crash; a damaged WAL loses at most its tail', async (t, seen) => {
    const d = await Site.start(t)
    const load = new Load(d)
    await until(() => load.acknowledged.size > 1500, 'there is something', 90)
    await load.stop()
    await d.stop()
    const whole = `${d.folder}/whole.db`
    copyFileSync(d.file, whole)
    const damage = (name, run) => {
      copyFileSync(whole, d.file)
      rmSync(`${d.file}-wal`, { force: true })
      rmSync(`${d.file}-shm`, { force: true })
      run()
      const check = d.command('serve', '--check'), verify = d.command('ledger', 'verify')
      for (const made of [check, verify]) assert.equal(made.signal, null, `${name}: ${made.signal} ${made.stderr}`)
      return { check, verify, told: check.status !== 0 || verify.status !== 0, words: last(check.status ? check.stderr : verify.stderr || verify.stdout) }
    }
    const bytes = statSync(whole).size
    const write = (at, what) => {
      const f = openSync(d.file, 'r+')
      writeSync(f, what, 0, what.length, at)
      closeSync(f)
    }
    for (const [name, run] of [['first page', () => write(0, Buffer.alloc(100, 7))], ['cut short', () => truncateSync(d.file, Math.floor(bytes / 2))],
      ['a page of zeros', () => write(4096 * Math.floor(bytes / 8192), Buffer.alloc(4096))]]) {
      const found = damage(name, run)
      assert.ok(found.told, `${name}: nobody noticed`)
      seen[name] = found.words
    }
    Object.assign(seen, { turned: 0, told: 0 })
    for (let i = 0; i < ROUNDS * 6; i++) {
      const at = Math.floor(between(100, bytes)), before = readFileSync(whole).subarray(at, at + 16)
      const found = damage('bytes', () => write(at, Buffer.from(before.map((b) => b ^ 0xff))))
      seen.turned++
      if (found.told) seen.told++
      // What nobody notices lies in unused room, or in a text that no chain of hashes covers: SQLite has no checksums of pages.
      else assert.equal(spawnSync('sqlite3', ['-readonly', d.file, 'PRAGMA integrity_check'], { encoding: 'utf8' }).stdout.trim(), 'ok', `at ${at}`)
    }
    copyFileSync(whole, d.file)
    await d.serve()
    const more = new Load(d)
    await until(() => more.acknowledged.size > 200, 'there is a WAL')
    await more.stop()
    await d.stop('SIGKILL')
    const wal = `${d.file}-wal`, f = openSync(wal, 'r+')
    writeSync(f, Buffer.alloc(64, 0xaa), 0, 64, Math.floor(statSync(wal).size / 2))
    closeSync(f)
    await d.serve()
    assert.equal((await d.report({ item: '0201' })).status, 201)
    await d.stop()
    d.sound()
  })
}
