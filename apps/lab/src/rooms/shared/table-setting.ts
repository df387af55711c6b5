import type { Setting } from '../../state/place.ts'

/** A table of numbers in the address: rows by semicolons, entries by commas. */
export function tableSetting(
  initial: readonly (readonly number[])[],
  most: number,
): Setting<readonly (readonly number[])[]> {
  return {
    initial,
    read: (text) => {
      const rows = text
        .split(';')
        .map((row) => row.split(',').map((entry) => (entry.trim() === '' ? Number.NaN : Number(entry))))
      const fits =
        rows.length <= most &&
        rows.every((row) => row.length === rows[0].length && row.length <= 2 * most && row.every(Number.isFinite))
      return fits ? rows : undefined
    },
    write: (rows) => rows.map((row) => row.map((v) => Number(v.toPrecision(6))).join(',')).join(';'),
  }
}
