/* The database server goes away in every way it can: stopped, restarted, cut off, frozen.  PostgreSQL only. */
import assert from 'node:assert/strict'
import { until } from '../lib.mjs'
import { Cluster } from './cluster.mjs'
import { Load, Site, between, fault, size, sleep } from './lib.mjs'

const ROUNDS = size('ROUNDS', 5)
const BACK_SECONDS = 10 // within this time after the server's return, reports are taken again

/** Sees for `ms` that pages which need no database still answer, and what the server says of itself. */
async function away(d, ms, seen) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) {
    const health = await d.ask('GET', '/healthz', undefined, { signal: AbortSignal.timeout(5000) })
    assert.equal(health.status, 200)
    const ready = await d.ask('GET', '/readyz', undefined, { signal: AbortSignal.timeout(30000) }).catch(() => null)
    assert.ok(ready, '/readyz gave no answer within 30 seconds')
    assert.ok(ready.status === 503 || ready.status === 200, `${ready.status} ${ready.text}`)
    if (ready.status === 503) seen.said_not_ready = true
  }
}

/** From now until the load is acknowledged again. */
async function back(load) {
  const began = Date.now()
  await until(() => load.last > began + 1, 'reports are taken again', BACK_SECONDS)
  return load.last - began
}

async function campaign(t, seen, settings, once) {
  const c = await Cluster.start(t)
  const d = await Site.start(t, { settings })
  const load = new Load(d, { patience: 30000 })
  await sleep(500)
  seen.rounds = ROUNDS
  seen.longest_return_ms = 0
  for (let i = 0; i < ROUNDS; i++) {
    await sleep(between(100, 400))
    await once(c, d, load)
    seen.longest_return_ms = Math.max(seen.longest_return_ms, await back(load))
    load.audit()
  }
  await sleep(1000)
  Object.assign(seen, await load.stop(), { sentence: load.sentence, reports: load.audit() })
  await load.repeat(20)
  seen.reconnects = Number(/yiwang_store_reconnects_total (\d+)/.exec((await d.ask('GET', '/metrics')).text)?.[1])
  const how = await d.stop()
  assert.equal(how.code, 0, d.log.slice(-2000))
  seen.cases = d.sound()
}

const MUST = 'answers are 503 with Retry-After and a sentence, never 500, never a false 201; pages that need no database answer; '
  + `reports are taken again within ${BACK_SECONDS} s of its return without a restart; nothing acknowledged is lost, nothing stored twice`

if (process.env.YIWANG_TEST_STORE === 'postgres') {
  fault('database stopped (fast) and started', MUST, (t, seen) => campaign(t, seen, {}, async (c, d) => {
    c.stop('fast')
    await away(d, between(200, 3000), seen)
    c.start()
  }))

  fault('database crashed (immediate) and started', MUST, (t, seen) => campaign(t, seen, {}, async (c, d) => {
    c.stop('immediate')
    await away(d, between(200, 3000), seen)
    c.start()
  }))

  fault('all connections cut (pg_terminate_backend)', MUST, (t, seen) => campaign(t, seen, {}, async (c) => {
    for (let i = 0; i < 5; i++) {
      c.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'yiwang'")
      await sleep(between(0, 100))
    }
  }))

  fault('statements cancelled (pg_cancel_backend)', MUST, (t, seen) => campaign(t, seen, {}, async (c) => {
    for (let i = 0; i < 20; i++) {
      c.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'yiwang' AND state <> 'idle'")
      await sleep(20)
    }
  }))

  fault('database frozen (SIGSTOP) for 3 seconds', MUST, (t, seen) => campaign(t, seen, {}, async (c, d) => {
    c.freeze()
    await away(d, 3000, seen)
    c.thaw()
  }))

  fault('database frozen (SIGSTOP) for 40 seconds', `${MUST}; no request waits longer than 30 s, and SIGTERM while frozen ends the program within 60 s`,
    async (t, seen) => {
      const c = await Cluster.start(t)
      const d = await Site.start(t)
      const load = new Load(d, { patience: 30000 })
      await sleep(500)
      c.freeze()
      await away(d, 40000, seen)
      c.thaw()
      seen.longest_return_ms = await back(load)
      Object.assign(seen, await load.stop(), { sentence: load.sentence, reports: load.audit() })
      const late = new Load(d, { patience: 60000 })
      await sleep(300)
      c.freeze()
      await sleep(300)
      const began = Date.now()
      const how = await Promise.race([d.stop('SIGTERM'), sleep(60000)])
      seen.end_while_frozen_ms = Date.now() - began
      c.thaw()
      await late.stop()
      assert.ok(how, 'the program did not end within 60 seconds of SIGTERM while the database was frozen')
      await d.serve()
      load.audit()
      late.audit()
      await d.stop()
      seen.cases = d.sound()
    })

  fault('started while the database is away', 'the start fails with a clear sentence within 30 s; started again later it serves', async (t, seen) => {
    const c = await Cluster.start(t)
    const d = await Site.start(t)
    await d.stop()
    c.stop('fast')
    d.begin()
    const began = Date.now()
    const how = await d.ended
    seen.ended_ms = Date.now() - began
    seen.said = d.log.trim().split('\n').at(-1)
    assert.notEqual(how.code, 0)
    assert.ok(seen.ended_ms < 30000)
    assert.match(seen.said, /database|数据库/, d.log)
    c.start()
    await d.serve()
    assert.equal((await d.report({})).status, 201)
  })
}
