/* A real server on a free port over a fresh database, for the tests over HTTP.
 *
 * YIWANG names the program (build-asan/yiwang when unsaid); YIWANG_TEST_STORE is sqlite or postgres; for the latter
 * YIWANG_TEST_PG names the database, in which every district gets a schema of its own. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const PROGRAM = resolve(process.env.YIWANG ?? 'build-asan/yiwang')
export const POSTGRES = process.env.YIWANG_TEST_STORE === 'postgres'
export const SMALL = resolve('test/packs/small')
export const PINGSHAN = resolve('packs/pingshan')
export { sleep }

let schemas = 0
function freshStore() {
  if (!POSTGRES) return null
  const dsn = process.env.YIWANG_TEST_PG
  assert.ok(dsn, 'YIWANG_TEST_PG must name a database: use tools/with_postgres')
  return `${dsn}${dsn.includes('?') ? '&' : '?'}schema=scenario_${process.pid}_${++schemas}`
}

/** Waits until `probe` gives something truthy. */
export async function until(probe, what, seconds = 20) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await probe()
    if (value) return value
    assert.ok(Date.now() < end, `not within ${seconds} seconds: ${what}`)
    await sleep(50)
  }
}

export class District {
  /** A folder with pack and demonstration accounts; removed when the test `t` ends. */
  static make(t, { pack = SMALL, settings = {} } = {}) {
    const d = new this()
    d.folder = mkdtempSync(join(tmpdir(), 'yiwang-test-'))
    d.data = join(d.folder, 'data')
    d.store = freshStore()
    d.settings = settings
    t.after(async () => {
      await d.stop('SIGKILL')
      rmSync(d.folder, { recursive: true, force: true })
    })
    const made = d.command('init', '--pack', pack, '--demo', d.data)
    assert.equal(made.status, 0, made.error ?? made.stderr)
    d.demo = JSON.parse(readFileSync(join(d.data, 'demo.json'), 'utf8'))
    d.key = d.demo.channel_key
    return d
  }

  static async start(t, options) {
    const d = this.make(t, options)
    await d.serve()
    return d
  }

  environment() {
    const named = Object.entries(this.settings).map(([name, value]) => [`YIWANG_${name.toUpperCase()}`, String(value)])
    return { ...process.env, LANG: 'C.UTF-8', ...Object.fromEntries(named), ...this.extra, ...(this.store && { YIWANG_STORE: this.store }) }
  }

  /** Runs a command of the program on this district. */
  command(...words) {
    return this.commandWith('', ...words)
  }

  commandWith(input, ...words) {
    const more = words[0] === 'init' ? [] : ['--data', this.data]
    return spawnSync(PROGRAM, [...words, ...more], { encoding: 'utf8', input, env: this.environment(), maxBuffer: 1 << 26 })
  }

  async serve() {
    this.begin()
    await this.listens()
  }

  /** Starts the server, on .port when it has one, and does not wait for it; `before` are the words of a program that starts ours, such as prlimit. */
  begin(before = []) {
    const [program, ...words] = [...before, PROGRAM, 'serve', '--data', this.data, '--port', String(this.port ?? 0)]
    this.child = spawn(program, words, { env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'] })
    this.said = ''
    this.log = ''
    this.child.stdout.on('data', (bytes) => (this.said += bytes))
    this.child.stderr.on('data', (bytes) => (this.log += bytes))
    this.ended = new Promise((done) => this.child.on('exit', (code, signal) => done({ code, signal })))
  }

  async listens() {
    const listening = () => /listening on (https?:\/\/\S+)/.exec(this.said) ?? ((this.child.exitCode ?? this.child.signalCode) !== null && [null, null])
    const found = await until(listening, 'the server listens', 60)
    assert.ok(found[1], `the server ended: ${this.log}`)
    this.base = found[1]
  }

  async stop(signal = 'SIGTERM') {
    if (!this.child) return null
    this.child.kill(signal)
    const how = await this.ended
    this.child = null
    return how
  }

  /** One request: {status, headers, body (parsed when JSON), text}. */
  async ask(method, path, body, { key = null, headers = {}, signal } = {}) {
    const answer = await fetch(this.base + path, {
      method, signal,
      headers: { ...(key && { Authorization: `Bearer ${key}` }), ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    })
    const text = await answer.text()
    const json = (answer.headers.get('content-type') ?? '').includes('json')
    return { status: answer.status, headers: answer.headers, text, body: json ? JSON.parse(text) : null }
  }

  report(fields, options = {}) {
    return this.ask('POST', '/api/v1/reports', { channel: 'hotline', text: '路边有一堆垃圾', ...fields }, { key: this.key, ...options })
  }

  /** Signs a demonstration account in; gives its token. */
  async signIn(user) {
    const account = this.demo.accounts.find((a) => a.user === user)
    const answer = await this.ask('POST', '/api/v1/session', { user: account.user, password: account.password })
    assert.equal(answer.status, 201, answer.text)
    return answer.body.token
  }

  move(number, move, form, key, headers = {}) {
    return this.ask('POST', `/api/v1/cases/${number}/moves`, { move, ...form }, { key, headers })
  }

  /** Sends several moves of one case at the same moment, each [move, form, key, headers]; their answers in that order. */
  compete(number, moves) {
    return Promise.all(moves.map(([move, form, key, headers]) => this.move(number, move, form, key, headers)))
  }
}

/** Server-sent events of one address; next() waits for the next one. */
export class Events {
  constructor(base, path, { key, last } = {}) {
    this.stopper = new AbortController()
    this.waiting = []
    this.open = this.#read(base + path, {
      ...(key && { Authorization: `Bearer ${key}` }),
      ...(last && { 'Last-Event-ID': last }),
    })
  }

  async #read(url, headers) {
    const answer = await fetch(url, { headers, signal: this.stopper.signal })
    this.status = answer.status
    this.pump(answer).catch(() => {})
    return this
  }

  async pump(answer) {
    const decoder = new TextDecoder()
    let text = ''
    for await (const bytes of answer.body) {
      text += decoder.decode(bytes, { stream: true })
      for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
        const said = text.slice(0, end).split('\n').filter((l) => !l.startsWith(':'))
        const lines = Object.fromEntries(said.map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 2)]))
        if (lines.data) this.waiting.push({ id: lines.id, event: lines.event, data: JSON.parse(lines.data) })
      }
    }
  }

  next(what = 'an event') {
    return until(() => this.waiting.shift(), what)
  }

  close() {
    this.stopper.abort()
  }
}

/* --- JSON against a schema --- */

const kind = (v) => (v === null ? 'null' : Array.isArray(v) ? 'array' : Number.isInteger(v) ? 'integer' : typeof v)

/** What of a value its schema does not allow; the part of JSON Schema that our page uses. */
export function faults(value, schema, at = '') {
  const wanted = [].concat(schema.type ?? [])
  const is = kind(value)
  if (wanted.length && !wanted.includes(is) && !(is === 'integer' && wanted.includes('number'))) return [`${at}: ${is} instead of ${wanted}`]
  const found = []
  if (schema.enum && !schema.enum.includes(value)) found.push(`${at}: ${value} is not one of ${schema.enum}`)
  if (is === 'object') {
    for (const name of schema.required ?? []) if (!(name in value)) found.push(`${at}.${name} is missing`)
    for (const [name, v] of Object.entries(value)) {
      if (schema.properties?.[name]) found.push(...faults(v, schema.properties[name], `${at}.${name}`))
      else if (schema.properties && schema.additionalProperties === false) found.push(`${at}.${name} is not in the schema`)
    }
  }
  if (is === 'array' && schema.items) value.forEach((v, i) => found.push(...faults(v, schema.items, `${at}[${i}]`)))
  return found
}
