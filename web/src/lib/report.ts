/* From the form to the request, and from the server's complaint back to the place in the form. */
import type { Alike, NewReport } from '../api/types'
import type { Point } from './geometry'

export const TEXT_MOST = 10_000
export const ADDRESS_MOST = 400

/** The open case that the reporter follows.  The name of a case is another one in each answer; by when it was made it is known again. */
export interface Follow { same_as: string; created: string }

export interface Form {
  text: string
  item: string | null
  point: Point | null
  area: string | null
  address: string
  urgent: boolean
  follow: Follow | null
  name: string
  phone: string
  confidential: boolean
}

export const emptyForm = (): Form => ({
  text: '', item: null, point: null, area: null, address: '', urgent: false, follow: null, name: '', phone: '', confidential: false,
})

export const FIELDS = ['text', 'item', 'place', 'address', 'urgency', 'name', 'phone'] as const
export type Field = (typeof FIELDS)[number]

const OWN_NAMES: Record<string, Field> = {
  text: 'text', title: 'text', item: 'item', location: 'place', area_code: 'place', address: 'address', urgency: 'urgency',
  'reporter.name': 'name', 'reporter.phone': 'phone', reporter: 'phone',
}

/** Where in the form a problem belongs ("location.lon" is about the place); null: to the form as a whole. */
export function fieldOf(name: string | null): Field | null {
  for (let path = name ?? ''; path; path = path.slice(0, Math.max(0, path.lastIndexOf('.')))) {
    const own = OWN_NAMES[path]
    if (own)
      return own
  }
  return null
}

export type Fault = { field: Field; message: 'textMissing' | 'textLong' | 'phoneShort' }

/** Only what is certainly wrong; everything else is the server's to judge. */
export function faultsOf(form: Form): Fault[] {
  const faults: Fault[] = []
  if (!form.text.trim())
    faults.push({ field: 'text', message: 'textMissing' })
  else if ([...form.text].length > TEXT_MOST)
    faults.push({ field: 'text', message: 'textLong' })
  if (form.phone.trim() && form.phone.replace(/\D/g, '').length < 5)
    faults.push({ field: 'phone', message: 'phoneShort' })
  return faults
}

export function requestOf(form: Form, id: string): NewReport {
  const body: NewReport = { channel: 'web', external_id: id, text: form.text.trim(), urgency: form.urgent ? 'urgent' : 'ordinary' }
  if (form.item)
    body.item = form.item
  if (form.point)
    body.location = form.point
  else if (form.area)
    body.area_code = form.area
  if (form.address.trim())
    body.address = form.address.trim()
  if (form.follow)
    body.same_as = form.follow.same_as
  if (form.name.trim() || form.phone.trim()) {
    body.reporter = { confidential: form.confidential }
    if (form.name.trim())
      body.reporter.name = form.name.trim()
    if (form.phone.trim())
      body.reporter.phone = form.phone.trim()
  }
  return body
}

/** The case that is followed, as it is named now; null when it is no longer among those found. */
export const followed = (found: Alike[] | null, follow: Follow | null): Alike | null =>
  (follow && found?.find((c) => c.created === follow.created)) || null

/** crypto.randomUUID exists on secure origins only; a district may try the page over plain http in its own network. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** The server's alphabet leaves out I, L, O and U, so what was misread from paper or misheard can be set right. */
export const trackCode = (typed: string): string =>
  typed.toUpperCase().replace(/[\s-]+/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
