/* Follows one case: server-sent events while they flow, asking again every POLL_SECONDS while they do not. */

export const POLL_SECONDS = 15
const RECONNECT_SECONDS = 60

export type Mode = 'connecting' | 'live' | 'polling'

/** What of EventSource is used here, so that tests can give their own. */
export interface Events {
  readonly readyState: number
  addEventListener(name: string, heard: () => void): void
  close(): void
}

export interface Following {
  open: () => Events
  /** Reads the case anew; must not reject. */
  load: () => Promise<void>
  onMode: (mode: Mode) => void
}

const CLOSED = 2 // EventSource.CLOSED: the browser has given up, e.g. after a 503

/** Returns the function that ends it. An event is only a hint: what is shown always comes from load(). */
export function follow({ open, load, onMode }: Following): () => void {
  let events: Events | null = null
  let poll: ReturnType<typeof setInterval> | undefined
  let reconnect: ReturnType<typeof setTimeout> | undefined

  function heard() {
    clearInterval(poll)
    poll = undefined
    onMode('live')
    void load() // whatever was missed while there was no connection
  }

  function lost() {
    if (poll === undefined)
      poll = setInterval(() => void load(), POLL_SECONDS * 1000)
    onMode('polling')
    if (events?.readyState === CLOSED) {
      clearTimeout(reconnect)
      reconnect = setTimeout(connect, RECONNECT_SECONDS * 1000)
    }
  }

  function connect() {
    events?.close()
    events = open()
    events.addEventListener('open', heard)
    events.addEventListener('case', () => void load())
    events.addEventListener('error', lost)
  }

  onMode('connecting')
  connect()
  return () => {
    events?.close()
    clearInterval(poll)
    clearTimeout(reconnect)
  }
}
