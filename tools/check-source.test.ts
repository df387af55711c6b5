import { describe, expect, it } from 'vitest'
import { architectureProblems, checkSource, codeFolders, sourceProblems } from './check-source.ts'

describe('sourceProblems', () => {
  it('accepts a plain file', () => {
    expect(sourceProblems('packages/graph/src/core/shape.ts', 'export const rank: number = 1\n')).toEqual([])
  })

  it.each(['string-utils.ts', 'helpers.ts', 'session-manager.ts', 'util.test.ts'])('refuses the name %s', (name) => {
    expect(sourceProblems(`packages/graph/src/core/${name}`, '')).toContainEqual(
      expect.stringContaining('names nothing'),
    )
  })

  it.each(['lossPlane.ts', 'Loss.ts', 'loss_plane.ts'])('refuses the spelling %s', (name) => {
    expect(sourceProblems(`packages/landscape/src/surface/${name}`, '')).toHaveLength(1)
  })

  it.each(['loss-plane.ts', 'loss-plane.slow.test.ts', 'platform.d.ts', 'float16.ts'])(
    'accepts the spelling %s',
    (name) => {
      expect(sourceProblems(`packages/landscape/src/surface/${name}`, '')).toEqual([])
    },
  )

  it('refuses bare errors, with their lines', () => {
    const text = `// new Error('in a comment')\n\nexport function f(): never {\n  throw new Error('é')\n}\nconst e = new RangeError('x')\n`
    const problems = sourceProblems('packages/landscape/src/train/step.ts', text)
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'packages/landscape/src/train/step.ts:4:',
      'packages/landscape/src/train/step.ts:6:',
    ])
  })

  it.each(['packages/graph/src/core/shape.test.ts', 'tools/build.ts'])('lets %s throw what it likes', (path) => {
    expect(sourceProblems(path, `throw new Error('x')`)).toEqual([])
  })

  it('accepts the classes of Thalweg', () => {
    const text = `throw new ShapeError('x')\nthrow new ThalwegError('code', 'x')\n`
    expect(sourceProblems('packages/graph/src/core/shape.ts', text)).toEqual([])
  })

  it('asks the index of a package to say what it is', () => {
    expect(sourceProblems('packages/graph/src/index.ts', `export {}`)).toHaveLength(1)
    expect(sourceProblems('packages/graph/src/index.ts', `/** Graphs. */\nexport {}`)).toEqual([])
    expect(sourceProblems('packages/graph/src/core/index.ts', `export {}`)).toEqual([])
  })
})

describe('architectureProblems', () => {
  const folders = codeFolders([
    'packages/graph/src/index.ts',
    'packages/graph/src/core/shape.ts',
    'packages/graph/src/core/deep/er.ts',
    'tools/build.ts',
  ])

  it('finds the folders of code', () => {
    expect(folders).toEqual(['packages/graph/src/core'])
  })

  it('asks for each folder, and only for those', () => {
    expect(architectureProblems('`packages/graph/src` and `packages/graph/src/core/`', folders)).toEqual([])
    expect(architectureProblems('`packages/graph/src`', folders)).toEqual([
      'docs/architecture.md: says nothing of packages/graph/src/core.',
    ])
    expect(architectureProblems('`packages/graph/src/core` `packages/graph/src/old`', folders)).toEqual([
      'docs/architecture.md: packages/graph/src/old is gone.',
    ])
  })
})

describe('checkSource', () => {
  it('does not take an empty folder for a clean one', () => {
    expect(checkSource('/nowhere').problems).toContain('0 files read.')
  })
})
