/** A model: a file of an upload, or a run (its end, or one of its checkpoints). Never a path. */
export type ModelReference =
  | { readonly kind: 'upload'; readonly upload: string; readonly file: string }
  | { readonly kind: 'run'; readonly run: string; readonly checkpoint?: string }

/** Files of an upload (several: an IDX pair, CIFAR batches), or built-in data such as `digits` or
 * `two-spirals:samples=100`. */
export type DataReference =
  | { readonly kind: 'upload'; readonly upload: string; readonly files: readonly string[] }
  | { readonly kind: 'built-in'; readonly name: string }

export interface LossChoice {
  readonly name: string
  readonly reduction?: 'mean' | 'sum'
  readonly weightDecay?: number
  readonly labelSmoothing?: number
  readonly power?: number
  readonly delta?: number
}

/** Which loss surface, and where on it. `data` and `loss` are needed with an upload and may be left out with a run. */
export interface SubjectRequest {
  readonly model: ModelReference
  readonly data?: DataReference
  readonly loss?: LossChoice
  /** NAME=KEY: which array feeds which input of the model. */
  readonly input?: readonly string[]
  readonly target?: string
  readonly task?: 'classification' | 'regression'
  /** Of an `.onnx` file: the output that the loss reads; which initializers are parameters or constants (patterns). */
  readonly output?: string
  readonly train?: readonly string[]
  readonly freeze?: readonly string[]
}

interface Common {
  /** For the list; default: from the model. */
  readonly name?: string
  readonly seed?: number
  /** Of sentences and report; default `en`. */
  readonly lang?: 'en' | 'zh'
  readonly threads?: number
  readonly timeLimitMs?: number
}

export type WorkRequest =
  | RunRequest
  | DiagnoseRequest
  | SpectrumRequest
  | SurfaceRequest
  | CriticalRequest
  | ConnectRequest
  | LineRequest
  | PlaneGraphRequest

/** An experiment. Its `file:` entries name files of `upload`; other paths are refused. */
export interface RunRequest extends Common {
  readonly command: 'run'
  readonly yaml: string
  readonly upload?: string
}

interface OnSubject extends Common {
  readonly subject: SubjectRequest
  /** Compute on so many samples, drawn by the seed, instead of all. */
  readonly samples?: number
}

export interface DiagnoseRequest extends OnSubject {
  readonly command: 'diagnose'
  readonly top?: number
  readonly bottom?: number
  readonly denseLimit?: number
  readonly polish?: boolean
  readonly maxProducts?: number
  readonly learningRate?: number
  readonly batchSize?: number
}

export interface SpectrumRequest extends OnSubject {
  readonly command: 'spectrum'
  readonly operator?: 'hessian' | 'ggn' | 'fisher' | 'empirical-fisher' | 'gram'
  readonly top?: number
  readonly bottom?: number
  readonly exact?: boolean
  readonly trace?: boolean
  readonly density?: boolean
  readonly layers?: boolean
  readonly maxProducts?: number
}

export interface AxisRequest {
  readonly start: number
  readonly end: number
  readonly count: number
}

export interface SurfaceRequest extends Omit<OnSubject, 'samples'> {
  readonly command: 'surface'
  readonly directions?: 'random' | 'eigenvectors' | 'gradient' | 'trajectory' | 'interpolation'
  readonly normalization?: 'filter' | 'layer' | 'weight' | 'none'
  readonly moveVectors?: boolean
  readonly orthogonalize?: boolean
  /** Largest eigenvalues, or largest and smallest. Default `top`. */
  readonly eigenvectors?: 'top' | 'ends'
  readonly x?: AxisRequest
  readonly y?: AxisRequest
  /** Nodes per axis where the axes are left out. Default 25. */
  readonly points?: number
  /** Two models to interpolate to. */
  readonly to?: readonly ModelReference[]
  /** Draw the checkpoints of the run. */
  readonly trajectory?: boolean
  /** Runs of `critical` or `diagnose` on this model whose points are marked, with their verdicts. */
  readonly critical?: readonly string[]
  readonly heldOut?: DataReference
  readonly refine?: number
  /** Extreme Hessian eigenvalues and convexity on n × n nodes; 0 for none. */
  readonly curvatureGrid?: number
  readonly curvatureSamples?: number
  readonly dtype?: 'float32' | 'float64'
}

export interface CriticalRequest extends OnSubject {
  readonly command: 'critical'
  readonly method?: string
  readonly starts?: number
  readonly noise?: readonly number[]
  /** From fresh initializations, not from checkpoints. */
  readonly random?: boolean
  readonly maxIterations?: number
  readonly denseLimit?: number
}

export interface ConnectRequest extends Omit<OnSubject, 'samples'> {
  readonly command: 'connect'
  readonly other: ModelReference
  readonly match?: readonly ('weights' | 'activations' | 'none')[]
  readonly points?: number
  readonly curve?: 'bezier' | 'polygon' | 'band' | 'none'
  readonly bends?: number
  readonly steps?: number
}

/** "Move along this direction": measures the loss at θ + t v. Ask again with `saved` and other `t` for more points: the
 * eigenvector is not searched for twice. */
export interface LineRequest extends Omit<OnSubject, 'samples'> {
  readonly command: 'line'
  readonly direction:
    | {
        readonly kind: 'eigenvector'
        readonly end: 'top' | 'bottom' /** 1: the extreme one. */
        readonly number: number
      }
    | { readonly kind: 'gradient' }
    | { readonly kind: 'random'; readonly number: number }
    /** v of an earlier line. */
    | { readonly kind: 'saved'; readonly run: string }
  /** At most 2001 values. */
  readonly t: readonly number[]
}

/** Makes f(α, β) of a plane through a small model as an ONNX graph, for live evaluation in the page. The plane is that
 * of the surface of `surface`, or one of random directions. Refused with the reason where model or data are too large. */
export interface PlaneGraphRequest extends Omit<OnSubject, 'samples'> {
  readonly command: 'plane-graph'
  readonly surface?: string
}

/** `save`: ask it to stop and keep what it has (default); `now`: end its process. */
export interface StopRequest {
  readonly mode?: 'save' | 'now'
}

export interface ExperimentText {
  readonly yaml: string
  readonly upload?: string
}

export interface ExperimentCheck {
  readonly ok: boolean
  readonly name: string | null
  /** `line` and `column` count from 1; null where the problem has no place. */
  readonly problems: readonly {
    readonly line: number | null
    readonly column: number | null
    readonly message: string
  }[]
}
