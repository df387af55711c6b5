import type { TrainResult } from '@thalweg/landscape'
import type { Language } from '../report/scene.ts'

/** The sentences of a run's report and figures. Numbers come as text that is written already. */
export interface RunWords {
  readonly subtitle: (model: string, parameters: number, data: string) => string
  readonly trainingLoss: string
  readonly gradientNorm: string
  readonly gradientNote: string
  readonly trainingAccuracy: string
  readonly testLoss: string
  readonly testAccuracy: string
  readonly weightDecay: (value: string) => string
  readonly training: string
  readonly ended: (training: TrainResult) => string
  readonly around: string
  readonly loss: string
  readonly lossCaption: (loss: string) => string
  readonly accuracy: string
  readonly accuracyCaption: string
  readonly epoch: string
  readonly notMade: (analysis: string, problem: string) => string
  readonly trainingSeries: string
  readonly testSeries: string
  readonly accuracyAxis: string
  readonly plane: string
  readonly planeCaption: string
  readonly end: string
  readonly surface: string
  readonly surfaceCaption: (logarithmic: boolean) => string
  readonly settings: {
    readonly optimizer: string
    readonly learningRate: string
    readonly batch: string
    readonly seed: string
    readonly directions: string
    readonly normalization: string
    readonly vectors: string
    readonly kept: string
    readonly moved: string
    readonly points: string
    readonly cosine: string
    readonly name: string
    readonly parameters: string
    readonly trainingSamples: string
    readonly testSamples: string
    readonly digest: string
    readonly model: string
    readonly data: string
  }
}

const english: RunWords = {
  subtitle: (model, parameters, data) => `${model}, ${parameters} parameters, on ${data}`,
  trainingLoss: 'Training loss',
  gradientNorm: 'Gradient norm',
  gradientNote: 'float64, full training data',
  trainingAccuracy: 'Training accuracy',
  testLoss: 'Test loss',
  testAccuracy: 'Test accuracy',
  weightDecay: (value) => `weight decay ${value}`,
  training: 'Training',
  ended: ({ message }) => message,
  around: 'The loss around the end of training',
  loss: 'Loss',
  lossCaption: (loss) => `The ${loss} loss on all training and held-out samples during training.`,
  accuracy: 'Accuracy',
  accuracyCaption: 'Share of samples whose largest score is the right class.',
  epoch: 'epoch',
  notMade: (analysis, problem) => `\`analyses.${analysis}\` was not made: ${problem}`,
  trainingSeries: 'training',
  testSeries: 'test',
  accuracyAxis: 'accuracy',
  plane: 'Training loss on a random plane',
  planeCaption: 'Loss at θ + αδ + βη; the end of training is at the center.',
  end: 'end of training',
  surface: 'The same plane as a surface',
  surfaceCaption: (logarithmic) => (logarithmic ? 'Height is the loss on a logarithmic scale.' : 'Height is the loss.'),
  settings: {
    optimizer: 'optimizer',
    learningRate: 'learning rate',
    batch: 'batch',
    seed: 'seed',
    directions: 'directions',
    normalization: 'normalization',
    vectors: 'vectors',
    kept: 'kept',
    moved: 'moved',
    points: 'points',
    cosine: 'cosine of the directions',
    name: 'name',
    parameters: 'parameters',
    trainingSamples: 'training samples',
    testSamples: 'test samples',
    digest: 'digest',
    model: 'Model',
    data: 'Data',
  },
}

const chineseEnd: Readonly<Record<TrainResult['status'], (steps: number) => string>> = {
  finished: (steps) => `训练共进行 ${steps} 步后结束。`,
  diverged: (steps) => `训练发散：第 ${steps} 步之后损失不再有限。`,
  aborted: (steps) => `训练在第 ${steps} 步被取消。`,
  'time-limit': (steps) => `训练在第 ${steps} 步达到时间上限。`,
}

const chinese: RunWords = {
  subtitle: (model, parameters, data) => `${model}，${parameters} 个参数，数据 ${data}`,
  trainingLoss: '训练损失',
  gradientNorm: '梯度范数',
  gradientNote: 'float64，全部训练数据',
  trainingAccuracy: '训练准确率',
  testLoss: '测试损失',
  testAccuracy: '测试准确率',
  weightDecay: (value) => `权重衰减 ${value}`,
  training: '训练',
  ended: ({ status, steps }) => chineseEnd[status](steps),
  around: '训练终点附近的损失',
  loss: '损失',
  lossCaption: (loss) => `训练过程中全部训练样本与留出样本上的 ${loss} 损失。`,
  accuracy: '准确率',
  accuracyCaption: '最高得分恰为正确类别的样本所占比例。',
  epoch: '轮次',
  notMade: (analysis, problem) => `未能进行 \`analyses.${analysis}\`：${problem}`,
  trainingSeries: '训练',
  testSeries: '测试',
  accuracyAxis: '准确率',
  plane: '随机平面上的训练损失',
  planeCaption: 'θ + αδ + βη 处的损失；训练终点位于中心。',
  end: '训练终点',
  surface: '同一平面的曲面图',
  surfaceCaption: (logarithmic) => (logarithmic ? '高度为对数尺度下的损失。' : '高度为损失。'),
  settings: {
    optimizer: '优化器',
    learningRate: '学习率',
    batch: '批量',
    seed: '随机种子',
    directions: '方向',
    normalization: '归一化',
    vectors: '偏置等向量',
    kept: '保持不变',
    moved: '一同移动',
    points: '网格点',
    cosine: '两方向夹角余弦',
    name: '名称',
    parameters: '参数个数',
    trainingSamples: '训练样本数',
    testSamples: '测试样本数',
    digest: '摘要',
    model: '模型',
    data: '数据',
  },
}

/** The same in either language. */
export function runWords(lang: Language): RunWords {
  return lang === 'zh' ? chinese : english
}
