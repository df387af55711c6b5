import { FormatError, UnsupportedError } from '../core/errors.ts'
import type { Expr } from '../core/expr.ts'
import { type FloatDType, numbersOf, type Tensor } from '../core/tensor.ts'
import { intendedNumber } from './intended-number.ts'
import { nodeLabel, type OnnxAttribute, type OnnxGraph, type OnnxNode } from './model.ts'

/** What one operator of a file becomes: its outputs by position (fewer where the rest is optional). */
export type OperatorImporter = (call: OperatorCall) => Expr | readonly (Expr | undefined)[]

/** Importers by operator name. */
export type OperatorFamily = Readonly<Record<string, OperatorImporter>>

/** What importers may ask of the model around a node. */
export interface CallContext {
  /** The dtype that every float of the model takes. */
  readonly dtype: FloatDType
  /** Batch normalization by the statistics of the batch at hand instead of those in the file. */
  readonly batchStatistics: boolean
  /** The value of an expression that depends on no input; undefined where it does depend on one. */
  readonly valueOf: (x: Expr) => Tensor | undefined
  /** Imports the branch of an `If`. */
  readonly importBranch: (graph: OnnxGraph) => Expr[]
  readonly note: (text: string) => void
  /** Accounts for elements that are created while importing; throws when a file asks for too many. */
  readonly reserve: (elements: number) => void
}

/** A node with its operands at hand: typed access to inputs and attributes, with messages that name the node. */
export class OperatorCall {
  readonly node: OnnxNode
  readonly operands: readonly (Expr | undefined)[]
  readonly context: CallContext
  readonly #read = new Set<string>()

  constructor(node: OnnxNode, operands: readonly (Expr | undefined)[], context: CallContext) {
    this.node = node
    this.operands = operands
    this.context = context
  }

  get label(): string {
    return nodeLabel(this.node)
  }

  get opset(): number {
    return this.node.opset
  }

  get dtype(): FloatDType {
    return this.context.dtype
  }

  /** Whether the optional output at a position is asked for. */
  wants(position: number): boolean {
    return (this.node.outputs[position] ?? '') !== ''
  }

  input(position: number): Expr {
    const operand = this.operands[position]
    if (operand === undefined)
      throw new FormatError(`${this.label}: input ${position} is missing. The file is damaged.`)
    return operand
  }

  optional(position: number): Expr | undefined {
    return this.operands[position]
  }

  /** All inputs of a variadic operator; none may be absent. */
  all(): Expr[] {
    return this.operands.map((_, i) => this.input(i))
  }

  /** An input that must be known while importing, such as a shape or axes. */
  value(position: number, role: string): Tensor {
    const tensor = this.context.valueOf(this.input(position))
    if (tensor === undefined)
      throw new UnsupportedError(
        `${this.label}: ${role} (input ${position}) must not depend on the data, since shapes are static. Bind the inputs it comes from to constants, or export with fixed sizes.`,
      )
    return tensor
  }

  /** The elements of a known input as numbers. */
  numbers(position: number, role: string): number[] {
    return Array.from(numbersOf(this.value(position, role)))
  }

  optionalNumbers(position: number, role: string): number[] | undefined {
    return this.optional(position) === undefined ? undefined : this.numbers(position, role)
  }

  /** A known input of one element. */
  number(position: number, role: string): number {
    const values = this.numbers(position, role)
    if (values.length !== 1)
      throw new FormatError(`${this.label}: ${role} must be one number, got ${values.length}. The file is damaged.`)
    return values[0]
  }

  /** An integer attribute; without a default it is required. */
  int(name: string, fallback?: number): number {
    return this.#attribute(name, 'int', fallback)
  }

  flag(name: string, fallback = false): boolean {
    return this.int(name, fallback ? 1 : 0) !== 0
  }

  /** A float attribute, freed of its rounding to 32 bits (see `intendedNumber`). */
  float(name: string, fallback?: number): number {
    const value = this.#attribute(name, 'float', fallback)
    return value === fallback ? value : intendedNumber(value)
  }

  string(name: string, fallback?: string): string {
    return this.#attribute(name, 'string', fallback)
  }

  ints(name: string): readonly number[] | undefined {
    return this.#optionalAttribute(name, 'ints')
  }

  floats(name: string): readonly number[] | undefined {
    return this.#optionalAttribute(name, 'floats')?.map(intendedNumber)
  }

  strings(name: string): readonly string[] | undefined {
    return this.#optionalAttribute(name, 'strings')
  }

  tensor(name: string): Tensor | undefined {
    return this.#optionalAttribute(name, 'tensor')?.tensor
  }

  graph(name: string): OnnxGraph {
    return this.#attribute(name, 'graph', undefined)
  }

  /** Declares attributes that do not change the result. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name)
  }

  unsupported(reason: string, cure: string): UnsupportedError {
    return new UnsupportedError(`${this.label}: ${reason}. ${cure}`)
  }

  malformed(reason: string): FormatError {
    return new FormatError(`${this.label}: ${reason}. The file is damaged.`)
  }

  /** An attribute nobody read would change the meaning silently. */
  requireAllRead(): void {
    for (const name of this.node.attributes.keys())
      if (!this.#read.has(name))
        throw new UnsupportedError(
          `${this.label}: the attribute '${name}' is not known for operator set ${this.opset}. Export with opset_version=17.`,
        )
  }

  #attribute<K extends OnnxAttribute['kind']>(name: string, kind: K, fallback: ValueOf<K> | undefined): ValueOf<K> {
    const value = this.#optionalAttribute(name, kind)
    if (value !== undefined) return value
    if (fallback === undefined)
      throw new FormatError(`${this.label}: the attribute '${name}' is missing. The file is damaged.`)
    return fallback
  }

  #optionalAttribute<K extends OnnxAttribute['kind']>(name: string, kind: K): ValueOf<K> | undefined {
    this.#read.add(name)
    const attribute = this.node.attributes.get(name)
    if (attribute === undefined) return undefined
    if (attribute.kind !== kind)
      throw new FormatError(
        `${this.label}: the attribute '${name}' must be ${kind}, got ${attribute.kind}. The file is damaged.`,
      )
    return attribute.value as ValueOf<K> | undefined
  }
}

type ValueOf<K extends OnnxAttribute['kind']> = Extract<OnnxAttribute, { kind: K }>['value']
