/** The kernels of `gram-kernel.bench.ts`. */
import { infiniteKernel, matrix, unitRows } from '@thalweg/landscape'
import { readJob, report } from './gram-process.ts'

const job = readJob<{ n: number; d: number; depth: number }>()
// (√2 k mod 1) − ½: spread evenly, and the same in both languages
const values = Float64Array.from({ length: job.n * job.d }, (_, k) => ((k * Math.SQRT2) % 1) - 0.5)
const x = unitRows(matrix(job.n, job.d, values), true)
let result: number[] = []

await report(
  job,
  () => {
    const { gram, tangent } = infiniteKernel(x, {
      ...{ architecture: 'fc', depth: job.depth, activation: 'relu', layers: false },
    })
    result = [...gram.data.subarray(0, job.n), ...tangent.data.subarray(0, job.n)]
  },
  () => result,
)
