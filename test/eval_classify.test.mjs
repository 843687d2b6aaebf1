/* yiwang eval classify: what it prints can be believed, and what it refuses is named. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from './lib.mjs'

const WORDS = {
  '环境/噪声': ['工地半夜施工', '打桩声很响', '广场舞音响', '吵得睡不着', '机器轰鸣', '噪音扰民'],
  '环境/污水': ['河水发黑', '污水直排', '臭气难闻', '排污口冒泡', '死鱼漂浮', '油污满地'],
  '交通/停车': ['乱停车', '占用盲道', '僵尸车', '停车收费', '车位被占', '违停没人管'],
}
const LABELS = Object.keys(WORDS)

function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'yiwang-eval-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return (name, rows) => {
    const file = join(made, name)
    writeFileSync(file, !Array.isArray(rows) ? rows : `title,detail,label\n${rows.map((r) => r.map((c) => `"${c}"`).join(',')).join('\n')}\n`)
    return file
  }
}
function rows(n, seed, wrong = 0) {
  let x = seed
  const random = (m) => (x = (x * 48271) % 2147483647) % m
  return Array.from({ length: n }, (_, i) => {
    const label = LABELS[i % LABELS.length], pick = () => WORDS[label][random(6)]
    return [pick(), `${pick()}，${pick()}，编号${random(1e6)}`, random(100) < wrong ? LABELS[random(3)] : label]
  })
}
const run = (...words) => spawnSync(PROGRAM, ['eval', 'classify', ...words], { encoding: 'utf8', env: { ...process.env, LANG: 'C.UTF-8' } })
const json = (...words) => {
  const done = run(...words, '--json')
  assert.equal(done.status, 0, done.stderr)
  return JSON.parse(done.stdout)
}

test('learns from one file and is judged by another', (t) => {
  const put = folder(t)
  const s = json('--train', put('a.csv', rows(300, 5)), '--test', put('b.csv', rows(90, 77)), '--text', 'title,detail', '--label', 'label')
  assert.equal(s.n, 90)
  assert.ok(s.accuracy > 0.97 && s.macro_f1 > 0.97 && s.ece < 0.1, JSON.stringify(s))
  assert.ok(s.accuracy_low <= s.accuracy && s.accuracy <= s.accuracy_high + 1e-9)
  assert.ok(s.macro_f1_low <= s.macro_f1 && s.macro_f1 <= s.macro_f1_high + 1e-9)
  assert.ok(s.coverage_at_precision['0.95'] > 0.9)
  assert.equal(s.unknown_labels, 0)
  assert.ok(s.us_per_text > 0 && s.train_s > 0)
  const of = s.per_class['环境/噪声']
  assert.equal(of.n, 30)
  assert.ok(Math.abs(of.f1 - (2 * of.precision * of.recall) / (of.precision + of.recall)) < 1e-9)
  assert.equal(s.reliability.reduce((sum, b) => sum + b.n, 0), 90)
})

test('where labels are wrong now and then it is not surer than it may be', (t) => {
  const put = folder(t)
  const s = json('--train', put('a.csv', rows(900, 5, 30)), '--folds', '3', '--text', 'detail')
  assert.equal(s.n, 900)
  assert.ok(s.accuracy > 0.72 && s.accuracy < 0.9, String(s.accuracy))
  assert.ok(s.ece < 0.06, String(s.ece))
  const plain = json('--train', put('a.csv', rows(900, 5, 30)), '--folds', '3', '--text', 'detail', '--plain')
  assert.ok(Math.abs(plain.accuracy - s.accuracy) < 0.1)
})

test('a label that was never learned counts as wrong, and is counted', (t) => {
  const put = folder(t)
  const strange = [...rows(9, 3), ['海豚搁浅', '海豚搁浅在沙滩', '海洋']]
  const s = json('--train', put('a.csv', rows(300, 5)), '--test', put('b.csv', strange), '--text', 'detail')
  assert.deepEqual([s.n, s.unknown_labels, s.per_class['海洋'].recall], [10, 1, 0])
})

test('a table to read, in both languages', (t) => {
  const put = folder(t), file = put('a.csv', rows(120, 5))
  assert.match(run('--train', file, '--folds', '2', '--text', 'detail').stdout, /macro F1: /)
  assert.match(run('--train', file, '--folds', '2', '--text', 'detail', '--language', 'zh').stdout, /宏平均F1：/)
})

test('what it refuses', (t) => {
  const put = folder(t), file = put('a.csv', rows(60, 5))
  const refused = (pattern, ...words) => {
    const done = run(...words)
    assert.notEqual(done.status, 0)
    assert.match(done.stderr, pattern)
  }
  refused(/--train/, '--folds', '2')
  refused(/--test FILE or --folds/, '--train', file)
  refused(/--test FILE or --folds/, '--train', file, '--test', file, '--folds', '2')
  refused(/no column "nothing"/, '--train', file, '--folds', '2', '--text', 'nothing')
  refused(/no column "kind"/, '--train', file, '--folds', '2', '--text', 'detail', '--label', 'kind')
  refused(/cannot be read/, '--train', '/nowhere.csv', '--folds', '2')
  refused(/no row with a label/, '--train', put('e.csv', 'detail,label\n'), '--folds', '2', '--text', 'detail')
  refused(/at least two classes/, '--train', put('o.csv', 'detail,label\n噪音,甲\n吵,甲\n'), '--test', file, '--text', 'detail')
  refused(/not in UTF-8/, '--train', put('g.csv', Buffer.from([0x64, 0x65, 0x0a, 0xff, 0xfe])), '--folds', '2', '--text', 'detail')
  refused(/--folds/, '--train', file, '--folds', '1', '--text', 'detail')
})
