/** Where the reader is: a room and what is set in it. It is written in the fragment of the address, so that a link restores
 *  the view from any web server. */
export interface Place {
  /** `landscape`, `theory/linear` …; empty on a page that is one room. */
  readonly room: string
  readonly settings: Readonly<Record<string, string>>
}

/** `#/landscape?color=accuracy` */
export function readPlace(fragment: string): Place {
  const text = fragment.replace(/^#\/?/, '')
  const question = text.indexOf('?')
  const room = question < 0 ? text : text.slice(0, question)
  const query = question < 0 ? '' : text.slice(question + 1)
  return { room: decode(room), settings: Object.fromEntries(new URLSearchParams(query)) }
}

/** The fragment of a place. Slashes, commas and colons stay readable. */
export function writePlace({ room, settings }: Place): string {
  const entries = Object.entries(settings).filter(([, value]) => value !== '')
  const query = entries.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&')
  return `#/${encode(room)}${query === '' ? '' : `?${query}`}`
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%2C', ',').replaceAll('%3A', ':')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** How one setting is written in the address. `read` gets what stands there and refuses what does not fit by `undefined`. */
export interface Setting<T> {
  readonly initial: T
  read(text: string): T | undefined
  write(value: T): string
}

export function textSetting(initial = ''): Setting<string> {
  return { initial, read: (text) => text, write: (value) => value }
}

/** A number within `min` … `max`, written with the digits it has. */
export function numberSetting(
  initial: number,
  min: number = Number.NEGATIVE_INFINITY,
  max: number = Number.POSITIVE_INFINITY,
): Setting<number> {
  return {
    initial,
    read: (text) => {
      const value = text.trim() === '' ? Number.NaN : Number(text)
      return Number.isFinite(value) && value >= min && value <= max ? value : undefined
    },
    write: (value) => String(Number(value.toPrecision(12))),
  }
}

export function choiceSetting<T extends string>(choices: readonly T[], initial: T): Setting<T> {
  return {
    initial,
    read: (text) => choices.find((choice) => choice === text),
    write: (value) => value,
  }
}

export function flagSetting(initial: boolean): Setting<boolean> {
  return {
    initial,
    read: (text) => (text === '1' ? true : text === '0' ? false : undefined),
    write: (v) => (v ? '1' : '0'),
  }
}

/** Numbers separated by commas, a fixed or any count of them. */
export function numbersSetting(initial: readonly number[], count?: number): Setting<readonly number[]> {
  return {
    initial,
    read: (text) => {
      const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
      return values.every(Number.isFinite) && (count === undefined || values.length === count) ? values : undefined
    },
    write: (values) => values.map((value) => Number(value.toPrecision(6))).join(','),
  }
}
