import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig } from 'vite'

const here = import.meta.dirname
const pages = resolve(here, 'site')

/** The theory rooms as static pages for any web server, in any folder: every address in them is relative and nothing is
 * fetched from elsewhere. */
export default defineConfig({
  root: pages,
  base: './',
  publicDir: resolve(here, 'public'),
  resolve: {
    dedupe: ['react', 'react-dom'],
    alias: { 'onnxruntime-web/webgpu': resolve(pages, 'no-webgpu.ts') },
  },
  worker: { format: 'es' },
  build: {
    outDir: resolve(here, 'dist-site'),
    emptyOutDir: true,
    target: 'es2023',
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: Object.fromEntries(
        readdirSync(pages)
          .filter((name) => name.endsWith('.html'))
          .map((name) => [name.replace('.html', ''), resolve(pages, name)]),
      ),
    },
  },
})
