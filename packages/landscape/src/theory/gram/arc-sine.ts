/** asin(√z)/√z for 0 ≤ z ≤ ¼: the Chebyshev interpolant of degree 13, relative error 4e-18 before rounding, even and odd
 * powers apart so that they are summed side by side. The built-in arc functions cost three times as much, and they start
 * from a cosine, which has lost half of the digits of a small angle: θ = 2 asin √(gap/2) keeps them. */
export function arcSineRatio(z: number): number {
  const w = z * z
  const even =
    0.07499999999966611 +
    w *
      (0.030381942642327187 +
        w *
          (0.017351600625343435 + w * (0.011398850408440755 + w * (0.0037180577483250537 + w * -0.02093065831518245))))
  const odd =
    0.16666666666666796 +
    w *
      (0.04464285717686322 +
        w *
          (0.022372216106072148 +
            w *
              (0.01398088299217101 + w * (0.010778675120995992 + w * (0.02166805886905636 + w * 0.03257934796692842)))))
  return 1 + (z * odd + w * even)
}

/** (√(1 − z) − (1 − 2z) asin(√z)/√z)/z for 0 ≤ z ≤ ¼, likewise, error 6e-17: with z = sin²(θ/2) it gives
 * sin θ − θ cos θ = 2 z √z times it, without cancellation. */
export function segmentRatio(z: number): number {
  const w = z * z
  const even =
    0.04285714285710428 +
    w *
      (0.011047979589609916 +
        w *
          (0.00462726908398198 + w * (0.0024142013195524656 + w * (0.000914184462657251 + w * -0.0022726268673104273))))
  const odd =
    0.13333333333333347 +
    w *
      (0.019841269845200016 +
        w *
          (0.006883747855268182 +
            w *
              (0.0032877049214929187 +
                w * (0.001977664598566992 + w * (0.002851330799508499 + w * 0.00399899816435933)))))
  return 1.3333333333333333 + (z * odd + w * even)
}
