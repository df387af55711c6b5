import type { Tensor } from '@thalweg/graph'

/** What is known of one axis of a value: a set of units that may be reordered, laid out as outer × units × inner, or
 * `fixed`, where order matters. `label` indexes into an `AxisLabels`. */
export type AxisLayout = 'fixed' | { readonly label: number; readonly outer: number; readonly inner: number }

type Labelled = Exclude<AxisLayout, 'fixed'>

/** Which axes of a network's values are the same set of units: a union-find over labels, in which a label may also turn
 * out to be a block layout of another (channels × pixels after flattening), or to be pinned. */
export class AxisLabels {
  readonly #sizes: number[] = []
  readonly #bound: (Labelled | null)[] = []
  readonly #pinned: boolean[] = []

  /** A new set of units. */
  fresh(size: number): AxisLayout {
    this.#sizes.push(size)
    this.#bound.push(null)
    this.#pinned.push(false)
    return { label: this.#sizes.length - 1, outer: 1, inner: 1 }
  }

  /** In terms of a label that is not bound to another; `fixed` if that one is pinned. */
  resolve(layout: AxisLayout): AxisLayout {
    let at = layout
    while (at !== 'fixed') {
      const to = this.#bound[at.label]
      if (to === null) return this.#pinned[at.label] ? 'fixed' : at
      at = { label: to.label, outer: at.outer * to.outer, inner: at.inner * to.inner }
    }
    return at
  }

  sizeOf(label: number): number {
    return this.#sizes[label]
  }

  /** Order matters along this axis after all. */
  pin(layout: AxisLayout): void {
    const at = this.resolve(layout)
    if (at !== 'fixed') this.#pinned[at.label] = true
  }

  /** Both axes are the same units in the same order. Where their layouts cannot agree, both are pinned. */
  unify(a: AxisLayout, b: AxisLayout): void {
    const [x, y] = [this.resolve(a), this.resolve(b)]
    if (x === 'fixed' || y === 'fixed') {
      this.pin(x)
      this.pin(y)
      return
    }
    const same = x.outer === y.outer && x.inner === y.inner
    if (x.label === y.label) {
      if (!same) this.pin(x)
      return
    }
    const whole = (l: Labelled): boolean => l.outer === 1 && l.inner === 1
    if (whole(x)) this.#bound[x.label] = y
    else if (whole(y)) this.#bound[y.label] = x
    else if (same && this.#sizes[x.label] === this.#sizes[y.label]) this.#bound[x.label] = { ...y, outer: 1, inner: 1 }
    else {
      this.pin(x)
      this.pin(y)
    }
  }
}

/** Whether a tensor is the same along an axis, so that reordering it there changes nothing. */
export function isUniformAlong({ shape, data }: Tensor, axis: number): boolean {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const length = shape[axis]
  for (let at = 0; at < data.length; at++) {
    const first = at - (Math.floor(at / inner) % length) * inner
    if (!Object.is(data[at], data[first])) return false
  }
  return true
}
