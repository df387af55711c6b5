import { describe, expect, it } from 'vitest'
import { dependencyProblems, isExternal, packageNameOf } from './build.ts'

describe('isExternal', () => {
  it.each(['node:fs', 'fs', 'commander', '@observablehq/plot'])('leaves %s outside', (specifier) => {
    expect(isExternal(specifier)).toBe(true)
  })

  it.each(['./main.ts', '../x.ts', '/root/x.ts', '@thalweg/graph', '@thalweg/engine/node'])(
    'bundles %s',
    (specifier) => {
      expect(isExternal(specifier)).toBe(false)
    },
  )
})

describe('packageNameOf', () => {
  it('drops the path inside the package', () => {
    expect(packageNameOf('commander')).toBe('commander')
    expect(packageNameOf('zod/v4/core')).toBe('zod')
    expect(packageNameOf('@bufbuild/protobuf/wire')).toBe('@bufbuild/protobuf')
  })
})

describe('dependencyProblems', () => {
  it('is silent where imports and dependencies agree', () => {
    const bundled = [{ name: '@thalweg/graph', dependencies: { yaml: '2.0.0', '@thalweg/engine': '0.1.0' } }]
    expect(dependencyProblems(['node:fs', 'yaml'], { yaml: '2.0.0' }, bundled)).toEqual([])
  })

  it('finds what users would lack, what they would install for nothing, and versions that differ', () => {
    const bundled = [{ name: '@thalweg/graph', dependencies: { yaml: '2.0.1' } }]
    const problems = dependencyProblems(['zod/v4', 'yaml'], { yaml: '2.0.0', fflate: '1.0.0' }, bundled)
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['zod', 'fflate', 'yaml'])
  })
})
