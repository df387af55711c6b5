import { allocate, sizeOf, tensor, tensorOf } from '@thalweg/graph'
import type { Expr, OnnxAttribute, OnnxNodeToWrite, Shape, Tensor } from '@thalweg/graph'

export type Attributes = Readonly<Record<string, number | string | readonly number[] | undefined>>

/** How often each node's value is read, by other nodes or as a result. */
export type Uses = ReadonlyMap<Expr, number>

/** Names and nodes of one ONNX graph under construction. A loop body is a scope inside another: names are unique
 * over both, and constants live in the outermost. */
export class Scope {
  readonly nodes: OnnxNodeToWrite[] = []
  readonly initializers: Map<string, Tensor>
  readonly #names: Map<Expr, string>
  readonly #constants: Map<string, string>
  readonly #counter: { next: number }
  readonly #taken: ReadonlySet<string>
  readonly uses: Uses

  private constructor(parent: Scope | undefined, taken: ReadonlySet<string>, uses: Uses) {
    this.initializers = parent ? parent.initializers : new Map()
    this.#names = new Map(parent ? parent.#names : [])
    this.#constants = parent ? parent.#constants : new Map()
    this.#counter = parent ? parent.#counter : { next: 0 }
    this.#taken = taken
    this.uses = uses
  }

  /** @param taken names of inputs and outputs. */
  static outermost(taken: readonly string[], uses: Uses): Scope {
    return new Scope(undefined, new Set(taken), uses)
  }

  /** The scope of a loop's body. */
  inner(): Scope {
    return new Scope(this, this.#taken, this.uses)
  }

  has(node: Expr): boolean {
    return this.#names.has(node)
  }

  /** Gives a node an existing name. */
  bind(node: Expr, name: string): void {
    this.#names.set(node, name)
  }

  /** The name of a node that was emitted or bound before; constants are stored on first use. */
  nameOf(node: Expr): string {
    const known = this.#names.get(node)
    if (known !== undefined) return known
    const name = node.op === 'Constant' ? this.store(node.attributes.value) : this.fresh(node.op)
    this.#names.set(node, name)
    return name
  }

  /** A name nobody has. */
  fresh(stem: string): string {
    let name: string
    do name = `${stem}_${this.#counter.next++}`
    while (this.#taken.has(name))
    return name
  }

  store(value: Tensor): string {
    const small = value.data.length <= 64 ? contentKey(value) : undefined
    const known = small === undefined ? undefined : this.#constants.get(small)
    if (known !== undefined) return known
    const name = this.fresh('c')
    this.initializers.set(name, value)
    if (small !== undefined) this.#constants.set(small, name)
    return name
  }

  ints(values: readonly number[]): string {
    return this.store(tensorOf('int64', [values.length], values))
  }

  int(value: number): string {
    return this.store(tensorOf('int64', [], [value]))
  }

  /** Zeros of a type, as a constant scalar stretched to the shape. */
  zeros(dtype: Tensor['dtype'], shape: Shape): string {
    const zero = this.store(tensor(dtype, [], allocate(dtype, 1)))
    if (sizeOf(shape) === 1 && shape.length === 0) return zero
    return this.emit('Expand', [zero, this.ints(shape)])
  }

  /** Appends a node with one output and returns the output's name. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    output: string = this.fresh(op),
    domain = '',
  ): string {
    this.nodes.push({ op, domain, inputs, outputs: [output], attributes: attributeMap(attributes) })
    return output
  }

  /** Appends a node with several outputs; absent ones are ''. */
  emitMany(op: string, inputs: readonly string[], attributes: Attributes, outputs: readonly string[]): void {
    this.nodes.push({ op, inputs, outputs, attributes: attributeMap(attributes) })
  }
}

/** Equal for equal tensors, and only for them. */
function contentKey({ dtype, shape, data }: Tensor): string {
  const texts = Array.from(data as ArrayLike<number | bigint>, (v) => (Object.is(v, -0) ? '-0' : String(v)))
  return `${dtype}[${shape}]${texts}`
}

function attributeMap(attributes: Attributes): Map<string, OnnxAttribute> {
  const out = new Map<string, OnnxAttribute>()
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    if (typeof value === 'string') out.set(name, { kind: 'string', value })
    else if (typeof value === 'number') out.set(name, { kind: 'int', value })
    else out.set(name, { kind: 'ints', value })
  }
  return out
}
