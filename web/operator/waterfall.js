/** What a run of a job did when: pure functions from what the service tells to bars on one scale of time. */

/**
 * @typedef {{run: number, attempt: number, worker: string | null, started_at: string, finished_at: string | null,
 *   outcome: string | null, error_type: string | null}} Attempt
 * @typedef {{name: string, state: string, attempt: number, started_at: string | null, finished_at: string | null}} Step
 * @typedef {{part: string | null, step: string, provider: string | null, model: string | null, attempt: number | null,
 *   started_at: string | null, elapsed: number | null, first_token: number | null, input_tokens: number | null,
 *   output_tokens: number | null, cost: number | null}} Call
 *
 * @typedef {{state: string, attempt: number}} Part
 *
 * `from`, `to` and `first` (the first token) are milliseconds since 1970; a bar without `from` has no known place.
 *
 * @typedef {{key: string, what: 'wait' | 'attempt' | 'step' | 'call', depth: number, name: string, note: string,
 *   state: string, from: number | null, to: number | null, first: number | null, call: Call | null}} Bar
 * @typedef {{from: number, to: number, bars: Bar[], kept: string[]}} Waterfall
 */

const LATEST = '9999-12-31T00:00:00Z';

/** The job's runs that have begun, the newest first. @param {Attempt[]} attempts @returns {number[]} */
export function runsOf(attempts) {
  return [...new Set(attempts.map(({ run }) => run))].sort((one, other) => other - one);
}

/**
 * One run as bars, in the order in which they began; `kept` names the steps that an earlier run did.
 *
 * @param {{job: {created_at: string, parts: Record<string, Part>}, attempts: Attempt[], steps: Step[],
 *   calls: Call[]}} told
 * @param {number} run
 * @param {number} now milliseconds since 1970: where what still goes on is drawn to
 * @returns {Waterfall}
 */
export function waterfallOf({ job, attempts, steps, calls }, run, now) {
  const own = attempts.filter((attempt) => attempt.run === run).sort(byStart);
  const begins = own.length ? at(own[0].started_at) : at(job.created_at);
  const ends = Math.min(...attempts.filter((attempt) => attempt.run > run).map((attempt) => at(attempt.started_at)));
  const asked = calls.map((call) => callBar(call, job.parts[call.part ?? ''], now));
  const inside = ({ from }, until = ends) => from !== null && from >= begins && from < until;

  const done = steps.map((step) => stepBar(step, now)).filter((bar) => inside(bar)).sort(byPlace);
  const bars = [
    ...(run === 1 ? [waitBar(at(job.created_at), own.length ? begins : now)] : []),
    ...own.flatMap((attempt, index) => {
      const [first, until] = [at(attempt.started_at), at(own[index + 1]?.started_at ?? LATEST)];
      const within = done.filter(({ from }) => from >= first && from < until);
      return [attemptBar(attempt, now), ...within.flatMap((bar) => withCalls(bar, asked))];
    }),
    ...asked.filter((bar) => isAlone(bar, steps) && (bar.from === null || inside(bar))),
  ];
  const moments = bars.flatMap(({ from, to }) => [from, to]).filter((moment) => moment !== null);
  return {
    from: Math.min(...moments, begins),
    to: Math.max(...moments, begins + 1),
    bars,
    kept: steps.filter(({ started_at: start }) => start !== null && at(start) < begins).map(({ name }) => name),
  };
}

/** What all calls took together. @param {Call[]} calls */
export function totalsOf(calls) {
  const sum = (name) => calls.reduce((total, call) => total + (call[name] ?? 0), 0);
  const priced = calls.some(({ cost }) => cost !== null);
  return { input: sum('input_tokens'), output: sum('output_tokens'), cost: priced ? sum('cost') : null };
}

/** @returns {Bar} */
function waitBar(from, to) {
  return { ...plain('wait', 0, 'Waiting for a worker', 'queued'), from, to };
}

/** @param {Attempt} attempt @returns {Bar} */
function attemptBar({ run, attempt, worker, started_at: start, finished_at: finish, outcome, error_type: type }, now) {
  const bar = plain('attempt', 0, `Attempt ${attempt}`, outcome ?? 'running');
  const note = [worker, type].filter(Boolean).join(' · ');
  return { ...bar, key: `attempt ${run} ${attempt} ${start}`, note, ...spanOf(start, finish, now) };
}

/** @param {Step} step @returns {Bar} */
function stepBar({ name, state, started_at: start, finished_at: finish }, now) {
  return { ...plain('step', 1, name, state), ...spanOf(start, finish, now) };
}

/** @param {Call} call @param {Part | undefined} part that it answers into @returns {Bar} */
function callBar(call, part, now) {
  const tries = part?.attempt ?? 1;
  const from = call.started_at === null ? null : at(call.started_at);
  const after = (seconds) => (from === null || seconds === null ? null : from + seconds * 1000);
  const goesOn = from !== null && part?.state === 'running' ? now : null;
  return {
    ...plain('call', 1, call.part ?? call.step, part?.state ?? 'completed'),
    key: `call ${call.step} ${call.part}`,
    note: [call.model ?? call.provider, tries > 1 && `${tries} tries`].filter(Boolean).join(' · '),
    call,
    from,
    to: after(call.elapsed) ?? goesOn,
    first: after(call.first_token),
  };
}

/** A step with its calls below it; one that is its only one shares its bar. @param {Bar} step @param {Bar[]} asked */
function withCalls(step, asked) {
  const own = asked.filter(({ call }) => call.step === step.name);
  if (own.length !== 1) return [step, ...own.map((bar) => ({ ...bar, depth: 2 }))];
  const [{ note, call }] = own;
  return [{ ...step, note, call, first: firstOf(step, call) }];
}

/**
 * When the first token came of the try that was answered, which is the last one of its step.
 *
 * @param {Bar} step @param {Call} call
 */
function firstOf({ from, to }, { elapsed, first_token: first }) {
  if (from === null || first === null) return null;
  const began = elapsed === null ? from : Math.max(from, to - elapsed * 1000);
  return began + first * 1000;
}

/** @returns {Bar} */
function plain(what, depth, name, state) {
  return { key: `${what} ${name}`, what, depth, name, note: '', state, from: null, to: null, first: null, call: null };
}

function spanOf(start, finish, now) {
  return start === null ? {} : { from: at(start), to: finish === null ? now : at(finish) };
}

/** Whether no step is known of a call. @param {Bar} bar @param {Step[]} steps */
function isAlone({ call }, steps) {
  return !steps.some(({ name }) => name === call.step);
}

function byStart(one, other) {
  return at(one.started_at) - at(other.started_at);
}

function byPlace(one, other) {
  return one.from - other.from;
}

function at(time) {
  return Date.parse(time);
}
