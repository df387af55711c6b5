import type { VerdictKind } from '@thalweg/landscape'
import type { Quantity } from './format-number.ts'
import type { Figure, Language, Setting } from './scene.ts'

/** A report as plain data; {@link import('./render-report.ts').renderReport} makes the page. Texts are plain: they are
 *  escaped, powers of ten are set raised, and `code` between backticks is set as code. */
export interface Report {
  readonly lang: Language
  /** The experiment or the model. */
  readonly title: string
  /** One line: what was done to what. */
  readonly subtitle?: string
  /** When, as it is to be read; nothing is added to it. */
  readonly date?: string
  readonly verdict?: VerdictCard
  /** The few numbers to know, in a row. */
  readonly facts?: readonly Fact[]
  readonly warnings?: readonly string[]
  readonly sections: readonly Section[]
  readonly settings?: readonly SettingGroup[]
  readonly versions?: readonly Setting[]
  /** How to repeat it: a command line, or several, one a line. */
  readonly command?: string
  readonly interactive?: Interactive
}

/** What makes a page respond. The page's policy admits exactly these scripts, by their digests. */
export interface Interactive {
  /** Code of ours, never of others; each runs once, in this order, when the page's content is there. */
  readonly scripts: readonly string[]
  /** What the scripts read: JSON by the id of the `<script type="application/json">` that carries it. */
  readonly data: Readonly<Record<string, unknown>>
}

export type { VerdictKind }

export interface VerdictCard {
  readonly kind: VerdictKind
  /** One sentence. */
  readonly summary: string
  readonly evidence: readonly Evidence[]
  /** What to do; a blank line starts a new paragraph. */
  readonly advice?: string
}

export interface Evidence {
  readonly claim: string
  readonly value?: Cell
  /** What the value is held against. */
  readonly bound?: Cell
  readonly method?: string
}

export interface Fact {
  readonly label: string
  readonly value: Cell
  /** A few words under the number. */
  readonly note?: string
}

/** Text, a number in its usual format, a quantity with error and unit, or nothing. */
export type Cell = string | number | Quantity | null

export interface Section {
  /** Anchor in the page; letters, digits and hyphens. */
  readonly id: string
  readonly title: string
  readonly blocks: readonly Block[]
}

export type Block = Paragraph | Figures | Table | Code | Facts

export interface Paragraph {
  readonly kind: 'paragraph'
  readonly text: string
}

/** One figure with its caption at the side, or several in two columns. */
export interface Figures {
  readonly kind: 'figures'
  readonly figures: readonly Figure[]
}

export interface Column {
  readonly label: string
  /** Default: numbers right, text left, by the first cell that is not empty. */
  readonly align?: 'left' | 'right'
}

/** The first column heads its rows. */
export interface Table {
  readonly kind: 'table'
  readonly caption?: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Cell[])[]
}

export interface Code {
  readonly kind: 'code'
  readonly text: string
}

export interface Facts {
  readonly kind: 'facts'
  readonly facts: readonly Fact[]
}

export interface SettingGroup {
  readonly title: string
  readonly rows: readonly Setting[]
}
