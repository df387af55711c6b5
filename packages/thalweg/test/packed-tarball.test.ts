import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const packageFolder = resolve(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }

/** What a user's shell would hand over: nothing of the npm that runs the tests, no CUDA libraries. */
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|VITEST|INIT_CWD)/i.test(name))),
  ONNXRUNTIME_NODE_INSTALL: 'skip',
}

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

let root: string
let tarball: string
let installed: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'packed-'))
  run('npm', ['pack', '--pack-destination', root], packageFolder)
  tarball = join(root, readdirSync(root).find((name) => name.endsWith('.tgz')) as string)
  const home = join(root, 'home')
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{ "private": true }')
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], home)
  installed = join(home, 'node_modules/thalweg')
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

const thalweg = (...args: string[]): string =>
  run(process.execPath, [join(root, 'home/node_modules/.bin/thalweg'), ...args], join(root, 'home'))

describe('the packed tarball', () => {
  it('holds the bundle, its licenses and data, and no sources', () => {
    const files = run('tar', ['-tzf', tarball], root).trim().split('\n')
    for (const path of ['bin/thalweg.js', 'bin/package.json', 'dist/main.js', 'dist/worker.js', 'LICENSE', 'NOTICE']) {
      expect(files).toContain(`package/${path}`)
    }
    expect(files).toContain('package/assets/digits.csv.gz')
    expect(files).toContain('package/LICENSES/Apache-2.0.txt')
    expect(files.filter((path) => /\.ts$|\/src\/|\/test\//.test(path))).toEqual([])
  })

  it('is small', () => {
    const kibibytes = statSync(tarball).size / 1024
    console.log(`thalweg-${manifest.version}.tgz: ${kibibytes.toFixed(0)} KiB`)
    expect(kibibytes).toBeLessThan(2048)
  })

  it('satisfies publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  it('needs nothing of this repository', () => {
    expect(existsSync(join(root, 'home/node_modules/@thalweg'))).toBe(false)
    expect(thalweg('--version').trim()).toBe(manifest.version)
    const start = performance.now()
    expect(thalweg('--help')).toContain('thalweg')
    console.log(`thalweg --help: ${(performance.now() - start).toFixed(0)} ms`)
  })

  it('trains and reports: worker, engine and figures are all in it', () => {
    const experiment = `name: packed
data: { name: xor }
model: { kind: mlp, widths: [2, 4, 2] }
loss: { name: cross-entropy }
training: { optimizer: { name: adam }, learningRate: 0.05, steps: 50 }
analyses: { diagnose: { top: 2, bottom: 2 }, surface: { x: { points: 5 }, y: { points: 5 } } }
`
    writeFileSync(join(root, 'home/packed.yaml'), experiment)
    expect(JSON.parse(thalweg('run', 'packed.yaml', '--png', '--json'))).toMatchObject({
      command: 'run',
      status: 'finished',
    })
    expect(readFileSync(join(root, 'home/runs/packed/report.html'), 'utf8')).toContain('packed')
    expect(existsSync(join(root, 'home/runs/packed/figures/surface.png'))).toBe(true)
  })

  it('finds its data', () => {
    expect(JSON.parse(thalweg('data', 'info', 'iris', '--json'))).toMatchObject({ command: 'data info' })
  })
})
