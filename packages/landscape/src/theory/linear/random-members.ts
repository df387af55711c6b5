import {
  identity,
  matmul,
  matmulTransposedRight,
  pseudoInverse,
  qr,
  row,
  svd,
  transpose,
  zeros,
} from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import type { RandomStream } from '../../random/index.ts'
import type { CriticalBlocks, HiddenBasis } from './critical-point.ts'
import { criticalPoint, remainingSignal, requireHiddenLayer, zShapes } from './critical-point.ts'
import type { LinearProblem } from './linear-problem.ts'

export interface RandomMember extends Required<CriticalBlocks> {
  readonly subset: readonly number[]
  readonly weights: Matrix[]
}

/** A random critical point of class S: random D_k and random Z_k that satisfy the cyclic products.
 *
 * Half of the time blocks are dense or zero, at least two of them zero. Otherwise they are direct sums of chains, single
 * paths through the layers: start from basis vectors of every level and random partial matchings between levels, and
 * cut an arrow wherever a path would survive a whole cycle. In random bases these reach rank patterns in which products
 * vanish though no factor does.
 * @throws {DomainError} if there is no hidden layer or the subset names no class. */
export function randomMember(problem: LinearProblem, subset: readonly number[], random: RandomStream): RandomMember {
  requireHiddenLayer('randomMember', problem)
  const bases = problem.widths.slice(1, -1).map((d) => randomHiddenBasis(d, random))
  const z = random.uniform() < 0.5 ? denseOrZero(problem, subset.length, random) : chains(problem, subset, random)
  return { subset: [...subset], bases, z, weights: criticalPoint(problem, subset, { bases, z }) }
}

/** Q_1 diag(0.6 … 1.7) Q_2 with random orthogonal Q: invertible, never ill-conditioned. */
export function randomHiddenBasis(size: number, random: RandomStream): HiddenBasis {
  const left = randomOrthogonal(size, random)
  const right = randomOrthogonal(size, random)
  const stretch = random.uniforms(size).map((u) => 0.6 + 1.1 * u)
  const scaledRows = (a: Matrix, factor: (i: number) => number): Matrix => ({
    ...a,
    data: a.data.map((entry, i) => entry * factor(Math.floor(i / a.cols))),
  })
  return {
    forward: matmul(
      left,
      scaledRows(right, (i) => stretch[i]),
    ),
    inverse: matmul(
      transpose(right),
      scaledRows(transpose(left), (i) => 1 / stretch[i]),
    ),
  }
}

function randomOrthogonal(size: number, random: RandomStream): Matrix {
  return size === 0 ? identity(0) : qr({ rows: size, cols: size, data: random.normals(size * size) }).q
}

function denseOrZero(problem: LinearProblem, rank: number, random: RandomStream): Matrix[] {
  const { layers } = problem
  const zeroCount = 2 + random.integer(layers - 1)
  const zero = new Set(random.permutation(layers).subarray(0, zeroCount))
  return zShapes(problem, rank).map(({ rows, cols }, k) =>
    zero.has(k) ? zeros(rows, cols) : { rows, cols, data: random.normals(rows * cols) },
  )
}

/** Arrows of the chains: `next[k][c]` is where coordinate c of level k − 1 goes in level k, −1 for nowhere. */
type Arrows = readonly Int32Array[]

function chains(problem: LinearProblem, subset: readonly number[], random: RandomStream): Matrix[] {
  const shapes = zShapes(problem, subset.length)
  const signal = remainingSignal(problem, subset)
  const { input, output, linked } = adaptedBases(signal, random)
  const arrows = shapes.map(({ rows, cols }) => {
    const density = [0, 0.4, 0.8, 1][random.integer(4)]
    const targets = random.permutation(rows)
    const next = new Int32Array(cols).fill(-1)
    random.permutation(cols).forEach((source, i) => {
      if (i < rows && random.uniform() < density) next[source] = targets[i]
    })
    return next
  })
  cutCycles(arrows, linked, random)
  return shapes.map(({ rows, cols }, k) => {
    const core = zeros(rows, cols)
    arrows[k].forEach((target, source) => {
      if (target >= 0) core.data[target * cols + source] = (0.5 + random.uniform()) * (random.uniform() < 0.5 ? -1 : 1)
    })
    if (k === 0) return matmulTransposedRight(core, input)
    return k === problem.layers - 1 ? matmul(output, core) : core
  })
}

/** Bases in which T = X Yᵀ U_Q maps output vector j to a multiple of input vector j for j < linked, and the others to 0:
 * `input` orthogonal [d_x × d_x], `output` invertible [(d_y − r) × (d_y − r)]. */
function adaptedBases(signal: Matrix, random: RandomStream): { input: Matrix; output: Matrix; linked: number } {
  const { rows, cols } = signal
  const tall = zeros(rows, Math.max(rows, cols))
  for (let i = 0; i < rows; i++) tall.data.set(row(signal, i), i * tall.cols)
  const { u, values } = svd(tall)
  const linked = values.filter((value) => value > 1e-10 * values[0]).length
  const input = mixColumns(u, linked, random)
  const inverse = cols === 0 ? zeros(0, rows) : pseudoInverse(signal, { tolerance: 1e-10 })
  const images = matmul(inverse, input)
  const output = zeros(cols, cols)
  const nulls = cols === 0 ? zeros(0, 0) : nullBasis(signal, linked)
  for (let j = 0; j < cols; j++) {
    const length = j < linked ? Math.hypot(...Array.from({ length: cols }, (_, i) => images.data[i * rows + j])) : 1
    for (let i = 0; i < cols; i++) {
      output.data[i * cols + j] =
        j < linked ? images.data[i * rows + j] / length : nulls.data[i * nulls.cols + (j - linked)]
    }
  }
  return { input, output, linked }
}

/** Turns the first `count` columns among themselves and the others among themselves. */
function mixColumns(basis: Matrix, count: number, random: RandomStream): Matrix {
  const n = basis.cols
  const turn = zeros(n, n)
  const place = (block: Matrix, start: number): void => {
    for (let i = 0; i < block.rows; i++) turn.data.set(row(block, i), (start + i) * n + start)
  }
  place(randomOrthogonal(count, random), 0)
  place(randomOrthogonal(n - count, random), count)
  return matmul(basis, turn)
}

/** An orthonormal basis of ker T in columns, T [d_x × q] of the given rank. */
function nullBasis(signal: Matrix, rank: number): Matrix {
  const { rows, cols } = signal
  const tall = zeros(Math.max(rows, cols), cols)
  tall.data.set(signal.data)
  const vectors = transpose(svd(tall).v)
  const result = zeros(cols - rank, cols)
  for (let k = rank; k < cols; k++) result.data.set(row(vectors, k), (k - rank) * cols)
  return transpose(result)
}

/** Cuts arrows until no path runs through T and all layers but one, and none through all layers. */
function cutCycles(arrows: Arrows, linked: number, random: RandomStream): void {
  const layers = arrows.length
  const cut = (path: readonly (readonly [number, number])[]): void => {
    const [layer, source] = path[random.integer(path.length)]
    arrows[layer][source] = -1
  }
  const follow = (level: number, coordinate: number, steps: number): (readonly [number, number])[] | undefined => {
    const path: (readonly [number, number])[] = []
    let [at, c] = [level, coordinate]
    while (path.length < steps) {
      if (at === layers) {
        if (c >= linked) return undefined
        at = 0
      }
      const target = arrows[at][c]
      if (target < 0) return undefined
      path.push([at, c])
      c = target
      at++
    }
    // The omitted layer 1 leaves a path that ends at the output: it counts only if T carries it on.
    return at === layers && level > 0 && c >= linked ? undefined : path
  }
  for (let level = 0; level <= layers; level++) {
    const size = level === layers ? linked : arrows[level].length
    const steps = level === 0 ? layers : layers - 1
    for (let c = 0; c < size; c++)
      for (let path = follow(level, c, steps); path; path = follow(level, c, steps)) cut(path)
  }
}
