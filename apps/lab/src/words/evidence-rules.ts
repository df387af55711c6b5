/** The rule behind each kind of evidence: what the number is, and where the rule comes from. TeX and references need no
 *  translation. */
export interface EvidenceRule {
  readonly tex: string
  readonly source: string
}

/** By `kind` of the evidence. */
export const evidenceRules: Readonly<Record<string, EvidenceRule>> = {
  gradient: {
    tex: String.raw`\lVert\nabla L(\theta)\rVert \;\gg\; \max_{k}\,\lVert\nabla L(\theta)-\nabla L(\theta+\delta_k)\rVert,\quad \delta_k\text{ of a few units in the last place}`,
    source: 'Higham, Accuracy and Stability of Numerical Algorithms (2002), ch. 1',
  },
  'gradient-flat': {
    tex: String.raw`r=\frac{\lVert Hp+\nabla L\rVert}{\lVert H\rVert\,\lVert p\rVert+\lVert\nabla L\rVert},\qquad p=-H^{+}\nabla L`,
    source: 'Frye et al., Critical Point-Finding Methods Reveal Gradient-Flat Regions (2021)',
  },
  polish: {
    tex: String.raw`\min_{\lVert p\rVert\le\Delta}\ \tfrac12\lVert Hp+\nabla L\rVert^2`,
    source: 'Conn, Gould, Toint, Trust-Region Methods (2000), ch. 16',
  },
  'negative-eigenvalue': {
    tex: String.raw`\lVert Hv-\lambda v\rVert=\rho,\ \lVert v\rVert=1\;\Longrightarrow\;\exists\,\lambda_i:\ |\lambda_i-\lambda|\le\rho`,
    source: 'Parlett, The Symmetric Eigenvalue Problem (1998), ch. 4',
  },
  'two-sided-decrease': {
    tex: String.raw`L(\theta\pm tv)-L(\theta)\approx\tfrac12\lambda t^2<0`,
    source: 'Taylor to second order; both sides, so that it is curvature and not residual gradient',
  },
  'full-count': {
    tex: String.raw`\operatorname{inertia}(H)=(n_-,n_0,n_+),\qquad |\lambda|\le\max(\rho,\;p\,\varepsilon\lVert H\rVert)\Rightarrow\lambda\text{ counts as }0`,
    source: 'Parlett (1998); Golub and Van Loan, Matrix Computations (2013), ch. 8',
  },
  'symmetry-orbit': {
    tex: String.raw`\dim\ker H=\dim\{\text{reparametrizations that leave the function unchanged}\}`,
    source: 'Şimşek et al., Geometry of the Loss Landscape in Overparameterized Networks (2021)',
  },
  'constant-rank': {
    tex: String.raw`\operatorname{rank}J(\theta')=r\ \text{ near }\theta,\quad H\succeq0,\ \operatorname{rank}H=r\;\Longrightarrow\;\theta\text{ is a local minimum}`,
    source: 'Constant rank theorem; Lee, Introduction to Smooth Manifolds (2013), ch. 4',
  },
  'degenerate-descent': {
    tex: String.raw`D^4[v^4]-3\,\langle D^3[v,v,\cdot],\,H^{+}D^3[v,v,\cdot]\rangle<0,\quad v\in\ker H`,
    source: 'Gromoll and Meyer, On differentiable functions with isolated critical points (1969)',
  },
  'kink-distance': {
    tex: String.raw`\min_{i,u}\ |a_u(x_i)|,\qquad a_u\text{ the preactivation of unit }u`,
    source: 'Inside a linear region the loss is smooth and the verdict is that of the smooth function',
  },
  'one-sided-descent': {
    tex: String.raw`L'(\theta;v)=\lim_{t\downarrow0}\frac{L(\theta+tv)-L(\theta)}{t}<0`,
    source: 'Clarke, Optimization and Nonsmooth Analysis (1983)',
  },
  'function-space-optimum': {
    tex: String.raw`\sum_{i:\,x_i=x}\nabla_z\,\ell(f(x),y_i)=0\ \text{ for every distinct input }x`,
    source: 'Liang et al., Understanding the Loss Surface of Neural Networks (2018)',
  },
  'convex-model': {
    tex: String.raw`L\text{ convex},\ \nabla L(\theta)=0\;\Longrightarrow\;\theta\text{ is a global minimum}`,
    source: 'Boyd and Vandenberghe, Convex Optimization (2004), ch. 4',
  },
  'lower-bound': {
    tex: String.raw`L(\theta)-L_{\inf}\le\epsilon`,
    source: 'The bound is a property of the loss function',
  },
  'near-infimum': {
    tex: String.raw`L(\theta)-\inf L\le\epsilon,\qquad\nexists\,\theta^*:\ L(\theta^*)=\inf L`,
    source: 'Soudry et al., The Implicit Bias of Gradient Descent on Separable Data (2018)',
  },
  interpolation: {
    tex: String.raw`\lambda_{\min}(JJ^\top)\ge\mu\text{ on a ball of radius }\tfrac{2\lVert r\rVert}{\sqrt\mu}\;\Longrightarrow\;\min L=0\text{ inside}`,
    source: 'Polyak (1963); Oymak and Soltanolkotabi (2019)',
  },
  'tangent-model': {
    tex: String.raw`f(\theta+\delta)\approx f(\theta)+J\delta`,
    source: 'Jacot, Gabriel, Hongler, Neural Tangent Kernel (2018)',
  },
  'gradient-noise': {
    tex: String.raw`\frac{\lVert\nabla L\rVert}{\sqrt{\operatorname{tr}\Sigma/B}},\qquad\Sigma=\operatorname{cov}_i\nabla\ell_i`,
    source: 'McCandlish et al., An Empirical Model of Large-Batch Training (2018)',
  },
  'edge-of-stability': {
    tex: String.raw`\eta\,\lambda_{\max}\ \text{ against }\ 2`,
    source: 'Cohen et al., Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability (2021)',
  },
  'attainable-decrease': {
    tex: String.raw`L(\theta)-\min_{t}L(\theta+tv)`,
    source: 'A line search on the full data along −∇L and along negative curvature',
  },
}
