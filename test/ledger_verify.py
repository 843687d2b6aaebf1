#!/usr/bin/env python3
"""Verifies a proof of `yiwang ledger prove` or GET /api/v1/track/CODE/proof without our server: ledger_verify.py KEY FILE [OLD CHECKPOINT].

KEY is a line of `yiwang ledger key`, got from somewhere one trusts.  doc/ledger.md is the specification; only `openssl` is needed.
Prints what is wrong, a line each, and ends with 1; else prints the number of rows proved.
"""
import base64, hashlib, json, struct, subprocess, sys, tempfile

H = lambda *parts: hashlib.sha256(b''.join(parts)).digest()
SPKI = {b'\x01': '302a300506032b6570032100', b'\xffyiwang/sm2-sm3': '3059301306072a8648ce3d020106082a811ccf5501822d034200'}
faults = []

def signed(key, note):
    """The size and root of a note (C2SP signed-note, tlog-checkpoint), once its signature is found good."""
    name, key_id, typed = key.split('+', 2)
    typed = base64.b64decode(typed)
    text, lines = note.split('\n\n', 1)
    origin, size, root = text.split('\n')[:3]
    kind = next(k for k in SPKI if typed.startswith(k))
    for line in lines.splitlines():
        signature = base64.b64decode(line.split(' ')[2])
        if origin == name == line.split(' ')[1] and signature[:4] == H(name.encode(), b'\n', typed)[:4] == bytes.fromhex(key_id):
            with tempfile.NamedTemporaryFile() as k, tempfile.NamedTemporaryFile() as s, tempfile.NamedTemporaryFile() as t:
                for f, data in (k, bytes.fromhex(SPKI[kind]) + typed[len(kind):]), (s, signature[4:]), (t, (text + '\n').encode()):
                    f.write(data), f.flush()
                more = ['-digest', 'sm3', '-pkeyopt', 'distid:1234567812345678'] if len(kind) > 1 else []
                if subprocess.run(['openssl', 'pkeyutl', '-verify', '-rawin', '-pubin', '-keyform', 'DER', '-inkey', k.name, '-in', t.name,
                                   '-sigfile', s.name, *more], capture_output=True).returncode == 0:
                    return int(size), base64.b64decode(root)
    sys.exit('the checkpoint is not signed by this key')

def digest(previous, f):
    """Of a row of the history, behind the row with the digest `previous`."""
    texts = [f[n].encode() for n in ('move', 'origin', 'dest', 'actor', 'role', 'unit', 'form')]
    numbers = [int(f[n]) for n in ('subject', 'seq', 'lane', 'ordinal', 'at')]
    return H(previous, struct.pack('>5q', *numbers), *(struct.pack('>q', len(t)) + t for t in texts))

def climb(path, fn, sn, right, left):
    """The roots along a path, RFC 9162, 2.1.3.2 and 2.1.4.2: of the larger tree, and of the part of it that ends here."""
    for p in path:
        if sn == 0: return None, None
        if fn & 1 or fn == sn:
            right, left = H(b'\1', p, right), H(b'\1', p, left)
            while not fn & 1 and fn: fn, sn = fn >> 1, sn >> 1
        else:
            right = H(b'\1', right, p)
        fn, sn = fn >> 1, sn >> 1
    return (right, left) if sn == 0 else (None, None)

def grown(old, size, root, path):
    """Whether the tree `old` = (size, root) is the beginning of this one."""
    if old[0] == size or not old[0]: return not path and (not old[0] or old[1] == root)
    fn, sn = old[0] - 1, size - 1
    while fn & 1: fn, sn = fn >> 1, sn >> 1
    first, rest = (old[1], path) if fn == 0 else (path[0], path[1:])
    return climb(rest, fn, sn, first, first) == (root, old[1])

def check_case(p, size, root):
    previous = bytes(32)
    for at, r in enumerate(p['rows'], p['rows'][0]['row'] if p['rows'] else 1):
        name = f"case {p['number']}: row {r['row']}"
        d, f = bytes.fromhex(r['digest']), r.get('fields')
        if r['row'] != at: faults.append(f'{name} does not follow the row before')
        if f and (digest(previous, f) != d or f['seq'] != r['row'] or f['move'] != r['move']): faults.append(f'{name} was altered')
        if r['leaf'] is not None and not (0 <= r['leaf'] < size and climb([bytes.fromhex(h) for h in r['path']], r['leaf'], size - 1, H(b'\0', d), d)[0] == root):
            faults.append(f'{name} is not in the tree')
        previous = d
    return sum(r['leaf'] is not None for r in p['rows'])

def check_all(lines, size, root):
    """Every leaf; the root by joining equal subtrees, as a binary counter counts."""
    last, stack, n = {}, [], 0
    for n, r in enumerate(map(json.loads, lines), 1):
        name = f"case {r['number']}: row {r['row']}"
        row, previous = last.get(r['number'], (0, bytes(32)))
        d, f = bytes.fromhex(r['digest']), r['fields']
        if r['leaf'] != n - 1: faults.append(f'leaf {n - 1} is missing')
        if r['row'] != row + 1: faults.append(f'{name} does not follow row {row}')
        if not f: faults.append(f'{name} is missing')
        elif digest(previous, f) != d or f['seq'] != r['row']: faults.append(f'{name} was altered')
        last[r['number']], node, level = (r['row'], d), H(b'\0', d), 1
        while n % (level * 2) == 0: node, level = H(b'\1', stack.pop(), node), level * 2
        stack.append(node)
    while len(stack) > 1: stack[-2:] = [H(b'\1', *stack[-2:])]
    if n != size or (stack or [H()])[0] != root: faults.append('the leaves are not those of the checkpoint')
    return n

key, file = sys.argv[1:3]
with open(file) as f:
    head = json.loads(f.readline())
    size, root = signed(key, head['checkpoint'])
    rows = check_case(head, size, root) if 'rows' in head else check_all(f, size, root)
if len(sys.argv) > 3 and not grown(signed(key, open(sys.argv[3]).read()), size, root, [bytes.fromhex(h) for h in head.get('growth', [])]):
    faults.append('the old checkpoint is not a part of this tree')
print('\n'.join(faults) or f'{rows} rows are as they were signed')
sys.exit(bool(faults))
