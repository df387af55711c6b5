import { spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll } from 'vitest'

const bin = resolve(import.meta.dirname, '../bin/thalweg.js')

export interface Reply {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The program as a user runs it, in a folder of its own that is gone after the tests of the file. */
export function program(): { folder: () => string; thalweg: (...args: string[]) => Reply } {
  let folder = ''
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'thalweg-')))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    folder: () => folder,
    thalweg: (...args) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' })
      return { status, stdout, stderr }
    },
  }
}
