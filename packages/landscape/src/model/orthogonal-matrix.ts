import { matrix } from '../linalg/matrix.ts'
import { qr } from '../linalg/qr.ts'
import type { RandomStream } from '../random/random-stream.ts'

/** A uniformly (Haar) distributed matrix [rows × columns], row-major, with orthonormal columns, or rows where those are
 * fewer: Q of a Gaussian matrix with the signs of R's diagonal taken out (Mezzadri 2007), as torch.nn.init.orthogonal_. */
export function orthogonalMatrix(stream: RandomStream, rows: number, columns: number): Float64Array {
  const tall = Math.max(rows, columns)
  const thin = Math.min(rows, columns)
  const { q, r } = qr(matrix(tall, thin, stream.normals(tall * thin)))
  const out = new Float64Array(rows * columns)
  for (let j = 0; j < thin; j++) {
    const sign = r.data[j * thin + j] < 0 ? -1 : 1
    for (let i = 0; i < tall; i++)
      out[rows >= columns ? i * columns + j : j * columns + i] = sign * q.data[i * thin + j]
  }
  return out
}
