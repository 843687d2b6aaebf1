/* The drawing of the district: areas only, since the page may load nothing from elsewhere. */
import type { FeatureCollection, Polygon } from 'geojson'
import type { StyleSpecification } from 'maplibre-gl'
import type { Area } from '../api/types'

type Collection = FeatureCollection<Polygon>

export function collection(areas: Area[]): Collection {
  return {
    type: 'FeatureCollection',
    features: areas.flatMap((a, n) =>
      a.outline ? [{ type: 'Feature' as const, properties: { code: a.code, parent: a.parent, tint: n % 4 }, geometry: a.outline }] : []),
  }
}

export function mapStyle(subdistricts: Area[], communities: Area[]): StyleSpecification {
  return {
    version: 8,
    sources: {
      subdistricts: { type: 'geojson', data: collection(subdistricts) },
      communities: { type: 'geojson', data: collection(communities) },
    },
    layers: [
      { id: 'paper', type: 'background', paint: { 'background-color': '#eef1f5' } },
      {
        id: 'tints', type: 'fill', source: 'subdistricts',
        paint: { 'fill-color': ['match', ['get', 'tint'], 0, '#dfe9f5', 1, '#e7f0e4', 2, '#f4eddc', '#ece6f3'] },
      },
      { id: 'chosen', type: 'fill', source: 'communities', filter: false, paint: { 'fill-color': '#1d5aa6', 'fill-opacity': 0.25 } },
      { id: 'community-lines', type: 'line', source: 'communities', paint: { 'line-color': '#9aa8ba', 'line-width': 1, 'line-dasharray': [3, 2] } },
      { id: 'subdistrict-lines', type: 'line', source: 'subdistricts', paint: { 'line-color': '#4a5f7d', 'line-width': 1.8 } },
    ],
  }
}
