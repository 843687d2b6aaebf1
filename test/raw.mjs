/* Plain sockets for what no HTTP client would send. */
import net from 'node:net'
import tls from 'node:tls'

/** Cuts what came into whole answers: {status, headers, body}; `rest` is what is no whole answer. */
export function answersOf(bytes, methods = []) {
  const answers = []
  let rest = bytes
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return { answers, rest }
    const [first, ...lines] = rest.slice(0, end).toString('latin1').split('\r\n')
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0)
    if (!status) return { answers, rest }
    const headers = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]))
    const bare = status === 100 || methods[answers.length] === 'HEAD'
    const length = bare ? 0 : Number(headers['content-length'] ?? 0)
    if (rest.length < end + 4 + length) return { answers, rest }
    answers.push({ status, headers, body: rest.slice(end + 4, end + 4 + length).toString('utf8') })
    rest = rest.slice(end + 4 + length)
  }
}

/** One connection. */
export class Raw {
  constructor(base, options = {}) {
    const { hostname, port, protocol } = new URL(base)
    this.bytes = Buffer.alloc(0)
    this.closed = false
    this.socket = protocol === 'https:'
      ? tls.connect({ host: hostname, port, rejectUnauthorized: false, ...options })
      : net.connect({ host: hostname, port, ...options })
    this.socket.on('data', (b) => (this.bytes = Buffer.concat([this.bytes, b])))
    this.socket.on('error', (e) => (this.error = e))
    this.ended = new Promise((done) => this.socket.on('close', done)).then(() => (this.closed = true))
    this.opened = new Promise((done) => this.socket.on(protocol === 'https:' ? 'secureConnect' : 'connect', done))
    this.started = Date.now()
  }

  write(text) {
    if (!this.socket.destroyed) this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)
  }

  /** Waits until the server closes, or `ms` are over. */
  async wait(ms) {
    let timer
    await Promise.race([this.ended, new Promise((done) => (timer = setTimeout(done, ms)))])
    clearTimeout(timer)
    return this
  }

  answers(methods) {
    return answersOf(this.bytes, methods).answers
  }

  end() {
    this.socket.destroy()
  }
}

/** Sends all at once; what came back until the server closed or `ms` were over. */
export async function exchange(base, text, ms = 700, methods = []) {
  const raw = new Raw(base)
  await Promise.race([raw.opened, raw.ended])
  raw.write(text)
  await raw.wait(ms)
  const { answers, rest } = answersOf(raw.bytes, methods)
  const { closed } = raw
  raw.end()
  return { answers, rest, closed, statuses: answers.map((a) => a.status) }
}
