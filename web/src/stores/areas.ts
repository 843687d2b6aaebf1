/* The areas of the district, read once a visit. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { areasOf } from '../api/district'
import type { Area } from '../api/types'
import { language } from '../i18n'

export const useAreas = defineStore('areas', () => {
  const district = ref<Area | null>(null)
  const subdistricts = ref<Area[]>([])
  const communities = ref<Area[]>([])
  const status = ref<'idle' | 'loading' | 'ready' | 'failed'>('idle')

  async function load(): Promise<void> {
    if (status.value === 'loading' || status.value === 'ready')
      return
    status.value = 'loading'
    try {
      const [top, middle, low] = await Promise.all([
        areasOf('district', language.value), areasOf('subdistrict', language.value), areasOf('community', language.value),
      ])
      district.value = top[0] ?? null
      subdistricts.value = middle
      communities.value = low
      status.value = 'ready'
    } catch {
      status.value = 'failed'
    }
  }

  const below = (subdistrict: string) => communities.value.filter((c) => c.parent === subdistrict)
  const find = (code: string | null) =>
    communities.value.find((a) => a.code === code) ?? subdistricts.value.find((a) => a.code === code) ?? null

  return { district, subdistricts, communities, status, load, below, find }
})
