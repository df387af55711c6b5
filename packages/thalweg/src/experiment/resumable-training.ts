import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError, numbersOf } from '@thalweg/graph'
import type { Checkpoint, HistoryPoint, TrainRecord, TrainResult } from '@thalweg/landscape'
import { cutHead, withHead } from '../files/headed-bytes.ts'
import { decodePlainData, encodePlainData } from '../files/plain-data.ts'
import { decodeNpz, encodeNpz } from '../formats/npz.ts'
import { float64Tensor } from '../runs/run-directory.ts'
import type { RunDirectory } from '../runs/run-directory.ts'

/** A point from which training goes on, with what was recorded on the way there. */
export interface SavedTraining {
  readonly checkpoint: Checkpoint
  readonly history: readonly HistoryPoint[]
  readonly losses: Float64Array
  /** Present where training is over. */
  readonly ended?: Ended
}

type Ended = Pick<TrainResult, 'status' | 'message'>

interface Head {
  readonly step: number
  readonly slots: number
  readonly history: string
  readonly ended?: Ended
}

const fileName = join('live', 'training.npz')

/** Replaces the saved point of a run. */
export async function saveTraining(
  directory: RunDirectory,
  { step, theta, memory }: Checkpoint,
  { history, losses }: Pick<SavedTraining, 'history' | 'losses'>,
  ended?: Ended,
): Promise<void> {
  const vector = (values: Float64Array): ReturnType<typeof float64Tensor> => float64Tensor([values.length], values)
  const slots = Object.fromEntries(memory.map((slot, i) => [`memory${i}`, vector(slot)]))
  const arrays = { theta: vector(theta), losses: vector(losses), ...slots }
  const head = { step, slots: memory.length, history: encodePlainData(history), ended }
  await directory.writeBytes(fileName, withHead(head, encodeNpz(arrays, { compress: false })))
}

/** The saved point of a run; undefined where it had not come to one.
 * @throws {FormatError} if the file is damaged. */
export async function readTraining(directory: RunDirectory): Promise<SavedTraining | undefined> {
  const where = directory.file(fileName)
  const bytes = await readFile(where).catch(() => undefined)
  if (!bytes) return undefined
  const [head, body] = cutHead(bytes, where)
  const { step, slots, history, ended } = head as Head
  const arrays = decodeNpz(body, { file: where })
  const vector = (name: string): Float64Array => {
    const value = arrays.get(name)
    if (value?.dtype !== 'float64') throw new FormatError(`${where}: no array '${name}'. Remove it and start again.`)
    return numbersOf(value)
  }
  return {
    checkpoint: { step, theta: vector('theta'), memory: Array.from({ length: slots }, (_, i) => vector(`memory${i}`)) },
    history: decodePlainData(history, where) as HistoryPoint[],
    losses: vector('losses'),
    ...(ended && { ended }),
  }
}

/** What a training has recorded that was gone on with, as if it had never stopped.
 * @param evaluateEvery  steps between measurements; those that stopping and going on added are left out. */
export function joinedRecord(
  saved: SavedTraining | undefined,
  rest: TrainRecord | Pick<TrainResult, 'history' | 'losses'>,
  evaluateEvery: number,
): Pick<SavedTraining, 'history' | 'losses'> {
  if (!saved) return { history: rest.history, losses: Float64Array.from(rest.losses) }
  const { step } = saved.checkpoint
  const planned = (point: HistoryPoint): boolean => point.step % evaluateEvery === 0
  const before = saved.history.filter((point) => point.step < step && planned(point))
  const after = rest.history.filter((point) => point.step > step || planned(point))
  const losses = new Float64Array(saved.losses.length + rest.losses.length)
  losses.set(saved.losses)
  losses.set(rest.losses, saved.losses.length)
  return { history: [...before, ...after], losses }
}

/** The result of a training that was over when the run was stopped. */
export function endedTraining({ checkpoint, history, losses }: SavedTraining, ended: Ended): TrainResult {
  const { step, theta } = checkpoint
  return { ...ended, theta, steps: step, history, losses, checkpoints: [], last: checkpoint }
}
