/* What yiwang adds to the standard, as its documentation says it.  None of it is asked of other servers: only with --extensions. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { read, rows } from '../lib/context.mjs'
import { faults } from '../lib/schemas.mjs'
import { fail, skip, that } from '../lib/suite.mjs'

const READ = { section: 'extensions of yiwang', needs: ['extensions'] }
const WRITE = { section: 'extensions of yiwang', needs: ['write', 'extensions'] }
const now = () => new Date().toISOString().replace(/\.\d+Z/, 'Z')
const ids = (list) => list.map((one) => String(one.service_request_id))

async function get(t, format, path, query, name, options) {
  const answer = await t.server.get(`${path}.${format}`, query, options)
  that(answer.status === 200, `the status is ${answer.status}`, answer.said)
  let value
  try {
    value = answer.value(name, format)
  } catch (e) {
    fail(e.message, answer.said)
  }
  const found = faults(name, value)
  that(!found.length, found.slice(0, 3).join('; '), answer.said)
  return { answer, value }
}

function refused(answer, format, status) {
  that(answer.status === status, `the status is ${answer.status}, not ${status}`, answer.said)
  let found
  try {
    found = faults('errors', answer.value('errors', format))
  } catch (e) {
    found = [e.message]
  }
  that(!found.length, `the answer is not in error form: ${found[0]}`, answer.said)
  return answer.value('errors', format)
}

const next = (answer) => /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1] ?? null

/** The entries of a form that made something; fails otherwise. */
function made(answer, format) {
  that(answer.status === 200 || answer.status === 201, `the status is ${answer.status}`, answer.said)
  return rows(answer, 'created', format)[0]
}

const WRONG_PAGES = [
  ['page-zero', { page: 0 }], ['page-size-zero', { page_size: 0 }], ['page-size-large', { page_size: 1001 }], ['page-is-no-number', { page: 'two' }],
]

/** The list as it is now: the checks before have made requests. */
async function listNow(t, format) {
  return rows(await t.server.get(`requests.${format}`), 'requests', format)
}

const pages = [
  {
    id: 'ext.newest-first', ...READ, says: 'Requests come newest first.',
    async run(t, format) {
      await t.list(format)
      const moments = (await listNow(t, format)).map((one) => Date.parse(one.requested_datetime))
      if (moments.length < 2) skip('there are not two requests')
      const at = moments.findIndex((one, i) => i && one > moments[i - 1])
      that(at < 0, `the request at place ${at + 1} is newer than the one before it`)
    },
  },
  {
    id: 'ext.pages', ...READ, says: 'page and page_size cut the list in pages; Link rel="next" leads through all of them; none is repeated or lost.',
    async run(t, format) {
      await t.list(format)
      const whole = ids(await listNow(t, format))
      if (whole.length < 2 || whole.length >= 1000) skip(`there are ${whole.length} requests`)
      const size = Math.max(1, Math.ceil(whole.length / 4))
      const seen = []
      let more = true
      for (let page = 1; more && page <= 6; page++) {
        const { answer, value } = await get(t, format, 'requests', { page, page_size: size }, 'requests')
        that(value.length <= size, `page ${page} has ${value.length} requests, not ${size}`)
        seen.push(...ids(value))
        const link = next(answer)
        if (link) that(new URL(link, t.server.base).searchParams.get('page') === String(page + 1), `the link of page ${page} leads to ${link}`)
        more = link !== null
      }
      that(!more, 'the last page has a link to a next one')
      that(seen.join() === whole.join(), `the pages hold ${seen.length} requests, the list ${whole.length}, or their order differs`)
    },
  },
  ...WRONG_PAGES.map(([id, query]) => ({
    id: `ext.${id}`, ...READ, says: `${JSON.stringify(query)} is refused with 400.`,
    run: async (t, format) => void refused(await t.server.get(`requests.${format}`, query), format, 400),
  })),
  {
    id: 'ext.extended-attributes', ...READ,
    says: 'extensions=true adds extended_attributes to every request; without it they do not come.', formats: ['json'],
    async run(t, format) {
      if (!rows(await t.list(format), 'requests', format).length) skip('there are no requests')
      const list = rows(await t.server.get(`requests.${format}`, { extensions: 'true' }), 'requests', format)
      const odd = list.find((one) => typeof one.extended_attributes !== 'object' || !Array.isArray(one.extended_attributes.attributes))
      that(!odd, JSON.stringify(odd))
      that(list.every((one) => one.extended_attributes.number === one.service_request_id), 'the number is not that of the request')
      that(rows(await t.list(format), 'requests', format).every((one) => !('extended_attributes' in one)), 'they come without being asked for')
    },
  },
]

const feeds = [
  {
    id: 'ext.updates', ...READ, says: 'servicerequestupdates lists what happened, also by service_request_id and dates.',
    async run(t, format) {
      const { value } = await get(t, format, 'servicerequestupdates', {}, 'updates')
      if (!value.length) return 'empty'
      const id = String(value[0].service_request_id)
      const own = await get(t, format, 'servicerequestupdates', { service_request_id: id }, 'updates')
      that(own.value.length && own.value.every((one) => String(one.service_request_id) === id), `asked for those of ${id}`)
      const from = new Date(Date.now() + 86400000).toISOString().replace(/\.\d+Z/, 'Z')
      const none = await get(t, format, 'servicerequestupdates', { start_date: from }, 'updates')
      that(!none.value.length, 'there are updates of tomorrow')
    },
  },
  {
    id: 'ext.update-posted', ...WRITE,
    says: 'POST servicerequestupdates adds a note to a request of the own channel and answers its update_id; GET lists it.',
    async run(t, format) {
      const id = await t.createdId()
      const note = `补充 <说明> & ${randomBytes(4).toString('hex')}`
      const answer = await t.server.post(`servicerequestupdates.${format}`,
        { service_request_id: id, description: note, status: 'open', updated_datetime: now(), update_id: randomBytes(8).toString('hex') })
      that(answer.status === 200 || answer.status === 201, `the status is ${answer.status}`, answer.said)
      const [one] = read(answer, 'updates', format)
      that(one?.update_id, 'there is no update_id', answer.said)
      const { value } = await get(t, format, 'servicerequestupdates', { service_request_id: id }, 'updates', { withKey: true })
      const found = value.find((other) => String(other.update_id) === String(one.update_id))
      that(found, `the update ${one.update_id} is not among the ${value.length} of the request`)
      that(String(found.description).includes(note), `it says ${JSON.stringify(found.description)}`)
    },
  },
  {
    id: 'ext.changes', ...READ, says: 'The feed of changes goes on where its cursor stands, and repeats nothing.',
    async run(t, format) {
      const whole = await get(t, format, 'changes', { limit: 1000 }, 'changes')
      if (whole.value.changes.length < 3) skip('there are not three changes')
      const all = whole.value.changes.map((one) => JSON.stringify(one))
      const first = await get(t, format, 'changes', { limit: 2 }, 'changes')
      const second = await get(t, format, 'changes', { limit: 1000, cursor: first.value.cursor }, 'changes')
      that(first.value.changes.length === 2, `limit=2 gave ${first.value.changes.length}`)
      const joined = [...first.value.changes, ...second.value.changes].map((one) => JSON.stringify(one))
      that(joined.slice(0, all.length).join() === all.join(), `${all.length} changes at once, ${joined.length} in two steps, or others`)
    },
  },
  {
    id: 'ext.changes-new', ...WRITE, says: 'What is posted comes in the feed of changes after the cursor of before.',
    async run(t, format) {
      let { cursor } = (await get(t, format, 'changes', { limit: 1000 }, 'changes')).value
      for (let page = 0; page < 50; page++) {
        const { value } = await get(t, format, 'changes', { limit: 1000, cursor }, 'changes')
        cursor = value.cursor
        if (!value.changes.length) break
      }
      const id = await t.idOf(await t.post(format), format)
      // It is told once nothing older can come any more: that may be a moment later.
      const seen = []
      for (let tries = 0; tries < 30 && !seen.includes(id); tries++) {
        if (tries) await sleep(100)
        seen.push(...ids((await get(t, format, 'changes', { limit: 1000, cursor }, 'changes')).value.changes))
      }
      that(seen.includes(id), `${id} is not among ${[...new Set(seen)].join(', ') || 'no changes'}`)
    },
  },
  {
    id: 'ext.changes-wrong-cursor', ...READ, says: 'A cursor that the server did not give is refused with 400.',
    run: async (t, format) => void refused(await t.server.get(`changes.${format}`, { cursor: 'no such cursor' }), format, 400),
  },
]

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

async function multipart(t, format, file, changes = {}) {
  const body = new FormData()
  for (const [name, value] of await t.form(changes)) body.append(name, String(value))
  body.append('api_key', t.server.key)
  if (t.server.jurisdiction) body.append('jurisdiction_id', t.server.jurisdiction)
  if (file) body.append('media', new Blob([file.bytes], { type: file.type }), file.name)
  return t.server.ask('POST', `${t.server.base}/requests.${format}`, { body })
}

const OTHER_BODIES = [
  ['json-body', 'application/json', '{"service_code":"1"}'], ['xml-body', 'text/xml', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
]
const SCRIPT = { bytes: Buffer.from('#!/bin/sh\n'), type: 'image/png', name: 'photo.png' }

const posts = [
  {
    id: 'ext.idempotency', ...WRITE, says: 'The same Idempotency-Key gives the same answer again, with 200, and makes nothing new; another key does.',
    async run(t, format) {
      const headers = { 'Idempotency-Key': randomBytes(16).toString('hex') }
      const form = await t.form()
      const first = await t.server.post(`requests.${format}`, form, { headers })
      const again = await t.server.post(`requests.${format}`, form, { headers })
      const other = await t.server.post(`requests.${format}`, form, { headers: { 'Idempotency-Key': randomBytes(16).toString('hex') } })
      const numbers = [first, again, other].map((answer) => made(answer, format).service_request_id)
      that(numbers[0] === numbers[1], `first ${numbers[0]}, again ${numbers[1]}`)
      that(numbers[0] !== numbers[2], 'another key gives the same request')
      that(again.status === 200, `the second answer has status ${again.status}`)
    },
  },
  {
    id: 'ext.every-error', ...WRITE, says: 'Each wrong field has an error of its own.',
    async run(t, format) {
      const answer = await t.server.post(`requests.${format}`, { description: 'nothing else' })
      const list = refused(answer, format, 400)
      that(list.length >= 2, `service_code and place are missing, but there is ${list.length} error`, answer.said)
    },
  },
  {
    id: 'ext.bearer-key', ...WRITE, says: 'The key may come as Authorization: Bearer.',
    run: async (t, format) => void made(await t.post(format, {}, { key: null, headers: { Authorization: `Bearer ${t.server.key}` } }), format),
  },
  {
    id: 'ext.multipart', ...WRITE, says: 'A form may come as multipart/form-data, with Chinese text.',
    async run(t, format) {
      const description = `多部分表单 ${randomBytes(4).toString('hex')}`
      const one = made(await multipart(t, format, null, { description }), format)
      const [shown] = rows(await t.server.get(`requests/${one.service_request_id}.${format}`, {}, { withKey: true }), 'request', format)
      that(shown.description === description, `posted ${description}, shown ${shown.description}`)
    },
  },
  {
    id: 'ext.photo', ...WRITE, says: 'A photo in the form is kept, and media_url leads the holder of the key to the same bytes.',
    async run(t, format) {
      const one = made(await multipart(t, format, { bytes: PNG, type: 'image/png', name: 'photo.png' }), format)
      const path = `requests/${one.service_request_id}.${format}`
      const [shown] = rows(await t.server.get(path, {}, { withKey: true }), 'request', format)
      that(shown.media_url, 'there is no media_url', JSON.stringify(shown))
      const url = new URL(String(shown.media_url).trim(), `${t.server.base}/`).href
      const answer = await t.server.ask('GET', url, { headers: { Authorization: `Bearer ${t.server.key}` } })
      that(answer.status === 200 && Buffer.from(answer.bytes).equals(PNG), `the address gives ${answer.status} and ${answer.bytes.length} bytes`, url)
      const [open] = rows(await t.server.get(path), 'request', format)
      that(!open.media_url, `everybody is shown ${open.media_url}`)
    },
  },
  {
    id: 'ext.no-photo', ...WRITE, says: 'A file that is no photo is refused with 400, whatever it calls itself.',
    run: async (t, format) => void refused(await multipart(t, format, SCRIPT), format, 400),
  },
  ...OTHER_BODIES.map(([id, type, body]) => ({
    id: `ext.${id}`, ...WRITE, says: `A body of the type ${type} is refused with 415, in error form.`,
    async run(t, format) {
      const headers = { 'Content-Type': type, Authorization: `Bearer ${t.server.key}` }
      refused(await t.server.ask('POST', `${t.server.base}/requests.${format}`, { headers, body }), format, 415)
    },
  })),
  {
    id: 'ext.privacy', ...WRITE,
    says: 'Without a key neither the description nor anything of the reporter is shown; names and phones are not shown to anybody.',
    async run(t, format) {
      const secret = { email: 'geheim@example.org', phone: '13900001234', first_name: 'Zwetschge', last_name: 'Himmelblau', device_id: 'device-8842' }
      const description = `private ${randomBytes(4).toString('hex')}`
      const one = made(await t.post(format, { ...secret, description, address_string: '9876 Hidden Lane' }), format)
      const path = `requests/${one.service_request_id}.${format}`
      const [open, own] = [await t.server.get(path), await t.server.get(path, {}, { withKey: true })]
      for (const word of Object.values(secret)) that(!open.text.includes(word) && !own.text.includes(word), `${word} is shown`, own.said)
      for (const word of [description, '9876 Hidden Lane']) that(!open.text.includes(word), `"${word}" is shown to everybody`, open.said)
    },
  },
  {
    id: 'ext.attributes-shown', ...WRITE, formats: ['json'],
    says: 'extended_attributes shows the holder of the key every attribute that was posted, and nobody else.',
    async run(t, format) {
      const found = (await t.attributes()).find(([, { datatype, values }]) => datatype === 'multivaluelist' && values.length > 1)
      if (!found) skip('no service has a list of several values')
      const [code, attribute] = found
      const own = t.filled(attribute, { all: true })
      const form = [...(await t.form({ service_code: code })), ...(await t.required(code)).filter(([name]) => name !== own[0][0]), ...own]
      const { service_request_id: id } = made(await t.server.post(`requests.${format}`, form), format)
      const shown = async (withKey) => {
        const [one] = rows(await t.server.get(`requests/${id}.${format}`, { extensions: 'true' }, { withKey }), 'request', format)
        return (one.extended_attributes?.attributes ?? []).filter((other) => other.code === attribute.code).map((other) => String(other.value))
      }
      that((await shown(true)).join() === own.map(([, value]) => value).join(), `posted ${own.join(', ')}, shown ${await shown(true)}`)
      that(!(await shown(false)).length, `everybody is shown ${await shown(false)}`)
    },
  },
  {
    id: 'ext.rounded-place', ...WRITE,
    says: 'Without a key lat and long are rounded to four decimals; the holder of the key sees them as they were posted.',
    async run(t, format) {
      const place = await t.place()
      const exact = { lat: Number(place.lat) + 0.00001234, long: Number(place.long) + 0.00004321 }
      const one = made(await t.post(format, exact), format)
      const path = `requests/${one.service_request_id}.${format}`
      const [open] = rows(await t.server.get(path), 'request', format)
      const [own] = rows(await t.server.get(path, {}, { withKey: true }), 'request', format)
      for (const name of ['lat', 'long']) {
        that(open[name] === Number(exact[name].toFixed(4)), `posted ${exact[name]}, everybody is shown ${open[name]}`)
        that(Math.abs(own[name] - exact[name]) < 1e-7, `posted ${exact[name]}, the holder of the key is shown ${own[name]}`)
      }
    },
  },
]

const outer = [
  {
    id: 'ext.method', ...READ, says: 'A method that the address does not know is answered with 405, in error form.',
    run: async (t, format) => void refused(await t.server.ask('DELETE', `${t.server.base}/services.${format}`), format, 405),
  },
  {
    id: 'ext.no-ending', ...READ, formats: null,
    says: 'An address without an ending, or with another one, is answered with 404 in the error form of JSON.',
    async run(t) {
      for (const path of ['services', 'services.yaml', 'requests', 'discovery.html'])
        refused(await t.server.ask('GET', `${t.server.base}/${path}`, { headers: { Accept: 'text/xml' } }), 'json', 404)
    },
  },
  {
    id: 'ext.bad-escape', ...READ, says: 'An address with a broken escape is answered with 400, in error form.',
    run: async (t, format) => void refused(await t.server.ask('GET', `${t.server.base}/requests.${format}?status=%zz`), format, 400),
  },
]

export default [...pages, ...feeds, ...posts, ...outer]
