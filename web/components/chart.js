/** One metric over time, drawn while more of it comes. */

import { useEffect, useRef } from 'preact/hooks';
import Plot from 'uplot';

import { html } from '../html.js';

const HEIGHT_PIXELS = 150;

/**
 * @param {{name: string, times: number[], means: number[]}} props `times` are seconds since 1970
 */
export function Chart({ name, times, means }) {
  const box = useRef(null);
  const plot = useRef(null);
  useEffect(() => {
    const colours = getComputedStyle(box.current);
    const axis = { stroke: colours.getPropertyValue('color'), grid: { stroke: colours.borderTopColor, width: 1 }, font: '11px sans-serif' };
    const options = {
      width: box.current.clientWidth,
      height: HEIGHT_PIXELS,
      legend: { show: false },
      cursor: { y: false, drag: { x: false } },
      series: [{}, { stroke: colours.accentColor, width: 1.75, points: { show: false } }],
      axes: [axis, { ...axis, size: 44 }],
    };
    plot.current = new Plot(options, [[], []], box.current);
    const resized = new ResizeObserver(([{ contentRect }]) => {
      plot.current.setSize({ width: contentRect.width, height: HEIGHT_PIXELS });
    });
    resized.observe(box.current);
    return () => {
      resized.disconnect();
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current.setData([times, means]), [times, means]);

  const [least, most] = [Math.min(...means), Math.max(...means)];
  return html`
    <figure class="chart">
      <figcaption>${name}<span>${least} to ${most}</span></figcaption>
      <div ref=${box} class="chart-box" role="img" aria-label=${`${name}, between ${least} and ${most}`}></div>
    </figure>
  `;
}
