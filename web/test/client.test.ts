import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError, call, pause, persist, PATIENCE_MS, retryAfterSeconds } from '../src/api/client'
import { allItems, areasOf, readTrack } from '../src/api/district'

const answers = (...list: (Response | Error)[]) => {
  const fetched = vi.fn(async (_path: string, _init: RequestInit) => {
    const next = list.shift()
    if (!next || next instanceof Error)
      throw next ?? new Error('no more answers')
    return next
  })
  vi.stubGlobal('fetch', fetched)
  return fetched
}
const json = (value: unknown, status = 200, headers: Record<string, string> = {}) => new Response(JSON.stringify(value), { status, headers })

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-24T02:00:00Z') }))
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('call', () => {
  it('sends JSON and the language', async () => {
    const fetched = answers(json({ number: '1' }, 201))
    expect(await call('POST', '/api/v1/reports', { language: 'zh', body: { text: '路灯' } })).toEqual({ status: 201, value: { number: '1' } })
    const [path, init] = fetched.mock.calls[0]!
    expect(path).toBe('/api/v1/reports')
    expect(init.method).toBe('POST')
    expect(init.body).toBe('{"text":"路灯"}')
    expect(init.headers).toMatchObject({ 'Accept-Language': 'zh', 'Content-Type': 'application/json' })
  })

  it('sends no content type without a body', async () => {
    const fetched = answers(json({}))
    await call('GET', '/x', { language: 'en' })
    expect(fetched.mock.calls[0]![1].headers).not.toHaveProperty('Content-Type')
  })

  it('asks for the proof of who is signed in when a change is refused, once', async () => {
    const refusal = () => json({ detail: 'the header X-CSRF-Token is missing' }, 403)
    const fetched = answers(refusal(), json({ csrf: 'P1' }), json({}, 201), refusal(), json({ csrf: 'P1' }))
    expect((await call('POST', '/x', { language: 'en', body: {} })).status).toBe(201)
    expect(fetched.mock.calls.map((c) => [c[1].method, c[0]])).toEqual([['POST', '/x'], ['GET', '/api/v1/session'], ['POST', '/x']])
    expect(fetched.mock.calls[2]![1].headers).toMatchObject({ 'X-CSRF-Token': 'P1' })
    await expect(call('POST', '/x', { language: 'en', body: {} })).rejects.toMatchObject({ status: 403 }) // the proof was right: it is not allowed
    expect(fetched).toHaveBeenCalledTimes(5)
  })

  it('knows answers without a body', async () => {
    answers(new Response(null, { status: 204 }))
    expect(await call('DELETE', '/x', { language: 'en' })).toEqual({ status: 204, value: null })
  })

  it('reads a problem answer', async () => {
    answers(json({ detail: 'no such item', field: 'item', request: 'r1' }, 400))
    const error = await call('GET', '/x', { language: 'en' }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ status: 400, message: 'no such item', field: 'item', request: 'r1', retryAfter: null, passing: false })
  })

  it('survives an error page that is not JSON', async () => {
    answers(new Response('<html>Bad gateway</html>', { status: 502 }))
    await expect(call('GET', '/x', { language: 'en' })).rejects.toMatchObject({ status: 502, message: '', field: null, passing: true })
  })

  it('reads Retry-After', async () => {
    answers(json({ detail: 'busy' }, 503, { 'Retry-After': '7' }))
    await expect(call('GET', '/x', { language: 'en' })).rejects.toMatchObject({ status: 503, retryAfter: 7, passing: true })
  })

  it('says status 0 when there is no connection, and when an answer is no JSON', async () => {
    answers(new TypeError('Failed to fetch'), new Response('not json'))
    await expect(call('GET', '/x', { language: 'en' })).rejects.toMatchObject({ status: 0, passing: true })
    await expect(call('GET', '/x', { language: 'en' })).rejects.toMatchObject({ status: 0 })
  })

  it('does not wait for an answer for ever', async () => {
    vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) =>
      new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))))
    const waiting = expect(call('GET', '/x', { language: 'en' })).rejects.toMatchObject({ status: 0 })
    await vi.advanceTimersByTimeAsync(PATIENCE_MS)
    await waiting
  })
})

describe('the routes', () => {
  it('follow the pages of a list', async () => {
    const fetched = answers(json({ items: [{ code: '1' }], next: '200 a' }), json({ items: [{ code: '2' }] }))
    expect((await allItems('en')).map((i) => i.code)).toEqual(['1', '2'])
    expect(fetched.mock.calls.map((c) => c[0])).toEqual(['/api/v1/items?limit=1000', '/api/v1/items?limit=1000&after=200%20a'])
  })

  it('ask for outlines and escape codes', async () => {
    const fetched = answers(json({ areas: [] }), json({ number: '1' }))
    await areasOf('community', 'zh')
    await readTrack('A/B', 'zh')
    expect(fetched.mock.calls.map((c) => c[0])).toEqual(['/api/v1/areas?level=community&outline=yes&limit=1000', '/api/v1/track/A%2FB'])
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-11-24T02:00:00Z')
  it.each([
    ['12', 12], [' 0 ', 0], ['Tue, 24 Nov 2026 02:00:30 GMT', 30], ['Tue, 24 Nov 2026 01:00:00 GMT', 0], ['soon', null], ['', null], [null, null],
  ])('%s is %s', (header, seconds) => expect(retryAfterSeconds(header, now)).toBe(seconds))

  it('is kept within reason; without it the pause doubles', () => {
    expect(pause(new ApiError(503, {}, 0), 1)).toBe(1)
    expect(pause(new ApiError(503, {}, 20), 1)).toBe(20)
    expect(pause(new ApiError(503, {}, 86_400), 1)).toBe(300)
    expect([1, 2, 3, 9].map((n) => pause(new ApiError(0, {}), n))).toEqual([2, 4, 8, 60])
  })
})

describe('persist', () => {
  const busy = new ApiError(503, {}, 3)

  it('tries until it is answered', async () => {
    const waits: number[] = []
    const attempt = vi.fn().mockRejectedValueOnce(busy).mockRejectedValueOnce(new ApiError(0, {})).mockResolvedValue('done')
    expect(await persist(attempt, { most: 5, wait: async (s) => void waits.push(s) })).toBe('done')
    expect(waits).toEqual([3, 4])
  })

  it('gives up after the most tries', async () => {
    const attempt = vi.fn().mockRejectedValue(busy)
    await expect(persist(attempt, { most: 3, wait: async () => {} })).rejects.toBe(busy)
    expect(attempt).toHaveBeenCalledTimes(3)
  })

  it.each([400, 403, 404, 409, 413, 500])('does not repeat what was refused with %i', async (status) => {
    const attempt = vi.fn().mockRejectedValue(new ApiError(status, {}))
    await expect(persist(attempt, { most: 3, wait: async () => {} })).rejects.toMatchObject({ status })
    expect(attempt).toHaveBeenCalledTimes(1)
  })

  it('ends when the person does not want to wait', async () => {
    const attempt = vi.fn().mockRejectedValue(busy)
    await expect(persist(attempt, { most: 3, wait: () => Promise.reject(new Error('stopped')) })).rejects.toThrow('stopped')
    expect(attempt).toHaveBeenCalledTimes(1)
  })
})
