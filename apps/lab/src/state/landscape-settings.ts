import { ballMethods } from '../scenes/ball.ts'
import type { BallMethod } from '../scenes/ball.ts'
import { startCamera } from '../scenes/camera.ts'
import type { Camera } from '../scenes/camera.ts'
import { palettes } from '../scenes/color-map.ts'
import type { Palette } from '../scenes/color-map.ts'
import type { FieldKind } from '../scenes/plane-data.ts'
import { choiceSetting, flagSetting, numberSetting, textSetting } from './place.ts'
import type { Setting } from './place.ts'

/** What the landscape room keeps in the address. */
export interface LandscapeSettings {
  readonly plane: Setting<string>
  readonly beside: Setting<string>
  readonly view: Setting<'relief' | 'map'>
  readonly color: Setting<FieldKind>
  readonly scale: Setting<'auto' | 'linear' | 'log'>
  readonly palette: Setting<Palette | 'auto'>
  readonly levels: Setting<number>
  readonly camera: Setting<Camera>
  readonly same: Setting<boolean>
  readonly drop: Setting<{ readonly x: number; readonly y: number } | undefined>
  readonly methods: Setting<readonly BallMethod[]>
  readonly step: Setting<number>
  readonly momentum: Setting<number>
  readonly noise: Setting<number>
}

const fieldKinds: readonly FieldKind[] = [
  'loss',
  'accuracy',
  'held-out-loss',
  'held-out-accuracy',
  'convexity',
  'largest-eigenvalue',
  'smallest-eigenvalue',
  'gradient-norm',
]

const cameraSetting: Setting<Camera> = {
  initial: startCamera,
  read: (text) => {
    const [azimuth, elevation, zoom] = text.split(',').map(Number)
    const fits = Number.isFinite(azimuth) && elevation >= 2 && elevation <= 90 && zoom >= 0.5 && zoom <= 4
    return fits ? { azimuth, elevation, zoom } : undefined
  },
  write: ({ azimuth, elevation, zoom }) => `${azimuth.toFixed(1)},${elevation.toFixed(1)},${zoom.toFixed(2)}`,
}

const dropSetting: LandscapeSettings['drop'] = {
  initial: undefined,
  read: (text) => {
    const [x, y] = text.split(',').map(Number)
    return text.includes(',') && Number.isFinite(x) && Number.isFinite(y) ? { x, y } : undefined
  },
  write: (drop) => (drop ? `${Number(drop.x.toPrecision(5))},${Number(drop.y.toPrecision(5))}` : ''),
}

const methodsSetting: Setting<readonly BallMethod[]> = {
  initial: ['gradient', 'momentum'],
  read: (text) => ballMethods.filter((method) => text.split(',').includes(method)),
  write: (methods) => methods.join(',') || 'none',
}

export const landscapeSettings: LandscapeSettings = {
  plane: textSetting('example:digits'),
  beside: textSetting(),
  view: choiceSetting(['relief', 'map'], 'relief'),
  color: choiceSetting(fieldKinds, 'loss'),
  scale: choiceSetting(['auto', 'linear', 'log'], 'auto'),
  palette: choiceSetting(['auto', ...palettes], 'auto'),
  levels: numberSetting(16, 0, 40),
  camera: cameraSetting,
  same: flagSetting(false),
  drop: dropSetting,
  methods: methodsSetting,
  step: numberSetting(0.4, 0.01, 4),
  momentum: numberSetting(0.9, 0, 0.99),
  noise: numberSetting(0.3, 0, 2),
}
