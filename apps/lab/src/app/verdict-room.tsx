import '../style/verdict.css'
import type { ReactNode } from 'react'
import { VerdictView } from '../views/verdict-view.tsx'

export default function VerdictRoom(): ReactNode {
  return <VerdictView />
}
