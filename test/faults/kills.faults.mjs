/* kill -9 at every moment of a program's life.  FAULTS_KILLS=200 is how many in all. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PINGSHAN, POSTGRES, PROGRAM, SMALL } from '../lib.mjs'
import { Cluster } from './cluster.mjs'
import { Load, Site, between, fault, size, sleep } from './lib.mjs'

const KILLS = size('KILLS', 200)
const share = (part) => Math.max(1, Math.round(KILLS * part))

async function site(t, options) {
  if (POSTGRES) await Cluster.start(t)
  return Site.start(t, options)
}

/** Runs a command of the program and kills it after `ms`; its exit code, or 'killed'. */
function killed(d, ms, words) {
  const child = spawn(PROGRAM, words, { env: d.environment(), stdio: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  return new Promise((done) => child.on('exit', (code) => {
    clearTimeout(timer)
    done(code ?? 'killed')
  }))
}

async function length(run) {
  const began = Date.now()
  await run()
  return Date.now() - began
}

/* After each kill the server starts, has everything it acknowledged, and gives repeats their numbers. */
async function rounds(d, load, times, once) {
  let longest = 0
  for (let i = 0; i < times; i++) {
    await once(i)
    longest = Math.max(longest, await length(() => d.serve()))
    load.audit()
    await load.repeat(4)
  }
  return longest
}

async function finish(d, load, seen) {
  await sleep(300)
  Object.assign(seen, await load.stop(), { reports: load.audit() })
  await d.stop()
  seen.cases = d.sound()
}

const KEPT = 'after each start every acknowledged number is there, a repeat gets the same number, nothing is stored twice; '
  + 'at the end the history has no faults and the database is whole'

fault('kill -9 under load', KEPT, async (t, seen) => {
  const d = await site(t)
  const load = new Load(d)
  seen.kills = share(0.4)
  seen.longest_start_ms = await rounds(d, load, seen.kills, async (i) => {
    await sleep(between(20, 400))
    await d.stop('SIGKILL')
    if (i % 20 === 19) d.sound()
  })
  assert.ok(load.acknowledged.size > seen.kills, 'too few reports were acknowledged to mean anything')
  await finish(d, load, seen)
})

fault('kill -9 during start', KEPT, async (t, seen) => {
  const d = await site(t)
  const load = new Load(d)
  await sleep(300)
  await d.stop('SIGKILL')
  const usual = await length(() => d.serve())
  Object.assign(seen, { kills: share(0.2), usual_start_ms: usual, before_listening: 0 })
  seen.longest_start_ms = await rounds(d, load, seen.kills, async () => {
    await d.stop('SIGKILL')
    d.begin()
    await sleep(between(0, usual * 1.2))
    if (!/listening/.test(d.said)) seen.before_listening++
    await d.stop('SIGKILL')
  })
  await finish(d, load, seen)
})

fault('kill -9 during shutdown', KEPT, async (t, seen) => {
  const d = await site(t)
  const load = new Load(d)
  Object.assign(seen, { kills: share(0.15), ended_before: 0 })
  seen.longest_start_ms = await rounds(d, load, seen.kills, async () => {
    await sleep(between(100, 300))
    d.child.kill('SIGTERM')
    await sleep(between(0, 60))
    const how = await d.stop('SIGKILL')
    if (how.code === 0) seen.ended_before++
  })
  await finish(d, load, seen)
})

fault('kill -9 of init', 'the same command again makes the district whole, and it takes reports', async (t, seen) => {
  if (POSTGRES) await Cluster.start(t)
  const first = Site.make(t)
  const init = (d) => ['init', '--pack', SMALL, '--demo', d.data]
  const fresh = (name) => {
    const d = first.sibling(name)
    mkdirSync(d.folder)
    return d
  }
  const whole = fresh('whole')
  const usual = await length(async () => assert.equal(await killed(whole, 60000, init(whole)), 0))
  Object.assign(seen, { kills: 0, usual_ms: usual })
  for (let i = 0; seen.kills < share(0.1); i++) {
    // A folder of its own for each, killed twice at most, so that the tables are made anew each time.
    const d = fresh(`killed-${i}`)
    for (let k = 0; k < 2; k++) if ((await killed(d, between(0, usual), init(d))) === 'killed') seen.kills++
    assert.equal(await killed(d, 60000, init(d)), 0)
    d.adopt()
    await d.serve()
    const begun = await d.report({ external_id: 'first', item: '0201' })
    assert.equal(begun.status, 201, begun.text)
    await d.stop()
    d.sound()
  }
})

fault('kill -9 of pack load', 'the server goes on under load; the version in force is the old or the new one, whole; loading again works; '
  + 'SIGHUP at any moment is fine', async (t, seen) => {
  const d = await site(t, { pack: PINGSHAN })
  const load = new Load(d, { callers: 4, fields: { item: undefined, area_code: undefined } })
  const pack = join(d.folder, 'pack'), words = ['pack', 'load', pack, '--data', d.data]
  cpSync(PINGSHAN, pack, { recursive: true })
  const change = () => appendFileSync(join(pack, 'pack.yaml'), '# changed\n')
  const versions = () => d.number('SELECT MAX(id) FROM pack_version')
  change()
  const usual = await length(async () => assert.equal(await killed(d, 60000, words), 0))
  Object.assign(seen, { kills: 0, usual_ms: usual, ended: 0 })
  while (seen.kills < share(0.075)) {
    const before = versions()
    change()
    const how = await killed(d, between(0, usual), words)
    how === 'killed' ? seen.kills++ : seen.ended++
    const after = versions()
    assert.ok(after === before + 1 || (how === 'killed' && after === before), `version ${before} became ${after}`)
    d.child.kill('SIGHUP')
    const ready = await d.ask('GET', '/readyz')
    assert.equal(ready.status, 200, ready.text)
    assert.equal(d.number('SELECT COUNT(DISTINCT n) FROM (SELECT version, COUNT(*) AS n FROM unit GROUP BY version) AS u'), 1)
  }
  await d.stop('SIGKILL')
  await d.serve()
  await finish(d, load, seen)
})

fault('kill -9 of import', 'the same import again ends what was begun: each row is stored once', async (t, seen) => {
  const d = await site(t)
  const load = new Load(d, { callers: 4 })
  const table = (tag, n) => {
    const rows = Array.from({ length: n }, (_, i) => `${tag}${i},热线,第${i}号路边有一堆垃圾,2026-01-02 03:04:05`)
    const file = join(d.folder, `${tag}.csv`)
    writeFileSync(file, ['ID,SRC,TEXT,AT', ...rows].join('\n'))
    return ['import', 'reports', file, '--map', 'test/packs/small/maps/sample.yaml', '--data', d.data]
  }
  const n = size('ROWS', 3000)
  const usual = await length(async () => assert.equal(await killed(d, 300000, table('W', n)), 0))
  const words = table('I', n)
  Object.assign(seen, { rows: n, usual_ms: usual, kills: 0, ended: 0 })
  const stored = () => d.number("SELECT COUNT(*) FROM report WHERE external_id LIKE 'I%'")
  for (let i = 0; seen.kills < share(0.075) && i < KILLS; i++) {
    const before = stored()
    // What is stored already goes faster the second time.
    const how = await killed(d, between(0, i ? usual / 2 : usual), words)
    how === 'killed' ? seen.kills++ : seen.ended++
    assert.ok(stored() >= before)
  }
  assert.equal(await killed(d, 300000, words), 0)
  assert.equal(stored(), n)
  assert.equal(d.number("SELECT COUNT(DISTINCT external_id) FROM report WHERE external_id LIKE 'I%'"), n)
  await finish(d, load, seen)
})
