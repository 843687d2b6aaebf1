/* Errors of reading calls: the status, and the form of what comes. */
import { faults } from '../lib/schemas.mjs'
import { fail, skip, that } from '../lib/suite.mjs'
import { read } from '../lib/context.mjs'

const UNKNOWN = [
  ['unknown-service', 'GET Service Definition', 'a service_code', (t, format) => t.error(format), 'must'],
  ['unknown-request', 'Errors', 'a service_request_id', (t, format) => t.server.get(`requests/no-such-request.${format}`), 'must'],
  ['unknown-token', 'GET service_request_id from a token', 'a token', (t, format) => t.server.get(`tokens/no-such-token.${format}`), 'must'],
  ['unknown-call', 'Errors', 'an address below the base', (t, format) => t.server.get(`no-such-call.${format}`), 'should'],
]

function form(answer, format) {
  let found
  try {
    found = faults('errors', answer.value('errors', format))
  } catch (e) {
    found = [e.message]
  }
  if (found.length) fail(`the answer is not in error form: ${found[0]}`, answer.said)
}

const unknown = UNKNOWN.map(([id, section, what, get, level]) => ({
  id: `errors.${id}`, section, level, says: `${what[0].toUpperCase()}${what.slice(1)} that does not exist is answered with 404, in error form.`,
  async run(t, format) {
    const answer = await get(t, format)
    that(answer.status === 404, `the status is ${answer.status}, not 404`, answer.said)
    form(answer, format)
    return answer.said
  },
}))

/** The entries of the answer for a service that does not exist. */
async function entries(t, format) {
  const answer = await t.error(format)
  const list = read(answer, 'errors', format)
  return Array.isArray(list) && list.length ? { answer, list } : skip('the answer is not in error form, see its checks')
}

const contents = [
  {
    id: 'errors.code', section: 'Errors', level: 'should', says: 'code is the HTTP status, as a number in JSON.',
    async run(t, format) {
      const { answer, list } = await entries(t, format)
      for (const one of list) {
        that(Number(one.code) === answer.status, `code ${one.code} with status ${answer.status}`, answer.said)
        that(format === 'xml' || typeof one.code === 'number', 'code is a string', answer.said)
      }
    },
  },
  {
    id: 'errors.description', section: 'Errors', level: 'should',
    says: 'description is a sentence for the user, not a trace of the program and not HTML.',
    async run(t, format) {
      const { answer, list } = await entries(t, format)
      for (const one of list) {
        const text = String(one.description ?? '')
        that(/\p{L}/u.test(text), 'it says nothing', answer.said)
        that(text.length <= 500 && !/<\/?[a-z]+[^>]*>|\bat \S+:\d+|Traceback|Exception\b/i.test(text), `it is "${text.slice(0, 80)}"`, answer.said)
      }
    },
  },
  {
    id: 'errors.no-wrong-success', section: 'Format Support', level: 'should', formats: null,
    says: 'An ending that is no format is not answered with a list of services.',
    async run(t) {
      const answer = await t.server.get('services.yaml')
      that(answer.status >= 400, `the status is ${answer.status}`, answer.said)
    },
  },
]

export default [...unknown, ...contents]
