import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { FormatError, ShapeError, isFloat } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { flattenParameters } from '@thalweg/landscape'
import type { Model } from '@thalweg/landscape'
import { readOnnxFile } from '../formats/onnx-file.ts'
import { decodeSafetensors } from '../formats/safetensors.ts'

/** A training run as points of one parameter space. */
export interface Trajectory {
  readonly points: readonly TrajectoryPoint[]
  readonly notes: readonly string[]
}

export interface TrajectoryPoint {
  /** File name without extension. */
  readonly name: string
  /** [p] */
  readonly theta: Float64Array
  /** Training step, where the file says it. */
  readonly step?: number
}

/** The checkpoints of a folder as points θ of a model, in the order of their steps, else of the numbers in their names.
 * A checkpoint is a `.safetensors` file with the parameters under the model's names, or, where there are none, an `.onnx`
 * file of the same architecture. In a run directory its `checkpoints` are meant.
 * @throws {FormatError} for a folder without checkpoints or a damaged file;
 *         {ShapeError} naming file and parameter, if one is missing or has another shape. */
export async function loadTrajectory(path: string, model: Model): Promise<Trajectory> {
  const { folder, files } = await checkpointsIn(path)
  const read = await Promise.all(files.map((file) => readCheckpoint(join(folder, file))))
  const notes = new Set<string>()
  const points = read.map(({ file, tensors, step }) => {
    const theta = thetaOf(model, tensors, file)
    const moving = [...tensors.keys()].find((name) => /running_(mean|var)$/.test(name))
    if (moving !== undefined && extname(file) === '.safetensors')
      notes.add(
        `The checkpoints hold batch-norm statistics (${moving}, …); every point is evaluated with those of the model file, as on one surface.`,
      )
    return { name: basename(file, extname(file)), theta, ...(step !== undefined && { step }) }
  })
  const ordered = points.every((p) => p.step !== undefined) ? points.sort((a, b) => a.step! - b.step!) : points
  return { points: ordered, notes: [...notes] }
}

async function checkpointsIn(path: string): Promise<{ folder: string; files: string[] }> {
  const info = await stat(path).catch(() => undefined)
  if (!info?.isDirectory())
    throw new FormatError(`${path}: a trajectory is a folder of checkpoints (.safetensors or .onnx). Check the path.`)
  const inner = join(path, 'checkpoints')
  const folder = (await stat(inner).catch(() => undefined))?.isDirectory() ? inner : path
  const all = (await readdir(folder)).sort(new Intl.Collator('en', { numeric: true }).compare)
  const tensors = all.filter((file) => file.toLowerCase().endsWith('.safetensors'))
  const files = tensors.length > 0 ? tensors : all.filter((file) => file.toLowerCase().endsWith('.onnx'))
  if (files.length > 0) return { folder, files }
  const pickled = all.find((file) => /\.(pt|pth|ckpt|bin)$/i.test(file))
  throw new FormatError(
    pickled
      ? `${join(folder, pickled)}: pickled weights are not read, they can run code. Save them with safetensors.torch.save_file(model.state_dict(), FILE).`
      : `${folder}: no checkpoints. A trajectory is a folder of .safetensors or .onnx files.`,
  )
}

interface Checkpoint {
  readonly file: string
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly step?: number
}

async function readCheckpoint(file: string): Promise<Checkpoint> {
  if (extname(file).toLowerCase() === '.onnx')
    return { file, tensors: new Map([...readOnnxFile(file).initializers].map(([name, { tensor }]) => [name, tensor])) }
  const { tensors, metadata } = decodeSafetensors(await readFile(file), { file })
  const step = Number(metadata['step'] ?? Number.NaN)
  return { file, tensors, ...(Number.isSafeInteger(step) && { step }) }
}

function thetaOf(model: Model, tensors: ReadonlyMap<string, Tensor>, file: string): Float64Array {
  for (const { name, shape } of model.parameters) {
    const value = tensors.get(name)
    if (value === undefined) throw missingParameter(file, name, [...tensors.keys()])
    if (String(value.shape) === String(shape) && isFloat(value.dtype)) continue
    const turned = String(value.shape.toReversed()) === String(shape)
    throw new ShapeError(
      `${file}: the model's parameter ${name} is [${shape}], here it is ${value.dtype} [${value.shape}]. ` +
        (turned
          ? 'It is transposed: export the model with do_constant_folding=False.'
          : 'The checkpoint belongs to another model.'),
    )
  }
  return flattenParameters(model, Object.fromEntries(tensors))
}

function missingParameter(file: string, name: string, present: readonly string[]): ShapeError {
  const listed = present.slice(0, 10).join(', ') + (present.length > 10 ? ', …' : '')
  const renamed = name.includes('::') || /^\d+$/.test(name)
  return new ShapeError(
    `${file}: no parameter '${name}' of the model. It holds ${listed || 'no tensors'}. ` +
      (renamed
        ? 'The exporter gave the weight a name of its own: export the model with do_constant_folding=False.'
        : 'The checkpoint belongs to another model, or its names carry a prefix: rename them.'),
  )
}
