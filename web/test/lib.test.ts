import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Area, Item, Position } from '../src/api/types'
import { areaAt, boxOf, middleOf, rounded, within } from '../src/lib/geometry'
import { follow, POLL_SECONDS, type Events, type Mode } from '../src/lib/live'
import { search } from '../src/lib/search'
import { distance, instant } from '../src/lib/time'

describe('instants', () => {
  const due = '2026-11-25T15:00:00+08:00'

  it('are shown with the weekday, in the district\'s time wherever the reader is', () => {
    expect(instant(due, 'zh')).toBe('2026年11月25日 星期三 15:00')
    expect(instant(due, 'en')).toBe('Wednesday, 25 November 2026, 15:00')
    expect(instant('2026-11-25T18:30:00.123456Z', 'zh')).toBe('2026年11月26日 星期四 02:30')
    expect(instant('2026-11-25T00:05:00+08:00', 'en')).toBe('Wednesday, 25 November 2026, 00:05')
  })

  it('that are none are shown as they came', () => expect(instant('tomorrow', 'zh')).toBe('tomorrow'))

  it.each([
    ['2026-11-23T14:00:00+08:00', 'in 2 days', '2天后'], ['2026-11-25T10:30:00+08:00', 'in 4 hours', '4小时后'],
    ['2026-11-25T14:50:00+08:00', 'in 10 minutes', '10分钟后'], ['2026-11-26T16:00:00+08:00', '1 day ago', '1天前'],
  ])('from %s: %s', (now, en, zh) => {
    expect(distance(due, Date.parse(now), 'en')).toBe(en)
    expect(distance(due, Date.parse(now), 'zh').replace(/\s/g, '')).toBe(zh)
  })
})

const square = (x: number, y: number, side: number): Position[] => [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
const area = (code: string, ...rings: Position[][]): Area => ({
  code, name: code, name_en: null, level: 'community', parent: 'p', schematic: true,
  outline: rings.length ? { type: 'Polygon', coordinates: rings } : null,
})

describe('geometry', () => {
  const ring = area('ring', square(0, 0, 10), square(4, 4, 2))

  it('tells inside from outside and from a hole', () => {
    expect(within(ring.outline!, { lon: 1, lat: 1 })).toBe(true)
    expect(within(ring.outline!, { lon: 5, lat: 5 })).toBe(false)
    expect(within(ring.outline!, { lon: 11, lat: 5 })).toBe(false)
  })

  it('finds the area of a point', () => {
    const areas = [area('none'), ring, area('east', square(10, 0, 10))]
    expect(areaAt(areas, { lon: 15, lat: 5 })?.code).toBe('east')
    expect(areaAt(areas, { lon: 5, lat: 5 })).toBeNull()
  })

  it('measures boxes', () => {
    expect(boxOf([ring, area('none'), area('east', square(10, 2, 10))])).toEqual([0, 0, 20, 12])
    expect(boxOf([area('none')])).toBeNull()
  })

  it('puts names where the area is heaviest', () => {
    expect(middleOf(ring)).toEqual({ lon: 5, lat: 5 })
    expect(middleOf(area('parts', square(50, 50, 1), square(0, 0, 4)))).toEqual({ lon: 2, lat: 2 })
    const hook: Position[] = [[0, 0], [6, 0], [6, 2], [2, 2], [2, 6], [0, 6], [0, 0]]
    expect(middleOf(area('hook', hook))!.lon).toBeCloseTo(2.2, 9)
    expect(middleOf(area('flat', [[1, 1], [1, 1], [1, 1]]))).toEqual({ lon: 1, lat: 1 })
    expect(middleOf(area('none'))).toBeNull()
  })

  it('rounds', () => {
    expect(rounded({ lon: 114.123456789, lat: 22.1 })).toEqual({ lon: 114.123457, lat: 22.1 })
  })
})

describe('search', () => {
  const item = (code: string, name: string, parent: string | null, leaf: boolean, name_en: string | null = null): Item =>
    ({ code, name, name_en, parent, level: 1, leaf, limit: null })
  const items = [
    item('1', '市政设施', null, false, 'Facilities'), item('11', '路灯', '1', false, 'Street lamps'), item('111', '路灯不亮', '11', true, 'Street lamp out'),
    item('112', '灯杆倾斜', '11', true), item('2', '道路', null, false), item('21', '损坏路灯', '2', true), item('22', '路灯', '2', true),
  ]
  const codes = (query: string) => search(items, query).map((f) => f.item.code)

  it('gives leaves: the very name first, then those that begin so, hold it, stand below it', () => {
    expect(codes('路灯')).toEqual(['22', '111', '21', '112'])
  })
  it('takes English, codes, and several words', () => {
    expect(codes('STREET out')).toEqual(['111'])
    expect(codes('21')).toEqual(['21'])
    expect(codes('道路 损坏')).toEqual(['21'])
  })
  it('gives the way down', () => {
    expect(search(items, '不亮')[0]!.path.map((i) => i.code)).toEqual(['1', '11', '111'])
  })
  it('finds nothing for nothing', () => {
    expect(codes('  ')).toEqual([])
    expect(codes('海豚')).toEqual([])
  })
})

describe('follow', () => {
  class Fake implements Events {
    static made: Fake[] = []
    readyState = 0
    closed = false
    private heard = new Map<string, () => void>()
    constructor() { Fake.made.push(this) }
    addEventListener(name: string, heard: () => void) { this.heard.set(name, heard) }
    close() { this.closed = true }
    tell(name: string) { this.heard.get(name)!() }
  }
  const latest = () => Fake.made[Fake.made.length - 1]!
  let modes: Mode[]
  let load: ReturnType<typeof vi.fn<() => Promise<void>>>
  let end: () => void

  beforeEach(() => {
    vi.useFakeTimers()
    Fake.made = []
    modes = []
    load = vi.fn(async () => {})
    end = follow({ open: () => new Fake(), load, onMode: (m) => modes.push(m) })
  })
  afterEach(() => {
    end()
    vi.useRealTimers()
  })

  it('reads anew at each event', () => {
    latest().tell('open')
    latest().tell('case')
    expect(modes).toEqual(['connecting', 'live'])
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('asks again while the connection is lost, and stops that when it is back', () => {
    latest().tell('error')
    vi.advanceTimersByTime(2 * POLL_SECONDS * 1000)
    expect(modes).toEqual(['connecting', 'polling'])
    expect(load).toHaveBeenCalledTimes(2)
    latest().tell('open')
    vi.advanceTimersByTime(10 * POLL_SECONDS * 1000)
    expect(load).toHaveBeenCalledTimes(3)
    expect(modes[modes.length - 1]).toBe('live')
    expect(Fake.made).toHaveLength(1)
  })

  it('connects anew when the browser has given up', () => {
    latest().readyState = 2
    latest().tell('error')
    vi.advanceTimersByTime(60_000)
    expect(Fake.made).toHaveLength(2)
    expect(Fake.made[0]!.closed).toBe(true)
  })

  it('does nothing more after its end', () => {
    latest().readyState = 2
    latest().tell('error')
    end()
    vi.advanceTimersByTime(600_000)
    expect(load).not.toHaveBeenCalled()
    expect(Fake.made).toHaveLength(1)
    expect(latest().closed).toBe(true)
  })
})
