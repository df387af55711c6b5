import { nativeEngine } from '@thalweg/engine/node'
import { graphOf } from '@thalweg/graph'
import { afterAll, describe, expect, it } from 'vitest'
import { runTest, testDataFolder, testNames } from '@thalweg/graph/testing/onnx-backend'
import type { Compute } from '@thalweg/graph/testing/onnx-backend'

const folder = testDataFolder()
if (folder === undefined)
  console.warn("ONNX's backend tests are skipped: install Debian's libonnx-testdata or set THALWEG_ONNX_TESTDATA.")

describe.skipIf(folder === undefined)("ONNX's backend tests through import, lowering and ONNX Runtime", () => {
  const engine = nativeEngine({ threads: 1 })
  afterAll(() => engine.dispose())

  const compute: Compute = async (outputs, feeds) => {
    const executable = await engine.compile(graphOf(outputs))
    const needed = executable.graph.inputs.map(({ attributes: { name } }) => [name, feeds[name]])
    const results = await executable.run(Object.fromEntries(needed))
    await executable.dispose()
    return results
  }

  it('pass wherever they pass through the reference interpreter', async () => {
    const names = testNames(String(folder))
    const failed: string[] = []
    let passed = 0
    for (const name of names) {
      const outcome = await runTest(String(folder), name, compute)
      if (outcome.kind === 'failed') failed.push(`${name}: ${outcome.reason}`)
      else if (outcome.kind !== 'left out') passed++
    }
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(names.length / 2)
  })
})
