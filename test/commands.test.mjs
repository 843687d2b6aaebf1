/* The command line, as an administrator uses it. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, SMALL } from './lib.mjs'

test('init: folder, key and accounts are for the owner alone; again changes nothing', (t) => {
  const d = District.make(t)
  assert.equal(statSync(d.data).mode & 0o777, 0o700)
  assert.equal(statSync(join(d.data, 'demo.json')).mode & 0o777, 0o600)
  assert.equal(statSync(join(d.data, 'seal.key')).mode & 0o777, 0o600)
  assert.deepEqual([...new Set(d.demo.accounts.map((a) => a.role))].sort(), ['admin', 'citizen', 'clerk', 'dispatcher', 'supervisor', 'unit'])
  const before = readFileSync(join(d.data, 'demo.json'), 'utf8')
  const again = d.command('init', '--pack', SMALL, '--demo', d.data)
  assert.equal(again.status, 0, again.stderr)
  assert.equal(readFileSync(join(d.data, 'demo.json'), 'utf8'), before)
  assert.equal(d.command('serve', '-n').status, 0)
})

test('help and wrong use', (t) => {
  const d = District.make(t)
  assert.match(d.command('--help').stdout, /pack check DIR/)
  assert.match(d.command('serve', '--help').stdout, /--trusted-proxy/)
  assert.match(d.command('--help', '--language', 'zh').stdout, /一网/)
  const wrong = [
    [['fly'], /no command "fly"/], [['serve', '--colour', 'red'], /no option --colour/], [['backup'], /use: yiwang backup FILE/],
    [['serve', '--port', 'x'], /--port: needs a whole number/], [['user', 'add', 'x'], /--role/],
  ]
  for (const [words, said] of wrong) {
    const { status, stderr } = d.command(...words)
    assert.ok(status > 0, words.join(' '))
    assert.match(stderr, said)
  }
  assert.match(d.command('version').stdout, /^yiwang \d+\.\d+\.\d+\n$/)
})

test('a folder without a district says what to do', (t) => {
  const d = District.make(t)
  d.data = join(d.folder, 'nothing')
  const { status, stderr } = d.command('serve')
  assert.equal(status, 1)
  assert.match(stderr, /yiwang init --pack/)
  assert.ok(!existsSync(d.data))
})

test('settings: file, environment, flag; a wrong line is named', (t) => {
  const d = District.make(t)
  const file = join(d.data, 'yiwang.yaml')
  writeFileSync(file, 'workers: 8\nport: many\n')
  const wrong = d.command('serve', '-n')
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /yiwang\.yaml:2: port: needs a whole number/)
  writeFileSync(file, 'workers: 8\nprot: 80\n')
  assert.match(d.command('serve', '-n').stderr, /yiwang\.yaml:2: prot: there is no such setting/)
  writeFileSync(file, 'workers: 8\nwebhook_url: http://127.0.0.1:1/\n')
  assert.match(d.command('serve', '-n').stderr, /webhook_secret_file/)
  writeFileSync(file, 'workers: 8\n')
  assert.equal(d.command('serve', '-n').status, 0)
})

test('a pack with faults is refused whole, every fault with its line', (t) => {
  const d = District.make(t)
  const pack = join(d.folder, 'broken')
  cpSync(SMALL, pack, { recursive: true })
  const routes = readFileSync(join(pack, 'routes.csv'), 'utf8').split('\n')
  routes[1] = '0101,990101,bin,nobody,,'
  routes[3] = '0999,990101,*,city,,'
  writeFileSync(join(pack, 'routes.csv'), routes.join('\n'))
  writeFileSync(join(pack, 'channels.csv'), 'code,name,colour\nhotline,热线,red\n')
  const { status, stderr } = d.command('pack', 'load', pack)
  assert.equal(status, 1)
  for (const place of ['channels.csv:1', 'routes.csv:2', 'routes.csv:4']) assert.ok(stderr.includes(`${place}:`), `${place} in ${stderr}`)
  assert.match(stderr, /refused: \d+ faults/)
  assert.equal(d.command('pack', 'check', SMALL).status, 0)
  const out = join(d.folder, 'out')
  assert.equal(d.command('pack', 'export', out).status, 0)
  for (const name of readdirSync(SMALL, { recursive: true })) {
    if (statSync(join(SMALL, name)).isFile()) assert.deepEqual(readFileSync(join(out, name)), readFileSync(join(SMALL, name)), name)
  }
})

test('an example that comes out otherwise stops the pack', (t) => {
  const d = District.make(t)
  const pack = join(d.folder, 'pack')
  cpSync(SMALL, pack, { recursive: true })
  writeFileSync(join(pack, 'examples.yaml'),
    '- name: rubbish\n  item: "010102"\n  area: "990101002"\n  at: "2026-11-23 09:00"\n  expect: {unit: city, due: "2026-11-24 09:00"}\n')
  const { status, stderr } = d.command('pack', 'check', pack)
  assert.equal(status, 1)
  assert.match(stderr, /examples\.yaml:5: example "rubbish": unit should be city but is north-law/)
})

test('accounts and keys', async (t) => {
  const d = await District.start(t)
  const add = (login, ...more) => d.commandWith('a good password\n', 'user', 'add', login, ...more)
  assert.equal(add('li', '--role', 'unit', '--unit', 'oak').status, 0)
  assert.match(add('li', '--role', 'clerk').stderr, /taken|already/)
  assert.match(add('wang', '--role', 'unit').stderr, /--unit/)
  assert.match(add('wang', '--role', 'unit', '--unit', 'nowhere').stderr, /no unit nowhere/)
  assert.equal(d.commandWith('short\n', 'user', 'add', 'x', '--role', 'clerk').status, 1)
  const sign = (password) => d.ask('POST', '/api/v1/session', { user: 'li', password })
  assert.equal((await sign('a good password')).body.account.unit, 'oak')
  assert.equal(d.commandWith('another password\n', 'user', 'password', 'li').status, 0)
  assert.equal((await sign('a good password')).status, 401)
  assert.equal((await sign('another password')).status, 201)
  assert.equal(d.command('user', 'disable', 'li').status, 0)
  assert.equal((await sign('another password')).status, 401)
  assert.match(d.command('user', 'list').stdout, /li .*unit .*oak .*disabled/)
  const key = d.command('key', 'add', 'gate').stdout.trim()
  assert.equal((await d.report({}, { key })).status, 201)
  assert.equal(d.command('key', 'revoke', 'gate').status, 0)
  assert.match(d.command('key', 'list').stdout, /gate .*revoked/)
  assert.doesNotMatch(d.command('key', 'list').stdout, new RegExp(key))
})

test('import, export, demo', (t) => {
  const d = District.make(t)
  const table = join(d.folder, 'events.csv'), map = join(d.folder, 'map.yaml')
  writeFileSync(map, `format: csv
time_zone: "+08:00"
channel: {column: SRC, table: {"热线": hotline}, otherwise: app}
external_id: {columns: [ID]}
text: {columns: [A, B, C], join: " / "}
received: {column: AT}
item: {path: [A, B, C]}
area: {names: [STREET, COMMUNITY]}
compare_unit: {column: UNIT}
`)
  writeFileSync(table, `ID,SRC,A,B,C,STREET,COMMUNITY,AT,UNIT
1,热线,市容,垃圾,积存垃圾,北街道,榆树社区,2026-01-05 09:00:00,北街道执法队
2,网页,市容,垃圾,积存垃圾,南街道,柳树社区,2026-01-05 10:00:00,城市管理局
3,热线,市容,垃圾,"积存
垃圾",南街道,-,not a time,城市管理局
`)
  const first = d.command('import', 'reports', table, '--map', map)
  assert.equal(first.status, 0, first.stderr)
  assert.match(first.stdout, /stored[^\d]*2/)
  assert.match(first.stdout, /rejected[^\d]*1/)
  assert.match(readFileSync(join(d.data, 'events.csv.rejects.csv'), 'utf8'), /not a time/)
  const second = d.command('import', 'reports', table, '--map', map)
  assert.match(second.stdout, /there already[^\d]*2/)
  assert.equal(d.command('demo', '300', '--seed', '5').status, 0)
  assert.match(d.command('demo', '1', '--until', 'tomorrow').stderr, /--until needs a day/)
  assert.equal(d.command('demo', '1', '--seed', '6', '--until', '2026-01-31').status, 0)
  const out = join(d.folder, 'cases.csv')
  assert.equal(d.command('export', 'cases', out).status, 0)
  assert.equal(readFileSync(out, 'utf8').trim().split('\n').length, 1 + 303)
  assert.match(d.command('ledger', 'verify').stdout, /cases: 303\n[^]*faults: 0/)
})

test('backup while reports come in: the copy is a whole district', { skip: POSTGRES && 'PostgreSQL has pg_dump' }, async (t) => {
  const d = await District.start(t)
  const number = (await d.report({ item: '0201' })).body.number
  let busy = true
  const load = (async () => { for (let i = 0; busy; i++) await d.report({ external_id: `b-${i}`, item: '0201' }) })()
  const folder = join(d.folder, 'copy')
  mkdirSync(folder, { mode: 0o700 })
  const made = d.command('backup', join(folder, 'yiwang.db'))
  busy = false
  await load
  assert.equal(made.status, 0, made.stderr)
  assert.equal(d.command('backup', join(folder, 'yiwang.db')).status, 1)
  await d.stop()
  cpSync(join(d.data, 'seal.key'), join(folder, 'seal.key'))
  d.data = folder
  assert.equal(d.command('ledger', 'verify').status, 0)
  await d.serve()
  const key = await d.signIn('dispatcher')
  assert.equal((await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key })).status, 200)
})

test('a new pack comes into force at SIGHUP; older cases keep theirs', async (t) => {
  const d = await District.start(t)
  const old = (await d.report({ item: '0201', external_id: 'old' })).body
  const pack = join(d.folder, 'pack')
  cpSync(SMALL, pack, { recursive: true })
  const routes = readFileSync(join(pack, 'routes.csv'), 'utf8').replace('0201,*,*,housing,ecology,', '0201,*,*,ecology,,')
  writeFileSync(join(pack, 'routes.csv'), routes)
  const examples = join(pack, 'examples.yaml')
  if (existsSync(examples)) writeFileSync(examples, '[]\n')
  const loaded = d.command('pack', 'load', pack)
  assert.equal(loaded.status, 0, loaded.stderr)
  assert.equal((await d.report({ item: '0201' })).body.unit.code, 'housing')
  d.child.kill('SIGHUP')
  for (let i = 0; i < 100; i++) {
    if ((await d.report({ item: '0201' })).body.unit.code === 'ecology') break
    assert.ok(i < 99, 'the new pack is in force')
  }
  assert.deepEqual((await d.report({ external_id: 'old' })).body, old)
})
