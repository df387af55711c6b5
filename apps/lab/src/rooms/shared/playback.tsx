import type { ReactNode } from 'react'
import { Button, Slider } from '../../views/controls.tsx'
import { useWords } from '../../views/use-words.ts'
import { sharedWords } from './shared-words.ts'
import type { Playback as PlaybackState } from './use-playback.ts'

/** Play, pause, and a slider through the time of an animation. */
export function Playback({
  playback,
  label,
  text,
}: {
  readonly playback: PlaybackState
  readonly label: string
  readonly text: string
}): ReactNode {
  const words = useWords(sharedWords)
  return (
    <div className="playback">
      <Button onPress={playback.toggle}>
        {playback.playing ? words.pause : playback.position >= 1 ? words.again : words.play}
      </Button>
      <Slider
        label={label}
        value={playback.position}
        min={0}
        max={1}
        step={0.005}
        format={() => text}
        onChange={playback.seek}
      />
    </div>
  )
}
