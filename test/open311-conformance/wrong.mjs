#!/usr/bin/env node
/* A server that is wrong on purpose: stands before a right one and breaks one named thing, so that it can be seen whether the
 * checks notice.  Each fault names the checks that must fail because of it.
 *
 * node wrong.mjs TARGET FAULT [PORT]   where TARGET is the URL at which the calls of the right server begin
 * node wrong.mjs --list */
import { realpathSync } from 'node:fs'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { FAULTS } from './faults.mjs'

export { FAULTS }

/** What a path below the base (or that of the discovery document, above it) asks for: {kind, format}. */
function kindOf(method, path) {
  const discovery = /\/discovery\.(json|xml)$/.exec(path)
  if (discovery) return { kind: 'discovery', format: discovery[1] }
  const found = /^\/?(\w+)(?:\/(.+))?\.(json|xml)$/.exec(path)
  if (!found) return { kind: 'other', format: null }
  const [, call, one, format] = found
  const kinds = { services: one ? 'definition' : 'services', requests: one ? 'request' : method === 'POST' ? 'created' : 'list', tokens: 'token' }
  return { kind: kinds[call] ?? (method === 'POST' ? `${call} posted` : call), format }
}

const HOP = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding', 'host', 'expect']
const without = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.includes(name)))

async function bytesOf(stream) {
  const parts = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

/** A server on a free port (or `port`) that passes everything to `target`, with the mistakes of `fault` (null: none).  Gives
 * {base, use(fault, from), troubles, stop()}; troubles are mistakes that nobody asked for.  `key` is a right key, for the fault
 * that needs none; `from` is told as X-Forwarded-For, so that a server that counts the calls of each address takes each fault
 * for another client. */
export async function startWrong(target, { fault = null, key = '', port = 0, from = null } = {}) {
  const { origin, pathname } = new URL(target)
  const root = pathname.replace(/\/+$/, '')
  let current = fault
  let client = from
  const troubles = []
  async function pass(request, body) {
    const url = new URL(request.url, origin)
    const path = url.pathname.startsWith(root) ? url.pathname.slice(root.length) : url.pathname
    const asked = {
      url: request.url, path: url.pathname,
      method: request.method, query: url.searchParams, body, key,
      headers: { ...without(request.headers), ...(client && { 'x-forwarded-for': client }) },
      ...kindOf(request.method, path),
    }
    const plain = url.search
    current?.ask?.(asked)
    for (const [name, value] of asked.query) if (value === 'THE KEY') asked.query.set(name, key)
    const search = current?.ask && asked.query.toString() ? `?${asked.query}` : current?.ask ? '' : plain
    const response = await fetch(origin + asked.path + search,
      { method: asked.method, headers: asked.headers, redirect: 'manual', ...(asked.body.length && { body: asked.body }) })
    const headers = without(Object.fromEntries(response.headers))
    const answer = { status: response.status, headers, body: Buffer.from(await response.arrayBuffer()) }
    // The addresses that the right server tells of itself lead here.
    if (/json|xml/.test(headers['content-type'] ?? '')) answer.body = Buffer.from(answer.body.toString('latin1').replaceAll(origin, own()), 'latin1')
    current?.answer?.(answer, asked)
    return answer
  }
  const own = () => `http://127.0.0.1:${server.address().port}`
  const server = createServer(async (request, response) => {
    try {
      const answer = await pass(request, await bytesOf(request))
      for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) response.setHeader(name, value)
      response.writeHead(answer.status).end(answer.body)
    } catch (e) {
      troubles.push(`${current?.name ?? 'no fault'}: ${e.cause?.message ?? e.stack}`)
      response.writeHead(502, { 'content-type': 'text/plain' }).end(`wrong.mjs: ${e.cause?.message ?? e.stack}`)
    }
  })
  await new Promise((done) => server.listen(port, '127.0.0.1', done))
  return {
    base: own() + root,
    troubles,
    use(other, address = client) {
      current = other
      client = address
    },
    stop: () => new Promise((done) => { server.close(done); server.closeAllConnections() }),
  }
}

async function main() {
  const [target, name, port] = process.argv.slice(2)
  if (target === '--list') return FAULTS.forEach((one) => console.log(`${one.name}: ${one.caught.join(', ')}`))
  const fault = FAULTS.find((one) => one.name === name)
  if (!fault || !/^https?:/.test(target)) {
    console.error('node wrong.mjs TARGET FAULT [PORT], or --list to see the faults; the key for "key-not-needed" is in OPEN311_KEY')
    process.exit(2)
  }
  const { base } = await startWrong(target, { fault, key: process.env.OPEN311_KEY, port: Number(port ?? 0) })
  console.log(`wrong (${name}) on ${base}`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) await main()
