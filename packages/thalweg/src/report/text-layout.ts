/** Widths in em of DejaVu Sans, the widest of the fonts a figure is likely to be drawn with: what fits in it fits in the
 *  others. Characters of East Asian scripts are one em. */
const NARROW = new Set("iIljt.,:;!|'`()[]{}\u202f⁰¹²³⁴⁵⁶⁷⁸⁹⁻".split(''))
const WIDE = new Set('mwMW@%×±−–—∞'.split(''))
const NARROW_WIDTH = 0.4
const WIDE_WIDTH = 0.92
const CAPITAL_WIDTH = 0.72
const OTHER_WIDTH = 0.615

/** Estimated width of a text, in pixels; never less than what DejaVu Sans needs by more than a few per cent. */
export function textWidth(text: string, fontSize: number): number {
  let ems = 0
  for (const character of text) ems += characterWidth(character)
  return ems * fontSize
}

/** Text broken into lines no wider than `width` pixels, at spaces, between East Asian characters, or inside a word that
 *  alone is too long (a file name). */
export function wrapText(text: string, fontSize: number, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const piece of pieces(text, fontSize, width)) {
    if (line !== '' && textWidth((line + piece).trimEnd(), fontSize) > width) {
      lines.push(line.trimEnd())
      line = piece.trimStart()
    } else {
      line += piece
    }
  }
  if (line.trim() !== '') lines.push(line.trimEnd())
  return lines
}

/** The text, or its beginning with an ellipsis where it is wider than `width` pixels. */
export function ellipsize(text: string, fontSize: number, width: number): string {
  if (textWidth(text, fontSize) <= width) return text
  let kept = ''
  for (const character of text) {
    if (textWidth(`${kept}${character}…`, fontSize) > width) break
    kept += character
  }
  return `${kept.trimEnd()}…`
}

function pieces(text: string, fontSize: number, width: number): string[] {
  const words = text
    .replace(/\s*\n\s*/g, ' ')
    .match(
      /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef][，。；：、）」』！？]?|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+\s*|\s+/g,
    )
  return (words ?? []).flatMap((word) =>
    textWidth(word.trimEnd(), fontSize) > width ? cut(word, fontSize, width) : [word],
  )
}

function cut(word: string, fontSize: number, width: number): string[] {
  const parts: string[] = []
  let part = ''
  for (const character of word) {
    if (part !== '' && textWidth(part + character, fontSize) > width) {
      parts.push(part)
      part = ''
    }
    part += character
  }
  return [...parts, part]
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code >= 0x2e80) return 1
  if (NARROW.has(character)) return NARROW_WIDTH
  if (WIDE.has(character)) return WIDE_WIDTH
  if (character === ' ') return 0.32
  return character >= 'A' && character <= 'Z' ? CAPITAL_WIDTH : OTHER_WIDTH
}
