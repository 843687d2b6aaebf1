/* The interface page against what the server really answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District, faults, until } from './lib.mjs'

test('every answer has the shape that the page promises', async (t) => {
  const d = await District.start(t)
  const { body: page, headers } = await d.ask('GET', '/api/openapi.json')
  assert.equal(page.openapi, '3.1.0')
  const again = await fetch(`${d.base}/api/openapi.json`, { headers: { 'If-None-Match': headers.get('etag') } })
  assert.equal(again.status, 304)
  const key = await d.signIn('dispatcher'), keys = { dispatcher: key, supervisor: await d.signIn('supervisor'), admin: await d.signIn('admin') }
  const { body } = await d.report({ item: '010102', area_code: '990101002', external_id: 'one', reporter: { phone: '13800000000' } })
  await d.report({ text: 'unsure' })
  await d.ask('POST', `/api/v1/cases/${body.number}/reporter`, { purpose: 'verify', note: '核实' }, { key })
  assert.equal(d.command('ledger', 'checkpoint').status, 0) // a proof needs one
  const values = { number: body.number, code: body.track, service_code: '010101', service_request_id: body.number, token: body.track, login: 'clerk', q: '垃圾' }
  await until(async () => (await d.ask('GET', `/api/v1/search?q=${values.q}`, undefined, { key })).body.hits.length, 'the report is found')
  const seen = []
  for (const [path, methods] of Object.entries(page.paths)) {
    const about = methods.get
    const schema = about?.responses['2XX'].content?.['application/json']?.schema
    if (!schema) continue
    if (path === '/api/v1/callback/{callback}') continue // needs a link that was sent: notify.test.mjs
    if (path === '/api/v1/topic_tasks/{id}') continue // needs a hot topic: topictasks.test.mjs
    if (/^\/api\/v1\/exchange\/(\{peer\}|links)/.test(path)) continue // need a pack with peers: exchange.test.mjs
    const wanted = (about.parameters ?? []).filter((p) => p.in === 'query' && p.required).map((p) => `${p.name}=${encodeURIComponent(values[p.name])}`)
    const address = path.replace(/\{(\w+)\}/g, (_, name) => values[name]) + (wanted.length ? `?${wanted.join('&')}` : '')
    const answer = await d.ask('GET', address, undefined, { key: keys[Object.keys(keys).find((role) => about['x-roles'].includes(role))] })
    assert.equal(answer.status, 200, `${address}: ${answer.text}`)
    assert.deepEqual(faults(answer.body, schema), [], path)
    seen.push(path)
  }
  for (const path of ['/api/v1/cases', '/api/v1/cases/{number}', '/api/v1/cases/{number}/history', '/api/v1/track/{code}', '/api/v1/units',
    '/api/v1/items', '/api/v1/areas', '/api/v1/workflows', '/api/v1/search', '/healthz', '/readyz', '/open311/v2/services.json',
    '/open311/v2/services/{service_code}.json', '/open311/v2/requests.json', '/open311/v2/requests/{service_request_id}.json',
    '/open311/v2/tokens/{token}.json', '/open311/v2/servicerequestupdates.json', '/open311/v2/changes.json', '/open311/discovery.json'])
    assert.ok(seen.includes(path), path)
  const receipt = page.paths['/api/v1/reports'].post.responses['2XX'].content['application/json'].schema
  assert.deepEqual(faults(body, receipt), [])
  const form = await fetch(`${d.base}/open311/v2/requests.json`, {
    method: 'POST', body: new URLSearchParams({ api_key: d.key, service_code: '0202', address_string: '北路' }) })
  const made = page.paths['/open311/v2/requests.json'].post
  assert.deepEqual(Object.keys(made.requestBody.content), ['application/x-www-form-urlencoded', 'multipart/form-data'])
  assert.deepEqual(faults(await form.json(), made.responses['2XX'].content['application/json'].schema), [])
  assert.ok(page.paths['/open311/v2/requests.xml'].get.responses['2XX'].content['text/xml'])
  const problem = await d.report({ item: 'nothing' })
  assert.deepEqual(faults(problem.body, page.components.schemas.problem), [])
})

test('every address answers strangers and wrong methods as the page says', async (t) => {
  const d = await District.start(t)
  const { body: page } = await d.ask('GET', '/api/openapi.json')
  for (const [path, methods] of Object.entries(page.paths)) {
    if (path === '/api/v1/callback/{callback}') continue // needs a link that was sent: notify.test.mjs
    const address = path.replace(/\{\w+\}/g, 'x')
    assert.equal((await d.ask('PUT', address)).status, 405, path)
    for (const [method, about] of Object.entries(methods)) {
      assert.ok(about.summary.length > 8, `${method} ${path} has a sentence`)
      if (about.security) assert.equal((await d.ask(method.toUpperCase(), address)).status, 401, `${method} ${path}`)
    }
  }
  assert.equal((await d.ask('GET', '/api/v1/nothing')).status, 404)
})

test('figures and readiness', async (t) => {
  const d = await District.start(t)
  await d.report({ item: '0201' })
  const counted = 'yiwang_http_requests_total{method="POST",route="/api/v1/reports",status="2xx"} 1'
  // A request is counted once its answer is on the way.
  const text = await until(async () => {
    const { text: page } = await d.ask('GET', '/metrics')
    return page.includes(counted) && page
  }, counted)
  const names = [
    'yiwang_store_commits_total',
    'yiwang_timers_waiting', 'yiwang_pack_version', 'process_resident_memory_bytes', 'yiwang_http_request_seconds_bucket',
  ]
  for (const name of names)
    assert.ok(text.includes(name), name)
  for (const line of text.trim().split('\n')) assert.match(line, /^(# HELP \S+ \S.*|# TYPE \S+ (counter|gauge|histogram)|[a-z_]+(\{[^}]*\})? -?[0-9.e+]+)$/)
  assert.equal((await d.ask('GET', '/readyz')).body.status, 'ready')
})
