/** A piece of an activation on [from, to]: c₀ + c₁x + c₂x² + A eˣ. */
export interface Piece {
  readonly from: number
  readonly to: number
  readonly polynomial: readonly [number, number, number]
  readonly exponential: number
}

const { NEGATIVE_INFINITY: minus, POSITIVE_INFINITY: plus } = Number

function piece(from: number, to: number, polynomial: Piece['polynomial'], exponential = 0): Piece {
  return { from, to, polynomial, exponential }
}

/** α(eˣ − 1) below 0, x above, times λ. */
function exponentialUnit(lambda: number, alpha: number): readonly Piece[] {
  return [piece(minus, 0, [-lambda * alpha, 0, 0], lambda * alpha), piece(0, plus, [0, lambda, 0])]
}

/** Activations with kinks whose pieces are polynomials and exponentials, from left to right; the constants are those of
 * the graph's builders. */
export const piecewiseActivations: Readonly<Record<string, readonly Piece[]>> = {
  elu: exponentialUnit(1, 1),
  celu: exponentialUnit(1, 1),
  selu: exponentialUnit(1.0507009873554805, 1.6732632423543772),
  'hard-tanh': [piece(minus, -1, [-1, 0, 0]), piece(-1, 1, [0, 1, 0]), piece(1, plus, [1, 0, 0])],
  'hard-sigmoid': [piece(minus, -3, [0, 0, 0]), piece(-3, 3, [0.5, 1 / 6, 0]), piece(3, plus, [1, 0, 0])],
  'hard-swish': [piece(minus, -3, [0, 0, 0]), piece(-3, 3, [0, 0.5, 1 / 6]), piece(3, plus, [0, 1, 0])],
}

/** The derivative, piece by piece. */
export function slopePieces(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.map(({ from, to, polynomial: [, linear, quadratic], exponential }) =>
    piece(from, to, [linear, 2 * quadratic, 0], exponential),
  )
}

export function valueAt(pieces: readonly Piece[], x: number): number {
  const { polynomial, exponential } = pieces.find(({ to }) => x <= to) ?? pieces[pieces.length - 1]
  const smooth = polynomial[0] + x * (polynomial[1] + x * polynomial[2])
  return exponential === 0 ? smooth : smooth + exponential * Math.exp(x)
}

/** Where pieces meet. */
export function kinksOf(pieces: readonly Piece[]): number[] {
  return pieces.slice(1).map(({ from }) => from)
}

/** What the graph must sum to bound how fast E σ'σ' moves with the angle: the squared jumps of σ'. */
export function squaredJumps(pieces: readonly Piece[]): number {
  const slopes = slopePieces(pieces)
  return slopes.slice(1).reduce((sum, right, i) => {
    const at = right.from
    const left = slopes[i]
    return sum + (valueAt([right], at) - valueAt([left], at)) ** 2
  }, 0)
}
