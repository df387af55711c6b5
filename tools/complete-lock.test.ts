import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { completeLock, type LockedPackages, platformOf } from './complete-lock.ts'

describe('platformOf', () => {
  it.each([
    ['@swc/core-linux-arm-gnueabihf', { os: ['linux'], cpu: ['arm'], libc: ['glibc'] }],
    ['@biomejs/cli-linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
    ['@oxlint-tsgolint/darwin-arm64', { os: ['darwin'], cpu: ['arm64'] }],
    ['@swc/core-win32-ia32-msvc', { os: ['win32'], cpu: ['ia32'] }],
    ['@rolldown/binding-wasm32-wasi', { cpu: ['wasm32'] }],
    ['fsevents', undefined],
  ])('%s', (name, platform) => {
    expect(platformOf(name)).toEqual(platform)
  })
})

describe('completeLock', () => {
  const packages: LockedPackages = {
    '': {},
    'node_modules/tool': {
      version: '1.0.0',
      dev: true,
      optionalDependencies: {
        'tool-linux-x64': '1.0.0',
        'tool-darwin-arm64': '1.0.0',
        'tool-nested-linux-x64': '2.0.0',
      },
    },
    'node_modules/tool-linux-x64': { version: '1.0.0' },
    'node_modules/tool/node_modules/tool-nested-linux-x64': { version: '2.0.0' },
  }

  it('adds the platforms that are missing, and only those', () => {
    const { packages: complete, added } = completeLock(packages)
    expect(added).toEqual(['node_modules/tool-darwin-arm64'])
    expect(complete['node_modules/tool-darwin-arm64']).toEqual({
      version: '1.0.0',
      dev: true,
      os: ['darwin'],
      cpu: ['arm64'],
      optional: true,
    })
    expect(Object.keys(complete)).toHaveLength(5)
  })

  it('puts a second version into the package that asks for it', () => {
    const nested: LockedPackages = {
      'node_modules/tool-linux-x64': { version: '2.0.0' },
      'node_modules/host/node_modules/tool': { version: '1.0.0', optionalDependencies: { 'tool-linux-x64': '1.0.0' } },
    }
    expect(completeLock(nested).added).toEqual(['node_modules/host/node_modules/tool/node_modules/tool-linux-x64'])
  })

  it('finds nothing to add the second time', () => {
    expect(completeLock(completeLock(packages).packages).added).toEqual([])
  })

  it('has nothing to add to the lock file of this repository, which names no registry', () => {
    const text = readFileSync('package-lock.json', 'utf8')
    const lock = JSON.parse(text) as { packages: Record<string, { resolved?: string }> }
    expect(completeLock(lock.packages as LockedPackages).added).toEqual([])
    const addresses = Object.values(lock.packages).map(({ resolved = '' }) => resolved)
    expect(addresses.filter((address) => address.includes('://'))).toEqual([])
  })
})
