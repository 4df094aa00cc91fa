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

Contenders: ours, tutorial, shared, nchan, better, node, raw, c. Rows: idle-1000, idle-10000, cpu, fan-100, fan (to
1,000 readers), fan-5000, many (1,000 channels with a reader each), many-5000, cuts, log, users, first. Linux only. It
wants gcc; nginx with nchan (Debian's nginx and libnginx-mod-nchan) and node with npm are left out, with a word, where
they are missing.

On a machine that others use at the same time, the figures say more of them than of the servers: a run in which the
server had to wait for its core is marked `disturbed`. `--ahead`, for who may, goes before everybody else: take it.

`many` gives our server what the log would announce, without the log, since one core of store takes fewer appends than
the server delivers; `log` is the same with every update in its log.
"""
