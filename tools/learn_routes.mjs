// tools/learn_routes.mjs CASES.csv > packs/pingshan/routes.csv -- learns from closed cases which unit is responsible for an item in
// an area, and writes the responsibility list of the pack: what was learned, and the duties of tools/pingshan_duties.csv.
//
// A question (item, area) is answered from what is known in general to what is known in particular:
//     all -> event type -> main type -> main type x subdistrict -> item -> item x subdistrict -> item x community.
// Each step mixes its own counts with the answer of the step before, which counts as much as TRUST cases; old cases count less than
// new ones.  Offices count as their duty (the law enforcement team of the place), so one subdistrict teaches the others.
// A row is written only where the answer differs from what the rows above it in the tree of items and areas already say.
//
// How good that is, is measured before: on stderr stands how often the list learned from the first 80 % of the cases names the unit
// that had the case in the last 20 %.
import { readFileSync } from 'node:fs';
import { parseCsv, writeCsv } from './csv.mjs';

const PACK = new URL('../packs/pingshan/', import.meta.url);
const DUTIES = new URL('./pingshan_duties.csv', import.meta.url);
const NOTE = '依据2018年案件归纳';
const HALF_LIFE = 200;          // days after which a case counts half
const TRUST = { type: 16, main: 2, mainHere: 32, item: 2, itemHere: 16, itemThere: 6 };
const ROW_COST = 0.1;           // a row must be worth this many cases more than the list without it
const TRAINING = 0.8;

// --- the pack's tables ---------------------------------------------------------------------------------------------------

const table = name => parseCsv(readFileSync(new URL(name, PACK), 'utf8'));
const byKey = (rows, key) => new Map(rows.map(r => [r[key], r]));

const items = byKey(table('items.csv'), 'code');
const areas = byKey(table('areas.csv').filter(a => a.level !== 'grid'), 'code');
const units = byKey(table('units.csv'), 'code');
const district = [...areas.values()].find(a => a.level === 'district').code;
const subdistricts = [...areas.values()].filter(a => a.level === 'subdistrict').map(a => a.code);
const communitiesOf = s => [...areas.values()].filter(a => a.parent === s).map(a => a.code);

const upwards = (rows, code) => code ? [code, ...upwards(rows, rows.get(code).parent)] : [];
const pathOf = code => upwards(items, code).reverse().map(c => items.get(c).name).join('/');
const itemOfPath = new Map([...items.keys()].map(c => [pathOf(c), c]).concat(table('item_aliases.csv').map(a => [a.path, a.item])));
const areaOfName = new Map([...areas.values()].map(a => [a.name, a.code]));
const unitAliases = table('unit_aliases.csv').map(a => [a.alias, a.unit]);
const unitOfName = new Map([...units.values()].map(u => [u.name, u.code]).concat(unitAliases));

// --- offices as duties: @law in Kengzi is kengzi-law ----------------------------------------------------------------------

const subdistrictUnit = new Map([...units.values()].filter(u => u.kind === 'subdistrict').map(u => [u.area, u.code]));
const communityUnit = new Map([...units.values()].filter(u => u.kind === 'community').map(u => [u.area, u.code]));

function dutyOf(unit, area) {
  const { kind, area: own, parent } = units.get(unit);
  if (kind === 'community' && own === area)
    return '@community';
  return kind === 'office' && upwards(areas, area).includes(own) ? '@' + unit.slice(parent.length + 1) : unit;
}

// The unit with that duty in an area; undefined when the area is too wide to have one.
function unitWith(duty, area) {
  if (!duty.startsWith('@'))
    return duty;
  if (duty === '@community')
    return communityUnit.get(area);
  const place = upwards(areas, area).find(a => subdistrictUnit.has(a));
  const code = `${subdistrictUnit.get(place)}-${duty.slice(1)}`;
  return place && units.has(code) ? code : undefined;
}

// --- the cases --------------------------------------------------------------------------------------------------------------

// A unit keeps its id when it is renamed; the longest of its names is the one that no other unit has.
function unitsOfIds(rows) {
  const names = new Map();
  for (const { DISPOSE_UNIT_ID: id, DISPOSE_UNIT_NAME: name } of rows)
    if (name.length > (names.get(id)?.length ?? 0))
      names.set(id, name);
  return new Map([...names].map(([id, name]) => [id, unitOfName.get(name)]));
}

function readCases(file) {
  const rows = parseCsv(readFileSync(file, 'utf8'));
  const unitOfId = unitsOfIds(rows);
  return rows.map(r => ({
    item: itemOfPath.get([r.EVENT_TYPE_NAME, r.MAIN_TYPE_NAME, r.SUB_TYPE_NAME].join('/')),
    area: areaOfName.get(r.COMMUNITY_NAME) ?? areaOfName.get(r.STREET_NAME) ?? '',
    unit: unitOfId.get(r.DISPOSE_UNIT_ID), day: Date.parse(r.CREATE_TIME.replace(' ', 'T') + '+08:00') / 86400e3,
  })).filter(c => c.item).sort((a, b) => a.day - b.day);
}

// --- learning -----------------------------------------------------------------------------------------------------------------

// The steps that know something of an item in an area, from the general to the particular: [key, trust in the step before].
function stepsOf(item, area) {
  const [type, main, leaf] = upwards(items, item).reverse();
  const places = upwards(areas, area);
  const here = places.find(a => subdistrictUnit.has(a)), there = places.find(a => communityUnit.has(a));
  return [['', 0], [type, TRUST.type], main && [main, TRUST.main], main && here && [`${main} ${here}`, TRUST.mainHere],
    leaf && [leaf, TRUST.item], leaf && here && [`${leaf} ${here}`, TRUST.itemHere],
    leaf && there && [`${leaf} ${there}`, TRUST.itemThere]].filter(Boolean);
}

// counts: step -> duty -> cases.  cases: how many an item had, an area (with a space before it), and an item in an area.
function learn(list) {
  const now = list.at(-1).day, counts = new Map(), cases = new Map();
  const add = (map, key, n) => map.set(key, (map.get(key) ?? 0) + n);
  for (const c of list.filter(k => k.unit)) {
    const weight = 0.5 ** ((now - c.day) / HALF_LIFE), duty = dutyOf(c.unit, c.area);
    for (const [key] of stepsOf(c.item, c.area))
      add(counts.get(key) ?? counts.set(key, new Map()).get(key), duty, weight);
    for (const item of ['', ...upwards(items, c.item)])
      ['', ' ' + c.area].forEach(area => add(cases, item + area, weight));
  }
  return { counts, cases, all: cases.get('') };
}

// The chances of units and duties after the last step.
function chances(counts, item, area) {
  let mixed = new Map();
  for (const [key, trust] of stepsOf(item, area)) {
    const count = counts.get(key) ?? new Map();
    const all = [...count.values()].reduce((sum, n) => sum + n, trust);
    if (all > 0)
      mixed = new Map([...new Set([...mixed.keys(), ...count.keys()])].map(duty =>
        [duty, ((count.get(duty) ?? 0) + trust * (mixed.get(duty) ?? 0)) / all]));
  }
  return mixed;
}

// The chances of units: a duty counts for the unit that has it in the area; without a place offices fall away.
function unitChances(counts, item, area) {
  const sums = new Map();
  for (const [duty, chance] of chances(counts, item, area)) {
    const unit = unitWith(duty, area);
    if (unit)
      sums.set(unit, (sums.get(unit) ?? 0) + chance);
  }
  return sums;
}

const best = sums => [...sums].reduce((top, one) => one[1] > top[1] ? one : top, [undefined, 0])[0];

// --- from answers to rows ---------------------------------------------------------------------------------------------------

// Rows are kept as item -> area -> {unit, ...}; area '*' is the row without an area.
const rowsOf = (list, item) => list.get(item) ?? list.set(item, new Map()).get(item);

// What the server answers (src/routing/routing.c): rows with an area come before rows without; a lower item or area stands first.
function resolve(list, item, area) {
  const above = upwards(items, item), places = upwards(areas, area);
  for (const wanted of [places, ['*']])
    for (const i of above)
      for (const a of wanted)
        if (list.get(i)?.has(a))
          return list.get(i).get(a).unit;
  return undefined;
}

const hasAreaRowsAbove = (list, item) =>
  upwards(items, item).slice(1).some(i => [...(list.get(i)?.keys() ?? [])].some(a => a !== '*'));

// What a row in each area of an item is worth, in cases: how many cases a unit would get right there.
function worthOf(knowledge, item) {
  const { counts, cases, all } = knowledge;
  const ofItem = cases.get(item) ?? 0;
  const memo = new Map();
  const chancesIn = area => memo.get(area) ?? memo.set(area, unitChances(counts, item, area)).get(area);
  return {
    best: area => best(chancesIn(area)),
    // Half from the cases the item had there, half from those it would have if they fell as all cases do.
    of: (area, unit) => (chancesIn(area).get(unit) ?? 0)
      * ((cases.get(`${item} ${area}`) ?? 0) + ofItem * (cases.get(` ${area}`) ?? 0) / all) / 2,
  };
}

// The rows of a subdistrict's communities that are worth their place, when `whole` (or `general`) answers for the others.
function communityRows(worth, s, whole, general) {
  const rows = new Map(), answer = c => whole ?? general(c);
  let sum = 0;
  for (const c of communitiesOf(s)) {
    const own = worth.best(c), gain = worth.of(c, own) - worth.of(c, answer(c));
    if (own !== answer(c) && gain > ROW_COST)
      rows.set(c, { unit: own });
    sum += worth.of(c, answer(c)) + Math.max(0, gain - ROW_COST);
  }
  return { rows, sum };
}

// The rows an item needs when `general` answers without them, and what they are worth less their cost.
function areaRows(worth, general) {
  const rows = new Map();
  let sum = 0;
  for (const s of subdistricts) {
    const without = communityRows(worth, s, undefined, general), unit = worth.best(s);
    const whole = communityRows(worth, s, unit, general), better = whole.sum - ROW_COST > without.sum;
    if (better)
      rows.set(s, { unit });
    (better ? whole : without).rows.forEach((row, c) => rows.set(c, row));
    sum += better ? whole.sum - ROW_COST : without.sum;
  }
  return { rows, sum };
}

// The item keeps the answers of the items above, with exceptions, or gets a default of its own: whichever is worth more.
function addItem(list, knowledge, item) {
  const worth = worthOf(knowledge, item), anywhere = worth.best('');
  const shadowed = hasAreaRowsAbove(list, item);
  const inherited = areaRows(worth, a => resolve(list, item, a));
  const own = areaRows(worth, () => anywhere);
  const rows = rowsOf(list, item);
  const chosen = anywhere && own.sum - ROW_COST > inherited.sum ? own : inherited;
  chosen.rows.forEach((row, a) => rows.set(a, row));
  if (chosen === own) {
    rows.set('*', { unit: anywhere });
    if (shadowed)
      rows.set(district, { unit: anywhere });
  }
}

const depth = code => upwards(items, code).length;

function listOf(cases) {
  const knowledge = learn(cases), list = new Map();
  const known = new Set(cases.flatMap(c => upwards(items, c.item)));
  for (const item of [...known].sort((a, b) => depth(a) - depth(b)))
    addItem(list, knowledge, item);
  return list;
}

// How often the list names the unit that had the case.
const hitRate = (list, cases) => cases.filter(c => resolve(list, c.item, c.area) === c.unit).length / cases.length;

// --- duties written by hand -----------------------------------------------------------------------------------------------------

// Who keeps a component (c01005) also mends what is reported of it (m01005).
const withDefects = duties =>
  duties.flatMap(d => d.item.startsWith('c') ? [d, { ...d, item: 'm' + d.item.slice(1) }] : [d]);

// A list of units and duties, as it is in one area; what the area is too wide for falls away.
const unitsIn = (words, area) =>
  words.split('|').filter(Boolean).map(w => unitWith(w, area === '*' ? '' : area)).filter(Boolean).join('|');

// The areas a duty needs rows for.  One of offices (@law) needs a row in each of their areas; one without area is also written for
// the whole district where rows of an item above it would come first.
function areasOf(list, duty) {
  const words = `${duty.unit}|${duty.assists}`;
  const offices = words.includes('@community') ? [...communityUnit.keys()] : words.includes('@') ? subdistricts : [];
  const anywhere = offices.length === 0 && hasAreaRowsAbove(list, duty.item) ? ['*', district] : ['*'];
  if (duty.area && duty.area !== '*')
    return [duty.area];
  return duty.unit.startsWith('@') ? offices : [...anywhere, ...offices];
}

// Adds the duties to the list, general items first, so that areasOf() sees the rows above.
function addDuties(list, duties) {
  for (const d of withDefects(duties).sort((a, b) => depth(a.item) - depth(b.item)))
    for (const area of areasOf(list, d))
      rowsOf(list, d.item).set(area, { unit: unitsIn(d.unit, area), assists: unitsIn(d.assists, area), note: d.note });
}

// Lower items first, and of one item the smaller areas first: the first row that fits wins.
function written(list) {
  const order = [...items.keys()];
  const width = a => a === '*' ? -1 : a.length;
  return [...list].sort(([a], [b]) => depth(b) - depth(a) || order.indexOf(a) - order.indexOf(b)).flatMap(([item, rows]) =>
    [...rows].sort(([a], [b]) => width(b) - width(a) || a.localeCompare(b))
      .map(([area, row]) => ({ item, area, note: NOTE, ...row })));
}

const file = process.argv[2];
if (!file) {
  console.error('usage: node tools/learn_routes.mjs CASES.csv > packs/pingshan/routes.csv');
  process.exit(2);
}
const cases = readCases(file);
const cut = Math.round(cases.length * TRAINING);
const early = cases.slice(0, cut), late = cases.slice(cut);
const percent = x => (100 * x).toFixed(1) + ' %';
const foresight = hitRate(listOf(early), late);
console.error(`learned from the first ${early.length} cases, right in the last ${late.length}: ${percent(foresight)}`);
const list = listOf(cases);
console.error(`learned from all ${cases.length} cases, right in the same: ${percent(hitRate(list, cases))}`);
addDuties(list, parseCsv(readFileSync(DUTIES, 'utf8')));
const rows = written(list);
console.error(`${rows.length} rows`);
process.stdout.write(writeCsv(['item', 'area', 'unit', 'assists', 'note'], rows));
