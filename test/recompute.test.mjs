/* A holiday is decreed after cases were filed: their clocks are made anew from their history, old and new are shown and kept. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, PINGSHAN, until } from './lib.mjs'

const DAY = 86400e3
const local = (instant) => new Date(instant + 8 * 3600e3).toISOString().slice(0, 10)

/** The pack with the next twenty days free. */
function withHolidays(d) {
  const pack = join(d.folder, 'pack'), file = join(pack, 'calendar/days.csv')
  cpSync(PINGSHAN, pack, { recursive: true })
  const days = new Map(readFileSync(file, 'utf8').trim().split('\n').slice(1).map((row) => [row.slice(0, 10), row]))
  for (let i = 0; i < 20; i++) days.set(local(Date.now() + i * DAY), `${local(Date.now() + i * DAY)},临时放假,no`)
  writeFileSync(file, `day,name,works\n${[...days.keys()].sort().map((day) => days.get(day)).join('\n')}\n`)
  writeFileSync(join(pack, 'examples.yaml'), '[]\n')
  return pack
}

test('a holiday decreed later moves the deadlines of open cases, and the history says so', async (t) => {
  const d = await District.start(t, { pack: PINGSHAN })
  const key = await d.signIn('admin')
  const { body: { number } } = await d.report({ item: 'c01001', area_code: '440310001001' })
  const read = async () => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key })).body
  const before = await read()
  assert.equal(d.command('cases', 'recompute', '--show').stdout.includes('changed: 0'), true)
  assert.equal((await d.move(number, 'recompute', {}, key)).status, 409)

  const loaded = d.command('pack', 'load', withHolidays(d))
  assert.equal(loaded.status, 0, loaded.stderr)
  const shown = d.command('cases', 'recompute', '--show')
  assert.equal(shown.status, 0, shown.stderr)
  assert.match(shown.stdout, new RegExp(`^${number}  handle/1  \\S+ running -> \\S+ running$`, 'm'))
  assert.match(shown.stdout, /^looked at: 1$/m)
  assert.equal((await read()).due, before.due, 'shown only')

  const done = d.command('cases', 'recompute')
  assert.equal(done.status, 0, done.stderr)
  assert.match(done.stdout, /^changed: 1$/m)
  const after = await read()
  assert.ok(Date.parse(after.due) >= Date.now() + 18 * DAY, `${before.due} -> ${after.due}`)
  assert.equal(after.state, before.state)
  assert.match(d.command('cases', 'recompute', number).stdout, /^changed: 0$/m)

  const { body: { history } } = await d.ask('GET', `/api/v1/cases/${number}/history`, undefined, { key })
  const row = history.at(-1)
  assert.equal(row.move, 'recompute')
  assert.equal(row.actor, 'system')
  const handle = row.form.found.find((c) => c.clock === 'handle')
  assert.equal(handle.old_due, before.due)
  assert.equal(handle.new_due, after.due)
  assert.equal(d.command('ledger', 'verify').status, 0)

  /* The running server works by the new calendar for the case that was opened under the old one, too. */
  d.child.kill('SIGHUP')
  const unit = await d.signIn('dispatcher')
  await until(async () => (await d.report({ item: 'c01001', area_code: '440310001001' })).body.due >= local(Date.now() + 18 * DAY), 'reloaded')
  for (const move of ['sign', 'handle']) assert.equal((await d.move(number, move, {}, unit)).status, 200)
  assert.equal((await d.move(number, 'hand_over', { result: '已更换' }, unit)).status, 200)
  const review = (await read()).clocks.find((c) => c.clock === 'review')
  assert.ok(Date.parse(review.due) >= Date.now() + 18 * DAY, review.due)
  assert.match(d.command('cases', 'recompute', '--show', number).stdout, /^changed: 0$/m)
})

test('a case that does not exist is named', async (t) => {
  const d = District.make(t)
  const answer = d.command('cases', 'recompute', 'SZPS0')
  assert.equal(answer.status, 1)
  assert.match(answer.stderr, /there is no case SZPS0/)
})
