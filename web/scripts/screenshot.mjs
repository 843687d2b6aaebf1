/* Takes the picture of the README: the form, filled in.
 *
 *   BASE_URL=http://127.0.0.1:8080 node scripts/screenshot.mjs [FILE]     (../doc/images/page.png when unsaid) */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const base = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
const file = process.argv[2] ?? fileURLToPath(new URL('../../doc/images/page.png', import.meta.url))

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
})
try {
  const page = await browser.newPage({ locale: 'zh-CN', viewport: { width: 900, height: 1200 } })
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
  mkdirSync(dirname(file), { recursive: true })
  await page.screenshot({ path: file, fullPage: true })
  console.log(file)
} finally {
  await browser.close()
}
