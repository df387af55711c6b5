/** A folder for one model with its external data, and data files. Forgotten a day after its last use, unless a run
 * needs it. */
export interface Upload {
  readonly id: string
  readonly files: readonly UploadedFile[]
}

/** Names are letters, digits, `.`, `_`, `-` and spaces, at most 120, with an ending of {@link UploadEnding}. */
export interface UploadedFile {
  readonly name: string
  readonly bytes: number
  /** Of the content, hexadecimal. */
  readonly sha256: string
}

export type UploadEnding =
  | '.onnx'
  | '.data'
  | '.weight'
  | '.weights'
  | '.bin'
  | '.npy'
  | '.npz'
  | '.csv'
  | '.tsv'
  | '.gz'
  | '.parquet'
  | '.idx'
  | '.safetensors'
  | '.h5'
  | '.hdf5'
  | '.yaml'
  | '.yml'

/** What the files of an upload are. */
export interface Inspection {
  readonly models: readonly {
    readonly file: string
    /** As `thalweg model info --json`; null where the file cannot be read. */
    readonly info: Readonly<Record<string, unknown>> | null
    readonly error: string | null
  }[]
  readonly data: readonly {
    readonly file: string
    /** As `thalweg data info --json`; null where the file cannot be read. */
    readonly info: Readonly<Record<string, unknown>> | null
    readonly error: string | null
  }[]
}
