/* Very many connections, and clients that are slow, silent or gone.  Others are served all the while; then all come back.
 * FAULTS_CONNECTIONS=10000.  The vanished client lives in a network namespace, which needs root. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { POSTGRES, until } from '../lib.mjs'
import { Site, Skip, fault, size, sleep } from './lib.mjs'

const MANY = size('CONNECTIONS', 10000)
const IDLE = 4 // seconds after which a silent client is cut
const SLOW_MOST = IDLE + 10 + 6 // seconds after which a client that drips or does not read is cut
const SERVED_MS = 2000 // p99 of the others' requests meanwhile

const descriptors = (d) => readdirSync(`/proc/${d.child.pid}/fd`).length

/** Opens a connection and gives the socket, which counts as gone when the server has closed it. */
function open(d, on = () => {}) {
  const at = new URL(d.base)
  return new Promise((done, failed) => {
    const s = connect({ port: at.port, host: at.hostname, allowHalfOpen: false })
    s.gone = false
    s.once('connect', () => done(s))
    s.once('error', failed)
    s.on('error', () => (s.gone = true))
    s.on('close', () => (s.gone = true))
    on(s)
  })
}

async function openMany(d, n, on) {
  const all = []
  while (all.length < n) all.push(...(await Promise.all(Array.from({ length: Math.min(200, n - all.length) }, () => open(d, on)))))
  return all
}

/** What others meet: reports and look-ups from eight callers for `ms`. */
async function others(d, seen, name, ms) {
  const took = [], end = Date.now() + ms
  await Promise.all(Array.from({ length: 8 }, async (_, i) => {
    for (let n = 0; Date.now() < end; n++) {
      const began = performance.now()
      const answer = i % 2 ? await d.report({ external_id: `${name}-${i}-${n}`, item: '0201' })
        : await d.ask('GET', '/api/v1/items', undefined, { key: d.key })
      assert.ok(answer.status === 200 || answer.status === 201, `${answer.status} ${answer.text}`)
      took.push(performance.now() - began)
      await sleep(5)
    }
  }))
  took.sort((a, b) => a - b)
  const at = (share) => Math.round(took[Math.floor(took.length * share)] * 10) / 10
  seen[name] = { requests: took.length, p50_ms: at(0.5), p99_ms: at(0.99), memory_mb: Math.round(d.status('VmRSS') / 1024), descriptors: descriptors(d) }
  assert.ok(at(0.99) < SERVED_MS, `p99 ${at(0.99)} ms`)
}

async function start(t, more) {
  const d = await Site.start(t, { settings: { idle_seconds: IDLE, ...more } })
  d.before_all = descriptors(d)
  return d
}

/** Every connection given out comes back. */
async function allBack(d, seconds) {
  const began = Date.now()
  await until(() => descriptors(d) <= d.before_all + 16, `descriptors come back (${descriptors(d)} of ${d.before_all})`, seconds)
  return Math.round((Date.now() - began) / 100) / 10
}

const get = (path, key) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${key ? `Authorization: Bearer ${key}\r\n` : ''}\r\n`

if (!POSTGRES) {
  fault(`${MANY} connections`, `others are served (p99 under ${SERVED_MS} ms) while ${MANY} keep-alive connections are idle and while a part is active; `
    + `idle ones are cut after idle_seconds (30), descriptors come back`, async (t, seen) => {
    const d = await start(t, { idle_seconds: 30 }) // opening them all takes some of it
    await others(d, seen, 'before', 2000)
    let answered = 0
    const ask = (s) => s.on('data', () => answered++).once('connect', () => s.write(get('/healthz')))
    const all = await openMany(d, MANY, ask)
    seen.opened = all.length
    await until(() => answered >= MANY * 0.99, 'all were answered', 30)
    await others(d, seen, 'idle', 2000)
    assert.equal(all.filter((s) => s.gone).length, 0)
    await until(() => all.every((s) => s.gone), 'idle connections are cut', 60)
    seen.back_after_s = await allBack(d, 10)

    const active = await openMany(d, MANY, ask)
    let running = true
    const chatter = (async () => {
      // Each says something now and then, so that none is idle.
      for (let i = 0; running; i = (i + 1) % active.length) {
        if (!active[i].gone) active[i].write(get('/healthz'))
        if (i % 40 === 0) await sleep(10)
      }
    })()
    for (const s of active) s.resume()
    await others(d, seen, 'active', 5000)
    running = false
    await chatter
    for (const s of active) s.destroy()
    seen.back_after_active_s = await allBack(d, 20)
    await others(d, seen, 'after', 2000)
    assert.equal((await d.stop()).code, 0)
    d.sound()
  })

  fault('slow writers', `2000 clients that drip a head or a body byte by byte are cut within ${SLOW_MOST} s (idle_seconds ${IDLE}); others are served`,
    async (t, seen) => {
      const d = await start(t)
      const began = Date.now()
      const all = await openMany(d, Math.min(2000, MANY))
      const body = `POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${d.key}\r\nContent-Type: application/json\r\nContent-Length: 50000\r\n\r\n`
      all.forEach((s, i) => s.write(i % 2 ? body : 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '))
      const drip = setInterval(() => all.forEach((s) => s.gone || s.write('x')), 1000)
      try {
        await others(d, seen, 'meanwhile', 3000)
        await until(() => all.every((s) => s.gone), 'drippers are cut', SLOW_MOST)
          .catch((e) => assert.fail(`${e.message}; left: ${all.filter((s, i) => !s.gone && i % 2 === 0).length} heads, `
            + `${all.filter((s, i) => !s.gone && i % 2).length} bodies`))
        seen.all_cut_after_s = Math.round((Date.now() - began) / 1000)
      } finally {
        clearInterval(drip)
        for (const s of all) s.destroy()
      }
      await allBack(d, 10)
    })

  fault('slow readers', `200 clients that ask for much and read nothing are cut within ${SLOW_MOST} s; memory stays within 300 MB; others are served`,
    async (t, seen) => {
      const d = await start(t)
      const key = await d.signIn('dispatcher')
      for (let i = 0; i < 200; i++) await d.report({ external_id: `big-${i}`, item: '0201', text: '很长的话'.repeat(200) })
      const began = Date.now()
      const all = await openMany(d, Math.min(200, MANY), (s) => s.pause())
      // Pipelined: more than the sockets' buffers hold.
      for (const s of all) for (let i = 0; i < 40; i++) s.write(get('/api/v1/cases?limit=200', key)) // half a megabyte each
      await others(d, seen, 'meanwhile', 3000)
      // A paused socket does not notice its end; the server's descriptors do.
      const left = () => descriptors(d) - d.before_all
      await until(() => left() <= 16, 'those who do not read are cut', SLOW_MOST).catch(() => assert.fail(`${left()} are still open`))
      seen.all_cut_after_s = Math.round((Date.now() - began) / 1000)
      for (const s of all) s.destroy()
      assert.ok(seen.meanwhile.memory_mb < 300)
      await others(d, seen, 'after', 1000)
    })

  fault('clients that vanish without a word', 'their machine is gone while 100 idle connections, 100 half requests, 100 unread answers and 100 live '
    + `streams are open: all are given up within ${SLOW_MOST + 20} s, others are served, SIGTERM ends the program within 30 s`, async (t, seen) => {
    const run = (...words) => spawnSync(words[0], words.slice(1), { encoding: 'utf8' })
    const space = `yw${process.pid % 10000}`
    if (run('ip', 'netns', 'add', space).status !== 0) throw new Skip('cannot make a network namespace here')
    t.after(() => {
      run('ip', 'link', 'del', `${space}a`)
      run('ip', 'netns', 'del', space)
    })
    run('ip', 'link', 'add', `${space}a`, 'type', 'veth', 'peer', 'name', `${space}b`, 'netns', space)
    run('ip', 'addr', 'add', '10.231.7.1/24', 'dev', `${space}a`)
    run('ip', 'link', 'set', `${space}a`, 'up')
    run('ip', '-n', space, 'addr', 'add', '10.231.7.2/24', 'dev', `${space}b`)
    run('ip', '-n', space, 'link', 'set', `${space}b`, 'up')
    const d = await start(t, { address: '0.0.0.0' })
    d.base = d.base.replace('0.0.0.0', '127.0.0.1')
    const key = await d.signIn('dispatcher')
    for (let i = 0; i < 100; i++) await d.report({ external_id: `big-${i}`, item: '0201', text: '很长的话'.repeat(200) })
    const script = `
      const { connect } = require('net'), n = ${Math.min(100, MANY / 100)}
      const say = { idle: ${JSON.stringify(get('/healthz'))}, half: 'POST /api/v1/reports HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 100\\r\\n\\r\\n{',
        unread: ${JSON.stringify(get('/api/v1/cases?limit=100', key))}.repeat(40), stream: ${JSON.stringify(get('/api/v1/events', key))} }
      let open = 0
      for (const [what, text] of Object.entries(say)) for (let i = 0; i < n; i++) {
        const s = connect({ host: '10.231.7.1', port: ${new URL(d.base).port} }, () => { s.write(text); if (++open === 4 * n) setTimeout(() => console.log('open'), 500) })
        s.on('error', () => {})
        what === 'unread' ? s.pause() : s.resume()
      }`
    const child = spawn('ip', ['netns', 'exec', space, process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (bytes) => (said += bytes))
    await until(() => /open/.test(said), 'the clients are there', 30)
    seen.open = descriptors(d) - d.before_all
    run('ip', 'link', 'set', `${space}a`, 'down')
    const began = Date.now()
    await others(d, seen, 'meanwhile', 3000)
    const left = () => descriptors(d) - d.before_all
    await until(() => left() <= 16, 'the vanished are given up', SLOW_MOST + 20).catch(() => assert.fail(`${left()} of ${seen.open} are still open`))
    seen.all_given_up_after_s = Math.round((Date.now() - began) / 1000)
    child.kill('SIGKILL')
    const stopping = Date.now()
    assert.equal((await d.stop()).code, 0)
    seen.stop_ms = Date.now() - stopping
    assert.ok(seen.stop_ms < 30000)
  })
}
