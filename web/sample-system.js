/** A made-up week of a battery with one bad night, for whoever has no measurements at hand. */

const HOUR_MILLISECONDS = 3_600_000;
const HOURS = 7 * 24;
const BAD = { from: 99, to: 103 };

/** @param {Date} [until] @returns {{site: string, measurements: Record<string, number | string>[]}} */
export function sampleSystem(until = new Date()) {
  const end = Math.floor(until.getTime() / HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
  const measurements = Array.from({ length: HOURS }, (_, hour) => {
    const day = Math.sin(((hour % 24) - 6) / 24 * 2 * Math.PI);
    const bad = hour >= BAD.from && hour <= BAD.to;
    return {
      time: new Date(end - (HOURS - 1 - hour) * HOUR_MILLISECONDS).toISOString(),
      voltage: round(bad ? 10.2 + (hour - BAD.from) * 0.1 : 12.6 + 0.5 * day),
      temperature: round(22 + 6 * day + (bad ? 14 : 0)),
      load: round(140 + 90 * Math.abs(day) + (hour % 5) * 4),
    };
  });
  return { site: 'A house with solar panels', measurements };
}

function round(value) {
  return Math.round(value * 100) / 100;
}
