/* The routes this page uses. */
import { call, type Answer } from './client'
import type { Alike, Area, AreaLevel, Asked, Item, NewReport, NewWord, Piece, Question, Reading, Receipt, Tracked } from './types'

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

export const readText = async (text: string, language: string, signal?: AbortSignal): Promise<Reading> =>
  (await call<Reading>('POST', '/api/v1/triage', { body: { text }, language, signal })).value

export const readAlike = async (body: { text: string; location?: { lon: number; lat: number }; area_code?: string; item?: string }, language: string,
  signal?: AbortSignal): Promise<Alike[]> => (await call<{ cases: Alike[] }>('POST', '/api/v1/alike', { body, language, signal })).value.cases

const track = (code: string, more = '') => `/api/v1/track/${encodeURIComponent(code)}${more}`

export const readTrack = async (code: string, language: string): Promise<Tracked> => (await call<Tracked>('GET', track(code), { language })).value

export const trackEvents = (code: string) => track(code, '/events')

export const readEvidence = async (code: string, language: string): Promise<Piece[]> =>
  (await call<{ evidence: Piece[] }>('GET', track(code, '/evidence'), { language })).value.evidence

export const pictureOf = (code: string, n: number) => track(code, `/evidence/${n}`)

export const readAsked = async (code: string, language: string): Promise<Asked | null> =>
  (await call<{ question: Asked | null }>('GET', track(code, '/messages'), { language })).value.question

export const proofOf = (code: string) => track(code, '/proof')

const question = (link: string) => `/api/v1/callback/${encodeURIComponent(link)}`

export const readQuestion = async (link: string, language: string): Promise<Question> => (await call<Question>('GET', question(link), { language })).value

export const sendWord = async (link: string, body: NewWord, language: string): Promise<Pick<Asked, 'state' | 'answered'>> =>
  (await call<Pick<Asked, 'state' | 'answered'>>('POST', question(link), { body, language })).value
