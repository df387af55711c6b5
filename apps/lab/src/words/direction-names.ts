/** Names of directions as the commands print them, in Chinese; others stay as they are. */
export function translatedDirection(label: string): string {
  return label
    .replace(/^top Hessian eigenvector/, 'Hessian 最大特征值的特征向量')
    .replace(/^bottom Hessian eigenvector/, 'Hessian 最小特征值的特征向量')
    .replace(/^random direction/, '随机方向')
    .replace(/^eigenvector/, '特征向量')
    .replace(/^PCA (\d+)/, '主方向 $1')
    .replace(/^gradient/, '梯度')
}
