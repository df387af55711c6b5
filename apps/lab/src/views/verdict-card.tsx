import type { ReactNode } from 'react'
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from 'react-aria-components'
import type { DiagnosisDocument, Evidence } from 'thalweg/protocol'
import { formatNumber, formatPercent } from '../scenes/format-number.ts'
import type { Findings } from '../state/findings.ts'
import { evidenceRules } from '../words/evidence-rules.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Formula } from './formula.tsx'
import { useWords } from './use-words.ts'
import { VerdictGlyph, verdictTones } from './verdict-glyph.tsx'

export interface VerdictCardProps {
  readonly findings: Findings
  readonly diagnosis: DiagnosisDocument
}

/** The verdict, its key numbers and its evidence. */
export function VerdictCard({ findings, diagnosis }: VerdictCardProps): ReactNode {
  const words = useWords(verdictWords)
  const { verdict, summary, evidence, advice } = diagnosis
  const warnings = diagnosis.warnings ?? []
  return (
    <article className={`verdict-card ${verdictTones[verdict]}`}>
      <div className="verdict-head">
        <VerdictGlyph kind={verdict} />
        <div>
          <p className="eyebrow">{words.verdict}</p>
          <h2>{words.kinds[verdict]}</h2>
          <p className="muted verdict-meaning">{words.meanings[verdict]}</p>
          <p className="verdict-summary">{summary}</p>
        </div>
      </div>
      <KeyNumbers findings={findings} diagnosis={diagnosis} />
      <div className="verdict-body">
        <h3>{words.evidence}</h3>
        <p className="small muted">{words.evidenceLead}</p>
        <div className="evidence-list">
          {evidence.map((item, k) => (
            <EvidenceItem key={k} item={item} />
          ))}
        </div>
        {advice.length > 0 && (
          <div className="verdict-advice">
            <h3>{words.advice}</h3>
            {advice.map((text) => (
              <p key={text}>{text}</p>
            ))}
          </div>
        )}
        {warnings.length > 0 && (
          <div className="notice verdict-warnings">
            <h3>{words.warnings}</h3>
            <ul>
              {warnings.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </article>
  )
}

function KeyNumbers({ findings, diagnosis }: VerdictCardProps): ReactNode {
  const words = useWords(verdictWords)
  const { gradientNorm, noiseFloor, inertia } = diagnosis
  const { end, loss, parameters, samples } = findings
  const accuracy = end?.accuracy ?? null
  return (
    <dl className="facts">
      <Fact label={words.loss} value={formatNumber(loss)} />
      <Fact
        label={words.gradientNorm}
        value={formatNumber(gradientNorm, { digits: 3 })}
        note={words.noiseFloor(formatNumber(noiseFloor.gradient, { digits: 2 }))}
      />
      <Fact
        label={words.inertia}
        value={`${inertia.negative} · ${inertia.zero} · ${inertia.positive}`}
        note={`${words.inertiaNote}; ${inertia.exact ? words.counted : words.lowerBound}`}
      />
      {accuracy !== null && (
        <Fact
          label={words.accuracy}
          value={formatPercent(accuracy)}
          note={typeof end?.testAccuracy === 'number' ? words.testAccuracy(formatPercent(end.testAccuracy)) : undefined}
        />
      )}
      {parameters !== null && (
        <Fact
          label={words.parameters}
          value={formatNumber(parameters)}
          note={samples === null ? undefined : words.samples(formatNumber(samples))}
        />
      )}
    </dl>
  )
}

function Fact({
  label,
  value,
  note,
}: {
  readonly label: string
  readonly value: string
  readonly note?: string
}): ReactNode {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <span className="fact-number">{value}</span>
        {note && <span className="fact-note">{note}</span>}
      </dd>
    </div>
  )
}

/** One claim; opened, its numbers, the rule behind it and where the rule comes from. */
function EvidenceItem({ item }: { readonly item: Evidence }): ReactNode {
  const words = useWords(verdictWords)
  const rule = evidenceRules[item.kind]
  const ratio = item.value !== null && item.bound ? item.value / item.bound : null
  return (
    <Disclosure className="evidence-item">
      <Heading level={4}>
        <AriaButton slot="trigger">
          <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true" focusable="false">
            <path d="M3 1.5L8.5 6L3 10.5" fill="none" stroke="currentColor" strokeWidth="1.8" />
          </svg>
          <span>{item.claim}</span>
        </AriaButton>
      </Heading>
      <DisclosurePanel>
        <dl className="evidence-numbers">
          <Row label={words.value} value={formatNumber(item.value)} />
          <Row label={words.bound} value={formatNumber(item.bound)} />
          <Row label={words.ratio} value={formatNumber(ratio, { digits: 3 })} />
          <Row label={words.method} value={item.method} />
          {rule && (
            <>
              <Row label={words.formula} value={<Formula tex={rule.tex} block />} />
              <Row label={words.source} value={rule.source} />
            </>
          )}
        </dl>
      </DisclosurePanel>
    </Disclosure>
  )
}

function Row({ label, value }: { readonly label: string; readonly value: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  )
}
