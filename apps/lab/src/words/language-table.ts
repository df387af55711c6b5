import type { Language } from '../state/preferences.ts'

/** The same words in every language. Write the English table as an object and give the Chinese one its type, then a missing
 *  or a superfluous translation does not compile:
 *
 *      export const en = { title: 'Linear networks', steps: (n: number): string => `${n} steps` }
 *      const zh: typeof en = { title: '线性网络', steps: (n) => `${n} 步` }
 *      export const linearWords: LanguageTable<typeof en> = { en, zh } */
export type LanguageTable<W> = Readonly<Record<Language, W>>
