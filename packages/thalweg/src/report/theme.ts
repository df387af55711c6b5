/** Colors and type of a figure. A file on disk has fixed colors on white; inside the report the same names are CSS
 *  variables, so that one picture serves light, dark and print. */
export interface Theme {
  readonly paper: string
  readonly ink: string
  readonly muted: string
  readonly rule: string
  readonly accent: string
  readonly missing: string
  /** Okabe & Ito (2008), told apart with every common color vision; the first two differ also in gray. */
  readonly series: readonly string[]
}

const LIGHT: Theme = {
  paper: '#ffffff',
  ink: '#1d2731',
  muted: '#5a6672',
  rule: '#e2e6ea',
  accent: '#0b6477',
  missing: '#d5d9dd',
  series: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#5a6672'],
}

/** The colors for dark paper; the report's style sheet sets them. */
export const DARK: Theme = {
  paper: '#14181c',
  ink: '#e6e9ec',
  muted: '#9aa5b0',
  rule: '#2a3138',
  accent: '#63b8c9',
  missing: '#3a424a',
  series: ['#4aa8e0', '#f08a4b', '#2fc79a', '#e29fc4', '#f0b93a', '#8accf3', '#9aa5b0'],
}

const variable = (name: string, color: string): string => `var(--figure-${name},${color})`

/** For a file: dark ink on white. */
export const fileTheme: Theme = LIGHT

/** For a page that may redefine `--figure-ink`, `--figure-series-1` and so on; without them it looks like a file. */
export const pageTheme: Theme = {
  paper: variable('paper', LIGHT.paper),
  ink: variable('ink', LIGHT.ink),
  muted: variable('muted', LIGHT.muted),
  rule: variable('rule', LIGHT.rule),
  accent: variable('accent', LIGHT.accent),
  missing: variable('missing', LIGHT.missing),
  series: LIGHT.series.map((color, i) => variable(`series-${i + 1}`, color)),
}

/** The CSS that gives `pageTheme` the colors of `theme`. */
export function themeVariables(theme: Theme): string {
  const names = ['paper', 'ink', 'muted', 'rule', 'accent', 'missing'] as const
  const plain = names.map((name) => `--figure-${name}:${theme[name]};`)
  return [...plain, ...theme.series.map((color, i) => `--figure-series-${i + 1}:${color};`)].join('')
}

export const FONT_FAMILY =
  "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans','DejaVu Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif"

/** Type sizes in pixels, the same in every figure. */
export const TYPE = { title: 15, label: 12, tick: 11, note: 10.5, caption: 11 } as const
