/* What the fault campaign shares: districts whose database can be looked into, callers that send reports as a real channel does,
 * the audit of what was acknowledged, and one JSON line for each fault tried.
 *
 * FAULTS_OUT is the folder of the JSON lines (build/faults when unsaid).  Times are milliseconds unless named. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { District, POSTGRES } from '../lib.mjs'

export const STORE = POSTGRES ? 'PostgreSQL' : 'SQLite'
const OUT = resolve(process.env.FAULTS_OUT ?? 'build/faults')

/** A number from the environment: the length of a run. */
export const size = (name, usual) => Number(process.env[`FAULTS_${name}`] ?? usual)
export const between = (least, most) => least + Math.random() * (most - least)

/** Thrown where this machine lacks what a fault needs: the fault counts as skipped, never as passed. */
export class Skip extends Error {}

function note(line) {
  mkdirSync(OUT, { recursive: true })
  appendFileSync(join(OUT, 'faults.jsonl'), JSON.stringify(line) + '\n')
}

/** Tries one fault: run(t, seen) asserts, and puts what it saw into `seen`.  `checked` says in words what must hold. */
export function fault(name, checked, run, { store = STORE, minutes = 20 } = {}) {
  test(`${name} (${store})`, { timeout: minutes * 60000 }, async (t) => {
    const seen = {}, began = Date.now()
    const line = (result, more) => note({ fault: name, store, checked, result, seen, seconds: Math.round((Date.now() - began) / 100) / 10,
      at: new Date().toISOString(), ...more })
    try {
      await run(t, seen)
      line('passed')
    } catch (e) {
      if (e instanceof Skip) {
        line('skipped', { why: e.message })
        return t.skip(e.message)
      }
      line('failed', { why: e.message.slice(0, 2000) })
      throw e
    }
    t.diagnostic(JSON.stringify(seen))
  })
}

export class Site extends District {
  extra = {} // more environment for the program
  before = [] // words of a program that starts ours

  environment() {
    // All callers of a campaign come from one address and with few keys; limits of that kind are not what is tried here.
    return { YIWANG_CONNECTIONS_PER_ADDRESS: '1000000', YIWANG_RATE_READS: '0', YIWANG_RATE_WRITES: '0', YIWANG_RATE_KEY: '0',
      ...super.environment(), ...this.extra }
  }

  begin(before = this.before) {
    super.begin(before)
  }

  /** Another district beside this one, not made yet: folder and store of its own, removed with this one. */
  sibling(name) {
    const d = new this.constructor()
    d.folder = join(this.folder, name)
    d.data = join(d.folder, 'data')
    d.store = this.store && `${this.store}_${name.replace(/\W/g, '_')}`
    d.settings = {}
    return d
  }

  /** Reads the keys that `init --demo` has written. */
  adopt() {
    this.demo = JSON.parse(readFileSync(join(this.data, 'demo.json'), 'utf8'))
    this.key = this.demo.channel_key
  }

  get file() {
    return join(this.data, 'yiwang.db')
  }

  /** Rows of a statement that only reads, each an array of texts, by the database's own program. */
  rows(sql) {
    let made
    if (this.store) {
      const at = new URL(this.store), schema = at.searchParams.get('schema')
      at.searchParams.delete('schema')
      made = spawnSync('psql', ['-XAtq', '-F', '\t', '-v', 'ON_ERROR_STOP=1', '-d', at.href, '-c', sql],
        { encoding: 'utf8', env: { ...process.env, PGOPTIONS: `-c search_path=${schema}` }, maxBuffer: 1 << 28 })
    } else {
      made = spawnSync('sqlite3', ['-readonly', '-noheader', '-separator', '\t', '-cmd', '.timeout 5000', this.file, sql],
        { encoding: 'utf8', maxBuffer: 1 << 28 })
    }
    assert.equal(made.status, 0, `${sql}: ${made.stderr}`)
    return made.stdout.split('\n').filter(Boolean).map((l) => l.split('\t'))
  }

  number(sql) {
    return Number(this.rows(sql)[0][0])
  }

  /** `yiwang ledger verify` finds nothing; on SQLite the pages are whole too. */
  sound() {
    const verdict = this.command('ledger', 'verify')
    assert.equal(verdict.status, 0, verdict.stdout + verdict.stderr)
    assert.match(verdict.stdout, /faults: 0/)
    if (!this.store) assert.equal(this.rows('PRAGMA integrity_check')[0][0], 'ok')
    return Number(/cases: (\d+)/.exec(verdict.stdout)[1])
  }

  status(what) {
    const found = new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))
    return Number(found[1])
  }

  /** Seconds of processor time used so far. */
  processor() {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }
}

/** Callers that send reports, each again with the same external id until it is acknowledged. */
export class Load {
  constructor(d, { callers = 16, pause = 0, patience = 60000, fields = {} } = {}) {
    Object.assign(this, { d, pause, patience, fields })
    this.acknowledged = new Map() // external id -> number
    this.answers = {} // how many of each status, and 'none'
    this.wrong = []
    this.slowest = 0 // ms
    this.next = 0
    this.running = true
    this.tag = Math.random().toString(36).slice(2, 8)
    this.callers = Array.from({ length: callers }, () => this.#caller())
  }

  async #once(id) {
    const began = Date.now()
    try {
      const fields = { external_id: id, item: '010102', area_code: '990101002', reporter: { phone: '13800000000' }, ...this.fields }
      const answer = await this.d.ask('POST', '/api/v1/reports', { channel: 'hotline', text: '路边有一堆垃圾', ...fields },
        { key: this.d.key, signal: AbortSignal.timeout(this.patience) })
      this.slowest = Math.max(this.slowest, Date.now() - began)
      this.answers[answer.status] = (this.answers[answer.status] ?? 0) + 1
      return answer
    } catch (e) {
      this.answers.none = (this.answers.none ?? 0) + 1
      if (e.name === 'TimeoutError') this.wrong.push(`no answer within ${this.patience} ms`)
      return null
    }
  }

  #judge(id, { status, body, headers, text }) {
    if (status === 201 || status === 200) {
      const before = this.acknowledged.get(id)
      if (before && before !== body.number) this.wrong.push(`${id} has the numbers ${before} and ${body.number}`)
      this.acknowledged.set(id, body.number)
      this.last = Date.now()
      return true
    }
    if (status !== 503 || !headers.get('retry-after') || !body?.detail) this.wrong.push(`${status} ${headers.get('retry-after')} ${text}`)
    else this.sentence = body.detail
    return false
  }

  async #caller() {
    while (this.running) {
      const id = `${this.tag}-${this.next++}`
      // Not answered, or told to come again: the channel sends the same report again.  Some are sent again all the same.
      for (let wanted = Math.random() < 0.1 ? 2 : 1; wanted > 0 && this.running;) {
        const answer = await this.#once(id)
        if (answer && this.#judge(id, answer)) wanted--
        else await sleep(20)
      }
      if (this.pause) await sleep(this.pause)
    }
  }

  /** Ends the callers and gives what they saw. */
  async stop() {
    this.running = false
    await Promise.all(this.callers)
    return { acknowledged: this.acknowledged.size, answers: this.answers, slowest_ms: this.slowest }
  }

  /** Everything acknowledged is stored under its number, and no external id is stored twice. */
  audit() {
    const stored = new Map()
    for (const [id, number] of this.d.rows('SELECT r.external_id, COALESCE(c.number, q.number) FROM report r LEFT JOIN cases c ON c.id = r.id'
      + ` LEFT JOIN intake_queue q ON q.report_id = r.id WHERE r.external_id LIKE '${this.tag}-%'`)) {
      assert.ok(!stored.has(id), `${id} is stored twice`)
      stored.set(id, number)
    }
    for (const [id, number] of this.acknowledged) assert.equal(stored.get(id), number, `${id} was acknowledged as ${number}`)
    assert.equal(new Set(stored.values()).size, stored.size, 'a number was given twice')
    assert.deepEqual(this.wrong.slice(0, 5), [])
    return stored.size
  }

  /** Some of what was acknowledged, sent once more, gets the same number. */
  async repeat(most = 10) {
    const all = [...this.acknowledged]
    const some = [...all.slice(-most / 2), ...Array.from({ length: most / 2 }, () => all[Math.floor(Math.random() * all.length)])].filter(Boolean)
    for (const [id, number] of some) {
      const again = await this.d.report({ external_id: id })
      assert.equal(again.status, 200, again.text)
      assert.equal(again.body.number, number)
    }
    return some.length
  }
}
export { sleep }
