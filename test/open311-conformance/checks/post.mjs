/* POST Service Request, and whether GET shows what was posted; GET service_request_id from a token; API keys.  All need --write. */
import { randomBytes } from 'node:crypto'
import { PARTS, read, rows } from '../lib/context.mjs'
import { faults } from '../lib/schemas.mjs'
import { fail, skip, that } from '../lib/suite.mjs'

const SECTION = { section: 'POST Service Request', needs: ['write'] }
const LONGEST = 4000

/** The entry of an answer that took the form. */
async function taken(answer, format) {
  that(answer.status === 200 || answer.status === 201, `the status is ${answer.status}`, answer.said)
  const found = faults('created', read(answer, 'created', format))
  that(!found.length, found[0], answer.said)
  return read(answer, 'created', format)[0]
}

/** `answer` has one of `statuses` and is in error form. */
function refused(answer, format, statuses) {
  that(statuses.includes(answer.status), `the status is ${answer.status}, not ${statuses.join(' or ')}`, answer.said)
  let found
  try {
    found = faults('errors', answer.value('errors', format))
  } catch (e) {
    found = [e.message]
  }
  if (found.length) fail(`the answer is not in error form: ${found[0]}`, answer.said)
  return answer.said
}

const accepts = (id, says, post, rest) => ({
  id: `post.${id}`, ...SECTION, says, ...rest,
  run: async (t, format) => void await taken(await post(t, format), format),
})

const refuses = (id, statuses, says, post, rest) => ({
  id: `post.${id}`, ...SECTION, says, ...rest,
  run: async (t, format) => refused(await post(t, format), format, statuses),
})

const nowhere = { lat: undefined, long: undefined }
const personal = {
  email: 'somebody@example.org', device_id: 'tt222111', account_id: '123456', first_name: '小明', last_name: "O'Neil", phone: '+86 755 1234567',
  media_url: 'https://example.org/photo.jpg?a=1&b=2', address_string: '1234 5th street',
}

const accepted = [
  accepts('lat-long', 'A request with lat and long is taken.', (t, format) => t.created(format)),
  accepts('address-string', 'A request with address_string alone is taken.',
    (t, format) => t.post(format, { ...nowhere, address_string: '坪山大道 2007 号' })),
  accepts('address-id', 'A request with address_id alone is taken.', async (t, format) => {
    const id = t.options.addressId ?? (await t.anyRows().catch(() => [])).find((one) => one.address_id)?.address_id
    if (!id) skip('no address_id is known: give --address-id')
    return t.post(format, { ...nowhere, address_id: String(id) })
  }),
  accepts('all-arguments', 'A request with every optional argument is taken.', (t, format) => t.post(format, personal)),
  accepts('no-description', 'A request without a description is taken: it is an optional argument.',
    (t, format) => t.post(format, { description: undefined })),
  accepts('empty-arguments', 'Empty optional arguments are the same as none.', (t, format) => {
    const empty = Object.fromEntries(Object.keys(personal).map((name) => [name, '']))
    return t.post(format, { ...empty, address_id: '' })
  }, { section: 'Optional Arguments' }),
  accepts('bare-type', 'The Content-Type of a form may come without a charset.', (t, format) => t.post(format, {}, { charset: false })),
  accepts('longest-description', 'A description of 4000 characters is taken, also of characters of several bytes.',
    (t, format) => t.post(format, { description: '字'.repeat(LONGEST - 8) + randomBytes(4).toString('hex') })),
  accepts('unknown-argument', 'An argument that the standard does not know does no harm.',
    (t, format) => t.post(format, { colour: 'green' }), { level: 'should' }),
]

const missing = [
  refuses('no-service-code', [400], 'Without service_code the answer is 400.', (t, format) => t.post(format, { service_code: undefined })),
  refuses('empty-service-code', [400], 'With an empty service_code the answer is 400.', (t, format) => t.post(format, { service_code: '' })),
  refuses('unknown-service', [404], 'With a service_code that does not exist the answer is 404.',
    (t, format) => t.post(format, { service_code: 'no-such-service' })),
  refuses('no-place', [400], 'Without any place the answer is 400.', (t, format) => t.post(format, nowhere)),
  refuses('half-a-place', [400], 'With lat alone the answer is 400.', (t, format) => t.post(format, { long: undefined })),
  refuses('other-half', [400], 'With long alone the answer is 400.', (t, format) => t.post(format, { lat: undefined })),
  refuses('empty-place', [400], 'With an empty lat and long the answer is 400.', (t, format) => t.post(format, { lat: '', long: '' })),
  refuses('lat-is-no-number', [400], 'With a lat that is no number the answer is 400.',
    (t, format) => t.post(format, { lat: 'north' }), { section: 'Errors' }),
  refuses('lat-out-of-range', [400], 'With lat=91 the answer is 400.',
    (t, format) => t.post(format, { lat: 91 }), { section: 'Errors', level: 'should' }),
  refuses('too-long', [400], 'A description of 4001 characters is refused with 400.',
    (t, format) => t.post(format, { description: '字'.repeat(LONGEST + 1) }), { level: 'should' }),
  {
    id: 'post.unknown-jurisdiction', ...SECTION,
    says: 'A jurisdiction_id that does not exist, in the form, is answered with 404, or ignored by a server of one jurisdiction.',
    async run(t, format) {
      const answer = await t.post(format, {}, { jurisdiction: 'no-such-place.invalid' })
      if (answer.status !== 200 && answer.status !== 201) return refused(answer, format, [404])
      await taken(answer, format)
      return 'ignored: the server serves one jurisdiction only'
    },
  },
]

const keys = [
  ['no-key', 'Without an api_key the answer is 403.', null],
  ['empty-key', 'With an empty api_key the answer is 403.', ''],
  ['wrong-key', 'With a wrong api_key the answer is 403.', 'no-such-key'],
].map(([id, says, key]) => refuses(id, [403], says, (t, format) => t.post(format, {}, { key }), { section: 'Errors' }))

/** The service and attribute that `fits`, or the check is skipped. */
async function attribute(t, fits, what) {
  const found = (await t.attributes()).find(([, one]) => fits(one))
  return found ?? skip(`no service has ${what}`)
}

/** Posts to `code` with the required attributes, those of `own` in place of the same names. */
async function postTo(t, format, code, own, options) {
  const names = own.map(([name]) => name)
  const required = (await t.required(code)).filter(([name]) => !names.includes(name))
  return t.server.post(`requests.${format}`, [...(await t.form({ service_code: code })), ...required, ...own], options)
}

const attributes = [
  accepts('required-attributes', 'A request with every required attribute is taken.', async (t, format) => {
    const [code] = await attribute(t, (one) => one.required, 'a required attribute')
    return postTo(t, format, code, [])
  }),
  refuses('required-attribute-missing', [400], 'Without a required attribute the answer is 400.', async (t, format) => {
    const [code, { code: name }] = await attribute(t, (one) => one.required && one.variable, 'a required attribute')
    const rest = (await t.required(code)).filter(([key]) => !key.startsWith(`attribute[${name}]`))
    return t.server.post(`requests.${format}`, [...(await t.form({ service_code: code })), ...rest])
  }),
  refuses('required-attribute-empty', [400], 'With a required attribute that is empty the answer is 400.', async (t, format) => {
    const [code, { code: name }] = await attribute(t, (one) => one.required && one.variable, 'a required attribute')
    const rest = (await t.required(code)).filter(([key]) => !key.startsWith(`attribute[${name}]`))
    return t.server.post(`requests.${format}`, [...(await t.form({ service_code: code })), ...rest, [`attribute[${name}]`, '']])
  }),
  accepts('escaped-brackets', 'The brackets of attribute[CODE] may be escaped as %5B and %5D.', async (t, format) => {
    const [code] = await attribute(t, (one) => one.required, 'a required attribute')
    return postTo(t, format, code, [], { rawBrackets: false })
  }),
  accepts('several-values', 'A multivaluelist takes several values: attribute[CODE][]=a&attribute[CODE][]=b.', async (t, format) => {
    const [code, one] = await attribute(t, ({ datatype, values }) => datatype === 'multivaluelist' && values?.length > 1, 'a list of several values')
    return postTo(t, format, code, t.filled(one, { all: true }))
  }),
  refuses('value-not-in-list', [400], 'A value that is not in the list of a singlevaluelist is refused with 400.', async (t, format) => {
    const [code, one] = await attribute(t, ({ datatype }) => datatype === 'singlevaluelist', 'a list of values')
    return postTo(t, format, code, [[`attribute[${one.code}]`, 'no-such-value']])
  }, { level: 'should' }),
  refuses('number-is-no-number', [400], 'A value of a number that is no number is refused with 400.', async (t, format) => {
    const [code, one] = await attribute(t, ({ datatype }) => datatype === 'number', 'a number')
    return postTo(t, format, code, [[`attribute[${one.code}]`, 'many']])
  }, { level: 'should' }),
  refuses('datetime-is-no-datetime', [400], 'A value of a datetime that is no date is refused with 400.', async (t, format) => {
    const [code, one] = await attribute(t, ({ datatype }) => datatype === 'datetime', 'a date')
    return postTo(t, format, code, [[`attribute[${one.code}]`, 'yesterday']])
  }, { level: 'should' }),
]

const answers = [
  {
    id: 'post.id-or-token', ...SECTION, says: 'The answer holds an id or a token, never both; a service of the type blackbox may hold neither.',
    async run(t, format) {
      const one = await taken(await t.created(format), format)
      that(!(one.service_request_id && one.token), 'there are both an id and a token')
      that(one.service_request_id || one.token || (await t.service()).type === 'blackbox', 'there is no id and no token')
    },
  },
  {
    id: 'post.type', ...SECTION, section: 'GET Service List',
    says: 'The answer is of the type that the service list says: an id (realtime), a token (batch), or no id (blackbox).',
    async run(t, format) {
      const one = await taken(await t.created(format), format)
      const { type } = await t.service()
      if (type === 'realtime') that(one.service_request_id, 'the service is realtime, but no id came')
      if (type === 'batch') that(one.token, 'the service is batch, but no token came')
      if (type === 'blackbox') that(!one.service_request_id, 'the service is blackbox, but an id came')
    },
  },
  {
    id: 'post.ids-differ', ...SECTION, says: 'Two requests get two ids.', formats: null,
    async run(t) {
      const [format] = await t.formats()
      const first = await t.createdId()
      const second = await t.idOf(await t.post(format), format)
      that(first !== second, `both are ${first}`)
    },
  },
]

const shown = (id, says, run, rest) => ({
  id: `roundtrip.${id}`, section: 'GET Service Request', needs: ['write'], says, ...rest,
  run: async (t, format) => run(await t.shown(format), await t.awkward(), t),
})

const roundtrips = [
  ...Object.keys(PARTS).map((name) => shown(name, `A description with ${name} is shown as it was posted.`, (one) => {
    const description = String(one.description ?? '').replace(/\r\n?/g, '\n')
    that(description, 'the description is not shown, not even to the holder of the key')
    that(description.includes(PARTS[name]), `of ${JSON.stringify(PARTS[name])} is left ${JSON.stringify(one.description)}`)
  })),
  shown('whole-description', 'Nothing is added to a description and nothing taken from it.', (one, { form }) => {
    that(String(one.description ?? '').replace(/\r\n?/g, '\n').trim() === form.description, `the description is ${JSON.stringify(one.description)}`)
  }, { level: 'should' }),
  shown('address', 'address shows the address_string that was posted.', (one, { form }) => {
    that(String(one.address ?? '').includes(form.address_string), `the address is ${JSON.stringify(one.address)}`)
  }),
  shown('place', 'lat and long are those that were posted, to about ten metres.', (one, { form }) => {
    const near = (got, sent) => typeof got === 'number' && Math.abs(got - Number(sent)) <= 0.0001
    that(near(one.lat, form.lat) && near(one.long, form.long), `posted ${form.lat}, ${form.long}; shown ${one.lat}, ${one.long}`)
  }),
  shown('service', 'service_code is the one that was posted, and service_name that of the service list.', async (one, { form }, t) => {
    that(String(one.service_code) === form.service_code, `posted ${form.service_code}, shown ${one.service_code}`)
    const { service_name: name } = await t.service()
    that(String(one.service_name) === String(name), `the list says "${name}", the request "${one.service_name}"`)
  }),
  shown('time', 'requested_datetime is when it was posted, to ten minutes.', (one, { sent }) => {
    const away = Math.abs(Date.parse(one.requested_datetime) - sent) / 60000
    that(away <= 10, `${one.requested_datetime} is ${Math.round(away)} minutes away from when it was posted`)
  }),
  shown('status', 'A new request is open.', (one) => that(one.status === 'open', `the status is ${one.status}`), { level: 'should' }),
  {
    id: 'roundtrip.listed', section: 'GET Service Requests', needs: ['write'], says: 'A new request is in the list of requests.',
    async run(t, format) {
      const { id, sent } = await t.awkward()
      const query = { start_date: new Date(sent - 600000).toISOString().replace(/\.\d+Z/, 'Z') }
      const found = rows(await t.server.get(`requests.${format}`, query, { withKey: true }), 'requests', format)
      if (found.length >= 1000) skip('more than 1000 requests were made in the last ten minutes')
      that(found.some((one) => String(one.service_request_id) === id), `${id} is not among the ${found.length} requests of the last ten minutes`)
    },
  },
]

/** What cannot be carried in XML or UTF-8 is refused, or shown in some other way that still can be read. */
const carried = (id, what, escaped) => ({
  id: `post.${id}`, section: 'Encoding', needs: ['write'],
  says: `A description with ${what} is refused with 400, or what is shown of it can be parsed.`,
  async run(t, format) {
    const answer = await t.post(format, { description: undefined }, { escaped: `&description=${escaped}` })
    if (answer.status === 400) return refused(answer, format, [400])
    const id = await t.idOf(answer, format)
    const shown = await t.server.get(`requests/${encodeURIComponent(id)}.${format}`, {}, { withKey: true })
    that(shown.status === 200, `what was taken is answered with ${shown.status}`, shown.said)
    try {
      shown.document(format)
    } catch (e) {
      fail(e.message, shown.said)
    }
    return shown.said
  },
})

const uncarried = [
  carried('control-characters', 'control characters', 'a%01b%0Bc%1Fd%7F'),
  carried('no-characters', 'a code that is no character', 'a%EF%BF%BEb%EF%BF%BFc'),
  carried('nothing-character', 'the character of code 0', 'a%00b'),
  carried('not-utf-8', 'bytes that are not UTF-8', 'a%FFb%C3%28c%ED%A0%80d'),
]

const tokens = [
  {
    id: 'token.same-token', section: 'GET service_request_id from a token', needs: ['write'], says: 'The answer for a token names that token.',
    async run(t, format) {
      const answer = await t.token(format)
      const [one] = rows(answer, 'token', format)
      that(String(one?.token) === await t.someToken(), `asked ${answer.request}, got ${one?.token}`)
    },
  },
]

export default [...accepted, ...missing, ...keys, ...attributes, ...answers, ...roundtrips, ...uncarried, ...tokens]
