const pointsMax = 4000

/** A curve with more points at its end, thinned so that it never has more than 4000: then those stay that are evenly far
 * apart in steps, half as many, with both ends. */
export function grownCurve<T extends { readonly step: number }>(
  curve: readonly T[],
  points: readonly T[],
): readonly T[] {
  const grown = [...curve, ...points]
  if (grown.length <= pointsMax) return grown
  const last = grown.length - 1
  const gap = Math.abs(grown[last].step - grown[0].step) / (pointsMax / 2)
  const kept: T[] = [grown[0]]
  for (let i = 1; i < last && gap > 0; i++)
    if (Math.abs(grown[i].step - kept[kept.length - 1].step) >= gap) kept.push(grown[i])
  return [...kept, grown[last]]
}
