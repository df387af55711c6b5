import { describe, expect, it } from 'vitest'
import { evaluate, type Tensor } from '../../src/index.ts'
import { type Compute, runTest, testDataFolder, testNames } from './backend-node-cases.ts'

const folder = testDataFolder()
if (folder === undefined)
  console.warn("ONNX's backend tests are skipped: install Debian's libonnx-testdata or set THALWEG_ONNX_TESTDATA.")

const interpret: Compute = async (outputs, feeds) => {
  const names = Object.keys(outputs)
  const results = evaluate(
    names.map((name) => outputs[name]),
    feeds,
  )
  return Object.fromEntries(names.map((name, i): [string, Tensor] => [name, results[i]]))
}

/** Debian's package holds the suite of ONNX 1.12. */
const namesOfDebian = 1072

describe.skipIf(folder === undefined)("ONNX's backend tests through import and the reference interpreter", () => {
  it('pass, or are left out for a reason on record', async () => {
    const names = testNames(String(folder))
    const failed: string[] = []
    const leftOut: string[] = []
    for (const name of names) {
      const outcome = await runTest(String(folder), name, interpret)
      if (outcome.kind === 'failed') failed.push(`${name}: ${outcome.reason}`)
      if (outcome.kind === 'left out') leftOut.push(`${name}: ${outcome.reason}`)
    }
    expect(failed).toEqual([])
    expect(leftOut.length).toBeLessThan(names.length / 2)
    if (names.length !== namesOfDebian) return
    const passed = names.length - leftOut.length
    const list = `${passed} of ${names.length} tests pass; left out:\n\n${leftOut.join('\n')}\n`
    await expect(list).toMatchFileSnapshot('golden/left-out.txt')
  })
})
