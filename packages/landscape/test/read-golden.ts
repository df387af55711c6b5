import { readFileSync } from 'node:fs'

/** The golden values NAME.json beside the script that made them. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./golden/${name}.json`, import.meta.url), 'utf8')) as T
}
