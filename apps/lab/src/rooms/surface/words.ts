import type { LanguageTable } from '../../words/language-table.ts'

const en = {
  title: 'What skip connections do to the surface',
  lead: 'Two networks, alike but for one thing: in the second, each layer adds to its input instead of replacing it. Both are trained here, in this page, and the loss around the place where they end is cut open.',
  sources: [
    'H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, *Visualizing the Loss Landscape of Neural Nets*, NeurIPS 2018: filter normalization, the effect of skip connections.',
    'K. He, X. Zhang, S. Ren, J. Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016.',
  ] as readonly string[],
  step1: 'The same network, with and without skips',
  text1:
    'Layer $h$ computes one of\n\n$$x_{h}=\\sigma(W_hx_{h-1}+b_h)$$\n\n$$x_{h}=x_{h-1}+\\sigma(W_hx_{h-1}+b_h)$$\n\nThe second can do nothing by doing nothing: with small weights it passes its input on. Both learn to tell two interleaved classes apart, with the same data, the same optimizer and the same number of steps.',
  plain: 'without skips',
  skip: 'with skips',
  depth: 'Hidden layers',
  width: 'Width',
  activation: 'Activation',
  data: 'Data',
  datasets: { moons: 'two moons', circles: 'two circles', xor: 'exclusive or' },
  start: 'Start of the weights',
  starts: {
    suited: 'what suits each',
    'he-normal': 'He for both',
    'pytorch-default': 'PyTorch’s default for both',
  },
  startNote:
    'What suits each: He’s variance without skips (otherwise the signal dies), PyTorch’s smaller one with skips (otherwise it grows with every layer). Try the others: the start matters as much as the skips.',
  training: 'Training',
  trainingTitle: 'Loss while training',
  trainingCaption: (plain: string, skip: string): string =>
    `At the end: ${plain} without skips, ${skip} with skips (share of points told apart).`,
  trainingLabel: 'Training loss over steps for both networks, logarithmic.',
  steps: 'step',
  trainedEnd: (loss: string, accuracy: string): string => `${loss} (${accuracy})`,
  step2: 'Cut the loss open',
  text2:
    'The loss lives in hundreds of dimensions. Take two random directions $\\delta,\\eta$ and look at the plane\n\n$$f(\\alpha,\\beta)=L(\\theta^\\ast+\\alpha\\,\\delta+\\beta\\,\\eta)$$\n\nA comparison is only fair if steps are measured against the weights: each neuron’s part of a direction gets the length of that neuron’s weights, $\\|\\delta_i\\|=\\|\\theta_i\\|$. That is **filter normalization**. **Drag to turn**; both surfaces share the view, the heights and the colors.',
  reach: 'How far the plane reaches',
  mapTitle: (name: string): string => `The loss, ${name}`,
  mapCaption: (basins: number): string =>
    basins === 1 ? 'One basin.' : `${basins} basins that are at least 0.02 deep.`,
  reliefLabel: (name: string): string => `Loss surface ${name}; arrow keys turn it.`,
  mapLabel: (name: string, basins: number): string => `Contour map of the loss ${name}: ${basins} basins.`,
  loss: 'loss',
  trainedHere: 'where training ended',
  otherBasin: 'another basin',
  step3: 'Where does it curve down?',
  text3:
    'Bumps on a picture could be an accident of the two directions. So the Hessian of the whole network, all its dimensions, is asked at a grid of points of the plane: how strong is its most negative eigenvalue beside its largest?\n\n$$\\max(0,-\\lambda_{\\min})\\,/\\,|\\lambda_{\\max}|$$\n\nZero means convex there. Curvature seen on the plane is a mean of curvatures in all directions, so what the picture shows is really there, and there is more that it does not show.',
  curvatureTitle: (name: string): string => `Negative curvature, ${name}`,
  curvatureCaption: (share: string): string => `More than a tenth of the positive one at ${share} of the points.`,
  curvatureLabel: (name: string, share: string): string =>
    `Grid of convexity ratios ${name}: non-convex at ${share} of the points.`,
  convex: 'convex',
  strong: 'as strong as the positive',
  step4: 'And deeper?',
  text4:
    'Shallow networks differ little. Deeper ones do: without skips the plane breaks up into several basins, with skips it mostly stays one valley. One network for each depth is an anecdote: change the seed, or the start of the weights, and train again. This takes up to a minute.',
  sweep: 'Train at all depths',
  sweepAgain: 'Train again with these settings',
  sweepTitle: 'Basins on the plane over depth',
  sweepCaption: 'Same data, seed and directions at every depth; one network each, so expect scatter.',
  sweepLabel: 'Number of basins over depth with and without skips.',
  basins: 'basins',
  seedNote: 'Seed of data, weights and directions',
}

const zh: typeof en = {
  title: '跳跃连接怎样改变损失曲面',
  lead: '两个网络只差一点：第二个网络的每一层把结果加到输入上，而不是取代输入。两者都在本页训练，然后把它们停下之处周围的损失切开来看。',
  sources: [
    'H. Li、Z. Xu、G. Taylor、C. Studer、T. Goldstein，*Visualizing the Loss Landscape of Neural Nets*，NeurIPS 2018：滤波器归一化，跳跃连接的作用。',
    'K. He、X. Zhang、S. Ren、J. Sun，*Deep Residual Learning for Image Recognition*，CVPR 2016。',
  ],
  step1: '同一个网络，有跳跃与没有跳跃',
  text1:
    '第 $h$ 层计算下面之一\n\n$$x_{h}=\\sigma(W_hx_{h-1}+b_h)$$\n\n$$x_{h}=x_{h-1}+\\sigma(W_hx_{h-1}+b_h)$$\n\n后者什么都不做时，就真的什么都不改变：权重很小时，它把输入原样传下去。两者学习区分两类交错的点，数据、优化器和步数都相同。',
  plain: '没有跳跃',
  skip: '有跳跃',
  depth: '隐藏层数',
  width: '宽度',
  activation: '激活函数',
  data: '数据',
  datasets: { moons: '双月', circles: '双圆', xor: '异或' },
  start: '权重的初值',
  starts: { suited: '各取所宜', 'he-normal': '都用 He', 'pytorch-default': '都用 PyTorch 默认' },
  startNote:
    '各取所宜：没有跳跃时用 He 的方差（否则信号会消失），有跳跃时用 PyTorch 较小的方差（否则信号逐层增大）。试试别的：初值与跳跃同样重要。',
  training: '训练',
  trainingTitle: '训练中的损失',
  trainingCaption: (plain, skip) => `最后：没有跳跃 ${plain}，有跳跃 ${skip}（括号内为分对的比例）。`,
  trainingLabel: '两个网络的训练损失随步数的变化，对数坐标。',
  steps: '步',
  trainedEnd: (loss, accuracy) => `${loss}（${accuracy}）`,
  step2: '把损失切开',
  text2:
    '损失生活在几百维里。取两个随机方向 $\\delta,\\eta$，看这个平面\n\n$$f(\\alpha,\\beta)=L(\\theta^\\ast+\\alpha\\,\\delta+\\beta\\,\\eta)$$\n\n只有按权重的大小来量步长，比较才公平：方向中属于每个神经元的部分，取该神经元权重的长度，$\\|\\delta_i\\|=\\|\\theta_i\\|$。这就是**滤波器归一化**。**拖动可以旋转**；两个曲面共用视角、高度和颜色。',
  reach: '平面的范围',
  mapTitle: (name) => `损失，${name}`,
  mapCaption: (basins) => (basins === 1 ? '一个盆地。' : `${basins} 个盆地，深度至少 0.02。`),
  reliefLabel: (name) => `损失曲面，${name}；用方向键旋转。`,
  mapLabel: (name, basins) => `损失的等高线图，${name}：${basins} 个盆地。`,
  loss: '损失',
  trainedHere: '训练停下的地方',
  otherBasin: '另一个盆地',
  step3: '哪里向下弯？',
  text3:
    '图上的起伏可能只是这两个方向的偶然。所以在平面的网格点上，用整个网络在全部维度上的海森矩阵来问：最负的特征值与最大的相比有多强？\n\n$$\\max(0,-\\lambda_{\\min})\\,/\\,|\\lambda_{\\max}|$$\n\n零表示那里是凸的。平面上看到的曲率是所有方向曲率的平均，所以图上有的确实存在，而图上没有的还有更多。',
  curvatureTitle: (name) => `负曲率，${name}`,
  curvatureCaption: (share) => `在 ${share} 的点上，负曲率超过正曲率的十分之一。`,
  curvatureLabel: (name, share) => `凸性比的网格，${name}：${share} 的点不凸。`,
  convex: '凸',
  strong: '与正曲率一样强',
  step4: '更深会怎样？',
  text4:
    '浅的网络差别不大，深的就不同了：没有跳跃时，平面碎成几个盆地；有跳跃时，大多仍是一条山谷。每个深度只有一个网络，只能算一个例子：换一个种子，或换权重的初值，再训练一次。最多需要一分钟。',
  sweep: '在所有深度上训练',
  sweepAgain: '按现在的设置再训练',
  sweepTitle: '平面上的盆地数随深度的变化',
  sweepCaption: '每个深度的数据、种子和方向都相同；各只有一个网络，所以会有起伏。',
  sweepLabel: '有跳跃与没有跳跃时，盆地数随深度的变化。',
  basins: '盆地数',
  seedNote: '数据、权重和方向的随机种子',
}

export const surfaceWords: LanguageTable<typeof en> = { en, zh }
