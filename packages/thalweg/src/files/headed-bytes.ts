import { FormatError } from '@thalweg/graph'

const headBytesMax = 2 ** 24

/** One line of JSON, then bytes. */
export function withHead(head: object, body: Uint8Array): Uint8Array {
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`)
  const out = new Uint8Array(line.length + body.length)
  out.set(line)
  out.set(body, line.length)
  return out
}

/** The parts again; the head is whatever the JSON says.
 * @throws {FormatError} if the bytes do not begin with a line of JSON. */
export function cutHead(bytes: Uint8Array, where: string): [head: unknown, body: Uint8Array] {
  const end = bytes.subarray(0, headBytesMax).indexOf(0x0a)
  const damaged = (cause?: unknown): FormatError =>
    new FormatError(`${where}: must begin with a line of JSON. It may be damaged.`, {}, cause)
  if (end < 0) throw damaged()
  try {
    return [
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end))),
      bytes.subarray(end + 1),
    ]
  } catch (error) {
    throw damaged(error)
  }
}
