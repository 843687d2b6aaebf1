// bench/rival_rt: Request Tracker 5 under the load we put on ourselves.  Prints one line of JSON.
//
// RT is taken from Debian's packages, which are unpacked into bench/out/rt and never installed: no service is started, no system
// database is touched, and bench/out/rt/root is kept for the next run.  It needs apt, dpkg, perl, and YIWANG_TEST_PG (RT's makers
// advise PostgreSQL or MariaDB for use, SQLite only for trying out); its database is dropped at the end.
//
// The server is Starlet, the preforking server that Debian's rt-server starts unless told otherwise, with as many workers as cores and
// the modules loaded before the fork.  Any other way (Starman, FastCGI) runs the same RT code, which takes nearly all of the time.
// A worker serves one connection at a time; with 64 connections Starlet therefore closes each after its answer.
//
// What is left out favours RT: no requestor (RT would keep a user for each), hence no mail; no full-text index; and the tokens' hashes
// have the lowest cost, for with RT's default (bcrypt, cost 12) the check of its token alone costs every request a quarter of a second.
// BENCH_TICKETS=200      tickets of one run
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createServer } from 'node:net';
import { CONNECTIONS, OUT, PG, READERS, TEXT, drop_database, load, new_database, number_from, postmaster, psql, random, rounded, start,
         write_lines } from './district.mjs';
import { cpu_ms, memory_mb } from './process.mjs';

const HOME = path.join(OUT, 'rt'), ROOT = path.join(HOME, 'root'), SHARE = '/usr/share/request-tracker5', DATABASE = 'yiwang_bench_rt';
const TICKETS = number_from('BENCH_TICKETS', 200), QUEUES = 20, WARM = 100, WORKERS = os.cpus().length;
const quiet = { stdio: ['ignore', 'pipe', 'pipe'] };

// Packages of the system's own that RT only has to find: perl itself. The rest is not needed to answer requests.
const LEFT_OUT = /^(perl|perl-base|perl-doc|perl-modules-.*|libperl.*|exim4-.*|fonts-.*|dbconfig-.*|graphviz)$/;

function unpack() {
        if (fs.existsSync(path.join(ROOT, 'unpacked')))
                return;
        const debs = path.join(HOME, 'packages');
        fs.rmSync(HOME, { recursive: true, force: true });
        fs.mkdirSync(debs, { recursive: true });
        const wanted = ['request-tracker5', 'rt5-db-postgresql', 'rt5-standalone'];
        const plan = execFileSync('apt-get', ['install', '-s', '--no-install-recommends', ...wanted], quiet).toString();
        const names = [...plan.matchAll(/^Inst (\S+)/gm)].map((m) => m[1]).filter((name) => !LEFT_OUT.test(name));
        execFileSync('apt-get', ['download', '-q', ...names], { ...quiet, cwd: debs });
        for (const deb of fs.readdirSync(debs))
                execFileSync('dpkg', ['-x', path.join(debs, deb), ROOT], quiet);
        fs.rmSync(debs, { recursive: true });
        // RT's own programs and its table of folders name absolute paths.
        for (const file of ['usr/sbin/rt-setup-database-5', `${SHARE}/libexec/rt-server`, `${SHARE}/lib/RT/Generated.pm`]) {
                const place = path.join(ROOT, file);
                fs.writeFileSync(place, fs.readFileSync(place, 'utf8').replace(/(["'])\/(usr|var|etc)(?=[/"'])/g, `$1${ROOT}/$2`));
        }
        fs.mkdirSync(path.join(ROOT, 'var/lib/request-tracker5'), { recursive: true });
        for (const part of ['mason_data', 'session_data'])
                fs.mkdirSync(path.join(ROOT, 'var/cache/request-tracker5', part), { recursive: true });
        fs.writeFileSync(path.join(ROOT, 'unpacked'), '');
}

function free_port() {
        return new Promise((resolve, reject) => {
                const probe = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
                        const { port } = probe.address();
                        probe.close(() => resolve(port));
                });
        });
}

function environment(port) {
        const url = new URL(new_database(DATABASE)), config = path.join(HOME, 'RT_SiteConfig.pm');
        drop_database(DATABASE); // RT makes it itself
        const settings = {
                rtname: 'bench', Organization: 'bench', WebDomain: '127.0.0.1', WebPort: String(port), Timezone: 'Asia/Shanghai',
                DatabaseType: 'Pg', DatabaseHost: url.hostname, DatabasePort: url.port, DatabaseName: DATABASE,
                DatabaseUser: url.username, DatabasePassword: url.password,
                BcryptCost: '4', LogToSyslog: '', LogToSTDERR: 'error',
        };
        fs.writeFileSync(config, Object.entries(settings).map(([k, v]) => `Set($${k}, '${v}');\n`).join('') + '1;\n', { mode: 0o600 });
        const libraries = fs.readdirSync(path.join(ROOT, 'usr/lib')).map((d) => path.join(ROOT, 'usr/lib', d));
        const perl5 = libraries.flatMap((d) => {
                const versions = path.join(d, 'perl5');
                return fs.existsSync(versions) ? fs.readdirSync(versions).map((v) => path.join(versions, v)) : [];
        });
        return { env: { ...process.env, RT_SITE_CONFIG: config, RT_SITE_CONFIG_DIR: path.join(HOME, 'none'),
                        PERL5LIB: [path.join(ROOT, SHARE, 'lib'), path.join(ROOT, 'usr/share/perl5'), ...perl5].join(':'),
                        LD_LIBRARY_PATH: libraries.join(':') },
                 dba: url };
}

function tickets(n, tag) {
        const next = random(20261123), lines = [];
        for (let i = 0; i < n; i++)
                lines.push('POST /REST/2.0/ticket ' + JSON.stringify({
                        Queue: `unit-${1 + Math.floor(next() * QUEUES)}`, Subject: `${tag} ${i} 道路井盖破损`, Content: TEXT, ContentType: 'text/plain',
                        CustomFields: { Item: `${Math.floor(next() * 1000)}`, Address: `社区第${i % 300}号` },
                }));
        return write_lines(`rt-${tag}.txt`, lines);
}

function reads(held) {
        const next = random(7), lists = [], ones = [];
        for (let i = 0; i < TICKETS; i++) {
                const query = encodeURIComponent(`Queue = 'unit-${1 + Math.floor(next() * QUEUES)}'`);
                lists.push(`GET /REST/2.0/tickets?query=${query}&orderby=id&order=DESC&per_page=50&fields=Subject,Status,Created,Due,Queue`);
                ones.push(`GET /REST/2.0/ticket/${1 + Math.floor(next() * held)}`);
        }
        return { list: write_lines('rt-lists.txt', lists), read: write_lines('rt-ones.txt', ones) };
}

const SQL_WRITTEN = "SELECT json_build_object('inserted', sum(n_tup_ins), 'updated', sum(n_tup_upd)) FROM pg_stat_user_tables";
const written = (url) => JSON.parse(psql(SQL_WRITTEN, url));

// The load's figures, and the processor time of all processes of RT and of the database for each request.
async function under(server, token, connections, file) {
        const before = server.pids.map((pid) => cpu_ms([pid]));
        const r = await load(server.port, token, connections, file, { scheme: 'token' });
        const [own, database] = server.pids.map((pid, i) => (cpu_ms([pid]) - before[i]) / r.requests);
        return { rate: r.rate, p50_ms: r.p50_ms, p99_ms: r.p99_ms, wall_ms: rounded(1000 / r.rate, 2),
                 cpu_ms: rounded(own + database, 2), database_cpu_ms: rounded(database, 2) };
}

async function measure(server, token, url) {
        await under(server, token, WORKERS, tickets(WARM, 'warm'));
        const file = tickets(TICKETS, 'measured'), before = written(url);
        const create = await under(server, token, CONNECTIONS, file);
        await new Promise((resolve) => setTimeout(resolve, 1500)); // PostgreSQL's statistics arrive a second late
        const after = written(url), best_connections = 2 * WORKERS;
        const create_best = await under(server, token, best_connections, file);
        const files = reads(WARM + 2 * TICKETS);
        return { ...create, few: { connections: best_connections, ...create_best },
                 rows_inserted: rounded((after.inserted - before.inserted) / TICKETS, 1),
                 rows_updated: rounded((after.updated - before.updated) / TICKETS, 1),
                 list: await under(server, token, READERS, files.list), read: await under(server, token, READERS, files.read),
                 memory_mb: memory_mb([server.pid]) };
}

// Sets RT up, measures it, stops it; the figures.  Throws when RT cannot be had here.
export async function rival_rt() {
        if (!PG)
                throw new Error('RT needs YIWANG_TEST_PG: call through tools/with_postgres');
        unpack();
        const port = await free_port(), { env, dba } = environment(port), url = new URL(dba);
        url.pathname = `/${DATABASE}`;
        const script = (args) => execFileSync('perl', args, { ...quiet, env: { ...env, RT_DBA_PASSWORD: dba.password } }).toString();
        try {
                script([path.join(ROOT, 'usr/sbin/rt-setup-database-5'), '--action', 'init', '--dba', dba.username]);
                const token = script(['bench/rival_rt.pl', String(QUEUES)]).trim().split('\n').pop();
                const server = await start('perl', [path.join(ROOT, SHARE, 'libexec/rt-server'), '--server', 'Starlet', '--host', '127.0.0.1',
                        '--port', String(port), '--max-workers', String(WORKERS), '--max-reqs-per-child', '100000'], null, { env }, port);
                server.port = port;
                server.pids = [server.pid, postmaster()];
                try {
                        const version = /\$VERSION = '([^']+)'/.exec(fs.readFileSync(path.join(ROOT, SHARE, 'lib/RT/Generated.pm'), 'utf8'))[1];
                        return { version, server: 'Starlet', workers: WORKERS, tickets: TICKETS, ...await measure(server, token, url.href) };
                } finally {
                        await server.stop();
                }
        } finally {
                drop_database(DATABASE);
        }
}

export async function alone() {
        fs.mkdirSync(OUT, { recursive: true });
        execFileSync('tools/build', ['build', 'bench_load'], { stdio: ['ignore', 'ignore', 'inherit'] });
        process.stdout.write(JSON.stringify(await rival_rt()) + '\n');
}
