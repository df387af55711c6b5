import type { Language } from '../../report/scene.ts'

/** The words of the figures of a surface. Names of directions are those of the documents; `direction` says them. */
export interface SurfaceWords {
  readonly settings: {
    readonly model: string
    readonly data: string
    readonly loss: string
    readonly directions: string
    readonly along: (axis: string) => string
    readonly normalization: string
    readonly vectors: string
    readonly moved: string
    readonly held: string
    readonly orthogonalized: string
    readonly points: string
    readonly range: string
    readonly cosines: string
    readonly arithmetic: string
    readonly seed: string
    readonly slice: string
    readonly nodes: string
    readonly products: string
  }
  readonly direction: (label: string) => string
  readonly loss: string
  readonly relativeLoss: string
  readonly accuracy: string
  readonly accuracyCaption: string
  readonly training: string
  readonly heldOut: string
  readonly lineTitle: string
  readonly lineCaption: string
  readonly interpolationCaption: string
  readonly lineAccuracy: string
  readonly planeOf: {
    readonly components: string
    readonly eigenvectors: string
    readonly random: string
    readonly chosen: string
  }
  readonly planeCaption: string
  readonly volumeCaption: string
  readonly projected: (base: string, off: string, extent: string) => string
  readonly still: string
  readonly height: string
  readonly logHeight: string
  readonly planeAccuracy: string
  readonly heldOutAccuracy: string
  readonly heldOutLoss: string
  readonly secondModel: string
  readonly thirdModel: string
  readonly convexity: string
  readonly convexityCaption: string
  readonly convexityValue: string
  readonly smallest: string
  readonly largest: string
  readonly variance: string
  readonly varianceCaption: string
  readonly component: string
  readonly varianceShare: string
  readonly trajectory: string
  readonly randomWalk: string
  readonly step: string
  readonly checkpoint: string
  readonly named: (trajectory: string, what: string) => string
  readonly lossAtPoint: string
  readonly lossDrawn: string
  readonly trajectoryLoss: string
  readonly trajectoryLossCaption: string
  readonly offPlane: string
  readonly offPlaneCaption: string
  readonly offPlaneShare: string
  readonly curvatureAlong: string
  readonly curvatureAlongCaption: string
  readonly largestEnd: string
  readonly smallestEnd: string
  readonly eigenvalue: string
}

const english: SurfaceWords = {
  settings: {
    model: 'model',
    data: 'data',
    loss: 'loss',
    directions: 'directions',
    along: (axis) => `λ along ${axis}`,
    normalization: 'normalization',
    vectors: 'biases and norms',
    moved: 'moved',
    held: 'held',
    orthogonalized: 'orthogonalized',
    points: 'points',
    range: 'range',
    cosines: 'cosines of the directions',
    arithmetic: 'arithmetic',
    seed: 'seed',
    slice: 'slice',
    nodes: 'nodes',
    products: 'products',
  },
  direction: (label) => label,
  loss: 'loss',
  relativeLoss: 'loss / lowest loss',
  accuracy: 'accuracy',
  accuracyCaption: 'Share of samples whose largest score is the right class.',
  training: 'training',
  heldOut: 'held-out',
  lineTitle: 'Loss along a line',
  lineCaption: 'Loss at θ + αδ.',
  interpolationCaption: 'Loss at (1 − α) θ + α θ′.',
  lineAccuracy: 'Accuracy along the same line',
  planeOf: {
    components: 'Training loss on a plane of principal components',
    eigenvectors: 'Training loss on a plane of Hessian eigenvectors',
    random: 'Training loss on a plane of random directions',
    chosen: 'Training loss on a plane of chosen directions',
  },
  planeCaption: 'Loss at θ + αδ + βη.',
  volumeCaption: 'Loss at θ + αδ + βη + γζ on the slice named below.',
  projected: (base, off, extent) =>
    `${base} The path is projected: its points lie up to ${off} off the plane, and up to ${extent} from its center.`,
  still: 'The same plane as a surface',
  height: 'Height is the loss.',
  logHeight: 'Height is the loss on a logarithmic scale.',
  planeAccuracy: 'Training accuracy on the same plane',
  heldOutAccuracy: 'Held-out accuracy on the same plane',
  heldOutLoss: 'Held-out loss on the same plane',
  secondModel: 'second model',
  thirdModel: 'third model',
  convexity: 'Convexity map',
  convexityCaption:
    'max(0, −λ_min) / |λ_max| of the full Hessian: 0 where the loss is convex, 1 or more where negative curvature prevails.',
  convexityValue: 'max(0, −λ_min) / |λ_max|, capped at 1',
  smallest: 'Smallest eigenvalue of the Hessian',
  largest: 'Largest eigenvalue of the Hessian',
  variance: 'Share of the trajectory’s variance per principal component',
  varianceCaption:
    'A random walk in high dimension, which knows nothing of the loss, gives the dashed line: only what departs from it says something.',
  component: 'component',
  varianceShare: 'share of the variance',
  trajectory: 'trajectory',
  randomWalk: 'random walk of as many points',
  step: 'step',
  checkpoint: 'checkpoint',
  named: (trajectory, what) => `${trajectory}, ${what}`,
  lossAtPoint: 'loss at the point',
  lossDrawn: 'loss where it is drawn',
  trajectoryLoss: 'Loss of the trajectory and of its projection',
  trajectoryLossCaption: 'Where the lines part, the picture shows another loss than the one that was trained.',
  offPlane: 'Distance of the trajectory from the plane',
  offPlaneCaption: '‖θ − projection‖ over ‖θ − center‖: 0 in the plane, 1 at a right angle to it.',
  offPlaneShare: 'share of the distance',
  curvatureAlong: 'Extreme Hessian eigenvalues along the trajectory',
  curvatureAlongCaption: 'Gradient descent with step η is at the edge of stability where the largest is 2/η.',
  largestEnd: 'largest',
  smallestEnd: 'smallest',
  eigenvalue: 'eigenvalue',
}

/** Names that directions have in documents. */
const directionsZh: readonly (readonly [RegExp, string])[] = [
  [/^random direction (\d+)$/, '随机方向 $1'],
  [/^direction ([xyz]) of the file$/, '文件中的方向 $1'],
  [/^PCA (\d+)$/, '主成分 $1'],
  [/^(?:top|largest) Hessian eigenvector( \d+)?$/, '最大黑塞特征向量$1'],
  [/^(?:bottom|smallest) Hessian eigenvector( \d+)?$/, '最小黑塞特征向量$1'],
  [/^−gradient, unit length$/, '负梯度，单位长度'],
  [/^−gradient$/, '负梯度'],
]

const chinese: SurfaceWords = {
  settings: {
    model: '模型',
    data: '数据',
    loss: '损失',
    directions: '方向',
    along: (axis) => `沿 ${axis} 的 λ`,
    normalization: '归一化',
    vectors: '偏置与归一化参数',
    moved: '一同移动',
    held: '保持不变',
    orthogonalized: '正交化',
    points: '网格点',
    range: '范围',
    cosines: '方向间夹角余弦',
    arithmetic: '数值精度',
    seed: '随机种子',
    slice: '切片',
    nodes: '节点',
    products: '矩阵向量乘积次数',
  },
  direction: (label) => {
    const known = directionsZh.find(([pattern]) => pattern.test(label))
    return known ? label.replace(known[0], known[1]) : label
  },
  loss: '损失',
  relativeLoss: '损失 / 最低损失',
  accuracy: '准确率',
  accuracyCaption: '最高得分恰为正确类别的样本所占比例。',
  training: '训练',
  heldOut: '留出',
  lineTitle: '沿直线的损失',
  lineCaption: 'θ + αδ 处的损失。',
  interpolationCaption: '(1 − α) θ + α θ′ 处的损失。',
  lineAccuracy: '沿同一直线的准确率',
  planeOf: {
    components: '主成分平面上的训练损失',
    eigenvectors: '黑塞特征向量平面上的训练损失',
    random: '随机方向平面上的训练损失',
    chosen: '所选方向平面上的训练损失',
  },
  planeCaption: 'θ + αδ + βη 处的损失。',
  volumeCaption: '下述切片上 θ + αδ + βη + γζ 处的损失。',
  projected: (base, off, extent) => `${base}轨迹为投影：其各点离平面最远 ${off}，离平面中心最远 ${extent}。`,
  still: '同一平面的曲面图',
  height: '高度为损失。',
  logHeight: '高度为对数尺度下的损失。',
  planeAccuracy: '同一平面上的训练准确率',
  heldOutAccuracy: '同一平面上的留出准确率',
  heldOutLoss: '同一平面上的留出损失',
  secondModel: '第二个模型',
  thirdModel: '第三个模型',
  convexity: '凸性图',
  convexityCaption: '完整黑塞矩阵的 max(0, −λ_min) / |λ_max|：损失为凸处是 0，负曲率占优处为 1 或更大。',
  convexityValue: 'max(0, −λ_min) / |λ_max|，上限 1',
  smallest: '黑塞矩阵的最小特征值',
  largest: '黑塞矩阵的最大特征值',
  variance: '各主成分所占轨迹方差的比例',
  varianceCaption: '虚线为高维随机游走，它对损失一无所知：只有偏离虚线之处才说明问题。',
  component: '主成分',
  varianceShare: '方差比例',
  trajectory: '轨迹',
  randomWalk: '点数相同的随机游走',
  step: '步数',
  checkpoint: '检查点',
  named: (trajectory, what) => `${trajectory}，${what}`,
  lossAtPoint: '该点的损失',
  lossDrawn: '所绘位置的损失',
  trajectoryLoss: '轨迹及其投影的损失',
  trajectoryLossCaption: '两线分开之处，图中显示的损失并非训练中的损失。',
  offPlane: '轨迹与平面的距离',
  offPlaneCaption: '‖θ − 投影‖ 与 ‖θ − 中心‖ 之比：在平面内为 0，与其垂直为 1。',
  offPlaneShare: '距离之比',
  curvatureAlong: '沿轨迹的黑塞矩阵极端特征值',
  curvatureAlongCaption: '步长为 η 的梯度下降在最大特征值达到 2/η 处位于稳定性边缘。',
  largestEnd: '最大',
  smallestEnd: '最小',
  eigenvalue: '特征值',
}

export function surfaceWords(lang: Language = 'en'): SurfaceWords {
  return lang === 'zh' ? chinese : english
}
