// bench/moves.mjs: moves over HTTP beside one loop that writes the same rows; timers that fall due beside the same.
import fs from 'node:fs';
import path from 'node:path';
import { CONNECTIONS, OUT, all, drop_database, init, last_line, load, log_in, new_database, number_from, reports, rounded, serve, write_lines }
        from './district.mjs';
import { under } from './intake.mjs';

const CASES = number_from('BENCH_MOVED', 5000), WAITING = number_from('BENCH_TIMERS', 1000000), DUE = number_from('BENCH_TIMERS_DUE', 100000);
const DATABASE = 'yiwang_bench_moves';

// Every case is signed for, then its handling begun: two moves each.
export async function moves(engine) {
        const store = engine === 'postgres' ? new_database(DATABASE) : null, district = init(`moves-${engine}`, store);
        const server = await serve(district);
        await load(server.port, district.demo.channel_key, CONNECTIONS, await reports(server, district, CASES, `moves-${engine}`));
        const key = await log_in(server, district, 'admin');
        const numbers = (await all(server, '/api/v1/cases?state=dispatched', 'cases', key, CASES)).map((c) => c.number);
        const file = write_lines(`moves-${engine}.txt`, ['sign', 'handle'].flatMap((move) =>
                numbers.map((n) => `POST /api/v1/cases/${n}/moves ${JSON.stringify({ move })}`)));
        const ours = await under(server, key, CONNECTIONS, file);
        await server.stop();
        const dsn = store ?? `sqlite:${path.join(district.data, 'yiwang.db')}`;
        const raw = last_line('build/bench_raw_moves', [dsn, String(2 * numbers.length)]);
        if (store)
                drop_database(DATABASE);
        return { moves: 2 * numbers.length, ...ours, raw: raw.rate, ratio: rounded(ours.rate / raw.rate, 3) };
}

// In a store of its own: WAITING timers wait, DUE fall due within a minute; then DUE at once.
export function timers(engine) {
        const name = 'yiwang_bench_timers', file = path.join(OUT, 'timers.db'), rid = () => ['', '-wal', '-shm'].forEach((end) => fs.rmSync(file + end, { force: true }));
        rid();
        const dsn = engine === 'postgres' ? new_database(name) : `sqlite:${file}`;
        const measured = last_line('build/bench_timers', [dsn, String(WAITING), String(DUE)]);
        rid();
        if (engine === 'postgres')
                drop_database(name);
        return measured;
}
