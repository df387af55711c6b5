import type { LanguageTable } from '../../words/language-table.ts'

const en = {
  title: 'Elimination: removing bad minima, or moving them to infinity',
  lead: 'Add one exponential neuron to any network and a small penalty on it. Then every local minimum of the new loss is a global minimum of the old one. Proved, short, and true. So where do the bad minima go?',
  sources: [
    'K. Kawaguchi, L. P. Kaelbling, *Elimination of All Bad Local Minima in Deep Learning*, AISTATS 2020 (arXiv 2019).',
    'S. Liang, R. Sun, J. D. Lee, R. Srikant, *Adding One Neuron Can Eliminate All Bad Local Minima*, NeurIPS 2018.',
    'J. Sohl-Dickstein, K. Kawaguchi, *Eliminating all bad Local Minima from Loss Landscapes without even adding an Extra Unit*, 2019.',
  ] as readonly string[],
  problem: 'Problem',
  problems: { sine: 'sin(θx) to five points', logistic: 'two classes that a line parts' },
  step1: 'A loss with bad minima',
  text1:
    'One parameter $\\theta$, five points on $\\sin x$, and the model $\\sin(\\theta x)$. Only $\\theta=1$ fits. Every other minimum is bad: gradient descent that gets there stays there.\n\n**Click on the curve**, or use the slider, to choose where training starts.',
  text1Logistic:
    'One parameter $\\theta$ and the model $\\theta x$, whose sign must tell two classes apart; the loss is cross-entropy. The larger $\\theta$, the lower the loss: it has **no minimum at all**.',
  start: 'Start θ',
  curveTitle: 'The loss over θ',
  curveCaption: (good: number, bad: number): string =>
    `${good + bad} local minima, judged one by one: ${good} global, ${bad} bad. The ball shows θ on its way in the enlarged problem; the line is the loss without the neuron.`,
  curveCaptionNone: 'No minimum was found: the loss falls for ever. The ball shows θ on its way.',
  curveLabel: 'The loss over θ with its minima, and the ball that follows the flow.',
  step2: 'The cure: one more neuron',
  text2:
    'Add $g(x)=a\\,e^{wx+b}$ to the output and punish its amplitude:\n\n$$\\tilde L(\\theta,a,b,w)=L(f+g)+\\lambda a^2$$\n\n**Theorem.** At every local minimum of $\\tilde L$ the neuron is silent, $a=0$, and $\\theta$ is a global minimum of $L$, better than any other function of $x$. The reason is one line: along $(a,b)\\to(a e^{-s},b+s)$ the output stays as it is and only the penalty falls. So where $a\\ne0$ there is always a way down.',
  lambda: 'Penalty λ',
  run: 'Watch the gradient flow of the enlarged loss from the start chosen above.',
  time: 'Time of the flow',
  lossTitle: 'Losses along the flow',
  lossCaption: 'L̃ is what is minimized; L is the loss of θ alone. They meet only where the neuron has gone.',
  lossLabel: 'The enlarged loss and the loss of θ alone over time, both axes logarithmic.',
  fitTitle: 'What is fitted',
  fitCaption: 'Points: data. f alone, and f + g with the neuron.',
  fitLabel: 'Data, the model, and the model with the added neuron.',
  alone: 'f alone: L(θ)',
  enlarged: 'with the neuron: L̃',
  plainFit: 'f',
  modifiedFit: 'f + g',
  step3: 'What came of it',
  text3:
    'A gradient near zero proves nothing here: when a minimum has been moved to infinity, the gradient also fades, only like $1/t$. So the end is judged by the theorem itself: a **certificate** that the neuron has gone and nothing is left to gain, or a **detector** for the flight to infinity, whose laws are known:\n\n$$\\lambda a^2t\\to\\tfrac14,\\qquad \\|\\nabla\\tilde L\\|\\,t\\to\\tfrac12$$',
  outcomes: {
    certified: 'Certified: the bad minimum is gone',
    'failure-mode': 'To infinity: the bad minimum was moved, not removed',
    vacuous: 'Vacuous: there was never a minimum to find',
    stopped: 'Neither, within the time that was given',
  },
  certifiedText: (theta: string, gradient: string): string =>
    `θ arrived at ${theta}, the neuron is silent, and no function of x does better: the largest group gradient is ${gradient}.`,
  typeA: (theta: string): string =>
    `θ stays near ${theta}. The amplitude a falls to zero while b grows without end, so that a·eᵇ stays where it is: the neuron never goes.`,
  typeB: (theta: string): string =>
    `θ stays near ${theta}. The slope w grows without end and the neuron becomes a spike on one extreme point.`,
  vacuousText:
    'Theory knows it beforehand: consistent labels have no loss-minimizing function at all, so the enlarged loss has no local minimum and the theorem, though true, promises nothing. Every descent runs to infinity.',
  stoppedText: 'The flow neither certified nor diverged. Try another start.',
  facts: {
    before: 'L at the start',
    after: 'L(θ) at the end',
    enlarged: 'L̃ at the end',
    group: 'largest group gradient',
    rms: 'size of g on the data',
    law: 'λ a² t (law: ¼)',
    gradientLaw: '‖∇L̃‖ · t (law A: ½)',
    decrease: 'a lower point was found, by',
  },
  neuronTitle: 'The neuron on its way',
  neuronCaption: 'In a flight of type A, |a| falls and b grows like ½ ln t: never stopping, ever slower.',
  neuronLabel: 'Amplitude and exponent of the neuron over time.',
  step4: 'From everywhere',
  text4:
    'The same experiment from all over the axis. From some starts the new neuron really carries $\\theta$ to the good minimum. From most it does not: it fits what $\\theta$ leaves over, and stays.\n\nBoth are consistent with the theorem. It speaks about local minima, and on the dashed branches there is none, not even at infinity.',
  startsTitle: 'Where each start ends',
  startsCaption: (good: number, all: number): string =>
    `${good} of ${all} starts are certified. Each line leads from θ at the start to θ at the end.`,
  startsLabel: 'Start and end of θ for many starts, by outcome.',
  startsRow: 'start',
  endsRow: 'end',
  startOutcomes: {
    certified: 'certified',
    A: 'to infinity, amplitude (A)',
    B: 'to infinity, spike (B)',
    other: 'undecided',
  },
  emphasis: 'b, exponent',
  amplitude: '|a|, amplitude',
  slope: '|w|, slope',
}

const zh: typeof en = {
  title: '消除：坏极小点被去掉，还是被移到无穷远',
  lead: '给任意网络加一个指数神经元，再对它加一点惩罚。那么新损失的每个局部极小点都是原损失的全局极小点。这是已证明的，证明很短，也确实成立。那么，坏极小点去了哪里？',
  sources: [
    'K. Kawaguchi、L. P. Kaelbling，*Elimination of All Bad Local Minima in Deep Learning*，AISTATS 2020（arXiv 2019）。',
    'S. Liang、R. Sun、J. D. Lee、R. Srikant，*Adding One Neuron Can Eliminate All Bad Local Minima*，NeurIPS 2018。',
    'J. Sohl-Dickstein、K. Kawaguchi，*Eliminating all bad Local Minima from Loss Landscapes without even adding an Extra Unit*，2019。',
  ],
  problem: '问题',
  problems: { sine: '用 sin(θx) 拟合五个点', logistic: '一条直线可分的两类' },
  step1: '有坏极小点的损失',
  text1:
    '一个参数 $\\theta$，$\\sin x$ 上的五个点，模型是 $\\sin(\\theta x)$。只有 $\\theta=1$ 合适，其他极小点都是坏的：梯度下降到了那里就不再走。\n\n**点一下曲线**，或用滑块，选择训练的起点。',
  text1Logistic:
    '一个参数 $\\theta$，模型是 $\\theta x$，用符号区分两类；损失是交叉熵。$\\theta$ 越大损失越低：它**根本没有极小点**。',
  start: '起点 θ',
  curveTitle: '损失随 θ 的变化',
  curveCaption: (good, bad) =>
    `${good + bad} 个局部极小点，逐个判定：${good} 个全局，${bad} 个坏的。小球是 θ 在扩大后的问题中的位置；曲线是不含新神经元的损失。`,
  curveCaptionNone: '没有找到极小点：损失一直下降。小球是 θ 的位置。',
  curveLabel: '损失随 θ 的变化、其极小点，以及沿梯度流运动的小球。',
  step2: '药方：再加一个神经元',
  text2:
    '给输出加上 $g(x)=a\\,e^{wx+b}$，并惩罚它的幅度：\n\n$$\\tilde L(\\theta,a,b,w)=L(f+g)+\\lambda a^2$$\n\n**定理。** 在 $\\tilde L$ 的每个局部极小点，新神经元沉默，$a=0$，且 $\\theta$ 是 $L$ 的全局极小点，优于 $x$ 的任何其他函数。理由只有一行：沿 $(a,b)\\to(a e^{-s},b+s)$ 输出不变，只有惩罚下降。所以只要 $a\\ne0$，总有下降的路。',
  lambda: '惩罚 λ',
  run: '看扩大后的损失从上面所选起点出发的梯度流。',
  time: '流的时间',
  lossTitle: '沿梯度流的损失',
  lossCaption: 'L̃ 是被极小化的；L 是仅由 θ 给出的损失。只有神经元消失时两者才相等。',
  lossLabel: '扩大后的损失与仅由 θ 给出的损失随时间的变化，双对数坐标。',
  fitTitle: '拟合出了什么',
  fitCaption: '点：数据。单独的 f，以及加上神经元的 f + g。',
  fitLabel: '数据、模型、加上新神经元的模型。',
  alone: '单独的 f：L(θ)',
  enlarged: '含新神经元：L̃',
  plainFit: 'f',
  modifiedFit: 'f + g',
  step3: '结果如何',
  text3:
    '在这里，梯度接近零证明不了什么：极小点被移到无穷远时，梯度同样会消失，只是像 $1/t$ 那样慢。所以终点由定理本身判定：要么有**证书**，说明神经元已消失、再无可得；要么由**检测器**发现它正奔向无穷，其规律是已知的：\n\n$$\\lambda a^2t\\to\\tfrac14,\\qquad \\|\\nabla\\tilde L\\|\\,t\\to\\tfrac12$$',
  outcomes: {
    certified: '已证明：坏极小点消失了',
    'failure-mode': '奔向无穷：坏极小点被移走，而不是被去掉',
    vacuous: '空的承诺：本来就没有极小点可找',
    stopped: '在给定的时间内两者都不是',
  },
  certifiedText: (theta, gradient) =>
    `θ 到达 ${theta}，神经元沉默，x 的任何函数都不会更好：最大的组梯度是 ${gradient}。`,
  typeA: (theta) => `θ 停在 ${theta} 附近。幅度 a 趋于零，而 b 无止境地增大，使 a·eᵇ 保持不变：神经元永远不走。`,
  typeB: (theta) => `θ 停在 ${theta} 附近。斜率 w 无止境地增大，神经元变成一个极端点上的尖刺。`,
  vacuousText:
    '理论事先就知道：标签一致时，根本没有使损失最小的函数，所以扩大后的损失没有局部极小点。定理成立，却什么也没有承诺。任何下降都奔向无穷。',
  stoppedText: '梯度流既没有得到证书，也没有发散。换一个起点试试。',
  facts: {
    before: '起点的 L',
    after: '终点的 L(θ)',
    enlarged: '终点的 L̃',
    group: '最大的组梯度',
    rms: 'g 在数据上的大小',
    law: 'λ a² t（规律：¼）',
    gradientLaw: '‖∇L̃‖ · t（A 型：½）',
    decrease: '找到了更低的点，低了',
  },
  neuronTitle: '神经元的行程',
  neuronCaption: 'A 型发散中，|a| 下降，b 像 ½ ln t 那样增大：永不停止，越来越慢。',
  neuronLabel: '神经元的幅度与指数随时间的变化。',
  step4: '从各处出发',
  text4:
    '在整条轴上做同样的实验。从一些起点，新神经元确实把 $\\theta$ 带到好的极小点。从多数起点则不然：它去拟合 $\\theta$ 剩下的部分，并留在那里。\n\n两种情形都与定理一致。定理说的是局部极小点，而在虚线的分支上没有局部极小点，连无穷远处也没有。',
  startsTitle: '每个起点的终点',
  startsCaption: (good, all) => `${all} 个起点中有 ${good} 个得到证书。每条线从 θ 的起点连到终点。`,
  startsLabel: '许多起点的 θ 及其终点，按结果区分。',
  startsRow: '起点',
  endsRow: '终点',
  startOutcomes: { certified: '得到证书', A: '奔向无穷：幅度（A 型）', B: '奔向无穷：尖刺（B 型）', other: '未定' },
  emphasis: 'b，指数',
  amplitude: '|a|，幅度',
  slope: '|w|，斜率',
}

export const eliminationWords: LanguageTable<typeof en> = { en, zh }
