/* The catalogue: a level at a time for browsing, the whole of it only once somebody searches. */
import { defineStore } from 'pinia'
import { ref, shallowReactive } from 'vue'
import { allItems, itemsBelow } from '../api/district'
import type { Item } from '../api/types'
import { language } from '../i18n'
import { pathOf, search, type Found } from '../lib/search'

export const useCatalogue = defineStore('catalogue', () => {
  const levels = shallowReactive(new Map<string, Item[]>())
  const whole = ref<Item[] | null>(null)

  async function below(parent: string): Promise<Item[]> {
    const known = levels.get(parent) ?? whole.value?.filter((i) => (i.parent ?? '') === parent)
    if (known)
      return known
    const found = await itemsBelow(parent, language.value)
    levels.set(parent, found)
    return found
  }

  async function find(query: string): Promise<Found[]> {
    whole.value ??= await allItems(language.value)
    return search(whole.value, query)
  }

  /** From the top down to the item itself; empty when there is none of that code. */
  async function path(code: string): Promise<Item[]> {
    whole.value ??= await allItems(language.value)
    const byCode = new Map(whole.value.map((i) => [i.code, i]))
    const item = byCode.get(code)
    return item ? pathOf(byCode, item) : []
  }

  return { below, find, path }
})
