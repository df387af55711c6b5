import type { LanguageTable } from '../../words/language-table.ts'

const en = {
  title: 'Gram matrices: why wide networks reach zero loss',
  lead: 'Gradient descent on a non-convex loss finds a global minimum, whatever the labels, if the network is wide enough. One number decides how fast: the smallest eigenvalue of a matrix that only looks at the inputs.',
  sources: [
    'S. S. Du, J. D. Lee, H. Li, L. Wang, X. Zhai, *Gradient Descent Finds Global Minima of Deep Neural Networks*, ICML 2019: Definitions 5.1 and 6.1, Theorems 5.1 and 6.1.',
    'S. S. Du, X. Zhai, B. Póczos, A. Singh, *Gradient Descent Provably Optimizes Over-parameterized Neural Networks*, ICLR 2019.',
  ] as readonly string[],
  step1: 'A matrix that knows only the inputs',
  text1:
    'Put $n$ inputs on a circle. In an infinitely wide network, how alike are the features of two inputs, to the last hidden layer? The answer is a matrix $K^{(H)}$ with one row for each input. It does not depend on the labels, nor on training.\n\n**Drag the points**, or move them with the arrow keys.',
  count: 'Inputs n',
  family: 'Network',
  families: { fc: 'fully connected', resnet: 'residual' },
  depth: 'Hidden layers H',
  activation: 'Activation',
  circleTitle: 'The inputs',
  circleCaption: (a: number, b: number, angle: string, opposite: boolean): string =>
    `Nearest ${opposite ? 'to opposite' : 'pair'}: ${a} and ${b}, ${angle}° ${opposite ? 'from a line' : 'apart'}. Filled: label +1, hollow: label −1.`,
  circleLabel: 'Inputs on the unit circle; each can be moved.',
  pointLabel: (i: number): string => `Input ${i}, angle in degrees`,
  kernelTitle: 'K⁽ᴴ⁾ of the infinitely wide network',
  kernelCaption: (lambda: string, largest: string): string => `Smallest eigenvalue ${lambda}, largest ${largest}.`,
  kernelLabel: 'Heat map of the Gram matrix of the last hidden layer.',
  step2: 'Its smallest eigenvalue, layer by layer',
  text2:
    'Write $\\lambda=\\lambda_{\\min}(K^{(H)})$. It is positive as soon as no two inputs are parallel. But in a fully connected network each layer makes inputs more alike, and $\\lambda$ shrinks by a constant factor: to the limit $\\chi=c_\\sigma\\,\\mathbb{E}\\,\\sigma^{\\prime}(z)^2$ for each layer. **Skip connections stop that**: with them $\\lambda$ falls only like $1/H^2$.',
  depthTitle: 'Smallest eigenvalue over depth',
  depthCaption: (chi: string): string =>
    `For this activation χ = ${chi}. Nothing is trained here: these are Gaussian integrals. The scale is logarithmic.`,
  depthLabel: 'Smallest eigenvalue over the number of layers for both networks.',
  step3: 'The promise, held against training',
  text3:
    'A real network of width $m$ is trained on **random labels** by gradient descent with step $\\eta$. If $m$ is large enough the theorem promises\n\n$$L(\\theta_k)\\le\\Big(1-\\tfrac{\\eta\\lambda}{2}\\Big)^{k}L(\\theta_0)$$\n\nThe bound uses one layer of many, so it is slow. What matters is that the curve stays below, and that it does so already at widths the theorem does not dare to ask for.',
  width: 'Width m',
  train: 'Training, in this page',
  trainTitle: 'Loss over steps',
  trainCaption: (violations: number, parameters: string): string =>
    violations === 0
      ? `${parameters} weights. The loss is never above the bound.`
      : `${parameters} weights. The loss is above the bound at ${violations} steps: this width is too small.`,
  trainLabel: 'Loss over steps of gradient descent, the bound, and the prediction of linear dynamics; logarithmic.',
  measured: 'measured',
  bound: 'bound of the theorem',
  linear: 'linear dynamics under G(0)',
  noBound: 'λ is not above its numerical error here, so there is no bound to draw.',
  facts: {
    lambda: 'λ of K⁽ᴴ⁾',
    own: 'λ of the whole G(0)',
    moved: 'largest movement of a layer',
    relative: 'relative to its size',
    asked: 'width the theorem asks for',
    final: 'loss at the end',
  },
  order: (value: string): string => `about ${value}`,
  askedNote: 'The theorem gives orders, not constants; every hidden constant is taken as 1.',
  steps: 'step',
  step4: 'How to spoil it',
  text4:
    'All that can go wrong is that two inputs become **parallel**: then two rows of $K$ agree, $\\lambda=0$, and different labels on the same input cannot be fitted. Bring input 2 towards input 1 and watch the eigenvalue, in the figure here and in the bound above.',
  gap: 'Angle between inputs 1 and 2',
  spoilTitle: 'Smallest eigenvalue against the angle',
  spoilCaption:
    'Logarithmic on both axes; the mark is where the inputs stand now. On a line of slope 2, half the angle means a quarter of the eigenvalue.',
  spoilLabel: 'Smallest eigenvalue over the angle between the two nearest inputs.',
  angle: 'angle, degrees',
}

const zh: typeof en = {
  title: '格拉姆矩阵：宽网络为什么能达到零损失',
  lead: '只要网络足够宽，梯度下降就能在非凸损失上找到全局极小点，不管标签是什么。快慢由一个数决定：一个只看输入的矩阵的最小特征值。',
  sources: [
    'S. S. Du、J. D. Lee、H. Li、L. Wang、X. Zhai，*Gradient Descent Finds Global Minima of Deep Neural Networks*，ICML 2019：定义 5.1、6.1，定理 5.1、6.1。',
    'S. S. Du、X. Zhai、B. Póczos、A. Singh，*Gradient Descent Provably Optimizes Over-parameterized Neural Networks*，ICLR 2019。',
  ],
  step1: '一个只认识输入的矩阵',
  text1:
    '把 $n$ 个输入放在圆上。在无限宽的网络里，到最后一个隐藏层为止，两个输入的特征有多相像？答案是矩阵 $K^{(H)}$，每个输入一行。它与标签无关，也与训练无关。\n\n**拖动这些点**，或用方向键移动。',
  count: '输入数 n',
  family: '网络',
  families: { fc: '全连接', resnet: '残差' },
  depth: '隐藏层数 H',
  activation: '激活函数',
  circleTitle: '输入',
  circleCaption: (a, b, angle, opposite) =>
    opposite
      ? `最接近反向的一对：${a} 与 ${b}，离一条直线 ${angle}°。实心：标签 +1，空心：标签 −1。`
      : `最近的一对：${a} 与 ${b}，相距 ${angle}°。实心：标签 +1，空心：标签 −1。`,
  circleLabel: '单位圆上的输入，每个都可以移动。',
  pointLabel: (i) => `输入 ${i} 的角度（度）`,
  kernelTitle: '无限宽网络的 K⁽ᴴ⁾',
  kernelCaption: (lambda, largest) => `最小特征值 ${lambda}，最大特征值 ${largest}。`,
  kernelLabel: '最后一个隐藏层的格拉姆矩阵的热图。',
  step2: '它的最小特征值，逐层来看',
  text2:
    '记 $\\lambda=\\lambda_{\\min}(K^{(H)})$。只要没有两个输入平行，它就是正的。但在全连接网络里，每一层都让输入更相像，$\\lambda$ 按固定的倍数缩小，每层的极限倍数是 $\\chi=c_\\sigma\\,\\mathbb{E}\\,\\sigma^{\\prime}(z)^2$。**跳跃连接能阻止这一点**：有了它，$\\lambda$ 只像 $1/H^2$ 那样下降。',
  depthTitle: '最小特征值随深度的变化',
  depthCaption: (chi) => `对这个激活函数 χ = ${chi}。这里没有训练，只有高斯积分。纵轴是对数。`,
  depthLabel: '两种网络的最小特征值随层数的变化。',
  step3: '把承诺与训练相比',
  text3:
    '用步长 $\\eta$ 的梯度下降，在**随机标签**上训练一个宽度为 $m$ 的真实网络。只要 $m$ 足够大，定理保证\n\n$$L(\\theta_k)\\le\\Big(1-\\tfrac{\\eta\\lambda}{2}\\Big)^{k}L(\\theta_0)$$\n\n这个界只用了许多层中的一层，所以很慢。重要的是曲线总在它下面，而且在远小于定理所要求的宽度时就已如此。',
  width: '宽度 m',
  train: '在本页中训练',
  trainTitle: '损失随步数的变化',
  trainCaption: (violations, parameters) =>
    violations === 0
      ? `${parameters} 个权重。损失从未超过这个界。`
      : `${parameters} 个权重。有 ${violations} 步损失超过了界：这个宽度太小。`,
  trainLabel: '梯度下降的损失、定理的界、线性动力学的预测；对数坐标。',
  measured: '测量',
  bound: '定理的界',
  linear: 'G(0) 下的线性动力学',
  noBound: '这里 λ 不大于其数值误差，所以没有界可画。',
  facts: {
    lambda: 'K⁽ᴴ⁾ 的 λ',
    own: '整个 G(0) 的 λ',
    moved: '移动最多的一层',
    relative: '相对其大小',
    asked: '定理要求的宽度',
    final: '最后的损失',
  },
  order: (value) => `约 ${value}`,
  askedNote: '定理只给出量级而不给常数；这里把隐含的常数都取为 1。',
  steps: '步',
  step4: '怎样破坏它',
  text4:
    '唯一会出问题的是两个输入**平行**：那时 $K$ 的两行相同，$\\lambda=0$，同一输入上的不同标签无法同时拟合。把输入 2 移向输入 1，在这里的图和上面的界中看这个特征值。',
  gap: '输入 1 与 2 的夹角',
  spoilTitle: '最小特征值与夹角',
  spoilCaption: '两轴都是对数；标记是输入现在的位置。斜率为 2 时，角度减半，特征值变为四分之一。',
  spoilLabel: '最小特征值随两个最近输入的夹角的变化。',
  angle: '夹角（度）',
}

export const gramWords: LanguageTable<typeof en> = { en, zh }
