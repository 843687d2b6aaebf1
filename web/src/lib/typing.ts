/* Asking the server while somebody writes: after a pause, one question at a time, and only the last answer counts.  Nobody needs the
 * answer: when there is none, nothing is shown. */
import { onUnmounted, ref, watch, type Ref } from 'vue'

export const PAUSE_MS = 700
export const LEAST = 4

export function useWhileTyping<T>(text: () => string, rest: () => unknown, ask: (text: string, signal: AbortSignal) => Promise<T>): Ref<T | null> {
  const answer = ref(null) as Ref<T | null>
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: AbortController | undefined

  async function run(words: string): Promise<void> {
    const mine = (running = new AbortController())
    const found = await ask(words, mine.signal).catch(() => null)
    if (mine === running)
      answer.value = found
  }
  function stop(): void {
    clearTimeout(timer)
    running?.abort()
    running = undefined
  }
  watch([text, rest], ([words]) => {
    stop()
    if (words.trim().length < LEAST)
      answer.value = null
    else
      timer = setTimeout(() => void run(words), PAUSE_MS)
  }, { immediate: true, deep: true })
  onUnmounted(stop)
  return answer
}
