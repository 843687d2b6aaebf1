/* Searching the catalogue: leaves whose name, or whose higher names, hold every word of the query. */
import type { Item } from '../api/types'

export interface Found { item: Item; path: Item[] }

/** From the top down to the item itself. */
export function pathOf(byCode: Map<string, Item>, item: Item): Item[] {
  const path: Item[] = [item]
  for (let up = byCode.get(item.parent ?? ''); up && !path.includes(up); up = byCode.get(up.parent ?? ''))
    path.unshift(up)
  return path
}

const namesOf = (item: Item) => `${item.name} ${item.name_en ?? ''} ${item.code}`.toLowerCase()

/** 0: it is the name; 1: the name begins so; 2: the name holds it; 3: a higher name does; null: no match. */
function rank(path: Item[], words: string[]): number | null {
  const item = path[path.length - 1]!
  const own = namesOf(item)
  if ([item.name, item.name_en, item.code].some((n) => n?.toLowerCase() === words.join(' ')))
    return 0
  if (words.every((w) => own.includes(w)))
    return own.split(' ').some((part) => part.startsWith(words[0]!)) ? 1 : 2
  const all = path.map(namesOf).join(' ')
  return words.every((w) => all.includes(w)) ? 3 : null
}

export function search(items: Item[], query: string): Found[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length)
    return []
  const byCode = new Map(items.map((i) => [i.code, i]))
  const found: (Found & { rank: number })[] = []
  for (const item of items.filter((i) => i.leaf)) {
    const path = pathOf(byCode, item)
    const r = rank(path, words)
    if (r !== null)
      found.push({ item, path, rank: r })
  }
  return found.sort((a, b) => a.rank - b.rank).map(({ item, path }) => ({ item, path }))
}
