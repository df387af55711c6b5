export { philox4x32 } from './philox.ts'
export type { RandomStream } from './random-stream.ts'
export { randomStream } from './random-stream.ts'
