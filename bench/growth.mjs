// bench/growth.mjs: intake and reads while a SQLite store holds so many cases, in the same state at each size: filled by `yiwang demo`;
// what the server does by itself after that done (timers of late cases, notices); the WAL moved into the file; a fresh server; 2,000
// reports to warm it up.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { CONNECTIONS, OUT, READERS, fill, init, log_in, median, number_from, opened, print_table, reports, rounded, say, serve, start_load }
        from './district.mjs';
import { idle, under } from './intake.mjs';
import { kinds_of_reads } from './reads.mjs';
import { memory_mb } from './process.mjs';

const SIZES = (process.env.BENCH_SIZES || '10000,100000').split(',').map(Number).sort((a, b) => a - b);
const RUN = number_from('BENCH_RUN', 10000), RUNS = 3, WARM = 2000;
const READS = number_from('BENCH_READS', 2000), SECONDS_A_KIND = 15;
const INTAKE_RATE = number_from('BENCH_INTAKE_RATE', 300); // reports a second while reads are measured
// A folder that was filled before, with BENCH_SIZES cases: measured as it is, and written to.
const FILLED = process.env.BENCH_FILLED;
const GIB = 2 ** 30;

// Room on the disk for the largest store with its WAL, or an error; bytes_a_case: as measured before, 8 KiB to begin with.
function check_room(cases, bytes_a_case = 8192) {
        const free = Number(execFileSync('df', ['--output=avail', '-B1', OUT]).toString().split('\n')[1]);
        const need = cases * bytes_a_case * 1.1 + 2 * GIB, gib = (n) => (n / GIB).toFixed(1);
        say(`${cases} more cases: about ${gib(need)} GiB of disk are needed, ${gib(free)} GiB are free`);
        if (need > free)
                throw new Error(`the disk has too little room for ${cases} more cases: free some, or choose smaller BENCH_SIZES`);
}

const bytes = (district) => ['', '-wal'].reduce((sum, end) => {
        const file = path.join(district.data, 'yiwang.db' + end);
        return sum + (fs.existsSync(file) ? fs.statSync(file).size : 0);
}, 0);

// Fewer requests where one takes long, so that a kind of read takes no more than some seconds.
async function read_kind(server, key, kind) {
        const probe = await under(server, key, READERS, await kind.lines(2 * READERS));
        const n = Math.max(2 * READERS, Math.min(READS, Math.round(probe.rate * SECONDS_A_KIND)));
        return under(server, key, READERS, await kind.lines(n));
}

async function reads(server, district, size) {
        const key = await log_in(server, district, 'dispatcher'), kinds = await kinds_of_reads(server, key), table = [];
        for (const kind of kinds)
                table.push({ kind: kind.name, alone: await read_kind(server, key, kind) });
        const seconds = Math.ceil(kinds.length * (SECONDS_A_KIND + 2));
        const file = await reports(server, district, INTAKE_RATE * seconds, `beside-${size}`);
        const beside = start_load(server.port, district.demo.channel_key, READERS, file, { rate: INTAKE_RATE });
        for (const [i, kind] of kinds.entries())
                table[i].beside = await read_kind(server, key, kind);
        const taken = await beside.stop();
        return { table, taken };
}

async function one_size(district, held, size) {
        const filled = Date.now();
        fill(district, size - held);
        const fill_s = Math.round((Date.now() - filled) / 1000), first = await serve(district), settle_s = await idle(first);
        await first.stop();
        const file_bytes = bytes(district), at = Math.max(held, size), server = await serve(district), key = district.demo.channel_key;
        await idle(server);
        await under(server, key, CONNECTIONS, await reports(server, district, WARM, `warm-${size}`));
        const runs = [];
        for (let i = 0; i < RUNS; i++)
                runs.push(await under(server, key, CONNECTIONS, await reports(server, district, RUN, `growth-${size}-${i}`)));
        const r = median(runs, 'rate');
        await idle(server);
        const { table, taken } = await reads(server, district, size);
        const row = { cases: at, rate: r.rate, p50_ms: r.p50_ms, p99_ms: r.p99_ms, cpu_ms: r.cpu_ms,
                      beside_p99_ms: taken.p99_ms, rss_mb: memory_mb([server.pid]), file_mb: Math.round(file_bytes / 2 ** 20),
                      bytes_per_case: Math.round(file_bytes / at), fill_s, settle_s };
        await server.stop();
        return { row, reads: table, held: at + WARM + RUNS * RUN + taken.requests };
}

export function print_reads(size, table) {
        const cells = (r) => ({ 'p50 ms': r.p50_ms, 'p99 ms': r.p99_ms, 'CPU ms': r.cpu_ms });
        say(`reads with ${size} cases, ${READERS} connections, pages of 50: alone | while ${INTAKE_RATE} reports a second come in`);
        print_table(table.map(({ kind, alone, beside }) => ({ kind, ...cells(alone), '|': '|', 'p50': beside.p50_ms, 'p99': beside.p99_ms,
                                                              'CPU (with intake)': beside.cpu_ms })));
}

export async function growth() {
        if (SIZES.some((size) => !Number.isInteger(size) || size < 1))
                throw new Error('BENCH_SIZES needs whole numbers with commas, such as 10000,100000');
        if (!FILLED)
                check_room(SIZES[SIZES.length - 1]);
        const district = FILLED ? opened(FILLED) : init('growth'), rows = [], reads_at = {};
        for (let i = 0, held = FILLED ? SIZES[0] : 0; i < SIZES.length; i++) {
                const before = Date.now(), done = await one_size(district, held, SIZES[i]);
                rows.push(done.row);
                reads_at[done.row.cases] = done.reads;
                held = done.held;
                print_reads(done.row.cases, done.reads);
                say(`(${Math.round((Date.now() - before) / 1000)} s for this size)\n`);
                if (i + 1 < SIZES.length)
                        check_room(SIZES[i + 1] - held, done.row.bytes_per_case);
        }
        say(`growth (SQLite): the median of ${RUNS} runs of ${RUN} reports, ${CONNECTIONS} connections`);
        print_table(rows.map((r) => ({ ...r, rate: rounded(r.rate, 0) })));
        return { rows, reads: reads_at };
}
