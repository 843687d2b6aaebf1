/* What an administrator reads: doc/operations.md, the manual page and the completion say what the program really does and logs. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { openSync, readFileSync, fstatSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, PROGRAM, sleep, until } from './lib.mjs'

const manual = readFileSync('doc/operations.md', 'utf8')
/** Names in the first column of the tables under a heading. */
function documented(heading) {
  const part = manual.split(/^## /m).find((p) => p.startsWith(`${heading}\n`))
  const rows = part.split('\n').filter((l) => /^\| `/.test(l)).map((l) => l.split('|')[1])
  return rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1])).sort()
}
const help = (...words) => spawnSync(PROGRAM, [...words, '--help', '--language', 'en'], { encoding: 'utf8' }).stdout

test('/metrics has exactly the documented names, each with help and type', async (t) => {
  const d = District.make(t)
  if (!POSTGRES) d.settings = { archive: join(d.folder, 'archive') }
  await d.serve()
  await d.report({ item: '0201' })
  await d.report({ item: '0201', channel: 'app' })
  const { text } = await d.ask('GET', '/metrics')
  const names = new Set(), types = new Map(), helps = new Set()
  for (const line of text.trim().split('\n')) {
    const head = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (head?.[1] === 'HELP') assert.ok(!helps.has(head[2]), `${head[2]} twice`), helps.add(head[2]), assert.match(head[3], /^[A-Z0-9].*\.$/)
    else if (head) types.set(head[2], head[3])
    else {
      const sample = /^([a-z0-9_]+)(\{[^{}]*\})? (-?[0-9.e+]+|\+Inf)$/.exec(line)
      assert.ok(sample, line)
      const base = sample[1].replace(/_(bucket|sum|count)$/, '')
      const name = types.get(base) === 'histogram' ? base : sample[1]
      assert.ok(types.has(name), `${line} comes before its type`)
      names.add(name)
    }
  }
  assert.deepEqual([...types.keys()].sort(), [...helps].sort())
  for (const [name, type] of types) assert.equal(name.endsWith('_total'), type === 'counter', name)
  assert.deepEqual([...types.keys()].sort(), documented('Figures').filter((n) => !POSTGRES || !n.startsWith('yiwang_archive_')))
  for (const name of types.keys()) assert.ok(names.has(name), `${name} has no value`)
  assert.match(text, /^yiwang_reports_total\{channel="hotline"\} 1$/m)
  assert.match(text, /^yiwang_cases_open 2$/m)
  assert.match(text, /^yiwang_cases_late 0$/m)
  assert.match(text, /^yiwang_report_seconds_count 2$/m)
  assert.match(text, /^yiwang_outbox_lag_seconds\{consumer="notify"\} \d+$/m)
})

test('every event that may be logged is documented, and no other', () => {
  const events = spawnSync('tools/log_events', { encoding: 'utf8' }).stdout.trim().split('\n')
  assert.ok(events.length > 40)
  assert.deepEqual(documented('Log').sort(), events.sort())
})

const PERSON = { name: '欧阳无双ZQX', phone: '13987654321', email: 'zqx.unmistakable@example.org' }
const SECRET_TEXT = '独一无二的内容QWZ'

/** Requests of all kinds that carry personal data, good and bad. */
async function personal(d) {
  const clerk = await d.signIn('clerk')
  const full = { item: '0201', text: SECRET_TEXT, title: SECRET_TEXT, address: SECRET_TEXT, reporter: { ...PERSON, confidential: true } }
  const { body } = await d.report({ ...full, external_id: 'x' })
  await d.report({ ...full, external_id: 'x' })
  await d.report({ ...full, item: 'nosuch' })
  await d.report({ ...full, channel: PERSON.name })
  await d.report({ ...full, reporter: { ...PERSON, phone: `${PERSON.phone} or ${PERSON.email}` } })
  await d.report({ ...full, occurred_at: PERSON.phone })
  await d.ask('POST', '/api/v1/reports', `{"text":"${SECRET_TEXT}`, { key: d.key })
  await d.ask('GET', `/api/v1/track/${encodeURIComponent(PERSON.name)}`)
  await d.ask('GET', `/api/v1/cases?q=${PERSON.phone}`, undefined, { key: clerk })
  await d.ask('GET', `/api/v1/cases/${body.number}`, undefined, { key: clerk })
  await d.ask('POST', '/api/v1/session', { user: PERSON.email, password: PERSON.phone })
  await d.move(body.number, 'note', { reason: SECRET_TEXT }, clerk)
  return body
}

for (const format of ['text', 'json']) {
  test(`the log as ${format}: every line is whole, requests are named, nobody's name is in it`, async (t) => {
    const d = District.make(t, { settings: { log_level: 'debug', access_log: 'yes', log_format: format } })
    await d.serve()
    await personal(d)
    const id = 'abc-123.X'
    await d.ask('GET', '/healthz', undefined, { headers: { 'X-Request-Id': id } })
    await sleep(500)
    await d.stop()
    const lines = d.log.trim().split('\n')
    const known = new Set(documented('Log'))
    const parsed = lines.map((line) => {
      if (format === 'json') return JSON.parse(line)
      const found = /^(\S+) (debug|info|warn|error) (\S+)((?: [a-z0-9_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"=\\]+))*)$/.exec(line)
      assert.ok(found, line)
      const pairs = Object.fromEntries([...found[4].matchAll(/ ([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|\S+)/g)].map((m) => [m[1], m[2][0] === '"' ? JSON.parse(m[2]) : m[2]]))
      return { time: found[1], level: found[2], event: found[3], ...pairs }
    })
    for (const line of parsed) {
      assert.ok(known.has(line.event), line.event)
      assert.ok(!Number.isNaN(Date.parse(line.time)), line.time)
    }
    const requests = parsed.filter((l) => l.event === 'http.request')
    assert.ok(requests.length >= 13)
    for (const line of requests) assert.ok(line.request && line.route && line.ms !== undefined, JSON.stringify(line))
    assert.equal(requests.filter((l) => l.request === id).length, 1)
    if (format === 'json') assert.equal(typeof requests[0].status, 'number')
    for (const secret of [PERSON.name, 'ZQX', PERSON.phone, PERSON.email, 'unmistakable', SECRET_TEXT, 'QWZ'])
      assert.ok(!d.log.includes(secret) && !d.log.includes(encodeURIComponent(secret)), `${secret} is in the log`)
  })
}

test('under systemd each line begins with its priority; elsewhere not', async (t) => {
  const d = District.make(t)
  const file = join(d.folder, 'journal'), fd = openSync(file, 'w')
  const { dev, ino } = fstatSync(fd)
  const child = spawn(PROGRAM, ['serve', '--data', d.data, '--port', '0'], { env: { ...d.environment(), JOURNAL_STREAM: `${dev}:${ino}` }, stdio: ['ignore', 'pipe', fd] })
  const ended = new Promise((done) => child.on('exit', done))
  await new Promise((done) => child.stdout.once('data', done))
  child.kill('SIGTERM')
  await ended
  closeSync(fd)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  for (const line of lines) assert.match(line, /^<[3467]>\d{4}-/)
  assert.ok(lines.some((l) => l.startsWith('<6>') && l.includes(' info serve.stop ')))
  await d.serve()
  await d.stop()
  assert.doesNotMatch(d.log, /^<\d>/m)
})

/* --- help, manual page, completion -------------------------------------------------------------------------------------------- */

/** {name: {options}} of every command, as the program says them. */
function commands() {
  const found = {}
  for (const [, first, second] of help().matchAll(/^ {2}([a-z]+) ?(\S*)/gm)) {
    const name = /^[a-z]+$/.test(second) && help(first, second).startsWith(`yiwang ${first} ${second}`) ? `${first} ${second}` : first
    const own = help(...name.split(' ')).split(/^Settings/m)[0]
    assert.ok(own.startsWith(`yiwang ${name}`), `${name} has a help of its own`)
    found[name] = { words: second.includes('|') ? [first, second.split('|')[0]] : name.split(' '), options: [...own.matchAll(/^ {2}--([a-z0-9-]+)/gm)].map((m) => m[1]).filter((o) => o !== 'config' && o !== 'help') }
  }
  return found
}
const settings = () => [...help('serve').split(/^Settings/m)[1].matchAll(/^ {2}--([a-z0-9-]+)/gm)].map((m) => m[1])
/** The manual page as plain words. */
const page = () => spawnSync('sh', ['-c', "sed -e 's/\\\\-/-/g; s/\\\\f[BIRP]//g; s/\\\\(lq\\|\\\\(rq//g' doc/yiwang.1"], { encoding: 'utf8' }).stdout

test('the manual page has every command, option and setting, and no other', () => {
  const found = commands(), text = page()
  assert.ok(Object.keys(found).length >= 18, Object.keys(found).join())
  const section = text.split(/^\.SH COMMANDS$/m)[1].split(/^\.SH /m)[0]
  const titles = section.split('\n').flatMap((l, i, all) => (all[i - 1] === '.TP' ? [l] : []))
    .filter((l) => /^\.B/.test(l)).map((l) => l.replace(/^\.[A-Z]+ /, '').replaceAll('"', '').replace(/\s+/g, ' ').trim())
  const named = titles.filter((l) => !l.startsWith('-')).map((l) => l.split(/ (?=-|[A-Z[])/)[0].trim())
  for (const name of Object.keys(found)) {
    assert.ok(named.some((n) => n === name || n.startsWith(`${name} `)), `the manual page has no command ${name}`)
    for (const option of found[name].options) {
      assert.ok(section.includes(`--${option}`), `the manual page has no ${name} --${option}`)
    }
  }
  for (const n of named) assert.ok(Object.keys(found).some((name) => n === name || n.startsWith(`${name} `)), `the manual page has ${n}, the program has not`)
  const options = new Set(Object.values(found).flatMap((c) => c.options))
  for (const [, option] of section.matchAll(/--([a-z][a-z0-9-]+)/g)) {
    assert.ok(options.has(option) || settings().includes(option) || ['config', 'help'].includes(option), `the manual page has --${option}, the program has not`)
  }
  const part = text.split(/^\.SH SETTINGS$/m)[1].split(/^\.SH /m)[0]
  const told = part.split('\n').flatMap((l, i, all) => (all[i - 1] === '.TP' ? l.replace(/^\.[A-Z]+ /, '').match(/[a-z0-9_]+/g) : []))
  assert.deepEqual(told.sort(), settings().map((s) => s.replaceAll('-', '_')).sort())
})

/** What the completion offers behind these words. */
function complete(...words) {
  const code = `PATH="$1:$PATH"; . packaging/yiwang.bash; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _yiwang yiwang; printf '%s\\n' "\${COMPREPLY[@]}"`
  const made = spawnSync('bash', ['-c', code, 'bash', PROGRAM.replace(/\/[^/]*$/, ''), 'yiwang', ...words], { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  return made.stdout.split('\n').filter(Boolean)
}

test('the completion offers every command, option and value', () => {
  const found = commands(), everywhere = settings()
  const firsts = [...new Set(Object.keys(found).map((n) => n.split(' ')[0]))].sort()
  assert.deepEqual(complete('').filter((w) => w !== '--help').sort(), firsts)
  for (const name of Object.keys(found)) {
    const offered = complete(...found[name].words, '--')
    for (const option of [...found[name].options, ...everywhere]) assert.ok(offered.includes(`--${option}`), `${name} --${option}`)
  }
  assert.deepEqual(complete('serve', '--log-format', '').sort(), ['json', 'text'])
  assert.deepEqual(complete('serve', '--log-level', 'd'), ['debug'])
  assert.ok(complete('restore', '--from', 'pack').includes('packaging'))
  assert.ok(complete('restore', '--to', 'pack').includes('packaging'))
  assert.ok(complete('backup', '--to', 'pack').includes('packaging'))
  assert.ok(complete('serve', '--archive', 'pack').includes('packaging'))
})
