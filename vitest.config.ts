import { defineConfig } from 'vitest/config'

/** Engine work may not share a process with other engine work that is being ended: one process per test file. */
const shared = { pool: 'forks', maxWorkers: 2, environment: 'node' } as const

const report = process.env['THALWEG_TEST_REPORT']

export default defineConfig({
  test: {
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        test: {
          ...shared,
          name: 'fast',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: ['**/*.slow.test.ts', '**/node_modules/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'slow',
          include: ['packages/*/src/**/*.slow.test.ts', 'apps/*/src/**/*.slow.test.ts', 'tools/**/*.slow.test.ts'],
          testTimeout: 300_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'public',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
          // the page of the lab, once for all files
          globalSetup: ['tools/build-lab.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // browsers share two cores with other test files
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
})
