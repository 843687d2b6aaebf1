/* Asking a server, and what it answered, byte by byte. */
import { setTimeout as sleep } from 'node:timers/promises'
import { declaration, parse, toValue } from './xml.mjs'
import { schema } from './schemas.mjs'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const SECONDS = 60
const TRIES = 4

/** `pairs` ([[name, value]] or an object) as application/x-www-form-urlencoded; brackets of names stay as the standard's example has them. */
export function formEncoded(pairs, { rawBrackets = true } = {}) {
  const list = Array.isArray(pairs) ? pairs : Object.entries(pairs)
  const name = (text) => (rawBrackets ? encodeURIComponent(text).replace(/%5B/g, '[').replace(/%5D/g, ']') : encodeURIComponent(text))
  return list.filter(([, value]) => value !== undefined).map(([key, value]) => `${name(key)}=${encodeURIComponent(value)}`).join('&')
}

export class Answer {
  constructor(request, response, bytes) {
    this.request = request
    this.status = response.status
    this.headers = response.headers
    this.contentType = response.headers.get('content-type') ?? ''
    this.bytes = bytes
    this.read = new Map()
    try {
      this.text = strict.decode(bytes)
    } catch {
      this.text = null
    }
  }

  get media() {
    return this.contentType.split(';')[0].trim().toLowerCase()
  }

  get charset() {
    return /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(this.contentType)?.[1]?.toLowerCase() ?? null
  }

  get declaration() {
    return declaration(this.text ?? '')
  }

  /* A list of a thousand is not parsed anew by each check. */
  #once(name, make) {
    if (!this.read.has(name)) this.read.set(name, make())
    return this.read.get(name)
  }

  /** The document as the format has it: a JSON value, or the root element.  Throws a sentence when it cannot be read. */
  document(format) {
    if (this.text === null) throw new Error('the bytes are not UTF-8')
    return this.#once(format, () => (format === 'xml' ? parse(this.text) : JSON.parse(this.text)))
  }

  /** The value as the schema `name` has it, from either format.  Throws a sentence when it cannot be read. */
  value(name, format) {
    return format === 'xml' ? this.#once(name, () => toValue(this.document('xml'), schema(name))) : this.document(format)
  }

  /** What was asked and what came back, in one short line. */
  get said() {
    const text = (this.text ?? Buffer.from(this.bytes).toString('latin1')).replace(/\s+/g, ' ')
    return `${this.request} -> ${this.status} ${this.contentType || 'without a type'}: ${text.length > 240 ? `${text.slice(0, 240)}...` : text}`
  }
}

export class Server {
  /** base: where the calls begin; key and jurisdiction are sent where the standard wants them. */
  constructor({ base, key = null, jurisdiction = null }) {
    Object.assign(this, { base: base.replace(/\/+$/, ''), key, jurisdiction })
  }

  /* A server that asks to wait is asked again: that is no answer to the question. */
  async #fetch(url, options) {
    for (let tries = 1; ; tries++) {
      const response = await fetch(url, { ...options, redirect: 'follow', signal: AbortSignal.timeout(SECONDS * 1000) })
      const wait = Number(response.headers.get('retry-after'))
      if (![429, 503].includes(response.status) || !(wait > 0 && wait <= SECONDS) || tries === TRIES) return response
      await response.arrayBuffer()
      await sleep(wait * 1000)
    }
  }

  async ask(method, url, { headers = {}, body } = {}) {
    const response = await this.#fetch(url, { method, headers, body })
    const shown = url.replace(this.base, '').replace(/api_key=[^&]+/, 'api_key=...')
    const answer = new Answer(`${method} ${shown}`, response, new Uint8Array(await response.arrayBuffer()))
    return answer
  }

  /** GET of a path below the base; `withKey` sends the key in the query, as the standard's clients do. */
  get(path, query = {}, { withKey = false, jurisdiction = this.jurisdiction, headers = {} } = {}) {
    const pairs = { ...(jurisdiction && { jurisdiction_id: jurisdiction }), ...(withKey && this.key && { api_key: this.key }), ...query }
    const text = formEncoded(pairs)
    return this.ask('GET', `${this.base}/${path}${text ? `?${text}` : ''}`, { headers })
  }

  /** POST of a form; `key` null sends none; `escaped` is put at its end as it stands. */
  post(path, form, { key = this.key, jurisdiction = this.jurisdiction, charset = true, rawBrackets = true, headers = {}, escaped = '' } = {}) {
    const own = [...(key === null ? [] : [['api_key', key]]), ...(jurisdiction ? [['jurisdiction_id', jurisdiction]] : [])]
    const type = `application/x-www-form-urlencoded${charset ? '; charset=utf-8' : ''}`
    const body = formEncoded([...own, ...(Array.isArray(form) ? form : Object.entries(form))], { rawBrackets }) + escaped
    return this.ask('POST', `${this.base}/${path}`, { headers: { 'Content-Type': type, ...headers }, body })
  }
}
