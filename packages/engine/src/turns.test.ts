import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

it('lets one task through at a time, in order, past failures', async () => {
  const turns = new Turns()
  const log: string[] = []
  const task =
    (name: string, fails = false) =>
    async (): Promise<string> => {
      log.push(`+${name}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
      log.push(`-${name}`)
      if (fails) throw new Error(name)
      return name
    }
  const all = await Promise.allSettled([turns.take(task('a')), turns.take(task('b', true)), turns.take(task('c'))])
  expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '-c'])
  expect(all.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await turns.take(task('d'))).toBe('d')
})
