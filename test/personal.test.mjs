/* Reporters' data over its whole life: sealed, masked, unmasked for a purpose, found by number, keys changed, erased, expired. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, PROGRAM, SMALL, sleep, until } from './lib.mjs'

const LI = { name: '李小明', phone: '13900000001', email: 'li.unmistakable@example.org' }
const WHY = { purpose: 'verify', note: '核实地点' }

const unmask = (d, number, key, why = WHY) => d.ask('POST', `/api/v1/cases/${number}/reporter`, why, { key })
const search = (d, phone, key, why = WHY) => d.ask('POST', '/api/v1/reporters/search', { phone, ...why }, { key })
const seen = async (d, number, key) => (await d.ask('GET', `/api/v1/cases/${number}/reports`, undefined, { key })).body.reports[0].reporter
const access = async (d, key, query = '') => (await d.ask('GET', `/api/v1/personal_access${query}`, undefined, { key })).body.access

/** A case that is with the demonstration unit (north). */
async function withNorth(d, k, reporter) {
  const { number } = (await d.report({ text: '请北街道看一下', ...(reporter && { reporter }) })).body
  const sent = await d.move(number, 'dispatch', { item: '0101', unit: 'north', assists: [] }, k.dispatcher)
  assert.equal(sent.status, 200, sent.text)
  return number
}

async function signInAll(d) {
  const tokens = {}
  for (const user of ['clerk', 'dispatcher', 'unit', 'centre', 'supervisor', 'citizen', 'admin']) tokens[user] = await d.signIn(user)
  return tokens
}

/** All that the store has on the disk, as bytes; of PostgreSQL its dump. */
function everything(d) {
  if (!POSTGRES) return Buffer.concat(readdirSync(d.data).filter((n) => n.startsWith('yiwang.db')).map((n) => readFileSync(join(d.data, n)))).toString('latin1')
  const schema = /schema=(\w+)/.exec(d.store)[1]
  const dump = spawnSync('pg_dump', ['--schema', schema, d.store.replace(/[?&]schema=\w+/, '')], { maxBuffer: 1 << 28 })
  assert.equal(dump.status, 0, String(dump.stderr))
  return dump.stdout.toString('latin1')
}
/** Numbers and names as they are, and as PostgreSQL's dump shows bytes. */
const forms = (text) => [Buffer.from(text).toString('latin1'), Buffer.from(text).toString('hex')]
const holds = (all, text) => forms(text).some((form) => all.includes(form))

test('masked for everybody, whole only for a purpose, and each look is recorded', async (t) => {
  const d = await District.start(t, { settings: { access_log: 'yes', log_level: 'debug' } })
  const k = await signInAll(d)
  const number = await withNorth(d, k, LI)
  const secret = await withNorth(d, k, { ...LI, confidential: true })
  const nobody = await withNorth(d, k)
  const masked = { name: '李*', phone: '139****0001', email: 'l***@example.org', confidential: false, erased: null }
  for (const key of [k.clerk, k.dispatcher, k.supervisor, k.admin, k.unit]) assert.deepEqual(await seen(d, number, key), masked)
  for (const key of [k.clerk, k.dispatcher, k.supervisor, k.admin, k.unit])
    assert.deepEqual(await seen(d, secret, key), { name: null, phone: null, email: null, confidential: true, erased: null })
  assert.equal(await seen(d, nobody, k.clerk), null)

  for (const key of [k.clerk, k.unit, k.supervisor]) {
    const { status, body, text } = await unmask(d, number, key)
    assert.equal(status, 200, text)
    assert.deepEqual(body, { ...LI, confidential: false })
  }
  assert.equal((await unmask(d, secret, k.clerk)).body.phone, LI.phone)
  assert.equal((await unmask(d, secret, k.dispatcher, { purpose: 'call_back', note: '回访' })).status, 200)
  for (const key of [k.unit, k.supervisor, k.admin]) assert.equal((await unmask(d, secret, key)).status, 403)
  assert.equal((await unmask(d, nobody, k.clerk)).status, 404)
  assert.equal((await unmask(d, 'YW0', k.clerk)).status, 404)
  for (const [why, field] of [[{ purpose: 'curiosity', note: '看看' }, 'purpose'], [{ note: '看看' }, 'purpose'], [{ purpose: 'verify', note: '看' }, 'note'], [{ purpose: 'verify' }, 'note']]) {
    const { status, body } = await unmask(d, number, k.clerk, why)
    assert.equal(status, 400)
    assert.equal(body.field, field)
  }
  for (const key of [null, d.key, k.citizen]) assert.ok([401, 403].includes((await unmask(d, number, key)).status))

  const rows = await access(d, k.supervisor)
  assert.deepEqual(rows.map((r) => [r.actor, r.action, r.number, r.purpose, r.note, r.fields]).reverse(), [
    ['clerk', 'unmask', number, 'verify', '核实地点', 'name|phone|email'],
    ['unit', 'unmask', number, 'verify', '核实地点', 'name|phone|email'],
    ['supervisor', 'unmask', number, 'verify', '核实地点', 'name|phone|email'],
    ['clerk', 'unmask', secret, 'verify', '核实地点', 'name|phone|email'],
    ['dispatcher', 'unmask', secret, 'call_back', '回访', 'name|phone|email'],
  ])
  assert.ok(rows.every((r) => Math.abs(Date.parse(r.at) - Date.now()) < 600000))
  assert.equal((await access(d, k.admin, `?number=${secret}`)).length, 2)
  assert.equal((await access(d, k.admin, '?actor=unit')).length, 1)
  assert.equal((await access(d, k.admin, `?actor=clerk&number=${secret}`)).length, 1)
  const first = (await d.ask('GET', '/api/v1/personal_access?limit=2', undefined, { key: k.admin })).body
  const second = (await d.ask('GET', `/api/v1/personal_access?limit=2&after=${first.next}`, undefined, { key: k.admin })).body
  assert.deepEqual([...first.access, ...second.access].map((r) => r.id), rows.slice(0, 4).map((r) => r.id))
  for (const key of [k.clerk, k.unit, k.dispatcher]) assert.equal((await d.ask('GET', '/api/v1/personal_access', undefined, { key })).status, 403)

  // A supervisor of one unit looks back at its cases only.
  const made = d.commandWith('correct horse battery', 'user', 'add', 'narrow', '--role', 'supervisor', '--unit', 'north', '--sees', 'unit')
  assert.equal(made.status, 0, made.stderr)
  const narrow = (await d.ask('POST', '/api/v1/session', { user: 'narrow', password: 'correct horse battery' })).body.token
  const look = async (query) => (await d.ask('GET', `/api/v1/personal_access${query}`, undefined, { key: narrow })).status
  const { body: elsewhere } = await d.report({ text: '另一处' })
  assert.equal(await look(''), 403)
  assert.equal(await look(`?number=${number}`), 200)
  assert.equal(await look(`?number=${elsewhere.number}`), 404)
  await d.stop()
  const all = everything(d)
  for (const text of [LI.phone, LI.name, LI.email, 'unmistakable']) {
    assert.ok(!holds(all, text), `${text} stands in the store`)
    assert.ok(!d.log.includes(text), `${text} stands in the log`)
  }
  assert.ok(holds(all, '核实地点'), 'this looks into the store at all')
})

test('a case of another unit gives its reporter to nobody of this one', async (t) => {
  const d = await District.start(t)
  const k = await signInAll(d)
  assert.equal((await unmask(d, await withNorth(d, k, LI), k.unit)).status, 200)
  const other = (await d.report({ text: '请看一下', reporter: LI })).body.number
  assert.equal((await d.ask('GET', `/api/v1/cases/${other}/reports`, undefined, { key: k.unit })).status, 404)
  assert.equal((await unmask(d, other, k.unit)).status, 404)
  assert.equal((await access(d, k.supervisor, `?number=${other}`)).length, 0)
})

/** In full-width digits. */
const wide = (digits) => digits.replace(/\d/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))

test('found by phone number however it is written; a person may look so often in an hour', async (t) => {
  const d = await District.start(t, { settings: { personal_hourly: 9 } })
  const k = await signInAll(d)
  const numbers = []
  for (const phone of ['13900000001', '+86 139-0000-0001', wide('13900000001'), '139 0000 0002'])
    numbers.push((await d.report({ reporter: { name: '李', phone } })).body.number)
  const secret = (await d.report({ reporter: { phone: '139-00000001', confidential: true } })).body.number
  await d.report({ reporter: { name: '只有名字' } })
  const found = (answer) => answer.body.cases.map((c) => c.number)
  assert.deepEqual(found(await search(d, '0086 13900000001', k.clerk)), [secret, ...numbers.slice(0, 3).reverse()])
  assert.deepEqual(found(await search(d, '13900000001', k.supervisor)), numbers.slice(0, 3).reverse())
  assert.deepEqual(found(await search(d, '13900000002', k.dispatcher)), [numbers[3]])
  assert.deepEqual((await search(d, '13900000003', k.dispatcher)).body, { cases: [], complete: true })
  assert.equal((await search(d, '12-34', k.dispatcher)).status, 400)
  assert.equal((await search(d, '13900000001', k.clerk, { purpose: 'verify' })).status, 400)
  for (const key of [k.unit, k.citizen, d.key]) assert.equal((await search(d, '13900000001', key)).status, 403)
  const rows = await access(d, k.admin)
  assert.deepEqual(rows.map((r) => [r.actor, r.action, r.found]).reverse(),
    [['clerk', 'search', 4], ['supervisor', 'search', 3], ['dispatcher', 'search', 1], ['dispatcher', 'search', 0]])
  for (let i = 0; i < 8; i++) assert.equal((await unmask(d, numbers[i % 4], k.clerk)).status, 200, `look ${i}`)
  for (const refused of [await unmask(d, numbers[0], k.clerk), await search(d, '13900000001', k.clerk)]) {
    assert.equal(refused.status, 403)
    assert.match(refused.body.detail, /hour/)
  }
  assert.equal((await unmask(d, numbers[0], k.dispatcher)).status, 200, 'others go on')
})

test('no statement of the program changes or removes a record of access', () => {
  const sources = readdirSync('src', { recursive: true }).filter((n) => /\.(c|sql)$/.test(n) && !/_test\.c$/.test(n))
  const text = sources.map((n) => readFileSync(join('src', n), 'utf8')).join('\n').replace(/"\s*"/g, '')
  assert.match(text, /INSERT INTO personal_access/)
  assert.doesNotMatch(text, /(UPDATE|DELETE FROM|REPLACE INTO|DROP TABLE|TRUNCATE)\s+personal_access/i)
})

/** Every key's line of `keys list`: [number, cipher, how many need it, active]. */
function keys(d) {
  const { status, stdout, stderr } = d.command('keys', 'list')
  assert.equal(status, 0, stderr)
  return stdout.trim().split('\n').map((line) => {
    const [number, cipher, , n, active] = line.trim().split(/\s+/)
    return [Number(number), cipher, Number(n), active !== undefined]
  })
}

/** The minute that a key must rest before it can be removed has passed. */
function age(d) {
  const file = join(d.data, 'seal.key')
  const text = readFileSync(file, 'utf8').replace(/20\d\d-\d\d-\d\dT\S+/g, '2026-01-01T00:00:00+08:00')
  writeFileSync(file, text, { mode: 0o600 })
}

test('a new key counts at once, older values are sealed anew behind it, the old key goes', async (t) => {
  const d = await District.start(t)
  const k = await signInAll(d)
  const numbers = []
  const report = async () => numbers.push((await d.report({ reporter: LI })).body.number)
  const allThere = async () => {
    const { body } = await search(d, LI.phone, k.clerk)
    assert.deepEqual(body, { cases: body.cases, complete: true })
    assert.deepEqual(body.cases.map((c) => c.number), numbers.toReversed?.() ?? [...numbers].reverse())
    assert.deepEqual((await unmask(d, numbers.at(-1), k.clerk)).body, { ...LI, confidential: false })
    assert.deepEqual((await unmask(d, numbers[0], k.clerk)).body, { ...LI, confidential: false })
  }
  for (let i = 0; i < 5; i++) await report()
  assert.deepEqual(keys(d), [[1, 'aes', 5, true]])
  const made = d.command('keys', 'rotate', '--later', '--seal-cipher', 'sm4')
  assert.equal(made.status, 0, made.stderr)
  await report()
  await allThere()
  await until(() => keys(d)[0][2] === 0, 'the server seals the old values anew')
  assert.deepEqual(keys(d), [[1, 'aes', 0, false], [2, 'sm4', 6, true]])
  await allThere()
  assert.equal(statSync(join(d.data, 'seal.key')).mode & 0o777, 0o600)
  // Back to AES, by the command alone; the server is told by the file.
  assert.match(d.command('keys', 'rotate').stdout, /sealed anew: 6/)
  await report()
  assert.deepEqual(keys(d), [[1, 'aes', 0, false], [2, 'sm4', 0, false], [3, 'aes', 7, true]])
  await allThere()
  for (const [word, sentence] of [['3', /active/], ['2', /minute/], ['9', /no key 9/], ['x', /number/]]) {
    const refused = d.command('keys', 'remove', word)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, sentence)
  }
  age(d)
  for (const word of ['1', '2']) assert.equal(d.command('keys', 'remove', word).status, 0)
  assert.deepEqual(keys(d), [[3, 'aes', 7, true]])
  await report()
  await allThere()
})

test('a key that values still need is not removed', async (t) => {
  const d = await District.start(t)
  await d.report({ reporter: LI })
  await d.stop()
  assert.equal(d.command('keys', 'rotate', '--later').status, 0)
  age(d)
  const refused = d.command('keys', 'remove', '1')
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /1 reporters need key 1/)
  assert.match(d.command('keys', 'reseal').stdout, /sealed anew: 1/)
  assert.match(d.command('keys', 'reseal').stdout, /sealed anew: 0/)
  assert.equal(d.command('keys', 'remove', '1').status, 0)
})

const ROWS = 4000, KILLS = 6
const phone = (i) => `139${String(i).padStart(8, '0')}`

/** A district with many reporters. */
function crowd(t) {
  const d = District.make(t, { settings: { personal_hourly: 0 } })
  const [file, map] = [join(d.folder, 'in.csv'), join(d.folder, 'map.yaml')]
  writeFileSync(map, 'format: csv\ntime_zone: "+08:00"\nchannel: {value: hotline}\nexternal_id: {column: id}\ntext: {column: text}\nreceived: {column: at}\nname: {column: name}\nphone: {column: phone}\n')
  writeFileSync(file, 'id,text,at,name,phone\n')
  for (let i = 0; i < ROWS; i++) appendFileSync(file, `r${i},门口有一堆垃圾,2026-01-05 09:00:00,李某${i},${phone(i)}\n`)
  const made = d.command('import', 'reports', file, '--map', map)
  assert.equal(made.status, 0, made.stderr)
  return d
}

test('sealing anew is killed again and again, and nothing is lost', async (t) => {
  const d = crowd(t)
  const left = []
  for (let i = 0; i < KILLS; i++) {
    const child = spawn(PROGRAM, ['keys', i % 2 ? 'reseal' : 'rotate', '--data', d.data], { env: d.environment(), stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = new Promise((done) => child.on('close', (code, signal) => done(signal ?? code)))
    await sleep(150 + 90 * i)
    child.kill('SIGKILL')
    await ended
    const now = keys(d)
    assert.equal(now.reduce((sum, key) => sum + key[2], 0), ROWS, JSON.stringify(now))
    left.push(now.filter((key) => !key[3]).reduce((sum, key) => sum + key[2], 0))
  }
  assert.ok(left.some((n) => n > 0), `it was killed while it worked: ${left}`)
  await d.serve()
  const clerk = await d.signIn('clerk')
  const some = Array.from({ length: 25 }, (_, i) => (i * 397) % ROWS)
  for (const i of some) {
    const { body } = await search(d, phone(i), clerk)
    assert.equal(body.cases.length, 1, phone(i))
    assert.deepEqual((await unmask(d, body.cases[0].number, clerk)).body, { name: `李某${i}`, phone: phone(i), email: null, confidential: false })
  }
  // The server goes on with what the killed ones left, killed itself in between.
  await d.stop('SIGKILL')
  await d.serve()
  await until(() => keys(d).every((key) => key[3] || key[2] === 0), 'the server ends what was begun', 60)
  await d.stop()
  assert.match(d.command('keys', 'reseal').stdout, /sealed anew: 0/)
  age(d)
  for (const key of keys(d)) if (!key[3]) assert.equal(d.command('keys', 'remove', String(key[0])).status, 0)
  await d.serve()
  for (const i of some) assert.equal((await search(d, phone(i), clerk)).body.cases.length, 1)
  await d.stop()
  const all = everything(d)
  for (const i of some) assert.ok(!holds(all, phone(i)))
  assert.equal(d.command('ledger', 'verify').status, 0)
})

test('who asks to be forgotten is, and a record without the data stays', async (t) => {
  const d = await District.start(t)
  const k = await signInAll(d)
  const numbers = []
  for (let i = 0; i < 3; i++) numbers.push((await d.report({ item: '0201', area_code: '990101001', reporter: LI })).body.number)
  const other = (await d.report({ reporter: { name: '王', phone: '13900000009' } })).body.number
  for (const words of [[], ['--case', numbers[0]], ['--phone', '1'], ['--case', numbers[0], '--phone', LI.phone, '--reason', 'x']])
    assert.equal(d.command('erase', ...words).status, 1)
  assert.equal(d.command('erase', '--case', 'YW0', '--reason', 'r').status, 1)
  const one = d.command('erase', '--case', numbers[0], '--reason', '本人申请')
  assert.match(one.stdout, /erased reporters: 1/, one.stderr)
  const left = await seen(d, numbers[0], k.clerk)
  assert.deepEqual({ ...left, erased: typeof left.erased }, { name: null, phone: null, email: null, confidential: false, erased: 'string' })
  assert.equal((await unmask(d, numbers[0], k.clerk)).status, 404)
  assert.equal((await search(d, LI.phone, k.clerk)).body.cases.length, 2)
  assert.match(d.commandWith(`${LI.phone}\n`, 'erase', '--phone', '-', '--reason', '本人申请').stdout, /erased reporters: 2/)
  assert.match(d.command('erase', '--phone', LI.phone, '--reason', '再次申请').stdout, /erased reporters: 0/)
  assert.equal((await search(d, LI.phone, k.clerk)).body.cases.length, 0)
  assert.equal((await seen(d, other, k.clerk)).phone, '139****0009')
  const rows = (await access(d, k.admin)).filter((r) => r.action === 'erase')
  assert.deepEqual(rows.map((r) => [r.actor, r.number, r.note, r.found]).reverse(), [
    ['command', numbers[0], '本人申请', 1], ['command', rows[2].number, '本人申请', 1], ['command', rows[1].number, '本人申请', 1], ['command', null, '再次申请', 0],
  ])
  assert.deepEqual([rows[1].number, rows[2].number].sort(), [numbers[1], numbers[2]].sort())
  // Sealing anew brings nothing back.
  assert.equal(d.command('keys', 'rotate').status, 0)
  assert.equal((await seen(d, numbers[1], k.clerk)).phone, null)
  const verdict = d.command('ledger', 'verify')
  assert.equal(verdict.status, 0, verdict.stdout)
  assert.equal((await d.ask('GET', `/api/v1/cases/${numbers[0]}`, undefined, { key: k.clerk })).status, 200)
})

/** The sample pack with a retention of its own. */
function packWith(t, privacy) {
  const folder = mkdtempSync(`${tmpdir()}/yiwang-pack-`)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(SMALL, folder, { recursive: true })
  writeFileSync(join(folder, 'privacy.yaml'), privacy)
  return folder
}

test('reporters of cases closed long enough ago are erased by themselves', async (t) => {
  const d = await District.start(t, { pack: packWith(t, 'years: 0\nfields: [phone, email]\n') })
  const k = await signInAll(d)
  const closed = [], open = (await d.report({ reporter: LI })).body.number
  for (let i = 0; i < 3; i++) {
    const { number } = (await d.report({ reporter: LI })).body
    assert.equal((await d.move(number, 'reject', { reason: '不属实' }, k.clerk)).status, 200)
    closed.push(number)
  }
  // The timer runs when the server starts, and then once a day.
  await d.stop()
  await d.serve()
  const wait = async () => {
    await until(async () => (await seen(d, closed[2], k.clerk)).erased !== null, 'the timer erases')
    for (const number of closed) assert.deepEqual({ ...(await seen(d, number, k.clerk)), erased: 0 }, { name: '李*', phone: null, email: null, confidential: false, erased: 0 })
    assert.equal((await seen(d, open, k.clerk)).phone, '139****0001')
  }
  await wait()
  const rows = (await access(d, k.admin)).filter((r) => r.action === 'expire')
  assert.deepEqual(rows.map((r) => [r.actor, r.found, r.fields]), [['system', 3, 'phone|email']])
  // Another start does nothing again; a pack that wants more erased begins anew.
  await d.stop()
  const more = d.command('pack', 'load', packWith(t, 'years: 0\n'))
  assert.equal(more.status, 0, more.stderr)
  await d.serve()
  await until(async () => (await seen(d, closed[2], k.clerk)).name === null, 'the name goes, too')
  assert.equal((await access(d, k.admin)).filter((r) => r.action === 'expire').length, 2)
  assert.equal(d.command('ledger', 'verify').status, 0)
})

test('a wrong privacy.yaml is refused with its place', (t) => {
  const d = District.make(t)
  for (const [text, place] of [['years: soon\n', /privacy\.yaml:1.*years/], ['fields: [phone]\n', /privacy\.yaml:1.*years/],
    ['years: 3\nfields: [address]\n', /privacy\.yaml:2.*name, phone or email/], ['years: 3\nmonths: 2\n', /privacy\.yaml:2.*months/], ['years: 3\nfields: all\n', /privacy\.yaml:2/]]) {
    const made = d.command('pack', 'check', packWith(t, text))
    assert.equal(made.status, 1, text)
    assert.match(made.stdout + made.stderr, place)
  }
})

/** Sends pictures through the Open311 door; the answer. */
async function sendPictures(d, ...pictures) {
  const form = new FormData()
  for (const [name, value] of Object.entries({ service_code: '010201', lat: '22.5', long: '114.05', description: '有照片', api_key: d.key })) form.append(name, value)
  pictures.forEach((bytes, i) => form.append(i ? `photo${i + 1}` : 'media', new Blob([bytes], { type: 'text/html' }), 'page.html'))
  const answer = await fetch(`${d.base}/open311/v2/requests.json`, { method: 'POST', body: form })
  return { status: answer.status, body: await answer.json() }
}

const picture = async (d, path, key, headers = {}) => {
  const answer = await fetch(d.base + path, { headers: { Authorization: `Bearer ${key}`, ...headers } })
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}

test('where a picture was taken is kept for staff, and is in no copy for others', async (t) => {
  const d = await District.start(t)
  const k = await signInAll(d)
  const files = ['jpeg', 'png', 'webp', 'gif'].map((name) => readFileSync(`test/seeds/picture/${name}`))
  const sent = await sendPictures(d, ...files)
  assert.equal(sent.status, 201, JSON.stringify(sent.body))
  const { pictures } = (await d.ask('GET', `/api/v1/cases/${sent.body[0].service_request_id}/reports`, undefined, { key: k.clerk })).body
  assert.deepEqual(pictures.map((p) => [p.type, p.bytes]), ['jpeg', 'png', 'webp', 'gif'].map((kind, i) => [`image/${kind}`, files[i].length]))
  for (const p of pictures.slice(0, 3)) {
    assert.ok(Math.abs(p.location.lat - 22.6901) < 1e-6 && Math.abs(p.location.lon - 114.341833333) < 1e-6, JSON.stringify(p))
    assert.equal(Date.parse(p.taken), Date.parse('2026-11-25T09:30:00+09:00'))
  }
  assert.deepEqual([pictures[3].location, pictures[3].taken], [null, null])
  for (const [i, p] of pictures.entries()) {
    const whole = await picture(d, p.url, k.clerk), bare = await picture(d, p.url, d.key)
    assert.deepEqual(whole.bytes, files[i])
    assert.equal(bare.status, 200)
    for (const secret of ['Exif\0\0II', '2026:11:25', '<x/>', 'comment', 'Author', 'tail', 'hi\0']) assert.ok(!bare.bytes.includes(secret), `${p.type}: ${secret}`)
    assert.ok(bare.bytes.length > 50)
    assert.notEqual(whole.headers.get('etag'), bare.headers.get('etag'))
    for (const answer of [whole, bare]) {
      assert.equal(answer.headers.get('content-type'), p.type, 'what it is, not what the sender called it')
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.match(answer.headers.get('content-security-policy'), /default-src 'none'.*sandbox/)
      assert.match(answer.headers.get('content-disposition'), /^inline; filename="[0-9a-f]{16}\.(jpeg|png|webp|gif)"$/)
    }
    if (process.env.KEEP_PICTURES) writeFileSync(join(process.env.KEEP_PICTURES, p.type.slice(6)), bare.bytes)
  }
  const refused = await sendPictures(d, '<script>alert(1)</script>')
  assert.equal(refused.status, 400)
})

test('a picture in which the scanner finds a virus is refused and put away; without its word none is taken', async (t) => {
  const d = District.make(t)
  const scanner = join(d.folder, 'scanner')
  const say = (code) => writeFileSync(scanner, `#!/bin/sh\nfor file; do :; done\n[ -s "$file" ] || exit 2\n${code}\n`, { mode: 0o700 })
  d.settings = { scan_command: `${scanner} --no-summary`, scan_seconds: 2 }
  const png = readFileSync('test/seeds/picture/png'), jpeg = readFileSync('test/seeds/picture/jpeg')
  const there = (folder) => { try { return readdirSync(join(d.data, folder), { recursive: true }).filter((f) => /[0-9a-f]{64}$/.test(f)).length } catch { return 0 } }
  say('grep -q Author "$file" && exit 1\nexit 0')
  await d.serve()
  assert.equal((await sendPictures(d, png)).status, 400)
  assert.deepEqual([there('media'), there('quarantine')], [0, 1])
  assert.equal(statSync(join(d.data, 'quarantine')).mode & 0o777, 0o700)
  assert.equal((await sendPictures(d, jpeg)).status, 201)
  assert.deepEqual([there('media'), there('quarantine')], [1, 1])
  for (const code of ['exit 2', 'sleep 30', 'kill -9 $$']) {
    say(code)
    assert.equal((await sendPictures(d, png)).status, 503, code)
  }
  assert.deepEqual([there('media'), there('quarantine')], [1, 1])
  assert.match(d.log, /media\.infected .*hash=[0-9a-f]{64}/)
  assert.match(d.log, /media\.scan .*too long/)
  assert.deepEqual(readdirSync(join(d.data, 'media')).filter((n) => n.startsWith('new-')), [])
})

test('a backup takes pictures along, new ones only; a restore brings them back, and no damaged one', { skip: POSTGRES && 'PostgreSQL has its own backups' }, async (t) => {
  const d = await District.start(t)
  const [jpeg, png, gif] = ['jpeg', 'png', 'gif'].map((name) => readFileSync(`test/seeds/picture/${name}`))
  assert.equal((await sendPictures(d, jpeg, png)).status, 201)
  const folder = join(d.folder, 'backup'), back = join(d.folder, 'back')
  const backup = () => d.command('backup', '--to', folder)
  assert.match(backup().stdout, /pictures: 2 copied, 0 there/)
  assert.equal((await sendPictures(d, gif, png)).status, 201)
  assert.match(backup().stdout, /pictures: 1 copied, 2 there/)
  const files = (data) => readdirSync(join(data, 'media'), { recursive: true }).filter((n) => /[0-9a-f]{64}$/.test(n)).sort()
  assert.deepEqual(files(folder), files(d.data))
  for (const name of files(folder)) assert.equal(statSync(join(folder, 'media', name)).mode & 0o777, 0o600)
  const restore = (to) => spawnSync(PROGRAM, ['restore', '--from', folder, '--to', to], { encoding: 'utf8', env: d.environment() })
  const made = restore(back)
  assert.equal(made.status, 0, made.stderr)
  assert.match(made.stdout, /pictures: 3 copied/)
  for (const name of files(d.data)) assert.deepEqual(readFileSync(join(back, 'media', name)), readFileSync(join(d.data, 'media', name)))
  // One byte of the copy is another: the rest comes back, and it says so.
  const bad = join(folder, 'media', files(folder)[1])
  const bytes = readFileSync(bad)
  bytes[bytes.length - 1] ^= 1
  writeFileSync(bad, bytes)
  const again = restore(join(d.folder, 'again'))
  assert.equal(again.status, 1)
  assert.match(again.stderr, /1 pictures .* damaged/)
  assert.equal(files(join(d.folder, 'again')).length, 2)
})
