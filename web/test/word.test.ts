import { describe, expect, it } from 'vitest'
import type { Asked, Step, Tracked } from '../src/api/types'
import { askedNow, emptyWord, wordFaults, wordField, wordOf, type Word } from '../src/lib/word'

const whole: Word = { solved: false, speed: 1, effect: 2, service: 3, quality: 4, comment: ' 又坏了 ' }

describe('the citizen\'s word', () => {
  it('is whole when everything but the comment is said', () => {
    expect(wordFaults(emptyWord()).map((f) => f.field)).toEqual(['solved', 'speed', 'effect', 'service', 'quality'])
    expect(wordFaults({ ...whole, comment: '' })).toEqual([])
    expect(wordFaults({ ...whole, service: null })).toEqual([{ field: 'service', message: 'wordMissing' }])
  })

  it('has at most 1,000 characters, of whatever planes', () => {
    expect(wordFaults({ ...whole, comment: '𠮷'.repeat(1000) })).toEqual([])
    expect(wordFaults({ ...whole, comment: '𠮷'.repeat(1001) })).toEqual([{ field: 'comment', message: 'wordLong' }])
  })

  it('is sent without what was not said', () => {
    expect(wordOf(whole)).toEqual({ solved: false, speed: 1, effect: 2, service: 3, quality: 4, comment: '又坏了' })
    expect(wordOf({ ...whole, comment: ' ' })).toEqual({ solved: false, speed: 1, effect: 2, service: 3, quality: 4 })
  })

  it('knows its fields', () => {
    expect(wordField('effect')).toBe('effect')
    expect(wordField('phone')).toBeNull()
    expect(wordField(null)).toBeNull()
  })
})

describe('what the tracking page says of the question', () => {
  const step = (state: string, answer?: string): Step => ({ move: 'm', name: { zh: '', en: '' }, state, at: '', ...(answer !== undefined && { answer }) })
  const found = (open: boolean, ...steps: Step[]) => ({ open, state: steps[steps.length - 1]!.state, steps }) as Tracked
  const asked = (state: Asked['state']): Asked => ({ state, asked: '', answered: null })
  const waits = found(true, step('handling'), step('replied', 'done'))

  it('asks while the case stays where the answer brought it', () => {
    expect(askedNow(waits, asked('open'))).toBe('open')
    expect(askedNow(waits, asked('ended'))).toBe('ended')
    expect(askedNow(found(true, step('replied', 'done'), step('replied')), asked('open'))).toBe('open')
    expect(askedNow(found(true, step('replied', 'done'), step('handling')), asked('open'))).toBeNull()
    expect(askedNow(found(false, step('replied', 'done'), step('closed', '')), asked('open'))).toBeNull()
    expect(askedNow(found(true, step('handling')), asked('ended'))).toBeNull()
  })

  it('thanks whenever he has answered, and says nothing when nobody asked', () => {
    expect(askedNow(found(false, step('closed')), asked('answered'))).toBe('answered')
    expect(askedNow(waits, null)).toBeNull()
  })
})
