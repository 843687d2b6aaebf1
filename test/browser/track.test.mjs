/* What a citizen sees of his case on the tracking page and behind the link that asks how it was, in a real browser against a real server:
 * pictures from before and after, his word given once, the proof of the history. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { District, PINGSHAN, until } from '../lib.mjs'
import { accessible, close, fits, launch, visit } from './browser.mjs'

const ITEM = 'c01003', UNIT = 'industrial-zone-water', PLACE = { lon: 114.341833, lat: 22.6901 } // demands pictures: evidence.csv
const JPEG = readFileSync('test/seeds/picture/jpeg'), PNG = readFileSync('test/seeds/picture/png')
const PHONE_SIZE = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true }
const endings = []
let d, k, browser, gateway

/** An SMS gateway that takes everything; what it was told is in `.got`. */
async function smsGateway() {
  const got = []
  const server = createServer((rq, rs) => {
    let body = ''
    rq.setEncoding('utf8').on('data', (text) => (body += text))
    rq.on('end', () => {
      got.push(JSON.parse(body))
      rs.end()
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  endings.push(() => new Promise((done) => { server.close(done); server.closeAllConnections() }))
  return { got, url: `http://127.0.0.1:${server.address().port}/` }
}

before(async () => {
  gateway = await smsGateway()
  d = District.make({ after: (end) => endings.push(end) }, { pack: PINGSHAN })
  const put = (name, text) => { writeFileSync(join(d.folder, name), text); return join(d.folder, name) }
  const description = `url: ${gateway.url}\nheaders: ["Content-Type: application/json"]\nbody: '{"to": "{phone}", "text": "{text}"}'\n`
  d.settings = { sms_gateway: put('sms.yaml', description), sms_secret_file: put('secret', 's\n'), quiet_hours: 'none', public_url: 'https://yiwang.test' }
  await d.serve()
  const made = d.commandWith('correct horse battery', 'user', 'add', 'worker', '--role', 'unit', '--unit', UNIT, '--name', 'worker')
  assert.equal(made.status, 0, made.stderr)
  const session = await d.ask('POST', '/api/v1/session', { user: 'worker', password: 'correct horse battery' })
  k = { worker: session.body.token, clerk: await d.signIn('clerk') }
  browser = await launch()
})
after(async () => {
  await browser?.close()
  for (const end of endings.reverse())
    await end()
})

const open = (locale, path, options) => visit(browser, d.base + path, locale, options)

let taken = 0
/** The seed's picture as if taken now (its Exif time is that of +09:00), each time another one. */
function takenNow() {
  const local = new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 19).replaceAll('-', ':').replace('T', ' ')
  const text = JPEG.toString('latin1').replaceAll('2026:11:25 09:30:00', local).replace('comment', `no. ${String(++taken).padStart(3)}`)
  return Buffer.from(text, 'latin1')
}

async function addPicture(number, kind, bytes) {
  const form = new FormData()
  form.append('kind', kind)
  form.append('file', new Blob([bytes]), 'picture')
  const answer = await fetch(`${d.base}/api/v1/cases/${number}/evidence`, { method: 'POST', headers: { Authorization: `Bearer ${k.worker}` }, body: form })
  assert.equal(answer.status, 201, await answer.text())
}

async function must(number, move, form, key) {
  const { status, text } = await d.move(number, move, form, key)
  assert.equal(status, 200, `${move}: ${text}`)
}

let phones = 0
/** A case that is being handled, of a reporter with a telephone. */
async function handled() {
  const phone = `1380013${8000 + ++phones}`
  const { body } = await d.report({ item: ITEM, location: PLACE, title: '井盖缺失', reporter: { phone } })
  for (const move of ['sign', 'handle'])
    await must(body.number, move, {}, k.worker)
  return { number: body.number, track: body.track, phone }
}

async function pictures({ number }) {
  await addPicture(number, 'photo_before', PNG)
  await addPicture(number, 'photo_after', takenNow())
}

async function replied({ number }, result = '井盖已复位') {
  await must(number, 'hand_over', { result, reason: '无须协办' }, k.worker)
  await must(number, 'pass_review', {}, k.clerk)
  await must(number, 'reply', { result }, k.clerk)
}

const linksOf = ({ phone }) => gateway.got.filter((g) => g.to === phone).map((g) => /callback\/([0-9A-Z]+)/.exec(g.text)?.[1]).filter(Boolean)
/** The nth link that this reporter was sent. */
const linkOf = (one, n = 1) => until(() => linksOf(one)[n - 1], `the question ${n} arrives`, 30)

async function asked() {
  const one = await handled()
  await pictures(one)
  await replied(one)
  return { ...one, link: await linkOf(one) }
}

const textOf = async (page, name) => (await page.locator(`[data-test=${name}]`).first().innerText()).trim()
const focused = (page) => page.evaluate(() => document.activeElement.id)
const asks = (page, state) => page.locator(`[data-test=asked][data-state=${state}]`).waitFor()
const ends = (page, state) => page.locator(`[data-test=outcome][data-state=${state}]`).waitFor()

/** Takes a choice as somebody with a mouse would. */
const choose = (page, group, choice) => page.getByRole('radiogroup', { name: group }).getByRole('radio', { name: choice }).click()

async function fillIn(page, { solved = 'Not solved', rate = '2 Poor' } = {}) {
  await choose(page, 'Is it solved?', solved === 'Solved' ? /^Solved/ : /^Not solved/)
  for (const group of ['Speed', 'Effect', 'Service', 'Quality of the answer'])
    await choose(page, group, rate)
}

/* --- pictures ---------------------------------------------------------------------------------------------------------------- */

test('pictures: none before the answer, then before and after side by side, live, in both languages', async () => {
  const one = await handled()
  const page = await open('zh-CN', `/track/${one.track}`)
  await page.locator('[data-test=link].live').waitFor()
  await pictures(one)
  await page.reload()
  await page.locator('[data-test=link].live').waitFor()
  assert.equal(await page.getByText('处置前').count(), 0, 'nothing is shown when there is none')
  assert.equal(await page.locator('[data-test=evidence], [data-test=evidence-failed]').count(), 0)

  await replied(one)
  await page.locator('[data-test=evidence]').waitFor()
  assert.equal(await page.getByRole('heading', { name: '处置前后' }).count(), 1)
  const shown = page.locator('[data-test=evidence] img')
  assert.equal(await shown.count(), 2)
  for (const [n, kind, name] of [[0, 'photo_before', '处置前'], [1, 'photo_after', '处置后']]) {
    const picture = shown.nth(n)
    await picture.scrollIntoViewIfNeeded()
    await until(() => picture.evaluate((i) => i.complete && i.naturalWidth > 0), `the picture ${kind} is there`)
    assert.equal(await picture.getAttribute('loading'), 'lazy')
    assert.equal(await picture.getAttribute('alt'), `${name}照片，第 1 张，共 1 张`)
    assert.match(await page.locator(`[data-kind=${kind}] figcaption`).innerText(), new RegExp(`^${name}\\s+上传于 \\d{4}年\\d{1,2}月\\d{1,2}日 星期. \\d{2}:\\d{2}$`))
  }
  const [left, right] = [await shown.nth(0).boundingBox(), await shown.nth(1).boundingBox()]
  assert.ok(left.y === right.y && left.x + left.width < right.x, 'side by side')
  await accessible(page, 'the tracking page with pictures')

  await page.getByRole('button', { name: 'English' }).click()
  await page.getByRole('heading', { name: 'Before and after' }).waitFor()
  assert.match(await page.locator('[data-kind=photo_after] figcaption').innerText(), /^After handling\s+Added \w+day, \d{1,2} \w+ \d{4}, \d{2}:\d{2}$/)
  const link = page.getByRole('link', { name: 'After handling, picture 1 of 1' })
  await page.getByRole('link', { name: 'Before handling, picture 1 of 1' }).focus()
  await page.keyboard.press('Tab')
  assert.ok(await link.evaluate((a) => a === document.activeElement), 'the next key stop is the next picture')
  const [whole] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('Enter')])
  await whole.waitForLoadState()
  assert.equal(await whole.evaluate(() => document.contentType), 'image/jpeg')
  assert.deepEqual(page.faults, [])
  await close(page)
})

test('pictures that cannot be had are said so, and the rest of the page stands', async () => {
  const one = await asked()
  const page = await open('en-GB', '/track')
  let broken = true
  let times = 0
  await page.route('**/evidence', (route) => (++times, broken ? route.fulfill({ status: 503, body: '' }) : route.continue()))
  await page.route('**/evidence/1', (route) => route.abort())
  await page.getByLabel('Tracking code').fill(one.track)
  await page.getByRole('button', { name: 'Show' }).click()
  await page.locator('[data-test=evidence-failed]').waitFor()
  await page.locator('[data-test=state]').waitFor()
  broken = false
  await page.locator('[data-test=evidence-failed]').getByRole('button', { name: 'Try again' }).click()
  await page.locator('[data-test=evidence]').scrollIntoViewIfNeeded()
  await page.getByText('This picture cannot be shown.').waitFor()
  assert.equal(await page.locator('[data-test=evidence] img').count(), 1)
  assert.equal(await page.locator('[data-test=evidence-failed]').count(), 0)
  const earlier = times
  for (const name of ['中文', 'English']) { // reads the case anew
    const read = page.waitForResponse((r) => r.url().endsWith(`/track/${one.track}`))
    await page.getByRole('button', { name }).click()
    await read
  }
  assert.equal(times, earlier, 'pictures are asked for again when the case has moved, not each time that it is read')
  await close(page)
})

/* --- the citizen's word ------------------------------------------------------------------------------------------------------ */

test('his word: the tracking page says that it is wanted, the link takes it once, the case goes on', async () => {
  const one = await asked()
  const follows = await open('en-GB', `/track/${one.track}`)
  await asks(follows, 'open')
  assert.match(await textOf(follows, 'asked'), /Please tell us how it was\s+This case waits for your word/)
  assert.ok(!(await follows.content()).includes(one.link), 'the tracking page does not have the link')
  await accessible(follows, 'the tracking page that asks')

  const page = await open('en-GB', `/callback/${one.link.toLowerCase()}`)
  const second = await open('zh-CN', `/callback/${one.link}`)
  await second.getByRole('heading', { name: '办理结果评价' }).waitFor()
  await page.getByRole('heading', { name: 'How was it?' }).waitFor()
  assert.equal(await textOf(page, 'number'), one.number)
  assert.equal(await textOf(page, 'result'), '井盖已复位')
  await page.getByRole('button', { name: 'Send' }).click()
  assert.equal(await page.getByText('Please choose one.').count(), 5)
  assert.equal(await focused(page), 'f-solved')
  await accessible(page, 'the word with faults')

  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowRight') // not solved
  assert.ok(await page.getByRole('radio', { name: 'Not solved' }).isChecked(), 'by keyboard')
  await page.keyboard.press('Tab')
  assert.equal(await focused(page), 'f-speed')
  await fillIn(page)
  assert.equal(await page.getByText('Please choose one.').count(), 0)
  await page.getByLabel('What else you want to say').fill('x'.repeat(1001))
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('Please shorten it.').waitFor()
  await page.getByLabel('What else you want to say').fill(' 又松了 ')
  await accessible(page, 'the word filled in')
  const sent = page.waitForRequest((r) => r.method() === 'POST')
  await page.getByRole('button', { name: 'Send' }).click()
  assert.deepEqual((await sent).postDataJSON(), { solved: false, speed: 2, effect: 2, service: 2, quality: 2, comment: '又松了' })
  await ends(page, 'answered')
  assert.match(await textOf(page, 'outcome'), /Thank you for your word\s+It came in on \w+day, /)
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H2', 'the outcome has the focus')
  assert.equal(await page.getByRole('button', { name: 'Send' }).count(), 0)
  await accessible(page, 'the word given')

  await follows.locator('[data-test=state][data-state=handling]').waitFor()
  await asks(follows, 'answered')
  assert.match(await textOf(follows, 'asked'), /^You told us on \w+day, .* how it was\. Thank you\.$/)

  await choose(second, '问题是否解决', '已解决') // it stood open meanwhile
  for (const group of ['办理速度', '办理效果', '服务态度', '答复质量'])
    await choose(second, group, '5 很好')
  await second.getByRole('button', { name: '提交评价' }).click()
  await ends(second, 'answered')
  assert.match(await textOf(second, 'outcome'), /此链接已经用过\s+您的评价已于 \d{4}年.*收到/)
  await page.reload()
  await ends(page, 'answered')
  assert.match(await textOf(page, 'outcome'), /This link was used already/)
  const { body: { history } } = await d.ask('GET', `/api/v1/cases/${one.number}/history`, undefined, { key: k.clerk })
  assert.equal(history.filter((h) => h.move === 'call_back').length, 1)
  for (const p of [follows, page])
    assert.deepEqual(p.faults, [])
  for (const p of [follows, page, second])
    await close(p)
})

test('his word: satisfied, the case closes and the tracking page says so', async () => {
  const one = await asked()
  const follows = await open('zh-CN', `/track/${one.track}`)
  await asks(follows, 'open')
  assert.match(await textOf(follows, 'asked'), /请您评价/)
  const page = await open('en-GB', `/callback/${one.link}`, PHONE_SIZE)
  await page.getByRole('button', { name: 'Send' }).waitFor()
  await fits(page, 'the word on a phone')
  await fillIn(page, { solved: 'Solved', rate: '5 Very good' })
  await page.getByRole('button', { name: 'Send' }).click()
  await ends(page, 'answered')
  await fits(page, 'the word given on a phone')
  await follows.locator('[data-test=state][data-state=closed]').waitFor()
  await asks(follows, 'answered')
  assert.match(await textOf(follows, 'asked'), /^您已于 .* 作出评价，谢谢。$/)
  await follows.setViewportSize({ width: 320, height: 640 })
  await fits(follows, 'the tracking page with everything on a phone')
  for (const p of [follows, page])
    await close(p)
})

test('his word: a newer question ends the older link, and an unknown link is said so', async () => {
  const one = await asked()
  const ratings = { speed: 1, effect: 1, service: 1, answer: 1 }
  await must(one.number, 'call_back', { solved: false, ratings }, k.clerk) // a clerk telephoned
  await addPicture(one.number, 'photo_after', takenNow())
  const follows = await open('en-GB', `/track/${one.track}`)
  await follows.locator('[data-test=state][data-state=handling]').waitFor()
  await follows.locator('[data-test=evidence]').waitFor()
  assert.equal(await follows.locator('[data-test=asked]').count(), 0, 'the case does not wait for his word')
  await replied(one, '井盖已更换')
  const newer = await linkOf(one, 2)
  await asks(follows, 'open')

  const page = await open('en-GB', `/callback/${one.link}`)
  await ends(page, 'ended')
  assert.match(await textOf(page, 'outcome'), /This link no longer works\s+The question sent .* has run out, or a newer one was sent/)
  await accessible(page, 'a link that ended')
  await page.getByRole('button', { name: '中文' }).click()
  await page.getByRole('heading', { name: '此链接已失效' }).waitFor()
  assert.equal(await page.locator('form').count(), 0)
  await page.getByRole('main').getByRole('link', { name: '我要反映' }).click()
  await page.getByRole('heading', { name: '反映诉求' }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/')

  const wrong = await open('zh-CN', `/callback/${newer.slice(0, 25)}`)
  await wrong.locator('[data-test=failure]').waitFor()
  assert.match(await textOf(wrong, 'failure'), /链接无效.*\s+链接须完整/)
  await wrong.getByRole('button', { name: 'English' }).click()
  await wrong.getByText('this link is not known').waitFor()
  await accessible(wrong, 'an unknown link')
  for (const p of [follows, page, wrong])
    await close(p)
})

test('his word: what was filled in stays when the server is not reached, and an answer that was lost counts', async () => {
  const one = await asked()
  const page = await open('en-GB', `/callback/${one.link}`)
  await fillIn(page, { solved: 'Solved', rate: '4 Good' })
  let tries = 0
  await page.route('**/api/v1/callback/*', async (route) => {
    if (route.request().method() !== 'POST')
      return route.continue()
    if (++tries === 2)
      await route.fetch() // it arrives, its answer does not
    return tries > 2 ? route.continue() : route.abort()
  })
  for (const n of [1, 2]) {
    await page.getByRole('button', { name: 'Send' }).click()
    await until(() => tries === n, `try ${n}`)
    await page.getByText('The server could not be reached.').waitFor()
    assert.ok(await page.getByRole('radiogroup', { name: 'Speed' }).getByRole('radio', { name: '4 Good' }).isChecked())
  }
  await page.getByRole('button', { name: 'Send' }).click()
  await ends(page, 'answered')
  assert.match(await textOf(page, 'outcome'), /It came in on \w+day, /)
  await close(page)
})

/* --- the proof --------------------------------------------------------------------------------------------------------------- */

test('proof: refused with a sentence while there is none, then a file that a stranger\'s program verifies', async () => {
  const one = await handled()
  const page = await open('en-GB', `/track/${one.track}`)
  const link = page.locator('[data-test=proof]')
  assert.match(await link.getAttribute('href'), new RegExp(`^/api/v1/track/${one.track}/proof$`))
  await page.getByText('A signed file: keep it, and anybody can check with it later').waitFor()
  await page.route('**/proof', (route) => route.fulfill({
    status: 404, contentType: 'application/problem+json', body: JSON.stringify({ status: 404, detail: 'there is no checkpoint of the ledger yet' }),
  }))
  await link.click()
  await page.getByText('there is no checkpoint of the ledger yet').waitFor()
  await page.unroute('**/proof')

  const complete = async () => {
    assert.equal(d.command('ledger', 'checkpoint').status, 0)
    const { body } = await d.ask('GET', `/api/v1/track/${one.track}/proof`)
    return body.rows.length && body.rows.every((r) => r.leaf !== null)
  }
  await until(complete, 'all rows are in the tree', 90)
  await link.focus()
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
  assert.equal(download.suggestedFilename(), `proof-${one.number}.json`)
  const file = join(d.folder, 'proof.json')
  await download.saveAs(file)
  assert.equal(await page.locator('[data-test=proof-failed]').count(), 0)
  const proof = JSON.parse(readFileSync(file, 'utf8'))
  assert.equal(proof.number, one.number)
  const key = d.command('ledger', 'key').stdout.split('\n')[0]
  const verified = spawnSync('python3', ['test/ledger_verify.py', key, file], { encoding: 'utf8' })
  assert.equal(verified.status, 0, verified.stdout + verified.stderr)
  await page.getByRole('button', { name: '中文' }).click()
  await page.getByText('带签名的文件：请自行保存').waitFor()
  await accessible(page, 'the tracking page with the proof')
  await close(page)
})

/* Stays the last: a server with a fault of memory shows it here. */
test('the server ends in order', async () => {
  const { code, signal } = await d.stop()
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, d.log)
})
