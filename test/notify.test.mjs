/* Webhooks: signed, sent again until they arrive, also across a crash. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { District, until } from './lib.mjs'

/** A receiver that answers with `status()`; what it got is in `.got`. */
async function receiver(t, status) {
  const got = []
  const server = createServer((rq, rs) => {
    let body = ''
    rq.on('data', (bytes) => (body += bytes))
    rq.on('end', () => {
      const code = status()
      if (code === 200) got.push({ body, signature: rq.headers['x-yiwang-signature'] })
      rs.writeHead(code).end()
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => { server.closeAllConnections(); server.close() })
  return { got, url: `http://127.0.0.1:${server.address().port}/hook` }
}

test('a webhook arrives signed, after failures and a crash, once for each event', async (t) => {
  let broken = true
  const hook = await receiver(t, () => (broken ? 500 : 200))
  const folder = mkdtempSync(join(tmpdir(), 'yiwang-hook-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'secret'), 'the secret\n')
  const d = await District.start(t, { settings: { webhook_url: hook.url, webhook_secret_file: join(folder, 'secret') } })
  const { body } = await d.report({ item: '0201' })
  await until(() => /notify/.test(d.log), 'a failed try is logged')
  await d.stop('SIGKILL')
  broken = false
  await d.serve()
  const { body: json, signature } = await until(() => hook.got.find((g) => g.body.includes(body.number)), 'the webhook arrives', 60)
  const [, seconds, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature)
  assert.equal(digest, createHmac('sha256', 'the secret').update(`${seconds}.${json}`).digest('hex'))
  assert.ok(JSON.parse(json))
  assert.doesNotMatch(d.log, /the secret/)
})
