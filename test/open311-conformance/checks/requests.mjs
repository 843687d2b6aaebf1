/* GET Service Requests and GET Service Request: filters, dates, volume. */
import { read, rows } from '../lib/context.mjs'
import { difference, faults } from '../lib/schemas.mjs'
import { fail, skip, that } from '../lib/suite.mjs'

const SECTION = { section: 'GET Service Requests' }
const DAY = 86400000
const SPAN = 90 * DAY
/* Clocks of two machines differ, and a day may be counted from midnight. */
const LEEWAY = DAY + 3600000
const LIMIT = 1000
const FULL = 'the list has 1000 requests: what a filter leaves out cannot be told'

const ids = (list) => list.map((one) => String(one.service_request_id))
const moment = (one) => Date.parse(one.requested_datetime)
const iso = (time) => new Date(time).toISOString().replace('.000Z', 'Z')

async function listed(t, format, query) {
  const answer = await t.server.get(`requests.${format}`, query)
  that(answer.status === 200, `the status is ${answer.status}`, answer.said)
  return rows(answer, 'requests', format)
}

async function base(t, format) {
  const list = rows(await t.list(format), 'requests', format)
  return list.length ? list : skip('the server shows no requests; with --write some are made')
}

/** Asks with `query` and compares with the whole list: only those may come for which `fits` holds, and all those must for which `must` does. */
async function filtered(t, format, query, fits, must = fits) {
  const whole = await base(t, format)
  const got = await listed(t, format, query)
  const odd = got.find((one) => !fits(one))
  that(!odd, `${odd?.service_request_id} does not fit ${JSON.stringify(query)}: ${JSON.stringify(odd)}`)
  if (whole.length >= LIMIT) return FULL
  const lost = ids(whole.filter(must)).filter((id) => !ids(got).includes(id))
  that(!lost.length, `${JSON.stringify(query)} leaves out ${lost.slice(0, 5).join(', ')}`)
  return `${got.length} of ${whole.length} requests`
}

/** Two moments, one after the other, at which requests were made and between which none was: {earlier, later}. */
async function gap(t, format) {
  const moments = [...new Set((await base(t, format)).map(moment))].sort((a, b) => a - b)
  if (moments.length < 2) skip('all requests are of one moment; with --write others are made')
  const gaps = moments.slice(1).map((later, i) => ({ earlier: moments[i], later }))
  const wide = gaps.filter(({ earlier, later }) => later - earlier >= 2000)
  const choice = wide.length ? wide : gaps
  return choice[Math.floor(choice.length / 2)]
}

function offset(time, minutes) {
  const sign = minutes < 0 ? '-' : '+'
  const two = (number) => String(Math.floor(Math.abs(number))).padStart(2, '0')
  return `${iso(time + minutes * 60000).replace('Z', '')}${sign}${two(minutes / 60)}:${two(minutes % 60)}`
}

/* Ways to write one moment. */
const WRITINGS = [
  ['zone-z', 'must', 'Z', iso],
  ['zone-east', 'must', 'an offset east of UTC', (time) => offset(time, 480)],
  ['zone-west', 'must', 'an offset west of UTC', (time) => offset(time, -330)],
  ['fraction', 'should', 'fractions of a second', (time) => `${iso(time).slice(0, 19)}.000Z`],
]

const dates = WRITINGS.flatMap(([name, level, words, write]) => [
  {
    id: `list.start-date-${name}`, ...SECTION, level,
    says: `start_date, written with ${words}, leaves out what was requested earlier and nothing else.`,
    async run(t, format) {
      const { later } = await gap(t, format)
      return filtered(t, format, { start_date: write(later) }, (one) => moment(one) >= later)
    },
  },
  {
    id: `list.end-date-${name}`, ...SECTION, level, says: `end_date, written with ${words}, leaves out what was requested later and nothing else.`,
    async run(t, format) {
      // A server may keep finer moments than it shows: where there is room, a second is added.
      const { earlier, later } = await gap(t, format)
      const end = later - earlier >= 2000 ? earlier + 1000 : earlier
      return filtered(t, format, { end_date: write(end) }, (one) => moment(one) < later)
    },
  },
])

const ranges = [
  {
    id: 'list.range', ...SECTION, says: 'start_date and end_date together give what was requested between them.',
    async run(t, format) {
      const { earlier } = await gap(t, format)
      const fits = (one) => moment(one) >= earlier && moment(one) <= earlier + 1000
      return filtered(t, format, { start_date: iso(earlier), end_date: iso(earlier + 1000) }, fits, (one) => moment(one) === earlier)
    },
  },
  {
    id: 'list.range-empty', ...SECTION, says: 'A range in which nothing was requested gives an empty list, with status 200.',
    async run(t, format) {
      const got = await listed(t, format, { start_date: iso(Date.now() + 30 * DAY), end_date: iso(Date.now() + 31 * DAY) })
      that(!got.length, `${got.length} requests of next month: ${JSON.stringify(got[0])}`)
    },
  },
  {
    id: 'list.default-span', section: 'Response Volume', says: 'Without dates nothing older than 90 days comes.',
    async run(t, format) {
      const old = (await base(t, format)).find((one) => moment(one) < Date.now() - SPAN - LEEWAY)
      that(!old, `${old?.service_request_id} was requested ${old?.requested_datetime}`)
    },
  },
  {
    id: 'list.long-span', ...SECTION, says: 'A range of more than 90 days is refused with 400, or what comes spans no more than 90 days.',
    async run(t, format) {
      const answer = await t.server.get(`requests.${format}`, { start_date: iso(Date.now() - 400 * DAY), end_date: iso(Date.now()) })
      if (answer.status === 400) return 'refused'
      const moments = rows(answer, 'requests', format).map(moment)
      const span = (Math.max(...moments, 0) - Math.min(...moments, Date.now())) / DAY
      that(!moments.length || span * DAY <= SPAN + LEEWAY, `what came spans ${Math.round(span)} days`)
      return moments.length ? `spans ${Math.round(span)} days` : 'empty'
    },
  },
  {
    id: 'list.volume', section: 'Response Volume', says: 'No more than 1000 requests come at once.',
    async run(t, format) {
      const { length } = rows(await t.list(format), 'requests', format)
      that(length <= LIMIT, `${length} requests came`)
      return `${length} requests`
    },
  },
  {
    id: 'list.no-duplicates', ...SECTION, says: 'No request is listed twice.',
    async run(t, format) {
      const all = ids(await base(t, format))
      const twice = all.filter((one, i) => all.indexOf(one) !== i)
      that(!twice.length, `listed more than once: ${twice.slice(0, 5).join(', ')}`)
    },
  },
]

const statuses = [
  ...['open', 'closed'].map((status) => ({
    id: `list.status-${status}`, ...SECTION, says: `status=${status} gives the requests of that status and nothing else.`,
    run: (t, format) => filtered(t, format, { status }, (one) => one.status === status),
  })),
  {
    id: 'list.status-both', ...SECTION, says: 'status takes a list with commas: status=open,closed is everything.',
    run: (t, format) => filtered(t, format, { status: 'open,closed' }, () => true),
  },
  {
    id: 'list.service-code', ...SECTION, says: 'service_code gives the requests of that service and nothing else.',
    async run(t, format) {
      const code = String((await base(t, format))[0].service_code)
      return filtered(t, format, { service_code: code }, (one) => String(one.service_code) === code)
    },
  },
  {
    id: 'list.service-codes', ...SECTION, says: 'service_code takes a list with commas.',
    async run(t, format) {
      const codes = [...new Set((await base(t, format)).map((one) => String(one.service_code)))].slice(0, 3)
      if (codes.length < 2) skip('all requests are of one service')
      return filtered(t, format, { service_code: codes.join(',') }, (one) => codes.includes(String(one.service_code)))
    },
  },
  {
    id: 'list.service-and-status', ...SECTION, says: 'Filters together give what fits each of them.',
    async run(t, format) {
      const [first] = await base(t, format)
      const query = { service_code: String(first.service_code), status: first.status }
      return filtered(t, format, query, (one) => String(one.service_code) === query.service_code && one.status === query.status)
    },
  },
]

async function byIds(t, format, wanted, query = {}) {
  const got = ids(await listed(t, format, { service_request_id: wanted.join(','), ...query }))
  that(difference([...got].sort(), [...new Set(wanted)].sort()) === null, `asked for ${wanted.join(',')}, got ${got.join(',') || 'nothing'}`)
}

const identifiers = [
  {
    id: 'list.one-id', ...SECTION, says: 'service_request_id gives that request alone.',
    run: async (t, format) => byIds(t, format, ids(await base(t, format)).slice(0, 1)),
  },
  {
    id: 'list.several-ids', ...SECTION, says: 'service_request_id takes a list with commas.',
    async run(t, format) {
      const wanted = ids(await base(t, format)).slice(0, 3)
      if (wanted.length < 2) skip('there is one request only')
      await byIds(t, format, wanted)
    },
  },
  {
    id: 'list.id-overrides', ...SECTION, says: 'service_request_id overrides all other arguments.',
    async run(t, format) {
      const [first] = await base(t, format)
      const other = first.status === 'open' ? 'closed' : 'open'
      const query = { status: other, service_code: 'no-such-service', start_date: iso(Date.now() + 30 * DAY), end_date: iso(Date.now() + 31 * DAY) }
      await byIds(t, format, [String(first.service_request_id)], query)
    },
  },
  {
    id: 'list.unknown-id', ...SECTION, level: 'should', says: 'An id of the list that does not exist does not keep the others from being shown.',
    async run(t, format) {
      const [id] = ids(await base(t, format))
      const got = ids(await listed(t, format, { service_request_id: `no-such-request,${id}` }))
      that(got.length === 1 && got[0] === id, `got ${got.join(',') || 'nothing'}`)
    },
  },
  {
    id: 'list.empty-arguments', section: 'Optional Arguments', says: 'An empty argument is the same as none.',
    async run(t, format) {
      const whole = await base(t, format)
      const got = await listed(t, format, { service_request_id: '', service_code: '', start_date: '', end_date: '', status: '' })
      const lost = ids(whole).filter((id) => !ids(got).includes(id))
      that(!lost.length || whole.length >= LIMIT, `with empty arguments ${lost.length} of ${whole.length} requests are left out`)
    },
  },
  {
    id: 'list.unknown-argument', ...SECTION, level: 'should', says: 'An argument that the standard does not know does no harm.',
    run: (t, format) => filtered(t, format, { colour: 'green' }, () => true),
  },
  {
    id: 'request.same-id', section: 'GET Service Request', says: 'A request asked for by its address is the one asked for.',
    async run(t, format) {
      const id = await t.someId()
      const list = rows(await t.request(format), 'request', format)
      that(list.length === 1 && String(list[0].service_request_id) === id, `asked for ${id}, got ${ids(list).join(', ')}`)
    },
  },
  {
    id: 'request.same-as-list', section: 'GET Service Request', says: 'A request says the same alone and in the list.',
    async run(t, format) {
      const [alone] = rows(await t.request(format), 'request', format)
      const [among] = await listed(t, format, { service_request_id: String(alone?.service_request_id) })
      const found = difference(alone, among)
      that(!found, found?.replace('JSON', 'the request alone').replace('XML', 'the one in the list'))
    },
  },
]

const contents = [
  {
    id: 'list.ids-are-text', section: 'JSON Support', level: 'should', formats: ['json'],
    says: 'service_request_id and service_code are strings in JSON.',
    async run(t, format) {
      const odd = (await base(t, format)).find((one) => typeof one.service_request_id !== 'string' || typeof one.service_code !== 'string')
      that(!odd, `${odd?.service_request_id} is a number, or its service_code`)
    },
  },
  {
    id: 'list.real-dates', section: 'Date/time format', says: 'Every date is one of the calendar.',
    async run(t, format) {
      for (const one of await base(t, format))
        for (const name of ['requested_datetime', 'updated_datetime', 'expected_datetime']) {
          const day = /^(\d{4})-(\d\d)-(\d\d)T/.exec(one[name] ?? '')
          if (!one[name]) continue
          that(day && new Date(Date.UTC(+day[1], day[2] - 1, +day[3])).getUTCDate() === +day[3] && !Number.isNaN(Date.parse(one[name])),
            `${name} of ${one.service_request_id} is ${one[name]}`)
        }
    },
  },
  {
    id: 'list.not-in-the-future', ...SECTION, level: 'should', says: 'Nothing was requested or updated in the future.',
    async run(t, format) {
      const limit = Date.now() + LEEWAY / 100
      const odd = (await base(t, format)).find((one) => moment(one) > limit || Date.parse(one.updated_datetime) > limit)
      that(!odd, `${odd?.service_request_id}: requested ${odd?.requested_datetime}, updated ${odd?.updated_datetime}`)
    },
  },
  {
    id: 'list.updated-later', ...SECTION, level: 'should', says: 'No request was updated before it was requested.',
    async run(t, format) {
      const odd = (await base(t, format)).find((one) => one.updated_datetime && Date.parse(one.updated_datetime) < moment(one))
      that(!odd, `${odd?.service_request_id}: requested ${odd?.requested_datetime}, updated ${odd?.updated_datetime}`)
    },
  },
  {
    id: 'list.known-services', ...SECTION, level: 'should',
    says: 'The service_code of a request is in the service list, and has the same name there.',
    async run(t, format) {
      const names = new Map((await t.anyServices()).map((one) => [String(one.service_code), String(one.service_name)]))
      for (const one of await base(t, format)) {
        const name = names.get(String(one.service_code))
        that(name !== undefined, `${one.service_code} of ${one.service_request_id} is not in the service list`)
        that(name === String(one.service_name), `${one.service_code} is "${one.service_name}" in a request, "${name}" in the service list`)
      }
    },
  },
  {
    id: 'list.whole-place', ...SECTION, level: 'should', says: 'A request has both lat and long, or neither.',
    async run(t, format) {
      const odd = (await base(t, format)).find((one) => (one.lat ?? null) === null !== ((one.long ?? null) === null))
      that(!odd, `${odd?.service_request_id}: lat ${odd?.lat}, long ${odd?.long}`)
    },
  },
  {
    id: 'list.media-urls', ...SECTION, level: 'should', says: 'media_url is the address of something on the web.',
    async run(t, format) {
      const odd = (await base(t, format)).find((one) => one.media_url && !/^https?:\/\/\S+$/.test(String(one.media_url).trim()))
      that(!odd, `${odd?.service_request_id}: ${odd?.media_url}`)
    },
  },
]

/** Refused with 400 in error form. */
async function refused(t, format, query) {
  const answer = await t.server.get(`requests.${format}`, query)
  that(answer.status === 400, `the status is ${answer.status}, not 400`, answer.said)
  const found = faults('errors', read(answer, 'errors', format))
  if (found.length) fail(`the answer is not in error form: ${found[0]}`, answer.said)
}

const refusals = [
  ['start_date', 'yesterday', 'start-date'], ['end_date', '2026-02-30T00:00:00Z', 'end-date'], ['start_date', '2026-01-01T00:00:00', 'no-zone'],
  ['status', 'lost', 'status'],
].map(([name, value, short]) => ({
  id: `list.wrong-${short}`, section: 'Errors', level: 'should', says: `${name}=${value} is refused with 400.`,
  run: (t, format) => refused(t, format, { [name]: value }),
}))

export default [...dates, ...ranges, ...statuses, ...identifiers, ...contents, ...refusals]
