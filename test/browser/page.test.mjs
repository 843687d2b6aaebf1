/* The public page in a real browser against a real server, which the tests start themselves: a district of the Pingshan
 * pack. Against one that runs already:
 *
 *   BASE_URL=http://127.0.0.1:8080 DEMO=data/demo.json node test/browser/page.test.mjs
 *
 * The browser itself: browser.mjs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { District, PINGSHAN } from '../lib.mjs'
import { accessible, close, fits, launch, refusals, visit } from './browser.mjs'

const RUNNING = process.env.BASE_URL

let district = null // the one started here
let BASE, DEMO, browser
const endings = []

before(async () => {
  if (!RUNNING)
    district = await District.start({ after: (end) => endings.push(end) }, { pack: PINGSHAN })
  BASE = RUNNING ?? district.base
  DEMO = district?.demo ?? JSON.parse(readFileSync(process.env.DEMO ?? 'data/demo.json', 'utf8'))
  browser = await launch()
})
after(async () => {
  await browser?.close()
  for (const end of endings)
    await end()
})

const open = (locale, path = '/', options = {}) => visit(browser, BASE + path, locale, options)

const textOf = async (page, name) => (await page.locator(`[data-test=${name}]`).first().innerText()).trim()

async function mapReady(page) {
  await page.locator('[data-test=map][data-ready=yes]').waitFor()
}

async function asDispatcher(method, path, token, body) {
  const response = await fetch(BASE + path, {
    method,
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  })
  return { ok: response.ok, value: await response.json() }
}

async function someItem() {
  const { items } = await (await fetch(`${BASE}/api/v1/items?limit=1000`)).json()
  return items.find((i) => i.leaf)
}

/** Takes the case along the first move a dispatcher may take that changes its state; the new state. */
async function moveOn(number) {
  const account = DEMO.accounts.find((a) => a.role === 'dispatcher')
  const { value: session } = await asDispatcher('POST', '/api/v1/session', null, { user: account.user, password: account.password })
  const { value: found } = await asDispatcher('GET', `/api/v1/cases/${number}`, session.token)
  const item = await someItem()
  const known = { unit: found.unit?.code, item: item.code, reason: 'browser test', result: 'browser test' }
  for (const { name, form } of found.moves) {
    const needed = Object.fromEntries(Object.keys(form.properties ?? {}).filter((n) => known[n]).map((n) => [n, known[n]]))
    const { ok, value } = await asDispatcher('POST', `/api/v1/cases/${number}/moves`, session.token, { move: name, ...needed })
    if (ok && value.state !== found.state)
      return value.state
  }
  assert.fail(`no move of a dispatcher changes the state of ${number} (${found.state}): ${found.moves.map((m) => m.name)}`)
}

const clickMap = async (page) => {
  await mapReady(page)
  const map = page.locator('[data-test=map] canvas')
  await map.scrollIntoViewIfNeeded()
  const { width, height } = await map.boundingBox()
  await map.click({ position: { x: width * 0.42, y: height * 0.42 } })
}

test('Chinese: a report with an item and a pin gets number, code, unit and due instant', async () => {
  const item = await someItem()
  const page = await open('zh-CN')
  assert.equal(await page.locator('h1').innerText(), '反映诉求')
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN')
  await page.getByLabel('诉求内容').fill('小区北门外路灯连续三晚不亮，夜间行人过马路看不清。')
  const chooser = page.getByRole('combobox', { name: '所属事项' })
  await chooser.fill(item.name)
  await page.getByRole('option', { name: item.name }).first().waitFor()
  await accessible(page, 'the form with the open catalogue')
  await chooser.press('Enter')
  assert.equal(await chooser.inputValue(), item.name)
  await clickMap(page)
  assert.match(await textOf(page, 'pin'), /东经 114\.\d{5}，北纬 22\.\d{5}/)
  assert.notEqual(await page.getByLabel('街道').inputValue(), '')
  await page.getByLabel('姓名').fill('张三')
  await page.getByLabel('电话').fill('13800001234')
  await page.getByText('对承办单位保密我的身份').click()
  await accessible(page, 'the filled form')

  const sent = page.waitForRequest('**/api/v1/reports')
  await page.getByRole('button', { name: '提交' }).click()
  const request = await sent
  const body = request.postDataJSON()
  assert.match(request.headers()['accept-language'], /^zh/)
  assert.equal(body.channel, 'web')
  assert.match(body.external_id, /^[0-9a-f-]{36}$/)
  assert.ok(body.location.lon > 113 && body.location.lat < 24)
  assert.deepEqual(body.reporter, { confidential: true, name: '张三', phone: '13800001234' })
  assert.ok(body.item)

  await page.getByRole('heading', { name: '已受理' }).waitFor()
  assert.match(await textOf(page, 'number'), /\d{14,}/)
  assert.match(await textOf(page, 'track'), /^[0-9A-Z]{8,}$/)
  assert.ok((await textOf(page, 'unit')).length > 1)
  assert.match(await textOf(page, 'due'), /^\d{4}年\d{1,2}月\d{1,2}日 星期. \d{2}:\d{2}/)
  assert.match(await textOf(page, 'why'), /[一-鿿]/)
  await accessible(page, 'the receipt')
  await page.locator('[data-test=follow]').click()
  await page.locator('[data-test=state]').waitFor()
  assert.match(page.url(), /\/track\/[0-9A-Z]+$/)
  await accessible(page, 'the tracking page')
  assert.deepEqual(page.faults, [])
  await close(page)
})

test('English: a pin by keyboard, and the state changes live', async () => {
  const page = await open('en-GB')
  assert.equal(await page.locator('h1').innerText(), 'Make a report')
  await page.getByLabel('Description').fill('The street lamp at the north gate has been dark for three nights.')
  await mapReady(page)
  const canvas = page.locator('[data-test=map] canvas')
  await canvas.focus()
  await canvas.press('Enter')
  assert.match(await textOf(page, 'pin'), /^Pin set: .+ E, .+ N\)$/)
  await page.getByText('Urgent', { exact: true }).click()
  await page.getByText('call 110, 119 or 120 first').waitFor()
  const sent = page.waitForRequest('**/api/v1/reports')
  await page.getByRole('button', { name: 'Send' }).click()
  const request = await sent
  assert.equal(request.postDataJSON().urgency, 'urgent')
  assert.match(request.headers()['accept-language'], /^en/)
  await page.getByRole('heading', { name: 'Report received' }).waitFor()
  const number = await textOf(page, 'number')
  await page.locator('[data-test=follow]').click()
  const state = page.locator('[data-test=state]')
  await state.waitFor()
  await page.locator('[data-test=link].live').waitFor()
  const earlier = await page.locator('[data-test=steps] li').count()

  const next = await moveOn(number)
  await page.locator(`[data-test=state][data-state="${next}"]`).waitFor()
  assert.ok(await page.locator('[data-test=steps] li').count() > earlier)
  assert.deepEqual(page.faults, [])
  await close(page)
})

test('the place can be chosen from lists, and the language is remembered', async () => {
  const page = await open('en-GB')
  await page.getByRole('button', { name: '中文' }).click()
  await page.reload()
  assert.equal(await page.locator('h1').innerText(), '反映诉求')
  await page.getByLabel('诉求内容').fill('社区公园座椅损坏。')
  await page.getByLabel('街道').selectOption({ index: 1 })
  await page.getByLabel('社区').selectOption({ index: 1 })
  const code = await page.getByLabel('社区').inputValue()
  const sent = page.waitForRequest('**/api/v1/reports')
  await page.getByRole('button', { name: '提交' }).click()
  const body = (await sent).postDataJSON()
  assert.equal(body.area_code, code)
  assert.equal(body.location, undefined)
  assert.equal(body.reporter, undefined)
  await page.getByRole('heading', { name: '已受理' }).waitFor()
  assert.deepEqual(page.faults, [])
  await close(page)
})

test('the catalogue is browsed by keyboard', async () => {
  const page = await open('en-GB')
  const chooser = page.getByRole('combobox', { name: 'What it is about' })
  await chooser.focus()
  await chooser.press('ArrowDown')
  for (let depth = 0; depth < 4 && await chooser.getAttribute('aria-expanded') === 'true'; depth++) {
    await page.locator('[role=listbox]:not(.faded) [role=option]').first().waitFor()
    const trail = await page.locator('.trail').innerText()
    await chooser.press('ArrowDown')
    if (depth) // past "back one level"
      await chooser.press('ArrowDown')
    await chooser.press('Enter')
    await page.waitForFunction((t) => document.querySelector('.trail')?.textContent !== t, trail)
  }
  assert.notEqual(await chooser.inputValue(), '')
  await page.getByRole('button', { name: 'Clear the choice' }).click()
  assert.equal(await chooser.inputValue(), '')
  await close(page)
})

test('items are proposed from what was written, one click takes one, and urgent words are noticed', async () => {
  const page = await open('zh-CN')
  await page.locator('#f-text').fill('小区门口路灯不亮，晚上漆黑一片')
  const proposed = page.locator('[data-test=suggestions]')
  await proposed.waitFor()
  await accessible(page, 'the form with proposals')
  const name = await proposed.getByRole('button').first().innerText()
  assert.match(name, /路灯/)
  await proposed.getByRole('button').first().click()
  await proposed.waitFor({ state: 'detached' })
  assert.equal(await page.locator('#f-item').inputValue(), name)
  await page.locator('#f-text').fill('楼下煤气泄漏，快来')
  await page.locator('[data-test=urgent]').waitFor()
  assert.match(await page.locator('[data-test=urgent]').innerText(), /煤气泄漏/)
  await close(page)
})

test('what somebody has reported already is said, and may be reported all the same', async () => {
  const words = '坪山大道与深汕路交叉口的信号灯坏了三天，早高峰堵得走不动，请尽快派人维修'
  const sent = await asDispatcher('POST', '/api/v1/reports', DEMO.channel_key, { channel: 'hotline', text: words })
  assert.ok(sent.ok, JSON.stringify(sent.value))
  const page = await open('zh-CN')
  await page.locator('#f-text').fill(`您好，${words}！`)
  await page.locator('[data-test=already]').waitFor()
  assert.match(await page.locator('[data-test=already]').innerText(), /今天已有人反映/)
  await accessible(page, 'the form with what is reported already')
  // It is followed and not, by keyboard; what is followed is sent, and what is no longer shown is not.
  const follow = page.locator('[data-test=metoo]')
  await follow.focus()
  await page.keyboard.press('Space')
  assert.equal(await follow.getAttribute('aria-pressed'), 'true')
  await accessible(page, 'the form with what is followed')
  await page.keyboard.press('Space')
  assert.equal(await follow.getAttribute('aria-pressed'), 'false')
  await page.keyboard.press('Enter')
  assert.equal(await follow.getAttribute('aria-pressed'), 'true')
  await page.locator('#f-text').fill('公园里的长椅被人锯断了一条腿，小孩坐上去会摔倒')
  await page.locator('[data-test=already]').waitFor({ state: 'detached' })
  await page.locator('#f-text').fill(words)
  await page.locator('[data-test=already]').waitFor()
  assert.equal(await follow.getAttribute('aria-pressed'), 'false')
  await follow.click()
  const asked = page.waitForRequest('**/api/v1/reports')
  await page.getByRole('button', { name: '提交' }).click()
  assert.match((await asked).postDataJSON().same_as, /^[A-Za-z0-9+/]{40,}=*$/)
  await page.getByRole('heading', { name: '已受理' }).waitFor()
  // A dispatcher merges them, and the tracking page tells of the joint case.
  const number = await textOf(page, 'number')
  const account = DEMO.accounts.find((a) => a.user === 'dispatcher')
  const { value: { token } } = await asDispatcher('POST', '/api/v1/session', null, { user: account.user, password: account.password })
  const merged = await asDispatcher('POST', `/api/v1/cases/${number}/moves`, token, { move: 'merge', case: sent.value.number, reason: '同一处' })
  assert.ok(merged.ok, JSON.stringify(merged.value))
  await page.locator('[data-test=follow]').click()
  assert.match(await textOf(page, 'joint'), /合并办理/)
  await accessible(page, 'the tracking page of who follows')
  await close(page)
})

test('what is missing or refused is said at its field', async () => {
  const page = await open('en-GB')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('Please describe the matter.').waitFor()
  assert.equal(await page.evaluate(() => document.activeElement.id), 'f-text')
  await accessible(page, 'the form with a fault')
  await page.route('**/api/v1/reports', (route) => route.fulfill({
    status: 400, contentType: 'application/problem+json',
    body: JSON.stringify({ type: 'about:blank', title: 'Bad Request', status: 400, detail: 'this number cannot be called', field: 'reporter.phone' }),
  }))
  await page.getByLabel('Description').fill('A broken bench.')
  await page.getByLabel('Phone').fill('12345678')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('this number cannot be called').waitFor()
  assert.equal(await page.evaluate(() => document.activeElement.id), 'f-phone')
  assert.equal(await page.getByLabel('Phone').getAttribute('aria-invalid'), 'true')
  await close(page)
})

test('a busy server and a lost connection are waited out with the same id', async () => {
  const page = await open('en-GB')
  const ids = []
  await page.route('**/api/v1/reports', (route) => {
    ids.push(route.request().postDataJSON().external_id)
    if (ids.length === 1)
      return route.fulfill({
        status: 503, headers: { 'Retry-After': '1' }, contentType: 'application/problem+json', body: '{"status":503,"detail":"the queue is full"}',
      })
    return ids.length === 2 ? route.abort() : route.continue()
  })
  await page.getByLabel('Description').fill('A broken bench in the park.')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('the queue is full').waitFor()
  await page.getByText('The server could not be reached.').waitFor()
  await page.getByRole('button', { name: 'Send again now' }).click()
  await page.getByRole('heading', { name: 'Report received' }).waitFor()
  assert.equal(ids.length, 3)
  assert.equal(new Set(ids).size, 1)
  await close(page)
})

test('an answer that was lost is found again, and later changes are not passed over in silence', async () => {
  const page = await open('en-GB')
  let first = true
  await page.route('**/api/v1/reports', async (route) => {
    if (!first)
      return route.continue()
    first = false
    await route.fetch()
    return route.abort()
  })
  await page.getByLabel('Description').fill('A broken bench in the park.')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByRole('button', { name: 'Not now' }).click()
  await page.reload()
  assert.equal(await page.getByLabel('Description').inputValue(), 'A broken bench in the park.')
  await page.getByLabel('Description').fill('Two broken benches in the park.')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByRole('heading', { name: 'Report received' }).waitFor()
  await page.getByText('An earlier try had already arrived').waitFor()
  await close(page)
})

test('without live events the page asks again, and an unknown code is said so', async () => {
  const page = await open('en-GB', '/track')
  await page.getByLabel('Tracking code').fill('ZZZZ-ZZZZ-ZZZZ')
  await page.getByRole('button', { name: 'Show' }).click()
  await page.locator('[data-test=failure]').waitFor()
  const made = await (await fetch(`${BASE}/api/v1/reports`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ channel: 'web', text: 'A broken bench.', external_id: `browser-${Date.now()}` }),
  })).json()
  await page.route('**/events', (route) => route.fulfill({ status: 503, body: '' }))
  await page.getByLabel('Tracking code').fill(` ${made.track.toLowerCase()} `)
  await page.getByRole('button', { name: 'Show' }).click()
  await page.locator('[data-test=state]').waitFor()
  await page.getByText('Updated every 15 s').waitFor()
  await close(page)
})

test('offline is said, and what was written stays', async () => {
  const page = await open('en-GB')
  await page.getByLabel('Description').fill('A broken bench in the park.')
  await page.context().setOffline(true)
  await page.getByText('You are offline.').waitFor()
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('It will be sent as soon as you are connected again.').waitFor()
  await page.context().setOffline(false)
  await page.getByRole('heading', { name: 'Report received' }).waitFor()
  await close(page)
})

test('the page comes with a strict policy, every answer with its type and no referrer', async () => {
  const get = (path) => fetch(BASE + path)
  const page = await get('/')
  const script = /src="(\/assets\/[^"]+)"/.exec(await page.text())[1]
  for (const path of ['/', '/track/ABC', script, '/icon.svg', '/licences.txt']) {
    const { headers } = await get(path)
    const policy = headers.get('content-security-policy')
    for (const rule of ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"])
      assert.ok(policy?.split('; ').includes(rule), `${path}: ${policy}`)
    assert.doesNotMatch(policy, /unsafe|\*|http|blob/, path)
  }
  for (const path of ['/', script, '/api/v1/areas?level=district', '/api/v1/nothing', '/nothing.js']) {
    const { headers } = await get(path)
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
    assert.equal(headers.get('referrer-policy'), 'no-referrer', path)
  }
})

test('a script or style that somebody slips into the page does not work', async () => {
  const page = await open('en-GB')
  const worked = await page.evaluate(() => {
    const script = document.createElement('script')
    script.textContent = 'globalThis.ran = true'
    document.head.append(script)
    document.body.insertAdjacentHTML('beforeend', '<b id="slipped" style="display: none" onclick="globalThis.ran = true"></b>')
    const mark = document.getElementById('slipped')
    mark.click()
    return { script: 'ran' in globalThis, style: getComputedStyle(mark).display === 'none' }
  })
  assert.deepEqual(worked, { script: false, style: false })
  assert.equal(refusals(page).length, 3)
  await page.context().close()
})

test('everything fits a phone of 320 pixels', async () => {
  for (const locale of ['zh-CN', 'en-GB']) {
    const page = await open(locale, '/', { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true })
    await mapReady(page)
    await fits(page, `the form (${locale})`)
    await page.locator('#f-text').fill('座椅损坏 A broken bench in the park')
    await page.locator('.submit').click()
    await page.locator('[data-test=track]').waitFor()
    await fits(page, `the receipt (${locale})`)
    await page.locator('[data-test=follow]').click()
    await page.locator('[data-test=state]').waitFor()
    await fits(page, `the tracking page (${locale})`)
    await accessible(page, `the tracking page on a phone (${locale})`)
    await close(page)
  }
})

/* Stays the last: a server with a fault of memory, or one that does not end its live streams, shows it here. */
test('the server ends in order', { skip: RUNNING && 'it was not started here' }, async () => {
  const { code, signal } = await district.stop()
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, district.log)
})
