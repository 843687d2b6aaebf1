/* Calls to the server: JSON in and out, problem answers (RFC 9457) as ApiError, retries where they are safe. */
import type { Problem } from './types'

export const PATIENCE_MS = 20_000

export class ApiError extends Error {
  /** 0: no answer came (no connection, or none within PATIENCE_MS). */
  readonly status: number
  /** Member of the request the problem is about, as the server names it ("reporter.phone"). */
  readonly field: string | null
  /** What the server asked for in Retry-After. */
  readonly retryAfter: number | null
  readonly request: string | null

  constructor(status: number, problem: Problem, retryAfter: number | null = null) {
    super(problem.detail ?? problem.title ?? '')
    this.status = status
    this.field = problem.field ?? null
    this.retryAfter = retryAfter
    this.request = problem.request ?? null
  }

  /** The same request may succeed later without a change. */
  get passing(): boolean {
    return [0, 429, 502, 503, 504].includes(this.status)
  }
}

export interface Answer<T> { status: number; value: T }
export interface Call {
  language: string
  body?: unknown
  signal?: AbortSignal
  /** Goes on when the page is left meanwhile. */
  keepalive?: boolean
}

/** Seconds of a Retry-After header: a number of seconds or an HTTP date; null when there is none or it says nothing. */
export function retryAfterSeconds(header: string | null, now: number): number | null {
  if (!header)
    return null
  const text = header.trim()
  if (/^\d+$/.test(text))
    return Number(text)
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000))
}

function problemOf(text: string): Problem {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Problem) : {}
  } catch {
    return {} // a proxy on the way answered with a page of its own
  }
}

/* Who is signed in is known by a cookie that no script reads; changes carry what the server gave with it. It is asked for when a
 * change is refused: after a reload, in another tab, and also where a citizen's page is used by who is signed in. */
let proof: string | null = null

async function newProof(language: string): Promise<boolean> {
  const before = proof
  proof = (await once<{ csrf: string | null }>('GET', '/api/v1/session', { language })).value.csrf
  return proof !== null && proof !== before
}

export async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options: Call): Promise<Answer<T>> {
  try {
    return await once<T>(method, path, options)
  } catch (error) {
    if (method === 'GET' || !(error instanceof ApiError) || error.status !== 403 || !(await newProof(options.language).catch(() => false)))
      throw error
    return once<T>(method, path, options)
  }
}

async function once<T>(method: string, path: string, { language, body, signal, keepalive }: Call): Promise<Answer<T>> {
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
  const giveUp = () => patience.abort()
  signal?.addEventListener('abort', giveUp)
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language }
  if (body !== undefined)
    headers['Content-Type'] = 'application/json'
  if (proof && method !== 'GET')
    headers['X-CSRF-Token'] = proof
  try {
    const response = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: patience.signal, keepalive,
    })
    const text = await response.text()
    if (!response.ok)
      throw new ApiError(response.status, problemOf(text), retryAfterSeconds(response.headers.get('Retry-After'), Date.now()))
    return { status: response.status, value: (text ? JSON.parse(text) : null) as T }
  } catch (error) {
    if (signal?.aborted || error instanceof ApiError)
      throw error
    throw new ApiError(0, {})
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
  }
}

/** Seconds before try n + 1: what the server asked for, within reason, or twice as long as the time before. */
export function pause(error: ApiError, n: number): number {
  const own = Math.min(60, 2 ** n)
  return error.retryAfter === null ? own : Math.min(300, Math.max(1, error.retryAfter))
}

export interface Persistence {
  most: number
  /** Resolves when the next try is due; rejects to give up. */
  wait: (seconds: number, error: ApiError) => Promise<void>
}

/** Tries again while the fault is a passing one. Only for requests that may safely be sent twice. */
export async function persist<T>(attempt: () => Promise<T>, { most, wait }: Persistence): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof ApiError) || !error.passing || n >= most)
        throw error
      await wait(pause(error, n), error)
    }
  }
}
