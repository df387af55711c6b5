import { useRef } from 'react'
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react'
import { useWords } from '../../views/use-words.ts'
import { gramWords } from './words.ts'

const wrapped = (angle: number): number => Math.round((((angle % 360) + 360) % 360) * 10) / 10

/** Inputs on the unit circle, to be dragged or moved by arrow keys. */
export function CircleFigure({
  angles,
  labels,
  onChange,
}: {
  readonly angles: readonly number[]
  /** ±1; hollow where −1. */
  readonly labels: readonly number[]
  readonly onChange: (angles: readonly number[]) => void
}): ReactNode {
  const words = useWords(gramWords)
  const host = useRef<SVGSVGElement>(null)
  const set = (i: number, angle: number): void => onChange(angles.map((a, k) => (k === i ? wrapped(angle) : a)))
  const drag =
    (i: number) =>
    (event: PointerEvent<SVGGElement>): void => {
      if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId)
      const box = host.current?.getBoundingClientRect()
      if (!box || event.buttons === 0) return
      const dx = event.clientX - box.left - box.width / 2
      const dy = box.top + box.height / 2 - event.clientY
      set(i, (Math.atan2(dy, dx) * 180) / Math.PI)
    }
  const keys =
    (i: number) =>
    (event: KeyboardEvent): void => {
      const step = event.shiftKey ? 10 : 1
      const turn = { ArrowRight: step, ArrowUp: step, ArrowLeft: -step, ArrowDown: -step }[event.key]
      if (turn === undefined) return
      event.preventDefault()
      set(i, angles[i] + turn)
    }
  return (
    <svg ref={host} className="circle-figure" viewBox="-1.45 -1.45 2.9 2.9" role="group" aria-label={words.circleLabel}>
      <circle r="1" fill="none" stroke="var(--edge)" strokeWidth="0.012" />
      <path d="M-1.2 0H1.2M0 -1.2V1.2" stroke="var(--rule)" strokeWidth="0.01" />
      {angles.map((angle, i) => (
        <CirclePoint key={i} number={i + 1} angle={angle} label={labels[i]} onPointer={drag(i)} onKey={keys(i)} />
      ))}
    </svg>
  )
}

function CirclePoint({
  number,
  angle,
  label,
  onPointer,
  onKey,
}: {
  readonly number: number
  readonly angle: number
  readonly label: number
  readonly onPointer: (event: PointerEvent<SVGGElement>) => void
  readonly onKey: (event: KeyboardEvent) => void
}): ReactNode {
  const words = useWords(gramWords)
  const [x, y] = [Math.cos((angle * Math.PI) / 180), -Math.sin((angle * Math.PI) / 180)]
  const color = label < 0 ? 'var(--series-2)' : 'var(--series-1)'
  return (
    <g>
      <line x2={x} y2={y} stroke={color} strokeWidth="0.02" opacity="0.55" />
      <g
        className="circle-point"
        role="slider"
        tabIndex={0}
        aria-label={words.pointLabel(number)}
        aria-valuenow={angle}
        aria-valuemin={0}
        aria-valuemax={360}
        onPointerDown={onPointer}
        onPointerMove={onPointer}
        onKeyDown={onKey}
      >
        <circle cx={x} cy={y} r="0.17" fill="transparent" />
        <circle cx={x} cy={y} r="0.085" fill={label < 0 ? 'var(--card)' : color} stroke={color} strokeWidth="0.035" />
      </g>
      <text
        x={1.26 * x}
        y={1.26 * y}
        fontSize="0.15"
        textAnchor="middle"
        dominantBaseline="central"
        fill="var(--ink)"
        aria-hidden="true"
      >
        {number}
      </text>
    </g>
  )
}
