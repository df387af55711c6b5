const pointsMax = 4000

/** A curve with more points at its end, thinned so that it never has more than 4000: every other one of those that are
 * there goes, the ends stay. */
export function grownCurve<T>(curve: readonly T[], points: readonly T[]): readonly T[] {
  let grown = [...curve, ...points]
  while (grown.length > pointsMax) {
    const last = grown.length - 1
    grown = grown.filter((_, i) => i % 2 === 0 || i === last)
  }
  return grown
}
