import type { Loss } from '../../loss/loss.ts'

/** The factor s of losses L = s Σᵢ wᵢ ‖f(xᵢ) − yᵢ‖² (squared, mse, half-sum-squares); null for all others. */
export function squareScale(loss: Loss): number | null {
  switch (loss.spec.name) {
    case 'squared':
    case 'mse':
      return 1 / loss.normalizer
    case 'half-sum-squares':
      return 1 / (2 * loss.normalizer)
    default:
      return null
  }
}
