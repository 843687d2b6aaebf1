/* A disk that is full: the district's own, the WAL's alone, the one an export, a backup or rejects go to, PostgreSQL's.
 * Small tmpfs mounts stand for the disks; mounting needs root, without it the faults are skipped. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { POSTGRES, until } from '../lib.mjs'
import { Cluster } from './cluster.mjs'
import { Load, Site, Skip, fault, size, sleep } from './lib.mjs'

const ROUNDS = size('ROUNDS', 3)
const BACK_SECONDS = 5 // within this time after there is room, reports are taken again

function mount(t, kib) {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-disk-'))
  t.after(() => {
    spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'yiwang-faults', folder], { encoding: 'utf8' })
  if (made.status !== 0) throw new Skip(`cannot mount a small disk here: ${made.error?.message ?? made.stderr.trim()}`)
  chmodSync(folder, 0o755)
  return folder
}

/** Takes all the room there is; gives what makes room again. */
function fill(folder) {
  const file = join(folder, 'ballast'), f = openSync(file, 'a')
  try {
    for (let block = 1 << 20; block >= 1;) {
      try {
        if (writeSync(f, Buffer.alloc(block)) < block) throw Object.assign(new Error(), { code: 'ENOSPC' })
      } catch (e) {
        if (e.code !== 'ENOSPC') throw e
        block >>= 1
      }
    }
  } finally {
    closeSync(f)
  }
  return () => rmSync(file)
}

/** Makes a district whose files lie on that disk. */
async function siteOn(t, disk) {
  const usual = process.env.TMPDIR
  process.env.TMPDIR = disk
  try {
    return await Site.start(t)
  } finally {
    if (usual === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = usual
  }
}

const refusals = (load, more) => {
  const before = load.answers[503] ?? 0
  return until(() => (load.answers[503] ?? 0) >= before + more, 'intake is refused', 60)
}

async function back(load) {
  const began = Date.now()
  await until(() => load.last > began + 1, 'reports are taken again', BACK_SECONDS)
  return load.last - began
}

/** Reading goes on. */
async function reads(d, load) {
  const key = await d.signIn('dispatcher').catch(() => null) // a session is a row: it may be refused, not fail otherwise
  if (key) assert.equal((await d.ask('GET', '/api/v1/cases?limit=50', undefined, { key })).status, 200)
  assert.equal((await d.ask('GET', '/readyz')).status, 200)
  const [, track] = d.rows('SELECT number, track FROM cases LIMIT 1')[0]
  assert.equal((await d.ask('GET', `/api/v1/track/${track}`)).status, 200)
  assert.ok(load.acknowledged.size > 0)
}

const MUST = 'intake answers 503 with Retry-After and a sentence, never 500; the log names the disk; reading goes on; '
  + `within ${BACK_SECONDS} s of there being room it takes reports again without a restart; killed while full it starts, or says that the disk is full and starts when there is room; `
  + 'nothing acknowledged is lost, the database is whole'

if (!POSTGRES) {
  fault('disk full', MUST, async (t, seen) => {
    const disk = mount(t, 64 << 10)
    const d = await siteOn(t, disk)
    const load = new Load(d)
    Object.assign(seen, { rounds: ROUNDS, longest_return_ms: 0 })
    for (let i = 0; i < ROUNDS; i++) {
      await sleep(300)
      const room = fill(disk)
      await refusals(load, 100)
      assert.match(d.log, /store.full/)
      await reads(d, load)
      if (i > 0) {
        await d.stop('SIGKILL')
        if (await d.serve().then(() => true, () => false)) {
          await refusals(load, 100)
          await reads(d, load)
        } else {
          assert.match(d.log, /yiwang: the disk of the database is full/)
          seen.starts_refused = (seen.starts_refused ?? 0) + 1
        }
      }
      room()
      if (d.child.exitCode !== null) await d.serve() // its supervisor's work
      seen.longest_return_ms = Math.max(seen.longest_return_ms, await back(load))
      load.audit()
    }
    const room = fill(disk)
    await refusals(load, 20)
    const how = await d.stop('SIGTERM')
    assert.equal(how.code, 0, d.log.slice(-1000))
    room()
    await d.serve()
    await back(load)
    Object.assign(seen, await load.stop(), { sentence: load.sentence, reports: load.audit() })
    await load.repeat(20)
    await d.stop()
    seen.cases = d.sound()
  })

  fault('disk of the WAL full, room beside it', 'the WAL is emptied into the database and intake goes on: at most a few answers are 503; '
    + 'nothing acknowledged is lost, the database is whole', async (t, seen) => {
    const small = mount(t, 4 << 10)
    const d = Site.make(t)
    const wal = join(small, 'wal')
    writeFileSync(wal, '')
    writeFileSync(`${d.file}-wal`, '')
    const made = spawnSync('mount', ['--bind', wal, `${d.file}-wal`], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    t.after(() => spawnSync('umount', ['-l', `${d.file}-wal`]))
    await d.serve()
    const load = new Load(d)
    await refusals(load, 1)
    const at = load.acknowledged.size
    await sleep(5000)
    seen.acknowledged_in_5_s_after_full = load.acknowledged.size - at
    Object.assign(seen, await load.stop(), { sentence: load.sentence, reports: load.audit() })
    await d.stop()
    spawnSync('umount', ['-l', `${d.file}-wal`])
    await d.serve()
    load.audit()
    await d.stop()
    seen.cases = d.sound()
    assert.ok(seen.acknowledged_in_5_s_after_full > 100, 'intake stood still')
  })

  fault('export, backup, rejects, pack export and init onto a full disk', 'each ends with an error that names the file; no half file is left, '
    + 'but the rejects of an import that can go on; with room the same command works, and each rejected row stands in the list once', async (t, seen) => {
    const disk = mount(t, 256)
    const d = await Site.start(t)
    const load = new Load(d)
    await until(() => load.acknowledged.size > 500, 'there is something to export', 60)
    await load.stop()
    const table = join(d.folder, 'table.csv'), map = 'test/packs/small/maps/sample.yaml'
    writeFileSync(table, ['ID,SRC,TEXT,AT', ...Array.from({ length: 4000 }, (_, i) => `R${i},热线,路边有一堆垃圾，无法通行,not a time`)].join('\n'))
    const commands = {
      export: ['export', 'reports', join(disk, 'reports.csv')],
      backup: ['backup', join(disk, 'copy.db')],
      rejects: ['import', 'reports', table, '--map', map, '--rejects', join(disk, 'rejects.csv')],
      'pack export': ['pack', 'export', join(disk, 'pack')],
    }
    const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((f) => (f.isDirectory() ? files(join(folder, f.name)) : [f.name]))
    for (const [name, words] of Object.entries(commands)) {
      const room = fill(disk)
      const all = d.command(...words)
      room()
      assert.notEqual(all.status, 0, `${name}: ${all.stdout}`)
      seen[name] = all.stderr.trim().split('\n').at(-1)
      assert.match(seen[name], /No space|no room/, name)
      // An import goes on where it broke off, and so does its list of rejects.
      assert.deepEqual(files(disk).filter((f) => f !== 'rejects.csv'), [], name)
      rmSync(join(disk, 'pack'), { recursive: true, force: true })
    }
    spawnSync('mount', ['-o', 'remount,size=65536k', disk])
    for (const [name, words] of Object.entries(commands)) {
      const good = d.command(...words)
      assert.equal(good.status, 0, `${name}: ${good.stdout}${good.stderr}`)
      assert.ok(files(disk).length > 0)
    }
    const rejected = readFileSync(join(disk, 'rejects.csv'), 'utf8').trim().split('\n').slice(1).map((l) => Number(l.split(',')[0]))
    assert.deepEqual(rejected, Array.from({ length: 4000 }, (_, i) => i + 2))
    await d.stop()
    d.sound()
  })

  fault('init onto a full disk', 'it ends with an error; no half key is left; with room the same command works', async (t, seen) => {
    const disk = mount(t, 300)
    const first = Site.make(t)
    const d = first.sibling('full')
    d.folder = join(disk, 'district')
    d.data = join(d.folder, 'data')
    mkdirSync(d.folder)
    const init = () => d.command('init', '--pack', 'test/packs/small', '--demo', d.data)
    for (let kib = 0; kib <= 280; kib += 40) {
      rmSync(d.data, { recursive: true, force: true })
      const room = fill(disk)
      spawnSync('truncate', ['-s', `-${kib}K`, join(disk, 'ballast')])
      const made = init()
      room()
      if (made.status !== 0) seen.said = made.stderr.trim().split('\n').at(-1)
      else seen.enough_kib ??= kib
      assert.ok(made.status === 0 || made.stderr, `${kib}`)
      spawnSync('mount', ['-o', 'remount,size=65536k', disk])
      const again = init()
      assert.equal(again.status, 0, `${kib} KiB, then room: ${again.stdout}${again.stderr}`)
      assert.ok(existsSync(join(d.data, 'demo.json')))
      rmSync(d.data, { recursive: true, force: true })
      spawnSync('mount', ['-o', 'remount,size=300k', disk])
    }
  })
} else {
  fault('disk of PostgreSQL full', `${MUST}; when PostgreSQL itself gives up and is started again by its supervisor, no restart of ours is needed`,
    async (t, seen) => {
      const disk = mount(t, 256 << 10)
      const c = await Cluster.start(t, { parent: disk, settings: ['max_wal_size=64MB', 'min_wal_size=32MB'] })
      const d = await Site.start(t)
      const load = new Load(d)
      Object.assign(seen, { rounds: ROUNDS, longest_return_ms: 0, gave_up: 0 })
      for (let i = 0; i < ROUNDS; i++) {
        await sleep(500)
        const room = fill(disk)
        await refusals(load, 50)
        await sleep(500)
        const health = await d.ask('GET', '/healthz')
        assert.equal(health.status, 200)
        room()
        const up = spawnSync('psql', ['-XAtq', '-d', c.dsn, '-c', 'SELECT 1'], { encoding: 'utf8' })
        if (up.status !== 0) {
          seen.gave_up++
          c.stop('immediate')
          c.start()
        }
        seen.longest_return_ms = Math.max(seen.longest_return_ms, await back(load))
        load.audit()
      }
      Object.assign(seen, await load.stop(), { sentence: load.sentence, reports: load.audit() })
      await load.repeat(20)
      await d.stop()
      seen.cases = d.sound()
    })
}
