export { activationGain, activationNamed, activationNames } from './activation.ts'
export type { ActivationName } from './activation.ts'
export { activationSecondMoment } from './activation-moments.ts'
export { cnn } from './cnn.ts'
export type { CnnOptions, PoolName } from './cnn.ts'
export { convResnet } from './conv-resnet.ts'
export type { ConvResnetOptions } from './conv-resnet.ts'
export { initializationNames } from './initialization.ts'
export type { InitializationName } from './initialization.ts'
export { linearNetwork, mlp } from './mlp.ts'
export type { MlpOptions } from './mlp.ts'
export { modelFromSpec, modelKinds } from './model-from-spec.ts'
export type { LinearNetworkOptions, ModelKind, ModelSpec } from './model-from-spec.ts'
export {
  flatten as flattenParameters,
  inputDType,
  parameterCount,
  parameterRanges,
  parameterViews,
  unflatten as unflattenParameters,
} from './model.ts'
export type { Architecture, Model, ModelInput, Parameter, ParameterRange, ParameterRole } from './model.ts'
export { batchNormModes, batchNormNotes, chooseParameters, modelFromOnnx } from './onnx-model.ts'
export type { BatchNormMode } from './onnx-model.ts'
export type { OnnxModelOptions } from './onnx-model.ts'
export { outputHead, selectOutput } from './onnx-output.ts'
export type { OutputChoice, OutputHead } from './onnx-output.ts'
export { normalizationNames } from './normalization-layer.ts'
export type { NormalizationName } from './normalization-layer.ts'
export { residualMlp, scaledMlp } from './residual-mlp.ts'
export type { ResidualMlpOptions, ScaledMlpOptions } from './residual-mlp.ts'
export { resnet } from './resnet.ts'
export type { ResnetOptions, ShortcutName } from './resnet.ts'
export type { ScaledNetworkOptions } from './scaled-network.ts'
