/* Least right on every route: rights.csv says who may ask what; each line is asked for real by everybody.
 *
 * Denied is 401 or 403 and nothing else; allowed is any other answer, so the requests are as good as their schemas can make them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseCsv } from '../tools/csv.mjs'
import { District, until } from './lib.mjs'

const lines = parseCsv(readFileSync(new URL('rights.csv', import.meta.url), 'utf8'))
const ROLES = Object.keys(lines[0]).filter((name) => name !== 'method' && name !== 'path')
const nameOf = (method, path) => `${method.toUpperCase()} ${path}`

/** A value that the schema allows, with everything it asks for. */
function sample(schema) {
  if (schema.enum) return schema.enum[0]
  if (schema.type === 'object') return Object.fromEntries((schema.required ?? []).map((name) => [name, sample(schema.properties[name])]))
  if (schema.type === 'array') return []
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1
  if (schema.type === 'boolean') return true
  return schema.format === 'date-time' ? '2026-11-23T09:30:00+08:00' : 'x'.repeat(Math.max(schema.minLength ?? 1, 5))
}

/** What a good request to some routes says beside what its schema asks for. */
function bodies(d, role, number) {
  const account = d.demo.accounts.find((a) => a.user === (role === 'stranger' || role === 'channel' ? 'clerk' : role))
  return {
    'POST /api/v1/session': { login: account.user, password: account.password },
    'POST /api/v1/password': { password: account.password, new_password: 'short' },
    'POST /api/v1/second_factor': { password: account.password },
    'POST /api/v1/second_factor/end': { password: account.password },
    'POST /api/v1/second_factor/confirm': { code: '000000' },
    'POST /api/v1/reports': { channel: 'app', text: '路边有垃圾' },
    'POST /api/v1/cases/{number}/reporter': { purpose: 'verify', note: '核实情况' },
    'POST /open311/v2/requests.json': { service_code: '0202', address_string: '北路' },
    'POST /open311/v2/requests.xml': { service_code: '0202', address_string: '北路' },
    'POST /open311/v2/servicerequestupdates.json': { service_request_id: number, description: '还在' },
    'POST /open311/v2/servicerequestupdates.xml': { service_request_id: number, description: '还在' },
  }
}

async function asked(d, route, role, key, at) {
  const { method, path, about } = route
  const name = nameOf(method, path)
  const address = path.replace(/\{(\w+)\}/g, (_, parameter) => at[parameter] ?? 'x')
  const media = about.requestBody && Object.keys(about.requestBody.content)[0]
  const body = media && (bodies(d, role, at.number)[name] ?? sample(about.requestBody.content[media].schema))
  const form = media?.includes('form')
  const stopper = new AbortController()
  const answer = await fetch(d.base + address, {
    method: method.toUpperCase(), signal: stopper.signal,
    headers: { ...(key && { Authorization: `Bearer ${key}` }), ...(media && !form && { 'Content-Type': media }) },
    body: media && (form ? new URLSearchParams(body) : JSON.stringify(body)),
  })
  stopper.abort() // live answers have no end
  return answer.status
}

/** When a route is asked: what takes something away after the rest, and what ends the session that asks at the very end (a session that
 * has ended is still known for up to 10 seconds, so what would come after it is allowed or not by chance). */
function turnOf({ method, path }) {
  if (method !== 'delete') return 0
  return path === '/api/v1/session' ? 3 : path === '/api/v1/sessions/{id}' ? 2 : 1
}

/** Every route of the page, in the order in which they can be asked. */
function routesOf(page) {
  const all = Object.entries(page.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, about]) => ({ method, path, about })))
  return all.sort((a, b) => turnOf(a) - turnOf(b))
}

test('rights.csv has a line for every route, and no other line', async (t) => {
  const d = await District.start(t)
  const { body: page } = await d.ask('GET', '/api/openapi.json')
  const routes = routesOf(page).map((r) => nameOf(r.method, r.path)).sort()
  const told = lines.map((l) => nameOf(l.method, l.path))
  assert.equal(new Set(told).size, told.length, 'no line stands twice')
  assert.deepEqual(routes.filter((r) => !told.includes(r)), [], 'routes without a line in test/rights.csv')
  assert.deepEqual(told.filter((r) => !routes.includes(r)), [], 'lines of test/rights.csv without a route')
  for (const l of lines) for (const role of ROLES) assert.match(l[role], /^(allowed|denied)$/, nameOf(l.method, l.path))
})

test('everybody is allowed and denied what rights.csv says', async (t) => {
  const d = await District.start(t, { settings: { rate_reads: 0, rate_writes: 0 } })
  const { body: page } = await d.ask('GET', '/api/openapi.json')
  const tokens = { stranger: null, channel: d.key }
  for (const role of ROLES) tokens[role] ??= role === 'stranger' ? null : await d.signIn(role)
  const { body: made } = await d.report({ item: '0101', area_code: '990101002', reporter: { phone: '13800000000' } })
  assert.equal(made.unit.code, 'north-law', 'of the subtree of the demonstration unit')
  const at = { number: made.number, code: made.track, token: made.track, service_code: '0202', service_request_id: made.number, id: '1' }
  const wrong = []
  let n = 0
  for (const route of routesOf(page)) {
    const line = lines.find((l) => nameOf(l.method, l.path) === nameOf(route.method, route.path))
    for (const role of ROLES) {
      const status = await asked(d, route, role, tokens[role], at)
      const got = status === 401 || status === 403 ? 'denied' : 'allowed'
      if (got !== line?.[role] || status >= 500) wrong.push(`${nameOf(route.method, route.path)} by ${role}: ${status}, not ${line?.[role]}`)
      if (got === 'denied') assert.equal(status, role === 'stranger' && !route.path.startsWith('/open311') ? 401 : 403, nameOf(route.method, route.path))
      n++
    }
  }
  assert.deepEqual(wrong, [])
  assert.equal(n, lines.length * ROLES.length)
  await until(async () => (await d.ask('GET', '/readyz')).status === 200, 'it is still ready')
})
