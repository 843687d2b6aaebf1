// bench/profile [LOAD...]: where the server's processor time goes under a load, with perf (Debian: linux-perf).
//
//   intake        reports into SQLite               list, read    pages and cases of a SQLite store
//   texts         free texts into SQLite, read by the machine (BENCH_TEXTS: see bench/run)
//   intake-pg     reports into PostgreSQL (YIWANG_TEST_PG; its processes are profiled with the server)
//
// All of them when none is named.  BENCH_CASES=20000 requests of a load, BENCH_FILL=10000 cases in the store before.
// BENCH_KEEP=yes leaves perf's recordings too, for perf report -i bench/out/profile-LOAD.data --no-inline -g caller ...
// Writes bench/out/profile-LOAD.txt and prints the head of each: shares by library, functions by their own time, and functions of
// the server by the time they and all they call take.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { CONNECTIONS, OUT, PG, READERS, drop_database, fill, init, load, log_in, new_database, number_from, reports, say, serve }
        from './district.mjs';
import { idle } from './intake.mjs';
import { cpu_ms, tree } from './process.mjs';
import { list_lines, read_lines } from './reads.mjs';
import { free_texts } from './triage.mjs';

const LOADS = ['intake', 'intake-pg', 'texts', 'list', 'read'];
const REQUESTS = number_from('BENCH_CASES', 20000), FILL = number_from('BENCH_FILL', 10000), WARM = 2000;

// What perf report says of a recording.
function report(data, ...args) {
        const text = execFileSync('perf', ['report', '-i', data, '--stdio', '-g', 'none', '--no-inline', '--percent-limit', '0.4', ...args],
                { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 }).toString();
        return text.split('\n').filter((line) => line.trim() && !line.startsWith('#')).map((line) => line.replace(/[-\s]+$/, ''));
}

async function record(pids, file, run) {
        // cpu-clock: virtual machines often have no hardware counters.
        const perf = spawn('perf', ['record', '-q', '-e', 'cpu-clock', '-F', '499', '--call-graph', 'dwarf,16384', '-o', file,
                                    '-p', pids.flatMap(tree).map((p) => p.pid).join(',')], { stdio: ['ignore', 'ignore', 'inherit'] });
        const end = new Promise((resolve) => perf.on('exit', resolve));
        const result = await run();
        perf.kill('SIGINT');
        await end;
        return result;
}

async function prepare(name, server, district) {
        await idle(server);
        if (name === 'texts') {
                const file = await free_texts(server, district, name);
                return { key: district.demo.channel_key, connections: CONNECTIONS, warm: file(WARM, 'warm'), file: file(REQUESTS, 'profile') };
        }
        if (name.startsWith('intake'))
                return { key: district.demo.channel_key, connections: CONNECTIONS,
                         warm: await reports(server, district, WARM, `warm-${name}`),
                         file: await reports(server, district, REQUESTS, `profile-${name}`) };
        const key = await log_in(server, district, 'dispatcher');
        const lines = name === 'list' ? list_lines : read_lines;
        return { key, connections: READERS, warm: await lines(server, key, WARM), file: await lines(server, key, REQUESTS) };
}

async function profile(name) {
        const store = name === 'intake-pg' ? new_database('yiwang_profile') : null;
        const district = init(`profile-${name}`, store);
        fill(district, FILL);
        const server = await serve(district), data = path.join(OUT, `profile-${name}.data`);
        const { key, connections, warm, file } = await prepare(name, server, district);
        await load(server.port, key, connections, warm);
        await idle(server);
        const before = server.pids.map((pid) => cpu_ms([pid]));
        const result = await record(server.pids, data, async () => {
                const done = await load(server.port, key, connections, file);
                await idle(server); // with what is done beside and after
                return done;
        });
        const cpu = server.pids.map((pid, i) => ((cpu_ms([pid]) - before[i]) / REQUESTS).toFixed(3));
        await server.stop();
        if (store)
                drop_database('yiwang_profile');
        const parts = [
                `${name}: ${result.requests} requests, ${connections} connections, ${FILL} cases before, ${result.rate} a second under perf,`,
                `CPU ms a request: server ${cpu[0]}${cpu[1] ? `, PostgreSQL ${cpu[1]}` : ''}`,
                '', 'by program and library', ...report(data, '--no-children', '--sort', 'comm,dso').slice(0, 16),
                '', 'functions by their own time', ...report(data, '--no-children', '--sort', 'dso,symbol').slice(0, 45),
                '', 'system calls with all they cause',
                ...report(data, '--children', '--sort', 'comm,symbol').filter((l) => /__x64_sys_/.test(l)).slice(0, 25),
                '', 'functions of the server with all they call',
                ...report(data, '--children', '--sort', 'dso,symbol').filter((l) => / yiwang .*\[\.\] [a-z]/.test(l)).slice(0, 110),
        ];
        const text = path.join(OUT, `profile-${name}.txt`);
        fs.writeFileSync(text, parts.join('\n') + '\n');
        if (process.env.BENCH_KEEP !== 'yes')
                fs.rmSync(data);
        say(parts.join('\n') + `\nwritten: ${path.relative('.', text)}\n`);
}

const asked = process.argv.slice(2);
for (const name of asked)
        if (!LOADS.includes(name))
                throw new Error(`there is no load "${name}": ${LOADS.join(', ')}`);
if (asked.includes('intake-pg') && !PG)
        throw new Error('intake-pg needs YIWANG_TEST_PG: call it through tools/with_postgres');
fs.mkdirSync(OUT, { recursive: true });
execFileSync('tools/build', ['build', 'yiwang', 'bench_load'], { stdio: ['ignore', 'ignore', 'inherit'] });
for (const name of asked.length ? asked : LOADS.filter((l) => PG || l !== 'intake-pg'))
        await profile(name);
