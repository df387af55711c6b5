import { useId, useState } from 'react'
import type { ReactNode } from 'react'
import { useWords } from '../../views/use-words.ts'
import { linearWords } from './words.ts'

/** A small matrix to be edited, cell by cell. */
export function NumberTable({
  label,
  name,
  table,
  onChange,
}: {
  readonly label: string
  readonly name: string
  readonly table: readonly (readonly number[])[]
  readonly onChange: (table: readonly (readonly number[])[]) => void
}): ReactNode {
  const words = useWords(linearWords)
  const id = useId()
  return (
    <div className="field" role="group" aria-labelledby={id}>
      <span className="field-name" id={id}>
        {label}
      </span>
      <div className="number-table" style={{ gridTemplateColumns: `repeat(${table[0].length}, minmax(0, 1fr))` }}>
        {table.flatMap((entries, i) =>
          entries.map((value, j) => (
            <Cell
              key={`${i},${j}`}
              label={words.entry(name, i + 1, j + 1)}
              value={value}
              onChange={(next) => onChange(table.map((r, k) => (k === i ? r.map((v, l) => (l === j ? next : v)) : r)))}
            />
          )),
        )}
      </div>
    </div>
  )
}

/** What is typed stands until it is a number; the number counts when the field is left or Enter is pressed. */
function Cell({
  label,
  value,
  onChange,
}: {
  readonly label: string
  readonly value: number
  readonly onChange: (value: number) => void
}): ReactNode {
  const [typed, setTyped] = useState<string>()
  const commit = (): void => {
    const next = Number(typed?.replace('−', '-').replace(',', '.'))
    if (typed !== undefined && typed.trim() !== '' && Number.isFinite(next) && Math.abs(next) <= 1000) onChange(next)
    setTyped(undefined)
  }
  return (
    <input
      aria-label={label}
      inputMode="decimal"
      value={typed ?? String(value)}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
    />
  )
}
