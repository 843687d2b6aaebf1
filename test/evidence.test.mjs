/* Proof of action: what the pack demands of an item before a case is handed over, who may waive it, and what the citizen sees. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { District, PINGSHAN } from './lib.mjs'

const ITEM = 'c01003', UNIT = 'industrial-zone-water', PLACE = { lon: 114.341833, lat: 22.6901 }
const JPEG = readFileSync('test/seeds/picture/jpeg'), PNG = readFileSync('test/seeds/picture/png')

/** The seed's picture as if taken now (its Exif time is that of +09:00). */
function takenNow() {
  const local = new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 19).replaceAll('-', ':').replace('T', ' ')
  const text = JPEG.toString('latin1').replaceAll('2026:11:25 09:30:00', local)
  return Buffer.from(text, 'latin1')
}

async function begin(t) {
  const d = await District.start(t, { pack: PINGSHAN })
  const made = d.commandWith('correct horse battery', 'user', 'add', 'worker', '--role', 'unit', '--unit', UNIT, '--name', 'worker')
  assert.equal(made.status, 0, made.stderr)
  const session = await d.ask('POST', '/api/v1/session', { user: 'worker', password: 'correct horse battery' })
  const k = { worker: session.body.token, dispatcher: await d.signIn('dispatcher'), clerk: await d.signIn('clerk') }
  const { body } = await d.report({ item: ITEM, location: PLACE })
  assert.equal(body.unit.code, UNIT)
  for (const move of ['sign', 'handle']) assert.equal((await d.move(body.number, move, {}, k.worker)).status, 200)
  return { d, k, number: body.number, track: body.track }
}

async function add(d, number, key, fields, file) {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  if (file) form.append('file', new Blob([file]), 'picture')
  const answer = await fetch(`${d.base}/api/v1/cases/${number}/evidence`, { method: 'POST', headers: { Authorization: `Bearer ${key}` }, body: form })
  return { status: answer.status, body: await answer.json() }
}

const handOver = (d, number, key) => d.move(number, 'hand_over', { result: '井盖已复位', reason: '无须协办' }, key)

test('a case is handed over with the pictures that its item demands, and the citizen sees before and after', async (t) => {
  const { d, k, number, track } = await begin(t)
  const refused = await handOver(d, number, k.worker)
  assert.equal(refused.status, 400, refused.text)
  assert.equal(refused.body.field, 'evidence')
  assert.match(refused.body.detail, /处置前照片|photo_before/)

  const before = await add(d, number, k.worker, { kind: 'photo_before', note: '盖板缺失' }, PNG)
  assert.equal(before.status, 201, JSON.stringify(before.body))
  assert.equal(before.body.n, 1)
  assert.ok(before.body.metres < 5, 'where the picture was taken is compared with the place of the case')
  assert.equal((await add(d, number, k.worker, { kind: 'photo_before' }, PNG)).body.n, 1, 'the same picture twice is one piece')
  const old = await add(d, number, k.worker, { kind: 'photo_after' }, JPEG)
  assert.equal(old.status, 201)
  const still = await handOver(d, number, k.worker)
  assert.equal(still.status, 400, 'a picture from before the report shows no work')
  assert.match(still.body.detail, /盖板复位照片|photo_after/)
  assert.match(still.body.detail, /300/)

  const bytes = takenNow(), after = await add(d, number, k.worker, { kind: 'photo_after' }, bytes)
  assert.equal(after.status, 201)
  assert.equal((await handOver(d, number, k.worker)).status, 200)
  const { body: read } = await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: k.dispatcher })
  assert.deepEqual(read.evidence.map((p) => [p.n, p.kind, p.unit]), [[1, 'photo_before', UNIT], [2, 'photo_after', UNIT], [3, 'photo_after', UNIT]])

  const shown = async () => (await d.ask('GET', `/api/v1/track/${track}/evidence`)).body.evidence
  assert.deepEqual(await shown(), [], 'nothing before the answer')
  assert.equal((await d.ask('GET', `/api/v1/track/${track}/evidence/1`)).status, 404)
  assert.equal((await d.move(number, 'pass_review', {}, k.clerk)).status, 200)
  assert.equal((await d.move(number, 'reply', { result: '井盖已复位' }, k.clerk)).status, 200)
  assert.deepEqual((await shown()).map((p) => [p.n, p.kind]), [[1, 'photo_before'], [2, 'photo_after'], [3, 'photo_after']])
  const bare = await fetch(`${d.base}/api/v1/track/${track}/evidence/3`)
  assert.equal(bare.status, 200)
  assert.equal(bare.headers.get('content-type'), 'image/jpeg')
  const copy = Buffer.from(await bare.arrayBuffer())
  for (const secret of ['Exif\0\0II', 'comment', String(new Date().getFullYear())]) assert.ok(!copy.includes(secret), `without what the camera wrote: ${secret}`)
  const whole = await fetch(`${d.base}/api/v1/cases/${number}/evidence/3`, { headers: { Authorization: `Bearer ${k.dispatcher}` } })
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), bytes, 'for staff as it came')
})

test('handing over without them needs a second person and a reason', async (t) => {
  const { d, k, number } = await begin(t)
  assert.equal((await d.move(number, 'waive_evidence', { reason: '现场已封闭' }, k.worker)).status, 403)
  assert.equal((await d.move(number, 'waive_evidence', {}, k.dispatcher)).status, 400)
  assert.equal((await d.move(number, 'waive_evidence', { reason: '现场已封闭' }, k.dispatcher)).status, 200)
  assert.equal((await handOver(d, number, k.dispatcher)).status, 400, 'who waived is not who hands over')
  assert.equal((await handOver(d, number, k.worker)).status, 200)
  const { body } = await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: k.dispatcher })
  assert.deepEqual(body.evidence.map((p) => [p.kind, p.note]), [['waiver', '现场已封闭']])
})

test('what the finder has solved on the spot is closed in one step, with a picture from before and after', async (t) => {
  const { d, k } = await begin(t)
  const { body: made } = await d.report({ item: ITEM, location: PLACE })
  const quick = () => d.move(made.number, 'quick', { result: '现场已复位' }, k.worker)
  for (const [kind, file] of [['photo_before', JPEG], ['photo_after', PNG]]) {
    const refused = await quick()
    assert.equal(refused.status, 400, refused.text)
    assert.equal(refused.body.field, 'evidence')
    assert.equal((await add(d, made.number, k.worker, { kind }, file)).status, 201)
  }
  const closed = await quick()
  assert.equal(closed.status, 200, closed.text)
  assert.equal(closed.body.state, 'closed')
  const seen = await d.ask('GET', `/api/v1/track/${made.track}`)
  assert.equal(seen.body.state, 'closed')
})

test('after rework the pictures are taken anew', async (t) => {
  const { d, k, number } = await begin(t)
  await add(d, number, k.worker, { kind: 'photo_before' }, PNG)
  await add(d, number, k.worker, { kind: 'photo_after' }, takenNow())
  assert.equal((await handOver(d, number, k.worker)).status, 200)
  assert.equal((await d.move(number, 'rework', { reason: '未与路面平顺' }, k.clerk)).status, 200)
  const refused = await handOver(d, number, k.worker)
  assert.equal(refused.status, 400)
  assert.match(refused.body.detail, /盖板复位照片|photo_after/)
})

test('what is no evidence is refused with its field', async (t) => {
  const { d, k, number } = await begin(t)
  const stranger = d.commandWith('correct horse battery', 'user', 'add', 'other', '--role', 'unit', '--unit', 'education', '--name', 'other')
  assert.equal(stranger.status, 0, stranger.stderr)
  const other = (await d.ask('POST', '/api/v1/session', { user: 'other', password: 'correct horse battery' })).body.token
  for (const [field, fields, file, status, key] of [
    ['kind', { kind: 'selfie' }, PNG, 400], ['kind', {}, PNG, 400], ['file', { kind: 'photo' }, null, 400], ['value', { kind: 'measurement' }, null, 400],
    ['value', { kind: 'photo', value: '3' }, PNG, 400], ['lon', { kind: 'photo', lon: '114' }, PNG, 400], ['lon', { kind: 'photo', lon: 'x', lat: '22' }, PNG, 400],
    ['lon', { kind: 'photo', lon: '190', lat: '22' }, PNG, 400], ['note', { kind: 'photo', note: 'x'.repeat(501) }, PNG, 400],
    [undefined, { kind: 'photo' }, PNG, 404, other]]) {
    const answer = await add(d, number, key ?? k.worker, fields, file)
    assert.equal(answer.status, status, JSON.stringify([fields, answer.body]))
    if (field && !['x'].includes(fields.lon)) assert.equal(answer.body.field, field, JSON.stringify(answer.body))
  }
  assert.equal((await add(d, number, k.worker, { kind: 'photo' }, Buffer.from('not a picture'))).status, 400)
  const value = await add(d, number, k.worker, { kind: 'measurement', value: '51.5', note: '场界' })
  assert.equal(value.status, 201)
  assert.equal(value.body.value, 51.5)
})
