/* The citizen's word on how it was: what is asked, what is missing, and whether a case waits for it. */
import type { Asked, AskedState, NewWord, Tracked } from '../api/types'

export const COMMENT_MOST = 1000
export const RATINGS = ['speed', 'effect', 'service', 'quality'] as const
export type Rating = (typeof RATINGS)[number]
export const WORD_FIELDS = ['solved', ...RATINGS, 'comment'] as const
export type WordField = (typeof WORD_FIELDS)[number]

export interface Word extends Record<Rating, number | null> {
  solved: boolean | null
  comment: string
}

export const emptyWord = (): Word => ({ solved: null, speed: null, effect: null, service: null, quality: null, comment: '' })

export const wordField = (name: string | null): WordField | null => WORD_FIELDS.find((f) => f === name) ?? null

/** What is missing or too long, in the order of the form. */
export function wordFaults(word: Word): { field: WordField; message: 'wordMissing' | 'wordLong' }[] {
  const missing = (['solved', ...RATINGS] as const).filter((f) => word[f] === null).map((field) => ({ field, message: 'wordMissing' as const }))
  return [...word.comment.trim()].length > COMMENT_MOST ? [...missing, { field: 'comment', message: 'wordLong' }] : missing
}

/** Only for a word without faults. */
export function wordOf(word: Word): NewWord {
  const { solved, speed, effect, service, quality } = word
  const comment = word.comment.trim()
  return { solved: solved!, speed: speed!, effect: effect!, service: service!, quality: quality!, ...(comment && { comment }) }
}

/** What the tracking page says of the question: one that is open or ended matters only while the case stays where the answer brought it. */
export function askedNow(found: Tracked, asked: Asked | null): AskedState | null {
  if (!asked || asked.state === 'answered')
    return asked?.state ?? null
  const told = found.steps.filter((s) => s.answer !== undefined).pop()
  return found.open && told?.state === found.state ? asked.state : null
}
