/* The configuration of doc/nginx.md in the real nginx: client addresses, live events, limits in step, and nothing smuggled through. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, until } from './lib.mjs'
import { Raw, exchange } from './raw.mjs'

const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((p) => existsSync(p))
const skip = NGINX ? false : 'nginx is not installed (Debian: nginx-light)'

function freePort() {
  return new Promise((done) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address()
      s.close(() => done(port))
    })
  })
}

/** What doc/nginx.md says, with ports and files of this test. */
function configuration(folder, upstream, secure, plain, certificate, key) {
  const site = /```nginx\n([^]*?)```/.exec(readFileSync('doc/nginx.md', 'utf8'))[1]
  const change = [
    ['server 127.0.0.1:8080;', `server 127.0.0.1:${upstream};`], ['listen 443 ssl http2;', `listen 127.0.0.1:${secure} ssl http2;`],
    ['listen [::]:443 ssl http2;', ''], ['listen 80;', `listen 127.0.0.1:${plain};`], ['listen [::]:80;', ''],
    ['/etc/ssl/yiwang.pem', certificate], ['/etc/ssl/private/yiwang.key', key],
  ]
  const own = change.reduce((text, [was, is]) => {
    assert.ok(text.includes(was), `doc/nginx.md has "${was}"`)
    return text.replace(was, is)
  }, site)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${folder}/${n};`).join(' ')
  return `${process.getuid() === 0 ? 'user root;' : ''} daemon off; worker_processes 2; pid ${folder}/pid; error_log ${folder}/error.log info;
events { worker_connections 2000; }
http { ${paths} access_log ${folder}/access.log; ${own} }\n`
}

async function start(t, settings = {}) {
  const d = District.make(t, { settings: { trusted_proxy: '127.0.0.1', ...settings } })
  await d.serve()
  const folder = join(d.folder, 'nginx'), key = join(folder, 'key'), certificate = join(folder, 'certificate')
  mkdirSync(folder)
  const made = spawnSync('openssl', ['req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', key, '-out',
    certificate, '-days', '2', '-subj', '/CN=a', '-addext', 'subjectAltName=IP:127.0.0.1'], { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  chmodSync(key, 0o600)
  const [secure, plain] = [await freePort(), await freePort()]
  writeFileSync(join(folder, 'conf'), configuration(folder, new URL(d.base).port, secure, plain, certificate, key))
  const child = spawn(NGINX, ['-p', folder, '-c', join(folder, 'conf'), '-e', join(folder, 'error.log')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (b) => (said += b))
  const ended = new Promise((done) => child.on('exit', done))
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const listens = () => new Promise((done) => {
    const s = net.connect(secure, '127.0.0.1', () => (s.destroy(), done(true))).on('error', () => done(false))
  })
  await until(async () => (assert.equal(child.exitCode, null, said), listens()), 'nginx listens')
  const front = `https://127.0.0.1:${secure}`
  const ask = (method, path, body, { key: bearer, headers = {}, localAddress } = {}) => new Promise((done, fail) => {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const rq = https.request(front + path, {
      method, rejectUnauthorized: false, localAddress, agent: false,
      headers: { ...(text && { 'Content-Type': 'application/json' }), ...(bearer && { Authorization: `Bearer ${bearer}` }), ...headers },
    }, (answer) => {
      let all = ''
      answer.setEncoding('utf8').on('data', (s) => (all += s)).on('end', () =>
        done({ status: answer.statusCode, headers: answer.headers, text: all, body: all.startsWith('{') ? JSON.parse(all) : null }))
    })
    rq.on('error', fail).end(text)
  })
  return { d, front, plain: `http://127.0.0.1:${plain}`, ask }
}

test('requests and reports pass, encrypted outside; cookies are Secure and HSTS is sent', { skip }, async (t) => {
  const { d, front, plain, ask } = await start(t)
  const health = await ask('GET', '/healthz')
  assert.equal(health.status, 200)
  assert.equal(health.headers['strict-transport-security'], 'max-age=31536000')
  assert.equal(health.headers['x-frame-options'], 'DENY')
  assert.equal(health.headers.server, 'nginx')
  const report = await ask('POST', '/api/v1/reports', { channel: 'app', text: '灯不亮' })
  assert.equal(report.status, 201, report.text)
  const { user, password } = d.demo.accounts.find((a) => a.user === 'dispatcher')
  const session = await ask('POST', '/api/v1/session', { user, password })
  assert.match(String(session.headers['set-cookie']), /; Secure$/)
  const chunked = await ask('POST', '/api/v1/reports', { channel: 'app', text: '灯不亮' }, { headers: { 'Transfer-Encoding': 'chunked' } })
  assert.equal(chunked.status, 201, 'nginx gives a body its length')
  const moved = await fetch(plain + '/a?b', { redirect: 'manual' })
  assert.equal(moved.status, 301)
  assert.match(moved.headers.get('location'), /^https:\/\/127\.0\.0\.1\/a\?b$/)
  const session2 = http2.connect(front, { rejectUnauthorized: false })
  const stream = session2.request({ ':path': '/healthz' })
  const status = await new Promise((done, fail) => stream.on('response', (h) => done(h[':status'])).on('error', fail))
  assert.equal(status, 200, 'HTTP/2')
  session2.close()
})

test('limits count the client, not nginx, and not what the client claims', { skip }, async (t) => {
  const { ask } = await start(t, { rate_reads: 10 })
  let n = 0
  for (let i = 0; i < 15; i++)
    n += (await ask('GET', '/api/v1/items', undefined, { localAddress: '127.0.0.2', headers: { 'X-Forwarded-For': `192.0.2.${i}` } })).status === 200
  assert.ok(n >= 10 && n <= 12, `${n} of 15`)
  assert.equal((await ask('GET', '/api/v1/items', undefined, { localAddress: '127.0.0.3' })).status, 200, 'another client')
  assert.equal((await ask('GET', '/metrics', undefined, { localAddress: '127.0.0.3' })).status, 403, 'figures are not for everybody')
  assert.equal((await ask('GET', '/metrics')).status, 200)
})

test('live events come through at once', { skip }, async (t) => {
  const { d, front, ask } = await start(t)
  const key = await d.signIn('dispatcher')
  const { body } = await ask('POST', '/api/v1/reports', { channel: 'app', text: '灯不亮' })
  const live = new Raw(front)
  await live.opened
  live.write(`GET /api/v1/track/${body.track}/events HTTP/1.1\r\nHost: a\r\n\r\n`)
  await until(() => live.bytes.includes(': welcome'), 'the stream is open')
  const started = Date.now()
  assert.equal((await d.move(body.number, 'dispatch', { item: '0101', unit: 'north', assists: [] }, key)).status, 200)
  await until(() => live.bytes.includes('"dispatched"'), 'the event came')
  t.diagnostic(`the event came ${Date.now() - started} ms after the move was asked for`)
  assert.ok(Date.now() - started < 3000)
  live.end()
})

test('what is too large is refused in front; what is doubtful reaches nobody', { skip }, async (t) => {
  const { d, front, ask } = await start(t)
  const key = await d.signIn('dispatcher')
  assert.equal((await ask('POST', '/api/v1/reports', `{"channel":"app","text":"${'a'.repeat(70000)}"}`)).status, 413)
  assert.equal((await ask('GET', `/${'a'.repeat(9000)}`)).status, 414)
  const post = 'POST /api/v1/reports HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
  const inner = '{"channel":"app","text":"smuggled"}'
  const hidden = `POST /api/v1/reports HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`
  for (const text of [
    `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${post}Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${post}Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${post}Content-Length: 3\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
    `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n${hidden}`,
    `GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n`,
  ]) {
    const { statuses, closed } = await exchange(front, text, 3000)
    assert.ok(statuses.every((s) => s >= 400) && closed, `${JSON.stringify(text.slice(90, 160))}: ${statuses}`)
  }
  assert.deepEqual((await d.ask('GET', '/api/v1/cases', undefined, { key })).body.cases, [])
})

test('many requests at once over few connections: each gets its own answer', { skip }, async (t) => {
  const { d, ask } = await start(t)
  const made = await Promise.all(Array.from({ length: 40 }, (_, i) => ask('POST', '/api/v1/reports', { channel: 'hotline', text: `text ${i}`, external_id: `n${i}` }, { key: d.key })))
  assert.ok(made.every((r) => r.status === 201))
  const key = await d.signIn('dispatcher')
  await Promise.all(made.map(async (r, i) => {
    const seen = await ask('GET', `/api/v1/cases/${r.body.number}/reports`, undefined, { key })
    assert.equal(seen.body.reports[0].text, `text ${i}`)
  }))
})
