/* Cases that two platforms have: a city and a district, each a real server with its own pack and numbers.  Nothing is lost or said twice
 * when one of them stops or is killed; what both changed is decided by the pack's rules or by a person; reconcile mends what is missing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, SMALL, faults, sleep, until } from './lib.mjs'

const SECRET = 'what city and district agreed on'
const PEERS = 'peer,name,name_en,direction,unit,role,channel,items,areas,properties,channels,conflict\n'
const STATUSES = 'peer,direction,ours,status,moves,conflict\n'
const CITY = {
  prefix: 'CS',
  peers: (rule) => `${PEERS}district,小样区平台,District,out,north,unit,platform,,,,,${rule}\n`,
  statuses: `${STATUSES}district,out,dispatched,dispatched,,
district,out,rework,rework,,
district,out,rejected,cancelled,,
district,out,replied,answered,,
district,out,closed,closed,,
district,in,,accepted,sign,
district,in,,handling,sign|handle,
district,in,,handled,sign|handle|hand_over,
district,in,,returned,return,
`,
}
const DISTRICT = {
  prefix: 'QX',
  peers: (rule) => `${PEERS}city,市平台,City,in,,dispatcher,platform,,,,,${rule}\n`,
  statuses: `${STATUSES}city,out,signed,accepted,,
city,out,handling,handling,,
city,out,handled,handled,,
city,out,rejected,returned,,
city,in,,dispatched,,
city,in,,rework,review|rework,
city,in,,answered,review|reply,
city,in,,closed,review|reply|close,
city,in,,cancelled,reject,
`,
}

/** A pack like the small one, with an exchange. */
function packOf(folder, side, rule, statuses = side.statuses) {
  const dir = join(folder, `pack-${side.prefix}`)
  cpSync(SMALL, dir, { recursive: true })
  const edit = (name, change) => writeFileSync(join(dir, name), change(readFileSync(join(dir, name), 'utf8')))
  edit('pack.yaml', (text) => text.replace('number_prefix: XY', `number_prefix: ${side.prefix}`))
  edit('channels.csv', (text) => `${text}platform,上下级平台,Platforms,no\n`)
  edit('routes.csv', (text) => text.replace('\n', '\n0101,*,*,north,,one unit\n'))
  rmSync(join(dir, 'examples.yaml'))
  mkdirSync(join(dir, 'exchange'))
  writeFileSync(join(dir, 'exchange/peers.csv'), side.peers(rule))
  writeFileSync(join(dir, 'exchange/statuses.csv'), statuses)
  return dir
}

const freePort = () => new Promise((done) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)) })
})

class Platform extends District {
  async token(who) {
    return ((this.tokens ??= {})[who] ??= await this.signIn(who))
  }

  async take(number, move, form, who) {
    const { status, text } = await this.move(number, move, form, await this.token(who))
    assert.equal(status, 200, `${move}: ${text}`)
  }

  async case(number) {
    const { status, body, text } = await this.ask('GET', `/api/v1/cases/${number}`, undefined, { key: await this.token('clerk') })
    assert.equal(status, 200, text)
    return body
  }

  async history(number) {
    const { status, body, text } = await this.ask('GET', `/api/v1/cases/${number}/history`, undefined, { key: await this.token('clerk') })
    assert.equal(status, 200, text)
    return body.history ?? body
  }

  /** The case once it is as wanted. */
  becomes(number, wanted, what, seconds = 30) {
    return until(async () => { const c = await this.case(number); return wanted(c) && c }, what, seconds)
  }

  async links(number) {
    const { status, body, text } = await this.ask('GET', `/api/v1/exchange/links?number=${number}`, undefined, { key: await this.token('clerk') })
    assert.equal(status, 200, text)
    return body.links
  }

  async conflicts() {
    const { status, body, text } = await this.ask('GET', '/api/v1/exchange/conflicts', undefined, { key: await this.token('clerk') })
    assert.equal(status, 200, text)
    return body.links
  }
}

/** Both platforms, that know of each other; not serving yet. */
async function both(t, { city: ours = 'ours', district: theirs = 'theirs' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-exchange-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const put = (name, text) => { writeFileSync(join(folder, name), text); return join(folder, name) }
  const city = Platform.make(t, { pack: packOf(folder, CITY, ours) }), district = Platform.make(t, { pack: packOf(folder, DISTRICT, theirs) })
  const secret = put('secret', `${SECRET}\n`)
  for (const [d, peer, other, as] of [[city, 'district', district, 'city'], [district, 'city', city, 'district']]) {
    d.port = await freePort()
    const made = other.command('key', 'add', '--role', 'channel', '--channel', 'platform', as)
    assert.equal(made.status, 0, made.stderr)
    d.peerKey = made.stdout.trim()
    d.about = { peer, other, as, key: put(`${peer}.key`, made.stdout) }
  }
  for (const d of [city, district]) {
    const { peer, other, as, key } = d.about
    d.settings.exchange_peers = put(`${peer}.yaml`, `${peer}:\n  url: http://127.0.0.1:${other.port}/api/v1/exchange/${as}\n  key_file: ${key}\n  secret_file: ${secret}\n`)
  }
  return { city, district, folder }
}

async function serving(t, rules) {
  const two = await both(t, rules)
  await two.city.serve()
  await two.district.serve()
  t.after(() => process.env.YIWANG_SHOW && console.error(two.city.log, '-----', two.district.log))
  return two
}

const hand = { item: '0101', unit: 'north', assists: [] }

/** A case filed in the city and sent to the district; gives both numbers. */
async function sent(city, district, fields = {}) {
  const { status, body, text } = await city.report({ text: '桥下有一堆垃圾', ...fields })
  assert.equal(status, 201, text)
  await city.take(body.number, 'dispatch', hand, 'dispatcher')
  if (!district) return [body.number]
  const { exchange: [link] } = await city.becomes(body.number, (c) => c.exchange[0]?.peer_number, 'the district has the case')
  return [body.number, link.peer_number]
}

async function handled(district, number, result = '已清运') {
  await district.take(number, 'sign', {}, 'unit')
  await district.take(number, 'handle', {}, 'unit')
  await district.take(number, 'hand_over', { result }, 'unit')
}

/** A message as a platform would send it. */
function post(d, peer, message, { secret = SECRET, key, seconds = Math.floor(Date.now() / 1000), signature } = {}) {
  const body = typeof message === 'string' ? message : JSON.stringify(message)
  const sign = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return d.ask('POST', `/api/v1/exchange/${peer}/cases`, body, { key, headers: { 'X-Yiwang-Signature': signature ?? `t=${seconds},v1=${sign}` } })
}

const told = (number, revision, status, more = {}) => ({ number, revision, seen: 0, status, at: '2026-11-29T10:00:00+08:00', ...more })
const whole = { case: { text: '路灯不亮', item: '0101', title: '路灯', urgency: 'ordinary' } }

test('a case goes from the city to the district and back, with both numbers and mapped statuses', async (t) => {
  const { city, district } = await serving(t)
  const [ours, theirs] = await sent(city, district, { title: '桥下垃圾', address: '一号桥', reporter: { name: '王某', phone: '13800138000' } })
  assert.match(ours, /^CS/)
  assert.match(theirs, /^QX/)
  const there = await district.case(theirs)
  assert.deepEqual([there.title, there.address, there.channel, there.item.code, there.unit.code, there.state], ['桥下垃圾', '一号桥', 'platform', '0101', 'north', 'dispatched'])
  assert.deepEqual([there.exchange[0].peer, there.exchange[0].peer_number, there.exchange[0].direction], ['city', ours, 'in'])
  const raw = await district.ask('GET', `/api/v1/cases/${theirs}/reports`, undefined, { key: await district.token('clerk') })
  assert.equal(raw.body.reports[0].text, '桥下有一堆垃圾')
  assert.doesNotMatch(raw.text, /王|138/, 'the reporter stays with the city')
  for (const d of [city, district]) assert.equal((await d.links(d === city ? theirs : ours))[0].number, d === city ? ours : theirs, 'found by the other number')

  await handled(district, theirs)
  await city.becomes(ours, (c) => c.state === 'handled', 'the city follows')
  const here = await city.history(ours)
  assert.deepEqual(here.slice(-3).map((h) => [h.move, h.actor, h.unit]), ['sign', 'handle', 'hand_over'].map((m) => [m, 'peer:district', 'north']))
  assert.equal(here.at(-1).form.result, '已清运')

  await city.take(ours, 'review', {}, 'supervisor')
  await city.take(ours, 'rework', { reason: '没有扫干净' }, 'supervisor')
  await district.becomes(theirs, (c) => c.state === 'handling', 'the district does it again')
  await district.take(theirs, 'hand_over', { result: '又扫了一遍' }, 'unit')
  await city.becomes(ours, (c) => c.state === 'handled', 'handled again')
  await city.take(ours, 'review', {}, 'supervisor')
  await city.take(ours, 'reply', { result: '已清运干净' }, 'clerk')
  await city.take(ours, 'close', {}, 'dispatcher')
  await district.becomes(theirs, (c) => c.state === 'closed', 'closed there too')
  const end = await district.history(theirs)
  assert.deepEqual(end.slice(-3).map((h) => h.move), ['review', 'reply', 'close'])
  assert.equal(end.at(-2).form.result, '已清运干净')
  const [a] = (await until(async () => { const l = await city.links(ours); return l[0].sent === l[0].acknowledged && l }, 'all is taken'))
  const [b] = await district.links(theirs)
  assert.deepEqual([a.status, a.sent, a.received, a.error], ['closed', b.received, b.sent, ''])
  assert.deepEqual([b.status, b.acknowledged, b.error], ['closed', b.sent, ''])
  const page = (await district.ask('GET', '/api/openapi.json')).body
  for (const [path, address, key] of [['{peer}/cases', 'city/cases?limit=1', city.peerKey], ['{peer}/cases/{number}', `city/cases/${theirs}`, city.peerKey],
    ['links', `links?number=${ours}`, await district.token('clerk')]]) {
    const answer = await district.ask('GET', `/api/v1/exchange/${address}`, undefined, { key })
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(faults(answer.body, page.paths[`/api/v1/exchange/${path}`].get.responses['2XX'].content['application/json'].schema), [], path)
  }
  const verified = city.command('ledger', 'verify')
  assert.equal(verified.status, 0, verified.stderr)
  assert.doesNotMatch(city.log + district.log, new RegExp(`${SECRET}|${city.peerKey}`))
})

test('the same message twice, late and missing ones, and what is refused', async (t) => {
  const { city, district } = await serving(t)
  const key = city.peerKey
  const first = await post(district, 'city', told('CS-1', 1, 'dispatched', whole), { key })
  assert.equal(first.status, 201, first.text)
  assert.deepEqual([first.body.result, first.body.revision], ['created', 1])
  const again = await post(district, 'city', told('CS-1', 1, 'dispatched', whole), { key })
  assert.deepEqual([again.status, again.body], [200, first.body])
  const { number } = first.body
  await handled(district, number)
  const [link] = await until(async () => { const l = await district.links(number); return l[0].sent === 3 && l }, 'three statuses are told')
  const late = await post(district, 'city', told('CS-1', 5, 'answered', { seen: 3, result: '好了' }), { key })
  assert.deepEqual([late.status, late.body.result, late.body.status], [200, 'updated', 'answered'], late.text)
  assert.equal((await district.case(number)).state, 'replied')
  const older = await post(district, 'city', told('CS-1', 4, 'rework', { seen: 3, reason: 'x' }), { key })
  assert.deepEqual([older.status, older.body.result, older.body.revision], [200, 'older', 5])
  assert.equal((await district.case(number)).state, 'replied')
  const other = await post(district, 'city', told('CS-1', 5, 'closed', { seen: 3 }), { key })
  assert.equal(other.status, 409, other.text)
  assert.match(other.body.detail, /revision 5 .* "answered"/)
  assert.equal(link.received, 1)

  const wrong = [
    [{ secret: 'another secret altogether' }, told('CS-2', 1, 'dispatched', whole), 403, /signature does not fit/],
    [{ seconds: Math.floor(Date.now() / 1000) - 600 }, told('CS-2', 1, 'dispatched', whole), 403, /another time/],
    [{ signature: 'v1=00' }, told('CS-2', 1, 'dispatched', whole), 403, /X-Yiwang-Signature/],
    [{ key: district.key }, told('CS-2', 1, 'dispatched', whole), 403, /not that of the platform city/],
    [{ key: 'none' }, told('CS-2', 1, 'dispatched', whole), 401, /./],
    [{}, told('CS-2', 1, 'frozen', whole), 400, /"frozen" is not known here; known are: .*closed/],
    [{}, told('CS-2', 1, 'dispatched'), 404, /send it whole/],
    [{}, told('CS-2', -1, 'dispatched', whole), 400, /revision|range/],
    [{}, told('CS 2', 1, 'dispatched', whole), 400, /blanks/],
    [{}, { ...told('CS-2', 1, 'dispatched', whole), at: 'soon' }, 400, /time/],
    [{}, '{"number":"CS-2"', 400, /JSON|byte/],
    [{}, told('CS-2', 1, 'dispatched', { peer_number: number, ...whole }), 409, /belongs to CS-1/],
  ]
  for (const [how, message, status, sentence] of wrong) {
    const answer = await post(district, 'city', message, { key, ...how })
    assert.equal(answer.status, status, `${JSON.stringify(message)}: ${answer.text}`)
    assert.match(answer.body.detail, sentence)
  }
  assert.deepEqual(await district.links('CS-2'), [], 'nothing is half written')
  assert.equal((await district.ask('GET', '/api/v1/cases?channel=platform', undefined, { key: await district.token('clerk') })).body.cases.length, 1)
  const nobody = await post(district, 'province', told('CS-2', 1, 'dispatched', whole), { key })
  assert.equal(nobody.status, 404, nobody.text)
})

/** The district, and in place of the city something that takes what the district says; .got has the messages. */
async function districtAlone(t, rule) {
  const { city, district } = await both(t, { district: rule })
  const got = []
  const server = createServer((rq, rs) => {
    let body = ''
    rq.setEncoding('utf8').on('data', (text) => (body += text)).on('end', () => {
      const message = JSON.parse(body)
      got.push({ ...message, headers: rq.headers })
      rs.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ result: 'updated', number: message.peer_number, revision: message.revision, status: message.status, detail: null }))
    })
  })
  await new Promise((done) => server.listen(city.port, '127.0.0.1', done))
  t.after(() => new Promise((done) => { server.close(done); server.closeAllConnections() }))
  await district.serve()
  const say = (number, revision, status, more) => post(district, 'city', told(number, revision, status, more), { key: city.peerKey })
  return { district, got, say, key: city.peerKey }
}

/** A case of the city that the district has handled; all it said has arrived. */
async function handledCase({ district, got, say }, city) {
  const { status, body, text } = await say(city, 1, 'dispatched', whole)
  assert.equal(status, 201, text)
  await handled(district, body.number)
  await until(() => got.filter((m) => m.peer_number === city).length === 3, 'three statuses are told')
  assert.deepEqual(got.filter((m) => m.peer_number === city).map((m) => [m.revision, m.status, m.seen]), [[1, 'accepted', 1], [2, 'handling', 1], [3, 'handled', 1]])
  return body.number
}

const last = (got, city) => got.filter((m) => m.peer_number === city).at(-1)
const state = async (d, number) => (await d.case(number)).state

test('both changed the case: by rule ours stands, once; then a person decides', async (t) => {
  const alone = await districtAlone(t, 'ours'), { district, got, say } = alone
  const number = await handledCase(alone, 'CS-1')
  const kept = await say('CS-1', 2, 'rework', { seen: 1, reason: '不干净' })
  assert.deepEqual([kept.status, kept.body.result, kept.body.status], [200, 'kept', 'handled'], kept.text)
  const said = await until(() => last(got, 'CS-1').revision === 4 && last(got, 'CS-1'), 'it is said again')
  assert.deepEqual([said.status, said.seen], ['handled', 2])
  assert.equal(await state(district, number), 'handled')
  const [, seconds, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(said.headers['x-yiwang-signature'])
  const { headers, ...message } = said
  assert.ok(seconds && digest && headers.authorization.startsWith('Bearer ') && message.number === number)

  const asked = await say('CS-1', 3, 'rework', { seen: 3, reason: '不干净' })
  assert.deepEqual([asked.status, asked.body.result], [202, 'conflict'], asked.text)
  const [conflict] = await district.conflicts()
  assert.deepEqual([conflict.number, conflict.peer_number, conflict.status, conflict.peer_status, conflict.held.status], [number, 'CS-1', 'handled', 'rework', 'rework'])
  const page = (await district.ask('GET', '/api/openapi.json')).body
  const schema = page.paths['/api/v1/exchange/conflicts'].get.responses['2XX'].content['application/json'].schema
  assert.deepEqual(faults({ links: [conflict], after: null }, schema), [])
  const decide = async (form, who) => district.ask('POST', `/api/v1/exchange/conflicts/city/${number}`, form, { key: await district.token(who) })
  const made = district.commandWith('correct horse battery', 'user', 'add', 'afar', '--role', 'dispatcher', '--area', '990102001001', '--sees', 'area', '--name', 'afar')
  assert.equal(made.status, 0, made.stderr)
  const { body: session } = await district.ask('POST', '/api/v1/session', { user: 'afar', password: 'correct horse battery' })
  district.tokens.afar = session.token
  for (const path of ['conflicts', `links?number=${number}`])
    assert.deepEqual((await district.ask('GET', `/api/v1/exchange/${path}`, undefined, { key: session.token })).body.links, [], 'out of his sight')
  assert.equal((await decide({ decision: 'theirs', reason: 'x' }, 'afar')).status, 404)
  assert.equal((await decide({ decision: 'theirs' }, 'dispatcher')).status, 400)
  assert.equal((await decide({ decision: 'theirs', reason: 'x' }, 'unit')).status, 403)
  const decided = await decide({ decision: 'theirs', reason: '市里的意见正确' }, 'dispatcher')
  assert.equal(decided.status, 200, decided.text)
  assert.equal(await state(district, number), 'handling')
  const history = await district.history(number)
  const note = history.find((h) => h.move === 'settle_exchange')
  assert.deepEqual([note.actor, note.role, note.from, note.to, note.form.reason, note.form.decision, note.form.theirs], ['dispatcher', 'dispatcher', 'handled', 'handled', '市里的意见正确', 'theirs', 'rework'])
  assert.deepEqual(history.slice(-2).map((h) => h.move), ['review', 'rework'])
  const end = await until(() => last(got, 'CS-1').revision === 5 && last(got, 'CS-1'), 'the other side hears the decision')
  assert.deepEqual([end.status, end.seen], ['rework', 3])
  assert.deepEqual(await district.conflicts(), [])
  assert.equal((await decide({ decision: 'ours', reason: 'x' }, 'dispatcher')).status, 404)
  assert.equal(district.command('ledger', 'verify').status, 0)
})

test('both changed the case: by rule theirs stands', async (t) => {
  const alone = await districtAlone(t, 'theirs'), { district, got, say } = alone
  const number = await handledCase(alone, 'CS-1')
  const taken = await say('CS-1', 2, 'rework', { seen: 1, reason: '不干净' })
  assert.deepEqual([taken.status, taken.body.result], [200, 'updated'], taken.text)
  assert.equal(await state(district, number), 'handling')
  const said = await until(() => last(got, 'CS-1').revision === 4 && last(got, 'CS-1'), 'the other side hears that it was taken')
  assert.deepEqual([said.status, said.seen], ['rework', 2])
})

test('both changed the case: by rule a person is asked; what cannot be followed waits too; what lacks something is refused whole', async (t) => {
  const alone = await districtAlone(t, 'ask'), { district, got, say } = alone
  const number = await handledCase(alone, 'CS-1')
  const asked = await say('CS-1', 2, 'rework', { seen: 1, reason: '不干净' })
  assert.deepEqual([asked.status, asked.body.result], [202, 'conflict'], asked.text)
  assert.equal((await say('CS-1', 2, 'rework', { seen: 1, reason: '不干净' })).body.result, 'conflict', 'the same answer')
  assert.equal(await state(district, number), 'handled')
  const decided = await district.ask('POST', `/api/v1/exchange/conflicts/city/${number}`, { decision: 'ours', reason: '已复查' }, { key: await district.token('dispatcher') })
  assert.equal(decided.status, 200, decided.text)
  assert.equal(await state(district, number), 'handled')
  const said = await until(() => last(got, 'CS-1').revision === 4 && last(got, 'CS-1'), 'ours is said again')
  assert.deepEqual([said.status, said.seen], ['handled', 2])
  assert.equal(got.filter((m) => m.peer_number === 'CS-1').length, 4)

  const bare = await say('CS-1', 3, 'answered', { seen: 4 })
  assert.equal(bare.status, 400, bare.text)
  assert.equal(await state(district, number), 'handled', 'the first of two moves is not taken alone')
  assert.equal((await district.links(number))[0].received, 2)
  assert.equal((await say('CS-1', 3, 'answered', { seen: 4, result: '好' })).status, 200)

  const young = await say('CS-2', 1, 'dispatched', whole)
  const early = await say('CS-2', 2, 'closed', { seen: 0, result: '好' })
  assert.deepEqual([early.status, early.body.result], [202, 'conflict'], early.text)
  assert.match(early.body.detail, /no move leads to the status "closed"/)
  assert.equal((await district.conflicts())[0].number, young.body.number)
  await handled(district, young.body.number)
  await sleep(1500)
  assert.equal(last(got, 'CS-2'), undefined, 'nothing is told while a conflict waits')
  const settled = await district.ask('POST', `/api/v1/exchange/conflicts/city/${young.body.number}`, { decision: 'theirs', reason: '可以' }, { key: await district.token('dispatcher') })
  assert.equal(settled.status, 200, settled.text)
  assert.equal(await state(district, young.body.number), 'closed')
})

test('a peer that is away and servers that are killed lose nothing and say nothing twice', async (t) => {
  const { city, district } = await both(t)
  await city.serve()
  const numbers = []
  for (let i = 0; i < 8; i++) numbers.push((await sent(city, null, { text: `第${i}堆垃圾` }))[0])
  await until(async () => /cannot be reached/.test((await city.case(numbers[0])).exchange[0]?.error ?? ''), 'the failure is shown')
  await city.stop('SIGKILL')
  await city.serve()
  await district.serve()
  await sleep(1200)
  await district.stop('SIGKILL')
  await city.stop('SIGKILL')
  await district.serve()
  await city.serve()
  const pairs = []
  for (const ours of numbers) {
    const { exchange: [link] } = await city.becomes(ours, (c) => c.exchange[0]?.peer_number, 'the district has it', 120)
    pairs.push([ours, link.peer_number])
  }
  const there = (await district.ask('GET', '/api/v1/cases?channel=platform&limit=100', undefined, { key: await district.token('clerk') })).body
  assert.equal(there.cases.length, numbers.length, 'each once')
  assert.deepEqual(there.cases.map((c) => c.number).sort(), pairs.map(([, theirs]) => theirs).sort())

  await city.stop('SIGKILL')
  for (const [, theirs] of pairs) await handled(district, theirs)
  await district.stop('SIGKILL')
  await district.serve()
  await city.serve()
  for (const [ours, theirs] of pairs) {
    await city.becomes(ours, (c) => c.state === 'handled', 'the city follows', 120)
    assert.deepEqual((await city.history(ours)).map((h) => h.move).slice(-3), ['sign', 'handle', 'hand_over'])
    const [a] = await city.links(ours), b = await until(async () => { const [l] = await district.links(theirs); return l.acknowledged === 3 && l }, 'all is taken', 120)
    assert.deepEqual([a.sent, a.received, b.sent, b.received, a.error, b.error], [1, 3, 3, 1, '', ''])
  }
})

/** Runs a statement in the district's database. */
function sql(d, text) {
  if (POSTGRES) {
    const url = new URL(d.store), schema = url.searchParams.get('schema')
    url.searchParams.delete('schema')
    return spawnSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', url.href], { input: `SET search_path = ${schema};\n${text}`, encoding: 'utf8' })
  }
  const code = 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], timeout=20)\nc.executescript(sys.stdin.read())\nc.commit()'
  return spawnSync('python3', ['-c', code, join(d.data, 'yiwang.db')], { input: text, encoding: 'utf8' })
}

test('reconcile finds what one side lacks and mends it', async (t) => {
  const { city, district } = await serving(t)
  const pairs = []
  for (let i = 0; i < 4; i++) pairs.push(await sent(city, district))
  await handled(district, pairs[0][1])
  await city.becomes(pairs[0][0], (c) => c.state === 'handled', 'the city follows')
  const same = await until(() => { const r = city.command('exchange', 'reconcile', 'district'); return r.status === 0 && r }, 'both are alike')
  assert.match(same.stdout, /compared: 4, mended: 0, differences: 0/)

  for (const [d, text] of [[district, `DELETE FROM exchange_link WHERE peer_number = '${pairs[0][0]}'`], [city, `DELETE FROM exchange_link WHERE number = '${pairs[1][0]}'`],
    [city, `UPDATE exchange_link SET sent = sent + 1 WHERE number = '${pairs[2][0]}'`]]) {
    const done = sql(d, `${text};`)
    assert.equal(done.status, 0, done.stderr)
  }
  const found = city.command('exchange', 'reconcile', 'district')
  assert.equal(found.status, 1, found.stdout)
  assert.match(found.stderr, /3 differences/)
  assert.deepEqual(found.stdout.trim().split('\n').map((l) => l.split('\t').slice(0, 3)).slice(0, 3).sort(), [
    ['different', pairs[2][0], pairs[2][1]], ['missing here', pairs[1][0], pairs[1][1]], ['missing there', pairs[0][0], pairs[0][1]]])
  const mended = city.command('exchange', 'reconcile', 'district', '--fix')
  assert.equal(mended.status, 0, mended.stdout + mended.stderr)
  assert.match(mended.stdout, /compared: 4, mended: 3, differences: 0/)
  for (const [ours, theirs] of pairs) {
    assert.deepEqual([(await city.links(ours))[0].peer_number, (await district.links(theirs))[0].peer_number], [theirs, ours])
  }
  assert.equal(await state(district, pairs[0][1]), 'handled')
  assert.equal((await district.ask('GET', '/api/v1/cases?channel=platform', undefined, { key: await district.token('clerk') })).body.cases.length, 4, 'no case is made twice')
  await handled(district, pairs[1][1])
  await city.becomes(pairs[1][0], (c) => c.state === 'handled', 'the mended link works')
  const back = await until(() => { const r = district.command('exchange', 'reconcile', 'city'); return r.status === 0 && r }, 'the district finds the same')
  assert.match(back.stdout, /differences: 0/)
  const nobody = city.command('exchange', 'reconcile', 'province')
  assert.equal(nobody.status, 1)
  assert.match(nobody.stderr, /province/)
  await district.stop()
  const away = city.command('exchange', 'reconcile', 'district')
  assert.equal(away.status, 1)
  assert.match(away.stderr, /cannot be reached/)
})

test('faults of the tables are told with file and line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-exchange-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const d = await Platform.make(t, {})
  const side = { ...CITY, peers: () => `${PEERS}district,小样区平台,,out,nobody,unit,platform,,,,,ours\nprovince,省平台,,in,,clerk,post,,,,,ask\n` }
  const dir = packOf(folder, side, 'ours', `${STATUSES}district,out,melted,melted,,\nelsewhere,in,,x,sign,\ndistrict,in,,a,sign|fly,\ndistrict,in,,a,sign,\n`)
  const { status, stderr } = d.command('pack', 'check', dir)
  assert.equal(status, 1)
  for (const fault of [/exchange\/peers\.csv:2: .*unit/, /exchange\/peers\.csv:3: .*channel/, /exchange\/statuses\.csv:2: .*state or a move/, /exchange\/statuses\.csv:3: .*elsewhere/,
    /exchange\/statuses\.csv:4: .*fly/, /exchange\/statuses\.csv:5: .*twice/]) assert.match(stderr, fault)
})
