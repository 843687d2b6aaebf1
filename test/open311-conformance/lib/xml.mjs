/* XML as strictly as the standard of XML wants it, and its one mapping to the values that JSON gives.
 *
 * The mapping (Spark convention, made unambiguous by the schema): the root element stands for the whole value; an element
 * that the schema calls a list holds one child element for each entry (named by "xmlItem"); an element that the schema calls
 * an object holds one child element for each member; any other element holds text.  Text of a number or boolean becomes one
 * when it is written as one, and stays text otherwise, so that the schema refuses it.  An empty element is null. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { resolved } from './schemas.mjs'

const PREDEFINED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const ILLEGAL = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
const parser = new XMLParser({
  preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '', trimValues: false, parseTagValue: false,
  parseAttributeValue: false, processEntities: false, cdataPropName: '#cdata',
})

/** The declaration at the head of `text`: {encoding}, or null when there is none. */
export function declaration(text) {
  const found = /^<\?xml\s+version\s*=\s*["']1\.[01]["'](\s+encoding\s*=\s*["']([A-Za-z][\w.-]*)["'])?[^?]*\?>/.exec(text)
  return found && { encoding: found[2] ?? null }
}

/** Throws a sentence when `text` is not well-formed, in ways that the parser would let pass. */
function checkMore(text) {
  const at = text.search(ILLEGAL)
  if (at >= 0) throw new Error(`the character U+${text.codePointAt(at).toString(16).padStart(4, '0')} may not stand in XML`)
  if (text.includes('<!DOCTYPE')) throw new Error('it has a document type, which clients of this standard do not read')
  const bare = text.replace(/<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, '')
  const stray = /&(?!(amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)[^;\s<]{0,20};?/.exec(bare)
  if (stray) throw new Error(`"${stray[0]}" is no reference that XML knows`)
  if (/>[^<]*\]\]>/.test(bare)) throw new Error('"]]>" stands in text')
}

function decode(text) {
  return text.replace(/\r\n?/g, '\n').replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, number, name) => {
    if (name) return PREDEFINED[name] ?? whole
    const character = String.fromCodePoint(parseInt(hex ?? number, hex ? 16 : 10))
    if (ILLEGAL.test(character)) throw new Error(`${whole} may not stand in XML`)
    return character
  })
}

function element(node) {
  const name = Object.keys(node).find((key) => key !== ':@')
  const inside = node[name].filter((n) => !Object.keys(n)[0].startsWith('?'))
  const text = inside.map((n) => ('#text' in n ? decode(String(n['#text'])) : '#cdata' in n ? n['#cdata'].map((c) => c['#text']).join('') : ''))
  return {
    name,
    attributes: node[':@'] ?? {},
    text: text.join(''),
    children: inside.filter((n) => !('#text' in n) && !('#cdata' in n)).map(element),
  }
}

/** The root element of `text`: {name, attributes, text, children}.  Throws a sentence when `text` is not well-formed XML. */
export function parse(text) {
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw new Error(`${valid.err.msg} (line ${valid.err.line})`)
  checkMore(text)
  const top = parser.parse(text).filter((node) => !Object.keys(node)[0].startsWith('?'))
  if (top.some((node) => String(node['#text'] ?? '').trim())) throw new Error('text stands outside the root element')
  const roots = top.filter((node) => !('#text' in node))
  if (roots.length !== 1) throw new Error(`it has ${roots.length} root elements`)
  return element(roots[0])
}

const kinds = (schema) => [schema.type ?? (schema.enum && 'string')].flat()

function scalar(node, schema) {
  const types = kinds(schema)
  const text = node.text.trim()
  if (node.children.length) return Object.fromEntries(node.children.map((child) => [child.name, value(child, {})]))
  if (!text) return null
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true'
  const number = types.includes('integer') ? /^[+-]?\d+$/ : types.includes('number') ? /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/ : null
  if (number && !types.includes('string') && number.test(text)) return Number(text)
  return node.text
}

function value(node, given) {
  const schema = resolved(given)
  if (kinds(schema).includes('array')) {
    const odd = node.children.find((child) => child.name !== schema.xmlItem)
    if (odd) throw new Error(`in <${node.name}> stands <${odd.name}>, not <${schema.xmlItem}>`)
    if (!node.children.length && node.text.trim()) throw new Error(`in <${node.name}> stands text, not <${schema.xmlItem}>`)
    return node.children.map((child) => value(child, schema.items))
  }
  if (!kinds(schema).includes('object')) return scalar(node, schema)
  const members = {}
  for (const child of node.children) {
    if (child.name in members) throw new Error(`<${child.name}> stands twice in <${node.name}>`)
    members[child.name] = value(child, schema.properties[child.name] ?? {})
  }
  return members
}

/** The value of the document `root` as the JSON of `schema` would give it.  Throws a sentence when the elements do not fit. */
export function toValue(root, schema) {
  const name = root.name.replace(/^.*:/, '')
  if (name !== schema.xmlRoot) throw new Error(`the root element is <${root.name}>, not <${schema.xmlRoot}>`)
  return value(root, schema)
}
