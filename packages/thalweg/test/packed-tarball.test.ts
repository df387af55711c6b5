import { execFileSync, spawn } from 'node:child_process'
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

/** Ended after four minutes: npm waits for a registry that does not answer for as long as it takes. */
const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 })

/** A second try where the first one was cut off. */
const install = (folder: string, what: string): void => {
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', what]
  try {
    run('npm', args, folder)
  } catch {
    run('npm', args, folder)
  }
}

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
  install(home, tarball)
  installed = join(home, 'node_modules/thalweg')
}, 600_000)

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
    expect(files).toContain('package/dist/lab/index.html')
    expect(files.filter((path) => path.endsWith('.wasm'))).toHaveLength(1)
    // the types of what the lab and its server say to each other are all that other programs may import
    const types = /^package\/src\/server\/protocol(\.ts$|\/)/
    expect(files.filter((path) => /\.ts$|\/src\/|\/test\//.test(path) && !types.test(path))).toEqual([])
  })

  it('is small', () => {
    const kibibytes = statSync(tarball).size / 1024
    console.log(`thalweg-${manifest.version}.tgz: ${kibibytes.toFixed(0)} KiB`)
    // 3.6 MiB are the engine of the page
    expect(kibibytes).toBeLessThan(7 * 1024)
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

  it('serves the lab: the page, its scripts and the engine', async () => {
    const program = join(root, 'home/node_modules/.bin/thalweg')
    const child = spawn(process.execPath, [program, 'lab', 'runs', '--port', '0'], {
      cwd: join(root, 'home'),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = new Promise((done) => child.once('close', done))
    try {
      const base = await new Promise<string>((done, fail) => {
        let text = ''
        const read = (piece: Buffer): void => {
          text += piece.toString()
          const address = /http:\/\/\S+/.exec(text)?.[0]
          if (address) done(address)
        }
        child.stdout.on('data', read)
        child.stderr.on('data', read)
        child.once('close', () => fail(new Error(text)))
      })
      const page = await (await fetch(base)).text()
      const script = /src="\.\/(assets\/[^"]+\.js)"/.exec(page)?.[1] ?? ''
      const names = readdirSync(join(installed, 'dist/lab/assets'))
      expect(names.map((name) => `assets/${name}`)).toContain(script)
      for (const name of names) {
        const answer = await fetch(`${base}assets/${name}`)
        expect(answer.status, name).toBe(200)
        expect((await answer.arrayBuffer()).byteLength, name).toBe(
          statSync(join(installed, 'dist/lab/assets', name)).size,
        )
        if (name.endsWith('.wasm')) expect(answer.headers.get('content-type')).toBe('application/wasm')
      }
      const { runs } = (await (await fetch(`${base}api/runs`)).json()) as { runs: { id: string }[] }
      expect(runs.map(({ id }) => id)).toEqual(['packed'])
    } finally {
      child.kill('SIGTERM')
      await ended
    }
  })

  it('works without its optional packages, and says what they are for', () => {
    const modules = join(root, 'home/node_modules')
    for (const name of ['bullmq', 'ioredis']) rmSync(join(modules, name), { recursive: true, force: true })
    expect(JSON.parse(thalweg('run', 'packed.yaml', '--json'))).toMatchObject({ status: 'finished' })
    expect(() => thalweg('worker', '--queue', 'redis://127.0.0.1:1')).toThrow(/npm install bullmq ioredis/)
  })

  it('finds its data', () => {
    expect(JSON.parse(thalweg('data', 'info', 'iris', '--json'))).toMatchObject({ command: 'data info' })
  })
})
