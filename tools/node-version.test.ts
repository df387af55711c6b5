import { expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

it('runs on the Node that the workspace installed, not on the one of the system', () => {
  expect(process.versions.node).toBe(manifest.devDependencies.node)
})
