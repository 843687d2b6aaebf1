/* The routes that the dispatcher's page uses. */
import { call } from './client'
import type { Candidate, Offered, Unit, Waiting, Who } from './types'

export const whoAmI = async (language: string): Promise<Who> => (await call<Who>('GET', '/api/v1/session', { language })).value

export const signIn = async (body: { user: string; password: string; code?: string }, language: string): Promise<void> => {
  await call('POST', '/api/v1/session', { body, language })
}

export const signOut = async (language: string): Promise<void> => {
  await call('DELETE', '/api/v1/session', { language })
}

export const readWaiting = async (language: string): Promise<{ cases: Waiting[]; more: boolean }> =>
  (await call<{ cases: Waiting[]; more: boolean }>('GET', '/api/v1/dispatch?limit=50', { language })).value

export const readMoves = async (number: string, language: string): Promise<Offered[]> =>
  (await call<{ moves: Offered[] }>('GET', `/api/v1/cases/${encodeURIComponent(number)}`, { language })).value.moves

export const sendMove = async (number: string, body: { move: string; item?: string; unit?: string; case?: string; reason?: string }, language: string,
  keepalive: boolean): Promise<void> => {
  await call('POST', `/api/v1/cases/${encodeURIComponent(number)}/moves`, { body, language, keepalive })
}

/** Every unit, in the order of the list. */
export async function allUnits(language: string): Promise<Unit[]> {
  const found: Unit[] = []
  let after: string | undefined
  do {
    const { value } = await call<{ units: Unit[]; next?: string }>('GET', `/api/v1/units?limit=1000${after ? `&after=${after}` : ''}`, { language })
    found.push(...value.units)
    after = value.next
  } while (after)
  return found
}

export type { Candidate, Offered, Unit, Waiting, Who }
