/* The dispatcher's page in a real browser against a real server: one key sends a case on, a slip is undone, what is refused comes back. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { District, PINGSHAN, until } from '../lib.mjs'
import { accessible, close, fits, launch, visit } from './browser.mjs'

const AREA = '440310001003', LAMP = 'h6.185.823'
const FIRST = '坪山大道与深汕路交叉口的路灯坏了三天，晚上漆黑一片，行人过马路很危险，请尽快派人维修'
const AGAIN = '您好，深汕路与坪山大道交叉口的路灯坏了好几天了，晚上漆黑一片，行人过马路很危险，请尽快维修'
const endings = []
let d, dispatcher, browser

before(async () => {
  d = District.make({ after: (end) => endings.push(end) }, { pack: PINGSHAN })
  await d.serve()
  dispatcher = await d.signIn('dispatcher')
  await until(async () => (await d.ask('GET', '/api/v1/triage/model', undefined, { key: dispatcher })).body.models?.length, 'a first model')
  browser = await launch()
})
/** Each test begins with an empty queue, whatever became of the one before. */
beforeEach(async () => {
  for (const c of (await d.ask('GET', '/api/v1/dispatch', undefined, { key: dispatcher })).body.cases)
    await d.move(c.number, c.state === 'returned' ? 'redispatch' : 'dispatch', { item: LAMP, unit: 'city-management' }, dispatcher)
})
after(async () => {
  await browser?.close()
  for (const end of endings.reverse())
    await end()
})

const file = async (text, more = {}) => {
  const made = await d.report({ text, area_code: AREA, ...more })
  assert.equal(made.status, 201, made.text)
  return made.body.number
}
const read = async (number) => (await d.ask('GET', `/api/v1/cases/${number}`, undefined, { key: dispatcher })).body

async function enter(locale = 'en', options) {
  const page = await visit(browser, `${d.base}/dispatch`, locale, options)
  const account = d.demo.accounts.find((a) => a.user === 'dispatcher')
  await page.fill('#f-user', account.user)
  await page.fill('#f-password', account.password)
  await page.click('form .submit')
  await page.waitForSelector('[data-test=count]')
  return page
}

/** The case in view is this one, and its moves are known. */
const inView = async (page, number) => {
  await page.waitForSelector(`[data-test=current][data-number="${number}"] .proposal:enabled`)
}

test('a wrong password is said; the right one shows what waits, most pressing first', async () => {
  const calm = await file('楼下的路灯一闪一闪'), hurry = await file('路边有人晕倒了，快来人')
  const page = await visit(browser, `${d.base}/dispatch`, 'en')
  await page.fill('#f-user', 'dispatcher')
  await page.fill('#f-password', 'wrong')
  await page.click('form .submit')
  await page.waitForSelector('[data-test=refusal]')
  await accessible(page, 'the sign-in form')
  await close(page)

  const inside = await enter()
  const waits = (await d.ask('GET', '/api/v1/dispatch', undefined, { key: dispatcher })).body.cases.map((c) => c.number)
  assert.deepEqual(waits.slice().sort(), [calm, hurry].sort())
  await inside.waitForSelector('[data-test=count]:text-is("2 waiting")') // not while it loads
  await inView(inside, waits[0])
  await accessible(inside, 'the dispatch queue')
  await close(inside)
})

test('one key sends it on, u takes it back, and leaving the page sends what was decided', async () => {
  const one = await file('坪山大道路灯坏了三天，晚上漆黑一片'), two = await file('小区门口的路灯不亮')
  const page = await enter()
  const [first] = (await d.ask('GET', '/api/v1/dispatch', undefined, { key: dispatcher })).body.cases
  assert.ok([one, two].includes(first.number))
  await inView(page, first.number)
  await page.keyboard.press('2')
  await page.waitForSelector('[data-test=pending]')
  assert.ok((await page.textContent('[data-test=pending]')).includes(first.candidates[1].name_en ?? first.candidates[1].name))
  await page.keyboard.press('u')
  await inView(page, first.number)
  assert.equal(await page.locator('[data-test=pending]').count(), 0)

  await page.keyboard.press('Enter')
  await until(async () => (await read(first.number)).state === 'dispatched', 'it was sent', 15)
  const sent = await read(first.number)
  assert.deepEqual([sent.item.code, sent.unit.code], [first.candidates[0].item, first.candidates[0].unit])

  // Its unit returns it: it stands in the queue again.
  const admin = await d.signIn('admin')
  const offered = (await d.ask('GET', `/api/v1/cases/${first.number}`, undefined, { key: admin })).body.moves.find((m) => m.name === 'return')
  const back = await d.move(first.number, 'return', { reason_code: offered.form.properties.reason_code.oneOf[0].const, reason: '不属于本单位' }, admin)
  assert.equal(back.status, 200, back.text)
  await page.waitForSelector(`.queue button:has-text("${first.title}")`, { timeout: 30000 })
  assert.equal((await d.move(first.number, 'redispatch', { unit: 'city-management' }, dispatcher)).status, 200)

  const other = first.number === one ? two : one
  await inView(page, other)
  const [second] = (await d.ask('GET', '/api/v1/dispatch', undefined, { key: dispatcher })).body.cases
  await page.keyboard.press('1')
  await page.waitForSelector('[data-test=pending]')
  await page.waitForSelector('[data-test=empty]')
  await page.goto(`${d.base}/track`) // at once: not five seconds later
  await until(async () => (await read(other)).item?.code === second.candidates[0].item, 'what was decided is sent', 15)
  await close(page)
})

test('keys are letters while somebody writes, and can be turned off; any item and unit can be chosen', async () => {
  const number = await file('有件事想请你们看看')
  const page = await enter('zh-CN')
  await page.waitForSelector(`[data-number="${number}"]`)
  await page.waitForSelector('[data-test=other-open]:enabled')
  await page.keyboard.press('o')
  await page.waitForSelector('[data-test=other]')
  await page.fill('#f-other', '路灯')
  await page.waitForSelector('[role=option]')
  await page.focus('#f-other')
  await page.keyboard.press('u') // into the field
  assert.equal(await page.inputValue('#f-other'), '路灯u')
  await page.fill('#f-other', '路灯')
  await page.locator('[role=option]:has-text("路灯")').first().click()
  await page.selectOption('#f-unit', 'city-management')
  await page.click('[data-test=send-other]')
  await until(async () => (await read(number)).state === 'dispatched', 'it was sent', 15)
  assert.equal((await read(number)).unit.code, 'city-management')
  await close(page)

  const quiet = await file('还有一件事，路灯不亮')
  const still = await enter()
  await inView(still, quiet)
  await still.uncheck('input[type=checkbox]')
  await still.keyboard.press('1')
  await new Promise((done) => setTimeout(done, 300))
  assert.equal(await still.locator('[data-test=pending]').count(), 0)
  await still.click('[data-test=choose-1]')
  await still.click('[data-test=undo]')
  await inView(still, quiet)
  assert.equal((await d.move(quiet, 'dispatch', { item: LAMP, unit: 'city-management' }, dispatcher)).status, 200)
  await close(still)
})

test('what somebody else moved meanwhile is said, and a like case can be joined with one key', async () => {
  const first = await file(FIRST, { item: LAMP })
  const again = await file(AGAIN)
  await until(async () => (await d.ask('GET', `/api/v1/cases/${again}/alike`, undefined, { key: dispatcher })).body.cases.length, 'it was looked at')
  const gone = await file('路灯坏了，有人先处理了')
  const page = await enter()
  await page.waitForSelector(`nav button`)
  const show = async (words) => page.locator('.queue button', { hasText: words }).click()
  await show('有人先处理了')
  await inView(page, gone)
  assert.equal((await d.move(gone, 'dispatch', { item: LAMP, unit: 'city-management' }, dispatcher)).status, 200)
  await page.keyboard.press('1')
  await page.waitForSelector('[data-test=refused]', { timeout: 15000 })
  assert.ok((await page.textContent('[data-test=refused]')).includes(gone))

  await inView(page, again)
  await page.waitForSelector('[data-test=alike] button:enabled')
  await accessible(page, 'a case that is like another')
  await page.keyboard.press('m')
  await until(async () => (await read(again)).state === 'merged', 'it is joined', 15)
  assert.deepEqual((await read(again)).links.map((l) => l.number), [first])
  await close(page)
})

test('a session that ended asks to sign in, and goes on', async () => {
  const number = await file('路口的路灯坏了')
  const page = await enter()
  await inView(page, number)
  for (const s of (await d.ask('GET', '/api/v1/sessions', undefined, { key: dispatcher })).body.sessions.filter((x) => !x.current))
    assert.equal((await d.ask('DELETE', `/api/v1/sessions/${s.id}`, undefined, { key: dispatcher })).status, 204)
  await page.waitForSelector('#f-user', { timeout: 60000 })
  const account = d.demo.accounts.find((a) => a.user === 'dispatcher')
  await page.fill('#f-user', account.user)
  await page.fill('#f-password', account.password)
  await page.click('form .submit')
  await inView(page, number)
  await page.keyboard.press('1')
  await until(async () => (await read(number)).state === 'dispatched', 'it was sent', 15)
  await close(page)
})

test('on a small screen it fits, and who signs out sees nothing more', async () => {
  const number = await file('路灯不亮了，很黑')
  const page = await enter('zh-CN', { viewport: { width: 320, height: 640 } })
  await inView(page, number)
  await fits(page, 'the queue')
  await page.click('[data-test=sign-out]')
  await page.waitForSelector('#f-user')
  assert.equal(await page.locator('[data-test=current]').count(), 0)
  assert.equal((await page.evaluate(async () => (await fetch('/api/v1/dispatch')).status)), 401)
  await close(page)
})
