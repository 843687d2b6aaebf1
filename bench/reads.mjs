// bench/reads.mjs: files of requests that read: pages of cases by each filter of the desk's lists, and single cases.
import { all, fetch_json, random, write_lines } from './district.mjs';

const some = (next, list) => list[Math.floor(next() * list.length)];

// "after" of a page anywhere in the list of newest cases.  Identifiers grow, but do not begin at 1: the oldest is sought by halving.
async function places(server, key) {
        const page = (after) => fetch_json(server, `/api/v1/cases?limit=1${after ? `&after=${after}` : ''}`, key);
        const newest = BigInt((await page()).next);
        let none = 0n, some_left = newest;
        while (some_left - none > 1n) {
                const middle = (some_left + none) / 2n;
                if ((await page(middle)).cases.length)
                        some_left = middle;
                else
                        none = middle;
        }
        return (next) => String(some_left + (newest - some_left) * BigInt(Math.floor(next() * 2 ** 30)) / 2n ** 30n);
}

async function page_lines(server, key, n, name, query) {
        const next = random(7), lines = [];
        for (let i = 0; i < n; i++)
                lines.push(`GET /api/v1/cases?limit=50${query(next)}`);
        return write_lines(name, lines);
}

export async function list_lines(server, key, n) {
        const units = await all(server, '/api/v1/units', 'units', key);
        return page_lines(server, key, n, 'lists.txt', (next) => `&unit=${some(next, units).code}`);
}

// Cases from anywhere in the store.
export async function read_lines(server, key, n) {
        const place = await places(server, key), next = random(7), numbers = [], lines = [];
        for (let i = 0; i < 25; i++)
                numbers.push(...(await fetch_json(server, `/api/v1/cases?limit=200&after=${place(next)}`, key)).cases.map((c) => c.number));
        for (let i = 0; i < n; i++)
                lines.push(`GET /api/v1/cases/${some(next, numbers)}`);
        return write_lines('ones.txt', lines);
}

// Each kind of read with a maker of its file of n requests.
export async function kinds_of_reads(server, key) {
        const units = (await all(server, '/api/v1/units', 'units', key)).map((u) => u.code);
        const items = (await all(server, '/api/v1/items', 'items', key)).filter((i) => i.leaf).map((i) => i.code);
        const areas = (await all(server, '/api/v1/areas', 'areas', key)).filter((a) => a.level === 'subdistrict').map((a) => a.code);
        const { workflows } = await fetch_json(server, '/api/v1/workflows', key), states = workflows[0].states.map((s) => s.name);
        const place = await places(server, key);
        const queries = {
                newest: () => '',
                unit: (next) => `&unit=${some(next, units)}`,
                'unit, open': (next) => `&unit=${some(next, units)}&open=true`,
                'unit, state': (next) => `&unit=${some(next, units)}&state=${some(next, states)}`,
                'subdistrict, open': (next) => `&area=${some(next, areas)}&open=true`,
                late: () => '&late=true',
                'unit, late': (next) => `&unit=${some(next, units)}&late=true`,
                'by due': () => '&sort=due',
                'unit, by due': (next) => `&unit=${some(next, units)}&sort=due`,
                item: (next) => `&item=${some(next, items)}`,
                deep: (next) => `&after=${place(next)}`,
                'unit, deep': (next) => `&unit=${some(next, units)}&after=${place(next)}`,
        };
        const kinds = Object.entries(queries).map(([name, query], i) =>
                ({ name, lines: (n) => page_lines(server, key, n, `reads-${i}.txt`, query) }));
        return [...kinds, { name: 'one case', lines: (n) => read_lines(server, key, n) }];
}
