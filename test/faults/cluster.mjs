/* A PostgreSQL server of our own that a fault may stop, freeze, cut off or fill.
 *
 * It flushes to disk as in production, listens on 127.0.0.1 and on the same port after each start. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Skip } from './lib.mjs'

function freePort() {
  return new Promise((done) => {
    const s = createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address()
      s.close(() => done(port))
    })
  })
}

export class Cluster {
  /** Made in `parent`, started, named by YIWANG_TEST_PG for the districts made next, and removed when `t` ends. */
  static async start(t, { parent = tmpdir(), settings = [] } = {}) {
    const c = new Cluster()
    const versions = spawnSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1'], { encoding: 'utf8' }).stdout.trim()
    if (!versions) throw new Skip('PostgreSQL is not installed')
    c.programs = versions
    c.home = mkdtempSync(join(parent, 'yiwang-pg-'))
    c.data = join(c.home, 'data')
    c.user = process.getuid() === 0 ? 'postgres' : null
    if (c.user) {
      const id = (flag) => Number(spawnSync('id', [flag, c.user], { encoding: 'utf8' }).stdout)
      chownSync(c.home, id('-u'), id('-g'))
    }
    t.after(() => {
      c.thaw()
      c.stop('immediate')
      rmSync(c.home, { recursive: true, force: true })
    })
    const password = randomBytes(12).toString('hex')
    writeFileSync(join(c.home, 'password'), password)
    c.run(`${c.programs}/initdb`, ['-D', c.data, '-U', 'yiwang', '-A', 'scram-sha-256', `--pwfile=${c.home}/password`, '-E', 'UTF8', '--locale=C.UTF-8'])
    c.port = await freePort()
    c.settings = ['max_connections=200', 'listen_addresses=127.0.0.1', ...settings]
    c.dsn = `postgres://yiwang:${password}@127.0.0.1:${c.port}/postgres`
    process.env.YIWANG_TEST_PG = c.dsn
    c.start()
    return c
  }

  run(program, words) {
    const [p, ...w] = this.user ? ['runuser', '-u', this.user, '--', program, ...words] : [program, ...words]
    const made = spawnSync(p, w, { cwd: '/', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    assert.equal(made.status, 0, `${program} ${words.join(' ')}: ${made.stdout}${made.stderr}`)
  }

  start() {
    const flags = ['-p', this.port, '-k', "''", ...this.settings.flatMap((s) => ['-c', s])].join(' ')
    this.run(`${this.programs}/pg_ctl`, ['-D', this.data, '-l', join(this.home, 'log'), '-s', '-w', '-t', '60', '-o', flags, 'start'])
  }

  /** how: fast, immediate or smart; false when it was not running. */
  stop(how) {
    if (!this.pid()) return false
    this.run(`${this.programs}/pg_ctl`, ['-D', this.data, '-s', '-w', '-t', '60', '-m', how, 'stop'])
    return true
  }

  pid() {
    try {
      return Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0])
    } catch {
      return 0
    }
  }

  /** The postmaster and all its children. */
  family() {
    const root = this.pid()
    if (!root) return []
    const parent = (pid) => {
      try {
        return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1])
      } catch {
        return 0
      }
    }
    return [root, ...readdirSync('/proc').filter((f) => /^\d+$/.test(f)).map(Number).filter((pid) => parent(pid) === root)]
  }

  signal(name) {
    for (const pid of this.family()) {
      try {
        process.kill(pid, name)
      } catch (e) {
        if (e.code !== 'ESRCH') throw e
      }
    }
  }

  freeze() {
    this.signal('SIGSTOP')
  }

  thaw() {
    this.signal('SIGCONT')
  }

  sql(text) {
    const made = spawnSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', this.dsn, '-c', text], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    return made.stdout.trim()
  }
}
