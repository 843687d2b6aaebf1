/* What many write about is found and explained; one person who writes a hundred times is not many. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, until } from './lib.mjs'

// Alike enough to be one topic wherever a minute ends between them: an engine that has read only a dozen texts takes what all of them
// say for common.
const plant = (i) => `柳树社区搅拌站${['夜里', '凌晨', '每天', '周末', '中午'][i % 5]}生产，粉尘很大，噪音扰民，第${i}次看到水泥车进出`
const others = ['路灯不亮', '公交车太少', '小区停车位不够', '幼儿园入园难', '广场舞声音大', '河道有垃圾', '工资没发', '医院挂号难', '井盖松动', '快递柜收费']

test('many who write of one thing are a hot topic, one who writes often is none', async (t) => {
  const d = await District.start(t)
  const supervisor = await d.signIn('supervisor')
  const phone = (i) => ({ reporter: { name: '张三', phone: `138${String(10000000 + i).slice(-8)}` } })
  for (let i = 0; i < 12; i++) await d.report({ text: plant(i), item: '0201', ...phone(i) })
  for (let i = 0; i < 40; i++) await d.report({ text: `榆树社区的狗叫个不停，晚上睡不着，已经反映${i}次了`, item: '0202', ...phone(7777) })
  for (const [i, words] of others.entries()) await d.report({ text: `${words}，请处理`, item: '0202', ...phone(500 + i) })
  const read = async (query = '') => (await d.ask('GET', `/api/v1/hotspots${query}`, undefined, { key: supervisor })).body
  await d.stop() // the timer looks every five minutes, and at each start
  await d.serve()
  const found = await until(async () => { const h = await read(); return h.reports === 62 && h }, 'a round over all reports')
  const [first] = found.topics
  assert.ok(first.name.includes('搅拌站') || first.phrases.join().includes('搅拌站'), JSON.stringify(first))
  assert.equal(first.reporters, 12)
  assert.ok(first.cases.length >= 10 && first.heat > 9)
  assert.equal(first.week, 12)
  assert.ok(!found.topics.some((x) => x.phrases.join().includes('狗叫')), 'one person is not many')
  assert.ok(Date.parse(found.found) <= Date.now() && first.from <= first.to)
  assert.equal((await read('?limit=1')).topics.length, 1)
  assert.equal((await d.ask('GET', '/api/v1/hotspots', undefined, { key: await d.signIn('dispatcher') })).status, 200)
})

test('what was written in the same days a year before is counted under the topics of now', async (t) => {
  const d = District.make(t)
  const day = (before, i) => new Date(Date.now() - before * 86400e3 - i * 3600e3).toISOString().slice(0, 19) + 'Z'
  const rows = []
  for (let i = 0; i < 9; i++) rows.push(`y${i},${day(367, i)},0201,990102001,${plant(i)}`) // the same days a year before
  for (let i = 0; i < 20; i++) rows.push(`o${i},${day(368, i)},0202,990101001,${others[i % 10]}，去年就反映过`)
  for (let i = 0; i < 9; i++) rows.push(`z${i},${day(380, i)},0201,990102001,${plant(i)}`) // and a week earlier
  const file = join(d.folder, 'year.csv'), map = join(d.folder, 'map.yaml')
  writeFileSync(file, '编号,时间,事项,区域,内容\n' + rows.join('\n') + '\n')
  writeFileSync(map, 'format: csv\ntime_zone: "+08:00"\nchannel: {value: hotline}\nexternal_id: {column: 编号}\ntext: {column: 内容}\nreceived: {column: 时间}\nitem: {column: 事项}\narea: {column: 区域}\n')
  const imported = d.command('import', 'reports', file, '--map', map)
  assert.equal(imported.status, 0, imported.stdout + imported.stderr)
  await d.serve()
  const supervisor = await d.signIn('supervisor')
  for (let i = 0; i < 12; i++) await d.report({ text: plant(i), item: '0201', reporter: { name: '张三', phone: `138${String(10000000 + i).slice(-8)}` } })
  for (const [i, words] of others.entries()) await d.report({ text: `${words}，请处理`, item: '0202', reporter: { name: '李四', phone: `139${String(10000000 + i).slice(-8)}` } })
  await d.stop()
  await d.serve()
  const found = await until(async () => {
    const { body } = await d.ask('GET', '/api/v1/hotspots', undefined, { key: supervisor })
    return body.reports === 22 && body
  }, 'a round over the reports of now')
  const [first] = found.topics
  assert.deepEqual([first.week, first.week_before, first.year_before, first.surges], [12, 0, 9, false], JSON.stringify(first))
})
