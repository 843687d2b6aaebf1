/* The JSON Schema files of schema/, and what else can be told of an answer with their help. */
import { readFileSync, readdirSync } from 'node:fs'
import Ajv from 'ajv/dist/2020.js'

const folder = new URL('../schema/', import.meta.url)
const ajv = new Ajv.default({ allErrors: true, strict: true, allowUnionTypes: true, strictTypes: false })
ajv.addKeyword({ keyword: 'xmlRoot', schemaType: 'string' })
ajv.addKeyword({ keyword: 'xmlItem', schemaType: 'string' })
const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
const files = Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8'))]))
ajv.addSchema(Object.values(files))

/* Only one file knows "#/$defs/NAME"; to follow it, every part of a schema is told its file. */
const home = new Map()
function note(part, file) {
  if (!part || typeof part !== 'object') return
  home.set(part, file)
  for (const inner of Object.values(part)) note(inner, file)
}
for (const [name, file] of Object.entries(files)) note(file, name)

/** The schema file `name` (without ".json"). */
export function schema(name) {
  return files[`${name}.json`]
}

/** `part`, or what it refers to. */
export function resolved(part) {
  if (!part.$ref) return part
  const [file, path] = part.$ref.split('#')
  const start = files[file || home.get(part)]
  return resolved(path.split('/').slice(1).reduce((at, step) => at[step], start))
}

/** Sentences saying where `value` is not as the schema `name` wants it; none when it is. */
export function faults(name, value) {
  const validate = ajv.getSchema(`${name}.json`)
  if (validate(value)) return []
  const allowed = ({ allowedValues: values }) => (values ? ` (${values.join(', ')})` : '')
  return validate.errors.map((e) => `${e.instancePath || 'the answer'} ${e.message}${allowed(e.params)}`)
}

function* walk(value, given, path) {
  const part = resolved(given)
  if (Array.isArray(value) && part.items) for (const [i, inner] of value.entries()) yield* walk(inner, part.items, `${path}/${i}`)
  else if (value && typeof value === 'object' && part.properties) {
    yield { path, value, properties: part.properties }
    for (const [name, inner] of Object.entries(value)) if (part.properties[name]) yield* walk(inner, part.properties[name], `${path}/${name}`)
  }
}

/** Members in `value` that the schema `name` does not know: ["/0/colour"]. */
export function foreign(name, value) {
  return [...walk(value, schema(name), '')].flatMap(({ path, value: at, properties }) =>
    Object.keys(at).filter((key) => !(key in properties)).map((key) => `${path}/${key}`))
}

/** Members that the schema `name` knows and that `value` leaves out altogether. */
export function missing(name, value, except = []) {
  return [...walk(value, schema(name), '')].flatMap(({ path, value: at, properties }) =>
    Object.keys(properties).filter((key) => !(key in at) && !except.includes(key)).map((key) => `${path}/${key}`))
}

const nothing = (value) => value === null || value === undefined || value === '' || (Array.isArray(value) && !value.length)

/** Where JSON and XML say something else, as a sentence; null when they say the same.  Absent, null and empty are the same. */
export function difference(json, xml, path = '') {
  if (nothing(json) && nothing(xml)) return null
  const where = path || 'the answer'
  if (nothing(json) || nothing(xml)) return `${where}: JSON has ${JSON.stringify(json) ?? 'nothing'}, XML ${JSON.stringify(xml) ?? 'nothing'}`
  if (Array.isArray(json) !== Array.isArray(xml)) return `${where} is a list in one format only`
  if (Array.isArray(json) && json.length !== xml.length) return `${where} has ${json.length} entries in JSON and ${xml.length} in XML`
  if (typeof json === 'object' && typeof xml === 'object') {
    for (const key of new Set([...Object.keys(json), ...Object.keys(xml)])) {
      const found = difference(json[key], xml[key], `${path}/${key}`)
      if (found) return found
    }
    return null
  }
  const plain = (value) => String(value).replace(/\r\n?/g, '\n').trim()
  const same = typeof json === 'number' ? json === Number(xml) : plain(json) === plain(xml)
  return same ? null : `${where}: JSON has ${JSON.stringify(json)}, XML ${JSON.stringify(xml)}`
}
