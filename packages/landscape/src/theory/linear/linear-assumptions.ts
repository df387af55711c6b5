/** One statement about the critical points and on what it rests for these data. */
export interface LinearStatement {
  readonly name: 'critical-values' | 'global-minimum' | 'no-bad-local-minima' | 'strict-when-not-top' | 'rank-rule'
  readonly statement: string
  /** `proved`: a theorem covers these data. `measured`: none does; only the numerical verification speaks for it. */
  readonly holds: 'proved' | 'measured'
  readonly because: string
}

/** The assumptions of Kawaguchi's Theorem 2.3, with the numbers that decide them. */
export interface LinearAssumptions {
  /** All of A1–A3. */
  readonly hold: boolean
  /** A1: X Xᵀ and X Yᵀ have full rank. */
  readonly fullRank: {
    readonly holds: boolean
    /** cond(X Xᵀ), infinite where it is singular. */
    readonly inputConditionNumber: number
    readonly inputRank: number
    readonly crossRank: number
  }
  /** A2: d_y ≤ d_x. */
  readonly outputsAtMostInputs: { readonly holds: boolean; readonly inputs: number; readonly outputs: number }
  /** A3: Σ has d_y distinct eigenvalues. */
  readonly distinctEigenvalues: {
    readonly holds: boolean
    /** (λ_i − λ_{i+1}) / λ_1, [d_y − 1]. */
    readonly relativeGaps: readonly number[]
    readonly smallestRelativeGap: number
    readonly tolerance: number
  }
  readonly warnings: readonly string[]
  readonly statements: readonly LinearStatement[]
}

/** What `checkAssumptions` decides from. */
export interface AssumptionNumbers {
  readonly inputs: number
  readonly outputs: number
  readonly samples: number
  readonly layers: number
  readonly targetRank: number
  readonly inputConditionNumber: number
  readonly inputRank: number
  readonly signalRank: number
  readonly eigenvalues: Float64Array
  readonly gapTolerance: number
}

/** Decides A1–A3 and says which statements remain proved where one fails. */
export function checkAssumptions(numbers: AssumptionNumbers): LinearAssumptions {
  const { inputs, outputs, inputRank, signalRank, eigenvalues, gapTolerance } = numbers
  const top = eigenvalues[0] === 0 ? 1 : eigenvalues[0]
  const relativeGaps = Array.from(eigenvalues.subarray(1), (value, i) => (eigenvalues[i] - value) / top)
  const smallestRelativeGap = Math.min(...relativeGaps, Number.POSITIVE_INFINITY)
  const fullRank = inputRank === inputs && signalRank === Math.min(inputs, outputs)
  const distinct = smallestRelativeGap > gapTolerance && signalRank >= outputs - 1
  const hold = fullRank && outputs <= inputs && distinct
  return {
    hold,
    fullRank: {
      holds: fullRank,
      inputConditionNumber: inputRank === inputs ? numbers.inputConditionNumber : Number.POSITIVE_INFINITY,
      inputRank,
      crossRank: signalRank,
    },
    outputsAtMostInputs: { holds: outputs <= inputs, inputs, outputs },
    distinctEigenvalues: { holds: distinct, relativeGaps, smallestRelativeGap, tolerance: gapTolerance },
    warnings: warningsOf(numbers, smallestRelativeGap),
    statements: statementsOf(numbers, hold),
  }
}

function warningsOf(numbers: AssumptionNumbers, smallestRelativeGap: number): string[] {
  const { inputs, outputs, samples, inputRank, signalRank, inputConditionNumber, gapTolerance, layers } = numbers
  const warnings: string[] = []
  const warn = (condition: boolean, text: string): void => {
    if (condition) warnings.push(text)
  }
  warn(
    inputRank < inputs && samples < inputs,
    `A1 fails: ${counted(samples, 'sample')} of ${counted(inputs, 'feature')}. Only the ${counted(inputRank, 'direction')} that the samples span enter the loss; the first layer is free on the others.`,
  )
  warn(
    inputRank < inputs && samples >= inputs,
    `A1 fails: X has rank ${inputRank} of ${inputs} (dependent or constant features). The first layer is free on the other directions.`,
  )
  warn(
    inputRank === inputs && inputConditionNumber > 1e12,
    `cond(X Xᵀ) = ${inputConditionNumber.toExponential(1)}: A1 holds barely; scale or decorrelate the features.`,
  )
  warn(outputs > inputs, `A2 fails: ${outputs} outputs and ${inputs} inputs, so Σ has zero eigenvalues.`)
  warn(
    signalRank === 0,
    'The targets have no linear relation to the inputs (Σ = 0): every critical point is a global minimum.',
  )
  warn(
    signalRank > 0 && signalRank < Math.min(outputs, inputRank),
    `A1 fails: X Yᵀ has rank ${signalRank} of ${Math.min(outputs, inputRank)} (constant, repeated or unrelated targets); the zero eigenvalues of Σ name no classes.`,
  )
  warn(
    smallestPositiveGap(numbers) <= gapTolerance,
    `A3 fails: eigenvalues of Σ coincide (smallest relative gap ${smallestRelativeGap.toExponential(1)}). A class then stands for all choices of subspaces in the repeated eigenspaces.`,
  )
  warn(layers === 1, 'There is no hidden layer: the problem is convex and every critical point is a global minimum.')
  return warnings
}

/** The smallest relative gap between positive eigenvalues. */
function smallestPositiveGap({ eigenvalues, signalRank }: AssumptionNumbers): number {
  let smallest = Number.POSITIVE_INFINITY
  for (let i = 1; i < signalRank; i++) {
    smallest = Math.min(smallest, (eigenvalues[i - 1] - eigenvalues[i]) / eigenvalues[0])
  }
  return smallest
}

function statementsOf(numbers: AssumptionNumbers, hold: boolean): LinearStatement[] {
  const { layers, outputs, targetRank } = numbers
  const reduced = 'for any data: at a critical point W_L ⋯ W_1 X = Π R X with a projection Π that commutes with Σ'
  const convex = layers === 1
  const noBad = hold
    ? 'Kawaguchi 2016, Theorem 2.3 (A1–A3 hold)'
    : targetRank === outputs
      ? 'Lu and Kawaguchi 2017 on range(X), where X and Y have full row rank'
      : 'the theorems used here need targets of full row rank'
  return [
    {
      name: 'critical-values',
      statement: 'every critical value is L_S = ½(‖Y‖² − Σ_{i∈S} λ_i) with |S| ≤ r_max',
      holds: 'proved',
      because: reduced,
    },
    {
      name: 'global-minimum',
      statement: 'the global minimum is ½(‖Y‖² − Σ_{i≤r_max} λ_i)',
      holds: 'proved',
      because: 'best approximation of R X of rank r_max (Eckart and Young)',
    },
    {
      name: 'no-bad-local-minima',
      statement: 'every local minimum is global',
      holds: convex || hold || targetRank === outputs ? 'proved' : 'measured',
      because: convex ? 'one layer: convex' : noBad,
    },
    {
      name: 'strict-when-not-top',
      statement: 'a critical point that leaves out an eigenvalue larger than one it keeps is a strict saddle',
      holds: 'proved',
      because: 'the rotation path lowers the loss by ½(λ_j − λ_i) sin² t, for any data',
    },
    {
      name: 'rank-rule',
      statement: 'a critical point with S = {1..r}, r < r_max, is non-strict exactly if every pivot is tightened',
      holds: convex || hold ? 'proved' : 'measured',
      because: hold ? 'Achour, Malgouyres and Gerchinovitz, JMLR 2024' : 'the theorem assumes A1–A3',
    },
  ]
}

function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? '' : 's'}`
}
