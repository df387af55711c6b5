import { describe, expect, it } from 'vitest'
import { landscapeSettings } from './landscape-settings.ts'
import { LiveHub } from './live-hub.ts'
import type { LabEvent } from 'thalweg/protocol'
import { choiceSetting, flagSetting, numberSetting, numbersSetting, readPlace, writePlace } from './place.ts'

describe('the address', () => {
  it('gives back every place that it holds', () => {
    const place = { room: 'theory/linear', settings: { plane: 'run:a b/ü', drop: '1,-2', empty: '' } }
    const written = writePlace(place)
    expect(written).toBe('#/theory/linear?plane=run:a%20b/%C3%BC&drop=1,-2')
    expect(readPlace(written)).toEqual({ room: 'theory/linear', settings: { plane: 'run:a b/ü', drop: '1,-2' } })
  })

  it('reads what is damaged as far as it can', () => {
    expect(readPlace('')).toEqual({ room: '', settings: {} })
    expect(readPlace('#/%E0%A4%A')).toEqual({ room: '%E0%A4%A', settings: {} })
  })

  it('refuses settings that do not fit', () => {
    expect(numberSetting(1, 0, 5).read('6')).toBeUndefined()
    expect(numberSetting(1).read('')).toBeUndefined()
    expect(choiceSetting(['a', 'b'], 'a').read('c')).toBeUndefined()
    expect(flagSetting(true).read('yes')).toBeUndefined()
    expect(numbersSetting([1], 2).read('1')).toBeUndefined()
    expect(landscapeSettings.camera.read('10,95,1')).toBeUndefined()
    expect(landscapeSettings.drop.read('3')).toBeUndefined()
  })

  it('writes the settings of the landscape so that they can be read', () => {
    const { camera, drop, methods } = landscapeSettings
    const view = { azimuth: -41.3, elevation: 20, zoom: 1.25 }
    expect(camera.read(camera.write(view))).toEqual(view)
    expect(drop.read(drop.write({ x: 0.25, y: -3 }))).toEqual({ x: 0.25, y: -3 })
    expect(methods.read(methods.write([]))).toEqual([])
    expect(methods.read(methods.write(['newton', 'gradient']))).toEqual(['gradient', 'newton'])
  })
})

describe('LiveHub', () => {
  function hubWithLog(): { hub: LiveHub; opened: string[]; tell: (event: LabEvent) => void; closed: () => number } {
    const opened: string[] = []
    let closed = 0
    let tell: (event: LabEvent) => void = () => {}
    const hub = new LiveHub((runs, onEvent) => {
      opened.push(runs.join())
      tell = onEvent
      return {
        close: () => {
          closed++
        },
      }
    })
    return { hub, opened, tell: (event) => tell(event), closed: () => closed }
  }

  it('keeps one stream for fifty pages on one run and closes it after the last', () => {
    const { hub, opened, tell, closed } = hubWithLog()
    const heard: string[] = []
    const pages = Array.from({ length: 50 }, (_, k) => ({ send: () => heard.push(String(k)) }))
    for (const page of pages) hub.receive(page, { kind: 'follow', runs: ['a'] })
    expect(opened).toEqual(['a'])
    tell({ type: 'shutdown' })
    expect(heard).toHaveLength(50)
    for (const page of pages) hub.receive(page, { kind: 'leave' })
    expect(closed()).toBe(1)
    expect(opened).toHaveLength(1)
  })

  it('follows the runs that any page shows and tells each page of its own', () => {
    const { hub, opened, tell } = hubWithLog()
    const heard: string[] = []
    const [one, two] = ['one', 'two'].map((name) => ({
      send: (event: LabEvent) => heard.push(`${name} ${event.type}`),
    }))
    hub.receive(one, { kind: 'follow', runs: ['a'] })
    hub.receive(two, { kind: 'follow', runs: ['b'] })
    expect(opened).toEqual(['a', 'a,b'])
    tell({ type: 'curve', run: 'b', points: [] })
    tell({ type: 'runs', changed: [], removed: [] })
    expect(heard).toEqual(['two curve', 'one runs', 'two runs'])
  })
})
