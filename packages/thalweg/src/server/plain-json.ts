import { plainNumbers } from '../files/plain-numbers.ts'
import { Refusal } from './refusal.ts'

const depthMax = 64

export type JsonObject = Readonly<Record<string, unknown>>

/** JSON from others as plain data. A key `__proto__` would become a prototype as soon as somebody copies the object, and
 * deep nesting exhausts the stack of whatever walks it: both are refused.
 * @throws {Refusal} 400. */
export function parsePlainJson(text: string): unknown {
  requireShallow(text)
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__') throw new Refusal('bad-request', 'JSON: a key may not be __proto__. Leave it out.')
      return value
    })
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('bad-request', `JSON: ${(error as Error).message.slice(0, 200)}.`, error)
  }
}

/** Counts open brackets outside of strings. */
function requireShallow(text: string): void {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (quoted) {
      if (code === 92) i++
      else if (code === 34) quoted = false
    } else if (code === 34) quoted = true
    else if (code === 91 || code === 123) {
      if (++depth > depthMax)
        throw new Refusal('bad-request', `JSON: at most ${depthMax} brackets may be open at once. Make it flatter.`)
    } else if (code === 93 || code === 125) depth--
  }
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, plainNumbers)
}

/** What a file of a run says is believed only as far as its type: the file may be anybody's. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

const textMax = 2000

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, textMax) : null
}
