// bench/growth.mjs: intake and reads while the store holds so many cases.
import { all, random, write_lines } from './district.mjs';

export async function list_lines(server, key, n) {
        const units = await all(server, '/api/v1/units', 'units', key), next = random(7), lines = [];
        for (let i = 0; i < n; i++)
                lines.push(`GET /api/v1/cases?limit=50&unit=${units[Math.floor(next() * units.length)].code}`);
        return write_lines('lists.txt', lines);
}

export async function read_lines(server, key, n) {
        const cases = await all(server, '/api/v1/cases', 'cases', key, 5000), next = random(7), lines = [];
        for (let i = 0; i < n; i++)
                lines.push(`GET /api/v1/cases/${cases[Math.floor(next() * cases.length)].number}`);
        return write_lines('ones.txt', lines);
}
