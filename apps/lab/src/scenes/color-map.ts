/** Palettes whose lightness only rises (or rises to a pale middle), so that they read in gray and with every common color
 *  vision. `relief` is the laboratory's own, after the tints of a printed atlas: deep water, shelf, sand, snow. */
export const palettes = ['relief', 'viridis', 'cividis', 'diverging'] as const
export type Palette = (typeof palettes)[number]

export type Rgb = readonly [red: number, green: number, blue: number]

const stops: Readonly<Record<Palette, string>> = {
  relief: '0a2b3a 0c3c4d 0b4d5f 0f5f6e 216f7a 387f83 52908a 6e9f8f 8aac94 a4b798 bbbf9b cdc59e d9c9a1 e0ceab e6d3b6',
  viridis:
    '440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725',
  cividis:
    '002051 012b65 11366c 26426e 3c4d6e 51586e 62646f 727071 7f7c75 8c8877 9a9478 a9a177 bbaf71 cebd68 e2cb5c f3da4f fdea45',
  // The ends of PuOr are nearly black; without them lines and marks stay visible.
  diverging:
    '552d84 6a4d9a 8170ac 998ebf b0a9d0 c5c2de d7d7e9 e7e7ef f3eeea faead5 fdddb3 fdcb8c f8b664 ee9d3d dd841f c96e0f b25a09',
}

const tables = new Map<Palette, readonly Rgb[]>()

function tableOf(palette: Palette): readonly Rgb[] {
  let table = tables.get(palette)
  if (!table) {
    table = stops[palette].split(' ').map((hex): Rgb => {
      const value = Number.parseInt(hex, 16)
      return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255]
    })
    tables.set(palette, table)
  }
  return table
}

/** sRGB components 0 … 1 of a share 0 … 1 of the palette; its ends beyond. */
export function paletteColor(palette: Palette, share: number): Rgb {
  const table = tableOf(palette)
  const at = Math.min(1, Math.max(0, share)) * (table.length - 1)
  const low = Math.min(table.length - 2, Math.floor(at))
  const part = at - low
  const [a, b] = [table[low], table[low + 1]]
  return [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1]), a[2] + part * (b[2] - a[2])]
}

export function cssColor([red, green, blue]: Rgb): string {
  const byte = (x: number): string =>
    Math.round(255 * Math.min(1, Math.max(0, x)))
      .toString(16)
      .padStart(2, '0')
  return `#${byte(red)}${byte(green)}${byte(blue)}`
}

/** Perceived lightness 0 … 1 (CIE L* / 100). */
export function lightness([red, green, blue]: Rgb): number {
  const y = 0.2126 * linearOf(red) + 0.7152 * linearOf(green) + 0.0722 * linearOf(blue)
  return (y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y) / 100
}

/** sRGB component → light. */
export function linearOf(component: number): number {
  return component <= 0.04045 ? component / 12.92 : ((component + 0.055) / 1.055) ** 2.4
}

/** A line on this ground that can be seen on it: the ground's color, darker on light and lighter on dark. */
export function lineOn(ground: Rgb): Rgb {
  const dark = lightness(ground) < 0.42
  const mix = (x: number): number => (dark ? x + 0.42 * (1 - x) : x * 0.62)
  return [mix(ground[0]), mix(ground[1]), mix(ground[2])]
}
