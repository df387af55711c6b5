import { useCallback, useSyncExternalStore } from 'react'
import { address } from '../state/address.ts'
import type { Place, Setting } from '../state/place.ts'
import { preferences } from '../state/preferences.ts'
import type { Preferences } from '../state/preferences.ts'

/** Language and light that the reader prefers. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(preferences.subscribe, preferences.get)
}

/** What is shown now; figures that cannot use CSS variables draw again when it changes. */
export function useShownTheme(): 'light' | 'dark' {
  return useSyncExternalStore(preferences.subscribe, preferences.shownTheme)
}

export function usePlace(): Place {
  return useSyncExternalStore(address.subscribe, address.place)
}

/** One setting of the room, kept in the address: like `useState`, and a link restores it.
 *
 *      const [depth, setDepth] = useSetting('depth', depthSetting)     // depthSetting = numberSetting(3, 1, 8), outside */
export function useSetting<T>(name: string, setting: Setting<T>): [value: T, set: (value: T) => void] {
  const text = usePlace().settings[name]
  const value = text === undefined ? setting.initial : (setting.read(text) ?? setting.initial)
  const set = useCallback(
    (next: T) => {
      const written = setting.write(next)
      address.set({ [name]: written === setting.write(setting.initial) ? undefined : written })
    },
    [name, setting],
  )
  return [value, set]
}
