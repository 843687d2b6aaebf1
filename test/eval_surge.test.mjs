/* yiwang eval surge: bursts alarm, a rise of everything does not, and days dealt by chance stay within the budget. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from './lib.mjs'

test('a burst alarms, a rise of everything does not, chance stays within the budget', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-surge-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const table = (name, burst) => {
    const lines = ['created_at,item']
    for (let day = 0; day < 120; day++)
      for (let item = 0; item < 10; item++) {
        const n = (day < 60 ? 2 : 8) + (burst && item === 3 && day >= 100 && day < 105 ? 30 : 0) // all rise fourfold on day 60
        for (let i = 0; i < n; i++) lines.push(`${new Date(Date.UTC(2026, 0, 1 + day, i % 24)).toISOString().slice(0, 19).replace('T', ' ')},i${item}`)
      }
    const file = join(folder, name)
    writeFileSync(file, lines.join('\n') + '\n')
    return file
  }
  const run = (...words) => spawnSync(PROGRAM, ['eval', 'surge', ...words], { encoding: 'utf8' })
  const measure = (...words) => {
    const answer = run('--by', 'item', '--rounds', '5', '--json', ...words)
    assert.equal(answer.status, 0, answer.stderr)
    return JSON.parse(answer.stdout)
  }
  const flat = table('flat.csv', false), burst = table('burst.csv', true)
  const risen = measure('--input', flat)
  assert.deepEqual([risen.rows, risen.series, risen.days], [6000, 10, 120])
  assert.equal(risen.real.alarms_a_year, 0, 'all rose alike')
  assert.ok(risen.shuffled.alarms_a_year <= 4 && risen.even.alarms_a_year <= 4)
  assert.ok(measure('--input', flat, '--plain').real.alarms_a_year > 30, 'which the count alone does not see')
  const found = measure('--input', burst)
  assert.ok(found.real.alarms_a_year > 0 && Math.abs(found.real.beginnings_a_year - 365 / 107) < 0.01, JSON.stringify(found))
  assert.deepEqual(measure('--input', burst, '--seed', '7').real, found.real)
  for (const words of [[], ['--input', flat], ['--input', 'nothing.csv', '--by', 'item'], ['--input', flat, '--by', 'colour'], ['--input', flat, '--by', 'item', '--rounds', '0'], ['--input', flat, '--by', 'item', '--time', 'item']])
    assert.notEqual(run(...words).status, 0, words.join(' '))
})
