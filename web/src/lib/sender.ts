/* Sends one report until it is answered: waits out busy servers and lost connections, in view of the person. */
import { onScopeDispose, ref } from 'vue'
import { ApiError, persist } from '../api/client'

export type SendState = 'idle' | 'sending' | 'waiting' | 'offline'

const TRIES = 6

/** The person pressed "not now". */
export class Stopped extends Error {}

export function useSender() {
  const state = ref<SendState>('idle')
  const seconds = ref(0)
  const tries = ref(0)
  const reason = ref<ApiError | null>(null)
  let release: (() => void) | null = null
  let refuse: ((why: Error) => void) | null = null

  /** Ends when the time is over, the connection is back, or the person decides. */
  function wait(pause: number, error: ApiError): Promise<void> {
    reason.value = error
    const offline = error.status === 0 && !navigator.onLine
    state.value = offline ? 'offline' : 'waiting'
    seconds.value = pause
    let timer: ReturnType<typeof setInterval> | undefined
    return new Promise<void>((resolve, reject) => {
      release = resolve
      refuse = reject
      window.addEventListener('online', release)
      if (!offline)
        timer = setInterval(() => --seconds.value <= 0 && resolve(), 1000)
    }).finally(() => {
      clearInterval(timer)
      window.removeEventListener('online', release!)
    })
  }

  async function send<T>(attempt: () => Promise<T>): Promise<T> {
    tries.value = 0
    try {
      return await persist(() => {
        tries.value++
        state.value = 'sending'
        return attempt()
      }, { most: TRIES, wait })
    } finally {
      state.value = 'idle'
    }
  }

  const now = () => release?.()
  const stop = () => refuse?.(new Stopped())
  onScopeDispose(stop)
  return { state, seconds, tries, reason, send, now, stop }
}
