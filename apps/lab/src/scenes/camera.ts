/** Where the picture is taken from: angles in degrees around the middle of the box; at zoom 1 the box fills the picture. */
export interface Camera {
  readonly azimuth: number
  readonly elevation: number
  readonly zoom: number
}

export const startCamera: Camera = { azimuth: 32, elevation: 33, zoom: 1 }

/** Turned by so many degrees; never below the ground or over the top. */
export function turned(camera: Camera, azimuth: number, elevation: number): Camera {
  return {
    ...camera,
    azimuth: ((((camera.azimuth + azimuth + 180) % 360) + 360) % 360) - 180,
    elevation: Math.min(90, Math.max(2, camera.elevation + elevation)),
  }
}

/** Nearer for factors above 1. */
export function zoomed(camera: Camera, factor: number): Camera {
  return { ...camera, zoom: Math.min(4, Math.max(0.5, camera.zoom * factor)) }
}

/** Position of the eye, x right, y back, z up. */
export function eyeOf({
  azimuth,
  elevation,
  distance,
}: Pick<Camera, 'azimuth' | 'elevation'> & { readonly distance: number }): [number, number, number] {
  const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180]
  return [distance * Math.cos(e) * Math.sin(a), -distance * Math.cos(e) * Math.cos(a), distance * Math.sin(e)]
}
