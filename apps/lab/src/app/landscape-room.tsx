import '../style/landscape.css'
import type { ReactNode } from 'react'
import { LandscapeView } from '../views/landscape-view.tsx'

export default function LandscapeRoom(): ReactNode {
  return <LandscapeView />
}
