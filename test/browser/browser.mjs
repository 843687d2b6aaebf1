/* The browser of the tests of our pages, and what holds on every page. CHROMIUM is its path (/usr/bin/chromium when unsaid). Needs
 * `npm ci` in web/. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const installed = createRequire(new URL('../../web/package.json', import.meta.url))
const { chromium } = installed('playwright-core')
const AXE = readFileSync(installed.resolve('axe-core/axe.min.js'), 'utf8')
const WAIT = 30_000

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
})

/** A page at `address` that speaks `locale`; collects what goes wrong in it. */
export async function visit(browser, address, locale, options = {}) {
  const context = await browser.newContext({ locale, viewport: { width: 1100, height: 1000 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(WAIT)
  page.faults = []
  page.on('console', (m) => m.type() === 'error' && page.faults.push(m.text()))
  page.on('pageerror', (e) => page.faults.push(String(e)))
  await page.goto(address)
  return page
}

export const refusals = (page) => page.faults.filter((f) => /Content.Security.Policy/i.test(f))

/** Whatever the page did, it stayed within its Content-Security-Policy. */
export async function close(page) {
  await page.context().close()
  assert.deepEqual(refusals(page), [])
}

export async function accessible(page, where) {
  await page.evaluate(AXE)
  const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']
  const { violations } = await page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules }), runOnly)
  const bad = violations.filter((v) => ['serious', 'critical'].includes(v.impact))
  assert.deepEqual(bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`), [], `axe on ${where}`)
}

export async function fits(page, where) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
  assert.ok(wide <= room, `${where} is ${wide} px wide in ${room} px`)
}
