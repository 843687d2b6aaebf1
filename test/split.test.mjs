/* One report, two cases: the second has the same reporter, who is as well kept and as well answered as with the first. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District, PINGSHAN } from './lib.mjs'

test('a case split off has the report and the reporter of the first, and shows the public as little', async (t) => {
  const d = await District.start(t, { pack: PINGSHAN })
  const key = await d.signIn('dispatcher'), clerk = await d.signIn('clerk')
  const reporter = { name: '王小明', phone: '13912345678', confidential: true }
  const { body: first } = await d.report({ item: 'c01001', area_code: '440310001001', text: '井盖破损，路灯也不亮', reporter })
  const split = await d.move(first.number, 'split', { item: 'c01006', reason: '两件事' }, key)
  assert.equal(split.status, 200, split.text)
  const other = split.body.links?.find((l) => l.kind === 'split')?.number
  assert.ok(other, JSON.stringify(split.body.links))
  const reports = (await d.ask('GET', `/api/v1/cases/${other}/reports`, undefined, { key: clerk })).body
  const [report] = reports.reports
  assert.equal(report.text, '井盖破损，路灯也不亮')
  assert.equal(report.reporter.confidential, true)
  const shown = (await d.ask('GET', '/open311/v2/requests.json')).body.map((r) => r.service_request_id)
  assert.deepEqual(shown.filter((n) => [first.number, other].includes(n)), [], 'what was said in confidence stays so')
  const found = await d.ask('POST', '/api/v1/reporters/search', { phone: '13912345678', purpose: 'verify', note: '核实' }, { key: clerk })
  assert.equal(found.status, 200, found.text)
  assert.deepEqual(found.body.cases.map((c) => c.number).sort(), [first.number, other].sort())
})
