/** The spherical spin glass as a model of loss surfaces (Choromanska et al. 2015; Auffinger, Ben Arous, Černý 2013). */
export { bandEdge, deviationCost, indexComplexity, layerEnergy, totalComplexity } from './complexity.ts'
export type { SphericalSpinGlass, SpinGlassPoint } from './spherical-spin-glass.ts'
export { onSphere, randomSpins, sphericalSpinGlass, spinGlassHessian, spinGlassPoint } from './spherical-spin-glass.ts'
export type { SpinGlassDescent, SpinGlassDescentOptions } from './spin-glass-descent.ts'
export { spinGlassDescent, spinGlassSpectrum } from './spin-glass-descent.ts'
