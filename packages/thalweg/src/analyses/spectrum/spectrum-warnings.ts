import type { Spectrum } from '@thalweg/landscape'
import type { Subject } from '../../subject/subject.ts'
import { nearRequest, wantedPairs } from './spectrum-argument.ts'
import type { SpectrumArgument, SpectrumOperator } from './spectrum-argument.ts'

/* What a reader of a spectrum must know of its numbers. */

/** All of them, of the whole matrix. */
export function spectrumWarnings(
  argument: SpectrumArgument,
  spec: Subject['spec'],
  result: Spectrum,
  stopped: boolean,
): string[] {
  return [
    ...(argument.dtype === 'float32'
      ? ['Computed in float32: small eigenvalues and their signs are not reliable.']
      : []),
    ...searchWarnings(argument, result),
    ...zeroWarnings(argument.operator, spec),
    ...logDeterminantWarnings(result),
    ...(stopped
      ? stopWarnings(argument, result)
      : [
          ...unconvergedWarnings(argument, result),
          ...nearWarnings(argument, result),
          ...traceWarnings(argument, result),
        ]),
  ]
}

function searchWarnings({ searchDtype, dtype }: SpectrumArgument, { method, products }: Spectrum): string[] {
  if (searchDtype === undefined || searchDtype === dtype || products === 0) return []
  return method === 'dense'
    ? [`--search-dtype ${searchDtype} had nothing to do: all eigenvalues were computed, in ${dtype}.`]
    : [`The search for eigenvalues ran in ${searchDtype}; values and residuals are those of ${dtype}.`]
}

/** Curvature matrices that vanish by definition. */
function zeroWarnings(operator: SpectrumOperator, { name, power }: Subject['spec']): string[] {
  const linear = name === 'negative-log-likelihood' || name === 'l1' || (name === 'hinge' && (power ?? 1) === 1)
  if (operator !== 'ggn' || !linear) return []
  const instead = name === 'negative-log-likelihood' ? '--operator fisher or hessian' : '--operator hessian'
  return [
    `The generalized Gauss-Newton matrix of ${name} is zero by definition (weight decay apart): the loss is linear in the outputs of the model. Use ${instead}.`,
  ]
}

function logDeterminantWarnings({ logDeterminant }: Spectrum): string[] {
  if (!logDeterminant) return []
  const { shift, obstacle, standardError, quadratureError } = logDeterminant
  const name = shift === 0 ? 'log det A' : `log det(A + ${shift} I)`
  if (obstacle !== null)
    return [
      `${name} does not exist: the spectrum of A reaches down to ${obstacle.toPrecision(4)}. Use --shift above ${Math.max(0, -obstacle).toPrecision(4)}, or --operator ggn with a positive --shift.`,
    ]
  // More than one half of the variance.
  if (standardError === null || quadratureError === null || quadratureError <= Math.SQRT1_2 * standardError) return []
  return [
    `${name}: Lanczos quadrature had not settled; its error of about ${quadratureError.toPrecision(2)} is extrapolated and most likely of one sign, too large a value. A larger --shift converges faster; --exact is exact.`,
  ]
}

/** A trace whose products ended before its error was small enough. */
function traceWarnings({ traceAccuracy }: SpectrumArgument, { trace }: Spectrum): string[] {
  if (traceAccuracy === undefined || !trace || trace.standardError <= traceAccuracy * Math.abs(trace.value)) return []
  const reached = (trace.standardError / Math.abs(trace.value)).toPrecision(2)
  return [
    `After ${trace.products} products the standard error of the trace is ${reached} of it, not ${traceAccuracy} as asked. Raise --max-products, or form the matrix by --exact.`,
  ]
}

const unverifiedWarning =
  'All pairs have converged, but the search for further copies of multiple eigenvalues did not come to its end: a listed eigenvalue may stand where a copy of one before it belongs. Raise --max-products, or form the matrix by --exact.'

/** A search that used up its products before it had all pairs, or before it had looked for further copies of them. */
function unconvergedWarnings(argument: SpectrumArgument, result: Spectrum): string[] {
  const { top, bottom, status, multiplicityVerified, products } = result
  const open = [...top, ...bottom].filter((pair) => !pair.converged).length
  if (open === 0) return multiplicityVerified ? [] : [unverifiedWarning]
  if (status !== 'max-products' && status !== 'stagnated') return []
  const why = status === 'stagnated' ? 'rounding keeps their residuals up' : `after ${products} products`
  const cure = status === 'stagnated' ? '' : ' Raise --max-products, or form the matrix by --exact.'
  return [
    `${open} of ${wantedPairs(argument, result.size)} eigenvalues have not converged, ${why}: within its residual of each lies some eigenvalue, but it need not be the extreme one.${cure}`,
  ]
}

const epsilon = 2 ** -53

/** What the eigenvalues near a target do not show. */
function nearWarnings(argument: SpectrumArgument, { near, size }: Spectrum): string[] {
  const request = nearRequest(argument)
  if (request === undefined) return []
  if (!near) return [`Stopped before the search for eigenvalues near ${request.target} began.`]
  if (near.status === 'exact') return []
  const { pairs, status, products, target, operatorNorm } = near
  const wanted = Math.min(size, request.count)
  const open = wanted - pairs.filter((pair) => pair.converged).length
  const cure = status === 'aborted' ? '' : ' Raise --max-products, or form the matrix by --exact.'
  if (open > 0) {
    const stagnated = status === 'stagnated'
    const why = stagnated ? 'rounding keeps their residuals up' : `after ${products} products`
    return [
      `${open} of ${wanted} eigenvalues near ${target} have not converged, ${why}: within its residual of each lies some eigenvalue, but it need not be among the closest.${stagnated ? '' : cure}`,
    ]
  }
  const reach = Math.max(...pairs.map(({ value }) => Math.abs(value - target)))
  const blurred = pairs.filter(({ residualNorm: r }) => r > size * epsilon * operatorNorm && r > 0.1 * reach).length
  if (blurred > 0)
    return [
      `Near ${target} the spectrum is denser than the residuals can tell: ${blurred} of ${wanted} are as large as the distances. Eigenvalues lie there, but which are the closest is open. Form the matrix by --exact to know.`,
    ]
  return near.multiplicityVerified
    ? []
    : [
        `All eigenvalues near ${target} have converged, but the search for further copies of multiple ones did not come to its end: one may stand where a copy of one before it belongs.${cure}`,
      ]
}

/** What time left open near a target; null where nothing. */
function nearLeftOpen(argument: SpectrumArgument, { near, size }: Spectrum): string | null {
  const request = nearRequest(argument)
  if (request === undefined) return null
  if (!near) return `the eigenvalues near ${request.target} were not reached`
  if (near.status === 'exact') return null
  const wanted = Math.min(size, request.count)
  const open = wanted - near.pairs.filter((pair) => pair.converged).length
  return open > 0 ? `${open} of ${wanted} near ${request.target} had not converged` : null
}

function stopWarnings(argument: SpectrumArgument, result: Spectrum): string[] {
  const { top, bottom, floor, products, trace, density, logDeterminant, method, status } = result
  if (method === 'dense' && status === 'aborted')
    return [
      'Stopped by the time limit while the dense matrix was formed: there are no eigenvalues yet. Leave out --exact to search for both ends, or allow more time.',
    ]
  const wanted = wantedPairs(argument, result.size)
  const known = floor ? argument.bottom : bottom.filter((pair) => pair.converged).length
  const open = wanted - known - top.filter((pair) => pair.converged).length
  const nearOpen = nearLeftOpen(argument, result)
  const done =
    nearOpen === null &&
    (!argument.trace || trace) &&
    (!argument.density || density?.complete) &&
    (!argument.logDet || logDeterminant?.complete)
  if (open === 0 && done && !result.multiplicityVerified) return [unverifiedWarning]
  if (open === 0 && done)
    return [`The time limit passed after ${products} products, when all that was asked for was done.`]
  const parts = [
    ...(open === 0 ? [] : [`${open} of ${wanted} pairs had not converged`]),
    ...(nearOpen === null ? [] : [nearOpen]),
    ...(argument.trace && !trace ? ['the trace was not reached'] : []),
    ...(argument.density && !density ? ['the density was not reached'] : []),
    ...(density && !density.complete
      ? [`the density rests on ${density.measures.length} probes, some of fewer steps`]
      : []),
    ...(argument.logDet && !logDeterminant ? ['the log-determinant was not reached'] : []),
    ...(logDeterminant && !logDeterminant.complete ? ['the log-determinant rests on fewer probes and steps'] : []),
  ]
  return [
    `Stopped by the time limit after ${products} products: ${parts.join('; ')}. The pairs are the best so far; a residual r proves that some eigenvalue lies within r, not that it is the extreme one.`,
  ]
}
