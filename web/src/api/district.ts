/* The routes this page uses. */
import { call, type Answer } from './client'
import type { Area, AreaLevel, Item, NewReport, Receipt, Tracked } from './types'

interface Page { next?: string }

/** All pages of a list, in order. */
async function all<K extends string, T>(path: string, key: K, language: string): Promise<T[]> {
  const found: T[] = []
  let after: string | undefined
  do {
    const join = path.includes('?') ? '&' : '?'
    const page = await call<Page & Record<K, T[]>>('GET', after ? `${path}${join}after=${encodeURIComponent(after)}` : path, { language })
    found.push(...page.value[key])
    after = page.value.next
  } while (after)
  return found
}

export const itemsBelow = (parent: string, language: string) =>
  all<'items', Item>(`/api/v1/items?parent=${encodeURIComponent(parent)}&limit=1000`, 'items', language)

export const allItems = (language: string) => all<'items', Item>('/api/v1/items?limit=1000', 'items', language)

export const areasOf = (level: AreaLevel, language: string) =>
  all<'areas', Area>(`/api/v1/areas?level=${level}&outline=yes&limit=1000`, 'areas', language)

export const sendReport = (body: NewReport, language: string, signal?: AbortSignal): Promise<Answer<Receipt>> =>
  call<Receipt>('POST', '/api/v1/reports', { body, language, signal })

export const readTrack = async (code: string, language: string): Promise<Tracked> =>
  (await call<Tracked>('GET', `/api/v1/track/${encodeURIComponent(code)}`, { language })).value

export const trackEvents = (code: string) => `/api/v1/track/${encodeURIComponent(code)}/events`
