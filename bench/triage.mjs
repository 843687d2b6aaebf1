// bench/triage.mjs: intake of free texts while the machine reads them (item, urgency, place, time, same matter, topics), beside the same
// intake while it does not, on one SQLite store as it grows.  What the server does by itself is counted too: the processor time "in all"
// is taken when it has nothing left to do.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { parseCsv } from '../tools/csv.mjs';
import { CONNECTIONS, all, fill, init, load, median, number_from, opened, random, rounded, serve, write_lines } from './district.mjs';
import { idle, under } from './intake.mjs';
import { cpu_ms, memory_mb } from './process.mjs';

const SIZES = (process.env.BENCH_SIZES || '10000,100000').split(',').map(Number).sort((a, b) => a - b);
const RUN = number_from('BENCH_RUN', 10000), RUNS = 3, WARM = 2000, ALONE = 1000;
// A folder that was filled before, with BENCH_SIZES cases and a model: measured as it is, and written to.
const FILLED = process.env.BENCH_FILLED;

// Messages as people wrote them, from CSV files with the columns detail and perhaps subject (BENCH_TEXTS, commas between the files);
// without one, texts that are made up of the items' names.
async function texts_of(server, district) {
        if (process.env.BENCH_TEXTS)
                return process.env.BENCH_TEXTS.split(',').flatMap((file) => parseCsv(fs.readFileSync(file, 'utf8')))
                        .map((m) => ({ title: m.subject, text: m.detail.trim() })).filter((m) => m.text.length > 0);
        const key = district.demo.channel_key, items = (await all(server, '/api/v1/items', 'items', key)).filter((i) => i.leaf);
        return items.map((i) => ({ text: `您好，我们小区门口从昨晚十一点左右开始${i.name}，一直没有人管，老人小孩都很受影响，希望有关部门尽快来处理。` }));
}

// Makes files of n reports without item, every other one with an area.
export async function free_texts(server, district, tag) {
        const texts = await texts_of(server, district);
        const areas = (await all(server, '/api/v1/areas', 'areas', district.demo.channel_key)).filter((a) => a.level === 'community');
        return (n, name) => {
                const next = random(20261130), lines = [];
                for (let i = 0; i < n; i++) {
                        const { title, text } = texts[Math.floor(next() * texts.length)], area = areas[Math.floor(next() * areas.length)];
                        lines.push('POST /api/v1/reports ' + JSON.stringify({
                                channel: 'hotline', external_id: `${tag}-${name}-${i}`, ...(title && { title: title.slice(0, 100) }),
                                text: text.slice(0, 3000), ...(i % 2 && { area_code: area.code }),
                                reporter: { phone: `139${String(10000000 + i).slice(0, 8)}` },
                        }));
                }
                return write_lines(`${tag}-${name}.txt`, lines);
        };
}

// RUNS loads and a quiet one, one report at a time, with the setting triage = yes or no.
async function with_triage(district, size, word) {
        const server = await serve({ ...district, more: [...district.more, '--triage', word] }), key = district.demo.channel_key;
        const file = await free_texts(server, district, `triage-${size}-${word}`);
        await idle(server);
        await load(server.port, key, CONNECTIONS, file(WARM, 'warm'));
        const runs = [];
        for (let i = 0; i < RUNS; i++) {
                await idle(server);
                const before = cpu_ms(server.pids), run = await under(server, key, CONNECTIONS, file(RUN, i));
                await idle(server);
                runs.push({ ...run, all_ms: (cpu_ms(server.pids) - before) / RUN });
        }
        const alone = await load(server.port, key, 1, file(ALONE, 'alone')), r = median(runs, 'rate');
        await idle(server);
        const rss_mb = memory_mb([server.pid]);
        await server.stop();
        return { rate: r.rate, p50_ms: r.p50_ms, p99_ms: r.p99_ms, cpu_ms: r.cpu_ms, all_ms: rounded(median(runs, 'all_ms').all_ms, 3),
                 alone_ms: alone.p50_ms, rss_mb };
}

export async function triage() {
        const district = FILLED ? opened(FILLED) : init('triage'), rows = [], taken = 2 * (WARM + RUNS * RUN + ALONE);
        for (let i = 0, held = FILLED ? SIZES[0] : 0; i < SIZES.length; held = SIZES[i++] + taken) {
                fill(district, SIZES[i] - held);
                if (i === 0 && !FILLED)
                        execFileSync(district.program, ['train', '--data', district.data], { stdio: 'ignore' });
                const off = await with_triage(district, SIZES[i], 'no'), on = await with_triage(district, SIZES[i], 'yes');
                rows.push({ cases: SIZES[i], off, on, added_cpu_ms: rounded(on.all_ms - off.all_ms, 3),
                            added_ms: rounded(on.alone_ms - off.alone_ms, 3), ratio: rounded(on.rate / off.rate, 3) });
        }
        return rows;
}

export const triage_lines = (rows) => rows.flatMap(({ cases, off, on, ...rest }) => [
        { cases, triage: 'no', ...off, ratio: '', added_cpu_ms: '', added_ms: '' },
        { cases, triage: 'yes', ...on, ratio: rest.ratio, added_cpu_ms: rest.added_cpu_ms, added_ms: rest.added_ms }]);
