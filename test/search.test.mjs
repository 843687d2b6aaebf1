/* Searching in Chinese: what is found, in which order, by whom; that the index follows the cases; the same on both stores, since what is
 * expected is said here. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, POSTGRES, until } from './lib.mjs'

const OAK = '990101001', WILLOW = '990102001'

/** Reports from the oldest to the newest; a name for each. */
const REPORTS = [
  ['lamp', { text: '梧桐路12号门口的路灯坏了，晚上很黑', item: '0301', area_code: OAK }],
  ['noise', { text: '夜间施工噪音扰民，凌晨两点还在打桩', item: '0201', area_code: OAK, address: '翠湖路8号工地' }],
  ['ktv', { text: 'KTV噪音太大，路灯也不亮', title: 'KTV扰民', item: '0202', area_code: WILLOW }],
  ['traditional', { text: '馬路邊的路燈壞了，請儘快維修', item: '0301', area_code: WILLOW }],
  ['phone', { text: '垃圾没人清运，请联系13800138000或138-0013-9000，邮箱zhang.san@example.org，楼号3号楼B座', item: '010101', area_code: OAK }],
  ['rubbish', { text: '垃圾桶满了，垃圾堆到路上，垃圾味道很重', title: '垃圾', item: '010101', area_code: WILLOW, address: '柳树社区' }],
  ['apart', { text: '施工，工人很多，工噪，噪音', item: '0201', area_code: OAK }],
  ['english', { text: 'The street light near gate 5 is out', item: '0301', area_code: OAK }],
  ['emoji', { text: '😀😀噪😀音' + '很长的话，'.repeat(60) + '最后是路灯', item: '0202', area_code: WILLOW }],
]

const search = (d, key, q, more = '') => d.ask('GET', `/api/v1/search?q=${encodeURIComponent(q)}${more}`, undefined, { key })

/** Everything found, page by page. */
async function all(d, key, q, more = '', limit = 3) {
  const hits = []
  for (let after = '', pages = 0; ; pages++) {
    const { status, body, text } = await search(d, key, q, `${more}&limit=${limit}${after}`)
    assert.equal(status, 200, text)
    assert.ok(pages < 50 && body.hits.length <= limit)
    hits.push(...body.hits)
    if (!body.next) return hits
    after = `&after=${body.next}`
  }
}

/** The names of what is found. */
const names = async (d, key, q, more, limit) => (await all(d, key, q, more, limit)).map((h) => d.names[h.case.number])

/** Until the index has caught up with what was reported: the last report is found by its number. */
const follows = (d, key, number) => until(async () => (await search(d, key, number)).body.hits?.length === 1, `${number} is found`)

async function fill(d, key, reports = REPORTS) {
  d.names ??= {}
  d.numbers ??= {}
  for (const [name, fields] of reports) {
    const { status, body, text } = await d.report(fields)
    assert.equal(status, 201, text)
    d.names[body.number] = name
    d.numbers[name] = body.number
    d.last = body.number
  }
  await follows(d, key, d.last)
}

/** One statement on the store, behind the program's back. */
function statement(d, sql) {
  const schema = POSTGRES && /schema=(\w+)/.exec(d.store)[1]
  const done = POSTGRES
    ? spawnSync('psql', ['-v', 'ON_ERROR_STOP=1', d.store.replace(/[?&]schema=\w+/, ''), '-c', `SET search_path TO ${schema}; ${sql}`], { encoding: 'utf8' })
    : spawnSync('python3', ['-c', 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=20); c.execute(sys.argv[2]); c.commit()', join(d.data, 'yiwang.db'), sql], { encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr)
}

/* Each query with what it finds, newest first: the same on both stores. */
const QUERIES = [
  ['路灯', ['emoji', 'traditional', 'ktv', 'lamp']],
  ['路燈', ['emoji', 'traditional', 'ktv', 'lamp']],
  ['噪音', ['emoji', 'apart', 'ktv', 'noise']],
  ['噪音 路灯', ['emoji', 'ktv']],
  ['噪音 -路灯', ['apart', 'noise']],
  ['施工噪音', ['noise']],
  ['-施工噪音 噪音', ['emoji', 'apart', 'ktv']],
  ['"施工 噪音"', ['noise']],
  ['"噪音 施工"', []],
  ['马路边', ['traditional']],
  ['灯', ['emoji', 'traditional', 'ktv', 'lamp']],
  ['桶', ['rubbish']],
  ['ｋｔｖ', ['ktv']],
  ['kt', []],
  ['KTV噪音', ['ktv']],
  ['3号楼', ['phone']],
  ['3号楼b座', ['phone']],
  ['12号', ['lamp']],
  ['2号', []],
  ['street', ['english']],
  ['"street light"', ['english']],
  ['"light street"', []],
  ['light street', ['english']],
  ['翠湖路', ['noise']],
  ['无主线缆', ['english', 'traditional', 'lamp']],
  ['CABLE', ['english', 'traditional', 'lamp']],
  ['ownerless', ['english', 'traditional', 'lamp']],
  ['联系', ['phone']],
  ['example', ['phone']],
  ['zhang', []],
  ['路灯 item:0301', ['traditional', 'lamp']],
  ['路灯 事项：无主线缆', ['traditional', 'lamp']],
  ['路灯 area:990102', ['emoji', 'traditional', 'ktv']],
  ['路灯 区域:柳树社区', ['emoji', 'traditional', 'ktv']],
  ['垃圾', ['rubbish', 'phone']],
  ['垃圾 state:closed', []],
  ['最后是路灯', ['emoji']],
  ['不存在', []],
]

test('words of two characters, and all that may be asked', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  await fill(d, key)
  for (const [q, expected] of QUERIES) {
    assert.deepEqual(await names(d, key, q), expected, q)
    assert.deepEqual(await names(d, key, q, '', 1), expected, `${q}, one by one`)
    assert.deepEqual((await names(d, key, q, '&order=rank')).sort(), [...expected].sort(), `${q}, ranked`)
  }

  // The best: three times in the text and as the title.
  assert.deepEqual(await names(d, key, '垃圾', '&order=rank'), ['rubbish', 'phone'])
  assert.deepEqual(await names(d, key, '垃圾 -桶', '&order=rank'), ['phone'])
  const ranked = await all(d, key, '路灯', '&order=rank', 1)
  assert.deepEqual(ranked.map((h) => h.score), ranked.map((h) => h.score).sort((a, b) => b - a))
  assert.ok(ranked[0].score > ranked.at(-1).score)

  // Parameters say the same as fields.
  assert.deepEqual(await names(d, key, '路灯', '&item=0301'), ['traditional', 'lamp'])
  assert.deepEqual(await names(d, key, '路灯', `&area=${WILLOW}`), ['emoji', 'traditional', 'ktv'])
  const lamp = (await search(d, key, d.numbers.lamp)).body.hits[0].case
  assert.equal(lamp.number, d.numbers.lamp)
  const alike = await all(d, key, '路灯', `&state=${lamp.state}&unit=${lamp.unit.code}&item=0301`)
  assert.equal(d.names[alike.at(-1).case.number], 'lamp')
  for (const { case: c } of alike) assert.deepEqual([c.state, c.unit.code, c.item.code], [lamp.state, lamp.unit.code, '0301'])
  assert.deepEqual(await names(d, key, '路灯', '&from=2020-01-01T00:00:00Z&to=2020-12-31T00:00:00Z'), [])
  const noise = (await search(d, key, d.numbers.noise)).body.hits[0].case
  assert.deepEqual(await names(d, key, '噪音', `&to=${encodeURIComponent(noise.created)}`), [])
  assert.ok((await names(d, key, '噪音', `&from=${encodeURIComponent(noise.created)}`)).includes('noise'))

  // What is wrong is said in both languages.
  for (const [q, en, zh] of [['-垃圾', /say a word/, /请输入/], ['"路灯', /not closed/, /引号/], ['colour:red 灯', /no field "colour"/, /没有/],
    ['13800138000', /telephone/, /电话/], ['路灯 unit:nobody', /no unit/, /没有/], ['路灯 area:xx', /no area/, /没有/]]) {
    const english = await search(d, key, q)
    assert.equal(english.status, 400, q)
    assert.match(english.body.detail, en)
    assert.match((await d.ask('GET', `/api/v1/search?q=${encodeURIComponent(q)}`, undefined, { key, headers: { 'Accept-Language': 'zh' } })).body.detail, zh)
  }
  assert.equal((await search(d, key, '路灯 unit:city', '&unit=north')).status, 400)
  assert.equal((await search(d, key, '路灯', '&after=x')).status, 400)
  assert.equal((await search(d, key, '路灯', '&order=rank&after=1')).status, 400)
})

test('marks are characters of what is shown, and personal numbers are stars', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  await fill(d, key)
  for (const q of ['路灯', '噪音', '垃圾', '施工噪音', '3号楼', '"street light"'])
    for (const hit of await all(d, key, q))
      for (const m of hit.matches) {
        const characters = [...m.text]
        assert.ok(m.marks.length > 0 || m.start > 0, `${q}: ${JSON.stringify(m)}`)
        for (const [from, to] of m.marks)
          assert.match(characters.slice(from, to).join(''), /^(路灯|路燈|噪音|噪😀音|垃圾|施工噪音|3号楼|street light)$/, q)
        assert.ok(characters.length <= 120 || m.field === 'title')
      }
  const match = async (q, name, field) => (await all(d, key, q)).find((h) => d.names[h.case.number] === name).matches.find((m) => m.field === field)
  assert.deepEqual((await match('路灯', 'lamp', 'text')).marks, [[9, 11]])
  const long = await match('路灯', 'emoji', 'text')
  assert.equal(long.length, 310)
  assert.equal(long.start + long.marks[0][0], 308)
  assert.equal([...long.text].slice(...long.marks[0]).join(''), '路灯')
  assert.deepEqual((await match('垃圾', 'rubbish', 'text')).marks, [[0, 2], [6, 8], [13, 15]])
  assert.equal((await match('联系', 'phone', 'text')).text, '垃圾没人清运，请联系***********或***-****-****，邮箱*****.***@example.org，楼号3号楼B座')
})

test('who may not see a case does not find it', async (t) => {
  const d = await District.start(t)
  const dispatcher = await d.signIn('dispatcher'), unit = await d.signIn('unit')
  await fill(d, dispatcher)
  // The demonstration unit is north: nothing is its own yet but what routing gave it.
  const before = await names(d, unit, '路灯')
  const own = async (name) => {
    const { body } = await d.ask('GET', `/api/v1/cases/${d.numbers[name]}`, undefined, { key: unit })
    return body.number === d.numbers[name]
  }
  const may = []
  for (const name of ['emoji', 'traditional', 'ktv', 'lamp']) if (await own(name)) may.push(name)
  assert.deepEqual(before, may)
  assert.ok(may.length < 4)
  const foreign = ['emoji', 'traditional', 'ktv', 'lamp'].find((n) => !may.includes(n))
  assert.deepEqual(await names(d, unit, d.numbers[foreign]), [])
  assert.deepEqual(await names(d, unit, '路灯', '&order=rank'), may)

  const fresh = (await d.report({ text: '请看一下路灯', area_code: OAK })).body.number
  d.names[fresh] = 'fresh'
  await follows(d, dispatcher, fresh)
  assert.ok(!(await names(d, unit, '路灯')).includes('fresh'))
  assert.equal((await d.move(fresh, 'dispatch', { item: '0101', unit: 'north', assists: [] }, dispatcher)).status, 200)
  await until(async () => (await names(d, unit, '路灯')).includes('fresh'), 'the unit finds what it was given')

  for (const key of [undefined, d.key, await d.signIn('citizen')]) {
    const { status } = await search(d, key, '路灯')
    assert.ok([401, 403].includes(status), `${status}`)
    assert.ok([401, 403].includes((await d.ask('GET', '/api/v1/search/suggest?q=路', undefined, { key })).status))
  }
})

test('the index follows notes, erasing, kill -9 and a rebuild', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('dispatcher')
  await fill(d, key)

  // What is taken out of a report is not found from then on, also before the index has heard of it; and it leaves the index.
  assert.deepEqual(await names(d, key, '打桩'), ['noise'])
  statement(d, `UPDATE report SET text = '已删除', title = '已删除' WHERE id = (SELECT id FROM cases WHERE number = '${d.numbers.noise}')`)
  statement(d, `UPDATE cases SET title = '已删除' WHERE number = '${d.numbers.noise}'`)
  assert.deepEqual(await names(d, key, '打桩'), [])
  assert.deepEqual(await names(d, key, '已删'), [])
  const erased = d.command('erase', '--case', d.numbers.noise, '--reason', '本人要求')
  assert.equal(erased.status, 0, erased.stderr)
  await until(async () => (await names(d, key, '已删')).includes('noise'), 'the index hears of it')
  assert.deepEqual(await names(d, key, '打桩'), [])

  // Killed with reports behind it: what was acknowledged is found afterwards.
  const sent = []
  for (let i = 0; i < 40; i++) sent.push((await d.report({ text: `第${i}次 水管爆裂`, area_code: OAK })).body.number)
  await d.stop('SIGKILL')
  await d.serve()
  await until(async () => (await all(d, key, '水管爆裂', '', 100)).length === sent.length, 'all are found', 120) // the dead process held the outbox for up to a minute
  assert.deepEqual((await all(d, key, '水管爆裂')).map((h) => h.case.number), [...sent].reverse())

  // Made anew while the server runs, and from nothing while it does not: the same answers.
  const answers = async () => Promise.all(QUERIES.map(([q]) => all(d, key, q)))
  const before = await answers()
  const rebuilt = d.command('rebuild')
  assert.equal(rebuilt.status, 0, rebuilt.stderr)
  assert.match(rebuilt.stdout, new RegExp(`search index: ${REPORTS.length + 40} cases`))
  assert.deepEqual(await answers(), before)
  assert.equal((await search(d, key, '路灯')).body.complete, true)
  await d.stop()
  const empty = d.command('rebuild', '--empty')
  assert.equal(empty.status, 0, empty.stderr)
  await d.serve()
  assert.deepEqual(await answers(), before)

  // A run that broke off: the server goes on by itself, and says so until it is done.
  await d.stop()
  statement(d, 'UPDATE search_build SET done = 0, after = 0')
  statement(d, 'DELETE FROM search_case')
  await d.serve()
  await until(async () => (await search(d, key, '路灯')).body.complete, 'the index is whole again')
  assert.deepEqual(await answers(), before)
})

test('names of the pack are suggested', async (t) => {
  const d = await District.start(t)
  const key = await d.signIn('unit')
  await fill(d, await d.signIn('dispatcher'), [['secret', { text: '橡皮泥工厂' }]])
  const suggest = async (q) => (await d.ask('GET', `/api/v1/search/suggest?q=${encodeURIComponent(q)}`, undefined, { key })).body.suggestions
  assert.deepEqual((await suggest('噪')), [{ text: '噪声', kind: 'item', code: '02' }, { text: '施工噪声', kind: 'item', code: '0201' }, { text: '社会噪声', kind: 'item', code: '0202' }])
  assert.deepEqual((await suggest('噪聲')).map((s) => s.code), ['02', '0201', '0202'])
  assert.deepEqual((await suggest('橡')).map((s) => s.text), ['橡树社区', '橡树一网格', '橡树二网格', '橡树社区工作站'])
  assert.deepEqual(await suggest('，'), [])
  assert.ok((await suggest('社')).length <= 10)
})
