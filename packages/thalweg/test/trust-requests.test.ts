import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Upload } from '../src/server/protocol.ts'
import { LabClient } from './trust-lab-client.ts'

/* Attacks on the lab by requests: each test is somebody who should not get in. */

let lab: LabClient
const quick = { idleMs: 300, bodyMs: 300, uploadBytesMax: 100_000, jsonBytesMax: 20_000, uploadsAtOnceMax: 2 }

beforeAll(async () => {
  lab = await LabClient.start({ limits: quick })
  lab.write({
    'good/manifest.json': { format: 1, status: 'finished' },
    'good/results/end.json': { loss: 1 },
    'good/report.html': '<!doctype html><title>x</title>',
    '.hidden/manifest.json': { format: 1 },
  })
})
afterAll(() => lab.stop())

describe('Host', () => {
  it.each(['evil.example', 'evil.example:80', '127.0.0.1', '127.0.0.1:1', '127.0.0.1.evil.example', 'localhost'])(
    'a page of %s that resolves to 127.0.0.1 gets nothing (DNS rebinding)',
    async (host) => {
      for (const path of ['/', '/api/health', '/api/runs', '/assets/index-0a1b2c3d.js']) {
        const { status, text } = await lab.ask(path, { headers: { Host: host } })
        expect([400, 403]).toContain(status)
        expect(text).not.toContain('thalweg-lab')
      }
    },
  )

  it('its own names are fine', async () => {
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST'])
      expect((await lab.ask('/api/health', { headers: { Host: `${name}:${lab.server.port}` } })).status).toBe(200)
  })

  it('a request without one, or with two, is refused', async () => {
    for (const hosts of ['', 'Host:\r\n', `Host: ${lab.host}\r\nHost: evil.example\r\n`]) {
      const answer = await lab.raw(`GET /api/health HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1.1 (400|403)/)
    }
    const absolute = await lab.raw(
      `GET http://evil.example/api/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    )
    expect(absolute).toMatch(/^HTTP\/1.1 (400|403)/)
  })
})

describe('Origin', () => {
  const own = (): string => `http://${lab.host}`

  it('another site cannot change anything, in any way that a browser has', async () => {
    const foreign: Record<string, string>[] = [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: `http://localhost:${lab.server.port}` },
      { Origin: `http://127.0.0.1:${lab.server.port + 1}` },
      { Origin: `http://${lab.host}.evil.example` },
      { 'Sec-Fetch-Site': 'cross-site', Origin: own() },
      { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
      { 'Sec-Fetch-Site': 'same-origin' },
    ]
    for (const headers of foreign) {
      expect((await lab.post('/api/uploads', {}, headers)).status, JSON.stringify(headers)).toBe(403)
      expect((await lab.post('/api/runs/good/stop', {}, headers)).status).toBe(403)
    }
  })

  it('another site cannot read: neither by script, nor as an image, script or frame', async () => {
    for (const headers of [
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
      { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
    ] as Record<string, string>[])
      expect((await lab.ask('/api/runs/good', { headers })).status).toBe(403)
    const { headers } = await lab.ask('/api/runs/good')
    expect(headers['access-control-allow-origin']).toBeUndefined()
    expect(headers['cross-origin-resource-policy']).toBe('same-origin')
  })

  it('its own page may, and a link from elsewhere may open the page', async () => {
    const headers = { Origin: own(), 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' }
    expect((await lab.post('/api/uploads', {}, headers)).status).toBe(201)
    const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
    expect((await lab.ask('/', { headers: link })).status).toBe(200)
  })

  it('preflights get no permission', async () => {
    const answer = await lab.ask('/api/work', {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
    })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.headers['access-control-allow-methods']).toBeUndefined()
  })
})

describe('paths', () => {
  const up = ['..', '%2e%2e', '%2E%2e', '.%2e', '..%2f..', '%2e%2e%2f%2e%2e', '..%5c..', '%252e%252e', '..%c0%af..']

  it.each(up)('%s leads nowhere', async (dots) => {
    for (const path of [
      `/${dots}/outside/secret.json`,
      `/assets/${dots}/${dots}/outside/secret.json`,
      `/api/runs/${dots}`,
      `/api/runs/${dots}%2foutside`,
      `/api/runs/good/results/${dots}%2f${dots}%2f${dots}%2foutside%2fsecret`,
      `/api/runs/good/results/${dots}`,
      `/api/runs/good/arrays/${dots}%2f${dots}%2fx/y`,
      `/api/runs/good/checkpoints/${dots}%2f${dots}%2fx`,
      `/api/runs/good/figures/${dots}%2f${dots}%2fmanifest.svg`,
      `/api/uploads/${dots}`,
    ]) {
      const { status, text } = await lab.ask(path)
      expect([400, 403, 404], path).toContain(status)
      expect(text).not.toContain('secret":true')
      expect(text).not.toContain('root:')
    }
  })

  it.each([
    '%00',
    'good%00.json',
    '%0d%0a',
    'C:',
    'good%3Astream',
    '/',
    '.hidden',
    '.lab',
    'good%2f..%2fgood',
    'a'.repeat(400),
  ])('a run %s is not found', async (id) => {
    const { status } = await lab.ask(`/api/runs/${id}`)
    expect([400, 403, 404]).toContain(status)
  })

  it('no folder is listed, no hidden file shown, nothing of unknown type served', async () => {
    lab.write({ 'good/results/.secret.json': {}, 'good/other.txt': 'x', '.lab/jobs/x.json': {} })
    for (const path of [
      '/assets/',
      '/assets',
      '/api/runs/good/results/',
      '/api/runs/good/results/.secret',
      '/api/runs/good/figures/',
      '/.lab/jobs/x.json',
      '/api/runs/.lab%2fjobs',
      '/package.json%00.js',
    ])
      expect((await lab.ask(path)).status, path).toBeGreaterThanOrEqual(400)
  })

  it('a link out of the root is not followed; one inside is', async () => {
    lab.write({ 'linked/manifest.json': { format: 1, status: 'finished' } })
    symlinkSync(join(lab.outside, 'secret.json'), join(lab.root, 'good', 'results', 'out.json'))
    symlinkSync(lab.outside, join(lab.root, 'good', 'figures'))
    symlinkSync(join(lab.outside, 'secret.json'), join(lab.root, 'linked', 'report.html'))
    symlinkSync(lab.outside, join(lab.root, 'door'))
    symlinkSync(join(lab.root, 'good', 'results', 'end.json'), join(lab.root, 'good', 'results', 'same.json'))
    expect((await lab.ask('/api/runs/good/results/out')).status).toBe(403)
    expect((await lab.ask('/api/runs/good/figures/secret.svg')).status).toBeGreaterThanOrEqual(400)
    expect((await lab.ask('/api/runs/linked/report')).status).toBe(403)
    expect((await lab.ask('/api/runs/door')).status).toBeGreaterThanOrEqual(400)
    expect((await lab.ask('/api/runs/good/results/same')).text).toContain('"loss":1')
    const list = await lab.ask('/api/runs')
    expect(list.text).not.toContain('door')
    const detail = await lab.ask('/api/runs/good')
    expect(detail.status).toBe(200)
    expect(detail.text).not.toContain('secret')
  })
})

describe('bodies', () => {
  it('too large: refused by the length that is declared, and by what comes', async () => {
    const declared = await lab.raw(
      `POST /api/work HTTP/1.1\r\nHost: ${lab.host}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{`,
    )
    expect(declared).toMatch(/^HTTP\/1.1 413/)
    const chunk = 'x'.repeat(4000)
    const chunked = await lab.raw(
      `POST /api/work HTTP/1.1\r\nHost: ${lab.host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      (write) => {
        for (let i = 0; i < 10; i++) write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
      },
    )
    expect(chunked).toMatch(/^HTTP\/1.1 413/)
  })

  it('slow: given up, whether it stops or drips', async () => {
    const head = `POST /api/work HTTP/1.1\r\nHost: ${lab.host}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`
    expect(await lab.raw(`${head}{`)).toMatch(/^HTTP\/1.1 408/)
    let timer: NodeJS.Timeout | undefined
    const dripping = await lab.raw(head, (write) => {
      timer = setInterval(() => write(' '), 50)
    })
    clearInterval(timer)
    expect(dripping).toMatch(/^HTTP\/1.1 408/)
  })

  it('of another type, broken, too deep, or with a prototype: refused', async () => {
    expect((await lab.post('/api/work', '{}', { 'Content-Type': 'text/plain' })).status).toBe(415)
    for (const body of [
      '',
      '{',
      '[]',
      '{"command":"run","yaml":3}',
      '{"command":"nonsense"}',
      `${'['.repeat(9000)}${']'.repeat(9000)}`,
      '{"__proto__":{"polluted":1},"command":"run","yaml":""}',
      '{"command":"run","yaml":"","extra":1}',
      '{"command":"diagnose","subject":{"model":{"kind":"run","run":"good","__proto__":{"kind":"upload"}}}}',
    ])
      expect((await lab.post('/api/work', body)).status, body.slice(0, 40)).toBe(400)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((await lab.ask('/api/health')).status).toBe(200)
  })

  it('work names no path of the machine', async () => {
    const loss = { name: 'mse' }
    const model = { kind: 'run', run: 'good' }
    for (const subject of [
      { model: { kind: 'run', run: '../outside' }, loss },
      { model: { kind: 'run', run: '/etc' }, loss },
      { model: { kind: 'run', run: 'good', checkpoint: '../../outside/secret' }, loss },
      { model: { kind: 'upload', upload: '../..', file: 'x.onnx' }, loss },
      { model: { kind: 'upload', upload: 'a'.repeat(24), file: '/etc/passwd' }, loss },
      { model, data: { kind: 'built-in', name: '/etc/passwd' }, loss },
      { model, data: { kind: 'built-in', name: 'digits/../../etc/passwd' }, loss },
      { model, data: { kind: 'upload', upload: '..', files: ['passwd'] }, loss },
    ]) {
      const { status, text } = await lab.post('/api/work', { command: 'diagnose', subject })
      expect([400, 403, 404, 422], text).toContain(status)
    }
    for (const yaml of [
      'name: a\ndata: { file: /etc/passwd }\nmodel: { kind: mlp, widths: [2, 2] }\nloss: { name: mse }\n',
      'name: a\ndata: { file: ../../outside/secret.json }\nmodel: { kind: mlp, widths: [2, 2] }\nloss: { name: mse }\n',
      'name: a\ndata: { name: /etc/passwd }\nmodel: { kind: mlp, widths: [2, 2] }\nloss: { name: mse }\n',
      'name: a\ndata: { name: xor }\nmodel: { kind: onnx, file: /etc/passwd }\nloss: { name: mse }\n',
    ]) {
      expect((await lab.post('/api/work', { command: 'run', yaml })).status).toBe(422)
      expect(
        await lab.json('/api/experiments/check', {
          method: 'POST',
          body: JSON.stringify({ yaml }),
          headers: { 'Content-Type': 'application/json' },
        }),
      ).toMatchObject({ ok: false })
    }
  })
})

describe('uploads', () => {
  const create = async (): Promise<string> => (JSON.parse((await lab.post('/api/uploads', {})).text) as Upload).id

  it('keep to names that are names', async () => {
    const id = await create()
    for (const name of [
      '..%2f..%2fx.npy',
      '%2e%2e',
      '.npy',
      'x.exe',
      'x.html',
      'x',
      'a%00.npy',
      'a%2fb.npy',
      'x.onnx.',
      'CON:.npy',
      `${'a'.repeat(130)}.npy`,
    ]) {
      const { status } = await lab.ask(`/api/uploads/${id}/${name}`, { method: 'PUT', body: 'x' })
      expect([400, 403, 404, 405], name).toContain(status)
    }
    expect(await lab.json(`/api/uploads/${id}`)).toEqual({ id, files: [] })
  })

  it('a good one comes whole, with its digest', async () => {
    const id = await create()
    const body = new Uint8Array(90_000).fill(7)
    const put = await lab.ask(`/api/uploads/${id}/data.npy`, { method: 'PUT', body })
    expect(put.status).toBe(201)
    expect((await lab.json<Upload>(`/api/uploads/${id}`)).files).toEqual([JSON.parse(put.text)])
    expect((await lab.ask(`/api/uploads/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await lab.ask(`/api/uploads/${id}`)).status).toBe(404)
  })

  it('too large or broken off, they leave nothing', async () => {
    const id = await create()
    const chunk = 'x'.repeat(40_000)
    const head = `PUT /api/uploads/${id}/a.npy HTTP/1.1\r\nHost: ${lab.host}\r\n`
    const chunked = await lab.raw(`${head}Transfer-Encoding: chunked\r\n\r\n`, (write) => {
      for (let i = 0; i < 4; i++) write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    })
    expect(chunked).toMatch(/^HTTP\/1.1 413/)
    expect(await lab.raw(`${head}Content-Length: 5000\r\n\r\nabc`)).toMatch(/^HTTP\/1.1 408/)
    expect(await lab.json(`/api/uploads/${id}`)).toEqual({ id, files: [] })
  })

  it('at most so many at once', async () => {
    const id = await create()
    const head = (n: number): string =>
      `PUT /api/uploads/${id}/${n}.npy HTTP/1.1\r\nHost: ${lab.host}\r\nContent-Length: 10\r\n\r\n`
    const slow = [1, 2].map((n) => lab.raw(`${head(n)}a`))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await lab.ask(`/api/uploads/${id}/3.npy`, { method: 'PUT', body: 'x' })).status).toBe(429)
    for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^HTTP\/1.1 408/)
    expect((await lab.ask(`/api/uploads/${id}/3.npy`, { method: 'PUT', body: 'x' })).status).toBe(201)
  })
})

describe('headers', () => {
  it('the page: scripts from files only, no eval, WebAssembly allowed, no framing', async () => {
    for (const path of ['/', '/assets/index-0a1b2c3d.js']) {
      const { headers } = await lab.ask(path)
      const policy = new Map(
        String(headers['content-security-policy'])
          .split('; ')
          .map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1)] as const),
      )
      expect(policy.get('default-src')).toEqual(["'none'"])
      expect(policy.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"])
      expect(policy.get('frame-ancestors')).toEqual(["'none'"])
      expect(policy.get('base-uri')).toEqual(["'none'"])
      expect(headers['x-content-type-options']).toBe('nosniff')
    }
  })

  it('everything else is inert, whatever its bytes say', async () => {
    lab.write({
      'page/manifest.json': {},
      'page/figures/a.svg': '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    })
    for (const path of ['/api/runs', '/api/runs/page/figures/a.svg', '/api/runs/none', '/nothing']) {
      const { headers } = await lab.ask(path)
      expect(headers['content-security-policy']).toMatch(/default-src 'none';.* sandbox$/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['x-powered-by']).toBeUndefined()
    }
  })

  it('a report is sandboxed; of its scripts those run whose digests it lists, and no report can widen the rest', async () => {
    const hash = `sha256-${'A'.repeat(43)}=`
    const meta = (policy: string): string =>
      `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}">`
    lab.write({
      'plain/report.html': '<script>alert(1)</script>',
      'live/report.html': meta(`default-src 'none'; script-src '${hash}'`),
      'wide/report.html': meta(
        `default-src *; script-src 'unsafe-inline' * '${hash}' 'unsafe-eval'; sandbox allow-same-origin`,
      ),
    })
    const policyOf = async (run: string): Promise<string> =>
      String((await lab.ask(`/api/runs/${run}/report`)).headers['content-security-policy'])
    const rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    expect(await policyOf('plain')).toBe(`sandbox; default-src 'none'; script-src 'none'; ${rest}`)
    for (const run of ['live', 'wide'])
      expect(await policyOf(run)).toBe(`sandbox allow-scripts; default-src 'none'; script-src '${hash}'; ${rest}`)
  })
})

describe('under another address', () => {
  let open: LabClient
  beforeAll(async () => {
    open = await LabClient.start({ host: '0.0.0.0', limits: quick })
  })
  afterAll(() => open.stop())

  it('nobody gets in without the token', async () => {
    const { token = '' } = open.server
    expect(token.length).toBeGreaterThanOrEqual(24)
    const near = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
    for (const headers of [
      {},
      { Authorization: `Bearer ${near}` },
      { Authorization: `Bearer ${token}x` },
      { Authorization: 'Bearer ' },
      { Authorization: `Basic ${token}` },
      { Cookie: `thalweg-lab-${open.server.port}=${near}` },
      { Cookie: `other=${token}` },
      { Cookie: `thalweg-lab-${open.server.port}=%` },
    ] as Record<string, string>[])
      for (const path of ['/', '/api/health', '/api/events', '/assets/index-0a1b2c3d.js', `/?token=${near}`])
        expect((await open.ask(path, { headers })).status, path).toBe(401)
    expect((await open.post('/api/uploads', {})).status).toBe(401)
    // a token in an address is for the page alone
    expect((await open.ask(`/api/health?token=${token}`)).status).toBe(401)
  })

  it('the token opens the page once and goes into a cookie that scripts cannot read', async () => {
    const { token = '', url } = open.server
    expect(url).toContain(`?token=${token}`)
    const first = await open.ask(`/?token=${token}`)
    expect(first.status).toBe(303)
    expect(first.headers.location).toBe('/')
    const [cookie] = first.headers['set-cookie'] ?? []
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/)
    expect((await open.ask('/api/health', { headers: { Cookie: cookie.split(';')[0] } })).status).toBe(200)
    expect((await open.ask('/api/health', { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200)
  })

  it('the token does not excuse a foreign host or site', async () => {
    const Authorization = `Bearer ${open.server.token}`
    const { port } = open.server
    expect((await open.ask('/api/health', { headers: { Authorization, Host: `evil.example:${port}` } })).status).toBe(
      403,
    )
    expect((await open.ask('/api/health', { headers: { Authorization, Host: `192.0.2.7:${port}` } })).status).toBe(200)
    expect((await open.post('/api/uploads', {}, { Authorization, Origin: 'https://evil.example' })).status).toBe(403)
  })
})

it('none of this was a bug of ours', () => {
  expect(lab.bugs).toEqual([])
})
