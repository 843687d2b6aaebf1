/* The faults of wrong.mjs: what is broken, and which checks must fail because of it.
 *
 * A fault has the hooks ask(asked), which changes what goes to the right server, and answer(answer, asked), which changes what
 * comes from it.  asked: {method, url, path, query, headers, body, kind, format, key}; answer: {status, headers, body}. */
const DAY = 86400000

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
/** Any answer to what `when(asked)` holds for. */
const any = (when, change) => ({
  answer(answer, asked) {
    if (when(asked)) change(answer, asked)
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
const posted = (asked) => new URLSearchParams(asked.body.toString())
/** Another status for forms for which `when` holds. */
const refusesForm = (to, when) => any((asked) => asked.kind === 'created' && when(posted(asked), asked), (answer) => { answer.status = to })
/** Takes what the right server refuses with `from`, when `when` holds of the form. */
const takes = (from, when) => ({
  answer(answer, asked) {
    if (asked.kind !== 'created' || answer.status !== from || !when(posted(asked))) return
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


/* --- each kind of answer, wrong in each way ------------------------------------------------------------------------------------ */
const KINDS = ['discovery', 'services', 'definition', 'created', 'list', 'request', 'token', 'error']
const isOf = (kind, answer, asked) => (kind === 'error' ? asked.kind === 'definition' && answer.status === 404 : asked.kind === kind && good(answer))
/** Changes the answers of `kind`, in either format. */
const of = (kind, change) => ({
  answer(answer, asked) {
    if (isOf(kind, answer, asked)) change(answer, asked)
  },
})
/** Changes the text of the answers of `kind`: {json(value), xml(text)} give it changed. */
const text = (kind, { json: changeJson, xml: changeXml }) => of(kind, (answer, asked) => {
  const before = answer.body.toString()
  if (asked.format === 'json' && changeJson) answer.body = Buffer.from(JSON.stringify(changeJson(JSON.parse(before))))
  if (asked.format === 'xml' && changeXml) answer.body = Buffer.from(changeXml(before))
})
const entry = (value) => (Array.isArray(value) ? value[0] : value)
const DECLARATION = /^<\?xml.*?\?>\s*/
const ROOT = /<(\w+)>/
const LEFT_OUT = { services: 'keywords', definition: 'datatype_description', list: 'address', request: 'updated_datetime' }

const without = (kind, name) => text(kind, {
  json(value) {
    for (const one of [value, value.attributes].flat()) if (one) delete one[name]
    return value
  },
  xml: (before) => before.replace(new RegExp(`<${name}/>|<${name}>[^<]*</${name}>`, 'g'), ''),
})

const everyWay = (kind) => [
  [`${kind}-of-another-status`, both(`${kind}.status`), of(kind, (answer) => { answer.status = 203 })],
  [`${kind}-of-another-type`, both(`${kind}.content-type`), of(kind, (answer) => { answer.headers['content-type'] = 'text/html; charset=utf-8' })],
  [`${kind}-without-charset`, both(`${kind}.charset`), of(kind, (answer) => {
    answer.headers['content-type'] = answer.headers['content-type'].split(';')[0]
  })],
  [`${kind}-in-latin-1`, both(`${kind}.utf-8`), of(kind, (answer) => {
    answer.body = Buffer.from(answer.body.toString().replace(/[^\0-\x7f]+/g, '').replace(/(\w)("|<\/)/, '$1é$2'), 'latin1')
  })],
  [`${kind}-cut-off`, both(`${kind}.well-formed`), of(kind, (answer) => {
    answer.body = Buffer.from(answer.body.toString().trimEnd().slice(0, -3))
  })],
  [`${kind}-in-a-wrapping`, both(`${kind}.schema`), text(kind, {
    json: (answer) => ({ answer }),
    xml: (before) => before.replace(ROOT, '<answer><$1>') + '</answer>',
  })],
  [`${kind}-with-more`, both(`${kind}.strict`), text(kind, {
    json(value) {
      entry(value).colour = 'green'
      return value
    },
    xml: (before) => before.replace(/<\/(discovery|service|service_definition|request|error)>/, '<colour>green</colour>$&'),
  })],
  [`${kind}-without-declaration`, [`${kind}.declaration.xml`], text(kind, { xml: (before) => before.replace(DECLARATION, '') })],
  [`${kind}-in-a-namespace`, [`${kind}.no-namespace.xml`], text(kind, { xml: (before) => before.replace(ROOT, '<$1 xmlns="urn:other">') })],
  ...(LEFT_OUT[kind] ? [[`${kind}-leaves-out-${LEFT_OUT[kind]}`, both(`${kind}.members`), without(kind, LEFT_OUT[kind])]] : []),
  ...(kind === 'created' ? [] : [[`${kind}-differs`, [`${kind}.same-content`], text(kind, {
    xml: (before) => before.replace(kind === 'error' ? /(?<=<code>)\d/ : /[^>](?=<\/(contact|service_name|code|token)>)/g, (was) => (was === '9' ? '8' : '9')),
  })]]),
]

/* --- what an answer may be wrong in by itself ------------------------------------------------------------------------------------ */
/* [name, the checks that must fail, the hooks] */
const FORM = [
  ['numbers-as-strings', ['list.schema.json'], each('list', (one) => { one.lat = one.lat === null ? null : String(one.lat) })],
  ['booleans-as-strings', ['services.schema.json'], each('services', (one) => { one.metadata = String(one.metadata) })],
  ['order-as-string', ['definition.schema.json'], json('definition', (one) => one.attributes.forEach((a) => { a.order = String(a.order) }))],
  ['wrapped-requests', ['list.schema.json'], json('list', (list) => ({ service_requests: list.map((request) => ({ request })) }))],
  ['single-request-bare', ['request.schema.json'], json('request', ([one]) => one)],
  ['definition-in-list', ['definition.schema.json'], json('definition', (one) => [one])],
  ['created-bare', ['created.schema.json'], json('created', ([one]) => one)],
  ['declaration-without-encoding', ['list.declaration.xml'], xml('list', (before) => before.replace(DECLARATION, '<?xml version="1.0"?>'))],
  ['declaration-of-latin-1', ['list.declaration.xml'],
    xml('list', (before) => before.replace(DECLARATION, '<?xml version="1.0" encoding="ISO-8859-1"?>'))],
  ['xml-called-json', ['services.content-type.xml', 'error.content-type.xml'],
    any((asked) => asked.format === 'xml', (answer) => { answer.headers['content-type'] = 'application/json; charset=utf-8' })],
  ['xml-called-application-xml', ['list.content-type.xml'],
    any((asked) => asked.format === 'xml', (answer) => { answer.headers['content-type'] = 'application/xml; charset=utf-8' })],
  ['byte-order-mark', ['services.well-formed.json'], of('services', (answer) => {
    answer.body = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), answer.body])
  })],
  ['bare-ampersand', ['services.well-formed.xml'], xml('services', (before) => before.replace('</service_name>', ' & more</service_name>'))],
  ['html-entity', ['services.well-formed.xml'], xml('services', (before) => before.replace('</service_name>', '&nbsp;</service_name>'))],
  ['control-character', ['services.well-formed.xml'], xml('services', (before) => before.replace('</service_name>', '\x0b</service_name>'))],
  ['forbidden-reference', ['services.well-formed.xml'], xml('services', (before) => before.replace('</service_name>', '&#0;</service_name>'))],
  ['document-type', ['services.well-formed.xml'], xml('services', (before) => before.replace('<services>', '<!DOCTYPE services><services>'))],
  ['other-root', ['list.schema.xml'], xml('list', (before) => before.replace(/(<\/?)service_requests/g, '$1requests'))],
  ['other-entry-name', ['services.schema.xml'], xml('services', (before) => before.replace(/(<\/?)service>/g, '$1item>'))],
  ['prefixed-elements', ['services.no-namespace.xml'],
    xml('services', (before) => before.replace('<services>', '<o:services xmlns:o="urn:other">').replace('</services>', '</o:services>'))],
  ['numbers-with-commas', ['list.schema.xml'], xml('list', (before) => before.replace(/<lat>(\d+)\./g, '<lat>$1,'))],
  ['dropped-service-name', ['services.schema.json'], each('services', (one) => { delete one.service_name })],
  ['dropped-requested-datetime', ['list.schema.json'], each('list', (one) => { delete one.requested_datetime })],
  ['dropped-status-xml', ['list.schema.xml'], xml('list', (before) => before.replace(/<status>\w+<\/status>/g, ''))],
  ['discovery-without-changeset', ['discovery.schema.json'], json('discovery', (one) => { delete one.changeset })],
  ['discovery-of-another-standard', both('discovery.names-georeport'), of('discovery', (answer) => {
    answer.body = Buffer.from(answer.body.toString().replaceAll('GeoReport_v2', 'GeoReport_v1'))
  })],
  ['discovery-without-xml', ['discovery.offers-xml.json'],
    json('discovery', (one) => one.endpoints.forEach((endpoint) => { endpoint.formats = ['application/json'] }))],
  ['discovery-of-no-kind', ['discovery.schema.json'], json('discovery', (one) => one.endpoints.forEach((endpoint) => { endpoint.type = 'live' }))],
  ['discovery-leads-nowhere', ['discovery.endpoint-answers'],
    json('discovery', (one) => one.endpoints.forEach((endpoint) => { endpoint.url += '/nowhere' }))],
  ['changeset-that-does-not-sort', ['discovery.changeset.json'], json('discovery', (one) => { one.changeset = '25 November 2026' })],
  ['no-discovery', both('discovery.status'), status('discovery', 200, 404)],
]

const SERVICES = [
  ['no-services', ['services.some.json'], json('services', () => [])],
  ['accept-decides', both('services.ending-decides'), {
    ask(asked) {
      const wanted = /xml|json/.exec(asked.headers.accept)
      if (asked.kind === 'services' && wanted) asked.path = asked.path.replace(/\w+$/, wanted[0])
    },
  }],
  ['service-twice', ['services.no-duplicates.json'], json('services', (list) => [...list, list[0]])],
  ['service-of-no-type', ['services.schema.json'], each('services', (one) => { one.type = 'immediate' })],
  ['code-as-number', ['services.codes-are-text.json'], each('services', (one) => { one.service_code = Number(one.service_code) })],
  ['empty-keywords', ['services.keywords.json'], each('services', (one) => { one.keywords = `${one.keywords ?? 'a'}, ,b` })],
  ['groups-now-and-then', ['services.groups.json'], json('services', (list) => { list[0].group = null })],
  ['xml-has-fewer-services', ['services.same-content'], xml('services', (before) => before.replace(/<service>[^]*?<\/service>/, ''))],
  ['xml-has-other-names', ['services.same-content'], xml('services', (before) => before.replace('</service_name>', '!</service_name>'))],
  ['definition-of-another', ['definition.same-code.json'], json('definition', (one) => { one.service_code = 'X1' })],
  ['attribute-orders-repeat', ['definition.order.json'],
    json('definition', (one) => { one.attributes = [...one.attributes, { ...one.attributes[0], code: 'X1' }] })],
  ['attribute-twice', ['definition.unique-codes.json'],
    json('definition', (one) => { one.attributes = [...one.attributes, { ...one.attributes[0], order: 99 }] })],
  ['attribute-of-no-kind', ['definition.schema.json', 'definition.all.json'],
    json('definition', (one) => one.attributes.forEach((a) => { a.datatype = 'select' }))],
  ['list-without-values', ['definition.values.json'], json('definition', (one) => one.attributes.forEach((a) => { a.values = [] }))],
  ['text-with-values', ['definition.no-values.json'],
    json('definition', (one) => one.attributes.forEach((a) => { a.values = [{ key: 'a', name: 'A' }] }))],
  ['shown-but-required', ['definition.only-shown.json'],
    json('definition', (one) => one.attributes.forEach((a) => Object.assign(a, { variable: false, required: true })))],
  ['no-attributes', ['definition.has-attributes.json'], json('definition', (one) => { one.attributes = [] })],
]

const REQUESTS = [
  ['ignores-start-date', both('list.start-date-zone-z'), query('list', (q) => q.delete('start_date'))],
  ['ignores-end-date', both('list.end-date-zone-z'), query('list', (q) => q.delete('end_date'))],
  ['ignores-zones', ['list.start-date-zone-east.json', 'list.end-date-zone-west.json'], query('list', (q) => {
    for (const name of ['start_date', 'end_date']) if (q.has(name)) q.set(name, q.get(name).replace(/[+-]\d\d:\d\d$/, 'Z'))
  })],
  ['turns-zones-round', ['list.start-date-zone-west.json', 'list.end-date-zone-east.json'], query('list', (q) => {
    const turned = (time) => time.replace(/[+-](?=\d\d:\d\d$)/, (sign) => (sign === '+' ? '-' : '+'))
    for (const name of ['start_date', 'end_date']) if (q.has(name)) q.set(name, turned(q.get(name)))
  })],
  ['refuses-zones', ['list.start-date-zone-east.json', 'list.start-date-zone-west.json', 'list.end-date-zone-east.json'],
    any((asked) => asked.kind === 'list' && /[+-]\d\d:\d\d$/.test(asked.query.get('start_date') ?? asked.query.get('end_date')), (answer) => {
      answer.status = 400
    })],
  ['refuses-fractions', ['list.start-date-fraction.json', 'list.end-date-fraction.xml'],
    any((asked) => /\.\d+Z/.test(asked.query.get('start_date') ?? asked.query.get('end_date')), (answer) => { answer.status = 400 })],
  ['ignores-dates', ['list.range.json', 'list.range-empty.xml'], query('list', (q) => {
    q.delete('start_date')
    q.delete('end_date')
  })],
  ['ignores-status', [...both('list.status-closed'), ...both('list.status-open')], query('list', (q) => q.delete('status'))],
  ['one-status-only', ['list.status-both.json'], firstOnly('status')],
  ['ignores-service-code', ['list.service-code.json', 'list.service-and-status.json'], query('list', (q) => q.delete('service_code'))],
  ['one-service-code-only', ['list.service-codes.json'],
    firstOnly('service_code')],
  ['one-id-only', ['list.several-ids.json'],
    firstOnly('service_request_id')],
  ['ignores-ids', ['list.one-id.json', 'list.several-ids.xml'], query('list', (q) => q.delete('service_request_id'))],
  ['unknown-argument-refused', both('list.unknown-argument'),
    any((asked) => asked.kind === 'list' && asked.query.has('colour'), (answer) => { answer.status = 400 })],
  ['id-as-number', ['list.ids-are-text.json'], each('list', (one, i) => { one.service_request_id = i + 1 })],
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
  ['xml-of-requests-differs', ['list.same-content'], xml('list', (before) => before.replace(/<service_name>[^<]*/g, '<service_name>other'))],
  ['wrong-date-accepted', ['list.wrong-start-date.json', 'list.wrong-end-date.json', 'list.wrong-no-zone.json'], query('list', (q) => {
    for (const name of ['start_date', 'end_date']) if (/yesterday|02-30|:00$/.test(q.get(name))) q.delete(name)
  })],
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
  ['unknown-call-200', both('errors.unknown-call'), any((asked) => asked.path.includes('no-such-call'), (answer) => { answer.status = 200 })],
  ['unknown-format-200', ['errors.no-wrong-success', 'ext.no-ending'], any((asked) => !asked.format, (answer) => { answer.status = 200 })],
  ['jurisdiction-500', ['jurisdiction.unknown-services.json', 'jurisdiction.unknown-requests.xml'],
    any((asked) => /no-such/.test(asked.query.get('jurisdiction_id')), (answer) => { answer.status = 500 })],
  ['jurisdiction-needed-500', ['jurisdiction.none'], any((asked) => asked.kind === 'services', (answer) => { answer.status = 500 })],
  ['empty-jurisdiction-404', ['jurisdiction.empty'], any((asked) => asked.query.get('jurisdiction_id') === '', (answer) => { answer.status = 404 })],
]

const POSTS = [
  ['key-not-needed', ['post.no-key.json', 'post.wrong-key.json'], form((fields, asked) => fields.set('api_key', asked.key))],
  ['wrong-key-401', both('post.wrong-key'), status('created', 403, 401)],
  ['place-not-needed', ['post.no-place.json'],
    form((fields) => fields.has('lat') || fields.has('address_string') || fields.set('address_string', 'somewhere'))],
  ['half-a-place-taken', ['post.half-a-place.json', 'post.other-half.json'], takes(400, (fields) => fields.has('lat') !== fields.has('long'))],
  ['empty-key-taken', ['post.empty-key.json'], takes(403, (fields) => fields.get('api_key') === '')],
  ['empty-place-taken', ['post.empty-place.json'], takes(400, (fields) => fields.get('lat') === '')],
  ['any-lat-taken', ['post.lat-is-no-number.json', 'post.lat-out-of-range.json'], takes(400, (fields) => /north|91/.test(fields.get('lat')))],
  ['any-length-taken', ['post.too-long.json'], takes(400, (fields) => fields.get('description')?.length > 4000)],
  ['lat-long-refused', ['post.lat-long.json'], refusesForm(400, (fields) => fields.has('lat'))],
  ['names-refused', ['post.all-arguments.json'], refusesForm(400, (fields) => fields.get('last_name'))],
  ['bare-type-refused', ['post.bare-type.json'], refusesForm(415, (fields, asked) => !/charset/.test(asked.headers['content-type']))],
  ['description-needed', ['post.no-description.json'], refusesForm(400, (fields) => !fields.has('description'))],
  ['unknown-argument-not-taken', ['post.unknown-argument.json'], refusesForm(400, (fields) => fields.has('colour'))],
  ['address-id-not-known', ['post.address-id.json'], refusesForm(400, (fields) => fields.get('address_id'))],
  ['escaped-brackets-not-read', ['post.escaped-brackets.json'], refusesForm(400, (fields, asked) => asked.body.includes('%5B'))],
  ['one-value-only', ['post.several-values.json'],
    refusesForm(400, (fields) => attributesOf(fields).some((key) => key.endsWith('[]') && fields.getAll(key).length > 1))],
  ['jurisdiction-of-form-500', ['post.unknown-jurisdiction.json'], refusesForm(500, (fields) => /no-such/.test(fields.get('jurisdiction_id')))],
  ['empty-service-taken', ['post.empty-service-code.json'], takes(400, (fields) => fields.get('service_code') === '')],
  ['empty-attribute-taken', ['post.required-attribute-empty.json'],
    takes(400, (fields) => attributesOf(fields).some((key) => fields.get(key) === ''))],
  ['any-number-taken', ['post.number-is-no-number.json'], takes(400, (fields) => attributesOf(fields).some((key) => fields.get(key) === 'many'))],
  ['any-datetime-taken', ['post.datetime-is-no-datetime.json'],
    takes(400, (fields) => attributesOf(fields).some((key) => fields.get(key) === 'yesterday'))],
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
  ['id-and-token', ['post.id-or-token.json'], each('created', (one) => { one.token = 'X1' })],
  ['token-for-realtime', ['post.type.json'], each('created', (one) => { one.token = one.service_request_id; delete one.service_request_id })],
  ['ids-repeat', ['post.ids-differ'], each('created', (one) => { one.service_request_id = 'X1' })],
  ['ampersand-escaped-twice', ['roundtrip.markup.xml'], xml('request', (before) => before.replaceAll('&amp;', '&amp;amp;'))],
  ['escaped-for-html', ['roundtrip.quotes.json'], each('request', (one) => { one.description = one.description.replaceAll('"', '&quot;') })],
  ['no-emoji', ['roundtrip.emoji.json'], each('request', (one) => { one.description = one.description.replace(/\p{Extended_Pictographic}/gu, '?') })],
  ['question-marks', ['roundtrip.chinese.json'], each('request', (one) => { one.description = one.description.replace(/\p{Script=Han}/gu, '?') })],
  ['control-characters-shown', ['post.control-characters.xml', 'post.no-characters.xml'],
    xml('request', (before) => before.replace('<description>', '<description>\x01'))],
  ['nothing-character-lost', ['post.nothing-character.xml'], takes(400, (fields) => fields.get('description')?.includes('\0'))],
  ['any-bytes-taken', ['post.not-utf-8.json'], takes(400, (fields) => fields.get('description')?.includes('\ufffd'))],
  ['ascii-only', ['roundtrip.latin.json'], each('request', (one) => { one.description = one.description.replace(/[é-ñß]/g, '?') })],
  ['closed-at-once', ['roundtrip.status.json'], each('request', (one) => { one.status = 'closed' })],
  ['token-of-another', ['token.same-token.json'], each('token', (one) => { one.token = 'X1' })],
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
  ['no-next-link', ['ext.pages.json'], any((asked) => asked.format === 'json', (answer) => { delete answer.headers.link })],
  ['link-to-itself', ['ext.pages.json'], {
    answer(answer) {
      if (answer.headers.link) answer.headers.link = answer.headers.link.replace(/([?&])page=\d+/, '$1page=1')
    },
  }],
  ['any-page-taken', ['ext.page-zero.json', 'ext.page-is-no-number.json'],
    query('list', (q) => (q.get('page') === '0' || q.get('page') === 'two') && q.delete('page'))],
  ['any-page-size-taken', ['ext.page-size-zero.json', 'ext.page-size-large.json'],
    query('list', (q) => /^(0|1001)$/.test(q.get('page_size')) && q.delete('page_size'))],
  ['never-extends', ['ext.extended-attributes.json'], query('list', (q) => q.delete('extensions'))],
  ['always-extends', ['list.strict.json'], query('list', (q) => q.set('extensions', 'true'))],
  ['attributes-forgotten', ['ext.attributes-shown.json'], each('request', (one) => { delete one.extended_attributes })],
  ['updates-of-all', ['ext.updates.json'], query('servicerequestupdates', (q) => q.delete('start_date'))],
  ['update-lost', ['ext.update-posted.json'], json('servicerequestupdates', () => [])],
  ['ignores-cursor', ['ext.changes.json'], query('changes', (q) => q.delete('cursor'))],
  ['any-cursor-taken', ['ext.changes-wrong-cursor.json'], query('changes', (q) => /no such/.test(q.get('cursor')) && q.delete('cursor'))],
  ['change-lost', ['ext.changes.json'], json('changes', (feed) => { feed.changes = feed.changes.filter((one, i) => i !== 1) })],
  ['new-changes-late', ['ext.changes-new.json'], json('changes', (feed, asked) => { if (asked.query.has('cursor')) feed.changes = [] })],
  ['ignores-idempotency-key', ['ext.idempotency.json'], { ask: (asked) => { delete asked.headers['idempotency-key'] } }],
  ['repeats-always', ['ext.idempotency.json'],
    { ask: (asked) => { if (asked.headers['idempotency-key']) asked.headers['idempotency-key'] = 'one' } }],
  ['first-error-only', ['ext.every-error.json'], errors((text, format) => (format === 'json' ? JSON.stringify(JSON.parse(text).slice(0, 1)) : null))],
  ['header-key-ignored', ['ext.bearer-key.json'], { ask: (asked) => { delete asked.headers.authorization } }],
  ['shows-all-to-all', ['ext.privacy.json', 'ext.rounded-place.xml'], query('request', (q) => q.has('api_key') || q.set('api_key', 'THE KEY'))],
  ['photo-changed', ['ext.photo.json'], {
    answer(answer) {
      if (/^image\//.test(answer.headers['content-type'] ?? '')) answer.body = Buffer.concat([answer.body, Buffer.from('x')])
    },
  }],
  ['photo-lost', ['ext.photo.json'], each('request', (one) => { one.media_url = null })],
  ['no-multipart', ['ext.multipart.json'],
    any((asked) => /multipart/.test(asked.headers['content-type']), (answer) => { answer.status = 415 })],
  ['any-file-taken', ['ext.no-photo.json'], any((asked) => /multipart/.test(asked.headers['content-type']), (answer, asked) => {
    if (answer.status === 400) Object.assign(answer, { status: 201, body: Buffer.from(taken(asked.format)) })
  })],
  ['bad-escape-500', ['ext.bad-escape.json'], any((asked) => asked.url.includes('%zz'), (answer) => { answer.status = 500 })],
  ['wrong-method-404', ['ext.method.json'], status('services', 405, 404)],
  ['wrong-body-400', ['ext.json-body.json', 'ext.xml-body.xml'], status('created', 415, 400)],
]

const named = (list) => list.map(([name, caught, hooks]) => ({ name, caught, ...hooks }))
/** [{name, caught: ids of the checks that must fail, ask?, answer?}]. */
export const FAULTS = named([...KINDS.flatMap(everyWay), ...FORM, ...SERVICES, ...REQUESTS, ...ERRORS, ...POSTS, ...EXTENSIONS])
