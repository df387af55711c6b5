import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvariantError } from '@thalweg/graph'

let root: string | undefined

/** The folder of the installed package: the nearest one above this file that holds `package.json`. The sources lie two
 * levels below it, the published bundle one. */
function packageRoot(): string {
  if (root) return root
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) {
      root = folder
      return folder
    }
    if (folder === dirname(folder))
      throw new InvariantError('package: no package.json lies above the program. Install it again.')
  }
}

/** A file that the package ships, by its path from the package's root. */
export function packageFile(...parts: string[]): string {
  return join(packageRoot(), ...parts)
}

/** The version of the installed package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version
}
