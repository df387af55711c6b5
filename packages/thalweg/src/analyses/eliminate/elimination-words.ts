import type { Divergence, Elimination, Vacuity } from '@thalweg/landscape'
import { formatNumber } from '../../report/format-number.ts'
import type { Language } from '../../report/scene.ts'

/** The sentences of an elimination in the language asked for; the English ones are those of the laboratory. */
export interface EliminationWords {
  readonly summary: string
  readonly vacuity: string
  readonly advice: readonly string[]
  readonly divergence: string
}

export function eliminationWords(result: Elimination, lang: Language): EliminationWords {
  const { summary, vacuity, divergence } = result
  if (lang === 'en')
    return { summary, vacuity: vacuity.statement, advice: vacuity.advice, divergence: divergence.statement }
  const said = vacuityZh(vacuity)
  const running = divergenceZh(divergence, result)
  return {
    summary: summaryZh(result, said.statement, running),
    vacuity: said.statement,
    advice: said.advice,
    divergence: running,
  }
}

function vacuityZh({ reason, optimum }: Vacuity): { statement: string; advice: readonly string[] } {
  const value = optimum.value === null ? '未知' : formatNumber(optimum.value)
  switch (reason) {
    case 'not-differentiable':
      return {
        statement: '该损失对输出不可微：定理不适用。',
        advice: ['请改用 huber、squared，或 --power 2 以上的 hinge。'],
      }
    case 'unbounded':
      return {
        statement: '自由输出下的负对数似然没有下界：定理不适用。',
        advice: ['请让损失读取 LogSoftmax 之前的分数，并使用交叉熵。'],
      }
    case 'infimum-not-attained':
      return {
        statement: `任何函数都达不到该损失的下确界 ${value}：修改后的损失没有局部极小值，任何下降都会跑向无穷远。`,
        advice: [
          '可改用有极小点的损失：--loss hinge --power 3、squared，或带 --label-smoothing 的交叉熵。',
          '此时损失值本身就是证书：thalweg diagnose 会给出“接近下确界”及其差距。',
        ],
      }
    case 'weight-decay':
      return {
        statement: '有权重衰减时，修改后损失的局部极小值要求 θ = 0 处输出已最优：一般不存在。',
        advice: ['请先不加权重衰减运行，再从找到的点加回。'],
      }
    case 'cannot-interpolate':
      return {
        statement: `模型无法表示这些数据(所有函数中的最优值为 ${value})：修改后的损失没有局部极小值。`,
        advice: ['请使用更宽的网络，或非线性网络。'],
      }
    case 'fewer-parameters':
      return {
        statement:
          '参数少于输出值的个数：对几乎所有目标，没有 θ 能达到所有函数的最优值，此时修改后的损失没有局部极小值。',
        advice: ['请使用更宽的网络：消除法只能证明插值。'],
      }
    case null:
      return { statement: '修改后损失的局部极小值恰为 a = 0 且模型在所有函数中最优的点。', advice: [] }
  }
}

function divergenceZh(
  { type, fakeConvergence, maxExponent }: Divergence,
  { modifiedLoss, lossAfter }: Elimination,
): string {
  const where = `附加神经元把修改后的损失压到 ${formatNumber(modifiedLoss)}，而 θ 本身的损失为 ${formatNumber(lossAfter)}`
  if (fakeConvergence) return `${where}；梯度仍大但步子不再移动：沿 a 的曲率已达 2/步长。这不是收敛，请用自适应步长。`
  if (type === 'A')
    return `${where}：‖a‖ 减小而 b 无限增大(最大指数 ${maxExponent.toFixed(1)})。θ 的坏极小值被移到了无穷远，并未消除。`
  if (type === 'B') return `${where}：‖w‖ 无限增大，响应集中于一个极端输入。θ 的坏极小值被移到了无穷远，并未消除。`
  return '附加神经元没有跑向无穷远。'
}

function summaryZh({ outcome, certificate, method }: Elimination, vacuity: string, divergence: string): string {
  switch (outcome) {
    case 'certified':
      return `附加神经元已消失，${certificate?.groups ?? 0} 个组梯度都不超过 ${certificate?.groupGradientMax.toExponential(1)}：输入的任何函数都没有更低的损失。`
    case 'failure-mode':
      return divergence
    case 'vacuous':
      return method === null ? vacuity : `${vacuity}${divergence}`
    case 'stopped':
      return certificate
        ? `既未得到证书也未发散：最大的组梯度为 ${certificate.groupGradientMax.toExponential(1)}，修改后损失的梯度为 ${certificate.gradientNorm.toExponential(1)}。`
        : vacuity
  }
}
