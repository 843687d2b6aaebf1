/* What a dispatcher may do with a waiting case, from what the server offers; pure. */
import type { Offered, Waiting } from '../api/types'

export interface Decision { number: string; title: string; what: string; body: { move: string; item?: string; unit?: string; case?: string; reason?: string } }

const formats = (m: Offered) => Object.values(m.form.properties ?? {}).map((p) => p.format)

/** The move that sends a case to a unit: whatever the pack calls it, its form names an item and a unit. */
export const sendsOn = (moves: Offered[]): Offered | undefined =>
  moves.find((m) => formats(m).includes('unit') && formats(m).includes('item') && (m.form.required ?? []).every((f) => f === 'item' || f === 'unit'))

/** The move that joins it to another case. */
export const joins = (moves: Offered[]): Offered | undefined => moves.find((m) => m.name === 'merge' && formats(m).includes('case'))

export type Press = { act: 'choose'; n: number } | { act: 'next' | 'before' | 'undo' | 'join' | 'other' } | null

/** What a key means; nothing while somebody writes, or together with Ctrl, Alt or Meta. */
export function pressed(e: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey'>, writing: boolean, onButton: boolean): Press {
  if (e.ctrlKey || e.altKey || e.metaKey || writing)
    return null
  if (/^[123]$/.test(e.key))
    return { act: 'choose', n: Number(e.key) - 1 }
  if (e.key === 'Enter')
    return onButton ? null : { act: 'choose', n: 0 }
  const keys: Record<string, Press> = { j: { act: 'next' }, k: { act: 'before' }, u: { act: 'undo' }, m: { act: 'join' }, o: { act: 'other' } }
  return keys[e.key.toLowerCase()] ?? null
}

/** Which case stands in view after `gone` was decided: the one behind it, else the last. */
export function after(cases: Waiting[], gone: string): string | null {
  const i = cases.findIndex((c) => c.number === gone)
  const rest = cases.filter((c) => c.number !== gone)
  return rest[Math.min(i, rest.length - 1)]?.number ?? null
}
