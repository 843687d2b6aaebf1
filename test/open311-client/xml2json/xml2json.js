/* toJson(text, {object: true}): elements as members of objects, text as strings, empty elements as empty objects. */
'use strict'
const { XMLParser } = require('fast-xml-parser')

const parser = new XMLParser({ parseTagValue: false, ignoreDeclaration: true, tagValueProcessor: (name, text) => text })
const emptyAsObject = (value) => (value === '' ? {} : typeof value !== 'object' ? value
  : Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, emptyAsObject(inner)])))

exports.toJson = (text, options) => {
  const value = emptyAsObject(parser.parse(text))
  return options && options.object ? value : JSON.stringify(value)
}
