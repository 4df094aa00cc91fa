"""From a worker's words to a reader's eyes: our streams beside those of peers, in one run on one machine.

The product runs as it is deployed, `python -m service` on the embedded store, with a credential, log and cursors; its
updates are appended to real logs by the script that workers call. The peers read the same updates from the same
store, nchan by its publisher endpoint. The server has one core, all the rest the other; every step of a search has a
fresh server and is drained before it counts. Contenders take turns within each row, so compare within one run alone.

    python -m bench.delivery                                      the quick rows of all contenders, about 5 minutes
    python -m bench.delivery --full                               every row, longer, about half an hour
    python -m bench.delivery --ahead --only ours,nchan --rows fan two contenders, one row: 40 s
    python -m bench.delivery --ahead --only ours,c --rows cpu     CPU per delivery: 15 s
    python -m bench.delivery --only ours --rows idle-1000         memory and opening: 25 s
    python -m bench.delivery --only ours,node --rows many --seconds 1 --steps 3 --json build/mine.json

Contenders: ours, tutorial, shared, nchan, better, node, raw, c. Rows: idle-1000, idle-10000, cpu, fan-100, fan-1000,
fan-5000, many-1000, many-5000, log-1000, cuts, users, first; `fan` or `many` alone is the quick row of that name,
with `--full` all of them. Linux only. It wants gcc; nginx with nchan (Debian's nginx and libnginx-mod-nchan) and node
with npm are left out, with a word, where they are missing.

On a machine that others use at the same time, the figures say more of them than of the servers: a run in which the
server had to wait for its core is marked `disturbed`. `--ahead`, for who may, goes before everybody else: take it.

`many` gives our server what the log would announce, without the log, since one core of store takes fewer appends than
the server delivers; `log-1000` is the same with every update in its log.
"""
