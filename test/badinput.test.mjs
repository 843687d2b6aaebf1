/* Bodies that are wrong in every way we know: each gets its status and a sentence in both languages, and nothing is stored; and what
 * looks odd but is right is kept as it came. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { District, SMALL } from './lib.mjs'

const REPORTS = '/api/v1/reports'
const good = { channel: 'hotline', text: '路边有一堆垃圾' }
const json = (fields) => JSON.stringify({ ...good, ...fields })
const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p) : Buffer.from(p))))
const nested = (open, close, n) => `{"channel":"hotline","text":"a","media":${open.repeat(n)}1${close.repeat(n)}}`

/** The middle of one grid of the sample district. */
const ring = JSON.parse(readFileSync(`${SMALL}/outlines.geojson`, 'utf8')).features.find((f) => f.properties.code.length === 12)
  .geometry.coordinates[0].slice(0, 4)
const lon = ring.reduce((s, p) => s + p[0], 0) / 4
const lat = ring.reduce((s, p) => s + p[1], 0) / 4

/** What is sent to POST /api/v1/reports, status, field (when one is to blame), words of the English sentence. */
const bad = [
  // no JSON
  ['no body', '', 400, undefined, /missing/],
  ['one blank', ' ', 400],
  ['cut in the middle', '{"channel":"hotline","text":"a', 400, undefined, /stops being JSON/],
  ['without its last brace', '{"channel":"hotline","text":"a"', 400],
  ['with something behind', `${json()}x`, 400],
  ['two objects', `${json()}${json()}`, 400],
  ['a comma too many', '{"channel":"hotline","text":"a",}', 400],
  ['a comment', `/* a */${json()}`, 400],
  ['single quotes', "{'channel':'hotline','text':'a'}", 400],
  ['names without quotes', '{channel:"hotline",text:"a"}', 400],
  ['form data', 'channel=hotline&text=a', 400],
  ['XML', '<report><text>a</text></report>', 400],
  ['a list', '[]', 400, undefined, /object/],
  ['a text', '"a"', 400, undefined, /object/],
  ['a number', '1', 400],
  ['null', 'null', 400],
  ['NaN', '{"channel":"hotline","text":"a","location":{"lon":NaN,"lat":1}}', 400],
  ['Infinity', '{"channel":"hotline","text":"a","location":{"lon":Infinity,"lat":1}}', 400],
  ['a number in hexadecimal', '{"channel":"hotline","text":"a","location":{"lon":0x72,"lat":1}}', 400],
  ['a number with a zero in front', '{"channel":"hotline","text":"a","location":{"lon":0114,"lat":1}}', 400],
  ['a number with a plus', '{"channel":"hotline","text":"a","location":{"lon":+114,"lat":1}}', 400],
  ['a number that ends with a dot', '{"channel":"hotline","text":"a","location":{"lon":114.,"lat":1}}', 400],
  ['a line end within a text', '{"channel":"hotline","text":"a\nb"}', 400],
  ['a tab within a text', '{"channel":"hotline","text":"a\tb"}', 400],
  ['a control character between', '{"channel":"hotline",\x01"text":"a"}', 400],
  ['an escape that is none', '{"channel":"hotline","text":"\\x41"}', 400],
  ['half a surrogate', '{"channel":"hotline","text":"\\ud800"}', 400],
  ['surrogates in the wrong order', '{"channel":"hotline","text":"\\udc00\\ud800"}', 400],
  // bytes
  ['GBK for UTF-8', bytes('{"channel":"hotline","text":"', [0xc0, 0xac, 0xbb, 0xf8], '"}'), 400, undefined, /UTF-8/],
  ['UTF-16', Buffer.from(json(), 'utf16le'), 400, undefined, /UTF-8/],
  ['a cut character', bytes('{"channel":"hotline","text":"', [0xe5, 0x9e], '"}'), 400, undefined, /UTF-8/],
  ['an overlong slash', bytes('{"channel":"hotline","text":"', [0xc0, 0xaf], '"}'), 400, undefined, /UTF-8/],
  ['a raw surrogate', bytes('{"channel":"hotline","text":"', [0xed, 0xa0, 0x80], '"}'), 400, undefined, /UTF-8/],
  ['beyond Unicode', bytes('{"channel":"hotline","text":"', [0xf4, 0x90, 0x80, 0x80], '"}'), 400, undefined, /UTF-8/],
  ['NUL', bytes('{"channel":"hotline","text":"a', [0], '"}'), 400],
  ['NUL as an escape', '{"channel":"hotline","text":"a\\u0000b"}', 400, undefined, /NUL/],
  // size and depth
  ['over 64 KiB', json({ address: 'x'.repeat(70000) }), 413, undefined, /at most 65536 bytes/],
  ['nested 33 deep', nested('[', ']', 32), 400, undefined, /nested/],
  ['nested 10000 deep', nested('[', ']', 10000), 400, undefined, /nested/],
  ['objects nested 5000 deep', nested('{"a":', '}', 5000), 400, undefined, /nested/],
  ['3000 members', `{${Array.from({ length: 3000 }, (_, i) => `"m${i}":1`).join()}}`, 400],
  ['a text over its length', json({ text: 'x'.repeat(10001) }), 400, 'text', /too long/],
  ['a list over its length', json({ media: Array(21).fill('a') }), 400, 'media'],
  // names
  ['a name twice', '{"channel":"hotline","text":"a","text":"b"}', 400, undefined, /twice/],
  ['a name twice, once as an escape', '{"channel":"hotline","text":"a","\\u0074ext":"b"}', 400, undefined, /twice/],
  ['a name twice, within', '{"channel":"hotline","text":"a","reporter":{"phone":"1","phone":"2"}}', 400, undefined, /twice/],
  ['an unknown name', json({ colour: 'red' }), 400, 'colour'],
  ['a name misspelt', json({ adress: 'a' }), 400, 'adress', /did you mean "address"/],
  ['a name in capitals', json({ Item: '0201' }), 400, 'Item', /did you mean "item"/],
  ['an unknown name within', json({ reporter: { fon: '1' } }), 400, 'reporter.fon'],
  ['a prototype', '{"channel":"hotline","text":"a","__proto__":{"admin":true}}', 400, '__proto__'],
  // values
  ['no text', json({ text: undefined }), 400, 'text', /missing/],
  ['an empty text', json({ text: '' }), 400, 'text'],
  ['a text of blanks', json({ text: ' \n\t　 ' }), 400, 'text'],
  ['a number for a text', json({ text: 5 }), 400, 'text'],
  ['null for a text', json({ text: null }), 400, 'text'],
  ['a list for a text', json({ text: ['a'] }), 400, 'text'],
  ['no channel', json({ channel: undefined }), 400, 'channel'],
  ['an unknown channel', json({ channel: 'pigeon' }), 400, 'channel'],
  ['an unknown item', json({ item: '999999' }), 400, 'item'],
  ['an unknown area', json({ area_code: 'nowhere' }), 400, 'area_code'],
  ['an unknown property', json({ property: 'song' }), 400, 'property'],
  ['an unknown urgency', json({ urgency: 'very' }), 400, 'urgency'],
  ['an empty external id', json({ external_id: '' }), 400, 'external_id'],
  ['a time that is none', json({ occurred_at: 'yesterday' }), 400, 'occurred_at'],
  ['the 30th of February', json({ occurred_at: '2026-02-30T09:00:00+08:00' }), 400, 'occurred_at'],
  ['a time in the year 3000', json({ occurred_at: '3000-01-01T00:00:00+08:00' }), 400, 'occurred_at'],
  ['a text for a switch', json({ reporter: { phone: '1', confidential: 'yes' } }), 400, 'reporter.confidential'],
  ['a text for an object', json({ reporter: '王女士' }), 400, 'reporter'],
  // places
  ['longitude and latitude swapped', json({ location: { lon: lat, lat: lon } }), 400, 'location', /swapped/],
  ['a latitude over 90', json({ location: { lon, lat: 91 } }), 400, 'location.lat', /range/],
  ['a longitude over 180', json({ location: { lon: 181, lat } }), 400, 'location.lon', /range/],
  ['a longitude without end', '{"channel":"hotline","text":"a","location":{"lon":1e999,"lat":1}}', 400, undefined, /too large|stops being JSON/],
  ['a latitude without end', '{"channel":"hotline","text":"a","location":{"lon":1,"lat":-1e999}}', 400, undefined, /too large|stops being JSON/],
  ['a number of 400 digits', `{"channel":"hotline","text":"a","location":{"lon":${'9'.repeat(400)},"lat":1}}`, 400, undefined, /too large|stops being JSON/],
  ['a text for a degree', json({ location: { lon: '114', lat: 22 } }), 400, 'location.lon'],
  ['half a place', json({ location: { lon: 114 } }), 400, 'location.lat'],
  ['a pair for a place', json({ location: [114, 22] }), 400, 'location'],
]

/** What looks odd and is right. */
const odd = [
  ['Chinese beyond the basic plane', json({ text: '𠮷野家门口垃圾' }), '𠮷野家门口垃圾'],
  ['a surrogate pair as escapes', '{"channel":"hotline","text":"\\ud83d\\udea7"}', '🚧'],
  ['line ends as escapes', json({ text: 'a\r\nb' }), 'a\r\nb'],
  ['right to left', json({ text: 'שלום' }), 'שלום'],
  ['quotes, angles and SQL', json({ text: `'; DROP TABLE report; -- <b>"` }), `'; DROP TABLE report; -- <b>"`],
  ['blanks around the JSON', ` \r\n\t${json({ text: 'b' })}\n`, 'b'],
  ['ten thousand characters', json({ text: '好'.repeat(10000) }), '好'.repeat(10000)],
  ['nested 32 deep', nested('[', ']', 31), 'a'],
  ['degrees in powers of ten', `{"channel":"hotline","text":"c","location":{"lon":${lon}e0,"lat":${lat * 10}E-1}}`, 'c'],
  ['null for what is optional', json({ text: 'd', item: null, location: null, reporter: null, external_id: null }), 'd'],
  ['a place far away', json({ text: 'e', location: { lon: 10, lat: 50 } }), 'e'],
]

const send = (d, path, body, language, key = d.key) =>
  fetch(d.base + path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', 'Accept-Language': language },
    body,
  })

/** All that is stored: cases, rows of the history, and what the store has written at all. */
async function stored(d, key) {
  const figures = (await d.ask('GET', '/metrics')).text
  const { body } = await d.ask('GET', '/api/v1/cases?limit=200', undefined, { key })
  return {
    cases: body.cases.length,
    ledger: d.command('ledger', 'verify').stdout.match(/^(cases|rows|faults): .*$/gm), // what is in the tree grows by and by
    writes: /yiwang_store_writes_total (\d+)/.exec(figures)[1],
  }
}

/** One wrong body: status, field and a sentence in both languages. */
async function refused(d, path, [what, body, status, field, words], key) {
  const faults = []
  for (const language of ['en', 'zh']) {
    const answer = await send(d, path, body, language, key)
    const text = await answer.text()
    const problem = (answer.headers.get('content-type') ?? '').includes('problem+json') ? JSON.parse(text) : {}
    const chinese = /[\u4e00-\u9fff]/.test((problem.detail ?? '').replace(/[“"][^”"]*[”"]/g, ''))
    if (answer.status !== status) faults.push(`${what} (${language}): status ${answer.status} for ${status}: ${text.slice(0, 200)}`)
    else if (field && problem.field !== field) faults.push(`${what}: field ${problem.field} for ${field}`)
    else if (!problem.detail || problem.status !== status || !problem.title) faults.push(`${what}: no problem answer: ${text.slice(0, 100)}`)
    else if (chinese !== (language === 'zh')) faults.push(`${what} (${language}): "${problem.detail}"`)
    else if (language === 'en' && words && !words.test(problem.detail)) faults.push(`${what}: "${problem.detail}" lacks ${words}`)
  }
  return faults
}

test('wrong reports: status, field, a sentence in both languages, and nothing stored', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  const before = await stored(d, key)
  const faults = []
  for (const row of bad) faults.push(...(await refused(d, REPORTS, row)))
  assert.deepEqual(faults, [])
  assert.deepEqual(await stored(d, key), before)
  t.diagnostic(`${bad.length} wrong bodies`)
})

test('odd but right reports are kept as they came', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  for (const [what, body, text] of odd) {
    const answer = await send(d, REPORTS, body, 'en')
    const receipt = await answer.json()
    assert.equal(answer.status, 201, `${what}: ${receipt.detail}`)
    const { body: kept } = await d.ask('GET', `/api/v1/cases/${receipt.number}/reports`, undefined, { key })
    assert.equal(kept.reports[0].text, text, what)
  }
})

test('the same external id with another body: the first answer again; of another channel: another case', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  const first = await send(d, REPORTS, json({ external_id: 'x-1' }), 'en')
  const receipt = await first.json()
  const before = await stored(d, key)
  for (const body of [json({ external_id: 'x-1' }), json({ external_id: 'x-1', text: 'something else', item: '0201' })]) {
    const again = await send(d, REPORTS, body, 'en')
    assert.equal(again.status, 200)
    assert.deepEqual(await again.json(), receipt)
  }
  const after = await stored(d, key)
  assert.deepEqual([after.cases, after.ledger], [before.cases, before.ledger])
  const other = d.command('key', 'add', 'patrols', '--channel', 'patrol').stdout.trim()
  const another = await send(d, REPORTS, json({ external_id: 'x-1', channel: 'patrol' }), 'en', other)
  assert.equal(another.status, 201)
  assert.notEqual((await another.json()).number, receipt.number)
})

test('wrong moves and wrong sign-ins change nothing', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  const { body: receipt } = await d.report({})
  const before = await stored(d, key)
  const MOVES = `/api/v1/cases/${receipt.number}/moves`
  const moves = [
    ['no move', '{}', 400, 'move'],
    ['an unknown move', '{"move":"fly"}', 400, 'move'],
    ['an unknown unit', '{"move":"dispatch","item":"0101","unit":"nobody"}', 400, 'unit'],
    ['an unknown item', '{"move":"dispatch","item":"9999","unit":"north"}', 400, 'item'],
    ['an unknown assisting unit', '{"move":"dispatch","item":"0101","unit":"north","assists":["nobody"]}', 400],
    ['nine assisting units', `{"move":"dispatch","item":"0101","unit":"north","assists":${JSON.stringify(Array(9).fill('city'))}}`, 400, 'assists'],
    ['a unit assists twice', '{"move":"dispatch","item":"0101","unit":"north","assists":["city","city"]}', 400, 'assists'],
    ['a move that is not possible now', '{"move":"close"}', 409],
    ['a number for a unit', '{"move":"dispatch","item":"0101","unit":7}', 400, 'unit'],
    ['cut in the middle', '{"move":"dispa', 400],
  ]
  const faults = []
  for (const row of moves) faults.push(...(await refused(d, MOVES, row, key)))
  faults.push(...(await refused(d, '/api/v1/cases/XY999999999999999999/moves', ['no such case', '{"move":"sign"}', 404], key)))
  faults.push(...(await refused(d, '/api/v1/session', ['no password', '{"user":"admin"}', 400, 'password'], key)))
  faults.push(...(await refused(d, '/api/v1/session', ['a number for a password', '{"user":"admin","password":1}', 400, 'password'], key)))
  assert.deepEqual(faults, [])
  const after = await stored(d, key) // what the report itself set going writes on
  assert.deepEqual([after.cases, after.ledger], [before.cases, before.ledger])
})
