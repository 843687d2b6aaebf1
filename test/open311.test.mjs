/* The Open311 server against the conformance suite, the suite against a server that is wrong on purpose, and the npm client
 * open311 against the server. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, sleep, until } from './lib.mjs'
import { CHECKS, conformance } from './open311-conformance/run.mjs'
import { FAULTS, startWrong } from './open311-conformance/wrong.mjs'

const OAK = { lat: 22.25, long: 114.05 }
const SETTINGS = { open311_contact: 'api@example.org', trusted_proxy: '127.0.0.1' }
/* What a right server need not have: forms that only tell something. */
const MAY_SKIP = ['definition.only-shown.json', 'definition.only-shown.xml']

const form = (fields) => ({ method: 'POST', body: new URLSearchParams(fields) })

/** A district with open and closed requests of four services, and of two moments when that matters; gives the options for the suite. */
async function begin(t, { settings = {}, moments = false } = {}) {
  const d = await District.start(t, { settings: { ...SETTINGS, ...settings } })
  const base = `${d.base}/open311/v2`
  const post = async (fields) => {
    const answer = await fetch(`${base}/requests.json`, form({ api_key: d.key, ...OAK, ...fields }))
    assert.equal(answer.status, 201)
    return (await answer.json())[0].service_request_id
  }
  const question = await post({ service_code: '0401', description: '几点开门' })
  await post({ service_code: '010101', 'attribute[kind]': 'household', description: '一堆垃圾' })
  const told = await d.move(question, 'answer', { result: '九点' }, await d.signIn('clerk'))
  assert.equal(told.status, 200, told.text)
  if (moments) await sleep(2100)
  await post({ service_code: '0201', description: '施工噪声' })
  const { body } = await d.report({ item: '010201' })
  return { d, options: { base, key: d.key, ...OAK, addressId: '990101001', tokens: [body.track], write: true, extensions: true } }
}

const told = (results) => results.map((one) => `${one.id}: ${one.reason}${one.seen ? `\n    ${one.seen}` : ''}`).join('\n')
const of = (results, result) => results.filter((one) => one.result === result)

const run = (...words) => spawnSync(process.execPath, ['test/open311-conformance/run.mjs', ...words], { encoding: 'utf8' })

/* Hooks that make other servers of the right one: one that speaks XML only, one that gives tokens, one that takes and says nothing. */
const xmlOnly = {
  answer(answer, asked) {
    if (asked.kind === 'discovery')
      answer.body = Buffer.from(asked.format === 'xml' ? answer.body.toString().replace('<format>application/json</format>', '')
        : JSON.stringify(JSON.parse(answer.body), (name, value) => (name === 'formats' ? ['text/xml'] : value)))
    else if (asked.format === 'json') Object.assign(answer, { status: 404, headers: {}, body: Buffer.from('no') })
  },
}
const ofType = (type) => ({
  ask(asked) {
    asked.path = asked.path.replace(/tokens\/T(XY\d+)/, 'requests/$1')
  },
  answer(answer, asked) {
    let text = answer.body.toString()
    if (asked.kind === 'services') text = text.replaceAll('realtime', type)
    if (asked.kind === 'created' && type === 'batch')
      text = text.replace('"service_request_id":"', '"token":"T').replace(/<service_request_id>(\w+)<\/service_request_id>/, '<token>T$1</token>')
    if (asked.kind === 'created' && type === 'blackbox')
      text = text.replace(/"service_request_id":"\w+",/, '').replace(/<service_request_id>\w+<\/service_request_id>/, '')
    const [, id] = (asked.kind === 'token' && answer.status === 200 && /service_request_id\W+(XY\d+)/.exec(text)) || []
    if (id) text = asked.format === 'json' ? `[{"service_request_id":"${id}","token":"T${id}"}]`
      : text.replace(/<request>[^]*<\/request>/, `<request><service_request_id>${id}</service_request_id><token>T${id}</token></request>`)
    answer.body = Buffer.from(text)
  },
})

const Client = createRequire(new URL('./open311-client/package.json', import.meta.url))('open311')
/** The method of the client as a promise; it calls back with (error, data). */
const call = (client, name, ...words) => new Promise((done, refuse) => {
  client[name](...words, (error, data) => (error ? refuse(Object.assign(new Error(data), { status: error })) : done(data)))
})


test('one server', async (t) => {
  const { d, options } = await begin(t, { moments: true })

  await t.test('a confidential report is not shown to the public by any call', async () => {
    const { body: secret } = await d.report({ item: '0201', confidential: true, text: '举报' })
    for (const path of ['requests', 'changes', 'servicerequestupdates'])
      for (const format of ['json', 'xml']) {
        const answer = await fetch(`${options.base}/${path}.${format}`)
        assert.equal(answer.status, 200)
        assert.ok(!(await answer.text()).includes(secret.number), path)
      }
    assert.equal((await fetch(`${options.base}/requests/${secret.number}.json`)).status, 404)
    assert.deepEqual(await (await fetch(`${options.base}/requests.json?service_request_id=${secret.number}`)).json(), [])
  })

  await t.test('the server conforms, and each fault of a wrong one is seen by the checks meant for it', async (t) => {
    const wrong = await startWrong(options.base, { key: options.key })
    t.after(() => wrong.stop())
    const asked = { ...options, base: wrong.base }
    wrong.use(null, '10.0.0.1')
    const right = await conformance(asked)
    assert.equal(told(of(right, 'failed')), '')
    assert.deepEqual(of(right, 'skipped').map((one) => one.id).sort(), MAY_SKIP, told(of(right, 'skipped')))
    const passed = new Set(of(right, 'passed').map((one) => one.id))

    const missed = []
    for (const [i, fault] of FAULTS.entries()) {
      assert.deepEqual(fault.caught.filter((id) => !passed.has(id) && !MAY_SKIP.includes(id)), [], `the checks of ${fault.name} pass without it`)
      wrong.use(fault, `10.0.1.${i}`)
      const results = await conformance({ ...asked, only: fault.caught })
      const blind = results.filter((one) => one.result !== 'failed' || /could not be made/.test(one.reason))
      missed.push(...blind.map((one) => `${fault.name}: ${one.id} ${one.result} ${one.reason ?? ''}`))
    }
    assert.deepEqual(missed, [])
    assert.deepEqual(wrong.troubles, [])
  })

  await t.test('other kinds of right servers pass', async (t) => {
    const wrong = await startWrong(options.base)
    t.after(() => wrong.stop())
    const asked = { ...options, base: wrong.base, extensions: false, tokens: [] }
    const kinds = [
      ['xml', xmlOnly, ['roundtrip.emoji.xml']],
      ['batch', ofType('batch'), ['token.schema.xml', 'token.same-token.json', 'roundtrip.emoji.json']],
      ['blackbox', ofType('blackbox'), ['post.type.xml']],
    ]
    for (const [name, hooks, needed] of kinds) {
      wrong.use(hooks, `10.0.3.${name.length}`)
      const results = await conformance(asked)
      assert.equal(told(of(results, 'failed')), '', name)
      const inJson = results.filter((one) => one.format === 'json' && !one.id.startsWith('discovery.'))
      assert.equal(inJson.every((one) => one.result === 'skipped'), name === 'xml')
      for (const id of needed) assert.equal(results.find((one) => one.id === id).result, 'passed', `${name}: ${id}`)
    }
    assert.deepEqual(wrong.troubles, [])
  })

  await t.test('the suite as a command', async (t) => {
    const wrong = await startWrong(options.base)
    t.after(() => wrong.stop())
    const list = run('--list')
    assert.equal(list.stdout.trim().split('\n').length, CHECKS.length)
    assert.equal(run('--only', 'no-such-check', options.base).status, 2)
    assert.equal(run('http://127.0.0.1:9/open311/v2').status, 2)
    const results = join(d.folder, 'results.json')
    // Asynchronous, because the wrong server runs in this process.
    const wait = (words) => new Promise((done) => {
      const child = spawn(process.execPath, ['test/open311-conformance/run.mjs', ...words])
      let out = ''
      child.stdout.on('data', (text) => (out += text))
      child.on('close', (status) => done({ status, out }))
    })
    const good = await wait([wrong.base, '--json', results, '--only', 'list.,post.'])
    assert.equal(good.status, 0, good.out)
    const kept = JSON.parse(readFileSync(results, 'utf8'))
    assert.match(good.out, new RegExp(`\\n${kept.passed} passed, 0 failed, ${kept.skipped} skipped\\n$`))
    assert.ok(kept.results.filter((one) => one.id.startsWith('post.')).every((one) => one.result === 'skipped' && /--write/.test(one.reason)))
    const fault = (name) => wrong.use(FAULTS.find((one) => one.name === name) ?? assert.fail(name))
    fault('numbers-as-strings')
    assert.equal((await wait([wrong.base, '--quiet', '--only', 'list.'])).status, 1)
    fault('list-leaves-out-address')
    const should = await wait([wrong.base, '--quiet', '--only', 'list.'])
    assert.equal(should.status, 0, 'a recommendation that is not followed is no error')
    assert.match(should.out, /^FAILED {2}list\.members\.json \[should/m)
  })

  await t.test('the suite waits when the server asks it to', async (t) => {
    const wrong = await startWrong(options.base)
    t.after(() => wrong.stop())
    let refused = 0
    wrong.use({ answer: (answer) => void (refused++ < 2 && Object.assign(answer, { status: 429, headers: { 'retry-after': '1' } })) })
    const [result] = await conformance({ base: wrong.base, only: ['services.status.json'] })
    assert.equal(result.result, 'passed', result.reason)
    assert.ok(refused > 2)
  })

  for (const format of ['json', 'xml'])
    await t.test(`the npm client open311 finds its way in ${format}`, async () => {
      const client = new Client({ discovery: `${d.base}/open311/discovery.${format}`, apiKey: d.key })
      const found = await call(client, 'serviceDiscovery', { cache: true })
      assert.equal(client.endpoint, `${options.base}/`)
      assert.deepEqual(found.endpoints[0].formats.sort(), ['application/json', 'text/xml'])
      client.format = format

      // In XML the client takes what looks like a number for one: 0201 becomes 201.
      const services = await call(client, 'serviceList')
      assert.equal(services.length, 7)
      const noise = services.find((one) => one.service_name === '施工噪声')
      assert.equal(noise.service_code, format === 'xml' ? 201 : '0201')
      assert.equal(noise.metadata, true)
      assert.equal(noise.group, '噪声')
      const definition = await call(client, 'serviceDefinition', '0201')
      assert.deepEqual(definition.attributes.map((one) => [one.code, one.datatype]),
        [['since', 'datetime'], ['sources', 'multivaluelist'], ['note', 'text']])
      assert.deepEqual(definition.attributes[1].values[0], { key: 'drill', name: '电钻' })

      const fields = { service_code: '0201', ...OAK, description: '3 < 5 & "夜间" 施工😀', attributes: { note: '每晚', sources: ['drill', 'truck'] } }
      const [made] = await call(client, 'submitRequest', fields)
      assert.match(made.service_request_id, /^XY\d+$/)
      await assert.rejects(call(client, 'submitRequest', { ...fields, service_code: 'none' }), (e) => e.status === 404 && /none/.test(e.message))
      await assert.rejects(call(new Client({ endpoint: `${options.base}/`, format, apiKey: 'wrong' }), 'submitRequest', fields), { status: 403 })

      const [one] = await call(client, 'serviceRequest', made.service_request_id, { api_key: d.key })
      assert.equal(one.description, fields.description)
      const { extended_attributes: more } = (await call(client, 'serviceRequest', made.service_request_id, { api_key: d.key, extensions: 'true' }))[0]
      if (format === 'json')
        assert.deepEqual(more.attributes.map(({ code, value }) => [code, value]), [['note', '每晚'], ['sources', 'drill'], ['sources', 'truck']])
      assert.equal(one.status, 'open')
      assert.deepEqual({ lat: one.lat, long: one.long }, OAK)
      assert.ok(Math.abs(one.requested_datetime - Date.now()) < 600000)
      const closed = await call(client, 'serviceRequests', { status: 'closed' })
      assert.deepEqual(closed.map((other) => other.service_name), ['政策咨询'])
      const both = await call(client, 'serviceRequests', [made.service_request_id, closed[0].service_request_id], {})
      assert.deepEqual(both.map((other) => other.service_request_id), [made.service_request_id, closed[0].service_request_id])
      const [token] = await call(client, 'token', options.tokens[0])
      assert.equal(token.token, options.tokens[0])
      assert.match(token.service_request_id, /^XY\d+$/)
    })
})

test('there is a fault for every check', () => {
  const plain = (id) => id.replace(/\.(json|xml)$/, '')
  const caught = new Set(FAULTS.flatMap((fault) => fault.caught.map(plain)))
  assert.deepEqual(CHECKS.map((check) => plain(check.id)).filter((id) => !caught.has(id)), [])
  assert.ok(FAULTS.length >= 250 && CHECKS.length >= 400)
})

test('a server of one jurisdiction conforms, with and without its name', async (t) => {
  const { options } = await begin(t, { settings: { open311_jurisdiction: 'yang.example.org' } })
  const results = await conformance({ ...options, jurisdiction: 'yang.example.org' })
  assert.equal(told(of(results, 'failed')), '')
  for (const id of ['jurisdiction.unknown-services.json', 'jurisdiction.unknown-requests.xml', 'post.unknown-jurisdiction.xml'])
    assert.match(results.find((one) => one.id === id).seen, /-> 404/, id)
  for (const path of ['services.json', 'services/0201.json', 'requests.xml', 'requests/X1.xml', 'tokens/X1.json'])
    assert.equal((await fetch(`${options.base}/${path}?jurisdiction_id=elsewhere`)).status, 404, path)
})

test('of more than 1000 requests 1000 come, and none of more than 90 days ago', async (t) => {
  const d = await District.start(t, { settings: SETTINGS })
  const now = Date.now()
  const day = (back) => new Date(now - back * 86400000).toISOString().slice(0, 19)
  const rows = Array.from({ length: 1200 }, (_, i) => `热线,K${i},第${i}件,${day(i < 1100 ? (i * 80) / 1100 : 100 + i - 1100)}Z,0201`)
  const [table, map] = [join(d.folder, 'requests.csv'), join(d.folder, 'map.yaml')]
  writeFileSync(table, `SRC,ID,TEXT,AT,ITEM\n${rows.join('\n')}\n`)
  writeFileSync(map, ['format: csv', 'time_zone: "+00:00"', 'channel: {value: hotline}', 'external_id: {column: ID}', 'text: {column: TEXT}',
    'received: {column: AT}', 'item: {column: ITEM}', ''].join('\n'))
  const made = d.command('import', 'reports', table, '--map', map)
  assert.equal(made.status, 0, made.stderr)
  const base = `${d.base}/open311/v2`
  const results = [...await conformance({ base, formats: ['json'], only: ['list.', 'request.'] }),
    ...await conformance({ base, formats: ['xml'], only: ['list.volume.xml', 'list.schema.xml', 'list.default-span.xml'] })]
  assert.equal(told(of(results, 'failed')), '')
  assert.equal(results.find((one) => one.id === 'list.volume.xml' && one.result === 'passed').seen, '1000 requests')

  const get = async (query) => (await (await fetch(`${base}/requests.json?${new URLSearchParams(query)}`)).json())
  assert.equal((await get({ start_date: `${day(149.5)}Z`, end_date: `${day(95.5)}Z` })).length, 50)
  const cut = await get({ start_date: `${day(400)}Z`, end_date: `${day(20.5)}Z` })
  assert.equal(cut.length, 818 + 11, 'those of the 90 days before the end')
  assert.equal((await get({ page: 2, page_size: 1000 })).length, 100)
})

test('the feed of changes loses and repeats nothing while reports come in', async (t) => {
  const { options: { base, key } } = await begin(t)
  const changes = async (query) => (await fetch(`${base}/changes.json?${new URLSearchParams(query)}`)).json()
  const fields = { api_key: key, ...OAK, service_code: '0201' }
  const made = []
  const post = async () => {
    for (let i = 0; i < 10; i++) {
      const answer = await fetch(`${base}/requests.json`, form({ ...fields, description: `噪声 ${i}` }))
      assert.equal(answer.status, 201)
      made.push((await answer.json())[0].service_request_id)
    }
  }
  let { cursor } = await changes({ cursor: 'now' })
  let under_way = true
  const posts = Promise.all(Array.from({ length: 6 }, post)).finally(() => { under_way = false })
  const followed = []
  // A change is told once nothing older can come any more: that may be a moment after its report was answered.
  await until(async () => {
    const page = await changes({ cursor, limit: 7 })
    followed.push(...page.changes)
    cursor = page.cursor
    return !under_way && !page.changes.length && made.every((id) => followed.some((one) => one.service_request_id === id))
  }, 'every report is in the feed')
  await posts
  const whole = (await changes({ limit: 1000 })).changes.filter((one) => made.includes(one.service_request_id))
  const told = followed.filter((one) => made.includes(one.service_request_id))
  assert.deepEqual(told.map((one) => one.service_request_id), whole.slice(0, told.length).map((one) => one.service_request_id))
})
