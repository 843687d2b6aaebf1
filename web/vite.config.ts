import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

/** Puts NAME.gz beside every text file: the binary serves it as it is and need not compress at run time. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const names = readdirSync('dist', { recursive: true }).map(String)
      for (const name of names.filter((n) => /\.(js|css|html|svg)$/.test(n))) {
        const path = join('dist', name)
        const bytes = readFileSync(path)
        if (bytes.length > 1024)
          writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  plugins: [vue(), compressed()],
  build: { chunkSizeWarningLimit: 1000, reportCompressedSize: false }, // MapLibre, in a chunk of its own, is 975 kB
  server: { proxy: { '/api': process.env.YIWANG ?? 'http://127.0.0.1:8080' } },
  test: { include: ['test/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])
