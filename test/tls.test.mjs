/* HTTPS by certificate files: which protocols and ciphers are taken, what is refused at start, and certificates changed while it runs. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import { District, sleep, until } from './lib.mjs'
import { Raw, exchange } from './raw.mjs'

function openssl(...words) {
  const r = spawnSync('openssl', words, { encoding: 'utf8', input: '' })
  assert.ok(!r.error, `openssl is needed (deps/debian-test.txt): ${r.error}`)
  return r
}

/** A key and a certificate of its own; {key, certificate} are file names. */
function makePair(folder, name, kind, days = '30') {
  const key = join(folder, `${name}.key`), certificate = join(folder, `${name}.pem`)
  const r = openssl('req', '-x509', '-nodes', '-newkey', ...kind, '-keyout', key, '-out', certificate, '-days', days, '-subj',
    `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost')
  assert.equal(r.status, 0, r.stderr)
  chmodSync(key, 0o600)
  return { key, certificate }
}
const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
const RSA = ['rsa:2048']

async function startWith(t, kind, settings = {}) {
  const d = District.make(t)
  d.pair = makePair(d.folder, 'first', kind)
  d.settings = { tls_certificate: d.pair.certificate, tls_key: d.pair.key, ...settings }
  await d.serve()
  assert.match(d.base, /^https:/)
  return d
}

/** A request by node's own client, on a connection kept by `agent`. */
function ask(d, method, path, body, { agent, headers = {}, ca = readFileSync(d.pair.certificate) } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((done, fail) => {
    const rq = https.request(d.base + path, {
      method, ca, agent, headers: { ...(text && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }), ...headers },
    }, (answer) => {
      let all = ''
      answer.setEncoding('utf8').on('data', (s) => (all += s)).on('end', () =>
        done({ status: answer.statusCode, headers: answer.headers, text: all, body: all.startsWith('{') ? JSON.parse(all) : null }))
    })
    rq.on('error', fail).end(text)
  })
}

/** What s_client got: protocol and cipher, or null when refused. */
function handshake(d, ...words) {
  const { port } = new URL(d.base)
  const r = openssl('s_client', '-connect', `127.0.0.1:${port}`, ...words)
  const protocol = /^New, (TLSv[\d.]+), Cipher is (\S+)/m.exec(r.stdout)
  const group = /^(?:Server|Peer) Temp Key: (.+)$/m.exec(r.stdout)
  return protocol ? { protocol: protocol[1], cipher: protocol[2], group: group?.[1] } : null
}

for (const [name, kind, ours] of [['ECDSA', EC, 'ECDHE-ECDSA'], ['RSA', RSA, 'ECDHE-RSA']])
  test(`protocols and ciphers with a certificate of ${name}`, async (t) => {
    const d = await startWith(t, kind)
    const old = ['-cipher', 'ALL:@SECLEVEL=0']
    const table = []
    const see = (what, wanted, ...words) => {
      const got = handshake(d, ...words)
      table.push(`${what}: ${got ? `${got.protocol} ${got.cipher} ${got.group ?? ''}` : 'refused'}`)
      assert.equal(!!got, wanted, `${what}: ${JSON.stringify(got)}`)
      return got
    }
    see('TLS 1.0', false, '-tls1', ...old)
    see('TLS 1.1', false, '-tls1_1', ...old)
    assert.equal(see('TLS 1.2', true, '-tls1_2').cipher, `${ours}-AES256-GCM-SHA384`)
    const newest = see('TLS 1.3', true, '-tls1_3')
    assert.equal(newest.protocol, 'TLSv1.3')
    assert.match(newest.group, /X25519/)
    for (const cipher of [`${ours}-AES128-GCM-SHA256`, `${ours}-CHACHA20-POLY1305`]) see(cipher, true, '-tls1_2', '-cipher', cipher)
    for (const cipher of ['AES256-GCM-SHA384', 'AES128-SHA', 'DHE-RSA-AES256-GCM-SHA384', `${ours}-AES256-SHA`, `${ours}-AES256-SHA384`,
      `${ours}-AES256-CCM`, 'ADH-AES256-GCM-SHA384', 'eNULL', 'PSK-AES256-GCM-SHA384', 'ECDHE-PSK-CHACHA20-POLY1305'])
      see(cipher, false, '-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`)
    for (const suite of ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'])
      see(suite, true, '-tls1_3', '-ciphersuites', suite)
    see('TLS_AES_128_CCM_SHA256', false, '-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_SHA256')
    see('SHA-1 signatures', false, '-tls1_2', '-sigalgs', name === 'RSA' ? 'RSA+SHA1' : 'ECDSA+SHA1', '-cipher', 'DEFAULT:@SECLEVEL=0')
    t.diagnostic(table.join('; '))
  })

test('requests, reports and live events over HTTPS; HSTS and Secure cookies', async (t) => {
  const d = await startWith(t, EC)
  const health = await ask(d, 'GET', '/healthz')
  assert.equal(health.status, 200)
  assert.equal(health.headers['strict-transport-security'], 'max-age=31536000')
  const receipt = await ask(d, 'POST', '/api/v1/reports', { channel: 'app', text: '灯不亮' })
  assert.equal(receipt.status, 201)
  const { user, password } = d.demo.accounts.find((a) => a.user === 'dispatcher')
  const session = await ask(d, 'POST', '/api/v1/session', { user, password })
  assert.match(String(session.headers['set-cookie']), /; Secure$/)
  const cases = await ask(d, 'GET', '/api/v1/cases', undefined, { headers: { Authorization: `Bearer ${session.body.token}` } })
  assert.equal(cases.body.cases[0].number, receipt.body.number)
  const large = await ask(d, 'GET', '/api/openapi.json')
  assert.ok(large.text.length > 10000 && JSON.parse(large.text).openapi)
  const events = new Raw(d.base)
  await events.opened
  events.write(`GET /api/v1/track/${receipt.body.track}/events HTTP/1.1\r\nHost: a\r\n\r\n`)
  await until(() => events.bytes.includes(': welcome'), 'the stream is open')
  const sent = await ask(d, 'POST', `/api/v1/cases/${receipt.body.number}/moves`, { move: 'dispatch', item: '0101', unit: 'north', assists: [] },
    { headers: { Authorization: `Bearer ${session.body.token}` } })
  assert.equal(sent.status, 200, sent.text)
  await until(() => events.bytes.includes('dispatched'), 'the event came')
  events.end()
  assert.deepEqual((await exchange(d.base, 'GET /healthz HTTP/1.1\nHost: a\n\n', 3000)).statuses, [400], 'heads are looked at as over HTTP')
})

test('plain HTTP on the port of HTTPS, and slow handshakes, hurt nobody', async (t) => {
  const d = await startWith(t, EC, { idle_seconds: 2 })
  const plain = await exchange(d.base.replace('https', 'http'), 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 5000)
  assert.deepEqual(plain.statuses, [])
  assert.ok(plain.closed)
  const started = Date.now()
  const silent = new Raw(d.base.replace('https', 'http'))
  const half = new Raw(d.base.replace('https', 'http'))
  const dripping = new Raw(d.base.replace('https', 'http'))
  await Promise.all([silent.opened, half.opened, dripping.opened])
  half.write('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03')
  const hello = '\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03' + 'a'.repeat(200)
  const drip = (async () => {
    for (let i = 0; !dripping.closed && i < 60; i++) {
      dripping.write(hello[i])
      await dripping.wait(500)
    }
  })()
  assert.equal((await ask(d, 'GET', '/healthz')).status, 200)
  await Promise.all([silent.wait(20000), half.wait(20000), drip])
  assert.ok(silent.closed && half.closed && dripping.closed)
  t.diagnostic(`all three cut after ${(Date.now() - started) / 1000} s`)
  assert.ok(Date.now() - started < 17000)
})

test('a new certificate on SIGHUP: new connections have it, open ones go on; a wrong one changes nothing', async (t) => {
  const d = await startWith(t, EC)
  const shown = () => new Promise((done, fail) => {
    const s = tls.connect({ host: '127.0.0.1', port: new URL(d.base).port, rejectUnauthorized: false }, () => {
      done(s.getPeerCertificate().subject.CN)
      s.destroy()
    }).on('error', fail)
  })
  const hup = async (word) => {
    const before = d.log.length
    d.child.kill('SIGHUP')
    await until(() => d.log.slice(before).includes(word), `the log says ${word}`)
    return d.log.slice(before)
  }
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(d.pair.certificate) })
  assert.equal((await ask(d, 'GET', '/healthz', undefined, { agent })).status, 200)
  assert.equal(await shown(), 'first')
  const second = makePair(d.folder, 'second', RSA)
  copyFileSync(second.certificate, d.pair.certificate)
  const refused = await hup('kind=')
  assert.match(refused, /first\.key is not that of the certificate/)
  assert.equal(await shown(), 'first')
  copyFileSync(second.key, d.pair.key)
  await hup('changed=none needs_restart=none')
  assert.equal(await shown(), 'second')
  assert.equal((await ask(d, 'GET', '/healthz', undefined, { agent })).status, 200, 'the open connection goes on')
  agent.destroy()
  // Handshakes all the time while certificates change: none fails.
  let busy = true, n = 0
  const others = Promise.all([1, 2, 3].map(async () => {
    for (; busy; n++) assert.match(await shown(), /first|second|third/)
  }))
  const pairs = [second, makePair(d.folder, 'third', EC)]
  for (let i = 0; i < 10; i++) {
    copyFileSync(pairs[i % 2].certificate, d.pair.certificate)
    copyFileSync(pairs[i % 2].key, d.pair.key)
    await hup('changed=none')
    await sleep(30)
  }
  busy = false
  await others
  t.diagnostic(`${n} handshakes while the certificate changed 10 times`)
  assert.ok(n > 20)
})

test('files that cannot be used are refused at start with a sentence', async (t) => {
  const d = District.make(t)
  const good = makePair(d.folder, 'good', EC), other = makePair(d.folder, 'other', EC), weak = makePair(d.folder, 'weak', ['rsa:1024'])
  const file = (name, text, mode = 0o600) => {
    writeFileSync(join(d.folder, name), text)
    chmodSync(join(d.folder, name), mode)
    return join(d.folder, name)
  }
  const open = file('open.key', readFileSync(good.key), 0o644)
  const locked = join(d.folder, 'locked.key')
  openssl('pkey', '-in', good.key, '-aes256', '-passout', 'pass:secret', '-out', locked)
  chmodSync(locked, 0o600)
  const cases = [
    ['only one of the two', { tls_certificate: good.certificate }, /belong together/, /须同时设置/],
    ['no such certificate', { tls_certificate: '/nowhere.pem', tls_key: good.key }, /cannot read \/nowhere\.pem: No such file/, /无法读取/],
    ['no such key', { tls_certificate: good.certificate, tls_key: '/nowhere.key' }, /cannot read \/nowhere\.key/, /无法读取/],
    ['a folder', { tls_certificate: d.folder, tls_key: good.key }, /cannot read/, /无法读取/],
    ['an empty file', { tls_certificate: file('empty', ''), tls_key: good.key }, /no certificate/, /没有 PEM/],
    ['no certificate', { tls_certificate: good.key, tls_key: good.key }, /no certificate/, /没有 PEM/],
    ['no key', { tls_certificate: good.certificate, tls_key: file('c.key', readFileSync(good.certificate)) }, /no private key/, /私钥/],
    ['a key with a password', { tls_certificate: good.certificate, tls_key: locked }, /without a password/, /未加密/],
    ['the key of another', { tls_certificate: good.certificate, tls_key: other.key }, /is not that of the certificate/, /不匹配/],
    ['a key all may read', { tls_certificate: good.certificate, tls_key: open }, /read or changed by others; chmod 600/, /chmod 600/],
    ['a weak key', { tls_certificate: weak.certificate, tls_key: weak.key }, /only 1024 bits/, /1024 位/],
  ]
  for (const [what, settings, en, zh] of cases)
    for (const [language, words] of [['en', en], ['zh', zh]]) {
      d.settings = { ...settings, language }
      const r = d.command('serve', '--port', '0')
      assert.equal(r.status, 1, `${what}: ${r.stderr}`)
      assert.match(r.stderr, words, what)
      assert.equal(r.stderr.trim().split('\n').filter((l) => l.startsWith('yiwang: ')).length, 1, r.stderr)
      const checked = d.command('serve', '-n')
      assert.match(checked.stderr, words, `${what}, checked only`)
    }
  d.settings = { tls_certificate: good.certificate, tls_key: good.key }
  assert.equal(d.command('serve', '-n').status, 0)
})
