/* Open311 GeoReport v2 over HTTP: every call in JSON and XML, who sees what, and what is beyond the standard. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { District, SMALL, sleep, until } from './lib.mjs'

const BASE = '/open311/v2'
const OAK = { lat: '22.30001234', long: '114.05001234' }
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

/** One call: {status, headers, text, value (JSON, or the XML as a tree of {name, text, children})}. */
async function call(d, method, path, { form, key, headers = {}, body, base = BASE } = {}) {
  const answer = await fetch(d.base + base + path, {
    method,
    headers: { ...(key && { Authorization: `Bearer ${key}` }), ...headers },
    body: form ? new URLSearchParams(form) : body,
  })
  const bytes = Buffer.from(await answer.arrayBuffer())
  const text = bytes.toString(), type = answer.headers.get('content-type') ?? ''
  const value = type.startsWith('application/json') ? JSON.parse(text) : type.startsWith('text/xml') ? tree(text) : null
  return { status: answer.status, headers: answer.headers, text, bytes, value }
}

/** The XML that this server writes: elements and texts. */
function tree(text) {
  assert.ok(text.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n'), text.slice(0, 60))
  const open = [{ children: [] }]
  for (const [, close, name, empty, chars] of text.replace(/^<\?.*?\?>\s*/, '').matchAll(/<(\/?)(\w+)(\/?)>|([^<]+)/g)) {
    const top = open.at(-1)
    if (chars !== undefined) top.text = (top.text ?? '') + plain(chars)
    else if (close) assert.equal(open.pop().name, name)
    else {
      const element = { name, children: [] }
      top.children.push(element)
      if (!empty) open.push(element)
    }
  }
  assert.equal(open.length, 1)
  return open[0].children[0]
}
/** Sends the head of a POST, not the body. */
const announce = (url, headers) => new Promise((done, failed) => {
  const asked = request(url, { method: 'POST', headers }, async (answer) => {
    let text = ''
    for await (const bytes of answer) text += bytes
    asked.destroy()
    done({ status: answer.statusCode, text })
  })
  asked.on('error', failed)
  asked.flushHeaders()
})

const plain = (s) => s.replace(/&(lt|gt|#13|amp);/g, (_, n) => ({ lt: '<', gt: '>', amp: '&', '#13': '\r' })[n])
const field = (element, name) => element.children.find((c) => c.name === name)?.text ?? null
const faults = (answer) => answer.value.map((f) => f.description.split(':')[0])

const post = (d, fields, options = {}) =>
  call(d, 'POST', `/requests.${options.format ?? 'json'}`, { form: { service_code: '010201', ...OAK, api_key: options.key === null ? '' : options.key ?? d.key, ...fields }, ...options, key: undefined })
async function posted(d, fields, options) {
  const answer = await post(d, fields, options)
  assert.equal(answer.status, 201, answer.text)
  return answer.value[0].service_request_id
}
const one = async (d, id, key, query = '') => (await call(d, 'GET', `/requests/${id}.json${query}`, { key })).value?.[0]
const channelKey = (d, name, channel) => d.command('key', 'add', name, '--channel', channel).stdout.trim()

test('each call says the same in JSON and in XML', async (t) => {
  const d = await District.start(t)
  const id = await posted(d, { service_code: '010101', 'attribute[kind]': 'green', description: '一堆 <垃圾> & 树枝', address_string: '北路 1 号' })
  const both = async (path, key) => {
    const [json, xml] = [await call(d, 'GET', `${path}.json`, { key }), await call(d, 'GET', `${path}.xml`, { key })]
    assert.equal(json.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.equal(xml.headers.get('content-type'), 'text/xml; charset=utf-8')
    assert.deepEqual([json.status, xml.status], [200, 200], path)
    return [json.value, xml.value]
  }
  const same = (object, element) => {
    assert.deepEqual(Object.keys(object), element.children.map((c) => c.name))
    for (const [name, v] of Object.entries(object))
      if (!Array.isArray(v)) assert.equal(v === null ? null : String(v), field(element, name), name)
  }
  const [services, servicesXml] = await both('/services')
  assert.equal(servicesXml.name, 'services')
  assert.equal(services.length, servicesXml.children.length)
  services.forEach((s, i) => same(s, servicesXml.children[i]))
  assert.deepEqual(services.find((s) => s.service_code === '010101'), {
    service_code: '010101', service_name: '暴露垃圾', description: '露天堆放', metadata: true, type: 'realtime',
    keywords: '暴露垃圾,垃圾,市容,乱堆垃圾', group: '市容' })
  assert.ok(!services.some((s) => ['01', '0101'].includes(s.service_code)), 'only what can be reported')

  const [definition, definitionXml] = await both('/services/010101')
  assert.equal(definitionXml.name, 'service_definition')
  assert.deepEqual(definition.attributes.map((a) => [a.code, a.datatype, a.required, a.variable, a.order]),
    [['kind', 'singlevaluelist', true, true, 1], ['amount', 'number', false, true, 2]])
  assert.deepEqual(definition.attributes[0].values[2], { key: 'green', name: '园林垃圾' })
  definition.attributes.forEach((a, i) => same(a, definitionXml.children[1].children[i]))
  assert.deepEqual(definitionXml.children[1].children[0].children.at(-1).children.map((v) => field(v, 'key')), ['household', 'building', 'green'])

  for (const path of ['/requests', `/requests/${id}`])
    for (const key of [d.key, undefined]) {
      const [list, listXml] = await both(path, key)
      assert.equal(listXml.name, 'service_requests')
      assert.equal(list.length, 1)
      same(list[0], listXml.children[0])
      assert.equal(list[0].description, key ? '一堆 <垃圾> & 树枝' : null)
    }
  const found = await one(d, id, d.key)
  assert.equal(typeof found.lat, 'number')
  assert.match(found.requested_datetime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/)
  assert.deepEqual([found.status, found.status_notes, found.service_name, found.agency_responsible], ['open', '已分拨', '暴露垃圾', '橡树社区工作站'])

  for (const base of ['/open311', BASE]) {
    const json = await call(d, 'GET', '/discovery.json', { base }), xml = await call(d, 'GET', '/discovery.xml', { base })
    assert.equal(json.value.endpoints[0].url, `${d.base}${BASE}`)
    assert.equal(field(xml.value.children.find((c) => c.name === 'endpoints').children[0], 'url'), `${d.base}${BASE}`)
  }
  const english = await call(d, 'GET', '/services.json', { headers: { 'Accept-Language': 'en-GB' } })
  assert.equal(english.value[0].service_name, 'Exposed rubbish')
})

test('refusals come in the form of the address, also before any handler', async (t) => {
  const d = await District.start(t, { settings: { open311_jurisdiction: 'sample.gov' } })
  const cases = [
    ['GET', '/services/nothing', 404], ['GET', '/requests/XY0', 404], ['GET', '/tokens/nothing', 404], ['GET', '/nothing', 404],
    ['GET', '/services/0101', 404], ['DELETE', '/services', 405], ['POST', '/services', 405], ['POST', '/nothing', 404], ['GET', '/%zz', 400],
    ['GET', '/requests', 400, '?status=asleep'], ['GET', '/requests', 400, '?start_date=yesterday'], ['GET', '/requests', 400, '?page=0'],
    ['GET', '/requests', 400, '?start_date=2026-01-02T00:00:00'], ['GET', '/requests', 400, '?status=%ff'], ['GET', '/changes', 400, '?cursor=x'],
    ['GET', '/services', 404, '?jurisdiction_id=other.gov'], ['GET', '/requests', 403, '?api_key=wrong'], ['POST', '/requests', 403],
    ['POST', '/servicerequestupdates', 403],
  ]
  for (const [method, path, status, query = ''] of cases) {
    const json = await call(d, method, `${path}.json${query}`), xml = await call(d, method, `${path}.xml${query}`)
    assert.deepEqual([json.status, xml.status], [status, status], `${method} ${path}${query}: ${json.text}`)
    assert.equal(json.value[0].code, status)
    assert.ok(json.value[0].description.length > 8)
    assert.equal(xml.value.name, 'errors')
    assert.deepEqual(xml.value.children[0].children.map((c) => c.name), ['code', 'description'])
    assert.equal(field(xml.value.children[0], 'code'), String(status))
  }
  for (const path of ['/services', '/services.html', '/requests', '']) {
    const { status, value } = await call(d, 'GET', path, { headers: { Accept: 'text/xml' } })
    assert.equal(status, 404)
    assert.equal(value[0].code, 404)
  }
  for (const type of ['application/json', 'text/xml', 'text/plain']) {
    const { status, value } = await call(d, 'POST', '/requests.xml', { key: d.key, body: '<a/>', headers: { 'Content-Type': type } })
    assert.equal(status, 415)
    assert.equal(value.name, 'errors')
  }
  const huge = await announce(`${d.base}${BASE}/requests.xml`, { 'Content-Type': 'multipart/form-data; boundary=x', 'Content-Length': 13 << 20 })
  assert.equal(huge.status, 413, 'refused before it is sent')
  assert.equal(tree(huge.text).name, 'errors')
  for (const body of ['service_code=%zz', 'service_code=%ff', 'service_code=a%00b'])
    assert.equal((await call(d, 'POST', '/requests.json', { key: d.key, body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status, 400)
  assert.equal((await call(d, 'GET', '/services.json?jurisdiction_id=sample.gov')).status, 200)
  assert.equal((await call(d, 'GET', '/requests.json?colour=red&bbox=1')).status, 200, 'unknown names are ignored')
  const zh = await call(d, 'GET', '/services/nothing.json', { headers: { 'Accept-Language': 'zh-CN' } })
  assert.match(zh.value[0].description, /[\u4e00-\u9fff]/)
})

test('a request over the limit of its address is refused in the same form', async (t) => {
  const d = await District.start(t)
  const answers = await Promise.all(Array.from({ length: 250 }, () => call(d, 'POST', '/requests.xml', { form: {} })))
  const late = answers.find((a) => a.status === 429)
  assert.ok(late, 'a limit for strangers')
  assert.equal(field(late.value.children[0], 'code'), '429')
  assert.ok(late.headers.get('retry-after'))
  assert.equal((await post(d, {})).status, 201, 'keys are not slowed down')
})

test('a key in the form, the query or the header; the key says the channel', async (t) => {
  const d = await District.start(t)
  const hotline = channelKey(d, 'hot', 'hotline')
  const form = { service_code: '010201', ...OAK }
  for (const options of [{ form: { ...form, api_key: hotline } }, { form, key: hotline }]) assert.equal((await call(d, 'POST', '/requests.json', options)).status, 201)
  assert.equal((await call(d, 'POST', `/requests.json?api_key=${hotline}`, { form })).status, 201)
  assert.equal((await call(d, 'POST', '/requests.json', { form })).status, 403)
  assert.equal((await call(d, 'POST', '/requests.json', { form: { ...form, api_key: 'yk_WRONG' } })).status, 403)
  assert.equal((await call(d, 'POST', '/requests.json', { form, key: await d.signIn('clerk') })).status, 403, 'staff reports elsewhere')
  const clerk = await d.signIn('dispatcher')
  const { body } = await d.ask('GET', '/api/v1/cases?channel=hotline', undefined, { key: clerk })
  assert.equal(body.cases.length, 3)
  await posted(d, {})
  assert.equal((await d.ask('GET', '/api/v1/cases?channel=open311', undefined, { key: clerk })).body.cases.length, 1)
})

test('every wrong field is named, and nothing is stored', async (t) => {
  const d = await District.start(t)
  const wrong = [
    [{ service_code: '' }, 400, ['service_code']], [{ service_code: 'x' }, 404, ['service_code']], [{ service_code: '0101' }, 404, ['service_code']],
    [{ lat: '' }, 400, ['lat']], [{ lat: 'north', long: '200' }, 400, ['lat', 'long']], [{ lat: '', long: '' }, 400, ['lat']],
    [{ description: '长'.repeat(4001) }, 400, ['description']], [{ email: 'x'.repeat(201), media_url: 'ftp://x' }, 400, ['email', 'media_url']],
    [{ service_code: '010101' }, 400, ['attribute[kind]']], [{ service_code: '010101', 'attribute[kind]': 'gold' }, 400, ['attribute[kind]']],
    [{ service_code: '010102', 'attribute[amount]': 'many' }, 400, ['attribute[amount]']], [{ service_code: '0201', 'attribute[since]': 'long ago' }, 400, ['attribute[since]']],
    [{ 'attribute[colour]': 'red' }, 400, ['attribute[colour]']],
  ]
  for (const [fields, status, names] of wrong) {
    const answer = await post(d, fields)
    assert.equal(answer.status, status, answer.text)
    assert.deepEqual(faults(answer), names)
  }
  const twice = await call(d, 'POST', '/requests.json', { key: d.key, form: [...Object.entries({ service_code: '010201', ...OAK }), ['lat', '1'], ['service_code', '0202']] })
  assert.deepEqual([twice.status, faults(twice)], [400, ['service_code', 'lat']])
  const swapped = await post(d, { lat: '114.05', long: '22.3' })
  assert.equal(swapped.status, 400)
  const area = await post(d, { lat: '', long: '', address_id: 'nowhere' })
  assert.equal(area.status, 400)
  const long = await posted(d, { description: '长'.repeat(4000) })
  assert.equal((await one(d, long, d.key)).description.length, 4000)
  assert.equal((await call(d, 'GET', '/requests.json')).value.length, 1)
})

test('place by point, by words or by area; the text may be left to the service', async (t) => {
  const d = await District.start(t)
  const ids = [await posted(d, {}), await posted(d, { lat: '', long: '', address_string: '南路 9 号' }), await posted(d, { lat: '', long: '', address_id: '990102001002' })]
  const [point, words, area] = await Promise.all(ids.map((id) => one(d, id, d.key)))
  assert.deepEqual([point.lat, point.long, point.address_id, point.description], [22.30001234, 114.05001234, '990101001001', '占道经营'])
  assert.deepEqual([words.lat, words.address, words.address_id], [null, '南路 9 号', null])
  assert.deepEqual([area.address_id, area.agency_responsible], ['990102001002', '南街道办事处'])
})

test('the same Idempotency-Key: the same answer, and nothing stored', async (t) => {
  const d = await District.start(t)
  const headers = { 'Idempotency-Key': 'one-1' }, other = channelKey(d, 'other', 'open311')
  const first = await post(d, {}, { headers })
  assert.equal(first.status, 201)
  const race = await Promise.all(Array.from({ length: 16 }, () => post(d, { description: 'other words' }, { headers })))
  assert.deepEqual(race.map((a) => [a.status, a.text]), race.map(() => [200, first.text]))
  assert.equal((await post(d, {}, { headers, key: other })).status, 201, 'the key of another sender is another')
  assert.equal((await post(d, {}, { headers: { 'Idempotency-Key': 'x'.repeat(200) } })).status, 201)
  for (const bad of ['x'.repeat(201), 'a b']) assert.equal((await post(d, {}, { headers: { 'Idempotency-Key': bad } })).status, 400)
  assert.equal((await call(d, 'GET', '/requests.json')).value.length, 3)
})

test('answers to attributes are kept and shown to who may see them', async (t) => {
  const d = await District.start(t)
  const form = new URLSearchParams({ service_code: '0201', ...OAK, api_key: d.key, 'attribute[since]': '2026-01-02T03:04:05Z', 'attribute[note]': ' a & b ' })
  for (const source of ['drill', 'truck']) form.append('attribute[sources][]', source)
  const answer = await call(d, 'POST', '/requests.json', { form })
  assert.equal(answer.status, 201, answer.text)
  const id = answer.value[0].service_request_id
  const attributes = [['since', '2026-01-02T03:04:05Z'], ['note', ' a & b '], ['sources', 'drill'], ['sources', 'truck']].map(([code, value]) => ({ code, value }))
  assert.deepEqual((await one(d, id, d.key, '?extensions=true')).extended_attributes, { number: id, state: 'dispatched', unit: 'housing', attributes })
  assert.deepEqual((await one(d, id, undefined, '?extensions=true')).extended_attributes.attributes, [])
  assert.equal((await one(d, id, d.key)).extended_attributes, undefined)
  const staff = await d.ask('GET', `/api/v1/cases/${id}/reports`, undefined, { key: await d.signIn('clerk') })
  assert.deepEqual(staff.body.reports[0].attributes, attributes)
})

test('who sees what: nobody sees the reporter, strangers see no text and no door', async (t) => {
  const d = await District.start(t)
  const hotline = channelKey(d, 'hot', 'hotline')
  const person = { first_name: '伟', last_name: '欧阳', phone: '13912345678', email: 'ouyang@example.org', device_id: 'device-7' }
  const id = await posted(d, { ...person, description: '门口有垃圾', address_string: '橡树路 7 号' })
  const secret = (await d.report({ channel: 'hotline', item: '010201', text: '匿名举报', location: { lon: 114.05, lat: 22.3 }, reporter: { name: '赵', confidential: true } }, { key: hotline })).body.number
  const dispatcher = await d.signIn('dispatcher'), unit = await d.signIn('unit')
  const seen = async (key) => {
    const list = await call(d, 'GET', '/requests.json?extensions=true', { key }), feed = await call(d, 'GET', '/changes.json', { key })
    const updates = await call(d, 'GET', '/servicerequestupdates.json', { key })
    const about = { ...Object.fromEntries(list.value.map((r) => [r.service_request_id, r.description])) }
    for (const word of ['欧阳', '13912345678', 'ouyang@', 'device-7', '赵']) assert.ok(!(list.text + feed.text + updates.text).includes(word), word)
    const numbers = new Set([...feed.value.changes, ...updates.value].map((c) => c.service_request_id))
    assert.deepEqual([...numbers].sort(), Object.keys(about).sort())
    return about
  }
  assert.deepEqual(await seen(), { [id]: null })
  assert.deepEqual(await seen(d.key), { [id]: '门口有垃圾' })
  assert.deepEqual(await seen(hotline), { [id]: null, [secret]: '匿名举报' })
  assert.deepEqual(await seen(dispatcher), { [id]: '门口有垃圾', [secret]: '匿名举报' })
  assert.deepEqual(await seen(unit), { [id]: null }, 'the case is with another unit')
  assert.equal((await call(d, 'GET', `/requests/${secret}.json`)).status, 404)
  assert.equal((await call(d, 'GET', `/requests.json?service_request_id=${secret}`, { key: d.key })).value.length, 0)
  const masked = await one(d, id)
  assert.deepEqual([masked.lat, masked.long, masked.address, masked.address_id], [22.3, 114.05, null, null])
  const whole = await one(d, id, d.key)
  assert.deepEqual([whole.lat, whole.long, whole.address], [22.30001234, 114.05001234, '橡树路 7 号'])
  const kept = await d.ask('GET', `/api/v1/cases/${id}/reports`, undefined, { key: dispatcher })
  assert.equal(kept.body.reports[0].phone_masked, '139****5678')
  assert.doesNotMatch(d.log, /欧阳|13912345678/)
})

test('a unit sees its own cases whole, also what came in confidence', async (t) => {
  const d = await District.start(t)
  const unit = await d.signIn('unit'), dispatcher = await d.signIn('dispatcher')
  const { body } = await d.report({ text: '请北街道看一下', reporter: { name: '钱', confidential: true } })
  assert.deepEqual((await call(d, 'GET', '/requests.json', { key: unit })).value, [])
  assert.equal((await d.move(body.number, 'dispatch', { item: '0101', unit: 'north', assists: [] }, dispatcher)).status, 200)
  const [found] = (await call(d, 'GET', '/requests.json', { key: unit })).value
  assert.deepEqual([found.service_request_id, found.description], [body.number, '请北街道看一下'])
})

test('filters, spans and pages', async (t) => {
  const d = await District.start(t)
  const clerk = await d.signIn('clerk')
  const list = async (query) => (await call(d, 'GET', `/requests.json?${query}`, { key: d.key })).value.map((r) => r.service_request_id)
  const ids = []
  for (const code of ['010201', '0401', '0202', '010201', '0202']) ids.unshift(await posted(d, { service_code: code }))
  assert.deepEqual(await list(''), ids, 'newest first')
  assert.equal((await d.move(ids[3], 'answer', { result: '可以' }, clerk)).status, 200)
  assert.deepEqual(await list('status=closed'), [ids[3]])
  assert.deepEqual(await list('status=open'), ids.filter((_, i) => i !== 3))
  assert.deepEqual(await list('status=open,closed'), ids)
  assert.deepEqual(await list('service_code=0202,0401'), [ids[0], ids[2], ids[3]])
  assert.deepEqual(await list('service_code=nothing'), [])
  assert.deepEqual((await list(`service_request_id=${ids[4]},nothing,${ids[1]}&status=closed&service_code=x`)).sort(), [ids[1], ids[4]].sort(), 'overrides all else')
  assert.equal((await one(d, ids[3], d.key)).status_notes, '可以')
  assert.equal((await one(d, ids[3])).status_notes, '已解答')

  const { requested_datetime: first } = await one(d, ids[4])
  assert.ok((await list(`end_date=${encodeURIComponent(first)}`)).includes(ids[4]), 'the whole second belongs to it')
  assert.ok((await list(`start_date=${first.replace('+', '%2B')}`)).includes(ids[4]))
  assert.ok((await list(`start_date=${first}`)).includes(ids[4]), 'a + that was not escaped')
  assert.deepEqual(await list(`start_date=${new Date(Date.now() + 60000).toISOString()}&end_date=${new Date(Date.now() + 120000).toISOString()}`), [])
  const day = 86400000, old = '2026-01-05T09:00:00+08:00'
  assert.deepEqual(await list(`start_date=2020-01-01T00:00:00Z&end_date=${new Date(Date.parse(old) - 91 * day).toISOString()}`), [])

  const pages = []
  for (let url = `${BASE}/requests.json?page_size=2&page=1&service_code=0202,0401,010201`; url;) {
    const answer = await call(d, 'GET', url, { base: '', key: d.key })
    pages.push(answer.value.map((r) => r.service_request_id))
    if (pages.length === 1) await posted(d, {}) // what comes in meanwhile moves nothing
    url = /<http:\/\/[^/]+(\S+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  assert.deepEqual(pages, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
})

test('a report that cannot be filed yet has a token, and its number later', async (t) => {
  const folder = mkdtempSync(`${tmpdir()}/yiwang-pack-`)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(SMALL, folder, { recursive: true })
  const items = readFileSync(`${folder}/items.csv`, 'utf8')
  writeFileSync(`${folder}/items.csv`, items.replace(/^(0102,.*),2,work_hour,/m, '$1,3000,work_day,'))
  const d = await District.start(t, { pack: folder })
  const headers = { 'Idempotency-Key': 'later' }
  const answer = await post(d, {}, { headers })
  assert.equal(answer.status, 201)
  const { token, service_request_id: none } = answer.value[0]
  assert.match(token, /^[0-9A-Z]{12}$/)
  assert.equal(none, undefined)
  assert.deepEqual((await post(d, {}, { headers })).value, answer.value)
  const waits = await call(d, 'GET', `/tokens/${token}.json`), xml = await call(d, 'GET', `/tokens/${token}.xml`)
  assert.deepEqual(waits.value, [{ service_request_id: null, token }])
  assert.equal(field(xml.value.children[0], 'service_request_id'), null)
  const filed = (await d.report({ item: '0202' })).body
  assert.deepEqual((await call(d, 'GET', `/tokens/${filed.track}.json`)).value, [{ service_request_id: filed.number, token: filed.track }])
})

test('updates as FixMyStreet asks for them, and its notes come back', async (t) => {
  const d = await District.start(t)
  const clerk = await d.signIn('clerk'), hotline = channelKey(d, 'hot', 'hotline')
  const since = new Date(Date.now() - 60000).toISOString(), id = await posted(d, { service_code: '0401', description: '几点开门' })
  const updates = async (key, query = '') => (await call(d, 'GET', `/servicerequestupdates.json?start_date=${since}${query}`, { key })).value
  assert.deepEqual(await updates(d.key), [], 'its coming in is no update')
  assert.equal((await d.move(id, 'answer', { result: '九点' }, clerk)).status, 200)
  const [said] = await updates(d.key)
  assert.deepEqual([said.service_request_id, said.status, said.description, said.media_url, said.external_status_code], [id, 'closed', '九点', null, 'answered'])
  assert.equal((await updates())[0].description, null)
  const form = { service_request_id: id, update_id: '77', description: '谢谢 <3', status: 'OPEN', updated_datetime: since, api_key: d.key, jurisdiction_id: 'any', media_url: 'https://x.org/a.jpg' }
  const xml = await call(d, 'POST', '/servicerequestupdates.xml', { form })
  assert.equal(xml.status, 201, xml.text)
  assert.equal(xml.value.name, 'service_request_updates')
  const noted = field(xml.value.children[0], 'update_id')
  const again = await call(d, 'POST', '/servicerequestupdates.json', { form })
  assert.deepEqual([again.status, again.value], [200, [{ update_id: noted }]])
  const shown = (await updates(d.key, `&service_request_id=${id}`)).at(-1)
  assert.deepEqual([shown.update_id, shown.description, shown.media_url], [noted, '谢谢 <3', 'https://x.org/a.jpg'])
  assert.ok(!(await updates()).some((u) => u.update_id === noted))
  const staff = await d.ask('GET', `/api/v1/cases/${id}/reports`, undefined, { key: clerk })
  assert.deepEqual(staff.body.notes.map((n) => [n.text, n.media]), [['谢谢 <3', ['https://x.org/a.jpg']]])
  const wrong = await call(d, 'POST', '/servicerequestupdates.json', { form: { api_key: d.key } })
  assert.deepEqual([wrong.status, faults(wrong)], [400, ['service_request_id', 'description']])
  assert.equal((await call(d, 'POST', '/servicerequestupdates.json', { form: { ...form, api_key: hotline } })).status, 404, "another channel's case")
  const list = await call(d, 'GET', `/servicerequestupdates.xml?start_date=${since}&end_date=${new Date(Date.now() + 1000).toISOString()}`, { key: d.key })
  assert.deepEqual(list.value.children.map((c) => c.name), ['request_update', 'request_update'])
})

test('what units say among themselves is not told to the reporter', async (t) => {
  const d = await District.start(t)
  const { body } = await d.report({ channel: 'open311', text: '请北街道看一下' })
  assert.equal((await d.move(body.number, 'dispatch', { item: '0101', unit: 'north', assists: [] }, await d.signIn('dispatcher'))).status, 200)
  assert.equal((await d.move(body.number, 'return', { reason: '内部理由' }, await d.signIn('unit'))).status, 200)
  const { value, text } = await call(d, 'GET', '/servicerequestupdates.json', { key: d.key })
  assert.equal(value.at(-1).external_status_code, 'returned')
  assert.doesNotMatch(text + (await call(d, 'GET', '/requests.json', { key: d.key })).text, /内部理由/)
})

test('the change feed loses nothing and repeats nothing while many write', async (t) => {
  const d = await District.start(t)
  const clerk = await d.signIn('clerk')
  const before = (await call(d, 'GET', '/changes.json?cursor=now')).value
  assert.deepEqual(before.changes, [])
  let writing = true
  const wanted = []
  const writer = async () => {
    for (let i = 0; i < 12; i++) {
      const id = await posted(d, { service_code: '0401' })
      wanted.push(`${id} open`)
      if (i % 2 === 0) {
        assert.equal((await d.move(id, 'answer', { result: '好' }, clerk)).status, 200)
        wanted.push(`${id} closed`)
      }
    }
  }
  const seen = []
  const follow = async () => {
    for (let cursor = before.cursor, quiet = 0; quiet < 20;) {
      const { status, value } = await call(d, 'GET', `/changes.json?limit=3&cursor=${cursor}`)
      assert.equal(status, 200)
      assert.ok(value.changes.length <= 3)
      seen.push(...value.changes.map((c) => `${c.service_request_id} ${c.status}`))
      cursor = value.cursor
      quiet = writing || value.changes.length ? 0 : quiet + 1
      if (!value.changes.length) await sleep(20)
    }
  }
  const following = follow()
  await Promise.all(Array.from({ length: 8 }, writer))
  writing = false
  await following
  assert.deepEqual([...seen].sort(), [...wanted].sort())
  for (const id of new Set(wanted.map((w) => w.split(' ')[0]))) {
    const own = seen.filter((s) => s.startsWith(id))
    assert.equal(own[0], `${id} open`, 'in the order of commits')
  }
  const whole = (await call(d, 'GET', '/changes.xml?limit=1000')).value
  assert.equal(whole.name, 'change_feed')
  assert.equal(whole.children[0].children.length, wanted.length)
  // Pages are filled with what may be shown: reports made in confidence leave no empty ones.
  for (let i = 0; i < 70; i++) assert.equal((await d.report({ item: '0401', reporter: { name: '赵', confidential: true } })).status, 201)
  const open = await posted(d, { service_code: '0401' })
  const cursor = field(whole, 'cursor')
  const one = async () => (await call(d, 'GET', `/changes.json?limit=1&cursor=${cursor}`)).value.changes
  await until(async () => (await one()).length, 'the report after those')
  assert.deepEqual((await one()).map((c) => c.service_request_id), [open])
  const [tx, seq] = before.cursor.split('.'), old = Math.floor(Date.now() / 1000) - 8 * 86400
  assert.equal((await call(d, 'GET', `/changes.json?cursor=${tx}.${seq}.${old}`)).status, 410, 'what is forgotten is not passed over in silence')
})

test('pictures: kept by their bytes, shown to who may see the report', async (t) => {
  const d = await District.start(t)
  const hotline = channelKey(d, 'hot', 'hotline')
  const send = (files, fields = {}) => {
    const form = new FormData()
    for (const [name, value] of Object.entries({ service_code: '010201', ...OAK, api_key: d.key, description: '有照片', ...fields })) form.append(name, value)
    files.forEach(([bytes, type, name], i) => form.append(i ? `photo${i + 1}` : 'media', new Blob([bytes], { type }), name))
    return call(d, 'POST', '/requests.json', { body: form })
  }
  const answer = await send([[PNG, 'image/jpeg', '照片 "1".jpg']], { 'attribute[x]': '' })
  assert.deepEqual([answer.status, faults(answer)], [400, ['attribute[x]']])
  const folder = () => { try { return readdirSync(`${d.data}/media`, { recursive: true }).filter((f) => f.length > 10) } catch { return [] } }
  assert.deepEqual(folder(), [], 'a refused report leaves nothing')
  const [good, twice] = [await send([[PNG, 'image/jpeg', '照片 "1".jpg']]), await send([[PNG, 'image/png', 'b.png']])]
  assert.deepEqual([good.status, twice.status], [201, 201], good.text)
  const id = good.value[0].service_request_id
  const { media_url: url } = await one(d, id, d.key)
  assert.match(url, new RegExp(`^${d.base}/api/v1/media/[0-9a-f]{64}$`))
  assert.equal((await one(d, id)).media_url, null)
  const path = new URL(url).pathname, get = (key, headers) => call(d, 'GET', path, { base: '', key, headers })
  const shown = await get(d.key)
  assert.equal(shown.status, 200)
  assert.deepEqual(shown.bytes, PNG)
  assert.equal(shown.headers.get('content-type'), 'image/png')
  assert.equal(shown.headers.get('x-content-type-options'), 'nosniff')
  assert.match(shown.headers.get('content-security-policy'), /sandbox/)
  assert.equal((await get(d.key, { 'If-None-Match': shown.headers.get('etag') })).status, 304)
  assert.equal((await get()).status, 401)
  assert.equal((await get(hotline)).status, 404)
  assert.equal((await get(await d.signIn('unit'))).status, 404, 'the case is with another unit')
  assert.equal((await get(await d.signIn('clerk'))).status, 200)
  for (const other of ['0'.repeat(64), '..%2f..%2fseal.key', 'x']) assert.equal((await call(d, 'GET', `/api/v1/media/${other}`, { base: '', key: d.key })).status, 404)
  assert.equal(folder().filter((f) => /[0-9a-f]{64}$/.test(f)).length, 1, 'the same picture is one file')
  for (const [bytes, type] of [['#!/bin/sh\n', 'image/png'], ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'], ['', 'image/png']]) {
    const refused = await send([[bytes, type, 'a.png']])
    assert.deepEqual([refused.status, faults(refused)], [400, ['media']])
  }
  const staff = await d.ask('GET', `/api/v1/cases/${id}/reports`, undefined, { key: await d.signIn('clerk') })
  assert.deepEqual(staff.body.pictures, [{ url: path, type: 'image/png', bytes: PNG.length, location: null, taken: null }])
  await d.stop()
  await d.serve()
  assert.deepEqual((await get(d.key)).bytes, PNG)
})

test('odd but honest clients', async (t) => {
  const d = await District.start(t)
  // FixMyStreet: everything in the body of a multipart form, CODE in brackets, the jurisdiction too.
  const form = new FormData()
  for (const [name, value] of Object.entries({ jurisdiction_id: 'fixmystreet', api_key: d.key, service_code: '010102', ...OAK, description: '垃圾\r\n第二行', 'attribute[amount]': '3', first_name: 'Bob', last_name: 'Mould', email: 'b@example.org', title: 'x' }))
    form.append(name, value)
  form.append('media', new Blob([]), '')
  const fms = await call(d, 'POST', '/requests.xml', { body: form })
  assert.equal(fms.status, 201, fms.text)
  const id = field(fms.value.children[0], 'service_request_id')
  assert.equal((await one(d, id, d.key)).description, '垃圾\r\n第二行')
  const xml = await call(d, 'GET', `/requests/${id}.xml`, { key: d.key })
  assert.equal(field(xml.value.children[0], 'description'), '垃圾\r\n第二行')
  // node-open311: the jurisdiction in the query, anything from 300 on is an error.
  assert.equal((await call(d, 'POST', '/requests.json?jurisdiction_id=node', { form: { api_key: d.key, service_code: '010201', ...OAK } })).status, 201)
  // What XML cannot hold does not break the document.
  const odd = await posted(d, { description: 'bell \u0007 ]]> \uFFFF end' })
  const found = await call(d, 'GET', `/requests/${odd}.xml`, { key: d.key })
  assert.equal(field(found.value.children[0], 'description'), 'bell \uFFFD ]]> \uFFFD end')
  await until(async () => (await call(d, 'GET', '/requests.json')).value.length === 3, 'three reports')
})
