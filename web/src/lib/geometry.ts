/* Plane geometry on degrees: enough to say in which drawn area a pin lies. The server decides for itself. */
import type { Area, Outline, Position } from '../api/types'

export interface Point { lon: number; lat: number }
export type Box = [west: number, south: number, east: number, north: number]

/** Even-odd over all rings, so that holes and separate parts come out right. */
export function within(outline: Outline, { lon, lat }: Point): boolean {
  let inside = false
  for (const ring of outline.coordinates) {
    for (let i = 0, k = ring.length - 1; i < ring.length; k = i++) {
      const [ax, ay] = ring[i] as Position
      const [bx, by] = ring[k] as Position
      if (ay > lat !== by > lat && lon < ((bx - ax) * (lat - ay)) / (by - ay) + ax)
        inside = !inside
    }
  }
  return inside
}

export function areaAt(areas: Area[], point: Point): Area | null {
  return areas.find((a) => a.outline && within(a.outline, point)) ?? null
}

/** null when none of the areas has an outline. */
export function boxOf(areas: Area[]): Box | null {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity]
  for (const area of areas) {
    for (const [lon, lat] of area.outline?.coordinates.flat() ?? []) {
      box[0] = Math.min(box[0], lon)
      box[1] = Math.min(box[1], lat)
      box[2] = Math.max(box[2], lon)
      box[3] = Math.max(box[3], lat)
    }
  }
  return box[0] <= box[2] ? box : null
}

/** Twice the area of a ring (its sign says which way round it runs) and its centre of gravity. */
function weigh(ring: Position[]): { weight: number; at: Point } {
  const [x0, y0] = ring[0] as Position // sums of differences: the degrees themselves would drown them
  let weight = 0, x = 0, y = 0
  for (let i = 0, k = ring.length - 1; i < ring.length; k = i++) {
    const [ax, ay] = [ring[k]![0] - x0, ring[k]![1] - y0]
    const [bx, by] = [ring[i]![0] - x0, ring[i]![1] - y0]
    const cross = ax * by - bx * ay
    weight += cross
    x += (ax + bx) * cross
    y += (ay + by) * cross
  }
  return { weight, at: weight ? { lon: x0 + x / (3 * weight), lat: y0 + y / (3 * weight) } : { lon: x0, lat: y0 } }
}

/** Where to write its name: the centre of gravity of its largest ring. */
export function middleOf(area: Area): Point | null {
  const rings = (area.outline?.coordinates ?? []).filter((ring) => ring.length).map(weigh)
  return rings.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))[0]?.at ?? null
}

/** Six decimals are 10 cm: more says nothing and makes the number hard to read out. */
export const rounded = ({ lon, lat }: Point): Point => ({ lon: Number(lon.toFixed(6)), lat: Number(lat.toFixed(6)) })
