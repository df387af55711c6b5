import { escapeMarkup } from './escape-markup.ts'

export type SvgAttributes = Readonly<Record<string, string | number | undefined>>

/** One element as text: numbers as coordinates, text escaped, attributes that are undefined left out.
 *  @param content markup, already safe. */
export function svgElement(name: string, attributes: SvgAttributes, content: string = ''): string {
  const list = Object.entries(attributes).map(([key, value]) =>
    value === undefined ? '' : ` ${key}="${attribute(value)}"`,
  )
  return content === '' ? `<${name}${list.join('')}/>` : `<${name}${list.join('')}>${content}</${name}>`
}

/** A text element; the text is escaped here. */
export function svgText(text: string, attributes: SvgAttributes): string {
  return svgElement('text', attributes, escapeMarkup(text))
}

/** A coordinate in an attribute: hundredths of a pixel are enough, and equal bits follow everywhere. */
export function coordinate(value: number): string {
  const rounded = Math.round(value * 100) / 100
  return Object.is(rounded, -0) ? '0' : String(rounded)
}

function attribute(value: string | number): string {
  return typeof value === 'number' ? coordinate(value) : escapeMarkup(value)
}
