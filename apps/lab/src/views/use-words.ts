import type { LanguageTable } from '../words/language-table.ts'
import { usePreferences } from './use-stores.ts'

/** The words of a table in the reader's language. */
export function useWords<W>(table: LanguageTable<W>): W {
  return table[usePreferences().language]
}
