/* node test/faults/summary.mjs FILE.jsonl [DOC.md]: the campaign in words.  With DOC.md the words replace what stands there
 * between the lines <!-- seen --> and <!-- /seen -->. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l))

function words(value) {
  if (value === null || typeof value !== 'object') return String(value)
  return Object.entries(value).map(([k, v]) => `${k.replaceAll('_', ' ')} ${v && typeof v === 'object' ? `(${words(v)})` : words(v)}`).join(', ')
}

/** The last try of each fault on each store. */
const latest = new Map(lines.map((l) => [`${l.fault} ${l.store}`, l]))
const faults = Map.groupBy ? Map.groupBy(latest.values(), (l) => l.fault) : new Map()
if (!Map.groupBy) for (const l of latest.values()) faults.set(l.fault, [...(faults.get(l.fault) ?? []), l])

const count = (result) => [...latest.values()].filter((l) => l.result === result).length
const days = [...new Set(lines.map((l) => l.at.slice(0, 10)))].sort()
const out = [
  `${days.join(' to ')}; ${cpus().length} processors (${cpus()[0].model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}: `
    + `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped.`, '']
for (const [name, tries] of faults) {
  out.push(`### ${name[0].toUpperCase()}${name.slice(1)}`, `Must hold: ${tries[0].checked}.`, '')
  for (const l of tries) out.push(`- ${l.store}: **${l.result}** in ${l.seconds} s${l.why ? ` (${l.why.split('\n')[0]})` : ''}: ${words(l.seen)}`)
  out.push('')
}
const text = out.join('\n')
if (process.argv[3]) {
  const doc = readFileSync(process.argv[3], 'utf8')
  writeFileSync(process.argv[3], doc.replace(/(<!-- seen -->\n)[^]*(<!-- \/seen -->)/, (_, a, b) => a + text + b))
} else {
  process.stdout.write(text)
}
