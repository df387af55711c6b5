import '../style/runs.css'
import type { ReactNode } from 'react'
import { RunsView } from '../views/runs-view.tsx'

export default function RunsRoom(): ReactNode {
  return <RunsView />
}
