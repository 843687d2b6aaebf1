import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import type { Offered, Waiting } from '../src/api/types'
import { after, joins, pressed, sendsOn } from '../src/lib/dispatch'
import { UNDO_MS, usePending } from '../src/lib/pending'

const offered = (name: string, required: string[], formats: Record<string, string>): Offered => ({
  name, label: { zh: '', en: '' }, form: { required, properties: Object.fromEntries(Object.entries(formats).map(([k, format]) => [k, { format }])) },
})

describe('what a dispatcher may do', () => {
  it('is sent on by the move whose form names an item and a unit', () => {
    const dispatch = offered('dispatch', ['unit'], { unit: 'unit', item: 'item', assists: 'unit' })
    const rule = offered('rule', ['unit', 'result'], { unit: 'unit', item: 'item' }) // wants more than that
    const correct = offered('correct', ['item', 'reason'], { item: 'item' })
    expect(sendsOn([correct, rule, dispatch])).toBe(dispatch)
    expect(sendsOn([correct, rule])).toBeUndefined()
  })

  it('is joined where the pack lets him', () => {
    const merge = offered('merge', ['case', 'reason'], { case: 'case' })
    expect(joins([offered('urge', [], {}), merge])).toBe(merge)
    expect(joins([])).toBeUndefined()
  })

  it('has keys, but not while somebody writes', () => {
    const key = (k: string, more = {}) => ({ key: k, ctrlKey: false, altKey: false, metaKey: false, ...more })
    expect(pressed(key('2'), false, false)).toEqual({ act: 'choose', n: 1 })
    expect(pressed(key('4'), false, false)).toBeNull()
    expect(pressed(key('Enter'), false, false)).toEqual({ act: 'choose', n: 0 })
    expect(pressed(key('Enter'), false, true)).toBeNull() // the button's own
    expect(pressed(key('U'), false, true)).toEqual({ act: 'undo' })
    expect(pressed(key('u'), true, false)).toBeNull()
    expect(pressed(key('j', { ctrlKey: true }), false, false)).toBeNull()
    expect(pressed(key('x'), false, false)).toBeNull()
  })

  it('goes on with the case behind the one that is done', () => {
    const cases = ['a', 'b', 'c'].map((number) => ({ number })) as Waiting[]
    expect(after(cases, 'a')).toBe('b')
    expect(after(cases, 'c')).toBe('b')
    expect(after(cases.slice(0, 1), 'a')).toBeNull()
  })
})

describe('decisions that wait', () => {
  const leaving: (() => void)[] = []
  beforeEach(() => {
    vi.useFakeTimers()
    leaving.length = 0
    vi.stubGlobal('window', { addEventListener: (_: string, f: () => void) => leaving.push(f), removeEventListener: () => undefined })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
  const begin = () => {
    const sent: [string, boolean][] = [], scope = effectScope()
    const pending = scope.run(() => usePending<string>((what, left) => sent.push([what, left])))!
    return { sent, scope, ...pending }
  }

  it('are sent a moment later, in order', () => {
    const p = begin()
    p.add('a')
    vi.advanceTimersByTime(1000)
    p.add('b')
    vi.advanceTimersByTime(UNDO_MS - 1001)
    expect(p.sent).toEqual([])
    vi.advanceTimersByTime(1)
    expect(p.sent).toEqual([['a', false]])
    vi.advanceTimersByTime(1000)
    expect(p.sent).toEqual([['a', false], ['b', false]])
    expect(p.waiting.value).toEqual([])
  })

  it('are taken back, the last one first, and each but once', () => {
    const p = begin()
    p.add('a')
    p.add('b')
    expect(p.undo()).toBe('b')
    vi.advanceTimersByTime(UNDO_MS)
    expect(p.sent).toEqual([['a', false]])
    expect(p.undo()).toBeNull()
  })

  it('are sent at once when the page is left, and none twice', () => {
    const p = begin()
    p.add('a')
    p.add('b')
    leaving.forEach((leave) => leave())
    vi.advanceTimersByTime(2 * UNDO_MS)
    expect(p.sent).toEqual([['a', true], ['b', true]])
    p.add('c')
    p.scope.stop()
    expect(p.sent[2]).toEqual(['c', false])
  })
})
