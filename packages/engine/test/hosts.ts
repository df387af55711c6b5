import type { Engine } from '../src/index.ts'
import { childEngine, nativeEngine } from '../src/node/index.ts'
import { webEngine } from '../src/web/index.ts'

export interface Host {
  readonly name: string
  readonly open: () => Promise<Engine>
}

/** The hosts that share the contract; a child process runs the native provider. */
export const hosts: readonly Host[] = [
  { name: 'native', open: () => Promise.resolve(nativeEngine()) },
  { name: 'WebAssembly', open: () => webEngine() },
]

export const childHost: Host = { name: 'child process', open: () => childEngine() }
