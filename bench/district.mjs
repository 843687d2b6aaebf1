// bench/district.mjs: a district in bench/out, its server, its reports, and the load upon them.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(path.join(path.dirname(fileURLToPath(import.meta.url)), '..'));
export const OUT = path.resolve('bench/out');
export const PG = process.env.YIWANG_TEST_PG;
export const CONNECTIONS = 64, READERS = 16;
export const say = (text) => process.stdout.write(text + '\n');
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };

// A number from the environment; none said: otherwise.
export function number_from(name, otherwise) {
        const value = Number(process.env[name] || otherwise);
        if (!Number.isInteger(value) || value < 1)
                throw new Error(`${name} must be a whole number from 1, not "${process.env[name]}"`);
        return value;
}

export const last_line = (command, args, more = {}) =>
        JSON.parse(execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...more }).toString().trim().split('\n').pop());

// --- PostgreSQL --------------------------------------------------------------------------------------------------
export function psql(sql, url = PG) {
        return execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql, url],
                { env: { ...process.env, PGOPTIONS: '-c client_min_messages=warning' } }).toString().trim();
}

// Makes an empty database at the server of YIWANG_TEST_PG; its address.
export function new_database(name) {
        drop_database(name);
        psql(`CREATE DATABASE "${name}"`);
        const url = new URL(PG);
        url.pathname = `/${name}`;
        return url.href;
}

export function drop_database(name) {
        psql(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
}

export const postmaster = () => Number(psql("SELECT pg_read_file('postmaster.pid')").split('\n')[0]);

// --- the district -----------------------------------------------------------------------------------------------
// store: address of a PostgreSQL database, or null for SQLite in the district's folder.
export function init(name, store = null) {
        const data = path.join(OUT, name), program = path.resolve('build/yiwang');
        fs.rmSync(data, { recursive: true, force: true });
        const more = store ? ['--store', store] : [];
        execFileSync(program, ['init', '--pack', 'packs/pingshan', '--demo', data, ...more], quiet);
        return { ...opened(data), store, more };
}

export function opened(data) {
        return { data, store: null, more: [], program: path.resolve('build/yiwang'),
                 demo: JSON.parse(fs.readFileSync(path.join(data, 'demo.json'), 'utf8')) };
}

// So many made-up cases, all open; one in fifty is late, the others fall due in the year to come.  (Were all of them from the last year,
// all would be late, and the server would first have to run a timer for each.)
export function fill(district, cases) {
        const late = Math.ceil(cases / 50), later = new Date(Date.now() + 400 * 86400000).toISOString().slice(0, 10);
        const demo = (n, ...more) => execFileSync(district.program, ['demo', String(n), '--data', district.data, ...more, ...district.more],
                { stdio: ['ignore', 'ignore', 'ignore'] });
        if (cases > 0) {
                demo(late, '--seed', String(2 * cases));
                demo(cases - late, '--seed', String(2 * cases + 1), '--until', later);
        }
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
        process.on(signal, () => process.exit(1));

// Starts a program that serves; it ends with us at the latest.  It is up when what it says matches `ready`, or, where it says nothing
// (ready is null), when its port takes connections.
export async function start(program, args, ready, options = {}, port = 0) {
        const log = fs.openSync(path.join(OUT, 'server.log'), 'a');
        const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', log] });
        fs.closeSync(log);
        let said = '', ended = false;
        running.add(child);
        const end = new Promise((resolve) => child.on('close', () => { running.delete(child); ended = true; resolve(); }));
        child.stdout.on('data', (bytes) => { said += bytes; });
        child.on('error', (e) => { said = String(e); ended = true; });
        const is_up = async () => (ready ? ready.test(said) : takes_connections(port));
        for (let i = 0; i < 1200 && !ended && !await is_up(); i++)
                await sleep(50);
        if (ended || !await is_up())
                throw new Error(`${program} did not start: see bench/out/server.log ${said}`);
        return { pid: child.pid, said: () => said, stop: () => { child.kill('SIGTERM'); return end; } };
}

function takes_connections(port) {
        return new Promise((resolve) => {
                const probe = connect(port, '127.0.0.1', () => { probe.destroy(); resolve(true); }).on('error', () => resolve(false));
        });
}

export async function serve(district) {
        const ready = /listening on http:\/\/[^:]+:(\d+)/;
        const server = await start(district.program, ['serve', '--data', district.data, '--port', '0', ...district.more], ready);
        return { ...server, port: Number(ready.exec(server.said())[1]), pids: district.store ? [server.pid, postmaster()] : [server.pid] };
}

export async function fetch_json(server, address, key, options = {}) {
        const headers = { 'Content-Type': 'application/json', ...(key && { Authorization: `Bearer ${key}` }) };
        const answer = await fetch(`http://127.0.0.1:${server.port}${address}`, { ...options, headers });
        if (!answer.ok)
                throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
        return answer.json();
}

// Every page of a list, at most `most` items.
export async function all(server, address, member, key, most = Infinity) {
        const items = [], limit = member === 'cases' ? 200 : 500;
        for (let next = ''; next !== undefined && items.length < most;) {
                const part = `limit=${limit}${next ? `&after=${next}` : ''}`;
                const page = await fetch_json(server, `${address}${address.includes('?') ? '&' : '?'}${part}`, key);
                items.push(...page[member]);
                next = page.next;
        }
        return items;
}

// Key of a session of the first account with that role.
export async function log_in(server, district, role) {
        const account = district.demo.accounts.find((a) => a.role === role);
        const body = JSON.stringify({ login: account.user, password: account.password });
        return (await fetch_json(server, '/api/v1/session', null, { method: 'POST', body })).token;
}

// --- load -----------------------------------------------------------------------------------------------------------
// The same numbers from 0 to 1 for the same seed.
export function random(seed) {
        return () => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return seed / 4294967296; };
}

export const TEXT = '市民来电反映：小区东门外道路井盖破损，夜间车辆经过时噪音很大，存在安全隐患，希望有关部门尽快派人到现场查看并处理，谢谢。';

export function write_lines(name, lines) {
        const file = path.join(OUT, name);
        fs.writeFileSync(file, lines.join('\n') + '\n');
        return file;
}

// A file of n reports, spread over the items and communities.
export async function reports(server, district, n, tag) {
        const key = district.demo.channel_key, next = random(20261123);
        const items = (await all(server, '/api/v1/items', 'items', key)).filter((i) => i.leaf);
        const areas = (await all(server, '/api/v1/areas', 'areas', key)).filter((a) => a.level === 'community');
        const lines = [];
        for (let i = 0; i < n; i++) {
                const item = items[Math.floor(next() * items.length)], area = areas[Math.floor(next() * areas.length)];
                lines.push('POST /api/v1/reports ' + JSON.stringify({
                        channel: 'hotline', external_id: `${tag}-${i}`, title: `${area.name} ${item.name}`, text: TEXT,
                        item: item.code, area_code: area.code,
                        urgency: next() < 0.1 ? 'urgent' : 'ordinary', address: `${area.name}第${i % 300}号`,
                        reporter: { name: '李女士', phone: `139${String(10000000 + i).slice(0, 8)}`, confidential: next() < 0.1 },
                }));
        }
        return write_lines(`${tag}.txt`, lines);
}

// Starts to send the requests of a file; .result is what bench_load prints.  scheme: the word before the key in the header
// Authorization.  With a rate, so many a second are sent until .stop().
export function start_load(port, key, connections, file, { scheme = 'Bearer', rate } = {}) {
        const args = [String(port), `${scheme} ${key}`, String(connections), file, ...(rate ? [String(rate)] : [])];
        const child = spawn('build/bench_load', args, { stdio: [rate ? 'pipe' : 'ignore', 'pipe', 'inherit'] });
        let out = '';
        running.add(child);
        child.stdout.on('data', (bytes) => { out += bytes; });
        const result = new Promise((resolve, reject) => child.on('close', (code) => {
                running.delete(child);
                return code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`bench_load failed ${out}`));
        }));
        return { result, stop: () => { child.stdin.destroy(); return result; } };
}

export const load = (port, key, connections, file, options) => start_load(port, key, connections, file, options).result;

export function print_table(rows) {
        const names = Object.keys(rows[0]);
        const widths = names.map((n) => Math.max(n.length, ...rows.map((r) => String(r[n]).length)));
        const line = (cells) => cells.map((c, i) => String(c).padStart(widths[i])).join('  ');
        say(line(names));
        rows.forEach((r) => say(line(names.map((n) => r[n]))));
        say('');
}

// --- numbers ---------------------------------------------------------------------------------------------------------
export const rounded = (x, digits) => Number(x.toFixed(digits));

// The one in the middle by member name.
export const median = (runs, name) => [...runs].sort((a, b) => a[name] - b[name])[Math.floor(runs.length / 2)];
