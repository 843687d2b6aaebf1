/* Memory runs out: the n-th allocation fails, for n = 1, 2, 3 ...  (fail_alloc.c), and all after it.
 * FAULTS_ALLOCATIONS=150 is how many n are tried for each deed: the first 60 one by one, then in growing steps. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { POSTGRES, PROGRAM, until } from '../lib.mjs'
import { Cluster } from './cluster.mjs'
import { Site, Skip, fault, size, sleep } from './lib.mjs'

const MOST = size('ALLOCATIONS', 150), DENSE = 60

/* OpenSSL 3.0 falls over its own NULL when memory is out while it starts; nothing of ours can help that. */
const NOT_OURS = /^libcrypto/

/** How a program ended is fine: by itself, by abort, or by a fault inside a library that is known for it. */
function fine(d, signal, what, said) {
  if (signal === null || signal === 'SIGABRT') return
  let where = 'an unknown place'
  try {
    where = readFileSync(`${d.plan}.crash`, 'utf8')
    rmSync(`${d.plan}.crash`)
  } catch (e) {
    if (e.code !== 'ENOENT') throw e
  }
  assert.match(where, NOT_OURS, `${what}: ended by ${signal} in ${where}: ${said.slice(-1500)}`)
  d.others = (d.others ?? 0) + 1
}

function* counts() {
  for (let i = 1, n = 1; i <= MOST; i++) {
    yield n
    n += i < DENSE ? 1 : Math.ceil(n / 25)
  }
}

function library(t) {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-alloc-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const made = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', join(folder, 'fail_alloc.so'), 'test/faults/fail_alloc.c'], { encoding: 'utf8' })
  if (made.error) throw new Skip('there is no C compiler')
  assert.equal(made.status, 0, made.stderr)
  return { LD_PRELOAD: join(folder, 'fail_alloc.so'), FAIL_ALLOC: join(folder, 'plan') }
}

async function site(t) {
  if (POSTGRES) await Cluster.start(t)
  const d = Site.make(t)
  d.extra = library(t)
  d.plan = d.extra.FAIL_ALLOC
  d.seen = `${d.plan}.seen`
  writeFileSync(d.plan, '0')
  await d.serve()
  return d
}

/** What the library has written down, or ''. */
function told(d) {
  try {
    return readFileSync(d.seen, 'utf8')
  } catch (e) {
    if (e.code !== 'ENOENT') throw e
    return ''
  }
}

async function arm(d, n, times) {
  writeFileSync(d.seen, 'armed soon')
  writeFileSync(d.plan, `${n} ${times}`)
  d.child.kill('SIGUSR2')
  await until(() => told(d) !== 'armed soon', 'the library is armed')
}

/** True: an allocation has failed since arm(). */
async function disarm(d) {
  writeFileSync(d.plan, '0')
  rmSync(d.seen, { force: true })
  d.child.kill('SIGUSR2')
  const words = await until(() => told(d).endsWith('\n') && told(d), 'the library answers', 5)
  return /failed/.test(words)
}

/** Does the deed with each n; `deed(n)` gives the answer or throws; `after(n, answer)` checks what is there then. */
async function campaign(t, seen, begin, times) {
  const d = await site(t)
  const { deed, after } = await begin(d)
  Object.assign(seen, { tried: 0, answered: {}, cut: 0, aborted: 0, allocations_most: 0 })
  for (const n of counts()) {
    await arm(d, n, times)
    let answer = null
    try {
      answer = await deed(n)
      seen.answered[answer.status] = (seen.answered[answer.status] ?? 0) + 1
    } catch {
      seen.cut++
    }
    await sleep(5)
    const gone = await Promise.race([d.ended, sleep(answer ? 0 : 300)])
    let failed = true
    if (!gone && d.child.exitCode === null && d.child.signalCode === null) failed = await disarm(d).catch(() => true)
    seen.tried++
    const how = d.child.exitCode !== null || d.child.signalCode !== null ? await d.ended : null
    if (how) {
      assert.notEqual(how.signal, null, `allocation ${n}: ended with ${how.code}: ${d.log.slice(-1500)}`)
      fine(d, how.signal, `allocation ${n}`, d.log)
      seen.aborted++
      writeFileSync(d.plan, '0')
      await d.serve()
    }
    await after(n, answer)
    if (!failed) break
    seen.allocations_most = n
  }
  writeFileSync(d.plan, '0')
  if (d.others) seen.inside_openssl = d.others
  await d.stop()
  d.extra = {}
  seen.cases = d.sound()
}

async function reporting(d) {
  const fields = (n) => ({ external_id: `m-${n}`, item: '010102', area_code: '990101002', reporter: { name: '李女士', phone: '13800000000' } })
  return {
    deed: (n) => d.report(fields(n), { signal: AbortSignal.timeout(20000) }),
    after: async (n, answer) => {
      assert.ok(!answer || [200, 201, 500, 503].includes(answer.status), answer?.text)
      const again = await d.report(fields(n))
      assert.ok([200, 201].includes(again.status), `allocation ${n}: ${again.text} ${d.log.slice(-1500)}`)
      if (answer?.ok) {
        assert.equal(again.status, 200, `allocation ${n} was acknowledged and is not there`)
        assert.equal(again.body.number, answer.body.number)
      }
      assert.equal(d.number(`SELECT COUNT(*) FROM report WHERE external_id = 'm-${n}'`), 1)
    },
  }
}

async function moving(d) {
  const key = await d.signIn('dispatcher')
  let number
  const prepare = async (n) => (number = (await d.report({ external_id: `v-${n}`, text: '请北街道看一下' })).body.number)
  await prepare(0)
  const ask = () => d.ask('POST', `/api/v1/cases/${number}/moves`, { move: 'dispatch', item: '0101', unit: 'north', assists: [] },
    { key, signal: AbortSignal.timeout(20000) })
  return {
    deed: ask,
    after: async (n, answer) => {
      assert.ok(!answer || [200, 500, 503].includes(answer.status), answer?.text)
      const rows = () => d.number(`SELECT COUNT(*) FROM history h JOIN cases c ON c.id = h.subject WHERE c.number = '${number}'`)
      const again = await ask()
      assert.ok([200, 409].includes(again.status), again.text)
      if (answer?.status === 200) assert.equal(again.status, 409, `allocation ${n}: the move was told and is not there`)
      assert.equal(rows(), 3)
      await prepare(n)
    },
  }
}

async function signing(d) {
  return {
    deed: async () => {
      const account = d.demo.accounts.find((a) => a.user === 'clerk')
      const signal = AbortSignal.timeout(20000)
      const answer = await d.ask('POST', '/api/v1/session', { user: account.user, password: account.password }, { signal })
      if (answer.status !== 201) return answer
      const list = await d.ask('GET', '/api/v1/cases?limit=50', undefined, { key: answer.body.token, signal })
      if (list.status === 401) throw new Error('the token is not known')
      await d.ask('GET', '/api/openapi.json', undefined, { signal })
      return list
    },
    after: async (n, answer) => assert.ok(!answer || [200, 500, 503].includes(answer.status), `allocation ${n}: ${answer?.text}`),
  }
}

const MUST = 'the program answers properly (500 or 503, then works on) or aborts, never by SIGSEGV and never with a false acknowledgement; '
  + 'after the restart everything acknowledged is there and the repeat succeeds; the history has no faults'

for (const [name, begin] of [['a report', reporting], ['a move', moving], ['signing in, reading cases, the API description', signing]]) {
  fault(`one failed allocation in ${name}`, MUST, (t, seen) => campaign(t, seen, begin, 1))
  fault(`memory out for good in ${name}`, MUST, (t, seen) => campaign(t, seen, begin, 1e9), {})
}

/* A program that is started with the plan; how it ended. */
function ran(d, words, n) {
  writeFileSync(d.plan, `${n} 1`)
  rmSync(d.seen, { force: true })
  const child = spawn(PROGRAM, words, { env: d.environment(), stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (bytes) => (said += bytes))
  return new Promise((done) => child.on('close', (code, signal) => {
    writeFileSync(d.plan, '0')
    done({ code, signal, said, failed: /failed/.test(told(d)) })
  }))
}

fault('one failed allocation in start, import and verify', 'each ends well, with an error that says why, or by abort, never by SIGSEGV; '
  + 'afterwards the import stores each row once', async (t, seen) => {
  const d = await site(t)
  await d.stop()
  const table = join(d.folder, 'table.csv')
  writeFileSync(table, ['ID,SRC,TEXT,AT', ...Array.from({ length: 20 }, (_, i) => `I${i},热线,路边有一堆垃圾,2026-01-02 03:04:05`)].join('\n'))
  const all = {
    check: ['serve', '--check', '--data', d.data],
    import: ['import', 'reports', table, '--map', 'test/packs/small/maps/sample.yaml', '--data', d.data],
    verify: ['ledger', 'verify', '--data', d.data],
    'pack check': ['pack', 'check', 'test/packs/small'],
  }
  for (const [name, words] of Object.entries(all)) {
    const found = (seen[name] = { tried: 0, well: 0, error: 0, aborted: 0, allocations_most: 0 })
    for (const n of counts()) {
      const how = await ran(d, words, n)
      fine(d, how.signal, `${name}, allocation ${n}`, how.said)
      found.tried++
      if (how.signal) found.aborted++
      else if (how.code === 0) found.well++
      else {
        found.error++
        assert.match(how.said, /\S/, `${name}, allocation ${n}: code ${how.code} and not a word`)
      }
      if (!how.failed && !how.signal) break
      found.allocations_most = n
    }
  }
  if (d.others) seen.inside_openssl = d.others
  assert.equal((await ran(d, all.import, 0)).code, 0)
  assert.equal(d.number("SELECT COUNT(*) FROM report WHERE external_id LIKE 'I%'"), 20)
  d.sound()
})
