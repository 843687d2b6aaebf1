// bench/intake.mjs: intake over HTTP beside a bare loop that inserts the same rows; lists and reads of what was taken in.
import fs from 'node:fs';
import path from 'node:path';
import { CONNECTIONS, OUT, PG, READERS, drop_database, init, last_line, load, log_in, new_database, number_from, reports, rounded, serve, sleep }
        from './district.mjs';
import { list_lines, read_lines } from './reads.mjs';
import { cpu_ms, memory_mb } from './process.mjs';

const CASES = number_from('BENCH_CASES', 20000), READS = number_from('BENCH_READS', 2000), WARM = 2000;
const DATABASE = 'yiwang_bench_intake';

// The load's figures with the processor time for each request: of the server, and of PostgreSQL's processes.
export async function under(server, key, connections, file) {
        const before = server.pids.map((pid) => cpu_ms([pid]));
        const r = await load(server.port, key, connections, file);
        const [own, database = 0] = server.pids.map((pid, i) => (cpu_ms([pid]) - before[i]) / r.requests);
        return { rate: r.rate, p50_ms: r.p50_ms, p99_ms: r.p99_ms, cpu_ms: rounded(own, 3), database_cpu_ms: rounded(database, 3) };
}

// Waits until the server has nothing left to do by itself; the seconds that took.
export async function idle(server) {
        const began = Date.now();
        for (let quiet = 0, before = cpu_ms(server.pids); quiet < 3;) {
                await sleep(1000);
                const now = cpu_ms(server.pids);
                quiet = now - before <= 30 ? quiet + 1 : 0;
                before = now;
        }
        return Math.round((Date.now() - began) / 1000);
}

function bare(engine, store, district) {
        const to = path.join(OUT, 'bare.db'), rid = () => ['', '-wal', '-shm'].forEach((end) => fs.rmSync(to + end, { force: true }));
        rid();
        const args = engine === 'postgres' ? ['postgres', store] : ['sqlite', path.join(district.data, 'yiwang.db'), to];
        const raw = last_line('build/bench_bare', args);
        rid();
        return raw;
}

// engine: sqlite, or postgres at the server of YIWANG_TEST_PG.
export async function intake(engine) {
        const store = engine === 'postgres' ? new_database(DATABASE) : null, district = init(`intake-${engine}`, store);
        const server = await serve(district), key = district.demo.channel_key;
        await load(server.port, key, CONNECTIONS, await reports(server, district, WARM, `warm-${engine}`));
        await idle(server); // what it does once, such as training its first model, is over
        const ours = await under(server, key, CONNECTIONS, await reports(server, district, CASES, `intake-${engine}`));
        const staff = await log_in(server, district, 'dispatcher');
        const list = await under(server, staff, READERS, await list_lines(server, staff, READS));
        const read = await under(server, staff, READERS, await read_lines(server, staff, READS));
        const memory = memory_mb([server.pid]);
        await server.stop();
        const raw = bare(engine, store, district);
        if (store)
                drop_database(DATABASE);
        return { ...ours, raw: raw.rate, ratio: rounded(ours.rate / raw.rate, 3), rows_per_case: rounded(raw.rows / raw.cases, 1),
                 rss_mb: memory, list, read };
}

export const engines = PG ? ['sqlite', 'postgres'] : ['sqlite'];
