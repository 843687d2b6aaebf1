/* Takes the pictures of the README: the form, filled in, and the dispatch queue.
 *
 *   DATA=../data BASE_URL=http://127.0.0.1:8080 node scripts/screenshot.mjs [FOLDER]     (../doc/images when unsaid)
 *
 * DATA is a demonstration district that is being served; it gets two reports. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const base = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
const folder = process.argv[2] ?? fileURLToPath(new URL('../../doc/images', import.meta.url))
const demo = JSON.parse(readFileSync(join(process.env.DATA ?? '../data', 'demo.json'), 'utf8'))
const size = { locale: 'zh-CN', viewport: { width: 900, height: 1200 } }

async function theForm(browser) {
  const page = await browser.newPage(size)
  await page.goto(base)
  await page.getByLabel('诉求内容').fill('小区北门外路灯连续三晚不亮，夜间行人过马路看不清。')
  const chooser = page.getByRole('combobox', { name: '所属事项' })
  await chooser.fill('路灯')
  await page.getByRole('option').first().waitFor()
  await chooser.press('Enter')
  const map = page.locator('[data-test=map][data-ready=yes] canvas')
  await map.waitFor()
  await map.scrollIntoViewIfNeeded()
  const { width, height } = await map.boundingBox()
  await map.click({ position: { x: width * 0.42, y: height * 0.42 } })
  await page.getByLabel('地址或附近标志物').fill('北门公交站旁')
  await page.waitForTimeout(1000) // the tiles of the drawing
  await page.evaluate(() => document.activeElement?.blur())
  await page.screenshot({ path: join(folder, 'page.png'), fullPage: true })
}

async function report(text) {
  const headers = { Authorization: `Bearer ${demo.channel_key}`, 'Content-Type': 'application/json' }
  const answer = await fetch(`${base}/api/v1/reports`, { method: 'POST', headers, body: JSON.stringify({ channel: 'hotline', text, area_code: '440310001003' }) })
  if (answer.status !== 201)
    throw new Error(await answer.text())
}

async function theQueue(browser) {
  await report('坪山大道与深汕路交叉口的路灯坏了三天，晚上漆黑一片，行人过马路很危险，请尽快派人维修')
  await report('您好，深汕路与坪山大道交叉口的路灯坏了好几天了，晚上漆黑一片，行人过马路很危险，请尽快维修')
  const page = await browser.newPage(size), { user, password } = demo.accounts.find((a) => a.role === 'dispatcher')
  await page.goto(`${base}/dispatch`)
  await page.fill('#f-user', user)
  await page.fill('#f-password', password)
  await page.click('form .submit')
  await page.locator('.queue button', { hasText: '您好' }).first().click()
  await page.waitForSelector('[data-test=alike]', { timeout: 60_000 })
  await page.waitForSelector('.proposal:enabled')
  await page.evaluate(() => document.activeElement?.blur())
  await page.screenshot({ path: join(folder, 'dispatch.png'), fullPage: true })
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
})
try {
  mkdirSync(folder, { recursive: true })
  await theForm(browser)
  await theQueue(browser)
} finally {
  await browser.close()
}
