import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { numbersOf } from '@thalweg/graph'
import { Loss } from '@thalweg/landscape'
import { afterAll, describe, expect, it } from 'vitest'
import { decodeNpz } from '../../src/formats/npz.ts'
import { openModelWithData } from '../../src/models/open-model-with-data.ts'
import { expectedOf } from './fixtures.ts'

/** A Python that has torch, if there is one: Debian's package `python3-torch`, or the one in THALWEG_PYTHON. */
function pythonWithTorch(): string | undefined {
  const candidates = [process.env['THALWEG_PYTHON'], '/usr/bin/python3', 'python3'].filter((p) => p !== undefined)
  return candidates.find((python) => spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0)
}

const python = pythonWithTorch()
if (python === undefined)
  console.warn('No Python with torch: the guide and the export script are not run. Install python3-torch.')

const root = mkdtempSync(join(tmpdir(), 'thalweg-python-'))
afterAll(() => rmSync(root, { recursive: true }))

function run(parameters: string[]): string {
  const { status, stdout, stderr } = spawnSync(python!, parameters, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' },
  })
  if (status !== 0) throw new Error(`python failed: ${stderr}`)
  return stdout
}

describe.skipIf(python === undefined)('PyTorch', () => {
  it('the snippet of the guide gives a model with the loss that PyTorch prints', async () => {
    const guide = readFileSync(fileURLToPath(new URL('../../../../docs/guide-your-model.md', import.meta.url)), 'utf8')
    const snippet = /## PyTorch[^]*?```python\n([^]*?)```/.exec(guide)![1]
    const printed = Number(run(['-c', snippet]).trim().split('\n').at(-1))
    const { model, dataset } = await openModelWithData(join(root, 'model.onnx'), join(root, 'train.npz'), {
      loss: 'cross-entropy',
    })
    expect(model.parameters.map((p) => p.name)).toEqual(['0.weight', '0.bias', '2.weight', '2.bias'])
    const engine = nativeEngine({ threads: 1 })
    const loss = new Loss({ engine, model, dataset, spec: { name: 'cross-entropy', reduction: 'mean' } })
    expect(await loss.value(model.initialize(0))).toBeCloseTo(printed, 13)
    await loss.dispose()
    await engine.dispose()
  })

  it('the export script writes what is committed', () => {
    const script = fileURLToPath(new URL('export_architectures.py', import.meta.url))
    const names = ['mlp-tanh', 'resnet', 'gru', 'language-model']
    run([script, root, '--only', ...names])
    for (const name of names) {
      const file = join(root, `${name}.npz`)
      const again = decodeNpz(readFileSync(file), { file })
      const committed = expectedOf(name)
      expect([...again.keys()]).toEqual([...committed.keys()])
      for (const [key, value] of again)
        numbersOf(value).forEach((v, i) => expect(v).toBeCloseTo(numbersOf(committed.get(key)!)[i], 12))
    }
  })
})
