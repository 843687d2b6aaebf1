/* The list of checks, and how they run.
 *
 * A check is {id, says, section, level, formats, needs, run}: `says` is the sentence that must be true, `section` where the
 * standard says it, `level` "must" (the standard demands it) or "should" (it recommends it, or leaves it open and this is the
 * careful reading), `needs` any of "write", "extensions".  run(t, format) returns when the sentence is true, maybe with what
 * was seen; it throws by fail() or skip() otherwise.  A check with formats becomes one check for each, named ID.json and
 * ID.xml; those that the server does not offer are skipped, unless the check is `always` made. */
export class Failed extends Error {
  constructor(reason, seen) {
    super(reason)
    this.seen = seen
  }
}

export class Skipped extends Error {}

export function fail(reason, seen) {
  throw new Failed(reason, seen)
}

export function skip(reason) {
  throw new Skipped(reason)
}

/** Fails with `reason` unless `good`. */
export function that(good, reason, seen) {
  if (!good) fail(reason, seen)
}

const LEVELS = ['must', 'should']

/** The checks of `lists`, one for each format.  Throws when two have the same id or one is not complete. */
export function expand(lists) {
  const checks = lists.flat().flatMap((check) => {
    const { formats = ['json', 'xml'], needs = [], level = 'must', ...rest } = check
    if (!check.says || !check.section || !LEVELS.includes(level)) throw new Error(`the check ${check.id} is not complete`)
    const one = { needs, level, ...rest }
    return check.formats === null ? [{ ...one, format: null }] : formats.map((format) => ({ ...one, id: `${check.id}.${format}`, format }))
  })
  const twice = checks.find((check, i) => checks.findIndex((other) => other.id === check.id) !== i)
  if (twice) throw new Error(`two checks are called ${twice.id}`)
  return checks
}

const shorten = (text) => (text && text.length > 400 ? `${text.slice(0, 400)}...` : text)

async function runOne(check, context, allowed) {
  const { id, says, section, format, level } = check
  const one = { id, says, section, format, level, result: 'passed', reason: null, seen: null }
  try {
    const lack = check.needs.find((need) => !allowed[need])
    if (lack) skip(`not asked for: --${lack}`)
    if (check.needs.includes('write') && !context.server.key) skip('no key was given: --key')
    if (format && !check.always && !(await context.formats()).includes(format)) skip(`the server does not offer ${format}`)
    const seen = await check.run(context, format)
    if (typeof seen === 'string') one.seen = shorten(seen)
  } catch (e) {
    one.result = e instanceof Skipped ? 'skipped' : 'failed'
    one.reason = e instanceof Failed || e instanceof Skipped ? e.message : `the check could not be made: ${e.cause?.message ?? e.message}`
    one.seen = shorten(e.seen) ?? null
    if (process.env.OPEN311_CONFORMANCE_TRACE && one.result === 'failed') console.error(e)
  }
  return one
}

/** Runs `checks` one after the other and gives their results; `each` is told of every result at once. */
export async function runChecks(checks, context, allowed, each = () => {}) {
  const results = []
  for (const check of checks) {
    const one = await runOne(check, context, allowed)
    results.push(one)
    each(one)
  }
  return results
}

/** {passed, failed, skipped, musts}: how many results there are of each kind, and how many failed ones are a must. */
export function totals(results) {
  const count = (result) => results.filter((one) => one.result === result).length
  return {
    passed: count('passed'), failed: count('failed'), skipped: count('skipped'),
    musts: results.filter((one) => one.result === 'failed' && one.level === 'must').length,
  }
}
