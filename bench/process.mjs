// bench/process.mjs: processor time and memory of a process and all it started, from /proc.
import fs from 'node:fs';

function stat(pid) {
        try {
                const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop().split(' ');
                // Time of its own and of its children that have ended, in ticks of 10 ms.
                return { pid, parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, f) => sum + Number(f), 0) };
        } catch {
                return null; // it has ended meanwhile
        }
}

// The process and every process under it.
export function tree(pid) {
        const all = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => stat(Number(name))).filter(Boolean);
        const found = all.filter((p) => p.pid === pid);
        for (let i = 0; i < found.length; i++)
                found.push(...all.filter((p) => p.parent === found[i].pid));
        return found;
}

// Processor time in milliseconds of the processes under each of pids.
export function cpu_ms(pids) {
        return pids.flatMap(tree).reduce((sum, p) => sum + p.ticks, 0) * 10;
}

// Memory in MiB: each page counted once, split among those that share it.
export function memory_mb(pids) {
        const kib = (p) => {
                try {
                        return Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${p.pid}/smaps_rollup`, 'utf8'))[1]);
                } catch {
                        return 0;
                }
        };
        return Math.round(pids.flatMap(tree).reduce((sum, p) => sum + kib(p), 0) / 1024);
}
