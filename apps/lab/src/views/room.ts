import type { ComponentType } from 'react'
import type { LanguageTable } from '../words/language-table.ts'

/** A room of the laboratory. Its code is fetched when it is entered. */
export interface Room {
  /** In the address: `landscape`, `theory/linear`. */
  readonly id: string
  readonly name: LanguageTable<string>
  /** One sentence: the question that the room answers. */
  readonly summary: LanguageTable<string>
  readonly load: () => Promise<{ readonly default: ComponentType }>
}
