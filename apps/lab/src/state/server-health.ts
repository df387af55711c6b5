import type { Health } from 'thalweg/protocol'
import { server } from './server.ts'

let health: Promise<Health | undefined> | undefined

/** Who answers under `/api`, asked once; undefined where the page lies on a plain web server. */
export function serverHealth(): Promise<Health | undefined> {
  health ??= server.health().then(
    (reply) => (reply.service === 'thalweg-lab' ? reply : undefined),
    () => undefined,
  )
  return health
}
