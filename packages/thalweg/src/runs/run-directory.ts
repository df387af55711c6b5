import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DomainError, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { unflattenParameters } from '@thalweg/landscape'
import type { Model } from '@thalweg/landscape'
import { plainNumbers } from '../files/plain-numbers.ts'
import { makeFolder, writeFileAtomic } from '../files/write-atomic.ts'
import { encodeNpz } from '../formats/npz.ts'
import { encodeSafetensors } from '../formats/safetensors.ts'

/** A run on disk. Every file is whole or absent; `manifest.json` says what the run is and how far it came.
 *
 *     manifest.json   experiment, versions, seeds, data digests, machine, status
 *     checkpoints/    step-000120.safetensors, final.safetensors
 *     results/        *.json and *.npz
 *     figures/        *.svg
 *     report.html     self-contained */
export class RunDirectory {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** A new run: `wanted`, which must not hold anything yet, or the first free `base`, `base-2`, `base-3` …
   * @throws {DomainError} if `wanted` exists and is not empty. */
  static async create(base: string, wanted?: string): Promise<RunDirectory> {
    if (wanted !== undefined) {
      if (!(await isFree(wanted))) throw new DomainError(`--out ${wanted}: the folder is not empty. Name a new one.`)
      await makeFolder(wanted)
      return new RunDirectory(wanted)
    }
    for (let n = 1; ; n++) {
      const path = n === 1 ? base : `${base}-${n}`
      if (!(await isFree(path))) continue
      await makeFolder(path)
      return new RunDirectory(path)
    }
  }

  file(...parts: string[]): string {
    return join(this.path, ...parts)
  }

  async writeJson(name: string, value: unknown): Promise<void> {
    await this.#write(name, `${JSON.stringify(value, plainNumbers, 2)}\n`)
  }

  async writeText(name: string, text: string): Promise<void> {
    await this.#write(name, text)
  }

  async writeBytes(name: string, bytes: Uint8Array): Promise<void> {
    await this.#write(name, bytes)
  }

  async writeArrays(name: string, arrays: Readonly<Record<string, Tensor>>): Promise<void> {
    await this.#write(name, encodeNpz(arrays))
  }

  /** Parameters as named tensors in float64. */
  async writeCheckpoint(
    name: string,
    model: Model,
    theta: Float64Array,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#write(
      join('checkpoints', `${name}.safetensors`),
      encodeSafetensors(unflattenParameters(model, theta), metadata),
    )
  }

  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const path = this.file(name)
    await makeFolder(dirname(path))
    await writeFileAtomic(path, content)
  }
}

async function isFree(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw new DomainError(
      `${path}: cannot be used as a run folder (${(error as NodeJS.ErrnoException).code}). Name another by --out.`,
    )
  }
}

export function float64Tensor(shape: readonly number[], data: Float64Array): Tensor {
  return tensor('float64', shape, data)
}
