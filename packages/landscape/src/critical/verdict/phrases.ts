/** How evidence was obtained and what symmetries are called, in Chinese. */
const chinese: Readonly<Record<string, string>> = {
  'cross-entropy is positive at every finite θ; labels are consistent': '任何有限 θ 处交叉熵均为正；标签一致',
  'entropy of the labels at equal inputs; attained by infinite scores only, as some class is missing there':
    '相同输入上标签的熵；因有类别缺失，仅无穷大的得分才能达到',
  'full data, float64; noise floor from perturbations by a few units in the last place':
    '全部数据，float64；噪声由末位若干单位的扰动测得',
  'r = ‖H p + g‖ / (‖H‖‖p‖ + ‖g‖), p the minimum-length Newton step':
    'r = ‖H p + g‖ / (‖H‖‖p‖ + ‖g‖)，p 为最小范数牛顿步',
  'arguments of all operators that are not smooth, over all data': '所有非光滑算子在全部数据上的自变量',
  'λ_min(J Jᵀ) at θ less the largest turn of J on the ball, bounded layer by layer by norms; value μ, bound the radius it needs':
    'θ 处的 λ_min(J Jᵀ) 减去 J 在球上的最大变化（按范数逐层估计）；数值为 μ，界为所需半径',
  'eigenvalues of J Jᵀ at θ alone': '仅 θ 处 J Jᵀ 的特征值',
  'summed output gradients of distinct inputs; convex loss, no regulariser':
    '不同输入上输出梯度之和；损失为凸，无正则项',
  'outputs affine in the parameters (read off the graph), loss convex: the shortest subgradient is zero':
    '输出关于参数为仿射（由计算图判定），损失为凸：最短次梯度为零',
  'outputs affine in the parameters (read off the graph), loss convex: first order condition':
    '输出关于参数为仿射（由计算图判定），损失为凸：一阶条件',
  'all eigenvalues of the dense Hessian': '稠密 Hessian 的全部特征值',
  'tangents of the exact invariances of network, loss and data; bound: the largest ‖H t‖':
    '网络、损失与数据的精确不变性的切向量；界为最大的 ‖H t‖',
  'pivoted QR of the Jacobian of the outputs over all data; value: the largest dropped, bound: the smallest kept':
    '全部数据上输出雅可比矩阵的列主元 QR；数值为舍去的最大者，界为保留的最小者',
  'dense eigenvalues': '稠密特征值',
  'Lanczos; an eigenvalue lies within the residual': 'Lanczos；残差范围内有一个特征值',
  'loss at θ ± tv on the full data, beside ½λt²': '全部数据上 θ ± tv 处的损失，与 ½λt² 对照',
  'loss along a curve over ker H (splitting lemma), at t, t/2, t/4, …':
    '沿 ker H 上曲线的损失（分裂引理），取 t、t/2、t/4……',
  'loss along a curve over ker H (splitting lemma), at t, t/2, t/4, …; ker H and H⁺ by products alone':
    '沿 ker H 上曲线的损失（分裂引理），取 t、t/2、t/4……；ker H 与 H⁺ 仅由乘积求得',
  'loss along a ray at three distances; linear decrease': '沿射线三个距离处的损失；线性下降',
  'loss along a ray at t, t/2, t/4, …': '沿射线的损失，取 t、t/2、t/4……',
  'trace of the empirical Fisher matrix, 4 random probes': '经验 Fisher 矩阵的迹，4 个随机探针',
  'top eigenvalue of the Hessian times the learning rate': 'Hessian 最大特征值乘以学习率',
  'line search on the full data': '全部数据上的线搜索',
  'trust-region-newton': '信赖域牛顿法',
  'newton-mr': 'Newton-MR（最小残差牛顿法）',
  'closed form of deep linear networks (Kawaguchi 2016)': '深度线性网络的闭式解（Kawaguchi 2016）',
}

/** Parts of phrases that numbers stand in. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [
    /^least squares in the features J by ([\w-]+), rank (\d+) of (\d+)$/,
    '以 J 为特征的最小二乘（$1），秩 $2，共 $3 个特征',
  ],
  [/^least squares in the features J by ([\w-]+)$/, '以 J 为特征的最小二乘（$1）'],
  [/general-linear/g, '一般线性变换'],
  [/translation/g, '平移'],
  [/positive-scaling/g, '正缩放'],
  [/softmax-shift/g, 'softmax 平移'],
  [/uniform-shift/g, '整体平移'],
  [/data-null-space/g, '数据零空间'],
  [/dead-unit/g, '失活单元'],
  [/duplicated-units/g, '重复单元'],
]

/** A phrase of the diagnosis (a method, a source, the names of symmetries) in a language; others stay as they are. */
export function phrase(text: string, language: 'en' | 'zh'): string {
  if (language === 'en') return text
  return chinese[text] ?? patterns.reduce((said, [pattern, word]) => said.replace(pattern, word), text)
}
