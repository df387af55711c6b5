import type { Limits } from './protocol.ts'

/** Everything that bounds what a page, or somebody who pretends to be one, can make the lab do. */
export interface LabLimits extends Limits {
  /** Of all uploads together. */
  readonly uploadedBytesMax: number
  readonly uploadsMax: number
  readonly connectionsMax: number
  /** Jobs that wait. */
  readonly jobsQueuedMax: number
  /** A JSON body must be there after this long. */
  readonly bodyMs: number
  /** An upload may pause no longer than this. */
  readonly idleMs: number
  /** Bytes that an event stream may be behind before it is closed. */
  readonly streamBacklogMax: number
  readonly heartbeatMs: number
  /** Files of a run that are read whole: manifest and results. */
  readonly jsonFileBytesMax: number
  /** Of one array file, and of what it unpacks to. */
  readonly arrayBytesMax: number
  readonly reportBytesMax: number
  /** Folders that the list looks at. */
  readonly runsMax: number
  /** How long uploads are kept. */
  readonly uploadAgeMaxMs: number
}

export const labLimits: LabLimits = {
  uploadBytesMax: 2 * 2 ** 30,
  filesPerUploadMax: 20,
  uploadsAtOnceMax: 4,
  eventStreamsMax: 256,
  jobsAtOnceMax: 1,
  jsonBytesMax: 2 ** 20,
  comparedRunsMax: 12,
  uploadedBytesMax: 8 * 2 ** 30,
  uploadsMax: 200,
  connectionsMax: 512,
  jobsQueuedMax: 100,
  bodyMs: 10_000,
  idleMs: 15_000,
  streamBacklogMax: 2 ** 20,
  heartbeatMs: 15_000,
  jsonFileBytesMax: 16 * 2 ** 20,
  arrayBytesMax: 256 * 2 ** 20,
  reportBytesMax: 32 * 2 ** 20,
  runsMax: 5000,
  uploadAgeMaxMs: 24 * 3600 * 1000,
}
