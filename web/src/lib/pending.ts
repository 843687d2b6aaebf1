/* What was decided is sent a moment later, so that a slip can be undone: a move of a case itself cannot. */
import { onScopeDispose, shallowRef } from 'vue'

export const UNDO_MS = 5_000

/** `send` is called once for each, in the order of the decisions; leaving: the page is being left. */
export function usePending<T>(send: (what: T, leaving: boolean) => void, wait = UNDO_MS) {
  const waiting = shallowRef<{ what: T; timer: ReturnType<typeof setTimeout> }[]>([])

  function due(leaving: boolean): void {
    const [first, ...rest] = waiting.value
    if (!first)
      return
    waiting.value = rest
    send(first.what, leaving)
  }

  function add(what: T): void {
    waiting.value = [...waiting.value, { what, timer: setTimeout(() => due(false), wait) }]
  }

  /** Takes the last decision back; null: none waits any more. */
  function undo(): T | null {
    const last = waiting.value[waiting.value.length - 1]
    if (!last)
      return null
    clearTimeout(last.timer)
    waiting.value = waiting.value.slice(0, -1)
    return last.what
  }

  function flush(leaving: boolean): void {
    for (const { timer } of waiting.value)
      clearTimeout(timer)
    while (waiting.value.length)
      due(leaving)
  }

  const leave = () => flush(true)
  window.addEventListener('pagehide', leave)
  onScopeDispose(() => {
    window.removeEventListener('pagehide', leave)
    flush(false)
  })
  return { waiting, add, undo, flush }
}
