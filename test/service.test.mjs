/* The server as a service: what it tells the service manager, and how it ends. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, sleep, until } from './lib.mjs'

/** A real datagram socket, by a path or an abstract name; node has none, so python listens and writes what it hears. */
async function listen(t, name) {
  const code = [
    'import socket, sys, time',
    's = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)',
    'n = sys.argv[1]',
    's.bind("\\0" + n[1:] if n[0] == "@" else n)',
    'print("bound", flush=True)',
    'while True: print(f"{time.monotonic():.3f} " + s.recv(4096).decode().replace("\\n", " "), flush=True)',
  ].join('\n')
  const child = spawn('python3', ['-c', code, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  const heard = { text: '' }
  child.stdout.on('data', (bytes) => (heard.text += bytes))
  t.after(() => child.kill('SIGKILL'))
  await until(() => heard.text.startsWith('bound'), 'the socket is there')
  heard.count = (word) => heard.text.split('\n').filter((l) => l.split(' ').includes(word)).length
  return heard
}

for (const kind of ['path', 'abstract']) {
  test(`sd_notify to a socket by ${kind}`, async (t) => {
    const d = District.make(t)
    const name = kind === 'path' ? join(d.folder, 'notify') : `@yiwang-test-${process.pid}`
    const heard = await listen(t, name)
    d.extra = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '400000' }
    await d.serve()
    await until(() => heard.count('READY=1') === 1, 'READY=1')
    await until(() => heard.count('WATCHDOG=1') >= 4, 'the watchdog is fed')
    d.child.kill('SIGHUP')
    await until(() => heard.count('RELOADING=1') === 1 && heard.count('READY=1') === 2, 'RELOADING=1, then READY=1')
    assert.ok(heard.text.indexOf('RELOADING=1') < heard.text.lastIndexOf('READY=1'))
    const how = await d.stop()
    assert.equal(how.code, 0)
    await until(() => heard.count('STOPPING=1') === 1, 'STOPPING=1')
    // A watchdog meant for another process is not fed.
    d.extra.WATCHDOG_PID = '1'
    const fed = heard.count('WATCHDOG=1')
    await d.serve()
    await sleep(600)
    assert.equal(heard.count('WATCHDOG=1'), fed)
  })
}

test('the watchdog is not fed while the store does not take writes', { skip: POSTGRES && 'the lock is SQLite\'s' }, async (t) => {
  const d = District.make(t)
  const name = join(d.folder, 'notify')
  const heard = await listen(t, name)
  d.extra = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '400000' }
  await d.serve()
  await until(() => heard.count('WATCHDOG=1') >= 2, 'the watchdog is fed')
  const code = 'import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute("BEGIN IMMEDIATE"); print("held", flush=True); time.sleep(3)'
  const holder = spawn('python3', ['-c', code, join(d.data, 'yiwang.db')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = new Promise((done) => holder.on('exit', done))
  await new Promise((done) => holder.stdout.once('data', done))
  await sleep(300) // one that was on its way
  const before = heard.count('WATCHDOG=1')
  await sleep(2000)
  assert.equal(heard.count('WATCHDOG=1'), before)
  await gone
  await until(() => heard.count('WATCHDOG=1') > before, 'it is fed again')
})

test('no socket, or one that is gone: it serves all the same', async (t) => {
  const d = District.make(t)
  d.extra = { NOTIFY_SOCKET: join(d.folder, 'nobody'), WATCHDOG_USEC: '200000' }
  await d.serve()
  assert.equal((await d.report({ item: '0201' })).status, 201)
  assert.match(d.log, /systemd\.tell errno=2/)
})

test('SIGTERM under load: every request that was taken is answered, every 201 is in the store', async (t) => {
  const d = await District.start(t)
  const results = []
  let ending = false, next = 0
  const caller = async () => {
    while (!ending) {
      const id = `g-${next++}`
      const one = { id, begun: Date.now() }
      results.push(one)
      try {
        const { status, body } = await d.report({ external_id: id, item: '0201' })
        Object.assign(one, { status, track: body.track })
      } catch (e) {
        one.failed = e.cause?.code ?? e.message
      }
      if (one.status !== 201) await sleep(5)
    }
  }
  const callers = Array.from({ length: 24 }, caller)
  await until(() => results.filter((r) => r.status === 201).length > 200, 'the load runs', 60)
  const asked = Date.now()
  const ended = d.stop('SIGTERM')
  const how = await ended
  const took = Date.now() - asked
  ending = true
  await Promise.all(callers)
  assert.equal(how.code, 0, d.log)
  assert.ok(took < 20000, `${took} ms`)
  // Those under way when it was asked to end have their answer; later ones may find the door closed.
  for (const r of results.filter((one) => one.begun < asked - 50)) assert.ok([201, 503].includes(r.status), `${r.id}: ${r.status ?? r.failed}`)
  await d.serve()
  const taken = results.filter((r) => r.status === 201)
  // With the key: who has none may look up only so many a minute.
  for (const r of taken) assert.equal((await d.ask('GET', `/api/v1/track/${r.track}`, undefined, { key: d.key })).status, 200, r.id)
  t.diagnostic(`${taken.length} taken, ended within ${took} ms`)
})

test('a second signal ends it at once, and nothing acknowledged is lost', async (t) => {
  const d = await District.start(t)
  const acknowledged = []
  for (let i = 0; i < 20; i++) acknowledged.push((await d.report({ external_id: `s-${i}`, item: '0201' })).body.track)
  // A client that never ends its request holds the end up.
  const { connect } = await import('node:net')
  const slow = connect(Number(new URL(d.base).port), '127.0.0.1')
  slow.on('error', () => {})
  slow.write('POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{')
  await sleep(200)
  const child = d.child
  child.kill('SIGTERM')
  await sleep(500)
  assert.equal(child.exitCode, null, 'it waits for the client')
  const asked = Date.now()
  child.kill('SIGINT')
  const how = await d.ended
  d.child = null
  assert.equal(how.code, 1)
  assert.ok(Date.now() - asked < 1000)
  assert.match(d.log, /serve\.stop_now signal=2/)
  slow.destroy()
  await d.serve()
  for (const track of acknowledged) assert.equal((await d.ask('GET', `/api/v1/track/${track}`)).status, 200)
  await d.stop()
  assert.match(d.command('ledger', 'verify').stdout, /faults: 0/)
})
