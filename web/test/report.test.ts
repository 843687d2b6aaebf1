import { webcrypto } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { emptyForm, faultsOf, fieldOf, followed, newId, requestOf, trackCode } from '../src/lib/report'

const form = (changes = {}) => ({ ...emptyForm(), text: '  路灯不亮 ', ...changes })

describe('requestOf', () => {
  it('sends no more than was filled in', () => {
    expect(requestOf(form(), 'id-1')).toEqual({ channel: 'web', external_id: 'id-1', text: '路灯不亮', urgency: 'ordinary' })
  })

  it('sends the pin rather than the area', () => {
    const body = requestOf(form({ point: { lon: 114.35, lat: 22.69 }, area: '440310001001' }), 'i')
    expect(body.location).toEqual({ lon: 114.35, lat: 22.69 })
    expect(body).not.toHaveProperty('area_code')
    expect(requestOf(form({ area: '440310001001' }), 'i').area_code).toBe('440310001001')
  })

  it('sends contact details only when there are any', () => {
    expect(requestOf(form({ confidential: true, name: ' ' }), 'i')).not.toHaveProperty('reporter')
    expect(requestOf(form({ confidential: true, phone: ' 13800001234 ' }), 'i').reporter).toEqual({ confidential: true, phone: '13800001234' })
  })

  it('sends the rest', () => {
    expect(requestOf(form({ item: '02306', address: ' 深汕路 12 号 ', urgent: true }), 'i')).toMatchObject({
      item: '02306', address: '深汕路 12 号', urgency: 'urgent',
    })
  })
})

describe('followed', () => {
  const of = (created: string, same_as: string) => ({ created, same_as, item_name: null, probability: 0.5, metres: null })
  const follow = { created: '2026-11-30T01:00:00Z', same_as: 'a' }

  it('is named as the newest answer names it', () => {
    expect(followed([of('2026-11-29T01:00:00Z', 'x'), of('2026-11-30T01:00:00Z', 'b')], follow)?.same_as).toBe('b')
    expect(requestOf(form({ follow }), 'i').same_as).toBe('a')
  })

  it('is nothing when it is not proposed any more, or nothing was chosen', () => {
    expect(followed([of('2026-11-29T01:00:00Z', 'x')], follow)).toBeNull()
    expect(followed(null, follow)).toBeNull()
    expect(followed([of('2026-11-30T01:00:00Z', 'b')], null)).toBeNull()
    expect(requestOf(form(), 'i')).not.toHaveProperty('same_as')
  })
})

describe('faultsOf', () => {
  it('finds what is certainly wrong', () => {
    expect(faultsOf(form())).toEqual([])
    expect(faultsOf(form({ text: ' \n ' }))).toEqual([{ field: 'text', message: 'textMissing' }])
    expect(faultsOf(form({ text: '灯'.repeat(10_001), phone: '12' })).map((f) => f.message)).toEqual(['textLong', 'phoneShort'])
  })

  it('counts characters as the server does', () => {
    expect(faultsOf(form({ text: '🌳'.repeat(10_000) }))).toEqual([])
  })

  it('takes phone numbers as people write them', () => {
    expect(faultsOf(form({ phone: '+86 755-8462 1234' }))).toEqual([])
    expect(faultsOf(form({ phone: '12345' }))).toEqual([])
  })
})

describe('fieldOf', () => {
  it.each([
    ['text', 'text'], ['item', 'item'], ['location', 'place'], ['location.lon', 'place'], ['area_code', 'place'], ['address', 'address'],
    ['urgency', 'urgency'], ['reporter.phone', 'phone'], ['reporter.name', 'name'], ['reporter.email', 'phone'], ['reporter', 'phone'],
    ['channel', null], ['external_id', null], ['', null], [null, null],
  ])('%s belongs to %s', (name, field) => expect(fieldOf(name)).toBe(field))
})

describe('codes', () => {
  it('makes ids that are version 4 UUIDs and do not repeat', () => {
    vi.stubGlobal('crypto', webcrypto) // node 18 has it under this name only
    const ids = Array.from({ length: 200 }, newId)
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(new Set(ids).size).toBe(200)
  })

  it('sets a typed tracking code right', () => {
    expect(trackCode(' 7k3m-9qx2 tb4f\n')).toBe('7K3M9QX2TB4F')
    expect(trackCode('oOiIlL')).toBe('001111')
    expect(trackCode('  ')).toBe('')
  })
})
