/** What the reader prefers everywhere: language and light. Kept in the browser; `?lang=zh` and `?theme=dark` in the address
 *  overrule it for one visit. */
export type Language = 'en' | 'zh'
export type ThemeChoice = 'system' | 'light' | 'dark'

export interface Preferences {
  readonly language: Language
  readonly theme: ThemeChoice
}

type Listener = () => void

class PreferenceStore {
  #value: Preferences
  readonly #listeners = new Set<Listener>()

  constructor() {
    this.#value = { language: firstLanguage(), theme: firstTheme() }
    globalThis.matchMedia?.('(prefers-color-scheme: dark)').addEventListener('change', () => this.#apply())
    this.#apply()
  }

  readonly get = (): Preferences => this.#value

  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  set(change: Partial<Preferences>): void {
    this.#value = { ...this.#value, ...change }
    for (const [key, value] of Object.entries(change)) remember(key, value)
    this.#apply()
    for (const listener of this.#listeners) listener()
  }

  /** Light or dark, as it is shown now. */
  readonly shownTheme = (): 'light' | 'dark' => {
    const { theme } = this.#value
    if (theme !== 'system') return theme
    return globalThis.matchMedia?.('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }

  #apply(): void {
    const root = globalThis.document?.documentElement
    if (!root) return
    root.lang = this.#value.language === 'zh' ? 'zh-Hans' : 'en'
    root.dataset['theme'] = this.shownTheme()
    for (const listener of this.#listeners) listener()
  }
}

function firstLanguage(): Language {
  const asked = fromQuery('lang') ?? recall('language') ?? globalThis.navigator?.language ?? 'en'
  return asked.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

function firstTheme(): ThemeChoice {
  const asked = fromQuery('theme') ?? recall('theme')
  return asked === 'light' || asked === 'dark' ? asked : 'system'
}

function fromQuery(name: string): string | null {
  return new URLSearchParams(globalThis.location?.search ?? '').get(name)
}

/** Storage may be switched off: then a preference lasts as long as the page. */
function recall(name: string): string | null {
  try {
    return localStorage.getItem(`thalweg.${name}`)
  } catch {
    return null
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`thalweg.${name}`, value)
  } catch {
    // see recall
  }
}

export const preferences: PreferenceStore = new PreferenceStore()
export type { PreferenceStore }
