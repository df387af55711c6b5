import { fileURLToPath } from 'node:url'

/** Path of a program that is started by its path, in a process or thread of its own: TypeScript beside the caller's source in a checkout,
 * JavaScript beside the bundle in the package. Each is an entry of tools/build.ts. */
export function programBeside(callerUrl: string, name: string): string {
  const extension = callerUrl.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`./${name}.${extension}`, callerUrl))
}
