import { add, mul, relu, sigmoid, sub, tanh } from '../../build/elementwise.ts'
import { clip, elu, hardSigmoid, leakyRelu, softsign, thresholdedRelu } from '../../build/activation.ts'
import { softplus } from '../../build/elementwise.ts'
import { matmul } from '../../build/contraction.ts'
import { matrixTranspose, selectAt, split, stack, transpose, zeros } from '../../build/structure.ts'
import type { Expr } from '../../core/expr.ts'
import { range } from '../../core/shape.ts'
import type { OperatorCall, OperatorFamily } from '../operator-call.ts'

type Activation = (x: Expr) => Expr

/** Everything of one direction, parameters without their leading axis. H = hidden size, G = number of gates. */
interface Direction {
  /** [T, N, G·H]: the inputs' share of all gates, one product for all steps. */
  readonly fromInput: Expr
  /** Recurrent weights [G·H, H] and their bias [G·H]. */
  readonly recurrent: Expr
  readonly recurrentBias: Expr | undefined
  readonly peepholes: Expr | undefined
  readonly activations: readonly Activation[]
  readonly limit: (x: Expr) => Expr
  readonly hidden: number
}

interface State {
  readonly h: Expr
  /** Cell state of an LSTM. */
  readonly c?: Expr
}

type Step = (direction: Direction, fromInput: Expr, state: State, call: OperatorCall) => State

function activationOf(
  call: OperatorCall,
  name: string,
  alpha: number | undefined,
  beta: number | undefined,
): Activation {
  switch (name.toLowerCase()) {
    case 'sigmoid':
      return sigmoid
    case 'tanh':
      return tanh
    case 'relu':
      return relu
    case 'softsign':
      return softsign
    case 'softplus':
      return softplus
    case 'affine':
      return (x) => add(mul(alpha ?? 1, x), beta ?? 0)
    case 'leakyrelu':
      return (x) => leakyRelu(x, alpha ?? 0.01)
    case 'thresholdedrelu':
      return (x) => thresholdedRelu(x, alpha ?? 1)
    case 'scaledtanh':
      return (x) => mul(alpha ?? 1, tanh(mul(beta ?? 1, x)))
    case 'hardsigmoid':
      return (x) => hardSigmoid(x, alpha ?? 0.2, beta ?? 0.5)
    case 'elu':
      return (x) => elu(x, alpha ?? 1)
    default:
      throw call.unsupported(`the activation '${name}' is not known`, 'Use Sigmoid, Tanh or Relu.')
  }
}

/** RNN: h' = f(Wx + Rh + b). */
const simpleStep: Step = (d, fromInput, { h }) => {
  const gates = add(fromInput, recurrentShare(d, h))
  return { h: d.activations[0](d.limit(gates)) }
}

function recurrentShare(d: Direction, h: Expr): Expr {
  const product = matmul(h, matrixTranspose(d.recurrent))
  return d.recurrentBias === undefined ? product : add(product, d.recurrentBias)
}

/** LSTM, gates in the order i, o, f, c (ONNX). */
const lstmStep: Step = (d, fromInput, { h, c }, call) => {
  const [inputGate, outputGate, forgetGate, candidate] = split(
    add(fromInput, recurrentShare(d, h)),
    range(4).map(() => d.hidden),
    1,
  )
  const cell = c as Expr
  const [sigma, candidateActivation, cellActivation] = d.activations
  const peep =
    d.peepholes === undefined
      ? undefined
      : split(
          d.peepholes,
          range(3).map(() => d.hidden),
          0,
        )
  const seen = (gate: Expr, of: Expr, i: number): Expr =>
    d.limit(peep === undefined ? gate : add(gate, mul(peep[i], of)))
  const i = sigma(seen(inputGate, cell, 0))
  const f = call.flag('input_forget') ? sub(1, i) : sigma(seen(forgetGate, cell, 2))
  const next = add(mul(f, cell), mul(i, candidateActivation(d.limit(candidate))))
  const o = sigma(seen(outputGate, next, 1))
  return { h: mul(o, cellActivation(next)), c: next }
}

/** GRU, gates in the order z, r, h (ONNX); PyTorch's is the one with `linear_before_reset`. */
const gruStep: Step = (d, fromInput, { h }, call) => {
  const sizes = range(3).map(() => d.hidden)
  const [zInput, rInput, hInput] = split(fromInput, sizes, 1)
  const [sigma, tau] = d.activations
  if (call.flag('linear_before_reset')) {
    const [zState, rState, hState] = split(recurrentShare(d, h), sizes, 1)
    const z = sigma(d.limit(add(zInput, zState)))
    const r = sigma(d.limit(add(rInput, rState)))
    const candidate = tau(d.limit(add(hInput, mul(r, hState))))
    return { h: add(mul(sub(1, z), candidate), mul(z, h)) }
  }
  const [zr, hWeights] = split(d.recurrent, [2 * d.hidden, d.hidden], 0)
  const [zrBias, hBias] =
    d.recurrentBias === undefined ? [undefined, undefined] : split(d.recurrentBias, [2 * d.hidden, d.hidden], 0)
  const [zState, rState] = split(
    recurrentShare({ ...d, recurrent: zr, recurrentBias: zrBias }, h),
    sizes.slice(0, 2),
    1,
  )
  const z = sigma(d.limit(add(zInput, zState)))
  const r = sigma(d.limit(add(rInput, rState)))
  const reset = recurrentShare({ ...d, recurrent: hWeights, recurrentBias: hBias }, mul(r, h))
  return { h: add(mul(sub(1, z), tau(d.limit(add(hInput, reset)))), mul(z, h)) }
}

interface Cell {
  readonly gates: number
  readonly step: Step
  readonly activations: readonly string[]
  readonly hasCell: boolean
}

/** Every step adds a dozen nodes to the graph. */
const stepsMax = 4096

/** Unrolls a recurrent layer over its time axis, per direction; outputs Y, Y_h and, for an LSTM, Y_c. */
function unroll(call: OperatorCall, cell: Cell): readonly Expr[] {
  const layout = call.opset >= 14 ? call.int('layout', 0) : 0
  const x = layout === 1 ? transpose(call.input(0), [1, 0, 2]) : call.input(0)
  const [steps, samples] = x.shape
  if (steps > stepsMax)
    throw call.unsupported(`at most ${stepsMax} steps are unrolled, got ${steps}`, 'Use shorter sequences.')
  const hidden = call.int('hidden_size', call.input(2).shape[2])
  const names = call.string('direction', 'forward')
  if (!['forward', 'reverse', 'bidirectional'].includes(names))
    throw call.malformed(`direction must be forward, reverse or bidirectional, got '${names}'`)
  requireFullLengths(call, steps)
  const count = names === 'bidirectional' ? 2 : 1
  const initial = (position: number, index: number): Expr => {
    const given = call.optional(position)
    if (given === undefined) return zeros(x.dtype, [samples, hidden])
    return selectAt(given, layout === 1 ? 1 : 0, index)
  }
  const runs = range(count).map((index) => {
    const backwards = names === 'reverse' || index === 1
    const state: State = cell.hasCell ? { h: initial(5, index), c: initial(6, index) } : { h: initial(5, index) }
    return runDirection(call, cell, directionOf(call, cell, x, hidden, index), state, steps, backwards)
  })
  const sequence = stack(
    runs.map((run) => stack(run.sequence, 0)),
    1,
  )
  const last = stack(
    runs.map((run) => run.state.h),
    0,
  )
  const outputs = [
    layout === 1 ? transpose(sequence, [2, 0, 1, 3]) : sequence,
    layout === 1 ? transpose(last, [1, 0, 2]) : last,
  ]
  if (!cell.hasCell) return outputs
  const lastCell = stack(
    runs.map((run) => run.state.c as Expr),
    0,
  )
  return [...outputs, layout === 1 ? transpose(lastCell, [1, 0, 2]) : lastCell]
}

function requireFullLengths(call: OperatorCall, steps: number): void {
  if (call.optional(4) === undefined) return
  if (call.numbers(4, 'the sequence lengths').some((length) => length !== steps))
    throw call.unsupported(`sequences of different lengths are not handled`, 'Export without packed sequences.')
}

function directionOf(call: OperatorCall, cell: Cell, x: Expr, hidden: number, index: number): Direction {
  const weights = selectAt(call.input(1), 0, index)
  const bias =
    call.optional(3) === undefined
      ? undefined
      : split(selectAt(call.input(3), 0, index), [cell.gates * hidden, cell.gates * hidden], 0)
  const product = matmul(x, matrixTranspose(weights))
  const limit = call.node.attributes.has('clip') ? call.float('clip') : undefined
  const peepholes = cell.hasCell ? call.optional(7) : undefined
  return {
    fromInput: bias === undefined ? product : add(product, bias[0]),
    recurrent: selectAt(call.input(2), 0, index),
    recurrentBias: bias?.[1],
    peepholes: peepholes && selectAt(peepholes, 0, index),
    activations: activationsOf(call, cell, index),
    limit: limit === undefined ? (v) => v : (v) => clip(v, -limit, limit),
    hidden,
  }
}

/** Names, alphas and betas are listed for all directions; alphas and betas only for those activations that take them. */
function activationsOf(call: OperatorCall, cell: Cell, index: number): Activation[] {
  const perDirection = cell.activations.length
  const all = call.strings('activations')
  const [alphas, betas] = [[...(call.floats('activation_alpha') ?? [])], [...(call.floats('activation_beta') ?? [])]]
  const takesAlpha = new Set(['affine', 'leakyrelu', 'thresholdedrelu', 'scaledtanh', 'hardsigmoid', 'elu'])
  const takesBeta = new Set(['affine', 'scaledtanh', 'hardsigmoid'])
  const names = all ?? range(index + 1).flatMap(() => cell.activations)
  const built = names.map((name) => {
    const key = name.toLowerCase()
    return activationOf(
      call,
      name,
      takesAlpha.has(key) ? alphas.shift() : undefined,
      takesBeta.has(key) ? betas.shift() : undefined,
    )
  })
  const own = built.slice(index * perDirection, (index + 1) * perDirection)
  if (own.length !== perDirection)
    throw call.malformed(`activations must name ${perDirection} per direction, got [${names}]`)
  return own
}

function runDirection(
  call: OperatorCall,
  cell: Cell,
  direction: Direction,
  initial: State,
  steps: number,
  backwards: boolean,
): { sequence: Expr[]; state: State } {
  const sequence: Expr[] = []
  let state = initial
  for (const t of backwards ? range(steps).reverse() : range(steps)) {
    state = cell.step(direction, selectAt(direction.fromInput, 0, t), state, call)
    sequence[t] = state.h
  }
  return { sequence, state }
}

const simple: Cell = { gates: 1, step: simpleStep, activations: ['Tanh'], hasCell: false }
const gru: Cell = { gates: 3, step: gruStep, activations: ['Sigmoid', 'Tanh'], hasCell: false }
const lstm: Cell = { gates: 4, step: lstmStep, activations: ['Sigmoid', 'Tanh', 'Tanh'], hasCell: true }

/** Recurrent layers, unrolled: the number of steps is static. */
export const recurrent: OperatorFamily = {
  RNN: (call) => unroll(call, simple),
  GRU: (call) => unroll(call, gru),
  LSTM: (call) => unroll(call, lstm),
}
