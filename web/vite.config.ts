import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

/** Leaves NAME.gz in place of every larger text file: the server sends it as it is, and unpacks it for who cannot read gzip. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const names = readdirSync('dist', { recursive: true }).map(String)
      for (const name of names.filter((n) => /\.(js|css|html|svg|txt)$/.test(n))) {
        const path = join('dist', name)
        const bytes = readFileSync(path)
        if (bytes.length > 1024) {
          writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
          rmSync(path)
        }
      }
    },
  }
}

/** "/x/node_modules/@vue/shared/dist/a.js" -> "/x/node_modules/@vue/shared" */
const packageOf = (id: string) => /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1]

/** The licences of everything that went into the bundle: most of them ask to be passed on with it. */
function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const folders = new Set([...this.getModuleIds()].map(packageOf).filter((f) => f && existsSync(join(f, 'package.json'))) as string[])
      const notices = [...folders].sort().map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
        const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f))
        return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : ''}\n`
      })
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: notices.join(`\n${'-'.repeat(100)}\n\n`) })
    },
  }
}

export default defineConfig({
  plugins: [vue(), licences(), compressed()],
  build: { chunkSizeWarningLimit: 1000, reportCompressedSize: false }, // MapLibre, in a chunk of its own, is 975 kB
  server: { proxy: { '/api': process.env.YIWANG ?? 'http://127.0.0.1:8080' } },
  test: { include: ['test/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])
