#!/usr/bin/env node
/* run.mjs URL: checks the GeoReport v2 server at URL.  See README.md. */
import { realpathSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { Context } from './lib/context.mjs'
import { expand, runChecks, totals } from './lib/suite.mjs'
import forms from './checks/forms.mjs'
import services from './checks/services.mjs'
import requests from './checks/requests.mjs'
import post from './checks/post.mjs'
import errors from './checks/errors.mjs'
import extensions from './checks/extensions.mjs'

const USAGE = `node run.mjs URL [options]   checks the GeoReport v2 server whose calls begin at URL
  --write               also POST: requests are really made on the server (needs --key)
  --key KEY             the api_key
  --jurisdiction ID     the jurisdiction_id, for servers of several
  --lat N --long N      where requests are reported (else where one was reported already)
  --address-id ID       an address_id that the server knows
  --token TOKEN         a token that the server gave (else those that the POSTs give)
  --service CODE        the service that requests are made of (else the first without attributes)
  --discovery URL       the discovery document (else beside the calls, or one folder above)
  --formats json,xml    the formats to check (else those of the discovery document)
  --extensions          also what yiwang adds to the standard
  --only ID[,ID...]     these checks alone; ID. at the end takes all that begin so
  --json FILE           writes the results there
  --quiet               shows only what failed
  --list                lists the checks and asks no server`
const OPTIONS = {
  write: { type: 'boolean' }, key: { type: 'string' }, jurisdiction: { type: 'string' }, lat: { type: 'string' }, long: { type: 'string' },
  'address-id': { type: 'string' }, token: { type: 'string' }, service: { type: 'string' }, discovery: { type: 'string' },
  formats: { type: 'string' },
  extensions: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' }, quiet: { type: 'boolean' }, list: { type: 'boolean' },
  help: { type: 'boolean' },
}

/** Every check, one for each format. */
export const CHECKS = expand([forms, services, requests, errors, post, extensions])

function chosen(only) {
  if (!only) return CHECKS
  const wanted = Array.isArray(only) ? only : only.split(',')
  const unknown = wanted.find((name) => !CHECKS.some((check) => check.id === name || (name.endsWith('.') && check.id.startsWith(name))))
  if (unknown) throw new Error(`there is no check ${unknown}`)
  return CHECKS.filter((check) => wanted.some((name) => check.id === name || (name.endsWith('.') && check.id.startsWith(name))))
}

/** Throws a sentence when nothing answers at the address. */
async function reach(base) {
  try {
    await fetch(`${base.replace(/\/+$/, '')}/services.xml`, { signal: AbortSignal.timeout(60000) })
  } catch (e) {
    throw new Error(`${base} cannot be reached: ${e.cause?.message || e.cause?.code || e.message}`)
  }
}

/** Checks the server at options.base; gives the results.  Options are those of the command, in camelCase; `each` sees every result. */
export function conformance(options, each) {
  const context = new Context(options)
  return runChecks(chosen(options.only), context, { write: !!options.write, extensions: !!options.extensions }, each)
}

function line(one) {
  const mark = { passed: 'ok     ', failed: 'FAILED ', skipped: 'skipped' }[one.result]
  const more = [one.reason && `        ${one.reason}`, one.result === 'failed' && one.seen && `        seen: ${one.seen}`].filter(Boolean)
  return [`${mark} ${one.id} [${one.level}, ${one.section}] ${one.says}`, ...more].join('\n')
}

function fromArguments() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
    if (values.help || values.list) return { values }
    if (positionals.length !== 1) throw new Error('name one URL')
    if (!/^https?:\/\//.test(positionals[0])) throw new Error(`${positionals[0]} is no address that begins with http:// or https://`)
    const formats = values.formats?.split(',')
    if (formats?.some((one) => one !== 'json' && one !== 'xml')) throw new Error('--formats takes json, xml or both with a comma')
    return { values, options: { ...values, base: positionals[0], addressId: values['address-id'], formats, tokens: values.token && [values.token] } }
  } catch (e) {
    console.error(`${e.message}\n\n${USAGE}`)
    process.exit(2)
  }
}

async function main() {
  const { values, options } = fromArguments()
  if (values.help) return console.log(USAGE)
  if (values.list) return CHECKS.forEach((check) => console.log(`${check.id} [${check.level}, ${check.section}] ${check.says}`))
  let results
  try {
    await reach(options.base)
    results = await conformance(options, (one) => (one.result === 'failed' || !values.quiet) && console.log(line(one)))
  } catch (e) {
    console.error(e.message)
    process.exit(2)
  }
  const sum = totals(results)
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ url: options.base, at: new Date().toISOString(), ...sum, results }, null, 2)}\n`)
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
  process.exitCode = sum.musts ? 1 : 0
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) await main()
