/* False closings (假闭环): the same place and item again within 72 hours of closing, by point, grid or community. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { District, faults, until } from './lib.mjs'

const QUESTION = '0401' // answered at once by a clerk
const at = (metres) => ({ location: { lon: 114.05, lat: 22.3 + metres / 111195 } })

async function world(t) {
  const d = await District.start(t)
  const clerk = await d.signIn('clerk'), supervisor = await d.signIn('supervisor')
  const report = async (fields) => {
    const answer = await d.report({ text: '请问怎么办理居住证', item: QUESTION, ...fields })
    assert.equal(answer.status, 201, answer.text)
    return answer.body.number
  }
  const close = async (number) => {
    const answer = await d.move(number, 'answer', { result: '已解答' }, clerk)
    assert.equal(answer.status, 200, answer.text)
  }
  const read = async (path = '', key = supervisor) => d.ask('GET', `/api/v1/false_closings${path}`, undefined, { key })
  const list = async (n) => until(async () => { const found = (await read()).body.false_closings; return found.length === n && found }, `${n} false closings`)
  return { d, clerk, supervisor, report, close, read, list }
}

test('what comes again behind a closing is found, by point, grid or community, and nothing else', async (t) => {
  const { d, report, close, read, list } = await world(t)
  const first = await report(at(0))
  const beside = await report(at(10))
  await close(first)
  const again = await report(at(60))
  await report(at(160)) // another place
  await report({ ...at(0), item: '0202' }) // another item
  const [found] = await list(1)
  assert.deepEqual([found.number, found.closed_number, found.near, found.item], [again, first, 'point', QUESTION])
  assert.ok(found.metres > 50 && found.metres < 70 && found.hours >= 0 && found.hours < 1, JSON.stringify(found))
  assert.equal(found.unit, 'centre')
  assert.equal(found.item_name, '政策咨询')
  assert.equal(found.community_name, '橡树社区')
  assert.notEqual(found.number, beside, 'what was open beside it is another matter')

  // Without points the grid decides, else the community.
  const elm = await report({ area_code: '990101002001' }), willow = await report({ area_code: '990102001' })
  await close(elm)
  await close(willow)
  const again2 = await report({ area_code: '990101002001' }), again3 = await report({ area_code: '990102001002' })
  const all = await list(3)
  assert.deepEqual(all.map((x) => [x.number, x.near, x.metres]), [[again3, 'community', null], [again2, 'grid', null], [again, 'point', found.metres]])

  const { body: api } = await d.ask('GET', '/api/openapi.json')
  const schema = api.paths['/api/v1/false_closings'].get.responses['2XX'].content['application/json'].schema
  assert.deepEqual(faults({ false_closings: all }, schema), [])

  // Pages, filters, counts; the next server knows the same.
  await d.stop()
  await d.serve()
  const page = (await read('?limit=2')).body
  assert.deepEqual(page.false_closings.map((x) => x.number), [again3, again2])
  const rest = (await read(`?limit=2&after=${page.next}`)).body
  assert.deepEqual(rest.false_closings.map((x) => x.number), [again])
  assert.equal(rest.next, undefined)
  assert.equal((await read('?item=0202')).body.false_closings.length, 0)
  assert.equal((await read('?unit=centre')).body.false_closings.length, 3)
  const counts = (await read('/counts')).body.counts
  assert.deepEqual(counts, [{ code: 'centre', name: '小样区调度中心', closed: 3, again: 2, again_in_community: 1 }])
  assert.deepEqual((await read('?near=grid')).body.false_closings.map((x) => x.number), [again2])
  // Several behind one closing count once.
  await report(at(1))
  await list(4)
  assert.deepEqual((await read('/counts?by=item')).body.counts, [{ code: QUESTION, name: '政策咨询', closed: 3, again: 2, again_in_community: 1 }])

  for (const bad of ['?after=x', '?after=1', '?from=yesterday', '?limit=0', '?near=here', '?nothing=1', '?from=2026-01-01T00:00:00%2B08:00&to=2026-09-01T00:00:00%2B08:00', '?from=2026-02-01T00:00:00%2B08:00&to=2026-01-01T00:00:00%2B08:00'])
    assert.equal((await read(bad)).status, 400, bad)
  assert.equal((await read('/counts?by=area')).status, 400)
  assert.equal((await read('', await d.signIn('unit'))).status, 403)
  assert.equal((await d.ask('GET', '/api/v1/false_closings')).status, 401)
})

test('a case whose item is chosen or corrected later is looked at again', async (t) => {
  const { d, report, close, list, read } = await world(t)
  const dispatcher = await d.signIn('dispatcher')
  const seen = () => until(async () => (await d.ask('GET', '/metrics')).text.includes('yiwang_outbox_waiting{consumer="closings"} 0'), 'closings has seen all')
  const place = { area_code: '990101002001' }
  await close(await report(place))
  const later = await report({ ...place, item: undefined, text: '问一下那件事' })
  await seen()
  assert.deepEqual((await read()).body.false_closings, [], 'of no item yet')
  const moved = await d.move(later, 'dispatch', { item: QUESTION }, dispatcher)
  assert.equal(moved.status, 200, moved.text)
  const [found] = await list(1)
  assert.deepEqual([found.number, found.near], [later, 'grid'])
})

test('what was rejected was not closed, and who sees a part of the district sees a part of this', async (t) => {
  const { d, clerk, supervisor, report, close, read, list } = await world(t)
  const person = async (login, ...words) => {
    const made = d.commandWith('a long pass word\n', 'user', 'add', login, '--name', login, ...words)
    assert.equal(made.status, 0, made.stderr)
    const signed = await d.ask('POST', '/api/v1/session', { user: login, password: 'a long pass word' })
    assert.equal(signed.status, 201, signed.text)
    return signed.body.token
  }
  const ecology = await person('ecology', '--role', 'unit', '--unit', 'ecology')
  const narrow = await person('narrow', '--role', 'supervisor', '--area', '990101', '--sees', 'area')
  const north = { area_code: '990101001001' }, south = { area_code: '990102001001' }
  const refused = await report({ ...north, item: '0202' })
  for (const [move, form, key] of [['sign', {}, ecology], ['handle', {}, ecology], ['ask', { reason: '地点不明' }, ecology], ['drop', { reason: '市民撤回' }, clerk]]) {
    const answer = await d.move(refused, move, form, key)
    assert.equal(answer.status, 200, answer.text)
    if (move === 'drop') assert.equal(answer.body.state, 'rejected')
  }
  await report({ ...north, item: '0202' })
  const a = await report(north), b = await report(south)
  await close(a)
  await close(b)
  const c = await report(north)
  await report(south)
  const all = await list(2)
  assert.ok(!all.some((x) => x.item === '0202'), 'a rejected case is no closing')

  assert.deepEqual((await read('', narrow)).body.false_closings.map((x) => x.number), [c])
  assert.equal((await read('/counts', narrow)).status, 403)
  assert.equal((await read('', supervisor)).body.false_closings.length, 2)
})
