// tools/csv.mjs -- CSV (RFC 4180) to objects and back, for the tools of this folder.

export function parseCsv(text) {
  const rows = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  cell.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (!match)
      throw new Error(`line ${rows.length}: not CSV`);
    rows.at(-1).push(match[1]?.replaceAll('""', '"') ?? match[2]);
    if (match[3] !== ',' && cell.lastIndex < text.length)
      rows.push([]);
  }
  const [header, ...records] = rows;
  return records.map(r => Object.fromEntries(header.map((name, i) => [name, r[i] ?? ''])));
}

const quoted = value => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

export function writeCsv(columns, records) {
  return [columns, ...records.map(r => columns.map(c => r[c] ?? ''))].map(row => row.map(quoted).join(',') + '\n').join('');
}
