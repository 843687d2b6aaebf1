// bench/run: prints tables, writes bench/out/latest.json.
//
// BENCH_PARTS=intake,moves,lookups,growth,triage,rival    (all) intake: over HTTP beside a bare loop that inserts the same rows, on SQLite and on
//                          PostgreSQL (YIWANG_TEST_PG); moves: the same for moves, and timers that fall due; lookups: in memory, beside GEOS; growth: intake and reads as the store grows;
//                          triage: free texts, read by the machine beside not read, as the store grows;
//                          rival: Request Tracker under the same load (see rival_rt.mjs)
// BENCH_SIZES=10000,100000 cases in the store, for growth and triage; the disk must hold them
// BENCH_CASES=20000        reports of the intake part          BENCH_RUN=10000          reports of one of growth's or triage's three runs
// BENCH_TEXTS=FILE,FILE    CSV with detail and perhaps subject, for triage
// BENCH_MOVED=5000        cases that are moved, twice each         BENCH_TIMERS=1000000, BENCH_TIMERS_DUE=100000 within a minute
// BENCH_READS=2000         requests for each kind of read      BENCH_INTAKE_RATE=300    reports a second while reads are measured
// BENCH_TICKETS=200        tickets of the rival's run
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CONNECTIONS, OUT, PG, init, last_line, print_table, rounded, say } from './district.mjs';
import { engines, intake } from './intake.mjs';
import { moves, timers } from './moves.mjs';
import { growth } from './growth.mjs';
import { triage, triage_lines } from './triage.mjs';
import { rival_rt } from './rival_rt.mjs';

const PARTS = ['intake', 'moves', 'lookups', 'growth', 'triage', 'rival'];
const result = { date: new Date().toISOString(), machine: { processor: os.cpus()[0].model, cores: os.cpus().length,
                                                            memory_mb: Math.round(os.totalmem() / 2 ** 20), load: rounded(os.loadavg()[0], 1) },
                 intake: {}, moves: {}, timers: {}, growth: [], triage: [], rivals: {} };

const flat = ({ list, read, ...rest }) => ({ ...rest, list_p99_ms: list.p99_ms, read_p99_ms: read.p99_ms });

const parts = {
        async intake() {
                for (const engine of engines)
                        result.intake[engine] = await intake(engine);
                say(`intake: reports over HTTP, ${CONNECTIONS} connections, beside a bare loop of the same rows, 64 cases a transaction`);
                print_table(Object.entries(result.intake).map(([store, r]) => ({ store, ...flat(r) })));
        },
        async moves() {
                for (const engine of engines)
                        result.moves[engine] = await moves(engine);
                say(`moves: sign and handle over HTTP, ${CONNECTIONS} connections, beside one loop of the same rows, 64 moves a transaction`);
                print_table(Object.entries(result.moves).map(([store, r]) => ({ store, ...r })));
                for (const engine of engines)
                        result.timers[engine] = timers(engine);
                say('timers: late by, of those that fall due within a minute while others wait; then all at once, beside one loop');
                print_table(Object.entries(result.timers).map(([store, r]) => ({ store, ...r })));
        },
        lookups() {
                const looked = last_line('build/bench_lookups', [init('lookups').data]);
                result.area_lookups_per_s = looked.area_lookups_per_s;
                result.routing_per_s = looked.routing_per_s;
                result.rivals.geos_area_lookups_per_s = looked.geos_per_s;
                say(`look-ups in memory, one thread, ${looked.outlines} outlines`);
                print_table([{ 'areas/s': looked.area_lookups_per_s, 'GEOS areas/s': looked.geos_per_s,
                               ratio: (looked.area_lookups_per_s / looked.geos_per_s).toFixed(2), 'routing/s': looked.routing_per_s }]);
        },
        async growth() {
                const { rows, reads } = await growth(), last = rows[rows.length - 1];
                const p99 = (kind) => reads[last.cases].find((r) => r.kind === kind).alone.p99_ms;
                Object.assign(result, { growth: rows, reads, list_p99_ms: p99('unit'), read_p99_ms: p99('one case'), rss_mb: last.rss_mb });
        },
        async triage() {
                result.triage = await triage();
                say(`triage: free texts over HTTP, ${CONNECTIONS} connections; all_ms: processor a report until nothing is left to do; alone: one at a time`);
                print_table(triage_lines(result.triage));
        },
        async rival() {
                if (!PG)
                        return say('rival: left out, Request Tracker needs PostgreSQL (call through tools/with_postgres)');
                let rt;
                try {
                        rt = await rival_rt();
                } catch (e) {
                        result.rivals.request_tracker_error = String(e.stderr || e.message).trim().slice(0, 2000);
                        return say(`rival: Request Tracker could not be measured here: ${result.rivals.request_tracker_error}\n`);
                }
                result.intake.postgres ??= await intake('postgres');
                result.rivals.request_tracker = { ...rt, ...compared(rt, result.intake.postgres) };
                print_rival(rt, result.intake.postgres);
        },
};

const cpu = (r) => rounded(r.cpu_ms + r.database_cpu_ms, 3);

// How many of the machine's cores a load kept busy.  Where others use the machine too, the two sides may get unlike shares of it:
// then the ratio of rates says less than the ratio of processor time.
const cores = (r, cpu_ms) => (r.rate * cpu_ms / 1000).toFixed(2);

// How many times as fast, and how many times less processor time, ours is; both on PostgreSQL, its processes counted.
// The best of the rival's two runs of intake counts.
function compared(rt, ours) {
        return { ratio_rate: rounded(ours.rate / Math.max(rt.rate, rt.few.rate), 1),
                 ratio_cpu: rounded(Math.min(rt.cpu_ms, rt.few.cpu_ms) / cpu(ours), 1),
                 ratio_list_cpu: rounded(rt.list.cpu_ms / cpu(ours.list), 1), ratio_read_cpu: rounded(rt.read.cpu_ms / cpu(ours.read), 1),
                 rows_per_case: ours.rows_per_case };
}

function print_rival(rt, ours) {
        const line = (what, theirs, connections, mine) => ({
                what, connections, 'RT /s': theirs.rate, 'p50 ms': theirs.p50_ms, 'p99 ms': theirs.p99_ms, 'CPU ms': theirs.cpu_ms,
                cores: cores(theirs, theirs.cpu_ms), '|': '|', 'ours /s': mine.rate, 'p50': mine.p50_ms, 'p99': mine.p99_ms, 'CPU': cpu(mine),
                'cores ': cores(mine, cpu(mine)), '| ': '|', 'rate x': (mine.rate / theirs.rate).toFixed(1), 'CPU x': (theirs.cpu_ms / cpu(mine)).toFixed(1) });
        say(`rival: Request Tracker ${rt.version}, ${rt.server}, ${rt.workers} workers; both on PostgreSQL, whose processor time counts.`);
        say(`RT writes ${rt.rows_inserted} rows a ticket and changes ${rt.rows_updated}; ours writes ${ours.rows_per_case} rows a case.` +
            ` Memory: RT ${rt.memory_mb} MiB, ours ${ours.rss_mb} MiB, without PostgreSQL.`);
        print_table([line('file', rt, CONNECTIONS, ours), line('file', rt.few, rt.few.connections, ours),
                     line('list', rt.list, 16, ours.list), line('read', rt.read, 16, ours.read)]);
}

const asked = process.env.BENCH_PARTS ? process.env.BENCH_PARTS.split(',') : PARTS;
for (const part of asked)
        if (!PARTS.includes(part))
                throw new Error(`BENCH_PARTS: there is no part "${part}": ${PARTS.join(', ')}`);
fs.mkdirSync(OUT, { recursive: true });
fs.rmSync(path.join(OUT, 'server.log'), { force: true });
execFileSync('tools/build', ['build', 'yiwang', 'bench_load', 'bench_bare', 'bench_lookups', 'bench_raw_moves', 'bench_timers'], { stdio: ['ignore', 'ignore', 'inherit'] });
for (const part of PARTS.filter((p) => asked.includes(p)))
        await parts[part]();
fs.writeFileSync(path.join(OUT, 'latest.json'), JSON.stringify(result, null, 2) + '\n');
say('written: bench/out/latest.json');
