import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pythonContestant } from './python-contestant.ts'

const hasPython = spawnSync('python3', ['-c', ''], { stdio: 'ignore' }).status === 0

describe('pythonContestant', () => {
  it('is skipped, with what to install, where the module is missing', () => {
    const absent = pythonContestant('absent', 'x.py', { module: 'no_such_module' })
    expect(absent).toMatchObject({ name: 'absent', skipped: expect.stringContaining('no_such_module') })
  })

  it.skipIf(!hasPython)('hands input over and takes times and result back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'python-'))
    const script = join(folder, 'double.py')
    writeFileSync(
      script,
      'import json, sys\ntask = json.load(sys.stdin)\nprint("noise")\n' +
        'print(json.dumps({"elapsedMs": [1.5] * task["repetitions"], "result": [2 * task["x"]]}))\n',
    )
    const contestant = pythonContestant('double', script, { module: 'json', input: { x: 21 } })
    const times = 'measure' in contestant ? await contestant.measure(2) : undefined
    rmSync(folder, { recursive: true })
    expect(times).toEqual({ elapsedMs: [1.5, 1.5], result: [42] })
  })
})
