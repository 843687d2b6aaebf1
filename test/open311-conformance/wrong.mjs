#!/usr/bin/env node
/* A server that is wrong on purpose: stands before a right one and breaks one named thing, so that it can be seen whether the
 * checks notice.  Each fault names the checks that must fail because of it.
 *
 * node wrong.mjs TARGET FAULT [PORT]   where TARGET is the URL at which the calls of the right server begin
 * node wrong.mjs --list */
import { realpathSync } from 'node:fs'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const DAY = 86400000

/** What a path below the base (or that of the discovery document, above it) asks for: {kind, format}. */
function kindOf(method, path) {
  const discovery = /\/discovery\.(json|xml)$/.exec(path)
  if (discovery) return { kind: 'discovery', format: discovery[1] }
  const found = /^\/?(\w+)(?:\/(.+))?\.(json|xml)$/.exec(path)
  if (!found) return { kind: 'other', format: null }
  const [, call, one, format] = found
  const kinds = { services: one ? 'definition' : 'services', requests: one ? 'request' : method === 'POST' ? 'created' : 'list', tokens: 'token' }
  return { kind: kinds[call] ?? (method === 'POST' ? `${call} posted` : call), format }
}

const good = (answer) => answer.status >= 200 && answer.status < 300
const kindsOf = (kinds) => (asked) => [kinds].flat().includes(asked.kind)

/* The hooks that faults are made of.  ask(asked) changes what goes to the right server, answer(answer, asked) what comes from it. */

/** The JSON value of good answers. */
const json = (kinds, change) => ({
  answer(answer, asked) {
    if (!kindsOf(kinds)(asked) || asked.format !== 'json' || !good(answer)) return
    const value = JSON.parse(answer.body.toString())
    answer.body = Buffer.from(JSON.stringify(change(value, asked) ?? value))
  },
})
/** Each entry of the list in JSON. */
const each = (kinds, change) => json(kinds, (list) => list.forEach(change))
/** The text of good answers in XML. */
const xml = (kinds, change) => ({
  answer(answer, asked) {
    if (!kindsOf(kinds)(asked) || asked.format !== 'xml' || !good(answer)) return
    answer.body = Buffer.from(change(answer.body.toString()))
  },
})
const header = (format, name, value) => ({
  answer(answer, asked) {
    if (asked.format === format) answer.headers[name] = value
  },
})
const query = (kinds, change) => ({
  ask(asked) {
    if (kindsOf(kinds)(asked)) change(asked.query)
  },
})
/** Of a list with commas only the first entry is used. */
const firstOnly = (name) => query('list', (q) => q.has(name) && q.set(name, q.get(name).split(',')[0]))
const form = (change) => ({
  ask(asked) {
    if (asked.kind !== 'created' || !/urlencoded/.test(asked.headers['content-type'] ?? '')) return
    const fields = new URLSearchParams(asked.body.toString())
    change(fields, asked)
    asked.body = Buffer.from(fields.toString())
  },
})
/** Another status in place of `from`. */
const status = (kinds, from, to) => ({
  answer(answer, asked) {
    if (kindsOf(kinds)(asked) && answer.status === from) answer.status = to
  },
})
const errors = (change) => ({
  answer(answer, asked) {
    if (answer.status < 400 || !asked.format) return
    answer.body = Buffer.from(change(answer.body.toString(), asked.format) ?? answer.body)
  },
})
const taken = (format) => (format === 'json' ? '[{"service_request_id":"X1"}]'
  : '<?xml version="1.0" encoding="UTF-8"?><service_requests><request><service_request_id>X1</service_request_id></request></service_requests>')
/** Takes what the right server refuses with `from`, when `when` holds of the form. */
const takes = (from, when) => ({
  answer(answer, asked) {
    if (asked.kind !== 'created' || answer.status !== from || !when(new URLSearchParams(asked.body.toString()))) return
    Object.assign(answer, { status: 201, body: Buffer.from(taken(asked.format)) })
  },
})
const attributesOf = (fields) => [...fields.keys()].filter((key) => key.startsWith('attribute['))
const moved = (time, by) => new Date(Date.parse(time) + by).toISOString().replace(/\.\d+Z/, 'Z')
/** A list that does not choose by ids, with one more entry, changed by `change`. */
const more = (change) => json('list', (list, asked) => {
  if (!list.length || asked.query.get('service_request_id')) return list
  const one = { ...list[0], service_request_id: 'X1' }
  change(one)
  return [...list, one]
})
const both = (check) => [`${check}.json`, `${check}.xml`]

/* [name, the checks that must fail, the hooks] */
const FORM = [
  ['numbers-as-strings', ['list.schema.json'], each('list', (one) => { one.lat = one.lat === null ? null : String(one.lat) })],
  ['booleans-as-strings', ['services.schema.json'], each('services', (one) => { one.metadata = String(one.metadata) })],
  ['order-as-string', ['definition.schema.json'], json('definition', (one) => one.attributes.forEach((a) => { a.order = String(a.order) }))],
  ['wrapped-services', ['services.schema.json'], json('services', (services) => ({ services }))],
  ['wrapped-requests', ['list.schema.json'], json('list', (list) => ({ service_requests: list.map((request) => ({ request })) }))],
  ['single-request-bare', ['request.schema.json'], json('request', ([one]) => one)],
  ['definition-in-list', ['definition.schema.json'], json('definition', (one) => [one])],
  ['created-bare', ['created.schema.json'], json('created', ([one]) => one)],
  ['no-declaration', ['services.declaration.xml'], xml('services', (text) => text.replace(/^<\?xml.*?\?>\s*/, ''))],
  ['declaration-without-encoding', ['list.declaration.xml'], xml('list', (text) => text.replace(/^<\?xml.*?\?>/, '<?xml version="1.0"?>'))],
  ['xml-called-json', ['services.content-type.xml', 'error.content-type.xml'], header('xml', 'content-type', 'application/json; charset=utf-8')],
  ['xml-called-application-xml', ['list.content-type.xml'], header('xml', 'content-type', 'application/xml; charset=utf-8')],
  ['json-called-html', ['services.content-type.json'], header('json', 'content-type', 'text/html; charset=utf-8')],
  ['no-charset', ['services.charset.xml'], header('xml', 'content-type', 'text/xml')],
  ['latin-1-bytes', ['services.utf-8.json', 'services.utf-8.xml'], {
    answer(answer, asked) {
      if (asked.kind === 'services') answer.body = Buffer.from(answer.body.toString().replace(/[^\0-\x7f]+/g, 'Straße'), 'latin1')
    },
  }],
  ['byte-order-mark', ['services.well-formed.json'], {
    answer(answer, asked) {
      if (asked.kind === 'services') answer.body = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), answer.body])
    },
  }],
  ['bare-ampersand', ['services.well-formed.xml'], xml('services', (text) => text.replace('</service_name>', ' & more</service_name>'))],
  ['html-entity', ['services.well-formed.xml'], xml('services', (text) => text.replace('</service_name>', '&nbsp;</service_name>'))],
  ['control-character', ['services.well-formed.xml'], xml('services', (text) => text.replace('</service_name>', '\x0b</service_name>'))],
  ['unclosed-element', ['list.well-formed.xml'], xml('list', (text) => text.replace('</service_requests>', ''))],
  ['other-root', ['list.schema.xml'], xml('list', (text) => text.replace(/(<\/?)service_requests/g, '$1requests'))],
  ['other-entry-name', ['services.schema.xml'], xml('services', (text) => text.replace(/(<\/?)service>/g, '$1item>'))],
  ['namespace', ['services.no-namespace.xml'],
    xml('services', (text) => text.replace('<services', '<services xmlns="http://wiki.open311.org/GeoReport_v2"'))],
  ['created-other-root', ['created.schema.xml'], xml('created', (text) => text.replace(/(<\/?)service_requests/g, '$1service_request'))],
  ['dropped-service-name', ['services.schema.json'], each('services', (one) => { delete one.service_name })],
  ['dropped-requested-datetime', ['list.schema.json'], each('list', (one) => { delete one.requested_datetime })],
  ['dropped-address', ['list.members.json'], each('list', (one) => { delete one.address })],
  ['dropped-status-xml', ['list.schema.xml'], xml('list', (text) => text.replace(/<status>\w+<\/status>/g, ''))],
  ['foreign-member', ['list.strict.json', 'request.strict.json'], each(['list', 'request'], (one) => { one.reporter = 'somebody' })],
  ['discovery-without-changeset', ['discovery.schema.json'], json('discovery', (one) => { delete one.changeset })],
  ['discovery-of-another-standard', both('discovery.names-georeport'), {
    answer(answer, asked) {
      if (asked.kind === 'discovery') answer.body = Buffer.from(answer.body.toString().replaceAll('GeoReport_v2', 'GeoReport_v1'))
    },
  }],
  ['discovery-without-xml', ['discovery.offers-xml.json'],
    json('discovery', (one) => one.endpoints.forEach((endpoint) => { endpoint.formats = ['application/json'] }))],
  ['discovery-of-no-kind', ['discovery.schema.json'], json('discovery', (one) => one.endpoints.forEach((endpoint) => { endpoint.type = 'live' }))],
  ['no-discovery', both('discovery.status'), status('discovery', 200, 404)],
]

const SERVICES = [
  ['service-twice', ['services.no-duplicates.json'], json('services', (list) => [...list, list[0]])],
  ['service-of-no-type', ['services.schema.json'], each('services', (one) => { one.type = 'immediate' })],
  ['code-as-number', ['services.codes-are-text.json'], each('services', (one) => { one.service_code = Number(one.service_code) })],
  ['empty-keywords', ['services.keywords.json'], each('services', (one) => { one.keywords = `${one.keywords ?? 'a'}, ,b` })],
  ['groups-now-and-then', ['services.groups.json'], json('services', (list) => { list[0].group = null })],
  ['xml-has-fewer-services', ['services.same-content'], xml('services', (text) => text.replace(/<service>[^]*?<\/service>/, ''))],
  ['xml-has-other-names', ['services.same-content'], xml('services', (text) => text.replace('</service_name>', '!</service_name>'))],
  ['definition-of-another', ['definition.same-code.json'], json('definition', (one) => { one.service_code = 'X1' })],
  ['attribute-orders-repeat', ['definition.order.json'],
    json('definition', (one) => { one.attributes = [...one.attributes, { ...one.attributes[0], code: 'X1' }] })],
  ['attribute-twice', ['definition.unique-codes.json'],
    json('definition', (one) => { one.attributes = [...one.attributes, { ...one.attributes[0], order: 99 }] })],
  ['attribute-of-no-kind', ['definition.schema.json'], json('definition', (one) => one.attributes.forEach((a) => { a.datatype = 'select' }))],
  ['list-without-values', ['definition.values.json'], json('definition', (one) => one.attributes.forEach((a) => { a.values = [] }))],
  ['no-attributes', ['definition.has-attributes.json'], json('definition', (one) => { one.attributes = [] })],
]

const REQUESTS = [
  ['ignores-start-date', both('list.start-date-zone-z'), query('list', (q) => q.delete('start_date'))],
  ['ignores-end-date', both('list.end-date-zone-z'), query('list', (q) => q.delete('end_date'))],
  ['ignores-zones', ['list.start-date-zone-east.json'], query('list', (q) => {
    const start = q.get('start_date')
    if (start) q.set('start_date', start.replace(/[+-]\d\d:\d\d$/, 'Z'))
  })],
  ['ignores-status', ['list.status-closed.json', 'list.status-closed.xml'], query('list', (q) => q.delete('status'))],
  ['one-status-only', ['list.status-both.json'], firstOnly('status')],
  ['ignores-service-code', ['list.service-code.json'], query('list', (q) => q.delete('service_code'))],
  ['one-service-code-only', ['list.service-codes.json'],
    firstOnly('service_code')],
  ['one-id-only', ['list.several-ids.json'],
    firstOnly('service_request_id')],
  ['ids-do-not-override', ['list.id-overrides.json'], json('list', (list, asked) => {
    const wanted = asked.query.get('status')
    return asked.query.has('service_request_id') && wanted ? list.filter((one) => one.status === wanted) : list
  })],
  ['unknown-id-hides-others', ['list.unknown-id.json'],
    json('list', (list, asked) => ((asked.query.get('service_request_id') ?? '').includes('no-such') ? [] : list))],
  ['empty-status-filters', ['list.empty-arguments.json'], query('list', (q) => q.get('status') === '' && q.set('status', 'closed'))],
  ['more-than-1000', ['list.volume.json'],
    json('list', (list) => Array.from({ length: 1001 }, (_, i) => ({ ...list[0], service_request_id: `X${i}` })))],
  ['older-than-90-days', ['list.default-span.json'], more((one) => { one.requested_datetime = moved(one.requested_datetime, -100 * DAY) })],
  ['spans-more-than-90-days', ['list.long-span.json'], more((one) => { one.requested_datetime = moved(one.requested_datetime, -200 * DAY) })],
  ['request-twice', ['list.no-duplicates.json'], json('list', (list) => [...list, ...list.slice(0, 1)])],
  ['status-of-its-own', ['list.schema.json'], each('list', (one) => { one.status = 'in progress' })],
  ['dates-without-zone', ['list.schema.json'], each('list', (one) => { one.requested_datetime = one.requested_datetime.slice(0, 19) })],
  ['dates-with-blank', ['list.schema.json'], each('list', (one) => { one.requested_datetime = one.requested_datetime.replace('T', ' ') })],
  ['no-day-of-the-calendar', ['list.real-dates.json'], each('list', (one) => { one.updated_datetime = '2026-02-30T00:00:00Z' })],
  ['dates-in-the-future', ['list.not-in-the-future.json'], each('list', (one) => { one.updated_datetime = moved(one.updated_datetime, DAY) })],
  ['updated-before-requested', ['list.updated-later.json'], each('list', (one) => { one.updated_datetime = moved(one.requested_datetime, -1000) })],
  ['requests-of-unknown-services', ['list.known-services.json'], each('list', (one) => { one.service_code = 'X1' })],
  ['half-a-place-shown', ['list.whole-place.json'], each('list', (one) => { one.long = null })],
  ['media-that-is-no-address', ['list.media-urls.json'], each('list', (one) => { one.media_url = 'photo.jpg' })],
  ['another-request', ['request.same-id.json'], each('request', (one) => { one.service_request_id = 'X1' })],
  ['alone-says-more', ['request.same-as-list.json'], each('request', (one) => { one.status_notes = 'seen' })],
  ['xml-of-requests-differs', ['list.same-content'], xml('list', (text) => text.replace(/<service_name>[^<]*/g, '<service_name>other'))],
  ['wrong-date-accepted', ['list.wrong-start-date.json'],
    query('list', (q) => Number.isNaN(Date.parse(q.get('start_date') ?? 0)) && q.delete('start_date'))],
  ['wrong-status-accepted', ['list.wrong-status.json'], query('list', (q) => q.get('status') === 'lost' && q.delete('status'))],
]

const ERRORS = [
  ['error-with-200', ['errors.unknown-service.json', 'error.status.xml'], status('definition', 404, 200)],
  ['unknown-request-400', both('errors.unknown-request'), status('request', 404, 400)],
  ['unknown-request-empty', ['errors.unknown-request.json'], {
    answer(answer, asked) {
      if (asked.kind !== 'request' || answer.status !== 404) return
      Object.assign(answer, { status: 200, body: Buffer.from(asked.format === 'json' ? '[]' : '<service_requests/>') })
    },
  }],
  ['unknown-token-500', both('errors.unknown-token'), status('token', 404, 500)],
  ['error-as-object', ['errors.unknown-service.json', 'error.schema.json'],
    errors((text, format) => (format === 'json' ? JSON.stringify(JSON.parse(text)[0]) : null))],
  ['error-as-html', [...both('errors.unknown-service'), 'error.well-formed.json'], errors(() => '<html><body><p>Not found</body></html>')],
  ['error-says-nothing', ['errors.unknown-request.json'], errors((text, format) => (format === 'json' ? '[{"code":404,"description":""}]' : null))],
  ['error-xml-without-declaration', ['error.declaration.xml'],
    errors((text, format) => (format === 'xml' ? text.replace(/^<\?xml.*?\?>\s*/, '') : null))],
  ['error-code-as-text', ['errors.code.json'], errors((text, format) => (format === 'json' ? text.replace(/"code":(\d+)/, '"code":"$1"') : null))],
  ['error-code-of-another', ['errors.code.xml'], errors((text, format) => (format === 'xml' ? text.replace(/<code>\d+/, '<code>1') : null))],
  ['error-is-a-trace', ['errors.description.json'],
    errors((text, format) => (format === 'json' ? '[{"code":404,"description":"NotFoundException: at find (store.js:12)"}]' : null))],
  ['jurisdiction-500', ['jurisdiction.unknown-services.json'], {
    answer(answer, asked) {
      if ((asked.query.get('jurisdiction_id') ?? '').includes('no-such')) answer.status = 500
    },
  }],
]

const POSTS = [
  ['key-not-needed', ['post.no-key.json', 'post.wrong-key.json'], form((fields, asked) => fields.set('api_key', asked.key))],
  ['wrong-key-401', both('post.wrong-key'), status('created', 403, 401)],
  ['place-not-needed', ['post.no-place.json'],
    form((fields) => fields.has('lat') || fields.has('address_string') || fields.set('address_string', 'somewhere'))],
  ['half-a-place-taken', ['post.half-a-place.json', 'post.other-half.json'], takes(400, (fields) => fields.has('lat') !== fields.has('long'))],
  ['service-not-needed', ['post.no-service-code.json'], takes(400, (fields) => !fields.has('service_code'))],
  ['unknown-service-400', ['post.unknown-service.json'], status('created', 404, 400)],
  ['required-attribute-not-needed', ['post.required-attribute-missing.json'],
    takes(400, (fields) => !attributesOf(fields).length)],
  ['any-value-taken', ['post.value-not-in-list.json'], takes(400, (fields) => [...fields.values()].includes('no-such-value'))],
  ['attributes-lost', ['post.required-attributes.json'],
    form((fields) => attributesOf(fields).forEach((key) => fields.delete(key)))],
  ['address-string-refused', ['post.address-string.json'], form((fields) => fields.has('lat') || fields.delete('address_string'))],
  ['short-descriptions-only', ['post.longest-description.json'], {
    answer(answer, asked) {
      if (asked.kind === 'created' && asked.body.length > 12000) answer.status = 413
    },
  }],
  ['empty-arguments-refused', ['post.empty-arguments.json'], form((fields) => fields.get('email') === '' && fields.delete('service_code'))],
  ['created-204', ['created.status.json'], status('created', 201, 202)],
  ['id-and-token', ['post.id-or-token.json'], each('created', (one) => { one.token = 'X1' })],
  ['token-for-realtime', ['post.type.json'], each('created', (one) => { one.token = one.service_request_id; delete one.service_request_id })],
  ['ids-repeat', ['post.ids-differ'], each('created', (one) => { one.service_request_id = 'X1' })],
  ['ampersand-escaped-twice', ['roundtrip.markup.xml'], xml('request', (text) => text.replaceAll('&amp;', '&amp;amp;'))],
  ['escaped-for-html', ['roundtrip.quotes.json'], each('request', (one) => { one.description = one.description.replaceAll('"', '&quot;') })],
  ['no-emoji', ['roundtrip.emoji.json'], each('request', (one) => { one.description = one.description.replace(/\p{Extended_Pictographic}/gu, '?') })],
  ['question-marks', ['roundtrip.chinese.json'], each('request', (one) => { one.description = one.description.replace(/\p{Script=Han}/gu, '?') })],
  ['lines-lost', ['roundtrip.lines.json'], each('request', (one) => { one.description = one.description.replaceAll('\n', ' ') })],
  ['cut-description', ['roundtrip.whole-description.json'], each('request', (one) => { one.description = one.description.slice(0, 60) })],
  ['description-hidden', ['roundtrip.chinese.json'], each('request', (one) => { one.description = null })],
  ['address-hidden', ['roundtrip.address.json'], each('request', (one) => { one.address = null })],
  ['coarse-place', ['roundtrip.place.json'], each('request', (one) => { one.lat = Math.round(one.lat) })],
  ['other-service-shown', ['roundtrip.service.json'], each('request', (one) => { one.service_name = 'other' })],
  ['local-time-called-utc', ['roundtrip.time.json'],
    each('request', (one) => { one.requested_datetime = moved(one.requested_datetime, 8 * 3600000) })],
  ['new-ones-not-listed', ['roundtrip.listed.json'],
    json('list', (list) => list.filter((one) => Date.parse(one.requested_datetime) < Date.now() - 600000))],
]

const EXTENSIONS = [
  ['oldest-first', ['ext.newest-first.json'], json('list', (list) => list.reverse())],
  ['ignores-page', ['ext.pages.json'], query('list', (q) => q.has('page') && q.set('page', '1'))],
  ['ignores-page-size', ['ext.pages.json'], query('list', (q) => q.delete('page_size'))],
  ['no-next-link', ['ext.pages.json'], header('json', 'link', undefined)],
  ['link-to-itself', ['ext.pages.json'], {
    answer(answer) {
      if (answer.headers.link) answer.headers.link = answer.headers.link.replace(/([?&])page=\d+/, '$1page=1')
    },
  }],
  ['page-zero-taken', ['ext.page-zero.json'], query('list', (q) => q.get('page') === '0' && q.delete('page'))],
  ['never-extends', ['ext.extended-attributes.json'], query('list', (q) => q.delete('extensions'))],
  ['always-extends', ['list.strict.json'], query('list', (q) => q.set('extensions', 'true'))],
  ['updates-of-all', ['ext.updates.json'], query('servicerequestupdates', (q) => q.delete('start_date'))],
  ['update-lost', ['ext.update-posted.json'], json('servicerequestupdates', () => [])],
  ['ignores-cursor', ['ext.changes.json'], query('changes', (q) => q.delete('cursor'))],
  ['change-lost', ['ext.changes.json'], json('changes', (feed) => { feed.changes = feed.changes.filter((one, i) => i !== 1) })],
  ['new-changes-late', ['ext.changes-new.json'], json('changes', (feed, asked) => { if (asked.query.has('cursor')) feed.changes = [] })],
  ['ignores-idempotency-key', ['ext.idempotency.json'], { ask: (asked) => { delete asked.headers['idempotency-key'] } }],
  ['repeats-always', ['ext.idempotency.json'],
    { ask: (asked) => { if (asked.headers['idempotency-key']) asked.headers['idempotency-key'] = 'one' } }],
  ['first-error-only', ['ext.every-error.json'], errors((text, format) => (format === 'json' ? JSON.stringify(JSON.parse(text).slice(0, 1)) : null))],
  ['header-key-ignored', ['ext.bearer-key.json'], { ask: (asked) => { delete asked.headers.authorization } }],
  ['shows-all-to-all', ['ext.privacy.json'], query('request', (q) => q.has('api_key') || q.set('api_key', 'THE KEY'))],
  ['photo-changed', ['ext.photo.json'], {
    answer(answer) {
      if (/^image\//.test(answer.headers['content-type'] ?? '')) answer.body = Buffer.concat([answer.body, Buffer.from('x')])
    },
  }],
  ['photo-lost', ['ext.photo.json'], each('request', (one) => { one.media_url = null })],
  ['wrong-method-404', ['ext.method.json'], status('services', 405, 404)],
  ['wrong-body-400', ['ext.json-body.json'], status('created', 415, 400)],
]

const named = (list) => list.map(([name, caught, hooks]) => ({ name, caught, ...hooks }))
/** [{name, caught: ids of the checks that must fail, ask?, answer?}]; extensions says whether one is of an extension. */
export const FAULTS = [
  ...named([...FORM, ...SERVICES, ...REQUESTS, ...ERRORS, ...POSTS]),
  ...named(EXTENSIONS).map((one) => ({ ...one, extension: true })),
]

const HOP = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding', 'host', 'expect']
const without = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.includes(name)))

async function bytesOf(stream) {
  const parts = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

/** A server on a free port (or `port`) that passes everything to `target`, with the mistakes of `fault` (null: none).  Gives
 * {base, use(fault, from), troubles, stop()}; troubles are mistakes that nobody asked for; `key` is a right key, for the fault that needs none; `from` is told as X-Forwarded-For, so
 * that a server that counts the calls of each address takes each fault for another client. */
export async function startWrong(target, { fault = null, key = '', port = 0, from = null } = {}) {
  const { origin, pathname } = new URL(target)
  const root = pathname.replace(/\/+$/, '')
  let current = fault
  let client = from
  const troubles = []
  async function pass(request, body) {
    const url = new URL(request.url, origin)
    const asked = {
      method: request.method, query: url.searchParams, body, key,
      headers: { ...without(request.headers), ...(client && { 'x-forwarded-for': client }) },
      ...kindOf(request.method, url.pathname.startsWith(root) ? url.pathname.slice(root.length) : url.pathname),
    }
    const plain = url.search
    current?.ask?.(asked)
    for (const [name, value] of asked.query) if (value === 'THE KEY') asked.query.set(name, key)
    const search = current?.ask && asked.query.toString() ? `?${asked.query}` : current?.ask ? '' : plain
    const response = await fetch(origin + url.pathname + search,
      { method: asked.method, headers: asked.headers, redirect: 'manual', ...(asked.body.length && { body: asked.body }) })
    const headers = without(Object.fromEntries(response.headers))
    const answer = { status: response.status, headers, body: Buffer.from(await response.arrayBuffer()) }
    current?.answer?.(answer, asked)
    return answer
  }
  const server = createServer(async (request, response) => {
    try {
      const answer = await pass(request, await bytesOf(request))
      for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) response.setHeader(name, value)
      response.writeHead(answer.status).end(answer.body)
    } catch (e) {
      troubles.push(`${current?.name ?? 'no fault'}: ${e.cause?.message ?? e.stack}`)
      response.writeHead(502, { 'content-type': 'text/plain' }).end(`wrong.mjs: ${e.cause?.message ?? e.stack}`)
    }
  })
  await new Promise((done) => server.listen(port, '127.0.0.1', done))
  return {
    base: `http://127.0.0.1:${server.address().port}${root}`,
    troubles,
    use(other, address = client) {
      current = other
      client = address
    },
    stop: () => new Promise((done) => { server.close(done); server.closeAllConnections() }),
  }
}

async function main() {
  const [target, name, port] = process.argv.slice(2)
  if (target === '--list') return FAULTS.forEach((one) => console.log(`${one.name}: ${one.caught.join(', ')}`))
  const fault = FAULTS.find((one) => one.name === name)
  if (!fault || !/^https?:/.test(target)) {
    console.error('node wrong.mjs TARGET FAULT [PORT], or --list to see the faults; the key for "key-not-needed" is in OPEN311_KEY')
    process.exit(2)
  }
  const { base } = await startWrong(target, { fault, key: process.env.OPEN311_KEY, port: Number(port ?? 0) })
  console.log(`wrong (${name}) on ${base}`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) await main()
