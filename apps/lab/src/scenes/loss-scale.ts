/** Whether losses are drawn on a logarithmic scale: none is negative and some are not zero. Zeros have no place there
 * (`onScale`). */
export function isLogarithmic(losses: readonly (number | null)[]): boolean {
  const finite = losses.filter((loss): loss is number => loss !== null && Number.isFinite(loss))
  return finite.every((loss) => loss >= 0) && finite.some((loss) => loss > 0)
}

/** The loss, or a gap where the scale has no place for it. */
export function onScale(loss: number | null, logarithmic: boolean): number | null {
  if (loss === null || !Number.isFinite(loss)) return null
  return logarithmic && loss <= 0 ? null : loss
}

/** Of the divisions 1, 2, …, 9 of each decade those that get a line and a label, the others null: powers of ten, and 2 and 5
 * besides where the range has fewer than two, all where even those are fewer. Of many decades every second, third … */
export function decadeTicks(splits: readonly number[], labelsMax: number = 8): (number | null)[] {
  const leading = (x: number): number => Math.round(x / 10 ** Math.floor(Math.log10(x) + 1e-9))
  const decades = splits.filter((x) => leading(x) === 1)
  if (decades.length < 2) {
    const few = splits.map((x) => ([1, 2, 5].includes(leading(x)) ? x : null))
    return few.filter((x) => x !== null).length < 2 ? [...splits] : few
  }
  const step = Math.ceil(decades.length / labelsMax)
  return splits.map((x) => (leading(x) === 1 && Math.round(Math.log10(x)) % step === 0 ? x : null))
}
