/** What browsers are told about every answer. Scripts come from files of the lab only: none inline, no `eval`, WebAssembly
 * allowed. Styles may be inline, as figures and formulas have them. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "frame-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** Of everything that is not a page: were it opened as one, it could do nothing. */
const dataPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

/** Of a report in a frame of the lab: an origin of its own, no requests, and only the scripts whose digests are listed. */
function reportPolicy(scriptHashes: readonly string[]): string {
  const scripts = scriptHashes.map((hash) => `'${hash}'`).join(' ')
  return [
    scripts === '' ? 'sandbox' : 'sandbox allow-scripts',
    "default-src 'none'",
    `script-src ${scripts || "'none'"}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; ')
}

/** The digests that a report of ours lists in its own policy: `renderReport` writes it into the first lines of the page.
 * What a stranger writes there is bounded by the sandbox: no origin, no network, no storage, no way out of the frame. */
export function scriptHashesOf(html: string): string[] {
  const head = html.slice(0, 4096)
  const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(head)?.[1] ?? ''
  const scripts = /(?:^|; )script-src ([^;]*)/.exec(policy)?.[1] ?? ''
  return scripts
    .split(' ')
    .map((source) => /^'(sha256-[A-Za-z0-9+/]{43}=)'$/.exec(source)?.[1])
    .filter((hash) => hash !== undefined)
    .slice(0, 8)
}

export type ContentKind = 'page' | 'data' | { readonly report: readonly string[] }

/** Headers of an answer of this kind. The two isolation headers let WebAssembly use several threads. */
export function securityHeaders(kind: ContentKind): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': kind === 'page' ? pagePolicy : kind === 'data' ? dataPolicy : reportPolicy(kind.report),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': typeof kind === 'object' ? 'SAMEORIGIN' : 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  }
}
