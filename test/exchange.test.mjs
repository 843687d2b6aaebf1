/* Cases that two platforms have: a city and a district, each a real server with its own pack and numbers.  Nothing is lost or said twice
 * when one of them stops or is killed; what both changed is decided by the pack's rules or by a person; reconcile mends what is missing. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, SMALL, faults, sleep, until } from './lib.mjs'

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
  const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)) })
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
    [{}, told('CS-2', 0, 'dispatched', whole), 400, /revision|range/],
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
