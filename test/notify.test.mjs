/* Telling people and systems: by mail, SMS, page and webhook; nothing is lost by a dead receiver or a crash, nothing acknowledged is sent
 * again.  The mail server, the gateway and the webhook are real ones on this machine. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, PINGSHAN, faults, sleep, until } from './lib.mjs'

/** A receiver over HTTP that answers with `answer(request)`: {status, body, wait}; what it was given is in `.got`. */
async function receiver(t, answer, port = 0) {
  const got = []
  const server = createServer((rq, rs) => {
    let body = ''
    rq.setEncoding('utf8')
    rq.on('data', (text) => (body += text))
    rq.on('end', async () => {
      const one = { body, headers: rq.headers, method: rq.method, url: rq.url }
      const { status, body: says = '', headers = {}, wait = 0 } = answer(one)
      if (status < 300) got.push(one)
      if (wait) await sleep(wait)
      rs.writeHead(status, headers).end(says)
    })
  })
  await new Promise((done, failed) => server.on('error', failed).listen(port, '127.0.0.1', done))
  const stop = () => new Promise((done) => { server.close(done); server.closeAllConnections() })
  t.after(() => stop())
  return { got, stop, port: server.address().port, url: `http://127.0.0.1:${server.address().port}/hook` }
}

/** The mail server of test/smtp_sink.py. */
async function mailServer(t, port = 0, ...options) {
  const child = spawn('/usr/bin/python3', ['test/smtp_sink.py', String(port), ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  const got = []
  let rest = '', first
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines.map((l) => JSON.parse(l))) first ? got.push(line) : (first = line)
  })
  const ended = new Promise((done) => child.on('exit', done))
  const stop = () => { child.kill('SIGKILL'); return ended }
  t.after(stop)
  await until(() => first || child.exitCode !== null, 'the mail server listens (deps/debian-test.txt: python3-aiosmtpd)')
  return { got, stop, port: first.port, url: `smtp://127.0.0.1:${first.port}` }
}

function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-notify-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return { put: (name, text) => { writeFileSync(join(folder, name), text); return join(folder, name) }, path: (name) => join(folder, name) }
}

const gatewayText = (url) => `url: ${url}
headers:
  - "Content-Type: application/json"
  - "Authorization: Bearer {secret}"
body: '{"to": "{phone}", "text": "{text}", "id": "{id}", "lang": "{language}"}'
success: {status: 200, pointer: /result/0/code, equals: "0"}
`
const TAKEN = { status: 200, body: '{"result":[{"code":0}]}' }

/** A district whose SMS go to `gateway`; more settings may follow. */
function withSms(t, gateway, settings = {}, pack = undefined) {
  const f = folderOf(t)
  return District.make(t, { ...(pack && { pack }), settings: { sms_gateway: f.put('sms.yaml', gatewayText(gateway.url)), sms_secret_file: f.put('secret', 'gateway secret\n'),
    quiet_hours: 'none', public_url: 'https://yiwang.test', ...settings } })
}

/** A message of the case that is as wanted, once there is one. */
const message = (d, number, wanted, what, seconds) => until(async () => (await messages(d, number)).find(wanted), what, seconds)

/** Takes a new case to its reply. */
async function reply(d, number, result = '已清理') {
  const k = {}
  for (const who of ['unit', 'supervisor', 'clerk', 'dispatcher']) k[who] = (d.tokens ??= {})[who] ??= await d.signIn(who)
  for (const [move, form, who] of [['dispatch', { item: '0101', unit: 'north', assists: [] }, 'dispatcher'], ['sign', {}, 'unit'], ['handle', {}, 'unit'], ['hand_over', { result: '完成' }, 'unit'],
    ['review', {}, 'supervisor'], ['reply', { result }, 'clerk']]) {
    const { status, text } = await d.move(number, move, form, k[who])
    assert.equal(status, 200, `${move}: ${text}`)
  }
}

async function messages(d, number) {
  const key = (d.tokens ??= {}).clerk ??= await d.signIn('clerk')
  const { status, body, text } = await d.ask('GET', `/api/v1/cases/${number}/messages`, undefined, { key })
  assert.equal(status, 200, text)
  return body.messages
}

const file = (d, more = {}) => d.report({ item: '010102', area_code: '990101002', ...more })

test('a webhook arrives signed, after failures and a crash, once for each event', async (t) => {
  let broken = true
  const hook = await receiver(t, () => ({ status: broken ? 500 : 200 }))
  const f = folderOf(t)
  const d = await District.start(t, { settings: { webhook_url: hook.url, webhook_secret_file: f.put('secret', 'the secret\n') } })
  const { body } = await d.report({ item: '0201' })
  await until(() => /notify\.failed/.test(d.log), 'a failed try is logged')
  await d.stop('SIGKILL')
  broken = false
  await d.serve()
  const { body: json, headers } = await until(() => hook.got.find((g) => g.body.includes(body.number)), 'the webhook arrives', 60)
  const [, seconds, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['x-yiwang-signature'])
  assert.equal(digest, createHmac('sha256', 'the secret').update(`${seconds}.${json}`).digest('hex'))
  assert.match(headers['x-yiwang-message'], /^\d+$/)
  assert.ok(JSON.parse(json))
  await sleep(3000)
  assert.equal(hook.got.length, 1)
  assert.doesNotMatch(d.log, /the secret/)
})

test('a webhook is not led elsewhere by a redirect, nor into a private network', async (t) => {
  const other = await receiver(t, () => ({ status: 200 }))
  const hook = await receiver(t, () => ({ status: 302, headers: { Location: other.url } }))
  const f = folderOf(t)
  const d = await District.start(t, { settings: { webhook_url: hook.url, webhook_secret_file: f.put('secret', 'x\n') } })
  const { body } = await d.report({ item: '0201' })
  const first = await message(d, body.number, (m) => m.tries > 1, 'it is tried')
  assert.deepEqual([first.medium, first.state, first.error, first.to], ['webhook', 'waiting', 'the webhook answered with status 302', hook.url])
  assert.equal(other.got.length, 0)
  await d.stop()
  d.settings.private_addresses = 'no'
  await d.serve()
  await until(async () => /private network/.test((await messages(d, body.number))[0].error), 'the address is refused', 40)
  await d.stop()
  d.settings.webhook_url = 'file:///etc/passwd'
  const { status, stderr } = d.command('serve', '--check')
  assert.notEqual(status, 0)
  assert.match(stderr, /webhook_url/)
})

test('mail: a real server gets it, with subject, date and id, in the language of the reporter', async (t) => {
  const sink = await mailServer(t)
  const d = await District.start(t, { settings: { smtp_url: sink.url, smtp_from: 'yiwang@district.test', public_url: 'https://yiwang.test' } })
  const title = '小区南门外面的垃圾堆了三天没有人清理，天热味道很大，请尽快派人处理一下'
  const { body } = await file(d, { title, reporter: { email: 'wang@example.org' } })
  const mail = await until(() => sink.got[0], 'the mail arrives')
  assert.deepEqual(mail.to, ['wang@example.org'])
  assert.equal(mail.from, 'yiwang@district.test')
  assert.equal(mail.headers.subject, `已受理：${title}（${body.number}）`)
  assert.ok(mail.subject_lines.length > 1)
  for (const line of mail.subject_lines) assert.ok(line.length <= 76, line)
  assert.deepEqual(mail.defects, [])
  assert.ok(mail.ascii && mail.longest <= 998)
  assert.match(mail.headers['message-id'], /^<\d+\.yiwang@district\.test>$/)
  assert.ok(Math.abs(Date.parse(mail.headers.date) - Date.now()) < 120000)
  assert.equal(mail.headers['auto-submitted'], 'auto-generated')
  assert.ok(mail.text.includes(`https://yiwang.test/track/${body.track}`) && mail.text.includes(title), mail.text)
  assert.match(mail.text, /期限\d{4}年\d+月\d+日\d\d:\d\d/)
  const { body: english } = await file(d, { title: 'Rubbish', language: 'en', reporter: { email: 'smith@example.org' } })
  await until(() => sink.got[1], 'the second arrives')
  assert.equal(sink.got[1].headers.subject, `Taken on: Rubbish (${english.number})`)
  const told = await message(d, english.number, (m) => m.state === 'sent', 'its fate is known')
  assert.deepEqual([told.topic, told.medium, told.to, told.language, told.tries], ['accept', 'mail', 's***@example.org', 'en', 1])
  const refused = await file(d, { language: 'fr' })
  assert.equal(refused.status, 400)
  assert.doesNotMatch(d.log, /example\.org/)
})

test('mail: a mailbox that is gone is told as refused, a full one is tried again, a header cannot be smuggled in', async (t) => {
  const sink = await mailServer(t)
  const d = await District.start(t, { settings: { smtp_url: sink.url } })
  const gone = await file(d, { reporter: { email: 'gone@example.org' } })
  const full = await file(d, { reporter: { email: 'full@example.org' } })
  const bad = await file(d, { title: 'a\r\nBcc: <evil@example.org>', reporter: { email: 'a@example.org\r\nRCPT TO:<evil@example.org>' } })
  const fine = await file(d, { title: 'x\ny', reporter: { email: 'fine@example.org' } })
  const one = await message(d, gone.body.number, (m) => m.state === 'refused', 'it is refused')
  assert.equal(one.error, 'the mail server answered 550')
  const two = await message(d, full.body.number, (m) => m.tries > 1, 'it is tried again')
  assert.deepEqual([two.state, two.error], ['waiting', 'the mail server answered 452'])
  await until(() => sink.got.length === 1, 'the good one arrives')
  assert.deepEqual(sink.got[0].to, ['fine@example.org'])
  assert.deepEqual(await messages(d, bad.body?.number ?? fine.body.number).then((m) => m.filter((x) => x.to?.includes('evil'))), [])
  await sleep(500)
  assert.equal(sink.got.length, 1)
})

test('mail: STARTTLS with a certificate that is checked, and a password that never goes out in clear', async (t) => {
  const f = folderOf(t), key = f.path('key.pem'), cert = f.path('cert.pem')
  const made = spawnSync('openssl', ['req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', key, '-out', cert,
    '-days', '30', '-subj', '/CN=sink', '-addext', 'subjectAltName=IP:127.0.0.1'], { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  chmodSync(key, 0o600)
  const open = await mailServer(t)
  const sink = await mailServer(t, 0, cert, key, 'yiwang', 'pass word')
  const settings = { smtp_url: open.url, smtp_user: 'yiwang', smtp_password_file: f.put('password', 'pass word\n') }
  const d = await District.start(t, { settings })
  const { body } = await file(d, { reporter: { email: 'wang@example.org' } })
  await until(async () => (await messages(d, body.number))[0]?.tries > 0, 'a server without TLS gets nothing')
  assert.equal(open.got.length, 0)
  for (const [ca, words] of [[null, /certificate|SSL/], [cert, null]]) {
    await d.stop()
    Object.assign(d.settings, { smtp_url: sink.url, ...(ca && { gateway_ca: ca }) })
    await d.serve()
    if (words) await until(async () => words.test((await messages(d, body.number))[0].error), 'an unknown certificate is refused', 40)
  }
  const mail = await until(() => sink.got[0], 'the mail arrives', 60)
  assert.deepEqual([mail.tls, mail.user, mail.to], [true, 'yiwang', ['wang@example.org']])
  assert.doesNotMatch(d.log, /pass word/)
})

test('SMS: the gateway gets valid JSON whatever the text, and must say that it took it', async (t) => {
  let code = 7
  const gateway = await receiver(t, () => ({ status: 200, body: JSON.stringify({ result: [{ code }] }) }))
  const d = withSms(t, gateway)
  await d.serve()
  const title = '引号"反斜杠\\换行\n{phone} {"x"}'
  const { body } = await file(d, { title, reporter: { phone: '+86 138-0013-8000', email: 'wang@example.org' } })
  const first = await message(d, body.number, (m) => m.tries > 0, 'it is refused')
  assert.deepEqual([first.state, first.to], ['waiting', '*******8000'])
  assert.match(first.error, /\/result\/0\/code is not "0"/)
  code = 0
  const sent = await message(d, body.number, (m) => m.state === 'sent', 'it is taken')
  const said = JSON.parse(gateway.got.at(-1).body)
  assert.deepEqual([said.to, said.lang, said.id], ['13800138000', 'zh', sent.id])
  assert.ok(said.text.includes('引号"反斜杠\\换行 {phone} {"x"}'), said.text)
  assert.equal(gateway.got.at(-1).headers.authorization, 'Bearer gateway secret')
  assert.equal(new Set(gateway.got.map((g) => JSON.parse(g.body).id)).size, 1)
  const landline = await file(d, { reporter: { phone: '0755-12345678' } })
  await sleep(1500)
  assert.deepEqual(await messages(d, landline.body.number), [])
  for (const secret of ['gateway secret', '13800138000', '138-0013']) assert.ok(!d.log.includes(secret), secret)
})

test('SMS: quiet hours hold back what is not urgent', async (t) => {
  const gateway = await receiver(t, () => TAKEN)
  const hour = (shift) => String((new Date(Date.now() + (8 + shift) * 3600e3)).getUTCHours()).padStart(2, '0')
  const d = withSms(t, gateway, { quiet_hours: `${hour(-1)}:00-${hour(2)}:00` })
  await d.serve()
  const calm = await file(d, { reporter: { phone: '13800138000' } })
  const urgent = await file(d, { urgency: 'urgent', reporter: { phone: '13900139000' } })
  await until(() => gateway.got.length === 1, 'the urgent one goes out')
  assert.ok(gateway.got[0].body.includes(urgent.body.number))
  const [m] = await messages(d, calm.body.number)
  assert.deepEqual([m.state, m.tries], ['waiting', 0])
  assert.equal(m.not_before.slice(11, 16), `${hour(2)}:00`)
})

test('a gateway that is away is noticed once, and what waits is counted', async (t) => {
  const d = withSms(t, { url: 'http://127.0.0.1:9/' })
  await d.serve()
  const { body } = await file(d, { reporter: { phone: '13800138000' } })
  await until(async () => (await messages(d, body.number))[0]?.tries > 0, 'it is tried')
  await until(() => /notify\.down/.test(d.log), 'the lane is down')
  const figures = (await d.ask('GET', '/metrics')).text
  assert.match(figures, /^yiwang_messages_waiting\{medium="sms"\} 1$/m)
  assert.match(figures, /^yiwang_messages_failed_total\{medium="sms"\} [1-9]/m)
})

for (const medium of ['sms', 'mail', 'webhook'])
  test(`${medium}: the other side is stopped, the server is killed: all arrive, and none twice`, async (t) => {
    const f = folderOf(t)
    const make = (port) => (medium === 'mail' ? mailServer(t, port) : receiver(t, () => ({ ...TAKEN, wait: 20 }), port))
    let sink = await make(0)
    const d = District.make(t, { settings: {
      sms: { sms_gateway: f.put('sms.yaml', gatewayText(sink.url)), sms_secret_file: f.put('secret', 's\n'), quiet_hours: 'none' },
      mail: { smtp_url: sink.url }, webhook: { webhook_url: sink.url, webhook_secret_file: f.put('hook', 's\n') } }[medium] })
    await d.serve()
    const numbers = []
    const some = async (n) => { for (let i = 0; i < n; i++) numbers.push((await file(d, { reporter: { phone: `1380013${1000 + numbers.length}`, email: `w${numbers.length}@example.org` } })).body.number) }
    await some(10)
    await message(d, numbers[0], (m) => m.state === 'sent', 'the first arrives')
    await d.stop('SIGKILL')
    const port = sink.port, before = sink.got
    await sink.stop()
    await d.serve()
    const fates = new Map()
    for (const number of numbers) for (const m of await messages(d, number)) fates.set(number, m.state)
    await some(10)
    await until(() => /notify\.down/.test(d.log), 'the other side is missed', 90)
    await d.stop('SIGKILL')
    sink = await make(port)
    await d.serve()
    const all = () => [...before, ...sink.got].map((g) => JSON.stringify(g))
    await until(() => numbers.every((n) => all().some((g) => g.includes(n))), 'all arrive', 90)
    await until(async () => (await messages(d, numbers.at(-1)))[0].state === 'sent', 'and are written down', 60)
    await sleep(1500)
    const count = (n) => all().filter((g) => g.includes(n)).length
    for (const [number, fate] of fates) if (fate === 'sent') assert.equal(count(number), 1, `${number} was acknowledged`)
    assert.equal([...fates.values()].includes('sent'), true)
    /* Only what was under way when it was killed may come twice: one for each of the four threads. */
    assert.ok(numbers.filter((n) => count(n) > 1).length <= 4, 'few twice')
    for (const n of numbers.slice(10)) assert.equal(count(n), 1, n)
  })

test('the reply asks by a link that works once', async (t) => {
  const gateway = await receiver(t, () => TAKEN)
  const d = withSms(t, gateway)
  await d.serve()
  const { body } = await d.report({ text: '请北街道看一下', title: '垃圾', reporter: { phone: '13800138000' } })
  await reply(d, body.number, '垃圾已清运')
  const sms = await until(() => gateway.got.map((g) => JSON.parse(g.body)).find((g) => /callback/.test(g.text)), 'the SMS arrives')
  const token = /https:\/\/yiwang\.test\/callback\/([0-9A-Z]{26})\n/.exec(sms.text)[1]
  assert.ok(sms.text.includes('垃圾已清运'))
  const told = await message(d, body.number, (m) => m.topic === 'reply' && m.state === 'sent' && m.medium === 'sms', 'sent')
  assert.ok(!JSON.stringify(told).includes(token) && told.text.includes('评价：…'), 'staff do not get the link')
  const page = await d.ask('GET', `/api/v1/track/${body.track}/messages`)
  assert.deepEqual(page.body.messages.map((m) => m.text), [`${body.number}：垃圾已清运\n`])
  const question = async () => (await d.ask('GET', `/api/v1/track/${body.track.toLowerCase()}/messages`)).body.question
  const { asked: since, ...open } = await question()
  assert.deepEqual(open, { state: 'open', answered: null }, 'the page says that he is asked')
  assert.ok(since && !page.text.includes(token), 'and not by which link')
  const asked = await d.ask('GET', `/api/v1/callback/${token.toLowerCase()}`)
  assert.equal(asked.status, 200, asked.text)
  assert.deepEqual([asked.body.state, asked.body.number, asked.body.title, asked.body.result, asked.body.answered], ['open', body.number, '垃圾', '垃圾已清运', null])
  assert.ok(asked.body.unit)
  const { body: promised } = await d.ask('GET', '/api/openapi.json')
  assert.deepEqual(faults(asked.body, promised.paths['/api/v1/callback/{callback}'].get.responses['2XX'].content['application/json'].schema), [])
  const answer = { speed: 5, effect: 4, service: 5, quality: 3, solved: false, comment: '还有一点' }
  for (const wrong of [{ ...answer, speed: 6 }, { ...answer, speed: 0 }, { ...answer, solved: undefined }, { ...answer, comment: 'x'.repeat(1001) }])
    assert.equal((await d.ask('POST', `/api/v1/callback/${token}`, wrong)).status, 400)
  const both = await Promise.all([0, 1, 2].map(() => d.ask('POST', `/api/v1/callback/${token}`, answer)))
  assert.deepEqual(both.map((b) => b.status).sort(), [201, 409, 409])
  assert.match(both.find((b) => b.status === 409).body.detail, /answered already/)
  const { body: used } = await d.ask('GET', `/api/v1/callback/${token}`)
  assert.equal(used.state, 'answered')
  assert.deepEqual(await question(), { state: 'answered', asked: since, answered: used.answered })
  const silent = await d.report({ text: '路灯不亮' })
  assert.equal((await d.ask('GET', `/api/v1/track/${silent.body.track}/messages`)).body.question, null, 'nobody to ask')
  assert.equal((await d.ask('GET', `/api/v1/callback/${token.slice(0, 25)}${token[25] === 'A' ? 'B' : 'A'}`)).status, 404)
})

test('an SMS reply is understood, once, and belongs to the case that was asked about', async (t) => {
  const gateway = await receiver(t, () => TAKEN)
  const d = withSms(t, gateway)
  await d.serve()
  const { body } = await d.report({ text: '请北街道看一下', reporter: { phone: '13800138000' } })
  const say = (id, text, from = '13800138000') => d.ask('POST', '/api/v1/sms/replies', { id, from, text }, { key: d.key })
  assert.deepEqual((await say('early', '3')).body, { understood: true, number: null, rating: 3, solved: null })
  await reply(d, body.number)
  await until(async () => (await messages(d, body.number)).find((m) => m.topic === 'reply' && m.state === 'sent' && m.medium === 'sms'), 'asked')
  const first = await say('a', ' ２，是。', '+8613800138000')
  assert.equal(first.status, 201, first.text)
  assert.deepEqual(first.body, { understood: true, number: body.number, rating: 2, solved: true })
  const again = await say('a', '4 否')
  assert.deepEqual([again.status, again.body], [200, first.body])
  assert.deepEqual((await say('b', '1号楼还没清理')).body, { understood: false, number: body.number, rating: null, solved: null })
  assert.deepEqual((await say('c', '未解决')).body, { understood: true, number: body.number, rating: null, solved: false })
  assert.equal((await say('d', '1', '13900139000')).body.number, null)
  assert.equal((await say('e', '1', 'who?')).status, 400)
  assert.equal((await d.ask('POST', '/api/v1/sms/replies', { id: 'x', from: '13800138000', text: '1' })).status, 401)
})

test('what the citizen answers moves his case: done again, supervised, closed; by link and by SMS', async (t) => {
  const gateway = await receiver(t, () => TAKEN)
  const d = withSms(t, gateway, {}, PINGSHAN)
  await d.serve()
  const k = { admin: await d.signIn('admin'), clerk: await d.signIn('clerk') }
  const phone = '13800138000', { body } = await d.report({ item: 'c01001', area_code: '440310001001', reporter: { phone } })
  const state = async () => (await d.ask('GET', `/api/v1/cases/${body.number}`, undefined, { key: k.admin })).body
  const must = async (move, form, key) => { const { status, text } = await d.move(body.number, move, form, key); assert.equal(status, 200, `${move}: ${text}`) }
  const asked = () => gateway.got.map((g) => JSON.parse(g.body)).filter((g) => /callback/.test(g.text))
  const again = async (n) => {
    await must('hand_over', { result: '已更换' }, k.admin)
    await must('pass_review', {}, k.clerk)
    await must('reply', { result: `已更换（第${n}次）` }, k.clerk)
    return (await until(() => asked()[n - 1], `the question ${n} arrives`)).text
  }
  await must('sign', {}, k.admin)
  await must('handle', {}, k.admin)
  const link = /callback\/([A-Z0-9]+)/.exec(await again(1))[1]
  const bad = { speed: 1, effect: 1, service: 2, quality: 1, solved: false, comment: '又坏了' }
  assert.equal((await d.ask('POST', `/api/v1/callback/${link}`, bad)).status, 201)
  await until(async () => (await state()).state === 'handling', 'it is done again')
  await again(2)
  assert.equal((await d.ask('POST', '/api/v1/sms/replies', { id: 'a', from: phone, text: '4 否' }, { key: d.key })).status, 201)
  const supervised = await until(async () => { const c = await state(); return c.state === 'handling' && c.asks.find((a) => a.kind === 'supervision') && c }, 'it is supervised')
  assert.equal(supervised.asks.find((a) => a.kind === 'supervision').state, 'open')
  await must('answer_supervision', { result: '已整改' }, k.admin)
  await again(3)
  assert.equal((await d.ask('POST', '/api/v1/sms/replies', { id: 'b', from: phone, text: '1 是' }, { key: d.key })).status, 201)
  await until(async () => (await state()).state === 'closed', 'it is closed')
  const { body: { history } } = await d.ask('GET', `/api/v1/cases/${body.number}/history`, undefined, { key: k.admin })
  assert.deepEqual(history.filter((h) => /call_back|redo|close/.test(h.move)).map((h) => [h.move, h.actor, h.form.way ?? h.form.behind]),
    [['call_back', 'system', 'link'], ['redo', 'system', 'call_back'], ['call_back', 'system', 'sms'], ['redo_supervised', 'system', 'call_back'],
      ['call_back', 'system', 'sms'], ['close', 'system', 'call_back']])
  assert.equal((await d.ask('POST', '/api/v1/sms/replies', { id: 'c', from: phone, text: '4 否' }, { key: d.key })).status, 201)
  await until(() => /callback\.kept/.test(d.log), 'a late answer is kept and moves nothing')
  assert.equal((await state()).state, 'closed')
})

test('a joint answer reaches everybody once, and tells strangers nobody\'s number', async (t) => {
  const gateway = await receiver(t, () => TAKEN)
  const d = withSms(t, gateway, {}, PINGSHAN)
  await d.serve()
  const k = { admin: await d.signIn('admin'), clerk: await d.signIn('clerk') }
  const made = async (phone) => (await d.report({ item: 'c01001', area_code: '440310001001', reporter: { phone } })).body
  const must = async (number, move, form, key) => { const { status, text } = await d.move(number, move, form, key); assert.equal(status, 200, `${move}: ${text}`) }
  const first = await made('13800138000'), other = await made('13900139000'), again = await made('13800138000')
  for (const c of [other, again]) await must(c.number, 'merge', { case: first.number, reason: '同一处' }, k.clerk)
  await must(first.number, 'sign', {}, k.admin)
  await must(first.number, 'handle', {}, k.admin)
  await must(first.number, 'hand_over', { result: '已更换' }, k.admin)
  await must(first.number, 'pass_review', {}, k.clerk)
  const result = '已更换，回复您留的１３７００１３７０００；值班电话0755-84520000'
  await must(first.number, 'reply', { result }, k.clerk)
  const said = (to) => gateway.got.map((g) => JSON.parse(g.body)).filter((g) => g.to === to && g.text.includes('已更换'))
  const [stranger] = await until(() => { const all = said('13900139000'); return all.length && all }, 'the joint answer arrives')
  assert.ok(!/13700137000|１３７００１３７０００/.test(stranger.text), stranger.text)
  assert.match(stranger.text, /１３７\*{4}７０００；值班电话0755-84520000/)
  await until(() => said('13800138000').length, 'the answer arrives')
  assert.ok(said('13800138000')[0].text.includes(result), 'to whom it was written')
  const told = async (c) => (await messages(d, c.number)).filter((m) => m.medium === 'sms' && m.text.includes('已更换'))
  assert.equal((await told(again)).length, 0, 'who reported twice is told once')
  const page = await d.ask('GET', `/api/v1/track/${other.track}`)
  assert.ok(page.text.includes('已更换') && !page.text.includes('１３７００１３７０００'), page.text)
})

test('a wrong description of the gateway is refused at the start, with its line', (t) => {
  const f = folderOf(t), d = District.make(t)
  for (const [text, said] of [
    ['url: ftp://x\n', /sms\.yaml:1: url must be an http/], ['url: http://x\nbdy: 1\n', /sms\.yaml:2: there are the keys/],
    ["url: http://x\nbody: '{\"to\": \"{phne}\"}'\n", /sms\.yaml:2: an unknown hole/], ["url: http://x\nbody: '{\"to\": {phone}}'\n", /sms\.yaml:2: the body is not JSON/],
    ['url: http://x\nsuccess: {pointer: /a}\n', /sms\.yaml:2: pointer .* and equals belong together/], ['url: http://x\nheaders: ["X"]\n', /sms\.yaml:2: write a header/],
  ]) {
    d.settings = { sms_gateway: f.put('sms.yaml', text) }
    const { status, stderr } = d.command('serve', '--check', '--language', 'en')
    assert.notEqual(status, 0, text)
    assert.match(stderr, said)
  }
  for (const hours of ['22-8', '08:00-08:00', '24:00-01:00']) {
    d.settings = { quiet_hours: hours }
    assert.match(d.command('serve', '--check', '--language', 'en').stderr, /quiet_hours must be/)
  }
})
