/* The report being written. It outlives a reload of the tab, with its id, so that sending again after a lost answer does
 * not make a second case. Name and phone are not kept: the device may be shared.
 * Nor is what is followed: it is found again, and shown, before it is chosen. */
import { defineStore } from 'pinia'
import { emptyForm, newId, type Form } from '../lib/report'

const KEPT_AS = 'yiwang.draft'

interface Draft {
  form: Form
  /** Names of the chosen item, from the top down, for showing it. */
  itemPath: { name: string; name_en: string | null }[]
  id: string
  /** The request as it was first sent without an answer: the server may have it. */
  unanswered: string | null
}

const fresh = (): Draft => ({ form: emptyForm(), itemPath: [], id: newId(), unanswered: null })

function restored(): Draft {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_AS) ?? 'null') as Draft | null
    return kept ? { ...fresh(), ...kept, form: { ...emptyForm(), ...kept.form } } : fresh()
  } catch {
    return fresh()
  }
}

export const useDraft = defineStore('draft', {
  state: restored,
  actions: {
    keep() {
      const { name: _name, phone: _phone, follow: _follow, ...form } = this.form
      try {
        sessionStorage.setItem(KEPT_AS, JSON.stringify({ ...this.$state, form }))
      } catch {
        // no storage: the draft lasts as long as the page
      }
    },
    clear() {
      this.$patch(fresh())
      try {
        sessionStorage.removeItem(KEPT_AS)
      } catch {
        // see keep()
      }
    },
  },
})
