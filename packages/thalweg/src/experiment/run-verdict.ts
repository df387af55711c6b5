import type { VerdictCard } from '../report/report.ts'
import { formatMeasured, formatNumber } from '../report/format-number.ts'
import type { RunResults } from './run-results.ts'

/** What the end of training is, as far as its gradient and the ends of its spectrum tell. */
export function runVerdict({ end, eigenvalues }: RunResults): VerdictCard {
  const lowest = eigenvalues?.bottom[0]
  const gradient = formatNumber(end.gradientNorm)
  const curvature = lowest
    ? lowest.value + lowest.residualNorm < 0
      ? ` There is negative curvature: the Hessian has an eigenvalue within ${formatNumber(lowest.residualNorm)} of ${formatNumber(lowest.value)}.`
      : ` The lowest eigenvalue found is ${formatMeasured(lowest.value, lowest.residualNorm)}.`
    : ''
  return {
    kind: 'not-critical',
    summary: `Training stopped where the gradient is not zero: its norm is ${gradient}.${curvature}`,
    evidence: [{ claim: 'Gradient norm over all training samples', value: end.gradientNorm, method: 'float64, exact sum' }],
  }
}
