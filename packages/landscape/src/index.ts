/** The loss-landscape laboratory: models, losses, training, curvature, surfaces. Pure: engines and files are passed in. */
export * from './random/index.ts'
export * from './linalg/index.ts'
export * from './data/index.ts'
export * from './model/index.ts'
export * from './loss/index.ts'
export * from './train/index.ts'
export * from './surface/index.ts'
export * from './curvature/index.ts'
