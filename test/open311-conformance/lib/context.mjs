/* What the checks share: the good answers of the server under test, each asked for once and only when a check needs it. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from './answers.mjs'
import { skip } from './suite.mjs'

export const FORMATS = ['json', 'xml']
const SPECIFICATION = /wiki\.open311\.org\/GeoReport_v2/i
const MEDIA = { json: 'application/json', xml: 'text/xml' }
/** The text that is posted to see whether it comes back: each part is looked for by a check of its own. */
export const PARTS = {
  chinese: '坪山大道「路灯」不亮',
  markup: '3 < 5 & 7 > 6; &amp; stays ]]>',
  quotes: '"double" and \'single\' 100 %+=',
  emoji: '🚧👷🏽‍♀️',
  latin: 'Straße, café, ñandú',
  lines: 'first line\nsecond line',
}

/** The value of `answer`, or the check is skipped: what is wrong with the answer itself is told by its own checks. */
export function read(answer, name, format) {
  try {
    const value = answer.value(name, format)
    if (!value || typeof value !== 'object') throw new Error('it is no list and no object')
    return value
  } catch (e) {
    return skip(`what came back cannot be read, see the checks of the form: ${e.message}`)
  }
}

/** The list in `answer`, or the check is skipped. */
export function rows(answer, name, format) {
  if (answer.status !== 200 && answer.status !== 201) skip(`the server answered ${answer.status}: ${answer.said}`)
  const list = read(answer, name, format)
  return Array.isArray(list) ? list : skip('what came back is no list, see the checks of the form')
}

export class Context {
  constructor(options) {
    Object.assign(this, { options, server: new Server(options), memory: new Map(), tokens: [...(options.tokens ?? [])] })
  }

  /** What `make` gave the first time it was asked for under `name`; a failure is remembered as well. */
  once(name, make) {
    if (!this.memory.has(name)) this.memory.set(name, make())
    return this.memory.get(name)
  }

  /** The discovery document: at the base, or one folder above it, or where --discovery says. */
  discovery(format) {
    return this.once(`discovery.${format}`, async () => {
      const { base } = this.server
      const places = this.options.discovery ? [this.options.discovery] : [`${base}/discovery`, `${base.replace(/\/[^/]*$/, '')}/discovery`]
      let answer
      for (const place of places) {
        answer = await this.server.ask('GET', `${place.replace(/\.(json|xml)$/, '')}.${format}`)
        if (answer.status === 200) break
      }
      return answer
    })
  }

  /** The formats the server says it offers; all when it does not say. */
  formats() {
    return this.once('formats', async () => {
      if (this.options.formats) return this.options.formats
      const answer = await this.discovery('xml')
      try {
        const endpoints = answer.value('discovery', 'xml').endpoints.filter((one) => SPECIFICATION.test(one.specification))
        const media = endpoints.flatMap((one) => one.formats)
        const found = FORMATS.filter((format) => media.includes(MEDIA[format]))
        return found.length ? found : FORMATS
      } catch {
        return FORMATS
      }
    })
  }

  services(format) {
    return this.once(`services.${format}`, () => this.server.get(`services.${format}`))
  }

  /** The entries of the service list in any format that can be read. */
  anyServices() {
    return this.once('any services', async () => {
      for (const format of await this.formats())
        try {
          const list = rows(await this.services(format), 'services', format)
          if (list.length) return list
        } catch { /* the other format may be readable */ }
      return skip('there is no list of services that can be read')
    })
  }

  /** The definition of `code`. */
  definitionOf(code, format) {
    return this.once(`definition.${code}.${format}`, () => this.server.get(`services/${encodeURIComponent(code)}.${format}`))
  }

  /** Codes of services with attributes, at most `most`. */
  async withAttributes(most = 20) {
    const found = (await this.anyServices()).filter((one) => one.metadata === true || one.metadata === 'true')
    if (!found.length) skip('no service says metadata true')
    return found.slice(0, most).map((one) => String(one.service_code))
  }

  async definition(format) {
    const [code] = await this.withAttributes()
    return this.definitionOf(code, format)
  }

  /** [[service_code, attribute], ...] of services with attributes; the definitions are read in whichever format can be read. */
  attributes() {
    return this.once('attributes', async () => {
      const found = []
      for (const code of await this.withAttributes())
        for (const format of await this.formats()) {
          const answer = await this.definitionOf(code, format)
          try {
            found.push(...answer.value('definition', format).attributes.map((attribute) => [code, attribute]))
            break
          } catch { /* the other format may be readable */ }
        }
      return found
    })
  }

  /** GET requests without any filter. */
  list(format) {
    return this.once(`list.${format}`, async () => {
      await this.two()
      return this.server.get(`requests.${format}`)
    })
  }

  /** The entries of the list in any format that can be read; skips when there is none. */
  anyRows() {
    return this.once('any rows', async () => {
      for (const format of await this.formats())
        try {
          const list = rows(await this.list(format), 'requests', format)
          if (list.length) return list
        } catch { /* the other format may be readable */ }
      return skip('the server shows no requests, or none that can be read; with --write some are made')
    })
  }

  /** Sees to it, when it may write, that there are requests of two different moments to filter by. */
  two() {
    return this.once('two', async () => {
      if (!this.options.write || !this.server.key) return
      let readable = false
      for (const format of await this.formats())
        try {
          const list = rows(await this.server.get(`requests.${format}`), 'requests', format)
          if (new Set(list.map((one) => Date.parse(one.requested_datetime))).size > 1) return
          readable = true
        } catch { /* the other format may be readable */ }
      if (!readable) return
      const [format] = await this.formats()
      await this.created(format).catch(() => {})
      await sleep(2100)
      await this.post(format).catch(() => {})
    })
  }

  /** The id of a request to look at: of the list, or one that was made. */
  async someId() {
    try {
      return String((await this.anyRows())[0].service_request_id)
    } catch (e) {
      if (!this.options.write || !this.server.key) throw e
      return this.createdId()
    }
  }

  async request(format) {
    return this.server.get(`requests/${encodeURIComponent(await this.someId())}.${format}`)
  }

  /** A service to post to: --service, else the first without attributes, else any. */
  service() {
    return this.once('service', async () => {
      const list = await this.anyServices()
      const named = list.find((one) => String(one.service_code) === this.options.service)
      return named ?? list.find((one) => one.metadata === false) ?? list[0]
    })
  }

  /** Where something may be reported: {lat, long}, by --lat and --long or from a request that has a place. */
  place() {
    return this.once('place', async () => {
      const { lat, long } = this.options
      if (lat !== undefined && long !== undefined) return { lat, long }
      const list = await this.anyRows().catch(() => [])
      const found = list.find((one) => typeof one.lat === 'number' && typeof one.long === 'number')
      return found ? { lat: found.lat, long: found.long } : skip('no place to report at is known: give --lat and --long')
    })
  }

  /** Values for the required attributes of `code`: [["attribute[CODE]", value], ...]. */
  async required(code) {
    const own = (await this.attributes().catch(() => [])).filter(([service]) => service === String(code)).map(([, attribute]) => attribute)
    return own.filter((one) => one.required && one.variable).flatMap((one) => this.filled(one))
  }

  /** A value that fits the attribute; `all` chooses every value of a list of several. */
  filled(attribute, { all = false } = {}) {
    const { code, datatype, values } = attribute
    const keys = (values ?? []).map((one) => one.key)
    if (datatype === 'multivaluelist') return (all ? keys : keys.slice(0, 1)).map((key) => [`attribute[${code}][]`, key])
    if (datatype === 'singlevaluelist') return [[`attribute[${code}]`, keys[0]]]
    const samples = { number: '3', datetime: '2026-01-31T10:30:00Z', text: 'two\nlines', string: 'A 123' }
    return [[`attribute[${code}]`, samples[datatype] ?? 'A 123']]
  }

  /** A form that the server should take, as [[name, value]]; `changes` replaces values, undefined takes a field out. */
  async form(changes = {}) {
    const service = await this.service()
    const mark = randomBytes(4).toString('hex')
    const description = `GeoReport v2 conformance check ${mark}`
    const fields = { service_code: String(service.service_code), ...(await this.place()), description, ...changes }
    const attributes = 'service_code' in changes ? [] : await this.required(service.service_code)
    return [...Object.entries(fields).filter(([, value]) => value !== undefined), ...attributes]
  }

  async post(format, changes = {}, options = {}) {
    return this.seen(await this.server.post(`requests.${format}`, await this.form(changes), options), format)
  }

  /** Keeps the token of the answer to a POST, when it has one; gives the answer. */
  seen(answer, format) {
    try {
      const [one] = answer.value('created', format)
      if (one.token) this.tokens.push(String(one.token))
    } catch { /* what is wrong with it is told by its checks */ }
    return answer
  }

  /** The answer to a good POST. */
  created(format) {
    return this.once(`created.${format}`, () => this.post(format))
  }

  /** The id that `answer` (to a POST in `format`) gave; waits for a token to become one. */
  async idOf(answer, format) {
    const [one] = rows(answer, 'created', format)
    if (one?.service_request_id) return String(one.service_request_id)
    if (!one?.token) return skip('the answer to the POST holds no id and no token')
    for (let tries = 0; tries < 5; tries++) {
      const [found] = rows(await this.server.get(`tokens/${encodeURIComponent(one.token)}.${format}`), 'token', format)
      if (found?.service_request_id) return String(found.service_request_id)
      await sleep(2000)
    }
    return skip(`the token ${one.token} did not become an id within 10 seconds`)
  }

  createdId() {
    return this.once('created id', async () => {
      for (const format of await this.formats())
        try {
          return await this.idOf(await this.created(format), format)
        } catch { /* the other format may be readable */ }
      return skip('nothing could be posted, see the checks of POST')
    })
  }

  /** A request posted with the awkward text: {id, form, sent}. */
  awkward() {
    return this.once('awkward', async () => {
      const description = Object.values(PARTS).join('\n')
      const form = { description, address_string: '坪山大道 2007 号 "A&B" <北>' }
      const sent = Date.now()
      const [format] = await this.formats()
      const id = await this.idOf(await this.post(format, form), format)
      return { id, form: { ...form, ...(await this.place()), service_code: String((await this.service()).service_code) }, sent }
    })
  }

  /** The awkward request as the server shows it to the holder of the key. */
  shown(format) {
    return this.once(`shown.${format}`, async () => {
      const { id } = await this.awkward()
      const [one] = rows(await this.server.get(`requests/${encodeURIComponent(id)}.${format}`, {}, { withKey: true }), 'request', format)
      return one ?? skip('the server does not show what was posted')
    })
  }

  /** The answer to a service that does not exist. */
  error(format) {
    return this.once(`error.${format}`, () => this.server.get(`services/no-such-service-${randomBytes(4).toString('hex')}.${format}`))
  }

  /** A token that a POST gave: of a service of the type batch, or of any POST so far. */
  someToken() {
    return this.once('some token', async () => {
      const [format] = await this.formats()
      const batch = (await this.anyServices()).find((one) => one.type === 'batch')
      if (batch) {
        const code = String(batch.service_code)
        const own = [...(await this.form({ service_code: code })), ...(await this.required(code))]
        const [one] = rows(await this.server.post(`requests.${format}`, own), 'created', format)
        if (one?.token) return String(one.token)
      }
      return this.tokens[0] ?? skip('no service is of the type batch, and no POST gave a token')
    })
  }

  /** The answer for a token: only servers that give tokens have one. */
  token(format) {
    return this.once(`token.${format}`, async () => this.server.get(`tokens/${encodeURIComponent(await this.someToken())}.${format}`))
  }
}
