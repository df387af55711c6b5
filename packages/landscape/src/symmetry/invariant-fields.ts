import { input } from '@thalweg/graph'
import { matrix } from '../linalg/matrix.ts'
import { svd } from '../linalg/svd.ts'
import { motionTolerance, outputMotion, unmovedFields } from '../critical/evidence/output-motion.ts'
import type { InvariantField } from '../critical/evidence/symmetry-orbit.ts'
import type { Loss } from '../loss/loss.ts'
import { LossPoint } from '../loss/loss-point.ts'
import { inputDType, parameterCount, parameterRanges } from '../model/model.ts'
import type { Model, ParameterRange } from '../model/model.ts'
import { randomStream } from '../random/index.ts'
import type { UnitAxis } from './permutation-symmetry.ts'
import { propagateAxes } from './propagate-axes.ts'

export interface InvariantFieldOptions {
  /** Models with more parameters are not searched: no full count of eigenvalues is in reach there. Default 4000. */
  readonly sizeMax?: number
  /** Default 0. */
  readonly seed?: number
}

/** Positions in θ of one unit along one axis of one parameter. */
interface Slice {
  readonly axis: number
  readonly entries: Int32Array
}

/** Random points at which a field must move no output. At every other one biases are large and at every fourth weights
 * positive, so that rectified units are on: a unit that happens to be off would hide what it could do. */
const probeCount = 6
/** The same where more unknowns meet in one direction of the outputs. */
const probeCountAffine = 20
/** Further points, at which nothing was fitted: every field must pass there. */
const testCount = 4
const biasLift = 4
/** Longest slice of a first layer whose null space is looked for, and most fields formed. */
const sliceMax = 100
const fieldMax = 3000

/** The vector fields on θ along which all outputs stay as they are, whatever θ is, for a network that is known by its graph
 * only: convolutions, skip connections, normalization in inference mode, a user's file.
 *
 *     positive-scaling   a hidden channel's parameters times c^s, with exponents s for all axes that hold the channel
 *     general-linear     pairs of channels: one added to the other where it is made, taken from it where it is read
 *     data-null-space    constant changes of what makes a channel that no sample sees
 *     uniform-shift      the same added to all units of a layer, where what follows takes their mean away (normalization)
 *     softmax-shift      cross-entropy: the same change of all scores
 *
 * Which axes hold a channel is read off the graph (`propagateAxes`); the exponents are the null space of the Jacobian
 * restricted to these axes at random θ, and every field is then tested: |J(θ) X(θ)| vanishes to rounding at
 * random points that took no part in finding it, with the data of the loss. That is a proof with probability 1 for analytic
 * networks; with kinks it is one for the pieces that were met, so `diagnose` tests them once more near its θ. All units of a group hang together in the same way, so the exponents of one stand for all; each is tested.
 * @returns none with weight decay, which breaks them all. Cost: some products with J per group and class. */
export async function invariantFields(loss: Loss, options: InvariantFieldOptions = {}): Promise<InvariantField[]> {
  if (loss.weightDecay > 0 || loss.size > (options.sizeMax ?? 4000)) return []
  const probes = new Probes(loss, options.seed ?? 0)
  const fields: InvariantField[] = []
  for (const units of channelGroups(loss.model)) {
    for (const exponents of await scalingExponents(probes, units[0])) {
      fields.push(...(await probes.kept(units.map((slices) => scalingField(slices, exponents)))))
      fields.push(...(await pairFields(probes, units, exponents)))
    }
    for (const slices of units) fields.push(...(await affineFields(probes, slices)))
    fields.push(...(await nullFields(probes, units)))
  }
  fields.push(...(await shiftFields(probes, loss)))
  return fields.slice(0, fieldMax)
}

/** For each group of channels and each unit in it, the entries of θ that belong to it, axis by axis. */
function channelGroups(model: Model): Slice[][][] {
  const parameters = model.parameters.map(({ name, shape }) => input(`parameter_${name}`, 'float64', shape))
  const inputs = model.inputs.map((i) => input(`input_${i.name}`, inputDType(i, 'float64'), [2, ...i.shape]))
  const found = propagateAxes([model.forward(parameters, inputs)], new Set(parameters), { constantsMove: true })
  const ranges = parameterRanges(model)
  const groups = new Map<number, Slice[][]>()
  parameters.forEach((parameter, i) =>
    found.layouts.get(parameter)?.forEach((layout, axis) => {
      const at = found.labels.resolve(layout)
      if (at === 'fixed') return
      const size = found.labels.sizeOf(at.label)
      const units = groups.get(at.label) ?? Array.from({ length: size }, () => [])
      groups.set(at.label, units)
      const place = { group: at.label, outer: at.outer, inner: at.inner }
      units.forEach((slices, unit) => slices.push({ axis, entries: entriesOf(ranges[i], axis, place, size, unit) }))
    }),
  )
  return [...groups.values()]
}

function entriesOf(
  { parameter: { shape }, start, end }: ParameterRange,
  axis: number,
  { inner }: NonNullable<UnitAxis>,
  size: number,
  unit: number,
): Int32Array {
  const after = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const entries: number[] = []
  for (let at = start; at < end; at++)
    if (Math.floor((Math.floor((at - start) / after) % shape[axis]) / inner) % size === unit) entries.push(at)
  return Int32Array.from(entries)
}

/** Null vectors of J(θ)·(θ on slice k), k = 1 …, at random θ, scaled so that the largest entry is 1. */
async function scalingExponents(probes: Probes, slices: readonly Slice[]): Promise<Float64Array[]> {
  const moves = slices.map(({ entries }) => scalingTerms(entries, 1))
  const found = await probes.commonNullVectors(moves)
  return found.map((v) => {
    const largest = v.reduce((best, x) => (Math.abs(x) > Math.abs(best) * (1 + 1e-9) ? x : best), 0)
    // Exponents are small rational numbers; what is rounding of one is that number.
    return v.map((x) => Math.round((x / largest) * 12) / 12)
  })
}

function scalingTerms(entries: Int32Array, factor: number): InvariantField['terms'] {
  return Array.from(entries, (entry) => ({ to: entry, from: entry, factor }))
}

function scalingField(slices: readonly Slice[], exponents: Float64Array): InvariantField {
  const terms = slices.flatMap(({ entries }, k) => (exponents[k] === 0 ? [] : scalingTerms(entries, exponents[k])))
  return { kind: 'positive-scaling', terms }
}

/** Linear channels: unit i made from itself plus a part of j, and j read less that part. One pair is tried first. */
async function pairFields(
  probes: Probes,
  units: readonly (readonly Slice[])[],
  exponents: Float64Array,
): Promise<InvariantField[]> {
  const field = (i: number, j: number): InvariantField => ({
    kind: 'general-linear',
    terms: units[i].flatMap((slice, k) => {
      const [to, from] = exponents[k] > 0 ? [slice, units[j][k]] : [units[j][k], slice]
      return Array.from(to.entries, (entry, e) => ({ to: entry, from: from.entries[e], factor: exponents[k] }))
    }),
  })
  if (units.length < 2 || (await probes.kept([field(0, 1)])).length === 0) return []
  const pairs = units.flatMap((_, i) => units.flatMap((__, j) => (i === j ? [] : [field(i, j)])))
  return probes.kept(pairs.slice(0, fieldMax))
}

/** Constant changes of one parameter of a unit that no output sees, at any of the random θ. */
async function nullFields(probes: Probes, units: readonly (readonly Slice[])[]): Promise<InvariantField[]> {
  const fields: InvariantField[] = []
  // Weights and bias of a channel may only together be unseen; so the first axes of all its parameters make one block.
  const makers = units[0].flatMap(({ axis, entries }, k) => (axis === 0 && entries.length <= sliceMax ? [k] : []))
  const columns = makers.flatMap((k) => Array.from(units[0][k].entries, (_, e) => [k, e] as const))
  if (columns.length === 0 || columns.length > 2 * sliceMax) return fields
  const moves = columns.map(([k, e]) => [{ to: units[0][k].entries[e], from: null, factor: 1 }])
  for (const v of await probes.commonNullVectors(moves))
    for (const slices of units)
      fields.push({
        kind: 'data-null-space',
        terms: columns.flatMap(([k, e], c) =>
          Math.abs(v[c]) < 1e-12 ? [] : [{ to: slices[k].entries[e], from: null, factor: v[c] }],
        ),
      })
  return probes.kept(fields)
}

/** Of a channel's own numbers (bias, scale and shift of a normalization): what one takes over from another, as behind stored
 * statistics, where a weight's scale and a bias can be moved into the normalization. */
async function affineFields(probes: Probes, slices: readonly Slice[]): Promise<InvariantField[]> {
  const single = slices.filter(({ entries }) => entries.length === 1).map(({ entries }) => entries[0])
  if (single.length < 2) return []
  const moves: InvariantField['terms'][] = slices.map(({ entries }) => scalingTerms(entries, 1))
  for (const to of single) {
    moves.push([{ to, from: null, factor: 1 }])
    for (const from of single) if (from !== to) moves.push([{ to, from, factor: 1 }])
  }
  const found = await probes.commonNullVectors(moves, probeCountAffine)
  return probes.kept(
    found.map((v) => ({
      kind: 'positive-scaling',
      terms: moves.flatMap((terms, k) =>
        Math.abs(v[k]) < 1e-12 ? [] : terms.map((term) => ({ ...term, factor: term.factor * v[k] })),
      ),
    })),
  )
}

/** The same added along an axis, for every place on the other axes; an axis is left where its first place moves outputs. */
async function shiftFields(probes: Probes, loss: Loss): Promise<InvariantField[]> {
  const fields: InvariantField[] = []
  const classes = loss.spec.name === 'cross-entropy' ? loss.model.outputShape[0] : 0
  for (const { parameter, start, end } of parameterRanges(loss.model))
    for (const [axis, length] of parameter.shape.entries()) {
      if (length < 2) continue
      const inner = parameter.shape.slice(axis + 1).reduce((a, b) => a * b, 1)
      const some: InvariantField[] = []
      for (let at = 0; at < end - start && some.length < fieldMax; at++)
        if (Math.floor(at / inner) % length === 0)
          some.push({
            kind: length === classes ? 'softmax-shift' : 'uniform-shift',
            terms: Array.from({ length }, (_, c) => ({ to: start + at + c * inner, from: null, factor: 1 })),
          })
      if ((await probes.kept(some.slice(0, 1))).length > 0) fields.push(...(await probes.kept(some)))
    }
  return fields
}

/** Random points, and how outputs move there. */
class Probes {
  readonly #points: readonly LossPoint[]
  readonly #tests: readonly LossPoint[]
  readonly #loss: Loss

  constructor(loss: Loss, seed: number) {
    this.#loss = loss
    const ranges = parameterRanges(loss.model)
    const theta = (index: number): Float64Array => {
      const stream = randomStream(seed, 'invariance probe', index)
      const out = new Float64Array(parameterCount(loss.model))
      for (const { parameter, start, end } of ranges) {
        const fan = Math.max(
          1,
          parameter.shape.slice(1).reduce((a, b) => a * b, 1),
        )
        const lift = index % 2 === 1 && (parameter.role === 'bias' || parameter.role === 'shift') ? biasLift : 0
        for (let i = start; i < end; i++) {
          const drawn = (1.5 * stream.normal()) / Math.sqrt(fan)
          out[i] = lift + (index % 4 === 3 ? Math.abs(drawn) : drawn)
        }
      }
      return out
    }
    this.#points = Array.from({ length: probeCountAffine }, (_, i) => new LossPoint(loss, theta(i)))
    this.#tests = Array.from({ length: testCount }, (_, i) => new LossPoint(loss, theta(probeCountAffine + i)))
  }

  /** Coefficients with which several moves together move no output at any of the points. */
  async commonNullVectors(
    moves: readonly InvariantField['terms'][],
    count: number = probeCount,
  ): Promise<Float64Array[]> {
    const blocks: Float64Array[][] = []
    for (const point of this.#points.slice(0, count)) blocks.push(await outputMotion(this.#loss, point, moves))
    const stacked = moves.map((_, k) => blocks.flatMap((block) => Array.from(block[k])))
    const height = stacked[0].length
    const scales = stacked.map((column) => Math.hypot(...chunkNorms(column)))
    const largest = Math.max(...scales)
    if (!(largest > 0))
      return moves.map((_, k) => Float64Array.from({ length: moves.length }, (__, c) => Number(c === k)))
    const rows = Math.max(height, moves.length)
    const data = new Float64Array(rows * moves.length)
    stacked.forEach((column, k) => column.forEach((x, r) => (data[r * moves.length + k] = x)))
    const { values, v } = svd(matrix(rows, moves.length, data))
    const found: Float64Array[] = []
    for (let c = 0; c < moves.length; c++)
      if ((values[c] ?? 0) <= motionTolerance * largest)
        found.push(Float64Array.from({ length: moves.length }, (_, k) => v.data[k * v.cols + c]))
    return reducedRows(found)
  }

  /** Those fields that move no output at any of the test points, although their parts do. */
  kept(fields: readonly InvariantField[]): Promise<InvariantField[]> {
    return unmovedFields(this.#loss, this.#tests, fields)
  }
}

function chunkNorms(values: readonly number[]): number[] {
  const parts: number[] = []
  for (let i = 0; i < values.length; i += 4096) parts.push(Math.hypot(...values.slice(i, i + 4096)))
  return parts
}

/** The same space by vectors with as many zeros as elimination gives, so that exponents are plain numbers. */
function reducedRows(rows: readonly Float64Array[]): Float64Array[] {
  const work = rows.map((r) => r.slice())
  let done = 0
  for (let c = 0; done < work.length && c < work[0].length; c++) {
    let pivot = done
    for (let r = done; r < work.length; r++) if (Math.abs(work[r][c]) > Math.abs(work[pivot][c])) pivot = r
    if (Math.abs(work[pivot][c]) < 1e-6) continue
    ;[work[done], work[pivot]] = [work[pivot], work[done]]
    const lead = work[done][c]
    work[done] = work[done].map((x) => x / lead)
    for (let r = 0; r < work.length; r++) {
      const factor = work[r][c]
      if (r !== done) work[r] = work[r].map((x, k) => x - factor * work[done][k])
    }
    done++
  }
  return work
}
