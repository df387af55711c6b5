import { resolve } from 'node:path'
import { defineConfig } from 'vite'

const here = import.meta.dirname

/** The laboratory that `thalweg lab` serves. Paths are relative, so that it may lie in any folder. */
export default defineConfig({
  root: here,
  base: './',
  resolve: {
    dedupe: ['react', 'react-dom'],
    alias: { 'onnxruntime-web/webgpu': resolve(here, 'site/no-webgpu.ts') },
  },
  worker: { format: 'es' },
  build: {
    outDir: resolve(here, '../../packages/thalweg/dist/lab'),
    emptyOutDir: true,
    target: 'es2023',
    license: { fileName: 'licenses.md' },
    // three.js and the engine are parts of their own that are fetched when a room needs them.
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { '/api': `http://127.0.0.1:${process.env['THALWEG_LAB_PORT'] ?? '7733'}` } },
})
