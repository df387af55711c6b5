/** Statements of the literature, each with the experiment that tests it. */
export type {
  Claim,
  ClaimContext,
  ClaimFigure,
  ClaimFinding,
  ClaimMeasurement,
  ClaimOutcome,
  ClaimSeries,
  ClaimSource,
} from './claim.ts'
export type { ClaimData, ClaimSelection } from './ledger.ts'
export { claimData, ledger, ledgerProblems, selectClaims } from './ledger.ts'
