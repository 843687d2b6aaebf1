/* Service Discovery, GET Service List, GET Service Definition, jurisdiction_id: what the answers must say. */
import { read, rows } from '../lib/context.mjs'
import { difference, faults } from '../lib/schemas.mjs'
import { fail, skip, that } from '../lib/suite.mjs'

const SPECIFICATION = /^https?:\/\/wiki\.open311\.org\/GeoReport_v2\/?$/i
const DISCOVERY = { section: 'Service Discovery', always: true }
const LIST = { section: 'GET Service List' }
const DEFINITION = { section: 'GET Service Definition' }

/** Entries that stand twice in `list`. */
const repeated = (list) => [...new Set(list.filter((one, i) => list.indexOf(one) !== i))]

async function ownEndpoints(t, format) {
  const answer = await t.discovery(format)
  if (answer.status !== 200) skip(`the server answered ${answer.status}`)
  const { endpoints } = read(answer, 'discovery', format)
  return Array.isArray(endpoints) ? endpoints.filter((one) => SPECIFICATION.test(one.specification)) : skip('there is no list of endpoints')
}

const discovery = [
  {
    id: 'discovery.names-georeport', ...DISCOVERY,
    says: 'The discovery document lists an endpoint of the specification http://wiki.open311.org/GeoReport_v2.',
    async run(t, format) {
      that((await ownEndpoints(t, format)).length, 'no endpoint names GeoReport v2', (await t.discovery(format)).said)
    },
  },
  {
    id: 'discovery.offers-xml', section: 'Format Support', always: true,
    says: 'XML is among the formats of the endpoint: it is the format every server must have.',
    async run(t, format) {
      for (const one of await ownEndpoints(t, format)) that(one.formats?.includes('text/xml'), `${one.url} offers ${one.formats}`)
    },
  },
  {
    id: 'discovery.changeset', ...DISCOVERY, level: 'should', says: 'changeset can be sorted: it begins with year, month and day.',
    async run(t, format) {
      const document = read(await t.discovery(format), 'discovery', format)
      for (const one of [document, ...(document.endpoints ?? [])])
        that(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])/.test(one.changeset), `a changeset is "${one.changeset}"`)
    },
  },
  {
    id: 'discovery.endpoint-answers', ...DISCOVERY, level: 'should', formats: null,
    says: 'The address in the discovery document is one where the service list is.',
    async run(t) {
      const [format] = await t.formats()
      for (const one of await ownEndpoints(t, format)) {
        const answer = await t.server.ask('GET', `${one.url.replace(/\/+$/, '')}/services.${format}`)
          .catch((e) => fail(`${one.url} cannot be reached: ${e.message}`))
        if (answer.status === 400 && t.server.jurisdiction) return
        that(answer.status === 200, `${one.url} answers ${answer.status}`, answer.said)
      }
    },
  },
]

const services = [
  {
    id: 'services.some', ...LIST, says: 'The list names at least one service.',
    async run(t, format) {
      that(rows(await t.services(format), 'services', format).length, 'the list is empty')
    },
  },
  {
    id: 'services.ending-decides', section: 'Format Support', level: 'should',
    says: 'The ending of the address decides the format, whatever the header Accept says.',
    async run(t, format) {
      const answer = await t.server.get(`services.${format}`, {}, { headers: { Accept: format === 'xml' ? 'application/json' : 'text/xml' } })
      that(answer.status === 200 && answer.contentType.includes(format), `with another Accept the type is "${answer.contentType}"`, answer.said)
    },
  },
  {
    id: 'services.no-duplicates', ...LIST, says: 'No service_code is listed twice.',
    async run(t, format) {
      const twice = repeated(rows(await t.services(format), 'services', format).map((one) => String(one.service_code)))
      that(!twice.length, `listed more than once: ${twice.join(', ')}`)
    },
  },
  {
    id: 'services.codes-are-text', section: 'JSON Support', level: 'should', formats: ['json'],
    says: 'service_code is a string in JSON: as a number, a code such as 001 would lose its zeros.',
    async run(t, format) {
      const odd = rows(await t.services(format), 'services', format).find((one) => typeof one.service_code !== 'string')
      that(!odd, `the code ${odd?.service_code} is a number`)
    },
  },
  {
    id: 'services.keywords', ...LIST, level: 'should', says: 'keywords are words separated by single commas, none of them empty or repeated.',
    async run(t, format) {
      for (const one of rows(await t.services(format), 'services', format)) {
        if (!one.keywords) continue
        const words = String(one.keywords).split(',').map((word) => word.trim())
        that(!words.includes(''), `a keyword of ${one.service_code} is empty: "${one.keywords}"`)
        that(!repeated(words).length, `a keyword of ${one.service_code} is repeated: "${one.keywords}"`)
      }
    },
  },
  {
    id: 'services.groups', ...LIST, level: 'should', says: 'Either every service has a group, or none has.',
    async run(t, format) {
      const list = rows(await t.services(format), 'services', format)
      const bare = list.filter((one) => !one.group)
      that(!bare.length || bare.length === list.length,
        `${bare.length} of ${list.length} services have no group, the first is ${bare[0]?.service_code}`)
    },
  },
]

/** Every definition of the first services with attributes, as values: [[code, definition]]. */
async function definitions(t, format) {
  const found = []
  for (const code of await t.withAttributes()) {
    const answer = await t.definitionOf(code, format)
    if (answer.status !== 200) fail(`the definition of ${code} is answered with ${answer.status}`, answer.said)
    found.push([code, read(answer, 'definition', format)])
  }
  return found
}

async function attributes(t, format) {
  return (await definitions(t, format)).flatMap(([code, { attributes: list }]) => (list ?? []).map((one) => [code, one]))
}

const isList = (one) => /^(single|multi)valuelist$/.test(one.datatype)

const definition = [
  {
    id: 'definition.all', ...DEFINITION, says: 'Every service that says metadata true has a definition of the standard\'s form.',
    async run(t, format) {
      for (const [code, one] of await definitions(t, format)) {
        const found = faults('definition', one)
        that(!found.length, `${code}: ${found.slice(0, 5).join('; ')}`)
      }
    },
  },
  {
    id: 'definition.same-code', ...DEFINITION, says: 'A definition names the service_code it was asked for.',
    async run(t, format) {
      for (const [code, one] of await definitions(t, format)) that(String(one.service_code) === code, `asked for ${code}, got ${one.service_code}`)
    },
  },
  {
    id: 'definition.has-attributes', ...DEFINITION, says: 'A service that says metadata true has at least one attribute.',
    async run(t, format) {
      for (const [code, one] of await definitions(t, format)) that(one.attributes?.length, `${code} has no attributes`)
    },
  },
  {
    id: 'definition.unique-codes', ...DEFINITION, says: 'No attribute code stands twice in a definition.',
    async run(t, format) {
      for (const [code, one] of await definitions(t, format)) {
        const twice = repeated((one.attributes ?? []).map((attribute) => String(attribute.code)))
        that(!twice.length, `${code}: ${twice.join(', ')}`)
      }
    },
  },
  {
    id: 'definition.order', ...DEFINITION, says: 'order is a positive integer that no other attribute of the service has.',
    async run(t, format) {
      for (const [code, one] of await definitions(t, format)) {
        const orders = (one.attributes ?? []).map((attribute) => attribute.order)
        that(orders.every((order) => Number.isInteger(order) && order > 0), `${code}: ${orders.join(', ')}`)
        that(!repeated(orders).length, `${code} has order ${repeated(orders).join(', ')} more than once`)
      }
    },
  },
  {
    id: 'definition.values', ...DEFINITION, says: 'An attribute of the kind singlevaluelist or multivaluelist has values with different keys.',
    async run(t, format) {
      const lists = (await attributes(t, format)).filter(([, one]) => isList(one))
      if (!lists.length) skip('no attribute is a list')
      for (const [code, one] of lists) {
        that(one.values?.length, `${one.code} of ${code} has no values`)
        const twice = repeated(one.values.map((value) => String(value.key)))
        that(!twice.length, `${one.code} of ${code} has the key ${twice.join(', ')} more than once`)
      }
    },
  },
  {
    id: 'definition.no-values', ...DEFINITION, level: 'should', says: 'An attribute of another kind has no values.',
    async run(t, format) {
      for (const [code, one] of await attributes(t, format))
        that(isList(one) || !one.values?.length, `${one.code} of ${code} is a ${one.datatype} with values`)
    },
  },
  {
    id: 'definition.only-shown', ...DEFINITION, level: 'should',
    says: 'An attribute that only tells something (variable false) is not required and has a description.',
    async run(t, format) {
      const shown = (await attributes(t, format)).filter(([, one]) => one.variable === false)
      if (!shown.length) skip('every attribute is to be filled in')
      for (const [code, one] of shown) that(!one.required && one.description, `${one.code} of ${code}`)
    },
  },
]

const NOWHERE = 'no-such-place.invalid'

/** The answer to a call with a jurisdiction that does not exist is 404 in error form, or that of a server that ignores it. */
async function unknownJurisdiction(t, path, format, name) {
  const answer = await t.server.get(`${path}.${format}`, {}, { jurisdiction: NOWHERE })
  if (answer.status === 200) {
    const found = faults(name, read(answer, name, format))
    that(!found.length, `the argument is ignored, but the answer is not the usual one: ${found[0]}`)
    return 'ignored: the server serves one jurisdiction only'
  }
  that(answer.status === 404, `the status is ${answer.status}, not 404`, answer.said)
  const found = faults('errors', read(answer, 'errors', format))
  that(!found.length, `the answer is not in error form: ${found[0]}`, answer.said)
  return answer.said
}

const jurisdiction = [
  ...[['services', 'services', 'GET Service List'], ['requests', 'requests', 'GET Service Requests']].map(([path, name, section]) => ({
    id: `jurisdiction.unknown-${path}`, section,
    says: `A jurisdiction_id that does not exist is answered with 404 (${path}), or ignored by a server of one jurisdiction.`,
    run: (t, format) => unknownJurisdiction(t, path, format, name),
  })),
  {
    id: 'jurisdiction.none', section: 'jurisdiction_id', formats: null,
    says: 'Without jurisdiction_id a server of several jurisdictions answers 400, a server of one as usual.',
    async run(t) {
      const [format] = await t.formats()
      const answer = await t.server.get(`services.${format}`, {}, { jurisdiction: null })
      that([200, 400].includes(answer.status), `the status is ${answer.status}`, answer.said)
      return answer.status === 400 ? 'several jurisdictions' : 'one jurisdiction'
    },
  },
  {
    id: 'jurisdiction.empty', section: 'Optional Arguments', formats: null,
    says: 'An empty jurisdiction_id is the same as none.',
    async run(t) {
      const [format] = await t.formats()
      const [bare, empty] = [await t.server.get(`services.${format}`, {}, { jurisdiction: null }),
        await t.server.get(`services.${format}`, { jurisdiction_id: '' }, { jurisdiction: null })]
      that(bare.status === empty.status, `without it the status is ${bare.status}, empty ${empty.status}`, empty.said)
      if (bare.status !== 200) return
      const found = difference(read(bare, 'services', format), read(empty, 'services', format))
      that(!found, found)
    },
  },
]

export default [...discovery, ...services, ...definition, ...jurisdiction]
