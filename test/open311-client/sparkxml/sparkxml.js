/* parseXml(text) by the Spark convention: an element whose children all have one name is a list of them, one whose children
 * have different names an object, one without children its text, as a number or boolean when it looks like one; empty is null. */
'use strict'
const { XMLParser } = require('fast-xml-parser')

const parser = new XMLParser({ preserveOrder: true, trimValues: false, parseTagValue: false, htmlEntities: true })
const nameOf = (node) => Object.keys(node).find((key) => key !== ':@')

function leaf(text) {
  if (text === '') return null
  if (text.trim() !== '' && !Number.isNaN(Number(text))) return Number(text)
  return { true: true, false: false }[text.toLowerCase()] ?? text
}

function convert(inside) {
  const children = inside.filter((node) => !('#text' in node))
  if (!children.length) return leaf(inside.map((node) => node['#text']).join(''))
  const names = new Set(children.map(nameOf))
  const values = children.map((node) => convert(node[nameOf(node)]))
  return names.size === 1 || names.size < children.length ? values : Object.fromEntries(children.map((node, i) => [nameOf(node), values[i]]))
}

exports.parseXml = (text) => {
  const root = parser.parse(text).find((node) => !nameOf(node).startsWith('?'))
  return convert(root[nameOf(root)])
}
