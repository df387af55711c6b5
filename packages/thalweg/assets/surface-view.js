/* Lets a reader turn the surfaces of a report. Where a page holds a still surface, an element [data-surface] names the
   script element with its data (see src/report/surface-view.ts). Without script the still stays, and so it does on paper. */
'use strict'

for (const holder of document.querySelectorAll('[data-surface]')) attach(holder)

/** @param {HTMLElement} holder */
function attach(holder) {
  const data = JSON.parse(document.getElementById(holder.dataset.surface).textContent)
  const home = { azimuth: data.view.azimuth, elevation: data.view.elevation, zoom: 1 }
  const view = { ...home }
  const canvas = document.createElement('canvas')
  canvas.tabIndex = 0
  canvas.setAttribute('role', 'application')
  canvas.setAttribute('aria-label', data.words.label)
  const readout = document.createElement('p')
  readout.setAttribute('role', 'status')
  readout.textContent = data.words.help
  holder.append(canvas, readout)
  holder.closest('figure').classList.add('turnable')

  let waiting = false
  const redraw = () => {
    if (waiting) return
    waiting = true
    requestAnimationFrame(() => {
      waiting = false
      draw(canvas, data, view)
    })
  }
  const turn = (azimuth, elevation) => {
    view.azimuth = (view.azimuth + azimuth + 360) % 360
    view.elevation = Math.min(89, Math.max(5, view.elevation + elevation))
    redraw()
  }
  const zoom = (factor) => {
    view.zoom = Math.min(4, Math.max(0.5, view.zoom * factor))
    redraw()
  }

  let held = null
  canvas.addEventListener('pointerdown', (event) => {
    held = [event.clientX, event.clientY]
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener('pointermove', (event) => {
    if (held) {
      turn((event.clientX - held[0]) * 0.4, (event.clientY - held[1]) * 0.3)
      held = [event.clientX, event.clientY]
    } else readout.textContent = nearestText(canvas, data, view, event) ?? data.words.help
  })
  const release = () => {
    held = null
  }
  canvas.addEventListener('pointerup', release)
  canvas.addEventListener('pointercancel', release)
  canvas.addEventListener('pointerleave', () => {
    readout.textContent = data.words.help
  })
  canvas.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: [-6, 0], ArrowRight: [6, 0], ArrowUp: [0, 6], ArrowDown: [0, -6] }[event.key]
    if (step) turn(step[0], step[1])
    else if (event.key === '+' || event.key === '=') zoom(1.15)
    else if (event.key === '-') zoom(1 / 1.15)
    else if (event.key === 'Home') {
      Object.assign(view, home)
      redraw()
    } else return
    event.preventDefault()
  })
  new ResizeObserver(redraw).observe(holder)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
  redraw()
}

/** Unit box (x, y in −1 … 1, height in 0 … 1) to the screen of a canvas, scaled so that the box fits from every side. */
function projection(canvas, { azimuth, elevation, zoom }) {
  const [turn, tilt] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180]
  const [ct, st, ce, se] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)]
  const { width, height } = canvas.getBoundingClientRect()
  const scale = zoom * Math.min((width - 90) / (2 * Math.SQRT2), (height - 60) / (2 * Math.SQRT2 * se + 0.95 * ce))
  const depth = (x, y) => -st * x + ct * y
  return {
    at: (x, y, z) => [
      width / 2 + scale * (ct * x + st * y),
      height / 2 + scale * (0.475 * ce - depth(x, y) * se - z * 0.95 * ce),
    ],
    near: (x, y) => -depth(x, y),
  }
}

/** A color of the page, as its style sheet says it for light, dark and print. */
function color(name, otherwise) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--figure-${name}`).trim() || otherwise
}

function draw(canvas, data, view) {
  const { width } = canvas.getBoundingClientRect()
  const height = Math.round(Math.min(480, 0.78 * width))
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1)
  canvas.style.height = `${height}px`
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const pen = canvas.getContext('2d')
  pen.scale(ratio, ratio)
  pen.lineJoin = 'round'
  const to = projection(canvas, view)
  drawWalls(pen, data, to)
  for (const part of paintedParts(data, to)) part.paint(pen)
  drawLabels(pen, data, to)
}

/** Facets and trajectory segments, from the far to the near side. */
function paintedParts(data, to) {
  const { xs, ys, heights, colors, paths } = data
  const parts = []
  const columns = xs.length
  for (let j = 0; j + 1 < ys.length; j++)
    for (let i = 0; i + 1 < columns; i++) {
      const fill = colors[j * (columns - 1) + i]
      if (fill === '') continue
      const corners = [
        [i, j],
        [i + 1, j],
        [i + 1, j + 1],
        [i, j + 1],
      ].map(([a, b]) => to.at(xs[a], ys[b], heights[b * columns + a]))
      const near = to.near((xs[i] + xs[i + 1]) / 2, (ys[j] + ys[j + 1]) / 2)
      parts.push({ near, paint: (pen) => polygon(pen, corners, `#${fill}`) })
    }
  const lift = 2 / Math.max(1, Math.min(columns, ys.length) - 1)
  for (const path of paths)
    for (let k = 1; k < path.points.length; k++) {
      const [a, b] = [path.points[k - 1], path.points[k]]
      const near = (to.near(a[0], a[1]) + to.near(b[0], b[1])) / 2 + lift
      parts.push({ near, paint: (pen) => segment(pen, to.at(...a), to.at(...b), path.color, 2.4) })
    }
  return parts.sort((a, b) => a.near - b.near)
}

function polygon(pen, corners, fill) {
  pen.beginPath()
  corners.forEach(([x, y], k) => (k === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)))
  pen.closePath()
  pen.fillStyle = fill
  pen.fill()
  pen.strokeStyle = 'rgba(0,0,0,.16)'
  pen.lineWidth = 0.5
  pen.stroke()
}

function segment(pen, a, b, stroke, width) {
  pen.beginPath()
  pen.moveTo(a[0], a[1])
  pen.lineTo(b[0], b[1])
  pen.strokeStyle = stroke
  pen.lineWidth = width
  pen.lineCap = 'round'
  pen.stroke()
}

/** The far ends of both axes of the floor. */
function farSides(to) {
  return [to.near(1, 0) < to.near(-1, 0) ? 1 : -1, to.near(0, 1) < to.near(0, -1) ? 1 : -1]
}

function drawWalls(pen, data, to) {
  const [farX, farY] = farSides(to)
  const rule = color('rule', '#e2e6ea')
  const line = (a, b) => segment(pen, to.at(...a), to.at(...b), rule, 1)
  for (const { t } of data.xTicks) {
    line([t, -farY, 0], [t, farY, 0])
    line([t, farY, 0], [t, farY, 1])
  }
  for (const { t } of data.yTicks) {
    line([-farX, t, 0], [farX, t, 0])
    line([farX, t, 0], [farX, t, 1])
  }
  for (const { t } of data.zTicks) {
    line([farX, -farY, t], [farX, farY, t])
    line([-farX, farY, t], [farX, farY, t])
  }
}

function drawLabels(pen, data, to) {
  const [farX, farY] = farSides(to)
  const [ink, muted] = [color('ink', '#1d2731'), color('muted', '#5a6672')]
  drawEdge(pen, to, (t) => to.at(t, -farY, 0), data.xTicks, data.xLabel, ink, muted)
  drawEdge(pen, to, (t) => to.at(-farX, t, 0), data.yTicks, data.yLabel, ink, muted)
  // the upright axis stands where floor and wall meet at the side
  const side = to.at(farX, -farY, 0)[0] < to.at(-farX, farY, 0)[0] ? [-1, 0] : [1, 0]
  for (const { t, text } of data.zTicks) write(pen, text, to.at(farX, -farY, t), side, 8, 12, muted)
  write(pen, data.zLabel, to.at(farX, -farY, 1.14), [0, -1], 4, 13, ink)
}

/** A near edge of the floor with its ticks and name, written on the outer side. */
function drawEdge(pen, to, at, ticks, label, ink, muted) {
  const [a, b, middle] = [at(-1), at(1), to.at(0, 0, 0)]
  const along = [b[0] - a[0], b[1] - a[1]]
  const length = Math.hypot(along[0], along[1]) || 1
  const sign = along[1] * (a[0] - middle[0]) - along[0] * (a[1] - middle[1]) > 0 ? 1 : -1
  const out = [(sign * along[1]) / length, (-sign * along[0]) / length]
  segment(pen, a, b, muted, 1)
  pen.font = '12px system-ui,sans-serif'
  // a number at the corner would meet that of the other edge
  const inner = ticks.filter(({ t }) => Math.abs(t) < 0.97)
  const widest = Math.max(0, ...inner.map(({ text }) => pen.measureText(text).width))
  for (const { t, text } of inner) write(pen, text, at(t), out, 11, 12, muted)
  write(pen, label, at(0), out, 26 + Math.abs(out[0]) * widest, 13, ink)
}

function write(pen, text, at, out, distance, size, fill) {
  pen.font = `${size}px system-ui,sans-serif`
  pen.fillStyle = fill
  pen.textAlign = out[0] > 0.25 ? 'left' : out[0] < -0.25 ? 'right' : 'center'
  pen.textBaseline = 'middle'
  pen.fillText(text, at[0] + distance * out[0], at[1] + distance * out[1])
}

/** Coordinates and value of the node under the pointer, where there is one. */
function nearestText(canvas, data, view, event) {
  const box = canvas.getBoundingClientRect()
  const [px, py] = [event.clientX - box.left, event.clientY - box.top]
  const to = projection(canvas, view)
  let best = { distance: 20, near: -Infinity, text: null }
  data.ys.forEach((y, j) =>
    data.xs.forEach((x, i) => {
      const height = data.heights[j * data.xs.length + i]
      if (height === null) return
      const [sx, sy] = to.at(x, y, height)
      const distance = Math.hypot(sx - px, sy - py)
      const near = to.near(x, y)
      // of nodes about equally close on the screen, the one in front
      if (distance > 20 || (distance > best.distance - 4 && near <= best.near)) return
      const [a, b, value] = [data.xNodes[i], data.yNodes[j], data.values[j * data.xs.length + i]]
      best = { distance, near, text: `${data.xLabel} ${a}, ${data.yLabel} ${b}: ${data.zLabel} ${value}` }
    }),
  )
  return best.text
}
