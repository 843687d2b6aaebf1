/* The outer form of every kind of answer, in both formats: status, type, encoding, XML and JSON as such, members and their types. */
import { difference, faults, foreign, missing } from '../lib/schemas.mjs'
import { fail, skip, that } from '../lib/suite.mjs'
import { read } from '../lib/context.mjs'

/* Each kind of answer: the call, the schema it follows, and which of its members may be left out beside those that the schema
 * demands; without a list, the schema says all.  "May not be returned" is the standard's. */
const OPTIONAL = ['status_notes', 'agency_responsible', 'service_notice', 'expected_datetime']
const KINDS = [
  { name: 'discovery', section: 'Service Discovery', statuses: [200], always: true },
  { name: 'services', section: 'GET Service List', statuses: [200], optional: [] },
  { name: 'definition', section: 'GET Service Definition', statuses: [200], optional: ['values'] },
  { name: 'created', section: 'POST Service Request', statuses: [200, 201], needs: ['write'] },
  { name: 'list', schema: 'requests', section: 'GET Service Requests', statuses: [200], optional: OPTIONAL },
  { name: 'request', section: 'GET Service Request', statuses: [200], optional: OPTIONAL },
  { name: 'token', section: 'GET service_request_id from a token', statuses: [200], needs: ['write'] },
  { name: 'error', schema: 'errors', section: 'Errors', statuses: [404] },
]
const MEDIA = { json: 'application/json', xml: 'text/xml' }

/** The document, or the check is skipped: that it cannot be read is told by the check of well-formedness. */
function document(answer, format) {
  try {
    return answer.document(format)
  } catch {
    return skip('what came back cannot be read, see the check of well-formedness')
  }
}

function value(answer, kind, format) {
  if (!kind.statuses.includes(answer.status)) skip(`the server answered ${answer.status}, see the check of the status`)
  return read(answer, kind.schema, format)
}

const some = (list, what) => `${list.slice(0, 5).join(', ')}${list.length > 5 ? ` and ${list.length - 5} more` : ''} ${what}`

function checksOf(given) {
  const kind = { schema: given.name, needs: [], ...given }
  const { name, needs, section, always } = kind
  const get = (t, format) => t[name](format)
  const check = (what, rest) => ({ id: `${name}.${what}`, section, needs, always, ...rest })
  const list = [
    check('status', {
      says: `The call ${name} is answered with HTTP status ${kind.statuses.join(' or ')}.`,
      async run(t, format) {
        const answer = await get(t, format)
        that(kind.statuses.includes(answer.status), `the status is ${answer.status}`, answer.said)
      },
    }),
    check('content-type', {
      says: `The answer of ${name} has the media type of its format: text/xml or application/json.`, section: 'Format Support',
      async run(t, format) {
        const answer = await get(t, format)
        that(answer.media === MEDIA[format], `the type is "${answer.contentType}", not ${MEDIA[format]}`, answer.said)
      },
    }),
    check('charset', {
      says: `The type of the answer of ${name} says charset=utf-8.`, section: 'Format Support', level: 'should',
      async run(t, format) {
        const answer = await get(t, format)
        that(answer.charset === 'utf-8', `the type is "${answer.contentType}"`)
      },
    }),
    check('utf-8', {
      says: `The bytes of the answer of ${name} are UTF-8.`, section: 'Encoding',
      async run(t, format) {
        const answer = await get(t, format)
        that(answer.text !== null, 'there are bytes that are not UTF-8', answer.said)
      },
    }),
    check('well-formed', {
      says: `The answer of ${name} can be parsed.`, section: 'Format Support',
      async run(t, format) {
        const answer = await get(t, format)
        if (answer.text === null) skip('the bytes are not UTF-8')
        try {
          answer.document(format)
        } catch (e) {
          fail(e.message, answer.said)
        }
      },
    }),
    check('schema', {
      says: `The answer of ${name} has the members of the standard, each of its type (in JSON numbers and booleans are not strings, lists are bare).`,
      section: `${section}; JSON Support`,
      async run(t, format) {
        const answer = await get(t, format)
        if (!kind.statuses.includes(answer.status)) skip(`the server answered ${answer.status}, see the check of the status`)
        document(answer, format)
        let found
        try {
          found = faults(kind.schema, answer.value(kind.schema, format))
        } catch (e) {
          found = [e.message]
        }
        that(!found.length, found.slice(0, 5).join('; '), answer.said)
      },
    }),
    check('members', {
      says: `The answer of ${name} holds every member of the standard that has no note "may not be returned", even when empty.`, level: 'should',
      async run(t, format) {
        const found = missing(kind.schema, value(await get(t, format), kind, format), kind.optional)
        that(!found.length, some(found, 'missing'))
      },
    }),
    check('strict', {
      says: `The answer of ${name} holds nothing that the standard does not know.`, section: 'XML Support', level: 'should',
      async run(t, format) {
        const found = foreign(kind.schema, value(await get(t, format), kind, format))
        that(!found.length, some(found, 'unknown to the standard'))
      },
    }),
    check('declaration', {
      says: `The XML of ${name} begins with a declaration that says encoding="UTF-8".`, section: 'Encoding', formats: ['xml'],
      async run(t, format) {
        const answer = await get(t, format)
        that(answer.declaration, 'there is no XML declaration', answer.said)
        that(answer.declaration.encoding?.toLowerCase() === 'utf-8', `the encoding declared is ${answer.declaration.encoding ?? 'none'}`, answer.said)
      },
    }),
    check('no-namespace', {
      says: `The XML of ${name} uses no namespace.`, section: 'XML Support', formats: ['xml'], level: 'should',
      async run(t, format) {
        const root = document(await get(t, format), format)
        const named = (node) => node.name.includes(':') || Object.keys(node.attributes).some((key) => key.startsWith('xmlns'))
          || node.children.some(named)
        that(!named(root), 'an element has a prefix or a namespace')
      },
    }),
    check('same-content', {
      says: `JSON and XML of ${name} say the same, member by member.`, section: 'JSON Support', formats: null,
      async run(t) {
        if (!always && (await t.formats()).length < 2) skip('the server offers one format only')
        const [json, xml] = await Promise.all(['json', 'xml'].map(async (format) => value(await same(t, name, format), kind, format)))
        const found = name === 'error' ? difference(json.map((one) => one.code), xml.map((one) => one.code)) : difference(json, xml)
        that(!found, found)
      },
    }),
  ]
  const without = [...(kind.optional ? [] : ['members']), ...(name === 'created' ? ['same-content'] : [])]
  return list.filter((one) => !without.includes(one.id.slice(name.length + 1)))
}

/* A list may grow between two calls: the same few requests are asked for in both formats. */
async function same(t, name, format) {
  if (name !== 'list') return t[name](format)
  const ids = (await t.anyRows()).slice(0, 20).map((one) => one.service_request_id)
  return t.server.get(`requests.${format}`, { service_request_id: ids.join(',') })
}

export default KINDS.flatMap(checksOf)
