/* The language of the page: chosen once, remembered, told to the server with every request. */
import { readonly, ref } from 'vue'
import { en } from './en'
import { zh, type Key, type Messages } from './zh'

export type Language = 'zh' | 'en'
export type { Key }

const KEPT_AS = 'yiwang.language'
const messages: Record<Language, Messages> = { zh, en }
const chosen = ref<Language>('zh')

export const language = readonly(chosen)

/** What was chosen before; otherwise the first of the browser's languages that we speak; otherwise Chinese. */
export function firstLanguage(kept: string | null, spoken: readonly string[]): Language {
  if (kept === 'zh' || kept === 'en')
    return kept
  const known = spoken.map((s) => s.slice(0, 2).toLowerCase()).find((s) => s === 'zh' || s === 'en')
  return (known as Language | undefined) ?? 'zh'
}

export function fill(text: string, holes: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(holes[name] ?? hole))
}

export const t = (key: Key, holes?: Record<string, string | number>): string => fill(messages[chosen.value][key], holes)

/** Storage may be forbidden; then the choice lasts as long as the page. */
function kept(): string | null {
  try {
    return localStorage.getItem(KEPT_AS)
  } catch {
    return null
  }
}

export function setLanguage(next: Language): void {
  chosen.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
  try {
    localStorage.setItem(KEPT_AS, next)
  } catch {
    // nothing to do: see kept()
  }
}

export const startLanguage = (): void => setLanguage(firstLanguage(kept(), navigator.languages))

/** Names the server gives in both languages; the English one may be missing. */
export const nameOf = (thing: { name: string; name_en?: string | null }): string =>
  chosen.value === 'en' && thing.name_en ? thing.name_en : thing.name
