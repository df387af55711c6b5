import { FormatError } from '@thalweg/graph'
import { LineCounter, isMap, isNode, isPair, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import type { z } from 'zod'
import { experimentJsonSchema, experimentSchema } from './schema.ts'
import type { Experiment } from './schema.ts'

/** Largest experiment file; real ones have a page. */
const bytesMax = 1 << 20
/** Brackets open at once, and markers of lists and maps in a row: a parser's time and stack grow with them. */
const depthMax = 100
const deepMarkers = /(?:[-?:][ \t]+){100}/

type Path = readonly PropertyKey[]

/** Parses and checks an experiment. Only plain data is built: no tags, no merge of foreign types, few aliases.
 * @throws {FormatError} for the first thing wrong, as `file:line:column: rule, got value. Cure.` */
export function parseExperiment(text: string, file: string): Experiment {
  if (text.length > bytesMax)
    throw new FormatError(`${file}: an experiment has at most ${bytesMax} characters, got ${text.length}.`)
  if (bracketDepth(text) > depthMax || deepMarkers.test(text))
    throw new FormatError(`${file}: an experiment nests at most ${depthMax} lists and maps. Make it flatter.`)
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    customTags: [],
  })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [syntax] = document.errors
  if (syntax)
    throw new FormatError(
      `${at(syntax.pos[0])}: ${syntax.message.split('\n')[0].replace(/ at line.*$/, '')}. Mend the YAML.`,
    )
  const result = experimentSchema.safeParse(plainData(document, file))
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new FormatError(`${at(offsetOf(document, issue))}: ${describe(issue, document)}`)
}

/** Most brackets that are open at once, those in texts too: more than there are, never fewer. */
function bracketDepth(text: string): number {
  let [depth, most] = [0, 0]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 91 || code === 123) most = Math.max(most, ++depth)
    else if (code === 93 || code === 125) depth = Math.max(0, depth - 1)
  }
  return most
}

function plainData(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new FormatError(
      `${file}: ${error instanceof Error ? error.message : String(error)}. Write the values out.`,
      {},
      error,
    )
  }
}

/** Where in the text the issue lies: the unknown key itself, the value, or the nearest thing around it. */
function offsetOf(document: Document, issue: z.core.$ZodIssue): number {
  if (issue.code === 'unrecognized_keys') {
    const parent = issue.path.length === 0 ? document.contents : document.getIn(issue.path as unknown[], true)
    if (isMap(parent)) {
      const pair = parent.items.find((p) => isScalar(p.key) && p.key.value === issue.keys[0])
      if (pair && isNode(pair.key)) return pair.key.range?.[0] ?? 0
    }
  }
  for (let depth = issue.path.length; depth > 0; depth--) {
    const node = document.getIn(issue.path.slice(0, depth) as unknown[], true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0
}

function pathText(path: Path): string {
  return path
    .map((p) => (typeof p === 'number' ? `[${p}]` : `.${String(p)}`))
    .join('')
    .replace(/^\./, '')
}

function valueText(document: Document, path: Path): string {
  const node = path.length === 0 ? document.contents : document.getIn(path as unknown[], true)
  if (node === undefined || node === null) return 'nothing'
  if (isScalar(node)) return JSON.stringify(node.value)
  if (isSeq(node)) return `a list of ${node.items.length}`
  if (isMap(node))
    return `a map with ${node.items.map((i) => (isPair(i) && isScalar(i.key) ? String(i.key.value) : '?')).join(', ')}`
  return 'something else'
}

function describe(issue: z.core.$ZodIssue, document: Document): string {
  const where = pathText(issue.path)
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys
    return `unknown key ${JSON.stringify(key)}${where ? ` in ${where}` : ''}. ${adviceOn(key)}`
  }
  const rule = issue.message.replace(/^Invalid input: /, '').replace(/, received \w+$/, '')
  return `${where || 'experiment'}: ${rule}, got ${valueText(document, issue.path)}.`
}

/** What to do with a key that is unknown where it stands: spelled otherwise, or at another place. */
function adviceOn(key: string): string {
  const known = schemaKeys()
  const places = [...new Set(known.filter((it) => it.key === key).map(({ place }) => place || 'the top level'))]
  if (places.length > 0) return `It belongs to ${places.slice(0, 3).join(' or ')}.`
  const near = nearest(
    key,
    known.map((it) => it.key),
  )
  return near ? `Did you mean ${near}?` : 'Remove it.'
}

/** Every key that the schema knows, with the keys it lies under. */
function schemaKeys(schema: unknown = experimentJsonSchema(), place = ''): { key: string; place: string }[] {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([name, part]) => {
    if (name !== 'properties' || typeof part !== 'object' || part === null) return schemaKeys(part, place)
    return Object.entries(part).flatMap(([key, value]) => [
      { key, place },
      ...schemaKeys(value, place ? `${place}.${key}` : key),
    ])
  })
}

/** The known word within two edits, if there is one. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((k) => ({ k, d: editDistance(word.toLowerCase(), k.toLowerCase()) }))
    .sort((a, b) => a.d - b.d)
  return ranked[0] && ranked[0].d <= Math.max(1, Math.min(2, Math.floor(word.length / 3))) ? ranked[0].k : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]
}
