/* kill -9 twenty times under load: no acknowledged report is missing, none is doubled, the history is whole. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District, sleep } from './lib.mjs'

const KILLS = Number(process.env.KILLS ?? 20), CALLERS = 16

test(`${KILLS} kills under load`, async (t) => {
  const d = await District.start(t)
  const acknowledged = new Map() // external id -> number
  let next = 0, down = false, running = true
  async function caller() {
    for (let id = null; running; ) {
      id ??= `r-${next++}`
      try {
        const { status, body } = await d.report({ external_id: id, item: '010102', area_code: '990101002', reporter: { phone: '13800000000' } })
        if (status === 201 || status === 200) {
          assert.ok(!acknowledged.has(id) || acknowledged.get(id) === body.number, `${id} has two numbers`)
          acknowledged.set(id, body.number)
          if (status === 201 || Math.random() < 0.5) id = null
          continue
        }
        assert.equal(status, 503)
      } catch (e) {
        if (e.code === 'ERR_ASSERTION') throw e
      }
      // Not answered: the channel sends the same report again, as a real one does.
      await sleep(down ? 50 : 5)
    }
  }
  const callers = Array.from({ length: CALLERS }, caller)
  for (let i = 0; i < KILLS; i++) {
    await sleep(100 + Math.random() * 400)
    down = true
    await d.stop('SIGKILL')
    await d.serve()
    down = false
  }
  await sleep(300)
  running = false
  await Promise.all(callers)
  assert.ok(acknowledged.size > KILLS * 3, `only ${acknowledged.size} reports were acknowledged`)

  const seen = new Map()
  const key = await d.signIn('dispatcher')
  for (let after = ''; after !== undefined; ) {
    const { body } = await d.ask('GET', `/api/v1/cases?limit=200${after && `&after=${after}`}`, undefined, { key })
    for (const c of body.cases) seen.set(c.number, (seen.get(c.number) ?? 0) + 1)
    after = body.next
  }
  for (const [id, number] of acknowledged) assert.equal(seen.get(number), 1, `${id} ${number}`)
  for (const [id, number] of acknowledged) {
    if (Math.random() > 50 / acknowledged.size) continue
    const again = await d.report({ external_id: id })
    assert.equal(again.status, 200)
    assert.equal(again.body.number, number)
  }
  // Every case is of a report that was sent: at most one for each id, acknowledged or not.
  assert.ok(seen.size <= next, `${seen.size} cases of ${next} reports`)
  await d.stop()
  const verdict = d.command('ledger', 'verify')
  assert.equal(verdict.status, 0, verdict.stdout + verdict.stderr)
  assert.match(verdict.stdout, /faults: 0/)
  t.diagnostic(`${KILLS} kills, ${acknowledged.size} reports acknowledged, ${seen.size} cases, ${verdict.stdout.trim().replace(/\n/g, ', ')}`)
})

test('SIGTERM finishes what was accepted', async (t) => {
  const d = await District.start(t)
  const under_way = Array.from({ length: 40 }, (_, i) => d.report({ external_id: `t-${i}`, item: '0201' }).catch(() => null))
  await sleep(15)
  const how = await d.stop('SIGTERM')
  assert.equal(how.code, 0, d.log)
  const answers = (await Promise.all(under_way)).filter((a) => a?.status === 201)
  await d.serve()
  for (const { body } of answers) {
    const track = await d.ask('GET', `/api/v1/track/${body.track}`)
    assert.equal(track.status, 200)
  }
})
