/* The answers of the server, as /api/openapi.json describes them. */

export interface Named { code: string; name: string }
export interface BothNames { zh: string; en: string }

export interface Item {
  code: string
  name: string
  name_en: string | null
  parent: string | null
  level: number
  leaf: boolean
  limit: { amount: number; unit: string } | null
}

export type AreaLevel = 'district' | 'subdistrict' | 'community' | 'grid' | 'duty'
export type Position = [number, number]
export interface Outline { type: 'Polygon'; coordinates: Position[][] }
export interface Area {
  code: string
  name: string
  name_en: string | null
  level: AreaLevel
  parent: string | null
  schematic: boolean
  outline?: Outline | null
}

export interface NewReport {
  channel: 'web'
  external_id: string
  text: string
  item?: string
  location?: { lon: number; lat: number }
  area_code?: string
  address?: string
  urgency: 'ordinary' | 'urgent'
  same_as?: string
  reporter?: { name?: string; phone?: string; confidential: boolean }
}

export interface Receipt {
  number: string
  track: string
  state: string
  item: (Named & { certainty: number }) | null
  unit: Named
  assists: Named[]
  due: string | null
  why: string[]
}

export interface Step {
  move: string
  name: BothNames
  state: string
  at: string
  unit_name?: string
  answer?: string
}

export interface Tracked {
  number: string
  track: string
  state: string
  state_name: BothNames
  open: boolean
  unit: Named
  item: Named | null
  received: string
  due: string | null
  closed: string | null
  late: boolean
  /** How the case stands that this one was merged into. */
  joint: { state: string; state_name: BothNames; unit: Named; due: string | null } | null
  steps: Step[]
}

/** A picture from before or after that the citizen may see. */
export interface Piece { n: number; kind: 'photo_before' | 'photo_after'; at: string }

export type AskedState = 'open' | 'answered' | 'ended'
/** The newest question how it was; its link went to the reporter alone. */
export interface Asked { state: AskedState; asked: string; answered: string | null }

export interface Question extends Asked {
  number: string
  title: string
  unit: string
  unit_en: string
  result: string
}

export interface NewWord {
  solved: boolean
  speed: number
  effect: number
  service: number
  quality: number
  comment?: string
}

export interface Problem { type?: string; title?: string; status?: number; detail?: string; field?: string; request?: string }

/** What the machine reads from a text. */
export interface Reading { candidates: { item: string; name: string; name_en: string | null; certainty: number }[]; urgent: string | null }

/** An open case that may be the same matter; what is open to anybody. */
export interface Alike { item_name: string | null; created: string; probability: number; metres: number | null; same_as: string }

/* --- the dispatcher's page --- */
export interface Who { name: string; role: string; unit: string | null; area: string | null; csrf: string | null }
export interface Unit { code: string; name: string; name_en: string | null }
export interface Candidate {
  item: string
  name: string
  name_en: string | null
  certainty: number
  for: string[]
  against: string[]
  unit: string | null
  unit_name: string | null
  why: string
  why_zh: string
}
export interface UnitGuess { unit: string; unit_name: string; certainty: number; cases: number; of: number }
export interface WaitingAlike { number: string; title: string; open: boolean; probability: number; sure: boolean; followed: boolean; phrases: string[] }
export interface Waiting {
  number: string
  state: string
  state_name: BothNames
  title: string
  text: string
  urgency: string
  address: string
  created: string
  due: string | null
  late: boolean
  candidates: Candidate[]
  urgent: string | null
  units: UnitGuess[]
  alike?: WaitingAlike[]
}
export interface Offered { name: string; label: BothNames; form: { required?: string[]; properties?: Record<string, { format?: string }> } }
