import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { transformSync } from '@swc/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const bin = resolve(import.meta.dirname, '../bin')

let root: string
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'launcher-')))
})
afterAll(() => rmSync(root, { recursive: true }))

/** A copy of `bin/` in a place of its own, with these files beside it; `.ts` sources make it a checkout. */
function place(name: string, files: Record<string, string>): string {
  const folder = join(root, name, 'packages/thalweg')
  cpSync(bin, join(folder, 'bin'), { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** Runs `bin/thalweg.js` on a Node that believes to be `version`. */
function launch(folder: string, version: string, ...args: string[]) {
  writeFileSync(
    join(root, 'pretend.cjs'),
    `if (process.env.PRETEND) Object.defineProperty(process.versions, 'node', { value: process.env.PRETEND })\ndelete process.env.PRETEND\n`,
  )
  return spawnSync(
    process.execPath,
    ['--require', join(root, 'pretend.cjs'), join(folder, 'bin/thalweg.js'), ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, PRETEND: version },
    },
  )
}

const printArgs = (label: string): string =>
  `console.log('${label}', process.argv.slice(2).join(' '))\nprocess.exitCode = 7\n`
const esm = { 'package.json': '{ "type": "module" }' }

describe('bin/thalweg.js', () => {
  it('may be executed, and uses nothing newer than ES2019 but import()', () => {
    expect(statSync(join(bin, 'thalweg.js')).mode & 0o111).toBe(0o111)
    const source = readFileSync(join(bin, 'thalweg.js'), 'utf8')
    const print = (target: 'es2019' | 'es2022'): string =>
      transformSync(source, { jsc: { target, parser: { syntax: 'ecmascript' } }, isModule: false }).code
    expect(print('es2019')).toBe(print('es2022'))
  })

  it('starts the bundle where there are no sources', () => {
    const folder = place('installed', { ...esm, 'dist/main.js': printArgs('bundle') })
    expect(launch(folder, '22.18.0', 'run', 'x.yaml')).toMatchObject({ stdout: 'bundle run x.yaml\n', status: 7 })
  })

  it('starts the sources in a checkout, even where an older bundle lies about', () => {
    const files = { ...esm, 'dist/main.js': printArgs('bundle'), 'src/cli/main.ts': printArgs('sources') }
    expect(launch(place('checkout', files), '24.0.0', '--help').stdout).toBe('sources --help\n')
  })

  it.each(['12.22.12', '20.19.0', '22.17.1'])('refuses Node %s in one line that says what to do', (version) => {
    const reply = launch(place(`old-${version}`, { ...esm, 'dist/main.js': printArgs('bundle') }), version)
    expect(reply).toMatchObject({ status: 2, stdout: '' })
    expect(reply.stderr).toBe(
      `thalweg: Node 22.18 or newer is needed, got ${version}. Run: npx -p node@24 -p thalweg thalweg\n`,
    )
  })

  it('passes over to the Node of the workspace in a checkout, with arguments and exit status', () => {
    const folder = place('workspace', { ...esm, 'src/cli/main.ts': printArgs('sources') })
    mkdirSync(join(root, 'workspace/node_modules/node/bin'), { recursive: true })
    const link = join(root, 'workspace/node_modules/node/bin/node')
    writeFileSync(link, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 })
    expect(launch(folder, '20.19.0', 'data', 'info')).toMatchObject({ stdout: 'sources data info\n', status: 7 })
  })

  it('refuses where the Node of the workspace is the one that runs', () => {
    const folder = place('same', { ...esm, 'src/cli/main.ts': printArgs('sources') })
    mkdirSync(join(root, 'same/node_modules/node/bin'), { recursive: true })
    symlinkSync(realpathSync(process.execPath), join(root, 'same/node_modules/node/bin/node'))
    expect(launch(folder, '20.19.0').status).toBe(2)
  })
})

it('the help loads nothing that computes', () => {
  const counting = `import { registerHooks } from 'node:module'
    registerHooks({ load: (url, context, next) => {
      if (/packages\\/landscape\\/|onnxruntime/.test(url)) process.stderr.write(url)
      return next(url, context)
    } })`
  const hook = `data:text/javascript,${encodeURIComponent(counting)}`
  const main = resolve(import.meta.dirname, '../src/cli/main.ts')
  const { status, stderr } = spawnSync(process.execPath, ['--import', hook, main, '--help'], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
