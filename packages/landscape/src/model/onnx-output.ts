import { DomainError, ShapeError, bypassNode, nodeLabel, selectOutputs } from '@thalweg/graph'
import type { OnnxModel, OnnxNode } from '@thalweg/graph'

/** What a model does last, as far as it matters to a loss. */
export interface OutputHead {
  readonly kind: 'softmax' | 'log-softmax' | 'sigmoid' | 'loss'
  readonly node: OnnxNode
  /** The tensor before it: the scores, or for a loss what it is taken of. */
  readonly scores: string
}

/** Operators that only move elements or rename a value. */
const movers: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Cast'])

/** The softmax, sigmoid or loss that a tensor comes out of, also where it is written out in basic operators; undefined
 * where it is none of them. */
export function outputHead(model: OnnxModel, name: string): OutputHead | undefined {
  const producers = new Map(model.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  return headOf(name, producers)
}

type Producers = ReadonlyMap<string, OnnxNode>

function behindMovers(name: string, producers: Producers): OnnxNode | undefined {
  let node = producers.get(name)
  while (node !== undefined && movers.has(node.op)) node = producers.get(node.inputs[0])
  return node
}

function headOf(name: string, producers: Producers): OutputHead | undefined {
  const node = behindMovers(name, producers)
  if (node === undefined) return undefined
  const [first, second] = node.inputs
  switch (node.op) {
    case 'Softmax':
      return overClasses(node) ? { kind: 'softmax', node, scores: first } : undefined
    case 'LogSoftmax':
      return overClasses(node) ? { kind: 'log-softmax', node, scores: first } : undefined
    case 'Sigmoid':
      return { kind: 'sigmoid', node, scores: first }
    case 'SoftmaxCrossEntropyLoss':
      return { kind: 'loss', node, scores: first }
    case 'NegativeLogLikelihoodLoss':
      return { kind: 'loss', node, scores: headOf(first, producers)?.scores ?? first }
    case 'Log':
      return renamed(headOf(first, producers), 'softmax', 'log-softmax', node)
    case 'Exp':
      return renamed(headOf(first, producers), 'log-softmax', 'softmax', node)
    case 'Div':
      return quotient(node, first, second, producers)
    case 'Sub':
      return difference(node, first, second, producers)
    default:
      return undefined
  }
}

/** Softmax over axis 1 of [n × k]; over others it is attention or a gate. */
function overClasses(node: OnnxNode): boolean {
  const axis = node.attributes.get('axis')
  const value = axis?.kind === 'int' ? axis.value : node.opset < 13 ? 1 : -1
  return value === 1 || value === -1
}

function renamed(
  head: OutputHead | undefined,
  from: OutputHead['kind'],
  kind: OutputHead['kind'],
  node: OnnxNode,
): OutputHead | undefined {
  return head?.kind === from ? { kind, node, scores: head.scores } : undefined
}

/** exp(u) / Σ exp(u). */
function quotient(node: OnnxNode, above: string, below: string, producers: Producers): OutputHead | undefined {
  const [e, sum] = [behindMovers(above, producers), behindMovers(below, producers)]
  const summed = sum?.op === 'ReduceSum' ? behindMovers(sum.inputs[0], producers) : undefined
  return e?.op === 'Exp' && summed === e ? { kind: 'softmax', node, scores: e.inputs[0] } : undefined
}

/** u − log Σ exp(u). */
function difference(node: OnnxNode, u: string, normalizer: string, producers: Producers): OutputHead | undefined {
  const log = behindMovers(normalizer, producers)
  if (log?.op === 'ReduceLogSumExp' && log.inputs[0] === u) return { kind: 'log-softmax', node, scores: u }
  const sum = log?.op === 'Log' ? behindMovers(log.inputs[0], producers) : undefined
  const e = sum?.op === 'ReduceSum' ? behindMovers(sum.inputs[0], producers) : undefined
  return e?.op === 'Exp' && e.inputs[0] === u ? { kind: 'log-softmax', node, scores: u } : undefined
}

export interface OutputChoice {
  /** An output, or any tensor inside. Named by the user, it is taken as it is; otherwise it may be adapted to the loss. */
  readonly output?: string
  /** The loss that will read the output. */
  readonly loss?: string
}

/** The model with the one output that a loss reads, and what was done to it, in words.
 *
 * A softmax or sigmoid that the loss contains already is bypassed, so that it counts once; one that contradicts the loss is
 * refused; an output that is a loss is refused.
 * @throws {ShapeError} if several outputs are candidates; {DomainError} if the output does not fit the loss. */
export function selectOutput(model: OnnxModel, { output, loss }: OutputChoice): { model: OnnxModel; notes: string[] } {
  const chosen = output ?? onlyOutput(model)
  const selected = selectOutputs(model, [chosen])
  const head = outputHead(selected, chosen)
  const notes =
    output === undefined && model.outputs.length > 1
      ? [`Of ${model.outputs.length} outputs '${chosen}' is the one that is no loss.`]
      : []
  if (head?.kind === 'loss' || isScalar(model, chosen)) throw containedLoss(chosen, head)
  if (loss === undefined) return { model: selected, notes }
  if (head === undefined) return { model: selected, notes: [...notes, ...headless(chosen, loss)] }
  const reaction = reactions[loss]?.[head.kind] ?? 'keep'
  const label = nodeLabel(head.node)
  if (typeof reaction === 'object') {
    if (output !== undefined)
      return {
        model: selected,
        notes: [...notes, `${loss} reads '${chosen}' as asked, although it comes out of ${label}: ${reaction.refuse}.`],
      }
    throw new DomainError(
      `model: ${loss} does not fit an output that comes out of ${label}: ${reaction.refuse}. Use ${reaction.cure}, or pass --output ${chosen} to insist.`,
    )
  }
  if (reaction === 'keep') return { model: selected, notes }
  if (reaction === 'idempotent')
    return {
      model: selected,
      notes: [
        ...notes,
        `The model ends in LogSoftmax (${label}) and cross-entropy has its own: applied twice it is the same function, so nothing counts double.`,
      ],
    }
  if (output !== undefined)
    return {
      model: selected,
      notes: [
        ...notes,
        `${loss} contains the ${head.kind} that '${chosen}' comes out of (${label}): it is applied twice, as asked by --output. Without --output it is applied once.`,
      ],
    }
  return {
    model: bypassNode(selected, head.node, head.scores),
    notes: [
      ...notes,
      `The model ends in ${head.kind} (${label}), which ${loss} contains: the loss reads '${head.scores}' before it, so that it counts once. If training applied it twice, pass --output ${chosen}.`,
    ],
  }
}

type Reaction = 'keep' | 'bypass' | 'idempotent' | { readonly refuse: string; readonly cure: string }

const probabilities = (cure: string): Reaction => ({ refuse: 'these are probabilities', cure })

/** What each loss makes of each head; losses that are not here read any numbers. */
const reactions: Readonly<Record<string, Partial<Record<OutputHead['kind'], Reaction>>>> = {
  'cross-entropy': {
    softmax: 'bypass',
    'log-softmax': 'idempotent',
    sigmoid: {
      refuse: 'each output is a probability of its own, and cross-entropy would normalize them again',
      cure: '--loss binary-cross-entropy',
    },
  },
  'negative-log-likelihood': {
    softmax: {
      refuse: 'it reads logarithms of probabilities, these are the probabilities',
      cure: '--loss cross-entropy, which takes the scores before the softmax',
    },
    'log-softmax': 'keep',
    sigmoid: probabilities('--loss binary-cross-entropy'),
  },
  'binary-cross-entropy': {
    sigmoid: 'bypass',
    softmax: probabilities('--loss cross-entropy'),
    'log-softmax': {
      refuse: 'these are logarithms of probabilities',
      cure: '--loss negative-log-likelihood or cross-entropy',
    },
  },
  hinge: {
    sigmoid: {
      refuse: 'hinge reads margins of either sign, these are probabilities',
      cure: 'the tensor before it by --output NAME',
    },
    softmax: {
      refuse: 'hinge reads margins of either sign, these are probabilities',
      cure: 'the tensor before it by --output NAME',
    },
  },
}

function headless(name: string, loss: string): string[] {
  return loss === 'negative-log-likelihood'
    ? [
        `negative-log-likelihood reads '${name}' as logarithms of probabilities, but it does not come out of a LogSoftmax: without one the loss has no lower bound. For scores use cross-entropy.`,
      ]
    : []
}

function containedLoss(name: string, head: OutputHead | undefined): DomainError {
  const where = head ? `${nodeLabel(head.node)} computes it` : 'it is one number for all samples'
  const cure = head ? `--output ${head.scores}` : '--output NAME'
  return new DomainError(
    `model: the output '${name}' is a loss (${where}); taken as a model's output it would be counted twice. Pass the scores by ${cure} and the loss by --loss.`,
  )
}

function isScalar(model: OnnxModel, name: string): boolean {
  return model.outputs.find((o) => o.name === name)?.shape?.length === 0
}

/** The only output, or the only one that is not a loss. */
function onlyOutput(model: OnnxModel): string {
  if (model.outputs.length === 1) return model.outputs[0].name
  const candidates = model.outputs.filter(
    ({ name }) => !isScalar(model, name) && outputHead(model, name)?.kind !== 'loss',
  )
  if (candidates.length === 1) return candidates[0].name
  const listed = model.outputs.map((o) => `${o.name} [${o.shape?.join(' × ') ?? '…'}]`).join(', ')
  throw new ShapeError(`model: it has several outputs: ${listed}. Choose one by --output NAME.`)
}
