import type { MessageId } from './message-id.ts'

/** A sentence with its numbers left open: `{name}` is a number in short form or a text, `{name:loss}` a number with the
 * digits in which losses differ, `{name:verdict}` the name of a verdict. */
export interface Template {
  readonly en: string
  readonly zh: string
}

export const sentences: Readonly<Record<MessageId, Template>> = {
  'summary.not-critical': {
    en: 'Not a critical point: the gradient norm is {gradientNorm}, far above its rounding floor {floor}; a line search along the negative gradient still gains {decrease}.',
    zh: '非临界点：梯度范数为 {gradientNorm}，远高于舍入噪声 {floor}；沿负梯度方向线搜索仍可使损失下降 {decrease}。',
  },
  'summary.not-critical-polished': {
    en: "Not a critical point: the gradient norm is {gradientNorm} (rounding floor {floor}); the critical point that Newton's method reaches lies {distance} away at loss {polishedLoss:loss}: {polishedVerdict:verdict}.",
    zh: '非临界点：梯度范数为 {gradientNorm}（舍入噪声 {floor}）；牛顿法到达的临界点距此 {distance}，损失为 {polishedLoss:loss}：{polishedVerdict:verdict}。',
  },
  'summary.gradient-flat': {
    en: 'Not a critical point but gradient-flat: the gradient norm is {gradientNorm} and the gradient lies almost in the kernel of the Hessian (r = {flatness}), where Newton-type methods stall.',
    zh: '非临界点，而是梯度平坦点：梯度范数为 {gradientNorm}，且梯度几乎落在 Hessian 的核中（r = {flatness}），牛顿类方法会在此停滞。',
  },
  'summary.not-critical-kink': {
    en: 'Not a critical point: θ lies on a kink ({onKink} activations), and the loss falls in one direction with slope {slope}.',
    zh: '非临界点：θ 位于不可微处（{onKink} 个激活值），且损失沿某一方向以斜率 {slope} 下降。',
  },
  'summary.strict-saddle': {
    en: 'Strict saddle: gradient norm {gradientNorm}; the Hessian has an eigenvalue within {residual} of {eigenvalue}; moving {distance} either way along its direction lowers the loss {lossBefore:loss} by at least {decrease}.',
    zh: '严格鞍点：梯度范数 {gradientNorm}；Hessian 在 {eigenvalue} 的 {residual} 范围内有一个特征值；沿其方向向任一侧移动 {distance}，损失都从 {lossBefore:loss} 至少下降 {decrease}。',
  },
  'summary.non-strict-saddle': {
    en: 'Non-strict saddle: no eigenvalue of the Hessian is negative, yet along a curve that starts in its kernel the loss falls like t^{order} (by {decrease} at t = {t}).',
    zh: '非严格鞍点：Hessian 没有负特征值，但沿一条始于其核的曲线，损失按 t^{order} 下降（在 t = {t} 处下降 {decrease}）。',
  },
  'summary.non-strict-saddle-uncounted': {
    en: 'Saddle, and non-strict as far as was seen: along a curve that starts in the kernel of the Hessian the loss falls like t^{order} (by {decrease} at t = {t}); no negative eigenvalue was found (the lowest is {eigenvalue}, residual {residual}), but not all {size} were counted.',
    zh: '鞍点，就所见而言为非严格鞍点：沿一条始于 Hessian 核的曲线，损失按 t^{order} 下降（在 t = {t} 处下降 {decrease}）；未发现负特征值（最小为 {eigenvalue}，残差 {residual}），但 {size} 个特征值并未全部计数。',
  },
  'summary.local-minimum': {
    en: 'Local minimum, proved by a full count of all eigenvalues: positive {positive} (the smallest {smallest}), negative 0, zero {zero}, all of them along directions in which the loss is constant; loss {loss:loss}. Whether it is global is not known.',
    zh: '局部极小点，由完整计数证明：{positive} 个正特征值（最小为 {smallest}），没有负特征值，{zero} 个零特征值全部对应损失不变的方向；损失 {loss:loss}。是否为全局极小尚不可知。',
  },
  'summary.local-minimum-definite': {
    en: 'Local minimum, proved by a full count: every eigenvalue of the Hessian is positive ({positive} in all, the smallest {smallest}); loss {loss:loss}. Whether it is global is not known.',
    zh: '局部极小点，由完整计数证明：Hessian 的全部 {positive} 个特征值均为正，最小为 {smallest}；损失 {loss:loss}。是否为全局极小尚不可知。',
  },
  'summary.local-minimum-flat': {
    en: 'Local minimum in the weak sense only: around θ the outputs do not move at all, all {zero} eigenvalues are zero and the loss is constant at {loss:loss}.',
    zh: '仅在弱意义下的局部极小点：θ 附近输出完全不变，全部 {zero} 个特征值为零，损失恒为 {loss:loss}。',
  },
  'summary.local-minimum-suboptimal': {
    en: 'Suboptimal local minimum: {positive} positive eigenvalues, none negative, {zero} zeros along directions of constant loss; its loss {loss:loss} is above {better:loss} ({source}).',
    zh: '次优局部极小点：{positive} 个正特征值，没有负特征值，{zero} 个零特征值对应损失不变的方向；其损失 {loss:loss} 高于 {better:loss}（{source}）。',
  },
  'summary.global-minimum-function-space': {
    en: 'Global minimum: at every distinct input the summed gradient of the outputs (on a kink of the loss, a subgradient) is zero to rounding, so its loss {loss:loss} is the best that any function of the input has, to rounding.',
    zh: '全局极小点：在每个不同的输入上，输出梯度（在损失的不可微处为次梯度）之和在舍入误差内为零，因此在舍入误差内，损失 {loss:loss} 是输入的任何函数所能达到的最小值。',
  },
  'summary.global-minimum-convex': {
    en: 'Global minimum: the model is linear in its parameters and the loss convex, so a zero gradient (or subgradient) proves that no parameters have a lower loss than {loss:loss}.',
    zh: '全局极小点：模型关于参数是线性的，损失是凸的，因此梯度（或次梯度）为零即证明没有任何参数能使损失低于 {loss:loss}。',
  },
  'summary.global-minimum-known': {
    en: 'Global minimum: the loss {loss:loss} equals the smallest value there is ({source}).',
    zh: '全局极小点：损失 {loss:loss} 等于可能的最小值（{source}）。',
  },
  'summary.near-infimum': {
    en: 'Near the infimum: cross-entropy on consistent labels has the infimum 0, which no finite parameters attain, and the loss is within {gap} of it.',
    zh: '接近下确界：标签一致时交叉熵的下确界为 0，任何有限参数都达不到，而损失与其差距不超过 {gap}。',
  },
  'summary.near-infimum-entropy': {
    en: 'Near the infimum: the labels at equal inputs have the entropy {infimum:loss}, below which no cross-entropy goes and which only infinite scores attain, and the loss {loss:loss} is within {gap} of it.',
    zh: '接近下确界：相同输入上标签的熵为 {infimum:loss}，任何交叉熵都不低于它，且只有无穷大的得分才能达到；损失 {loss:loss} 与其差距不超过 {gap}。',
  },
  'summary.undecided-saddle': {
    en: 'Undecided: a critical point with an eigenvalue near {eigenvalue} (residual {residual}), but the decrease it promises could not be measured above the rounding {noise} of the loss.',
    zh: '无法判定：该临界点在 {eigenvalue} 附近有特征值（残差 {residual}），但其预示的下降未能在损失的舍入误差 {noise} 之上测得。',
  },
  'summary.undecided-uncounted': {
    en: 'Undecided: a critical point without negative curvature found (lowest eigenvalue found {eigenvalue}, residual {residual}); only a count of all {size} eigenvalues could prove a minimum.',
    zh: '无法判定：在该临界点未发现负曲率（找到的最小特征值 {eigenvalue}，残差 {residual}）；只有计数全部 {size} 个特征值才能证明极小点。',
  },
  'summary.undecided-degenerate': {
    en: 'Undecided: a degenerate critical point; no eigenvalue is negative, {unexplained} of {zero} zeros are not explained by symmetry, and no descent was found in {directions} searches of the kernel.',
    zh: '无法判定：退化临界点；没有负特征值，{zero} 个零特征值中有 {unexplained} 个无法由对称性解释，在核中进行 {directions} 次搜索也未找到下降方向。',
  },
  'summary.undecided-saturated': {
    en: 'Undecided: a plateau; {saturated} of {elements} activations ({operator}) are saturated, so gradient and curvature along {unexplained} of {zero} zero eigenvalues vanish by rounding and not because the point is critical.',
    zh: '无法判定：平台区；{elements} 个激活值（{operator}）中有 {saturated} 个已饱和，因此 {zero} 个零特征值中的 {unexplained} 个方向上梯度与曲率因舍入而消失，并不说明该点是临界点。',
  },
  'summary.undecided-threshold': {
    en: 'Undecided: {zero} eigenvalues count as zero but symmetry explains {orbit} directions of constant loss; the zero threshold is too tight for the accuracy of the Hessian.',
    zh: '无法判定：{zero} 个特征值计为零，而对称性给出 {orbit} 个损失不变的方向；零阈值相对 Hessian 的精度过严。',
  },
  'summary.undecided-kink': {
    en: 'Undecided: θ lies on a kink of the loss ({onKink} activations), where second derivatives say nothing, and no one-sided descent was found.',
    zh: '无法判定：θ 位于损失的不可微处（{onKink} 个激活值），二阶导数在此无意义，也未找到单侧下降方向。',
  },

  'summary.undecided-kink-falling': {
    en: 'Undecided what kind of point, but no minimum: θ lies on a kink of the loss ({onKink} activations), nothing falls to first order, and along a ray the loss falls like t^{order} (by {decrease} at t = {t}).',
    zh: '无法判定是何种点，但不是极小点：θ 位于损失的不可微处（{onKink} 个激活值），没有一阶下降，但沿某条射线损失按 t^{order} 下降（在 t = {t} 处下降 {decrease}）。',
  },
  'summary.undecided-convex': {
    en: 'Undecided between a minimum and an infimum that is not attained: the objective is convex, so this is no saddle; its gradient norm is {gradientNorm}, but {zero} directions have gone flat, as where probabilities run into 0 or 1. A point at distance R gains at most R times that norm on the loss {loss:loss}.',
    zh: '无法区分极小点与不可达的下确界：目标是凸的，因此不是鞍点；梯度范数为 {gradientNorm}，但有 {zero} 个方向已变平坦，如概率趋于 0 或 1 时那样。距离为 R 的点相对损失 {loss:loss} 的改进至多为 R 乘以该范数。',
  },

  'evidence.gradient': {
    en: 'The gradient norm is {gradientNorm}; rounding alone can produce {floor}.',
    zh: '梯度范数为 {gradientNorm}；仅舍入就可产生 {floor}。',
  },
  'evidence.gradient-flat': {
    en: 'r = {flatness}: the gradient lies almost in the kernel of the Hessian.',
    zh: 'r = {flatness}：梯度几乎落在 Hessian 的核中。',
  },
  'evidence.not-gradient-flat': {
    en: "r = {flatness}: not gradient-flat; Newton's equation can be solved here.",
    zh: 'r = {flatness}：并非梯度平坦点；此处牛顿方程可解。',
  },
  'evidence.polish': {
    en: "Newton's method moves θ by {distance} to a gradient norm of {gradientNorm} at loss {loss:loss}.",
    zh: '牛顿法将 θ 移动 {distance}，梯度范数降至 {gradientNorm}，损失为 {loss:loss}。',
  },
  'evidence.polish-failed': {
    en: "Newton's method reached no critical point: after {distance} the gradient norm is still {gradientNorm}, at loss {loss:loss}.",
    zh: '牛顿法未到达临界点：移动 {distance} 后梯度范数仍为 {gradientNorm}，损失为 {loss:loss}。',
  },
  'evidence.negative-eigenvalue': {
    en: 'The Hessian has an eigenvalue within {residual} of {eigenvalue}.',
    zh: 'Hessian 在 {eigenvalue} 的 {residual} 范围内有一个特征值。',
  },
  'evidence.two-sided-decrease': {
    en: 'At θ ± {distance} v the loss is {lossPlus:loss} and {lossMinus:loss}, below {lossBefore:loss}: lower by {ratioPlus} and {ratioMinus} times ½|λ|t² = {foretold}, which curvature foretells.',
    zh: '在 θ ± {distance} v 处损失为 {lossPlus:loss} 和 {lossMinus:loss}，低于 {lossBefore:loss}；降幅分别为曲率预测值 ½|λ|t² = {foretold} 的 {ratioPlus} 倍和 {ratioMinus} 倍。',
  },
  'evidence.full-count': {
    en: 'All eigenvalues counted: {negative} negative, {zero} zero, {positive} positive (zeros at a tenth of and ten times the threshold: {zeroIfTighter}, {zeroIfWider}).',
    zh: '全部特征值已计数：负 {negative} 个，零 {zero} 个，正 {positive} 个（阈值取十分之一和十倍时零的个数：{zeroIfTighter}、{zeroIfWider}）。',
  },
  'evidence.symmetry-orbit': {
    en: 'Symmetries keep the loss constant in {dimension} directions ({kinds}); the kernel of the Hessian has {zero}.',
    zh: '对称性使损失在 {dimension} 个方向上保持不变（{kinds}）；Hessian 的核为 {zero} 维。',
  },
  'evidence.constant-rank': {
    en: 'The Jacobian of the outputs has rank {rank} at θ and at {points} random points around it (entries moved by about {radius}/√fan-in): the outputs depend on {rank} coordinates only, and the other {zero} directions keep the loss constant. Up to rounding ({dropped}).',
    zh: '输出的雅可比矩阵在 θ 以及其周围的 {points} 个随机点（各分量移动约 {radius}/√fan-in）处秩均为 {rank}：输出只依赖 {rank} 个坐标，其余 {zero} 个方向上损失保持不变。精度至舍入（{dropped}）。',
  },
  'evidence.constant-rank-units': {
    en: 'The Jacobian of the outputs has rank {rank} at θ and at {points} random points around it (entries moved by about {radius}/√fan-in): the outputs depend on {rank} coordinates only, and the other {zero} directions keep the loss constant. Up to rounding ({dropped}). Units that are off for every sample: {off}, on for every sample: {on}.',
    zh: '输出的雅可比矩阵在 θ 以及其周围的 {points} 个随机点（各分量移动约 {radius}/√fan-in）处秩均为 {rank}：输出只依赖 {rank} 个坐标，其余 {zero} 个方向上损失保持不变。精度至舍入（{dropped}）。对所有样本关闭的单元：{off} 个，对所有样本开启的单元：{on} 个。',
  },
  'evidence.degenerate-descent': {
    en: 'Along a curve over the kernel the loss falls like t^{order}: by {decrease} at t = {t}; D³[v,v,v] = {cubic}, reduced fourth order form {quartic}.',
    zh: '沿核上的曲线，损失按 t^{order} 下降：t = {t} 处下降 {decrease}；D³[v,v,v] = {cubic}，约化四阶型 {quartic}。',
  },
  'evidence.kink-distance': {
    en: 'The nearest kink lies {distance} away in activation space; the verdict is about the smooth piece around θ.',
    zh: '最近的不可微处在激活空间中距此 {distance}；结论针对 θ 所在的光滑片。',
  },
  'evidence.on-kink': {
    en: '{onKink} activations lie exactly on a kink.',
    zh: '{onKink} 个激活值恰好位于不可微处。',
  },
  'evidence.one-sided-descent': {
    en: 'In one direction the loss falls linearly, with slope {slope}.',
    zh: '沿某一方向损失线性下降，斜率为 {slope}。',
  },
  'evidence.falling-ray': {
    en: 'Along a ray the loss falls like t^{order}: by {decrease} at t = {t}; {onKink} activations lie on a kink there.',
    zh: '沿一条射线损失按 t^{order} 下降：t = {t} 处下降 {decrease}；该处有 {onKink} 个激活值位于不可微处。',
  },
  'evidence.subgradient': {
    en: 'The objective is convex in the parameters; {onKink} outputs lie on the kink of the loss, and its shortest subgradient has the norm {subgradient}.',
    zh: '目标关于参数是凸的；{onKink} 个输出位于损失的不可微处，最短次梯度的范数为 {subgradient}。',
  },
  'evidence.function-space': {
    en: 'At all {groups} distinct inputs the summed output gradient is at most {groupGradientMax}; the best value of any function is {optimum:loss}.',
    zh: '在全部 {groups} 个不同输入上，输出梯度之和不超过 {groupGradientMax}；任何函数的最优值为 {optimum:loss}。',
  },
  'evidence.convex': {
    en: 'The objective is convex in the parameters and its gradient norm is {gradientNorm}.',
    zh: '目标关于参数是凸的，其梯度范数为 {gradientNorm}。',
  },
  'evidence.known-optimum': {
    en: 'The smallest value there is equals {optimum:loss} ({source}).',
    zh: '可能的最小值为 {optimum:loss}（{source}）。',
  },
  'evidence.near-infimum': {
    en: 'Cross-entropy is positive at all finite parameters; smallest margin {margin}.',
    zh: '在任何有限参数处交叉熵均为正；最小间隔为 {margin}。',
  },
  'evidence.near-infimum-doubled': {
    en: 'All samples are classified right (smallest margin {margin}); doubling the last layer lowers the loss to {doubled}, and so on towards 0.',
    zh: '所有样本分类正确（最小间隔 {margin}）；将最后一层加倍使损失降至 {doubled}，依此趋于 0。',
  },
  'evidence.near-infimum-entropy': {
    en: 'At some inputs one class never occurs, so that its score wants to be infinitely low: the best value {infimum:loss} of any function of the input is not attained, and at most {gap} is left to gain.',
    zh: '在某些输入上有类别从不出现，其得分趋于负无穷：输入的任何函数的最优值 {infimum:loss} 无法达到，至多还可下降 {gap}。',
  },
  'evidence.interpolation-proved': {
    en: 'A minimum of zero loss lies within {radius} of θ: on that ball λ_min(J Jᵀ) ≥ {mu} ({lambdaMin} at θ) and {radius} ≥ 2‖r‖/√μ, with ‖r‖ = {residual} and the Jacobian Lipschitz with constant {lipschitz}. Assumed: fully connected, σ′ bounded and Lipschitz, no regularizer.',
    zh: '在 θ 的 {radius} 范围内有零损失的极小点：在该球上 λ_min(J Jᵀ) ≥ {mu}（在 θ 处为 {lambdaMin}），且 {radius} ≥ 2‖r‖/√μ，其中 ‖r‖ = {residual}，雅可比矩阵的 Lipschitz 常数为 {lipschitz}。假设：全连接网络，σ′ 有界且 Lipschitz，无正则项。',
  },
  'evidence.interpolation-no-ball': {
    en: 'At θ itself λ_min(J Jᵀ) = {lambdaMin} > 0, so a stationary point like this would have zero loss; a zero-loss minimum nearby is not proved: the bound on how fast the Jacobian may turn allows a residual norm of {residualMax}, and it is {residual}.',
    zh: '在 θ 处 λ_min(J Jᵀ) = {lambdaMin} > 0，故满足此条件的驻点损失为零；但附近存在零损失极小点未获证明：雅可比矩阵变化速度的界只允许残差范数 {residualMax}，而实际为 {residual}。',
  },
  'evidence.interpolation-no-bound': {
    en: 'At θ itself λ_min(J Jᵀ) = {lambdaMin} > 0, so a stationary point like this would have zero loss; whether one lies nearby is not known: no Lipschitz bound of the Jacobian is known for this network (residual norm {residual}).',
    zh: '在 θ 处 λ_min(J Jᵀ) = {lambdaMin} > 0，故满足此条件的驻点损失为零；附近是否存在未知：此网络的雅可比矩阵没有已知的 Lipschitz 界（残差范数 {residual}）。',
  },
  'evidence.tangent-model': {
    en: 'As good as the best linear model in its own tangent features ∂f/∂θ: that model has the loss {value:loss}, which differs by {gap}. Every stationary point must be.',
    zh: '与以自身切特征 ∂f/∂θ 为特征的最优线性模型一样好：该模型的损失为 {value:loss}，相差 {gap}。任何驻点都必须如此。',
  },
  'evidence.tangent-model-gap': {
    en: 'The gradient is zero to rounding, yet the best linear model in the tangent features ∂f/∂θ has the loss {value:loss}, lower by {gap}: along some directions the loss is too flat for the gradient to show what is left.',
    zh: '梯度在舍入误差内为零，但以切特征 ∂f/∂θ 为特征的最优线性模型损失为 {value:loss}，低 {gap}：某些方向过于平坦，梯度显示不出剩余的下降。',
  },
  'evidence.gradient-noise': {
    en: 'The full gradient is {ratio} times the noise {noise} of a mini-batch of {batch}.',
    zh: '全数据梯度是批大小为 {batch} 的小批量噪声 {noise} 的 {ratio} 倍。',
  },
  'evidence.edge-of-stability': {
    en: 'Top eigenvalue times learning rate is {product}; gradient descent is stable below {limit}.',
    zh: '最大特征值乘以学习率为 {product}；梯度下降在低于 {limit} 时稳定。',
  },
  'evidence.attainable-gradient': {
    en: 'A step of {step} along the negative gradient lowers the loss from {before:loss} to {after:loss}.',
    zh: '沿负梯度移动 {step}，损失从 {before:loss} 降至 {after:loss}。',
  },
  'evidence.attainable-curvature': {
    en: 'A step of {step} along negative curvature lowers the loss from {before:loss} to {after:loss}.',
    zh: '沿负曲率方向移动 {step}，损失从 {before:loss} 降至 {after:loss}。',
  },

  'advice.larger-batch': {
    en: 'The mini-batch noise hides the gradient (signal to noise {ratio} at batch size {batch}): use larger batches or average the parameters.',
    zh: '小批量噪声淹没了梯度（批大小 {batch} 时信噪比为 {ratio}）：请增大批量或对参数取平均。',
  },
  'advice.smaller-steps': {
    en: 'The learning rate {learningRate} is unstable along the sharpest direction: go below {stable}.',
    zh: '学习率 {learningRate} 在最陡方向上不稳定：请降至 {stable} 以下。',
  },
  'advice.larger-steps': {
    en: 'The learning rate {learningRate} is far below the stable limit {stable}: steps can be larger.',
    zh: '学习率 {learningRate} 远低于稳定上限 {stable}：可以使用更大的步长。',
  },
  'advice.descend': {
    en: 'Plain descent still works: one step of length {step} along the negative gradient reaches {after:loss}; train on, or use a second-order method such as L-BFGS.',
    zh: '普通下降仍然有效：沿负梯度走长度 {step} 的一步即可达到 {after:loss}；请继续训练，或改用 L-BFGS 等二阶方法。',
  },
  'advice.no-descent': {
    en: 'The line search along the negative gradient gains nothing above rounding: the loss is too rough or too flat here for first-order steps.',
    zh: '沿负梯度的线搜索没有高于舍入误差的收益：此处损失过于粗糙或过于平坦，一阶步长无效。',
  },
  'advice.interpolation': {
    en: 'Train on with small steps: gradient descent cannot leave the ball of radius {radius} and reaches zero loss inside it.',
    zh: '以小步长继续训练：梯度下降不会离开半径 {radius} 的球，并在其中达到零损失。',
  },
  'advice.negative-curvature': {
    en: 'Negative curvature ({eigenvalue}) promises more than the gradient: move {step} along its direction, or use saddle-free Newton.',
    zh: '负曲率（{eigenvalue}）比梯度更有希望：沿其方向移动 {step}，或使用无鞍牛顿法。',
  },
  'advice.polished': {
    en: 'The nearest critical point found lies {distance} away ({polishedVerdict:verdict}); start from it to study it, or continue training.',
    zh: '找到的最近临界点距此 {distance}（{polishedVerdict:verdict}）；可从该点出发研究它，或继续训练。',
  },
  'advice.polish-offer': {
    en: 'A Newton-type polish to the critical point nearby was not run; ask for it to learn of what kind that point is.',
    zh: '尚未运行到附近临界点的牛顿精修；如需了解该点的类型，请启用它。',
  },
  'advice.escape': {
    en: 'Leave the saddle: the step of {distance} that was tried lowers the loss from {before:loss} to {after:loss} (by {gain}); train on from there.',
    zh: '离开鞍点：已试的长度 {distance} 的一步使损失从 {before:loss} 降至 {after:loss}（下降 {gain}）；请从那里继续训练。',
  },
  'advice.local-minimum': {
    en: 'No small step helps. Other starts, more width, or added neurons that eliminate bad minima can show whether a better minimum exists.',
    zh: '任何小步都无济于事。可尝试其他初始点、增加宽度，或添加可消除坏极小的神经元，以确定是否存在更优的极小点。',
  },
  'advice.dead-units': {
    en: 'Hidden units that are off on every sample: {dead}. No gradient reaches them and they do nothing; draw their incoming weights anew, or use leaky units.',
    zh: '在所有样本上关闭的隐藏单元数：{dead}。梯度无法到达它们，它们不起作用；请重新抽取其输入权重，或使用带泄漏的单元。',
  },
  'advice.suboptimal': {
    en: 'A loss of {better:loss} is known to be reachable ({source}): start elsewhere, widen the network, or add neurons that eliminate bad minima.',
    zh: '已知可达到损失 {better:loss}（{source}）：请更换初始点、加宽网络，或添加可消除坏极小的神经元。',
  },
  'advice.global': {
    en: 'Training is finished on these data; a lower loss needs other data or another objective.',
    zh: '在这些数据上训练已经完成；若要更低的损失，需要其他数据或其他目标。',
  },
  'advice.global-convex': {
    en: 'Training is finished for this model; a lower loss needs a richer model.',
    zh: '该模型的训练已经完成；若要更低的损失，需要更强的模型。',
  },
  'advice.near-infimum': {
    en: 'Nothing is left to fit: stop here, or add weight decay or label smoothing so that a minimum exists.',
    zh: '已无可拟合之处：可在此停止，或加入权重衰减或标签平滑以使极小点存在。',
  },
  'advice.dense-count': {
    en: 'Count all eigenvalues: {products} Hessian-vector products and about {gigabytes} GB.',
    zh: '计数全部特征值：需要 {products} 次 Hessian 向量积和约 {gigabytes} GB 内存。',
  },
  'advice.threshold': {
    en: 'Polish further, or raise the zero threshold, and look again.',
    zh: '请进一步精修或提高零阈值后重试。',
  },
  'advice.unmeasured-saddle': {
    en: 'Try the direction by hand with large steps, or train on with noise (perturbed gradient descent) and look whether the loss falls.',
    zh: '可沿该方向手动尝试较大的步长，或加噪声继续训练（扰动梯度下降），观察损失是否下降。',
  },
  'advice.degenerate': {
    en: 'Train on with noise (perturbed gradient descent): from a degenerate saddle it escapes slowly, from a minimum never.',
    zh: '请加噪声继续训练（扰动梯度下降）：从退化鞍点会缓慢逃离，从极小点则不会。',
  },
  'advice.saturated': {
    en: 'Saturated units hardly learn: scale the inputs, draw the incoming weights of these units anew and smaller, or use units that do not saturate; then train on.',
    zh: '饱和单元几乎无法学习：请缩放输入，以更小的幅度重新抽取这些单元的输入权重，或改用不饱和的单元；然后继续训练。',
  },
  'advice.leave-kink': {
    en: 'Train on with small steps: the loss still falls with slope {slope}.',
    zh: '请以小步长继续训练：损失仍以斜率 {slope} 下降。',
  },
  'advice.kink': {
    en: 'Perturb θ slightly to leave the kink, train on, and look again.',
    zh: '请轻微扰动 θ 以离开不可微处，继续训练后再诊断。',
  },

  'warning.weight-decay': {
    en: 'The gradient is almost parallel to θ (cosine {alignment}): was the model trained with weight decay near {weightDecay}? Then pass it.',
    zh: '梯度几乎与 θ 平行（余弦 {alignment}）：训练时是否使用了约 {weightDecay} 的权重衰减？若是，请指定。',
  },
  'warning.held-out': {
    en: 'Are these held-out data? Along the {directions} directions in which the samples disagree most the gradient is what an independent sample of a population at its minimum gives (χ² = {statistic} with {directions} degrees of freedom, inside its range of 98 %); on training data these directions are fitted first. If so, diagnose on the training data.',
    zh: '这些是否为留出数据？在样本分歧最大的 {directions} 个方向上，梯度与处于总体极小点的独立样本一致（χ² = {statistic}，自由度 {directions}，在 98 % 区间内）；而训练数据上这些方向最先拟合。若是留出数据，请在训练数据上诊断。',
  },
  'warning.inference-layers': {
    en: '{note} In training these layers compute another objective, so the point where training stopped need not be critical here.',
    zh: '{note} 这些层在训练时计算的是另一个目标，因此训练停止之处在此未必是临界点。',
  },
  'warning.float32': {
    en: 'The parameters are rounded to float32: part of the gradient is that rounding. The polish removes it.',
    zh: '参数已舍入为 float32：梯度的一部分来自该舍入。精修可将其消除。',
  },
  'warning.regularizer': {
    en: 'The objective includes weight decay {weightDecay}: certificates about the data alone do not apply.',
    zh: '目标包含权重衰减 {weightDecay}：仅针对数据的证书不适用。',
  },
}
