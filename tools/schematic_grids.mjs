// tools/schematic_grids.mjs PACK SEATS.csv -- draws the schematic outlines of a pack: rewrites the grid rows of PACK/areas.csv
// and all of PACK/outlines.geojson.
//
// SEATS.csv (code, lon, lat, grids) holds rough points of our own: the corners of the district, in order, under its code
// (they must be convex), and one seat and a number of grids for each community.  A community is what lies nearer to its seat than
// to any other; its grids are cut the same way from points spread inside it; subdistricts and the district are unions.
// Nothing here is a surveyed border, and every outline says so (schematic: true).
//
// Invariant: outlines of one level share their edges point for point, without gap or overlap.  It is checked before writing.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseCsv, writeCsv } from './csv.mjs';

const DECIMALS = 6;             // of a degree: 0.1 m
const SAME = 3e-6;              // points nearer than this are one
const SQUEEZE = 0.9225;         // length of a degree of longitude against one of latitude, at 22.7 degrees north
const SPREADING = 60;           // rounds of moving the points of a community apart

// --- planes: points are [x, y] with x = lon * SQUEEZE ---------------------------------------------------------------

const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
const cross = (a, b) => a[0] * b[1] - a[1] * b[0];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
const between = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];

// The part of a convex polygon that lies nearer to `seat` than to `other`.
function nearer(polygon, seat, other) {
  const normal = minus(other, seat);
  const limit = (dot(other, other) - dot(seat, seat)) / 2;
  const beyond = p => dot(p, normal) - limit;
  return polygon.flatMap((a, i) => {
    const b = polygon[(i + 1) % polygon.length], da = beyond(a), db = beyond(b);
    const kept = da <= 0 ? [a] : [];
    return da < 0 && db > 0 || da > 0 && db < 0 ? [...kept, between(a, b, da / (da - db))] : kept;
  });
}

const cellsOf = (polygon, seats) =>
  seats.map(seat => seats.filter(s => s !== seat).reduce((cell, other) => nearer(cell, seat, other), polygon));

function centroid(polygon) {
  let area = 0, x = 0, y = 0;
  polygon.forEach((a, i) => {
    const b = polygon[(i + 1) % polygon.length], c = cross(a, b);
    area += c;
    x += (a[0] + b[0]) * c;
    y += (a[1] + b[1]) * c;
  });
  return [x / area / 3, y / area / 3];
}

// n points spread evenly in a convex polygon: a spiral about its middle, then each to the middle of its own cell, again and again.
function spread(polygon, n) {
  const middle = centroid(polygon), reach = 0.3 * Math.hypot(...minus(polygon[0], middle));
  let points = Array.from({ length: n }, (_, i) => {
    const angle = i * 2.399963, far = reach * Math.sqrt((i + 0.5) / n);
    return [middle[0] + far * Math.cos(angle), middle[1] + far * Math.sin(angle)];
  });
  for (let i = 0; i < SPREADING; i++)
    points = cellsOf(polygon, points).map(centroid);
  return points;
}

// --- from cells to a mesh in which neighbours share every point --------------------------------------------------------

const rounded = p => [Number((p[0] / SQUEEZE).toFixed(DECIMALS)), Number(p[1].toFixed(DECIMALS))];
const near = (a, b) => Math.hypot(...minus(a, b)) < SAME;
const distinct = ring => ring.filter((p, i) => p !== ring[(i + 1) % ring.length]);

// Every corner once, so that equal corners are the same array and can be compared with ===.
function joinCorners(cells) {
  const corners = [];
  const corner = p => corners.find(c => near(c, p)) ?? (corners.push(p), p);
  return [cells.map(cell => distinct(cell.map(p => corner(rounded(p))))), corners];
}

// A corner of one cell that lies on the edge of another becomes a point of that edge too.
function addTouching(ring, corners) {
  return ring.flatMap((a, i) => {
    const b = ring[(i + 1) % ring.length], along = minus(b, a), length = Math.hypot(...along);
    const place = p => dot(minus(p, a), along) / length;
    const touching = corners.filter(p => p !== a && p !== b && place(p) > 0 && place(p) < length
      && Math.abs(cross(along, minus(p, a))) / length < SAME);
    return [a, ...touching.sort((p, q) => place(p) - place(q))];
  });
}

const edgesOf = ring => ring.map((a, i) => [a, ring[(i + 1) % ring.length]]);
const edgeName = (a, b) => `${a}>${b}`;

// The outline around rings of one mesh: edges that two rings share cancel out; what is left must be one closed ring.
function union(rings, what) {
  const edges = rings.flatMap(edgesOf);
  const names = new Set(edges.map(([a, b]) => edgeName(a, b)));
  if (names.size !== edges.length)
    throw new Error(`${what}: two outlines overlap`);
  const outer = edges.filter(([a, b]) => !names.has(edgeName(b, a)));
  const next = new Map(outer.map(([a, b]) => [a, b]));
  const ring = [outer[0][0]];
  while (next.get(ring.at(-1)) !== ring[0] && ring.length <= outer.length)
    ring.push(next.get(ring.at(-1)));
  if (ring.length !== outer.length || next.size !== outer.length)
    throw new Error(`${what}: the outline is not one ring; move the seats`);
  return ring;
}

// --- the pack ----------------------------------------------------------------------------------------------------------

function drawGrids(communities, seats, corners) {
  const plane = p => [Number(p.lon) * SQUEEZE, Number(p.lat)];
  const cells = cellsOf(corners.map(plane), seats.map(plane));
  return seats.flatMap((seat, i) => {
    const community = communities.find(c => c.code === seat.code);
    if (!community)
      throw new Error(`the seat ${seat.code} is no community of areas.csv`);
    const points = spread(cells[i], Number(seat.grids)).sort((a, b) => b[1] - a[1]);        // numbered from north to south
    return cellsOf(cells[i], points).map((cell, n) => ({
      code: seat.code + String(n + 1).padStart(3, '0'), name: `${community.name}第${n + 1}网格`,
      name_en: `${community.name_en}, grid ${n + 1}`, level: 'grid', parent: seat.code, cell,
    }));
  });
}

function outlineOf(area, areas) {
  area.ring ??= union(areas.filter(a => a.parent === area.code).map(a => outlineOf(a, areas)), area.code);
  return area.ring;
}

const feature = area => JSON.stringify({
  type: 'Feature', properties: { code: area.code, schematic: true },
  geometry: { type: 'Polygon', coordinates: [[...area.ring, area.ring[0]]] },
});

const [pack, seatsFile] = process.argv.slice(2);
if (!seatsFile) {
  console.error('usage: node tools/schematic_grids.mjs PACK SEATS.csv');
  process.exit(2);
}
const kept = parseCsv(readFileSync(`${pack}/areas.csv`, 'utf8')).filter(a => a.level !== 'grid');
const district = kept.find(a => a.level === 'district');
const seats = parseCsv(readFileSync(seatsFile, 'utf8'));
const grids = drawGrids(kept.filter(a => a.level === 'community'), seats.filter(s => s.code !== district.code),
  seats.filter(s => s.code === district.code));
const [rings, corners] = joinCorners(grids.map(g => g.cell));
grids.forEach((g, i) => { g.ring = addTouching(rings[i], corners); });
const areas = [...kept, ...grids];
areas.forEach(a => outlineOf(a, areas));
writeFileSync(`${pack}/areas.csv`, writeCsv(['code', 'name', 'name_en', 'level', 'parent'], areas));
writeFileSync(`${pack}/outlines.geojson`,
  `{"type":"FeatureCollection","features":[\n${areas.map(feature).join(',\n')}\n]}\n`);
console.error(`${areas.length} areas, ${grids.length} of them grids, ${corners.length} corners`);
