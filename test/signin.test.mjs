/* Signing in: passwords, lock-out, second factor, sessions that are seen and ended, API keys with scopes and an end. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { District, until } from './lib.mjs'

const GOOD = 'seven quiet lanterns'
const enter = (d, login, more) => d.ask('POST', '/api/v1/session', { login, password: GOOD, ...more })
const add = (d, login, password = GOOD, ...more) => d.commandWith(`${password}\n`, 'user', 'add', login, '--role', 'clerk', ...more)

/** The code of an authenticator app (RFC 6238), made here by other means than the server's. */
function codeOf(secret, at = Date.now()) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)))
  const mac = createHmac('sha1', key).update(counter).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0')
}

test('passwords that anybody would try are refused', (t) => {
  const d = District.make(t)
  for (const [login, password, why] of [
    ['li', 'too short', /10 to 200/], ['wanglaoshi', 'my wanglaoshi 88', /login/], ['li', 'Password-2026!', /first/],
    ['li', '1234567890', /first/], ['li', 'aaaaabbbbbb', /first/], ['li', '0987654321', /first/], ['li', 'qwertyuiop', /first/],
    ['li', '2026-11-29-1', /first/], ['li', 'administrator1', /first/]]) {
    const { status, stderr } = add(d, login, password)
    assert.equal(status, 1, password)
    assert.match(stderr, why, password)
  }
  assert.equal(add(d, 'li').status, 0)
  assert.equal(add(d, 'zhang', '春天的第七盏灯笼很亮').status, 0)
})

test('ten wrong passwords lock a login until a time that is told; the administrator unlocks it', async (t) => {
  const d = await District.start(t)
  assert.equal(add(d, 'li').status, 0)
  for (let i = 0; i < 10; i++) assert.equal((await enter(d, 'li', { password: 'wrong' })).status, 401)
  const locked = await enter(d, 'li')
  assert.equal(locked.status, 503)
  const until = /locked until (\S+)/.exec(locked.body.detail)[1]
  const minutes = (new Date(until) - Date.now()) / 60000
  assert.ok(minutes > 13 && minutes <= 15, until)
  assert.match(d.log, /signin\.locked .*login=li/)
  assert.equal(d.command('user', 'unlock', 'li').status, 0)
  assert.equal((await enter(d, 'li')).status, 201)
  assert.equal(d.command('user', 'unlock', 'nobody').status, 1)
})

test('one sees and ends one\'s own sessions; an administrator ends those of others', async (t) => {
  const d = await District.start(t)
  assert.equal(add(d, 'li').status, 0)
  const [first, second] = [(await enter(d, 'li')).body.token, (await enter(d, 'li')).body.token]
  const admin = await d.signIn('admin'), clerk = await d.signIn('clerk')
  const ask = (method, path, key) => d.ask(method, `/api/v1/${path}`, undefined, { key })
  const { body } = await ask('GET', 'sessions', first)
  assert.equal(body.sessions.length, 2)
  assert.equal(body.sessions.filter((s) => s.current).length, 1)
  assert.equal(body.sessions[0].address, '127.0.0.1')
  const other = body.sessions.find((s) => !s.current)
  assert.equal((await ask('DELETE', `sessions/${other.id}`, clerk)).status, 404, 'nobody else ends it')
  assert.equal((await ask('DELETE', `sessions/${other.id}`, first)).status, 204)
  await until(async () => (await ask('GET', 'sessions', second)).status === 401, 'it has ended')
  assert.equal((await ask('GET', 'sessions', first)).status, 200)
  assert.equal((await ask('GET', 'accounts/li/sessions', clerk)).status, 403)
  assert.equal((await ask('GET', 'accounts/li/sessions', admin)).body.sessions.length, 1)
  assert.equal((await ask('DELETE', 'accounts/li/sessions', admin)).status, 204)
  await until(async () => (await ask('GET', 'sessions', first)).status === 401, 'all have ended')
  assert.equal((await ask('GET', 'accounts/nobody/sessions', admin)).status, 404)
})

test('a password is changed by who knows the old one', async (t) => {
  const d = await District.start(t)
  assert.equal(add(d, 'li').status, 0)
  const key = (await enter(d, 'li')).body.token
  const change = (body) => d.ask('POST', '/api/v1/password', body, { key })
  assert.equal((await change({ password: 'wrong', new_password: 'nine loud lanterns' })).status, 403)
  assert.equal((await change({ password: GOOD, new_password: 'password1234' })).status, 400)
  assert.equal((await change({ password: GOOD, new_password: 'nine loud lanterns' })).status, 204)
  assert.equal((await enter(d, 'li')).status, 401)
  assert.equal((await enter(d, 'li', { password: 'nine loud lanterns' })).status, 201)
})

/** Enrols li; gives the secret and the recovery codes. */
async function enrol(d, key) {
  const begun = await d.ask('POST', '/api/v1/second_factor', { password: GOOD }, { key })
  assert.equal(begun.status, 200, begun.text)
  const { secret, uri } = begun.body
  assert.equal(uri, `otpauth://totp/yiwang:li?secret=${secret}&issuer=yiwang&algorithm=SHA1&digits=6&period=30`)
  assert.equal((await enter(d, 'li')).status, 201, 'not in force before it is confirmed')
  assert.equal((await d.ask('POST', '/api/v1/second_factor/confirm', { code: codeOf(secret, Date.now() - 600000) }, { key })).status, 400)
  const confirmed = await d.ask('POST', '/api/v1/second_factor/confirm', { code: codeOf(secret, Date.now() - 30000) }, { key })
  assert.equal(confirmed.status, 200, confirmed.text)
  assert.equal(confirmed.body.recovery_codes.length, 8)
  return { secret, recovery: confirmed.body.recovery_codes }
}

test('a second factor: codes count once, recovery codes too, and keys that change keep it', async (t) => {
  const d = await District.start(t)
  assert.equal(add(d, 'li').status, 0)
  const key = (await enter(d, 'li')).body.token
  const { secret, recovery } = await enrol(d, key)
  const missing = await enter(d, 'li')
  assert.equal(missing.status, 401)
  assert.equal(missing.body.field, 'code')
  const code = codeOf(secret)
  assert.equal((await enter(d, 'li', { code: '000000' === code ? '000001' : '000000' })).status, 401)
  assert.equal((await enter(d, 'li', { code, password: 'wrong' })).status, 401)
  assert.equal((await enter(d, 'li', { code })).status, 201)
  assert.equal((await enter(d, 'li', { code })).status, 401, 'no code counts twice')
  assert.equal((await enter(d, 'li', { code: recovery[0].toLowerCase() })).status, 201)
  assert.equal((await enter(d, 'li', { code: recovery[0] })).status, 401)
  assert.equal((await d.ask('POST', '/api/v1/second_factor', { password: GOOD, code: recovery[1] }, { key })).status, 409)
  assert.equal(d.command('keys', 'rotate').status, 0)
  assert.equal((await enter(d, 'li', { code: codeOf(secret, Date.now() + 30000) })).status, 201, 'sealed with the new key')
  assert.equal((await d.ask('POST', '/api/v1/second_factor/end', { password: GOOD }, { key })).status, 403)
  assert.equal((await d.ask('POST', '/api/v1/second_factor/end', { password: GOOD, code: recovery[2] }, { key })).status, 204)
  assert.equal((await enter(d, 'li')).status, 201)
})

test('who lost the device is let in by the administrator', async (t) => {
  const d = await District.start(t)
  assert.equal(add(d, 'li').status, 0)
  const key = (await enter(d, 'li')).body.token
  await enrol(d, key)
  assert.equal((await enter(d, 'li')).status, 401)
  assert.match(d.command('user', 'unlock', 'li', '--second').stdout, /password alone/)
  assert.equal((await enter(d, 'li')).status, 201)
  await until(async () => (await d.ask('GET', '/api/v1/sessions', undefined, { key })).status === 401, 'its sessions have ended')
})

test('keys: told once, listed without themselves, with scopes, until an instant, revoked', async (t) => {
  const d = await District.start(t)
  const admin = await d.signIn('admin')
  const make = (body) => d.ask('POST', '/api/v1/keys', body, { key: admin })
  const reader = (await make({ name: 'reader', role: 'clerk', scopes: 'read' })).body.key
  const mover = (await make({ name: 'mover', role: 'dispatcher', scopes: 'move|report' })).body.key
  const ends = new Date(Date.now() + 4000).toISOString()
  const short = (await make({ name: 'short', role: 'clerk', expires: ends })).body
  assert.equal((await make({ name: 'reader', role: 'clerk' })).status, 409)
  assert.equal((await make({ name: 'x', scopes: 'everything' })).status, 400)
  assert.equal((await make({ name: 'x', expires: '2020-01-01T00:00:00+08:00' })).status, 400)
  const { body } = await d.report({})
  const status = async (method, path, key, form) => (await d.ask(method, path, form, { key })).status
  assert.equal(await status('GET', '/api/v1/cases', reader), 200)
  assert.equal(await status('POST', `/api/v1/cases/${body.number}/moves`, reader, { move: 'dispatch', item: '0201' }), 403)
  assert.equal(await status('POST', `/api/v1/cases/${body.number}/reporter`, reader, { purpose: 'verify', note: '核实' }), 403)
  assert.equal(await status('GET', '/api/v1/cases', mover), 403)
  assert.equal(await status('GET', '/api/v1/items', mover), 200, 'what everybody may read')
  assert.equal(await status('POST', `/api/v1/cases/${body.number}/moves`, mover, { move: 'dispatch', item: '0201' }), 200)
  assert.equal(await status('GET', '/api/v1/cases', short.key), 200)
  const listed = await d.ask('GET', '/api/v1/keys', undefined, { key: admin })
  assert.deepEqual(listed.body.keys.map((k) => [k.name, k.role, k.scopes]),
    [['demo', 'channel', ''], ['mover', 'dispatcher', 'move|report'], ['reader', 'clerk', 'read'], ['short', 'clerk', '']])
  for (const key of [reader, mover, short.key]) assert.ok(!listed.text.includes(key))
  await until(async () => (await status('GET', '/api/v1/cases', short.key)) === 401, 'it has ended')
  assert.equal(await status('DELETE', '/api/v1/keys/reader', admin), 204)
  await until(async () => (await status('GET', '/api/v1/cases', reader)) === 401, 'it is revoked')
  const made = d.command('key', 'add', 'cron', '--role', 'clerk', '--scopes', 'read|events', '--days', '30')
  assert.equal(made.status, 0, made.stderr)
  assert.equal(await status('GET', '/api/v1/cases', made.stdout.trim()), 200)
  assert.equal(d.command('key', 'add', 'bad', '--scopes', 'root').status, 1)
})
