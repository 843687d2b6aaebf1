import { describe, expect, it } from 'vitest'
import { readdirSync, readFileSync } from 'node:fs'
import { ApiError } from '../src/api/client'
import { fill, firstLanguage, nameOf } from '../src/i18n'
import { en } from '../src/i18n/en'
import { sentence } from '../src/i18n/problem'
import { zh } from '../src/i18n/zh'

const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort()
const keys = Object.keys(zh) as (keyof typeof zh)[]

describe('the texts', () => {
  it('are there in both languages, with the same holes', () => {
    expect(Object.keys(en)).toEqual(keys)
    for (const key of keys) {
      expect(en[key].trim(), key).not.toBe('')
      expect(zh[key].trim(), key).not.toBe('')
      expect(holes(en[key]), key).toEqual(holes(zh[key]))
    }
  })

  it('are in their language', () => {
    for (const key of keys.filter((k) => k !== 'otherLanguage')) {
      expect(en[key], key).not.toMatch(/[一-鿿]/)
      expect(zh[key], key).toMatch(/[一-鿿]/)
    }
  })

  it('are all used', () => {
    const files = readdirSync('src', { recursive: true }).map(String).filter((f) => /\.(vue|ts)$/.test(f) && !/i18n\/(zh|en)\.ts$/.test(f))
    const source = files.map((f) => readFileSync(`src/${f}`, 'utf8')).join('\n')
    expect(keys.filter((k) => !source.includes(`'${k}'`))).toEqual([])
  })

  it('are filled', () => {
    expect(fill('{n} of {all}', { n: 0, all: 'x' })).toBe('0 of x')
    expect(fill('{n} {unknown}', { n: 1 })).toBe('1 {unknown}')
  })
})

describe('the first language', () => {
  it.each([
    ['en', ['zh-CN'], 'en'], [null, ['zh-TW', 'en'], 'zh'], [null, ['de-DE', 'en-US', 'zh'], 'en'], [null, ['de'], 'zh'], ['fr', [], 'zh'],
  ])('kept %s, spoken %j: %s', (kept, spoken, expected) => expect(firstLanguage(kept, spoken)).toBe(expected))
})

describe('sentence', () => {
  it('prefers what the server says', () => {
    expect(sentence(new ApiError(400, { detail: '没有此事项' }))).toBe('没有此事项')
  })

  it('says something of its own otherwise', () => {
    expect(sentence(new ApiError(0, {}))).toBe(zh.problem0)
    expect(sentence(new ApiError(504, {}))).toBe(zh.problem503)
    expect(sentence(new ApiError(418, {}))).toBe('服务器未能处理（418）。')
    expect(sentence(new TypeError('x'))).toBe(zh.loadFailed)
  })
})

it('names fall back to Chinese', () => {
  expect(nameOf({ name: '坪山街道', name_en: 'Pingshan Subdistrict' })).toBe('坪山街道')
  expect(nameOf({ name: '坪山街道' })).toBe('坪山街道')
})
