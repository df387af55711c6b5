import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { packageFile } from '../../files/package-file.ts'

/** What computes: in the source tree the three packages below this one, in the published package the bundle. */
function codeFolders(): string[] {
  if (!import.meta.url.endsWith('.ts')) return [packageFile('dist')]
  return ['graph', 'engine', 'landscape'].map((name) => packageFile('..', name, 'src'))
}

/** SHA-256 over names and contents of the files that compute, without tests: results are kept only as long as the code is
 * the very same. Cost: some 10 ms. */
export function codeDigest(): string {
  const hash = createHash('sha256')
  for (const folder of codeFolders()) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(js|ts)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
    for (const file of files)
      hash
        .update(`${relative(folder, file).replaceAll('\\', '/')}\0`)
        .update(readFileSync(file))
        .update('\0')
  }
  return hash.digest('hex')
}
